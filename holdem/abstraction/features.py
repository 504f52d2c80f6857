"""Hands by street and what they look like: the points that are clustered into buckets.

| street | point | distance |
|---|---|---|
| preflop, flop, turn | cumulative histogram of the river value over all run-outs | city block |
| river | share of the pot against each of eight groups of opponents' hole cards | squared |

City-block distance between cumulative histograms is the earth mover's distance. All
points are whole numbers. `_core/features.pyx` defines the river value and measures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from holdem._core import features as kernel
from holdem._core import indexer
from holdem.abstraction.clustering import CITY_BLOCK, SQUARED, cluster
from holdem.abstraction.workers import Workers
from holdem.game.cards import CLASS_COMBOS, CLASS_OF_HOLE, HOLES
from holdem.types import CANONICAL_HANDS

BOARD_CARDS = (0, 3, 4, 5)
"""Cards on the board, by street."""

METRICS = (CITY_BLOCK, CITY_BLOCK, CITY_BLOCK, SQUARED)
"""How points of a street are compared."""

_NUM_HOLES = 1326
_CLASS_UNIT = 16383
_VALUE_CHUNK = 256
_HANDS_PER_DRAW = 8
_GROUP_SEED = 2013

Points = npt.NDArray[np.int16]
Equities = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Boards:
    """The boards of a street up to a renaming of the suits.

    Attributes:
        street: 1 flop .. 3 river.
        cards: uint8, shape (n, 3), (n, 4) or (n, 5), by board number.
        copies: int64, shape (n,), real boards that each stands for.
    """

    street: int
    cards: npt.NDArray[np.uint8]
    copies: npt.NDArray[np.int64]

    def part(self, chosen: slice | npt.NDArray[np.bool_]) -> Boards:
        """Return some of the boards."""
        return Boards(self.street, self.cards[chosen].copy(), self.copies[chosen].copy())


@dataclass(frozen=True, slots=True)
class Hands:
    """Some hands, board by board.

    Attributes:
        boards: uint8, shape (n, 3), (n, 4) or (n, 5).
        offsets: int64, shape (n + 1,); the holes of board i are
            ``holes[offsets[i]:offsets[i + 1]]``.
        holes: uint16, shape (m,), index of two cards a < b: b * (b - 1) / 2 + a.
        weights: int64, shape (m,), what each hand counts; for all hands of a board, the
            real hands that it stands for.
    """

    boards: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    holes: npt.NDArray[np.uint16]
    weights: npt.NDArray[np.int64]

    def part(self, start: int, stop: int) -> Hands:
        """Return the hands of boards *start* to *stop*."""
        first, last = self.offsets[start], self.offsets[stop]
        return Hands(
            self.boards[start:stop],
            self.offsets[start : stop + 1] - first,
            self.holes[first:last],
            self.weights[first:last],
        )


@cache
def boards_of(street: int) -> Boards:
    """Return the boards of *street*: 1,755 flops, 16,432 turns or 134,459 rivers."""
    num_cards = BOARD_CARDS[street]
    numbers = np.arange(indexer.NUM_BOARDS[num_cards])
    cards = indexer.unindex_board(num_cards, numbers)
    copies = indexer.board_multiplicity(num_cards, numbers).astype(np.int64)
    return Boards(street, cards, copies)


def all_hands(boards: Boards, start: int, stop: int) -> Hands:
    """Return one hand of each kind on boards *start* to *stop*.

    Over all boards of a street these are its canonical hands, each exactly once: equal
    hands have equal boards, and on one board only one of a kind is listed.
    """
    cards = boards.cards[start:stop]
    offsets, holes, copies = kernel.canonical_holes(cards)
    weights = copies * np.repeat(boards.copies[start:stop], np.diff(offsets))
    return Hands(cards, offsets, holes, weights)


def sample_hands(boards: Boards, num_hands: int, rng: np.random.Generator) -> Hands:
    """Draw about *num_hands* real hands of a street, or list all if there are no more.

    Boards are drawn in proportion to the real boards they stand for, at even steps from
    a random start, and eight holes on each; what is drawn twice weighs double.
    """
    if num_hands >= CANONICAL_HANDS[boards.street]:
        return all_hands(boards, 0, len(boards.cards))
    ends = np.cumsum(boards.copies)
    num_draws = -(-num_hands // _HANDS_PER_DRAW)
    ticks = (np.arange(num_draws) + rng.random()) * (float(ends[-1]) / num_draws)
    rows = np.minimum(np.searchsorted(ends, ticks, side="right"), len(ends) - 1)
    rows = np.repeat(rows, _HANDS_PER_DRAW)[:num_hands]
    holes = rng.integers(_NUM_HOLES, size=len(rows))
    while len(blocked := np.flatnonzero(_on_board(boards.cards[rows], holes))):
        holes[blocked] = rng.integers(_NUM_HOLES, size=len(blocked))
    keys, weights = np.unique(rows * _NUM_HOLES + holes, return_counts=True)
    used, counts = np.unique(keys // _NUM_HOLES, return_counts=True)
    return Hands(
        boards.cards[used],
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        (keys % _NUM_HOLES).astype(np.uint16),
        weights.astype(np.int64),
    )


def _on_board(boards: npt.NDArray[np.uint8], holes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether a card of hole i lies on board i."""
    cards = HOLES[holes]
    taken: npt.NDArray[np.bool_] = (cards[:, :, None] == boards[:, None, :]).any(axis=(1, 2))
    return taken


