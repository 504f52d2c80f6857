"""Instances on a Dask cluster, for real: a scheduler, workers in processes of their own."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed import Client

from holdem import storage
from holdem.errors import ConfigError, ResourceError, StorageError
from holdem.game import games
from holdem.mccfr import dask_launcher, instance_progress, instance_watch
from holdem.mccfr.dask_launcher import DaskLauncher
from holdem.mccfr.multi_instance_coordinator import (
    MultiInstanceCoordinator,
    SilentInstancesObserver,
)
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import MCCFRConfig

ROOT = Path(__file__).parent.parent
PATIENCE = 600
"""Seconds that a test waits for others before it gives up; nothing is judged by time."""


TRAIN = (sys.executable, "-m", "holdem.cli.main", "train", "--num-instances", "2")


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT)}


class Cluster:
    """A scheduler and its workers, one thread each, without nannies: a killed one stays dead."""

    def __init__(self, folder, num_workers=2):
        self.folder = folder
        file = folder / "scheduler.json"
        self.processes = [self._start("scheduler", "--port", "0", "--scheduler-file", str(file))]
        wait_for(file.exists)
        wait_for(lambda: file.read_text().strip())
        self.address = json.loads(file.read_text())["address"]
        self.workers = [self.start_worker() for _ in range(num_workers)]
        if num_workers:
            with Client(self.address, timeout=PATIENCE, set_as_default=False) as client:
                client.wait_for_workers(num_workers, timeout=PATIENCE)

    def _start(self, *args):
        log = open(self.folder / f"{args[0]}-{time.monotonic_ns()}.log", "w")  # noqa: SIM115
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *args, "--host", "127.0.0.1", "--no-dashboard"],
            cwd=self.folder,
            env=environment(),
            stdout=log,
            stderr=log,
        )

    def start_worker(self):
        worker = self._start("worker", self.address, "--nthreads", "1", "--no-nanny")
        self.processes.append(worker)
        return worker

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def wait_for(condition):
    """Wait until *condition* holds, and return what it said."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it never came to that")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine must not fail a test."""
    monkeypatch.setattr(dask_launcher, "CONNECT_SECONDS", PATIENCE)
    monkeypatch.setattr(dask_launcher, "WORKER_SECONDS", PATIENCE)


class Watcher(SilentInstancesObserver):
    """Calls *look* with the instances, about once a second, and keeps the warnings."""

    def __init__(self, look=lambda records: None):
        self.progressed = look
        self.warnings = []

    def warned(self, message):
        self.warnings.append(message)


CONFIG = MCCFRConfig(num_iterations=20_000, checkpoint_interval=5_000, seed=11)


def train(logdir, launcher, config=CONFIG, look=lambda records: None, **values):
    coordinator = MultiInstanceCoordinator(
        config, None, game=games.leduc(), num_instances=2, launcher=launcher, **values
    )
    watcher = Watcher(look)
    return coordinator.train(logdir, use_tensorboard=False, observer=watcher), watcher


def tables(logdir):
    """The final table of each instance, byte by byte."""
    return [
        (logdir / f"instance_{i}" / "checkpoints" / "checkpoint_final" / "table.npy").read_bytes()
        for i in range(2)
    ]


def expected_tables(folder, config=CONFIG):
    """What two plain runs over the same iterations leave."""
    half = config.num_iterations // 2
    alone = MCCFRConfig(num_iterations=half, seed=config.seed)
    for i in range(2):
        solver = MCCFRSolver(alone, None, game=games.leduc())
        solver.train(folder / f"instance_{i}", use_tensorboard=False, stream_start=i * half)
    return tables(folder)


def records(logdir):
    return [instance_progress.read(logdir, i) for i in range(2)]


# -- runs ----------------------------------------------------------------------------------------


def test_a_cluster_of_its_own(tmp_path):
    """Without a scheduler, and by the command."""
    (tmp_path / "leduc.yaml").write_text("game: leduc\nseed: 11\ncheckpoint_interval: 5000\n")
    command = subprocess.run(
        [
            *TRAIN,
            "--launcher",
            "dask",
            "--config",
            "leduc.yaml",
            "--iters",
            "2e4",
            "--logdir",
            "run",
        ],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )

    assert (command.returncode, command.stderr) == (0, "")
    assert "100.00%  2 instances: 2 completed" in command.stdout
    assert tables(tmp_path / "run") == expected_tables(tmp_path / "plain")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "config.yaml", "instance_0", "instance_1", "progress", "run.json",
    ]  # fmt: skip


def test_a_worker_that_is_killed_loses_nothing(tmp_path, cluster, monkeypatch):
    """Its instance goes on where its last checkpoint was, on the worker that is left."""
    # Between two looks a fast machine would be done.
    monkeypatch.setattr(instance_watch, "_LOOK_SECONDS", 0.05)
    config = MCCFRConfig(num_iterations=2_000_000, checkpoint_interval=20_000, seed=11)
    killed = []

    def kill(now):
        halfway = [one.current_iter - one.start_iter > 50_000 for one in now]
        if all(halfway) and not killed:
            killed.append(cluster.workers.pop())
            killed[0].send_signal(signal.SIGKILL)

    result, watcher = train(tmp_path / "run", DaskLauncher(cluster.address, 2), config, kill)
    cluster.workers.append(cluster.start_worker())

    assert killed
    assert killed[0].wait() == -signal.SIGKILL
    assert result.completed
    assert watcher.warnings == []
    resumed = [one.resumed_from for one in result.instances if one.resumed_from]
    assert len(resumed) == 1
    assert "checkpoint_iter" in resumed[0]
    assert tables(tmp_path / "run") == expected_tables(tmp_path / "plain", config)


def test_ctrl_c_is_passed_on(tmp_path, cluster):
    """Every instance saves a checkpoint, and the command says how to go on, which works."""
    (tmp_path / "leduc.yaml").write_text("game: leduc\nseed: 11\n")
    dask = ["--launcher", "dask", "--scheduler", cluster.address]
    process = subprocess.Popen(
        [*TRAIN, *dask, "--config", "leduc.yaml", "--iters", "1e9", "--logdir", "run"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run = tmp_path / "run"
    wait_for(lambda: all(one is not None and one.status == "running" for one in records(run)))

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert [one.status for one in records(run)] == ["interrupted"] * 2
    assert f"try: holdem train --num-instances 2 --resume-from run {' '.join(dask)}" in err
    for i in range(2):
        saved = list((run / f"instance_{i}" / "checkpoints").glob("checkpoint_*"))
        found = storage.read_metadata(saved[0], "checkpoint")
        assert found["iteration"] == records(run)[i].iterations_done


# -- what is refused -----------------------------------------------------------------------------


def test_a_worker_that_does_not_see_the_folder_is_named(tmp_path, cluster, monkeypatch):
    """As one would without the shared storage: its own folder of that name is another."""
    other = tmp_path / "other"
    train(other, None, MCCFRConfig(num_iterations=200, seed=12))
    read = dask_launcher.RunPlan.read
    monkeypatch.setattr(
        dask_launcher.RunPlan, "read", staticmethod(lambda path: read(other))
    )  # on this side only: the workers read what is there

    with pytest.raises(StorageError, match=r"the Dask worker tcp://\S+ cannot take part") as error:
        train(tmp_path / "run", DaskLauncher(cluster.address, 2))

    assert f"{tmp_path}/run is another run's folder there" in str(error.value)
    assert "storage that all machines share" in error.value.remedy


def test_buckets_that_a_worker_does_not_see(tmp_path):
    train(tmp_path, None)
    plan = dask_launcher.RunPlan.read(tmp_path)

    seen = dask_launcher._Sight(tmp_path, plan, None)
    without_buckets = dask_launcher._Sight(tmp_path, plan, tmp_path / "nowhere")
    without_run = dask_launcher._Sight(tmp_path / "nowhere", plan, None)

    assert seen.fault() is None
    assert "nowhere does not exist; wanted a folder of kind buckets" in without_buckets.fault()
    assert "nowhere is not the folder of a run" in without_run.fault()


def test_a_late_worker_that_sees_nothing_fails_its_task(tmp_path):
    """Not the run's folder: nothing may be written where it is not seen."""
    train(tmp_path / "run", None)
    plan = dask_launcher.RunPlan.read(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "gone")
    spec = SimpleNamespace(run=tmp_path / "run")

    with pytest.raises(StorageError, match="is not the folder of a run"):
        dask_launcher._task(spec, dask_launcher._Sight(tmp_path / "run", plan, None), "name")

    assert not (tmp_path / "run").exists()


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(ConfigError, match="not installed") as error:
        DaskLauncher(None, 2)

    assert "holdem[cluster]" in error.value.remedy


