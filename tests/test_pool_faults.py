"""What breaks a pool, really done; afterwards the run's bytes are those of an undisturbed one.

By default a few moments of each kind; `slow` tries twenty.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from holdem import storage
from holdem.errors import StorageError
from holdem.mccfr import checkpoint, pool
from holdem.mccfr.pool import PoolError
from holdem.mccfr.pool_memory import PoolControl
from holdem.mccfr.segments import Segment, find_leaked, remove_leaked
from tests import faulty_worker
from tests.files import small_disk
from tests.pool_run import GAME, LAWS
from tests.pools import (
    GAMES,
    Watcher,
    outcome,
    own_shared_memory,
    save_buckets,
    train,
    workers_of,
)

PATIENCE = 300.0  # seconds; only what hangs takes so long
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
    into a walk, a merge, a copy or between them; or after two have been started.
    """

    def __init__(self, seed, signal_number, *, times=1, starting=False):
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.signal_number = signal_number
        self.times = times
        self.starting = starting
        self.disturbed = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._disturb)

    def _disturb(self):
        while len(self.disturbed) < self.times and not self.over.is_set():
            workers = [
                worker for worker in workers_of(os.getpid()) if worker.pid not in self.disturbed
            ]
            if len(workers) < 2 or not (self.starting or all(map(has_worked, workers))):
                time.sleep(0.005)
                continue
            time.sleep(self.rng.uniform(0, 0.2))
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
    """Return the seconds until *condition* holds, those left out in which nobody looked."""
    looked, seconds = time.monotonic(), 0.0
    while not condition():
        assert seconds < patience
        time.sleep(0.005)
        now = time.monotonic()
        # A long time since the last look: this process was stopped, as others may have been.
        seconds += min(now - looked, 0.1)
        looked = now
    return seconds


# --- workers that break -----------------------------------------------------------------------


@moments(3)
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


class Surgeon(Disturber):
    """Kills a worker in the middle of a walk or of a merge.

    It is stopped at a random moment; where it stands then, the shared page says. It is
    sent on and stopped again until that is the right place.
    """

    def __init__(self, seed, place, num_workers, batch_size):
        super().__init__(seed, signal.SIGKILL)
        self.place = place
        self.num_workers = num_workers
        self.sizes = (num_workers, batch_size, GAME.num_players)

    def _disturb(self):
        wait_until(lambda: self._batches() is not None and self._batches().snapshot().all())
        batches, workers = self._batches(), workers_of(os.getpid())
        while not self.over.is_set():
            time.sleep(self.rng.uniform(0, 0.02))
            number = int(self.rng.integers(self.num_workers))
            worker = workers[number]
            worker.suspend()
            while worker.status() != psutil.STATUS_STOPPED:
                time.sleep(0.001)
            walked, merged = (batches.load(2 * number + i) for i in (0, 1))
            if self.place == ("walk" if walked == merged else "merge"):
                self.disturbed.append(worker.pid)
                worker.kill()
                return
            worker.resume()

    def _batches(self):
        """The workers' counters on the page that they share with the parent."""
        for path in Path(os.environ["HOLDEM_SHM_DIR"]).glob("*-control"):
            with contextlib.suppress(StorageError):  # it is there, and empty for a moment
                return PoolControl(Segment.attach(path), *self.sizes).batches
        return None


LONG_BATCHES = {**LAWS, "batch_size": 20_000}
"""A walk and a merge take milliseconds: a moment is in the one or the other."""


@pytest.fixture(scope="module")
def undisturbed_long(tmp_path_factory):
    return train(tmp_path_factory.mktemp("undisturbed"), GAME, 1, **LONG_BATCHES)


@moments(2)
@pytest.mark.parametrize("place", ["walk", "merge"])
def test_killed_in(place, moment, tmp_path, undisturbed_long):
    """Others wait for it at the barrier after the walk, or the table is half merged."""
    num_workers = 2 + moment % 2
    with Surgeon(moment, place, num_workers, LONG_BATCHES["batch_size"]) as observer:
        result = train(tmp_path, GAME, num_workers, observer=observer, **LONG_BATCHES)
    (pid,) = observer.disturbed
    (warning,) = observer.warnings
    assert f"PID {pid}" in warning
    assert "was killed by signal 9" in warning
    assert outcome(result) == outcome(undisturbed_long)


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


def test_clock_that_went_on_while_all_were_stopped(tmp_path, monkeypatch):
    """After Ctrl-Z and fg hours may have passed: nobody hangs for that."""
    hours = itertools.count(step=3600)
    monkeypatch.setattr(
        pool, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + next(hours))
    )
    monkeypatch.setattr(pool, "_LOOK_SECONDS", 0.005)  # many in a batch
    monkeypatch.setattr(pool, "_HANG_BATCHES", 0)
    observer = Watcher()
    train(tmp_path, GAME, 2, observer=observer, **{**LAWS, "batch_size": 50_000})
    assert observer.warnings == []


