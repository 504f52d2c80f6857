"""Local best response: one deal of hands on a board, and the equities that it stands on.

Run with: pytest bench/bench_lbr.py --benchmark-only
"""

import numpy as np
import pytest

from holdem._core.rollout import rollout_equities
from holdem.evaluation.lbr import HANDS_PER_BOARD, LocalBestResponse
from holdem.game.tree import build_tree
from holdem.types import GameConfig
from tests.reference.games import random_policy
from tests.test_lbr import Buckets


@pytest.mark.parametrize("setting", ["fc", "fcpa", "56bets"])
def test_hands(benchmark, setting):
    buckets = Buckets()
    tree = build_tree(GameConfig(), buckets.num_buckets)
    policy = random_policy(tree, 1)
    responder = LocalBestResponse(tree, buckets, setting=setting)
    hands = 4 * HANDS_PER_BOARD
    responder.against(policy, hands=hands)  # the betting is worked out when it is first reached

    benchmark(responder.against, policy, hands=hands)

    benchmark.extra_info["hands_per_second"] = hands / benchmark.stats["min"]


@pytest.mark.parametrize("num_board", [3, 4, 5])
def test_rollouts(benchmark, num_board):
    cards = np.random.default_rng(1).permutation(52)[: num_board + 2 * HANDS_PER_BOARD]
    hands = cards[num_board:].reshape(-1, 2)

    benchmark(rollout_equities, hands, cards[:num_board])
