"""What breaks a pool, really done; afterwards the run's bytes are those of an undisturbed one.

By default a few moments of each kind; `slow` tries twenty.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from holdem import storage
from holdem.errors import StorageError
from holdem.mccfr import checkpoint, pool
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.mccfr.pool import PoolError
from holdem.mccfr.segments import find_leaked, remove_leaked
from tests.pool_run import GAME, LAWS
from tests.pools import (
    GAMES,
    Watcher,
    outcome,
    own_shared_memory,
    save_buckets,
    solver_of,
    train,
    workers_of,
)

PATIENCE = 60.0  # seconds; only what hangs takes so long
ROOT = Path(__file__).parent.parent


def moments(sampled):
    """Seeds of random moments: *sampled* by default, twenty in all."""
    return pytest.mark.parametrize(
        "moment",
        [n if n < sampled else pytest.param(n, marks=pytest.mark.slow) for n in range(20)],
    )


@pytest.fixture(autouse=True)
def shared_memory(monkeypatch):
    with own_shared_memory() as folder:
        monkeypatch.setenv("HOLDEM_SHM_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return train(tmp_path_factory.mktemp("undisturbed"), GAME, 1, **LAWS)


class Disturber(Watcher):
    """Sends signals to workers of this process at moments drawn by a seed.

    A moment is a time after a pool's workers have begun to work, so that the signal falls
    into a walk, a merge, a copy or between them.
    """

    def __init__(self, seed, signal_number, *, times=1):
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.signal_number = signal_number
        self.times = times
        self.disturbed = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._disturb)

    def _disturb(self):
        while len(self.disturbed) < self.times and not self.over.is_set():
            workers = [
                worker
                for worker in workers_of(os.getpid())
                if worker.pid not in self.disturbed
            ]
            if len(workers) < 2 or not all(has_worked(worker) for worker in workers):
                time.sleep(0.005)
                continue
            time.sleep(self.rng.uniform(0, 0.4))
            victim = workers[self.rng.integers(len(workers))]
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.send_signal(self.signal_number)
                self.disturbed.append(victim.pid)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def has_worked(worker):
    """Whether a worker has the table mapped: it has come through its start."""
    try:
        return any("-table" in part.path for part in worker.memory_maps())
    except psutil.Error:
        return False


def wait_until(condition, patience=PATIENCE):
    """Return the seconds until *condition* holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience
        time.sleep(0.005)
    return time.monotonic() - began


# --- workers that break -----------------------------------------------------------------------


@moments(4)
def test_killed_worker(moment, tmp_path, undisturbed):
    """SIGKILL, as the system's memory killer sends it: noticed, told, and made good."""
    num_workers = 2 + moment % 2
    with Disturber(moment, signal.SIGKILL) as observer:
        result = train(tmp_path, GAME, num_workers, observer=observer, **LAWS)
    assert len(observer.disturbed) == 1
    (warning,) = observer.warnings
    assert f"PID {observer.disturbed[0]}" in warning
    assert "was killed by signal 9" in warning
    assert f"of {num_workers} workers answered" in warning
    assert "starting new workers (1 of 3)" in warning
    assert outcome(result) == outcome(undisturbed)


@moments(2)
def test_stopped_worker(moment, tmp_path, undisturbed, monkeypatch):
    """SIGSTOP: nothing moves any more, and the one that everybody waits for is named."""
    monkeypatch.setattr(pool, "_HANG_SECONDS", 1.0)
    monkeypatch.setattr(pool, "_FIRST_SECONDS", 1.0)
    with Disturber(moment, signal.SIGSTOP) as observer:
        result = train(tmp_path, GAME, 3 - moment % 2, observer=observer, **LAWS)
    (pid,) = observer.disturbed
    assert not psutil.pid_exists(pid)
    assert f"PID {pid}" in observer.warnings[0]
    assert "has not moved for" in observer.warnings[0]
    assert outcome(result) == outcome(undisturbed)


