"""Exact equities: ``pytest bench/bench_equity.py``. Boards, run-outs and whole tables."""

import numpy as np
import pytest

from holdem._core import equity as door
from holdem._core.river import canonical_rivers

ACES, KINGS = (50, 51), (46, 47)
FLOP = (0, 21, 30)
EVERY_HAND = np.ones(1326)


@pytest.mark.parametrize("threads", [1, 2])
def test_aces_against_a_random_hand(benchmark, threads):
    canonical_rivers()
    benchmark.pedantic(
        door.hand_vs_random, (ACES,), {"threads": threads}, rounds=5, warmup_rounds=1
    )


def test_canonical_boards(benchmark):
    """What the first of these calls in a process pays once."""
    benchmark.pedantic(canonical_rivers.__wrapped__, rounds=5)


def test_aces_against_kings(benchmark):
    benchmark.pedantic(door.equity, ([ACES, KINGS],), rounds=20, warmup_rounds=1)


@pytest.mark.parametrize("num_board", [0, 3, 4, 5])
def test_random_hand_against_a_random_hand(benchmark, num_board):
    """As two ranges of all hands, one thread."""
    board = (*FLOP, 47, 7)[:num_board]
    benchmark.pedantic(
        door.range_equity, (EVERY_HAND, EVERY_HAND, board), rounds=3, warmup_rounds=1
    )


def test_river_equities(benchmark):
    """All 1,081 hands of one board."""
    boards, _ = canonical_rivers()
    sample = boards[:: len(boards) // 500]

    def all_of_them():
        for board in sample:
            door.river_equities(board)

    benchmark.pedantic(all_of_them, rounds=5, warmup_rounds=1)
    if benchmark.stats is not None:  # it is with --benchmark-disable
        benchmark.extra_info["microseconds_per_board"] = round(
            benchmark.stats.stats.min / len(sample) * 1e6, 2
        )


@pytest.mark.parametrize("threads", [1, 2])
def test_all_preflop_classes(benchmark, threads):
    benchmark.pedantic(door.preflop_counts, (threads,), rounds=2, warmup_rounds=1)
