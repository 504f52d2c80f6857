"""Hands up to suits, by trying all 24 renamings: slow and obvious."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

RENAMINGS = tuple(permutations(range(4)))

Hand = tuple[tuple[int, ...], tuple[int, ...]]


def renamed(cards: Sequence[int], suits: Sequence[int]) -> tuple[int, ...]:
    """The cards with suit s renamed to suits[s], in ascending order."""
    return tuple(sorted(card // 4 * 4 + suits[card % 4] for card in cards))


def orbit(hole: Sequence[int], board: Sequence[int]) -> set[Hand]:
    """Every hand that a renaming of the suits makes of this one."""
    return {(renamed(hole, suits), renamed(board, suits)) for suits in RENAMINGS}


def canonical(hole: Sequence[int], board: Sequence[int]) -> Hand:
    """The least of a hand's orbit: equal for two hands exactly when they are equal up to suits."""
    return min(orbit(hole, board))
