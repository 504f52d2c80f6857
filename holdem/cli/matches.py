"""What commands that play matches share: who plays, numbers of options, tables and JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from holdem import __version__, storage
from holdem.cli.table_display import tally_rows
from holdem.cli.terminal import Stopped
from holdem.errors import ConfigError
from holdem.evaluation.baselines import STYLES, baseline
from holdem.evaluation.contestants import Contestant, Loader
from holdem.evaluation.estimates import Outcome, Sums
from holdem.evaluation.match import MatchResult
from holdem.evaluation.played_hands import PlayedHands, histories
from holdem.game.games import position_names
from holdem.game.history import dumps
from holdem.game.tree import BettingTree
from holdem.mccfr.blueprint import Blueprint
from holdem.play.arena import Decisions
from holdem.types import STREETS, GameConfig

DEFAULT_HANDS = 100_000
JSON_FORMAT = "holdem match"
JSON_VERSION = 1

_LEAST_NAME = 12  # letters of a line of an opponent's name


def number(option: str, text: object, least: int, most: int) -> int:
    """Return the whole number that *text* is, also as ``1e6``.

    Raises:
        ConfigError: it is not one, or out of range.
    """
    value = _whole(str(text))
    if value is None or not least <= value <= most:
        raise ConfigError(
            f"{option} is {text or 'empty'}, and must be a whole number from {least:,} to {most:,}",
            f"{option} {least}",
        )
    return value


def _whole(text: str) -> int | None:
    """Return the whole number that *text* is, to its last digit; None if it is none."""
    with contextlib.suppress(ValueError):
        return int(text)
    with contextlib.suppress(ValueError):
        value = float(text)
        return int(value) if value.is_integer() else None
    return None


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
    """Print a table of matches that the same policy has played, and what its columns mean.

    Positions are columns of it if there is room, and else rows of another: no figure is cut.
    """
    positions = position_names(len(results[0].plain.positions))
    names = [result.second for result in results]
    whole = [_total_cells(result) for result in results]
    apart = [_position_cells(result) for result in results]
    wide = _table(
        ["against"],
        ["hands", "mbb/hand", "+-", *(f"as {name}" for name in positions), "sd", "luck cut"],
        [[name] for name in names],
        [[*cells[:3], *by_seat, *cells[3:]] for cells, by_seat in zip(whole, apart, strict=True)],
    )
    console.print()
    if _fits(console, wide):
        console.print(wide)
    else:
        totals = ["hands", "mbb/hand", "+-", "sd", "luck cut"]
        console.print(_table(["against"], totals, [[name] for name in names], whole))
        console.print()
        labels = [[name, position] for name in names for position in positions]
        cells = [[cell] for by_seat in apart for cell in by_seat]
        console.print(_table(["against", "as"], ["mbb/hand"], labels, cells))
    plain = [result.second for result in results if result.aivat is None]
    how = "chips won"
    if len(plain) < len(results):
        how = "AIVAT's estimates" + (f" (chips won against {', '.join(plain)})" if plain else "")
    deals = "each deal played from every seat" if results[0].duplicate else "each deal played once"
    console.print(
        f"mbb/hand: milli big blinds per hand for {results[0].first}, by {how}; +-: 95 % interval\n"
        f"sd: of a single hand; luck cut: the part of it that AIVAT took away; {deals}",
        style="dim",
        soft_wrap=True,
    )


def _table(
    texts: Sequence[str],
    figures: Sequence[str],
    labels: Sequence[Sequence[str]],
    cells: Sequence[Sequence[str]],
) -> Table:
    """Return a table with columns of *texts*, which may be folded, and of *figures*, which not."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    for label, row in zip(labels, cells, strict=True):
        table.add_row(*label, *row)
    return table


def _fits(console: Console, table: Table) -> bool:
    """Whether the first column has room for some letters beside all figures."""
    figures = table.columns[1:]
    widths = [max(map(cell_len, map(str, (one.header, *one.cells)))) for one in figures]
    return _LEAST_NAME + sum(2 + width for width in widths) <= console.width


def _total_cells(result: MatchResult) -> list[str]:
    """Return hands, mean, interval, spread and luck cut."""
    best, cut = result.best, result.reduction
    return [
        f"{result.num_hands:,}",
        f"{best.total.mean:+,.1f}",
        f"{best.total.error:,.1f}",
        f"{best.hand_sd:,.0f}",
        "" if cut is None else f"{cut:.0%}",
    ]


def _position_cells(result: MatchResult) -> list[str]:
    """Return mean and interval of each position."""
    return [f"{one.mean:+,.1f} +-{one.error:,.1f}" for one in result.best.positions]


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


def match_document(result: MatchResult, opponent: dict[str, Any]) -> dict[str, Any]:
    """Return a match's figures for JSON; the opponent as `describe` has it."""
    names = position_names(len(result.plain.positions))

    def figures(outcome: Outcome | None) -> dict[str, Any] | None:
        if outcome is None:
            return None
        parts = {"total": outcome.total, **dict(zip(names, outcome.positions, strict=True))}
        return {
            "hand_sd": outcome.hand_sd,
            **{
                name: {
                    "mean": part.mean,
                    # A single deal says nothing of its spread, and JSON has no infinity.
                    "error_95": part.error if math.isfinite(part.error) else None,
                    "sd": part.sd,
                    "of": part.count,
                }
                for name, part in parts.items()
            },
        }

    return {
        "opponent": opponent,
        "hands": result.num_hands,
        "deals": result.num_deals,
        "plain": figures(result.plain),
        "aivat": figures(result.aivat),
        "sd_reduction": result.reduction,
    }


