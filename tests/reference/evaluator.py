"""Strength of a hand the slow way: name its category, or try every five of its cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import combinations, combinations_with_replacement

CATEGORIES = (
    "high",
    "pair",
    "two_pair",
    "trips",
    "straight",
    "flush",
    "full_house",
    "quads",
    "straight_flush",
    "royal",
)
_BY_SHAPE = {
    (1, 1, 1, 1, 1): "high",
    (2, 1, 1, 1): "pair",
    (2, 2, 1): "two_pair",
    (3, 1, 1): "trips",
    (3, 2): "full_house",
    (4, 1): "quads",
}
_WHEEL = [12, 3, 2, 1, 0]

Value = tuple[int, tuple[int, ...]]


def value_of_ranks(ranks: Sequence[int], *, suited: bool) -> Value:
    """Return a value that orders five cards: the category, then the ranks that settle ties."""
    # The larger groups count first, then the higher ranks.
    groups = sorted(Counter(ranks).items(), key=lambda group: (-group[1], -group[0]))
    order = [rank for rank, _ in groups]
    name = _BY_SHAPE[tuple(count for _, count in groups)]
    if name == "high":
        if order == _WHEEL:
            order = [3]
            name = "straight"
        elif order[0] - order[4] == 4:
            order = order[:1]
            name = "straight"
        if suited:
            name = "flush" if name == "high" else "straight_flush"
        if name == "straight_flush" and order == [12]:
            name = "royal"
    return CATEGORIES.index(name), tuple(order)


@cache
def strengths() -> dict[Value, int]:
    """Return the strength of each of the 7,462 values that five cards can have, worst 1."""
    values = {
        value_of_ranks(ranks, suited=False)
        for ranks in combinations_with_replacement(range(13), 5)
        if max(Counter(ranks).values()) <= 4
    }
    values |= {value_of_ranks(ranks, suited=True) for ranks in combinations(range(13), 5)}
    return {value: strength for strength, value in enumerate(sorted(values), start=1)}


@lru_cache(1 << 18)
def value(five: tuple[int, ...]) -> Value:
    """Return the value of five cards."""
    return value_of_ranks([card // 4 for card in five], suited=len({c % 4 for c in five}) == 1)


def strength(cards: Sequence[int]) -> int:
    """Return the strength of the best five of *cards*, 1 to 7,462."""
    return strengths()[max(value(five) for five in combinations(cards, 5))]


def category(cards: Sequence[int]) -> str:
    """Return the category of the best five of *cards*."""
    return CATEGORIES[max(value(five) for five in combinations(cards, 5))[0]]
