"""Rows of the regret table in NumPy, many at a time.

The row of (node, bucket) begins at word 2 * (first_slot + bucket * num_actions) and
holds the actions' regrets, then their average-strategy sums. Here rows are columns,
arrays of (num_actions, rows): NumPy is several times faster over long last axes than
over ones of two or three actions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from holdem.game.tree import BettingTree

Words: TypeAlias = NDArray[np.float32]
"""The regret table, (2 * num_slots,)."""


def read_rows(
    words: Words, first_slots: NDArray[np.int64], num_actions: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return regrets and strategy sums of the rows at *first_slots*, each (num_actions, rows)."""
    columns = np.empty((2 * num_actions, len(first_slots)), dtype=np.float32)
    first_words = 2 * first_slots
    for word in range(2 * num_actions):
        # Without a mode, take checks bounds by way of a copy.
        np.take(words, first_words + word, out=columns[word], mode="clip")
    return columns[:num_actions], columns[num_actions:]


def row_blocks(tree: BettingTree, max_slots: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """All rows of *tree* as (num_actions, first slots), at most about *max_slots* at a time."""
    nodes = tree.nodes
    counts = np.array(tree.bucket_counts, dtype=np.int64)
    for num_actions in range(1, int(nodes["num_actions"].max()) + 1):
        members = np.flatnonzero(nodes["num_actions"] == num_actions)
        buckets = counts[nodes["street"][members]]
        ends = np.cumsum(buckets * num_actions)
        start = 0
        while start < len(members):
            done = ends[start - 1] if start else 0
            stop = max(int(np.searchsorted(ends, done + max_slots, side="right")), start + 1)
            yield num_actions, _first_slots(tree, members[start:stop], num_actions)
            start = stop


def _first_slots(
    tree: BettingTree, nodes: NDArray[np.int64], num_actions: int
) -> NDArray[np.int64]:
    """First slot of every row of *nodes*, which have *num_actions* each."""
    buckets = np.array(tree.bucket_counts, dtype=np.int64)[tree.nodes["street"][nodes]]
    bucket = np.arange(buckets.sum()) - np.repeat(np.cumsum(buckets) - buckets, buckets)
    first_slots: NDArray[np.int64] = (
        np.repeat(tree.nodes["first_slot"][nodes], buckets) + bucket * num_actions
    )
    return first_slots
