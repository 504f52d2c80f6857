"""A bucket set: which bucket every hand of the full deck falls into, street by street.

A set is a folder of kind ``buckets`` with these arrays, *street* being ``preflop``,
``flop``, ``turn`` or ``river`` as far as the set goes:

| array | dtype, shape | holds |
|---|---|---|
| ``table_<street>`` | uint8 or uint16 (hands,) | the bucket, by hand index |
| ``centres_<street>`` | int16 (k, dims) | the points that the buckets are nearest to |
| ``tally_<street>`` | int64 (k, 4) | canonical hands, real hands, sums of equity and its square |
| ``groups`` | uint8 (169,) | group of opponents of each preflop class |
| ``preflop_equities`` | float64 (169, 169) | exact equity of class against class |

Equities in a tally are in units of 1/32768. Flop to river, buckets are in order of the mean equity
of the sample that they were made of, which all hands follow but for close ones; where a street
tells kinds of boards apart, among the buckets of one kind, which follow one another. Preflop,
bucket = class where there are 169, else likewise.
"""

from __future__ import annotations

import dataclasses
import hashlib
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from holdem import storage
from holdem._core import indexer
from holdem._core.features import EQUITY_ONE
from holdem.errors import CardError, StorageError
from holdem.types import CANONICAL_HANDS, STREETS, BucketConfig

KIND = "buckets"

Table = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class StreetSummary:
    """How the buckets of one street came out.

    Attributes:
        street: its name.
        num_buckets: how many there are.
        num_empty: how many hold no hand.
        canonical_hands: how many hands were assigned.
        smallest, median, largest: shares of all real hands in one bucket.
        total_variance: of the equity of a random real hand.
        within_variance: its mean within a bucket.
    """

    street: str
    num_buckets: int
    num_empty: int
    canonical_hands: int
    smallest: float
    median: float
    largest: float
    total_variance: float
    within_variance: float

    @property
    def explained(self) -> float:
        """Share of the variance of equity that the bucket tells: 1 if it tells all."""
        if self.total_variance == 0:
            return 1.0
        return 1.0 - self.within_variance / self.total_variance


