"""Cards, hole cards and preflop classes as numbers, and their names.

A card is rank * 4 + suit: ``2c`` is 0 and ``As`` is 51. Two hole cards a < b are hole
b * (b - 1) / 2 + a of 1,326. A preflop class (``AKs``) is the indexer's number of the hole
cards alone, 0 to 168, everywhere: charts, tables and buckets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from holdem._core import indexer
from holdem.errors import CardError

__all__ = [
    "CARD_NAMES",
    "CLASS_COMBOS",
    "CLASS_GRID",
    "CLASS_NAMES",
    "CLASS_OF_HOLE",
    "HOLES",
    "RANKS",
    "SUITS",
    "Card",
    "card_name",
    "cards_text",
    "class_index",
    "class_name",
    "class_of",
    "grid_position",
    "hole_cards",
    "hole_index",
    "hole_name",
    "parse_board",
    "parse_card",
    "parse_cards",
    "parse_hand",
]

Card: TypeAlias = int

RANKS = "23456789TJQKA"
SUITS = "cdhs"
CARD_NAMES = tuple(rank + suit for rank in RANKS for suit in SUITS)
_CARD_BY_NAME = {name: card for card, name in enumerate(CARD_NAMES)}
_BOARD_SIZES = (0, 3, 4, 5)


# ---- Cards -----------------------------------------------------------------------------------


def parse_card(text: str) -> Card:
    """Return the card named by *text*: ``"2c"`` is 0 and ``"As"`` is 51.

    Raises:
        CardError: *text* is not a rank followed by a suit.
    """
    try:
        return _CARD_BY_NAME[text]
    except KeyError:
        raise CardError(
            f"not a card: {text!r} (a rank from {RANKS}, then a suit from {SUITS}, as in 'Td')"
        ) from None


def parse_cards(text: str) -> tuple[Card, ...]:
    """Return the distinct cards named by *text*, in its order: ``"AhKh"`` or ``"Ah Kh"``.

    Raises:
        CardError: a name is not a card, or a card is named twice.
    """
    cards: list[Card] = []
    for word in text.split():
        for start in range(0, len(word), 2):
            card = parse_card(word[start : start + 2])
            if card in cards:
                raise CardError(
                    f"{CARD_NAMES[card]} is there twice in {text!r}: cards are distinct"
                )
            cards.append(card)
    return tuple(cards)


def parse_hand(text: str) -> tuple[Card, Card]:
    """Return the two hole cards named by *text*, in its order.

    Raises:
        CardError: *text* is not two distinct cards.
    """
    cards = parse_cards(text)
    if len(cards) != 2:
        raise CardError(f"{text!r} is {_count(len(cards))}: a hand is two, as in 'AhKh'")
    return cards[0], cards[1]


def parse_board(text: str) -> tuple[Card, ...]:
    """Return the board named by *text*, in its order; an empty text is the board preflop.

    Raises:
        CardError: *text* is not 0, 3, 4 or 5 distinct cards.
    """
    cards = parse_cards(text)
    if len(cards) not in _BOARD_SIZES:
        raise CardError(
            f"{text!r} is {_count(len(cards))}: a board is 0, 3, 4 or 5, as in 'QsJh2h'"
        )
    return cards


def card_name(card: Card) -> str:
    """Return the name of *card*: 51 is ``"As"``.

    Raises:
        CardError: *card* is not 0 to 51.
    """
    if not 0 <= card < len(CARD_NAMES):
        raise CardError(f"not a card: {card} (0 is {CARD_NAMES[0]}, 51 is {CARD_NAMES[51]})")
    return CARD_NAMES[card]


def cards_text(cards: Iterable[Card]) -> str:
    """Return the names of *cards* in one word, in their order: ``"AhKh"``."""
    return "".join(card_name(card) for card in cards)


def _count(num_cards: int) -> str:
    return "one card" if num_cards == 1 else f"{num_cards} cards"


# ---- Hole cards ------------------------------------------------------------------------------

HOLES: npt.NDArray[np.uint8] = np.array(
    [(low, high) for high in range(52) for low in range(high)], dtype=np.uint8
)
"""The two cards of each hole, the lower first: uint8 (1326, 2)."""
HOLES.flags.writeable = False


def hole_index(first: Card, second: Card) -> int:
    """Return the number of two hole cards, 0 to 1325, in whichever order.

    Raises:
        CardError: they are not two distinct cards.
    """
    low, high = sorted((first, second))
    if low == high:
        raise CardError(f"{card_name(low)} is there twice: hole cards are distinct")
    card_name(low)
    card_name(high)
    return high * (high - 1) // 2 + low


def hole_cards(hole: int) -> tuple[Card, Card]:
    """Return the two cards of a hole, the lower first.

    Raises:
        CardError: *hole* is not 0 to 1325.
    """
    if not 0 <= hole < len(HOLES):
        raise CardError(f"not a pair of hole cards: {hole} (they are 0 to {len(HOLES) - 1})")
    low, high = HOLES[hole].tolist()
    return low, high


def hole_name(hole: int) -> str:
    """Return the name of a hole, the higher card first: ``"AsKh"``."""
    return cards_text(reversed(hole_cards(hole)))


# ---- Preflop classes -------------------------------------------------------------------------


def _name_of_class(high: Card, low: Card) -> str:
    ranks = RANKS[high // 4] + RANKS[low // 4]
    if high // 4 == low // 4:
        return ranks
    return ranks + ("s" if high % 4 == low % 4 else "o")


CLASS_NAMES = tuple(
    _name_of_class(high, low) for high, low in indexer.unindex(0, np.arange(169)).tolist()
)
"""``22``, ``32o``, ``33`` .. ``AA``, ``32s`` .. ``AKs``: the indexer's order."""
_CLASS_BY_NAME = {name: number for number, name in enumerate(CLASS_NAMES)}

