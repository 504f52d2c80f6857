"""Hold'em-like games small enough for a brute-force best response, deal by deal.

Two private cards of a small deck, and one public card before each later street.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations
from types import SimpleNamespace

import numpy as np

from holdem._core.best_response import BOARD_DTYPE, ENTRY_DTYPE, SLOT_HOLES
from holdem.game.tree import BettingTree, Ending

OF_TWO_RANKS, OF_ONE_RANK, SINGLE = range(3)  # kinds of entries, see best_response_simd.h


class SmallGame:
    """A deck of *ranks* x *suits*, with *num_streets* - 1 public cards, one a street.

    Buckets are random: they need not respect suits, nor anything else. With *lucky_suit* its
    cards beat equal ranks, so that hands of the same ranks differ in strength.
    """

    def __init__(
        self, ranks: int, suits: int, num_streets: int, bucket_counts, seed: int = 0,
        lucky_suit: bool = False,
    ):  # fmt: skip
        self.cards = [4 * rank + suit for rank in range(ranks) for suit in range(suits)]
        self.blocks = not lucky_suit
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
        counts = Counter(card // 4 for card in (*hand, *board))
        groups = sorted(((count, rank) for rank, count in counts.items()), reverse=True)
        luck = 0 if self.blocks else sum(card % 4 == 0 for card in hand)
        return (*(count for count, _ in groups), *(rank for _, rank in groups), luck)

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
        self.slots = {tuple(sorted(hole)): slot for slot, hole in enumerate(SLOT_HOLES.tolist())}
        self.possible = np.zeros(len(SLOT_HOLES))
        self.buckets = np.zeros(len(SLOT_HOLES), int)
        for hand in game.hands:
            self.possible[self.slots[hand]] = 1.0
            self.buckets[self.slots[hand]] = game.bucket(hand, ())
        self.classes = np.arange(len(SLOT_HOLES))
        self.weights = np.full(len(game.cards), 1 / (len(game.cards) - 4))
        self.fingerprint = "small"

    def family(self, index, draws=(), seed=0):
        """Boards are in the order in which a list of boards to visit meets them."""
        game = self.game
        boards = [(game.cards[index],)]
        records, buckets, entries = [], [], []
        for number, board in enumerate(boards):
            last = len(board) == game.num_streets - 1
            followers = [] if last else game.next_cards(board)
            weight = 1.0 if number == 0 else 1 / (len(game.cards) - 4 - (len(board) - 1))
            mine = self._entries(board) if last else []
            records.append(
                (len(entries), len(mine), len(boards), len(followers), weight,
                 (board[-1], 0, 0), 1, [0] * 24, 0)
            )  # fmt: skip
            boards += [(*board, card) for card in followers]
            entries += mine
            buckets.append(np.zeros(len(SLOT_HOLES), np.uint16))
            for hand in game.hands:
                if not set(hand) & set(board):
                    buckets[-1][self.slots[hand]] = game.bucket(hand, board)
        return SimpleNamespace(
            boards=np.array(records, BOARD_DTYPE),
            buckets=np.array(buckets),
            parts=np.zeros((len(records), 91, 4), np.uint16),
            entries=np.array(entries, ENTRY_DTYPE),
            renamed=np.zeros((24, len(SLOT_HOLES)), np.uint16),
        )

    def _entries(self, board):
        """Whole blocks of hands with the same two ranks, or each hand by itself."""
        by_strength: dict = {}
        for hand in self.game.hands:
            if not set(hand) & set(board):
                low, high = hand
                slot = self.slots[hand]
                if self.game.blocks:
                    one_rank = low // 4 == high // 4
                    first = self.slots[(4 * (low // 4), 4 * (high // 4) + one_rank)]
                    entry = (first, high // 4, low // 4, OF_ONE_RANK if one_rank else OF_TWO_RANKS)
                else:
                    entry = (slot, high, low, SINGLE)
                by_strength.setdefault(self.game.strength(hand, board), set()).add(entry)
        entries = []
        for _, equal in sorted(by_strength.items()):
            entries += [(*entry, 1) for entry in sorted(equal)]
            entries[-1] = (*entries[-1][:-1], 0)
        return entries
