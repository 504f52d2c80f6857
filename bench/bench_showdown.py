"""Endings of a river board: ``pytest bench/bench_showdown.py``. 48 of them at once."""

import numpy as np
import pytest

from holdem._core.showdown import fold_values, showdown_margins

BOARD = [32, 29, 18, 40, 3]
ENDINGS = 48


@pytest.mark.parametrize("values", [showdown_margins, fold_values])
def test_endings(benchmark, values):
    """405 hands against 457, as on the river spot that PEERS.md measures."""
    holes = np.array([(low, high) for high in range(52) for low in range(high)], np.uint8)
    hands = np.random.default_rng(1).permutation(holes[~np.isin(holes, BOARD).any(axis=1)])
    board = (BOARD,) if values is showdown_margins else ()
    reach = np.ones((457, ENDINGS), np.float32)
    benchmark.pedantic(values, (*board, hands[:405], hands[-457:], reach), rounds=200)
