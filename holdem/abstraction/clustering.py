"""k-means and k-medians: seeded by k-means++, several restarts, empty clusters repaired.

Under `SQUARED` a centre is the mean of its points; under `CITY_BLOCK`, which between
cumulative histograms is the earth mover's distance, it is their median, coordinate by
coordinate. Both are the best centre for their distance, so no step of Lloyd's algorithm
raises the objective. (The mean is not the best one for the earth mover's distance, and
could raise it.) A median of cumulative histograms never falls from one bin to the next,
so it is a cumulative histogram itself.

All sums are sums of integers: the result depends on the seed alone, not on how many
threads there are or which instructions the processor has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from holdem._core import cluster as kernel
from holdem._core.cluster import CITY_BLOCK, SQUARED
from holdem.abstraction.workers import Workers
from holdem.errors import ConfigError

__all__ = ["CITY_BLOCK", "SQUARED", "Clustering", "cluster"]

_CHUNK = 8192

Report = Callable[[int, int, float], None]
"""Told after each step: the restart, the step, and the objective per unit of weight."""


@dataclass(frozen=True, slots=True)
class Clustering:
    """Centres fitted to points.

    Attributes:
        centres: int16, shape (k, dims).
        labels: uint16, shape (num_points,), nearest centre of each point.
        objective: sum over the points of weight times distance to the nearest centre.
        history: the objective before each step of the restart that was kept, and at last.
    """

    centres: npt.NDArray[np.int16]
    labels: npt.NDArray[np.uint16]
    objective: int
    history: tuple[int, ...]

    def order_by(
        self, values: npt.NDArray[np.uint16], weights: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the clusters by ascending mean of their points' *values*, empty ones last."""
        num_centres = len(self.centres)
        masses = np.bincount(self.labels, weights, num_centres)
        sums = np.bincount(self.labels, weights * values.astype(np.int64), num_centres)
        means = np.divide(sums, masses, out=np.full(num_centres, np.inf), where=masses > 0)
        return np.argsort(means, kind="stable")


def cluster(
    points: npt.NDArray[np.int16],
    weights: npt.NDArray[np.int64],
    num_centres: int,
    metric: int,
    *,
    seed: Sequence[int],
    restarts: int,
    iterations: int,
    workers: Workers,
    report: Report = lambda restart, step, objective: None,
) -> Clustering:
    """Fit *num_centres* centres to weighted points; the restart with the least objective wins.

    With fewer distinct points than centres, the last centres repeat the first one and
    stay empty.

    Args:
        points: int16, shape (num_points, dims), coordinates 0 or more, dims even.
        weights: int64, shape (num_points,), 1 or more.
        num_centres: 1 to 65,536.
        metric: `CITY_BLOCK` or `SQUARED`.
        seed: numbers that the random choices depend on.
        restarts: times to seed the centres anew.
        iterations: most steps after each seeding; it ends where no step helps.
        workers: who counts.
        report: told of each step.

    Raises:
        ConfigError: *num_centres*, *restarts* or *iterations* is out of range.
        ValueError: there are no points, or points or weights that do not fit.
    """
    if not 1 <= num_centres <= kernel.MAX_CENTRES:
        raise ConfigError(
            f"{num_centres} centres, wanted 1 to {kernel.MAX_CENTRES:,}", "ask for 200, say"
        )
    if restarts < 1 or iterations < 0:
        raise ConfigError(
            f"{restarts} restarts of {iterations} iterations, wanted at least 1 of 0 or more",
            "one restart is enough to try it",
        )
    best: Clustering | None = None
    for restart in range(restarts):
        rng = np.random.default_rng([*seed, restart])
        centres = _seed_centres(points, weights, num_centres, metric, rng)
        found = _descend(
            points,
            weights,
            centres,
            metric,
            iterations,
            workers,
            partial(report, restart),
        )
        if best is None or found.objective < best.objective:
            best = found
    assert best is not None
    return best


def _seed_centres(
    points: npt.NDArray[np.int16],
    weights: npt.NDArray[np.int64],
    num_centres: int,
    metric: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.int16]:
    """Choose points as centres, each in proportion to weight times distance to the nearest.

    k-means++ (Arthur & Vassilvitskii 2007); for medians the distance is not squared.
    """
    seeding = kernel.Seeding(points, weights, metric)
    chosen: list[int] = []
    while len(chosen) < num_centres and seeding.total:
        chosen.append(seeding.choose(int(rng.integers(seeding.total))))
        seeding.add(chosen[-1])
    # Every point is a centre already.
    chosen += chosen[:1] * (num_centres - len(chosen))
    return points[chosen]


def _descend(
    points: npt.NDArray[np.int16],
    weights: npt.NDArray[np.int64],
    centres: npt.NDArray[np.int16],
    metric: int,
    iterations: int,
    workers: Workers,
    report: Callable[[int, float], None],
) -> Clustering:
    """Improve *centres* in place by Lloyd's algorithm until no step helps."""
    labels = np.empty(len(points), np.uint16)
    distances = np.empty(len(points), np.int32)
    masses = np.empty(len(centres), np.int64)
    total = int(weights.sum())
    history: list[int] = []

    def assign(start: int, stop: int) -> None:
        nearest.assign(points[start:stop], labels[start:stop], distances[start:stop])

    def move(start: int, stop: int) -> None:
        kernel.update_centres(points, weights, labels, metric, centres, masses, start, stop)

    clusters_each = -(-len(centres) // workers.num_workers)
    for step in range(iterations + 1):
        nearest = kernel.Nearest(centres, metric)
        for _ in workers.chunks(assign, len(points), _CHUNK):
            pass
        history.append(int(weights @ distances.astype(np.int64)))
        report(step, history[-1] / total)
        if step == iterations or (step > 0 and history[-1] == history[-2]):
            break
        for _ in workers.chunks(move, len(centres), clusters_each):
            pass
        _repair(points, weights, distances, masses, centres)
    return Clustering(centres, labels, history[-1], tuple(history))


def _repair(
    points: npt.NDArray[np.int16],
    weights: npt.NDArray[np.int64],
    distances: npt.NDArray[np.int32],
    masses: npt.NDArray[np.int64],
    centres: npt.NDArray[np.int16],
) -> None:
    """Move the centres of empty clusters onto the points that cost most.

    No point loses its centre by this, so the objective cannot rise.
    """
    empty = np.flatnonzero(masses == 0)
    if len(empty) == 0:
        return
    costs = weights * distances
    costly = np.argsort(-costs, kind="stable")
    distinct = {points[i].tobytes(): i for i in reversed(costly[: 64 * len(empty)]) if costs[i] > 0}
    chosen = sorted(distinct.values(), key=lambda i: (-costs[i], i))
    for number, i in zip(empty, chosen, strict=False):
        centres[number] = points[i]
