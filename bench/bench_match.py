"""Matches: hands a second of one core, dealt and played, and AIVAT's estimates of them.

    python -m pytest bench/bench_match.py

Policies and buckets are random. That is the worst case for the caches, and for AIVAT's time,
which grows with the hands that reach the turn; what it takes away of the luck must be
measured on trained policies: ``holdem eval`` says it.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from bench.games import BUCKETS, MENUS
from holdem.evaluation.contestants import Contestant
from holdem.evaluation.match import FIRST_DEAL
from holdem.evaluation.shared_table import SharedTable
from holdem.game.policy import UniformPolicy
from holdem.game.tree import build_tree
from holdem.types import CANONICAL_HANDS, HEADS_UP_MENU, GameConfig

DEALS = 4_000


class RandomBuckets:
    """Random buckets of all hands."""

    fingerprint = "random"
    path = None
    num_buckets = BUCKETS

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self.preflop_equities = np.full((169, 169), 0.5)
        self.tables = tuple(
            rng.integers(0, count, hands, np.uint8)
            for count, hands in zip(BUCKETS, CANONICAL_HANDS, strict=True)
        )


@pytest.fixture(scope="module")
def buckets():
    return RandomBuckets()


@pytest.mark.parametrize("name", ["default", "6M"])
@pytest.mark.parametrize("aivat", [False, True], ids=["plain", "aivat"])
def test_hands(benchmark, buckets, name, aivat):
    menu = HEADS_UP_MENU if name == "default" else MENUS[name]
    tree = build_tree(GameConfig(menu=menu), BUCKETS)
    player = Contestant("uniform", UniformPolicy(tree), buckets)
    table = SharedTable(player, player, seed=1, duplicate=True, aivat=aivat, num_workers=1)
    deals = DEALS if aivat else 20 * DEALS
    table.play(FIRST_DEAL, 0, deals)
    state = {"deal": deals}

    def play() -> None:
        table.play(FIRST_DEAL, state["deal"], state["deal"] + deals)
        state["deal"] += deals

    started = time.thread_time()
    benchmark.pedantic(play, rounds=5, iterations=1)
    per_second = 5 * 2 * deals / (time.thread_time() - started)
    benchmark.extra_info["hands_per_second"] = round(per_second)
    print(f"\n{name}, {'AIVAT' if aivat else 'plain'}: {per_second:,.0f} hands/s")
