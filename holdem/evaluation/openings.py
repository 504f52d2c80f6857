"""The opening chart: what each of the 169 hands does when nobody has come in yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem.errors import ConfigError
from holdem.game import preflop
from holdem.game.cards import CLASS_COMBOS, CLASS_GRID, CLASS_NAMES, class_index
from holdem.game.policy import Policy


@dataclass(frozen=True)
class OpeningChart:
    """The strategy at one preflop node, by class and on the 13x13 chart of `CLASS_GRID`.

    Attributes:
        node: the node of the betting tree.
        seat: who acts there.
        actions: the text of each action, in the tree's order.
        class_names: ``"AA"``, ``"AKs"``, ``"72o"``, ..., in the package's class order.
        probabilities: float32, (169, num_actions); rows sum to 1.
    """

    node: int
    seat: int
    actions: tuple[str, ...]
    class_names: tuple[str, ...]
    probabilities: NDArray[np.float32]

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """How often each action is taken over all 1,326 hands, shape (num_actions,)."""
        combos = CLASS_COMBOS / CLASS_COMBOS.sum()
        frequencies: NDArray[np.float64] = combos @ self.probabilities.astype(np.float64)
        return frequencies

    @property
    def grid(self) -> NDArray[np.float32]:
        """Probabilities by chart row and column, (13, 13, num_actions); aces first."""
        return self.probabilities[CLASS_GRID]

    def of(self, name: str) -> dict[str, float]:
        """Return the strategy of one class by action: ``chart.of("AA")``.

        Raises:
            CardError: *name* is no class.
        """
        row = self.probabilities[class_index(name)]
        return dict(zip(self.actions, row.tolist(), strict=True))


def opening_chart(
    policy: Policy, node: int = 0, preflop_buckets: NDArray[np.integer] | None = None
) -> OpeningChart:
    """Return the chart of preflop decision *node*.

    Args:
        policy: a policy for hold'em.
        node: the decision; 0 is the first of the hand.
        preflop_buckets: the bucket of each class where the policy has fewer than
            169 (`Blueprint.preflop_buckets`).

    Raises:
        ConfigError: *node* is no preflop decision, or the game is not hold'em.
        MismatchError: *preflop_buckets* do not fit the policy's tree.
    """
    tree = policy.tree
    record = tree.nodes[node]
    if tree.game.cards.kind != "holdem" or record["num_actions"] == 0 or record["street"] != 0:
        raise ConfigError(
            f"node {node} of game {tree.game.name!r} is not a hold'em decision before the flop",
            "choose a preflop decision of a hold'em policy; node 0 always is one",
        )
    return OpeningChart(
        node=node,
        seat=int(record["actor"]),
        actions=tuple(tree.action_text(child) for child in tree.children(node)),
        class_names=CLASS_NAMES,
        probabilities=preflop.class_strategy(policy, node, preflop_buckets),
    )
