"""Exact equities against dealing everything out, against each other and known counts."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdem._core import equity as door
from holdem._core import indexer
from holdem._core.evaluator import evaluate
from holdem._core.river import canonical_rivers
from holdem.errors import CardError, ConfigError
from tests.reference import equity as reference
from tests.vectors import VECTORS

RANKS, SUITS = "23456789TJQKA", "cdhs"
HOLES = [(low, high) for high in range(52) for low in range(high)]
# One board of every texture: few suits, many suits, pairs to quads, straights and a flush
# that plays from the board.
BOARDS = [
    "2c7d9hKs3c",
    "2c7c9hKc3d",
    "2c7c9hKcQc",
    "2c7c9cKcQc",
    "TcJcQcKcAc",
    "5c6d7h8s9c",
    "AcAdAhAsKc",
    "AcAdAhKsKc",
    "2c2d3h3s4c",
    "3s4s5sAs9d",
]


def cards_of(text):
    """Cards of a text such as ``"AsKd"``; the vectors' notation."""
    return [
        RANKS.index(rank) * 4 + SUITS.index(suit)
        for rank, suit in zip(text[::2], text[1::2], strict=True)
    ]


def class_of(name):
    """Index of a preflop class such as ``"AKs"``."""
    return int(indexer.index(np.array([a_hand_of(name)], np.uint8))[0])


def a_hand_of(name):
    return [4 * RANKS.index(name[0]), 4 * RANKS.index(name[1]) + (not name.endswith("s"))]


def num_hands_of(name):
    return 4 if name.endswith("s") else 12 if name.endswith("o") else 6


def range_of(weights):
    """The weight of each hole index, from a dict of hands to weights."""
    array = np.zeros(1326)
    for hole, weight in weights.items():
        array[HOLES.index(hole)] = weight
    return array


@cache
def counts():
    return door.preflop_counts(threads=2)


distinct = st.lists(st.integers(0, 51), min_size=25, max_size=25, unique=True)
boards = st.sampled_from(BOARDS).map(cards_of) | distinct.map(lambda cards: cards[:5])


# --- one river board --------------------------------------------------------------------------


@given(board=boards)
@settings(deadline=None)
def test_board_strengths_are_those_of_the_evaluator(board):
    live = np.array([not {*hole} & {*board} for hole in HOLES])
    hands = np.array([[*hole, *board] for hole in HOLES], np.uint8)

    found = door.board_strengths(board)

    assert np.array_equal(evaluate(np.ascontiguousarray(hands[live])), found[live])
    assert not found[~live].any()


@given(board=boards, data=st.data())
@settings(deadline=None, max_examples=30)
def test_river_equities_count_the_hands_that_are_beaten(board, data):
    hole = data.draw(st.sampled_from([hole for hole in HOLES if not {*hole} & {*board}]))
    wins, ties, total = reference.against_random(hole, board)

    found = door.river_equities(board)

    assert np.float32((2 * wins + ties) / (2 * total)) == found[HOLES.index(hole)]
    assert [i for i, hole in enumerate(HOLES) if {*hole} & {*board} and found[i] != 0] == []


@given(board=boards)
def test_river_equities_are_a_half_on_average(board):
    assert door.river_equities(board).sum(dtype=np.float64) == pytest.approx(1081 / 2, abs=1e-4)


def test_canonical_rivers_stand_for_all_boards():
    rivers, multiplicities = canonical_rivers()

    assert rivers.shape == (134_459, 5)
    assert multiplicities.sum() == 2_598_960
    assert np.array_equal(np.sort(multiplicities), multiplicities)


# --- hands that are all-in --------------------------------------------------------------------


@pytest.mark.parametrize("case", VECTORS["specific_allin"], ids=lambda c: " ".join(c["hands"]))
def test_equity_before_the_flop(case):
    found = door.equity([cards_of(hand) for hand in case["hands"]])

    assert case["win"] == found.wins.tolist()
    assert case["tie"] == found.ties.tolist()
    assert case["boards"] == found.num_boards
    assert case["equity"] == pytest.approx(found.equities.tolist(), abs=1e-9)


@given(cards=distinct, num_players=st.integers(2, 9), num_board=st.sampled_from([4, 5]))
@settings(deadline=None, max_examples=40)
def test_equity_of_random_hands(cards, num_players, num_board):
    hands = [cards[2 * p : 2 * p + 2] for p in range(num_players)]
    board = cards[20 : 20 + num_board]
    wins, ties, shares = reference.equity(hands, board)

    found = door.equity(hands, board)

    assert wins == found.wins.tolist()
    assert ties == found.ties.tolist()
    assert [float(share) for share in shares] == pytest.approx(found.equities.tolist(), abs=1e-15)


