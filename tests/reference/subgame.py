"""Vector CFR of a spot, slowly: every board by itself, every pair of hands one by one."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from holdem.search.solver import METHODS, average_begins
from holdem.search.subgame import NodeKind, build_public_tree
from tests.reference import evaluator


def fades_of(method):
    """What a method multiplies by at each iteration, if averages begin at powers of four."""
    return lambda iteration: METHODS[method](iteration, average_begins(iteration))


class ReferenceSolver:
    """Plays the same iterations as `SubgameSolver`, without renaming a suit.

    With a gadget the game begins with its choice, as regrets and sums of its own.
    """

    def __init__(self, spot, fades, gadget=None, leaves=None):
        self.spot, self.fades, self.iteration, self.leaves = spot, fades, 0, leaves
        self.tree = build_public_tree(
            pot=spot.pot,
            stack=spot.stack,
            menu=spot.menu,
            num_streets=leaves.num_streets if leaves else 6 - len(spot.board),
            leaves=leaves is not None,
        )
        self.holes = [np.flatnonzero(weights) for weights in spot.ranges]
        cards = [(low, high) for high in range(52) for low in range(high)]
        self.hands = [[cards[hole] for hole in holes] for holes in self.holes]
        self.weights = [w[h].astype(float) for w, h in zip(spot.ranges, self.holes, strict=True)]
        self.regrets, self.sums = {}, {}
        self.matrices = {}
        self.gadget = gadget
        if gadget:
            self.met = self._compatible(spot.board, gadget.player) @ self.weights[1 - gadget.player]
            self.elsewhere = gadget.alternatives[self.holes[gadget.player]] - spot.pot / 2
            rows = 2 if gadget.kind == "resolve" else len(self.met)
            columns = len(self.met) if gadget.kind == "resolve" else 1
            self.gadget_regrets, self.gadget_sums = np.zeros((2, rows, columns))

    def run(self, iterations):
        for _ in range(iterations):
            self.iteration += 1
            for player in (0, 1):
                reach = self.weights[1 - player]
                if self.gadget and player != self.gadget.player:
                    reach = self._enter()
                values = self._walk(self.tree.root, self.spot.board, player, reach, "train")
                if self.gadget and player == self.gadget.player:
                    self._learn(values)

    def _enter(self):
        """The reach of the player who chooses: of hands played, or of the hand chosen."""
        shares = self._shares(self.gadget_regrets, len(self.gadget_regrets))
        _, _, keep, weight = self.fades(self.iteration)
        self.gadget_sums = self.gadget_sums * keep + shares * weight
        if self.gadget.kind == "resolve":
            return self.weights[self.gadget.player] * shares[0]
        return shares[:, 0] / self.met * (self.weights[self.gadget.player] @ self.met)

    def _learn(self, values):
        """One decision of two actions for each hand, or one of an action for each hand."""
        gains, losses, _, _ = self.fades(self.iteration)
        shares = self._shares(self.gadget_regrets, len(self.gadget_regrets))
        if self.gadget.kind == "resolve":
            worth = np.array([values, self.elsewhere * self.met])
        else:
            worth = (values / self.met - self.elsewhere)[:, None]
        fade = np.where(self.gadget_regrets > 0, gains, losses)
        self.gadget_regrets = self.gadget_regrets * fade + worth - (shares * worth).sum(axis=0)

    def value(self, player, mode):
        """Zero-sum chips per pair of hands: of the ``average`` or of a best ``answer``."""
        values = self._walk(self.tree.root, self.spot.board, player, self.weights[1 - player], mode)
        pairs = self.weights[0] @ self._compatible(self.spot.board, 0) @ self.weights[1]
        return self.weights[player] @ values / pairs

    def average(self, node, board):
        return self._shares(self.sums[node.path(), board], len(node.children))

    def _shares(self, table, count):
        positive = np.maximum(table, 0)
        total = positive.sum(axis=0)
        return np.where(total > 0, positive / np.where(total > 0, total, 1), 1 / count)

    def _walk(self, node, board, player, reach, mode):
        """Values of *player*'s hands; those that share a card with the board are 0."""
        if node.kind == NodeKind.DEAL:
            values = np.zeros(len(self.hands[player]))
            for card in set(range(52)) - set(board):
                there = np.array([card in hand for hand in self.hands[1 - player]])
                mine = np.array([card in hand for hand in self.hands[player]])
                below = self._walk(
                    node.children[0], (*board, card), player, np.where(there, 0, reach), mode
                )
                values += np.where(mine, 0, below)
            return values / (52 - len(board) - 4)
        if node.kind == NodeKind.END_BY_FOLD:
            won = self.spot.pot / 2 + node.paid[node.actor]
            sign = -1 if node.actor == player else 1
            return sign * won * (self._compatible(board, player) @ reach)
        if node.kind == NodeKind.END_BY_SHOWDOWN:
            return (self.spot.pot / 2 + node.paid[0]) * (self._beaten(board, player) @ reach)
        if node.kind == NodeKind.LEAF:
            return self._leaf(node, board, player, reach, mode)
        key = node.path(), board
        shape = len(node.children), len(self.hands[node.actor])
        regrets = self.regrets.setdefault(key, np.zeros(shape))
        sums = self.sums.setdefault(key, np.zeros(shape))
        shares = self._shares(regrets if mode == "train" else sums, shape[0])
        gains, losses, keep, weight = self.fades(max(self.iteration, 1))
        if node.actor != player:
            parts = [
                self._walk(child, board, player, reach * share, mode)
                for child, share in zip(node.children, shares, strict=True)
            ]
            if mode == "train":
                self.sums[key] = sums * keep + reach * shares * weight
            return sum(parts)
        values = np.array([self._walk(c, board, player, reach, mode) for c in node.children])
        if mode == "answer":
            return values.max(axis=0)
        value = (shares * values).sum(axis=0)
        if mode == "train":
            self.regrets[key] = regrets * np.where(regrets > 0, gains, losses) + values - value
        return value

    def _leaf(self, node, board, player, reach, mode):
        """Both choose at once: the opponent's choices divide its reach, then the own are valued."""
        count = len(node.children)
        rows = []
        for seat in (player, 1 - player):
            key, shape = (node.path(), board, seat), (count, len(self.hands[seat]))
            regrets = self.regrets.setdefault(key, np.zeros(shape))
            sums = self.sums.setdefault(key, np.zeros(shape))
            rows.append((key, self._shares(regrets if mode == "train" else sums, count)))
        (own_key, own), (their_key, theirs) = rows
        gains, losses, keep, weight = self.fades(max(self.iteration, 1))
        if mode == "train":
            self.sums[their_key] = self.sums[their_key] * keep + reach * theirs * weight
        groups = self.leaves.groups(board)
        worth = self.leaves.matrix(node) * (self.spot.pot + 2 * node.paid[0])
        if player == 1:
            worth = -worth.transpose(1, 0, 3, 2)
        mine, other = (groups[seat][self.holes[seat]] for seat in (player, 1 - player))
        values = np.zeros((count, len(self.hands[player])))
        for choice, share in enumerate(theirs):
            met = self._compatible(board, player) @ (reach * share)
            for chosen in range(count):
                table = worth[mine][:, other, chosen, choice]
                values[chosen] += table @ (reach * share) / max((reach * share).sum(), 1e-30) * met
        if mode == "answer":
            return values.max(axis=0)
        value = (own * values).sum(axis=0)
        if mode == "train":
            regrets = self.regrets[own_key]
            faded = regrets * np.where(regrets > 0, gains, losses)
            self.regrets[own_key] = faded + values - value
        return value

    def _matrix(self, board, player, name):
        key = frozenset(board), player, name
        if key not in self.matrices:
            self.matrices[key] = self._make(board, player, name)
        return self.matrices[key]

    def _make(self, board, player, name):
        mine, theirs = self.hands[player], self.hands[1 - player]
        live = [[not set(h) & set(board) for h in hands] for hands in (mine, theirs)]
        table = np.zeros((len(mine), len(theirs)))
        strength = {}
        if name == "beaten":
            for hand in {*mine, *theirs}:
                if not set(hand) & set(board):
                    strength[hand] = evaluator.strength([*hand, *board])
        for i, hand in enumerate(mine):
            for j, other in enumerate(theirs):
                if live[0][i] and live[1][j] and not set(hand) & set(other):
                    table[i, j] = 1
                    if name == "beaten":
                        table[i, j] = np.sign(strength[hand] - strength[other])
        return table

    def _compatible(self, board, player):
        return self._matrix(board, player, "compatible")

    def _beaten(self, board, player):
        return self._matrix(board, player, "beaten")


def suits_alike(ranges):
    """Renamings of suits that keep both ranges, by trying all."""
    cards = [(low, high) for high in range(52) for low in range(high)]
    number = {hand: i for i, hand in enumerate(cards)}
    found = []
    for suits in permutations(range(4)):
        places = [
            number[tuple(sorted(card // 4 * 4 + suits[card % 4] for card in hand))]
            for hand in cards
        ]
        if all(np.array_equal(weights, weights[places]) for weights in ranges):
            found.append(suits)
    return found
