"""Kinds of boards: alike boards are of one kind, and each kind has buckets of its own."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from holdem.abstraction import costs
from holdem.abstraction.board_kinds import board_points, kinds_of_boards
from holdem.abstraction.bucketing import HandBucketing, join_buckets
from holdem.abstraction.features import (
    HandFeatures,
    Hands,
    all_hands,
    boards_of,
)
from holdem.abstraction.workers import Workers
from holdem.game.cards import CLASS_OF_HOLE, HOLES
from holdem.types import BucketConfig
from tests.test_bucketing import EVERY, SMALL, Notes, build, bytes_of

KINDS = dataclasses.replace(SMALL, kinds_flop=3, kinds_turn=7, kinds_river=4)
STREETS = [1, 2, 3]


@pytest.fixture(scope="module")
def measures():
    with Workers() as workers:
        return HandFeatures(1, workers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sets") / "kinds"
    build(KINDS, path)
    return path


def buckets_by_board(bucketing, street):
    """Yield the buckets of a few hands of every board that the set was built on."""
    boards = boards_of(street).part(slice(None, None, EVERY))
    hands = all_hands(boards, 0, len(boards.cards))
    for row, board in enumerate(hands.boards.tolist()):
        holes = hands.holes[hands.offsets[row] : hands.offsets[row + 1]]
        yield {bucketing.bucket(HOLES[hole], board) for hole in holes[:: len(holes) // 12]}


@pytest.mark.parametrize("street", STREETS)
def test_a_point_is_the_plain_mean_over_all_real_hands(street, measures):
    """The canonical hands by their weights against each of 1,326 holes that the board leaves."""
    boards = boards_of(street)
    row = len(boards.cards) // 3
    boards = boards.part(slice(row, row + 1))
    board = boards.cards[0]
    free = [hole for hole in range(1326) if not {*HOLES[hole]} & {*board}]
    holes = np.array(free, np.uint16)
    hands = Hands(boards.cards, np.array([0, len(holes)]), holes, np.ones(len(holes), np.int64))
    equities = measures.measure(street, hands)[1].astype(float)
    classes = CLASS_OF_HOLE[holes]
    groups = measures.groups[classes]
    means = [equities[groups == group].mean() for group in range(8)]
    deviations = equities - [equities[classes == one].mean() for one in classes]
    spreads = [np.sqrt((deviations[groups == group] ** 2).mean()) for group in range(8)]
    expected = [*(mean / 8 for mean in means), *(spread / 4 for spread in spreads)]

    canonical = all_hands(boards, 0, 1)
    found = board_points(canonical, measures.measure(street, canonical)[1], measures.groups)

    assert found.shape == (1, 16)
    assert np.all(np.abs(found[0] - expected) <= 1)


def test_boards_that_play_alike_are_of_one_kind(measures):
    """Flops of one suit and of three, without a pair."""
    boards = boards_of(1)
    suits = np.array([len({card % 4 for card in board}) for board in boards.cards.tolist()])
    ranks = np.array([len({card // 4 for card in board}) for board in boards.cards.tolist()])
    chosen = (ranks == 3) & (suits != 2)
    boards = boards.part(chosen)
    with Workers(1) as workers:
        kinds = kinds_of_boards(boards, 20, measures, seed=1, workers=workers)

    assert kinds.shape == (len(boards.cards),)
    assert set(kinds.tolist()) == set(range(20))
    of_one_suit = suits[chosen] == 1
    mixed = sum(len(set(of_one_suit[kinds == kind].tolist())) == 2 for kind in range(20))
    assert mixed <= 4  # a flush is the largest difference between flops


@pytest.mark.parametrize("street", STREETS)
def test_a_board_has_the_buckets_of_its_kind(street, folder):
    bucketing = HandBucketing.load(folder)
    k, kinds = KINDS.bucket_counts[street], KINDS.kind_counts[street]
    firsts = np.array([kind * k // kinds for kind in range(kinds + 1)])

    found = [
        set((np.searchsorted(firsts, [*buckets], side="right") - 1).tolist())
        for buckets in buckets_by_board(bucketing, street)
    ]

    assert all(len(one) == 1 for one in found)
    assert set.union(*found) == set(range(kinds))


@pytest.mark.parametrize("street", STREETS)
def test_buckets_of_a_kind_go_from_weak_to_strong(street, folder):
    bucketing = HandBucketing.load(folder)
    means = bucketing.mean_equities(street)
    k, kinds = KINDS.bucket_counts[street], KINDS.kind_counts[street]
    for kind in range(kinds):
        own = means[kind * k // kinds : (kind + 1) * k // kinds]
        own = own[~np.isnan(own)]
        ranks = np.argsort(np.argsort(own))
        assert len(own) >= 3
        assert np.corrcoef(ranks, np.arange(len(own)))[0, 1] > 0.95
    boards = boards_of(street)
    num_cards = boards.cards.shape[1]
    holes = (52 - num_cards) * (51 - num_cards) // 2
    assert bucketing.tally(street)[:, 1].sum() == boards.copies[::EVERY].sum() * holes


@pytest.mark.parametrize("street", STREETS)
def test_neighbours_in_strength_are_joined_across_kinds(street, folder):
    bucketing = HandBucketing.load(folder)
    k, means = KINDS.bucket_counts[street], bucketing.mean_equities(street)
    groups = join_buckets(bucketing, street, k, 4)

    assert np.ptp(np.bincount(groups, minlength=4)) <= 1
    held = [means[(groups == group) & ~np.isnan(means)] for group in range(4)]
    held = [one for one in held if len(one)]
    assert len(held) >= 3
    assert all(below.max() <= above.min() for below, above in itertools.pairwise(held))


def test_cards_of_one_rank_are_joined_by_number():
    assert join_buckets(None, 1, 6, 4).tolist() == [0, 0, 1, 2, 2, 3]
    assert join_buckets(None, 1, 3, 4).tolist() == [0, 1, 2]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_no_byte(workers, tmp_path, folder):
    build(KINDS, tmp_path / "again", num_workers=workers)
    assert bytes_of(tmp_path / "again") == bytes_of(folder)


def test_one_kind_is_as_without(tmp_path):
    """What was fitted is told by nothing but the numbers of kinds."""
    one = dataclasses.replace(SMALL, num_streets=2, kinds_turn=5)
    other = dataclasses.replace(SMALL, num_streets=2)
    notes = Notes()
    found = build(one, tmp_path / "one", observer=notes)
    assert found.fingerprint == build(other, tmp_path / "other").fingerprint
    assert "flop: kinds of boards" not in notes.stages


def test_progress_covers_every_stage(tmp_path):
    notes = Notes()
    build(dataclasses.replace(KINDS, num_streets=2), tmp_path / "set", observer=notes)
    assert "flop: kinds of boards" in notes.stages
    assert notes.steps == notes.stages


def test_more_kinds_than_boards_that_differ(tmp_path):
    """On every 301st flop there are six; kinds without a board keep empty buckets."""
    config = dataclasses.replace(SMALL, num_streets=2, kinds_flop=12)
    bucketing = build(config, tmp_path / "set")
    tally = bucketing.tally(1)
    assert (tally[:, 1] > 0).sum() == 6
    assert bucketing.summary(1).num_empty == 6


def test_costs_of_kinds():
    """Hands are measured twice, but compared with fewer centres."""
    many = BucketConfig(k_flop=5_000, k_turn=5_000, k_river=5_000)
    kinds = dataclasses.replace(many, kinds_flop=50, kinds_turn=50, kinds_river=50)
    assert costs.estimate(kinds).seconds < costs.estimate(many).seconds
    assert costs.estimate(kinds).disk_bytes == costs.estimate(many).disk_bytes
