"""Opponents that everybody understands, as policies on another policy's betting tree.

They are yardsticks, not players: a blueprint that does not beat all of them by far is
broken. What they know of a hand is the share of hands that are stronger, by the
buckets that they are given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem._core.deal import DEAL_DTYPE, HoldemDealer, OneCardDealer
from holdem.errors import ConfigError
from holdem.evaluation.contestants import Contestant
from holdem.game.policy import UniformPolicy
from holdem.game.tree import ActionKind, BettingTree

_RAISES = (ActionKind.BET, ActionKind.RAISE, ActionKind.ALL_IN)
_DEALS = 200_000  # whose strengths are compared: half a percent of a bucket's rank
_SEED = 1
_FIRST_DEAL = 1 << 61  # far from deals that are trained on or played


@dataclass(frozen=True, slots=True)
class Style:
    """How a baseline plays.

    Attributes:
        raises: the share of hands, the best ones, with which it bets or raises.
        plays_on: the share of hands with which it at least calls; the others check, or
            fold to a bet.
    """

    raises: float
    plays_on: float


STYLES: dict[str, Style | None] = {
    "random": None,
    "call": Style(raises=0.0, plays_on=1.0),
    "fold": Style(raises=0.0, plays_on=0.0),
    "tight": Style(raises=0.12, plays_on=0.3),
    "aggressive": Style(raises=0.5, plays_on=0.8),
}
"""The baselines by name; None takes every action with the same probability."""


class StylePolicy:
    """Plays by the rank of its hand alone.

    It raises by any size on offer that is not all-in, one as likely as another. Where a raise is
    wanted and none is on offer it calls, and where calling is not, it makes the smallest raise.

    Args:
        tree: the betting tree.
        style: how it plays.
        ranks: by street, (num_buckets,): the share of hands that a bucket is better than.
    """

    def __init__(
        self, tree: BettingTree, style: Style, ranks: tuple[NDArray[np.float64], ...]
    ) -> None:
        self.tree = tree
        self._style = style
        self._ranks = ranks

    def strategy(self, node: int) -> NDArray[np.float32]:
        """See `holdem.game.policy.Policy.strategy`."""
        kinds = [ActionKind(int(self.tree.action_kinds[c])) for c in self.tree.children(node)]
        raises = [i for i, kind in enumerate(kinds) if kind in _RAISES]
        sized = [i for i in raises if kinds[i] is not ActionKind.ALL_IN] or raises
        calls = [i for i, kind in enumerate(kinds) if kind in (ActionKind.CHECK, ActionKind.CALL)]
        folds = [i for i, kind in enumerate(kinds) if kind is ActionKind.FOLD]
        on = calls or sized[:1]
        ranks = self._ranks[int(self.tree.nodes["street"][node])]
        rows = np.zeros((len(ranks), len(kinds)), np.float32)
        # A share of 1 is all hands, of 0 none, also where ranks are uncertain at the ends.
        wants = ranks >= 1 - self._style.raises
        plays = ranks >= 1 - self._style.plays_on
        _share(rows, wants, sized or on)
        _share(rows, plays & ~wants, on)
        _share(rows, ~plays & ~wants, folds or on)
        return rows


def _share(rows: NDArray[np.float32], where: NDArray[np.bool_], actions: list[int]) -> None:
    """Let the rows *where* take one of *actions*, any with the same probability."""
    for action in actions:
        rows[where, action] = 1.0 / len(actions)


def baseline(name: str, opponent: Contestant) -> Contestant:
    """Return the baseline *name* on the tree and with the buckets of *opponent*.

    Raises:
        ConfigError: there is no such baseline.
    """
    if name not in STYLES:
        raise ConfigError(f"no baseline {name!r}", f"one of {', '.join(STYLES)}")
    style, tree = STYLES[name], opponent.tree
    if style is None:
        return Contestant(name, UniformPolicy(tree), opponent.bucketing)
    ranks = bucket_ranks(tree, opponent.dealer())
    return Contestant(name, StylePolicy(tree, style, ranks), opponent.bucketing)


def bucket_ranks(
    tree: BettingTree, dealer: HoldemDealer | OneCardDealer
) -> tuple[NDArray[np.float64], ...]:
    """Return, by street, the share of hands that each bucket is better than.

    A bucket is as good as its mean share of the pot at showdowns of all players, in sampled
    deals; of its own hands it is better than half.
    """
    deals = np.empty(_DEALS, DEAL_DTYPE)
    dealer.deal(_SEED, _FIRST_DEAL, deals)
    players = tree.game.num_players
    result = []
    for street, num_buckets in enumerate(tree.bucket_counts):
        buckets = deals["bucket"][:, street, :players].ravel()
        dealt = np.bincount(buckets, minlength=num_buckets).astype(np.float64)
        shares = np.bincount(buckets, _shares(deals, street, players).ravel(), num_buckets)
        means = np.divide(shares, dealt, where=dealt > 0, out=np.full(num_buckets, 0.5))
        order = np.argsort(means, kind="stable")
        below = np.cumsum(dealt[order]) - dealt[order] / 2
        ranks = np.empty(num_buckets)
        ranks[order] = below / dealt.sum()
        result.append(ranks)
    return tuple(result)


def _shares(deals: NDArray[np.void], street: int, players: int) -> NDArray[np.float64]:
    """What each player's hand wins of a pot that all contest, (deals, players)."""
    if players == 2:
        first = deals["share"][:, street].astype(np.float64)
        return np.stack([first, 1 - first], axis=1)
    strengths = deals["strength"][:, :players]
    wins = strengths == strengths.max(axis=1, keepdims=True)
    shares: NDArray[np.float64] = wins / wins.sum(axis=1, keepdims=True)
    return shares
