"""Whether a long run keeps its speed and its memory, on a machine that does not keep its own.

    python -m bench.bench_flatness [--buckets PATH] [--minutes 10] [--batch 1000] [--workers 2]

Training on the 32-million-slot table in slices; after each, a control: a second pool over
a table of the same size that is put back to the same state and does the same iterations
again. Both see the same machine, so what is printed for each minute of training is the
ratio of their speeds. Decision nodes a second are compared: an iteration visits more of
them as strategies change. Memory is what all processes have of their own, and what their
shared segments hold.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import psutil

from bench.games import MENUS
from holdem.abstraction.bucketing import HandBucketing
from holdem.game.tree import build_tree
from holdem.mccfr.pool import WorkerPool
from holdem.mccfr.segments import segment_folder
from holdem.types import GameConfig, MCCFRConfig

WARM_SECONDS = 10.0
SLICE_SECONDS = 2.0
CONTROL_SECONDS = 0.7


class Control:
    """The same work again and again."""

    def __init__(self, pool: WorkerPool) -> None:
        self.pool = pool
        train(pool, WARM_SECONDS)
        self.words = pool.words().copy()
        self.state, self.iteration = pool.table.state(), pool.iteration
        self.utility_sum = pool.utility_sum
        started = time.monotonic()
        pool.run(pool.iteration + 20_000)
        rate = (pool.iteration - self.iteration) / (time.monotonic() - started)
        self.count = int(rate * CONTROL_SECONDS)

    def rate(self) -> float:
        """Nodes a second now."""
        self.pool.restore(self.words, self.state, self.iteration, self.utility_sum, {})
        started, visits = time.monotonic(), self.pool.visits
        self.pool.run(self.iteration + self.count)
        return (self.pool.visits - visits) / (time.monotonic() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--buckets", type=Path, default=Path("assets/abstraction/full"))
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--minute", type=float, default=60.0, help="seconds of training in each")
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    bucketing = HandBucketing.load(options.buckets)
    tree = build_tree(GameConfig(menu=MENUS["32M"]), bucketing.num_buckets)
    config = MCCFRConfig(num_iterations=10**12, batch_size=options.batch)
    pools = [
        WorkerPool(config, tree, bucketing, num_workers=options.workers, warn=print)
        for _ in range(2)
    ]
    try:
        control = Control(pools[1])
        train(pools[0], WARM_SECONDS)
        print("minute   iterations   M nodes/s   control   ratio   of the first   memory, MB")
        first = None
        for minute in range(1, options.minutes + 1):
            speeds, controls = [], []
            for _ in range(max(1, round(options.minute / SLICE_SECONDS))):
                speeds.append(train(pools[0], SLICE_SECONDS))
                controls.append(control.rate())
            ratio = statistics.median(a / b for a, b in zip(speeds, controls, strict=True))
            first = first or ratio
            print(
                f"{minute:>6} {pools[0].iteration:>12,} {statistics.median(speeds) / 1e6:>11.1f} "
                f"{statistics.median(controls) / 1e6:>9.1f} {ratio:>7.3f} {ratio / first:>14.3f} "
                f"{memory() / 1e6:>12,.1f}",
                flush=True,
            )
    finally:
        for pool in pools:
            pool.close()


def train(pool: WorkerPool, seconds: float) -> float:
    """Train for *seconds*; return the nodes a second."""
    started, visits = time.monotonic(), pool.visits
    while time.monotonic() - started < seconds:
        pool.run(pool.iteration + 10_000)
    return (pool.visits - visits) / (time.monotonic() - started)


def memory() -> int:
    """Bytes that both pools, the parent included, take."""
    processes = [psutil.Process(), *psutil.Process().children()]
    own = sum(each.memory_info().rss - each.memory_info().shared for each in processes)
    files = segment_folder().glob(f"holdem-*-{os.getpid()}-*")
    return own + sum(512 * path.stat().st_blocks for path in files)


if __name__ == "__main__":
    main()
