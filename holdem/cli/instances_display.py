"""A run of many instances on the screen, for the command that runs it and the one that watches."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from holdem.cli.terminal import clock, count
from holdem.mccfr.instance_monitor import InstanceView, overall_percent
from holdem.mccfr.instance_progress import (
    COMPLETED,
    FAILED,
    INTERRUPTED,
    RUNNING,
    STARTING,
    STATUSES,
    InstanceProgress,
)

SYMBOLS = {STARTING: "⏳", RUNNING: "▶️", COMPLETED: "✅", FAILED: "❌", INTERRUPTED: "⏸️"}
BLOCK_SECONDS = 30.0
"""Between two blocks of lines where there is no terminal."""

_STYLES = {STARTING: "dim", RUNNING: "", COMPLETED: "green", FAILED: "red", INTERRUPTED: "yellow"}
# Where there are more instances than lines, those that somebody should look at come first.
_URGENCY = (FAILED, INTERRUPTED, STARTING, RUNNING, COMPLETED)


class InstancesDisplay:
    """Shows instances as they stand; a context manager.

    Args:
        console: where to print.
        quiet: show nothing.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._live: Live | None = None
        self._next_block = 0.0

    def __enter__(self) -> InstancesDisplay:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave what is shown as it is, and give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, views: Sequence[InstanceView], *, last: bool = False) -> None:
        """Bring the screen up to date; elsewhere print a block if the last one is long ago."""
        if self._quiet:
            return
        if self._console.is_interactive:
            if self._live is None:
                self._live = Live(console=self._console, auto_refresh=False)
                self._live.start()
            size = self._console.size
            self._live.update(panel(views, size.height, size.width), refresh=True)
        elif last or time.monotonic() >= self._next_block:
            self._next_block = time.monotonic() + BLOCK_SECONDS
            self._console.print(panel(views), soft_wrap=True)


def panel(
    views: Sequence[InstanceView], height: int | None = None, width: int | None = None
) -> Text:
    """Return all instances in lines, the whole run first.

    On a terminal of *height* and *width* they leave room for two lines, and for the ^C that
    it prints behind the last.
    """
    shown = list(views)
    if height is not None and len(shown) > height - 2:
        shown.sort(key=lambda view: _URGENCY.index(view.outcome))
        shown = shown[: max(height - 3, 1)]
    lines = [Text(overview_line(views), style="bold")]
    lines += [Text(instance_line(view), style=_STYLES[view.outcome]) for view in shown]
    if len(shown) < len(views):
        lines.append(Text(f"   and {len(views) - len(shown)} more", style="dim"))
    if width is not None:
        for line in lines:
            line.truncate(max(width - 4, 1), overflow="ellipsis")
    return Text("\n").join(lines)


def overview_line(views: Sequence[InstanceView]) -> str:
    """Return the run in one line: ``" 41.20%  2 instances: 1 running, 1 completed ..."``."""
    records = [view.record for view in views]
    outcomes = [view.outcome for view in views]
    numbers = ", ".join(f"{outcomes.count(s)} {s}" for s in STATUSES if s in outcomes)
    speed = sum(view.record.iterations_per_second for view in views if view.alive)
    left = max((r.seconds_left or 0.0 for r in records), default=0.0)
    parts = [
        f"{overall_percent(records):6.2f}%",
        f"{len(views)} instance{'s' * (len(views) != 1)}: {numbers}",
        f"{count(speed)} it/s" if speed else "",
        f"{clock(left)} left" if left else "",
    ]
    return "  ".join(part for part in parts if part)


def instance_line(view: InstanceView) -> str:
    """Return an instance in one line: symbol, percentage, iterations, speed, time left."""
    record = view.record
    parts = [
        f"{SYMBOLS[view.outcome]} instance {record.instance_id}",
        f"{record.progress_pct:6.2f}%",
        iterations_text(record),
    ]
    if view.alive and record.status == RUNNING:
        parts.append(f"{count(record.iterations_per_second)} it/s")
        if record.seconds_left is not None:
            parts.append(f"{clock(record.seconds_left)} left")
    elif not view.begun:
        parts.append("not started yet")
    elif view.gone:
        parts.append(f"gone: says {record.status}, but nothing for {clock(view.silent_seconds)}")
    else:
        parts.append(record.status + (", by its time" if record.ended_by_time else ""))
    if record.error_msg:
        parts.append(record.error_msg.splitlines()[0])
    return "  ".join(parts)


def iterations_text(record: InstanceProgress) -> str:
    """Return how far an instance is in its own range: ``"iter 118000/250000"``."""
    if record.end_iter is None:
        return f"iter {record.iterations_done}"
    return f"iter {record.iterations_done}/{record.end_iter - record.start_iter}"