def test_a_scheduler_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(dask_launcher, "CONNECT_SECONDS", 0.5)

    with pytest.raises(ResourceError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1:"):
        DaskLauncher("tcp://127.0.0.1:1", 2)


@pytest.mark.parametrize(
    "address", ["nonsense", "tcp://nonsense", "smtp://127.0.0.1:1", "a:b:c", "tcp://127.0.0.1:x"]
)
def test_what_is_no_address(monkeypatch, address):
    """Refused without a client, which would have to be waited for."""
    monkeypatch.setattr("distributed.Client", None)
    with pytest.raises(ConfigError, match="which is no address") as error:
        DaskLauncher(address, 2)
    assert repr(address) in str(error.value)


def test_a_scheduler_without_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_launcher, "WORKER_SECONDS", 0.5)
    lonely = Cluster(tmp_path, num_workers=0)
    try:
        with pytest.raises(ResourceError, match="has no workers") as error:
            DaskLauncher(lonely.address, 2)
    finally:
        lonely.close()

    assert f"dask worker {lonely.address}" in error.value.remedy


def test_a_task_waits_for_a_lost_worker_to_let_go(tmp_path, monkeypatch):
    """It is lost to the scheduler, but its process has not ended yet."""
    spec = SimpleNamespace(folder=tmp_path / "instance_0", instance=0)
    held = [StorageError("another process is at work"), StorageError("still"), None]

    @contextlib.contextmanager
    def hold(folder, what):
        error = held.pop(0)
        if error is not None:
            raise error
        yield

    monkeypatch.setattr(dask_launcher.storage, "hold", hold)
    monkeypatch.setattr(dask_launcher, "WORD_SECONDS", 0.01)

    dask_launcher._wait_for_another(spec)

    assert held == []


