"""What a responder tells apart before the river: hands in cells.

The more it tells apart, the more it exploits, and the safer is what trains against it. On the
river it knows its cards. Before it, it learns, and learns nothing in cells that it never meets
again; so it has buckets too: those of the table, or cells of another set besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holdem.abstraction.bucketing import HandBucketing, Table
from holdem.errors import MismatchError
from holdem.types import STREETS

_STREETS = len(STREETS) - 1


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of the streets before the river.

    Attributes:
        tables: by street, the cell of every canonical hand.
        counts: by street, how many there are.
        fingerprint: of the set that they are finer by; None if they are the table's buckets.
        path: where that set is kept, if it is.
    """

    tables: tuple[Table | NDArray[np.uint32], ...]
    counts: tuple[int, ...]
    fingerprint: str | None = None
    path: Path | None = None

    @classmethod
    def of_table(cls, bucketing: HandBucketing) -> Cells:
        """Return the buckets of the table that is trained."""
        return cls(bucketing.tables[:_STREETS], bucketing.num_buckets[:_STREETS])

    @classmethod
    def refined(cls, bucketing: HandBucketing, other: HandBucketing) -> Cells:
        """Return cells that tell apart whatever one of two sets does.

        Cells are numbered in the order of the first set's bucket, then of the other's.

        Raises:
            MismatchError: the other set has not all streets.
        """
        if len(other.tables) < _STREETS:
            raise MismatchError(
                f"the bucket set {other.path} covers {len(other.tables)} streets, and a responder "
                f"tells hands apart on {_STREETS}",
                "name a set of all streets by --responder-buckets, or leave it out",
            )
        tables, counts = [], []
        for table, finer in zip(bucketing.tables[:_STREETS], other.tables, strict=False):
            pairs = table.astype(np.uint64) << np.uint64(16) | finer
            found, cells = np.unique(pairs, return_inverse=True)
            tables.append(cells.astype(np.uint32))
            counts.append(len(found))
        return cls(tuple(tables), tuple(counts), other.fingerprint, other.path)

    @property
    def num_bytes(self) -> int:
        """Memory of the tables that are not a bucket set's."""
        return 0 if self.fingerprint is None else sum(table.nbytes for table in self.tables)
