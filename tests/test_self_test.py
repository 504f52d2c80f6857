"""The self-test of workers: it passes here, and says what was wrong where it does not."""

import errno
import multiprocessing
import os
import signal
import time

import numpy as np
import psutil
import pytest

from holdem.errors import ResourceError
from holdem.mccfr import self_test
from holdem.mccfr.segments import remove_leaked
from holdem.mccfr.self_test import run_self_test
from tests.pools import workers_of

answer = self_test._answer


@pytest.fixture(autouse=True)
def shared_memory(tmp_path, monkeypatch):
    """Segments go to a folder of the test's own, which must be empty in the end."""
    monkeypatch.setenv("HOLDEM_SHM_DIR", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


# What workers do instead: functions of a module, so that a spawned process finds them.


def kill_itself(path, worker, num_workers, deadline_seconds):
    if worker == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    answer(path, worker, num_workers, deadline_seconds)


def hang(path, worker, num_workers, deadline_seconds):
    if worker == 0:
        time.sleep(600)
    answer(path, worker, num_workers, deadline_seconds)


def write_another_pattern(path, worker, num_workers, deadline_seconds):
    if worker == 1:
        self_test._pattern = lambda part: np.zeros(self_test._PART_WORDS, np.uint64)
    answer(path, worker, num_workers, deadline_seconds)


def leave(path, worker, num_workers, deadline_seconds):
    if worker == 1:
        raise SystemExit(7)
    answer(path, worker, num_workers, deadline_seconds)


@pytest.mark.parametrize("num_workers", [1, 2, 5])
def test_all_workers_answer(num_workers):
    result = run_self_test(num_workers)

    assert result.passed
    assert (result.num_answered, result.num_workers) == (num_workers, num_workers)
    assert result.start_seconds > 0
    assert result.round_seconds > 0
    assert (result.faults, result.remedy) == ({}, "")
    assert str(result).startswith(f"{num_workers} of {num_workers} answered, started in ")


def test_patterns_differ_everywhere():
    patterns = np.stack([self_test._pattern(worker) for worker in range(4)])

    assert len(np.unique(patterns)) == patterns.size
    assert not (patterns == 0).any()  # as untouched memory is


def test_a_worker_that_is_killed(monkeypatch):
    monkeypatch.setattr(self_test, "_answer", kill_itself)
    result = run_self_test(3, deadline_seconds=1200)

    assert not result.passed
    assert result.faults == {1: "killed by SIGKILL"}
    assert "memory" in result.remedy


def test_a_worker_that_hangs(monkeypatch):
    monkeypatch.setattr(self_test, "_answer", hang)
    result = run_self_test(2, deadline_seconds=3)

    told = "no answer in 3 s"
    assert result.num_answered == 0
    assert result.faults in ({0: told}, {0: told, 1: told})  # a busy machine starts 1 too late
    assert result.start_seconds is None
    assert str(result).startswith(f"0 of 2 answered; worker 0: {told}")


def test_memory_that_is_not_shared_would_be_noticed(monkeypatch):
    monkeypatch.setattr(self_test, "_answer", write_another_pattern)
    result = run_self_test(2)

    assert not result.passed
    assert "reads something else than worker" in " ".join(result.faults.values())


def test_a_worker_that_leaves(monkeypatch):
    monkeypatch.setattr(self_test, "_answer", leave)
    result = run_self_test(2)

    assert result.faults == {1: "ended with status 7"}
    assert "__main__" in result.remedy


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(errno.EMFILE, "ulimit -n"), (errno.EAGAIN, "ulimit -u"), (errno.EPERM, "--num-workers 1")],
)
def test_a_process_that_cannot_be_started(monkeypatch, code, remedy):
    begin = multiprocessing.context.SpawnProcess._Popen

    def refuse(process):
        if process.name.endswith("-1"):
            raise OSError(code, os.strerror(code))
        return begin(process)

    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "_Popen", staticmethod(refuse))
    result = run_self_test(3)

    assert result.num_answered == 0
    assert result.faults == {1: f"cannot be started: {os.strerror(code)}"}
    assert remedy in result.remedy
    assert multiprocessing.active_children() == []


def test_ctrl_c_leaves_no_workers(monkeypatch):
    def interrupt(sentinels, seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(self_test, "_answer", hang)
    monkeypatch.setattr(self_test, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_self_test(2)

    assert multiprocessing.active_children() == []


def never_prove(*_):
    time.sleep(600)


def hang_while_proving(path, worker, num_workers, deadline_seconds):
    self_test._prove = never_prove
    answer(path, worker, num_workers, deadline_seconds)


def run_for_ever():
    """A self-test that never ends: the process of the next test."""
    self_test._answer = hang_while_proving
    run_self_test(3, deadline_seconds=600)


@pytest.mark.parametrize("seconds", [0.0, 2.0], ids=["starting", "waiting"])
def test_workers_end_with_a_killed_parent(seconds):
    context = multiprocessing.get_context("spawn")
    parent = context.Process(target=run_for_ever)
    parent.start()
    about = psutil.Process(parent.pid)
    while len(workers := workers_of(parent.pid)) < 3:
        assert about.is_running()
        time.sleep(0.01)
    time.sleep(seconds)
    parent.kill()
    parent.join()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert [worker for worker in alive if worker.status() != psutil.STATUS_ZOMBIE] == []
    remove_leaked()


def test_without_shared_memory(monkeypatch, tmp_path):
    monkeypatch.setenv("HOLDEM_SHM_DIR", str(tmp_path / "none"))

    with pytest.raises(ResourceError, match="no shared memory can be made in"):
        run_self_test(1)
