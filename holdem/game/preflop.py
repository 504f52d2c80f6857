"""The 169 classes of hole cards: names, combinations and their places in a 13x13 chart.

Classes are numbered as the indexer numbers hole cards before the flop, everywhere
in the package: charts, buckets and the 169x169 equity table.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from holdem._core import indexer
from holdem.errors import MismatchError
from holdem.game.policy import Policy
from holdem.game.tree import BettingTree

NUM_CLASSES = 169
NUM_HOLES = 1326
_RANKS = "23456789TJQKA"


@cache
def class_of_hole() -> NDArray[np.int64]:
    """Class of each of the 1,326 hole-card pairs, in hole-index order; read-only."""
    high, low = _hole_cards()
    classes = indexer.index(np.stack([low, high], axis=1).astype(np.uint8))
    classes.setflags(write=False)
    return classes


@cache
def class_names() -> tuple[str, ...]:
    """Name of each class: ``"AA"``, ``"AKs"`` or ``"72o"``."""
    return tuple(
        _RANKS[high] + _RANKS[low] + suffix
        for high, low, suffix in (_ranks_and_suffix(index) for index in range(NUM_CLASSES))
    )


@cache
def class_combos() -> NDArray[np.int64]:
    """Card combinations of each class: 6 for a pair, 4 suited, 12 offsuit; read-only."""
    combos = np.bincount(class_of_hole(), minlength=NUM_CLASSES)
    combos.setflags(write=False)
    return combos


@cache
def pair_weights() -> NDArray[np.int64]:
    """Ways to deal class i to one player and class j to another, shape (169, 169).

    Combinations that share a card are left out, so AA against AA has 6 ways (not
    36) and the whole table sums to 1326 * 1225. Read-only.
    """
    high, low = _hole_cards()
    member = np.zeros((NUM_HOLES, NUM_CLASSES))
    member[np.arange(NUM_HOLES), class_of_hole()] = 1.0
    holds = np.zeros((NUM_HOLES, 52))
    holds[np.arange(NUM_HOLES), high] = 1.0
    holds[np.arange(NUM_HOLES), low] = 1.0
    disjoint = (holds @ holds.T == 0).astype(np.float64)
    weights = np.rint(member.T @ disjoint @ member).astype(np.int64)
    weights.setflags(write=False)
    return weights


@cache
def chart_positions() -> NDArray[np.int64]:
    """(row, column) of each class in the usual chart, shape (169, 2); read-only.

    Aces are row and column 0, deuces 12; suited hands lie above the diagonal.
    """
    positions = np.empty((NUM_CLASSES, 2), dtype=np.int64)
    for index in range(NUM_CLASSES):
        high, low, suffix = _ranks_and_suffix(index)
        row, column = 12 - high, 12 - low
        positions[index] = (column, row) if suffix == "o" else (row, column)
    positions.setflags(write=False)
    return positions


def checked_buckets(
    tree: BettingTree, buckets: NDArray[np.integer] | None = None
) -> NDArray[np.int64]:
    """Return the preflop bucket of each class, shape (169,), if they fit *tree*.

    Args:
        tree: a betting tree of hold'em.
        buckets: the preflop table of the bucket set; None if each class is its own.

    Raises:
        MismatchError: they name buckets that the tree has no rows for.
    """
    num_buckets = tree.bucket_counts[0]
    if buckets is None:
        buckets = np.arange(NUM_CLASSES)
    checked = np.asarray(buckets, dtype=np.int64)
    if checked.shape != (NUM_CLASSES,) or not 0 <= checked.min() <= checked.max() < num_buckets:
        raise MismatchError(
            f"a map of {checked.size} preflop classes to buckets {checked.min()} to "
            f"{checked.max()}, for a betting tree with {num_buckets} preflop buckets",
            "pass the preflop table of the bucket set that the tree was made for",
        )
    return checked


def class_strategy(
    policy: Policy, node: int, buckets: NDArray[np.integer] | None = None
) -> NDArray[np.float32]:
    """Return the strategy at preflop *node* by class, shape (169, num_actions).

    Args:
        policy: a policy for hold'em.
        node: a decision before the flop.
        buckets: the bucket of each class, see `checked_buckets`.

    Raises:
        MismatchError: *buckets* do not fit the policy's tree.
    """
    return policy.strategy(node)[checked_buckets(policy.tree, buckets)]


def chart_order() -> NDArray[np.int64]:
    """The classes as the chart is read, row by row: AA, AKs, ... A2s, AKo, KK, ... 22."""
    return np.lexsort(chart_positions().T[::-1])


def _hole_cards() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The higher and the lower card of each hole index b * (b - 1) / 2 + a, a < b."""
    high, low = np.tril_indices(52, -1)
    return high, low


def _ranks_and_suffix(index: int) -> tuple[int, int, str]:
    """High rank, low rank and ``""``, ``"s"`` or ``"o"`` of class *index*."""
    first, second = _class_cards()[index]
    low, high = sorted((int(first) >> 2, int(second) >> 2))
    if low == high:
        return high, low, ""
    return high, low, "s" if first & 3 == second & 3 else "o"


@cache
def _class_cards() -> NDArray[np.uint8]:
    """One combination of each class, shape (169, 2)."""
    return indexer.unindex(0, np.arange(NUM_CLASSES, dtype=np.int64))
