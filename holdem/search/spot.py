"""A postflop situation to solve: board, pot, stacks, both ranges and the bets on offer.

A spot file is lines of ``name=value``: ``oop``, ``ip`` (ranges), ``board``, ``pot``,
``stack``, ``bet`` and ``raise`` (menus).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from holdem.errors import CardError, ConfigError, StorageError
from holdem.game.cards import Card, cards_text, parse_board
from holdem.game.menu import SizeKind, parse_size
from holdem.game.ranges import format_range, parse_range, without_cards
from holdem.types import MOST_CHIPS

__all__ = ["PLAYERS", "Menu", "Spot", "read_spot"]

PLAYERS = ("oop", "ip")
"""Player 0 is out of position: first to act on every street."""

T = TypeVar("T")

_SPOT_KEYS = ("oop", "ip", "board", "pot", "stack", "bet", "raise")
_MENU_LANGUAGE = "sizes are '50%' of the pot, '2.5x' the bet, '4c' chips, 'a' all-in, with commas"


@dataclass(frozen=True, slots=True)
class Menu:
    """The bets and raises on offer to both players.

    Attributes:
        streets: by street from the spot's own, then by how many bets and raises came before on
            it, the sizes, as in ``(("50%, a", "75%, a"),)``; see `holdem.game.menu`. The last text
            of a street serves all later raises, the last street all later ones.
    """

    streets: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, bets: str, raises: str) -> Menu:
        """Return the menu of these *bets*, and these *raises* facing one, on every street."""
        return cls(((bets, raises),))

    def __str__(self) -> str:
        """Return the texts: streets between semicolons, raises between slashes."""
        return "; ".join(" / ".join(texts) for texts in self.streets)

    def sizes(self, street: int, raises: int) -> tuple[tuple[SizeKind, int], ...]:
        """Return the sizes after so many bets and raises on a street as numbers.

        Raises:
            ConfigError: a size cannot be read, or is none that a subgame offers.
        """
        texts = self.streets[min(street, len(self.streets) - 1)]
        text = texts[min(raises, len(texts) - 1)] if texts else ""
        tokens = (token.strip() for token in text.split(","))
        try:
            sizes = tuple(parse_size(token) for token in tokens if token)
        except ConfigError as error:  # its remedy has sizes that a subgame does not offer
            raise ConfigError(f"menu {text!r}: {error}", _MENU_LANGUAGE) from None
        if any(kind == SizeKind.EVERY_CHIP for kind, _ in sizes):
            raise ConfigError(f"menu {text!r}: '*' would be too many bets", _MENU_LANGUAGE)
        if raises == 0 and any(kind == SizeKind.TIMES_BET for kind, _ in sizes):
            raise ConfigError(
                f"menu {text!r}: 'x' is a multiple of the bet faced, and no bet is faced",
                "use '%' of the pot for bets; 'x' is for raises",
            )
        return sizes

    def check(self) -> None:
        """Read every text.

        Raises:
            ConfigError: one cannot be used.
        """
        for street, texts in enumerate(self.streets):
            for raises in range(len(texts)):
                self.sizes(street, raises)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Spot:
    """A situation of two players after the flop, at the beginning of a street.

    Attributes:
        board: 3 to 5 cards.
        pot: chips in the middle, from before.
        stack: chips that each player has left.
        ranges: weights of the 1,326 holes, out of position first; holes that share a card
            with the board are taken out.
        menu: the bets on offer.
        least_bet: chips that a bet, and what a raise adds, has at least.
    """

    board: tuple[Card, ...]
    pot: int
    stack: int
    ranges: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
    menu: Menu
    least_bet: int = 1

    def __post_init__(self) -> None:
        if len(self.board) < 3:
            raise CardError(
                f"a board of {len(self.board)} cards: a subgame begins on flop, turn or river",
                "give 3, 4 or 5 cards, as in Ks7d2h",
            )
        for name, chips in (("pot", self.pot), ("stack", self.stack)):
            if not 1 <= chips <= MOST_CHIPS // 4:
                raise ConfigError(
                    f"{name} is {chips}, and must be a whole number of chips from 1 to "
                    f"{MOST_CHIPS // 4:,}",
                    f"give --{name} in whole chips",
                )
        self.menu.check()
        live = tuple(without_cards(weights, self.board) for weights in self.ranges)
        for name, weights in zip(PLAYERS, live, strict=True):
            if not weights.any():
                raise CardError(
                    f"the range --{name} has no hand left on {cards_text(self.board)}",
                    "give it hands that share no card with the board",
                )
        object.__setattr__(self, "ranges", live)

    def describe(self) -> dict[str, object]:
        """Return what `from_description` makes the same spot of, as JSON holds it."""
        return {
            "board": cards_text(self.board),
            "pot": self.pot,
            "stack": self.stack,
            "oop": format_range(self.ranges[0]),
            "ip": format_range(self.ranges[1]),
            "menu": [list(texts) for texts in self.menu.streets],
            "least_bet": self.least_bet,
        }

    @classmethod
    def from_description(cls, values: dict[str, Any]) -> Spot:
        """Return the spot that *values* describe: texts, or numbers for pot and stack.

        The menu is ``menu``, as `describe` gives it, or ``bet`` and ``raise``.

        Raises:
            CardError: board or ranges cannot be read, or leave no hand.
            ConfigError: pot, stack or menu cannot be used.
        """
        oop, ip = (_read(name, parse_range, values[name], "AA, AKs, T9s:0.5") for name in PLAYERS)
        menu = Menu.of(str(values.get("bet", "")), str(values.get("raise", "")))
        if "menu" in values:
            menu = Menu(tuple(tuple(texts) for texts in values["menu"]))
        return cls(
            board=_read("board", parse_board, values["board"], "Ks7d2h"),
            pot=_chips("pot", values["pot"]),
            stack=_chips("stack", values["stack"]),
            ranges=(oop, ip),
            menu=menu,
            least_bet=_chips("least_bet", values.get("least_bet", 1)),
        )


def _read(name: str, parse: Callable[[str], T], value: object, example: str) -> T:
    """Parse *value*; an error says which option it was, and how one is written."""
    try:
        return parse(str(value))
    except CardError as error:
        raise CardError(f"{name}: {error}", f"write {name} as in '{example}'") from None


def _chips(name: str, value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise ConfigError(
            f"{name} is {str(value)!r}, and must be a whole number of chips",
            f"write {name} as in 100",
        ) from None


def read_spot(path: Path) -> dict[str, object]:
    """Return the values of a spot file by name, those that it has.

    Raises:
        StorageError: it cannot be read.
        ConfigError: a line is not ``name=value``, or a name is unknown or there twice.
    """
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise StorageError(
            f"cannot read {path}: {reason}", "give --spot a text file of name=value lines"
        ) from None
    values: dict[str, object] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        name = name.strip()
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals or name not in _SPOT_KEYS or name in values:
            raise ConfigError(
                f"{path}, line {number}: {line[:40]!r}",
                f"each of {', '.join(_SPOT_KEYS)} once, as in pot=100",
            )
        values[name] = value.strip()
    return values
