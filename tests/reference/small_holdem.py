"""Hold'em-like games small enough for a brute-force best response, deal by deal.

Two private cards of a small deck, and one public card before each later street.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations
from types import SimpleNamespace

import numpy as np

from holdem._core.best_response import BOARD_DTYPE, ROW_DTYPE, RUN_DTYPE
from holdem.game.tree import BettingTree, Ending


class SmallGame:
    """A deck of *ranks* x *suits*, with *num_streets* - 1 public cards, one a street.

    Buckets are random: they need not respect suits, nor anything else.
    """

    def __init__(self, ranks: int, suits: int, num_streets: int, bucket_counts, seed: int = 0):
        self.cards = range(ranks * suits)
        self.suits = suits
        self.num_streets = num_streets
        self.hands = list(combinations(self.cards, 2))
        self.bucket_counts = bucket_counts
        self._random = np.random.default_rng(seed)
        self.bucket = cache(self._draw_bucket)
        self.strength = cache(self._count_ranks)

    def _draw_bucket(self, hand, board) -> int:
        """The bucket of *hand* on *board*, whose cards are in the order of the deal."""
        if len(board) >= len(self.bucket_counts):
            return 0
        return int(self._random.integers(self.bucket_counts[len(board)]))

    def _count_ranks(self, hand, board):
        """More of a kind is better, then higher ranks; no straights, no flushes."""
        counts = Counter(card // self.suits for card in (*hand, *board))
        groups = sorted(((count, rank) for rank, count in counts.items()), reverse=True)
        return [count for count, _ in groups], [rank for _, rank in groups]

    def next_cards(self, board, *hands):
        """Cards that may come next."""
        gone = {*board, *(card for hand in hands for card in hand)}
        return [card for card in self.cards if card not in gone]


class BruteForce:
    """Values of both seats, by walking every deal. *first_free*: the street from which the
    responder may leave its policy; one beyond the last for the policy's own value.
    """

    def __init__(self, game: SmallGame, tree: BettingTree, policy, first_free: int = 0):
        self.game, self.tree, self.first_free = game, tree, first_free
        self._strategy = cache(lambda node: policy.strategy(node).tolist())

    def value(self, seat: int) -> float:
        """Chips per hand of *seat* as the responder."""
        total = pairs = 0
        for hand in self.game.hands:
            others = {o: 1.0 for o in self.game.hands if not set(o) & set(hand)}
            total += self._walk(0, seat, hand, (), others)
            pairs += len(others)
        return total / pairs

    def _walk(self, node, seat, hand, board, others) -> float:
        """Value for *hand* times the reach of the *others*, hand by hand."""
        record = self.tree.nodes[node]
        street = int(record["street"])
        if record["ending"] == Ending.FOLD:
            return self._fold_chips(node, seat) * sum(others.values())
        if record["ending"] == Ending.SHOWDOWN and len(board) == self.game.num_streets - 1:
            return self._showdown(node, seat, hand, board, others)
        if record["ending"] == Ending.SHOWDOWN or street > len(board):
            return self._deal(node, seat, hand, board, others)
        rows = self._strategy(node)
        children = list(self.tree.children(node))
        if record["actor"] == seat:
            values = [self._walk(child, seat, hand, board, others) for child in children]
            if street >= self.first_free:
                return max(values)
            own = rows[self.game.bucket(hand, board)]
            return float(np.dot(own, values))
        total = 0.0
        for action, child in enumerate(children):
            played = {
                other: reach * rows[self.game.bucket(other, board)][action]
                for other, reach in others.items()
            }
            total += self._walk(child, seat, hand, board, played)
        return total

    def _deal(self, node, seat, hand, board, others) -> float:
        """Each card that neither player holds is equally likely."""
        chance = 1 / (len(self.game.cards) - 4 - len(board))
        total = 0.0
        for card in self.game.next_cards(board, hand):
            left = {other: reach for other, reach in others.items() if card not in other}
            total += chance * self._walk(node, seat, hand, (*board, card), left)
        return total

    def _fold_chips(self, node, seat) -> float:
        row = self.tree.nodes["ending_index"][node]
        paid = self.tree.contributions[row]
        return float(-paid[seat] if self.tree.folded[row] >> seat & 1 else paid[1 - seat])

    def _showdown(self, node, seat, hand, board, others) -> float:
        paid = float(self.tree.contributions[self.tree.nodes["ending_index"][node]][seat])
        mine = self.game.strength(hand, board)
        total = 0.0
        for other, reach in others.items():
            theirs = self.game.strength(other, board)
            total += reach * paid * ((mine > theirs) - (mine < theirs))
        return total


class SmallDeck:
    """A `SmallGame` as a deck of `holdem.evaluation.best_response`: every board by itself."""

    def __init__(self, game: SmallGame):
        self.game = game
        self.num_streets = game.num_streets
        self.holes = np.array(game.hands)
        self.buckets = np.array([game.bucket(hand, ()) for hand in game.hands])
        self.classes = np.arange(len(game.hands))
        self.weights = np.full(len(game.cards), 1 / (len(game.cards) - 4))
        self.fingerprint = "small"

    def family(self, index, draws=(), seed=0):
        boards, rows, runs = [], [], []
        self._list((index,), list(range(len(self.game.hands))), self.game.hands, 0, boards, rows, runs)
        return SimpleNamespace(
            boards=np.array([tuple(board) for board in boards], BOARD_DTYPE),
            rows=np.array(rows, ROW_DTYPE),
            runs=np.array(runs, RUN_DTYPE),
            symmetries=np.empty(0, np.uint16),
        )

    def _list(self, board, parent_rows, parents, place, boards, rows, runs):
        """Fill in the board at *place*, which this makes if it is new, and those after it."""
        game = self.game
        last = len(board) == game.num_streets - 1
        hands = [
            (row, hand)
            for row, hand in zip(parent_rows, parents, strict=True)
            if not set(board) & set(hand)
        ]
        # The hand's first card leads the runs.
        hands.sort(key=lambda item: (game.strength(item[1], board), item[1]) if last else item[1])
        if place == len(boards):
            boards.append(None)
        cards_left = len(game.cards) - 4 - (len(board) - 1)
        first_row, first_run = len(rows), len(runs)
        for number, (row, hand) in enumerate(hands):
            rows.append((row, game.bucket(hand, board), *hand))
            if number:
                before = hands[number - 1][1]
                same = not last or game.strength(before, board) == game.strength(hand, board)
                if same and before[0] == hand[0]:
                    runs[-1] = (number + 1, hand[0], 0)
                    continue
                runs[-1] = (runs[-1][0], runs[-1][1], int(last and same))
            runs.append((number + 1, hand[0], 0))
        followers = [] if last else game.next_cards(board)
        boards[place] = (
            first_row, len(hands), first_run, len(runs) - first_run, len(boards),
            len(followers), 0, 0, 1.0 if len(board) == 1 else 1 / cards_left,
        )  # fmt: skip
        first_child = len(boards)
        boards.extend([None] * len(followers))
        for number, card in enumerate(followers):
            self._list(
                (*board, card), list(range(len(hands))), [hand for _, hand in hands],
                first_child + number, boards, rows, runs,
            )  # fmt: skip
