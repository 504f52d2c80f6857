"""Adding runs up: what the sum is, what is refused, and what is left when a write fails."""

import errno
import itertools
import json
import os
import re
import shutil
import stat
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from holdem import storage
from holdem._core.equity import preflop_equities
from holdem.cli import main as cli
from holdem.errors import MismatchError, ResourceError, StorageError
from holdem.evaluation.exploitability import PolicyEvaluator, exploitability
from holdem.game import games
from holdem.game.tree import build_tree
from holdem.mccfr import checkpoint, merge
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.mccfr.merge_sources import select
from holdem.mccfr.multi_instance_coordinator import MultiInstanceCoordinator
from holdem.mccfr.progress import SilentObserver
from holdem.mccfr.run import LOSSLESS
from holdem.mccfr.solver import MCCFRSolver
from holdem.mccfr.table import RegretTable
from holdem.types import BucketConfig, MCCFRConfig
from tests.files import contents
from tests.instances import Inline
from tests.test_train_cli import bucket_set
from tests.vectors import VECTORS

LEDUC = Path(__file__).parent.parent / "configs" / "leduc.yaml"
TREE = build_tree(games.leduc(), (3, 9))


def train(logdir, iterations=2_000, *, first=None, game=None, resume_from=None, **values):
    """A run of so many iterations in all, the first of them iteration *first* of the seed's."""
    config = MCCFRConfig(num_iterations=iterations, **values)
    solver = MCCFRSolver(config, None, game=game or games.leduc())
    return solver.train(logdir, use_tensorboard=False, resume_from=resume_from, stream_start=first)


def save(path, *ranges, words=None, tree=TREE, state=None, buckets=LOSSLESS, **values):
    """A checkpoint of those iterations, with made-up numbers unless *words* are given."""
    config = MCCFRConfig(num_iterations=1, **values)
    if words is None:
        words = np.random.default_rng(ranges[0][0]).random(2 * tree.num_slots, np.float32)
    done = sum(end - first for first, end in ranges)
    checkpoint.save(
        path,
        words=words,
        iteration=done,
        ranges=ranges,
        table_state=state
        or {
            "period": done // config.period,
            "regret_weight": 1.0,
            "strategy_weight": 1.0,
            "total_weight": float(done),
        },
        visits=10 * done,
        utility_sum=-float(done),
        config=config,
        tree=tree,
        buckets_fingerprint=buckets,
        others={},
    )
    return path


def instance(run, number, first, end, **values):
    """A checkpoint of an instance as a run of many leaves it."""
    path = run / f"instance_{number}" / "checkpoints" / checkpoint.numbered(end)
    return save(path, (first, end), **values)


def selected(*runs, instances=None):
    return select([Path(run) for run in runs], instances)


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Run `holdem` in a folder of the test's own and return its status, output and error lines."""
    monkeypatch.chdir(tmp_path)

    def run(text):
        status = cli.main(text.split())
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return run


# -- the sum -------------------------------------------------------------------------------------


def true_values(words, state, tree=TREE):
    """Regrets and sums of a table, weights taken out, row by row in plain Python."""
    values = np.empty(len(words))
    for node in tree.nodes[tree.nodes["num_actions"] > 0]:
        k = int(node["num_actions"])
        for bucket in range(tree.bucket_counts[node["street"]]):
            start = 2 * (int(node["first_slot"]) + bucket * k)
            values[start : start + k] = words[start : start + k] / state["regret_weight"]
            values[start + k : start + 2 * k] = (
                words[start + k : start + 2 * k] / state["strategy_weight"]
            )
    return values


@pytest.mark.parametrize("block", [1, 100, 1 << 18])
def test_the_sum_is_that_of_the_true_values(tmp_path, monkeypatch, block):
    """Whatever the weights of the runs, and wherever blocks begin."""
    monkeypatch.setattr(merge, "_BLOCK_WORDS", block)
    rng = np.random.default_rng(5)
    expected = np.zeros(2 * TREE.num_slots)
    for number in range(3):
        words = (rng.normal(size=2 * TREE.num_slots) * 100).astype(np.float32)
        state = {
            "period": number,
            "regret_weight": float(rng.uniform(1, 1000)),
            "strategy_weight": float(rng.uniform(1, 1000)),
            "total_weight": 7.0,
        }
        save(tmp_path / f"{number}", (100 * number, 100 * number + 100), words=words, state=state)
        expected += true_values(words, state)

    table = merge.add(selected(*(tmp_path / f"{number}" for number in range(3))))

    assert true_values(table.words, table.table_state) == pytest.approx(
        expected, rel=1e-4, abs=1e-4
    )


