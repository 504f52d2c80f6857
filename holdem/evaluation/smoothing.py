"""Means of cells of which some were seen often and some hardly ever."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["smoothed_means"]


def smoothed_means(
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
    guide: NDArray[np.float64] | None,
    *,
    prior: float,
) -> NDArray[np.float64]:
    """Return means of cells, drawn towards a guess from rows, columns and *guide*.

    Args:
        sums: of the values seen in each cell, (rows, columns, kinds).
        counts: how many were seen, (rows, columns, 1).
        guide: (rows, columns): what rows and columns alone cannot say of a cell is taken to go
            with these.
        prior: a cell of so many values counts as much as what is guessed of it.

    Returns:
        (rows, columns, kinds).
    """
    guess = _additive(sums, counts)
    if guide is not None:
        weights = counts * guide[..., None]
        beside = guide[..., None] - _additive(weights, counts)
        along = (beside * (sums - counts * guess)).sum(axis=(0, 1))
        square = (counts * beside**2).sum(axis=(0, 1))
        guess = guess + beside * np.divide(along, square, where=square > 0, out=along * 0)
    means: NDArray[np.float64] = (sums + prior * guess) / (counts + prior)
    return means


def _additive(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Row mean + column mean - mean, of each cell."""
    mean = sums.sum(axis=(0, 1)) / max(counts.sum(), 1.0)
    rows = (sums.sum(axis=1) + mean) / (counts.sum(axis=1) + 1.0)
    columns = (sums.sum(axis=0) + mean) / (counts.sum(axis=0) + 1.0)
    guess: NDArray[np.float64] = rows[:, None] + columns[None] - mean
    return guess
