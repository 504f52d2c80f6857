"""``holdem solve``: solves a situation after the flop, and says what both ranges do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from holdem import storage
from holdem.cli.chart import print_grid, sized_actions
from holdem.cli.terminal import (
    Parser,
    Stopped,
    make_console,
    option_value,
    run_command,
    signals,
)
from holdem.errors import ConfigError, MismatchError, StorageError
from holdem.game.cards import (
    CLASS_GRID,
    CLASS_OF_HOLE,
    Card,
    cards_text,
    hole_name,
)
from holdem.machine import usable_cores
from holdem.search.locks import LOCK_EXAMPLE, parse_lock
from holdem.search.solver import Progress, SubgameSolver
from holdem.search.spot import PLAYERS, Spot, read_spot
from holdem.search.strategies import HandStrategy
from holdem.search.subgame import Node, NodeKind
from holdem.types import MOST_SEARCH_THREADS, SEARCH_RULES, shell_word

PROG = "holdem solve"
DEFAULT_MENU = "50%, a"

_NAMES = ("out of position", "in position")
_OPTIONS = {
    "board": ("CARDS", "3 to 5 cards, as in Ks7d2h"),
    "pot": ("CHIPS", "in the middle"),
    "stack": ("CHIPS", "that each player has left"),
    "oop": ("RANGE", "of the player who acts first, as in 'AA, KQs, T9s:0.5'"),
    "ip": ("RANGE", "of the other"),
    "menu": ("SIZES", "bets on offer, as in '33%%, 75%%, a' ('50%%, a')"),
    "raise-menu": ("SIZES", "raises on offer (those of --menu)"),
}
_FILE_NAMES = {"menu": "bet", "raise-menu": "raise"}
"""Options that a spot file calls by another name."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _run, argv)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        PROG,
        "Solve a situation of two players after the flop: what both ranges do.",
        "Sizes: '50%' of the pot, '2.5x' the bet, '4c' chips, 'a' all-in. A path for --at is "
        "actions and cards from the beginning, as in 'check bet100 call Kd'. A spot file is "
        "lines of name=value: board, pot, stack, oop, ip, bet, raise; options beat it. A lock is "
        "a path ('/' for any card), a colon, and who does what, as in "
        f"'{LOCK_EXAMPLE}': a weight is how often, and one action without a range "
        "takes what is left.",
    )
    for name, (metavar, text) in _OPTIONS.items():
        parser.add_argument(f"--{name}", metavar=metavar, help=text)
    parser.add_argument("--spot", type=Path, metavar="FILE", help="a file with all of these")
    parser.add_argument(
        "--target",
        default="0.3",
        metavar="PERCENT",
        help="stop when a best response gains no more, in percent of the pot (0.3)",
    )
    parser.add_argument(
        "--time-budget",
        metavar="SECONDS",
        help="stop then at the latest; an iteration that has begun is finished",
    )
    parser.add_argument("--workers", default="0", metavar="N", help="threads (all cores)")
    parser.add_argument(
        "--at", action="append", default=[], metavar="PATH", help="show this decision too"
    )
    parser.add_argument(
        "--lock",
        action="append",
        default=[],
        metavar="LOCK",
        help="fix what is done at a decision; the answer to that is found",
    )
    parser.add_argument(
        "--save", type=Path, metavar="PATH", help="keep the solution in a new folder"
    )
    parser.add_argument("--load", type=Path, metavar="PATH", help="go on from a kept solution")
    parser.add_argument("--json", action="store_true", help="print JSON, every hand of it")
    return parser