def test_equal_runs_are_added_to_the_bit(tmp_path):
    """Nothing is rounded but the sum itself."""
    one, other = (train(tmp_path / f"{i}", 12_300, first=20_000 * i) for i in (1, 2))
    first, second = (storage.read_folder(run.checkpoint, "checkpoint") for run in (one, other))

    table = merge.add(selected(tmp_path / "1", tmp_path / "2"))

    assert (table.words == first.arrays["table"] + second.arrays["table"]).all()
    state = first.metadata["table_state"]
    assert table.table_state["regret_weight"] == state["regret_weight"]
    assert table.table_state["strategy_weight"] == state["strategy_weight"]
    assert table.table_state["total_weight"] == 2 * state["total_weight"]
    assert table.visits == first.metadata["visits"] + second.metadata["visits"]


def test_a_run_counts_by_its_length(tmp_path):
    """A run three times as long has three times the say, not nine times as its words would."""
    for seed, iterations in ((1, 3_000), (2, 9_000)):
        words = np.zeros(2 * TREE.num_slots, dtype=np.float32)
        table = RegretTable(TREE, discount_interval=10, alpha=1.0, beta=1.0)
        for iteration in range(0, iterations, 10):
            table.advance(iteration, 10)
            words[1 + seed] += 10 * table.strategy_weight  # the first row: two regrets, two sums
        save(
            tmp_path / f"{seed}",
            (10_000 * seed, 10_000 * seed + iterations),
            words=words,
            state=table.state(),
            discount_interval=10,
        )

    words = merge.add(selected(tmp_path / "1", tmp_path / "2")).words

    assert words[3] / words[2] == pytest.approx(3, rel=0.01)


def test_regrets_stay_above_the_floor(tmp_path):
    words = np.full(2 * TREE.num_slots, -3e8, dtype=np.float32)
    for seed in (1, 2):
        save(tmp_path / f"{seed}", (100 * seed, 100 * seed + 100), words=words)

    found = merge.add(selected(tmp_path / "1", tmp_path / "2")).words

    assert found[:2].tolist() == [np.float32(-3.1e8)] * 2
    assert found[2:4].tolist() == [np.float32(-6e8)] * 2  # sums have none


def test_the_same_bytes_in_whatever_order(tmp_path):
    runs = [tmp_path / f"{seed}" for seed in range(3)]
    for seed, run in enumerate(runs):
        train(run, 1_000 * (seed + 1), first=5_000 * seed)
    found = []
    for number, order in enumerate(itertools.permutations(runs)):
        merge.write(selected(*order), tmp_path / f"out{number}")
        found.append(contents(tmp_path / f"out{number}"))

    assert len(found[0]) == 7
    assert all(one == found[0] for one in found)


def test_merging_in_steps_is_merging_at_once(tmp_path):
    """Up to the last digit of float32."""
    for seed in range(3):
        train(tmp_path / f"{seed}", first=5_000 * seed)
    merge.write(selected(tmp_path / "0", tmp_path / "1"), tmp_path / "two")

    steps = merge.add(selected(tmp_path / "two", tmp_path / "2"))
    once = merge.add(selected(*(tmp_path / f"{seed}" for seed in range(3))))

    assert steps.words == pytest.approx(once.words, rel=1e-6)
    assert steps.table_state == once.table_state


def test_one_table_is_in_memory(tmp_path, monkeypatch):
    """And a block, however many are added."""
    monkeypatch.setattr(merge, "_BLOCK_WORDS", 1 << 12)
    tree = build_tree(games.push_fold(10), (60_000,))
    for seed in range(12):
        save(tmp_path / f"{seed}", (100 * seed, 100 * seed + 100), tree=tree)
    table_bytes = 8 * tree.num_slots

    def peak_of(num_parts):
        tracemalloc.start()
        merge.add(selected(*(tmp_path / f"{seed}" for seed in range(num_parts))))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    few, many = peak_of(2), peak_of(12)
    assert table_bytes <= few < 12 * table_bytes  # a block is one node at least, half the tree
    assert many < few + table_bytes