@pytest.mark.parametrize("texts", [("AsKs", "QdQh", "2c7d9s"), ("8h9h", "AhAd", "2hThJh")])
def test_equity_on_a_flop(texts):
    first, second, board = map(cards_of, texts)
    wins, ties, _ = reference.equity([first, second], board)

    found = door.equity([first, second], board)

    assert (wins, ties, 990) == (found.wins.tolist(), found.ties.tolist(), found.num_boards)


def test_nine_hands_that_split_share_evenly():
    hands = np.arange(18).reshape(9, 2)

    found = door.equity(hands, cards_of("TcJcQcKcAc"))

    assert found.ties.tolist() == [1] * 9
    assert found.equities.tolist() == pytest.approx([1 / 9] * 9)


# --- a hand against a random one --------------------------------------------------------------


@pytest.mark.parametrize("name", ["AA", "22", "A2o", "42o", "K3s", "97s"])
@pytest.mark.parametrize("threads", [1, 3])
def test_hand_vs_random_before_the_flop(name, threads):
    """The hands of a class are alike, so one counts as often as all over their number."""
    known = VECTORS["preflop_equity_vs_random"][name]

    found = door.hand_vs_random(a_hand_of(name), threads=threads)

    assert [known[key] for key in ("win", "tie", "total")] == [
        count * num_hands_of(name) for count in found
    ]
    assert known["equity"] == pytest.approx(found.equity, abs=1e-15)


@pytest.mark.parametrize("seed", [1, 2])
def test_hand_vs_random_on_a_turn(seed):
    cards = np.random.default_rng(seed).permutation(52).tolist()
    hole, board = cards[:2], cards[2:6]
    rivers = [reference.against_random(hole, full) for full in reference.run_outs(board, hole)]

    found = door.hand_vs_random(hole, board, threads=2)

    assert tuple(map(sum, zip(*rivers, strict=True))) == found


def test_hand_vs_random_on_a_flop_is_the_mean_of_its_turns():
    hole, flop = cards_of("AsKs"), cards_of("QsJs2h")
    turns = [
        door.hand_vs_random(hole, [*flop, turn]) for turn in reference.deck_without(hole, flop)
    ]

    found = door.hand_vs_random(hole, flop)

    # Every pair of turn and river is there twice, in both orders.
    assert tuple(2 * count for count in found) == tuple(map(sum, zip(*turns, strict=True)))


@pytest.mark.parametrize("case", VECTORS["ehs"], ids=lambda c: f"{c['hole']} {c['board']}")
def test_hand_strength(case):
    found = door.hand_strength(cards_of(case["hole"]), cards_of(case["board"]))

    assert case["hs"] == pytest.approx(found.hs, abs=1e-12)
    assert case["ehs"] == pytest.approx(found.ehs, abs=1e-12)
    assert case["ehs2"] == pytest.approx(found.ehs2, abs=1e-12)
    assert case["runouts"] == found.num_runouts
    assert case["hist10"] == found.histogram.tolist()


@pytest.mark.parametrize("seed", [1, 2])
def test_hand_strength_on_a_turn(seed):
    cards = np.random.default_rng(seed).permutation(52).tolist()
    equities, now = reference.hand_strength(cards[:2], cards[2:6])

    found = door.hand_strength(cards[:2], cards[2:6])

    tenths = [min(9, int(10 * share)) for share in equities]
    assert float(now) == pytest.approx(found.hs, abs=1e-15)
    assert float(sum(equities) / 46) == pytest.approx(found.ehs, abs=1e-15)
    assert float(sum(e * e for e in equities) / 46) == pytest.approx(found.ehs2, abs=1e-15)
    assert [tenths.count(tenth) for tenth in range(10)] == found.histogram.tolist()


# --- ranges -----------------------------------------------------------------------------------


