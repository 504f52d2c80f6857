"""What a bucket set will cost, from its config alone: seconds, memory and disk.

Seconds are the kernels' speeds, measured for a moment on this machine, times how often
each is called; the machine's other work counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdem import storage
from holdem._core import cluster as kernel
from holdem._core import features
from holdem.abstraction.bucketing import table_dtype
from holdem.abstraction.features import METRICS, boards_of
from holdem.errors import ResourceError
from holdem.machine import available_memory, usable_cores
from holdem.types import CANONICAL_HANDS, BucketConfig

_INTERPRETER_BYTES = 80_000_000
_VALUES_BYTES = 134_459 * 1326 * 2
_PROBE_BOARDS = 48
_PROBE_POINTS = 1024
_DIMS = (features.BINS, features.BINS, features.BINS, features.GROUPS)

# Seconds of one core by stage, assigning apart, in units of what the river values of all
# boards take while nothing is written to memory; from bench/bench_cluster.py.
_VALUES_COST = 1.7
_CLASSES_COST = 1.6
_MEASURING_COST = (0.0, 2.4, 1.8, 8.3)
# To move a centre, for each of its points.
_MOVING_COST = (0.0, 230e-9, 230e-9, 25e-9)
# Seeding, for each point and the square root of the number of centres.
_SEEDING_COST = 90e-9
# The nearest of k centres takes (k / 64)^0.45 times as long to find as that of 64.
_FEW = 64
_GROWTH = 0.45


@dataclass(frozen=True, slots=True)
class Costs:
    """What a build takes.

    Attributes:
        seconds: of time, about.
        memory_bytes: at the highest point.
        disk_bytes: of the finished set.
        building_disk_bytes: while it is built: the finished stages lie beside the set.
    """

    seconds: float
    memory_bytes: int
    disk_bytes: int
    building_disk_bytes: int


def estimate(config: BucketConfig, num_workers: int = 0) -> Costs:
    """Return what building the set of *config* costs on this machine; takes about 0.1 s."""
    streets = range(config.num_streets)
    tables = table_bytes(config)
    sample = max(min(config.hands, CANONICAL_HANDS[street]) for street in streets)
    # Points, weights, distances and the order by cluster.
    fitting = sample * (2 * features.BINS + 40)
    workers = num_workers or usable_cores()
    shared, alone = _core_seconds(config)
    return Costs(
        seconds=shared / min(workers, usable_cores()) + alone,
        memory_bytes=_INTERPRETER_BYTES + _VALUES_BYTES + tables + fitting + workers * 20_000_000,
        disk_bytes=tables + 300_000,
        building_disk_bytes=2 * (tables + 300_000),
    )


def table_bytes(config: BucketConfig) -> int:
    """Return the size of the tables of the set of *config*."""
    return sum(
        CANONICAL_HANDS[street] * np.dtype(table_dtype(config.bucket_counts[street])).itemsize
        for street in range(config.num_streets)
    )


def require(costs: Costs, path: Path) -> None:
    """Refuse what cannot fit in memory, or on the disk of *path*.

    Raises:
        ResourceError: it cannot.
    """
    available = available_memory()
    if costs.memory_bytes > available:
        raise ResourceError(
            f"building needs {storage.format_bytes(costs.memory_bytes)} of memory; "
            f"{storage.format_bytes(available)} is available",
            "end other programs, or build on another machine and copy the folder",
        )
    storage.require_free_space(path, costs.building_disk_bytes, "building the bucket set")


def _core_seconds(config: BucketConfig) -> tuple[float, float]:
    """Return the seconds that all stages take: of work that cores share, and of one core alone."""
    boards = boards_of(3).cards
    probe = boards[:: len(boards) // _PROBE_BOARDS].copy()
    values = np.empty((len(probe), 1326), np.uint16)
    all_values = _seconds(lambda: features.river_values(probe, 1, values))
    all_values *= len(boards) / len(probe)
    shared, alone = all_values * (_VALUES_COST + _CLASSES_COST), 0.0
    for street in range(1, config.num_streets):
        hands = min(config.hands, CANONICAL_HANDS[street])
        # A hand is compared with the centres of its board's kind.
        kinds = config.kind_counts[street]
        num_centres = config.bucket_counts[street] / kinds
        assigning = _seconds_per_point(street, num_centres)
        steps = config.restarts * config.fit_iterations
        # To tell the kinds, all hands are measured once more.
        measured = 1 + hands / CANONICAL_HANDS[street] + (kinds > 1)
        shared += all_values * _MEASURING_COST[street] * measured
        shared += assigning * (CANONICAL_HANDS[street] + hands * steps)
        shared += all_values * _MOVING_COST[street] * hands * steps
        alone += all_values * _SEEDING_COST * hands * config.restarts * num_centres**0.5
    return shared, alone


def _seconds_per_point(street: int, num_centres: float) -> float:
    """Return about how long it takes to find the nearest of so many centres."""
    rng = np.random.default_rng(0)
    points = rng.integers(46, size=(_PROBE_POINTS, _DIMS[street]), dtype=np.int16)
    labels = np.empty(_PROBE_POINTS, np.uint16)
    distances = np.empty(_PROBE_POINTS, np.int32)
    nearest = kernel.Nearest(points[:_FEW], METRICS[street])
    seconds = _seconds(lambda: nearest.assign(points, labels, distances))
    times: float = max(1.0, num_centres / _FEW) ** _GROWTH
    return seconds / _PROBE_POINTS * times


def _seconds(job: Callable[[], None]) -> float:
    """Return the time of the fastest of three calls."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return min(times)
