"""Many instances beside one: speed, start-up, memory, and what the coordinator costs.

    python -m bench.bench_instances [--buckets PATH] [--menu 32M] [--rounds 5] [--start 8]

Needs a bucket set of 200 buckets a street (``holdem buckets --preset full``). One instance
and several are trained in turns, a few seconds each from the first iteration on; what is
printed are medians over the rounds and of the ratios within a round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from bench.games import MENUS
from holdem.abstraction.bucketing import HandBucketing
from holdem.mccfr.instance_progress import STARTING
from holdem.mccfr.instance_watch import SilentInstancesObserver
from holdem.mccfr.multi_instance_coordinator import MultiInstanceCoordinator
from holdem.types import HEADS_UP_MENU, GameConfig, MCCFRConfig


class Watcher(SilentInstancesObserver):
    """Notes when all instances are training, and what this process and they take then."""

    def __init__(self, bucketing: HandBucketing) -> None:
        self.paths = {str(path.resolve()) for path in bucketing.path.glob("*.npy")}
        self.began = time.monotonic()
        self.all_running = 0.0
        self.buckets = self.sizes = []

    def progressed(self, records) -> None:
        if not self.all_running and all(one.status != STARTING for one in records):
            self.all_running = time.monotonic() - self.began
        if self.all_running and all(one.progress_pct > 60 for one in records) and not self.sizes:
            children = [
                child
                for child in psutil.Process().children()
                if "spawn_main" in " ".join(child.cmdline())
            ]
            self.buckets = [self.of_buckets(child.pid) for child in children]
            self.sizes = [child.memory_full_info() for child in children]

    def of_buckets(self, pid: int) -> tuple[int, int]:
        """Resident and proportional bytes of the mapped bucket tables in a process."""
        rss = pss = 0
        mine = False
        for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
            name, _, value = line.partition(" ")
            if not name.endswith(":"):
                mine = line.split(maxsplit=5)[-1] in self.paths
            elif mine and name in ("Rss:", "Pss:"):
                size = 1024 * int(value.split()[0])
                rss, pss = (rss + size, pss) if name == "Rss:" else (rss, pss + size)
        return rss, pss


def run(bucketing, game, n: int, seconds: float):
    """Train *n* instances for *seconds*; return the result, the watcher and this process's time."""
    config = MCCFRConfig(time_budget_seconds=seconds)
    watcher = Watcher(bucketing)
    before = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        coordinator = MultiInstanceCoordinator(config, bucketing, game=game, num_instances=n)
        watcher.began = time.monotonic()
        result = coordinator.train(Path(folder), observer=watcher)
    return result, watcher, time.process_time() - before


def rate(result) -> float:
    return sum(one.iterations_done / one.elapsed_seconds for one in result.instances)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--buckets", type=Path, default=Path("assets/abstraction/full"))
    parser.add_argument("--menu", choices=["default", *MENUS], default="32M")
    parser.add_argument("--instances", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--start", type=int, default=0, help="only start so many, against one")
    options = parser.parse_args()
    bucketing = HandBucketing.load(options.buckets)
    game = GameConfig(menu=MENUS.get(options.menu, HEADS_UP_MENU))
    if options.start:
        starts(bucketing, game, options)
    else:
        speed(bucketing, game, options)


def speed(bucketing, game, options) -> None:
    rates = {1: [], options.instances: []}
    for _ in range(options.rounds):
        for n, found in rates.items():
            result, watcher, used = run(bucketing, game, n, options.seconds)
            found.append(rate(result))
    n = options.instances
    ratio = statistics.median(many / one for many, one in zip(rates[n], rates[1], strict=True))
    for number, found in rates.items():
        print(f"  {number} instance(s) {statistics.median(found):>9,.0f} iterations a second")
    print(
        f"  {ratio:.2f} times as many; by round",
        *(f"{m / o:.2f}" for m, o in zip(rates[n], rates[1], strict=True)),
    )
    rss, pss = (sum(one[k] for one in watcher.buckets) / 1e6 for k in (0, 1))
    print(f"  buckets in {n} instances: {rss:.0f} MB resident, {pss:.0f} MB proportional")
    size, me = watcher.sizes[0], psutil.Process(os.getpid()).memory_full_info()
    print(f"  an instance: {size.rss / 1e6:.0f} MB, of its own {size.uss / 1e6:.0f} MB")
    print(f"  the coordinator: {me.rss / 1e6:.0f} MB, of its own {me.uss / 1e6:.0f} MB")
    print(f"  and {used / result.elapsed_seconds:.2%} of a core, start and end included")


def starts(bucketing, game, options) -> None:
    for _ in range(options.rounds):
        times = {}
        for n in (1, options.start):
            _, watcher, _ = run(bucketing, game, n, options.seconds)
            times[n] = watcher.all_running
        print("  " + ", ".join(f"{n} training after {t:.1f} s" for n, t in times.items()))


if __name__ == "__main__":
    main()
