"""Reading along: the decisions in the log of a match, while it is being written.

A log holds whole hands (``STATE:``), or what a dealer told its players (``MATCHSTATE:``, alone or
after the words ``TO 1 at ...`` of the competition's dealer).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
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

__all__ = ["decisions_in", "lines_of"]

_PAUSE = 0.2  # seconds between two looks at a file that does not grow
_TOLD = re.compile(r"(?:TO [0-9]+ at [0-9.]+ )?(MATCHSTATE:.*)")


def lines_of(path: Path, *, patience: float = 0.0) -> Iterator[str]:
    """Yield the lines of *path*, those too that are still being written.

    It ends with a line of scores, or when nothing came for *patience* seconds.

    Raises:
        ConfigError: there is no such file.
        StorageError: it cannot be read.
        ProtocolError: a line is longer than any of the protocol.
    """
    buffer = LineBuffer()
    waited = 0.0
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
                    return
                else:
                    time.sleep(_PAUSE)
                    waited += _PAUSE
    except FileNotFoundError:
        raise no_such_file(path, "the log of a match") from None
    except OSError as error:
        raise StorageError(
            f"cannot read {path}: {error.strerror or error}", "check the path and its rights"
        ) from error


def decisions_in(line: str, table: Table, seat_name: str) -> Iterator[MatchState]:
    """Yield the decisions that *line* of a log tells, as whoever decides sees them.

    Of a whole hand these are the decisions of the player called *seat_name*, or of all players if
    none is called so.

    Raises:
        ProtocolError: the line cannot be read.
    """
    told = _TOLD.fullmatch(line)
    if told is not None:
        message = read_message(told[1], table)
        if message is not None and message.my_turn:
            yield message
        return
    logged = read_log_line(line, table)
    if logged is not None:
        wanted = logged.players.index(seat_name) if seat_name in logged.players else None
        yield from _decisions(logged, table, wanted)


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
