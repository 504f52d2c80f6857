"""k-means and k-medians the slow way: a loop for each definition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def distance(one: Sequence[int], other: Sequence[int], *, squared: bool) -> int:
    """Sum of absolute or squared differences."""
    gaps = [abs(int(a) - int(b)) for a, b in zip(one, other, strict=True)]
    return sum(gap * gap if squared else gap for gap in gaps)


def nearest(points, centres, *, squared: bool) -> tuple[list[int], list[int]]:
    """Index of the nearest centre of each point, the lowest among equals; and its distance."""
    labels, distances = [], []
    for point in points:
        to_all = [distance(point, centre, squared=squared) for centre in centres]
        distances.append(min(to_all))
        labels.append(to_all.index(min(to_all)))
    return labels, distances


def objective(points, weights, centres, *, squared: bool) -> int:
    """Sum of weight times distance to the nearest centre."""
    return sum(
        int(weight) * gap
        for weight, gap in zip(weights, nearest(points, centres, squared=squared)[1], strict=True)
    )


def masses(points, weights, centres: Sequence[int], *, squared: bool) -> list[int]:
    """Weight times distance to the nearest of the points *centres*, each point's; 1 if none."""
    if not centres:
        return [int(weight) for weight in weights]
    distances = nearest(points, [points[i] for i in centres], squared=squared)[1]
    return [int(weight) * gap for weight, gap in zip(weights, distances, strict=True)]


def chosen(masses: Sequence[int], mass: int) -> int:
    """The first point at which the sum of masses exceeds *mass*."""
    for i, one in enumerate(masses):
        if mass < one:
            return i
        mass -= one
    raise ValueError("more than all masses")


def cost_of(centre, points, weights, *, squared: bool) -> int:
    """Sum of weight times distance to one centre."""
    return sum(
        int(weight) * distance(point, centre, squared=squared)
        for point, weight in zip(points, weights, strict=True)
    )


def earth_movers(one: Sequence[int], other: Sequence[int]) -> int:
    """Least work, in units times bins, to turn a histogram into another of the same sum.

    Moves what is first in *one* to what is first missing in *other*: on a line, no plan
    that crosses is better.
    """
    left, right = list(map(int, one)), list(map(int, other))
    work = 0
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] == 0:
            i += 1
        elif right[j] == 0:
            j += 1
        else:
            moved = min(left[i], right[j])
            work += moved * abs(i - j)
            left[i] -= moved
            right[j] -= moved
    return work


def lower_median(values, weights) -> int:
    """The least value with at least half of the weight at or below it."""
    spread = np.sort(np.repeat(values, weights))
    return int(spread[(len(spread) - 1) // 2])
