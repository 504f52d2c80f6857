"""Strategies by preflop class, and how often two classes meet."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from holdem.errors import MismatchError
from holdem.game.cards import CLASS_NAMES, CLASS_OF_HOLE, HOLES
from holdem.game.policy import Policy
from holdem.game.tree import BettingTree

NUM_CLASSES = len(CLASS_NAMES)


@cache
def pair_weights() -> NDArray[np.int64]:
    """Ways to deal class i to one player and class j to another, shape (169, 169).

    Combinations that share a card are left out, so AA against AA has 6 ways (not
    36) and the whole table sums to 1326 * 1225. Read-only.
    """
    holes = np.arange(len(HOLES))
    member = np.zeros((len(HOLES), NUM_CLASSES))
    member[holes, CLASS_OF_HOLE] = 1.0
    holds = np.zeros((len(HOLES), 52))
    holds[holes[:, None], HOLES] = 1.0
    disjoint = (holds @ holds.T == 0).astype(np.float64)
    weights: NDArray[np.int64] = np.rint(member.T @ disjoint @ member).astype(np.int64)
    weights.setflags(write=False)
    return weights


def checked_buckets(
    tree: BettingTree, buckets: NDArray[np.integer] | None = None
) -> NDArray[np.int64]:
    """Return the preflop bucket of each class, shape (169,), if they fit *tree*.

    Args:
        tree: a betting tree of hold'em.
        buckets: the preflop table of the bucket set; None if each class is its own.

    Raises:
        MismatchError: they name buckets that the tree has no rows for.
    """
    num_buckets = tree.bucket_counts[0]
    if buckets is None:
        buckets = np.arange(NUM_CLASSES)
    checked = np.asarray(buckets, dtype=np.int64)
    if checked.shape != (NUM_CLASSES,) or not 0 <= checked.min() <= checked.max() < num_buckets:
        raise MismatchError(
            f"a map of {checked.size} preflop classes to buckets {checked.min()} to "
            f"{checked.max()}, for a betting tree with {num_buckets} preflop buckets",
            "pass the preflop table of the bucket set that the tree was made for",
        )
    return checked


def class_strategy(
    policy: Policy, node: int, buckets: NDArray[np.integer] | None = None
) -> NDArray[np.float32]:
    """Return the strategy at preflop *node* by class, shape (169, num_actions).

    Args:
        policy: a policy for hold'em.
        node: a decision before the flop.
        buckets: the bucket of each class, see `checked_buckets`.

    Raises:
        MismatchError: *buckets* do not fit the policy's tree.
    """
    return policy.strategy(node)[checked_buckets(policy.tree, buckets)]
