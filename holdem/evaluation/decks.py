"""The cards of a best response: hands, and the boards that may follow them.

A `Deck` deals boards in *families*: a first board, and all boards that follow it. The walk
knows no other cards than these, so that a small deck runs through the code of the full one.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from holdem._core import indexer
from holdem._core.best_response import SLOT_HOLES
from holdem._core.boards import Runouts, flop_boards
from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import ConfigError, MismatchError
from holdem.game.tree import BettingTree

STREETS_OF_CARDS = 4
FLOPS = 22_100
"""Three of 52 cards."""
FLOPS_OF_PAIRS = 17_296
"""Flops that two hands leave: three of 48 cards."""


class Deck(Protocol):
    """Two players' hands, and the boards that chance may deal.

    Attributes:
        num_streets: streets of cards, that before the first board included.
        possible: float64 (1326,), 1 for the hands that the deck has, in the order of
            `SLOT_HOLES`; 0 for the others.
        buckets: (1326,), the bucket of each hand before the first board.
        classes: (1326,), numbers from 0 on: hands of one class have the same values.
        weights: float64 (families,): the chance of the first boards that the family stands for,
            given two hands that leave them possible.
        fingerprint: what the buckets are known by.
    """

    num_streets: int
    possible: NDArray[np.float64]
    buckets: NDArray[np.int64]
    classes: NDArray[np.int64]
    weights: NDArray[np.float64]
    fingerprint: str

    def family(self, index: int, draws: tuple[int, ...] = (), seed: int = 0) -> Runouts:
        """Return the boards of family *index*.

        Args:
            index: below the number of weights.
            draws: how many boards to draw at random on each later street; 0 or none for all.
            seed: the random numbers depend on it and on *index*.
        """


class HoldemDeck:
    """All of hold'em, as a `Deck`: a family is a flop up to suits, with its turns and rivers.

    Args:
        tree: the betting tree.
        bucketing: the buckets that its policies were made for.

    Raises:
        ConfigError: the tree is not of two-player hold'em.
        MismatchError: the buckets are not those of the tree.
    """

    num_streets = STREETS_OF_CARDS
    possible = np.ones(len(SLOT_HOLES))
    classes = indexer.index(SLOT_HOLES)

    def __init__(self, tree: BettingTree, bucketing: HandBucketing) -> None:
        game = tree.game
        if game.num_players != 2 or game.cards.kind != "holdem":
            raise ConfigError(
                f"a best response over real cards is for two-player hold'em, not for "
                f"{game.num_players} players of {game.cards.kind} poker",
                "measure it with local best response or in matches instead",
            )
        streets = len(tree.bucket_counts)
        if bucketing.num_buckets[:streets] != tuple(tree.bucket_counts):
            raise MismatchError(
                f"a betting tree for buckets {tuple(tree.bucket_counts)}, and a bucket set of "
                f"{bucketing.num_buckets}",
                "pass the bucket set that the policy was trained with",
            )
        self.fingerprint = bucketing.fingerprint
        self.buckets = np.asarray(bucketing.tables[0], np.int64)[self.classes]
        # Nobody decides on the streets after the tree's last.
        self._tables = [
            bucketing.tables[street] if street < streets else None
            for street in range(1, STREETS_OF_CARDS)
        ]
        numbers = np.arange(indexer.NUM_BOARDS[3])
        self.flops = indexer.unindex_board(3, numbers)
        copies = indexer.board_multiplicity(3, numbers).astype(np.float64)
        self.weights = copies / FLOPS_OF_PAIRS

    def family(self, index: int, draws: tuple[int, ...] = (), seed: int = 0) -> Runouts:
        """See `Deck.family`; *draws* are of turns, and of rivers after each."""
        turns, rivers = (*draws, 0, 0)[:2]
        return flop_boards(
            self.flops[index], self._tables, turns=turns, rivers=rivers, seed=seed, number=index
        )
