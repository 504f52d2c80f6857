"""One process, a pool of one, and pools of more, side by side on the 32-million-slot table.

    python -m bench.bench_parallel [--buckets PATH] [--workers 1 2] [--rounds 5]

Needs a bucket set of 200 buckets a street (``holdem buckets --preset full``). Every engine
is made once and trained for a few seconds; then they take turns, and what is printed are
medians over the rounds and the median of the ratios within a round, so that a machine
whose speed drifts does not favour anybody.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from bench.games import MENUS
from holdem.abstraction.bucketing import HandBucketing
from holdem.game.tree import build_tree
from holdem.mccfr.engine import LocalEngine
from holdem.mccfr.pool import WorkerPool
from holdem.types import GameConfig, MCCFRConfig

WARM_SECONDS = 6.0
ROUND_SECONDS = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--buckets", type=Path, default=Path("assets/abstraction/full"))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    bucketing = HandBucketing.load(options.buckets)
    tree = build_tree(GameConfig(menu=MENUS["32M"]), bucketing.num_buckets)
    print(f"{tree.num_slots:,} slots; iterations a second, and over one process")
    for batch in options.batches:
        config = MCCFRConfig(num_iterations=10**12, batch_size=batch)
        engines = {"in-process": LocalEngine(config, tree, bucketing)}
        for n in options.workers:
            engines[f"pool of {n}"] = WorkerPool(config, tree, bucketing, num_workers=n, warn=print)
        try:
            measure(batch, engines, options.rounds)
        finally:
            for engine in engines.values():
                engine.close()


def measure(batch: int, engines: dict, rounds: int) -> None:
    for engine in engines.values():
        train(engine, WARM_SECONDS)
    rates = {name: [] for name in engines}
    for _ in range(rounds):
        for name, engine in engines.items():
            rates[name].append(train(engine, ROUND_SECONDS))
    base = rates["in-process"]
    for name, found in rates.items():
        ratio = statistics.median(rate / one for rate, one in zip(found, base, strict=True))
        print(f"  batch {batch:>5}  {name:<12} {statistics.median(found):>9,.0f}  {ratio:.2f}")


def train(engine, seconds: float) -> float:
    started, first = time.monotonic(), engine.iteration
    while time.monotonic() - started < seconds:
        engine.run(engine.iteration + 10_000)
    return (engine.iteration - first) / (time.monotonic() - started)


if __name__ == "__main__":
    main()
