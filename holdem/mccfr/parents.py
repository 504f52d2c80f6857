"""Parents: like buckets in groups, whose regrets count for each of them as well.

Of many buckets each is met seldom, and learns slowly; few learn fast and tell little apart. So a
bucket plays by its own regrets and, besides, by its share of those of all buckets like it. These
count as much as its own after `parent_boards` boards, more before, and less and less after: at
first the groups learn, and then each bucket for itself. (Averages of a part drawn to those of the
whole while the part is small: James & Stein 1961.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.clustering import cluster
from holdem.abstraction.features import METRICS
from holdem.abstraction.workers import Workers

BUCKETS_OF_A_PARENT = 10
"""On average."""
_STEPS = 20
_MASS = 1_000_000
"""Of all weights together, about: so no sum in the clustering grows too large."""


@dataclass(frozen=True, slots=True)
class Parents:
    """The parents of the buckets of each street; before the flop, and where buckets are few, none.

    Attributes:
        counts: by street, how many there are.
        of: by street int32 (buckets,): each one's parent; empty where there are none.
        shares: by street float32 (buckets,): how much of its parent's hands each one holds.
    """

    counts: tuple[int, ...]
    of: tuple[NDArray[np.int32], ...]
    shares: tuple[NDArray[np.float32], ...]

    @classmethod
    def of_set(cls, bucketing: HandBucketing) -> Parents:
        """Return parents of buckets whose centres are near each other; the set alone decides."""
        of, shares = [], []
        counts = parent_counts(bucketing.num_buckets)
        with Workers() as workers:
            for street, count in enumerate(counts):
                parents = np.zeros(0, np.int32)
                hands = bucketing.tally(street)[:, 1].astype(np.float64)
                if count:
                    parents = cluster(
                        bucketing.centres(street),
                        1 + np.floor(_MASS / hands.sum() * hands).astype(np.int64),
                        count,
                        METRICS[street],
                        seed=(street,),
                        restarts=1,
                        iterations=_STEPS,
                        workers=workers,
                    ).labels.astype(np.int32)
                of.append(parents)
                shares.append(_shares(parents, hands, count))
        return cls(counts, tuple(of), tuple(shares))


def parent_counts(bucket_counts: Sequence[int]) -> tuple[int, ...]:
    """Return by street how many parents so many buckets have."""
    return (0, *(count // BUCKETS_OF_A_PARENT for count in bucket_counts[1:]))


def _shares(
    parents: NDArray[np.int32], hands: NDArray[np.float64], count: int
) -> NDArray[np.float32]:
    """Return which part of its parent's *hands* each bucket holds."""
    if not count:
        return np.zeros(0, np.float32)
    sums = np.bincount(parents, hands, count)[parents]
    return np.divide(hands, sums, out=np.zeros_like(hands), where=sums > 0).astype(np.float32)
