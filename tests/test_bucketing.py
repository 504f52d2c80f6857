"""Bucket sets: what is built is right, the same bytes every time, and survives a kill."""

from __future__ import annotations

import dataclasses
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from holdem import storage
from holdem._core import features as kernel
from holdem.abstraction import costs
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.building import (
    PRESETS,
    Silent,
    build_buckets,
    preset,
    preset_path,
)
from holdem.abstraction.features import (
    METRICS,
    HandFeatures,
    Hands,
    boards_of,
)
from holdem.abstraction.workers import Workers
from holdem.errors import CardError, ConfigError, HoldemError, ResourceError, StorageError
from holdem.types import CANONICAL_HANDS, BucketConfig
from tests.reference import features as reference_features
from tests.reference import kmeans as reference

EVERY = 301
SMALL = BucketConfig(
    k_flop=12, k_turn=300, k_river=40, hands=3000, restarts=2, fit_iterations=8, seed=3
)
TWO_STREETS = dataclasses.replace(SMALL, num_streets=2, k_preflop=30)


def made_up_equities(num_workers):
    """In the place of the exact table, which takes seconds."""
    return np.random.default_rng(0).random((169, 169))


def build(config, path, **options):
    given = {"every": EVERY, "class_equities": made_up_equities} | options
    return build_buckets(config, path, **given)


def bytes_of(folder):
    """All files of a folder by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class Notes(Silent):
    """Remembers what it is told."""

    def __init__(self):
        self.stages, self.texts, self.steps = {}, [], {}

    def stage(self, name, total):
        self.stages[name] = total
        self.steps[name] = 0
        self.last = name

    def advance(self, steps):
        self.steps[self.last] += steps

    def say(self, text):
        self.texts.append(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A set of all four streets on a few boards."""
    path = tmp_path_factory.mktemp("sets") / "small"
    build(SMALL, path)
    return path


@pytest.fixture(scope="module")
def two_streets(tmp_path_factory):
    path = tmp_path_factory.mktemp("sets") / "two"
    build(TWO_STREETS, path)
    return path


@pytest.fixture(scope="module")
def measures():
    with Workers() as workers:
        return HandFeatures(1, workers)


# -- what is built -----------------------------------------------------------------------------


def test_a_set_has_a_table_per_street(folder):
    bucketing = HandBucketing.load(folder)

    assert bucketing.num_buckets == (169, 12, 300, 40)
    assert [table.dtype.name for table in bucketing.tables] == ["uint8", "uint8", "uint16", "uint8"]
    assert tuple(len(table) for table in bucketing.tables) == CANONICAL_HANDS
    assert [int(table.max()) for table in bucketing.tables] == [168, 11, 299, 39]
    assert not any(table.flags.writeable for table in bucketing.tables)
    assert np.array_equal(bucketing.preflop_equities, made_up_equities(1))
    assert bucketing.config == SMALL
    assert bucketing.path == folder


def test_lossless_preflop_is_the_class(folder):
    bucketing = HandBucketing.load(folder)

    assert bucketing.tables[0].tolist() == list(range(169))
    assert bucketing.summary(0).explained == 1.0


@pytest.mark.parametrize("street", [1, 2, 3])
def test_every_hand_is_in_the_bucket_of_its_nearest_centre(street, folder, measures):
    bucketing = HandBucketing.load(folder)
    rng = np.random.default_rng(street)
    boards = boards_of(street).cards[::EVERY]
    for board in boards[rng.integers(len(boards), size=15)]:
        free = np.setdiff1d(np.arange(52), board)
        hole = np.sort(rng.choice(free, 2, replace=False))
        holes = np.array([reference_features.hole_index(hole.tolist())], np.uint16)
        hand = Hands(board[None], np.array([0, 1]), holes, np.array([1]))
        points, _ = measures.measure(street, hand)
        labels, _ = reference.nearest(
            points, bucketing.centres(street), squared=METRICS[street] == 1
        )

        assert labels[0] == bucketing.bucket(hole.tolist(), board.tolist())


def test_turn_buckets_follow_from_the_definition_alone(folder):
    bucketing = HandBucketing.load(folder)
    board = boards_of(2).cards[::EVERY][20].tolist()
    hole = [card for card in (50, 21, 8, 3) if card not in board][:2]
    values = reference_features.run_out_values(hole, board)
    point = reference_features.cumulative_histogram(values, kernel.BINS)

    labels, _ = reference.nearest([point], bucketing.centres(2), squared=False)

    assert labels[0] == bucketing.bucket(hole, board)


