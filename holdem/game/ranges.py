"""Ranges of hole cards in the syntax players write, as weights and back.

    AA  AKs  AKo  AK           a pair; suited, offsuit, both
    AhKh                       one combination
    22+  ATs+  ATo+  AT+       up to AA; up to the highest kicker
    99-66  A5s-A2s  T9s-76s    a run of pairs, of kickers, of hands with one gap
    random  *                  every hand
    T9o:0.5                    any of these with a weight from 0 to 1

Items are separated by commas or blanks. Where two name the same hand the later one counts, so
``random, 72o:0`` is every hand but 72o.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from holdem.errors import CardError
from holdem.game.cards import (
    CLASS_COMBOS,
    CLASS_OF_HOLE,
    HOLES,
    RANKS,
    Card,
    class_index,
    hole_index,
    hole_name,
    parse_card,
)

__all__ = ["format_range", "parse_range", "without_cards"]

Weights = npt.NDArray[np.float32]

_ITEM = re.compile(r"[^,\s]+")
_HAND = re.compile(rf"([{RANKS}])([{RANKS}])([so]?)")
_COMBO = re.compile(rf"(?:[{RANKS}][cdhs]){{2}}")
_WEIGHT = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
_EVERY_HAND = ("random", "*")
_EXAMPLES = "as in AA, AKs, AK, AhKh, 22+, ATs+, A5s-A2s or random"

# A hand of an item: its ranks, the higher first, and "s", "o" or "" for both or for a pair.
_Hand = tuple[int, int, str]


# ---- Text to weights -------------------------------------------------------------------------


def parse_range(text: str) -> Weights:
    """Return the weight of each hole in a range: float32 (1326,), from 0 to 1.

    An empty text is the range of no hands.

    Raises:
        CardError: an item is none of those in the module's table; the message names it and
            its column, counted from 1.
    """
    weights = np.zeros(len(HOLES), dtype=np.float32)
    for match in _ITEM.finditer(text):
        try:
            hands, colon, weight = match[0].partition(":")
            weights[_holes_of(hands)] = _parse_weight(weight) if colon else 1.0
        except _ItemError as problem:
            raise CardError(
                f"range item {match[0]!r} at column {match.start() + 1}: {problem}"
            ) from None
    return weights


class _ItemError(Exception):
    """What is wrong with an item; `parse_range` adds which item and where."""


def _parse_weight(text: str) -> np.float32:
    if not _WEIGHT.fullmatch(text) or not 0 <= float(text) <= 1:
        raise _ItemError(f"a weight is a number from 0 to 1, not {text!r}")
    return np.float32(text)


def _holes_of(text: str) -> npt.NDArray[np.int64]:
    """The holes that an item without its weight names."""
    if text in _EVERY_HAND:
        return np.arange(len(HOLES))
    if _COMBO.fullmatch(text):
        first, second = parse_card(text[:2]), parse_card(text[2:])
        if first == second:
            raise _ItemError(f"{text[:2]} is there twice")
        return np.array([hole_index(first, second)])
    if text.endswith("+"):
        hands = _up_from(_parse_hand(text[:-1]))
    elif "-" in text:
        first_hand, _, last_hand = text.partition("-")
        hands = _run(_parse_hand(first_hand), _parse_hand(last_hand))
    else:
        hands = [_parse_hand(text)]
    classes = [number for hand in hands for number in _classes_of(hand)]
    return np.flatnonzero(np.isin(CLASS_OF_HOLE, classes))


def _parse_hand(text: str) -> _Hand:
    match = _HAND.fullmatch(text)
    if not match:
        raise _ItemError(f"{text!r} is no hand ({_EXAMPLES})")
    high, low = sorted((RANKS.index(match[1]), RANKS.index(match[2])), reverse=True)
    if high == low and match[3]:
        raise _ItemError(f"a pair is neither suited nor offsuit: write {match[1]}{match[2]}")
    return high, low, match[3]


def _up_from(hand: _Hand) -> list[_Hand]:
    high, low, kind = hand
    if high == low:
        return [(rank, rank, "") for rank in range(low, len(RANKS))]
    return [(high, kicker, kind) for kicker in range(low, high)]


def _run(first: _Hand, last: _Hand) -> list[_Hand]:
    (high, low, kind), (last_high, last_low, last_kind) = sorted((first, last))
    if kind == last_kind and (high == low) == (last_high == last_low):
        if high == last_high:
            return [(high, kicker, kind) for kicker in range(low, last_low + 1)]
        if last_high - high == last_low - low:
            return [(high + i, low + i, kind) for i in range(last_high - high + 1)]
    raise _ItemError(
        "a run joins two pairs, or two hands both suited or both offsuit with the same high card "
        "or the same gap, as in 99-66, A5s-A2s or T9s-76s"
    )


def _classes_of(hand: _Hand) -> Iterator[int]:
    high, low, kind = hand
    ranks = RANKS[high] + RANKS[low]
    for suffix in ("",) if high == low else kind or "so":
        yield class_index(ranks + suffix)


# ---- Weights to text -------------------------------------------------------------------------


def format_range(weights: npt.NDArray[np.floating]) -> str:
    """Return a short text that `parse_range` reads as these weights, bit for bit in float32.

    Args:
        weights: (1326,), from 0 to 1.

    Raises:
        CardError: *weights* are of another shape, or one is not from 0 to 1.
    """
    array = np.asarray(weights, dtype=np.float32)
    if array.shape != (len(HOLES),):
        raise CardError(f"weights of shape {array.shape}: a range has ({len(HOLES)},)")
    bad = np.flatnonzero(~((array >= 0) & (array <= 1)))
    if bad.size:
        raise CardError(f"{hole_name(int(bad[0]))} has weight {array[bad[0]]}: wanted 0 to 1")
    if array[0] > 0 and (array == array[0]).all():
        return "random" + _weight_text(array[0])

    whole = _weights_of_whole_classes(array)
    items = list(_pair_items(whole))
    for high in range(len(RANKS) - 1, 0, -1):
        items += _kicker_items(whole, high)
    split = np.isnan(whole)[CLASS_OF_HOLE] & (array > 0)
    for hole in np.flatnonzero(split)[::-1].tolist():
        items.append(hole_name(hole) + _weight_text(array[hole]))
    return ",".join(items)


def _weights_of_whole_classes(weights: Weights) -> Weights:
    """The weight that all holes of a class share; NaN where they differ. Float32 (169,)."""
    least = np.full(len(CLASS_COMBOS), np.inf, dtype=np.float32)
    most = np.zeros(len(CLASS_COMBOS), dtype=np.float32)
    np.minimum.at(least, CLASS_OF_HOLE, weights)
    np.maximum.at(most, CLASS_OF_HOLE, weights)
    return np.where(least == most, most, np.float32(np.nan))


def _pair_items(whole: Weights) -> Iterator[str]:
    names = [rank * 2 for rank in reversed(RANKS)]
    for item, weight in _runs(names, whole):
        yield item + _weight_text(weight)


def _kicker_items(whole: Weights, high: int) -> Iterator[str]:
    """The items of all hands with this high card; suited and offsuit in one where they agree."""
    suited, offsuit = (
        dict(_runs([RANKS[high] + RANKS[low] + kind for low in range(high - 1, -1, -1)], whole))
        for kind in "so"
    )
    for item, weight in suited.items():
        twin = item.replace("s", "o")
        if offsuit.get(twin) == weight:
            del offsuit[twin]
            item = item.replace("s", "")
        yield item + _weight_text(weight)
    for item, weight in offsuit.items():
        yield item + _weight_text(weight)


def _runs(names: Sequence[str], whole: Weights) -> Iterator[tuple[str, np.float32]]:
    """Join neighbours of one weight: from the top with a plus, elsewhere with a dash."""
    begin = 0
    while begin < len(names):
        weight = whole[class_index(names[begin])]
        end = begin + 1
        while end < len(names) and whole[class_index(names[end])] == weight:
            end += 1
        if weight > 0:
            if end == begin + 1:
                yield names[begin], weight
            elif begin == 0:
                yield names[end - 1] + "+", weight
            else:
                yield f"{names[begin]}-{names[end - 1]}", weight
        begin = end


def _weight_text(weight: np.float32) -> str:
    """``:0.5``, with the fewest digits that give back the weight; nothing for 1."""
    if weight == 1:
        return ""
    # Nine digits are always enough for a float32, seventeen for the double it is read through.
    texts = (f"{float(weight):.{digits}g}" for digits in range(1, 18))
    return ":" + next(text for text in texts if np.float32(text) == weight)


# ---- Ranges on a board -----------------------------------------------------------------------


def without_cards(weights: Weights, cards: Sequence[Card]) -> Weights:
    """Return a copy of *weights* with 0 for every hole that holds one of *cards*."""
    blocked = np.isin(HOLES, np.asarray(cards, dtype=np.int64)).any(axis=1)
    return np.where(blocked, np.float32(0), weights)
