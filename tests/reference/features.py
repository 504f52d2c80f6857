"""Features of hands by their definitions, one opponent at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations

from phevaluator import evaluate_cards

RANKS = "23456789TJQKA"
SUITS = "cdhs"


def cards_of(text: str) -> list[int]:
    """Cards in a text such as ``"AsKs"``."""
    return [RANKS.index(text[i]) * 4 + SUITS.index(text[i + 1]) for i in range(0, len(text), 2)]


def name(card: int) -> str:
    """The card's name: 51 is ``"As"``."""
    return RANKS[card // 4] + SUITS[card % 4]


def hole_index(hole: Sequence[int]) -> int:
    """Number of two cards among all pairs."""
    low, high = sorted(hole)
    return high * (high - 1) // 2 + low


def badness(hole: Iterable[int], board: Iterable[int]) -> int:
    """Rank of seven cards by an independent library; lower wins."""
    return evaluate_cards(*(name(card) for card in (*hole, *board)))


def outcomes(
    hole: Sequence[int], board: Sequence[int], opponents: Iterable[tuple[int, int]] | None = None
) -> tuple[int, int, int]:
    """How often the hand wins, ties and loses against *opponents*, all hole cards by default."""
    dead = {*hole, *board}
    mine = badness(hole, board)
    counts = [0, 0, 0]
    for other in opponents or combinations(range(52), 2):
        if not dead & set(other):
            theirs = badness(other, board)
            counts[0 if mine < theirs else 1 if mine == theirs else 2] += 1
    return counts[0], counts[1], counts[2]


def pot_share(won: int, tied: int, lost: int, num_opponents: int) -> Fraction:
    """Expected share of the pot against independent opponents, by how many of them tie.

    All must not beat us; with j ties the pot is split j + 1 ways.
    """
    from math import comb

    total = won + tied + lost
    win, tie = Fraction(won, total), Fraction(tied, total)
    return sum(
        (
            comb(num_opponents, j) * tie**j * win ** (num_opponents - j) / (j + 1)
            for j in range(num_opponents + 1)
        ),
        Fraction(0),
    )


def river_value(hole: Sequence[int], board: Sequence[int], num_opponents: int = 1) -> Fraction:
    """Share of the pot on a full board against random hole cards."""
    return pot_share(*outcomes(hole, board), num_opponents)


def run_out_values(hole: Sequence[int], board: Sequence[int]) -> list[Fraction]:
    """River values against one opponent over all ways to complete the board."""
    left = [card for card in range(52) if card not in {*hole, *board}]
    return [river_value(hole, [*board, *more]) for more in combinations(left, 5 - len(board))]


def cumulative_histogram(values: Iterable[Fraction], num_bins: int) -> list[int]:
    """How many values are in each bin of 0..1 or a lower one; 1 is in the last."""
    counts = [0] * num_bins
    for value in values:
        counts[min(int(value * num_bins), num_bins - 1)] += 1
    return [sum(counts[: i + 1]) for i in range(num_bins)]