# -- what is taken -------------------------------------------------------------------------------


def test_the_instances_of_a_run_are_added(tmp_path):
    for number in (0, 1, 2, 10):
        instance(tmp_path, number, 100 * number, 100 * number + 100)
    (tmp_path / "instance_1").rename(tmp_path / "instance_of_another")

    selection = selected(tmp_path)

    assert [part.name for part in selection.parts] == [
        f"instance {number} of {tmp_path}" for number in (0, 2, 10)
    ]
    assert selection.ranges == ((0, 100), (200, 300), (1000, 1100))
    assert selection.iterations == 300


def test_only_the_instances_that_are_named(tmp_path):
    for number in range(4):
        instance(tmp_path, number, 100 * number, 100 * number + 100)

    selection = selected(tmp_path, instances={1, 3})

    assert selection.ranges == ((100, 200), (300, 400))


def test_one_run_over_several_folders(tmp_path):
    """Machines that did --instances 0-1 and 2-3, each into a folder of its own."""
    for number in range(4):
        instance(tmp_path / f"machine{number // 2}", number, 100 * number, 100 * number + 100)

    selection = selected(tmp_path / "machine1", tmp_path / "machine0")

    assert selection.ranges == ((0, 100), (100, 200), (200, 300), (300, 400))


def test_the_instances_of_other_machines_are_named(tmp_path):
    """Each machine's folder has the run.json of the whole run."""
    for machine, instances in (("one", (0, 2)), ("other", (1, 3))):
        coordinator = MultiInstanceCoordinator(
            MCCFRConfig(num_iterations=4_000),
            None,
            game=games.leduc(),
            num_instances=4,
            instances=instances,
            launcher=Inline(),
        )
        coordinator.train(tmp_path / machine, use_tensorboard=False)

    assert selected(tmp_path / "one").notes == ["2 of 4 instances are not here: 1, 3"]
    both = selected(tmp_path / "other", tmp_path / "one")
    assert both.notes == []
    assert both.ranges == ((0, 1_000), (1_000, 2_000), (2_000, 3_000), (3_000, 4_000))


def test_a_run_put_together_from_folders_is_the_whole_run(tmp_path, command):
    """As machines without shared storage do; `holdem monitor` sees all of it too."""
    for machine in ("one", "other"):
        instances = "0-1" if machine == "one" else "2"
        status, _, _ = command(
            f"train --config {LEDUC} --iters 3000 --num-instances 3 --instances {instances} "
            f"--no-tensorboard --logdir {machine}"
        )
        assert status == 0
    shutil.copytree("other", "one", dirs_exist_ok=True)

    status, out, _ = command("monitor one --once")
    assert status == 0
    assert "3 instances: 3 completed" in out
    status, out, _ = command("merge one")
    assert "added 3 runs, 3,000 iterations in all" in out
    assert "note" not in out


def test_an_instance_without_a_checkpoint_is_named(tmp_path):
    instance(tmp_path, 0, 0, 100)
    (tmp_path / "instance_1" / "checkpoints").mkdir(parents=True)

    assert selected(tmp_path).notes == [f"instance 1 of {tmp_path} has no checkpoint yet"]
    with pytest.raises(StorageError, match="no checkpoint of instance 1, 2 in"):
        selected(tmp_path, instances={0, 1, 2})


def test_the_newest_checkpoint_is_taken(tmp_path):
    for end in (100, 300, 200):
        instance(tmp_path, 0, 0, end)
    final = tmp_path / "instance_0" / "checkpoints" / checkpoint.FINAL_NAME
    save(final, (0, 250))

    assert selected(tmp_path).ranges == ((0, 300),)


