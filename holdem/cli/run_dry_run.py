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
from holdem.errors import ProtocolError
from holdem.play.following import decisions_in, lines_of
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
                session.run(client)
    print_result(console, session.result, table.game.big_blind)
    return 0


def _follow(console: Console, session: Session, path: Path, profile: TableProfile) -> None:
    """Advise on the decisions in the log *path*."""
    seen: set[int] = set()
    for line in lines_of(path, patience=profile.silence_seconds):
        try:
            decisions = list(decisions_in(line, session.table, profile.seat))
        except ProtocolError as error:
            session.result.unread += 1
            session.observer.say(f"cannot read a line: {error}")
            continue
        for message in decisions:
            session.advise(message)
            seen.add(message.hand)
        session.result.hands = len(seen)
        if profile.max_hands is not None and len(seen) >= profile.max_hands:
            session.result.ended = f"{len(seen):,} hands are read"
            return
    session.result.ended = "the log ends"


if __name__ == "__main__":
    sys.exit(main())
