"""Strength of 5, 6 or 7 cards, by two table lookups."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

CATEGORIES: Final[tuple[str, ...]]
"""Names of the categories, worst first: ``"high"`` .. ``"royal"``."""

CATEGORY_SIZES: Final[tuple[int, ...]]
"""How many strengths each category has, in the order of `CATEGORIES`; 7,462 in all."""

def evaluate(
    cards: NDArray[np.uint8],
    out: NDArray[np.uint16] | None = None,
    *,
    instructions: Literal["scalar", "avx2", "avx512"] | None = None,
) -> NDArray[np.uint16]:
    """Return the strength of each row of 5, 6 or 7 distinct cards.

    Strengths are 1 .. 7462, dense and the same for 5, 6 and 7 cards: higher wins,
    equal splits.

    Args:
        cards: uint8, shape (n, 5), (n, 6) or (n, 7), C-contiguous; a card is
            rank * 4 + suit. The cards of a row are taken to be distinct: equal
            ones are not looked for and give a number without meaning.
        out: uint16, shape (n,); written and returned if given.
        instructions: one of `instruction_sets`, for tests and benchmarks; the best
            by default. The result is the same.

    Raises:
        CardError: a card is above 51, rows have another length, or *out* another.
    """

def count_strengths(num_cards: int) -> NDArray[np.int64]:
    """Return how many of all hands of 5, 6 or 7 cards have each strength.

    Every hand is evaluated; 0.1 s for the 133,784,560 of seven cards.

    Returns:
        int64, shape (7463,), by strength; element 0 is 0.

    Raises:
        CardError: *num_cards* is not 5, 6 or 7.
    """

def count_categories(num_cards: int) -> dict[str, int]:
    """Return `count_strengths` summed by category name.

    Raises:
        CardError: *num_cards* is not 5, 6 or 7.
    """

def category(strength: int) -> str:
    """Return the name of the category of *strength*.

    Raises:
        CardError: *strength* is not one of 1 .. 7462.
    """

def instruction_sets() -> tuple[str, ...]:
    """Return the instruction sets that `evaluate` can use on this processor, the best last."""
