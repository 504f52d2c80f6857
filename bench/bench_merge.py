"""How good a merge of N runs is beside one run of N times the iterations.

    python -m bench.bench_merge

Exploitability of Leduc poker in milli-antes per hand and of push/fold with 10 big blinds
in milli big blinds, and how far the value is from the known one; means over seeds.
"""

import tempfile
from pathlib import Path

import numpy as np

from holdem._core.equity import preflop_equities
from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.game import games
from holdem.mccfr import merge
from holdem.mccfr.blueprint import Blueprint
from holdem.mccfr.merge_sources import select
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import MCCFRConfig
from tests.test_solver import PreflopBuckets
from tests.vectors import VECTORS

SEEDS = range(1, 6)
PARTS = (2, 4, 8)


def train(folder, game, bucketing, seed, iterations, first=0):
    config = MCCFRConfig(num_iterations=iterations, seed=seed)
    solver = MCCFRSolver(config, bucketing, game=game)
    solver.train(folder, use_tensorboard=False, stream_start=first)
    return folder


def measure(game, bucketing, known, length):
    """Yield (name, mean exploitability, mean error of the value, spread), in milli-units."""
    equities = None if bucketing is None else bucketing.preflop_equities
    found = {}

    def judge(name, folder):
        policy = Blueprint.load(folder)
        value = PolicyEvaluator(policy.tree, preflop_equities=equities).evaluate(policy)
        unit = 1000 / game.big_blind
        error = abs(value.values[0] / game.big_blind - known) * 1000
        found.setdefault(name, []).append((value.exploitability * unit, error))

    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as scratch:
            parts = [
                train(Path(scratch) / f"part{i}", game, bucketing, seed, length, i * length)
                for i in range(max(PARTS))
            ]
            judge("one run", parts[0])
            for number in PARTS:
                out = Path(scratch) / f"merged{number}"
                merge.write(select(parts[:number]), out, bucketing=bucketing)
                judge(f"merge of {number}", out)
                whole = Path(scratch) / f"whole{number}"
                judge(
                    f"one run {number} times as long",
                    train(whole, game, bucketing, seed, number * length),
                )
    for name, rows in found.items():
        values = np.array(rows)
        yield name, values[:, 0].mean(), values[:, 0].std(ddof=1), values[:, 1].mean()


def main():
    buckets = PreflopBuckets(preflop_equities())
    leduc = VECTORS["lp_game_values"]["leduc_limit_2p"]["value_p0"]
    push_fold = VECTORS["pushfold_hu"]["10"]["value_sb_bb"]
    for game, bucketing, known, lengths in (
        (games.leduc(), None, leduc, (20_000, 200_000, 1_000_000)),
        (games.push_fold(10), buckets, push_fold, (20_000, 200_000, 1_000_000)),
    ):
        for length in lengths:
            print(f"{game.name}, runs of {length:,} iterations, {len(SEEDS)} seeds")
            for name, mean, spread, error in measure(game, bucketing, known, length):
                print(f"  {name:<24}{mean:8.2f} +- {spread:5.2f}   value off by {error:6.2f}")


if __name__ == "__main__":
    main()
