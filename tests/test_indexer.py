"""The suit-isomorphic indexer against trying all renamings, and against known counts."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdem._core import indexer
from holdem.errors import CardError
from tests.reference.indexer import RENAMINGS, canonical, orbit
from tests.vectors import VECTORS

COUNTS = VECTORS["canonical_counts"]
BOARD_SIZES = (0, 3, 4, 5)
HOLES = [(a, b) for b in range(52) for a in range(b)]


def as_rows(cards):
    return np.array(cards, dtype=np.uint8)


def index_of(hole, board):
    return int(indexer.index(as_rows([[*hole, *board]]))[0])


def board_index_of(board):
    return int(indexer.board_index(as_rows(board).reshape(1, -1))[0])


def random_hands(num_board, count, seed=1):
    """Rows of distinct cards, drawn with NumPy's sort: nothing of ours."""
    rng = np.random.default_rng(seed)
    return rng.random((count, 52)).argsort(axis=1)[:, : 2 + num_board].astype(np.uint8)


@st.composite
def hands(draw):
    """Hole cards and a board, from a few ranks often, where suits and pairs collide."""
    num_board = draw(st.sampled_from(BOARD_SIZES))
    num_ranks = draw(st.sampled_from([2, 3, 5, 13]))
    size = 2 + num_board
    cards = draw(
        st.lists(st.integers(0, num_ranks * 4 - 1), min_size=size, max_size=size, unique=True)
    )
    return cards[:2], cards[2:]


# ---- Counts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("num_board", BOARD_SIZES)
def test_counts_of_hands(num_board):
    name = f"2+{num_board}" if num_board else "2"

    assert COUNTS[name] == indexer.NUM_HANDS[num_board]


@pytest.mark.parametrize("num_board", BOARD_SIZES[1:])
def test_counts_of_boards(num_board):
    assert COUNTS[str(num_board)] == indexer.NUM_BOARDS[num_board]


# ---- One hand --------------------------------------------------------------------------------