def test_one_failure_after_another(tmp_path, undisturbed, monkeypatch):
    """Three in a row are made good; what is left behind each time is the same."""
    with Disturber(5, signal.SIGKILL, times=3) as observer:
        result = train(tmp_path, GAME, 2, observer=observer, **LAWS)
    assert 1 <= len(observer.warnings) <= 3
    assert outcome(result) == outcome(undisturbed)


def test_worker_that_raises(tmp_path, shared_memory, monkeypatch):
    """The buckets are gone when the workers start: told by each failure, then the end."""
    bucketing = save_buckets(tmp_path / "buckets")
    table = tmp_path / "buckets" / "table_flop.npy"
    table.write_bytes(table.read_bytes()[:1_000])
    observer = Watcher()
    with pytest.raises(PoolError) as caught:
        train(tmp_path / "run", GAMES["hold'em"], 2, bucketing, observer=observer)
    assert "failed 4 times in a row" in str(caught.value)
    assert "StorageError" in str(caught.value)
    assert "table_flop" in str(caught.value)
    assert "doctor" in caught.value.remedy
    assert [f"({n} of 3)" in warning for n, warning in enumerate(observer.warnings, 1)] == [
        True
    ] * 3


def test_worker_that_finds_no_memory(tmp_path, monkeypatch):
    """Somebody has removed the segments: nobody answers, and the message counts them."""

    class Remover(Watcher):
        def started(self, run):
            for path in Path(os.environ["HOLDEM_SHM_DIR"]).iterdir():
                path.unlink()

    with pytest.raises(PoolError, match="0 of 2 workers answered") as caught:
        train(tmp_path, GAME, 2, observer=Remover(), **LAWS)
    assert "ended with status 1" in str(caught.value)


# --- runs that are ended from outside ---------------------------------------------------------


