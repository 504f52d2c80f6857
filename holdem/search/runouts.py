"""The next cards of a board, those that a renaming of suits makes alike dealt once.

Two cards are alike if some renaming of the four suits turns one into the other, keeps the
board and keeps both ranges, weight by weight. What one of them leads to is then known
from the other by renaming the hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from holdem.game.cards import HOLES, Card

__all__ = ["Dealing", "Renaming", "runouts"]

Dealing: TypeAlias = tuple[
    npt.NDArray[np.int32], npt.NDArray[np.uint8], npt.NDArray[np.int32], npt.NDArray[np.uint8]
]
"""Parents, cards, first maps and renamings: see `holdem._core.range_boards.RangeBoards`."""

Renaming: TypeAlias = tuple[int, ...]
"""The new name of each of the four suits."""


def runouts(
    board: Sequence[Card],
    ranges: Sequence[npt.NDArray[np.float32]],
    num_cards: int | None = None,
    *,
    alike: bool = True,
) -> list[Dealing]:
    """Return how the streets after *board* are dealt.

    Args:
        board: 3 to 5 cards.
        ranges: both players' weights of the 1,326 holes.
        num_cards: how many streets; by default as many as there are.
        alike: deal alike cards once; else every card by itself.
    """
    num_cards = 5 - len(board) if num_cards is None else num_cards
    if not num_cards:
        return []
    everything = [r for r in permutations(range(4)) if alike or r == (0, 1, 2, 3)]
    keeping = [r for r in everything if _keeps(r, ranges)]
    boards = [(tuple(board), [r for r in keeping if _renamed(r, board) == set(board)])]
    dealings = []
    for _ in range(num_cards):
        parents: list[int] = []
        cards: list[int] = []
        first_maps = [0]
        renamings: list[Renaming] = []
        following = []
        for number, (known, symmetries) in enumerate(boards):
            left = [card for card in range(52) if card not in known]
            while left:
                card = left[0]
                maps = {next(iter(_renamed(r, [card]))): r for r in reversed(symmetries)}
                maps[card] = (0, 1, 2, 3)
                order = [card, *sorted(set(maps) - {card})]
                left = [other for other in left if other not in maps]
                parents.append(number)
                cards.append(card)
                renamings += [maps[other] for other in order]
                first_maps.append(len(renamings))
                fixing = [r for r in symmetries if _renamed(r, [card]) == {card}]
                following.append(((*known, card), fixing))
        dealings.append(
            (
                np.array(parents, np.int32),
                np.array(cards, np.uint8),
                np.array(first_maps, np.int32),
                np.array(renamings, np.uint8),
            )
        )
        boards = following
    return dealings


def _renamed(renaming: Renaming, cards: Sequence[Card]) -> set[Card]:
    return {card - card % 4 + renaming[card % 4] for card in cards}


def _keeps(renaming: Renaming, ranges: Sequence[npt.NDArray[np.float32]]) -> bool:
    """Whether both ranges give a hand and the renamed one the same weight."""
    cards = HOLES.astype(np.int64)
    after = np.sort(cards - cards % 4 + np.array(renaming)[cards % 4], axis=1)
    places = after[:, 1] * (after[:, 1] - 1) // 2 + after[:, 0]
    return all(np.array_equal(weights, weights[places]) for weights in ranges)
