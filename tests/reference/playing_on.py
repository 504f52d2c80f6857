"""What a blueprint wins from a leaf on, by going through every card and every action."""

from __future__ import annotations

import numpy as np

from holdem._core.evaluator import evaluate
from holdem.game.tree import ActionKind
from tests.reference.settle import settle


def biased(row, kinds, choice, factor):
    """A row of the blueprint under one of the four choices."""
    favoured = (
        (),
        (ActionKind.FOLD,),
        (ActionKind.CHECK, ActionKind.CALL),
        (ActionKind.BET, ActionKind.RAISE, ActionKind.ALL_IN),
    )[choice]
    weights = np.array(
        [p * (factor if k in favoured else 1) for p, k in zip(row, kinds, strict=True)], float
    )
    return weights / weights.sum()


class ReferenceLeaf:
    """A leaf of a turn, whose players' hands are known."""

    def __init__(self, policy, bucket, leaf, state, holes, factor):
        """*bucket* tells the bucket of a hole on a board of five cards."""
        self.policy, self.bucket, self.leaf, self.state = policy, bucket, leaf, state
        self.holes, self.factor, self.tree = holes, factor, policy.tree

    def value(self, player, choices):
        """Chips that *player* wins in the hand if the seats choose so, over all rivers."""
        used = {*self.state.board, *(card for hole in self.holes for card in hole)}
        rivers = [card for card in range(52) if card not in used]
        return float(np.mean([self._river(card, player, choices) for card in rivers]))

    def _river(self, card, player, choices):
        board = (*self.state.board, card)
        hands = np.array([[*hole, *board] for hole in self.holes], np.uint8)
        strengths = evaluate(hands).tolist()
        return self._walk(self.leaf.node, board, strengths, player, choices)

    def _walk(self, node, board, strengths, player, choices):
        tree = self.tree
        record = tree.nodes[node]
        if not record["num_actions"]:
            return self._payoff(record, strengths)[player]
        seat = int(record["actor"])
        children = tree.children(node)
        kinds = [ActionKind(tree.action_kinds[child]) for child in children]
        row = self.policy.strategy(node)[self.bucket(self.holes[seat], board)]
        chances = biased(row, kinds, choices[seat], self.factor)
        return sum(
            chance * self._walk(child, board, strengths, player, choices)
            for chance, child in zip(chances, children, strict=True)
            if chance > 0
        )

    def _payoff(self, record, strengths):
        ending = int(record["ending_index"])
        seats = range(len(self.holes))
        paid = []
        for seat in seats:
            more = int(self.tree.contributions[ending, seat]) - int(self.leaf.stakes[seat])
            more = int(max(more, 0) * self.leaf.scale + 0.5)
            paid.append(self.state.paid[seat] + min(more, self.state.stacks[seat]))
        folded = [bool(int(self.tree.folded[ending]) >> seat & 1) for seat in seats]
        return settle(paid, folded, strengths, list(seats))
