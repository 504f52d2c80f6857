"""Many instances: who does what, what they leave, how they fail, and how they go on."""

import json
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdem import storage
from holdem.config import load_config
from holdem.errors import ConfigError, MismatchError, ResourceError, StorageError
from holdem.game import games
from holdem.game.tree import build_tree
from holdem.mccfr import checkpoint, costs, instance_plan, instance_progress
from holdem.mccfr.instance_plan import TIME_STREAM, RunPlan, parse_instances, ranges_of
from holdem.mccfr.instance_progress import InstanceProgress, ProgressFile
from holdem.mccfr.merge_sources import select
from holdem.mccfr.multi_instance_coordinator import MultiInstanceCoordinator
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.mccfr.progress import Progress
from holdem.mccfr.run import LOSSLESS, Run
from holdem.mccfr.solver import MCCFRSolver
from holdem.mccfr.worker import bucket_counts_of
from holdem.types import MCCFRConfig
from tests.files import contents
from tests.instances import (
    GAME,
    Inline,
    Watcher,
    coordinator_of,
    final_tables,
    progress,
    train,
)
from tests.pools import LAWS

KEYS = {
    "instance_id",
    "start_iter",
    "end_iter",
    "current_iter",
    "status",
    "error_msg",
    "progress_pct",
    "last_update",
    "iterations_per_second",
    "resumed_from",
}
TIME_KEYS = KEYS | {"elapsed_seconds", "time_budget_seconds"}


# -- ranges --------------------------------------------------------------------------------------


def test_the_ranges_of_the_issue():
    assert ranges_of(1_000_000, 3) == [(0, 333_334), (333_334, 666_667), (666_667, 1_000_000)]


@given(st.integers(0, 10**12), st.integers(1, 300), st.integers(0, 10**6))
def test_ranges_miss_nothing_and_share_evenly(num_iterations, num_instances, first):
    ranges = ranges_of(num_iterations, num_instances, first)

    assert len(ranges) == num_instances
    assert [start for start, _ in ranges[1:]] == [end for _, end in ranges[:-1]]
    assert (ranges[0][0], ranges[-1][1]) == (first, first + num_iterations)
    sizes = [end - start for start, end in ranges]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] - sizes[-1] <= 1


@pytest.mark.parametrize(
    ("text", "instances"),
    [("0", (0,)), ("0-3", (0, 1, 2, 3)), ("0,2-3", (0, 2, 3)), ("5, 1 - 2,2", (1, 2, 5))],
)
def test_instances_are_named(text, instances):
    assert parse_instances(text, 6) == instances


@pytest.mark.parametrize(
    "text", ["", "a", "-1", "1-", "3-1", "0,,1", "6", "2-6", "0.5", "99999999999"]
)
def test_instances_that_there_are_not(text):
    with pytest.raises(ConfigError) as error:
        parse_instances(text, 6)
    assert repr(text) in str(error.value)
    assert "0 to 5" in error.value.remedy


# -- a run ---------------------------------------------------------------------------------------


def iterations_in_checkpoints(run):
    """Iterations of each instance, counted from the final checkpoints: their ranges."""
    found = []
    for folder in sorted(run.glob("instance_*/checkpoints/checkpoint_final")):
        about = storage.read_metadata(folder, checkpoint.KIND)
        ranges = checkpoint.ranges_of(about)
        assert sum(end - first for first, end in ranges) == about["iteration"]
        found += ranges
    return sorted(found)


@pytest.mark.parametrize(
    ("num_iterations", "num_instances"), [(1, 1), (1000, 1), (1000, 3), (7, 3), (3, 5), (250, 2)]
)
def test_what_is_asked_is_done_once(tmp_path, num_iterations, num_instances):
    """Also with more instances than iterations."""
    watcher = Watcher()
    result = train(tmp_path, num_instances, num_iterations=num_iterations, observer=watcher)

    ranges = iterations_in_checkpoints(tmp_path)
    assert ranges[0][0] == 0
    assert [start for start, _ in ranges[1:]] == [end for _, end in ranges[:-1]]
    assert ranges[-1][1] == num_iterations == result.iterations_done
    assert result.completed
    assert [one.status for one in progress(tmp_path, num_instances)] == [
        "completed"
    ] * num_instances
    idle = num_instances - num_iterations
    assert [w for w in watcher.warnings if "nothing to do" in w] == (
        [
            f"{idle} of {num_instances} instances have nothing to do: "
            f"there are only {num_iterations} iterations"
        ]
        if idle > 0
        else []
    )