CLASS_OF_HOLE: npt.NDArray[np.uint8] = indexer.index(HOLES).astype(np.uint8)
"""The class of each hole: uint8 (1326,)."""
CLASS_OF_HOLE.flags.writeable = False

CLASS_COMBOS: npt.NDArray[np.int64] = np.bincount(CLASS_OF_HOLE, minlength=169).astype(np.int64)
"""How many holes each class has, 6, 4 or 12: int64 (169,)."""
CLASS_COMBOS.flags.writeable = False


def class_index(name: str) -> int:
    """Return the number of a preflop class from its name, as in ``"AKs"``.

    Raises:
        CardError: *name* is not a pair, or two falling ranks and ``s`` or ``o``.
    """
    try:
        return _CLASS_BY_NAME[name]
    except KeyError:
        raise CardError(
            f"not a preflop class: {name!r} (a pair as in 'TT', or two ranks from {RANKS}, "
            "the higher first, then 's' or 'o', as in 'AKs')"
        ) from None


def class_name(number: int) -> str:
    """Return the name of a preflop class from its number.

    Raises:
        CardError: *number* is not 0 to 168.
    """
    if not 0 <= number < len(CLASS_NAMES):
        raise CardError(f"not a preflop class: {number} (they are 0 to {len(CLASS_NAMES) - 1})")
    return CLASS_NAMES[number]


def class_of(first: Card, second: Card) -> int:
    """Return the preflop class of two hole cards, in whichever order.

    Raises:
        CardError: they are not two distinct cards.
    """
    return int(CLASS_OF_HOLE[hole_index(first, second)])


# ---- Charts ----------------------------------------------------------------------------------


def grid_position(number: int) -> tuple[int, int]:
    """Return where a preflop class stands on the usual chart, as (row, column) from 0.

    AA is at the top left and 22 at the bottom right; suited hands are right of the diagonal
    and offsuit hands below it.
    """
    name = class_name(number)
    high, low = (len(RANKS) - 1 - RANKS.index(rank) for rank in name[:2])
    return (low, high) if name.endswith("o") else (high, low)


def _class_grid() -> npt.NDArray[np.int64]:
    grid = np.empty((13, 13), dtype=np.int64)
    for number in range(len(CLASS_NAMES)):
        grid[grid_position(number)] = number
    grid.flags.writeable = False
    return grid


CLASS_GRID = _class_grid()
"""The class at each place of the chart: int64 (13, 13), so that ``values[CLASS_GRID]`` is one."""