@pytest.mark.parametrize("name", ["table.npy", "metadata.json"])
def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_used(tmp_path, name):
    instance(tmp_path, 0, 0, 100)
    newest = instance(tmp_path, 0, 0, 200)
    data = bytearray((newest / name).read_bytes())
    data[len(data) // 2] ^= 1
    (newest / name).write_bytes(data)

    selection = selected(tmp_path)

    assert selection.ranges == ((0, 100),)
    assert len(selection.notes) == 1
    assert f"{newest}/{name} is damaged" in selection.notes[0]


def test_with_all_checkpoints_damaged_it_stops(tmp_path):
    (instance(tmp_path, 0, 0, 100) / "table.npy").write_bytes(b"")
    instance(tmp_path, 1, 100, 200)

    with pytest.raises(StorageError, match="truncated"):
        selected(tmp_path)


def test_a_run_and_what_went_on_from_it_count_once(tmp_path):
    """The original, what it was resumed to in another folder, and a merge made in between."""
    for number in range(2):
        start = 1_000 * number
        original = tmp_path / "original" / f"instance_{number}"
        train(original, 400, first=start)
        train(tmp_path / "resumed" / f"instance_{number}", 1_000, resume_from=original)
    merge.write(selected(tmp_path / "original"), tmp_path / "merged")

    selection = selected(tmp_path / "original", tmp_path / "resumed", tmp_path / "merged")

    assert selection.ranges == ((0, 1_000), (1_000, 2_000))
    assert selection.notes == [
        f"instance 0 of {tmp_path}/original is left out: "
        f"instance 0 of {tmp_path}/resumed holds all of it",
        f"instance 1 of {tmp_path}/original is left out: "
        f"instance 1 of {tmp_path}/resumed holds all of it",
        f"{tmp_path}/merged is left out: instance 0 of {tmp_path}/resumed and "
        f"instance 1 of {tmp_path}/resumed hold all of it",
    ]


def test_the_same_run_twice_counts_once(tmp_path):
    instance(tmp_path / "run", 0, 0, 100)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")

    selection = selected(tmp_path / "run", tmp_path / "copy", tmp_path / "run")

    assert selection.ranges == ((0, 100),)
    assert selection.notes == [
        f"{tmp_path}/run is named twice",
        f"instance 0 of {tmp_path}/copy is left out: instance 0 of {tmp_path}/run holds all of it",
    ]


@pytest.mark.parametrize("kept", ["merge.json", "nothing"])
def test_what_a_merge_was_trained_on_is_not_what_its_instances_did(tmp_path, kept):
    """Not even if they went on too, and as far: the same iterations, on another table."""
    for number in range(2):
        train(tmp_path / f"instance_{number}", 400, first=1_000 * number)
    merge.write(selected(tmp_path), tmp_path / "merged")
    train(tmp_path / "merged", 1_000, resume_from=tmp_path / "merged")
    both = f"{tmp_path}/merged and instance 0 of {tmp_path} both did iterations 1 to 400"
    if kept == "nothing":  # as in a folder that the merged run was resumed into
        (tmp_path / "merged" / "merge.json").unlink()
        with pytest.raises(MismatchError, match=both):
            selected(tmp_path, tmp_path / "merged")
    else:
        assert selected(tmp_path, tmp_path / "merged").notes == [
            f"instance {i} of {tmp_path} is left out: {tmp_path}/merged holds all of it"
            for i in range(2)
        ]
    for number in range(2):
        folder = tmp_path / f"instance_{number}"
        train(folder, 1_000, resume_from=folder)

    with pytest.raises(MismatchError, match=both):
        selected(tmp_path, tmp_path / "merged")


def test_a_run_that_changed_its_laws_is_not_what_went_on_from_another(tmp_path):
    """Resumed with the other's seed, it has the seed of the other, and not its iterations."""
    save(tmp_path / "one", (0, 100))
    path = save(tmp_path / "changed", (0, 400))
    document = storage.read_folder(path, checkpoint.KIND)
    about = {**document.metadata, "earlier_laws": [[200, {"seed": 7}]]}
    storage.write_folder(path, document.arrays, about, kind=checkpoint.KIND)

    with pytest.raises(MismatchError) as error:
        selected(tmp_path / "one", tmp_path / "changed")

    assert str(error.value).startswith(
        f"{tmp_path}/one and {tmp_path}/changed both did iterations 1 to 100"
    )


# -- while it is trained -------------------------------------------------------------------------


def test_a_checkpoint_that_is_pruned_while_it_is_read(tmp_path, monkeypatch):
    """The one that has come in its place is taken, and nothing is said."""
    first = instance(tmp_path, 0, 0, 100)
    load, steps = checkpoint.load, iter([200, 300])

    def late(path, *rest):
        end = next(steps, None)
        if end is not None:  # it was there when it was listed
            instance(tmp_path, 0, 0, end)
            storage.remove_folder(path)
        return load(path, *rest)

    monkeypatch.setattr(checkpoint, "load", late)
    selection = selected(tmp_path)

    assert not first.exists()
    assert (selection.ranges, selection.notes) == (((0, 300),), [])


def test_a_checkpoint_that_is_pruned_before_its_manifest_is_read(tmp_path, monkeypatch):
    instance(tmp_path, 0, 0, 100)
    read, steps = storage.read_metadata, iter([200])

    def late(path, *rest):
        end = next(steps, None)
        if end is not None:
            instance(tmp_path, 0, 0, end)
            storage.remove_folder(path)
        return read(path, *rest)

    monkeypatch.setattr(storage, "read_metadata", late)
    selection = selected(tmp_path)

    assert (selection.ranges, selection.notes) == (((0, 200),), [])


def test_a_final_checkpoint_that_is_replaced_while_it_is_read(tmp_path, monkeypatch):
    """Its manifest and its table are of two checkpoints then, which is no damage."""
    final = tmp_path / "instance_0" / "checkpoints" / checkpoint.FINAL_NAME
    save(final, (0, 100))
    load, steps = checkpoint.load, iter([200])

    def late(path, *rest):
        end = next(steps, None)
        if end is not None:
            save(path, (0, end))
        return load(path, *rest)

    monkeypatch.setattr(checkpoint, "load", late)
    selection = selected(tmp_path)

    assert selection.parts[0].checkpoint.ranges == ((0, 200),)
    assert (selection.parts[0].states, selection.notes) == (((0, 200),), [])


def test_checkpoints_that_vanish_altogether(tmp_path, monkeypatch):
    instance(tmp_path, 0, 0, 100)

    def gone(path, *rest):
        shutil.rmtree(tmp_path / "instance_0")
        raise StorageError(f"{path} does not exist")

    monkeypatch.setattr(checkpoint, "load", gone)
    with pytest.raises(StorageError, match="has none any more"):
        selected(tmp_path)


# -- what is refused -----------------------------------------------------------------------------


def test_overlapping_ranges_are_refused_by_name(tmp_path):
    """The instances of a run of two and of a run of three."""
    instance(tmp_path / "two", 0, 0, 500)
    instance(tmp_path / "two", 1, 500, 1_000)
    instance(tmp_path / "three", 1, 333, 667)

    with pytest.raises(MismatchError) as error:
        selected(tmp_path / "two", tmp_path / "three")

    assert str(error.value) == (
        f"instance 0 of {tmp_path}/two and instance 1 of {tmp_path}/three both did "
        "iterations 334 to 500: their sum would count these twice"
    )
    assert "--instances" in error.value.remedy


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"tree": build_tree(games.kuhn(), (3,))}, "the betting tree"),
        ({"tree": build_tree(games.leduc(), (3, 8))}, "the betting tree"),
        ({"tree": build_tree(games.kuhn(3), (4,))}, "the number of players"),
        ({"buckets": "81d2" * 16}, "the buckets"),
        ({"seed": 7}, "different rules: seed 42 and 7"),
        ({"sampling": "outcome"}, "sampling external and outcome"),
        ({"regret_discount_alpha": 1.5}, "regret_discount_alpha 1.0 and 1.5"),
        ({"batch_size": 10}, "batch_size 100 and 10"),
    ],
    ids=str,
)
def test_mixtures_are_refused_by_name(tmp_path, other, what):
    instance(tmp_path / "one", 0, 0, 100)
    instance(tmp_path / "other", 1, 100, 200, **other)

    with pytest.raises(MismatchError, match=what) as error:
        selected(tmp_path / "one", tmp_path / "other")

    assert f"instance 0 of {tmp_path}/one" in str(error.value)
    assert f"instance 1 of {tmp_path}/other" in str(error.value)
    assert error.value.remedy


