"""The protocol of the Annual Computer Poker Competition (ACPC), version 2.0.0, as pure functions.

The server tells each player after every event how the hand stands, in a line
``MATCHSTATE:position:hand:betting:cards``; the player whose turn it is answers with the same line,
a colon and its action: ``f`` folds, ``c`` checks or calls, ``r500`` bets or raises until the
player has put 500 chips into the pot in the whole hand. Cards are ``hole|hole/flop/turn/river``,
empty where they are hidden. A log has a line ``STATE:hand:betting:cards:values:players`` per hand.

Invariants: what is read is what would be written, character by character, or it is a
`ProtocolError`; nothing else is ever raised, whatever the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from holdem.errors import HoldemError, ProtocolError
from holdem.game.cards import cards_text, parse_cards
from holdem.game.rules import CALL, FOLD, Action, ActionKind, Hole, Played, State, raise_to
from holdem.play.game_definition import MAX_LINE_BYTES, Table
from holdem.types import shown

__all__ = [
    "END_OF_LINE",
    "VERSION",
    "LineBuffer",
    "LoggedHand",
    "MatchState",
    "action_text",
    "check_version",
    "log_line",
    "match_state_line",
    "parse_action",
    "read_log_line",
    "read_message",
    "reply_line",
    "score_line",
]

VERSION = "VERSION:2.0.0"
"""The first line that a player sends."""
END_OF_LINE = b"\r\n"

_FORMAT = "a line of the protocol is such as MATCHSTATE:0:30:cc/r250:9s8h|/8c8d5c"
_MESSAGE = re.compile(r"MATCHSTATE:([0-9]{1,3}):([0-9]{1,18}):([^:]*):([^:]*)")
_LOGGED = re.compile(r"STATE:([0-9]{1,18}):([^:]*):([^:]*):([^:]*):(.*)")
_STEP = re.compile(r"[fc]|r[0-9]{1,10}|/|.", re.DOTALL)
_VALUE = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class MatchState:
    """What a player is told of a hand.

    Attributes:
        seat: the player's own, as `holdem.types` counts seats.
        hand: the hand's number.
        state: the hand, with the cards that the player may see.
        line: the line that said it.
    """

    seat: int
    hand: int
    state: State
    line: str

    @property
    def my_turn(self) -> bool:
        """Whether the player is to answer."""
        return self.state.actor == self.seat


@dataclass(frozen=True, slots=True)
class LoggedHand:
    """A hand as a log tells it.

    Attributes:
        hand: its number.
        state: its last state, with the cards of all players.
        values: chips won by each seat; halves and thirds of a chip are possible.
        players: the name of each seat's player.
    """

    hand: int
    state: State
    values: tuple[float, ...]
    players: tuple[str, ...]


# -- bytes and lines ---------------------------------------------------------------------------


class LineBuffer:
    """Makes lines out of bytes as they come; keeps no more than one line can be long."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that *data* completes, without their ends.

        A byte that is not ASCII becomes a character that no message holds.

        Raises:
            ProtocolError: a line is longer than any of the protocol.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if any(len(line) > MAX_LINE_BYTES for line in (*lines, self._rest)):
            self._rest = b""
            raise ProtocolError(
                f"a line of more than {MAX_LINE_BYTES:,} bytes", "end lines as the protocol does"
            )
        return [line.decode("ascii", "replace").strip() for line in lines]

    def rest(self) -> list[str]:
        """Return the line that has begun and not ended, if there is one."""
        return [self._rest.decode("ascii", "replace").strip()] if self._rest else []


def check_version(line: str) -> None:
    """Check the first line of a player.

    Raises:
        ProtocolError: it is not the version of this module.
    """
    found = re.fullmatch(r"VERSION:([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})", line)
    if found is None:
        raise ProtocolError(f"the first line is {shown(line)}", f"begin with {VERSION}")
    if (int(found[1]), int(found[2])) != (2, 0):
        raise ProtocolError(
            f"version {line[8:]} is spoken, and must be 2.0", f"begin with {VERSION}"
        )


# -- writing -----------------------------------------------------------------------------------


def match_state_line(table: Table, state: State, hand: int, seat: int) -> str:
    """Return what *seat* is told when the hand stands at *state*.

    Args:
        table: the game and its positions.
        state: a decision or the end of a hand; its other players' cards are hidden until a
            showdown, in which all that have not folded are open.
        hand: the hand's number.
        seat: the one that is told.
    """
    showdown = state.is_terminal and len(state.live) > 1
    seen = {seat, *state.live} if showdown else {seat}
    position = table.position_of(seat)
    return f"MATCHSTATE:{position}:{hand}:{_betting(state)}:{_cards(table, state, seen)}"


def reply_line(line: str, action: str) -> str:
    """Return the answer to the message *line*: the same line, then *action*."""
    return f"{line}:{action}"


def action_text(state: State, action: Action) -> str:
    """Return *action* at *state* as the protocol writes it: ``"r500"``."""
    if action.kind is not ActionKind.RAISE:
        return "f" if action.kind is ActionKind.FOLD else "c"
    return f"r{action.amount + _paid_before(state)}"


def log_line(
    table: Table, state: State, hand: int, values: Sequence[float], players: Sequence[str]
) -> str:
    """Return the line of a log about a hand that ended at *state*; values and names by seat."""
    cards = _cards(table, state, set(range(table.game.num_players)))
    won = "|".join(_value(values[seat]) for seat in table.seats)
    names = "|".join(players[seat] for seat in table.seats)
    return f"STATE:{hand}:{_betting(state)}:{cards}:{won}:{names}"