def test_slow_work_is_no_hang(tmp_path, monkeypatch):
    """Deals, merges, copies and figures that take longer than the patience, piece by piece."""
    for name, value in {"_HANG_SECONDS": 1.5, "_FIRST_SECONDS": 1.5, "_HANG_BATCHES": 0}.items():
        monkeypatch.setattr(pool, name, value)
    monkeypatch.setattr(pool, "pool_worker", SimpleNamespace(main=faulty_worker.slow_main))
    observer, laws = Watcher(), {"num_iterations": 150, "checkpoint_interval": 100}
    result = train(tmp_path / "slow", GAME, 2, observer=observer, batch_size=100, **laws)
    assert observer.warnings == []
    monkeypatch.undo()
    assert outcome(result) == outcome(train(tmp_path / "whole", GAME, 1, **laws, batch_size=100))


def test_one_failure_after_another(tmp_path, undisturbed):
    """Three in a row are made good; what is left behind each time is the same."""
    with Disturber(5, signal.SIGKILL, times=3) as observer:
        result = train(tmp_path, GAME, 2, observer=observer, **LAWS)
    assert len(observer.disturbed) == len(observer.warnings) == 3
    assert outcome(result) == outcome(undisturbed)


def test_going_back_to_a_checkpoint_that_was_written_without_a_copy(tmp_path, monkeypatch):
    """Where there was no room for one."""

    class Killer(Watcher):
        def checkpointed(self, path, iteration, seconds):
            if iteration == 1_000:
                workers_of(os.getpid())[0].kill()

    back, start_over = [], pool.WorkerPool._start_over

    def noted(self, failure):
        start_over(self, failure)
        back.append(self.iteration)

    monkeypatch.setattr(pool.WorkerPool, "snapshot", lambda self: None)
    monkeypatch.setattr(pool.WorkerPool, "_start_over", noted)
    laws = {**LAWS, "num_iterations": 3_000, "checkpoint_interval": 1_000, "batch_size": 100}
    result = train(tmp_path / "run", GAME, 2, observer=Killer(), **laws)
    assert back == [1_000]
    assert outcome(result) == outcome(train(tmp_path / "whole", GAME, 1, **laws))


def test_what_is_done_again_can_be_stopped(tmp_path):
    class Killer(Watcher):
        def progressed(self, progress):
            if not self.warnings:
                workers_of(os.getpid())[0].kill()

        def warned(self, message):
            super().warned(message)
            self.solver.request_stop(signal.SIGINT)

    laws = {**LAWS, "num_iterations": 10**9, "checkpoint_interval": 10**9}
    result = train(tmp_path, GAME, 2, observer=Killer(), **laws)
    assert result.stopped_by == signal.SIGINT
    assert result.iteration == 0  # where there was no checkpoint yet


@moments(1)
def test_killed_while_workers_start(moment, tmp_path, undisturbed):
    """Before all are there; the pool does not wait for the one that will never come."""
    with Disturber(moment, signal.SIGKILL, starting=True) as observer:
        result = train(tmp_path, GAME, 3, observer=observer, **LAWS)
    assert f"PID {observer.disturbed[0]}" in observer.warnings[0]
    assert outcome(result) == outcome(undisturbed)


@moments(2)
def test_worker_that_raises_once(moment, tmp_path, undisturbed, monkeypatch):
    """At a random traversal or merge: the parent names worker, place and error, and goes on."""
    rng = np.random.default_rng(moment)
    plan = (int(rng.integers(2)), str(rng.choice(["walk", "merge"])), int(rng.integers(1, 15_000)))
    monkeypatch.setenv(faulty_worker.PLAN, ":".join(map(str, (*plan, tmp_path / "raised"))))
    monkeypatch.setattr(pool, "pool_worker", faulty_worker)
    observer = Watcher()
    result = train(tmp_path / "run", GAME, 2, observer=observer, **LAWS)
    (warning,) = observer.warnings
    worker, place, call = plan
    assert f"; worker {worker} (PID " in warning
    assert "Traceback" in warning
    assert f"ArithmeticError: planted in {place} {call}" in warning
    assert "starting new workers (1 of 3)" in warning
    assert outcome(result) == outcome(undisturbed)


def test_worker_that_raises_always(tmp_path):
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


def test_worker_that_finds_no_memory(tmp_path):
    """Somebody has removed the segments: no new worker answers, and the message counts them."""

    class Remover(Watcher):
        def started(self, run):
            for path in Path(os.environ["HOLDEM_SHM_DIR"]).iterdir():
                path.unlink()
            for worker in workers_of(os.getpid()):
                worker.kill()

    with pytest.raises(PoolError, match="0 of 2 workers answered") as caught:
        train(tmp_path, GAME, 2, observer=Remover(), **LAWS)
    assert "ended with status 1" in str(caught.value)


