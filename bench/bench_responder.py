"""Training against a responder: boards a second, and hands taken through a decision a second.

    holdem buckets --preset full      (or HOLDEM_BUCKETS=PATH)
    python -m pytest bench/bench_responder.py

The tree is ``100%, a`` on every street at 100 big blinds (20, 100, 340 and 900 decision nodes).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from holdem.abstraction.bucketing import HandBucketing
from holdem.game.tree import build_tree
from holdem.mccfr.responder_engine import ResponderEngine
from holdem.types import BetMenu, GameConfig, MCCFRConfig

BUCKETS = Path(os.environ.get("HOLDEM_BUCKETS", "assets/abstraction/full"))
BOARDS = 40


@pytest.mark.parametrize("threads", [1, 2])
def test_boards(benchmark, threads):
    bucketing = HandBucketing.load(BUCKETS, verify=False)
    game = GameConfig(menu=BetMenu(streets=(("100%, a",),) * 4))
    config = MCCFRConfig(num_iterations=10**9, opponent="responder", num_workers=threads)
    engine = ResponderEngine(config, build_tree(game, bucketing.num_buckets), bucketing)
    engine.run(BOARDS)  # memory touched, threads started

    benchmark.pedantic(lambda: engine.run(engine.iteration + BOARDS), rounds=10)

    rate = BOARDS / benchmark.stats["min"]
    benchmark.extra_info["boards/s"] = rate
    benchmark.extra_info["million hands/s"] = rate * engine.visits / engine.iteration / 1e6
    engine.close()
