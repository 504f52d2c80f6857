"""The street before the first board, in a two-player game: who reaches what, and the best plan.

Its decisions are few, but they hold for all boards to come: values of every board must be
added up before a best action is chosen. So this street is walked apart, in double precision,
with one vector over all private hands.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from holdem._core.best_response import SLOT_HOLES
from holdem.evaluation.betting_groups import street_beginnings
from holdem.game.policy import Policy
from holdem.game.tree import Ending

Values = NDArray[np.float64]

Plan = Mapping[int, Values]
"""By decision node of one seat, the probability of each action by hand: (hands, actions)."""


class OpeningStreet:
    """The first street of *policy*'s tree.

    Args:
        policy: the strategies of both seats.
        possible: 1 for each hand that the deck has and 0 for others, (1326,), in the order of
            `SLOT_HOLES`.
        buckets: the bucket of each hand on this street, (1326,).

    Attributes:
        leaves: the nodes where the next street begins.
        num_pairs: pairs of hands that share no card.
    """

    def __init__(self, policy: Policy, possible: Values, buckets: NDArray[np.integer]) -> None:
        self._tree = policy.tree
        self._possible = possible
        self._first, self._second = SLOT_HOLES.T.astype(np.int64)
        hands = np.arange(len(possible))
        self._holds = np.zeros((len(possible), 52))
        self._holds[hands, self._first] = 1.0
        self._holds[hands, self._second] = 1.0
        self.leaves = street_beginnings(self._tree, 0, [0])
        self._leaf_row = {node: row for row, node in enumerate(self.leaves)}
        self._strategies: dict[int, Values] = {
            node: policy.strategy(node)[buckets].astype(np.float64) for node in self._decisions(0)
        }
        self.num_pairs = float((self.met(possible) * possible).sum())

    def own_plan(self, seat: int) -> Plan:
        """Return what *seat*'s policy does."""
        return {
            node: strategy
            for node, strategy in self._strategies.items()
            if self._tree.nodes["actor"][node] == seat
        }

    def best_plan(self, seat: int, leaf_values: Values) -> Plan:
        """Return the best actions of *seat*; *leaf_values* as in `value`."""
        plan: dict[int, Values] = {}
        self._walk(0, seat, self._possible, leaf_values, plan, choose=True)
        return plan

    def value(self, seat: int, leaf_values: Values, plan: Plan) -> float:
        """Return what *plan* earns *seat*, in chips per hand.

        Args:
            seat: the responder; the other seat plays its policy.
            leaf_values: (leaves, hands), what each hand of *seat* gains from there on, in chips
                times the other's reach, summed over the other's hands.
            plan: what *seat* does on this street.
        """
        values = self._walk(0, seat, self._possible, leaf_values, dict(plan), choose=False)
        return float((values * self._possible).sum() / self.num_pairs)

    def reach(self, seat: int) -> Values:
        """Return the probability that *seat* plays to each leaf with each hand: (leaves, hands)."""
        reach = np.empty((len(self.leaves), len(self._first)))
        for row, leaf in enumerate(self.leaves):
            reach[row] = self._possible
            for node in self._tree.path(leaf):
                parent = int(self._tree.parents[node])
                if self._tree.nodes["actor"][parent] == seat:
                    action = node - int(self._tree.nodes["first_child"][parent])
                    reach[row] *= self._strategies[parent][:, action]
        return reach

    def _decisions(self, node: int) -> list[int]:
        record = self._tree.nodes[node]
        if record["num_actions"] == 0 or record["street"] != 0:
            return []
        return [node] + [n for child in self._tree.children(node) for n in self._decisions(child)]

    def met(self, reach: Values) -> Values:
        """Return what each hand meets of the other's *reach*: that of hands that share no card.

        Args:
            reach: (..., hands).
        """
        # Not by BLAS, whose threads keep a core busy for a while after each small product.
        by_card = np.einsum("...h,hc->...c", reach, self._holds)
        met: Values = (
            reach.sum(axis=-1, keepdims=True)
            - by_card[..., self._first]
            - by_card[..., self._second]
            + reach
        )
        return met

    def _walk(
        self,
        node: int,
        seat: int,
        reach: Values,
        leaf_values: Values,
        plan: dict[int, Values],
        *,
        choose: bool,
    ) -> Values:
        """Value of *node* by hand of *seat*, given the other's *reach*; fills *plan* to choose."""
        if node in self._leaf_row:
            known: Values = leaf_values[self._leaf_row[node]]
            return known
        record = self._tree.nodes[node]
        if record["ending"] == Ending.FOLD:
            row = record["ending_index"]
            paid = self._tree.contributions[row]
            won = -paid[seat] if self._tree.folded[row] >> seat & 1 else paid[1 - seat]
            return self.met(reach) * float(won)
        mine = record["actor"] == seat
        values = np.stack(
            [
                self._walk(
                    child,
                    seat,
                    reach if mine else reach * self._strategies[node][:, action],
                    leaf_values,
                    plan,
                    choose=choose,
                )
                for action, child in enumerate(self._tree.children(node))
            ],
            axis=1,
        )
        if mine and choose:
            plan[node] = np.eye(values.shape[1])[values.argmax(axis=1)]
        result: Values = (values * plan[node] if mine else values).sum(axis=1)
        return result
