"""What a training run tells whoever watches it: plain values and one protocol."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from holdem.types import GameConfig, MCCFRConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class RunInfo:
    """A run as it begins."""

    logdir: Path
    config: MCCFRConfig
    game: GameConfig
    num_slots: int
    table_bytes: int
    bucket_counts: tuple[int, ...]
    first_iteration: int
    """0, or where the checkpoint that is resumed left off."""
    resumed_from: Path | None
    available_before: int
    """Bytes of memory that could be had before the table was made and workers started."""
    available_after: int
    """And with both in place; a table in one process takes its pages as it fills."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """A run as it stands."""

    iteration: int
    num_iterations: int | None
    elapsed_seconds: float
    time_budget_seconds: float | None
    iterations_per_second: float
    """Over the last half minute, as the two figures that follow."""
    nodes_per_second: float
    """Decision nodes visited per second."""
    utility_bb: float
    """Seat 0, big blinds per hand."""
    memory_bytes: int
    """Resident memory of this process and what its workers have of their own."""
    worker_shares: tuple[float, ...] = ()
    """Part of the visits that each worker made; empty without workers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """A run as it ended."""

    logdir: Path
    iteration: int
    """Iterations in all, those of the resumed run included."""
    iterations_done: int
    """Iterations of this run."""
    nodes_visited: int
    elapsed_seconds: float
    utility_bb: float
    """Seat 0, big blinds per hand, mean over all iterations of the run."""
    checkpoint: Path
    policy: Path
    stopped_by: int | None
    """The signal that ended the run early; None when it ran to its end."""

    @property
    def iterations_per_second(self) -> float:
        """Mean over this run."""
        return self.iterations_done / max(self.elapsed_seconds, 1e-9)

    @property
    def nodes_per_second(self) -> float:
        """Decision nodes per second, mean over this run."""
        return self.nodes_visited / max(self.elapsed_seconds, 1e-9)


class Observer(Protocol):
    """Whoever watches a run: a terminal, a log, a test."""

    def started(self, run: RunInfo) -> None:
        """Training is about to begin."""

    def progressed(self, progress: Progress) -> None:
        """Called a few times a second."""

    def checkpointed(self, path: Path, iteration: int, seconds: float) -> None:
        """A checkpoint is on disk; writing it took *seconds*."""

    def warned(self, message: str) -> None:
        """Something is wrong that does not stop the run."""

    def finished(self, result: RunResult) -> None:
        """The run is over and all its files are written."""


class SilentObserver:
    """An observer that does nothing: the default."""

    def started(self, run: RunInfo) -> None:
        """Do nothing."""

    def progressed(self, progress: Progress) -> None:
        """Do nothing."""

    def checkpointed(self, path: Path, iteration: int, seconds: float) -> None:
        """Do nothing."""

    def warned(self, message: str) -> None:
        """Do nothing."""

    def finished(self, result: RunResult) -> None:
        """Do nothing."""