def test_clustered_preflop_puts_like_classes_together(two_streets):
    bucketing = HandBucketing.load(two_streets)
    summary = bucketing.summary(0)
    means = bucketing.mean_equities(0)

    assert set(bucketing.tables[0].tolist()) == set(range(30))
    assert list(means) == sorted(means)
    assert 0.9 < summary.explained < 1
    assert bucketing.tally(0)[:, 1].sum() == 1326


@pytest.mark.parametrize("street", [1, 2, 3])
def test_higher_buckets_are_stronger_and_tallies_add_up(street, folder):
    bucketing = HandBucketing.load(folder)
    tally, means = bucketing.tally(street), bucketing.mean_equities(street)
    boards = boards_of(street)
    num_cards = boards.cards.shape[1]
    holes = (52 - num_cards) * (51 - num_cards) // 2
    held = ~np.isnan(means)

    assert tally[:, 1].sum() == boards.copies[::EVERY].sum() * holes
    # Ordered by the sample's means; those of all hands hardly differ.
    ranks = np.argsort(np.argsort(means[held]))
    assert np.corrcoef(ranks, np.arange(len(ranks)))[0, 1] > 0.99
    assert means[held][-1] > 0.85
    assert means[held][0] < 0.2


def test_summary_is_the_analysis_of_variance():
    """Two buckets of equal hands explain everything; a mixed one what is left."""
    one = 32768
    tally = np.array([[1, 10, 10 * one, 10 * one**2], [2, 30, 0, 0], [0, 0, 0, 0]])
    summary = summary_of(tally)
    assert summary.explained == 1.0
    assert summary.num_empty == 1
    assert summary.total_variance == pytest.approx(0.25 * 0.75)
    assert (summary.smallest, summary.median, summary.largest) == (0, 0.25, 0.75)

    half = one // 2
    mixed = summary_of(np.array([[2, 20, 10 * one, 10 * one**2], [1, 20, 20 * half, 20 * half**2]]))
    assert mixed.within_variance == pytest.approx(0.125)
    assert mixed.explained == 0.0


def summary_of(tally):
    """Summary of a preflop set with this tally."""
    k = len(tally)
    arrays = {
        "table_preflop": np.zeros(169, np.uint8),
        "tally_preflop": tally,
        "groups": np.zeros(169, np.uint8),
        "preflop_equities": np.zeros((169, 169)),
    }
    return HandBucketing(BucketConfig(num_streets=1, k_preflop=k), arrays).summary(0)


def arrays_of_one_street(**changed):
    arrays = {
        "table_preflop": np.zeros(169, np.uint8),
        "tally_preflop": np.zeros((169, 4), np.int64),
        "groups": np.zeros(169, np.uint8),
        "preflop_equities": np.zeros((169, 169)),
    }
    return arrays | changed


def test_a_bucket_that_there_is_not_is_refused(tmp_path):
    """It would be a row of another decision, or of no table."""
    table = np.zeros(169, np.uint8)
    table[7] = 169
    with pytest.raises(StorageError, match="table_preflop has a hand in bucket 169 of 169") as made:
        HandBucketing(BucketConfig(num_streets=1), arrays_of_one_street(table_preflop=table))
    assert "holdem buckets" in made.value.remedy
    told = HandBucketing(
        BucketConfig(num_streets=1), arrays_of_one_street(table_preflop=table), fingerprint="1" * 64
    )
    told.save(tmp_path / "set")
    with pytest.raises(StorageError, match="bucket 169 of 169"):
        HandBucketing.load(tmp_path / "set")


def test_a_set_of_own_arrays_may_lack_what_play_does_not_need():
    bucketing = HandBucketing(BucketConfig(num_streets=1), arrays_of_one_street())
    with pytest.raises(StorageError, match="has no centres_preflop"):
        bucketing.centres(0)
    assert bucketing.summary(0).num_empty == 169


@pytest.mark.parametrize("hole", [(0.5, 3), (0, 3.0), ("0", 3)])
def test_a_card_is_a_whole_number(hole):
    bucketing = HandBucketing(BucketConfig(num_streets=1), arrays_of_one_street())
    with pytest.raises(TypeError):
        bucketing.bucket(hole)


