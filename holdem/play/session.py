"""A session at a table: reads what the dealer tells, asks a decider, and acts or only advises.

Invariants of a session that acts: it answers only when it is its turn, and only the newest state
that it was told; it sends one answer per state, and after a lost connection the same one again,
since the dealer may not have had it. It leaves between hands when a limit is reached.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from holdem.errors import HoldemError, ProtocolError, RulesError
from holdem.game.cards import cards_text
from holdem.game.games import position_names
from holdem.game.rules import CALL, FOLD, State
from holdem.play.acpc import MatchState, action_text, read_message, reply_line
from holdem.play.agent import Decider, Decision, Option, Tally
from holdem.play.client import Client
from holdem.play.game_definition import Table
from holdem.storage import LineFile

__all__ = ["Limits", "Session", "SessionObserver", "SessionResult", "decide", "decision_record"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When a session ends by itself; None for never."""

    max_hands: int | None = None
    max_seconds: float | None = None
    stop_loss: float | None = None
    """In big blinds."""


@dataclass(slots=True)
class SessionResult(Tally):
    """How a session went.

    Attributes:
        hands: that were seen to their end.
        chips: won in them.
        unread: lines of the dealer that could not be read.
        ended: why the session ended.
    """

    hands: int = 0
    chips: int = 0
    unread: int = 0
    ended: str = "the dealer closed the table"

    @contextmanager
    def noting_end(self) -> Iterator[None]:
        """Note why the session ended where an error ends the block, or the user does."""
        try:
            yield
        except BaseException as error:
            self.ended = str(error) if isinstance(error, HoldemError) else "it was stopped"
            raise


class SessionObserver(Protocol):
    """Whoever watches a session."""

    def say(self, text: str) -> None:
        """Take in what happened."""

    def decided(self, message: MatchState, decision: Decision, sent: bool) -> None:
        """Take in a decision, after it was sent or kept back."""

    def hand_over(self, message: MatchState, chips: int, result: SessionResult) -> None:
        """Take in the end of a hand, in which *chips* were won."""


def decide(decider: Decider, state: State, hand: int) -> Decision:
    """Return the decision of *decider*; a check or a fold if it has none."""
    start = time.perf_counter()
    try:
        return decider.decide(state, hand)
    except HoldemError as error:
        action = FOLD if state.legal_actions().can_fold else CALL
        seconds = time.perf_counter() - start
        return Decision(action, (Option(action, 1.0),), "", None, str(error), seconds)