@contextlib.contextmanager
def run_of(logdir, num_workers, *, num_iterations=LAWS["num_iterations"]):
    """A training process that leads a process group of its own, as one in a terminal does."""
    command = [sys.executable, "-m", "tests.pool_run", str(logdir), str(num_workers)]
    process = subprocess.Popen(
        [*command, str(num_iterations)], cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


def working(process, num_workers):
    """Wait until all workers work, and return them."""

    def ready():
        assert process.poll() is None
        workers = workers_of(process.pid)
        return len(workers) == num_workers and all(map(has_worked, workers))

    wait_until(ready)
    return workers_of(process.pid)


def gone(processes):
    """Whether none of *processes* runs any more."""
    return not any(
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        for process in processes
    )


def finish(logdir, num_workers=1):
    """Go on with what a broken run has left, and return how it ends."""
    checkpoints = logdir / "checkpoints"
    resume_from = logdir if any(checkpoints.glob("checkpoint_*")) else None
    return train(logdir, GAME, num_workers, resume_from=resume_from, **LAWS)


@moments(2)
def test_killed_parent(moment, tmp_path, undisturbed, shared_memory):
    """Its workers follow within two seconds, and the next run removes what it left."""
    with run_of(tmp_path, 2) as process:
        workers = working(process, 2)
        time.sleep(np.random.default_rng(moment).uniform(0, 1.0))
        process.kill()
        process.wait()
        assert wait_until(lambda: gone(workers)) < 2
    left = {leaked.path for leaked in find_leaked()}
    assert left == set(shared_memory.iterdir())
    assert len(left) in (3, 4)                # the copy for a checkpoint is made when first needed
    assert outcome(finish(tmp_path, 2)) == outcome(undisturbed)


@moments(2)
def test_killed_group(moment, tmp_path, undisturbed, shared_memory):
    """As the terminal's end or a batch system does it; the doctor's call cleans up."""
    with run_of(tmp_path, 2) as process:
        workers = working(process, 2)
        time.sleep(np.random.default_rng(moment).uniform(0, 1.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert wait_until(lambda: gone(workers)) < 2
    left = set(shared_memory.iterdir())
    assert {leaked.path for leaked in remove_leaked()} == left
    assert not any(shared_memory.iterdir())
    assert outcome(finish(tmp_path)) == outcome(undisturbed)


@moments(2)
def test_killed_while_starting(moment, tmp_path, shared_memory):
    """Before a worker has asked to die with its parent, it notices by itself."""
    with run_of(tmp_path, 3) as process:
        wait_until(lambda: workers_of(process.pid))
        time.sleep(np.random.default_rng(moment).uniform(0, 0.5))
        workers = workers_of(process.pid)
        process.kill()
        process.wait()
        wait_until(lambda: gone(workers))
    remove_leaked()
    assert not any(shared_memory.iterdir())


@moments(2)
def test_interrupted_at_the_terminal(moment, tmp_path, undisturbed, shared_memory):
    """Ctrl-C reaches every process of the group; a checkpoint is saved, and goes on to the end."""
    with run_of(tmp_path, 2, num_iterations=10**9) as process:
        working(process, 2)
        time.sleep(np.random.default_rng(moment).uniform(0, 0.5))
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b""
    assert not any(shared_memory.iterdir())
    iteration, _ = checkpoint.list_checkpoints(tmp_path / "checkpoints")[-1]
    assert iteration % LAWS["batch_size"] == 0
    laws = {**LAWS, "num_iterations": iteration + 1_000}
    resumed = train(tmp_path, GAME, 3, resume_from=tmp_path, **laws)
    assert outcome(resumed) == outcome(train(tmp_path / "whole", GAME, 1, **laws))


@moments(2)
def test_interrupted_while_starting(moment, tmp_path, shared_memory):
    """Workers that are still importing are not struck by Ctrl-C either."""
    with run_of(tmp_path, 2, num_iterations=10**9) as process:
        wait_until(lambda: len(workers_of(process.pid)) == 2)
        time.sleep(np.random.default_rng(moment).uniform(0, 0.3))
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b""
    assert "answered" not in (tmp_path / "train.log").read_text()
    assert not any(shared_memory.iterdir())


def test_interrupted_twice(tmp_path, shared_memory):
    """The second Ctrl-C ends the run at once; workers and memory go with it."""
    with run_of(tmp_path, 2, num_iterations=10**9) as process:
        workers = working(process, 2)
        os.kill(process.pid, signal.SIGSTOP)  # both arrive before it can do anything else
        os.killpg(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE)
        assert wait_until(lambda: gone(workers)) < 2
    remove_leaked()
    assert not any(shared_memory.iterdir())


def test_full_disk_at_a_checkpoint(tmp_path, undisturbed, monkeypatch):
    """Told, and training goes on; the pool's last whole state is its own copy."""
    write = storage.write_folder

    def failing(path, *args, **kwargs):
        if "iter100000" in str(path):
            raise StorageError(f"cannot write {path}: the disk is full", "free some space")
        write(path, *args, **kwargs)

    monkeypatch.setattr(storage, "write_folder", failing)
    observer = Watcher()
    result = train(tmp_path, GAME, 2, observer=observer, **LAWS)
    assert ["disk is full" in warning for warning in observer.warnings] == [True]
    names = {path.name for path in tmp_path.glob("checkpoints/*")}
    assert names == {"checkpoint_iter50000", "checkpoint_iter150000", "checkpoint_final"}
    assert outcome(result) == outcome(undisturbed)


def test_two_runs_side_by_side(tmp_path, undisturbed, shared_memory):
    """One is killed, the other does not notice; nobody removes what is in use."""
    with run_of(tmp_path / "a", 2) as first, run_of(tmp_path / "b", 2) as second:
        working(first, 2)
        working(second, 2)
        assert find_leaked() == []
        assert remove_leaked() == []
        first.kill()
        third = train(tmp_path / "c", GAME, 2, **LAWS)
        assert second.wait(PATIENCE) == 0
    assert outcome(third) == outcome(undisturbed)
    assert outcome(finish(tmp_path / "a")) == outcome(undisturbed)
    ended = solver_of(GAME, 1, **LAWS).train(
        tmp_path / "b", use_tensorboard=False, resume_from=tmp_path / "b"
    )
    assert outcome(ended) == outcome(undisturbed)
    remove_leaked()
