"""``holdem match``: two players, and what one wins of the other."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from holdem.cli.match_program import (
    add_program_options,
    is_program,
    play_program,
    refuse_program_options,
)
from holdem.cli.matches import (
    DEFAULT_HANDS,
    decision_figures,
    describe,
    figures_so_far,
    hands_written,
    match_file,
    number,
    opponent_of,
    print_decisions,
    print_results,
    require_places,
    write_figures,
)
from holdem.cli.table_options import add_search_options, continuations_of, search_of
from holdem.cli.terminal import Parser, StageBars, make_console, run_command, signals_raise
from holdem.errors import ConfigError
from holdem.evaluation.baselines import STYLES
from holdem.evaluation.contestants import Contestant, Loader
from holdem.evaluation.match import PILOT_DEALS, Match
from holdem.evaluation.played_hands import PlayedHands
from holdem.play.agent import Agent
from holdem.play.arena import Arena, Deciders, game_of
from holdem.types import GameConfig, SearchConfig

PROG = "holdem match"
_MOST_HANDS = 10**12
_SEATS = {"first": (0,), "second": (1,), "both": (0, 1)}
_SEARCHED_HANDS = 1_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Let policy A play against policy B, and say what A wins, with error bars.",
        "A and B are paths of policies, runs or checkpoints, or baselines: "
        + ", ".join(STYLES)
        + "; one of them may be a program. With three players or more A sits alone "
        "among copies of B. Policies with different bet menus follow the hands by translation, "
        "which is slower. The number of hands is fixed before the first is played; --until-ci "
        "finds it by a pilot whose hands do not count. With --search, which is for two players, "
        "decisions after the flop take their time; what a deal brings then depends on the clock "
        "too.",
    )
    parser.add_argument("first", metavar="A", help="who is judged")
    parser.add_argument("second", metavar="B", help="the opponent")
    parser.add_argument(
        "--hands",
        metavar="N",
        help=f"how many ({DEFAULT_HANDS:,}; with --search or a program {_SEARCHED_HANDS:,})",
    )
    parser.add_argument(
        "--until-ci", metavar="MBB", help="as many as make the 95 %% interval about +- MBB wide"
    )
    parser.add_argument(
        "--buckets", type=Path, metavar="PATH", help="a bucket set; by default those they name"
    )
    parser.add_argument(
        "--no-duplicate",
        dest="duplicate",
        action="store_false",
        help="play each deal once, not from every seat",
    )
    parser.add_argument(
        "--no-aivat", dest="aivat", action="store_false", help="do not reduce luck by AIVAT"
    )
    parser.add_argument(
        "--workers",
        default="1",
        metavar="N",
        help="threads, with --search processes; 0 for all cores (1)",
    )
    parser.add_argument("--seed", default="0", metavar="N", help="of cards and actions (0)")
    parser.add_argument(
        "--hands-out", type=Path, metavar="FILE", help="write all hands as PHH histories (.phhs)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write all figures as JSON")
    add_search_options(parser, tuple(_SEATS))
    add_program_options(parser)
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    if options.hands is not None and options.until_ci is not None:
        raise ConfigError("--hands and --until-ci both say how many hands", "give one of them")
    seed = number("--seed", options.seed, 0, 2**63 - 1)
    search = search_of(options)
    require_places(options.out, options.hands_out)
    if is_program(options.first) or is_program(options.second):
        return play_program(make_console(), options, search, seed)
    refuse_program_options(options)
    default_hands = _SEARCHED_HANDS if search else DEFAULT_HANDS
    hands = default_hands
    if options.hands is not None:
        hands = number("--hands", options.hands, 1, _MOST_HANDS)
    until = None if options.until_ci is None else _width(options.until_ci)
    workers = number("--workers", options.workers, 0, 1024)
    first, second = _players(options.first, options.second, Loader(options.buckets))
    console = make_console()
    if search is not None:
        return _search(console, first, second, options, search, hands, seed, workers)
    console.print(f"{first.name} against {second.name}", style="bold")
    match = Match(
        first,
        second,
        seed=seed,
        duplicate=options.duplicate,
        aivat=None if options.aivat else False,
        num_workers=workers,
    )
    if match.translated:
        console.print("  bet menus differ: each policy follows the hands in its own betting tree")
    pilot: dict[str, Any] | None = None
    if until is not None:
        hands, pilot = _hands_until(console, match, until)
    with _watched(console, first, second, match.game, options, hands) as on_hands:
        result = match.play(hands, on_hands)
    print_results(console, [result])
    document = match_file(result, describe(first), describe(second), seed) | {
        "translated": match.translated,
        "pilot": pilot,
    }
    write_figures(console, document, options.out, options.hands_out)
    return 0


# -- with search -------------------------------------------------------------------------------


def _search(
    console: Console,
    first: Contestant,
    second: Contestant,
    options: argparse.Namespace,
    search: SearchConfig,
    hands: int,
    seed: int,
    workers: int,
) -> int:
    """Play a match in which one or both think their decisions again."""
    if options.until_ci is not None:
        raise ConfigError(
            f"--until-ci begins with {PILOT_DEALS:,} deals, which take hours with --search",
            "give --hands",
        )
    game_of(first, second)  # raises where search has no place
    searching = _SEATS[options.search]
    names = (options.first, options.second)
    sources = (_source(options.first, first), _source(options.second, second))
    players = [
        dataclasses.replace(one, name=one.name + (" with search" if who in searching else ""))
        for who, one in enumerate((first, second))
    ]
    first, second = players
    console.print(f"{first.name} against {second.name}", style="bold")
    for who in searching:
        continuations_of(
            Path(names[who]), players[who].policy, search, lambda text: console.print(f"  {text}")
        )
    aivat = options.aivat and search.menu == "blueprint"
    if options.aivat and not aivat:
        console.print("  AIVAT needs hands that stay in the policy's betting tree: without it")
    arena = Arena(
        first,
        second,
        partial(_deciders, sources, names, options.buckets, search, searching, seed),
        searching=searching,
        seed=seed,
        duplicate=options.duplicate,
        aivat=None if aivat else False,
        num_workers=workers,
    )
    with _watched(console, first, second, arena.game, options, hands) as on_hands:
        result = arena.play(hands, on_hands)
    print_results(console, [result.match])
    print_decisions(console, result.decisions)
    document = match_file(result.match, describe(first), describe(second), seed) | {
        "search": dataclasses.asdict(search),
        "searching": options.search,
        "decisions": decision_figures(result.decisions),
    }
    write_figures(console, document, options.out, options.hands_out)
    return 0


def _source(name: str, player: Contestant) -> str:
    """Return what a worker has to load to have this *player*, not what *name* means by then."""
    return name if player.source is None else str(player.source)


def _deciders(
    sources: tuple[str, str],
    names: tuple[str, str],
    buckets: Path | None,
    search: SearchConfig,
    searching: Sequence[int],
    seed: int,
) -> Deciders:
    """Return the players, in whatever process they play."""
    players = _players(*sources, Loader(buckets))
    game = game_of(*players)
    made = []
    for who, player in enumerate(players):
        assert player.bucketing is not None  # of hold'em: the arena has checked that
        mine = search if who in searching else None
        made.append(
            Agent(
                player.policy,
                player.bucketing,
                game,
                seed=seed,
                search=mine,
                continuations=continuations_of(Path(names[who]), player.policy, mine, _quiet),
            )
        )
    return made[0], made[1]


def _quiet(text: str) -> None:
    """Say nothing: the command has said it."""


# -- while it is played ------------------------------------------------------------------------


@contextlib.contextmanager
def _watched(
    console: Console,
    first: Contestant,
    second: Contestant,
    game: GameConfig,
    options: argparse.Namespace,
    hands: int,
) -> Iterator[Callable[[PlayedHands], None]]:
    """Give what shows, writes and counts the hands of a match of *game* as they are played."""
    names = (first.name, second.name)
    with (
        signals_raise(""),
        hands_written(options.hands_out, first.tree, names, game) as write,
        figures_so_far(console, names, game, hands, duplicate=options.duplicate) as add,
        StageBars(console) as bars,
    ):
        bars.stage("playing", hands)

        def on_hands(played: PlayedHands) -> None:
            write(played)
            add(played)
            bars.advance(len(played.numbers))

        yield on_hands


# -- who plays, and how long -------------------------------------------------------------------


def _players(first: str, second: str, loader: Loader) -> tuple[Contestant, Contestant]:
    """Return who plays; a baseline sits down at the other's betting tree."""
    if first in STYLES and second in STYLES:
        raise ConfigError(
            f"{first} and {second} are baselines, which play on the betting tree of a policy",
            "give the path of a policy for one of them",
        )
    if first in STYLES:
        policy = loader.load(Path(second))
        players = opponent_of(first, policy, loader), policy
    else:
        policy = loader.load(Path(first))
        players = policy, opponent_of(second, policy, loader)
    loader.require_used()
    return players


