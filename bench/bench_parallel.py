"""One process, a pool of one, and pools of more, side by side on the 32-million-slot table.

    python -m bench.bench_parallel [--buckets PATH] [--workers 1 2] [--rounds 5]

Needs a bucket set of 200 buckets a street (``holdem buckets --preset full``). Every engine
is made once and trained for a few seconds; then they take turns, and what is printed are
medians over the rounds and the median of the ratios within a round, so that a machine
whose speed drifts does not favour anybody.

"apart" are as many processes that each train a table of their own and share nothing:
what the machine gives at best. Two cores of a shared machine are seldom worth two.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from pathlib import Path

from bench.games import MENUS
from holdem.abstraction.bucketing import HandBucketing
from holdem.game.tree import BettingTree, build_tree
from holdem.mccfr.engine import Engine, LocalEngine
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
    parser.add_argument("--seconds", type=float, default=ROUND_SECONDS, help="of a round, each")
    options = parser.parse_args()
    bucketing, tree = load(options.buckets)
    print(f"{tree.num_slots:,} slots; iterations a second, and over one process")
    for batch in options.batches:
        config = MCCFRConfig(num_iterations=10**12, batch_size=batch)
        engines = {"in-process": Alone(LocalEngine(config, tree, bucketing))}
        for n in options.workers:
            pool = WorkerPool(config, tree, bucketing, num_workers=n, warn=print)
            engines[f"pool of {n}"] = Alone(pool)
            if n > 1:
                engines[f"{n} apart"] = Apart(options.buckets, batch, n)
        try:
            measure(batch, engines, options.rounds, options.seconds)
        finally:
            for engine in engines.values():
                engine.close()


def load(buckets: Path) -> tuple[HandBucketing, BettingTree]:
    bucketing = HandBucketing.load(buckets, verify=False)
    return bucketing, build_tree(GameConfig(menu=MENUS["32M"]), bucketing.num_buckets)


class Alone:
    """An engine that works while all others wait."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def rate(self, seconds: float) -> float:
        """Iterations a second, from *seconds* of training."""
        return train(self.engine, seconds)

    def close(self) -> None:
        self.engine.close()


class Apart:
    """Processes that share nothing."""

    def __init__(self, buckets: Path, batch: int, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipes, self.processes = [], []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=apart, args=(theirs, buckets, batch), daemon=True)
            process.start()
            self.pipes.append(ours)
            self.processes.append(process)

    def rate(self, seconds: float) -> float:
        for pipe in self.pipes:
            pipe.send(seconds)
        return sum(pipe.recv() for pipe in self.pipes)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.join()


def apart(pipe, buckets: Path, batch: int) -> None:
    bucketing, tree = load(buckets)
    config = MCCFRConfig(num_iterations=10**12, batch_size=batch)
    engine = LocalEngine(config, tree, bucketing)
    while True:
        pipe.send(train(engine, pipe.recv()))


def measure(batch: int, engines: dict, rounds: int, seconds: float) -> None:
    for engine in engines.values():
        engine.rate(WARM_SECONDS)
    rates = {name: [] for name in engines}
    for _ in range(rounds):
        for name, engine in engines.items():
            rates[name].append(engine.rate(seconds))
    base = rates["in-process"]
    for name, found in rates.items():
        ratio = statistics.median(rate / one for rate, one in zip(found, base, strict=True))
        print(f"  batch {batch:>5}  {name:<12} {statistics.median(found):>9,.0f}  {ratio:.2f}")


def train(engine: Engine, seconds: float) -> float:
    started, first = time.monotonic(), engine.iteration
    while time.monotonic() - started < seconds:
        engine.run(engine.iteration + 10_000)
    return (engine.iteration - first) / (time.monotonic() - started)


if __name__ == "__main__":
    main()