def test_what_a_run_writes(tmp_path):
    run = tmp_path / "run"
    coordinator = coordinator_of(2, num_iterations=2_001, checkpoint_interval=500)
    coordinator.train(run)

    for name in (
        "run.json",
        "progress/instance_1_progress.json",
        "instance_1/instance_1.log",
        "instance_1/checkpoints/checkpoint_final/table.npy",
        "instance_1/checkpoints/checkpoint_iter500/table.npy",
        "instance_1/avg_policy.json",
    ):
        assert (run / name).is_file(), name
    assert list((run / "instance_1" / "tensorboard").iterdir()) != []
    record = json.loads((run / "progress" / "instance_1_progress.json").read_text())
    assert set(record) == KEYS
    assert record["start_iter"] == 1_001
    assert record["end_iter"] == record["current_iter"] == 2_001
    assert (record["status"], record["progress_pct"]) == ("completed", 100.0)
    about = json.loads((run / "run.json").read_text())
    assert about["ranges"] == [[0, 1_001], [1_001, 2_001]]
    assert about["asked"]["num_instances"] == 2
    assert about["asked"]["num_iterations"] == 2_001
    assert about["asked"]["seed"] == LAWS["seed"]
    assert about["buckets_fingerprint"] == LOSSLESS
    assert len(about["tree_fingerprint"]) == 64
    assert about["host"]["name"]
    assert about["versions"]["holdem"]
    config = load_config(run / "config.yaml")
    assert config.training == coordinator.config
    assert config.num_instances == 2


def test_the_first_instance_is_the_run_of_its_size(tmp_path):
    """An instance is a run like another, over its part of the seed's random numbers."""
    train(tmp_path / "many", 2, num_iterations=1_000)
    config = MCCFRConfig(**{**LAWS, "num_iterations": 500})
    alone = MCCFRSolver(config, None, game=GAME).train(tmp_path / "alone", False)

    first, second = (tmp_path / "many" / f"instance_{i}" / "checkpoints" for i in (0, 1))
    assert contents(alone.checkpoint) == contents(first / "checkpoint_final")
    tables = [path / "table.npy" for path in (alone.checkpoint, second / "checkpoint_final")]
    assert tables[0].read_bytes() != tables[1].read_bytes()


def test_an_instance_deals_the_iterations_of_its_range(tmp_path):
    """The utilities of two instances are those of the iterations of one long frozen run."""
    # One batch: the table is frozen, and the utility of an iteration is that of its deal.
    values = {"batch_size": 1_000, "discount_interval": 10**6}
    train(tmp_path, 2, num_iterations=1_000, **values)
    config = MCCFRConfig(**{**LAWS, **values, "num_iterations": 1_000})
    alone = MCCFRSolver(config, None, game=GAME).train(tmp_path / "alone", False)

    def utility(path):
        return storage.read_metadata(path, checkpoint.KIND)["utility_sum"]

    parts = [tmp_path / f"instance_{i}" / "checkpoints" / "checkpoint_final" for i in (0, 1)]
    assert sum(map(utility, parts)) == pytest.approx(utility(alone.checkpoint))


def test_options_reach_every_instance(tmp_path):
    values = {
        "num_iterations": 400,
        "seed": 9,
        "batch_size": 50,
        "discount_interval": 70,
        "sampling": "outcome",
        "epsilon_schedule": ((0, 0.5), (100, 0.3)),
        "keep_checkpoints": 1,
        "checkpoint_interval": 100,
        "regret_discount_alpha": 1.5,
        "strategy_discount_beta": 2.0,
    }
    launcher = Inline()
    train(tmp_path, 2, launcher=launcher, **values)

    asked = MCCFRConfig(**{**LAWS, **values})
    for instance, spec in enumerate(launcher.specs):
        assert spec.config == replace(asked, num_iterations=200)
        config = load_config(tmp_path / f"instance_{instance}" / "config.yaml")
        assert config.training == spec.config
        assert config.game == GAME


def test_time_mode(tmp_path):
    """Every instance has the whole budget and random numbers of its own."""
    result = train(tmp_path, 3, num_iterations=None, time_budget_seconds=0.4)

    ranges = iterations_in_checkpoints(tmp_path)
    assert [first for first, _ in ranges] == [0, TIME_STREAM, 2 * TIME_STREAM]
    for record in progress(tmp_path, 3):
        written = json.loads(instance_progress.path_of(tmp_path, record.instance_id).read_text())
        assert set(written) == TIME_KEYS
        assert written["end_iter"] is None
        assert (record.status, record.progress_pct) == ("completed", 100.0)
        assert record.elapsed_seconds >= record.time_budget_seconds == 0.4
        assert record.current_iter == ranges[record.instance_id][1]
        assert record.iterations_done > 0
    assert result.completed


def test_both_budgets(tmp_path):
    """Whichever is met first; here the iterations are."""
    train(tmp_path, 2, num_iterations=500, time_budget_seconds=600.0)
    for record in progress(tmp_path, 2):
        assert set(record.as_json()) == TIME_KEYS
        assert (record.status, record.progress_pct) == ("completed", 100.0)
        assert record.current_iter == record.end_iter


