"""The best response below one flop of hold'em by dense matrices: 1,326 x 1,326, board by board."""

from __future__ import annotations

from functools import cache

import numpy as np

from holdem._core import indexer
from holdem._core.best_response import SLOT_HOLES
from holdem._core.equity import board_strengths
from holdem.game.cards import hole_index
from holdem.game.tree import Ending

HOLE_OF_SLOT = np.array([hole_index(*sorted(hole)) for hole in SLOT_HOLES.tolist()])
_HOLDS = np.eye(52)[SLOT_HOLES].sum(axis=1)
DISJOINT = (_HOLDS @ _HOLDS.T == 0).astype(float)


class DenseResponse:
    """Walks the boards of *runouts*, which must have no symmetries, as they are listed."""

    def __init__(self, policy, tables, runouts, chooses):
        self.policy, self.tree, self.tables = policy, policy.tree, tables
        self.boards, self.chooses = runouts.boards, chooses
        self._signs = cache(_signs)
        assert not self.boards["num_renamings"].any()

    def value(self, node, seat, reach):
        """Value by hand of *seat* at *node*, which begins the flop, against *reach*."""
        first = self.boards[0]
        return self._on_board(node, seat, reach, 0, tuple(first["cards"].tolist()))

    def _on_board(self, node, seat, reach, number, cards):
        free = ~np.isin(SLOT_HOLES, cards).any(axis=1)
        rows = np.zeros(len(SLOT_HOLES), int)
        street = len(cards) - 2
        if street < len(self.tree.bucket_counts):
            hands = np.column_stack([SLOT_HOLES[free], np.tile(np.uint8(cards), (free.sum(), 1))])
            rows[free] = self.tables[street - 1][indexer.index(hands)]
        return free * self._walk(node, seat, reach * free, number, cards, rows)

    def _walk(self, node, seat, reach, number, cards, rows):
        record = self.tree.nodes[node]
        street = len(cards) - 2
        if record["ending"] == Ending.FOLD:
            row = record["ending_index"]
            paid = self.tree.contributions[row]
            won = -paid[seat] if self.tree.folded[row] >> seat & 1 else paid[1 - seat]
            return float(won) * (DISJOINT @ reach)
        if record["ending"] == Ending.SHOWDOWN and street == 3:
            paid = float(self.tree.contributions[record["ending_index"]][seat])
            return paid * (self._signs(cards) @ reach)
        if record["ending"] == Ending.SHOWDOWN or record["street"] > street:
            total = np.zeros(len(SLOT_HOLES))
            here = self.boards[number]
            for child in range(here["first_child"], here["first_child"] + here["num_children"]):
                card = int(self.boards[child]["cards"][0])
                total += float(self.boards[child]["weight"]) * self._on_board(
                    node, seat, reach, child, (*cards, card)
                )
            return total
        strategy = self.policy.strategy(node)[rows].astype(float)
        mine = record["actor"] == seat
        values = [
            self._walk(
                child, seat, reach if mine else reach * strategy[:, action], number, cards, rows
            )
            for action, child in enumerate(self.tree.children(node))
        ]
        if not mine:
            return sum(values)
        if self.chooses[street - 1]:
            return np.max(values, axis=0)
        return sum(strategy[:, action] * value for action, value in enumerate(values))


def _signs(cards):
    """Who wins: 1, 0 or -1 for each hand against each other on a full board."""
    strengths = board_strengths(cards)[HOLE_OF_SLOT].astype(float)
    return np.sign(strengths[:, None] - strengths[None, :]) * DISJOINT
