"""``holdem autoplay``: sits down at a table and plays."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from holdem.cli.table_display import (
    TableDisplay,
    action_words,
    limits_text,
    print_advice,
    print_result,
    print_situation,
)
from holdem.cli.table_options import (
    add_table_options,
    agent_of,
    client_of,
    decision_log,
    limits_of,
    profile_of,
    search_of,
)
from holdem.cli.terminal import (
    Parser,
    forget_typed,
    make_console,
    read_answer,
    run_command,
    signals_raise,
)
from holdem.errors import ConfigError
from holdem.play.acpc import MatchState
from holdem.play.agent import Decision
from holdem.play.game_definition import read_game
from holdem.play.session import Session

PROG = "holdem autoplay"

_TOS = (
    "autoplay acts at a table without you, and may do so only where programs are invited: at a "
    "dealer of your own, of a competition or of a study. Poker rooms forbid programs that act or "
    "advise, and close the accounts of those who use them"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Sit down at a table that invites programs, and play the policy there.",
        "docs/playing.md says what such tables are, and how this one is left.",
    )
    add_table_options(parser)
    parser.add_argument(
        "--i-understand-the-tos", action="store_true", help="the table's terms allow programs"
    )
    parser.add_argument(
        "--confirm-every-action", action="store_true", help="ask before an action is sent"
    )
    parser.add_argument(
        "--quiet",
        action="store_true",
        help="print the end of the session only, and what goes wrong",
    )
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    if not options.i_understand_the_tos:
        raise ConfigError(_TOS, "--i-understand-the-tos, if the table's terms allow programs")
    if options.confirm_every_action:
        _require_answers(quiet=options.quiet)
    search = search_of(options)
    profile = profile_of(options)
    if search is not None and search.time_budget_ms >= 1000 * profile.action_seconds:
        raise ConfigError(
            f"the search may take {search.time_budget_ms:g} ms for a decision, and the table gives "
            f"{profile.action_seconds:g} seconds",
            "give a smaller --time-budget-ms; 80 is the default",
        )
    table = read_game(Path(profile.game))
    console = make_console()
    display = TableDisplay(
        console, acts=True, every_decision=not options.quiet and not options.confirm_every_action
    )

    def confirm(message: MatchState, decision: Decision) -> bool:
        return _confirm(console, message, decision, profile.action_seconds)

    agent = agent_of(options, table.game, search, display.say, seed=options.seed)
    with decision_log(profile, options, search) as log:
        session = Session(
            table,
            agent,
            display,
            acts=True,
            confirm=confirm if options.confirm_every_action else None,
            limits=limits_of(profile),
            log=log,
        )
        if not options.quiet:
            console.print(
                f"{profile.seat} sits down at {profile.host}:{profile.port}; it leaves "
                f"{limits_text(profile.max_hands, profile.max_seconds, profile.stop_loss)}",
                soft_wrap=True,
            )
        with signals_raise(""), client_of(profile, display) as client:
            try:
                session.run(client)
            finally:
                print_result(console, session.result, table.game.big_blind)
    return 0


def _require_answers(*, quiet: bool) -> None:
    """Refuse to ask where nothing shall be printed, or where no answer can come."""
    if quiet:
        raise ConfigError(
            "--quiet prints no decision, and --confirm-every-action asks about each",
            "leave one of them out",
        )
    with contextlib.suppress(OSError):  # a terminal or a pipe has no place to look ahead from
        descriptor = sys.stdin.fileno()
        if not os.pread(descriptor, 1, os.lseek(descriptor, 0, os.SEEK_CUR)):
            raise _nobody_answers()


def _nobody_answers() -> ConfigError:
    return ConfigError(
        "--confirm-every-action asks before each action, and standard input has ended",
        "answer at a terminal, or leave the option out",
    )


def _confirm(console: Console, message: MatchState, decision: Decision, seconds: float) -> bool:
    """Show a decision and ask whether it shall be sent; no answer in time is a no."""
    print_situation(console, message, decision)
    print_advice(console, message.state, decision)
    words = action_words(message.state, decision.action)
    console.print(f"  send {words}? [y/n] ", style="bold", end="")
    sys.stdout.flush()
    forget_typed()  # a yes to what was not seen yet is none
    try:
        answer = read_answer(seconds)
    except EOFError:
        raise _nobody_answers() from None
    if answer is None:
        console.print(f"\n  no answer within {seconds:g} seconds: nothing is sent", style="yellow")
    return answer is not None and answer.lower() in ("y", "yes")


if __name__ == "__main__":
    sys.exit(main())
