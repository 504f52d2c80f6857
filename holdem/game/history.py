"""Hand histories in the Poker Hand History format, as text.

PHH (Kim 2024, "Recording and Describing Poker Hands", https://phh.readthedocs.io) is TOML; a
hand of no-limit hold'em is its variant ``NT``. Its players ``p1``, ``p2``, ... sit from the first
seat left of the button on. With three players or more these are seats 0, 1, ...; heads-up
``p1`` is the big blind, so seat 1, and ``p2`` the button, while ``blinds_or_straddles`` still
begins with the small blind. That is how pokerkit, the format's reference, reads it.

What is read is played by `holdem.game.rules`: a hand that these do not allow is refused with
the line of the text. Fields that say nothing about the play are kept in `HandHistory.details`,
in the order of PHH's players; comments are not kept. Where the largest blind is posted short,
readers disagree on what a call costs; ``finishing_stacks`` says who got what.
"""

from __future__ import annotations

import datetime
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from holdem.errors import CardError, ConfigError, HoldemError, RulesError, StorageError
from holdem.game.cards import cards_text, parse_cards
from holdem.game.rules import (
    CALL,
    FOLD,
    ActionKind,
    Dealt,
    Hole,
    Played,
    State,
    default_first_to_act,
    raise_to,
)
from holdem.types import HEADS_UP_MENU, BetMenu, GameConfig, shown

_REQUIRED = {
    "variant": str,
    "antes": list,
    "blinds_or_straddles": list,
    "min_bet": int,
    "starting_stacks": list,
    "actions": list,
}
"""The fields that a hand must have, and their types in TOML."""

