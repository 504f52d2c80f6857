"""``holdem show``: what every hand does at any point of a policy's betting tree."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from holdem import storage
from holdem.cli.chart import actions_of, print_grid
from holdem.cli.png import PNG_BEGINNING, chart_png
from holdem.cli.terminal import Parser, make_console, run_command
from holdem.errors import ConfigError
from holdem.evaluation.contestants import Loader
from holdem.evaluation.hand_strategies import (
    HandStrategy,
    board_text,
    find_place,
    strategy_at,
)
from holdem.game.games import position_names
from holdem.game.tree import BettingTree

PROG = "holdem show"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Show what every hand does at one point of the betting.",
        "A path is actions from the beginning: f fold, x check, c call, b300 bet, r250 raise to "
        "250 chips, a all-in; and the cards of the board: 'r250 c / Ks7d2h / x'. Without one, "
        "the first decision of the hand. A path that leads nowhere is answered with what is "
        "possible there.",
    )
    parser.add_argument(
        "policy", type=Path, metavar="POLICY", help="a policy, a run's folder or a checkpoint"
    )
    parser.add_argument("path", nargs="?", default="", metavar="PATH", help="where to look")
    parser.add_argument("--buckets", type=Path, metavar="PATH", help="the policy's bucket set")
    parser.add_argument("--list", action="store_true", help="a line for each hand, not the chart")
    parser.add_argument("--json", action="store_true", help="print JSON, every hand of it")
    parser.add_argument("--csv", action="store_true", help="print a table, a line for each hand")
    parser.add_argument("--png", type=Path, metavar="FILE", help="write the chart as a picture")
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    if options.list + options.json + options.csv > 1:
        raise ConfigError("--list, --json and --csv are three ways to print", "choose one")
    loader = Loader(options.buckets)
    player = loader.load(options.policy)
    loader.require_used()
    place = find_place(player.tree, options.path)
    found = strategy_at(player.policy, place, player.bucketing)
    holdem = player.tree.game.cards.kind == "holdem"
    if options.png is not None:
        if not holdem:
            raise ConfigError("--png draws the chart of hold'em", "leave it out for other games")
        storage.require_place(options.png, PNG_BEGINNING)
        with storage.atomic_write(options.png) as file:
            file.write(chart_png(found.grid, actions_of(player.tree, place.node)))
    if options.json:
        print(json.dumps(_document(player.tree, found), ensure_ascii=False, allow_nan=False))
    elif options.csv:
        print(_table(found), end="")
    else:
        console = make_console()
        _print_situation(console, player.tree, found)
        if holdem and not options.list:
            actions = actions_of(player.tree, place.node)
            print_grid(console, found.grid, found.frequencies.tolist(), actions)
        else:
            _print_list(console, found)
        if options.png is not None:
            console.print(f"\n  the chart is in {options.png}", soft_wrap=True)
    return 0


def _print_situation(console: Console, tree: BettingTree, found: HandStrategy) -> None:
    """Print what happened, the board, and who is to act for what."""
    node = found.place.node
    board = board_text(tree, found.place.board)
    pot = int(tree.nodes["pot"][node]) / tree.game.big_blind
    unit = "bb" if tree.game.blinds else "antes"
    console.print(f" {tree.describe(node)}", soft_wrap=True)
    seat = position_names(tree.game.num_players)[found.seat]
    on_board = f" on {board}" if board else ""
    console.print(f" {seat} to act{on_board}, {pot:g} {unit} in the pot\n", soft_wrap=True)


def _print_list(console: Console, found: HandStrategy) -> None:
    """Print a line for each hand, those that get here most often first."""
    width = max(len(name) for name in found.names)
    order = sorted(range(len(found.names)), key=lambda hand: (-found.weights[hand], -hand))
    for hand in order:
        parts = [
            f"{action} {share:.1%}"
            for action, share in zip(found.actions, found.probabilities[hand], strict=True)
        ]
        console.print(
            f"  {found.names[hand]:<{width}}  gets here {found.weights[hand]:6.1%}   "
            + "   ".join(parts),
            soft_wrap=True,
        )


def _document(tree: BettingTree, found: HandStrategy) -> dict[str, Any]:
    node = found.place.node
    return {
        "node": node,
        "history": tree.history(node),
        "situation": tree.describe(node),
        "board": board_text(tree, found.place.board),
        "seat": found.seat,
        "pot": int(tree.nodes["pot"][node]),
        "actions": list(found.actions),
        "frequencies": [round(share, 6) for share in found.frequencies.tolist()],
        "hands": {
            name: {
                "weight": round(weight, 6),
                "probabilities": [round(share, 6) for share in row],
            }
            for name, weight, row in zip(
                found.names, found.weights.tolist(), found.probabilities.tolist(), strict=True
            )
        },
    }


def _table(found: HandStrategy) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["hand", "weight", *found.actions])
    for name, weight, row in zip(
        found.names, found.weights.tolist(), found.probabilities.tolist(), strict=True
    ):
        writer.writerow([name, f"{weight:.6f}", *(f"{share:.6f}" for share in row)])
    return text.getvalue()


if __name__ == "__main__":
    sys.exit(main())
