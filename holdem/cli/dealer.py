"""``holdem dealer``: a match server for programs that speak the ACPC protocol."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from holdem.cli.table_options import DEALER_OPTIONS, add_dealer_options, dealer_values
from holdem.cli.terminal import (
    Parser,
    Stopped,
    duration,
    make_console,
    option_value,
    run_command,
    signals,
)
from holdem.play.dealer import FinishedHand, MatchResult, play_match
from holdem.play.game_definition import read_game
from holdem.types import DEALER_RULES, DealerConfig

PROG = "holdem dealer"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Deal a match to programs that connect and speak the ACPC protocol, version 2.0.0.",
        "The first line printed has the ports, one for each player in the order of --seats; the "
        "last one the scores. What players do wrong goes to standard error. The exit status is 0 "
        "if all hands were played and nobody was put out, else 1. docs/playing.md says more.",
    )
    parser.add_argument(
        "--game",
        type=Path,
        required=True,
        metavar="FILE",
        help="game definition, or the name of one in configs/games, such as hu",
    )
    parser.add_argument("--seats", required=True, metavar="A,B", help="the players' names")
    add_dealer_options(parser, DEALER_OPTIONS)
    parser.add_argument(
        "--port",
        dest="ports",
        metavar="P",
        nargs="+",
        help="the players' ports; 0 for any that is free (0)",
    )
    parser.add_argument(
        "--duplicate",
        action="store_true",
        help="deal the same cards at each rotation of players, and as many more hands as complete "
        "the last one",
    )
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="write the hands there, and beside it, as .phhs, in the PHH format",
    )
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    table = read_game(options.game)
    given = dealer_values(options, DEALER_OPTIONS)
    if options.ports is not None:
        given["ports"] = option_value("--port", options.ports, DEALER_RULES["ports"])
    config = DealerConfig(duplicate=options.duplicate, **given)
    # What players do wrong may have no reader any longer: the match goes on.
    console, errors = make_console(), make_console(stderr=True, outlived=True)
    names = [name.strip() for name in options.seats.split(",")]
    if over := config.duplicate and config.hands % table.game.num_players:
        config = replace(config, hands=config.hands + table.game.num_players - over)
        errors.print(f"{config.hands:,} hands, so that the last deal is complete", soft_wrap=True)

    def ready(ports: tuple[int, ...]) -> None:
        console.print(*ports, soft_wrap=True)
        sys.stdout.flush()

    advice = ""

    def count(hand: FinishedHand) -> None:
        nonlocal advice
        advice = "the hands that are over are in the log" if options.log else ""

    def stop(number: int) -> None:
        raise Stopped(number, advice)

    start = time.monotonic()
    with signals(stop):
        result = play_match(
            table,
            names,
            config,
            say=lambda text: errors.print(text, soft_wrap=True),
            log_path=options.log,
            ready=ready,
            on_hand=count,
        )
    _print_result(console, result, table.game.big_blind, time.monotonic() - start)
    fair = result.hands == config.hands and not any(player.out for player in result.players)
    return 0 if fair else 1


def _print_result(console: Console, result: MatchResult, big_blind: int, seconds: float) -> None:
    console.print(f"{result.hands:,} hands in {duration(seconds)}")
    hands = max(result.hands, 1)
    for player in result.players:
        won = 1000 * player.chips / big_blind / hands
        faults = f", {player.illegal} illegal, {player.timeouts} too late"
        console.print(
            f"  {player.name:<16}{player.chips:+,} chips, {won:+,.0f} mbb/h; "
            f"{player.actions:,} actions, the slowest {1000 * player.slowest:.0f} ms"
            f"{faults if player.illegal or player.timeouts else ''}"
            f"{', out' if player.out else ''}",
            soft_wrap=True,
        )
    console.print(result.score, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
