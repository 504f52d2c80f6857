"""``holdem eval``: how good a blueprint is, in matches against others."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from holdem import __version__, storage
from holdem.cli.matches import (
    DEFAULT_HANDS,
    describe,
    match_document,
    number,
    opponent_of,
    print_results,
    require_places,
)
from holdem.cli.responses import Responses, add_options
from holdem.cli.terminal import (
    Parser,
    StageBars,
    count,
    make_console,
    run_command,
    signals_raise,
)
from holdem.errors import ConfigError
from holdem.evaluation.baselines import STYLES
from holdem.evaluation.contestants import Contestant, Loader, holds_checkpoint
from holdem.evaluation.match import Match, MatchResult, require_match
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import Blueprint
from holdem.mccfr.metrics import StreetMetrics, TableMetrics
from holdem.types import STREETS, shell_word

PROG = "holdem eval"
_FEWEST_HANDS = 2_000
JSON_FORMAT = "holdem evaluation"
JSON_VERSION = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Let a blueprint play against others, and say what it wins, with error bars.",
        "Figures are milli big blinds per hand with 95 % intervals, as the blueprint sees them. "
        "Opponents are baselines (" + ", ".join(STYLES) + ") and paths of policies or "
        "checkpoints. The number of hands is fixed before the first is played.",
    )
    parser.add_argument("--checkpoint", type=Path, metavar="PATH", help="a checkpoint, or a run")
    parser.add_argument("--policy", type=Path, metavar="PATH", help="a policy, or a run")
    parser.add_argument(
        "--buckets", type=Path, metavar="PATH", help="its bucket set; by default the one it names"
    )
    parser.add_argument(
        "--hands",
        "--episodes",
        metavar="N",
        help=f"hands against each opponent ({DEFAULT_HANDS:,})",
    )
    parser.add_argument(
        "--time-budget",
        metavar="SECONDS",
        help="as many hands as this takes in all, AIVAT's preparation too, by a pilot; at least "
        f"{_FEWEST_HANDS:,} against each opponent; instead of --hands",
    )
    parser.add_argument(
        "--against",
        default=",".join(STYLES),
        metavar="NAMES",
        help="opponents, with commas between; none for none (all baselines)",
    )
    parser.add_argument(
        "--duplicate",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="play each deal from every seat",
    )
    parser.add_argument(
        "--aivat",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="reduce luck by AIVAT, with two players",
    )
    add_options(parser)
    parser.add_argument("--workers", default="0", metavar="N", help="threads; 0 for all cores (0)")
    parser.add_argument("--seed", default="0", metavar="N", help="of cards and actions (0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write all figures as JSON")
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    settings = Settings.of(options)
    require_places(options.out, json_format=JSON_FORMAT)
    console = make_console()
    loader = Loader(options.buckets)
    player = _player(options, loader)
    responses = Responses.of(options, player)
    opponents = _opponents(player, settings, loader)
    loader.require_used()
    _print_player(console, player)
    streets = _street_figures(player, options)
    _print_streets(console, streets)
    console.print()
    document = _document(player, streets, settings)
    if opponents:
        _play_all(console, player, opponents, settings, document, options.out)
    for name, figures in responses.judge(console, player, settings.workers, settings.seed):
        document[name] = figures
        _keep(document, options.out)
    if options.out is not None:
        storage.write_json(options.out, document | {"complete": True})
        console.print(f"\nall figures: {options.out}")
    return 0


# -- what is wanted ----------------------------------------------------------------------------


@dataclasses.dataclass(kw_only=True)
class Settings:
    """The options that are numbers, checked, and the time that is left."""

    hands: int
    against: tuple[str, ...]
    duplicate: bool
    aivat: bool
    workers: int
    seed: int
    deadline: float | None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Settings:
        """Return the settings of *options*.

        Raises:
            ConfigError: a number is out of range, or options exclude one another.
        """
        if options.hands is not None and options.time_budget is not None:
            raise ConfigError(
                "--hands and --time-budget both say how many hands are played", "give one of them"
            )
        names = [name.strip() for name in options.against.split(",")]
        against = tuple(name for name in names if name not in ("", "none"))
        if options.time_budget is not None and not against:
            raise ConfigError(
                "--time-budget says how many hands are played, and there is no opponent to play",
                "name some by --against, or limit a best response by --response-seconds",
            )
        seconds = (
            None
            if options.time_budget is None
            else number("--time-budget", options.time_budget, 1, 10**7)
        )
        return cls(
            hands=DEFAULT_HANDS
            if options.hands is None
            else number("--hands", options.hands, 2, 10**12),
            against=against,
            duplicate=options.duplicate,
            aivat=options.aivat,
            workers=number("--workers", options.workers, 0, 1024),
            seed=number("--seed", options.seed, 0, 2**63 - 1),
            deadline=time.monotonic() + seconds if seconds is not None else None,
        )


def _player(options: argparse.Namespace, loader: Loader) -> Contestant:
    """Return what is judged."""
    if (options.checkpoint is None) == (options.policy is None):
        found = "neither" if options.policy is None else "both"
        raise ConfigError(
            f"{found} of --policy and --checkpoint given: what is to be judged?",
            "give one of them, as in --policy PATH",
        )
    if options.checkpoint is not None:
        return loader.checkpoint(options.checkpoint)
    if holds_checkpoint(options.policy):
        raise ConfigError(
            f"{options.policy} holds a checkpoint, and --policy judges a policy",
            f"--checkpoint {shell_word(options.policy)}",
        )
    return loader.policy(options.policy)


def _opponents(player: Contestant, settings: Settings, loader: Loader) -> list[Contestant]:
    """Return whom it plays, each of whom it can play."""
    opponents = [opponent_of(name, player, loader) for name in settings.against]
    for opponent in opponents:
        require_match(player, opponent)
    return opponents


# -- figures -----------------------------------------------------------------------------------


def _play_all(
    console: Console,
    player: Contestant,
    opponents: list[Contestant],
    settings: Settings,
    document: dict[str, Any],
    out: Path | None,
) -> None:
    """Play all matches, print what came out, and add it to *document*, also if one is stopped.

    An opponent leaves the list when it is played: what a baseline does is as large as a policy.
    """
    results: list[MatchResult] = []
    total = len(opponents)
    try:
        with signals_raise(""), StageBars(console) as bars:
            while opponents:
                left = len(opponents)
                result, figures = _play(player, opponents.pop(0), settings, left, bars)
                results.append(result)
                document["matches"].append(figures)
    finally:
        if results:
            print_results(console, results)
            if len(results) < total:
                console.print(f"incomplete: {len(results)} of {total} matches were played")
            _keep(document, out)


def _play(
    player: Contestant, opponent: Contestant, settings: Settings, left: int, bars: StageBars
) -> tuple[MatchResult, dict[str, Any]]:
    """Play one match; with a deadline it takes its part of the time for *left* matches."""
    started = time.monotonic()
    match = Match(
        player,
        opponent,
        seed=settings.seed,
        duplicate=settings.duplicate,
        aivat=None if settings.aivat else False,
        num_workers=settings.workers,
    )
    hands = settings.hands
    if settings.deadline is not None:
        share = (settings.deadline - started) / left
        pilot = match.pilot(match.pilot_deals)
        rest = share - (time.monotonic() - started)
        hands = max(_FEWEST_HANDS, int(rest / pilot.seconds_per_hand))
    bars.stage(f"against {opponent.name}", hands)
    result = match.play(hands, lambda played: bars.advance(len(played.numbers)))
    figures = match_document(result, describe(opponent)) | {"translated": match.translated}
    return result, figures


def _street_figures(player: Contestant, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Entropy by street; of a checkpoint the regret and the rows visited too."""
    if options.checkpoint is not None:
        assert player.source is not None  # it was read
        folder, saved = checkpoint.find(player.source)
        found = checkpoint.load(folder, player.tree, saved["buckets_fingerprint"])
        weight = found.table_state["total_weight"]
        metrics = TableMetrics(player.tree).measure(found.words, weight)
        return {street: _figures(m) for street, m in metrics.items()}
    assert isinstance(player.policy, Blueprint)
    return {street: {"entropy": value} for street, value in player.policy.policy_entropy.items()}


