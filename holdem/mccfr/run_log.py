"""What a run writes about itself while it trains: its log and ``tensorboard/``."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from holdem import storage
from holdem.errors import StorageError
from holdem.mccfr.engine import Engine
from holdem.mccfr.progress import Progress

if TYPE_CHECKING:
    from tensorboardX.event_file_writer import EventsWriter

_PROGRESS_SECONDS = 30.0
_METRICS_SHARE = 0.02
"""Reading the table for entropies and regrets may take this part of a run."""
_FLUSH_SECONDS = 10.0
_RETRY_SECONDS = 30.0


class RunLog:
    """The log file and the TensorBoard figures of one run, as a context manager.

    Args:
        path: the log file, appended to; ``tensorboard/`` lies beside it.
        use_tensorboard: write ``tensorboard/``.
    """

    def __init__(self, path: Path, *, use_tensorboard: bool) -> None:
        self._logger = logging.Logger(f"holdem.run.{path}")
        self._handler = storage.open_log(path)
        self._logger.addHandler(self._handler)
        self._figures = FigureFile(path.parent / "tensorboard") if use_tensorboard else None
        self._next_progress = 0.0
        self._next_metrics = 0.0
        self._regrets: dict[str, list[tuple[float, float]]] = {}

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._logger.error("the run ended early", exc_info=error)
        # A full disk must not hide why a run ended.
        with contextlib.suppress(OSError):
            self._handler.close()
        if self._figures is not None:
            self._figures.close()

    def info(self, message: str) -> None:
        """Write a line."""
        self._logger.info(message)

    def warn(self, message: str) -> None:
        """Write a warning."""
        self._logger.warning(message)

    def progress(self, progress: Progress) -> None:
        """Write a line about how far the run is, every 30 seconds."""
        if progress.elapsed_seconds >= self._next_progress:
            self._next_progress = progress.elapsed_seconds + _PROGRESS_SECONDS
            self._logger.info(
                f"iteration {progress.iteration:,}  "
                f"{progress.iterations_per_second:,.0f} it/s  "
                f"{progress.nodes_per_second / 1e6:.2f} M nodes/s  "
                f"utility {progress.utility_bb:+.4f} bb/hand"
            )

    def figures(self, iteration: int, values: Mapping[str, float]) -> None:
        """Write *values* by TensorBoard tag.

        Raises:
            StorageError: they cannot be written.
        """
        if self._figures is not None:
            self._figures.add(iteration, values)

    def convergence(self, engine: Engine, *, now: bool = False) -> None:
        """Write entropy, average regret and its slope per street, not too often unless *now*.

        ``regret_slope`` is d log(average regret) / d log(iterations) over the second
        half of the figures so far, once it has two: about -0.5 while CFR converges as its
        bound says, 0 when nothing improves any more.

        Raises:
            StorageError: they cannot be written.
        """
        started = time.monotonic()
        if self._figures is None or (started < self._next_metrics and not now):
            return
        iteration, values = engine.iteration, {}
        for street, metrics in engine.measure().items():
            values[f"policy_entropy/{street}"] = metrics.policy_entropy
            values[f"avg_regret_norm/{street}"] = metrics.avg_regret_norm
            if metrics.avg_regret_norm > 0:
                points = self._regrets.setdefault(street, [])
                points.append((math.log(iteration), math.log(metrics.avg_regret_norm)))
                recent = points[len(points) // 2 :]
                if len(recent) > 1:
                    values[f"regret_slope/{street}"] = slope(recent)
        self.figures(iteration, values)
        took = time.monotonic() - started
        self._next_metrics = started + took / _METRICS_SHARE


def slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through (x, y) points; 0 for fewer than two."""
    xs, ys = np.array(points).T if points else (np.empty(0), np.empty(0))
    spread = float(((xs - xs.mean()) ** 2).sum()) if len(points) > 1 else 0.0
    if spread == 0.0:
        return 0.0
    return float(((xs - xs.mean()) * (ys - ys.mean())).sum()) / spread


class FigureFile:
    """Figures for TensorBoard, written by who has them.

    A thread that writes, such as `tensorboardX.SummaryWriter` has, ends where the disk is full,
    and then those wait for ever who give it figures. After an error what cannot be written is
    left out, and a new file begun when half a minute is over: of one that ends within a figure
    TensorBoard reads no more.

    Args:
        folder: for the files; made if it is missing.

    Raises:
        StorageError: *folder* cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = storage.make_folder(folder)
        self._writer: EventsWriter | None = None
        self._files = 0
        self._not_before = self._next_flush = -math.inf
        with self._writing():
            self._open()

    def add(self, iteration: int, values: Mapping[str, float]) -> None:
        """Write *values* by their tags.

        Raises:
            StorageError: they cannot be written. For half a minute others are left out in silence.
        """
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        now = time.monotonic()
        if now < self._not_before:
            return
        with self._writing():
            writer = self._writer or self._open()
            for tag, value in values.items():
                event = Event(summary=scalar(tag, value), wall_time=time.time(), step=iteration)
                writer.write_event(event)
            if now >= self._next_flush:
                writer.flush()
                self._next_flush = now + _FLUSH_SECONDS

    def close(self) -> None:
        """Write what is left, if it can be written, and close the file."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(OSError):
                writer.close()

    def _open(self) -> EventsWriter:
        """Begin a file."""
        from tensorboardX.event_file_writer import EventsWriter  # slow, and not every run wants it

        self._files += 1
        suffix = "" if self._files == 1 else f".{self._files}"
        self._writer = EventsWriter(str(self._folder / "events"), suffix)
        return self._writer

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Give up the file at an error."""
        try:
            yield
        except OSError as error:
            self.close()
            self._not_before = time.monotonic() + _RETRY_SECONDS
            raise StorageError(
                f"cannot write to {self._folder}: {error.strerror or error}",
                "free some space, or train with --no-tensorboard",
            ) from error
