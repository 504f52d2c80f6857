"""One training run from its first line to its last file.

The order: refuse what cannot work, resume, allocate; then stretch after stretch of
batches, and between them checkpoints and figures; at the end the final checkpoint and
the policy. What is written depends on the clock only in which batches are followed by
a checkpoint.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import psutil

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.config import dump_config
from holdem.errors import ConfigError, MismatchError, ResourceError, StorageError
from holdem.game.tree import BettingTree
from holdem.machine import available_memory
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.mccfr.cells import Cells
from holdem.mccfr.checkpoint import Checkpoint
from holdem.mccfr.engine import Engine, epsilon_at
from holdem.mccfr.progress import Observer, Progress, RunInfo, RunResult
from holdem.mccfr.run_log import RunLog
from holdem.mccfr.table import BYTES_PER_SLOT
from holdem.types import MCCFRConfig

_PROGRESS_SECONDS = 0.25
_RATE_SECONDS = 30.0
_STRETCH_SECONDS = 0.1
"""Between two looks at the clock and at requests to stop."""
_ROOM_SECONDS = 3600.0
_ROOM_POLL_SECONDS = 2.0
"""How long a run waits at its end for room on the disk, and between two trials."""

LOSSLESS = "lossless"
"""Stands for a bucket fingerprint in one-card games, whose buckets follow from the rules."""


Evaluate = Callable[[Blueprint], Mapping[str, float]]
"""Judges a strategy: figures by their names in TensorBoard."""


class Run:
    """The state that lasts as long as one call of `MCCFRSolver.train`.

    Args:
        config: how to train.
        tree: what to train on.
        bucketing: the hand buckets; None for one-card games.
        make_engine: allocates the table and whoever works on it, given what to tell
            warnings to and where in the seed's stream its iterations begin; called once
            nothing speaks against the run any more.
        cells: what a responder tells apart, if it is not what the table does.
        stop_signal: the signal that asks the run to end early, or None.
        logdir, use_tensorboard, resume_from, observer, every_batch, stream_start, log_name,
            evaluate: see `MCCFRSolver.train`.
    """

    def __init__(
        self,
        config: MCCFRConfig,
        tree: BettingTree,
        bucketing: HandBucketing | None,
        *,
        make_engine: Callable[[Callable[[str], None], int], Engine],
        cells: Cells | None,
        stop_signal: Callable[[], int | None],
        logdir: Path,
        use_tensorboard: bool,
        resume_from: Path | None,
        observer: Observer,
        every_batch: bool,
        stream_start: int | None,
        log_name: str,
        evaluate: Evaluate | None = None,
    ) -> None:
        self._config = config
        self._tree = tree
        self._bucketing = bucketing
        self._fingerprint = bucketing.fingerprint if bucketing is not None else LOSSLESS
        self._cells_fingerprint = cells.fingerprint if cells is not None else None
        self._stop_signal = stop_signal
        self._observer = observer
        self._every_batch = every_batch
        if config.eval_interval and evaluate is None:
            raise ConfigError(
                f"eval_interval is {config.eval_interval:,}, and nothing is given that evaluates",
                "pass evaluate=, or leave eval_interval out",
            )
        self._evaluate = evaluate
        self._writer = _Writer()
        self._process = psutil.Process()
        # Before anything is allocated or written: a wrong checkpoint costs nothing.
        resumed = None
        if resume_from is not None:
            resumed = checkpoint.load(checkpoint.find(resume_from)[0], tree, self._fingerprint)
            _require_start(resumed, stream_start)
            resumed.require_opponent(config, self._cells_fingerprint)
        if checkpoint.holds_another_run(logdir, resumed.path if resumed is not None else None):
            raise StorageError(
                f"{logdir} holds a run already",
                f"resume_from={str(logdir)!r} goes on with it; else choose another logdir",
            )
        # A run goes on where the last range of the checkpoint ends.
        self._ranges = resumed.ranges if resumed is not None else ((stream_start or 0,) * 2,)
        self._stream_start = self._ranges[-1][1] - (resumed.iteration if resumed else 0)
        # What was trained by other laws is no state of a plain run: `holdem merge` must know.
        self._earlier_laws = resumed.earlier_laws if resumed is not None else ()
        if resumed is not None and resumed.iteration and resumed.changes(config):
            self._earlier_laws += ((resumed.iteration, resumed.laws),)
        require_memory(tree)
        self._logdir = storage.make_folder(logdir)
        self._checkpoints = storage.make_folder(logdir / "checkpoints")
        path = bucketing.path if bucketing is not None else None
        with contextlib.ExitStack() as opened:
            opened.enter_context(storage.hold(self._checkpoints, "the run"))
            self._log = RunLog(logdir / log_name, use_tensorboard=use_tensorboard)
            opened.push(self._log)
            self._available_before = available_memory()
            self._engine = make_engine(self._warn, self._stream_start)
            opened.callback(self._engine.close)
            if resumed is not None:
                self._take_over(resumed)
            # Of a run that cannot begin, that of the run it resumes stays.
            storage.write_text(
                logdir / "config.yaml",
                dump_config(config, tree.game, path, responder_path=cells.path if cells else None),
            )
            self._opened = opened.pop_all()  # `complete` closes it
        self._first_iteration = self._engine.iteration
        self._visits_before = resumed.visits if resumed is not None else 0
        self._last_saved = self._first_iteration
        self._started_at = self._last_saved_at = time.monotonic()
        self._rates = _Rates(self._started_at, self._engine)
        self._resumed_from = resumed.path if resumed is not None else None

    def _take_over(self, resumed: Checkpoint) -> None:
        self._engine.restore(
            resumed.words,
            resumed.table_state,
            resumed.iteration,
            resumed.utility_sum,
            resumed.others,
        )
        self._log.info(f"resumed from {resumed.path} at iteration {resumed.iteration:,}")
        for change in resumed.changes(self._config):
            self._warn(f"the resumed run was trained otherwise: {change}")
        self._warn_of_end(resumed.iteration)
        for aside in checkpoint.set_later_aside(self._checkpoints, resumed.iteration):
            self._warn(f"a later checkpoint, which this run goes on without, is now {aside}")

    def _warn_of_end(self, iteration: int) -> None:
        """Warn where the resumed run ended at an iteration at which this one would not go on."""
        config, over = self._config, self._config.num_iterations
        if over is not None and over <= iteration:
            self._warn(
                f"nothing is left to do: {over:,} iterations are asked for, {iteration:,} are done"
            )
        elif iteration % config.batch_size and config.opponent == "itself":
            self._warn(
                f"the resumed run ended within a batch of {config.batch_size:,}, at iteration "
                f"{iteration:,}: this run goes on from there, but not to the bytes of one that "
                "never ended"
            )

    def complete(self) -> RunResult:
        """Train to the end of the budget and write what a run leaves."""
        try:
            with self._opened:
                try:
                    self._announce()
                    self._train()
                    return self._finish()
                finally:
                    self._writer.wait()
        finally:
            # Which knows this run: without it, its memory goes now, and not at a collection.
            del self._engine

    def _announce(self) -> None:
        game, num_slots = self._tree.game, self._tree.num_slots
        before, after = self._available_before, available_memory()
        self._log.info(
            f"training {game.name}: {num_slots:,} slots, "
            f"from iteration {self._first_iteration:,}, seed {self._config.seed}"
            + (f" from its iteration {self._stream_start:,} on" if self._stream_start else "")
        )
        self._log.info(
            f"{storage.format_bytes(before)} of memory available before the start, "
            f"{storage.format_bytes(after)} after it"
        )
        self._observer.started(
            RunInfo(
                logdir=self._logdir,
                config=self._config,
                game=game,
                num_slots=num_slots,
                table_bytes=BYTES_PER_SLOT * num_slots,
                bucket_counts=tuple(self._tree.bucket_counts),
                first_iteration=self._first_iteration,
                resumed_from=self._resumed_from,
                available_before=before,
                available_after=after,
            )
        )

    # -- the work -----------------------------------------------------------------------------

    def _train(self) -> None:
        """Stretch after stretch until the budget is spent or somebody asks to stop."""
        config, engine = self._config, self._engine
        next_figures = self._after(config.tensorboard_log_interval)
        next_checkpoint = self._after(config.checkpoint_interval)
        next_evaluation = self._after(config.eval_interval) if config.eval_interval else math.inf
        stretch, last_figures = 1, self._started_at
        while not self._is_over():
            began, first = time.monotonic(), engine.iteration
            engine.run(int(min(first + stretch, next_checkpoint, next_evaluation)))
            now = time.monotonic()
            rate = (engine.iteration - first) / max(now - began, 1e-9)
            stretch = 1 if self._every_batch else max(1, int(rate * _STRETCH_SECONDS))
            if self._every_batch or now - self._rates.at >= _PROGRESS_SECONDS:
                self._report(now)
            if engine.iteration >= next_figures and now - last_figures >= _PROGRESS_SECONDS:
                next_figures, last_figures = self._after(config.tensorboard_log_interval), now
                self._log_figures()
            if config.eval_interval and engine.iteration >= next_evaluation:
                next_evaluation = self._after(config.eval_interval)
                self._log_evaluation()
            if engine.iteration >= next_checkpoint or (
                now - self._last_saved_at >= config.snapshot_interval_seconds
            ):
                next_checkpoint = self._after(config.checkpoint_interval)
                if not self._is_over():
                    self._save_on_the_way()

    def _after(self, interval: int) -> int:
        return (self._engine.iteration // interval + 1) * interval

    def _is_over(self) -> bool:
        if self._stop_signal() is not None:
            return True
        iterations, seconds = self._config.num_iterations, self._config.time_budget_seconds
        if iterations is not None and self._engine.iteration >= iterations:
            return True
        return seconds is not None and time.monotonic() - self._started_at >= seconds

    # -- figures ------------------------------------------------------------------------------

    def _report(self, now: float) -> None:
        """Tell the observer and the log how far the run is."""
        self._rates.move(now, self._engine)
        worker_visits = self._engine.worker_visits
        progress = Progress(
            iteration=self._engine.iteration,
            num_iterations=self._config.num_iterations,
            elapsed_seconds=now - self._started_at,
            time_budget_seconds=self._config.time_budget_seconds,
            iterations_per_second=self._rates.iterations_per_second,
            nodes_per_second=self._rates.nodes_per_second,
            utility_bb=self._rates.utility / self._tree.game.big_blind,
            memory_bytes=self._memory(),
            worker_shares=tuple(
                visits / max(sum(worker_visits.values()), 1) for visits in worker_visits.values()
            ),
        )
        self._log.progress(progress)
        self._observer.progressed(progress)

    def _log_figures(self, *, last: bool = False) -> None:
        """Write a row of TensorBoard figures."""
        engine, big_blind = self._engine, self._tree.game.big_blind
        regret_discount, _ = engine.table.discounts()
        figures = {
            "Performance/IterationsPerSecond": self._rates.iterations_per_second,
            "Performance/NodesPerSecond": self._rates.nodes_per_second,
            "Training/Utility": self._rates.utility / big_blind,
            "Training/UtilityMovingAvg": self._mean_utility(),
            "Training/Epsilon": epsilon_at(self._config, engine.iteration),
            "Training/Discount": regret_discount,
            "Memory/RSS": self._memory(),
        }
        with self._figures_wanted():
            self._log.figures(engine.iteration, figures)
            self._log.convergence(engine, now=last)

    @contextlib.contextmanager
    def _figures_wanted(self) -> Iterator[None]:
        """Warn of figures that cannot be written; a full disk must not end a long run."""
        try:
            yield
        except StorageError as error:
            self._warn(f"no figures at iteration {self._engine.iteration:,}: {error}")

    def _log_evaluation(self) -> None:
        """Have the strategy so far judged, and write what came out and what it cost."""
        assert self._evaluate is not None
        started, iteration = time.monotonic(), self._engine.iteration
        figures = self._evaluate(self._blueprint())
        with self._figures_wanted():
            self._log.figures(iteration, figures)
        self._log.info(
            f"evaluation at iteration {iteration:,} in {time.monotonic() - started:.1f} s: "
            + ", ".join(f"{name} {value:.1f}" for name, value in figures.items())
        )

    def _memory(self) -> int:
        """Resident bytes of this process, and of its workers what they do not share."""
        total: int = self._process.memory_info().rss
        for pid in self._engine.worker_visits:
            with contextlib.suppress(psutil.Error):  # it may just have died
                memory = psutil.Process(pid).memory_info()
                total += memory.rss - memory.shared
        return total

    def _mean_utility(self) -> float:
        """Seat 0's big blinds per hand over the whole run."""
        iterations = max(self._engine.iteration, 1)
        return self._engine.utility_sum / iterations / self._tree.game.big_blind

    # -- checkpoints --------------------------------------------------------------------------

    def _writing(self, name: str, words: npt.NDArray[np.float32]) -> Callable[[], Path]:
        """Return what writes the state of now, with *words*, whatever the engine does next."""
        engine, path = self._engine, self._checkpoints / name
        return partial(
            self._save,
            path,
            words=words,
            iteration=engine.iteration,
            ranges=self._ranges_now(),
            table_state=engine.table.state(),
            visits=self._visits_before + engine.visits,
            utility_sum=engine.utility_sum,
            others=engine.others(),
        )

    def _ranges_now(self) -> tuple[tuple[int, int], ...]:
        """Return which iterations of the seed's stream the table holds."""
        (*earlier, (first, _)), end = self._ranges, self._stream_start + self._engine.iteration
        return (*earlier, (first, end))

    def _save(self, path: Path, *, iteration: int, **state: Any) -> Path:
        started = time.monotonic()
        checkpoint.save(
            path,
            iteration=iteration,
            config=self._config,
            tree=self._tree,
            buckets_fingerprint=self._fingerprint,
            cells_fingerprint=self._cells_fingerprint,
            earlier_laws=self._earlier_laws,
            **state,
        )
        seconds = time.monotonic() - started
        self._log.info(f"checkpoint {path} at iteration {iteration:,} in {seconds:.2f} s")
        self._observer.checkpointed(path, iteration, seconds)
        return path

    def _save_on_the_way(self) -> None:
        """Save; from a copy, training goes on meanwhile."""
        iteration = self._engine.iteration
        if iteration != self._last_saved:
            self._writer.wait()  # the copy is still being read
            self._last_saved = iteration
            words = self._engine.snapshot()
            write = partial(self._write_on_the_way, iteration)
            if words is None:
                words = self._engine.words()
                path = write(self._writing(checkpoint.numbered(iteration), words))
                if path is not None:
                    with contextlib.suppress(StorageError):
                        self._engine.saved(checkpoint.words_of(path))
            else:
                self._writer.start(write, self._writing(checkpoint.numbered(iteration), words))
        self._last_saved_at = time.monotonic()

    def _write_on_the_way(self, iteration: int, write: Callable[[], Path]) -> Path | None:
        """Write, and drop what is older than wanted; a full disk must not end a long run."""
        try:
            path = write()
        except StorageError as error:
            self._warn(f"no checkpoint at iteration {iteration:,}: {error}; training goes on")
            return None
        try:
            checkpoint.prune_old(self._checkpoints, self._config.keep_checkpoints)
        except StorageError as error:
            self._warn(f"an old checkpoint stays: {error}; training goes on")
        return path

    def _warn(self, message: str) -> None:
        self._log.warn(message)
        self._observer.warned(message)

    # -- the end ------------------------------------------------------------------------------

    def _finish(self) -> RunResult:
        """Write the final checkpoint and the policy."""
        now, engine, stopped_by = time.monotonic(), self._engine, self._stop_signal()
        self._report(now)
        self._log_figures(last=True)
        # A run that was stopped is not at its end: its last checkpoint has a number.
        self._writer.wait()
        numbered = checkpoint.numbered(engine.iteration)
        name = checkpoint.FINAL_NAME if stopped_by is None else numbered
        path = self._keep(self._writing(name, engine.words()))
        blueprint = self._blueprint()
        policy = self._keep(partial(blueprint.save, self._logdir))
        result = RunResult(
            logdir=self._logdir,
            iteration=engine.iteration,
            iterations_done=engine.iteration - self._first_iteration,
            nodes_visited=engine.visits,
            elapsed_seconds=now - self._started_at,
            utility_bb=self._mean_utility(),
            checkpoint=path,
            policy=policy,
            stopped_by=stopped_by,
        )
        self._log.info(
            f"done: {result.iterations_done:,} iterations in {result.elapsed_seconds:.1f} s, "
            f"{result.iterations_per_second:,.0f} a second, "
            f"{result.nodes_per_second:,.0f} decision nodes a second"
        )
        self._observer.finished(result)
        return result

    def _keep(self, write: Callable[[], Path]) -> Path:
        """Write what the run has come to, if there is no room for it as soon as there is some.

        Older checkpoints make room, but the newest stays, and all of a run that keeps all.

        Raises:
            StorageError: it cannot be written, or whoever runs this does not want to wait.
        """
        asked, began, warned_at = self._stop_signal(), time.monotonic(), -math.inf
        while True:
            try:
                return write()
            except StorageError as error:
                if not storage.lacks_room(error):
                    raise
                now = time.monotonic()
                older = checkpoint.list_checkpoints(self._checkpoints)[:-1]
                if older and self._config.keep_checkpoints:
                    self._warn(f"{error}; older checkpoints make room for it")
                    checkpoint.prune_old(self._checkpoints, 1)
                    continue
                if self._stop_signal() != asked or now - began >= _ROOM_SECONDS:
                    raise self._lost(error) from error
                if now - warned_at >= 60:
                    self._warn(f"{error}; the run waits for room, for an hour or until a signal")
                    warned_at = now
                self._report(now)  # whoever is told may ask for the end
                time.sleep(_ROOM_POLL_SECONDS)

    def _lost(self, error: StorageError) -> StorageError:
        """Return *error* with what has come of the run."""
        found = {
            int(done): path
            for done, path in checkpoint.newest_first(self._checkpoints)
            if math.isfinite(done)
        }
        done = max(found, default=0)
        if done == self._engine.iteration:
            return StorageError(
                f"{error}; {found[done]} has all that was trained",
                f"free some space, then: holdem export {self._logdir} --out PATH",
            )
        remedy = error.remedy
        if found:
            remedy = f"free some space, then go on: holdem train --resume-from {self._logdir}"
        return StorageError(f"{error}; what was trained after iteration {done:,} is lost", remedy)

    def _blueprint(self) -> Blueprint:
        buckets = self._bucketing
        return Blueprint.from_table(
            self._tree,
            self._engine.words(),
            Provenance(
                iterations=self._engine.iteration,
                seed=self._config.seed,
                bucket_path=str(buckets.path) if buckets is not None else None,
                bucket_fingerprint=buckets.fingerprint if buckets is not None else None,
            ),
            preflop_buckets=buckets.tables[0] if buckets is not None else None,
        )


