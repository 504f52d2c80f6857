"""The two betting trees on which the walk is measured: 200 buckets, 5.7 and 32 million slots."""

from __future__ import annotations

import numpy as np

from holdem._core.deal import DEAL_DTYPE
from holdem.game.tree import BettingTree, build_tree
from holdem.types import BetMenu, GameConfig

BUCKETS = (169, 200, 200, 200)

_ONE_RAISE = ("33%, 75%, 150%, a", "75%, a", "a")
_TWO_RAISES = ("33%, 75%, 150%, a", "50%, 100%, a", "75%, a", "a")
MENUS = {
    "6M": BetMenu(streets=(("2.5x, a", "3x, a", "a"), _ONE_RAISE, _ONE_RAISE, _ONE_RAISE)),
    "32M": BetMenu(
        streets=(("2x, 3x, 4x, a", "3x, a", "3x, a", "a"), _TWO_RAISES, _TWO_RAISES, _TWO_RAISES)
    ),
}


def tree_of(name: str) -> BettingTree:
    """Build the tree *name*: heads-up, 100 big blinds."""
    return build_tree(GameConfig(menu=MENUS[name]), BUCKETS)


def random_deals(count: int) -> np.ndarray:
    """Deals with uniformly random buckets: the worst case for the caches."""
    rng = np.random.default_rng(1)
    deals = np.zeros(count, DEAL_DTYPE)
    for street, buckets in enumerate(BUCKETS):
        deals["bucket"][:, street, :2] = rng.integers(0, buckets, (count, 2))
    deals["share"] = rng.integers(0, 2, (count, 1))
    return deals