def _figures(metrics: StreetMetrics) -> dict[str, float]:
    return {
        "entropy": metrics.policy_entropy,
        "regret": metrics.avg_regret_norm,
        "visited": metrics.visited,
    }


# -- what is printed ---------------------------------------------------------------------------


def _print_player(console: Console, player: Contestant) -> None:
    policy = player.policy
    assert isinstance(policy, Blueprint)
    tree = player.tree
    buckets = ", ".join(
        f"{street} {number:,}" for street, number in zip(STREETS, tree.bucket_counts, strict=False)
    )
    rows = {
        "game": f"{tree.game.name}, {tree.game.num_players} players",
        "buckets": buckets,
        "trained": f"{count(policy.provenance.iterations)} iterations, seed "
        f"{policy.provenance.seed}",
    }
    console.print(player.name, style="bold")
    for name, text in rows.items():
        console.print(f"  {name:<10}{text}", soft_wrap=True)


def _print_streets(console: Console, streets: dict[str, dict[str, float]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("street")
    names = list(next(iter(streets.values()), {}))
    for name in names:
        table.add_column(name, justify="right")
    for street, figures in streets.items():
        texts = [
            f"{figures[name]:.1%}" if name == "visited" else f"{figures[name]:.4g}"
            for name in names
        ]
        table.add_row(street, *texts)
    console.print()
    console.print(table)
    console.print(
        "entropy: of the strategy, 1 is uniform and 0 pure"
        + ("; regret: chips per iteration" if "regret" in names else ""),
        style="dim",
    )


# -- what is written ---------------------------------------------------------------------------


def _document(
    player: Contestant, streets: dict[str, dict[str, float]], settings: Settings
) -> dict[str, Any]:
    return {
        "format": JSON_FORMAT,
        "format_version": JSON_VERSION,
        "package_version": __version__,
        "complete": False,
        "unit": "milli big blinds per hand, for the policy",
        "policy": describe(player),
        "seed": settings.seed,
        "duplicate": settings.duplicate,
        "streets": streets,
        "matches": [],
    }


def _keep(document: dict[str, Any], out: Path | None) -> None:
    """Write the figures so far, unless *out* is a pipe, which gets one document."""
    if out is not None and (out.is_file() or not out.exists()):
        storage.write_json(out, document)


if __name__ == "__main__":
    sys.exit(main())
