"""The card side of local best response: hands of the responder against every hand of the policy.

A `Deal` is one board and some hands of the responder; the policy's cards are not dealt, each
hand that it can hold has a probability. So results have no noise from its cards, and one
board serves many hands of the responder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from holdem._core import indexer
from holdem._core.rng import words
from holdem._core.rollout import rollout_equities
from holdem.errors import MismatchError
from holdem.game.cards import CLASS_OF_HOLE, HOLES
from holdem.game.tree import BettingTree
from holdem.types import GameConfig

_BOARD_SIZES = (0, 3, 4, 5)

# Lanes of the random stream; a deal is an iteration.
_CARDS_LANE = 0


class Buckets(Protocol):
    """What is needed of a bucket set; `HandBucketing` is one."""

    @property
    def tables(self) -> tuple[NDArray[Any], ...]:
        """By street, the bucket of each canonical hand."""

    @property
    def num_buckets(self) -> tuple[int, ...]:
        """Buckets of each street that it covers."""

    @property
    def preflop_equities(self) -> NDArray[np.float64]:
        """Equity of class against class, (169, 169)."""


@dataclass(frozen=True, slots=True)
class Deal:
    """One board and some hands of the responder. *Hands* are all hands that the policy can hold.

    Attributes:
        buckets: by street, int64 (hands,): the policy's bucket; 0 where the board rules a hand out.
        weights: by street, float64 (hands, 2 * num_own). The first columns are the probability of a
            hand, given the responder's and the board so far: 0 where they share a card, and
            sums of 1. The others are the same times the responder's share of the pot if both
            go to the end.
        num_own: hands of the responder.
    """

    buckets: tuple[NDArray[np.int64], ...]
    weights: tuple[NDArray[np.float64], ...]
    num_own: int


class HoldemCards:
    """Deals of hold'em.

    Args:
        bucketing: the policy's buckets, and the equities before the flop.
        num_streets: of the game.
        hands_per_board: hands of the responder on each board.
    """

    def __init__(self, bucketing: Buckets, num_streets: int, hands_per_board: int) -> None:
        self._tables = bucketing.tables
        self._preflop_equities = bucketing.preflop_equities
        self._num_streets = num_streets
        self._hands_per_board = hands_per_board

    def deal(self, seed: int, number: int) -> Deal:
        """Return deal *number* of the stream *seed*: a random board and random hands."""
        return self.deal_of(*self.draw(seed, number))

    def draw(self, seed: int, number: int) -> tuple[list[int], NDArray[np.int64]]:
        """Return the board and the responder's hands, by hole index, of a deal."""
        draws = words(seed, number, _CARDS_LANE, 52 + self._hands_per_board)
        deck = np.argsort(draws[:52], kind="stable")
        board = deck[:5]
        alive = _without(board)
        own = alive[(draws[52:] % np.uint64(len(alive))).astype(np.int64)]
        return board.tolist(), own

    def deal_of(self, board: list[int], own: NDArray[np.int64]) -> Deal:
        """Return the deal of *board* with the responder's hands *own*, by hole index."""
        buckets, weights = [], []
        for street in range(self._num_streets):
            dealt = board[: _BOARD_SIZES[street]]
            possible = _possible(dealt, own)
            prior = possible / np.sum(possible, axis=1, keepdims=True)
            buckets.append(self._buckets(street, dealt))
            if street:
                equities: NDArray[Any] = rollout_equities(HOLES[own], dealt)
            else:
                classes = CLASS_OF_HOLE[own]
                equities = self._preflop_equities[classes][:, CLASS_OF_HOLE]
            weights.append(_columns(prior, equities))
        return Deal(tuple(buckets), tuple(weights), len(own))

    def _buckets(self, street: int, dealt: list[int]) -> NDArray[np.int64]:
        if not street:
            return self._tables[0][CLASS_OF_HOLE].astype(np.int64)
        buckets = np.zeros(len(HOLES), np.int64)
        alive = _without(np.array(dealt))
        cards = np.empty((len(alive), 2 + len(dealt)), np.uint8)
        cards[:, :2], cards[:, 2:] = HOLES[alive], dealt
        buckets[alive] = self._tables[street][indexer.index(cards)]
        return buckets


