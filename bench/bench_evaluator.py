"""Hands a second through the evaluator, one core: ``pytest bench/bench_evaluator.py``.

The column to read is ``million_hands_per_second`` of the extra information
(``--benchmark-json`` holds it, and each test prints it with ``-s``). It is of the
fastest round, because other work on the machine only ever slows a round down.
"""

import numpy as np
import pytest

from holdem._core.evaluator import count_strengths, evaluate, instruction_sets

NUM_HANDS = 1_000_000
SIZES = {5: 2_598_960, 6: 20_358_520, 7: 133_784_560}


def report(benchmark, num_hands):
    if benchmark.stats is None:  # with --benchmark-disable
        return
    speed = num_hands / benchmark.stats.stats.min / 1e6
    benchmark.extra_info["million_hands_per_second"] = round(speed, 1)
    print(f" {speed:,.0f} million hands a second")


@pytest.mark.parametrize("num_cards", [5, 6, 7])
@pytest.mark.parametrize("instructions", instruction_sets())
def test_random_hands(benchmark, instructions, num_cards):
    """Random hands from an array of cards."""
    shuffled = np.random.default_rng(1).random((NUM_HANDS, 52), np.float32).argsort(axis=1)
    cards = np.ascontiguousarray(shuffled[:, :num_cards], np.uint8)
    out = np.empty(NUM_HANDS, np.uint16)
    benchmark.pedantic(
        evaluate, (cards, out), {"instructions": instructions}, rounds=30, warmup_rounds=2
    )
    report(benchmark, NUM_HANDS)


@pytest.mark.parametrize("num_cards", [5, 6, 7])
def test_all_hands_in_order(benchmark, num_cards):
    """Every hand of the deck, enumerated and counted by strength."""
    benchmark.pedantic(count_strengths, (num_cards,), rounds=5, warmup_rounds=1)
    report(benchmark, SIZES[num_cards])
