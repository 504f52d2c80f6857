"""Features of hands against their definitions, and the known equities."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from holdem._core import features as kernel
from holdem._core import indexer
from holdem.abstraction.features import (
    HandFeatures,
    Hands,
    all_hands,
    boards_of,
    sample_hands,
)
from holdem.abstraction.workers import Workers
from holdem.game.cards import CLASS_COMBOS, CLASS_OF_HOLE, HOLES
from holdem.types import CANONICAL_HANDS
from tests.reference import features as reference
from tests.vectors import VECTORS

EHS = pytest.mark.parametrize("case", VECTORS["ehs"], ids=lambda case: case["board"])


@pytest.fixture(scope="module")
def measures():
    with Workers() as workers:
        return HandFeatures(1, workers)


def random_hands(num_board, num_hands, seed):
    """Hole cards and boards, *num_hands* of them."""
    rng = np.random.default_rng(seed)
    for _ in range(num_hands):
        cards = [int(card) for card in rng.permutation(52)[: 2 + num_board]]
        yield cards[:2], cards[2:]


def one_hand(hole, board):
    """A batch of one hand."""
    return Hands(
        np.array([board], np.uint8),
        np.array([0, 1]),
        np.array([reference.hole_index(hole)], np.uint16),
        np.array([1]),
    )


def opponents_of(groups, group):
    """Hole cards of a group of opponents."""
    return [tuple(map(int, HOLES[h])) for h in np.flatnonzero(groups == group)]


# -- boards and hands --------------------------------------------------------------------------


@pytest.mark.parametrize("street", [1, 2])
def test_canonical_holes_list_every_hand_once(street):
    boards = boards_of(street)
    hands = all_hands(boards, 0, len(boards.cards))
    indices = kernel.hand_indices(hands.boards, hands.offsets, hands.holes)

    assert len(indices) == CANONICAL_HANDS[street]
    assert np.array_equal(np.sort(indices), np.arange(CANONICAL_HANDS[street]))


@pytest.mark.slow
def test_canonical_holes_list_every_river_hand_once():
    boards = boards_of(3)
    seen = np.zeros(CANONICAL_HANDS[3], np.bool_)
    listed = 0
    for start in range(0, len(boards.cards), 4096):
        hands = all_hands(boards, start, min(start + 4096, len(boards.cards)))
        seen[kernel.hand_indices(hands.boards, hands.offsets, hands.holes)] = True
        listed += len(hands.holes)

    assert listed == CANONICAL_HANDS[3]
    assert seen.all()


@pytest.mark.parametrize("street", [1, 2, 3])
def test_weights_of_hands_are_real_hands(street):
    boards = boards_of(street)
    hands = all_hands(boards, 0, 60)
    indices = kernel.hand_indices(hands.boards, hands.offsets, hands.holes)

    assert np.array_equal(indexer.multiplicity(boards.cards.shape[1], indices), hands.weights)


@pytest.mark.parametrize("num_board", [3, 4, 5])
def test_hand_indices_are_those_of_the_indexer(num_board):
    batch = list(random_hands(num_board, 50, seed=num_board))
    cards = np.array([[*hole, *board] for hole, board in batch], np.uint8)
    expected = indexer.index(cards)

    for (hole, board), index in zip(batch, expected, strict=True):
        hand = one_hand(hole, board)
        assert kernel.hand_indices(hand.boards, hand.offsets, hand.holes)[0] == index


@pytest.mark.parametrize("street", [1, 2, 3])
def test_samples_are_real_hands_in_proportion(street):
    boards = boards_of(street)
    hands = sample_hands(boards, 30_000, np.random.default_rng(4))
    rows = np.repeat(np.arange(len(hands.boards)), np.diff(hands.offsets))
    cards = HOLES[hands.holes]

    assert hands.weights.sum() == 30_000
    assert not (cards[:, :, None] == hands.boards[rows][:, None, :]).any()
    # Boards are drawn at even steps through all real boards.
    drawn = np.zeros(len(boards.cards))
    np.add.at(drawn, indexer.board_index(hands.boards)[rows], hands.weights)
    expected = boards.copies / boards.copies.sum() * 30_000
    assert np.abs(np.cumsum(drawn) - np.cumsum(expected)).max() <= 8
    # Holes are uniform: 4 standard deviations.
    pairs = (cards[:, 0] // 4 == cards[:, 1] // 4) @ hands.weights
    share = 1 / 17
    assert abs(pairs - 30_000 * share) < 4 * (30_000 * share * (1 - share)) ** 0.5 + 60


def test_a_sample_as_large_as_the_street_is_all_of_it():
    hands = sample_hands(boards_of(1), CANONICAL_HANDS[1], np.random.default_rng(0))

    assert len(hands.holes) == CANONICAL_HANDS[1]
    assert hands.weights.sum() == 22_100 * 1_176


def test_parts_of_hands_are_their_boards():
    hands = all_hands(boards_of(1), 0, 9)
    part = hands.part(4, 7)

    assert np.array_equal(part.boards, hands.boards[4:7])
    assert part.offsets[0] == 0
    assert np.array_equal(part.holes, hands.holes[hands.offsets[4] : hands.offsets[7]])


# -- river values ------------------------------------------------------------------------------


@pytest.mark.parametrize("num_opponents", [1, 2, 5])
def test_river_values_are_shares_of_the_pot(num_opponents):
    for hole, board in random_hands(5, 12, seed=num_opponents):
        values = np.empty((1, 1326), np.uint16)
        kernel.river_values(np.array([board], np.uint8), num_opponents, values)
        expected = reference.river_value(hole, board, num_opponents) * kernel.UNIT

        assert abs(int(values[0, reference.hole_index(hole)]) - expected) <= Fraction(501, 1000)


def test_river_values_against_one_opponent_are_exact_and_blocked_where_they_must_be():
    board = reference.cards_of("AsKsQsJs2h")
    values = np.empty((1, 1326), np.uint16)
    kernel.river_values(np.array([board], np.uint8), 1, values)
    blocked = np.isin(HOLES, board).any(axis=1)

    assert np.array_equal(values[0] == kernel.BLOCKED_VALUE, blocked)
    assert values[0, reference.hole_index(reference.cards_of("Ts9c"))] == kernel.UNIT
    # Half-wins of all pairs of hands: each pair has two of them.
    assert values[0][~blocked].sum(dtype=np.int64) == 1081 * 990


@EHS
def test_known_histograms_of_river_equity(case, measures):
    hole, board = reference.cards_of(case["hole"]), reference.cards_of(case["board"])
    if len(board) == 5:
        values = np.empty((1, 1326), np.uint16)
        kernel.river_values(np.array([board], np.uint8), 1, values)
        found = values[0, reference.hole_index(hole)] / kernel.UNIT
        assert found == pytest.approx(case["ehs"], abs=1e-9)
        return
    points, equities = measures.measure(len(board) - 2, one_hand(hole, board))
    histogram = np.diff(points[0], prepend=0)

    assert histogram.sum() == case["runouts"]
    assert histogram.reshape(10, -1).sum(axis=1).tolist() == case["hist10"]
    assert abs(equities[0] / kernel.EQUITY_ONE - case["ehs"]) < 1 / kernel.EQUITY_ONE


def test_turn_histograms_are_those_of_the_definition(measures):
    for hole, board in random_hands(4, 3, seed=11):
        values = reference.run_out_values(hole, board)
        points, equities = measures.measure(2, one_hand(hole, board))

        assert points[0].tolist() == reference.cumulative_histogram(values, kernel.BINS)
        mean = sum(values, Fraction(0)) / len(values) * kernel.EQUITY_ONE
        assert abs(int(equities[0]) - mean) <= Fraction(1, 2)


@pytest.mark.slow
def test_flop_histograms_are_those_of_the_definition(measures):
    for hole, board in random_hands(3, 4, seed=12):
        values = reference.run_out_values(hole, board)
        points, _ = measures.measure(1, one_hand(hole, board))

        assert points[0].tolist() == reference.cumulative_histogram(values, kernel.BINS)


def test_flop_histograms_are_sums_over_the_turn(measures):
    """Each pair of turn and river comes up twice, once in either order."""
    for hole, board in random_hands(3, 6, seed=13):
        left = [card for card in range(52) if card not in {*hole, *board}]
        turns = [measures.measure(2, one_hand(hole, [*board, turn]))[0][0] for turn in left]
        flop, _ = measures.measure(1, one_hand(hole, board))

        assert np.array_equal(np.sum(turns, axis=0, dtype=np.int64), 2 * flop[0])


@pytest.mark.parametrize("num_board", [3, 4, 5])
def test_renaming_the_suits_changes_nothing(num_board, measures):
    for hole, board in random_hands(num_board, 4, seed=num_board):
        features = []
        for names in permutations(range(4)):
            renamed = [[card // 4 * 4 + names[card % 4] for card in part] for part in (hole, board)]
            points, equities = measures.measure(num_board - 2, one_hand(*renamed))
            features.append((points.tolist(), equities.tolist()))

        assert all(one == features[0] for one in features)


# -- preflop and opponents ---------------------------------------------------------------------


def test_class_equities_are_the_known_ones(measures):
    known = VECTORS["preflop_equity_vs_random"]
    assert len(known) > 80
    for name, figures in known.items():
        cards = [4 * reference.RANKS.index(name[0]), 4 * reference.RANKS.index(name[1])]
        if not name.endswith("s"):
            cards[1] += 1
        number = indexer.index(np.array([cards], np.uint8))[0]
        found = measures.class_equities[number] / kernel.EQUITY_ONE
        assert found == pytest.approx(figures["equity"], abs=0.51 / kernel.EQUITY_ONE)


def test_class_points_are_cumulative_shares(measures):
    assert measures.class_points.shape == (169, kernel.BINS)
    assert (np.diff(measures.class_points, axis=1) >= 0).all()
    assert (measures.class_points[:, -1] == 16383).all()
    # Mean over the bins' middles: a bin is 1/50 wide.
    shares = np.diff(measures.class_points, axis=1, prepend=0) / 16383
    means = shares @ ((np.arange(kernel.BINS) + 0.5) / kernel.BINS)
    assert np.abs(means - measures.class_equities / kernel.EQUITY_ONE).max() < 0.01


def test_groups_go_from_weak_to_strong(measures):
    equities = [
        np.average(
            measures.class_equities[measures.groups == g],
            weights=CLASS_COMBOS[measures.groups == g],
        )
        for g in range(kernel.GROUPS)
    ]

    assert equities == sorted(equities)
    aces = indexer.index(np.array([reference.cards_of("AsAh")], np.uint8))[0]
    assert measures.groups[aces] == kernel.GROUPS - 1


@pytest.mark.parametrize("num_opponents", [1, 3])
def test_river_points_are_shares_against_each_group(measures, num_opponents):
    groups = measures.groups[CLASS_OF_HOLE]
    for hole, board in random_hands(5, 5, seed=20 + num_opponents):
        hand = one_hand(hole, board)
        points, equities = kernel.opponent_shares(
            hand.boards, hand.offsets, hand.holes, groups, num_opponents
        )
        for g in range(kernel.GROUPS):
            counts = reference.outcomes(hole, board, opponents_of(groups, g))
            expected = reference.pot_share(*counts, num_opponents) * kernel.POINT_ONE
            assert abs(int(points[0, g]) - expected) <= Fraction(51, 100)
        value = reference.river_value(hole, board, num_opponents) * kernel.EQUITY_ONE
        assert abs(int(equities[0]) - value) <= Fraction(kernel.EQUITY_ONE, kernel.UNIT)


def test_a_group_that_nobody_can_be_in_counts_as_everybody():
    aces, others = 7, 2
    is_ace = HOLES // 4 == 12
    groups = np.where(is_ace.all(axis=1), aces, others).astype(np.uint8)
    hole, board = reference.cards_of("AcKd"), reference.cards_of("AsAhQd7c2s")
    hand = one_hand(hole, board)
    points, equities = kernel.opponent_shares(hand.boards, hand.offsets, hand.holes, groups, 1)

    everybody = reference.river_value(hole, board) * kernel.POINT_ONE
    for g in (0, aces):
        assert abs(int(points[0, g]) - everybody) <= Fraction(51, 100)
    assert abs(equities[0] / kernel.EQUITY_ONE - everybody / kernel.POINT_ONE) < 1e-3


# -- doors -------------------------------------------------------------------------------------


def test_doors_refuse_what_they_cannot_read(measures):
    river = np.array([[0, 1, 2, 3, 4]], np.uint8)
    with pytest.raises(ValueError, match="distinct"):
        kernel.river_values(
            np.array([[0, 0, 2, 3, 4]], np.uint8), 1, np.empty((1, 1326), np.uint16)
        )
    with pytest.raises(ValueError, match="opponents"):
        kernel.river_values(river, 9, np.empty((1, 1326), np.uint16))
    with pytest.raises(ValueError, match="shape"):
        kernel.river_values(river, 1, np.empty((2, 1326), np.uint16))
    with pytest.raises(ValueError, match="cards"):
        kernel.canonical_holes(np.zeros((1, 2), np.uint8))
    with pytest.raises(ValueError, match="not a hole"):
        kernel.hand_indices(river, np.array([0, 1]), np.array([1326], np.uint16))
    with pytest.raises(ValueError, match="announced"):
        kernel.hand_indices(river, np.array([0, 2]), np.array([5], np.uint16))
    with pytest.raises(ValueError, match="group"):
        kernel.opponent_shares(
            river, np.array([0, 0]), np.empty(0, np.uint16), np.full(1326, 8, np.uint8), 1
        )
    with pytest.raises(ValueError, match="rows"):
        kernel.runout_histograms(
            np.array([[0, 1, 2]], np.uint8),
            np.array([0, 0]),
            np.empty(0, np.uint16),
            river,
            np.empty((1, 1326), np.uint16),
        )


@pytest.mark.parametrize("hole", [(0, 1), (2, 30), (7, 40)])
def test_holes_on_their_board_are_refused(measures, hole):
    """The second of two boards has a card of the hole."""
    boards = np.array([[20, 24, 29, 33, 50], [0, 2, 40, 44, 49]], np.uint8)
    holes = np.full(2, reference.hole_index(hole), np.uint16)
    for street in (1, 2, 3):
        hands = Hands(boards[:, : 2 + street].copy(), np.arange(3), holes, np.ones(2, np.int64))
        with pytest.raises(ValueError, match=f"hole {holes[0]} is on its board, number 1"):
            measures.measure(street, hands)


@pytest.mark.parametrize("street", [1, 2])
def test_a_table_of_other_river_values_is_refused(measures, street):
    """What is above 1980 and no mark of a blocked hole, or that mark where nothing is blocked."""
    hand = one_hand((0, 1), [20, 24, 29, 33][: 2 + street])
    rivers = boards_of(3).cards
    for value in (1981, 2046, 2047, 2048, 65535):
        values = np.full((len(rivers), 1326), value, np.uint16)
        with pytest.raises(ValueError, match="not the river values"):
            kernel.runout_histograms(hand.boards, hand.offsets, hand.holes, rivers, values)
