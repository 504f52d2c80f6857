"""Bucket sets that cost nothing to make: neighbours in the order of hand indices differ."""

from __future__ import annotations

import numpy as np

from holdem.types import CANONICAL_HANDS


class StripedBuckets:
    """Buckets 0 .. k-1 in turn by hand index, on as many streets as asked for; no files.

    Equities before the flop are as good as any where no test looks at them. Centres are in a row,
    with a gap in the middle, and buckets hold as many hands as they have in the table.
    """

    path = None

    def __init__(self, num_buckets: int, num_streets: int = 4, preflop_equities=None) -> None:
        self.num_buckets = (169, *(num_buckets,) * (num_streets - 1))
        self.fingerprint = f"striped {num_buckets}"
        tables = [np.arange(169, dtype=np.uint8)]
        for hands in CANONICAL_HANDS[1:num_streets]:
            table = np.empty(hands, np.uint8)
            for bucket in range(num_buckets):
                table[bucket::num_buckets] = bucket
            tables.append(table)
        self.tables = tuple(tables)
        self.preflop_equities = (
            np.full((169, 169), 0.5) if preflop_equities is None else preflop_equities
        )

    def centres(self, street: int) -> np.ndarray:
        buckets = np.arange(self.num_buckets[street])
        places = 10 * buckets + 2_000 * (2 * buckets >= len(buckets))
        return np.column_stack([places, places]).astype(np.int16)

    def tally(self, street: int) -> np.ndarray:
        hands = np.bincount(self.tables[street], minlength=self.num_buckets[street])
        return np.column_stack([hands, hands, 0 * hands, 0 * hands])

    def mean_equities(self, street: int) -> np.ndarray:
        """By number, though in truth each bucket has hands of any strength."""
        return np.arange(self.num_buckets[street]) / self.num_buckets[street]
