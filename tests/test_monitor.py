"""`holdem monitor`: what it shows of a run's progress files, and what it makes of them."""

import json
import shutil
import time
from dataclasses import replace

import pytest

from holdem.cli import monitor
from holdem.cli.instances_display import SYMBOLS, panel
from holdem.mccfr import instance_monitor, instance_progress
from holdem.mccfr.instance_monitor import InstanceView, RunMonitor, outcome_of, overall_percent
from holdem.mccfr.instance_progress import STATUSES, InstanceProgress
from tests.instances import train


def record(instance=0, **values):
    """A running instance, changed by *values*."""
    given = {
        "instance_id": instance,
        "start_iter": 1_000 * instance,
        "end_iter": 1_000 * (instance + 1),
        "current_iter": 1_000 * instance + 400,
        "status": "running",
        "progress_pct": 40.0,
        "last_update": time.time(),
        "iterations_per_second": 100.0,
    }
    return InstanceProgress(**{**given, **values})


def ended(instance=0, status="completed", **values):
    done = {"current_iter": 1_000 * (instance + 1), "progress_pct": 100.0}
    return record(
        instance, **{"status": status, **(done if status == "completed" else {}), **values}
    )


@pytest.fixture
def look(tmp_path, capsys, monkeypatch):
    """Write records, run the command with options, and return its status and output."""
    monkeypatch.setattr(monitor, "_SECOND_LOOK_SECONDS", 0.0)

    def run(*records, options=("--once",)):
        for one in records:
            instance_progress.write(tmp_path, one)
        status = monitor.main([str(tmp_path), *options])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_a_line_per_instance(look):
    status, out, err = look(
        record(0),
        record(1, status="starting", progress_pct=0.0, current_iter=1_000),
        ended(2),
        record(3, status="failed", error_msg="ValueError: no luck"),
        record(4, status="interrupted"),
    )
    lines = out.splitlines()
    assert lines[0].startswith(" 44.00%  5 instances: 1 starting, 1 running, 1 completed, 1 failed")
    assert lines[1] == "▶️ instance 0   40.00%  iter 400/1000  100 it/s  0:06 left"
    assert lines[2] == "⏳ instance 1    0.00%  iter 0/1000  starting"
    assert lines[3] == "✅ instance 2  100.00%  iter 1000/1000  completed"
    assert lines[4] == "❌ instance 3   40.00%  iter 400/1000  failed  ValueError: no luck"
    assert lines[5] == "⏸️ instance 4   40.00%  iter 400/1000  interrupted"
    assert (status, err) == (1, "")
    assert "\x1b" not in out


def test_time_mode(look):
    values = {"end_iter": None, "elapsed_seconds": 25.0, "time_budget_seconds": 100.0}
    _, out, _ = look(record(1, **values, progress_pct=25.0))
    assert out.splitlines()[1] == "▶️ instance 1   25.00%  iter 400  100 it/s  1:15 left"


def test_an_instance_whose_time_ended_before_its_iterations(look):
    values = {"elapsed_seconds": 100.0, "time_budget_seconds": 100.0}
    _, out, _ = look(ended(0, current_iter=400, **values), ended(1, **values))
    assert out.splitlines()[1:] == [
        "✅ instance 0  100.00%  iter 400/1000  completed, by its time",
        "✅ instance 1  100.00%  iter 1000/1000  completed",
    ]


@pytest.mark.parametrize(
    ("instances", "status"),
    [
        (["completed", "completed"], 0),
        (["running", "completed"], 0),
        (["running", "failed"], 1),
        (["completed", "failed"], 1),
        (["completed", "interrupted"], 3),
        (["failed", "interrupted"], 1),
        (["completed", ("running", 3600)], 1),
        (["completed", ("starting", 20)], 0),
        (["completed", ("starting", 3600)], 1),
    ],
)
def test_the_exit_status_tells_the_outcome(look, tmp_path, instances, status):
    """By status, and seconds of silence."""
    for number, one in enumerate(instances):
        name, age = one if isinstance(one, tuple) else (one, 0)
        told = ended(number, name, last_update=time.time() - age)
        instance_progress.write(tmp_path, told)
    assert look()[0] == status
    if outcome_of(RunMonitor(tmp_path).look()) != "running":
        assert look(options=())[0] == status


def test_an_instance_that_is_gone(look):
    """Its file says running, but nobody renews it."""
    status, out, _ = look(record(0), record(1, last_update=time.time() - 100))
    assert status == 1
    assert "❌ instance 1   40.00%  iter 400/1000  gone: says running, but nothing for 1:40" in out
    status, out, _ = look(options=("--once", "--json"))
    assert [one["gone"] for one in json.loads(out)["instances"]] == [False, True]


def test_json_holds_what_the_files_hold(look):
    records = [record(0), ended(1, resumed_from="a/b")]
    status, out, _ = look(*records, options=("--once", "--json"))
    found = json.loads(out)
    assert status == 0
    assert found["status"] == "running"
    assert found["progress_pct"] == 70.0
    assert found["instances"] == [{**one.as_json(), "gone": False} for one in records]


