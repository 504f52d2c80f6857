"""Monte Carlo CFR walks as one would write them on paper: recursion, dicts, one at a time.

They draw from the same streams as the compiled walk, so both must choose the same
actions and come to the same updates, up to float32 rounding.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from holdem._core import rng


class Stream:
    """The draws of one lane of one iteration."""

    def __init__(self, seed: int, iteration: int, lane: int) -> None:
        self._words = iter(rng.words(seed, iteration, lane, 4096))

    def next_float(self) -> float:
        return (int(next(self._words)) >> 40) * 2.0**-24

    def next_below(self, bound: int) -> int:
        return ((int(next(self._words)) >> 32) * bound) >> 32


def draw_cards(stream: Stream, deck: list[int], count: int) -> list[int]:
    """Partial Fisher-Yates shuffle."""
    deck = list(deck)
    for i in range(count):
        j = i + stream.next_below(len(deck) - i)
        deck[i], deck[j] = deck[j], deck[i]
    return deck[:count]


def payoff(tree, node: int, deal, player: int) -> float:
    """Chips for *player*: every chip of every stake goes to the best hands that cover it."""
    row = tree.nodes[node]
    stakes = [int(c) for c in tree.contributions[row["ending_index"]]]
    mask = int(tree.folded[row["ending_index"]])
    alive = [seat for seat in range(len(stakes)) if not mask >> seat & 1]
    won = 0.0
    for chip in range(max(stakes)):
        paying = sum(stake > chip for stake in stakes)
        covering = [seat for seat in alive if stakes[seat] > chip]
        if row["ending"] == 2 and len(stakes) == 2:
            share = float(deal["share"][row["street"]])
            won += paying * (share if player == 0 else 1 - share)
            continue
        best = max(int(deal["strength"][seat]) for seat in covering)
        winners = [seat for seat in covering if int(deal["strength"][seat]) == best]
        if player in winners:
            won += paying / len(winners)
    return won - stakes[player]


class ReferenceWalk:
    """Regrets and averages by (node, bucket), updated once per batch.

    Args:
        tree: a BettingTree.
        deals: gives the deal of an iteration.
    """

    def __init__(self, tree, *, pruning_threshold=0.0, pruning_probability=0.0, epsilon=None):
        self.tree = tree
        self.regrets = defaultdict(float)  # (node, bucket, action)
        self.averages = defaultdict(float)
        self.threshold = pruning_threshold
        self.pruning_probability = pruning_probability
        self.epsilon = epsilon

    def row(self, node, deal):
        actor, street = int(self.tree.nodes["actor"][node]), int(self.tree.nodes["street"][node])
        return node, int(deal["bucket"][street][actor])

    def strategy(self, key):
        node, bucket = key
        actions = range(int(self.tree.nodes["num_actions"][node]))
        positive = [max(self.regrets[node, bucket, a], 0.0) for a in actions]
        total = sum(positive)
        return [p / total if total > 0 else 1 / len(positive) for p in positive]

    def batch(self, seed, first, deals, regret_weight, strategy_weight, floor):
        """Walk all iterations over the regrets as they are, then add all updates."""
        regret_updates, strategy_updates, values = [], [], []
        num_players = self.tree.game.num_players
        for offset, deal in enumerate(deals):
            for player in range(num_players):
                stream = Stream(seed, first + offset, 1 + player)
                prune = (
                    self.pruning_probability > 0 and stream.next_float() < self.pruning_probability
                )
                if self.epsilon is None:
                    value = self._external(
                        0, deal, player, stream, prune, regret_updates, strategy_updates
                    )
                else:
                    value, _, _ = self._outcome(
                        0, deal, player, stream, 1.0, regret_updates, strategy_updates
                    )
                values.append(value)
        for key, update in regret_updates:
            self.regrets[key] = max(self.regrets[key] + update * regret_weight, floor)
        for key, update in strategy_updates:
            self.averages[key] += update * strategy_weight
        return np.array(values).reshape(len(deals), num_players)

    def _sample(self, strategy, stream):
        left = stream.next_float()
        for action, probability in enumerate(strategy):
            left -= probability
            if left < 0:
                return action
        return max(a for a, p in enumerate(strategy) if p > 0)

    def _external(self, node, deal, player, stream, prune, regret_updates, strategy_updates):
        row = self.tree.nodes[node]
        if row["ending"]:
            return payoff(self.tree, node, deal, player)
        key = self.row(node, deal)
        strategy = self.strategy(key)
        children = [int(row["first_child"]) + a for a in range(int(row["num_actions"]))]
        if row["actor"] != player:
            for action, probability in enumerate(strategy):
                strategy_updates.append(((*key, action), probability))
            child = children[self._sample(strategy, stream)]
            return self._external(
                child, deal, player, stream, prune, regret_updates, strategy_updates
            )
        tried = [a for a in range(len(children)) if not (prune and self._prunes(row, key, a))]
        values = {
            a: self._external(
                children[a], deal, player, stream, prune, regret_updates, strategy_updates
            )
            for a in tried
        }
        total = sum(strategy[a] for a in tried)
        value = sum(strategy[a] / total * values[a] for a in tried)
        for action in tried:
            regret_updates.append(((*key, action), values[action] - value))
        return value

    def _prunes(self, row, key, action):
        regrets = [self.regrets[(*key, a)] for a in range(int(row["num_actions"]))]
        return (
            row["street"] != 3
            and action != regrets.index(max(regrets))
            and regrets[action] < self.threshold
            and not self.tree.nodes["ending"][int(row["first_child"]) + action]
        )

    def _outcome(self, node, deal, player, stream, reach, regret_updates, strategy_updates):
        """Return (value, probability that sampling led here, own probability of the rest)."""
        row = self.tree.nodes[node]
        if row["ending"]:
            return payoff(self.tree, node, deal, player), reach, 1.0
        key = self.row(node, deal)
        strategy = self.strategy(key)
        sampling = strategy
        if row["actor"] == player:
            even = 1 / len(strategy)
            sampling = [(1 - self.epsilon) * p + self.epsilon * even for p in strategy]
        taken = self._sample(sampling, stream)
        if row["actor"] != player:
            for action, probability in enumerate(strategy):
                strategy_updates.append(((*key, action), probability / reach))
            return self._outcome(
                int(row["first_child"]) + taken,
                deal,
                player,
                stream,
                reach,
                regret_updates,
                strategy_updates,
            )
        value, total_reach, tail = self._outcome(
            int(row["first_child"]) + taken,
            deal,
            player,
            stream,
            reach * sampling[taken],
            regret_updates,
            strategy_updates,
        )
        weighted = value / total_reach
        for action in range(len(strategy)):
            gain = tail * (action == taken) - tail * strategy[taken]
            regret_updates.append(((*key, action), weighted * gain))
        return value, total_reach, tail * strategy[taken]

    def words(self):
        """The regret table's words, (2 * num_slots,)."""
        words = np.zeros(2 * self.tree.num_slots)
        for offset, sums in ((0, self.regrets), (1, self.averages)):
            for (node, bucket, action), value in sums.items():
                k = int(self.tree.nodes["num_actions"][node])
                first = 2 * (int(self.tree.nodes["first_slot"][node]) + bucket * k)
                words[first + offset * k + action] = value
        return words
