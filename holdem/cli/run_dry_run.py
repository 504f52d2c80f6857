"""``holdem dry-run``: follows a table and advises; sends no action."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from holdem.cli.table_display import TableDisplay, limits_text, print_result
from holdem.cli.table_options import (
    add_table_options,
    agent_of,
    client_of,
    decision_log,
    limits_of,
    profile_of,
    search_of,
)
from holdem.cli.terminal import Parser, make_console, run_command, signals_raise
from holdem.errors import ConfigError, ProtocolError, StorageError
from holdem.play.following import Told, lines_of, read_told
from holdem.play.game_definition import read_game
from holdem.play.session import Session
from holdem.types import TableProfile

PROG = "holdem dry-run"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Follow a table and say at every decision what the policy would do. Sends no action.",
        "From a seat, the dealer's clock acts for it. docs/playing.md says more.",
    )
    add_table_options(parser)
    parser.add_argument(
        "--follow", type=Path, metavar="FILE", help="read the log of a match instead, as it grows"
    )
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    if options.follow is not None and options.stop_loss is not None:
        raise ConfigError(
            "--stop-loss is for a seat at a table, and --follow reads a log",
            "leave one of them out",
        )
    search = search_of(options)
    profile = profile_of(options)
    table = read_game(Path(profile.game))
    console = make_console()
    display = TableDisplay(console, acts=False)
    agent = agent_of(options, table.game, search, display.say, seed=options.seed)
    with decision_log(profile, options, search) as log:
        session = Session(table, agent, display, acts=False, limits=limits_of(profile), log=log)
        if options.follow is not None:
            with signals_raise(""):
                _follow(console, session, options.follow, profile)
        else:
            leaves = limits_text(profile.max_hands, profile.max_seconds, profile.stop_loss)
            where = f"{profile.host}:{profile.port}"
            console.print(
                f"{profile.seat} sits down at {where} and sends nothing; it leaves {leaves}",
                soft_wrap=True,
            )
            with signals_raise(""), client_of(profile, display) as client:
                try:
                    session.run(client)
                finally:
                    print_result(console, session.result, table.game.big_blind)
    return 0


def _follow(console: Console, session: Session, path: Path, profile: TableProfile) -> None:
    """Advise on the decisions in the log *path*, and print how that went."""
    result = session.result
    won: list[float | None] = []
    try:
        with result.noting_end():
            _advise(session, path, profile, won)
    finally:
        counted = [chips for chips in won if chips is not None]
        result.hands, result.chips = len(won), round(sum(counted))
        if won:
            big_blind = session.table.game.big_blind
            print_result(console, result, big_blind, counted=len(counted) == len(won))
    if not won:
        raise StorageError(
            f"no hand was found in {path}",
            "give --follow the log of a match: lines that begin with STATE: or MATCHSTATE:",
        )


def _advise(session: Session, path: Path, profile: TableProfile, won: list[float | None]) -> None:
    """Advise on the decisions in a log; add to *won*, by hand, what it says that its seat won."""
    result, most = session.result, profile.max_hands
    hand: Told | None = None  # the newest line about it
    result.ended = "the log ends"

    def waiting() -> None:
        session.observer.say(
            f"nothing more is in {path} yet; waiting {profile.silence_seconds:g} seconds at most "
            "for the next line, and Ctrl-C ends it"
        )

    for line in lines_of(path, patience=profile.silence_seconds, waiting=waiting):
        try:
            told = read_told(line, session.table, profile.seat)
        except ProtocolError as error:
            result.unread += 1
            session.observer.say(f"cannot read a line: {error}")
            continue
        if told is None:
            continue
        begins = hand is None or _begins_hand(told, hand)
        beyond = begins and len(won) == most
        if not beyond:
            for message in told.decisions:
                session.advise(message)
            if begins:
                won.append(told.won)
            if hand is None or begins or told.hand == hand.hand:
                hand = told
        if beyond or (told.over and len(won) == most):
            result.ended = f"{len(won):,} hands are read"
            break


def _begins_hand(told: Told, newest: Told) -> bool:
    """Whether *told* is of another hand than *newest*, and not of an earlier one.

    Numbers begin anew where one log follows another; but how an earlier hand ended may also be
    told again, after a lost connection.
    """
    if told.whole or told.hand > newest.hand:
        return True
    return not told.over and (told.hand < newest.hand or newest.over)


if __name__ == "__main__":
    sys.exit(main())
