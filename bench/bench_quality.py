"""What a second worker is worth in quality: exploitability after the same wall time, 1 and 2.

    python -m bench.bench_quality [--seconds 4] [--seeds 3] [--workers 2] [--batches 100 1000]

One process and a pool train the same small games, in slices by turns, so that a machine
whose speed drifts does not favour anybody; only a slice's own time counts, and the exact
exploitability is taken between slices. Printed: chips per hand, the geometric mean over
the seeds, and what the pool has left of the one process's.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time

from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.game.games import leduc
from holdem.game.tree import BettingTree
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.mccfr.engine import Engine, LocalEngine
from holdem.mccfr.pool import WorkerPool
from holdem.types import MCCFRConfig
from tests.reference.games import NO_LIMIT, one_card, tree_of

GAMES = {
    "Leduc": leduc(),
    "no-limit Leduc, 10 chips": NO_LIMIT["nl_leduc_blind2-1_stack10"],
    "no-limit Leduc, 13 ranks": one_card(10, ranks=13, suits=2, blinds=(1, 2), public=True),
}
POINTS = 4
"""Of a curve, each at twice the time of the one before."""
SLICE_SECONDS = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each, at the last point")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--games", type=int, nargs="+", default=list(range(len(GAMES))))
    options = parser.parse_args()
    times = [options.seconds / 2**i for i in reversed(range(POINTS))]
    for name, game in [list(GAMES.items())[i] for i in options.games]:
        tree = tree_of(game)
        for batch in options.batches:
            curves = [
                curve(tree, batch, seed, options.workers, times) for seed in range(options.seeds)
            ]
            print(f"{name}: {tree.num_slots:,} slots, batch size {batch:,}", flush=True)
            for i, seconds in enumerate(times):
                done, found = (
                    {
                        engine: statistics.geometric_mean(points[i][engine][k] for points in curves)
                        for engine in ("one", "many")
                    }
                    for k in (0, 1)
                )
                print(
                    f"  {seconds:5.2f} s   one {found['one']:.5f}   {options.workers} workers "
                    f"{found['many']:.5f}   {found['many'] / found['one']:.2f} of it, "
                    f"by {done['many'] / done['one']:.2f} times the iterations",
                    flush=True,
                )


def curve(
    tree: BettingTree, batch: int, seed: int, workers: int, times: list[float]
) -> list[dict[str, tuple[int, float]]]:
    """Iterations and exploitability of both at each of *times*."""
    config = MCCFRConfig(num_iterations=10**12, batch_size=batch, seed=seed)
    evaluator = PolicyEvaluator(tree)
    engines: dict[str, Engine] = {
        "one": LocalEngine(config, tree, None),
        "many": WorkerPool(config, tree, None, num_workers=workers, warn=print),
    }
    spent = dict.fromkeys(engines, 0.0)
    points = []
    try:
        for until in times:
            while min(spent.values()) < until:
                for name, engine in engines.items():
                    spent[name] += train(engine, min(SLICE_SECONDS, until - spent[name]))
            points.append(
                {
                    name: (engine.iteration, exploitability(evaluator, tree, engine))
                    for name, engine in engines.items()
                }
            )
    finally:
        for engine in engines.values():
            engine.close()
    return points


def train(engine: Engine, seconds: float) -> float:
    """Train for about *seconds*; return how long it took."""
    started = time.perf_counter()
    stretch = 1_000
    while (spent := time.perf_counter() - started) < seconds:
        before = time.perf_counter()
        engine.run(engine.iteration + stretch)
        rate = stretch / (time.perf_counter() - before)
        stretch = max(1, math.ceil(rate * min(0.01, seconds - spent)))
    return time.perf_counter() - started


def exploitability(evaluator: PolicyEvaluator, tree: BettingTree, engine: Engine) -> float:
    provenance = Provenance(iterations=engine.iteration, seed=0)
    policy = Blueprint.from_table(tree, engine.words(), provenance)
    return evaluator.evaluate(policy).exploitability


if __name__ == "__main__":
    main()