def test_streams_of_time_mode_cannot_meet():
    plan = RunPlan.new(
        MCCFRConfig(time_budget_seconds=1.0), 4_096, tree_fingerprint="", buckets_fingerprint=""
    )
    starts = [start for start, _ in plan.ranges]
    ends = [start + plan.config_of(i).num_iterations for i, start in enumerate(starts)]
    assert starts[1:] == ends[:-1]
    assert ends[-1] < 2**53


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("num_instances", [0, -1, 4_097, True])
def test_impossible_numbers_of_instances(num_instances):
    with pytest.raises(ValueError, match="num_instances is"):
        coordinator_of(num_instances)


def test_every_instance_has_one_worker():
    with pytest.raises(ConfigError) as error:
        coordinator_of(2, num_workers=2)
    assert str(error.value) == (
        "--num-instances cannot be used with --num-workers: every instance has one worker"
    )


def test_no_instance_evaluates_its_part():
    with pytest.raises(ConfigError, match="cannot be used with --eval-interval"):
        coordinator_of(2, eval_interval=100)


def test_a_budget_is_needed():
    with pytest.raises(ConfigError) as error:
        coordinator_of(2, num_iterations=None)
    assert str(error.value) == "Multi-instance mode requires either --iters or --time-budget"


@pytest.mark.parametrize("instances", [[], [2], [-1], [0, 5]])
def test_instances_of_another_run(instances):
    with pytest.raises(ConfigError, match="are not of those"):
        coordinator_of(2, instances=instances)


def test_memory_is_added_up(tmp_path, monkeypatch):
    """One of them would fit."""
    coordinator = coordinator_of(4)
    one = costs.estimate(coordinator.config, GAME, bucket_counts_of(GAME, None))
    monkeypatch.setattr(costs, "available_memory", lambda: 2 * one.memory_bytes)
    with pytest.raises(ResourceError, match="of memory"):
        coordinator.train(tmp_path / "run", False)
    assert not (tmp_path / "run").exists()


def test_a_nearly_full_disk_does_not_keep_a_run_from_going_on(tmp_path, monkeypatch):
    """What its instances have there already is not asked for again."""
    train(tmp_path / "run", 2)
    coordinator = coordinator_of(2)
    one = costs.estimate(coordinator.config, GAME, bucket_counts_of(GAME, None))
    held = 2 * (one.checkpoint_bytes + one.policy_bytes)
    free = 2 * one.disk_bytes - held
    monkeypatch.setattr(storage, "free_bytes", lambda path: free)
    result = coordinator.train(tmp_path / "run", False, resume_from=tmp_path / "run")
    assert result.completed
    with pytest.raises(ResourceError, match="the run needs"):
        coordinator.train(tmp_path / "another", False, resume_from=tmp_path / "run")


def test_the_folder_of_another_run(tmp_path):
    train(tmp_path, 2)
    for values in ({}, {"seed": 8}, {"num_iterations": 600}):
        with pytest.raises(StorageError, match="already"):
            train(tmp_path, 2, **values)


def test_an_instance_that_somebody_trains(tmp_path):
    """Two processes on one folder would write over each other."""
    (tmp_path / "instance_1").mkdir()
    with (
        storage.hold(tmp_path / "instance_1", "it"),
        pytest.raises(StorageError, match="another process is at work on instance 1"),
    ):
        train(tmp_path, 2)


# -- progress files ------------------------------------------------------------------------------


def test_a_reader_never_sees_half_a_record_or_a_step_back(tmp_path):
    """The file is hammered by a reader while an instance writes it as fast as it can."""
    first = InstanceProgress(
        instance_id=0,
        start_iter=0,
        end_iter=100_000,
        current_iter=0,
        status="starting",
        last_update=0.0,
    )
    seen, over = [], threading.Event()

    def read():
        last = False
        while not last:
            last = over.is_set()  # then once more
            record = instance_progress.read(tmp_path, 0)
            seen.append((record.progress_pct, record.status, record.current_iter))

    instance_progress.write(tmp_path, first)
    reader = threading.Thread(target=read)
    reader.start()
    config = MCCFRConfig(**{**LAWS, "num_iterations": 3_000, "batch_size": 10})
    solver = MCCFRSolver(config, None, game=GAME)
    with ProgressFile(tmp_path, replace(first, end_iter=3_000)) as file:
        file._write, write = lambda: None, file._write  # at each batch, not each second
        progressed = file.progressed
        file.progressed = lambda progress: (progressed(progress), write())
        solver.train(tmp_path / "run", False, observer=file, every_batch=True)
        write()
    over.set()
    reader.join()

    assert len(set(seen)) > 10
    assert seen == sorted(seen, key=lambda one: one[0])
    assert seen[-1] == (100.0, "completed", 3_000)


