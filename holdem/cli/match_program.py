"""``holdem match`` where one of the players is a program that connects and speaks ACPC."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from pathlib import Path
from typing import Any

from rich.console import Console

from holdem.cli.matches import (
    decision_figures,
    describe,
    figures_so_far,
    hands_written,
    match_file,
    number,
    print_decisions,
    print_results,
    write_figures,
)
from holdem.cli.table_options import add_dealer_options, continuations_of, dealer_values
from holdem.cli.terminal import Parser, StageBars, signals_raise
from holdem.config import parse_scalar
from holdem.errors import ConfigError
from holdem.evaluation.baselines import STYLES
from holdem.evaluation.contestants import Contestant, Loader
from holdem.evaluation.played_hands import PlayedHands
from holdem.play.agent import Agent
from holdem.play.game_definition import Table, read_game, write_game
from holdem.play.program import Program
from holdem.play.program_match import ProgramMatch, ProgramMatchResult, require_two
from holdem.types import DEALER_RULES, DealerConfig, SearchConfig

__all__ = ["add_program_options", "is_program", "play_program", "refuse_program_options"]

PROGRAM, PORT = "program:", "port:"
_DEFAULT_HANDS = 1_000
_MOST_HANDS = 10**9
_OPTIONS = ("--host", "--join-seconds", "--time-per-action", "--most-illegal", "--most-timeouts")
_SEATS = ("first", "second")


def is_program(name: str) -> bool:
    """Whether a player of the command line is a program; a path may begin with ``./program:``."""
    return name.startswith((PROGRAM, PORT))


def add_program_options(parser: Parser) -> None:
    """Add the options of a match with a program."""
    group = parser.add_argument_group(
        "a program",
        f"A or B may be {PROGRAM}PATH, which is started with the dealer's host and port as its two "
        f"arguments, or {PORT}N, where one that is started by hand is waited for (0 for any port "
        "that is free). It plays by the protocol of the ACPC, version 2.0.0. The exit status is 1 "
        "if it was put out of the match.",
    )
    group.add_argument(
        "--game",
        type=Path,
        metavar="FILE",
        help="what is played: a game definition, or a name such as hu (the policy's own game)",
    )
    add_dealer_options(group, _OPTIONS)


def refuse_program_options(options: argparse.Namespace) -> None:
    """Raise if there are options for a program where none plays.

    Raises:
        ConfigError: there are.
    """
    given = [option for option in _OPTIONS if dealer_values(options, [option])]
    given += ["--game"] if options.game is not None else []
    if given:
        raise ConfigError(
            f"{given[0]} is for a match with a program", f"name one: {PROGRAM}PATH, or {PORT}N"
        )


def play_program(
    console: Console, options: argparse.Namespace, search: SearchConfig | None, seed: int
) -> int:
    """Play the match that *options* name, and return the exit status."""
    where = _where(options)
    players = [options.first, options.second]
    hands = _DEFAULT_HANDS if options.hands is None else options.hands
    config = DealerConfig(
        hands=number("--hands", hands, 1, _MOST_HANDS),
        seed=seed,
        duplicate=options.duplicate,
        **_ports(players[where]),
        **dealer_values(options, _OPTIONS),
    )
    program = _program(players[where])
    policy = _policy(players[1 - where], options.buckets)
    table = _table(policy, options.game)
    names = [players[where]] * 2
    names[1 - where] = policy.name + (" with search" if search else "")
    console.print(f"{names[0]} against {names[1]}", style="bold")

    def say(text: str) -> None:
        console.print(f"  {text}", soft_wrap=True)

    assert policy.bucketing is not None  # _policy() has looked
    agent = Agent(
        policy.policy,
        policy.bucketing,
        table.game,
        seed=seed,
        search=search,
        continuations=continuations_of(Path(players[1 - where]), policy.policy, search, say),
    )
    if options.aivat:
        say("AIVAT needs the probabilities of both, and a program does not tell its own: without")
    match = ProgramMatch(
        table, agent, (names[0], names[1]), config, program=program, program_first=where == 0
    )
    result = _play(console, match, policy, options.hands_out, program)
    print_results(console, [result.match])
    if search is not None:
        print_decisions(console, result.decisions)
    _print_program(console, result)
    described: list[dict[str, Any]] = [{"name": players[where], "game": table.game.name}] * 2
    described[1 - where] = describe(policy)
    document = match_file(result.match, described[0], described[1], seed) | {
        "game_definition": write_game(table),
        "dealer": dataclasses.asdict(match.config),
        "program": _figures(result),
        "search": search and dataclasses.asdict(search),
        "decisions": decision_figures(result.decisions),
    }
    write_figures(console, document, options.out, options.hands_out)
    return int(result.program.out)


def _play(
    console: Console,
    match: ProgramMatch,
    policy: Contestant,
    hands_out: Path | None,
    program: Program | None,
) -> ProgramMatchResult:
    with contextlib.ExitStack() as stack:
        stack.enter_context(signals_raise(""))
        write = stack.enter_context(
            hands_written(hands_out, policy.tree, match.names, match.table.game)
        )
        game, config = match.table.game, match.config
        add = stack.enter_context(
            figures_so_far(console, match.names, game, config.hands, duplicate=config.duplicate)
        )
        bars = stack.enter_context(StageBars(console))
        if program is not None:
            stack.enter_context(program)

        def ready(port: int) -> None:
            if program is None:
                bars.say(
                    f"waiting for a program at {match.config.host}, port {port}, for "
                    f"{match.config.join_seconds:g} seconds"
                )

        def on_hands(played: PlayedHands) -> None:
            write(played)
            add(played)
            bars.advance(len(played.numbers))

        bars.stage("playing", match.config.hands)
        return match.play(bars.say, ready=ready, on_hands=on_hands)


# -- what was asked for ------------------------------------------------------------------------


def _where(options: argparse.Namespace) -> int:
    """Return which player is the program.

    Raises:
        ConfigError: both are, or an option makes no sense with one.
    """
    programs = [is_program(options.first), is_program(options.second)]
    if all(programs):
        raise ConfigError(
            "both players are programs, and nobody says what they play",
            "holdem dealer --game FILE --seats A,B deals to two programs",
        )
    where = programs.index(True)
    if options.until_ci is not None:
        raise ConfigError(
            "--until-ci begins with hands that do not count, and a program may learn from them",
            "give --hands",
        )
    if number("--workers", options.workers, 0, 1024) != 1:
        raise ConfigError(
            f"--workers is {options.workers}, and a program plays one hand after the other",
            "leave it out; --num-workers gives --search more threads",
        )
    if options.search not in (None, _SEATS[1 - where]):
        raise ConfigError(
            f"--search is {options.search}, and the {_SEATS[where]} player is a program, which "
            "thinks for itself",
            f"--search {_SEATS[1 - where]}",
        )
    return where


def _ports(name: str) -> dict[str, Any]:
    if name.startswith(PROGRAM):
        return {}
    port = name.removeprefix(PORT)
    rule = dataclasses.replace(DEALER_RULES["ports"], many=False)
    try:
        return {"ports": (rule.convert(parse_scalar(port)),)}
    except ValueError:
        raise ConfigError(
            f"the port is {port or 'missing'}, and must be {rule.wanted}",
            f"{PORT}0 waits at one that is free, and says at which",
        ) from None


def _program(name: str) -> Program | None:
    if not name.startswith(PROGRAM):
        return None
    # The shell leaves a tilde behind a colon to us.
    return Program(Path(name.removeprefix(PROGRAM)).expanduser())


def _policy(name: str, buckets: Path | None) -> Contestant:
    """Return who plays against the program."""
    if name in STYLES:
        raise ConfigError(
            f"{name} is a baseline, which plays on the betting tree of a policy",
            "give the path of a policy against a program",
        )
    loader = Loader(buckets)
    policy = loader.load(Path(name))
    loader.require_used()
    if policy.bucketing is None:
        raise ConfigError(
            f"{name} is a policy of {policy.tree.game.name!r}, and programs play hold'em here",
            "give a policy of hold'em",
        )
    return policy


def _table(policy: Contestant, game: Path | None) -> Table:
    """Return what is played."""
    if game is not None:
        table = read_game(game)
    else:
        try:
            table = Table.of(policy.tree.game)
        except ConfigError as error:
            raise ConfigError(
                f"a program cannot play the policy's game: {error}",
                "--game FILE lets the policy play another, such as hu",
            ) from None
    require_two(table)
    return table


# -- what came of it ---------------------------------------------------------------------------


def _print_program(console: Console, result: ProgramMatchResult) -> None:
    program = result.program
    rows = [
        f"{program.actions:,} actions, the slowest {1000 * program.slowest:.0f} ms; "
        f"{program.illegal:,} illegal, {program.timeouts:,} too late; "
        f"{program.lost:,} connections lost"
    ]
    if program.lost and result.ending:
        rows.append(f"it {result.ending}")
    if program.out:
        rows.append(
            f"out of the match: the dealer checked or folded for it in {result.hands_without:,} "
            f"of {result.match.num_hands:,} hands"
        )
    console.print()
    for name, text in zip(("program", *[""] * len(rows)), rows, strict=False):
        console.print(f"  {name:<11}{text}", soft_wrap=True)


def _figures(result: ProgramMatchResult) -> dict[str, Any]:
    """Return what the dealer counted, for JSON."""
    program = result.program
    return {
        "chips": program.chips,
        "actions": program.actions,
        "illegal": program.illegal,
        "timeouts": program.timeouts,
        "connections_lost": program.lost,
        "out": program.out,
        "hands_without": result.hands_without,
        "ending": result.ending if program.lost else "",
        "slowest_ms": 1000 * program.slowest,
    }
