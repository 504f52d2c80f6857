"""CFR-BR on one drawn board as one would write it on paper: node by node, all hands by matrices.

Two walks an iteration. In the first a responder learns against the table of one seat; on the
river he does not learn but takes, with each hand, the best action against what lies halfway
between the table's current and its average strategy. In the second the table
learns against what the responder plays now, and the hands of a bucket count by how often the
table has them where the street begins.
"""

from __future__ import annotations

import numpy as np

from holdem._core import indexer
from holdem._core.equity import board_strengths
from holdem.game.tree import Ending
from tests.reference.walk import Stream, draw_cards

HOLES = np.array([(low, high) for high in range(52) for low in range(high)], np.uint8)
RIVER = 3
OPPONENTS = 990
"""Hands that a hand and a board leave."""
LEAST_HELD = 0.01
"""Added to what each hand counts by."""


def board_of(seed, iteration):
    return draw_cards(Stream(seed, iteration, 0), list(range(52)), 5)


class Board:
    """The hands that *cards* leave, and who wins.

    Attributes:
        buckets: by street, of every hand.
        cells: likewise, what the responder tells apart before the river.
        apart: 1 where two hands share no card, else 0.
        signs: 1, 0 or -1 where a hand wins, splits or loses against one that shares no card.
    """

    def __init__(self, cards, tables, cells):
        free = ~np.isin(HOLES, cards).any(axis=1)
        holes = HOLES[free]
        self.buckets, self.cells = [], []
        for street, num_cards in enumerate((0, 3, 4, 5)):
            public = np.tile(np.array(cards[:num_cards], np.uint8), (len(holes), 1))
            indices = indexer.index(np.column_stack([holes, public]))
            self.buckets.append(tables[street][indices].astype(int))
            if street < RIVER:
                self.cells.append(cells[street][indices].astype(int))
        holds = np.eye(52)[holes].sum(axis=1)
        self.apart = (holds @ holds.T == 0).astype(float)
        strengths = board_strengths(cards)[free].astype(float)
        self.signs = np.sign(strengths[:, None] - strengths[None, :]) * self.apart


