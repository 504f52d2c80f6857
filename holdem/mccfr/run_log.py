"""What a run writes about itself while it trains: its log and ``tensorboard/``."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from holdem import storage
from holdem.mccfr.engine import Engine
from holdem.mccfr.progress import Progress

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

_PROGRESS_SECONDS = 30.0
_METRICS_SHARE = 0.02
"""Reading the table for entropies and regrets may take this part of a run."""


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
        self._writer = open_writer(path.parent / "tensorboard") if use_tensorboard else None
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
        if self._writer is not None:
            self._writer.close()
        self._handler.close()

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
        """Write *values* by TensorBoard tag."""
        if self._writer is not None:
            for tag, value in values.items():
                self._writer.add_scalar(tag, value, iteration)

    def convergence(self, engine: Engine, *, now: bool = False) -> None:
        """Write entropy, average regret and its slope per street, not too often unless *now*.

        ``regret_slope`` is d log(average regret) / d log(iterations) over the second
        half of the figures so far: about -0.5 while CFR converges as its bound says,
        0 when nothing improves any more.
        """
        started = time.monotonic()
        if self._writer is None or (started < self._next_metrics and not now):
            return
        iteration, values = engine.iteration, {}
        for street, metrics in engine.measure().items():
            values[f"policy_entropy/{street}"] = metrics.policy_entropy
            values[f"avg_regret_norm/{street}"] = metrics.avg_regret_norm
            if metrics.avg_regret_norm > 0:
                points = self._regrets.setdefault(street, [])
                points.append((math.log(iteration), math.log(metrics.avg_regret_norm)))
                values[f"regret_slope/{street}"] = slope(points[len(points) // 2 :])
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


def open_writer(folder: Path) -> SummaryWriter:
    """Return what writes figures for TensorBoard into *folder*, which is made.

    Raises:
        StorageError: *folder* cannot be written.
    """
    from tensorboardX import SummaryWriter  # slow to import, and not every run wants it

    return SummaryWriter(str(storage.make_folder(folder)))
