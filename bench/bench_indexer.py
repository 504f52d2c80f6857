"""Indices per second on one core: ``pytest bench/bench_indexer.py``.

``extra_info`` of each benchmark has the rate in millions per second (best round).
"""

import numpy as np
import pytest

from holdem._core import indexer

NUM_HANDS = 1_000_000


def report(benchmark, count):
    rate = count / benchmark.stats.stats.min / 1e6
    benchmark.extra_info["million_per_second"] = round(rate, 1)
    print(f"\n{benchmark.name}: {rate:.1f} million indices per second")


@pytest.fixture(scope="module")
def deals():
    """Rows of seven distinct random cards."""
    rng = np.random.default_rng(7)
    return rng.random((NUM_HANDS, 52)).argsort(axis=1)[:, :7].astype(np.uint8)


@pytest.mark.parametrize("num_board", [0, 3, 4, 5])
def test_index_random_hands(benchmark, deals, num_board):
    hands = np.ascontiguousarray(deals[:, : 2 + num_board])
    out = np.empty(NUM_HANDS, dtype=np.int64)

    benchmark(indexer.index, hands, out=out)

    report(benchmark, NUM_HANDS)


@pytest.mark.parametrize("num_board", [3, 4, 5])
def test_index_all_holes_of_boards(benchmark, deals, num_board):
    boards = np.ascontiguousarray(deals[:1000, :num_board])
    out = np.empty((1000, 1326), dtype=np.int64)

    benchmark(indexer.index_boards, boards, out=out)

    report(benchmark, out.size)


@pytest.mark.parametrize("num_board", [3, 4, 5])
def test_unindex_random_indices(benchmark, num_board):
    rng = np.random.default_rng(7)
    indices = rng.integers(0, indexer.NUM_HANDS[num_board], NUM_HANDS)

    benchmark(indexer.unindex, num_board, indices)

    report(benchmark, NUM_HANDS)


def test_board_index_random_boards(benchmark, deals):
    boards = np.ascontiguousarray(deals[:, :5])

    benchmark(indexer.board_index, boards)

    report(benchmark, NUM_HANDS)
