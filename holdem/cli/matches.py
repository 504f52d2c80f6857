"""What commands that play matches share: who plays, numbers of options, tables and JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from holdem.errors import ConfigError
from holdem.evaluation.baselines import STYLES, baseline
from holdem.evaluation.contestants import Contestant, Loader
from holdem.evaluation.estimates import Outcome
from holdem.evaluation.match import MatchResult
from holdem.game.games import position_names
from holdem.mccfr.blueprint import Blueprint

DEFAULT_HANDS = 100_000


def number(option: str, text: object, least: int, most: int) -> int:
    """Return the whole number that *text* is, also as ``1e6``.

    Raises:
        ConfigError: it is not one, or out of range.
    """
    try:
        value = float(str(text))
    except ValueError:
        value = float("nan")
    if not value.is_integer() or not least <= value <= most:
        raise ConfigError(
            f"{option} is {text}, and must be a whole number from {least:,} to {most:,}",
            f"{option} {least}",
        )
    try:
        return int(str(text))
    except ValueError:
        return int(value)


def opponent_of(name: str, player: Contestant, loader: Loader) -> Contestant:
    """Return who plays against *player*: a baseline or a path."""
    if name in STYLES:
        return baseline(name, player)
    path = Path(name)
    if not path.exists() and path.name == name:
        raise ConfigError(
            f"no opponent {name!r}: neither a baseline nor a path that is there",
            f"one of {', '.join(STYLES)}, or the path of a policy",
        )
    return loader.load(path)


def print_results(console: Console, results: Sequence[MatchResult]) -> None:
    """Print a table of matches that the same policy has played, and what its columns mean."""
    positions = position_names(len(results[0].plain.positions))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("against")
    names = ("hands", "mbb/hand", "+-", *(f"as {name}" for name in positions), "sd", "luck cut")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for result in results:
        table.add_row(result.second, *_cells(result))
    console.print()
    console.print(table)
    how = "AIVAT's estimates" if any(result.aivat for result in results) else "chips won"
    deals = "each deal played from every seat" if results[0].duplicate else "each deal played once"
    console.print(
        f"mbb/hand: milli big blinds per hand for {results[0].first}, by {how}; +-: 95 % interval\n"
        f"sd: of a single hand; luck cut: the part of it that AIVAT took away; {deals}",
        style="dim",
        soft_wrap=True,
    )


def _cells(result: MatchResult) -> list[str]:
    """Return the cells of a match's row: hands, total, interval, positions, spread, luck cut."""
    best = result.best
    cut = result.reduction
    return [
        f"{result.num_hands:,}",
        f"{best.total.mean:+,.1f}",
        f"{best.total.error:,.1f}",
        *(f"{position.mean:+,.1f} +-{position.error:,.1f}" for position in best.positions),
        f"{best.hand_sd:,.0f}",
        "" if cut is None else f"{cut:.0%}",
    ]


def describe(contestant: Contestant) -> dict[str, Any]:
    """Return what tells a contestant from others, for JSON."""
    policy, tree = contestant.policy, contestant.tree
    found: dict[str, Any] = {
        "name": contestant.name,
        "game": tree.game.name,
        "tree_fingerprint": tree.fingerprint,
        "buckets_fingerprint": contestant.bucketing and contestant.bucketing.fingerprint,
    }
    if isinstance(policy, Blueprint):
        found["provenance"] = dataclasses.asdict(policy.provenance)
    elif contestant.name in STYLES:
        found["baseline"] = STYLES[contestant.name]
    return found


def match_document(result: MatchResult, opponent: Contestant) -> dict[str, Any]:
    """Return a match's figures for JSON."""
    names = position_names(len(result.plain.positions))

    def figures(outcome: Outcome | None) -> dict[str, Any] | None:
        if outcome is None:
            return None
        parts = {"total": outcome.total, **dict(zip(names, outcome.positions, strict=True))}
        return {
            "hand_sd": outcome.hand_sd,
            **{
                name: {"mean": part.mean, "error_95": part.error, "sd": part.sd, "of": part.count}
                for name, part in parts.items()
            },
        }

    return {
        "opponent": describe(opponent),
        "hands": result.num_hands,
        "deals": result.num_deals,
        "plain": figures(result.plain),
        "aivat": figures(result.aivat),
        "sd_reduction": result.reduction,
    }
