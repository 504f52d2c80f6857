"""Equities the slow way: deal every board and every opponent's hand, compare, count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations

from tests.reference import evaluator

Cards = Sequence[int]


@cache
def _strength(cards: frozenset[int]) -> int:
    return evaluator.strength(sorted(cards))


def strength(hole: Cards, board: Cards) -> int:
    """Return the strength of two hole cards on a board of 3 to 5."""
    return _strength(frozenset([*hole, *board]))


def deck_without(*dealt: Cards) -> list[int]:
    """Return the cards that are not dealt."""
    gone = {card for cards in dealt for card in cards}
    return [card for card in range(52) if card not in gone]


def run_outs(board: Cards, *dealt: Cards) -> Iterator[tuple[int, ...]]:
    """Yield every full board that begins with *board*."""
    for more in combinations(deck_without(board, *dealt), 5 - len(board)):
        yield (*board, *more)


def equity(hands: Sequence[Cards], board: Cards) -> tuple[list[int], list[int], list[Fraction]]:
    """Return boards won and tied by each hand, and its share of the pot, over all run-outs."""
    wins, ties = [0] * len(hands), [0] * len(hands)
    shares = [Fraction(0)] * len(hands)
    boards = list(run_outs(board, *hands))
    for full in boards:
        found = [strength(hand, full) for hand in hands]
        best = [player for player, value in enumerate(found) if value == max(found)]
        for player in best:
            shares[player] += Fraction(1, len(best) * len(boards))
            if len(best) == 1:
                wins[player] += 1
            else:
                ties[player] += 1
    return wins, ties, shares


def against_random(hole: Cards, board: Cards) -> tuple[int, int, int]:
    """Return how often *hole* wins and ties on *board* as it is, and how many hands it meets."""
    own = strength(hole, board)
    others = [strength(other, board) for other in combinations(deck_without(hole, board), 2)]
    return sum(own > other for other in others), others.count(own), len(others)


def hand_strength(hole: Cards, board: Cards) -> tuple[list[Fraction], Fraction]:
    """Return the river equities of all run-outs, and the hand's strength on the board now."""
    wins, ties, total = against_random(hole, board)
    now = Fraction(2 * wins + ties, 2 * total)
    counts = [against_random(hole, full) for full in run_outs(board, hole)]
    return [Fraction(2 * w + t, 2 * n) for w, t, n in counts], now


def range_equity(
    first: dict[tuple[int, int], float], second: dict[tuple[int, int], float], board: Cards
) -> tuple[float, float, float]:
    """Return weights of wins, ties and meetings of two ranges, from hand to weight."""
    win = tie = total = 0.0
    for hole, weight in first.items():
        for other, other_weight in second.items():
            if len({*hole, *other, *board}) < 4 + len(board):
                continue
            wins, ties, _ = equity([hole, other], board)
            boards = len(list(run_outs(board, hole, other)))
            win += weight * other_weight * wins[0]
            tie += weight * other_weight * ties[0]
            total += weight * other_weight * boards
    return win, tie, total