# -- the files of `holdem match` ---------------------------------------------------------------


def match_file(
    result: MatchResult, first: dict[str, Any], second: dict[str, Any], seed: int
) -> dict[str, Any]:
    """Return what ``--out`` gets of any match; the players as `describe` has them."""
    return {
        "format": JSON_FORMAT,
        "format_version": JSON_VERSION,
        "package_version": __version__,
        "unit": "milli big blinds per hand, for the first policy",
        "policy": first,
        "seed": seed,
        "duplicate": result.duplicate,
        "match": match_document(result, second),
    }


def require_places(
    out: Path | None, hands_out: Path | None = None, json_format: str = JSON_FORMAT
) -> None:
    """Refuse, before a hand is played, files for figures and hands that cannot be written.

    Raises:
        ConfigError: they are one file.
        StorageError: something else is there, or nothing may be written there.
    """
    if out is not None and hands_out is not None and out.resolve() == hands_out.resolve():
        raise ConfigError(
            f"--out and --hands-out are both {out}", "give figures and hands a file each"
        )
    if out is not None:
        storage.require_place(out, f'{{\n  "format": "{json_format}"'.encode())
    if hands_out is not None:
        storage.require_place(hands_out, b"[1]\nvariant")


def write_figures(
    console: Console, document: dict[str, Any], out: Path | None, hands_out: Path | None
) -> None:
    """Write *document* to *out* if that is wanted, and say what was written."""
    if hands_out is not None:
        console.print(f"\nhands: {hands_out}", soft_wrap=True)
    if out is not None:
        storage.write_json(out, document)
        console.print(f"all figures: {out}", soft_wrap=True)


@contextlib.contextmanager
def hands_written(
    path: Path | None, tree: BettingTree, names: tuple[str, str], game: GameConfig | None = None
) -> Iterator[Callable[[PlayedHands], None]]:
    """Give what writes hands to the file *path* as they are played; nothing without a path.

    If the match is stopped, the file has those that were played before.

    Args:
        path: where they go.
        tree: that they were played on.
        names: of the first and the second player.
        game: that was played, if it is not the tree's.

    Raises:
        ConfigError: the format does not hold the game.
    """
    if path is None:
        yield lambda played: None
        return
    game = game or tree.game
    if game.cards.kind != "holdem" or game.num_streets != 4:
        raise ConfigError(
            f"no histories of {game.name!r} can be written: the format holds hold'em with "
            "four streets of betting",
            "leave out --hands-out",
        )
    number, size = 0, 0
    stopped: Stopped | None = None
    with storage.atomic_write(path) as file:

        def write(played: PlayedHands) -> None:
            nonlocal number, size
            for history in histories(played, tree, names):
                text = f"[{number + 1}]\n{dumps(history)}\n".encode()
                file.write(text)
                number, size = number + 1, size + len(text)

        try:
            yield write
        except Stopped as stop:
            if not number:
                raise
            with contextlib.suppress(OSError):  # a pipe cannot be cut
                file.truncate(size)  # half a hand would make those before it unreadable too
            stopped = stop
    if stopped is not None:
        kept = f"the {number:,} hands that were played are in {path}"
        raise Stopped(stopped.number, f"{stopped.advice}; {kept}" if stopped.advice else kept)


@contextlib.contextmanager
def figures_so_far(
    console: Console, names: tuple[str, str], game: GameConfig, hands: int, *, duplicate: bool
) -> Iterator[Callable[[PlayedHands], None]]:
    """Give what counts hands as they are played; if the match is stopped, print what they say.

    Args:
        console: where.
        names: of the first and the second player.
        game: that is played.
        hands: that should be played.
        duplicate: whether each deal is played with every seating.
    """
    sums = Sums(game.num_players, game.big_blind, duplicate=duplicate)
    seatings = game.num_players if duplicate else 1
    deals, aivat, waiting = 0, False, list[PlayedHands]()

    def add(played: PlayedHands) -> None:
        nonlocal deals, aivat
        waiting.append(played)
        if len(waiting) == seatings:
            sums.add(waiting)
            deals, aivat = deals + len(played.numbers), played.values is not None
            waiting.clear()

    try:
        yield add
    except Stopped:
        if deals:
            result = MatchResult(
                first=names[0],
                second=names[1],
                num_hands=deals * seatings,
                num_deals=deals,
                duplicate=duplicate,
                plain=sums.outcome(aivat=False),
                aivat=sums.outcome(aivat=True) if aivat else None,
            )
            print_results(console, [result])
            console.print(f"incomplete: stopped after {result.num_hands:,} of {hands:,} hands")
        raise


# -- decisions that take their time ------------------------------------------------------------


def print_decisions(console: Console, decisions: Decisions) -> None:
    """Print how long decisions took, and why some were not thought again."""
    console.print()
    for name, text in tally_rows(decisions.tally).items():
        console.print(f"  {name:<11}{text}", soft_wrap=True)
    for reason, times in sorted(decisions.reasons.items(), key=lambda item: -item[1])[:3]:
        console.print(f"    {times:,}: {reason}", style="dim", soft_wrap=True)


def decision_figures(decisions: Decisions) -> dict[str, Any]:
    """Return the figures of decisions for JSON, latencies in milliseconds."""
    tallies = {"all": decisions.tally}
    tallies |= {STREETS[street]: tally for street, tally in decisions.by_street.items()}
    return {
        name: {
            "count": len(tally.decisions),
            "fallbacks": tally.fallbacks,
            **{f"p{share}": 1000 * tally.percentile(share / 100) for share in (50, 90, 99)},
        }
        for name, tally in tallies.items()
    } | {"reasons": decisions.reasons}
