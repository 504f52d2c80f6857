"""Speed of the card abstraction's kernels on one core: ``pytest bench/bench_cluster.py``.

``extra_info`` of each benchmark has nanoseconds per hand, board or point (best round).
"""

import numpy as np
import pytest

from holdem._core import cluster, features
from holdem.abstraction import clustering
from holdem.abstraction.features import (
    METRICS,
    HandFeatures,
    all_hands,
    boards_of,
    sample_hands,
)
from holdem.abstraction.workers import Workers
from holdem.types import STREETS

NUM_BOARDS = (0, 8, 64, 400)


def report(benchmark, count, what):
    nanoseconds = benchmark.stats.stats.min / count * 1e9
    benchmark.extra_info[f"ns_per_{what}"] = round(nanoseconds, 1)
    print(f"\n{benchmark.name}: {nanoseconds:,.1f} ns per {what}")


@pytest.fixture(scope="module")
def measures():
    with Workers() as workers:
        return HandFeatures(1, workers)


def hands_of(street):
    """Hands of boards spread over the street."""
    boards = boards_of(street)
    spread = len(boards.cards) // NUM_BOARDS[street]
    cards = boards.cards[::spread].copy()
    return all_hands(type(boards)(street, cards, boards.copies[::spread]), 0, len(cards))


@pytest.mark.parametrize("street", [1, 2, 3], ids=STREETS[1:])
def test_canonical_holes(benchmark, street):
    hands = hands_of(street)

    benchmark(features.canonical_holes, hands.boards)

    report(benchmark, len(hands.holes), "hand")


def test_river_values(benchmark):
    boards = boards_of(3).cards[::300].copy()
    values = np.empty((len(boards), 1326), np.uint16)

    benchmark(features.river_values, boards, 1, values)

    report(benchmark, len(boards), "board")


@pytest.mark.parametrize("street", [1, 2, 3], ids=STREETS[1:])
def test_measure(benchmark, measures, street):
    hands = hands_of(street)

    benchmark(measures.measure, street, hands)

    report(benchmark, len(hands.holes), "hand")


def spread(points, count):
    """So many of the points, evenly."""
    return points[:: len(points) // count][:count].copy()


@pytest.mark.parametrize("lanes", [n for n in (1, 4, 8, 16) if n <= cluster.LANES])
@pytest.mark.parametrize("street", [2, 3], ids=STREETS[2:])
def test_assign_to_200_centres(benchmark, measures, street, lanes):
    points, _ = measures.measure(street, hands_of(street))
    nearest = cluster.Nearest(spread(points, 200), METRICS[street], lanes)
    points = points[:20_000]
    labels, distances = np.empty(len(points), np.uint16), np.empty(len(points), np.int32)

    benchmark(nearest.assign, points, labels, distances)

    report(benchmark, len(points), "point")


@pytest.mark.parametrize("k", [64, 500, 2_000, 8_000, 20_000])
@pytest.mark.parametrize("street", [1, 2, 3], ids=STREETS[1:])
def test_assign(benchmark, measures, street, k):
    """To centres that lie as those of a set do: most are not looked at."""
    boards = boards_of(street)
    sample = sample_hands(boards, 3 * k, np.random.default_rng(1))
    points = measures.measure(street, sample)[0]
    with Workers() as workers:
        options = {"seed": (1,), "restarts": 1, "iterations": 3, "workers": workers}
        centres = clustering.cluster(points, sample.weights, k, METRICS[street], **options).centres
    nearest = cluster.Nearest(centres, METRICS[street])
    points = spread(measures.measure(street, hands_of(street))[0], 4_000)
    labels, distances = np.empty(len(points), np.uint16), np.empty(len(points), np.int32)

    benchmark(nearest.assign, points, labels, distances)

    report(benchmark, len(points), "point")


@pytest.mark.parametrize("street", [1, 3], ids=[STREETS[1], STREETS[3]])
def test_seed_2000_centres(benchmark, measures, street):
    sample = sample_hands(boards_of(street), 100_000, np.random.default_rng(1))
    points = measures.measure(street, sample)[0]

    def seed():
        rng = np.random.default_rng(2)
        seeding = cluster.Seeding(points, sample.weights, METRICS[street])
        for _ in range(2000):
            seeding.add(seeding.choose(int(rng.integers(seeding.total))))

    benchmark.pedantic(seed, rounds=3)

    report(benchmark, 2000, "centre")


@pytest.mark.parametrize("street", [1, 2, 3], ids=STREETS[1:])
def test_update_200_centres(benchmark, measures, street):
    points, _ = measures.measure(street, hands_of(street))
    centres = spread(points, 200)
    labels, distances = np.empty(len(points), np.uint16), np.empty(len(points), np.int32)
    cluster.Nearest(centres, METRICS[street]).assign(points, labels, distances)
    weights = np.ones(len(points), np.int64)
    masses = np.empty(200, np.int64)

    benchmark(
        cluster.update_centres, points, weights, labels, METRICS[street], centres, masses, 0, 200
    )

    report(benchmark, len(points), "point")


@pytest.mark.parametrize("street", [2, 3], ids=STREETS[2:])
def test_record(benchmark, street):
    hands = hands_of(street)
    n = len(hands.holes)
    rng = np.random.default_rng(0)
    labels = rng.integers(200, size=n, dtype=np.uint16)
    values = rng.integers(32769, size=n, dtype=np.uint16)
    table = np.zeros(n, np.uint8)
    indices = rng.permutation(n)
    tally = np.zeros((200, 4), np.int64)

    benchmark(cluster.record, labels, indices, hands.weights, values, table, tally)

    report(benchmark, n, "hand")
