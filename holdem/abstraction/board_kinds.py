"""Kinds of boards: what a hand's bucket also tells where its street has more than one.

A board is described by how strong each of the eight groups of hole cards is on it, and by how
much their suits matter: how far the equities of hands of the same two ranks lie apart. Boards
that are near to one another are of one kind, and each kind has buckets of its own: hands that
win equally often play differently where a flush is possible and where none is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from holdem._core.features import GROUPS
from holdem.abstraction.clustering import SQUARED, cluster
from holdem.abstraction.features import (
    Boards,
    Equities,
    HandFeatures,
    Hands,
    all_hands,
)
from holdem.abstraction.workers import BOARDS_AT_A_TIME, Workers
from holdem.game.cards import CLASS_OF_HOLE

_DIMS = 2 * GROUPS
_STEPS_OF_MEANS = 8
_STEPS_OF_SPREADS = 4  # finer: they differ by less
_RESTARTS = 4
_ITERATIONS = 50


def kinds_of_boards(
    boards: Boards,
    num_kinds: int,
    measures: HandFeatures,
    *,
    seed: int,
    workers: Workers,
    advance: Callable[[int], None] = lambda amount: None,
) -> npt.NDArray[np.uint16]:
    """Return the kind of each board, uint16 of shape (num_boards,), below *num_kinds*.

    Kinds are the clusters of k-means over `board_points`, a board counting as often as there
    are boards that it stands for.

    Args:
        boards: of one street.
        num_kinds: 1 to the number of boards.
        measures: of the street's hands.
        seed: of all random choices.
        workers: who counts.
        advance: told how many more boards are measured.
    """
    street = boards.street
    points = np.zeros((len(boards.cards), _DIMS), np.int16)

    def measure(start: int, stop: int) -> None:
        hands = all_hands(boards, start, stop)
        _, equities = measures.measure(street, hands)
        points[start:stop] = board_points(hands, equities, measures.groups)

    for start, stop, _ in workers.chunks(measure, len(points), BOARDS_AT_A_TIME[street]):
        advance(stop - start)
    return cluster(
        points,
        boards.copies,
        num_kinds,
        SQUARED,
        seed=(seed, street),
        restarts=_RESTARTS,
        iterations=_ITERATIONS,
        workers=workers,
    ).labels


def board_points(
    hands: Hands, equities: Equities, groups: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int16]:
    """Return what boards look like, int16 of shape (num_boards, 16).

    A row has the mean equity of each group's hands, in 1/4096, and then the standard deviation
    within a class of hole cards, over each group's hands, in 1/8192; 0 and 0 for a group that
    the board blocks altogether.

    Args:
        hands: all hands of the boards.
        equities: of each hand, in units of 1/32768.
        groups: uint8, shape (169,), the group that a preflop class is in.
    """
    num_boards, num_classes = len(hands.boards), len(groups)
    board = np.repeat(np.arange(num_boards), np.diff(hands.offsets))
    key = board * num_classes + CLASS_OF_HOLE[hands.holes]
    weights, values = hands.weights.astype(np.float64), equities.astype(np.float64)
    # By class; sums of whole numbers below 2^53, so they are exact.
    masses, sums, squares = (
        np.bincount(key, weights * values**power, num_boards * num_classes) for power in range(3)
    )
    inside = np.maximum(squares - sums**2 / np.maximum(masses, 1), 0)
    of_group = np.add.outer(np.arange(num_boards) * GROUPS, groups).ravel()
    totals = np.maximum(np.bincount(of_group, masses), 1)
    means = np.bincount(of_group, sums) / totals
    spreads = np.sqrt(np.bincount(of_group, inside) / totals)
    points = np.stack([means / _STEPS_OF_MEANS, spreads / _STEPS_OF_SPREADS])
    return np.ascontiguousarray(
        points.reshape(2, num_boards, GROUPS).swapaxes(0, 1).reshape(num_boards, _DIMS), np.int16
    )
