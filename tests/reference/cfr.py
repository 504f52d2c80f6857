"""CFR and best response of one-card games by obvious recursion, to compare the fast code with.

Nothing here is vectorised and nothing is shared with the package but the betting
tree: cards are dealt one by one from a real deck, pots are split layer by layer,
and every history is walked: an iteration of Leduc takes 10 ms.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from holdem.game.policy import TabularPolicy
from holdem.game.tree import BettingTree
from holdem.types import GameConfig


@dataclass(frozen=True)
class Deal:
    """One way to deal ranks: a private rank per seat, and the public one (or None)."""

    private: tuple[int, ...]
    public: int | None
    probability: float


def deals(game: GameConfig) -> list[Deal]:
    """Every deal of *game*, cards of one rank merged, with its probability."""
    has_board = game.cards.board_street is not None
    deck = [rank for rank in range(game.cards.ranks) for _ in range(game.cards.suits)]
    counts = Counter(permutations(deck, game.num_players + has_board))
    total = sum(counts.values())
    return [
        Deal(
            private=ranks[: game.num_players],
            public=ranks[-1] if has_board else None,
            probability=count / total,
        )
        for ranks, count in counts.items()
    ]


def bucket_of(game: GameConfig, deal: Deal, seat: int, street: int) -> int:
    """The bucket that *seat* is in on *street*."""
    board_street = game.cards.board_street
    if board_street is None or street < board_street:
        return deal.private[seat]
    return deal.private[seat] * game.cards.ranks + deal.public


def payoffs(tree: BettingTree, node: int, deal: Deal) -> np.ndarray:
    """Chips that each seat wins or loses at the ending *node*, pot by pot."""
    ending = tree.nodes["ending_index"][node]
    paid = [int(chips) for chips in tree.contributions[ending]]
    folded = int(tree.folded[ending])
    seats = range(tree.game.num_players)
    live = [seat for seat in seats if not folded >> seat & 1]
    result = -np.array(paid, dtype=float)

    def strength(seat: int) -> tuple[bool, int]:
        return (deal.private[seat] == deal.public, deal.private[seat])

    # A chip is a pot of its own: whoever paid at least that many can win it, or,
    # where only folded seats went that far, those who went furthest.
    for chip in range(1, max(paid) + 1):
        pot = sum(paid[seat] >= chip for seat in seats)
        eligible = [seat for seat in live if paid[seat] >= chip]
        if not eligible:
            furthest = max(paid[seat] for seat in live)
            eligible = [seat for seat in live if paid[seat] == furthest]
        best = max(strength(seat) for seat in eligible)
        winners = [seat for seat in eligible if strength(seat) == best]
        for seat in winners:
            result[seat] += pot / len(winners)
    return result


def expected_values(policy) -> np.ndarray:
    """Chips per hand of each seat when all play *policy*."""
    tree = policy.tree
    nodes = tree.nodes

    def walk(node: int, deal: Deal) -> np.ndarray:
        if nodes["num_actions"][node] == 0:
            return payoffs(tree, node, deal)
        bucket = bucket_of(tree.game, deal, nodes["actor"][node], nodes["street"][node])
        probabilities = policy.strategy(node)[bucket]
        first = nodes["first_child"][node]
        return sum(p * walk(first + a, deal) for a, p in enumerate(probabilities))

    return sum(deal.probability * walk(0, deal) for deal in deals(tree.game))


def best_response_value(policy, seat: int) -> float:
    """Chips per hand of the best that *seat* can do against the others' *policy*."""
    tree = policy.tree
    nodes = tree.nodes

    def walk(node: int, weighted: list[tuple[Deal, float]]) -> float:
        street, actor = nodes["street"][node], nodes["actor"][node]
        children = nodes["first_child"][node] + np.arange(nodes["num_actions"][node])
        if len(children) == 0:
            return sum(weight * payoffs(tree, node, deal)[seat] for deal, weight in weighted)
        groups = defaultdict(list)
        for deal, weight in weighted:
            groups[bucket_of(tree.game, deal, actor, street)].append((deal, weight))
        if actor == seat:  # one choice for all deals that look the same
            return sum(max(walk(child, group) for child in children) for group in groups.values())
        strategy = policy.strategy(node)
        return sum(
            walk(
                child,
                [
                    (deal, weight * strategy[bucket][action])
                    for bucket, group in groups.items()
                    for deal, weight in group
                ],
            )
            for action, child in enumerate(children)
        )

    return walk(0, [(deal, deal.probability) for deal in deals(tree.game)])


def nash_conv(policy) -> float:
    """Chips per hand that the seats could gain, each alone, by a best response."""
    values = expected_values(policy)
    return sum(best_response_value(policy, seat) - value for seat, value in enumerate(values))


