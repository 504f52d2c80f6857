"""Preflop classes that meet, and strategies by class."""

from itertools import combinations

import numpy as np
import pytest

from holdem.errors import MismatchError
from holdem.game import preflop
from holdem.game.cards import CLASS_COMBOS, CLASS_NAMES, class_index, class_of
from holdem.game.games import push_fold
from holdem.game.policy import UniformPolicy
from holdem.game.tree import build_tree

HANDS_OF = {
    name: [hand for hand in combinations(range(52), 2) if class_of(*hand) == number]
    for number, name in enumerate(CLASS_NAMES)
}


def test_pair_weights_count_disjoint_hands():
    weights = preflop.pair_weights()

    for one, other in combinations(("AA", "KK", "AKs", "AKo", "A2o", "72o", "72s"), 2):
        ways = sum(not set(a) & set(b) for a in HANDS_OF[one] for b in HANDS_OF[other])
        assert weights[class_index(one), class_index(other)] == ways
    assert weights[class_index("AA"), class_index("AA")] == 6
    assert weights.sum() == 1326 * 1225
    assert (weights == weights.T).all()
    assert (weights.sum(axis=1) == CLASS_COMBOS * 1225).all()


def test_a_strategy_by_class_goes_through_the_buckets():
    tree = build_tree(push_fold(10), (2,))
    suited = np.array([name.endswith("s") for name in CLASS_NAMES]).astype(np.int64)

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