@given(
    holes=st.lists(st.sampled_from(HOLES), min_size=8, max_size=8, unique=True),
    weights=st.lists(st.integers(1, 4), min_size=8, max_size=8),
    board=boards,
    threads=st.integers(1, 3),
)
@settings(deadline=None, max_examples=20)
def test_ranges_on_a_river(holes, weights, board, threads):
    """Ranges that overlap, block each other and lose hands to the board."""
    weighted = dict(zip(holes, weights, strict=True))
    first = dict(list(weighted.items())[:5])
    second = dict(list(weighted.items())[3:])
    expected = reference.range_equity(first, second, board)
    if expected[2] == 0:
        with pytest.raises(CardError, match="no two hands that can meet"):
            door.range_equity(range_of(first), range_of(second), board)
        return

    found = door.range_equity(range_of(first), range_of(second), board, threads)

    assert expected == pytest.approx(tuple(found))


def test_ranges_of_one_hand_are_hands():
    """Before the flop too, where suits are renamed."""
    first, second = (48, 45), (29, 28)
    hands = door.equity([first, second])

    found = door.range_equity(
        range_of({tuple(sorted(first)): 0.5}), range_of({tuple(sorted(second)): 2.0}), threads=2
    )

    expected = (hands.wins[0], hands.ties[0], hands.num_boards)
    assert expected == pytest.approx(tuple(found))
    assert hands.equities[0] == pytest.approx(found.equity)


def test_ranges_of_one_class_are_classes():
    hands = np.array(HOLES, np.uint8)
    classes = indexer.index(hands)
    first, second = class_of("QQ"), class_of("AKo")

    found = door.range_equity(
        (classes == first).astype(float), (classes == second).astype(float), threads=2
    )

    known = VECTORS["preflop_class_vs_class"]["QQ vs AKo"]
    assert (known["win"], known["tie"], known["total"]) == tuple(found)


def test_range_sums_do_not_depend_on_threads():
    rng = np.random.default_rng(5)
    first, second = rng.random((2, 1326))
    board = cards_of("2c7d9h")

    assert door.range_equity(first, second, board, 1) == door.range_equity(first, second, board, 3)


def aces_against(weights):
    """AsAh, and a range of hands by their text."""
    theirs = range_of({tuple(sorted(cards_of(hand))): w for hand, w in weights.items()})
    return range_of({tuple(sorted(cards_of("AsAh"))): 1.0}), theirs


@given(
    holes=st.lists(st.sampled_from(HOLES), max_size=12),
    others=st.lists(st.sampled_from(HOLES), max_size=12),
)
def test_hands_that_meet_share_no_card_with_some_other(holes, others):
    weights = [range_of(dict.fromkeys(hands, 0.3)) for hands in (holes, others)]

    found = door.hands_that_meet(*weights)

    for row, hands, theirs in ((0, holes, others), (1, others, holes)):
        expected = {hole for hole in hands if any(not {*hole} & {*other} for other in theirs)}
        assert expected == {HOLES[i] for i in np.flatnonzero(found[row])}


def test_ranges_that_cannot_meet_are_refused_whatever_they_weigh():
    """All of the second range's hands hold an ace of the first's: no rounding lets them meet."""
    rng = np.random.default_rng(3)
    for _ in range(100):
        cards = rng.choice(48, 6, replace=False)
        theirs = range_of({(int(card), 50 + int(rng.integers(2))): rng.random() for card in cards})
        with pytest.raises(CardError, match="no two hands that can meet"):
            door.range_equity(aces_against({})[0], theirs, cards_of("7d2h5c3s8c"))


@pytest.mark.parametrize("board", ["", "7d2h5c", "7d2h5c3s8c"])
@pytest.mark.parametrize("weight", [1e-15, 1e-300])
def test_hands_that_meet_nobody_do_not_drown_the_others(board, weight):
    blocked = {"AsKd": 0.1, "AsQd": 0.7, "AhJd": 0.3, "AhTd": 0.9}
    alone = door.range_equity(*aces_against({"8d8h": weight}), cards_of(board), threads=2)

    found = door.range_equity(*aces_against({"8d8h": weight} | blocked), cards_of(board), threads=2)

    assert found == alone
    assert found.total == pytest.approx(
        weight * door.range_equity(*aces_against({"8d8h": 1}), cards_of(board), threads=2).total
    )


def test_what_hardly_weighs_beside_blocked_hands_is_refused():
    first, second = aces_against({"AsKd": 0.7, "8d8h": 1e-20})
    first[HOLES.index((0, 4))] = 1e-20

    with pytest.raises(CardError, match="next to nothing") as refusal:
        door.range_equity(first, second, cards_of("7d9h5c3s8c"))

    assert refusal.value.remedy