@dataclass(frozen=True)
class Variant:
    """How a member of the CFR family weighs its iterations.

    After iteration t positive regrets are scaled by t^alpha / (t^alpha + 1),
    negative ones by t^beta / (t^beta + 1) (None: not at all), and iteration t
    counts t^gamma in the average strategy (Brown & Sandholm 2019).
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


class TabularCFR:
    """Tabular CFR with alternating updates, one table row per (node, bucket)."""

    def __init__(self, tree: BettingTree, variant: str = "CFR") -> None:
        self.tree = tree
        self.variant = VARIANTS[variant]
        self.deals = deals(tree.game)
        self.iteration = 0
        self.regrets: dict[tuple[int, int], np.ndarray] = {}
        self.sums: dict[tuple[int, int], np.ndarray] = {}
        self._actors: dict[tuple[int, int], int] = {}
        self._current: dict[tuple[int, int], np.ndarray] = {}
        # Plain lists: indexing a structured array dominates the recursion otherwise.
        self._nodes = [
            (int(n["num_actions"]), int(n["actor"]), int(n["street"]), int(n["first_child"]))
            for n in tree.nodes
        ]
        self._payoffs: dict[tuple[int, int], np.ndarray] = {}

    def run(self, iterations: int) -> TabularCFR:
        """Do *iterations* more; every seat updates once in each."""
        for _ in range(iterations):
            self.iteration += 1
            for seat in range(self.tree.game.num_players):
                for index, deal in enumerate(self.deals):
                    reaches = np.ones(self.tree.game.num_players)
                    self._walk(0, index, deal, seat, reaches)
                self._end_pass(seat)
        return self

    def _row(self, node: int, deal: Deal) -> tuple[int, int]:
        num_actions, actor, street, _ = self._nodes[node]
        row = (node, bucket_of(self.tree.game, deal, actor, street))
        if row not in self.regrets:
            self.regrets[row] = np.zeros(num_actions)
            self.sums[row] = np.zeros(num_actions)
            self._actors[row] = actor
            self._current[row] = np.full(num_actions, 1 / num_actions)
        return row

    def _walk(self, node: int, index: int, deal: Deal, seat: int, reaches: np.ndarray) -> float:
        """The value of *node* for *seat*, which updates its rows on the way up."""
        num_actions, actor, _, first_child = self._nodes[node]
        if num_actions == 0:
            if (node, index) not in self._payoffs:
                self._payoffs[node, index] = payoffs(self.tree, node, deal)
            return self._payoffs[node, index][seat]
        row = self._row(node, deal)
        strategy = self._current[row]
        values = np.zeros(num_actions)
        for action in range(num_actions):
            below = reaches.copy()
            below[actor] *= strategy[action]
            values[action] = self._walk(first_child + action, index, deal, seat, below)
        value = float(strategy @ values)
        if actor == seat:
            others = deal.probability * np.prod(np.delete(reaches, seat))
            self.regrets[row] += others * (values - value)
            self.sums[row] += self.iteration**self.variant.gamma * reaches[seat] * strategy
        return value

    def _end_pass(self, seat: int) -> None:
        """Weigh *seat*'s regrets as the variant says, and match them."""
        t = float(self.iteration)
        for row, regrets in self.regrets.items():
            if self._actors[row] != seat:
                continue
            if self.variant.drop_negative:
                np.maximum(regrets, 0.0, out=regrets)
            if self.variant.alpha is not None:
                regrets[regrets > 0] *= t**self.variant.alpha / (t**self.variant.alpha + 1)
            if self.variant.beta is not None:
                regrets[regrets < 0] *= t**self.variant.beta / (t**self.variant.beta + 1)
            positive = np.maximum(regrets, 0.0)
            total = positive.sum()
            self._current[row] = (
                positive / total if total > 0 else np.full(len(regrets), 1 / len(regrets))
            )

    def average_policy(self) -> TabularPolicy:
        """The average strategy; rows that nobody reached are uniform."""
        probabilities = np.empty(self.tree.num_slots, dtype=np.float64)
        for node in np.flatnonzero(self.tree.nodes["num_actions"]):
            num_actions, _, street, _ = self._nodes[node]
            first_slot = int(self.tree.nodes["first_slot"][node])
            for bucket in range(self.tree.bucket_counts[street]):
                sums = self.sums.get((int(node), bucket), np.zeros(num_actions))
                total = sums.sum()
                start = first_slot + bucket * num_actions
                probabilities[start : start + num_actions] = (
                    sums / total if total > 0 else 1 / num_actions
                )
        return TabularPolicy(self.tree, probabilities)
