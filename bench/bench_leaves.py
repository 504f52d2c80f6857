"""Depth-limited solving: ``pytest bench/bench_leaves.py``. Processor time, whoever else is at work.

A turn of both whole ranges, 75 % or all-in three times, leaves with random values by 64 groups; and
deals a second of learning what a random policy's continuations are worth.
"""

import time

import numpy as np
import pytest

from bench.bench_match import RandomBuckets
from holdem.evaluation.contestants import Contestant
from holdem.game.cards import parse_board
from holdem.game.policy import UniformPolicy
from holdem.game.ranges import parse_range
from holdem.game.tree import build_tree
from holdem.search.continuations import learn_continuations
from holdem.search.leaves import LeafValues
from holdem.search.solver import SubgameSolver
from holdem.search.spot import Menu, Spot
from holdem.search.turn_equities import _turn_equities, turn_equities
from holdem.types import HEADS_UP_MENU, GameConfig

BOARDS = {"four suits": "Td9c6hQs", "two of a suit": "Td9d6hQc", "three of a suit": "Td9d6dQc"}
DEALS = 20_000


def turn(board: str, *, exact: bool) -> SubgameSolver:
    """Both whole ranges on *board*; all-in by kinds of hands if *exact*, else by the groups."""
    rng = np.random.default_rng(1)
    groups = rng.integers(64, size=1326)
    values = rng.normal(0, 0.3, (64, 64, 4, 4)).astype(np.float32)
    spot = Spot(
        board=parse_board(board),
        pot=500,
        stack=9_750,
        ranges=(parse_range("random"), parse_range("random")),
        menu=Menu((("75%, a", "75%, a", "a"),)),
        least_bet=100,
    )
    leaves = LeafValues(
        groups=lambda board: (groups, groups),
        matrix=lambda leaf: values[:, :, : len(leaf.children), : len(leaf.children)],
        all_in=turn_equities(spot.board) if exact else None,
    )
    return SubgameSolver(spot, leaves=leaves)


@pytest.mark.parametrize("exact", [False, True], ids=["by groups", "by kinds"])
@pytest.mark.parametrize("board", BOARDS)
def test_iterations(benchmark, board, exact):
    solver = turn(BOARDS[board], exact=exact)
    rounds = 10

    def iterate() -> float:
        started = time.process_time()
        solver.run(50)
        return 1000 * (time.process_time() - started) / 50

    times = [iterate() for _ in range(rounds)]
    benchmark.extra_info["ms an iteration"] = round(float(np.median(times)), 3)
    benchmark.pedantic(solver.run, (50,), rounds=1)
    print(f"\n  {board}: {np.median(times):.2f} ms of processor time an iteration")


@pytest.mark.parametrize("board", BOARDS)
def test_equities_of_a_turn(benchmark, board):
    cards = parse_board(BOARDS[board])
    benchmark.pedantic(turn_equities, (cards,), setup=_turn_equities.cache_clear, rounds=10)


def test_learning(benchmark):
    """The default game, every row as likely as another; buckets are random."""
    tree = build_tree(GameConfig(menu=HEADS_UP_MENU), RandomBuckets.num_buckets)
    player = Contestant("uniform", UniformPolicy(tree), RandomBuckets())

    def learn() -> float:
        started = time.process_time()
        learn_continuations(player, num_deals=DEALS, num_workers=1)
        return time.process_time() - started

    rate = DEALS / min(learn() for _ in range(2))
    benchmark.extra_info["deals a second"] = round(rate)
    benchmark.pedantic(learn, rounds=1)
    print(f"\n  {tree.num_nodes:,} nodes: {rate:,.0f} deals a second of processor time")