def test_what_does_not_fit_in_memory_is_refused(tmp_path, monkeypatch):
    instance(tmp_path, 0, 0, 100)
    monkeypatch.setattr(merge, "available_memory", lambda: 100)

    with pytest.raises(ResourceError, match=r"merging needs .* of memory for 672 slots"):
        merge.write(selected(tmp_path), tmp_path / "out")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["run", "run/instance_0", "run/instance_0/checkpoints", "text"])
def test_only_an_earlier_merge_is_replaced(tmp_path, name):
    instance(tmp_path / "run", 0, 0, 100)
    (tmp_path / "text").write_text("mine")
    before = contents(tmp_path)

    with pytest.raises(StorageError, match="something else than a merged run"):
        merge.write(selected(tmp_path / "run"), tmp_path / name)

    assert contents(tmp_path) == before


def test_a_merge_is_replaced_until_it_was_trained_on(tmp_path):
    train(tmp_path / "0", first=0)
    merge.write(selected(tmp_path / "0"), tmp_path / "out")
    train(tmp_path / "1", first=5_000)

    merge.write(selected(tmp_path / "0", tmp_path / "1"), tmp_path / "out")
    train(tmp_path / "out", 5_000, resume_from=tmp_path / "out")

    with pytest.raises(StorageError, match="was trained on"):
        merge.write(selected(tmp_path / "0", tmp_path / "1"), tmp_path / "out")