def test_following_a_run_to_its_end(look, tmp_path, monkeypatch):
    """One object per look, until the last instance has ended."""
    steps = iter([ended(0), ended(1)])
    monkeypatch.setattr(
        monitor.time, "sleep", lambda _: instance_progress.write(tmp_path, next(steps))
    )
    status, out, _ = look(record(0), record(1), options=("--json",))
    looks = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [one["progress_pct"] for one in looks] == [40.0, 70.0, 100.0]


def test_without_a_terminal_a_block_now_and_then(look, tmp_path, monkeypatch):
    steps = iter([record(0, progress_pct=50.0), ended(0)])
    monkeypatch.setattr(
        monitor.time, "sleep", lambda _: instance_progress.write(tmp_path, next(steps))
    )
    _, out, _ = look(record(0), options=())
    assert [line.split()[0] for line in out.splitlines()[::2]] == ["40.00%", "100.00%"]


def test_another_clock(tmp_path, monkeypatch):
    """A machine whose clock is an hour slow is alive as long as its record changes."""
    now = [1_000.0]
    monkeypatch.setattr(instance_monitor.time, "monotonic", lambda: now[0])
    slow = time.time() - 3600
    instance_progress.write(tmp_path, record(0, last_update=slow))
    watch = RunMonitor(tmp_path)
    assert watch.look()[0].gone  # all that one look can tell
    for _ in range(3):
        slow, now[0] = slow + 2.0, now[0] + 2.0
        instance_progress.write(tmp_path, record(0, last_update=slow))
        assert not watch.look()[0].gone
    now[0] += instance_monitor.GONE_SECONDS["running"] + 1
    assert watch.look()[0].gone


def test_a_clock_that_is_fast(tmp_path, monkeypatch):
    """A record from the future is judged by how long it stays as it is."""
    now = [1_000.0]
    monkeypatch.setattr(instance_monitor.time, "monotonic", lambda: now[0])
    instance_progress.write(tmp_path, record(0, last_update=time.time() + 3600))
    watch = RunMonitor(tmp_path)
    assert not watch.look()[0].gone
    now[0] += instance_monitor.GONE_SECONDS["running"] + 1
    assert watch.look()[0].gone


def test_instances_of_other_machines_that_have_not_begun(tmp_path, capsys):
    """Known from run.json, and not done."""
    train(tmp_path, 3, instances=[0])
    assert monitor.main([str(tmp_path), "--once"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith(" 33.3")
    assert "⏳ instance 2    0.00%  iter 0/666  not started yet" in out
    assert outcome_of(RunMonitor(tmp_path).look()) == "running"
    train(tmp_path, 3, instances=[1, 2])
    assert monitor.main([str(tmp_path)]) == 0


def test_the_progress_files_alone_will_do(tmp_path, capsys):
    train(tmp_path / "run", 2)
    shutil.copytree(tmp_path / "run" / "progress", tmp_path / "copy" / "progress")
    assert monitor.main([str(tmp_path / "copy"), "--once"]) == 0
    assert "2 completed" in capsys.readouterr().out


def test_a_folder_that_is_no_run(tmp_path, capsys):
    assert monitor.main([str(tmp_path)]) == 1
    err = capsys.readouterr().err.splitlines()
    assert err == [
        f"holdem monitor: {tmp_path} is not the folder of a run of many instances: no run.json",
        "  try: name the --logdir of a run with --num-instances",
    ]


def test_a_broken_progress_file(tmp_path, capsys):
    instance_progress.write(tmp_path, record(0))
    instance_progress.path_of(tmp_path, 0).write_text("{")
    assert monitor.main([str(tmp_path), "--once"]) == 1
    assert "is damaged or not JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "value"),
    [("progress_pct", None), ("current_iter", 1.5), ("error_msg", 3), ("instance_id", True)],
)
def test_a_progress_file_of_other_types(tmp_path, capsys, key, value):
    instance_progress.write(tmp_path, record())
    path = instance_progress.path_of(tmp_path, 0)
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    assert monitor.main([str(tmp_path)]) == 1
    assert f"{path} is not the progress of an instance" in capsys.readouterr().err


def test_every_status_has_a_symbol():
    assert list(SYMBOLS) == list(STATUSES)
    assert list(SYMBOLS.values()) == ["⏳", "▶️", "✅", "❌", "⏸️"]


def test_many_instances_on_few_lines():
    """Those that somebody should look at are shown."""
    views = [InstanceView(record=record(i)) for i in range(30)]
    views[25] = InstanceView(record=record(25, status="failed"))
    lines = panel(views, 10).plain.splitlines()
    assert len(lines) == 9
    assert "instance 25" in lines[1]
    assert lines[-1].strip() == "and 23 more"


def test_the_whole_goes_by_iterations_where_instances_have_some():
    few = record(0, end_iter=1_000, progress_pct=100.0)
    many = record(1, start_iter=1_000, end_iter=4_000, progress_pct=0.0)
    assert overall_percent([few, many]) == 25.0
    assert overall_percent([few, replace(many, end_iter=None)]) == 50.0
    assert overall_percent([]) == 0.0
