"""What breaks a run of many instances, really done to real processes, and then made good.

By default a few moments of each kind; `slow` tries twenty.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from holdem.abstraction.bucketing import HandBucketing
from holdem.cli.terminal import TOGETHER_SECONDS
from holdem.errors import StorageError
from holdem.mccfr import instance_progress
from holdem.mccfr.checkpoint import list_checkpoints
from holdem.mccfr.instance_launcher import ProcessLauncher
from holdem.mccfr.instance_plan import folder_of
from holdem.mccfr.multi_instance_coordinator import MultiInstanceCoordinator
from holdem.types import MCCFRConfig
from tests.instances import Watcher, coordinator_of, final_tables, progress, train
from tests.instances_run import NUM_INSTANCES, VALUES
from tests.pools import GAMES, save_buckets, workers_of
from tests.test_pool_faults import gone, moments, wait_until

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    run = tmp_path_factory.mktemp("undisturbed")
    assert train(run, NUM_INSTANCES, **VALUES).completed
    return final_tables(run)


def start(*command, **options):
    """A process with the coordinator, leader of a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def share_saved(run):
    """How much of its work the foremost instance has in a checkpoint, 0 to 1.

    It has one every 100,000 iterations, which is oftener than progress files are renewed.
    """
    saved = [
        iteration
        for instance in range(NUM_INSTANCES)
        for iteration, _ in list_checkpoints(folder_of(run, instance) / "checkpoints")
    ]
    return max(saved, default=0) / (VALUES["num_iterations"] / NUM_INSTANCES)


def all_train(run):
    """Whether all instances of a run of other processes train."""
    try:
        records = progress(run, NUM_INSTANCES)
    except StorageError:
        return False
    return all(record is not None and record.status != "starting" for record in records)


def once_it_trains(run, instance):
    """Wait until an instance of this process's run trains, and return its process."""

    def trains():
        record = instance_progress.read(run, instance)
        return record is not None and record.status == "running"

    wait_until(trains)
    return workers_of(os.getpid())[-1]  # the last to be started is the last to end


def wait_for_moment(run, moment):
    """Wait for a moment drawn by a seed: while instances start, or at some share of the work.

    Much is left to do then, so that whatever is killed was at work.
    """
    target = np.random.default_rng(moment).uniform(-0.3, 0.6)
    if target < 0:
        time.sleep(-5 * target)  # on an idle machine they start within a second or two
    else:
        wait_until(lambda: share_saved(run) >= target)