def test_players_change_the_features(tmp_path, two_streets):
    three = build(dataclasses.replace(TWO_STREETS, num_players=3), tmp_path / "three")

    # The pot is shared by three.
    means = three.tally(0)[:, 2].sum() / three.tally(0)[:, 1].sum() / kernel.EQUITY_ONE
    assert means == pytest.approx(1 / 3, abs=0.005)
    assert three.fingerprint != HandBucketing.load(two_streets).fingerprint


# -- the same bytes ----------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_workers_changes_no_byte(workers, tmp_path, two_streets):
    build(TWO_STREETS, tmp_path / "again", num_workers=workers)

    assert bytes_of(tmp_path / "again") == bytes_of(two_streets)
    assert not (tmp_path / "again.partial").exists()


KILLED = """
    import sys, time
    from pathlib import Path
    import numpy as np
    from tests.test_bucketing import Silent, TWO_STREETS, build

    class Pause(Silent):
        def stage(self, name, total):
            if name == "flop: all hands":
                print("there", flush=True)
                time.sleep(60)

    build(TWO_STREETS, Path(sys.argv[1]), observer=Pause())
"""


def test_a_killed_build_continues_and_ends_with_the_same_bytes(tmp_path, two_streets):
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(out)],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not out.exists()
    notes = Notes()

    build(TWO_STREETS, out, observer=notes)

    assert any("preflop: taken up" in text for text in notes.texts)
    assert "flop: all hands" in notes.stages
    assert "class equities" not in notes.stages
    assert bytes_of(out) == bytes_of(two_streets)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed"]


def test_stages_of_another_config_are_not_taken_up(tmp_path, two_streets):
    out = tmp_path / "out"
    other = HandBucketing.load(two_streets)
    partial = tmp_path / "out.partial"
    storage.write_folder(
        partial / "preflop",
        {"table_preflop": other.tables[0]},
        {"purpose": "another config"},
        kind="bucket stage",
    )
    notes = Notes()

    build(TWO_STREETS, out, observer=notes)

    assert any("another config" in text for text in notes.texts)
    assert bytes_of(out) == bytes_of(two_streets)


def test_what_lies_where_a_stage_goes_is_found_before_the_work(tmp_path):
    mine = tmp_path / "out.partial" / "flop" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    notes = Notes()
    with pytest.raises(StorageError, match="flop is there already, and no stage"):
        build(TWO_STREETS, tmp_path / "out", observer=notes)
    assert list(notes.stages) == []
    assert mine.read_text() == "mine"


def test_a_damaged_stage_can_be_made_anew(tmp_path):
    partial = tmp_path / "out.partial"
    storage.write_folder(
        partial / "preflop", {"table_preflop": np.zeros(9, np.uint8)}, {}, kind="bucket stage"
    )
    (partial / "preflop" / "table_preflop.npy").unlink()
    with pytest.raises(StorageError, match="is incomplete") as caught:
        build(TWO_STREETS, tmp_path / "out")
    assert "remove it" in caught.value.remedy


def test_another_seed_is_another_set_and_progress_covers_every_stage(tmp_path, two_streets):
    notes = Notes()
    other = build(dataclasses.replace(TWO_STREETS, seed=4), tmp_path / "other", observer=notes)

    assert other.fingerprint != HandBucketing.load(two_streets).fingerprint
    assert notes.stages == notes.steps
    assert list(notes.stages) == [
        "river values",
        "class equities",
        "preflop: centres",
        "flop: sample",
        "flop: centres",
        "flop: all hands",
        "writing",
    ]
    assert sum("mean distance" in text for text in notes.texts) == 2 * TWO_STREETS.restarts


# -- using a set -------------------------------------------------------------------------------