def test_a_merge_that_is_being_trained_is_not_replaced(tmp_path):
    """Its trainer would go on in a folder that is nobody's any more."""
    train(tmp_path / "0", first=0)
    merge.write(selected(tmp_path / "0"), tmp_path / "out")
    before = contents(tmp_path)

    def trains(run):
        with pytest.raises(StorageError, match="another process is at work on the merged run"):
            merge.write(selected(tmp_path / "0"), tmp_path / "out")

    observer = SilentObserver()
    observer.started = trains
    config = MCCFRConfig(num_iterations=2_000)
    with storage.hold(tmp_path / "out" / "checkpoints", "the run"):
        trains(None)
    assert contents(tmp_path) == before
    solver = MCCFRSolver(config, None, game=games.leduc())
    solver.train(tmp_path / "out", False, resume_from=tmp_path / "out", observer=observer)


def test_a_merge_is_not_trained_while_it_is_replaced(tmp_path, monkeypatch):
    train(tmp_path / "0", first=0)
    merge.write(selected(tmp_path / "0"), tmp_path / "out")
    add = merge.add

    def meanwhile(selection):
        with pytest.raises(StorageError, match="another process is at work on the run"):
            train(tmp_path / "out", 3_000, resume_from=tmp_path / "out")
        shutil.rmtree(tmp_path / "out" / "tensorboard", ignore_errors=True)
        return add(selection)

    monkeypatch.setattr(merge, "add", meanwhile)
    merge.write(selected(tmp_path / "0"), tmp_path / "out")
    assert not (tmp_path / "out" / "train.log").exists()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["notes.txt"], "holds notes.txt, which no merge wrote"),
        (["evals/match.json", "notes.txt"], "holds evals and 1 more, which no merge wrote"),
        (["checkpoints/mine/table.npy"], "holds checkpoints/mine, which no merge wrote"),
    ],
)
def test_what_no_merge_wrote_is_not_removed(tmp_path, names, said):
    instance(tmp_path / "run", 0, 0, 100)
    merge.write(selected(tmp_path / "run"), tmp_path / "out")
    for name in names:
        (tmp_path / "out" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "out" / name).write_text("mine")
    before = contents(tmp_path)

    with pytest.raises(StorageError, match=said) as error:
        merge.write(selected(tmp_path / "run"), tmp_path / "out")

    assert error.value.remedy == "name another --out, or move that away"
    assert contents(tmp_path) == before


@pytest.mark.parametrize("text", ["{}", "[]", "{", '"merge"'])
def test_a_folder_whose_record_is_none_is_not_replaced(tmp_path, text):
    instance(tmp_path / "run", 0, 0, 100)
    merge.write(selected(tmp_path / "run"), tmp_path / "out")
    (tmp_path / "out" / "merge.json").write_text(text)
    before = contents(tmp_path)

    with pytest.raises(StorageError, match=r"merge\.json (was not written by|is damaged)"):
        merge.write(selected(tmp_path / "run"), tmp_path / "out")

    assert contents(tmp_path) == before