_Error = TypeVar("_Error", bound=HoldemError)
_PLAYED_FIELDS = {*_REQUIRED, "ante_trimming_status"}
_UNKNOWN = "??"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a seat did at the showdown.

    Attributes:
        cards: what it showed; empty if it threw its hand away, which then wins nothing.
    """

    seat: int
    cards: Hole


@dataclass(frozen=True, slots=True)
class HandHistory:
    """One hand as it was played.

    Attributes:
        state: the hand's last state; its events are the hand.
        shown: who showed or threw away a hand, in order.
        details: other fields of PHH (``players``, ``hand``, ``venue``, ...), by name.
    """

    state: State
    shown: tuple[Shown, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, state: State, *, players: Iterable[str] = (), **details: object) -> HandHistory:
        """Return the history of a hand in which all hands that reach the showdown are shown.

        Args:
            state: the last state of the hand.
            players: names by seat; empty for none.
            details: further fields of PHH, lists of players in PHH's order.
        """
        seats = _seats(state.game.num_players)
        names = list(players)
        if names:
            if len(names) != len(seats):
                raise ConfigError(
                    f"{len(names)} names for {len(seats)} players", "name every seat, or none"
                )
            details["players"] = [names[seat] for seat in seats]
        shown: tuple[Shown, ...] = ()
        if state.betting_is_over and len(state.live) > 1:
            holes = state.hole_cards
            shown = tuple(Shown(s, hole) for s in seats if s in state.live and (hole := holes[s]))
        history = cls(state, shown, details)
        try:
            payoffs = history.payoffs()
        except RulesError:
            return history
        stacks = [state.game.stack_of(seat) + payoffs[seat] for seat in seats]
        return cls(state, shown, {**details, "finishing_stacks": stacks})

    def payoffs(self) -> tuple[int, ...]:
        """Return the chips that each seat wins or loses; hands thrown away win nothing.

        Raises:
            RulesError: the hand is not over, or a hand that could win is not known.
        """
        mucked = {shown.seat for shown in self.shown if not shown.cards}
        contenders = [seat for seat in self.state.live if seat not in mucked]
        if not mucked or not contenders:
            return self.state.payoffs()
        if len(contenders) == 1:
            strengths = [0] * len(self.state.stacks)
            strengths[contenders[0]] = 1
        else:
            strengths = self.state.strengths()
            if not all(strengths[seat] for seat in contenders):
                raise RulesError(
                    "a showdown of cards that are not known", "give payoffs() the strengths"
                )
            strengths = [0 if seat in mucked else s for seat, s in enumerate(strengths)]
        return self.state.payoffs(strengths)


# ---- Writing ---------------------------------------------------------------------------------


def dumps(history: HandHistory) -> str:
    """Return *history* as the text of a ``.phh`` file.

    Raises:
        ConfigError: the format cannot hold the game: not hold'em, not four streets of betting,
            or another seat acts first than its blinds say.
    """
    game = history.state.game
    _check_writable(game)
    seats = _seats(game.num_players)
    fields: dict[str, object] = {"variant": "NT"}
    if game.ante:
        # Without it readers let a player who is short of the ante win all of the others'.
        fields["ante_trimming_status"] = True
    fields |= {
        "antes": [game.ante] * game.num_players,
        "blinds_or_straddles": _padded(game.blinds, game.num_players),
        "min_bet": game.big_blind,
        "starting_stacks": [game.stack_of(seat) for seat in seats],
        "actions": list(_action_texts(history)),
    }
    for name in fields.keys() & history.details.keys():
        raise ConfigError(f"details has {name!r}, which the hand itself says", "leave it out")
    fields |= history.details
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in fields.items())


def dumps_all(histories: Iterable[HandHistory]) -> str:
    """Return *histories* as the text of a ``.phhs`` file: one table per hand, from 1."""
    return "\n".join(f"[{i}]\n{dumps(history)}" for i, history in enumerate(histories, start=1))


def _action_texts(history: HandHistory) -> Iterator[str]:
    state = history.state
    seats = _seats(state.game.num_players)
    player = {seat: f"p{i}" for i, seat in enumerate(seats, start=1)}
    for seat in seats:
        hole = state.hole_cards[seat]
        yield f"d dh {player[seat]} {cards_text(hole) if hole else _UNKNOWN * 2}"
    played = [place for place, event in enumerate(state.events) if isinstance(event, Played)]
    last_played = played[-1] if played else -1
    showdown = [f"{player[s.seat]} sm {cards_text(s.cards)}".rstrip() for s in history.shown]
    if last_played < 0:
        yield from showdown
    for place, event in enumerate(state.events):
        if isinstance(event, Dealt):
            yield f"d db {cards_text(event.cards)}"
            continue
        name = player[event.seat]
        if event.action.kind is ActionKind.RAISE:
            yield f"{name} cbr {event.action.amount}"
        else:
            yield f"{name} {'f' if event.action.kind is ActionKind.FOLD else 'cc'}"
        if place == last_played:
            # All-in hands are tabled before the board is run out.
            yield from showdown


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: object) -> str:
    """Return *value* in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A string of JSON is one of TOML, which wants one more character escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())}}}"
    raise ConfigError(
        f"a hand history cannot hold {value!r}",
        "give strings, numbers, dates, lists or mappings of these",
    )


# ---- Reading ---------------------------------------------------------------------------------


def loads(text: str, *, menu: BetMenu = HEADS_UP_MENU) -> HandHistory:
    """Return the hand in *text*, the content of a ``.phh`` file.

    Args:
        text: one hand in TOML.
        menu: for the game of the result; the format knows of none.

    Raises:
        StorageError: not TOML, or a field is missing or of the wrong type.
        ConfigError: a game that cannot be played here.
        RulesError, CardError: an action or card that cannot be.
            All of them give the line.
    """
    return _read(_parse(text), _Lines(text), menu)


