"""Reading along: the decisions in the log of a match, while it is being written.

A log holds whole hands (``STATE:``), or what a dealer told its players (``MATCHSTATE:``, alone or
after the words ``TO 1 at ...`` of the competition's dealer).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from holdem.config import no_such_file
from holdem.errors import StorageError
from holdem.game.rules import Played, State
from holdem.play.acpc import (
    LineBuffer,
    LoggedHand,
    MatchState,
    match_state_line,
    read_log_line,
    read_message,
)
from holdem.play.game_definition import Table

__all__ = ["Told", "lines_of", "read_told"]

_PAUSE = 0.2  # seconds between two looks at a file that does not grow
_SILENCE = 2.0  # seconds after which it is said that it does not
_TOLD = re.compile(r"(?:TO [0-9]+ at [0-9.]+ )?(MATCHSTATE:.*)")


def lines_of(
    path: Path, *, patience: float = 0.0, waiting: Callable[[], None] = lambda: None
) -> Iterator[str]:
    """Yield the lines of *path*, those too that are still being written.

    It ends with a line of scores, or when nothing came for *patience* seconds; then with what
    there is of a last line.

    Args:
        path: of a log.
        patience: see above.
        waiting: called when nothing has come for some seconds, the first time.

    Raises:
        ConfigError: there is no such file.
        StorageError: it cannot be read.
        ProtocolError: a line is longer than any of the protocol.
    """
    buffer = LineBuffer()
    waited, told = 0.0, False
    try:
        with open(path, "rb") as file:
            while True:
                data = file.read(1 << 16)
                if data:
                    waited = 0.0
                    for line in buffer.feed(data):
                        yield line
                        if line.startswith("SCORE"):
                            return
                elif waited >= patience:
                    yield from buffer.rest()
                    return
                else:
                    time.sleep(_PAUSE)
                    waited += _PAUSE
                    if waited >= _SILENCE and not told:
                        told = True
                        waiting()
    except FileNotFoundError:
        raise no_such_file(path, "the log of a match") from None
    except OSError as error:
        raise StorageError(
            f"cannot read {path}: {error.strerror or error}", "check the path and its rights"
        ) from error


@dataclass(frozen=True, slots=True)
class Told:
    """What a line of a log tells.

    Attributes:
        hand: the hand's number.
        decisions: in the line, as whoever decides sees them.
        over: whether the hand is over.
        whole: whether this is the whole hand.
        won: chips that the player who is followed won in it; None if the line does not say.
    """

    hand: int
    decisions: tuple[MatchState, ...]
    over: bool
    whole: bool = False
    won: float | None = None


def read_told(line: str, table: Table, seat_name: str) -> Told | None:
    """Return what *line* of a log tells; None for a comment or a line of another kind.

    Of a whole hand the decisions are those of the player called *seat_name*, or of all players if
    none is called so.

    Raises:
        ProtocolError: the line cannot be read.
    """
    found = _TOLD.fullmatch(line)
    if found is not None:
        message = read_message(found[1], table)
        if message is None:
            return None
        turn = (message,) if message.my_turn else ()
        return Told(message.hand, turn, message.state.is_terminal)
    logged = read_log_line(line, table)
    if logged is None:
        return None
    wanted = logged.players.index(seat_name) if seat_name in logged.players else None
    decisions = tuple(_decisions(logged, table, wanted))
    won = None if wanted is None else logged.values[wanted]
    return Told(logged.hand, decisions, over=True, whole=True, won=won)


def _decisions(logged: LoggedHand, table: Table, wanted: int | None) -> Iterator[MatchState]:
    """Go through a hand again; *wanted* is the seat whose decisions are."""
    holes = logged.state.hole_cards
    views = [
        State.new(table.game, [hole if seat == own else None for seat, hole in enumerate(holes)])
        for own in range(len(holes))
    ]
    for event in logged.state.events:
        if isinstance(event, Played):
            seat = views[0].actor
            assert seat is not None  # the hand was played by the rules
            state = views[seat]
            if wanted in (None, seat) and state.hole_cards[seat] is not None:
                line = match_state_line(table, state, logged.hand, seat)
                yield MatchState(seat, logged.hand, state, line)
            views = [view.apply(event.action) for view in views]
        else:
            views = [view.deal_board(event.cards) for view in views]