def test_a_percentage_stays_until_it_is_passed(tmp_path):
    """As after a retry, which goes on from a checkpoint behind what was shown."""
    record = InstanceProgress(
        instance_id=0,
        start_iter=0,
        end_iter=1_000,
        current_iter=300,
        status="starting",
        progress_pct=50.0,
        last_update=0.0,
    )
    file, seen = ProgressFile(tmp_path, record), []
    for iteration in (300, 400, 600, 1_000):
        file.progressed(
            Progress(
                iteration=iteration,
                num_iterations=1_000,
                elapsed_seconds=1.0,
                time_budget_seconds=None,
                iterations_per_second=1.0,
                nodes_per_second=1.0,
                utility_bb=0.0,
                memory_bytes=0,
            )
        )
        file._write()
        found = instance_progress.read(tmp_path, 0)
        seen.append((found.current_iter, found.progress_pct))
    assert seen == [(300, 50.0), (400, 50.0), (600, 60.0), (1_000, 99.99)]


def test_the_file_is_renewed_while_nothing_moves(tmp_path, monkeypatch):
    """A long checkpoint must not look like a dead process."""
    monkeypatch.setattr(instance_progress, "BEAT_SECONDS", 0.01)
    record = InstanceProgress(
        instance_id=3,
        start_iter=0,
        end_iter=None,
        current_iter=0,
        status="running",
        last_update=0.0,
    )
    with ProgressFile(tmp_path, record):
        seen = set()
        while len(seen) < 5:
            seen.add(instance_progress.read(tmp_path, 3).last_update)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"status": "running"}', '{"status": "lost"}', '"running"']
)
def test_what_is_no_progress_file(tmp_path, text):
    path = instance_progress.path_of(tmp_path, 0)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(StorageError):
        instance_progress.read(tmp_path, 0)


# -- failures ------------------------------------------------------------------------------------


report_of_run = Run._report


class Broken(Inline):
    """One instance fails, by a bug of the solver, its first *times* times."""

    def __init__(self, monkeypatch, instance, times=1, after=300):
        super().__init__(self.break_it)
        self.instance, self.times, self.after = instance, times, after
        self.monkeypatch = monkeypatch

    def break_it(self, spec):
        broken = spec.instance == self.instance and self.times > 0
        self.times -= broken

        def report(run, now):
            report_of_run(run, now)
            if broken and run._engine.iteration >= self.after:
                raise ZeroDivisionError("bad luck")

        self.monkeypatch.setattr(Run, "_report", report)


def test_one_failing_instance_leaves_the_others_alone(tmp_path, monkeypatch):
    watcher = Watcher()
    result = train(tmp_path, 3, launcher=Broken(monkeypatch, 1), observer=watcher)

    assert [one.status for one in result.instances] == ["completed", "failed", "completed"]
    record = progress(tmp_path, 3)[1]
    assert record.status == "failed"
    assert record.error_msg == "ZeroDivisionError: bad luck"
    log = (tmp_path / "instance_1" / "instance_1.log").read_text()
    assert "Traceback" in log
    assert log.count("ZeroDivisionError: bad luck") == 1
    assert watcher.warnings[-1] == "instance 1 (place 1) failed: ZeroDivisionError: bad luck"
    assert not result.completed


def test_an_instance_that_cannot_begin_says_why(tmp_path):
    """Before its run has a log of its own."""

    def spoil(spec):
        if spec.instance == 0:
            spec.folder.mkdir()
            (spec.folder / "checkpoints").write_text("a file stands where a folder is wanted")

    result = train(tmp_path, 2, launcher=Inline(spoil))

    assert [one.status for one in result.instances] == ["failed", "completed"]
    assert "checkpoints" in progress(tmp_path, 2)[0].error_msg
    assert "Traceback" in (tmp_path / "instance_0" / "instance_0.log").read_text()


def test_a_failed_instance_is_started_again_from_its_checkpoint(tmp_path, monkeypatch):
    train(tmp_path / "whole", 2, checkpoint_interval=200)
    watcher, launcher = Watcher(), Broken(monkeypatch, 1, times=2)
    result = train(
        tmp_path / "broken",
        2,
        launcher=launcher,
        retries=2,
        observer=watcher,
        checkpoint_interval=200,
    )

    assert result.completed
    assert final_tables(tmp_path / "broken") == final_tables(tmp_path / "whole")
    told = [w for w in watcher.warnings if "starting it again" in w]
    assert ["(1 of 2)" in told[0], "(2 of 2)" in told[1]] == [True, True]
    again = [spec for spec in launcher.specs if spec.instance == 1][1:]
    assert all(spec.resume_from.name.startswith("checkpoint_iter") for spec in again)
    assert [spec.least_pct > 0 for spec in again] == [True, True]


def test_retries_end(tmp_path, monkeypatch):
    watcher = Watcher()
    result = train(
        tmp_path, 2, launcher=Broken(monkeypatch, 0, times=9), retries=2, observer=watcher
    )
    assert [one.status for one in result.instances] == ["failed", "completed"]
    assert len([w for w in watcher.warnings if "starting it again" in w]) == 2