def loads_all(text: str, *, menu: BetMenu = HEADS_UP_MENU) -> list[HandHistory]:
    """Return the hands in *text*, the content of a ``.phhs`` file; errors are those of `loads`."""
    histories = []
    for name, fields in _parse(text).items():
        lines = _Lines(text, table=name)
        if not isinstance(fields, dict):
            raise StorageError(
                f"line {lines.of_field(name)}: {name!r} stands outside the hands",
                "begin each hand with a number in brackets: [1]",
            )
        histories.append(_read(fields, lines, menu))
    return histories


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        where = found[1] if found else "somewhere"
        if where == "end of document":
            where = f"line {text.count(chr(10)) + 1}"
        what = str(error).split(" (at ")[0]
        raise StorageError(
            f"{where}: not TOML: {what}", "a .phh file has lines such as: min_bet = 100"
        ) from None


class _Lines:
    """Where the fields and the actions of a hand are in its text, for messages."""

    _TOKEN = re.compile(
        r"""\#[^\n]* | '''.*?''' | \"{3}.*?\"{3} | '[^'\n]*' | "(?:\\.|[^"\\\n])*" | \]""",
        re.VERBOSE | re.DOTALL,
    )

    def __init__(self, text: str, table: str | None = None) -> None:
        self._text = text
        self._start, self._end = 0, len(text)
        if table is not None:
            headers = list(re.finditer(r"^[ \t]*\[[ \t]*([^\[\]\n]+?)[ \t]*\]", text, re.MULTILINE))
            for place, header in enumerate(headers):
                if header[1].strip("'\"") == table:
                    self._start = header.start()
                    if place + 1 < len(headers):
                        self._end = headers[place + 1].start()

    def of_field(self, name: str) -> int:
        """Return the line of field *name*; of the hand's beginning if it is not there."""
        return self._line(self._place(name))

    def of_action(self, number: int) -> int:
        """Return the line of action *number*, from 0."""
        strings = []
        for token in self._TOKEN.finditer(self._text, self._place("actions"), self._end):
            if token[0] == "]":
                break
            if not token[0].startswith("#"):
                strings.append(token.start())
        return self._line(strings[number] if number < len(strings) else self._start)

    def _place(self, name: str) -> int:
        pattern = re.compile(rf"""^[ \t]*["']?{re.escape(name)}["']?[ \t]*=""", re.MULTILINE)
        found = pattern.search(self._text, self._start, self._end)
        return found.end() if found else self._start

    def _line(self, place: int) -> int:
        return self._text.count("\n", 0, place) + 1


def _read(fields: Mapping[str, Any], lines: _Lines, menu: BetMenu) -> HandHistory:
    _check_fields(fields, lines)
    players = len(fields["starting_stacks"])
    seats = _seats(players)
    game = _game_of(fields, lines, menu)
    holes: dict[int, list[str]] = {seat: [] for seat in range(players)}
    shown: list[Shown] = []
    steps: list[tuple[int, list[str]]] = []  # number of the action, words: what is played
    for number, action in enumerate(fields["actions"]):
        words = action.split("#")[0].split()
        try:
            match words:
                case []:
                    pass
                case ["d", "dh", player, cards]:
                    _deal(holes[_seat_of(player, seats)], cards)
                case [player, "sm", *cards] if len(cards) <= 1:
                    seat = _seat_of(player, seats)
                    if cards != ["-"]:
                        shown.append(Shown(seat, parse_cards("".join(cards))))
                    else:
                        shown.append(Shown(seat, parse_cards("".join(holes[seat]))))
                    if shown[-1].cards:
                        _reveal(holes, shown[-1])
                case ["d", "db", _] | [_, "f"] | [_, "cc"] | [_, "cbr", _]:
                    steps.append((number, words))
                case _:
                    raise StorageError(
                        "not an action of no-limit hold'em",
                        "actions are 'd dh p1 AsKs', 'd db 2c3c4c', 'p1 f', 'p1 cc', "
                        "'p1 cbr 300' and 'p1 sm AsKs'",
                    )
        except HoldemError as error:
            raise _at(lines.of_action(number), error, action) from None
    try:
        state = State.new(game, [_hole_of(holes[seat]) for seat in range(players)])
    except HoldemError as error:
        raise _at(lines.of_field("actions"), error) from None
    for number, words in steps:
        try:
            state = _step(state, words, seats)
        except HoldemError as error:
            text = fields["actions"][number]
            raise _at(lines.of_action(number), error, text) from None
    details = {name: value for name, value in fields.items() if name not in _PLAYED_FIELDS}
    return HandHistory(state, tuple(shown), details)