def kill_group(process):
    """Kill the coordinator and all instances; they are at work."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def resume(run):
    process = start("tests.instances_run", run)
    out, _ = process.communicate()
    assert process.returncode == 0, out


@moments(2)
def test_a_killed_instance(moment, tmp_path, undisturbed):
    """It is started again; the other does not notice."""
    killed = []

    def kill():
        wait_for_moment(tmp_path, moment)
        wait_until(lambda: workers_of(os.getpid()))
        processes = workers_of(os.getpid())
        victim = processes[moment % len(processes)]
        victim.kill()
        killed.append(victim.pid)

    watcher = Watcher()
    coordinator = coordinator_of(NUM_INSTANCES, launcher=ProcessLauncher(), retries=1, **VALUES)
    killer = threading.Thread(target=kill)
    killer.start()
    result = coordinator.train(tmp_path, False, observer=watcher)
    killer.join()

    assert result.completed
    assert final_tables(tmp_path) == undisturbed
    (pid,) = killed
    (told,) = [one for one in watcher.warnings if "starting it again" in one]
    assert f"(PID {pid}) failed: killed by signal 9 (SIGKILL)" in told


def test_a_killed_instance_that_is_not_started_again(tmp_path, undisturbed):
    """Its file says so, the other ends well, and the run can be resumed."""
    coordinator = coordinator_of(NUM_INSTANCES, launcher=ProcessLauncher(), **VALUES)

    def kill():
        once_it_trains(tmp_path, 1).kill()

    killer = threading.Thread(target=kill)
    killer.start()
    result = coordinator.train(tmp_path, False)
    killer.join()

    assert [one.status for one in result.instances] == ["completed", "failed"]
    failed = [one for one in progress(tmp_path, NUM_INSTANCES) if one.status == "failed"]
    assert failed[0].error_msg == "killed by signal 9 (SIGKILL); was memory short?"
    resume(tmp_path)
    assert final_tables(tmp_path) == undisturbed


@moments(1)
def test_a_killed_coordinator(moment, tmp_path, undisturbed):
    """It takes its instances with it."""
    process = start("tests.instances_run", tmp_path)
    wait_for_moment(tmp_path, moment)
    instances = workers_of(process.pid)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: gone(instances))

    resume(tmp_path)
    assert final_tables(tmp_path) == undisturbed


@moments(1)
def test_everything_killed(moment, tmp_path, undisturbed):
    process = start("tests.instances_run", tmp_path)
    wait_for_moment(tmp_path, 100 + moment)
    kill_group(process)

    resume(tmp_path)
    assert final_tables(tmp_path) == undisturbed


def test_killed_again_and_again(tmp_path, undisturbed):
    """Each time a little further."""
    for share in (0.2, 0.5):
        process = start("tests.instances_run", tmp_path)
        wait_until(lambda share=share: share_saved(tmp_path) >= share)
        kill_group(process)

    resume(tmp_path)
    assert final_tables(tmp_path) == undisturbed


# -- asked to stop -------------------------------------------------------------------------------


def train_command(run):
    """`holdem train` with two instances that would take minutes."""
    config = run.parent / "config.yaml"
    config.write_text("game: leduc\n")
    arguments = ["train", "--config", config, "--iters", "1e9", "--num-instances", 2]
    return start("holdem.cli.main", *arguments, "--logdir", run, "--no-tensorboard")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_ends(number, tmp_path):
    """Sent to the whole group, as a terminal does with Ctrl-C."""
    run = tmp_path / "run"
    process = train_command(run)
    wait_until(lambda: all_train(run))
    pids = [one.pid for one in workers_of(process.pid)]
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    out, _ = process.communicate()

    assert process.returncode == 128 + number
    records = progress(run, 2)
    assert [one.status for one in records] == ["interrupted", "interrupted"]
    for instance, record in enumerate(records):
        folder = run / f"instance_{instance}" / "checkpoints"
        assert (folder / f"checkpoint_iter{record.iterations_done}").is_dir()
        assert re.search(rf"instance {instance} \(PID ({'|'.join(map(str, pids))})\)", out)
    assert f"try: holdem train --num-instances 2 --resume-from {run}" in out
    assert "Traceback" not in out


def test_the_second_signal_kills(tmp_path):
    run = tmp_path / "run"
    process = train_command(run)
    wait_until(lambda: all_train(run))
    instances = workers_of(process.pid)
    for one in instances:
        one.suspend()  # so that nobody saves anything
    process.send_signal(signal.SIGINT)
    wait_until(lambda: "once more" in process.stdout.readline())
    time.sleep(1.5 * TOGETHER_SECONDS)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()

    assert process.returncode == 128 + signal.SIGINT
    assert not any(psutil.pid_exists(one.pid) for one in instances)
    assert [one.status for one in progress(run, 2)] == ["interrupted", "interrupted"]
    assert "Traceback" not in out


def test_a_signal_while_instances_start(tmp_path):
    """They save what they have, which is nothing yet, and end."""
    run = tmp_path / "run"
    process = train_command(run)
    wait_until(lambda: len(workers_of(process.pid)) == 2)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate()

    assert process.returncode == 128 + signal.SIGINT
    assert [one.status for one in progress(run, 2)] == ["interrupted", "interrupted"]


def test_one_instance_that_is_stopped_by_hand(tmp_path):
    """`kill PID`: that one saves and ends, the other goes on."""
    values = {**VALUES, "num_iterations": 1_000_000_000}  # until the end of the test
    coordinator = coordinator_of(NUM_INSTANCES, launcher=ProcessLauncher(), **values)
    later = []

    def stop():
        once_it_trains(tmp_path, 1).terminate()
        wait_until(lambda: progress(tmp_path, NUM_INSTANCES)[1].status == "interrupted")
        then = progress(tmp_path, NUM_INSTANCES)[0].current_iter
        wait_until(lambda: progress(tmp_path, NUM_INSTANCES)[0].current_iter > then)
        later.append(progress(tmp_path, NUM_INSTANCES)[0])
        coordinator.request_stop(signal.SIGINT)

    stopper = threading.Thread(target=stop)
    stopper.start()
    result = coordinator.train(tmp_path, False)
    stopper.join()

    assert later[0].status == "running"
    assert result.stopped_by == signal.SIGINT
    assert [one.status for one in result.instances] == ["interrupted", "interrupted"]
    stopped = progress(tmp_path, NUM_INSTANCES)[1]
    folder = tmp_path / "instance_1" / "checkpoints"
    assert (folder / f"checkpoint_iter{stopped.iterations_done}").is_dir()


# -- what is read meanwhile, and what it takes -----------------------------------------------------


def test_a_reader_hammers_the_files_of_a_run(tmp_path):
    """Never broken JSON, never a percentage that goes back, in no instance, retries included."""
    seen = {instance: [] for instance in range(NUM_INSTANCES)}
    over, killed, watcher = threading.Event(), [], Watcher()

    def read():
        last = False
        while not last:
            last = over.is_set()  # then once more
            for instance, found in seen.items():
                record = instance_progress.read(tmp_path, instance)
                if record is not None and (not found or record != found[-1]):
                    found.append(record)
            if not killed and share_saved(tmp_path) > 0.3:
                victim = workers_of(os.getpid())[0]
                victim.kill()
                killed.append(victim.pid)

    reader = threading.Thread(target=read)
    reader.start()
    coordinator = coordinator_of(NUM_INSTANCES, launcher=ProcessLauncher(), retries=1, **VALUES)
    result = coordinator.train(tmp_path, False, observer=watcher)
    over.set()
    reader.join()

    assert result.completed
    for found in seen.values():
        percentages = [one.progress_pct for one in found]
        assert percentages == sorted(percentages)
        assert found[-1].status == "completed"
        assert percentages[-1] == 100.0
    (pid,) = killed
    (told,) = [one for one in watcher.warnings if "starting it again" in one]
    assert f"(PID {pid}) failed: killed" in told
    statuses = {one.status for found in seen.values() for one in found}
    wanted = {"starting", "running", "completed"}
    assert wanted | {"failed"} >= statuses >= wanted


def memory_of_file(pid, path):
    """Resident and proportional bytes of a mapped file in a process."""
    sizes, mine = {"Rss:": 0, "Pss:": 0}, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            mine = words[-1] == str(path)
        elif mine and words[0] in sizes:
            sizes[words[0]] += 1024 * int(words[1])
    return sizes["Rss:"], sizes["Pss:"]


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux tells what is shared")
def test_instances_have_one_copy_of_the_buckets(tmp_path):
    """Both have the table in memory, and together it takes the memory of one."""
    buckets = save_buckets(tmp_path / "buckets")
    table = tmp_path / "buckets" / "table_flop.npy"
    size = table.stat().st_size
    found = []

    def all_in_memory():
        # On a busy machine an instance may have met few hands when its time is half over.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found[:] = [memory_of_file(one.pid, table) for one in workers_of(os.getpid())]
        return len(found) == 2 and all(rss > 0.9 * size for rss, _ in found)

    looker = threading.Thread(target=wait_until, args=[all_in_memory])
    looker.start()
    config = MCCFRConfig(time_budget_seconds=4.0)
    MultiInstanceCoordinator(
        config, HandBucketing.load(buckets.path), game=GAMES["hold'em"], num_instances=2
    ).train(tmp_path / "run", False)
    looker.join()

    assert len(found) == 2
    assert all(rss > 0.9 * size for rss, _ in found)
    assert sum(pss for _, pss in found) < 1.1 * size
