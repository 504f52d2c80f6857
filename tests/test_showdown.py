"""The endings of one river board agree with going through all pairs of hands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdem._core.showdown import fold_values, showdown_margins
from holdem.errors import CardError
from tests.reference import showdown as reference

HOLES = np.array([(low, high) for high in range(52) for low in range(high)], np.uint8)


def hands_off(board):
    """All 1,081 hands without a card of *board*."""
    return HOLES[~np.isin(HOLES, board).any(axis=1)]


def reach_of(rng, hands, endings):
    """Random reach with zeros among it."""
    reach = rng.random((len(hands), endings), np.float32)
    return reach * (rng.random(len(hands)) < 0.8)[:, None].astype(np.float32)


@st.composite
def spots(draw):
    """A board, two lists of hands on it, and reach of the second."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    board = rng.choice(52, 5, replace=False)
    if draw(st.booleans()):
        # Boards that many hands share: flushes and straights on the board.
        shared = [51, 47, 43, 39, 35], [0, 5, 10, 15, 48], [3, 7, 11, 48, 20]
        board = draw(st.sampled_from(shared))
    hands = hands_off(board)
    own = rng.permutation(hands)[: draw(st.integers(0, 60))]
    theirs = rng.permutation(hands)[: draw(st.integers(0, 60))]
    return board, own, theirs, reach_of(rng, theirs, draw(st.integers(1, 40)))


@given(spots())
def test_showdowns_agree_with_all_pairs(spot):
    np.testing.assert_allclose(
        showdown_margins(*spot), reference.showdown_margins(*spot), rtol=0, atol=2e-5
    )


@given(spots())
def test_folds_agree_with_all_pairs(spot):
    _, own, theirs, reach = spot

    np.testing.assert_allclose(
        fold_values(own, theirs, reach), reference.fold_values(own, theirs, reach), atol=2e-5
    )


def test_all_hands_of_a_board():
    """1,081 hands against themselves: what one wins another loses, and 990 are compatible."""
    board = [4, 17, 30, 43, 51]
    hands = hands_off(board)
    reach = np.ones((1081, 1), np.float32)

    margins = showdown_margins(board, hands, hands, reach)

    assert abs(margins).max() > 900
    assert margins.sum() == 0
    assert (fold_values(hands, hands, reach) == 990).all()


def test_endings_are_independent():
    """Each of many endings has the value that it has alone."""
    rng = np.random.default_rng(1)
    board = [0, 5, 22, 38, 51]
    hands = hands_off(board)
    reach = reach_of(rng, hands, 37)
    together = showdown_margins(board, hands, hands, reach)

    for ending in (0, 15, 16, 36):
        alone = showdown_margins(board, hands, hands, reach[:, ending : ending + 1])
        assert (alone[:, 0] == together[:, ending]).all()


@pytest.mark.parametrize("hand", [(0, 8), (8, 8), (8, 52)])
def test_what_is_no_hand_is_refused(hand):
    board, hands = [0, 5, 22, 38, 51], np.array([hand], np.uint8)

    with pytest.raises(ValueError, match="no hand"):
        showdown_margins(board, hands, hands, np.ones((1, 1)))


def test_wrong_shapes_and_boards_are_refused():
    hands = np.array([(1, 2)], np.uint8)

    with pytest.raises(CardError):
        showdown_margins([0, 0, 1, 2, 3], hands, hands, np.ones((1, 1)))
    with pytest.raises(ValueError, match="reach of shape"):
        showdown_margins([0, 5, 22, 38, 51], hands, hands, np.ones((2, 1)))
    with pytest.raises(ValueError, match="reach of shape"):
        fold_values(hands, hands, np.ones((2, 1)))
    with pytest.raises(ValueError, match="hands of shape"):
        fold_values(np.zeros((2, 3)), hands, np.ones((1, 1)))
    with pytest.raises(ValueError, match="above 51"):
        fold_values(np.array([(1, 52)]), hands, np.ones((1, 1)))
