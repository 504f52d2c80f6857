"""Values of biased continuations, slowly: one pair and one deal at a time, down the tree."""

from __future__ import annotations

import numpy as np

from holdem.game.tree import ActionKind, Ending

KINDS = ({}, {ActionKind.FOLD}, {ActionKind.CHECK, ActionKind.CALL},
         {ActionKind.BET, ActionKind.RAISE, ActionKind.ALL_IN})  # fmt: skip


def biased(tree, node, row, choice, factor=5.0):
    """A row of probabilities with one kind of action made more likely."""
    kinds = [ActionKind(tree.action_kinds[child]) for child in tree.children(node)]
    weights = [
        p * (factor if kind in KINDS[choice] else 1) for p, kind in zip(row, kinds, strict=True)
    ]
    return np.array(weights) / sum(weights)


def value(tree, policy, node, buckets, share, choices):
    """Chips of seat 0 from *node* on; *buckets* is (streets, seats), *share* by street."""
    record = tree.nodes[node]
    if record["ending"] == Ending.FOLD:
        lost = int(tree.folded[record["ending_index"]]) & 1
        return (-0.5 if lost else 0.5) * float(record["pot"])
    if record["ending"] == Ending.SHOWDOWN:
        return (float(share[record["street"]]) - 0.5) * float(record["pot"])
    seat = int(record["actor"])
    row = policy.strategy(node)[buckets[record["street"]][seat]]
    chances = biased(tree, node, row, choices[seat])
    return sum(
        p * value(tree, policy, child, buckets, share, choices)
        for p, child in zip(chances, tree.children(node), strict=True)
    )
