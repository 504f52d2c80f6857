"""The 13x13 chart of a strategy, in colour or in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.style import Style
from rich.text import Text

from holdem.evaluation.openings import OpeningChart
from holdem.game.cards import CLASS_GRID, CLASS_NAMES
from holdem.game.tree import ActionKind, BettingTree
from holdem.mccfr.blueprint import Blueprint, one_card_names

CELL = 5
"""Columns of a cell: the name of the hand, below it the letter and share of what it does."""

_PASSIVE = {
    ActionKind.FOLD: ("F", "#3d5a80"),
    ActionKind.CHECK: ("C", "#2f855a"),
    ActionKind.CALL: ("C", "#2f855a"),
}
# From the smallest raise to the largest; all-in has a colour of its own.
_RAISE_LETTERS = "RSTUVWXYZ"
_RAISE_COLOURS = ("#c4562f", "#a83238", "#9c2f52", "#7d2a63")
_ALL_IN = ("A", "#5b1a3a")


@dataclass(frozen=True, slots=True)
class Action:
    """How an action looks in the chart.

    Attributes:
        text: what it is, money in big blinds: ``"raise to 2.5 bb"``.
        letter: what stands for it in a cell.
        colour: of its part of a cell.
    """

    text: str
    letter: str
    colour: str


def actions_of(tree: BettingTree, node: int) -> list[Action]:
    """Return how the actions of *node* look, in the tree's order; see `Action`."""
    actions = []
    raises = 0
    unit = "bb" if tree.game.blinds else "antes"
    for child in tree.children(node):
        kind = ActionKind(tree.action_kinds[child])
        if kind in _PASSIVE:
            actions.append(Action(tree.action_text(child), *_PASSIVE[kind]))
            continue
        amount = f"{tree.action_amounts[child] / tree.game.big_blind:g} {unit}"
        if kind == ActionKind.ALL_IN:
            actions.append(Action(f"all-in {amount}", *_ALL_IN))
        else:
            word = "bet" if kind == ActionKind.BET else "raise to"
            letter = _RAISE_LETTERS[min(raises, len(_RAISE_LETTERS) - 1)]
            colour = _RAISE_COLOURS[min(raises, len(_RAISE_COLOURS) - 1)]
            actions.append(Action(f"{word} {amount}", letter, colour))
            raises += 1
    return actions


def sized_actions(names: Sequence[str]) -> list[Action]:
    """Return how actions look that are named as in ``"bet 100"``, in chips."""
    actions = []
    raises = 0
    for name in names:
        word = name.partition(" ")[0]
        if word == "all-in":
            actions.append(Action(name, *_ALL_IN))
        elif word in ("bet", "raise"):
            letter = _RAISE_LETTERS[min(raises, len(_RAISE_LETTERS) - 1)]
            colour = _RAISE_COLOURS[min(raises, len(_RAISE_COLOURS) - 1)]
            text = name.replace("raise", "raise to")
            actions.append(Action(text, letter, colour))
            raises += 1
        else:
            actions.append(Action(name, *_PASSIVE[ActionKind[word.upper()]]))
    return actions


def print_chart(console: Console, tree: BettingTree, chart: OpeningChart) -> None:
    """Print *chart*; see `print_grid`."""
    print_grid(console, chart.grid, chart.frequencies.tolist(), actions_of(tree, chart.node))


def print_grid(
    console: Console,
    grid: NDArray[np.floating],
    frequencies: Sequence[float],
    actions: Sequence[Action],
) -> None:
    """Print each hand in the colours of what it does, and how often it does the most.

    Suited hands are above the diagonal. On a narrow terminal the shares are left out.

    Args:
        console: where to.
        grid: (13, 13, actions), NaN where a hand is not there.
        frequencies: (actions,), over all hands.
        actions: how they look, the boldest last.
    """
    wide = console.width >= 13 * (CELL + 1) + 1
    for row in range(13):
        lines = [Text(" "), Text(" ")]
        for column in range(13):
            share = grid[row, column]
            name = CLASS_NAMES[CLASS_GRID[row, column]]
            if np.isnan(share).any():
                texts, share = ["", ""][: 1 + wide], ()
            else:
                best = int(np.argmax(share))
                label = f"{actions[best].letter}{share[best] * 100:3.0f}"
                texts = [name, label] if wide else [name]
            for line, text, bold in zip(lines, texts, (True, False), strict=False):
                line.append_text(_cell(text, bold, share, actions, CELL if wide else 4))
                line.append(" " * wide)
        for line in lines[: 1 + wide]:
            console.print(line, no_wrap=True, overflow="crop")
    _print_legend(console, frequencies, actions)


def _cell(
    text: str, bold: bool, share: Sequence[float], actions: Sequence[Action], width: int
) -> Text:
    """Return a cell whose background is divided like the hand's strategy, boldest action first."""
    cell = Text(f" {text:<{width - 1}}")
    if not len(share):
        return cell
    # Largest remainders: the parts of a cell sum to its width.
    exact = np.asarray(share, np.float64) * width
    parts = np.floor(exact).astype(int)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: width - int(parts.sum())]] += 1
    start = 0
    for index in range(len(actions) - 1, -1, -1):
        stop = start + int(parts[index])
        style = Style(
            color="#ffffff" if bold else "#eeeeee", bgcolor=actions[index].colour, bold=bold
        )
        cell.stylize(style, start, stop)
        start = stop
    return cell


def _print_legend(
    console: Console, frequencies: Sequence[float], actions: Sequence[Action]
) -> None:
    """Print what the colours and letters mean, and how often each action is taken."""
    console.print()
    line = Text(" ")
    for action, frequency in zip(actions[::-1], frequencies[::-1], strict=True):
        entry = Text(f" {action.letter} ")
        entry.stylize(Style(color="#ffffff", bgcolor=action.colour, bold=True))
        entry.append(f" {action.text} {frequency:.1%}", Style.null())
        if len(line) + len(entry) > console.width:
            console.print(line)
            line = Text(" ")
        line.append_text(entry).append("   ")
    line.rstrip()
    console.print(line)


def print_one_card_strategy(console: Console, policy: Blueprint) -> None:
    """Print what each private card does at the first decision of Kuhn, Leduc and their like."""
    actions = actions_of(policy.tree, 0)
    names = one_card_names(policy.tree.game.cards.ranks)
    for name, share in zip(names, policy.strategy(0), strict=True):
        parts = [f"{action.text} {part:.1%}" for action, part in zip(actions, share, strict=True)]
        console.print(f"  {name}   {'   '.join(parts)}")