def _check_fields(fields: Mapping[str, Any], lines: _Lines) -> None:
    for name, wanted in _REQUIRED.items():
        if name not in fields:
            raise StorageError(
                f"line {lines.of_field(name)}: the hand has no {name!r}",
                f"a hand of no-limit hold'em has {', '.join(_REQUIRED)}",
            )
        value = fields[name]
        inner = str if name == "actions" else int
        items = value if isinstance(value, list) else [value]
        wrong = [v for v in items if not isinstance(v, str if wanted is str else inner)]
        wrong += [v for v in items if isinstance(v, bool)]
        if wrong or not isinstance(value, wanted):
            what = {str: "a text", int: "whole chips"}[str if wanted is str else inner]
            found = wrong[0] if wrong else value
            raise StorageError(
                f"line {lines.of_field(name)}: {name} holds {found!r}, and must hold {what}"
                + (", in brackets" if wanted is list else ""),
                "count in the smallest chip" if isinstance(found, float) else "mend the field",
            )
    players = len(fields["starting_stacks"])
    for name in ("antes", "blinds_or_straddles"):
        if len(fields[name]) != players:
            raise StorageError(
                f"line {lines.of_field(name)}: {name} has {len(fields[name])} numbers for "
                f"{players} starting stacks",
                "give every player one, 0 for nothing",
            )
    if fields["variant"] != "NT":
        raise StorageError(
            f"line {lines.of_field('variant')}: variant {fields['variant']!r} is not no-limit "
            "hold'em",
            "only hands of variant 'NT' can be read",
        )


def _game_of(fields: Mapping[str, Any], lines: _Lines, menu: BetMenu) -> GameConfig:
    antes, blinds = fields["antes"], list(fields["blinds_or_straddles"])
    stacks = fields["starting_stacks"]

    def refuse(name: str, wanted: str, remedy: str) -> ConfigError:
        return _at(lines.of_field(name), ConfigError(f"{name} is {fields[name]}: {wanted}", remedy))

    if len(stacks) < 2:
        raise refuse("starting_stacks", "a hand has at least two players", "give all stacks")
    if len(set(antes)) > 1:
        raise refuse("antes", "all must be the same", "no other game can be played here")
    if min(blinds) < 0:
        raise refuse("blinds_or_straddles", "new players cannot post", "give only blinds")
    if antes[0] > min(stacks) and not fields.get("ante_trimming_status", False):
        raise refuse(
            "starting_stacks",
            f"one is below the ante {antes[0]} and would win the whole antes of the others",
            "with ante_trimming_status = true it wins from each as much as it has",
        )
    while blinds and not blinds[-1]:
        blinds.pop()
    try:
        game = GameConfig(
            name="hand",
            num_players=len(stacks),
            stacks=tuple(stacks[player] for player in _seats(len(stacks))),
            blinds=tuple(blinds),
            ante=antes[0],
            menu=menu,
        )
        _check_writable(game)
    except ConfigError as error:
        raise _at(lines.of_field("blinds_or_straddles"), error) from None
    if fields["min_bet"] != game.big_blind:
        raise refuse(
            "min_bet", f"it must be the big blind {game.big_blind}", "no other can be played here"
        )
    return game


