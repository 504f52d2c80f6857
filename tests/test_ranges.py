"""Ranges as players write them: what each item names, round trips, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdem.errors import CardError
from holdem.game.cards import (
    CLASS_NAMES,
    CLASS_OF_HOLE,
    HOLES,
    class_index,
    hole_index,
    hole_name,
    parse_board,
    parse_hand,
)
from holdem.game.ranges import format_range, parse_range, without_cards

# The ranges that solvers are compared on, and how many of their hands the board leaves.
FLOP_OOP = (
    "AA,KK,QQ,JJ,TT,99,88,AKs,AKo,AQs,AQo,AJs,AJo,ATs,ATo:0.75,A9s,A8s,A5s:0.5,A4s:0.5,A3s:0.5,"
    "A2s:0.5,KQs,KQo,KJs,KJo:0.75,KTs,KTo:0.25,K9s,QJs,QJo:0.5,QTs,Q9s,JTs,JTo:0.25,J9s,J8s,"
    "T9s,T8s,T7s:0.45,98s,97s,96s:0.45,87s,86s:0.75,85s:0.45,76s:0.75,75s:0.75,74s:0.45,"
    "65s:0.75,64s:0.5,63s:0.45,54s:0.75,53s:0.5,52s:0.45,43s:0.5,42s:0.45,32s:0.45"
)
FLOP_IP = (
    "AA:0.25,99,88,77,66,55,44,33,22,AQo,AJs,AJo,ATs,ATo,A9s,A9o,A8s,A8o,A7s,A6s,A5s,A4s,A3s,"
    "A2s,KQs,KQo,KJs,KJo,KTs,KTo,K9s,K9o,K8s,K7s,K6s,K5s,K4s,K3s,K2s,QJs,QJo,QTs,QTo,Q9s,Q9o,"
    "Q8s,Q7s,Q6s,Q5s,Q4s,Q3s,Q2s,JTs,JTo,J9s,J9o,J8s,J7s,J6s,T9s,T9o,T8s,T7s,T6s,98s,98o,97s,"
    "96s,95s:0.5,87s,86s,85s:0.5,76s,75s,74s:0.5,65s,64s,63s:0.5,54s,53s:0.5,43s"
)
TURN_OOP = (
    "JJ,TT,99,88,77,66,55,44,33,22,AJs,ATs,A9s,A8s,A7s,A6s,A5s,A4s,A3s,A2s,KQs,KJs,KTs,K9s,K8s,"
    "K7s,K6s,K5s,K4s,K3s,K2s,QJs,QTs,Q9s,Q8s,Q7s,Q6s,Q5s,Q4s,JTs,J9s,J8s,J7s,J6s,T9s,T8s,T7s,"
    "T6s,98s,97s,96s,87s,86s,85s,76s,75s,74s,65s,64s,63s,54s,53s,43s,AJo,ATo,A9o,A8o,A7o,A6o,"
    "A5o,A4o,KQo,KJo,KTo,K9o,QJo,QTo,Q9o,JTo,J9o,T9o,98o"
)
TURN_IP = (
    "AA,KK,QQ,JJ,TT,99,88,77,66,55,44,33,22,AKs,AQs,AJs,ATs,A9s,A8s,A7s,A6s,A5s,A4s,A3s,A2s,"
    "KQs,KJs,KTs,K9s,K8s,K7s,K6s,K5s,K4s,K3s,K2s,QJs,QTs,Q9s,Q8s,Q7s,Q6s,Q5s,Q4s,JTs,J9s,J8s,"
    "J7s,J6s,T9s,T8s,T7s,T6s,98s,97s,96s,87s,86s,76s,75s,65s,64s,54s,53s,AKo,AQo,AJo,ATo,A9o,"
    "A8o,A7o,A6o,A5o,A4o,A3o,A2o,KQo,KJo,KTo,K9o,K8o,QJo,QTo,Q9o,JTo,J9o,T9o"
)
SPOTS = {
    "flop oop": (FLOP_OOP, "QsJh2h", 273),
    "flop ip": (FLOP_IP, "QsJh2h", 416),
    "turn oop": (TURN_OOP, "Td9d6hQc", 410),
    "turn ip": (TURN_IP, "Td9d6hQc", 465),
    "river oop": (TURN_OOP, "Td9d6hQc2s", 405),
    "river ip": (TURN_IP, "Td9d6hQc2s", 457),
}


def names(text):
    """Names of the classes that are wholly in a range with weight 1, nothing else being in it."""
    weights = parse_range(text)
    assert set(np.unique(weights).tolist()) <= {0.0, 1.0}
    found = {CLASS_NAMES[number] for number in set(CLASS_OF_HOLE[weights == 1].tolist())}
    assert not weights[~np.isin(CLASS_OF_HOLE, [class_index(name) for name in found])].any()
    assert all(weights[class_index(name) == CLASS_OF_HOLE].all() for name in found)
    return found


# ---- Text to weights -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AA", "AA"),
        ("AKs", "AKs"),
        ("AKo", "AKo"),
        ("KQ", "KQs KQo"),
        ("QK", "KQs KQo"),
        ("QQ+", "QQ KK AA"),
        ("AA+", "AA"),
        ("ATs+", "ATs AJs AQs AKs"),
        ("QTo+", "QTo QJo"),
        ("KJ+", "KJs KJo KQs KQo"),
        ("32s+", "32s"),
        ("99-66", "99 88 77 66"),
        ("66-99", "99 88 77 66"),
        ("A5s-A2s", "A5s A4s A3s A2s"),
        ("A2s-A5s", "A5s A4s A3s A2s"),
        ("K4-K3", "K4s K4o K3s K3o"),
        ("T9s-76s", "T9s 98s 87s 76s"),
        ("T8o-97o", "T8o 97o"),
        ("AKs-AKs", "AKs"),
        ("AA, KK\n QQ", "AA KK QQ"),
        ("AA,,KK,", "AA KK"),
        ("random", " ".join(CLASS_NAMES)),
        ("*", " ".join(CLASS_NAMES)),
        ("", ""),
        (" \n", ""),
    ],
)
def test_items(text, expected):
    assert set(expected.split()) == names(text)


def test_combination():
    for text in ("AhKh", "KhAh"):
        weights = parse_range(text)
        assert [hole_index(*parse_hand("AhKh"))] == np.flatnonzero(weights).tolist()


def test_weights():
    weights = parse_range("AA,AKs,A5s-A2s,T9o:0.5,KhQh:.25,72o:0,KK:1e-3,QQ:1.")

    assert (np.float32, (1326,)) == (weights.dtype, weights.shape)
    assert {0.5} == set(weights[class_index("T9o") == CLASS_OF_HOLE].tolist())
    assert weights[hole_index(*parse_hand("KhQh"))] == 0.25
    assert np.isclose(6 + 4 + 16 + 12 * 0.5 + 0.25 + 6e-3 + 6, weights.sum())


def test_the_later_item_counts():
    weights = parse_range("random,72o:0,AA:0.5,AhAs")

    assert weights.sum() == 1326 - 12 - 6 + 0.5 * 5 + 1


@pytest.mark.parametrize(
    ("text", "item", "column"),
    [
        ("AA,AXs", "AXs", 4),
        ("AA,  KK,AAs", "AAs", 9),
        ("22o", "22o", 1),
        ("aks", "aks", 1),
        ("AKx", "AKx", 1),
        ("AKs++", "AKs++", 1),
        ("AA\nAhAh", "AhAh", 4),
        ("AhK", "AhK", 1),
        ("A5s-A2o", "A5s-A2o", 1),
        ("AK-QJs", "AK-QJs", 1),
        ("KK-AQ", "KK-AQ", 1),
        ("AQ-KK", "AQ-KK", 1),
        ("A5s-", "A5s-", 1),
        ("T9s-75s", "T9s-75s", 1),
        ("ATs+-A5s", "ATs+-A5s", 1),
        ("AA:", "AA:", 1),
        ("AA:x", "AA:x", 1),
        ("AA:1.5", "AA:1.5", 1),
        ("AA:-0.5", "AA:-0.5", 1),
        ("AA:nan", "AA:nan", 1),
        ("AA:0.5:0.5", "AA:0.5:0.5", 1),
        ("AA: 0.5", "AA:", 1),
        ("KK,0.5", "0.5", 4),
        ("Random", "Random", 1),
        ("AA;KK", "AA;KK", 1),
    ],
)
def test_errors_name_the_item_and_its_column(text, item, column):
    with pytest.raises(CardError) as error:
        parse_range(text)

    assert str(error.value).startswith(f"range item {item!r} at column {column}: ")


# ---- Weights to text -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("AA,KK,QQ", "QQ+"),
        ("99,88,77,66", "99-66"),
        ("AKs,AQs,AJs,ATs,AKo,AQo,AJo,ATo", "AT+"),
        ("AKs,AQs,AKo", "AQs+,AKo"),
        ("A5s,A4s,A3s,A2s,22:0.5", "22:0.5,A5s-A2s"),
        ("KQo,KQs", "KQ"),
        ("KQo,KQs:0.5", "KQs:0.5,KQo"),
        ("AhAs,KdKc:0.3", "AsAh,KdKc:0.3"),
        ("22+,A2+,K2+,Q2+,J2+,T2+,92+,82+,72+,62+,52+,42+,32", "random"),
        ("*:0.25", "random:0.25"),
        ("AA:0", ""),
        ("ATs:0.45,T9o:0.1", "ATs:0.45,T9o:0.1"),
    ],
)
def test_format(text, short):
    assert short == format_range(parse_range(text))


@given(
    st.dictionaries(st.sampled_from(CLASS_NAMES), st.floats(0, 1, width=32), max_size=60),
    st.dictionaries(st.integers(0, 1325), st.floats(0, 1, width=32), max_size=20),
    st.sampled_from([0.0, 0.0, 1.0, 0.5]),
)
def test_round_trip(classes, combos, others):
    weights = np.full(1326, others, dtype=np.float32)
    for name, weight in classes.items():
        weights[class_index(name) == CLASS_OF_HOLE] = weight
    for hole, weight in combos.items():
        weights[hole] = weight

    assert np.array_equal(weights, parse_range(format_range(weights)))


@given(st.lists(st.booleans(), min_size=169, max_size=169))
def test_round_trip_of_whole_classes(chosen):
    """Long runs, both kinds of kicker: the short forms are exercised."""
    weights = np.array(chosen, dtype=np.float32)[CLASS_OF_HOLE]

    assert np.array_equal(weights, parse_range(format_range(weights)))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(169), r"shape \(169,\)"),
        (np.full(1326, 1.5), "2d2c has weight 1.5"),
        (np.full(1326, -0.5), "2d2c has weight -0.5"),
        (np.full(1326, np.nan), "2d2c has weight nan"),
    ],
)
def test_format_refuses(weights, message):
    with pytest.raises(CardError, match=message):
        format_range(weights)


# ---- Ranges on a board -----------------------------------------------------------------------


def test_without_cards():
    board = parse_board("AsKs2d")
    every = np.ones(1326, dtype=np.float32)
    free = without_cards(every, board)

    expected = [float(not set(pair) & set(board)) for pair in HOLES.tolist()]
    assert expected == free.tolist()
    assert every.all()
    assert np.array_equal(every, without_cards(every, ()))


@pytest.mark.parametrize("spot", SPOTS)
def test_ranges_of_the_spots(spot):
    """The number of hands that other solvers count in them, and back through the short text."""
    text, board, num_hands = SPOTS[spot]
    weights = parse_range(text)

    assert num_hands == np.count_nonzero(without_cards(weights, parse_board(board)))
    assert np.array_equal(weights, parse_range(format_range(weights)))
    assert len(format_range(weights)) < len(text)


def test_hole_names_are_items():
    for hole in range(1326):
        assert [hole] == np.flatnonzero(parse_range(hole_name(hole))).tolist()