@pytest.mark.parametrize("failing", range(1, 8))
def test_a_full_disk_leaves_nothing_half(tmp_path, monkeypatch, failing):
    """Whichever of its files it fills up at, the earlier merge stays, and no temporary."""
    for number in range(2):
        instance(tmp_path / "run", number, 100 * number, 100 * number + 100)
    merge.write(selected(tmp_path / "run", instances={0}), tmp_path / "out")
    before = contents(tmp_path)
    calls = itertools.count(1)
    fsync = os.fsync

    def full(descriptor):
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and next(calls) == failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(storage.os, "fsync", full)

    with pytest.raises(StorageError, match="the disk is full") as error:
        merge.write(selected(tmp_path / "run"), tmp_path / "out")

    assert contents(tmp_path) == before
    assert "holdem-tmp" not in str(error.value)
    assert [path for path in tmp_path.iterdir() if "tmp" in path.name] == []


def test_too_little_space_is_refused_first(tmp_path, monkeypatch):
    instance(tmp_path, 0, 0, 100)
    monkeypatch.setattr(storage, "free_bytes", lambda path: 6_000)

    with pytest.raises(ResourceError, match="the merged run needs"):
        merge.write(selected(tmp_path), tmp_path / "out")


# -- what comes out ------------------------------------------------------------------------------


def test_the_policy_is_that_of_the_sum(tmp_path):
    for number in range(2):
        train(tmp_path / f"instance_{number}", 3_000, first=3_000 * number)
    selection = selected(tmp_path)
    table = merge.add(selection)

    path = merge.write(selection, tmp_path / "out")

    policy = Blueprint.load(tmp_path / "out")
    expected = Blueprint.from_table(
        TREE, table.words, Provenance(iterations=6_000, seed=42), preflop_buckets=None
    )
    assert (policy.probabilities == expected.probabilities).all()
    assert policy.provenance == expected.provenance
    assert (storage.read_folder(path, "checkpoint").arrays["table"] == table.words).all()
    record = json.loads((tmp_path / "out" / "merge.json").read_text())
    assert record["iterations"] == 6_000
    assert [part["ranges"] for part in record["parts"]] == [[[0, 3_000]], [[3_000, 6_000]]]


def test_training_goes_on_from_a_merge(tmp_path):
    """After the last iteration of all, with the discount of one run so long."""
    for number in range(2):
        train(tmp_path / f"instance_{number}", 12_000, first=12_000 * number)
    merged = merge.write(selected(tmp_path), tmp_path / "out")
    before = storage.read_metadata(merged, "checkpoint")

    result = train(tmp_path / "out", 30_000, resume_from=tmp_path / "out")

    after = storage.read_metadata(result.checkpoint, "checkpoint")
    plain = storage.read_metadata(train(tmp_path / "plain", 30_000).checkpoint, "checkpoint")
    assert result.iterations_done == 6_000
    assert after["ranges"] == [[0, 12_000], [12_000, 30_000]]
    assert before["table_state"]["period"] == 24_000 // 5_000
    assert after["table_state"]["period"] == plain["table_state"]["period"] == 29_999 // 5_000
    growth = after["table_state"]["regret_weight"] / before["table_state"]["regret_weight"]
    assert growth == pytest.approx(6 / 5)
    assert after["visits"] > before["visits"]
    assert Blueprint.load(tmp_path / "out").provenance.iterations == 30_000


# -- how good it is ------------------------------------------------------------------------------


def test_two_halves_of_leduc_are_as_good_as_the_guide_says(tmp_path):
    """Better than either half, at most as exploitable as their mean; one whole run is better."""
    for number in range(2):
        train(tmp_path / "run" / f"instance_{number}", 300_000, first=300_000 * number)
    train(tmp_path / "whole", 600_000)
    merge.write(selected(tmp_path / "run"), tmp_path / "merged")

    halves = [exploitability(Blueprint.load(tmp_path / "run" / f"instance_{i}")) for i in range(2)]
    merged = exploitability(Blueprint.load(tmp_path / "merged"))
    whole = exploitability(Blueprint.load(tmp_path / "whole"))

    assert merged <= sum(halves) / 2
    assert merged < min(halves)
    assert 0.95 * whole < merged < 1.4 * whole