def _width(text: str) -> float:
    """Return what --until-ci asks for.

    Raises:
        ConfigError: it is no number above 0.
    """
    try:
        width = float(text)
    except ValueError:
        width = 0.0
    if not 0 < width < float("inf"):
        raise ConfigError(
            f"--until-ci is {text or 'empty'}, and must be a number above 0 (mbb/hand)",
            "--until-ci 50",
        )
    return width


def _hands_until(console: Console, match: Match, width: float) -> tuple[int, dict[str, Any]]:
    """Return how many hands make the interval +- *width*, and the pilot that says so."""
    pilot = match.pilot(PILOT_DEALS)
    hands = pilot.hands_for(width, match.hands_per_deal)
    if hands > _MOST_HANDS:
        raise ConfigError(
            f"+- {width:g} mbb/hand would take more than {_MOST_HANDS:,} hands", "ask for less"
        )
    console.print(
        f"  a pilot of {PILOT_DEALS:,} deals, which do not count: sd {pilot.estimate.sd:,.0f} "
        f"mbb a deal, so {hands:,} hands for +- {width:g} mbb/hand"
    )
    figures = {"deals": PILOT_DEALS, "sd": pilot.estimate.sd, "wanted_error_95": width}
    return hands, figures


if __name__ == "__main__":
    sys.exit(main())
