"""A training run on the screen: a live panel on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from rich.console import Console, Group
from rich.constrain import Constrain
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from holdem.cli.terminal import clock, count
from holdem.mccfr.progress import Progress, RunInfo, RunResult
from holdem.storage import format_bytes

LINE_SECONDS = 30.0
"""Between two lines where there is no terminal."""


class RunDisplay:
    """Shows a run; an `Observer` of the solver and a context manager around it.

    Args:
        console: where to print.
        level: of `logging`: INFO shows progress, WARNING only what is wrong, ERROR nothing;
            DEBUG every batch and every checkpoint as a line of its own.
    """

    def __init__(self, console: Console, level: int = logging.INFO) -> None:
        self._console = console
        self._level = level
        self._live: Live | None = None
        self._run: RunInfo | None = None
        self._checkpoint: tuple[Path, int, float] | None = None
        self._next_line = 0.0
        self.stop_asked = False
        """Set by whoever asked the solver to stop; the next report tells the user."""

    def __enter__(self) -> RunDisplay:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the panel as it is and give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    # -- what the solver tells ----------------------------------------------------------------

    def started(self, run: RunInfo) -> None:
        """Say where the run goes, and open the panel."""
        self._run = run
        if self._level > logging.INFO:
            return
        if run.resumed_from is not None:
            self._console.print(
                f"resumed from {run.resumed_from} at iteration {run.first_iteration:,}"
            )
        self._console.print(
            f"  {'available':<13}{format_bytes(run.available_before)} of memory before table "
            f"and workers, {format_bytes(run.available_after)} with them"
        )
        self._console.print(f"training in {run.logdir}; Ctrl-C saves a checkpoint and stops")
        if self._console.is_interactive and self._level > logging.DEBUG:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()

    def progressed(self, progress: Progress) -> None:
        """Bring the panel up to date, or print a line if the last is long ago."""
        if self.stop_asked and self._level <= logging.WARNING:
            self._console.print("saving a checkpoint; once more to stop without it")
            self.stop_asked = False
        if self._level <= logging.DEBUG:
            self._console.print(progress_line(progress), soft_wrap=True)
        elif self._live is not None:
            self._live.update(self._panel(progress), refresh=True)
        elif self._level <= logging.INFO and progress.elapsed_seconds >= self._next_line:
            self._next_line = progress.elapsed_seconds + LINE_SECONDS
            self._console.print(progress_line(progress), soft_wrap=True)

    def checkpointed(self, path: Path, iteration: int, seconds: float) -> None:
        """Remember the checkpoint for the panel."""
        self._checkpoint = (path, iteration, time.monotonic())
        if self._level <= logging.DEBUG:
            self._console.print(f"checkpoint {path} in {seconds:.2f} s")

    def warned(self, message: str) -> None:
        """Print a warning above the panel."""
        if self._level <= logging.WARNING:
            self._console.print(f"warning: {message}", style="yellow")

    def finished(self, result: RunResult) -> None:
        """Close the panel."""
        self.close()

    # -- the panel ----------------------------------------------------------------------------

    def _panel(self, progress: Progress) -> Constrain:
        share = done_share(progress, self._run.first_iteration if self._run else 0)
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(" "),
            ProgressBar(total=1.0, completed=share, width=40),
            Text(f"{share:4.0%}", style="bold"),
            Text(_left(progress, share), style="dim"),
        )
        body = Table.grid(padding=(0, 2))
        body.add_column(style="dim", min_width=10, no_wrap=True)
        body.add_column(justify="right", min_width=12, no_wrap=True)
        body.add_column()
        body.add_row(
            "  iterations",
            f"{progress.iteration:,}",
            f"{count(progress.iterations_per_second)} a second",
        )
        body.add_row("  nodes", "", f"{count(progress.nodes_per_second)} visited a second")
        body.add_row("  utility", f"{progress.utility_bb:+.3f}", "big blinds per hand for seat 0")
        body.add_row("  memory", format_bytes(progress.memory_bytes), "")
        if progress.worker_shares:
            shares = "  ".join(f"{share:.0%}" for share in progress.worker_shares)
            body.add_row("  workers", f"{len(progress.worker_shares)}", f"of the visits: {shares}")
        if self._checkpoint is not None:
            path, iteration, at = self._checkpoint
            ago = clock(time.monotonic() - at)
            body.add_row("  checkpoint", f"{iteration:,}", f"{ago} ago, {path.name}")
        # Room for the ^C that the terminal prints behind the last line: a wrapped one would
        # move the lines under the panel, and leave a part of it behind.
        return Constrain(Group(head, body), self._console.width - 4)


def progress_line(progress: Progress) -> str:
    """Return a run as it stands in one line."""
    return (
        f"{clock(progress.elapsed_seconds):>7}  iteration {progress.iteration:,}  "
        f"{count(progress.iterations_per_second)} it/s  "
        f"{count(progress.nodes_per_second)} nodes/s  "
        f"utility {progress.utility_bb:+.3f} bb/hand  {format_bytes(progress.memory_bytes)}"
    )


def done_share(progress: Progress, first_iteration: int = 0) -> float:
    """Return how much of the budget is spent, 0 to 1: the nearer end of the two counts."""
    shares = [0.0]
    if progress.time_budget_seconds is not None:
        shares.append(progress.elapsed_seconds / progress.time_budget_seconds)
    if progress.num_iterations is not None:
        todo = max(progress.num_iterations - first_iteration, 1)
        shares.append((progress.iteration - first_iteration) / todo)
    return min(max(shares), 1.0)


def _left(progress: Progress, share: float) -> str:
    elapsed = progress.elapsed_seconds
    if share <= 0.0:
        return clock(elapsed)
    return f"{clock(elapsed)} / {clock(elapsed / share)}"
