"""Policies that need no training."""

import numpy as np
import pytest

from holdem.errors import MismatchError
from holdem.game.games import leduc
from holdem.game.policy import Policy, TabularPolicy, UniformPolicy
from tests.reference.games import random_policy, tree_of


@pytest.mark.parametrize("make", [UniformPolicy, lambda tree: random_policy(tree, 1)])
def test_rows_are_probabilities_of_the_right_shape(make):
    tree = tree_of(leduc())
    policy = make(tree)

    assert isinstance(policy, Policy)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        rows = policy.strategy(node)
        buckets = 3 if tree.nodes["street"][node] == 0 else 9
        assert rows.shape == (buckets, tree.nodes["num_actions"][node])
        assert rows.dtype == np.float32
        assert rows.sum(axis=1) == pytest.approx(np.ones(buckets))


def test_uniform_is_uniform():
    tree = tree_of(leduc())

    assert UniformPolicy(tree).strategy(tree.find("b2")) == pytest.approx(np.full((3, 3), 1 / 3))


def test_tabular_reads_slots_in_order():
    """slot = first_slot + bucket * num_actions + action."""
    tree = tree_of(leduc())
    policy = TabularPolicy(tree, np.arange(tree.num_slots))
    node = tree.find("x x / b4")

    first = tree.nodes["first_slot"][node]
    assert policy.strategy(node)[4].tolist() == [first + 12, first + 13, first + 14]


def test_tabular_wants_one_number_per_slot():
    tree = tree_of(leduc())

    with pytest.raises(MismatchError, match="slots"):
        TabularPolicy(tree, np.zeros(7))