class _Writer:
    """A thread that writes one checkpoint at a time while training goes on."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(
        self, write: Callable[[Callable[[], Path]], object], what: Callable[[], Path]
    ) -> None:
        """Begin to write; `wait` must have been called since the last time."""
        self._thread = threading.Thread(target=self._run, args=(write, what), daemon=False)
        self._thread.start()

    def wait(self) -> None:
        """Wait until nothing is being written; raise what went wrong."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _run(self, write: Callable[[Callable[[], Path]], object], what: Callable[[], Path]) -> None:
        try:
            write(what)
        except BaseException as error:
            self._error = error


class _Point(NamedTuple):
    """An engine as it was."""

    at: float
    iteration: int
    visits: int
    utility_sum: float

    @classmethod
    def of(cls, engine: Engine, now: float) -> _Point:
        return cls(now, engine.iteration, engine.visits, engine.utility_sum)


class _Rates:
    """Rates over the last half minute, or since the start.

    So they are those of the time since the last line of the log, and pauses count: reading
    a large table takes seconds.
    """

    def __init__(self, now: float, engine: Engine) -> None:
        self.at = now
        self.iterations_per_second = self.nodes_per_second = self.utility = 0.0
        self._points = deque([_Point.of(engine, now)])

    def move(self, now: float, engine: Engine) -> None:
        """Let the half minute end now."""
        self.at, point = now, _Point.of(engine, now)
        if point.iteration < self._points[-1].iteration:  # workers failed, and it is done again
            self._points = deque([point])
        while len(self._points) > 1 and self._points[1].at <= now - _RATE_SECONDS:
            self._points.popleft()
        first = self._points[0]
        seconds, done = max(now - first.at, 1e-9), point.iteration - first.iteration
        if done:
            self.iterations_per_second = done / seconds
            self.nodes_per_second = (point.visits - first.visits) / seconds
            self.utility = (point.utility_sum - first.utility_sum) / done
        if now - self._points[-1].at >= _PROGRESS_SECONDS:  # some report after every batch
            self._points.append(point)


def _require_start(resumed: Checkpoint, stream_start: int | None) -> None:
    """Refuse a checkpoint that holds other iterations than those from *stream_start* on."""
    if stream_start is not None and resumed.ranges != (
        (stream_start, stream_start + resumed.iteration),
    ):
        raise MismatchError(
            f"{resumed.path} holds {' and '.join(map(checkpoint.range_text, resumed.ranges))}, and "
            f"this run's first is {stream_start + 1:,}",
            "resume each instance from its own checkpoints, or start fresh",
        )


def require_memory(tree: BettingTree) -> None:
    """Refuse a table that cannot fit, before it is allocated.

    Raises:
        ResourceError: more memory wanted than is available.
    """
    wanted, available = BYTES_PER_SLOT * tree.num_slots, available_memory()
    if wanted > available:
        raise ResourceError(
            f"the regret table needs {storage.format_bytes(wanted)} for {tree.num_slots:,} slots, "
            f"{storage.format_bytes(available)} of memory is available",
            "use fewer buckets or a smaller bet menu",
        )