def test_an_instance_that_dies_without_a_word(tmp_path):
    def die(spec):
        if spec.instance == 0:
            raise RuntimeError("killed by signal 9 (SIGKILL)")

    watcher = Watcher()
    result = train(tmp_path, 2, launcher=Inline(die), observer=watcher)

    assert [one.status for one in result.instances] == ["failed", "completed"]
    assert progress(tmp_path, 2)[0].error_msg == "killed by signal 9 (SIGKILL)"
    assert "instance 0 (place 0) failed: killed by signal 9" in watcher.warnings[-1]


def test_an_instance_that_cannot_be_started(tmp_path):
    class Full(Inline):
        def start(self, spec):
            if spec.instance == 1:
                raise BlockingIOError("too many processes")
            return super().start(spec)

    result = train(tmp_path, 2, launcher=Full())
    assert [one.status for one in result.instances] == ["completed", "failed"]
    assert "could not be started: too many processes" in progress(tmp_path, 2)[1].error_msg


# -- resuming ------------------------------------------------------------------------------------


def interrupted(run, num_instances, stopped, **values):
    """A run in which *stopped* instances were asked to stop at once."""
    launcher = Inline(lambda spec: 15 if spec.instance in stopped else None)
    return train(run, num_instances, launcher=launcher, **values)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = tmp_path_factory.mktemp("whole")
    train(run, 3)
    return run


def test_an_interrupted_instance_says_so(tmp_path):
    result = interrupted(tmp_path, 3, {1})
    assert [one.status for one in result.instances] == ["completed", "interrupted", "completed"]
    assert progress(tmp_path, 3)[1].status == "interrupted"
    assert list((tmp_path / "instance_1" / "checkpoints").glob("checkpoint_iter*"))


@pytest.mark.parametrize("place", ["in place", "elsewhere"])
def test_a_resumed_run_ends_as_an_undisturbed_one(tmp_path, whole, place):
    run = tmp_path / "run"
    interrupted(run, 3, {0, 2})
    to = run if place == "in place" else tmp_path / "other"
    watcher = Watcher()
    result = train(to, 3, resume_from=run, observer=watcher)

    assert result.completed
    assert final_tables(to) == final_tables(whole)
    assert iterations_in_checkpoints(to) == iterations_in_checkpoints(whole)
    begun = [(one.instance, one.checkpoint is not None) for one in watcher.info.beginnings]
    assert begun == [(0, True), (1, True), (2, True)]
    assert progress(to, 3)[0].resumed_from == str(watcher.info.beginnings[0].checkpoint)


def test_one_that_has_no_checkpoints_starts_afresh(tmp_path, whole):
    interrupted(tmp_path, 3, {0, 1, 2})
    shutil.rmtree(tmp_path / "instance_1" / "checkpoints")
    shutil.rmtree(tmp_path / "instance_2" / "checkpoints")
    (tmp_path / "instance_2" / "checkpoints").mkdir()
    watcher = Watcher()
    train(tmp_path, 3, resume_from=tmp_path, observer=watcher)

    assert "No checkpoint directory found for instance 1" in watcher.warnings
    assert any(
        one.startswith("No checkpoint directory found for instance 2: it is there")
        for one in watcher.warnings
    )
    assert final_tables(tmp_path) == final_tables(whole)


