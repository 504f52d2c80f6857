"""Nodes per second of counting and building: ``pytest bench/bench_tree.py``.

``extra_info`` of each benchmark has the rate in millions per second (best round).
"""

import pytest

from holdem.errors import ResourceError
from holdem.game.tree import build_tree, count_tree
from holdem.types import BetMenu, GameConfig

STREETS = 4
TREES = {
    "every-chip": GameConfig(stacks=(400,), menu=BetMenu(streets=(("*",),) * STREETS)),
    "six-players": GameConfig(
        num_players=6,
        menu=BetMenu(streets=(("2.5x, !call", "3x", "a", ""), *[("75%", "")] * 3)),
    ),
}
HUGE = GameConfig(num_players=6, menu=BetMenu(streets=(("50%, 100%, a",),) * STREETS))


def report(benchmark, num_nodes):
    rate = num_nodes / benchmark.stats.stats.min / 1e6
    benchmark.extra_info["million_per_second"] = round(rate, 1)
    print(f"\n{benchmark.name}: {rate:.1f} million nodes per second")


@pytest.mark.parametrize("name", TREES)
def test_count(benchmark, name):
    size = benchmark(count_tree, TREES[name])

    report(benchmark, size.num_nodes)


@pytest.mark.parametrize("name", TREES)
def test_build(benchmark, name):
    tree = benchmark.pedantic(build_tree, (TREES[name], (1,) * STREETS), rounds=5)

    report(benchmark, tree.num_nodes)


def test_refuse(benchmark):
    """How long a tree of billions takes to be refused."""

    def refuse():
        with pytest.raises(ResourceError):
            build_tree(HUGE, (1,) * STREETS)

    benchmark.pedantic(refuse, rounds=3)