class HandBucketing:
    """The bucket of every hand; see the module for what a set holds.

    Attributes:
        config: how the set was made.
        tables: by street, uint8 or uint16 of shape (169,), (1286792,), (13960050,) and
            (123156254,): the bucket by hand index. Read-only; maps of the files if loaded.
        preflop_equities: float64, shape (169, 169), exact equity of class against class.
        fingerprint: 64 hex digits of what the tables hold; equal sets have equal ones.
        path: the folder it was loaded from or saved to last; None if neither.
    """

    def __init__(
        self,
        config: BucketConfig,
        arrays: Mapping[str, npt.NDArray[Any]],
        *,
        fingerprint: str | None = None,
        path: Path | None = None,
    ) -> None:
        """Make a set of the arrays named in the module's table.

        Args:
            config: how they were made.
            arrays: by name.
            fingerprint: if it is known; computed from the tables otherwise.
            path: where they came from.

        Raises:
            StorageError: an array is missing or has the wrong shape or dtype, or, where no
                fingerprint is given, a table holds buckets that there are not.
        """
        self.config = config
        self.path = path
        self._arrays = dict(arrays)
        _check_arrays(config, self._arrays, path)
        if fingerprint is None:  # else they are known
            _check_values(config, self._arrays, path)
        self.tables: tuple[Table, ...] = tuple(
            self._arrays[f"table_{street}"] for street in STREETS[: config.num_streets]
        )
        self.preflop_equities: npt.NDArray[np.float64] = self._arrays["preflop_equities"]
        self.fingerprint = fingerprint or _fingerprint(config, self._arrays)

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Return the set in the folder *path*, its tables mapped and not read.

        Args:
            path: a folder that `save` or ``holdem buckets`` wrote.
            verify: compare every byte with its checksum: 0.1 to 0.3 s for the full deck.

        Raises:
            StorageError: the folder is missing, damaged, foreign or not a bucket set.
        """
        folder = storage.read_folder(path, KIND, verify=verify)
        config = config_from_metadata(folder.metadata, folder.path)
        fingerprint = str(folder.metadata.get("fingerprint"))
        bucketing = cls(config, folder.arrays, fingerprint=fingerprint, path=folder.path)
        if verify:
            _check_values(config, folder.arrays, folder.path)
        return bucketing

    def save(self, path: Path | str) -> None:
        """Write the set as the folder *path*, all of it or nothing.

        Raises:
            StorageError: it cannot be written, or the disk is full.
        """
        metadata = {"config": dataclasses.asdict(self.config), "fingerprint": self.fingerprint}
        storage.write_folder(path, self._arrays, metadata, kind=KIND)
        self.path = Path(path)

    @property
    def num_buckets(self) -> tuple[int, ...]:
        """Buckets of each street that the set covers."""
        return self.config.bucket_counts[: self.config.num_streets]

    @property
    def num_streets(self) -> int:
        """Streets that the set covers, from preflop on."""
        return self.config.num_streets

    def bucket(self, hole: Sequence[int], board: Sequence[int] = ()) -> int:
        """Return the bucket of two hole cards on a board of 0, 3, 4 or 5 cards.

        Raises:
            CardError: not two and 0, 3, 4 or 5 distinct cards, or a street that the
                set does not cover.
        """
        cards = [operator.index(card) for card in (*hole, *board)]
        if len(hole) != 2 or len(board) not in (0, 3, 4, 5):
            raise CardError(
                f"2 hole cards and a board of 0, 3, 4 or 5, not {len(hole)} and {len(board)}"
            )
        if len(set(cards)) < len(cards) or not all(0 <= card < 52 for card in cards):
            raise CardError(f"cards must be distinct numbers 0 to 51, not {cards}")
        street = max(0, len(board) - 2)
        if street >= self.num_streets:
            raise CardError(
                f"{self.path or 'this bucket set'} ends before the {STREETS[street]}",
                "use a set that covers it: holdem buckets --out PATH",
            )
        row = np.array([cards], np.uint8)
        return int(self.tables[street][indexer.index(row)[0]])

    def centres(self, street: int) -> npt.NDArray[np.int16]:
        """Return the centres of a street's buckets, int16 of shape (k, dims).

        Raises:
            StorageError: the set was made of arrays without them.
        """
        name = f"centres_{STREETS[street]}"
        if name not in self._arrays:
            raise StorageError(
                f"{self.path or 'the bucket set'} has no {name}",
                "make a bucket set with: holdem buckets --out PATH",
            )
        return self._arrays[name]

    def tally(self, street: int) -> npt.NDArray[np.int64]:
        """Return what a street's buckets hold, int64 of shape (k, 4); see the module."""
        return self._arrays[f"tally_{STREETS[street]}"]

    @property
    def groups(self) -> npt.NDArray[np.uint8]:
        """Group of opponents of each preflop class, uint8 of shape (169,), weakest first."""
        return self._arrays["groups"]

    def mean_equities(self, street: int) -> npt.NDArray[np.float64]:
        """Return the mean equity of each bucket of *street*; NaN where it is empty."""
        tally = self.tally(street)
        means = np.full(len(tally), np.nan)
        held = tally[:, 1] > 0
        means[held] = tally[held, 2] / (tally[held, 1] * EQUITY_ONE)
        return means

    def summary(self, street: int) -> StreetSummary:
        """Return the sizes of a street's buckets and how well they separate equities."""
        tally = self.tally(street)
        # Python's integers: squares of the sums do not fit 64 bits.
        rows = [[int(number) for number in row] for row in tally]
        hands = max(sum(row[1] for row in rows), 1)
        unit = EQUITY_ONE**2
        squares = sum(row[3] for row in rows)
        between = sum(row[2] ** 2 / row[1] for row in rows if row[1])
        shares = tally[:, 1] / hands
        return StreetSummary(
            street=STREETS[street],
            num_buckets=len(tally),
            num_empty=int((tally[:, 1] == 0).sum()),
            canonical_hands=int(tally[:, 0].sum()),
            smallest=float(shares.min()),
            median=float(np.median(shares)),
            largest=float(shares.max()),
            total_variance=(squares - sum(row[2] for row in rows) ** 2 / hands) / hands / unit,
            within_variance=max(0.0, (squares - between) / hands / unit),
        )