def score_line(values: Sequence[float], players: Sequence[str]) -> str:
    """Return the last line of a log: what each player has won in all."""
    return f"SCORE:{'|'.join(map(_value, values))}:{'|'.join(players)}"


def _value(chips: float) -> str:
    return f"{chips:.6f}".rstrip("0").rstrip(".")


def _paid_before(state: State) -> int:
    """Return the chips that the player to act has paid on earlier streets."""
    assert state.actor is not None
    return state.paid[state.actor] - state.bets[state.actor]


def _betting(state: State) -> str:
    words = []
    # Whoever can still bet has paid all that was bet on earlier streets, since every stack
    # exceeds the blinds.
    before, bet = 0, max(state.game.blinds)
    for event in state.events:
        if not isinstance(event, Played):
            words.append("/")
            before, bet = before + bet, 0
        elif event.action.kind is ActionKind.RAISE:
            bet = event.action.amount
            words.append(f"r{before + bet}")
        else:
            words.append("f" if event.action.kind is ActionKind.FOLD else "c")
    return "".join(words)


def _cards(table: Table, state: State, seen: set[int]) -> str:
    holes = [state.hole_cards[seat] if seat in seen else None for seat in table.seats]
    streets = ["|".join(cards_text(hole) if hole else "" for hole in holes)]
    streets += [cards_text(event.cards) for event in state.events if not isinstance(event, Played)]
    return "/".join(streets)


# -- reading -----------------------------------------------------------------------------------


def read_message(line: str, table: Table) -> MatchState | None:
    """Return what *line* tells a player; None for a comment or a line of another kind.

    Raises:
        ProtocolError: it begins as a match state, and is none of *table*.
    """
    line = line.strip()
    if not line.startswith("MATCHSTATE"):
        return None
    found = _MESSAGE.fullmatch(line)
    if found is None:
        raise ProtocolError(f"not a match state: {shown(line)}", _FORMAT)
    position, hand = int(found[1]), int(found[2])
    if position >= table.game.num_players:
        raise ProtocolError(
            f"position {position} of {table.game.num_players} players in {shown(line)}",
            "play the game of the server: --game FILE",
        )
    state = _replay(table, found[3], found[4], line)
    seat = table.seats[position]
    if state.hole_cards[seat] is None:
        raise ProtocolError(f"position {position} has no cards in {shown(line)}", _FORMAT)
    _same(line, match_state_line(table, state, hand, seat))
    return MatchState(seat, hand, state, line)


def read_log_line(line: str, table: Table) -> LoggedHand | None:
    """Return the hand that *line* of a log tells; None for a comment or a line of another kind.

    Raises:
        ProtocolError: it begins as a hand, and is none of *table*.
    """
    line = line.strip()
    if not line.startswith("STATE"):
        return None
    found = _LOGGED.fullmatch(line)
    if found is None:
        raise ProtocolError(f"not a hand of a log: {shown(line)}", _FORMAT)
    state = _replay(table, found[2], found[3], line)
    values, names = found[4].split("|"), found[5].split("|")
    players = table.game.num_players
    if not state.is_terminal or len(values) != players or len(names) != players:
        raise ProtocolError(f"not a whole hand of {players} players: {shown(line)}", _FORMAT)
    if not all(_VALUE.fullmatch(value) for value in values):
        raise ProtocolError(f"values {shown(found[4])} in {shown(line)}", _FORMAT)
    seats = [table.position_of(seat) for seat in range(players)]
    won = tuple(float(values[position]) for position in seats)
    logged = LoggedHand(int(found[1]), state, won, tuple(names[position] for position in seats))
    _same(line, log_line(table, state, logged.hand, won, logged.players))
    return logged


def parse_action(text: str, state: State) -> Action:
    """Return the action that *text* is of the player to act at *state*.

    Raises:
        ProtocolError: it is no action. Whether the rules allow it, `State.apply` says.
    """
    if text in ("f", "c"):
        return FOLD if text == "f" else CALL
    if not re.fullmatch(r"r[0-9]{1,10}", text):
        raise ProtocolError(f"not an action: {shown(text)}", "actions are f, c, and such as r500")
    return raise_to(int(text[1:]) - _paid_before(state))


def _replay(table: Table, betting: str, cards: str, line: str) -> State:
    """Return the state after *betting*."""
    try:
        holes, *streets = cards.split("/")
        hands = [parse_cards(hand) for hand in holes.split("|")]
        if len(hands) != table.game.num_players:
            raise ProtocolError(
                f"{len(hands)} hands for {table.game.num_players} players",
                "play the game of the server: --game FILE",
            )
        by_seat: list[Hole | None] = [None] * len(hands)
        for seat, hand in zip(table.seats, hands, strict=True):
            by_seat[seat] = hand or None
        state = State.new(table.game, by_seat)
        for step in _STEP.findall(betting):
            if step == "/":
                if not streets:
                    raise ProtocolError("a street without cards", _FORMAT)
                state = state.deal_board(parse_cards(streets.pop(0)))
            elif state.actor is None:
                raise ProtocolError(f"{shown(step)} when nobody is to act", _FORMAT)
            else:
                state = state.apply(parse_action(step, state))
    except HoldemError as error:
        raise ProtocolError(f"{error}, in {shown(line)}", error.remedy or _FORMAT) from None
    if state.actor is None and not state.is_terminal:
        raise ProtocolError(f"cards are to come in {shown(line)}", _FORMAT)
    return state


def _same(found: str, written: str) -> None:
    if found != written:
        raise ProtocolError(f"{shown(found)} would be written {shown(written)}", _FORMAT)