def test_suits_do_not_matter(folder):
    bucketing = HandBucketing.load(folder)
    hole, board = reference_features.cards_of("AsKs"), boards_of(1).cards[0].tolist()
    board = [card for card in board if card not in hole]
    for other in ([0, 1, 3, 2], [3, 2, 1, 0]):
        renamed = [[card // 4 * 4 + other[card % 4] for card in part] for part in (hole, board)]
        assert bucketing.bucket(*renamed) == bucketing.bucket(hole, board)


@pytest.mark.parametrize(
    ("hole", "board", "message"),
    [
        ([1], [], "2 hole cards"),
        ([1, 2], [3, 4], "2 hole cards"),
        ([1, 1], [], "distinct"),
        ([1, 52], [], "distinct"),
        ([1, 2], [3, 4, 5, 6], "before the turn"),
    ],
)
def test_bucket_refuses_what_is_no_hand(hole, board, message, two_streets):
    with pytest.raises(CardError, match=message):
        HandBucketing.load(two_streets).bucket(hole, board)


def test_save_and_load_give_the_set_back(tmp_path, two_streets):
    bucketing = HandBucketing.load(two_streets)
    bucketing.save(tmp_path / "copy")

    assert bytes_of(tmp_path / "copy") == bytes_of(two_streets)
    assert HandBucketing.load(tmp_path / "copy").fingerprint == bucketing.fingerprint


def test_the_fingerprint_follows_the_tables(two_streets):
    bucketing = HandBucketing.load(two_streets)
    arrays = {path.stem: np.load(path) for path in two_streets.glob("*.npy")}
    assert HandBucketing(TWO_STREETS, arrays).fingerprint == bucketing.fingerprint

    arrays["table_flop"][77] ^= 1

    assert HandBucketing(TWO_STREETS, arrays).fingerprint != bucketing.fingerprint


def test_presets_have_places_of_their_own():
    assert preset("quick") == PRESETS["quick"]
    assert preset("quick", 3).num_players == 3
    assert preset("preflop").num_streets == 1
    assert PRESETS["full"].bucket_counts == (169, 200, 200, 200)
    assert len({preset_path(name, n) for name in PRESETS for n in (2, 3)}) == 6
    with pytest.raises(ConfigError, match="no preset"):
        preset("qick")


# -- refusals ----------------------------------------------------------------------------------


def refused(kind, path, **options):
    """The error of loading *path*, which has a remedy."""
    with pytest.raises(kind) as caught:
        HandBucketing.load(path, **options)
    assert "holdem buckets" in caught.value.remedy
    return str(caught.value)


@pytest.fixture
def copy(tmp_path, two_streets):
    return Path(shutil.copytree(two_streets, tmp_path / "copy"))


def test_load_refuses_a_missing_set(tmp_path):
    assert "does not exist" in refused(StorageError, tmp_path / "none")


def test_load_refuses_a_foreign_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert "no metadata.json" in refused(StorageError, tmp_path)


def test_load_refuses_a_pickle(tmp_path):
    path = tmp_path / "buckets.pkl"
    path.write_bytes(pickle.dumps({"flop": [1, 2, 3]}))
    assert "pickle" in refused(StorageError, path)


def test_load_refuses_a_truncated_table(copy):
    path = copy / "table_flop.npy"
    path.write_bytes(path.read_bytes()[:-100])
    assert "truncated" in refused(StorageError, copy)


@pytest.mark.parametrize("name", ["table_flop", "preflop_equities", "centres_flop"])
def test_load_refuses_a_flipped_bit(name, copy):
    path = copy / f"{name}.npy"
    data = bytearray(path.read_bytes())
    data[-7] ^= 4
    path.write_bytes(data)
    assert "damaged" in refused(StorageError, copy)


def test_load_refuses_a_missing_table(copy):
    (copy / "table_flop.npy").unlink()
    assert "missing" in refused(StorageError, copy)


@pytest.mark.parametrize(
    ("arrays", "config", "message"),
    [
        ({"table_preflop": np.zeros(169, np.uint8)}, TWO_STREETS, "missing"),
        ({"x": np.zeros(3)}, None, "how its buckets were made"),
    ],
)
def test_load_refuses_a_folder_that_is_no_set_inside(arrays, config, message, tmp_path):
    metadata = {} if config is None else {"config": dataclasses.asdict(config)}
    storage.write_folder(tmp_path / "odd", arrays, metadata, kind="buckets")
    assert message in refused(StorageError, tmp_path / "odd")


def test_arrays_of_the_wrong_shape_are_refused():
    with pytest.raises(StorageError, match="wanted"):
        summary_of(np.zeros((3, 5), np.int64))


def test_a_set_that_is_there_is_not_built_again(two_streets):
    notes = Notes()
    before = (two_streets / "metadata.json").stat().st_mtime_ns
    found = build_buckets(TWO_STREETS, two_streets, observer=notes)

    assert found.config == TWO_STREETS
    assert notes.stages == {}
    assert "already there" in notes.texts[0]
    assert (two_streets / "metadata.json").stat().st_mtime_ns == before


def test_a_set_of_another_config_is_not_overwritten(copy):
    with pytest.raises(StorageError, match="seed 3 instead of 8") as caught:
        build(dataclasses.replace(TWO_STREETS, seed=8), copy)
    assert str(copy) in caught.value.remedy


def test_a_foreign_folder_is_not_overwritten(tmp_path):
    out = tmp_path / "photos"
    out.mkdir()
    (out / "cat.jpg").write_bytes(b"meow")
    with pytest.raises(StorageError):
        build(TWO_STREETS, out)
    assert (out / "cat.jpg").read_bytes() == b"meow"


def test_a_path_that_cannot_be_written_is_refused_before_work(tmp_path):
    (tmp_path / "file").write_text("")
    notes = Notes()
    with pytest.raises(StorageError, match="cannot write"):
        build(TWO_STREETS, tmp_path / "file" / "set", observer=notes)
    assert notes.stages == {}


def test_a_damaged_stage_is_refused_with_its_name(tmp_path):
    config = dataclasses.replace(TWO_STREETS, num_streets=1)

    class Break(Silent):
        def stage(self, name, total):
            if name == "writing":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(config, tmp_path / "broken", observer=Break())
    table = tmp_path / "broken.partial" / "preflop" / "table_preflop.npy"
    table.write_bytes(table.read_bytes()[:-1])
    with pytest.raises(StorageError, match="truncated"):
        build(config, tmp_path / "broken")


@pytest.mark.parametrize(
    "wrong",
    [
        {"k_preflop": 170},
        {"k_flop": 0},
        {"k_river": 65_537},
        {"num_players": 10},
        {"num_streets": 5},
        {"hands": 100},
        {"restarts": 0},
        {"kinds_flop": 0},
        {"kinds_turn": 1_756},
        {"kinds_river": 50, "k_river": 49},
    ],
)
def test_configs_out_of_range_are_refused(wrong):
    with pytest.raises(HoldemError, match=next(iter(wrong))):
        BucketConfig(**wrong)


def test_costs_grow_with_the_set_and_what_cannot_fit_is_refused(tmp_path, monkeypatch):
    small, large = costs.estimate(PRESETS["preflop"]), costs.estimate(PRESETS["full"])
    assert small.seconds < large.seconds
    assert small.disk_bytes < 10**6
    assert 138_000_000 < large.disk_bytes < 140_000_000
    assert large.memory_bytes < 4 * 10**9
    costs.require(small, tmp_path)

    monkeypatch.setattr(storage, "free_bytes", lambda path: 10**8)
    with pytest.raises(ResourceError, match="100 MB is free"):
        costs.require(large, tmp_path)
    monkeypatch.setattr(costs, "available_memory", lambda: 10**6)
    with pytest.raises(ResourceError, match="memory"):
        costs.require(small, tmp_path)


# -- the whole deck ----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_quick_set_holds_the_whole_deck(tmp_path, measures):
    bucketing = build_buckets(PRESETS["quick"], tmp_path / "quick")
    rng = np.random.default_rng(17)
    real = (1326, 1326 * 19_600, 1326 * 230_300, 1326 * 2_118_760)

    for street in range(4):
        tally = bucketing.tally(street)
        summary = bucketing.summary(street)
        counts = np.bincount(bucketing.tables[street], minlength=bucketing.num_buckets[street])
        assert np.array_equal(tally[:, 0], counts)
        assert tally[:, 0].sum() == CANONICAL_HANDS[street]
        assert tally[:, 1].sum() == real[street]
        assert tally[:, 2].sum() / tally[:, 1].sum() == pytest.approx(0.5 * 32768, abs=1)
        assert summary.num_empty == 0
        assert summary.explained > 0.97
    for street in (1, 2, 3):
        for _ in range(40):
            cards = rng.permutation(52)[: 4 + street]
            hole, board = np.sort(cards[:2]), cards[2:]
            holes = np.array([reference_features.hole_index(hole.tolist())], np.uint16)
            hand = Hands(board[None].astype(np.uint8), np.array([0, 1]), holes, np.array([1]))
            points, _ = measures.measure(street, hand)
            labels, _ = reference.nearest(
                points, bucketing.centres(street), squared=METRICS[street] == 1
            )
            assert labels[0] == bucketing.bucket(hole.tolist(), board.tolist())
