"""Counterfactual regret minimisation of a street for any number of players, slowly.

Every deal of the players' hands is walked by itself, all of them in each iteration, and the rules
pay: what sampled walks come near to.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from holdem._core.evaluator import evaluate
from holdem.game.cards import HOLES


class ReferenceStreet:
    """Linear CFR over all deals, on the tree of a `SampledSolver` on the river."""

    def __init__(self, tree, weights):
        self.tree, self.state = tree, tree.nodes[0].state
        self.holes = [np.flatnonzero(w) if w is not None else np.array([-1]) for w in weights]
        self.weights = weights
        self.strengths = {}
        for hole in {int(hole) for holes in self.holes for hole in holes if hole >= 0}:
            cards = np.array([[*HOLES[hole], *self.state.board]], np.uint8)
            self.strengths[hole] = int(evaluate(cards)[0])
        self.regrets = {}
        self.sums = {}
        for node in tree.nodes:
            if node.children:
                for hole in self.holes[node.state.actor].tolist():
                    self.regrets[node, hole] = np.zeros(len(node.children))
                    self.sums[node, hole] = np.zeros(len(node.children))
        self.iteration = 0

    def deals(self):
        """Every deal without shared cards, with its weight."""
        for deal in product(*(holes.tolist() for holes in self.holes)):
            cards = [card for hole in deal if hole >= 0 for card in HOLES[hole].tolist()]
            if len(set(cards)) == len(cards):
                weight = 1.0
                for held, hole in zip(self.weights, deal, strict=True):
                    weight *= 1.0 if held is None else float(held[hole])
                yield deal, weight

    def run(self, iterations):
        """Walk every deal for every player; regrets change at the end of each player's walks."""
        for _ in range(iterations):
            self.iteration += 1
            for player in self.state.live:
                gained = {}
                for deal, weight in self.deals():
                    reach = np.ones(len(deal))
                    self._walk(self.tree.nodes[0], deal, player, weight, reach, gained)
                for key, regret in gained.items():
                    self.regrets[key] += self.iteration * regret

    def current(self, node, hole):
        positive = np.maximum(self.regrets[node, hole], 0)
        total = positive.sum()
        return positive / total if total > 0 else np.full(len(positive), 1 / len(positive))

    def average(self, node, hole):
        sums = self.sums[node, hole]
        return sums / sums.sum() if sums.sum() > 0 else np.full(len(sums), 1 / len(sums))

    def _walk(self, node, deal, player, weight, reach, gained):
        """What the deal is worth to the player from *node* on."""
        seat = node.state.actor
        if seat is None:
            strengths = [self.strengths.get(hole, 0) for hole in deal]
            return node.state.payoffs(strengths)[player]
        chances = self.current(node, deal[seat])
        values = np.empty(len(node.children))
        for action, child in enumerate(node.children):
            after = reach.copy()
            after[seat] *= chances[action]
            values[action] = self._walk(child, deal, player, weight, after, gained)
        value = float(chances @ values)
        if seat == player:
            others = weight * np.prod(np.delete(reach, player))
            regret = gained.setdefault((node, deal[seat]), np.zeros(len(values)))
            regret += others * (values - value)
            self.sums[node, deal[seat]] += self.iteration * reach[seat] * chances
        return value

    def best_response_gain(self, player, strategy):
        """Chips a deal that *player* gains by answering *strategy*(node, hole) best."""
        total = gain = 0.0
        by_hand = {}
        for deal, weight in self.deals():
            total += weight
            by_hand.setdefault(deal[player], []).append((deal, weight))
        for deals in by_hand.values():
            gain += self._best(self.tree.nodes[0], deals, player, strategy)
            gain -= sum(w * self._play(self.tree.nodes[0], d, player, strategy) for d, w in deals)
        return gain / total

    def _play(self, node, deal, player, strategy):
        seat = node.state.actor
        if seat is None:
            strengths = [self.strengths.get(hole, 0) for hole in deal]
            return node.state.payoffs(strengths)[player]
        chances = strategy(node, deal[seat])
        return sum(
            chance * self._play(child, deal, player, strategy)
            for chance, child in zip(chances, node.children, strict=True)
            if chance > 0
        )

    def _best(self, node, deals, player, strategy):
        seat = node.state.actor
        if seat is None:
            worth = 0.0
            for deal, weight in deals:
                strengths = [self.strengths.get(hole, 0) for hole in deal]
                worth += weight * node.state.payoffs(strengths)[player]
            return worth
        if seat == player:
            return max(self._best(child, deals, player, strategy) for child in node.children)
        return sum(
            self._best(
                child,
                [(deal, weight * strategy(node, deal[seat])[action]) for deal, weight in deals],
                player,
                strategy,
            )
            for action, child in enumerate(node.children)
        )
