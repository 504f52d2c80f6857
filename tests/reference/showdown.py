"""Endings of one river board, a pair of hands at a time."""

from __future__ import annotations

import numpy as np

from tests.reference import evaluator


def showdown_margins(board, own, theirs, reach):
    """Reach that each own hand beats minus reach that beats it: (own hands, endings)."""
    mine = [evaluator.strength([*map(int, hand), *map(int, board)]) for hand in own]
    other = [evaluator.strength([*map(int, hand), *map(int, board)]) for hand in theirs]
    sums = np.zeros((len(own), reach.shape[1]))
    for i, hand in enumerate(own):
        for j, opponent in enumerate(theirs):
            if not set(hand) & set(opponent):
                sums[i] += ((mine[i] > other[j]) - (mine[i] < other[j])) * reach[j]
    return sums


def fold_values(own, theirs, reach):
    """Reach of the hands that share no card with each own hand: (own hands, endings)."""
    sums = np.zeros((len(own), reach.shape[1]))
    for i, hand in enumerate(own):
        for j, opponent in enumerate(theirs):
            if not set(hand) & set(opponent):
                sums[i] += reach[j]
    return sums
