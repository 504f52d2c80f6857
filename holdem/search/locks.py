"""Fixed strategies in words: where, and which hands do what."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from holdem.errors import CardError, ConfigError
from holdem.game.cards import HOLES, hole_name
from holdem.game.ranges import parse_range
from holdem.search.subgame import Node, NodeKind, PublicTree

__all__ = ["LOCK_EXAMPLE", "parse_lock"]

LOCK_EXAMPLE = "check bet50: call TT+, AK:0.5; fold"
"""All tens or better call, half of the ace-kings too, and what is left folds."""

_ROUNDING = 1e-6


def parse_lock(
    text: str, tree: PublicTree, ranges: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
) -> tuple[Node, npt.NDArray[np.float64]]:
    """Return the decision that *text* is about, and the strategy there: (1326, actions).

    Args:
        text: a path, a colon, and actions with ranges between semicolons: `LOCK_EXAMPLE`. The
            path is empty at the root, and has ``/`` where a card comes, whichever it is. A
            weight is how often a hand takes the action; one action without a range takes
            what the others leave.
        tree: the betting.
        ranges: of both players, by hole; hands outside of them may be left out.

    Raises:
        ConfigError: *text* names no decision or no action of it, or does not say what some
            hand does.
        CardError: a range cannot be read.
    """
    path, colon, parts = text.partition(":")
    if not colon or not parts.strip():
        raise ConfigError(f"a lock {text!r} that says no action", f"as in '{LOCK_EXAMPLE}'")
    node = _decision(tree, path)
    names = [child.action.replace(" ", "") for child in node.children]
    strategy = np.zeros((len(HOLES), len(names)))
    rest = None
    for part in parts.split(";"):
        name, _, hands = part.strip().partition(" ")
        if name not in names:
            raise ConfigError(
                f"no action {name!r} after '{node.path()}' in the lock {text!r}",
                f"one of {', '.join(names)}",
            )
        action = names.index(name)
        if hands.strip():
            strategy[:, action] += _range(text, hands)
        elif rest is None:
            rest = action
        else:
            raise ConfigError(
                f"the lock {text!r} has two actions for all other hands",
                "give a range to each action but one",
            )
    if rest is not None:
        strategy[:, rest] += np.maximum(1 - strategy.sum(axis=1), 0)
    _refuse_unclear(text, strategy, ranges[node.actor])
    # What hands outside of the range do is never played, but every row must say something.
    strategy[strategy.sum(axis=1) <= 0] = 1
    return node, strategy


def _range(text: str, hands: str) -> npt.NDArray[np.float32]:
    try:
        return parse_range(hands)
    except CardError as error:
        raise CardError(f"lock {text!r}: {error}", f"write it as in '{LOCK_EXAMPLE}'") from None


def _decision(tree: PublicTree, path: str) -> Node:
    node = tree.root
    for word in path.split():
        names = {child.action.replace(" ", "") or "/": child for child in node.children}
        if word not in names:
            raise ConfigError(
                f"no {word!r} after '{node.path()}' in the path of a lock",
                f"one of {', '.join(names)}" if names else "the hand ends there",
            )
        node = names[word]
    if node.kind != NodeKind.DECIDE:
        raise ConfigError(
            f"nobody decides after '{node.path()}', so nothing can be locked",
            f"name a point where a player acts, as in '{LOCK_EXAMPLE}'",
        )
    return node


def _refuse_unclear(
    text: str, strategy: npt.NDArray[np.float64], weights: npt.NDArray[np.float32]
) -> None:
    """Refuse hands of the range whose actions do not add up to 1."""
    totals = strategy.sum(axis=1)
    wrong = np.flatnonzero((weights > 0) & (np.abs(totals - 1) > _ROUNDING))
    if len(wrong):
        first = int(wrong[0])
        raise ConfigError(
            f"the lock {text!r} gives {hole_name(first)} {totals[first]:g} in all, and "
            f"{len(wrong) - 1:,} other hands not 1 either",
            "one action without a range takes what is left; more than 1 is too much",
        )
