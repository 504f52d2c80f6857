"""Figures that tell how training goes, read off the regret table street by street.

A table of 30 million slots is not swept for two numbers per street: a fixed,
evenly spread sample of its rows is read, the same rows every time, so that curves
are comparable within a run and between runs of one game. It is read in parts, which
workers may share out; the parts and the order of their sum do not depend on by whom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdem.game.tree import BettingTree
from holdem.mccfr.rows import Words, read_rows
from holdem.types import STREETS

# Fractional parts of multiples of this spread more evenly than random numbers do,
# and fall on all buckets alike, which a plain stride of 200 rows would not.
_GOLDEN = 0.618033988749895

NUM_PARTS = 32
"""Parts in which a table is measured."""
SUMS_DTYPE = np.dtype(
    [(name, np.float64) for name in ("rows", "averaged", "entropy", "regretted", "regret")]
)
"""What is summed over the rows of a part and a street."""


@dataclass(frozen=True)
class StreetMetrics:
    """How far one street has come.

    Attributes:
        policy_entropy: mean entropy of the average strategy over visited rows, each
            divided by its greatest possible value: 1 is uniform, 0 is pure. 1 where
            no row has been visited.
        avg_regret_norm: mean over visited rows of the largest positive regret,
            divided by the iterations' total weight: chips per iteration. In CFR the
            sum of these bounds the exploitability (Zinkevich et al. 2007, theorem
            3), so it must fall towards 0. 0 where no row has been visited.
        visited: share of the rows whose average strategy has been written.
    """

    policy_entropy: float
    avg_regret_norm: float
    visited: float


class TableMetrics:
    """Measures regret tables of one betting tree.

    Args:
        tree: the betting tree.
        max_rows: rows read per street; streets with fewer rows are read whole.
    """

    def __init__(self, tree: BettingTree, max_rows: int = 200_000) -> None:
        self._tree = tree
        # Per street: (num_actions, first slot of each sampled row).
        self._rows = [_sample_rows(tree, street, max_rows) for street in _streets(tree)]

    def measure(self, words: Words, total_weight: float = 1.0) -> dict[str, StreetMetrics]:
        """Return the figures of each street that the game has, by name.

        Args:
            words: float32, (2 * num_slots,): per row its regrets, then its strategy sums.
            total_weight: the sum of the weights that iterations have in *words*: their
                number without discounting, about half of it under Linear CFR when
                the last iteration weighs 1.
        """
        sums = np.zeros((NUM_PARTS, len(STREETS)), SUMS_DTYPE)
        for part in range(NUM_PARTS):
            self.add_up(words, part, sums[part])
        return street_figures(self._tree, sums, total_weight)

    def add_up(self, words: Words, part: int, sums: NDArray[Any]) -> None:
        """Read a part of the sampled rows into *sums*: SUMS_DTYPE, (streets,)."""
        for street, groups in enumerate(self._rows):
            total = np.zeros((), SUMS_DTYPE)
            for num_actions, first_slots in groups:
                first, end = (len(first_slots) * n // NUM_PARTS for n in (part, part + 1))
                if first < end:
                    _add_up(words, first_slots[first:end], num_actions, total)
            sums[street] = total


def street_figures(
    tree: BettingTree, sums: NDArray[Any], total_weight: float
) -> dict[str, StreetMetrics]:
    """Return what the *sums* of all parts, SUMS_DTYPE, (NUM_PARTS, streets), come to.

    See `TableMetrics.measure`.
    """
    whole = {name: sums[name].sum(axis=0).tolist() for name in SUMS_DTYPE.names or ()}
    return {
        STREETS[street]: _street_metrics(
            {name: values[street] for name, values in whole.items()}, total_weight
        )
        for street in _streets(tree)
    }


def _streets(tree: BettingTree) -> range:
    decisions = tree.nodes["num_actions"] > 0
    return range(int(tree.nodes["street"][decisions].max()) + 1)


def _sample_rows(
    tree: BettingTree, street: int, max_rows: int
) -> list[tuple[int, NDArray[np.int64]]]:
    """First slots of an even sample of the rows of *street* that have a choice."""
    num_buckets = tree.bucket_counts[street]
    nodes = np.flatnonzero((tree.nodes["num_actions"] > 1) & (tree.nodes["street"] == street))
    total = len(nodes) * num_buckets
    if total <= max_rows:
        numbers = np.arange(total)
    else:
        spread = (np.arange(max_rows) * _GOLDEN) % 1.0
        numbers = np.sort((spread * total).astype(np.int64))
        numbers = numbers[np.diff(numbers, prepend=-1) > 0]
    node, bucket = np.divmod(numbers, num_buckets)
    num_actions = tree.nodes["num_actions"][nodes[node]].astype(np.int64)
    first_slots = tree.nodes["first_slot"][nodes[node]] + bucket * num_actions
    return [
        (count, first_slots[num_actions == count])
        for count in range(2, int(num_actions.max(initial=0)) + 1)
    ]


def _add_up(
    words: Words, first_slots: NDArray[np.int64], num_actions: int, total: NDArray[Any]
) -> None:
    """Add what rows of *num_actions* hold to *total*: SUMS_DTYPE, ()."""
    regrets, sums = read_rows(words, first_slots, num_actions)
    total["rows"] += len(first_slots)

    total["regretted"] += (regrets != 0).any(axis=0).sum()
    # float64: a sum of 200,000 float32 of very different sizes loses digits.
    total["regret"] += np.maximum(regrets.max(axis=0), 0.0).sum(dtype=np.float64)

    totals = sums.sum(axis=0)
    averaged = totals > 0
    total["averaged"] += averaged.sum()
    shares = sums[:, averaged] / totals[averaged]
    # x log x is 0 at 0.
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    total["entropy"] -= (shares * logs).sum(dtype=np.float64) / math.log(num_actions)


def _street_metrics(sums: Mapping[str, float], total_weight: float) -> StreetMetrics:
    rows, averaged, regretted = sums["rows"], sums["averaged"], sums["regretted"]
    return StreetMetrics(
        policy_entropy=sums["entropy"] / averaged if averaged else 1.0,
        avg_regret_norm=sums["regret"] / regretted / total_weight if regretted else 0.0,
        visited=averaged / rows if rows else 0.0,
    )
