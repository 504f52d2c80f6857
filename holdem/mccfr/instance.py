"""One instance of a run of many: a run of its own, in a folder of its own, on one worker.

`run_instance` is all that a launcher calls, in a process of its own or in a task of a
cluster. It shares nothing with other instances but the buckets' mapped files, tells how it
stands by its progress file, and never raises: what goes wrong is in the file and in the log.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import HoldemError
from holdem.mccfr import instance_plan
from holdem.mccfr.instance_progress import (
    COMPLETED,
    FAILED,
    INTERRUPTED,
    STARTING,
    InstanceProgress,
    ProgressFile,
)
from holdem.mccfr.progress import Progress, RunInfo
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import GameConfig, MCCFRConfig

EXIT_STATUS = {COMPLETED: 0, FAILED: 1, INTERRUPTED: 4}
"""What `run_instance` returns, by how the instance ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceSpec:
    """What an instance must know to begin: small, because starting a process pickles it.

    Attributes:
        instance: its number.
        run: the folder of the whole run.
        start, end: its range, as in `RunPlan.ranges`.
        config: how to train; its budget is the instance's own.
        buckets_path: where the buckets are; None for games of one card.
        resume_from: one checkpoint of the instance; None to start afresh.
        iterations_before: done by then, of its own range.
        least_pct: the percentage that its progress file begins with.
        elapsed_before: seconds of a time budget that were spent before that.
    """

    instance: int
    run: Path
    start: int
    end: int | None
    config: MCCFRConfig
    game: GameConfig
    buckets_path: Path | None
    use_tensorboard: bool
    resume_from: Path | None = None
    iterations_before: int = 0
    least_pct: float = 0.0
    elapsed_before: float = 0.0

    @property
    def folder(self) -> Path:
        """The instance's own folder."""
        return instance_plan.folder_of(self.run, self.instance)

    @property
    def log_path(self) -> Path:
        """The instance's log."""
        return self.folder / f"instance_{self.instance}.log"

    def first_record(self) -> InstanceProgress:
        """Return the instance's progress before it begins."""
        budget = self.config.time_budget_seconds
        return InstanceProgress(
            instance_id=self.instance,
            start_iter=self.start,
            end_iter=self.end,
            current_iter=self.start + self.iterations_before,
            status=STARTING,
            progress_pct=self.least_pct,
            last_update=0.0,
            resumed_from=None if self.resume_from is None else str(self.resume_from),
            elapsed_seconds=None if budget is None else self.elapsed_before,
            time_budget_seconds=budget,
        )


def never() -> None:
    """Ask for no stop."""


def run_instance(spec: InstanceSpec, stop_signal: Callable[[], int | None] = never) -> int:
    """Train one instance to its end and return how it ended, as in EXIT_STATUS.

    Args:
        spec: what it is.
        stop_signal: looked at a few times a second; a number asks the instance to save a
            checkpoint and end.
    """
    try:
        progress = _Progress(spec, stop_signal)
        storage.make_folder(spec.folder)
        with storage.hold(spec.folder, f"instance {spec.instance}"), progress:
            try:
                progress.solver = solver = _solver(spec)
                result = solver.train(
                    spec.folder,
                    spec.use_tensorboard,
                    resume_from=spec.resume_from,
                    observer=progress,
                    stream_start=spec.start,
                    log_name=spec.log_path.name,
                )
            except Exception as error:
                if not progress.has_started:  # else the run has written it
                    log_error(spec.log_path, traceback.format_exc())
                progress.end(FAILED, error_msg=message_of(error))
                return EXIT_STATUS[FAILED]
        return EXIT_STATUS[COMPLETED if result.stopped_by is None else INTERRUPTED]
    except HoldemError as error:  # not even the progress file can be written
        log_error(spec.log_path, str(error))
        return EXIT_STATUS[FAILED]


class _Progress(ProgressFile):
    """The progress file, and an ear for who asks for a stop."""

    def __init__(self, spec: InstanceSpec, stop_signal: Callable[[], int | None]) -> None:
        super().__init__(spec.run, spec.first_record())
        self._stop_signal = stop_signal
        self.solver: MCCFRSolver | None = None

    def started(self, run: RunInfo) -> None:
        self._listen()
        super().started(run)

    def progressed(self, progress: Progress) -> None:
        self._listen()
        super().progressed(progress)

    def _listen(self) -> None:
        number = self._stop_signal()
        if number is not None and self.solver is not None:
            self.solver.request_stop(number)


def _solver(spec: InstanceSpec) -> MCCFRSolver:
    bucketing = None
    if spec.buckets_path is not None:
        # Whoever planned the run has verified them.
        bucketing = HandBucketing.load(spec.buckets_path, verify=False)
    budget = spec.config.time_budget_seconds
    config = spec.config
    if budget is not None:
        config = replace(config, time_budget_seconds=max(budget - spec.elapsed_before, 0.001))
    return MCCFRSolver(config, bucketing, game=spec.game)


def message_of(error: BaseException) -> str:
    """Return *error* for a progress file: a user's mistake in its words, a bug with its name."""
    if isinstance(error, HoldemError):
        return f"{error} ({error.remedy})" if error.remedy else str(error)
    return f"{type(error).__name__}: {error}"


def log_error(path: Path, text: str) -> None:
    """Append *text* to the log of an instance that is not training."""
    try:
        handler = storage.open_log(path)
    except HoldemError:
        return  # where nothing can be written, the exit status must do
    logger = logging.Logger("holdem.instance")
    logger.addHandler(handler)
    logger.error(text)
    handler.close()