class HandFeatures:
    """Measures hands: their points for the clustering and their equities.

    Equities are mean river values in units of 1/32768 (`EQUITY_ONE`).

    Attributes:
        num_opponents: whom the pot is shared with.
        groups: uint8, shape (169,): the group of opponents that a preflop class is in,
            weakest first.
        class_points: int16, shape (169, `BINS`): points of the preflop classes, cumulative
            shares of run-outs in units of 1/16383.
        class_equities: uint16, shape (169,).
    """

    def __init__(
        self,
        num_opponents: int,
        workers: Workers,
        advance: Callable[[int], None] = lambda amount: None,
    ) -> None:
        """Evaluate all river boards: 2 s of one core, and 357 MB as long as this lives.

        Args:
            num_opponents: 1 to 8.
            workers: who counts.
            advance: told how many more boards are done; 134,459 in all.
        """
        self.num_opponents = num_opponents
        self._boards = boards_of(3)
        self._values = np.empty((len(self._boards.cards), _NUM_HOLES), np.uint16)
        histograms = np.zeros((_NUM_HOLES, kernel.BINS), np.int64)
        sums = np.zeros(_NUM_HOLES, np.int64)

        def measure(start: int, stop: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
            part = self._values[start:stop]
            kernel.river_values(self._boards.cards[start:stop], num_opponents, part)
            counted = np.zeros_like(histograms), np.zeros_like(sums)
            kernel.hole_histograms(part, self._boards.copies[start:stop], *counted)
            return counted

        for start, stop, counted in workers.chunks(measure, len(self._boards.cards), _VALUE_CHUNK):
            histograms += counted[0]
            sums += counted[1]
            advance(stop - start)
        self.class_points, self.class_equities = _class_features(histograms, sums)
        self.groups = self._group_classes(workers)

    def measure(self, street: int, hands: Hands) -> tuple[Points, Equities]:
        """Return the points and the equities of *hands*; the street is 1 flop .. 3 river."""
        if street == 3:
            groups = self.groups[CLASS_OF_HOLE]
            return kernel.opponent_shares(
                hands.boards, hands.offsets, hands.holes, groups, self.num_opponents
            )
        return kernel.runout_histograms(
            hands.boards, hands.offsets, hands.holes, self._boards.cards, self._values
        )

    def _group_classes(self, workers: Workers) -> npt.NDArray[np.uint8]:
        """Cluster the preflop classes into the groups of opponents.

        The same for every set with this number of players: the seed is fixed.
        """
        found = cluster(
            self.class_points,
            CLASS_COMBOS,
            kernel.GROUPS,
            CITY_BLOCK,
            seed=(_GROUP_SEED,),
            restarts=10,
            iterations=100,
            workers=workers,
        )
        order = found.order_by(self.class_equities, CLASS_COMBOS)
        return np.argsort(order)[found.labels].astype(np.uint8)


def _class_features(
    histograms: npt.NDArray[np.int64], sums: npt.NDArray[np.int64]
) -> tuple[Points, Equities]:
    """Return points and equities of the classes from the counts of all 1,326 holes."""
    by_class = np.zeros((CANONICAL_HANDS[0], kernel.BINS), np.int64)
    np.add.at(by_class, CLASS_OF_HOLE, histograms)
    values = np.zeros(CANONICAL_HANDS[0], np.int64)
    np.add.at(values, CLASS_OF_HOLE, sums)
    cumulative = np.cumsum(by_class, axis=1)
    totals = cumulative[:, -1:]
    points = (2 * _CLASS_UNIT * cumulative + totals) // (2 * totals)
    unit = kernel.UNIT * totals[:, 0]
    equities = (2 * kernel.EQUITY_ONE * values + unit) // (2 * unit)
    return points.astype(np.int16), equities.astype(np.uint16)
