"""The clustering: each kernel against a loop, and what Lloyd's algorithm promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdem._core import cluster as kernel
from holdem.abstraction.clustering import CITY_BLOCK, SQUARED, cluster
from holdem.abstraction.workers import Workers
from holdem.errors import ConfigError
from tests.reference import kmeans as reference

METRICS = pytest.mark.parametrize("metric", [CITY_BLOCK, SQUARED], ids=["city-block", "squared"])
ALL_LANES = [lanes for lanes in (1, 4, 8, 16) if lanes <= kernel.LANES]


@st.composite
def problems(draw, most_points=12):
    """Points, centres and a metric; few values, so that there are ties."""
    dims = 2 * draw(st.integers(1, 4))
    metric = draw(st.sampled_from([CITY_BLOCK, SQUARED]))
    most = draw(st.sampled_from([2, 46, kernel.MAX_SQUARED if metric == SQUARED else 32767]))
    row = st.lists(st.integers(0, most), min_size=dims, max_size=dims)
    points = draw(st.lists(row, min_size=1, max_size=most_points))
    centres = draw(st.lists(row, min_size=1, max_size=70))
    return np.array(points, np.int16), np.array(centres, np.int16), metric


def assign(points, centres, metric, lanes=0):
    labels = np.empty(len(points), np.uint16)
    distances = np.empty(len(points), np.int32)
    kernel.Nearest(centres, metric, lanes).assign(points, labels, distances)
    return labels, distances


def assert_nearest(points, centres, metric):
    """On every instruction set each point has its nearest centre, by comparing all with all."""
    gaps = np.abs(points[:, None].astype(np.int64) - centres[None])
    expected = (gaps**2 if metric == SQUARED else gaps).sum(axis=2)
    for lanes in ALL_LANES:
        labels, distances = assign(points, centres, metric, lanes)
        assert np.array_equal(expected.argmin(axis=1), labels)
        assert np.array_equal(expected.min(axis=1), distances)


def blobs(num_points=3000, dims=6, num_blobs=7, most=1000, seed=1):
    """Weighted points around a few places."""
    rng = np.random.default_rng(seed)
    places = rng.integers(100, most - 100, (num_blobs, dims))
    points = places[rng.integers(num_blobs, size=num_points)] + rng.integers(
        -60, 61, (num_points, dims)
    )
    return points.astype(np.int16), rng.integers(1, 25, num_points)


def fit(points, weights, k, metric, workers=2, **changes):
    settings = {"seed": (5,), "restarts": 2, "iterations": 30} | changes
    with Workers(workers) as pool:
        return cluster(points, weights, k, metric, workers=pool, **settings)


# -- kernels -----------------------------------------------------------------------------------


@given(problems())
@settings(deadline=None)
def test_assign_finds_the_nearest_on_every_instruction_set(problem):
    points, centres, metric = problem
    labels, distances = reference.nearest(points, centres, squared=metric == SQUARED)

    for lanes in ALL_LANES:
        found = assign(points, centres, metric, lanes)
        assert labels == found[0].tolist()
        assert distances == found[1].tolist()


@METRICS
def test_assign_agrees_among_instruction_sets_on_realistic_sizes(metric):
    rng = np.random.default_rng(3)
    points = rng.integers(0, 1082, (500, 50), np.int16)
    centres = rng.integers(0, 1082, (203, 50), np.int16)

    assert_nearest(points, centres, metric)


@METRICS
def test_assign_skips_no_centre_that_could_be_nearest(metric):
    """Centres that lie along a line, as hands do by their equity: few are looked at."""
    rng = np.random.default_rng(4)

    def hands(count):
        means = rng.uniform(0, 1082, (count, 1))
        return np.clip(means + rng.normal(0, 60, (count, 50)), 0, 1081).astype(np.int16)

    assert_nearest(hands(300), hands(1500), metric)


@given(problems(most_points=40), st.data())
@settings(deadline=None)
def test_seeding_chooses_by_weight_times_distance(problem, data):
    points, _, metric = problem
    weights = np.array(
        data.draw(st.lists(st.integers(1, 24), min_size=len(points), max_size=len(points)))
    )
    seeding = kernel.Seeding(points, weights, metric)
    centres: list[int] = []

    for _ in range(8):
        masses = reference.masses(points, weights, centres, squared=metric == SQUARED)
        assert seeding.total == sum(masses)
        if seeding.total == 0:
            break
        mass = data.draw(st.integers(0, seeding.total - 1))
        centres.append(reference.chosen(masses, mass))
        assert seeding.choose(mass) == centres[-1]
        seeding.add(centres[-1])


@METRICS
def test_seeding_keeps_its_masses_over_many_blocks(metric):
    points, weights = blobs(num_points=5000)
    seeding = kernel.Seeding(points, weights, metric)
    chosen: list[int] = []
    rng = np.random.default_rng(6)
    for _ in range(200):
        chosen.append(seeding.choose(int(rng.integers(seeding.total))))
        seeding.add(chosen[-1])

    masses = weights * assign(points, points[chosen], metric)[1].astype(np.int64)
    assert seeding.total == masses.sum()
    ends = np.cumsum(masses)
    for mass in rng.integers(seeding.total, size=200):
        assert seeding.choose(int(mass)) == np.searchsorted(ends, mass, side="right")


def test_seeding_refuses_what_it_cannot_do():
    points, weights = np.array([[0, 0], [3, 0]], np.int16), np.array([1, 2])
    seeding = kernel.Seeding(points, weights, CITY_BLOCK)

    assert seeding.total == 3
    with pytest.raises(ValueError, match="0 to 2"):
        seeding.choose(3)
    with pytest.raises(ValueError, match="point 2 of 2"):
        seeding.add(2)
    with pytest.raises(ValueError, match="2 points and 1 weights"):
        kernel.Seeding(points, weights[:1], CITY_BLOCK)
    with pytest.raises(ValueError, match="0 points"):
        kernel.Seeding(points[:0], weights[:0], CITY_BLOCK)


@pytest.mark.parametrize(
    ("weights", "metric", "message"),
    [
        ([1, 0], CITY_BLOCK, "point 1 has weight 0"),
        ([-5, 1], SQUARED, "point 0 has weight -5"),
        ([2**59, 2**59], CITY_BLOCK, "point 1 .* at most"),
        ([2**56, 2**56], SQUARED, "point 1 .* at most"),
    ],
)
def test_seeding_refuses_weights_that_it_cannot_sum(weights, metric, message):
    """Points that are 10 apart: masses are up to 10 or 100 times the weight."""
    with pytest.raises(ValueError, match=message):
        kernel.Seeding(np.array([[0, 0], [0, 10]], np.int16), np.array(weights), metric)


@METRICS
def test_seeding_sums_the_largest_weights_that_fit(metric):
    points, farthest = np.array([[0, 0], [0, 10]], np.int16), 100 if metric == SQUARED else 10
    most = (2**63 - 1) // farthest
    seeding = kernel.Seeding(points, np.array([1, most - 1]), metric)
    seeding.add(0)

    assert seeding.total == (most - 1) * farthest
    assert seeding.choose(seeding.total - 1) == 1


def test_seeding_keeps_its_own_weights():
    points, weights = np.array([[0, 0], [3, 0], [9, 0]], np.int16), np.array([1, 2, 3])
    seeding = kernel.Seeding(points, weights, CITY_BLOCK)
    weights[:] = -(10**15)

    assert [seeding.choose(mass) for mass in range(6)] == [0, 1, 1, 2, 2, 2]


@METRICS
def test_update_refuses_weights_that_it_cannot_sum(metric):
    points, labels = np.full((4, 2), kernel.MAX_SQUARED, np.int16), np.zeros(4, np.uint16)
    centres, masses = np.zeros((1, 2), np.int16), np.zeros(1, np.int64)
    rest = np.ones(3, np.int64)
    for weight in (2**62, 2**61, kernel.MAX_WEIGHT - 2, 0, -1):
        with pytest.raises(ValueError, match="has weight"):
            kernel.update_centres(
                points, np.array([*rest, weight]), labels, metric, centres, masses, 0, 1
            )
    most = np.array([*rest, kernel.MAX_WEIGHT - 3])
    kernel.update_centres(points, most, labels, metric, centres, masses, 0, 1)

    assert centres.tolist() == [[kernel.MAX_SQUARED] * 2]
    assert masses.tolist() == [kernel.MAX_WEIGHT]


@given(problems(most_points=40), st.data())
@settings(deadline=None)
def test_update_puts_each_centre_where_its_points_cost_least(problem, data):
    points, centres, metric = problem
    k = min(len(centres), 5)
    centres = centres[:k].copy()
    labels = np.array(
        data.draw(st.lists(st.integers(0, k - 1), min_size=len(points), max_size=len(points))),
        np.uint16,
    )
    weights = np.array(
        data.draw(st.lists(st.integers(1, 5), min_size=len(points), max_size=len(points)))
    )
    moved, masses = centres.copy(), np.full(k, -1, np.int64)
    for start in range(k):  # a thread's share each
        kernel.update_centres(points, weights, labels, metric, moved, masses, start, start + 1)

    for c in range(k):
        mine = labels == c
        assert masses[c] == weights[mine].sum()
        if not mine.any():
            assert np.array_equal(centres[c], moved[c])
            continue
        squared = metric == SQUARED
        best = reference.cost_of(moved[c], points[mine], weights[mine], squared=squared)
        for j in range(points.shape[1]):
            if not squared:
                assert moved[c, j] == reference.lower_median(points[mine, j], weights[mine])
            for step in (-1, 1):
                other = moved[c].astype(int)
                other[j] += step
                assert best <= reference.cost_of(
                    other, points[mine], weights[mine], squared=squared
                )


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=12))
def test_city_block_of_cumulative_histograms_is_the_earth_movers_distance(pairs):
    """Both histograms are topped up in their last bin, so that their sums agree."""
    one, other = np.array(pairs).T
    gap = one.sum() - other.sum()
    one, other = np.append(one, max(-gap, 0)), np.append(other, max(gap, 0))

    assert reference.earth_movers(one, other) == reference.distance(
        np.cumsum(one), np.cumsum(other), squared=False
    )


def test_record_writes_buckets_and_counts_them():
    labels = np.array([2, 0, 2], np.uint16)
    table, tally = np.full(6, 9, np.uint8), np.zeros((3, 4), np.int64)

    kernel.record(
        labels,
        np.array([5, 0, 3]),
        np.array([4, 24, 12]),
        np.array([32768, 7, 100], np.uint16),
        table,
        tally,
    )

    assert table.tolist() == [0, 9, 9, 2, 9, 2]
    assert tally.tolist() == [
        [1, 24, 24 * 7, 24 * 49],
        [0, 0, 0, 0],
        [2, 16, 4 * 32768 + 1200, 4 * 32768**2 + 12 * 100**2],
    ]


@pytest.mark.parametrize("wrong", [{"indices": [6]}, {"indices": [-1]}, {"labels": [3]}])
def test_record_refuses_what_is_out_of_range(wrong):
    given = {"labels": [0], "indices": [0]} | wrong
    with pytest.raises(ValueError, match="hand 0"):
        kernel.record(
            np.array(given["labels"], np.uint16),
            np.array(given["indices"]),
            np.array([1]),
            np.array([1], np.uint16),
            np.zeros(6, np.uint8),
            np.zeros((3, 4), np.int64),
        )


def test_record_refuses_a_bucket_that_the_table_cannot_hold():
    for dtype in (np.uint8, np.uint16):
        table, tally = np.zeros(6, dtype), np.zeros((400, 4), np.int64)
        hand = np.array([300], np.uint16), np.array([2]), np.array([1]), np.array([7], np.uint16)
        if dtype == np.uint8:
            with pytest.raises(ValueError, match="bucket 300 of 256"):
                kernel.record(*hand, table, tally)
            assert not tally.any()
        else:
            kernel.record(*hand, table, tally)
            assert table[2] == 300


@pytest.mark.parametrize(
    ("points", "centres", "metric", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 3)), CITY_BLOCK, "even"),
        (np.zeros((2, 4)), np.zeros((2, 2)), CITY_BLOCK, "centres' 2 dimensions, not 4"),
        (np.zeros((2, 2)), np.zeros((0, 2)), CITY_BLOCK, "centres"),
        (np.full((2, 2), -1), np.zeros((2, 2)), CITY_BLOCK, "0 to 32767"),
        (np.zeros((2, 2)), np.full((2, 2), 4096), SQUARED, "0 to 4095"),
        (np.zeros((2, 2)), np.zeros((2, 2)), 7, "metric"),
        (np.zeros((2, 130)), np.zeros((2, 130)), SQUARED, "at most 128 dimensions"),
        (np.zeros((2, 65540)), np.zeros((2, 65540)), CITY_BLOCK, "at most 65538 dimensions"),
    ],
)
def test_assign_refuses_what_it_cannot_sum(points, centres, metric, message):
    with pytest.raises(ValueError, match=message):
        assign(points.astype(np.int16), centres.astype(np.int16), metric)


def test_the_most_dimensions_do_not_overflow():
    points = np.full((1, kernel.MAX_CITY_BLOCK_DIMS), 32767, np.int16)
    for lanes in ALL_LANES:
        labels, distances = assign(points, np.zeros_like(points), CITY_BLOCK, lanes)
        assert distances.tolist() == [32767 * kernel.MAX_CITY_BLOCK_DIMS]
        assert labels.tolist() == [0]


def test_assign_refuses_lanes_that_do_not_exist():
    with pytest.raises(ValueError, match="lanes"):
        assign(np.zeros((2, 2), np.int16), np.zeros((2, 2), np.int16), CITY_BLOCK, 3)


# -- fitting -----------------------------------------------------------------------------------


@METRICS
def test_no_step_raises_the_objective(metric):
    points, weights = blobs()
    found = fit(points, weights, 20, metric)

    assert len(found.history) > 3
    assert all(
        later <= earlier for earlier, later in zip(found.history, found.history[1:], strict=False)
    )
    assert found.objective == found.history[-1]
    squared = metric == SQUARED
    assert found.objective == reference.objective(points, weights, found.centres, squared=squared)
    assert np.array_equal(assign(points, found.centres, metric)[0], found.labels)


@METRICS
def test_the_number_of_workers_changes_nothing(metric):
    points, weights = blobs(num_points=20_000)
    fits = [fit(points, weights, 30, metric, workers) for workers in (1, 2, 3)]

    for other in fits[1:]:
        assert np.array_equal(fits[0].centres, other.centres)
        assert np.array_equal(fits[0].labels, other.labels)
        assert fits[0].history == other.history


@METRICS
def test_separate_blobs_are_found(metric):
    rng = np.random.default_rng(8)
    places = 400 * np.array([[x, y] for x in range(3) for y in range(3)])
    truth = rng.integers(9, size=900)
    points = (places[truth] + rng.integers(0, 40, (900, 2))).astype(np.int16)

    found = fit(points, np.ones(900, np.int64), 9, metric)

    assert len({(a, b) for a, b in zip(truth, found.labels, strict=True)}) == 9


@METRICS
def test_more_restarts_are_never_worse(metric):
    points, weights = blobs(num_blobs=15)
    objectives = [fit(points, weights, 15, metric, restarts=n).objective for n in (1, 3, 6)]

    assert objectives == sorted(objectives, reverse=True)


def test_seeds_differ_and_repeat():
    points, weights = blobs()
    one, again = (fit(points, weights, 12, CITY_BLOCK, seed=(1,)) for _ in range(2))
    other = fit(points, weights, 12, CITY_BLOCK, seed=(2,))

    assert np.array_equal(one.centres, again.centres)
    assert not np.array_equal(one.centres, other.centres)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 0}, "0 centres, wanted 1 to 65,536"),
        ({"k": 65_537}, "65537 centres"),
        ({"restarts": 0}, "0 restarts of 30 iterations"),
        ({"iterations": -1}, "2 restarts of -1 iterations"),
    ],
)
def test_what_cannot_be_fitted_is_refused(changes, message):
    points, weights = blobs(num_points=20)
    with pytest.raises(ConfigError, match=message) as refusal:
        fit(points, weights, **({"k": 2, "metric": CITY_BLOCK} | changes))

    assert refusal.value.remedy
    with pytest.raises(ValueError, match="point 0 has weight 0"):
        fit(points, 0 * weights, 2, CITY_BLOCK)


def test_an_empty_cluster_moves_to_where_it_helps_most(monkeypatch):
    """Two centres begin in the same place: the second never wins a point until it is moved."""
    from holdem.abstraction import clustering

    points = np.array([[0, 0], [2, 0], [500, 0], [502, 0]], np.int16)
    weights = np.array([1, 1, 1, 9])
    monkeypatch.setattr(
        clustering, "_seed_centres", lambda *args: np.array([[0, 0], [0, 0]], np.int16)
    )

    found = fit(points, weights, 2, CITY_BLOCK, restarts=1)

    assert found.labels[0] == found.labels[1] != found.labels[2] == found.labels[3]
    assert found.objective == 2 + 2


def test_fewer_distinct_points_than_centres_leave_centres_empty():
    points = np.array([[1, 1], [5, 5], [1, 1]], np.int16)
    found = fit(points, np.ones(3, np.int64), 6, SQUARED)

    assert found.objective == 0
    assert len(set(found.labels.tolist())) == 2


def test_weights_count_like_repeated_points():
    """The seeding draws other points, so the centres are given: one step from there."""
    points, _ = blobs(num_points=50)
    weights = np.random.default_rng(2).integers(1, 4, 50)
    labels = np.arange(50, dtype=np.uint16) % 4
    repeated = np.repeat(np.arange(50), weights)
    for metric in (CITY_BLOCK, SQUARED):
        one, other = np.zeros((2, 4, 6), np.int16)
        masses = np.zeros(4, np.int64)
        kernel.update_centres(points, weights, labels, metric, one, masses, 0, 4)
        kernel.update_centres(
            points[repeated],
            np.ones(len(repeated), np.int64),
            labels[repeated],
            metric,
            other,
            masses,
            0,
            4,
        )
        assert np.array_equal(one, other)


def test_clusters_are_ordered_by_the_values_of_their_points():
    points = np.array([[0, 0], [100, 0], [200, 0], [201, 0]], np.int16)
    values = np.array([300, 100, 200, 250], np.uint16)
    weights = np.array([1, 1, 1, 3])
    found = fit(points, weights, 3, SQUARED)

    order = found.order_by(values, weights)

    assert [int(found.centres[c, 0]) // 100 for c in order] == [1, 2, 0]


# -- workers -----------------------------------------------------------------------------------


def test_chunks_come_back_in_order_and_cover_everything():
    with Workers(3) as workers:
        found = list(workers.chunks(lambda start, stop: stop - start, 103, 10))

    assert [start for start, _, _ in found] == list(range(0, 103, 10))
    assert sum(size for _, _, size in found) == 103


def test_an_error_in_a_chunk_is_raised():
    def fail(start, stop):
        raise RuntimeError(f"chunk {start}")

    with Workers(2) as workers, pytest.raises(RuntimeError, match="chunk 0"):
        list(workers.chunks(fail, 10, 5))