@contextlib.contextmanager
def small_memory(folder, size):
    """Mount a tmpfs of *size* where segments are made."""
    with small_disk(folder, size, mapped=True):
        yield folder
        assert list(folder.iterdir()) == []


class Filler(Watcher):
    """Fills a file system at a random moment; frees it after so many warnings, or in the end."""

    def __init__(self, seed, folder, warnings, most_seconds):
        super().__init__()
        self.path = folder / "in the way"
        self.most = warnings
        self.seconds = np.random.default_rng(seed).uniform(0, most_seconds)
        self.timer = threading.Timer(self.seconds, self._fill)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.timer.cancel()
        if self.timer.ident is not None:
            self.timer.join()
        self.path.unlink(missing_ok=True)

    def started(self, run):
        if self.seconds:
            self.timer.start()
        else:
            self._fill()

    def _fill(self):
        with self.path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(65536))
        with self.path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(512))

    def warned(self, message):
        super().warned(message)
        if len(self.warnings) == self.most:
            self.path.unlink()


@moments(2)
def test_shared_memory_that_fills_up(moment, tmp_path, undisturbed, monkeypatch):
    """Pages of the log are reserved before they are written: an error, and no SIGBUS."""
    with small_memory(tmp_path / "shm", "16m") as folder:
        monkeypatch.setenv("HOLDEM_SHM_DIR", str(folder))
        # The sooner, the less of the log is reserved already.
        with Filler(moment, folder, 1 + moment % 3, 0.02 * (moment % 4)) as observer:
            result = train(tmp_path / "run", GAME, 2, observer=observer, **LAWS)
            assert outcome(result) == outcome(undisturbed)
    if moment % 4 == 0:
        assert observer.warnings != []
    assert all("the shared memory is full" in warning for warning in observer.warnings)


def test_shared_memory_that_stays_full(tmp_path, monkeypatch):
    """Then the run ends, and says what of."""
    with small_memory(tmp_path / "shm", "16m") as folder:
        monkeypatch.setenv("HOLDEM_SHM_DIR", str(folder))
        with (
            Filler(0, folder, 99, 0) as observer,
            pytest.raises(PoolError, match="4 times in a row") as caught,
        ):
            train(tmp_path / "run", GAME, 2, observer=observer, **LAWS)
    assert "ResourceError: the shared memory is full" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "signal" not in str(caught.value)
    assert caught.value.remedy


def test_error_in_the_parent(tmp_path):
    """Whatever it is, the workers end and their memory is given back at once."""

    class Failing(Watcher):
        def progressed(self, progress):
            assert len(workers_of(os.getpid())) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, GAME, 2, observer=Failing(), **{**LAWS, "num_iterations": 10**9})
    assert workers_of(os.getpid()) == []
    assert list(Path(os.environ["HOLDEM_SHM_DIR"]).iterdir()) == []


# --- runs that are ended from outside ---------------------------------------------------------


@contextlib.contextmanager
def run_of(logdir, num_workers, *, num_iterations=10**9):
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
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes
    )


def goes_on(logdir, num_workers):
    """Whether what a broken run has left leads to where an undisturbed one comes."""
    found = checkpoint.list_checkpoints(logdir / "checkpoints")
    iteration = found[-1][0] if found else 0
    laws = {**LAWS, "num_iterations": iteration + 5_010}
    resume_from = logdir if found else None
    resumed = train(logdir, GAME, num_workers, resume_from=resume_from, **laws)
    return outcome(resumed) == outcome(train(logdir / "whole", GAME, 1, **laws))


@moments(2)
def test_killed_parent(moment, tmp_path, shared_memory):
    """Its workers follow within two seconds, and the next run removes what it left."""
    with run_of(tmp_path, 2) as process:
        workers = working(process, 2)
        time.sleep(np.random.default_rng(moment).uniform(0, 1.0))
        process.kill()
        process.wait()
        wait_until(lambda: gone(workers))
    left = {leaked.path for leaked in find_leaked()}
    assert left == set(shared_memory.iterdir())
    assert len(left) in (3, 4)  # the copy for a checkpoint is made when first needed
    assert goes_on(tmp_path, 2)


