"""The bet menu language: texts such as ``"50%, 2.5x, a"`` as arrays of numbers.

A text is a list of sizes between commas:

========  =====================================================================
``50%``   bet half the pot; facing a bet, raise by half of the pot after calling
``2.5x``  raise to 2.5 times the bet faced; without one, 2.5 big blinds
``4c``    bet, or raise by, 4 chips
``a``     all-in
``*``     every whole number of chips that the rules allow
``!call`` facing a bet, raise or fold: no call (it stays where no raise is possible)
========  =====================================================================

Halves of a chip round up. A size below the least legal raise becomes that raise, one
above the stack becomes all-in, and sizes that come out equal are one action. An empty
text offers no raise. Training walks decisions of up to 16 actions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from holdem.errors import ConfigError
from holdem.types import STREETS, BetMenu

LANGUAGE = (
    "sizes are '50%' of the pot, '2.5x' the bet, '4c' chips, 'a' all-in, '*' every number of "
    "chips and '!call' for no call, with commas between them"
)

MILLION = 1_000_000


class SizeKind(IntEnum):
    """How a size is measured; the compiled core has the same numbers."""

    SHARE_OF_POT = 0
    """In millionths of the pot after calling."""
    TIMES_BET = 1
    """In millionths of the bet faced."""
    CHIPS = 2
    WHOLE_STACK = 3
    EVERY_CHIP = 4


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MenuArrays:
    """A bet menu as numbers.

    Street *s* has the texts ``street_texts[s]`` to ``street_texts[s + 1] - 1``, and text
    *t* the sizes ``text_sizes[t]`` to ``text_sizes[t + 1] - 1``.
    """

    street_texts: NDArray[np.int32]
    text_sizes: NDArray[np.int32]
    keeps_call: NDArray[np.uint8]
    """By text: 0 if it holds ``!call``."""
    size_kinds: NDArray[np.uint8]
    size_amounts: NDArray[np.int64]
    """By size: millionths or chips, see `SizeKind`; 0 where the kind says all."""


# A number's last decimal is a millionth of the pot or of the bet.
_SIZE = re.compile(r"([0-9]{1,10}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})\s*([%xc])")
_WORDS = {"a": SizeKind.WHOLE_STACK, "*": SizeKind.EVERY_CHIP}
_UNITS = {
    "%": (SizeKind.SHARE_OF_POT, MILLION // 100),
    "x": (SizeKind.TIMES_BET, MILLION),
    "c": (SizeKind.CHIPS, 1),
}
# A thousand pots or bets: within it no product of the compiled core overflows.
_MOST = {"%": 100_000, "x": 1_000, "c": 2**31 - 1}
_MOST_SIZES = 64


def parse_menu(menu: BetMenu) -> MenuArrays:
    """Read every text of *menu*.

    Raises:
        ConfigError: with every token that cannot be read, and the language.
    """
    faults: list[str] = []
    street_texts, text_sizes, keeps_call = [0], [0], []
    sizes: list[tuple[SizeKind, int]] = []
    for street, texts in enumerate(menu.streets):
        # A street without any text offers no bet, like one with an empty text.
        for order, text in enumerate(texts or ("",)):
            where = f"{STREETS[street]}, text {order + 1}"
            tokens = [token.strip() for token in text.split(",")] if text.strip() else []
            if len(tokens) > _MOST_SIZES:
                faults.append(f"{len(tokens)} sizes ({where}; at most {_MOST_SIZES})")
            for token in tokens:
                if token == "!call":
                    continue
                try:
                    sizes.append(parse_size(token))
                except ConfigError as error:
                    faults.append(f"{error} ({where})")
            text_sizes.append(len(sizes))
            keeps_call.append("!call" not in tokens)
        street_texts.append(len(keeps_call))
    if faults:
        raise ConfigError("bet menu: " + "; ".join(faults), LANGUAGE)
    return MenuArrays(
        street_texts=np.array(street_texts, np.int32),
        text_sizes=np.array(text_sizes, np.int32),
        keeps_call=np.array(keeps_call, np.uint8),
        size_kinds=np.array([kind for kind, _ in sizes], np.uint8),
        size_amounts=np.array([amount for _, amount in sizes], np.int64),
    )


def parse_size(token: str) -> tuple[SizeKind, int]:
    """Read one size: ``"50%"`` is ``(SizeKind.SHARE_OF_POT, 500_000)``.

    Raises:
        ConfigError: *token* is none of the language.
    """
    if token in _WORDS:
        return _WORDS[token], 0
    match = _SIZE.fullmatch(token)
    if match is None:
        raise ConfigError(f"not a bet size: {token!r}", LANGUAGE)
    number, unit = Decimal(match[1]), match[2]
    kind, per_one = _UNITS[unit]
    amount = number * per_one
    if amount != int(amount):
        wanted = "a whole number of chips" if unit == "c" else "fewer decimals"
        raise ConfigError(f"not a bet size: {token!r} needs {wanted}", LANGUAGE)
    if not 0 < number <= _MOST[unit]:
        raise ConfigError(
            f"not a bet size: {token!r} is not above 0 and at most {_MOST[unit]}{unit}", LANGUAGE
        )
    return kind, int(amount)
