"""Speed of the card abstraction's kernels on one core: ``pytest bench/bench_cluster.py``.

``extra_info`` of each benchmark has nanoseconds per hand, board or point (best round).
"""

import numpy as np
import pytest

from holdem._core import cluster, features
from holdem.abstraction.features import (
    METRICS,
    HandFeatures,
    all_hands,
    boards_of,
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


@pytest.mark.parametrize("lanes", [n for n in (1, 4, 8, 16) if n <= cluster.LANES])
@pytest.mark.parametrize("street", [2, 3], ids=STREETS[2:])
def test_assign_to_200_centres(benchmark, measures, street, lanes):
    points, _ = measures.measure(street, hands_of(street))
    centres = points[:: len(points) // 200][:200].copy()
    points = points[:20_000]
    labels, distances = np.empty(len(points), np.uint16), np.empty(len(points), np.int32)

    benchmark(cluster.assign, points, centres, METRICS[street], labels, distances, lanes)

    report(benchmark, len(points), "point")


@pytest.mark.parametrize("street", [1, 2, 3], ids=STREETS[1:])
def test_update_200_centres(benchmark, measures, street):
    points, _ = measures.measure(street, hands_of(street))
    centres = points[:: len(points) // 200][:200].copy()
    labels, distances = np.empty(len(points), np.uint16), np.empty(len(points), np.int32)
    cluster.assign(points, centres, METRICS[street], labels, distances)
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