def _run(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    target = _number(options.target, "--target", least=0.0)
    budget = None
    if options.time_budget is not None:
        budget = _number(options.time_budget, "--time-budget", least=0.0)
    if options.save:
        _require_place(options.save, options.load)
    solver = _locked(options)
    # A path that leads nowhere should be told before a long solve.
    places = [(solver.tree.root, ()), *(solver.find(path) for path in options.at)]
    for node, cards in places:
        solver.strategy(node, cards)
    # What is to be kept must outlive the terminal.
    console = make_console(quiet=options.json, outlived=options.save is not None)
    _print_spot(console, solver)
    lines: list[Progress] = []

    def observe(progress: Progress) -> None:
        lines.append(progress)
        _print_progress(console, progress)

    advice = "--save PATH to keep what was solved, --time-budget SECONDS to stop with an answer"
    stopped: list[int] = []

    def stop(number: int) -> None:
        if stopped:
            raise Stopped(number, "")
        stopped.append(number)

    with signals(stop):
        solver.solve(
            target=target, time_budget=budget, observer=observe, stop=lambda: bool(stopped)
        )
        if options.save:
            solver.save(options.save)
            console.print(f"kept in {options.save}", soft_wrap=True)
            advice = f"go on with: {PROG} --load {shell_word(options.save)}"
    if stopped:
        raise Stopped(stopped[0], advice)
    reached = lines[-1].exploitability <= target
    console.print("  done" if reached else f"  the time is over; wanted was {target:g} %")
    if options.json:
        print(json.dumps(_document(solver, lines, places), allow_nan=False))
        return 0
    _print_values(console, solver)
    for node, cards in places:
        _print_strategy(console, solver, node, cards)
    return 0


def _require_place(path: Path, loaded: Path | None) -> None:
    """Refuse, before the solve, a place where the solution cannot be kept.

    Only the one that is gone on from is replaced.
    """
    if path.exists() and not (loaded and loaded.exists() and path.samefile(loaded)):
        raise StorageError(f"{path} is there already", "choose another path for --save")
    storage.make_folder(next(folder for folder in path.resolve().parents if folder.exists()))


def _number(text: str, option: str, *, least: float) -> float:
    try:
        number = float(text)
        if not least <= number < 1e9:
            raise ValueError
    except ValueError:
        raise ConfigError(
            f"{option} is {text!r}, and must be a number of at least {least:g}", f"{PROG} --help"
        ) from None
    return number


def _locked(options: argparse.Namespace) -> SubgameSolver:
    """Return the solver with what the options lock."""
    solver = _solver(options)
    try:
        _lock(solver, options.lock)
    except MismatchError as error:
        if options.load:
            raise MismatchError(
                f"{error}, and {options.load} was solved with all suits alike",
                "solve anew with this lock, without --load",
            ) from None
        # A lock treats suits differently: then no two cards are alike.
        solver = _solver(options, alike=False)
        _lock(solver, options.lock)
    return solver


def _lock(solver: SubgameSolver, locks: Sequence[str]) -> None:
    places: set[str] = set()
    for text in locks:
        node, strategy = parse_lock(text, solver.tree, solver.spot.ranges)
        if node.path() in places:
            raise ConfigError(
                f"two locks of one decision, the second is {text!r}", "leave one of them out"
            )
        places.add(node.path())
        solver.lock(node, strategy)


def _solver(options: argparse.Namespace, *, alike: bool = True) -> SubgameSolver:
    """Return the solver that the options describe or that was kept."""
    given = {name: getattr(options, name.replace("-", "_")) for name in _OPTIONS}
    described = {name: text for name, text in given.items() if text is not None}
    asked = option_value("--workers", options.workers, SEARCH_RULES["num_workers"])
    workers = asked or min(usable_cores(), MOST_SEARCH_THREADS)
    if options.load:
        if described or options.spot:
            raise ConfigError(
                f"--load brings its own spot, and --{next(iter(described), 'spot')} another",
                "leave one of them away",
            )
        return SubgameSolver.load(options.load, num_workers=workers)
    values = read_spot(options.spot) if options.spot else {}
    values |= {_FILE_NAMES.get(name, name): text for name, text in described.items()}
    values.setdefault("bet", DEFAULT_MENU)
    values.setdefault("raise", values["bet"])
    missing = [name for name in ("board", "pot", "stack", *PLAYERS) if name not in values]
    if missing:
        raise ConfigError(
            f"what shall be solved? {', '.join('--' + name for name in missing)} missing",
            f"{PROG} --board Ks7d2h --pot 20 --stack 90 --oop 22+,AT+ --ip KQ,JTs --menu '50%, a'",
        )
    return SubgameSolver(Spot.from_description(values), num_workers=workers, alike=alike)


# -- what is printed ---------------------------------------------------------------------------


def _print_spot(console: Console, solver: SubgameSolver) -> None:
    spot, tree = solver.spot, solver.tree
    endings = tree.count(NodeKind.END_BY_FOLD) + tree.count(NodeKind.END_BY_SHOWDOWN)
    hands = " against ".join(str(int((weights > 0).sum())) for weights in spot.ranges)
    console.print(
        f"{cards_text(spot.board)}: {hands} hands, pot {spot.pot:,}, stacks {spot.stack:,}, "
        f"{tree.count(NodeKind.DECIDE):,} decisions and {endings:,} endings of betting, "
        f"{storage.format_bytes(solver.memory_bytes)}"
    )
    for node in solver.locks:
        where = f"after '{node.path()}'" if node.parent else "first"
        console.print(f"  locked: {_NAMES[node.actor]}, {where}")


def _print_progress(console: Console, progress: Progress) -> None:
    console.print(
        f"  {progress.iterations:>6,} iterations {progress.seconds:>8.2f} s   "
        # Rounding may bring it below 0.
        f"exploitability {max(0.0, progress.exploitability):.3f} % of the pot"
    )


def _print_values(console: Console, solver: SubgameSolver) -> None:
    equity = solver.equity()
    console.print()
    for player, share in enumerate((equity, 1 - equity)):
        console.print(
            f"  {_NAMES[player]:<16} equity {share:6.2%}   takes home "
            f"{solver.value(player):,.2f} of {solver.spot.pot:,}"
        )


def _print_strategy(
    console: Console, solver: SubgameSolver, node: Node, cards: Sequence[Card]
) -> None:
    found = solver.strategy(node, cards)
    board = cards_text((*solver.spot.board, *cards))
    where = f"after '{_path(node, cards)}'" if node.parent else "first"
    console.print(f"\n {_NAMES[found.player]}, {where}, on {board}\n")
    print_grid(console, _grid(found), found.frequencies().tolist(), sized_actions(found.actions))


def _path(node: Node, cards: Sequence[Card]) -> str:
    """The node's path with the cards that came."""
    left = list(cards)
    return " ".join(
        cards_text([left.pop(0)]) if word == "/" else word for word in node.path().split()
    )


def _grid(found: HandStrategy) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The strategy of each class, (13, 13, actions), its hands weighted as they get there."""
    sums = np.zeros((169, len(found.actions)))
    weights = np.zeros(169)
    # Hands that never get there count a little, so that a class of such shows what they do.
    here = np.maximum(found.weights.astype(np.float64), 1e-9)
    np.add.at(sums, CLASS_OF_HOLE[found.holes], here[:, None] * found.probabilities)
    np.add.at(weights, CLASS_OF_HOLE[found.holes], here)
    with np.errstate(invalid="ignore"):
        return (sums / weights[:, None])[CLASS_GRID]


def _document(
    solver: SubgameSolver,
    lines: Sequence[Progress],
    places: Sequence[tuple[Node, tuple[Card, ...]]],
) -> dict[str, Any]:
    equity = solver.equity()
    return {
        "spot": solver.spot.describe(),
        "locks": [node.path() for node in solver.locks],
        "iterations": solver.iterations,
        "exploitability_percent_of_pot": lines[-1].exploitability,
        "progress": [
            {
                "iterations": line.iterations,
                "seconds": round(line.seconds, 4),
                "exploitability": line.exploitability,
            }
            for line in lines
        ],
        "players": [
            {"name": name, "equity": share, "takes_home": solver.value(player)}
            for player, (name, share) in enumerate(zip(PLAYERS, (equity, 1 - equity), strict=True))
        ],
        "decisions": [_decision(solver, node, cards) for node, cards in places],
    }


def _decision(solver: SubgameSolver, node: Node, cards: tuple[Card, ...]) -> dict[str, Any]:
    found = solver.strategy(node, cards)
    return {
        "path": _path(node, cards),
        "board": cards_text((*solver.spot.board, *cards)),
        "player": PLAYERS[found.player],
        "actions": list(found.actions),
        "frequencies": found.frequencies().tolist(),
        "hands": {
            hole_name(int(hole)): {
                "weight": round(float(weight), 6),
                "probabilities": [round(float(p), 4) for p in row],
            }
            for hole, weight, row in zip(
                found.holes, found.weights, found.probabilities, strict=True
            )
        },
    }


if __name__ == "__main__":
    sys.exit(main())
