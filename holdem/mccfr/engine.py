"""What turns iterations into a regret table: one batch after another, in this process.

A batch is deal, walk, merge. Merges fall on multiples of the batch size, wherever the
run was resumed, so that a run may be cut anywhere and go on to the same bytes.

An engine counts its own iterations. Batches, periods of discounting and schedules go by
that count; only the random numbers go by the iteration's place in the seed's stream, which
is the count plus *stream_start*. So a run over any part of the stream is a run like another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from holdem._core.deal import DEAL_DTYPE
from holdem.abstraction.bucketing import HandBucketing
from holdem.game.tree import BettingTree
from holdem.mccfr.metrics import StreetMetrics, TableMetrics
from holdem.mccfr.table import RegretTable
from holdem.mccfr.worker import BatchLog, make_dealer, make_walker
from holdem.types import MCCFRConfig


class Engine(Protocol):
    """Whoever does the iterations: this process, or a pool of workers.

    Attributes:
        table: how regrets and averages are weighted; for its words ask `words`.
        iteration: iterations done, those of a resumed run included.
        utility_sum: seat 0's sampled utility over all of them, chips.
        visits: decision nodes visited by this engine.
    """

    iteration: int

    @property
    def table(self) -> RegretTable:
        """See the class."""

    @property
    def utility_sum(self) -> float:
        """See the class."""

    @property
    def visits(self) -> int:
        """See the class."""

    @property
    def worker_visits(self) -> dict[int, int]:
        """Decision nodes by each worker since it started, by process number; {} without workers."""

    def run(self, target: int) -> None:
        """Do batches until *target* iterations or more are done, in all.

        Fewer, maybe fewer than before, if it had to go back to where the table was whole: the
        caller looks whether somebody wants the run to end, and calls again.
        """

    def restore(
        self,
        words: npt.NDArray[np.float32],
        table_state: Mapping[str, float],
        iteration: int,
        utility_sum: float,
        others: Mapping[str, npt.NDArray[np.float32]],
    ) -> None:
        """Go on from a checkpoint, before the first `run`."""

    def others(self) -> Mapping[str, npt.NDArray[np.float32]]:
        """Return what a checkpoint must hold beside the table, by name."""

    def words(self) -> npt.NDArray[np.float32]:
        """Return the table's words as they are now, which `run` goes on to change."""

    def snapshot(self) -> npt.NDArray[np.float32] | None:
        """Return a copy of the table's words that is good until the next call.

        None where there is none; then whoever wants them must read `words` before
        the next `run`, and say by `saved` that they are on the disk.
        """

    def saved(self, words: npt.NDArray[np.float32]) -> None:
        """Take note of *words*: those of the table as it is now, mapped from a checkpoint."""

    def measure(self) -> dict[str, StreetMetrics]:
        """Return the figures of the table as it is now, by street."""

    def close(self) -> None:
        """Give back what is not this process's own memory."""


class LocalEngine:
    """Does every batch in this process. See `Engine`."""

    def __init__(
        self,
        config: MCCFRConfig,
        tree: BettingTree,
        bucketing: HandBucketing | None,
        stream_start: int = 0,
    ) -> None:
        self.table = RegretTable.for_config(tree, config)
        self.iteration = 0
        self.utility_sum = 0.0
        self._config = config
        self._stream_start = stream_start
        self._tree = tree
        self._metrics: TableMetrics | None = None
        self._dealer = make_dealer(tree.game, bucketing)
        self._log = BatchLog.local(tree, config.batch_size)
        self._walker = make_walker(tree, self.table.words, self._log)
        self._deals = np.zeros(config.batch_size, dtype=DEAL_DTYPE)

    @property
    def visits(self) -> int:
        """Decision nodes visited by this engine."""
        return self._walker.visits

    @property
    def worker_visits(self) -> dict[int, int]:
        """None: this process works alone."""
        return {}

    def run(self, target: int) -> None:
        """Do batches until *target* iterations or more are done, in all."""
        config, table, walker = self._config, self.table, self._walker
        while self.iteration < last_iteration(target, config):
            count = batch_length(self.iteration, config)
            deals, place = self._deals[:count], self._stream_start + self.iteration
            self._dealer.deal(config.seed, place, deals)
            table.advance(self.iteration, count)
            walker.walk(
                config.seed,
                place,
                deals,
                pruning_threshold=config.pruning_threshold * table.regret_weight,
                pruning_probability=config.pruning_probability if config.enable_pruning else 0.0,
                epsilon=walk_epsilon(config, self.iteration),
            )
            walker.merge(
                count,
                table.regret_weight,
                table.strategy_weight,
                config.regret_floor * table.regret_weight,
            )
            self.utility_sum += walker.utility(count)
            self.iteration += count

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
        self.iteration, self.utility_sum = iteration, utility_sum

    def others(self) -> dict[str, npt.NDArray[np.float32]]:
        """Nothing: the table is all there is."""
        return {}

    def words(self) -> npt.NDArray[np.float32]:
        """See `Engine.words`."""
        return self.table.words

    def snapshot(self) -> None:
        """No copy: one process cannot train while it writes, so it needs none."""

    def saved(self, words: npt.NDArray[np.float32]) -> None:
        """Nothing: a table of one process is always whole."""

    def measure(self) -> dict[str, StreetMetrics]:
        """See `Engine.measure`."""
        if self._metrics is None:
            self._metrics = TableMetrics(self._tree)
        return self._metrics.measure(self.table.words, self.table.total_weight)

    def close(self) -> None:
        """Nothing to give back."""


def batch_length(iteration: int, config: MCCFRConfig) -> int:
    """Return how many iterations the batch has that *iteration* begins."""
    count = config.batch_size - iteration % config.batch_size
    if config.num_iterations is not None:
        count = min(count, config.num_iterations - iteration)
    return count


def last_iteration(target: int, config: MCCFRConfig) -> int:
    """Return *target*, or the end of the run if that comes first."""
    return target if config.num_iterations is None else min(target, config.num_iterations)


def epsilon_at(config: MCCFRConfig, iteration: int) -> float:
    """Return the exploration of outcome sampling at *iteration*."""
    epsilon = config.exploration_epsilon
    for start, value in config.epsilon_schedule or ():
        if iteration >= start:
            epsilon = value
    return epsilon


def walk_epsilon(config: MCCFRConfig, iteration: int) -> float | None:
    """Return what `Walker.walk` wants to know: None for external sampling."""
    return epsilon_at(config, iteration) if config.sampling == "outcome" else None