def _check_writable(game: GameConfig) -> None:
    """Refuse a game that readers of the format would play otherwise."""
    if game.cards.kind != "holdem" or game.num_streets != 4:
        raise ConfigError(
            f"game {game.name!r} is not hold'em with four streets of betting",
            "a hand history holds no other game",
        )
    # Readers begin after the last of the largest blinds, in their order of players.
    seats = _seats(game.num_players)
    blinds = _padded(game.blinds, game.num_players)
    largest = max(range(len(seats)), key=lambda i: (blinds[seats[i]], i))
    first = seats[(largest + 1) % len(seats)]
    order = default_first_to_act(game)
    if first != order[0] or game.first_to_act not in (None, order):
        raise ConfigError(
            f"with blinds {game.blinds} readers of a hand history let seat {first} act first, "
            f"not seat {(game.first_to_act or order)[0]}",
            "a hand history holds blinds that rise, and the hold'em order of acting",
        )


def _step(state: State, words: list[str], seats: tuple[int, ...]) -> State:
    if words[:2] == ["d", "db"]:
        return state.deal_board(parse_cards(words[2]))
    seat, verb = _seat_of(words[0], seats), words[1]
    if seat != state.actor:
        if verb == "cc" and _only_check(state, seat):
            return state
        turn = "nobody is" if state.actor is None else f"p{seats.index(state.actor) + 1} is"
        raise RulesError(f"{turn} to act, not {words[0]}", "put the actions in their order")
    if verb == "f":
        return state.apply(FOLD)
    if verb == "cc":
        return state.apply(CALL)
    if not re.fullmatch(r"[0-9]{1,18}", words[2]):
        raise RulesError(f"{shown(words[2])} is not whole chips", "count in the smallest chip")
    return state.apply(raise_to(int(words[2])))


def _only_check(state: State, seat: int) -> bool:
    """Whether *seat* could but check, which other rules ask of it and these do not."""
    others = [s for s in state.live if s != seat]
    return (
        state.actor is None
        and seat in state.live
        and state.stacks[seat] > 0
        and not any(state.stacks[s] for s in others)
    )


def _seats(num_players: int) -> tuple[int, ...]:
    """Return the seat of each of PHH's players; it is also the player of each seat."""
    return (1, 0) if num_players == 2 else tuple(range(num_players))


def _padded(blinds: tuple[int, ...], num_players: int) -> list[int]:
    return [*blinds, *[0] * (num_players - len(blinds))]


def _seat_of(player: str, seats: tuple[int, ...]) -> int:
    found = re.fullmatch(r"p([1-9])", player)
    if not found or int(found[1]) > len(seats):
        raise StorageError(f"no player {player!r}", f"players are p1 to p{len(seats)}")
    return seats[int(found[1]) - 1]


def _deal(hole: list[str], cards: str) -> None:
    """Add *cards*, known or not, to the names in *hole*."""
    hole += _pairs(cards)
    parse_cards("".join(card for card in hole if card != _UNKNOWN))
    if len(hole) > 2:
        raise CardError(f"a hand of {len(hole)} cards", "deal two cards to each player")


def _pairs(cards: str) -> list[str]:
    return [cards[start : start + 2] for start in range(0, len(cards), 2)]


def _reveal(holes: dict[int, list[str]], shown: Shown) -> None:
    """Note the cards that a seat shows, unless others were dealt to it."""
    dealt = holes[shown.seat]
    cards = _pairs(cards_text(shown.cards))
    if _UNKNOWN not in dealt and dealt and sorted(dealt) != sorted(cards):
        raise CardError(
            f"{''.join(cards)} shown, {''.join(dealt)} dealt", "show the cards that were dealt"
        )
    if not dealt or _UNKNOWN in dealt:
        holes[shown.seat] = cards


def _hole_of(cards: list[str]) -> Hole | None:
    if set(cards) <= {_UNKNOWN}:
        return None
    if _UNKNOWN in cards:
        raise CardError(f"a hand known by half: {''.join(cards)}", "deal it as ????")
    return parse_cards("".join(cards))


def _at(line: int, error: _Error, action: str | None = None) -> _Error:
    """Return *error* with the line, and the action, in its message."""
    what = f"{action!r}: " if action is not None else ""
    return type(error)(f"line {line}: {what}{error}", error.remedy or "mend that line")
