"""CFR over whole ranges, of games small enough for `evaluation.card_model`.

It finds equilibria of Kuhn, Leduc and push/fold to judge the rest by, and its curves are
those that other libraries publish. One iteration updates every seat in turn: the public tree
is walked level by level, down with all seats' reach, up with the values of the seat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem.errors import ConfigError
from holdem.evaluation.card_model import card_model
from holdem.evaluation.exploitability import EndingValues, NodeGroup, Values, node_levels
from holdem.game.policy import TabularPolicy
from holdem.game.tree import BettingTree


@dataclass(frozen=True)
class Variant:
    """How a member of the CFR family weighs its iterations.

    After iteration t positive regrets are scaled by t^alpha / (t^alpha + 1), negative ones by
    t^beta / (t^beta + 1) (None: not at all), and iteration t counts t^gamma in the average
    strategy (Brown & Sandholm 2019).
    """

    alpha: float | None = None
    beta: float | None = None
    gamma: float = 0.0
    drop_negative: bool = False


VARIANTS = {
    "CFR": Variant(),  # Zinkevich et al. 2007
    "CFR+": Variant(gamma=1.0, drop_negative=True),  # Tammelin 2014
    "LCFR": Variant(alpha=1.0, beta=1.0, gamma=1.0),
    "DCFR": Variant(alpha=1.5, beta=0.0, gamma=2.0),
}


class VectorCFR:
    """CFR with alternating updates; *tree* may have any number of seats.

    Args:
        tree: the betting tree of a small game.
        variant: one of `VARIANTS`.
        preflop_equities, preflop_buckets: hold'em only, see `card_model`.

    Attributes:
        iteration: how many were done.

    Raises:
        ConfigError: no such variant, or the game is not one of those that are small enough.
        ResourceError: too many deals to enumerate.
    """

    def __init__(
        self,
        tree: BettingTree,
        variant: str = "CFR+",
        *,
        preflop_equities: NDArray[np.float64] | None = None,
        preflop_buckets: NDArray[np.integer] | None = None,
    ) -> None:
        if variant not in VARIANTS:
            raise ConfigError(f"no such variant: {variant!r}", f"choose from {', '.join(VARIANTS)}")
        self.tree = tree
        self.iteration = 0
        self._variant = VARIANTS[variant]
        self._cards = card_model(tree, preflop_equities, preflop_buckets)
        self._endings = EndingValues(tree, self._cards)
        self._groups = node_levels(tree)
        shapes = [
            (len(group.nodes), tree.bucket_counts[group.street], group.children.shape[1])
            for group in self._groups
        ]
        # By group (nodes, buckets, actions).
        self._regrets = [np.zeros(shape) for shape in shapes]
        self._sums = [np.zeros(shape) for shape in shapes]
        self._strategies = [np.full(shape, 1 / shape[2]) for shape in shapes]
        # By street (boards * hands, buckets), 1 where a hand falls into a bucket.
        self._members = [
            np.eye(count)[buckets.ravel()]
            for count, buckets in zip(tree.bucket_counts, self._cards.buckets, strict=True)
        ]

    def run(self, iterations: int) -> VectorCFR:
        """Do *iterations* more; every seat updates once in each."""
        for _ in range(iterations):
            self.iteration += 1
            for seat in range(self.tree.game.num_players):
                self._update(seat)
        return self

    def average_policy(self) -> TabularPolicy:
        """Return the average strategy; rows that nobody reached are uniform."""
        probabilities = np.empty(self.tree.num_slots)
        for group, sums in zip(self._groups, self._sums, strict=True):
            for node, rows in zip(group.nodes, _normalised(sums), strict=True):
                probabilities[self.tree.slots(int(node))] = rows.ravel()
        return TabularPolicy(self.tree, probabilities)

    def _update(self, seat: int) -> None:
        """One pass for *seat*: regrets, average strategy, and the strategy that follows."""
        reaches = self._reaches()
        values = np.empty_like(reaches[0])
        values[self._endings.nodes] = self._endings.values(seat, reaches)
        for number in reversed(range(len(self._groups))):
            group = self._groups[number]
            below = values[group.children]  # (nodes, actions, boards, hands)
            if group.actor != seat:
                values[group.nodes] = below.sum(axis=1)  # their choice is in the reach already
                continue
            values[group.nodes] = (below * self._played(number)).sum(axis=1)
            gains = below - values[group.nodes][:, None]
            self._regrets[number] += self._by_bucket(group, gains).swapaxes(1, 2)
            self._average(number, reaches[seat])
            self._match(number)

    def _reaches(self) -> list[Values]:
        """Per seat (num_nodes, num_boards, num_hands): that it plays to the node with that hand."""
        shape = (self.tree.num_nodes, self._cards.num_boards, self._cards.num_hands)
        reaches = [np.ones(shape) for _ in range(self.tree.game.num_players)]
        for number, group in enumerate(self._groups):
            for seat, reach in enumerate(reaches):
                parent = reach[group.nodes][:, None]
                reach[group.children] = (
                    parent * self._played(number) if seat == group.actor else parent
                )
        return reaches

    def _played(self, number: int) -> Values:
        """The strategy of a group by hand: (nodes, actions, boards, hands)."""
        buckets = self._cards.buckets[self._groups[number].street]
        return np.moveaxis(self._strategies[number][:, buckets], -1, 1)

    def _by_bucket(self, group: NodeGroup, by_hand: Values) -> Values:
        """Sums over the hands of each bucket: (..., boards, hands) to (..., buckets)."""
        members = self._members[group.street]
        sums: Values = by_hand.reshape(*by_hand.shape[:-2], -1) @ members
        return sums

    def _average(self, number: int, reach: Values) -> None:
        """Count this iteration's strategy, by how likely the seat itself plays to each row."""
        group = self._groups[number]
        hands = np.maximum(self._members[group.street].sum(axis=0), 1.0)
        # All hands of a row were played alike so far: their mean is any of them.
        own = self._by_bucket(group, reach[group.nodes]) / hands
        weight = float(self.iteration) ** self._variant.gamma
        self._sums[number] += weight * own[..., None] * self._strategies[number]

    def _match(self, number: int) -> None:
        """Weigh the regrets of a group as the variant says, and match them."""
        regrets, t = self._regrets[number], float(self.iteration)
        if self._variant.drop_negative:
            np.maximum(regrets, 0.0, out=regrets)
        if self._variant.alpha is not None:
            scale = t**self._variant.alpha / (t**self._variant.alpha + 1)
            regrets[regrets > 0] *= scale
        if self._variant.beta is not None:
            regrets[regrets < 0] *= t**self._variant.beta / (t**self._variant.beta + 1)
        self._strategies[number] = _normalised(np.maximum(regrets, 0.0))


def _normalised(weights: Values) -> Values:
    """Rows that sum to 1 over the last axis; uniform where all are 0."""
    totals = weights.sum(axis=-1, keepdims=True)
    uniform = np.full_like(weights, 1 / weights.shape[-1])
    normalised: Values = np.divide(weights, totals, out=uniform, where=totals > 0)
    return normalised
