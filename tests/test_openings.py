"""The opening chart."""

import numpy as np
import pytest

from holdem.errors import ConfigError
from holdem.evaluation.openings import opening_chart
from holdem.game.cards import CLASS_GRID, CLASS_NAMES
from holdem.game.games import kuhn, push_fold
from holdem.game.policy import TabularPolicy, UniformPolicy
from holdem.game.tree import build_tree
from tests.reference.games import tree_of


def pairs_shove():
    """Push/fold where pairs go all-in and nothing else does."""
    tree = build_tree(push_fold(10), (169,))
    pair = np.array([len(name) == 2 for name in CLASS_NAMES])
    probabilities = np.zeros(tree.num_slots)
    for node in (0, tree.find("a")):
        probabilities[tree.slots(node)] = np.stack([~pair, pair], axis=1).ravel()
    return TabularPolicy(tree, probabilities)


def test_chart_of_pairs():
    chart = opening_chart(pairs_shove())

    assert chart.actions == ("fold", "all-in 1000")
    assert chart.of("AA") == {"fold": 0.0, "all-in 1000": 1.0}
    assert chart.of("72o") == {"fold": 1.0, "all-in 1000": 0.0}
    assert (chart.grid[:, :, 1] == np.eye(13)).all()
    assert chart.frequencies == pytest.approx([1248 / 1326, 78 / 1326])


def test_the_grid_has_every_class_in_its_place():
    chart = opening_chart(pairs_shove())

    for row in range(13):
        for column in range(13):
            name = chart.class_names[CLASS_GRID[row, column]]
            assert chart.of(name)["all-in 1000"] == chart.grid[row, column, 1]


def test_chart_of_a_later_decision():
    policy = pairs_shove()

    chart = opening_chart(policy, policy.tree.find("a"))

    assert (chart.seat, chart.actions) == (1, ("fold", "call"))


@pytest.mark.parametrize(
    ("game", "path"), [(kuhn(), ""), (push_fold(10), "f")], ids=["one card", "ending"]
)
def test_only_preflop_decisions_have_charts(game, path):
    tree = tree_of(game) if game.cards.kind == "one-card" else build_tree(game, (169,))

    with pytest.raises(ConfigError, match="not a hold'em decision before the flop"):
        opening_chart(UniformPolicy(tree), tree.find(path))