@pytest.mark.parametrize("name", ["checkpoint_final", "checkpoint_iter600"])
@pytest.mark.parametrize("damage", ["table.npy", "metadata.json"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path, whole, name, damage):
    train(tmp_path, 3, checkpoint_interval=200)
    folder = tmp_path / "instance_1" / "checkpoints"
    if name != "checkpoint_final":
        shutil.rmtree(folder / "checkpoint_final")
    path = folder / name / damage
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    watcher = Watcher()
    train(tmp_path, 3, resume_from=tmp_path, observer=watcher)

    (told,) = [one for one in watcher.warnings if "is damaged" in one]
    before = {"checkpoint_final": "checkpoint_iter600", "checkpoint_iter600": "checkpoint_iter400"}
    assert f"{name}/{damage}" in told
    assert told.endswith(f"instance 1 goes on from {folder / before[name]}")
    assert (folder / f"{name}.damaged").is_dir()
    assert final_tables(tmp_path) == final_tables(whole)


def test_an_instance_without_one_whole_checkpoint_is_not_begun_again(tmp_path):
    interrupted(tmp_path, 2, {0, 1})
    for path in (tmp_path / "instance_0" / "checkpoints").glob("*/table.npy"):
        path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(StorageError, match="no checkpoint of instance 0 is whole"):
        train(tmp_path, 2, resume_from=tmp_path)


def test_more_and_fewer_instances(tmp_path, whole):
    """Ranges stay those of the run that is resumed."""
    interrupted(tmp_path / "run", 3, {0, 1, 2})
    shutil.copytree(tmp_path / "run", tmp_path / "fewer")
    watcher = Watcher()
    train(tmp_path / "fewer", 2, resume_from=tmp_path / "fewer", observer=watcher)
    assert watcher.info.surplus == (2,)
    found = [one.status for one in progress(tmp_path / "fewer", 3)]
    assert found == ["completed", "completed", "interrupted"]
    fewer = RunPlan.read(tmp_path / "fewer")
    assert fewer.config.num_iterations == 2_000
    ranges = fewer.ranges
    assert ranges == RunPlan.read(tmp_path / "run").ranges  # the third can still go on

    watcher = Watcher()
    train(tmp_path / "more", 5, resume_from=tmp_path / "run", observer=watcher)
    assert [one.instance for one in watcher.info.beginnings] == [0, 1, 2]
    assert RunPlan.read(tmp_path / "more").ranges == (*ranges, (2_000, 2_000), (2_000, 2_000))
    assert iterations_in_checkpoints(tmp_path / "more") == iterations_in_checkpoints(whole)


def test_new_instances_do_the_iterations_that_are_added(tmp_path):
    interrupted(tmp_path, 2, {1}, num_iterations=1_000)
    train(tmp_path, 4, resume_from=tmp_path, num_iterations=1_500)
    found = iterations_in_checkpoints(tmp_path)
    assert found == [(0, 500), (500, 1_000), (1_000, 1_250), (1_250, 1_500)]


@pytest.mark.parametrize(
    ("num_instances", "num_iterations"), [(2, 900), (2, 1_200), (1, 1_200), (3, 900)]
)
def test_iterations_that_nobody_would_do_or_that_are_done(tmp_path, num_instances, num_iterations):
    interrupted(tmp_path, 2, {0, 1}, num_iterations=1_000)
    with pytest.raises(ConfigError, match="divides 1,000 among its 2 instances"):
        train(tmp_path, num_instances, resume_from=tmp_path, num_iterations=num_iterations)


def test_a_run_by_time_goes_on_counting(tmp_path):
    values = {"num_iterations": None, "time_budget_seconds": 0.3}
    train(tmp_path, 2, **values)
    before = iterations_in_checkpoints(tmp_path)
    train(tmp_path, 3, resume_from=tmp_path, **values)
    after = iterations_in_checkpoints(tmp_path)
    assert [first for first, _ in after] == [0, TIME_STREAM, 2 * TIME_STREAM]
    assert all(now > then for (_, now), (_, then) in zip(after, before, strict=False))


def test_a_run_by_time_cannot_be_given_ranges(tmp_path):
    train(tmp_path, 2, num_iterations=None, time_budget_seconds=0.1)
    with pytest.raises(ConfigError, match="was a run by time"):
        train(tmp_path, 2, resume_from=tmp_path)


def test_a_time_budget_ends_at_the_ranges_of_the_resumed_run(tmp_path, whole):
    """Else an instance would do what is another's."""
    interrupted(tmp_path, 3, {0, 1, 2})
    train(tmp_path, 3, resume_from=tmp_path, num_iterations=None, time_budget_seconds=60.0)
    assert final_tables(tmp_path) == final_tables(whole)


def test_another_tree_or_other_buckets_are_refused(tmp_path, monkeypatch):
    interrupted(tmp_path, 2, {0, 1})
    other = MultiInstanceCoordinator(
        MCCFRConfig(**LAWS), None, game=games.kuhn(), num_instances=2, launcher=Inline()
    )
    with pytest.raises(MismatchError, match="betting tree"):
        other.train(tmp_path, False, resume_from=tmp_path)
    about = json.loads((tmp_path / "run.json").read_text())
    about["buckets_fingerprint"] = "0" * 64
    storage.write_json(tmp_path / "run.json", about)
    with pytest.raises(MismatchError, match="Cannot safely resume training with different bucket"):
        train(tmp_path, 2, resume_from=tmp_path)


def test_the_checkpoint_of_another_instance_is_refused(tmp_path):
    interrupted(tmp_path, 2, {0, 1})
    shutil.rmtree(tmp_path / "instance_1" / "checkpoints")
    shutil.copytree(
        tmp_path / "instance_0" / "checkpoints", tmp_path / "instance_1" / "checkpoints"
    )
    with pytest.raises(MismatchError, match="and those of instance 1 are 1,001 to 2,000"):
        train(tmp_path, 2, resume_from=tmp_path)


@pytest.mark.parametrize("place", ["in place", "elsewhere"])
def test_an_instance_that_was_trained_beyond_its_range(tmp_path, whole, place):
    """By itself, into the iterations of the next: it goes on from before that."""
    run = tmp_path / "run"
    train(run, 3, checkpoint_interval=300, keep_checkpoints=0)
    folder = run / "instance_1" / "checkpoints"
    config = MCCFRConfig(**{**LAWS, "num_iterations": 1_200, "checkpoint_interval": 300})
    MCCFRSolver(config, None, game=GAME).train(folder.parent, False, resume_from=folder.parent)
    assert selected_is_refused(run)
    to = run if place == "in place" else tmp_path / "other"
    watcher = Watcher()
    train(to, 3, resume_from=run, observer=watcher)

    beyond = [f"{folder}/checkpoint_final", f"{folder}/checkpoint_iter900"]
    told = [one for one in watcher.warnings if "beyond the range of instance 1" in one]
    assert [one.split(" holds ")[0] for one in told] == beyond
    aside = ", and is now checkpoint_final.abandoned" if place == "in place" else ""
    assert told[0] == (
        f"{beyond[0]} holds iterations 668 to 1,867, beyond the range of instance 1{aside}; "
        f"instance 1 goes on from {folder}/checkpoint_iter600"
    )
    assert final_tables(to) == final_tables(whole)
    assert len(select([to]).parts) == 3
    assert (folder / "checkpoint_iter900.abandoned").is_dir() == (place == "in place")
    assert not selected_is_refused(to)


def selected_is_refused(run):
    try:
        select([run])
    except MismatchError as error:
        return "both did iterations" in str(error)
    return False


def test_an_instance_that_holds_nothing_but_what_is_beyond_its_range(tmp_path):
    train(tmp_path, 2, num_iterations=1_000)
    folder = tmp_path / "instance_0"
    config = MCCFRConfig(**{**LAWS, "num_iterations": 600})
    MCCFRSolver(config, None, game=GAME).train(folder, False, resume_from=folder)
    for path in (folder / "checkpoints").glob("checkpoint_iter*"):
        shutil.rmtree(path)
    with pytest.raises(MismatchError) as error:
        train(tmp_path, 2, num_iterations=1_000, resume_from=tmp_path)
    assert str(error.value) == (
        f"{folder}/checkpoints/checkpoint_final holds iterations 1 to 600, and those of "
        "instance 0 are 1 to 500"
    )
    assert error.value.remedy == f"move {folder} away, to start this instance afresh"


def test_a_game_of_three_is_resumed(tmp_path):
    """Whose number of players is the game's, and not the config's."""
    values = {"game": games.kuhn(3), "num_instances": 2}
    coordinators = [
        MultiInstanceCoordinator(MCCFRConfig(**LAWS), None, launcher=Inline(), **values)
        for _ in range(2)
    ]
    coordinators[0].train(tmp_path, False)
    assert coordinators[1].train(tmp_path, False, resume_from=tmp_path).completed


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        ([], "no range holds any iteration"),
        ([[0, 0], [0, 0]], "no range holds any iteration"),
        ([[0, 600], [400, 1_000]], r"\[400, 1000\] is not after iteration 600"),
        ([[500, 1_000], [0, 500]], r"\[0, 500\] is not after iteration 1,000"),
        ([[0, 500], [1_000, 500]], r"\[1000, 500\] is not after iteration 500"),
        ([[-1, 500]], r"\[-1, 500\] is not after iteration 0"),
        ([[0, 500.0], [500, 1_000]], r"\[0, 500.0\] is not a range"),
        ([[False, 500]], r"\[False, 500\] is not a range"),
        ([[0, "500"]], r"\[0, '500'\] is not a range"),
        ([[0, None], [1_000, None]], r"\[0, None\] is not a range"),
        ([[0]], "not enough values"),
        ([0, 500], "cannot unpack"),
        (7, "not iterable"),
    ],
)
def test_ranges_that_nobody_planned(tmp_path, ranges, said):
    train(tmp_path, 2, num_iterations=1_000)
    about = json.loads((tmp_path / "run.json").read_text())
    storage.write_json(tmp_path / "run.json", {**about, "ranges": ranges})
    with pytest.raises(StorageError, match=rf"run.json is damaged: .*{said}"):
        train(tmp_path, 2, num_iterations=1_000, resume_from=tmp_path)