@given(hands(), st.sampled_from(RENAMINGS), st.randoms())
def test_suits_and_order_do_not_matter(hand, suits, random):
    hole, board = ([card // 4 * 4 + suits[card % 4] for card in cards] for cards in hand)
    random.shuffle(hole)
    random.shuffle(board)

    assert index_of(*hand) == index_of(hole, board)


@given(hands())
def test_inverse_is_equal_up_to_suits(hand):
    """With invariance: two hands have one index exactly when they are equal up to suits."""
    hole, board = hand
    found = indexer.unindex(len(board), np.array([index_of(hole, board)]))[0].tolist()

    assert canonical(hole, board) == canonical(found[:2], found[2:])


@given(hands())
def test_multiplicity_is_the_size_of_the_orbit(hand):
    hole, board = hand
    found = indexer.multiplicity(len(board), np.array([index_of(hole, board)]))

    assert len(orbit(hole, board)) == found[0]


def test_equal_index_iff_equal_up_to_suits_in_a_small_deck():
    """Every hand with a flop from the twos, threes and aces."""
    deck = [*range(8), *range(48, 52)]
    rows = [
        (*hole, *board)
        for board in combinations(deck, 3)
        for hole in combinations(sorted(set(deck) - set(board)), 2)
    ]
    by_index = {}
    for row, index in zip(rows, indexer.index(as_rows(rows)).tolist(), strict=True):
        by_index.setdefault(index, set()).add(canonical(row[:2], row[2:]))

    assert all(len(classes) == 1 for classes in by_index.values())
    assert len(by_index) == len(set.union(*by_index.values()))


@pytest.mark.parametrize("num_board", BOARD_SIZES)
def test_round_trip_sampled(num_board):
    count = indexer.NUM_HANDS[num_board]
    step = max(1, count // 200_003)
    indices = np.arange(0, count, step, dtype=np.int64)
    hand = indexer.unindex(num_board, indices)

    assert np.array_equal(indices, indexer.index(hand))
    assert np.array_equal(indices[-1:], indexer.index(hand[-1:, ::-1][:, ::-1].copy()))
    last = np.array([count - 1])
    assert np.array_equal(last, indexer.index(indexer.unindex(num_board, last)))


@pytest.mark.parametrize("num_board", [0, 3])
def test_multiplicities_add_up(num_board):
    every = np.arange(indexer.NUM_HANDS[num_board])

    assert comb(52, 2) * comb(50, num_board) == indexer.multiplicity(num_board, every).sum()


@pytest.mark.slow
@pytest.mark.parametrize("num_board", [3, 4, 5])
def test_round_trip_and_multiplicities_whole(num_board):
    """Every index of {2, num_board}, a few million at a time."""
    count, total, chunk = indexer.NUM_HANDS[num_board], 0, 4_000_000
    for begin in range(0, count, chunk):
        indices = np.arange(begin, min(begin + chunk, count))
        assert np.array_equal(indices, indexer.index(indexer.unindex(num_board, indices)))
        total += int(indexer.multiplicity(num_board, indices).sum(dtype=np.int64))

    assert comb(52, 2) * comb(50, num_board) == total


def test_preflop_order():
    """22, 32o, 33, 42o, .. AA, then 32s, .. AKs."""
    offsuit = [[r * 4, s * 4 + 1] for r in range(13) for s in range(r + 1)]
    suited = [[r * 4, s * 4] for r in range(13) for s in range(r)]

    assert np.arange(169).tolist() == indexer.index(as_rows(offsuit + suited)).tolist()


# ---- All hole cards of a board ---------------------------------------------------------------


def check_board(board):
    expected = [-1 if {a, b} & set(board) else index_of((a, b), board) for a, b in HOLES]

    assert expected == indexer.index_board(as_rows(board)).tolist()


@pytest.mark.parametrize(
    "board",
    [
        [],
        [0, 1, 2],
        [0, 4, 8],
        [51, 50, 49, 48],
        [0, 5, 10, 15],
        [0, 1, 2, 3, 4],
        [48, 44, 40, 36, 32],
        [0, 4, 1, 5, 2],
        [8, 21, 34, 47, 3],
    ],
    ids=str,
)
def test_index_board(board):
    check_board(board)


@given(hands())
def test_index_board_of_random_boards(hand):
    check_board(hand[1])


@pytest.mark.parametrize("num_board", [3, 4, 5])
def test_index_boards_reaches_every_index_of_its_boards(num_board):
    """The hands of a sample of canonical boards have the indices that index() gives them."""
    numbers = np.arange(0, indexer.NUM_BOARDS[num_board], indexer.NUM_BOARDS[num_board] // 150)
    boards = indexer.unindex_board(num_board, numbers)
    out = np.empty((len(boards), 1326), dtype=np.int64)
    found = indexer.index_boards(boards, out=out)

    assert found is out
    for board, row in zip(boards, found, strict=True):
        free = row >= 0
        rows = np.hstack([as_rows(HOLES)[free], np.tile(board, (free.sum(), 1))])
        assert comb(52 - num_board, 2) == free.sum()
        assert np.array_equal(row[free], indexer.index(rows))


@pytest.mark.parametrize(
    "num_board", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (4, 5))]
)
def test_canonical_boards_cover_every_hand(num_board):
    seen = np.zeros(indexer.NUM_HANDS[num_board], dtype=bool)
    count = indexer.NUM_BOARDS[num_board]
    for begin in range(0, count, 1000):
        boards = indexer.unindex_board(num_board, np.arange(begin, min(begin + 1000, count)))
        indices = indexer.index_boards(boards)
        seen[indices[indices >= 0]] = True

    assert seen.all()


# ---- Boards alone ----------------------------------------------------------------------------


@given(hands(), st.sampled_from(RENAMINGS), st.randoms())
def test_board_index_forgets_suits_and_order(hand, suits, random):
    board = [card // 4 * 4 + suits[card % 4] for card in hand[1]]
    random.shuffle(board)

    assert board_index_of(hand[1]) == board_index_of(board)


@pytest.mark.parametrize("num_board", BOARD_SIZES)
def test_board_round_trip_and_multiplicities_whole(num_board):
    every = np.arange(indexer.NUM_BOARDS[num_board])
    boards = indexer.unindex_board(num_board, every)

    assert np.array_equal(every, indexer.board_index(boards))
    assert comb(52, num_board) == indexer.board_multiplicity(num_board, every).sum()


@given(hands())
def test_board_inverse_is_equal_up_to_suits(hand):
    board = hand[1]
    number = np.array([board_index_of(board)])
    found = indexer.unindex_board(len(board), number)[0].tolist()

    assert canonical((), board) == canonical((), found)
    assert len(orbit((), board)) == indexer.board_multiplicity(len(board), number)[0]


# ---- What the doors refuse -------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 4, 8])
def test_index_refuses_other_sizes(size):
    with pytest.raises(CardError, match="0, 3, 4 or 5 cards"):
        indexer.index(np.zeros((1, size), dtype=np.uint8))


@pytest.mark.parametrize("size", [1, 2, 6])
def test_boards_refuse_other_sizes(size):
    cards = np.arange(size, dtype=np.uint8)
    with pytest.raises(CardError, match="0, 3, 4 or 5 cards"):
        indexer.index_board(cards)
    with pytest.raises(CardError, match="0, 3, 4 or 5 cards"):
        indexer.board_index(cards[np.newaxis])
    with pytest.raises(CardError, match="0, 3, 4 or 5 cards"):
        indexer.unindex_board(size, np.array([0]))
    with pytest.raises(CardError, match="0, 3, 4 or 5 cards"):
        indexer.unindex(size, np.array([0]))


@pytest.mark.parametrize("bad", [[7, 7], [52, 3], [3, 255], [10, 74]])
def test_index_names_the_bad_row(bad):
    rows = as_rows([[0, 1], bad])

    with pytest.raises(CardError, match=r"row 1 is .*distinct cards from 0 to 51"):
        indexer.index(rows)


def test_boards_refuse_repeated_cards():
    with pytest.raises(CardError, match="row 0"):
        indexer.index_board(as_rows([5, 9, 5]))
    with pytest.raises(CardError, match="row 0"):
        indexer.board_index(as_rows([[5, 9, 60]]))


@pytest.mark.parametrize("number", [-1, 169])
def test_unindex_refuses_what_does_not_exist(number):
    with pytest.raises(
        CardError, match=rf"no hand with 0 board cards has index {number}: they are 0 to 168"
    ):
        indexer.unindex(0, np.array([0, number]))


@pytest.mark.parametrize("number", [-1, 1755])
def test_unindex_board_refuses_what_does_not_exist(number):
    with pytest.raises(
        CardError, match=rf"no board of 3 cards has index {number}: they are 0 to 1754"
    ):
        indexer.unindex_board(3, np.array([number]))


def test_out_must_fit():
    with pytest.raises(ValueError, match="int64"):
        indexer.index(as_rows([[0, 1]]), out=np.empty(2, dtype=np.int64))
    with pytest.raises(ValueError, match="int64"):
        indexer.index(as_rows([[0, 1]]), out=np.empty(1, dtype=np.int32))


@pytest.mark.parametrize("num_board", BOARD_SIZES)
def test_nothing_in_nothing_out(num_board):
    assert indexer.index(np.empty((0, 2 + num_board), dtype=np.uint8)).shape == (0,)
    assert (0, 2 + num_board) == indexer.unindex(num_board, np.empty(0, dtype=np.int64)).shape
