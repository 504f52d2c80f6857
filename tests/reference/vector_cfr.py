"""CFR+ of heads-up games over whole ranges: finds equilibria to judge the judge by."""

from __future__ import annotations

import numpy as np

from holdem.evaluation.card_model import CardModel, card_model
from holdem.game.policy import TabularPolicy
from holdem.game.tree import BettingTree


class VectorCFR:
    """CFR+ (Tammelin 2014) with alternating updates on the public tree of two seats.

    Ranges and values are arrays (boards, hands). Pots must be equal stacks' pots:
    no side pots between two players, so a showdown is for all that was put in.
    """

    def __init__(self, tree: BettingTree, **card_options) -> None:
        self.tree = tree
        self.cards: CardModel = card_model(tree, **card_options)
        self.iteration = 0
        self.regrets = np.zeros(tree.num_slots)
        self.sums = np.zeros(tree.num_slots)

    def run(self, iterations: int) -> VectorCFR:
        """Do *iterations* more; both seats update in each."""
        ones = np.ones((self.cards.num_boards, self.cards.num_hands))
        for _ in range(iterations):
            self.iteration += 1
            for seat in (0, 1):
                self._walk(0, seat, ones, ones)
        return self

    def average_policy(self) -> TabularPolicy:
        """The linearly averaged strategy."""
        probabilities = np.empty(self.tree.num_slots)
        for node in np.flatnonzero(self.tree.nodes["num_actions"]):
            probabilities[self.tree.slots(node)] = self._normalised(node, self.sums).ravel()
        return TabularPolicy(self.tree, probabilities)

    def _rows(self, node: int, table: np.ndarray) -> np.ndarray:
        return table[self.tree.slots(node)].reshape(-1, self.tree.nodes["num_actions"][node])

    def _normalised(self, node: int, table: np.ndarray) -> np.ndarray:
        positive = np.maximum(self._rows(node, table), 0.0)
        totals = positive.sum(axis=1, keepdims=True)
        uniform = np.full_like(positive, 1 / positive.shape[1])
        return np.divide(positive, totals, out=uniform, where=totals > 0)

    def _walk(self, node: int, seat: int, own: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Counterfactual values (boards, hands) of *seat*, whose rows are updated."""
        record = self.tree.nodes[node]
        if record["num_actions"] == 0:
            return self._ending_values(node, seat, other)
        buckets = self.cards.buckets[record["street"]]
        rows = self._normalised(node, self.regrets)
        played = np.moveaxis(rows[buckets], -1, 0)  # (actions, boards, hands)
        children = list(self.tree.children(node))
        if record["actor"] != seat:
            return sum(
                self._walk(child, seat, own, other * p)
                for child, p in zip(children, played, strict=True)
            )
        values = np.array(
            [
                self._walk(child, seat, own * p, other)
                for child, p in zip(children, played, strict=True)
            ]
        )
        value = (played * values).sum(axis=0)
        regrets, sums = self._rows(node, self.regrets), self._rows(node, self.sums)
        for action in range(len(children)):
            np.add.at(regrets[:, action], buckets, values[action] - value)
        np.maximum(regrets, 0.0, out=regrets)
        reach = np.zeros(len(rows))
        reach[buckets] = own  # the same for all boards of a row
        sums += self.iteration * reach[:, None] * rows
        return value

    def _ending_values(self, node: int, seat: int, other: np.ndarray) -> np.ndarray:
        ending = self.tree.nodes["ending_index"][node]
        paid = self.tree.contributions[ending].astype(float)
        folded = int(self.tree.folded[ending])
        if folded:
            won = 0.0 if folded >> seat & 1 else paid.sum()
            chips = np.full_like(self.cards.weights, won)
        else:
            chips = paid.sum() * self.cards.share(0b11)[seat]
        payoff = self.cards.weights * (chips - paid[seat])  # (boards, seat 0, seat 1)
        return np.einsum("bxy,by->bx" if seat == 0 else "bxy,bx->by", payoff, other)
