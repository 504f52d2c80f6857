"""Training against a responder who sees the real cards: CFR-BR on drawn boards.

Each seat's table plays a responder of its own, and the two have no row in common, so the
seats are trained side by side; and of each seat the groups of the betting are shared out to
threads. Rows are written where they are, in one order whoever writes: the same bytes with
any number of threads, and no batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from holdem._core.responder_walk import ResponderWalk
from holdem.abstraction.bucketing import HandBucketing
from holdem.game.tree import BettingTree
from holdem.machine import usable_cores
from holdem.mccfr.cells import Cells
from holdem.mccfr.checkpoint import PARENTS, RESPONDER
from holdem.mccfr.engine import last_iteration
from holdem.mccfr.lanes import LaneBetting
from holdem.mccfr.metrics import StreetMetrics, TableMetrics
from holdem.mccfr.parents import Parents
from holdem.mccfr.table import UNSCALED, RegretTable
from holdem.types import MCCFRConfig


class ResponderEngine:
    """Trains each seat against a responder. See `Engine`.

    The responder tells apart what *cells* do; by default what the table does. The table's buckets
    have parents if the config's `parent_boards` says so.

    Raises:
        ConfigError: not hold'em for two players that is bet on all four streets.
    """

    def __init__(
        self,
        config: MCCFRConfig,
        tree: BettingTree,
        bucketing: HandBucketing | None,
        stream_start: int = 0,
        cells: Cells | None = None,
    ) -> None:
        assert bucketing is not None
        cells = cells or Cells.of_table(bucketing)
        self.iteration = 0
        self._config = config
        self._stream_start = stream_start
        self.table = RegretTable.for_config(tree, config, scales=False)
        self._words_are_old = False
        self._metrics: TableMetrics | None = None
        self._lanes = LaneBetting(tree)
        self._rows = self._lanes.make_rows(tree.bucket_counts, 2)
        self._responder_rows = self._lanes.make_rows(cells.counts, 1)
        parents = Parents.of_set(bucketing) if config.parent_boards else Parents((), (), ())
        self._parent_rows = self._lanes.make_rows(parents.counts, 1)
        threads = config.num_workers or usable_cores()
        # Seats take turns in one thread.
        self._shares = (max(1, (threads + 1) // 2), max(1, threads // 2))
        self._walks = [
            ResponderWalk(
                seat,
                self._lanes.streets,
                bucketing.tables,
                cells.tables,
                self._rows,
                self._responder_rows,
                share,
                list(zip(self._parent_rows, parents.of, parents.shares, strict=True)),
            )
            for seat, share in enumerate(self._shares)
        ]
        self._threads = ThreadPoolExecutor(threads)
        self._done_here = 0

    @property
    def utility_sum(self) -> float:
        """What seat 0's table won of its responder, chips."""
        return float(self._walks[0].utility)

    @property
    def visits(self) -> int:
        """Hands that were taken through a decision by this engine."""
        return self._lanes.visits * self._done_here

    @property
    def worker_visits(self) -> dict[int, int]:
        """None: threads of this process work."""
        return {}

    def run(self, target: int) -> None:
        """Do iterations until *target* are done, in all."""
        while self.iteration < last_iteration(target, self._config):
            period = self._config.period
            end = min(last_iteration(target, self._config), (self.iteration // period + 1) * period)
            self._walk(end - self.iteration)
            self._done_here += end - self.iteration
            self.iteration = end

    def _walk(self, count: int) -> None:
        """Do *count* iterations of one period."""
        table, first = self.table, self._stream_start + self.iteration
        scaled = table.advance(self.iteration, 1)
        # One by one: sums must not depend on where a stretch ended, which the clock decides.
        for done in range(1, count):
            table.advance(self.iteration + done, 1)
        if scaled != UNSCALED:
            words = self.words()
            table.scale(*scaled)
            self._lanes.pack(self._rows, 2, words)
            for rows in (*self._responder_rows, *self._parent_rows):
                rows *= np.float32(scaled[0])
        self._words_are_old = True
        weights = table.regret_weight, table.strategy_weight
        parents = self._config.parent_boards, self.iteration
        try:
            calls = [
                self._threads.submit(
                    walk.walk, self._config.seed, first, count, *weights, thread, *parents
                )
                for walk, share in zip(self._walks, self._shares, strict=True)
                for thread in range(share)
            ]
            for call in calls:
                call.result()
        except BaseException:
            # No thread may wait for one that was never started, or has gone.
            for walk in self._walks:
                walk.stop()
            raise

    def restore(
        self,
        words: npt.NDArray[np.float32],
        table_state: Mapping[str, float],
        iteration: int,
        utility_sum: float,
        others: Mapping[str, npt.NDArray[np.float32]],
    ) -> None:
        """See `Engine.restore`."""
        self.table.restore(words, table_state)
        self._lanes.pack(self._rows, 2, self.table.words)
        self._lanes.pack(self._responder_rows, 1, others[RESPONDER])
        if self._parent_rows:
            self._lanes.pack(self._parent_rows, 1, others[PARENTS])
        self.iteration, self._walks[0].utility = iteration, utility_sum

    def others(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the responder's regrets, and those of the buckets' parents."""
        found = {RESPONDER: self._lanes.unpack(self._responder_rows, 1)}
        if self._parent_rows:
            found[PARENTS] = self._lanes.unpack(self._parent_rows, 1)
        return found

    def words(self) -> npt.NDArray[np.float32]:
        """See `Engine.words`."""
        if self._words_are_old:
            self._lanes.unpack(self._rows, 2, self.table.words)
            self._words_are_old = False
        return self.table.words

    def snapshot(self) -> npt.NDArray[np.float32]:
        """See `Engine.snapshot`."""
        return self._lanes.unpack(self._rows, 2)

    def saved(self, words: npt.NDArray[np.float32]) -> None:
        """Nothing: rows are always whole."""

    def measure(self) -> dict[str, StreetMetrics]:
        """See `Engine.measure`."""
        if self._metrics is None:
            self._metrics = TableMetrics(self._lanes.tree)
        return self._metrics.measure(self.words(), self.table.total_weight)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()
