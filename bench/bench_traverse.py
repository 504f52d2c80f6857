"""The walk and the merge: decision-node visits per second of one core, batches of 100.

    python -m pytest bench/bench_traverse.py

Processor time is measured, not the wall's, so that another load on the machine
costs less. ``visits/s`` in the table's extra column is walk and merge together.
"""

from __future__ import annotations

import time

import pytest

from bench.games import random_deals, tree_of
from holdem.mccfr.table import RegretTable
from holdem.mccfr.worker import BatchLog, make_walker

BATCH = 100
SECONDS = 4.0


@pytest.mark.parametrize("name", ["6M", "32M"])
def test_walk_and_merge(benchmark, name):
    tree = tree_of(name)
    table = RegretTable(tree, discount_interval=5_000, alpha=1.0, beta=1.0)
    walker = make_walker(tree, table.words, BatchLog.local(tree, BATCH))
    deals = random_deals(1_000 * BATCH)
    state = {"iteration": 0}

    def batches(count=200):
        for _ in range(count):
            iteration = state["iteration"]
            start = iteration % len(deals)
            table.advance(iteration, BATCH)
            walker.walk(42, iteration, deals[start : start + BATCH])
            walker.merge(
                BATCH,
                table.regret_weight,
                table.strategy_weight,
                -310_000_000.0 * table.regret_weight,
            )
            state["iteration"] += BATCH

    # The first visit of a row pays for its page; a run leaves that behind in seconds.
    warm_until = time.thread_time() + SECONDS
    while time.thread_time() < warm_until:
        batches()
    visits = walker.visits
    started = time.thread_time()
    benchmark.pedantic(batches, rounds=20, iterations=1)
    seconds = time.thread_time() - started
    benchmark.extra_info["visits_per_second"] = round((walker.visits - visits) / seconds)
    benchmark.extra_info["slots"] = tree.num_slots
    print(
        f"\n{name}: {tree.num_slots:,} slots, "
        f"{(walker.visits - visits) / seconds / 1e6:.1f} M decision-node visits/s"
    )
