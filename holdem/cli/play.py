"""``holdem play``: a person against a policy, or with ``--server`` a policy at a dealer."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from holdem.cli.play_terminal import TerminalTable
from holdem.cli.table_display import TableDisplay, print_result
from holdem.cli.table_options import add_search_options, agent_of, search_of
from holdem.cli.terminal import (
    Parser,
    make_console,
    option_value,
    run_command,
    signals_raise,
)
from holdem.errors import ConfigError
from holdem.play.client import Client, parse_address
from holdem.play.game_definition import read_game
from holdem.play.session import Limits, Session
from holdem.types import PROFILE_RULES

PROG = "holdem play"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Play against a policy at the terminal. With --server, let it play there by itself.",
        "A server is a dealer that speaks the ACPC protocol, such as `holdem dealer`. "
        "docs/playing.md says more.",
    )
    parser.add_argument("--policy", type=Path, required=True, metavar="PATH", help="what plays")
    parser.add_argument(
        "--buckets", type=Path, metavar="PATH", help="its buckets (those that the policy names)"
    )
    parser.add_argument("--server", metavar="HOST:PORT", help="the dealer, and this player's port")
    parser.add_argument(
        "--game",
        type=Path,
        metavar="FILE",
        help="game definition, or a name such as hu (without --server the policy's)",
    )
    parser.add_argument("--hands", metavar="N", help="stop after so many")
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of cards and choices (at a server 42, else any)"
    )
    parser.add_argument("--verbose", action="store_true", help="print every decision at a server")
    add_search_options(parser)
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    hands = None
    if options.hands is not None:
        hands = option_value("--hands", options.hands, PROFILE_RULES["max_hands"])
    if options.verbose and options.server is None:
        raise ConfigError("--verbose is for a server, and none is given", "leave --verbose out")
    if options.server is not None and options.game is None:
        raise ConfigError(
            "--server needs the definition of the game that is played there", "--game FILE"
        )
    console = make_console()
    table = None if options.game is None else read_game(options.game)
    address = None if options.server is None else parse_address(options.server)
    search = search_of(options)
    seed = options.seed
    if table is not None and address is not None:
        display = TableDisplay(console, acts=True, every_decision=options.verbose)
        agent = agent_of(
            options, table.game, search, display.say, seed=42 if seed is None else seed
        )
        limits = Limits(max_hands=hands)
        session = Session(table, agent, display, acts=True, limits=limits)
        with signals_raise(""), Client(*address, say=display.say) as client:
            try:
                session.run(client)
            finally:
                print_result(console, session.result, table.game.big_blind)
        return 0
    seed = secrets.randbits(32) if seed is None else seed
    say = TableDisplay(console, acts=False).say
    agent = agent_of(options, table.game if table else None, search, say, seed=seed)
    TerminalTable(console, agent.game, agent, seed).play(hands)
    return 0


if __name__ == "__main__":
    sys.exit(main())