# -- the word ------------------------------------------------------------------------------------


class Word:
    """What the scheduler holds, without one."""

    def __init__(self, *values):
        self.values = list(values)

    def get(self, timeout):
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        if isinstance(value, Exception):
            raise value
        return value


def hear(monkeypatch, word, patience):
    """What an instance is told in the end."""
    monkeypatch.setattr(dask_launcher, "WORD_SECONDS", 0.01)
    monkeypatch.setattr(dask_launcher, "PATIENCE", patience)
    with dask_launcher._Ear(word) as ear:
        return wait_for(ear.stop_signal)


def test_a_stop_is_heard(monkeypatch):
    assert hear(monkeypatch, Word([0, 1.0], [0, 2.0], [1, 2.0]), 1_000_000) == signal.SIGTERM


@pytest.mark.parametrize("last", [[0, 3.0], OSError("the scheduler is gone")], ids=str)
def test_whoever_is_left_alone_ends(monkeypatch, last):
    """The coordinator was killed, or the scheduler."""
    assert hear(monkeypatch, Word([0, 1.0], [0, 2.0], last), 10) == signal.SIGHUP


def test_whoever_hears_the_coordinator_goes_on(monkeypatch):
    monkeypatch.setattr(dask_launcher, "WORD_SECONDS", 0.001)
    monkeypatch.setattr(dask_launcher, "PATIENCE", 1)
    beats = itertools.count()
    with dask_launcher._Ear(SimpleNamespace(get=lambda timeout: [0, next(beats)])) as ear:
        wait_for(lambda: next(beats) > 200)
        assert ear.stop_signal() is None
