"""The exact best response: milliseconds for each river board, and what all boards would take.

    holdem buckets --preset full      (or HOLDEM_BUCKETS=PATH)
    python -m pytest bench/bench_best_response.py -s

The tree is that of the issue, ``100%, a`` on every street at 100 big blinds (20, 100, 340 and
900 decision nodes), the policy uniform: how long it takes does not depend on the policy. A few
turns of three flops are dealt, with all their rivers; both seats respond, and seat 0's own
value is found on the way. Processor time, of one core.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from holdem._core import indexer
from holdem.abstraction.bucketing import HandBucketing
from holdem.evaluation.best_response import BestResponse
from holdem.evaluation.decks import HoldemDeck
from holdem.game.policy import UniformPolicy
from holdem.game.tree import build_tree
from holdem.types import BetMenu, GameConfig

BUCKETS = Path(os.environ.get("HOLDEM_BUCKETS", "assets/abstraction/full"))
RIVER_BOARDS = 2_554_656
TURNS = 6
FLOPS = {"rainbow": (0, 21, 46), "two of a suit": (0, 20, 46), "one suit": (0, 20, 44)}


@pytest.fixture(scope="module")
def response():
    bucketing = HandBucketing.load(BUCKETS, verify=False)
    tree = build_tree(GameConfig(menu=BetMenu(streets=(("100%, a",),) * 4)), bucketing.num_buckets)
    return BestResponse(UniformPolicy(tree), HoldemDeck(tree, bucketing))


def index_of(flop, deck):
    """The family of *flop* up to suits."""
    return int(indexer.board_index(np.array([flop], np.uint8))[0])


@pytest.mark.parametrize("name", FLOPS)
def test_river_boards(benchmark, response, name):
    index = index_of(FLOPS[name], response.deck)
    response.family_values(index, (1, 0), 0)  # tables and caches warm
    seconds, boards = 0.0, 0

    def one():
        nonlocal seconds, boards
        started = time.thread_time()
        boards += response.family_values(index, (TURNS, 0), 0)[1]
        seconds += time.thread_time() - started

    benchmark.pedantic(one, rounds=3, iterations=1)
    each = seconds / boards
    benchmark.extra_info["ms_per_river_board"] = round(1000 * each, 3)
    print(
        f"\n{name}: {1000 * each:.2f} ms per river board, {1 / each:,.0f} a second; "
        f"all {RIVER_BOARDS:,} would take {RIVER_BOARDS * each / 60:,.0f} minutes of one core"
    )