def test_two_halves_of_push_fold_have_the_known_value(tmp_path):
    """Within 0.005 big blinds, by the command, with buckets from a folder."""
    known = VECTORS["pushfold_hu"]["10"]["value_sb_bb"]
    buckets = bucket_set(BucketConfig(num_streets=1))
    buckets.preflop_equities[:] = preflop_equities()
    buckets.save(tmp_path / "buckets")
    game = games.push_fold(10)
    config = MCCFRConfig(num_iterations=200_000, batch_size=1_000)
    for number in range(2):
        solver = MCCFRSolver(config, buckets, game=game)
        solver.train(
            tmp_path / "run" / f"instance_{number}",
            use_tensorboard=False,
            stream_start=200_000 * number,
        )

    assert cli.main(["merge", str(tmp_path / "run")]) == 0

    policy = Blueprint.load(tmp_path / "run" / "merged")
    judge = PolicyEvaluator(policy.tree, preflop_equities=buckets.preflop_equities)
    value = judge.evaluate(policy).values[0] / game.big_blind
    assert value == pytest.approx(known, abs=0.005)
    assert policy.provenance.bucket_fingerprint == buckets.fingerprint


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path):
    """A run of three instances that were trained."""
    for number in range(3):
        train(tmp_path / "run" / f"instance_{number}", first=2_000 * number)
    return tmp_path / "run"


def test_the_command_says_what_it_added_and_what_next(command, many):
    status, out, err = command("merge run")

    assert (status, err) == (0, [])
    assert re.search(r"instance 1 of run +checkpoint_final +iterations 2,001 to 4,000", out)
    assert "added 3 runs, 6,000 iterations in all" in out
    assert "holdem train --resume-from run/merged --time-budget 600" in out
    assert Blueprint.load(many / "merged").provenance.iterations == 6_000


def test_train_goes_on_from_what_the_command_made(command, many):
    command("merge run --instances 0,2 --out two")

    status, _, err = command("train --resume-from two --iters 5000")

    assert (status, err) == (0, [])
    found = storage.read_metadata(Path("two/checkpoints/checkpoint_final"), "checkpoint")
    assert found["ranges"] == [[0, 2_000], [4_000, 7_000]]


def test_instances_of_several_folders_by_the_command(command, many):
    (many / "instance_1").rename(many.parent / "moved")
    (many.parent / "elsewhere").mkdir()
    (many.parent / "moved").rename(many.parent / "elsewhere" / "instance_1")

    status, out, _ = command("merge run elsewhere --instances 1-2 --out sum")

    assert status == 0
    assert "added 2 runs, 4,000 iterations in all" in out


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("merge", 2, "the following arguments are required: RUN"),
        ("merge nowhere", 1, "nowhere does not exist; wanted a folder of kind checkpoint"),
        ("merge run --instances 0-", 2, "--instances is '0-', which cannot be read"),
        ("merge run --instances 3", 1, "no checkpoint of instance 3 in run"),
        ("merge run --out run", 1, "run holds something else than a merged run"),
        ("merge run --instance 0", 2, "unknown option --instance"),
    ],
)
def test_the_command_refuses_in_two_lines(command, many, text, status, message):
    found, _, err = command(text)

    assert found == status
    assert len(err) == 2
    assert message in err[0]
    assert err[1].startswith("  try: ")


def test_buckets_that_moved_are_asked_for(command, tmp_path):
    game, buckets = games.push_fold(10), bucket_set(BucketConfig(num_streets=1))
    buckets.save(tmp_path / "buckets")
    solver = MCCFRSolver(MCCFRConfig(num_iterations=200), buckets, game=game)
    solver.train(tmp_path / "run", use_tensorboard=False)
    (tmp_path / "buckets").rename(tmp_path / "moved")

    assert "buckets does not exist" in command("merge run")[2][0]
    assert command("merge run --buckets moved")[0] == 0
    (tmp_path / "run" / "config.yaml").unlink()
    assert "do not say where their bucket set is" in command("merge run --out other")[2][0]
