"""What a strategy is to the rest of the package: a row of probabilities per node and bucket.

A `Policy` knows its betting tree and nothing of cards. Whoever trains one
(`mccfr`), judges one (`evaluation`) or plays one (`play`) meets here.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdem.errors import MismatchError
from holdem.game.tree import BettingTree


@runtime_checkable
class Policy(Protocol):
    """A strategy for every seat of one betting tree."""

    @property
    def tree(self) -> BettingTree:
        """The betting tree whose nodes the strategy is about."""

    def strategy(self, node: int) -> NDArray[np.float32]:
        """Probabilities of the actions at decision *node*, shape (num_buckets, num_actions).

        Rows sum to 1 (to float32's precision); the columns are the node's children
        in order. The array may be a view: do not write into it.
        """


class UniformPolicy:
    """Every action with the same probability: the usual yardstick of exploitability."""

    def __init__(self, tree: BettingTree) -> None:
        self.tree = tree

    def strategy(self, node: int) -> NDArray[np.float32]:
        """See `Policy.strategy`."""
        num_actions = int(self.tree.nodes["num_actions"][node])
        num_buckets = self.tree.bucket_counts[int(self.tree.nodes["street"][node])]
        return np.full((num_buckets, num_actions), 1.0 / num_actions, dtype=np.float32)


class TabularPolicy:
    """A strategy given as one array in the order of the tree's slots.

    Attributes:
        tree: the betting tree.
        probabilities: float32, shape (num_slots,): see `BettingTree` for the order of slots.
    """

    def __init__(self, tree: BettingTree, probabilities: ArrayLike) -> None:
        self.tree = tree
        self.probabilities = np.asarray(probabilities, dtype=np.float32)
        if self.probabilities.shape != (tree.num_slots,):
            raise MismatchError(
                f"a strategy of shape {self.probabilities.shape} for a betting tree "
                f"of {tree.num_slots:,} slots",
                "give one probability per slot of the tree",
            )

    def strategy(self, node: int) -> NDArray[np.float32]:
        """See `Policy.strategy`."""
        num_actions = int(self.tree.nodes["num_actions"][node])
        return self.probabilities[self.tree.slots(node)].reshape(-1, num_actions)