def test_ranges_by_time_that_meet(tmp_path):
    train(tmp_path, 2, num_iterations=None, time_budget_seconds=0.1)
    about = json.loads((tmp_path / "run.json").read_text())
    ranges = [[0, None], [TIME_STREAM - 1, None]]
    storage.write_json(tmp_path / "run.json", {**about, "ranges": ranges})
    with pytest.raises(StorageError, match="is not after iteration 1,000,000,000,000"):
        RunPlan.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "not the folder of a run of many instances"),
        ("{", "damaged or not JSON"),
        ("{}", "was not written by holdem"),
        ('{"format": "holdem run of many instances", "format_version": 2}', "version 2"),
        ('{"format": "holdem run of many instances", "format_version": 1}', "is damaged"),
    ],
)
def test_what_is_no_run(tmp_path, text, said):
    if text is not None:
        (tmp_path / instance_plan.RUN_NAME).write_text(text)
    with pytest.raises(StorageError, match=said):
        train(tmp_path / "new", 2, resume_from=tmp_path)


def test_changed_laws_are_told(tmp_path):
    interrupted(tmp_path, 2, {0, 1})
    watcher = Watcher()
    train(tmp_path, 2, resume_from=tmp_path, observer=watcher, discount_interval=400)
    assert "instance 1 was trained otherwise: discount_interval 300 -> 400" in watcher.warnings


