"""What reading a regret table costs: the average strategy, the training figures.

Run with: pytest bench/bench_blueprint.py --benchmark-only
"""

import numpy as np
import pytest

from holdem.game.tree import build_tree
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.mccfr.metrics import TableMetrics
from holdem.types import BetMenu, GameConfig

MENU = BetMenu(
    streets=(
        ("2.5x, a", "3x, a", "2.5x, a", "a"),
        ("33%, 75%, 125%, a", "50%, 100%, a", "75%, a", "a"),
        ("50%, 100%, 150%, a", "75%, a", "a"),
        ("50%, 100%, 150%, a", "75%, a", "a"),
    )
)


@pytest.fixture(scope="module")
def table():
    """A table of 14 million slots, full of random numbers."""
    tree = build_tree(GameConfig(stacks=(20_000,), menu=MENU), (169, 200, 200, 200))
    rng = np.random.default_rng(1)
    return tree, rng.random(2 * tree.num_slots, dtype=np.float32)


def test_average_strategy(benchmark, table):
    tree, words = table
    benchmark.extra_info["slots"] = tree.num_slots
    benchmark(Blueprint.from_table, tree, words, Provenance(iterations=1, seed=1))


def test_training_figures(benchmark, table):
    tree, words = table
    benchmark.extra_info["slots"] = tree.num_slots
    benchmark(TableMetrics(tree).measure, words)
