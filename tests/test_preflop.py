"""The 169 classes, counted hand by hand."""

from itertools import combinations

import numpy as np
import pytest

from holdem.errors import MismatchError
from holdem.game import preflop
from holdem.game.games import push_fold
from holdem.game.policy import UniformPolicy
from holdem.game.tree import build_tree

RANKS = "23456789TJQKA"


def name_of(hand):
    """The class of two cards, spelled as players do."""
    low, high = sorted(hand)
    suffix = "" if low >> 2 == high >> 2 else "s" if low & 3 == high & 3 else "o"
    return RANKS[high >> 2] + RANKS[low >> 2] + suffix


HANDS = [(a, b) for b in range(52) for a in range(b)]  # in hole-index order


def test_every_hand_is_in_the_class_that_bears_its_name():
    names = preflop.class_names()

    assert [name_of(hand) for hand in HANDS] == [names[c] for c in preflop.class_of_hole()]
    assert len(set(names)) == 169


def test_combos():
    names = preflop.class_names()

    assert preflop.class_combos().sum() == 1326
    assert [preflop.class_combos()[names.index(n)] for n in ("AA", "AKs", "72o")] == [6, 4, 12]


def test_pair_weights_count_disjoint_hands():
    names = preflop.class_names()
    weights = preflop.pair_weights()
    by_name = {name: [hand for hand in HANDS if name_of(hand) == name] for name in names}

    for one, other in combinations(("AA", "KK", "AKs", "AKo", "A2o", "72o", "72s"), 2):
        ways = sum(not set(a) & set(b) for a in by_name[one] for b in by_name[other])
        assert weights[names.index(one), names.index(other)] == ways
    assert weights[names.index("AA"), names.index("AA")] == 6
    assert weights.sum() == 1326 * 1225
    assert (weights == weights.T).all()
    assert (weights.sum(axis=1) == preflop.class_combos() * 1225).all()


def test_the_chart_has_a_place_for_each_class():
    names = preflop.class_names()
    positions = preflop.chart_positions()

    assert len({tuple(place) for place in positions.tolist()}) == 169
    assert positions[names.index("AA")].tolist() == [0, 0]
    assert positions[names.index("AKs")].tolist() == [0, 1]
    assert positions[names.index("AKo")].tolist() == [1, 0]
    assert positions[names.index("22")].tolist() == [12, 12]
    assert [names[c] for c in preflop.chart_order()[[0, 1, 12, 13, 14, 168]]] == [
        "AA", "AKs", "A2s", "AKo", "KK", "22",
    ]  # fmt: skip


def test_a_strategy_by_class_goes_through_the_buckets():
    tree = build_tree(push_fold(10), (2,))
    suited = np.array([name.endswith("s") for name in preflop.class_names()]).astype(np.int64)

    class SuitedShoves(UniformPolicy):
        def strategy(self, node):
            return np.array([[1, 0], [0, 1]], dtype=np.float32)

    rows = preflop.class_strategy(SuitedShoves(tree), 0, suited)

    assert rows.shape == (169, 2)
    assert (rows[:, 1] == suited).all()


@pytest.mark.parametrize(
    "buckets", [None, np.zeros(168, np.int64), np.full(169, -1), np.full(169, 2)]
)
def test_buckets_that_do_not_fit_are_refused(buckets):
    tree = build_tree(push_fold(10), (2,))

    with pytest.raises(MismatchError, match="2 preflop buckets"):
        preflop.checked_buckets(tree, buckets)