class ReferenceResponder:
    """The rows of *seat*, and of the responder in the other one.

    Attributes:
        words: of a `RegretTable`, of each row its regrets and then its sums of the average
            strategy. Only the rows of the seat are used.
        responder: regrets on all streets but the river, in the same order. Only the rows of
            the other seat are used.
        parents: regrets of the parents of the seat's buckets, in the same order.
        utility: chips that the seat won of the responder, a hand, summed over iterations.
        closest: how near a choice of the responder's has come to another, as part of the
            largest value there. Where that is no more than rounding either may be taken.
    """

    def __init__(self, tree, tables, seat, cells=None, cell_counts=None, families=None):
        # By street the number of parents, each bucket's, and its share of it.
        self.families = families or ((0, 0, 0, 0), (), ())
        self.tree, self.tables, self.seat = tree, tables, seat
        self.cells = tables[:RIVER] if cells is None else cells
        self.cell_counts = tree.bucket_counts[:RIVER] if cell_counts is None else cell_counts
        self.utility = 0.0
        self.closest = 1.0
        self.words = np.zeros(2 * tree.num_slots)
        before_river = (tree.nodes["num_actions"] > 0) & (tree.nodes["street"] < RIVER)
        counts = np.array([*self.cell_counts, 0])[tree.nodes["street"]]
        sizes = counts * tree.nodes["num_actions"]
        self.responder = np.zeros(np.sum(sizes, where=before_river))
        parent_counts = np.array(self.families[0])[tree.nodes["street"]]
        parent_sizes = parent_counts * tree.nodes["num_actions"]
        self.parents = np.zeros(parent_sizes.sum())
        # By node (buckets, actions); views.
        self.regrets, self.sums, self.parent_regrets = {}, {}, {}
        used = used_by_parents = 0
        for node in np.flatnonzero(tree.nodes["num_actions"]):
            record, slots = tree.nodes[node], tree.slots(node)
            k = int(record["num_actions"])
            if record["actor"] == seat:
                rows = self.words[2 * slots.start : 2 * slots.stop].reshape(-1, 2, k)
                self.regrets[node], self.sums[node] = rows[:, 0], rows[:, 1]
                if parent_counts[node]:
                    mine = self.parents[used_by_parents : used_by_parents + parent_sizes[node]]
                    self.parent_regrets[node] = mine.reshape(-1, k)
            elif before_river[node]:
                self.regrets[node] = self.responder[used : used + sizes[node]].reshape(-1, k)
            used += sizes[node] * before_river[node]
            used_by_parents += parent_sizes[node]

    def iterate(self, cards, regret_weight, strategy_weight, pull=0.0):
        self._pull = pull
        self._board = Board(cards, self.tables, self.cells)
        self._weights = regret_weight / OPPONENTS, strategy_weight
        self._answers, self._held = {}, {}
        everyone = np.ones(len(self._board.apart))
        self._walk(0, 1 - self.seat, everyone)
        self._weights = regret_weight / OPPONENTS, 0.0
        values = self._walk(0, self.seat, everyone)
        self.utility += values.sum() / self._board.apart.sum()

    def _walk(self, node, walker, reach, begun=(-1, None)):
        """Return what *node* is worth to each hand of *walker*, and update what he learns.

        Args:
            reach: of the other's hands.
            begun: the street of the node before, and the reach where that began.
        """
        tree, record = self.tree, self.tree.nodes[node]
        if record["ending"]:
            return self._ending(record, walker, reach)
        actor, street = int(record["actor"]), int(record["street"])
        if street != begun[0]:
            begun = street, reach
        if walker != self.seat:
            self._held[node] = begun[1]
        told_apart = self._board.buckets if actor == self.seat or street == RIVER else None
        buckets = (told_apart or self._board.cells)[street]
        if actor != walker:
            strategy = self._strategy(node, buckets)
            played = reach[:, None] * strategy
            if actor == self.seat:
                if street == RIVER:
                    played = reach[:, None] * self._half_average(node, buckets, strategy)
                taken_in = self._weights[1] * reach[:, None] * strategy
                np.add.at(self.sums[node], buckets, taken_in)
            return sum(
                self._walk(child, walker, played[:, action], begun)
                for action, child in enumerate(tree.children(node))
            )
        values = np.stack(
            [self._walk(child, walker, reach, begun) for child in tree.children(node)], 1
        )
        if actor != self.seat and record["street"] == RIVER:
            self._answers[node] = np.eye(values.shape[1])[values.argmax(axis=1)]
            self._look_for_ties(values)
            return values.max(axis=1)
        value = (self._strategy(node, buckets) * values).sum(axis=1)
        regrets = self._weights[0] * (values - value[:, None])
        if actor == self.seat:
            held = self._held[node]
            regrets *= ((held + LEAST_HELD) / (held.mean() + LEAST_HELD))[:, None]
        np.add.at(self.regrets[node], buckets, regrets)
        if node in self.parent_regrets:
            np.add.at(self.parent_regrets[node], self.families[1][street][buckets], regrets)
        return value

    def _strategy(self, node, buckets):
        """How likely each hand takes each action: by its answers, else by regret matching."""
        if node in self._answers:
            return self._answers[node]
        regrets = self.regrets[node]
        if node in self.parent_regrets:
            street = self.tree.nodes[node]["street"]
            parents, shares = self.families[1][street], self.families[2][street]
            regrets = regrets + self._pull * shares[:, None] * self.parent_regrets[node][parents]
        positive = np.maximum(regrets, 0)
        totals = positive.sum(axis=1, keepdims=True)
        even = np.full_like(positive, 1 / positive.shape[1])
        return np.divide(positive, totals, out=even, where=totals > 0)[buckets]

    def _half_average(self, node, buckets, strategy):
        """What the responder answers on the river; what is played now where there is no average."""
        sums = self.sums[node][buckets]
        totals = sums.sum(axis=1, keepdims=True)
        average = np.divide(sums, totals, out=strategy.copy(), where=totals > 0)
        return (strategy + average) / 2

    def _ending(self, record, walker, reach):
        paid = self.tree.contributions[record["ending_index"]]
        if record["ending"] == Ending.SHOWDOWN:
            return float(paid[walker]) * _times(self._board.signs, reach)
        gone = self.tree.folded[record["ending_index"]] >> walker & 1
        won = -paid[walker] if gone else paid[1 - walker]
        return float(won) * _times(self._board.apart, reach)

    def _look_for_ties(self, values):
        """Where no hand of the table's comes to, all is worth exactly nothing: that is no doubt."""
        doubtful = values[values.any(axis=1)]
        if doubtful.size and doubtful.shape[1] > 1:
            ordered = np.sort(doubtful, axis=1)
            gap = (ordered[:, -1] - ordered[:, -2]).min() / np.abs(values).max()
            self.closest = min(self.closest, float(gap))


def _times(matrix, vector):
    """Without the threads of a linear algebra library, which tests side by side would share."""
    return np.einsum("ij,j->i", matrix, vector)
