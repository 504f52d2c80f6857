"""The parent's side of a pool of workers: start, command, watch, and start over.

The parent blocks while workers work; they meet among themselves. It gets up when they
are done, when one has died, and when none of them has moved for much longer than a
batch takes. Then the table may be half merged, so the pool goes back to the last state
known to be whole, starts new workers and does the iterations again: training is
deterministic, so the result is as if nothing had happened.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess

import numpy as np
import numpy.typing as npt

from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import ConfigError, HoldemError, ResourceError
from holdem.game.tree import BettingTree
from holdem.mccfr import pool_worker
from holdem.mccfr.engine import last_iteration
from holdem.mccfr.metrics import StreetMetrics, street_figures
from holdem.mccfr.pool_memory import COPY, MEASURE, QUIT, RUN, PoolControl, PoolPaths
from holdem.mccfr.pool_worker import BYSTANDER, WorkerSpec
from holdem.mccfr.processes import start_process
from holdem.mccfr.segments import Segment
from holdem.mccfr.table import RegretTable
from holdem.mccfr.worker import log_bytes
from holdem.types import MCCFRConfig

MOST_FAILURES = 3
"""In a row; then the pool gives up."""

_LOOK_SECONDS = 0.5
"""Between two looks at the workers while waiting for them."""
_START_SECONDS = 60.0
_QUIT_SECONDS = 2.0
_HANG_BATCHES = 100.0
_HANG_SECONDS = 10.0
_FIRST_SECONDS = 60.0
"""No batch for so long, and for so many times the slowest batch so far: a worker hangs.
Nobody knows how long the first one takes; after each failure twice the time is given."""


class PoolError(HoldemError):
    """The workers failed again and again."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """A state of the run that is known to be whole.

    Attributes:
        words: the table's words then; None for a fresh, zeroed table.
    """

    words: npt.NDArray[np.float32] | None
    iteration: int
    utility_sum: float
    visits: int
    table_state: dict[str, float]


class WorkerPool:
    """Does the iterations with N processes over one table in shared memory. See `Engine`.

    Args:
        config: how to train; ``num_workers`` is the number of processes.
        tree: what to train on.
        bucketing: the hand buckets, which workers map from their folder.
        warn: told what went wrong and was mended.
        stream_start: see `holdem.mccfr.engine`.

    Raises:
        ConfigError: the buckets are not on disk.
        ResourceError: too little shared memory, or processes cannot be started.
    """

    def __init__(
        self,
        config: MCCFRConfig,
        tree: BettingTree,
        bucketing: HandBucketing | None,
        *,
        num_workers: int,
        warn: Callable[[str], None],
        stream_start: int = 0,
    ) -> None:
        if bucketing is not None and bucketing.path is None:
            raise ConfigError(
                "the bucket set is only in this process's memory, where workers cannot see it",
                "save it with HandBucketing.save and load it from there",
            )
        self._config = config
        self._tree = tree
        self._num_workers = num_workers
        self._stream_start = stream_start
        self._buckets_path = bucketing.path if bucketing is not None else None
        self._warn = warn
        self._processes: list[SpawnProcess] = []
        self._segments: list[Segment] = []
        self._copy: Segment | None = None
        self._commands = 0
        self._answers = 0
        self._visits_before = 0
        self._slowest_batch = 0.0
        self._failures = 0
        self._furthest = 0
        self.iteration = 0
        self.utility_sum = 0.0
        try:
            self._allocate()
            self._whole = self._current(None)
            self._start()
        except BaseException:
            self.close()
            raise

    def _allocate(self) -> None:
        config, tree, n = self._config, self._tree, self._num_workers
        num_players = tree.game.num_players
        table = self._segment("table", 8 * tree.num_slots, reserve=True)
        words = table.array(np.float32, 2 * tree.num_slots)
        self.table = RegretTable.for_config(tree, config, words)
        log = self._segment("log", log_bytes(tree, config.batch_size, n), reserve=False)
        self._sizes = (n, config.batch_size, num_players)
        control = self._segment("control", PoolControl.size(*self._sizes), reserve=True)
        self._control = PoolControl(control, *self._sizes)
        self._control_segment = control
        self._paths = PoolPaths(control=control.path, table=table.path, log=log.path)

    def _start(self) -> None:
        """Have the workers ready before the clock of the run begins."""
        while not self._processes:
            try:
                self._ensure_workers()
            except _WorkersFailed as failure:
                self._note(failure)

    def _segment(self, purpose: str, num_bytes: int, *, reserve: bool) -> Segment:
        segment = Segment.create(purpose, num_bytes, reserve=reserve)
        self._segments.append(segment)
        return segment

    # -- as an engine -------------------------------------------------------------------------

    @property
    def visits(self) -> int:
        """Decision nodes visited by this pool, those of abandoned attempts left out."""
        return self._visits_before + int(self._control.visits.snapshot().sum())

    @property
    def worker_batches(self) -> list[int]:
        """Batches that each worker has merged since it started."""
        return [self._control.batches.load(2 * i + 1) for i in range(self._num_workers)]

    @property
    def worker_visits(self) -> dict[int, int]:
        """Decision nodes by each worker since it started, by process number."""
        visits = self._control.visits
        return {
            process.pid or 0: visits.load(worker) for worker, process in enumerate(self._processes)
        }

    def run(self, target: int) -> None:
        """See `Engine.run`."""
        try:
            self._ensure_workers()
            if self.iteration < last_iteration(target, self._config):
                self._run(target)
        except _WorkersFailed as failure:
            self._start_over(failure)
        if self.iteration > self._furthest:
            self._furthest, self._failures = self.iteration, 0

    def restore(
        self,
        words: npt.NDArray[np.float32],
        table_state: Mapping[str, float],
        iteration: int,
        utility_sum: float,
        others: Mapping[str, npt.NDArray[np.float32]],
    ) -> None:
        """Go on from a checkpoint."""
        self.table.restore(words, table_state)
        self.iteration, self.utility_sum = iteration, utility_sum
        self._whole = self._current(words)

    def others(self) -> dict[str, npt.NDArray[np.float32]]:
        """Nothing: the table is all there is."""
        return {}

    def words(self) -> npt.NDArray[np.float32]:
        """See `Engine.words`."""
        return self.table.words

    def snapshot(self) -> npt.NDArray[np.float32] | None:
        """Return a copy of the table's words that stays as it is until the next call.

        None if there is no memory for one; then the caller must use the table itself
        before it goes on.
        """
        if self._copy is None:
            try:
                self._copy = self._segment("copy", 8 * self._tree.num_slots, reserve=True)
            except ResourceError:
                return None
        words = self._copy.array(np.float32, 2 * self._tree.num_slots)
        self._read_table(COPY)
        self.saved(words)
        return words

    def saved(self, words: npt.NDArray[np.float32]) -> None:
        """After a failure, go back to *words*, those of the table as it is now."""
        self._whole = self._current(words)

    def measure(self) -> dict[str, StreetMetrics]:
        """See `Engine.measure`; the workers share it out."""
        self._read_table(MEASURE)
        return street_figures(self._tree, self._control.sums, self.table.total_weight)

    def _read_table(self, command: int) -> None:
        """Let the workers do what leaves the table as whole as it was, until they have."""
        while True:
            try:
                self._ensure_workers()
                if self._copy is not None:
                    self._control.state[0]["copy"] = os.fsencode(self._copy.path)
                self._command(command)
                return
            except _WorkersFailed as failure:
                self._note(failure)

    def close(self) -> None:
        """End the workers and remove the shared memory."""
        self._stop_workers()
        for segment in self._segments:
            segment.remove()
        self._segments.clear()

    # -- workers ------------------------------------------------------------------------------

    def _ensure_workers(self) -> None:
        if self._processes:
            return
        try:
            for worker in range(self._num_workers):
                spec = WorkerSpec(
                    worker=worker,
                    num_workers=self._num_workers,
                    stream_start=self._stream_start,
                    paths=self._paths,
                    config=self._config,
                    game=self._tree.game,
                    bucket_counts=tuple(self._tree.bucket_counts),
                    buckets_path=self._buckets_path,
                )
                name = f"holdem worker {worker}"
                self._processes.append(start_process(pool_worker.main, (spec,), name))
        except OSError as error:
            self._kill_workers()
            raise ResourceError(
                f"only {worker} of {self._num_workers} workers could be started: {error}",
                "use fewer workers; `holdem doctor` says what this machine allows",
            ) from error
        self._answers += self._num_workers
        self._wait(_START_SECONDS * 2.0**self._failures)

    def _stop_workers(self) -> None:
        """Ask the workers to end; kill those that do not."""
        if self._processes:
            self._control.state[0]["command"] = QUIT
            self._commands += 1
            self._control.command.signal(self._commands)
            deadline = time.monotonic() + _QUIT_SECONDS
            for process in self._processes:
                process.join(max(0.0, deadline - time.monotonic()))
        self._kill_workers()

    def _kill_workers(self) -> None:
        if not self._processes:
            return
        # All of them at once: SIGKILL ends a stopped process too.
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()
            process.close()
        self._processes.clear()
        # Nobody is attached to the page now: clear it, a broken barrier with it.
        self._visits_before = self.visits
        self._control_segment.array(np.uint8, self._control_segment.num_bytes)[:] = 0
        self._control = PoolControl(self._control_segment, *self._sizes)
        self._commands = self._answers = 0

    # -- commands -----------------------------------------------------------------------------

    def _run(self, target: int) -> None:
        state = self._control.state[0]
        for name, value in self.table.state().items():
            state[name] = value
        state["target"] = target
        state["iteration"], state["utility_sum"] = self.iteration, self.utility_sum
        before, batches = time.monotonic(), self.worker_batches[0]
        self._command(RUN)
        batches = self.worker_batches[0] - batches
        if batches:
            mean = (time.monotonic() - before) / batches
            self._slowest_batch = max(self._slowest_batch, mean)
        self.table.restore_state({name: state[name].item() for name in self.table.state()})
        self.iteration = int(state["iteration"])
        self.utility_sum = float(state["utility_sum"])

    def _command(self, command: int) -> None:
        """Let all workers do *command*, and wait until all have."""
        self._control.state[0]["command"] = command
        self._commands += 1
        self._answers += self._num_workers
        self._control.command.signal(self._commands)
        self._wait(self._patience())

    def _patience(self) -> float:
        """Seconds without any batch after which a worker hangs."""
        if not self._slowest_batch:
            return _FIRST_SECONDS * 2.0**self._failures
        return max(_HANG_SECONDS, _HANG_BATCHES * self._slowest_batch) * 2.0**self._failures

    def _wait(self, patience: float) -> None:
        """Block until all workers have answered.

        Raises:
            _WorkersFailed: one has died, or none has moved for *patience* seconds.
        """
        control = self._control
        looked, still, seen = time.monotonic(), 0.0, control.heartbeat()
        while not control.done.wait_for(self._answers, _LOOK_SECONDS):
            if any(process.exitcode is not None for process in self._processes):
                raise _WorkersFailed(self._what_is_wrong())
            now, beat = time.monotonic(), control.heartbeat()
            # A look that took long was this process's own stop (Ctrl-Z), the workers' too.
            still = still + min(now - looked, 2 * _LOOK_SECONDS)
            looked = now
            if (beat != seen).any():
                still, seen = 0.0, beat
            elif still > patience:
                raise _WorkersFailed(self._what_is_wrong(patience))

    # -- failures -----------------------------------------------------------------------------

    def _what_is_wrong(self, patience: float | None = None) -> str:
        """Name the workers that failed, how far they were, and why."""
        control, n = self._control, self._num_workers
        missing = self._answers - control.done.value
        lines = [f"{n - missing} of {n} workers answered"]
        walked = [control.batches.load(2 * worker) for worker in range(n)]
        # All others wait for the one that hangs, a step ahead of it at most.
        moves = [
            walked[worker] + control.batches.load(2 * worker + 1) + control.moves.load(worker)
            for worker in range(n)
        ]
        for worker, process in enumerate(self._processes):
            fault, code = control.fault_of(worker), process.exitcode
            where = f"worker {worker} (PID {process.pid}) after {walked[worker]:,} batches"
            if fault:
                lines.append(f"{where} raised: {fault}")
            elif code is not None and code < 0:
                lines.append(f"{where} was killed by signal {-code}")
            elif code not in (None, BYSTANDER):
                lines.append(f"{where} ended with status {code}; what it wrote to stderr says why")
            elif patience is not None and moves[worker] == min(moves):
                lines.append(f"{where} has not moved for {patience:.0f} s")
        return "; ".join(lines)

    def _note(self, failure: _WorkersFailed) -> None:
        """Count a failure; give up after too many in a row."""
        self._kill_workers()
        self._failures += 1
        if self._failures > MOST_FAILURES:
            raise PoolError(
                f"the workers failed {self._failures} times in a row: {failure}",
                "use fewer workers or a smaller table; `holdem doctor` looks for the cause",
            )
        self._warn(f"{failure}; starting new workers ({self._failures} of {MOST_FAILURES})")

    def _start_over(self, failure: _WorkersFailed) -> None:
        """Go back to the last whole state, for new workers to begin from."""
        self._furthest = max(self._furthest, self.iteration)
        self._note(failure)
        whole = self._whole
        if whole.words is None:
            self.table.words[:] = 0
        else:
            np.copyto(self.table.words, whole.words)
        self.table.restore_state(whole.table_state)
        self.iteration, self.utility_sum = whole.iteration, whole.utility_sum
        self._visits_before = whole.visits

    def _current(self, words: npt.NDArray[np.float32] | None) -> _Whole:
        return _Whole(words, self.iteration, self.utility_sum, self.visits, self.table.state())


class _WorkersFailed(Exception):
    """Workers died or hang; the table may be half merged."""