def config_from_metadata(metadata: Mapping[str, Any], path: Path) -> BucketConfig:
    """Return the config that the set at *path* remembers.

    Raises:
        StorageError: it remembers none that this version understands.
    """
    try:
        return BucketConfig(**metadata["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"{path} does not say how its buckets were made: {error}",
            "make a bucket set with: holdem buckets --out PATH",
        ) from error


def table_dtype(num_buckets: int) -> type[np.uint8] | type[np.uint16]:
    """Return the smallest dtype for numbers below *num_buckets*."""
    return np.uint8 if num_buckets <= 256 else np.uint16


def _check_arrays(
    config: BucketConfig, arrays: Mapping[str, npt.NDArray[Any]], path: Path | None
) -> None:
    """Raise unless the arrays are those that *config* announces."""
    wanted: dict[str, tuple[tuple[int, ...], npt.DTypeLike]] = {
        "preflop_equities": ((CANONICAL_HANDS[0],) * 2, np.float64),
        "groups": ((CANONICAL_HANDS[0],), np.uint8),
    }
    for street in range(config.num_streets):
        k = config.bucket_counts[street]
        wanted[f"table_{STREETS[street]}"] = ((CANONICAL_HANDS[street],), table_dtype(k))
        wanted[f"tally_{STREETS[street]}"] = ((k, 4), np.int64)
    for name, (shape, dtype) in wanted.items():
        found = arrays.get(name)
        if found is None or found.shape != shape or found.dtype != np.dtype(dtype):
            what = "missing" if found is None else f"{found.dtype} of shape {found.shape}"
            raise StorageError(
                f"{path or 'the bucket set'}: {name} is {what}, "
                f"wanted {np.dtype(dtype)} of shape {shape}",
                "make a bucket set with: holdem buckets --out PATH",
            )


def _check_values(
    config: BucketConfig, arrays: Mapping[str, npt.NDArray[Any]], path: Path | None
) -> None:
    """Raise if a table, of 20 ms to read, holds numbers beyond those of its buckets."""
    for street in range(config.num_streets):
        name, k = f"table_{STREETS[street]}", config.bucket_counts[street]
        largest = int(arrays[name].max())
        if largest >= k:
            raise StorageError(
                f"{path or 'the bucket set'}: {name} has a hand in bucket {largest:,} of {k:,}, "
                "which are numbered from 0",
                "make a bucket set with: holdem buckets --out PATH",
            )


def _fingerprint(config: BucketConfig, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the SHA-256 of the tables and the equities, as 64 hex digits."""
    digest = hashlib.sha256()
    for street in range(config.num_streets):
        table = arrays[f"table_{STREETS[street]}"]
        digest.update(f"{STREETS[street]} {config.bucket_counts[street]} {table.dtype}".encode())
        digest.update(np.ascontiguousarray(table).data)
    digest.update(np.ascontiguousarray(arrays["preflop_equities"]).data)
    return digest.hexdigest()


def join_buckets(
    bucketing: HandBucketing | None, street: int, num_buckets: int, most: int
) -> npt.NDArray[np.uint16]:
    """Return the group of each bucket of a street, (num_buckets,): neighbours in strength together.

    Args:
        bucketing: the set; None in games of one card, where neighbours are those by number.
        street: of the buckets.
        num_buckets: of the street.
        most: groups at most, which are as large as one another.
    """
    order = np.arange(num_buckets)
    if bucketing is not None:
        # Numbers alone do not say it: each kind of boards has its own, from the weakest on.
        order = np.argsort(bucketing.mean_equities(street), kind="stable")
    groups = np.empty(num_buckets, np.uint16)
    groups[order] = np.arange(num_buckets) * min(most, num_buckets) // num_buckets
    return groups