@dataclass(slots=True)
class Session:
    """A session of one seat.

    Attributes:
        table: the game and its positions.
        decider: who plays.
        observer: who watches.
        acts: whether actions are sent; else they are only advised.
        confirm: asked before an action is sent; None for no question. False keeps it back.
        limits: when to leave.
        log: JSON lines of all decisions; None for none.
        result: how it goes.
    """

    table: Table
    decider: Decider
    observer: SessionObserver
    acts: bool
    confirm: Callable[[MatchState, Decision], bool] | None = None
    limits: Limits = field(default_factory=Limits)
    log: LineFile | None = None
    result: SessionResult = field(default_factory=SessionResult)
    _counted: str = ""
    _answered: str = ""
    _answer: str = ""
    _connection: int = 0
    _started: float = field(default_factory=time.monotonic)

    def run(self, client: Client) -> SessionResult:
        """Follow the table behind *client* to its end, or to a limit.

        Whatever else ends it is raised; `result` is complete all the same.
        """
        with self.result.noting_end():
            self._follow(client)
        return self.result

    def _follow(self, client: Client) -> None:
        newest: MatchState | None = None
        while True:
            if newest is not None and newest.my_turn and not client.has_more():
                self._turn(client, newest)
                newest = None
            line = client.receive()
            if line is None:
                return
            message = self._read(line)
            if message is None:
                continue
            newest = message
            client.between_hands = message.state.is_terminal
            if message.state.is_terminal and self._hand_over(message):
                return

    def advise(self, message: MatchState) -> Decision:
        """Decide at *message*, whose turn it is, and send nothing."""
        decision = self._decide(message)
        self._note(message, decision, sent=False)
        return decision

    def _read(self, line: str) -> MatchState | None:
        """Return what a line tells; a line that cannot be read is told and skipped."""
        try:
            return read_message(line, self.table)
        except ProtocolError as error:
            self.result.unread += 1
            self.observer.say(f"cannot read the dealer: {error}")
            return None

    def _turn(self, client: Client, message: MatchState) -> None:
        """Answer *message*, unless it is answered."""
        if message.line == self._answered:
            if self._answer and self._connection != client.connections:
                self._connection = client.connections
                client.send(self._answer)
            return
        self._answered, self._answer, self._connection = message.line, "", client.connections
        decision = self._decide(message)
        sent = self.acts and (self.confirm is None or self.confirm(message, decision))
        if sent:
            text = action_text(message.state, decision.action)
            self._answer = reply_line(message.line, text)
            client.send(self._answer)
        self._note(message, decision, sent=sent)

    def _decide(self, message: MatchState) -> Decision:
        decision = decide(self.decider, message.state, message.hand)
        self.result.add(decision.seconds, fallback=bool(decision.fallback))
        return decision

    def _note(self, message: MatchState, decision: Decision, *, sent: bool) -> None:
        if self.log is not None:
            self.log.write(json.dumps(decision_record(message, decision, sent=sent)))
        self.observer.decided(message, decision, sent)

    def _hand_over(self, message: MatchState) -> bool:
        """Count a hand that is over; return whether a limit is reached."""
        if message.line == self._counted:  # told again after a lost connection
            return False
        self._counted = message.line
        chips = self._won(message)
        result, limits = self.result, self.limits
        result.hands += 1
        result.chips += chips
        self.observer.hand_over(message, chips, result)
        lost = -result.chips / self.table.game.big_blind
        played = time.monotonic() - self._started
        if limits.max_hands is not None and result.hands >= limits.max_hands:
            result.ended = f"{result.hands:,} hands are played"
        elif limits.stop_loss is not None and lost >= limits.stop_loss:
            result.ended = f"{lost:g} big blinds are lost"
        elif limits.max_seconds is not None and played >= limits.max_seconds:
            result.ended = f"{played:.0f} seconds are over"
        else:
            return False
        return True

    def _won(self, message: MatchState) -> int:
        """Return the chips that were won; 0, and a word, where the dealer hides who won."""
        try:
            return message.state.payoffs()[message.seat]
        except RulesError:
            self.observer.say(f"hand {message.hand}: who won was not shown; not counted")
            return 0


def decision_record(message: MatchState, decision: Decision, *, sent: bool) -> dict[str, object]:
    """Return a decision as a line of the decision log holds it."""
    state = message.state
    hole = state.hole_cards[message.seat]
    return {
        "time": round(time.time(), 3),
        "hand": message.hand,
        "seat": position_names(len(state.stacks))[message.seat],
        "cards": cards_text(hole) if hole else "",
        "board": cards_text(state.board),
        "pot": sum(state.paid),
        "told": message.line,
        "situation": decision.situation,
        "bucket": decision.bucket,
        "options": _shares(state, decision.options),
        "values": {
            action_text(state, option.action): round(option.value, 1)
            for option in decision.options
            if option.value is not None
        },
        "blueprint": _shares(state, decision.blueprint),
        "searched": decision.searched,
        "iterations": decision.iterations,
        "action": action_text(state, decision.action),
        "sent": sent,
        "fallback": decision.fallback,
        "milliseconds": round(1000 * decision.seconds, 3),
    }


def _shares(state: State, options: Sequence[Option]) -> dict[str, float]:
    return {action_text(state, option.action): round(option.probability, 5) for option in options}