class OneCardCards:
    """Every deal of Kuhn, Leduc and their like; hands are single cards, rank * suits + suit."""

    def __init__(self, game: GameConfig) -> None:
        self._game = game
        self._size = game.cards.ranks * game.cards.suits

    def deals(self) -> Iterator[tuple[float, Deal]]:
        """Yield every deal of one hand and one board, and its probability."""
        size = range(self._size)
        pairs: list[tuple[int, int | None]] = [(own, None) for own in size]
        if self._game.cards.board_street is not None:
            pairs = list(permutations(size, 2))
        for own, board in pairs:
            yield 1 / len(pairs), self._deal_of(own, board)

    def _deal_of(self, own: int, board: int | None) -> Deal:
        cards = self._game.cards
        ranks = np.arange(self._size) // cards.suits
        buckets, weights = [], []
        for street in range(self._game.num_streets):
            if board is None or street < (cards.board_street or 0):
                seen, bucket = None, ranks
            else:
                seen, bucket = board, ranks * cards.ranks + board // cards.suits
            equity = np.zeros(self._size)
            prior = np.ones((1, self._size))
            prior[0, [own] if seen is None else [own, seen]] = 0.0
            for other in np.flatnonzero(prior[0]).tolist():
                equity[other] = self._equity(own, other, seen)
            buckets.append(bucket)
            weights.append(_columns(prior / prior.sum(), equity))
        return Deal(tuple(buckets), tuple(weights), 1)

    def _equity(self, own: int, other: int, board: int | None) -> float:
        """The share of the pot that *own* wins of *other*, over the boards that may come."""
        cards = self._game.cards
        boards = [board]
        if board is None and cards.board_street is not None:
            boards = [card for card in range(self._size) if card not in (own, other)]
        shares = [_share(*(_rank(card, cards.suits) for card in (own, other, b))) for b in boards]
        return sum(shares) / len(shares)


def check_buckets(tree: BettingTree, bucketing: Buckets) -> None:
    """Raise `MismatchError` unless *bucketing* has as many buckets as the rows of *tree*."""
    streets = tree.game.num_streets
    if tuple(bucketing.num_buckets[:streets]) != tree.bucket_counts:
        raise MismatchError(
            f"{tuple(bucketing.num_buckets)} buckets for a policy of {tree.bucket_counts}",
            "name the buckets it was trained with by --buckets",
        )


def _columns(prior: NDArray[np.float64], equities: NDArray[Any]) -> NDArray[np.float64]:
    """Weights of a `Deal` from (own, hands) probabilities and equities."""
    return np.ascontiguousarray(np.concatenate([prior, prior * equities]).T)


def _rank(card: int | None, suits: int) -> int:
    """The rank of *card*; no rank of the deck for None."""
    return -1 if card is None else card // suits


def _share(own: int, other: int, board: int) -> float:
    """The responder's share of the pot: a pair with the board wins, then the higher rank."""
    mine, theirs = (own == board, own), (other == board, other)
    return 0.5 if mine == theirs else float(mine > theirs)


def _without(board: NDArray[np.int64]) -> NDArray[np.int64]:
    """Hole indices that hold no card of *board*."""
    return np.flatnonzero(~np.isin(HOLES, board).any(axis=1))


def _possible(dealt: list[int], own: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 where a hand shares no card with the board and with each own hand, (own, 1326)."""
    gone = np.zeros((len(own), 52), bool)
    gone[:, dealt] = True
    gone[np.arange(len(own))[:, None], HOLES[own]] = True
    return 1.0 - np.asarray(gone[:, HOLES].any(axis=2), np.float64)
