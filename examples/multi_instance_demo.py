"""Many instances of one training run, in under a minute: what they do, and what adding them gives.

    python examples/multi_instance_demo.py

Trains Leduc poker, whose solution is known, with four independent instances; adds them with
what `holdem merge` uses; and says how exploitable each of them is, their sum, and one run
that did all their iterations by itself. Everything is left in a folder to look at.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from holdem.cli.terminal import run_command
from holdem.evaluation.exploitability import exploitability
from holdem.game.games import leduc
from holdem.mccfr import merge
from holdem.mccfr.blueprint import Blueprint
from holdem.mccfr.merge_sources import select
from holdem.mccfr.multi_instance_coordinator import (
    MultiInstanceCoordinator,
    SilentInstancesObserver,
)
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import MCCFRConfig

INSTANCES = 4


class Printer(SilentInstancesObserver):
    """Prints a line about once a second: how far each instance is."""

    def progressed(self, records):
        print("  " + "   ".join(f"{one.instance_id}: {one.progress_pct:6.2f} %" for one in records))

    def warned(self, message):
        print(f"  note: {message}")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iters", type=int, default=2_000_000, help="of all instances together")
    parser.add_argument("--logdir", type=Path, help="where the files go; by default a new folder")
    options = parser.parse_args(argv)
    folder = options.logdir or Path(tempfile.mkdtemp(prefix="holdem-demo-"))
    config = MCCFRConfig(num_iterations=options.iters, snapshot_interval_seconds=5, seed=42)

    print(f"1. {INSTANCES} instances of Leduc poker divide {options.iters:,} iterations.")
    print("   Each is a process with a table of its own; they share nothing.")
    coordinator = MultiInstanceCoordinator(
        config, bucketing=None, game=leduc(), num_instances=INSTANCES
    )
    run = folder / "many"
    result = coordinator.train(run, observer=Printer())
    for one in result.instances:
        print(
            f"   instance {one.instance_id}: iterations {one.start_iter + 1:,} to "
            f"{one.end_iter:,}, {one.status}"
        )

    print("2. `holdem merge` adds their regrets and strategies, each by its own iterations.")
    selection = select([run])
    merge.write(selection, folder / "merged")
    print(f"   {selection.iterations:,} iterations in {folder / 'merged'}")

    print("3. One run, for comparison, does all the iterations by itself.")
    MCCFRSolver(config, bucketing=None, game=leduc()).train(folder / "one", use_tensorboard=False)

    print("4. How much a perfect opponent wins against each, in milli-antes per hand:")
    for i in range(INSTANCES):
        print(f"   instance {i:<16}{mantes(run / f'instance_{i}'):8.1f}")
    print(f"   merged                  {mantes(folder / 'merged'):8.1f}")
    print(f"   one run                 {mantes(folder / 'one'):8.1f}")
    print(
        "   In the sum the chance errors of its parts average out. One run is better still: it\n"
        "   learned from its own mistakes four times as long. Where one run can use all cores\n"
        "   (--num-workers), let it; where it cannot, as on several machines, instances and a\n"
        "   merge are the way. docs/multi_instance.md has more figures."
    )
    print(f"5. Look around in {folder}:")
    print(f"   holdem monitor {run} --once")
    print(f"   tensorboard --logdir {run}")
    print(f"   holdem train --resume-from {folder / 'merged'} --time-budget 60")
    return 0


def mantes(folder):
    """Exploitability of the policy in *folder*, in thousandths of an ante per hand."""
    policy = Blueprint.load(folder)
    return 1000 * exploitability(policy) / policy.tree.game.big_blind


if __name__ == "__main__":  # instances import this file too
    sys.exit(run_command("multi_instance_demo.py", main, None))  # mistakes in two lines