def test_an_instance_that_was_killed_at_its_last_step(tmp_path, whole):
    """It has its final checkpoint, and not yet its policy."""
    train(tmp_path, 3)
    shutil.rmtree(tmp_path / "instance_1" / "avg_policy")
    record = progress(tmp_path, 3)[1]
    instance_progress.write(tmp_path, replace(record, status="running", progress_pct=99.99))
    launcher = Inline()
    train(tmp_path, 3, resume_from=tmp_path, launcher=launcher)
    assert [spec.instance for spec in launcher.specs] == [1]
    assert final_tables(tmp_path) == final_tables(whole)


def test_a_resumed_instance_begins_where_it_was(tmp_path, monkeypatch):
    """Its file does not go back to 0 % while it starts."""
    train(tmp_path, 2, launcher=Broken(monkeypatch, 1, after=700), checkpoint_interval=200)
    monkeypatch.undo()
    launcher = Inline()
    train(tmp_path, 2, launcher=launcher, resume_from=tmp_path, checkpoint_interval=200)
    (spec,) = launcher.specs  # the other has nothing left to do
    first = spec.first_record()
    done = int(spec.resume_from.name.removeprefix("checkpoint_iter"))
    assert done >= 600
    assert (first.current_iter, first.progress_pct) == (1_000 + done, done / 10)


def test_ctrl_c_in_a_script_of_ones_own(tmp_path):
    """Nobody has made it a call of `request_stop`: the instances save, then it goes on up."""

    class Interrupted(Inline):
        stopped = False

        def wait(self, timeout):
            if not self.stopped:
                raise KeyboardInterrupt
            return super().wait(timeout)

        def stop(self):
            self.stopped = True

    launcher = Interrupted(lambda spec: 2)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, 2, launcher=launcher)
    assert [one.status for one in progress(tmp_path, 2)] == ["interrupted", "interrupted"]


# -- parts of a run on several machines ----------------------------------------------------------


def test_two_machines_do_one_run(tmp_path, whole):
    """Each its own instances, into one folder."""
    first = train(tmp_path, 3, instances=[0, 2])
    assert [one.instance_id for one in first.instances] == [0, 2]
    assert not (tmp_path / "instance_1").exists()
    train(tmp_path, 3, instances=[1])
    assert final_tables(tmp_path) == final_tables(whole)


def test_another_machine_cannot_do_another_run(tmp_path):
    train(tmp_path, 3, instances=[0])
    for values in ({"seed": 8}, {"num_iterations": 900}, {"batch_size": 50}):
        with pytest.raises(StorageError, match="holds another run"):
            train(tmp_path, 3, instances=[1], **values)
    with pytest.raises(StorageError, match="checkpoints of instance 0"):
        train(tmp_path, 3, instances=[0, 1])


def test_a_pool_goes_on_with_an_instance(tmp_path):
    """To the same bytes, on other random numbers than those from 0 on."""
    interrupted(tmp_path / "run", 2, {1})
    found = []
    for workers in (1, 2):
        config = MCCFRConfig(**{**LAWS, "num_iterations": 1_000, "num_workers": workers})
        result = ParallelMCCFRSolver(config, None, game=GAME).train(
            tmp_path / f"{workers}", False, resume_from=tmp_path / "run" / "instance_1"
        )
        found.append(contents(result.checkpoint))
    assert found[0] == found[1]


# -- a run that begins in the middle of the stream -----------------------------------------------


def test_an_instance_can_go_on_alone(tmp_path):
    """A plain run that resumes an instance's checkpoint goes on with the instance's numbers."""
    interrupted(tmp_path / "run", 2, {1})
    train(tmp_path / "whole", 2)
    config = MCCFRConfig(**{**LAWS, "num_iterations": 1_000})
    alone = MCCFRSolver(config, None, game=GAME).train(
        tmp_path / "alone", False, resume_from=tmp_path / "run" / "instance_1"
    )
    tree = build_tree(GAME, bucket_counts_of(GAME, None))
    found = checkpoint.load(alone.checkpoint, tree, LOSSLESS)
    wanted = checkpoint.load(
        tmp_path / "whole" / "instance_1" / "checkpoints" / "checkpoint_final", tree, LOSSLESS
    )
    assert found.ranges == wanted.ranges == ((1_000, 2_000),)
    assert np.array_equal(found.words, wanted.words)