@pytest.mark.parametrize("size", [2.0**-1060, 1e-200, 2.0**-300, 1e100, 1e200, 2.0**1020])
def test_weights_may_have_any_size(size):
    """The share of the pot is the same; so are the sums, as long as floats hold them."""
    rng = np.random.default_rng(6)
    first, second = rng.integers(1, 9, (2, 1326)).astype(float)
    board = cards_of("2c7d9hKs3c")
    expected = door.range_equity(first, second, board)

    both = door.range_equity(size * first, size * second, board)
    one = door.range_equity(size * first, second / 16, board)

    assert both.equity == pytest.approx(expected.equity, abs=1e-12)
    assert one.equity == pytest.approx(expected.equity, abs=1e-12)
    if 1e-290 < size < 1e290:
        assert [size * sum / 16 for sum in expected] == pytest.approx(list(one))


# --- preflop classes --------------------------------------------------------------------------


@pytest.mark.parametrize("pair", VECTORS["preflop_class_vs_class"])
def test_classes_against_each_other(pair):
    known = VECTORS["preflop_class_vs_class"][pair]
    first, second = map(class_of, pair.split(" vs "))

    found = counts()

    assert known["win"] == found.wins[first, second]
    assert known["tie"] == found.ties[first, second]
    assert known["total"] == found.totals[first, second]


@pytest.mark.parametrize("name", VECTORS["preflop_equity_vs_random"])
def test_classes_against_a_random_hand(name):
    """The sum over all classes is the random hand."""
    known = VECTORS["preflop_equity_vs_random"][name]
    row = class_of(name)

    found = counts()

    assert known["win"] == found.wins[row].sum()
    assert known["tie"] == found.ties[row].sum()
    assert known["total"] == found.totals[row].sum()


def test_preflop_equities_are_the_counts():
    found = door.preflop_equities(threads=1)

    assert np.array_equal((counts().wins + counts().ties / 2) / counts().totals, found)
    assert np.allclose(found + found.T, 1, rtol=0, atol=1e-15)
    assert (np.diag(counts().ties) > 0).all()


def test_a_class_meets_itself_without_sharing_cards():
    """Pairs of distinct hands of 6, 4 and 12 that share no card."""
    for name in ("AA", "AKs", "AKo"):
        hands = [
            hole for hole in HOLES if indexer.index(np.array([hole], np.uint8))[0] == class_of(name)
        ]
        meetings = sum(not {*a} & {*b} for a, b in combinations(hands, 2)) * 2

        assert meetings * 1_712_304 == counts().totals[class_of(name), class_of(name)]


# --- mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: door.board_strengths([0, 1, 2, 3]), "not a river board"),
        (lambda: door.river_equities([0, 1, 2, 3, 3]), "not a river board"),
        (lambda: door.river_equities([0, 1, 2, 3, 52]), "not a river board"),
        (lambda: door.equity([[0, 1]]), "hands of"),
        (lambda: door.equity([[0, 1], [2]]), "hands of"),
        (lambda: door.equity([[2 * i, 2 * i + 1] for i in range(10)]), "hands of"),
        (lambda: door.equity([[0, 1], [2, 3]], [4, 5]), "a board of 2 cards"),
        (lambda: door.equity([[0, 1], [1, 3]]), "not distinct cards"),
        (lambda: door.equity([[0, 1], [2, 52]]), "not distinct cards"),
        (lambda: door.hand_vs_random([0]), "a hand of 1 cards"),
        (lambda: door.hand_vs_random([0, 1], [2, 3]), "a board of 2 cards"),
        (lambda: door.hand_vs_random([0, 1], [1, 2, 3]), "not distinct cards"),
        (lambda: door.hand_strength([0, 1], []), "a board of 0 cards"),
        (lambda: door.range_equity(np.ones(1325), np.ones(1326)), "the first range has shape"),
        (lambda: door.range_equity(np.ones(1326), -np.ones(1326)), "the second range has negative"),
        (lambda: door.range_equity(np.zeros(1326), np.ones(1326), [0, 1, 2]), "no two hands"),
    ],
)
def test_cards_that_cannot_be_are_refused(call, message):
    with pytest.raises(CardError, match=message) as refusal:
        call()

    assert refusal.value.remedy


@pytest.mark.parametrize("call", [door.preflop_counts, door.preflop_equities])
def test_no_threads_are_refused(call):
    with pytest.raises(ConfigError, match="threads must be at least 1, not 0"):
        call(threads=0)
    with pytest.raises(ConfigError, match="threads must be at least 1, not 0"):
        door.hand_vs_random([0, 1], threads=0)