@moments(2)
def test_killed_group(moment, tmp_path, shared_memory):
    """As the terminal's end or a batch system does it; the doctor's call cleans up."""
    with run_of(tmp_path, 2) as process:
        workers = working(process, 2)
        time.sleep(np.random.default_rng(moment).uniform(0, 1.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: gone(workers))
    left = set(shared_memory.iterdir())
    assert {leaked.path for leaked in remove_leaked()} == left
    assert not any(shared_memory.iterdir())
    assert goes_on(tmp_path, 1)


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
def test_interrupted_at_the_terminal(moment, tmp_path, shared_memory):
    """Ctrl-C reaches every process of the group; a checkpoint is saved, and goes on to the end."""
    with run_of(tmp_path, 2) as process:
        working(process, 2)
        time.sleep(np.random.default_rng(moment).uniform(0, 0.5))
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b""
    assert not any(shared_memory.iterdir())
    iteration, _ = checkpoint.list_checkpoints(tmp_path / "checkpoints")[-1]
    assert iteration % LAWS["batch_size"] == 0
    assert goes_on(tmp_path, 3)


@moments(1)
def test_interrupted_while_starting(moment, tmp_path, shared_memory):
    """Workers that are still importing are not struck by Ctrl-C either."""
    with run_of(tmp_path, 2) as process:
        wait_until(lambda: len(workers_of(process.pid)) == 2)
        time.sleep(np.random.default_rng(moment).uniform(0, 0.3))
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b""
    assert "answered" not in (tmp_path / "train.log").read_text()
    assert not any(shared_memory.iterdir())


@moments(2)
def test_interrupted_twice(moment, tmp_path, shared_memory):
    """The second Ctrl-C ends the run at once; workers and memory go with it."""
    rng = np.random.default_rng(moment)
    with run_of(tmp_path, 2) as process:
        workers = working(process, 2)
        time.sleep(rng.uniform(0, 0.5))
        if moment % 2 == 0:
            os.kill(process.pid, signal.SIGSTOP)  # both arrive before it can do anything else
        os.killpg(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.01 if moment % 2 == 0 else rng.uniform(0, 0.1))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) in (0, -signal.SIGINT)
        wait_until(lambda: gone(workers))
    remove_leaked()
    assert not any(shared_memory.iterdir())
    assert goes_on(tmp_path, 2)


def test_full_disk_at_a_checkpoint(tmp_path, monkeypatch):
    """Told, and training goes on; the pool's last whole state is its own copy."""
    write = storage.write_folder

    def failing(path, *args, **kwargs):
        if "iter100000" in str(path):
            raise StorageError(f"cannot write {path}: the disk is full", "free some space")
        write(path, *args, **kwargs)

    monkeypatch.setattr(storage, "write_folder", failing)
    observer, laws = Watcher(), {**LAWS, "num_iterations": 200_000}
    result = train(tmp_path / "full", GAME, 2, observer=observer, **laws)
    assert ["disk is full" in warning for warning in observer.warnings] == [True]
    names = {path.name for path in result.checkpoint.parent.glob("checkpoint_*")}
    assert names == {"checkpoint_iter50000", "checkpoint_iter150000", "checkpoint_final"}
    monkeypatch.setattr(storage, "write_folder", write)
    assert outcome(result) == outcome(train(tmp_path / "whole", GAME, 1, **laws))


@moments(2)
def test_disk_that_fills_up(moment, tmp_path):
    """A small disk that is full for a while, from a random moment of the run's first half on."""
    laws = {**LAWS, "num_iterations": 200_000, "keep_checkpoints": 2}
    with small_memory(tmp_path / "disk", "4m") as disk:
        logdir = disk / "run"
        with Filler(moment, disk, 1 + moment % 2, 0.5) as observer:
            result = train(logdir, GAME, 2, observer=observer, **laws)
        on_the_way = re.compile("no checkpoint at iteration.*training goes on")
        at_the_end = re.compile("older checkpoints make room for it|the run waits for room")
        assert observer.warnings
        for warning in observer.warnings:
            assert on_the_way.search(warning) or at_the_end.search(warning)
        assert outcome(result) == outcome(train(tmp_path / "whole", GAME, 1, **laws))
        for path in disk.iterdir():
            shutil.rmtree(path)


def test_two_runs_side_by_side(tmp_path, undisturbed, shared_memory):
    """One is killed, the others do not notice; nobody removes what is in use."""
    with run_of(tmp_path / "a", 2) as first, run_of(tmp_path / "b", 2) as second:
        working(first, 2)
        workers = working(second, 2)
        in_use = set(shared_memory.glob(f"holdem-*-{second.pid}-*"))
        assert len(in_use) >= 3
        assert remove_leaked() == []
        first.kill()
        first.wait()
        third = train(tmp_path / "c", GAME, 2, **LAWS)
        assert in_use <= set(shared_memory.iterdir())
        assert workers_of(second.pid) == workers
        os.killpg(second.pid, signal.SIGTERM)
        assert second.wait(PATIENCE) == 0
    assert not any(shared_memory.iterdir())
    assert outcome(third) == outcome(undisturbed)
    assert goes_on(tmp_path / "a", 1)
    assert goes_on(tmp_path / "b", 2)
