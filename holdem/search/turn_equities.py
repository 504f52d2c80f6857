"""What hands win of one another, all-in on a turn: exactly, by kinds of hands.

Two hands of the same ranks, whose suits no flush can be made of, win alike but for the cards that
they take from each other. So hands are joined by their ranks and by their cards of suits that
a flush can come in: with two of a suit on the board it takes two, with three or four one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from holdem._core.river import turn_margins
from holdem.game.cards import HOLES, Card

__all__ = ["TurnEquities", "turn_equities"]

_RIVERS = 44
"""That two hands on a turn leave."""


@dataclass(frozen=True, slots=True, eq=False)
class TurnEquities:
    """Shares of a pot that is all-in on a turn.

    Attributes:
        groups: int64 (1326,), the kind of each hole; 0 of those that share a card with the board.
        shares: float32 (kinds, kinds), what a hand of the first kind wins of one of the second,
            over all pairs that share no card and all rivers; 0.5 where there is no such pair.
    """

    groups: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float32]


def turn_equities(board: Sequence[Card]) -> TurnEquities:
    """Return the shares on a board of four cards; those of the last few boards are remembered.

    Raises:
        CardError: *board* is not four distinct cards.
    """
    return _turn_equities(tuple(sorted(board)))


@lru_cache(maxsize=8)
def _turn_equities(board: tuple[Card, ...]) -> TurnEquities:
    alive = np.flatnonzero(~np.isin(HOLES, board).any(axis=1))
    kinds = _kinds(HOLES[alive].astype(np.int64), np.array(board))
    order = np.argsort(kinds, kind="stable")
    _, starts, group = np.unique(kinds[order], return_index=True, return_inverse=True)
    holes = np.ascontiguousarray(HOLES[alive[order]])
    margins = turn_margins(board, holes)
    # At most sixteen hands are of a kind, and 44 rivers each: 16 bits will do.
    sums = np.add.reduceat(margins, starts, axis=0, dtype=np.int16)
    sums = np.add.reduceat(sums, starts, axis=1, dtype=np.int32)
    pairs = _compatible_pairs(holes, group, len(starts))
    shares = 0.5 + sums / (2 * _RIVERS * np.maximum(pairs, 1))
    groups = np.zeros(len(HOLES), np.int64)
    groups[alive[order]] = group
    return TurnEquities(groups, shares.astype(np.float32))


def _kinds(holes: npt.NDArray[np.int64], board: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A number for the ranks of each hole and for the cards that matter to a flush."""
    on_board = np.bincount(board % 4, minlength=4)
    suits = holes % 4
    counts = on_board[suits]
    both = (suits[:, :1] == suits[:, 1:]) & (counts >= 2)
    # 0 for a suit that does not matter, else 1 to 4.
    named = np.where(both | (counts >= 3), suits + 1, 0)
    cards = np.sort(holes // 4 * 5 + named, axis=1)
    return cards[:, 0] * 65 + cards[:, 1]


def _compatible_pairs(
    holes: npt.NDArray[np.uint8], group: npt.NDArray[np.int64], num_groups: int
) -> npt.NDArray[np.int64]:
    """How many pairs of hands of two groups share no card: (groups, groups)."""
    held = np.zeros((num_groups, 52), np.int64)
    np.add.at(held, (group[:, None], holes), 1)
    sizes = np.bincount(group)
    # A pair shares one card, but for a hand and itself, which share both.
    shared = held @ held.T - np.diag(sizes)
    pairs: npt.NDArray[np.int64] = np.outer(sizes, sizes) - shared
    return pairs
