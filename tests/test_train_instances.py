"""`holdem train --num-instances`: options, refusals, and what is said before and after."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from holdem import storage
from holdem.cli import train_blueprint, train_instances
from holdem.config import load_config
from holdem.mccfr import checkpoint, instance_watch, merge, multi_instance_coordinator
from holdem.mccfr.instance_plan import is_another_run
from holdem.mccfr.merge_sources import select
from tests.files import contents
from tests.instances import Inline

KUHN = "game: kuhn\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Runs and assets go to a folder of the test's own, and instances run in this process."""
    monkeypatch.chdir(tmp_path)
    launcher = Inline()
    monkeypatch.setattr(multi_instance_coordinator, "ProcessLauncher", lambda: launcher)
    Path("kuhn.yaml").write_text(KUHN)
    return launcher


@pytest.fixture
def train(capsys):
    """Run the command and return its status, output and error lines."""

    def run(*argv, config="kuhn.yaml"):
        before = () if config is None else ("--config", config)
        status = train_blueprint.main([str(one) for one in (*before, *argv)])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return run


def everything(folder):
    """Every byte under a folder, by path; not what it is held by."""
    paths = (path for path in Path(folder).rglob("*") if path.name != storage.LOCK_NAME)
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def test_a_run(train):
    status, out, err = train("--num-instances", 3, "--iters", "1e4", "--logdir", "run")
    assert (status, err) == (0, [])
    assert "instances    3" in out
    assert "training 3 of 3 instances in run" in out
    assert "✅ instance 0  100.00%  iter 3334/3334  completed" in out
    assert "iterations 10,000" in out
    assert "tensorboard --logdir run" in out
    assert "holdem merge run" in out
    assert "\x1b" not in out
    assert Path("run/instance_2/tensorboard").is_dir()


def test_time_budget(train, elsewhere):
    status, out, _ = train("--num-instances", 2, "--time-budget", 0.2, "--logdir", "run")
    assert status == 0
    assert [spec.config.time_budget_seconds for spec in elsewhere.specs] == [0.2, 0.2]
    assert "100.00%  2 instances: 2 completed" in out


def test_yaml_says_it_all(train, elsewhere):
    Path("many.yaml").write_text(
        "game: kuhn\nnum_instances: 2\nnum_iterations: 500\nseed: 5\nbatch_size: 10\n"
    )
    assert train("--logdir", "run", config="many.yaml")[0] == 0
    assert [spec.config.seed for spec in elsewhere.specs] == [5, 5]
    assert [spec.config.batch_size for spec in elsewhere.specs] == [10, 10]
    assert load_config("run/config.yaml").num_instances == 2


@pytest.mark.parametrize("name", ["multi_instance", "multi_instance_timebudget"])
def test_the_configs_for_many_instances(train, name):
    path = Path(__file__).parent.parent / "configs" / f"{name}.yaml"
    config = load_config(path)
    assert config.num_instances > 1
    assert config.training.num_workers == 1
    assert (config.training.num_iterations is None) == name.endswith("timebudget")


def test_dry_run_adds_up(train):
    _, one, _ = train("--iters", 1000, "--dry-run")
    status, four, _ = train("--num-instances", 4, "--iters", 4000, "--dry-run", "--logdir", "run")
    assert status == 0
    assert not Path("run").exists()

    def memory(out):
        return float(out.split("memory")[1].split()[0])

    assert memory(four) == pytest.approx(5 * memory(one), rel=0.01)  # and the coordinator


# -- what is refused, in two lines -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (
            ("--num-instances", 2, "--num-workers", 2, "--iters", 100),
            "--num-instances cannot be used with --num-workers: every instance has one worker",
        ),
        (
            ("--num-instances", 2, "--num-workers", 0, "--iters", 100),
            "--num-instances cannot be used with --num-workers: every instance has one worker",
        ),
        (("--num-instances", 2), "Multi-instance mode requires either --iters or --time-budget"),
        (("--num-instances", 0, "--iters", 100), "--num-instances is 0, and must be"),
        (("--num-instances", -3, "--iters", 100), "--num-instances is -3, and must be"),
        (("--num-instances", 1.5, "--iters", 100), "--num-instances is 1.5, and must be"),
        (("--num-instances", "two", "--iters", 100), "--num-instances is 'two', and must be"),
        (("--num-instances", 5000, "--iters", 100), "--num-instances is 5000, and must be"),
        (("--num-instances", 2, "--iters", 0), "--iters is 0, and must be"),
        (("--num-instances", 2, "--time-budget", 0), "--time-budget is 0, and must be"),
        (
            ("--num-instances", 4, "--iters", 100, "--instances", "2-4"),
            "--instances is '2-4': there is no instance 4",
        ),
        (
            ("--num-instances", 4, "--iters", 100, "--instances", "x"),
            "--instances is 'x', which cannot be read",
        ),
        (("--instances", "0", "--iters", 100), "--instances is for runs of many instances"),
        (("--retries", "1", "--iters", 100), "--retries is for runs of many instances"),
        (
            ("--num-instances", 2, "--iters", 100, "--retries", "-1"),
            "--retries is '-1', and must be a whole number",
        ),
        (
            ("--num-instances", 2, "--iters", 100, "--retries", "some"),
            "--retries is 'some', and must be a whole number",
        ),
    ],
)
def test_mistakes(train, argv, said):
    status, _, err = train(*argv, "--logdir", "run")
    assert status == 2
    assert err[0].startswith(f"holdem train: {said}")
    assert len(err) == 2
    assert err[1].startswith("  try: ")
    assert not Path("run").exists()


def test_workers_in_yaml_are_refused_too(train):
    Path("workers.yaml").write_text(KUHN + "num_workers: 2\n")
    status, _, err = train("--num-instances", 2, "--iters", 100, config="workers.yaml")
    assert status == 2
    assert "every instance has one worker" in err[0]


def test_a_run_that_cannot_fit(train, monkeypatch):
    monkeypatch.setattr("holdem.mccfr.costs.available_memory", lambda: 10**9)
    status, _, err = train("--num-instances", 50, "--iters", 100, "--logdir", "run")
    assert status == 1
    assert "GB of memory for" in err[0]
    assert not Path("run").exists()


def test_more_instances_than_cores(train, monkeypatch):
    monkeypatch.setattr(instance_watch, "usable_cores", lambda: 2)
    status, out, _ = train("--num-instances", 3, "--iters", 100, "--logdir", "run")
    assert status == 0
    assert "warning: 3 instances share 2 cores" in out


def test_a_folder_that_holds_a_run(train):
    train("--num-instances", 2, "--iters", 100, "--logdir", "run")
    for argv in (("--num-instances", 2), ()):
        status, _, err = train(*argv, "--iters", 100, "--logdir", "run")
        assert status == 1
        assert "already" in err[0]


# -- how it ends -----------------------------------------------------------------------------------


def test_a_failed_instance(train, elsewhere):
    def fail(spec):
        if spec.instance == 1:
            raise RuntimeError("killed by signal 9 (SIGKILL)")

    elsewhere.before = fail
    status, out, err = train("--num-instances", 2, "--iters", 1000, "--logdir", "run")
    assert status == 1
    assert "❌ instance 1    0.00%  iter 0/500  failed  killed by signal 9 (SIGKILL)" in out
    assert "✅ instance 0  100.00%  iter 500/500  completed" in out
    assert err == [
        "holdem train: 1 of 2 instances failed: instance 1 (place 1): killed by signal 9 (SIGKILL)",
        "  try: read run/instance_1/instance_1.log, then: "
        "holdem train --num-instances 2 --resume-from run",
    ]


def test_what_is_resumed_is_told(train, elsewhere):
    elsewhere.before = lambda spec: 15 if spec.instance == 1 else None
    status, _, err = train("--num-instances", 3, "--iters", 1000, "--logdir", "run")
    assert status == 1  # one was stopped by hand, and not the run
    assert err[0] == "holdem train: stopped instance 1 (place 1) at iter 0/333"
    elsewhere.before = lambda spec: None
    status, out, err = train(
        "--num-instances", 4, "--resume-from", "run", "--logdir", "on", config=None
    )
    assert (status, err) == (0, [])
    final = "run/instance_0/checkpoints/checkpoint_final"
    assert f"instance 0  from {final}, 334 iterations done" in out
    assert "instance 1  from run/instance_1/checkpoints/checkpoint_iter0, 0 iterations done" in out
    assert "instance 3  has nothing to do: it is new" in out
    done = [
        storage.read_metadata(path, checkpoint.KIND)["iteration"]
        for path in Path("on").glob("instance_*/checkpoints/checkpoint_final")
    ]
    assert sum(done) == 1000


def test_resuming_needs_no_number(train):
    """The folder says how many there are."""
    train("--num-instances", 3, "--iters", 900, "--logdir", "run")
    status, out, _ = train("--resume-from", "run", config=None)
    assert status == 0
    assert "training 3 of 3 instances in run" in out
    status, out, _ = train("--resume-from", "run", "--num-instances", 2, config=None)
    assert "instance 2  is ignored: it is one too many" in out


def test_a_run_of_many_is_not_resumed_as_one(train):
    train("--num-instances", 2, "--iters", 900, "--logdir", "run")
    status, _, err = train("--resume-from", "run")
    assert status == 2
    assert "run is a run of many instances" in err[0]


def test_one_instance_is_resumed_as_a_run_of_its_own(train):
    train("--num-instances", 2, "--iters", 900, "--logdir", "run")
    status, _, err = train(
        "--resume-from", "run/instance_1", "--iters", 900, "--logdir", "one", config=None
    )
    assert (status, err) == (0, [])
    about = storage.read_metadata(Path("one/checkpoints/checkpoint_final"), checkpoint.KIND)
    assert about["ranges"] == [[450, 1350]]


def test_an_instance_in_its_place_keeps_to_its_part(train):
    """What it did beyond would be another's iterations, and no merge would take it."""
    train("--num-instances", 2, "--iters", 900, "--logdir", "run")
    before = everything("run")
    for more in (("--iters", 451), ("--time-budget", 1)):
        status, _, err = train("--resume-from", "run/instance_1", *more, config=None)
        assert status == 2
        assert err[0] == (
            "holdem train: run/instance_1 is one of 2 instances, and its part of the run is 450 "
            "iterations"
        )
        assert "--resume-from run; or with this one alone" in err[1]
    assert everything("run") == before
    status, out, _ = train("--resume-from", "run/instance_1", config=None)
    assert status == 0
    assert "train on, for ten minutes" not in out


def test_a_part_on_each_of_two_machines(train):
    train("--num-instances", 3, "--iters", 900, "--logdir", "whole")
    argv = ("--num-instances", 3, "--iters", 900, "--logdir", "run")
    status, out, _ = train(*argv, "--instances", "0-1")
    assert status == 0
    assert "training 2 of 3 instances in run" in out
    assert train(*argv, "--instances", "2")[0] == 0
    for i in range(3):
        final = Path(f"instance_{i}", "checkpoints", "checkpoint_final")
        assert contents(Path("run") / final) == contents(Path("whole") / final)


def test_instances_that_have_nothing_to_do(train):
    """Said once, and not called missing by who resumes them."""
    train("--num-instances", 2, "--iters", 1000, "--logdir", "run")
    resumed = ("--resume-from", "run", "--logdir", "more")
    status, out, _ = train("--num-instances", 4, *resumed, config=None)
    assert status == 0
    assert "2 of 4 instances have nothing to do: there are only 1,000 iterations" in out
    assert "instance 3  has nothing to do: it is new" in out
    assert "starts fresh" not in out
    status, out, _ = train("--resume-from", "more", config=None)
    assert status == 0
    assert "instance 3  has nothing to do\n" in out
    assert "No checkpoint directory" not in out


def test_fewer_instances_can_be_resumed_again(train):
    """In a folder of their own, what the others had to do is nobody's."""
    train("--num-instances", 3, "--iters", 900, "--logdir", "run")
    status, _, err = train(
        "--resume-from", "run", "--num-instances", 2, "--logdir", "fewer", config=None
    )
    assert (status, err) == (0, [])
    assert json.loads(Path("fewer/run.json").read_text())["asked"]["num_iterations"] == 600
    assert load_config("fewer/config.yaml").training.num_iterations == 600
    status, out, err = train("--resume-from", "fewer", config=None)
    assert (status, err) == (0, [])
    status, out, err = train(
        "--resume-from", "fewer", "--num-instances", 3, "--iters", 800, config=None
    )
    assert (status, err) == (0, [])
    assert "iter 200/200  completed" in out


@pytest.mark.parametrize(
    ("argv", "config"),
    [(("--num-instances", 2, "--iters", 100), "kuhn.yaml"), (("--resume-from", "many"), None)],
)
def test_many_instances_do_not_go_into_the_folder_of_one_run(train, argv, config):
    train("--num-instances", 2, "--iters", 100, "--logdir", "many")
    train("--iters", 100, "--logdir", "plain")
    before = everything("plain")
    status, _, err = train(*argv, "--logdir", "plain", config=config)
    assert status == 1
    assert err == [
        "holdem train: plain holds a run already, and not one of many instances",
        "  try: resume that without instances, or choose another folder for this one",
    ]
    assert everything("plain") == before


def test_many_instances_do_not_go_where_one_run_begins(train):
    """It has no checkpoint yet."""
    Path("plain/checkpoints").mkdir(parents=True)
    with storage.hold("plain/checkpoints", "the run"):
        status, _, err = train("--num-instances", 2, "--iters", 100, "--logdir", "plain")
    assert status == 1
    assert "another process is at work on a run" in err[0]
    assert not Path("plain/config.yaml").exists()


@pytest.mark.parametrize("part", ["instance_0", "merged"])
def test_a_part_of_a_run_does_not_go_into_the_folder_of_the_run(train, part):
    train("--num-instances", 2, "--iters", 1000, "--logdir", "run")
    merge.write(select([Path("run")]), Path("run/merged"))
    before = everything("run")
    status, _, err = train("--resume-from", f"run/{part}", "--iters", 1500, "--logdir", "run")
    assert status == 1
    assert err[0] == "holdem train: run holds a run already"
    assert everything("run") == before


def test_whose_run_a_checkpoint_is(train, tmp_path):
    train("--num-instances", 2, "--iters", 1000, "--logdir", "run")
    instance = Path("run/instance_0")
    checkpoints = instance / "checkpoints"
    for own in (instance, checkpoints, checkpoints / "checkpoint_final"):
        assert is_another_run(Path("run"), own)
        assert not is_another_run(instance, own)
        assert not is_another_run(tmp_path / "run" / "instance_0", own)
        assert is_another_run(Path("run/instance_1"), own)
    assert is_another_run(instance, None)
    assert not is_another_run(Path("new"), None)


def test_the_command_that_resumes_a_part():
    result = instance_watch.MultiInstanceResult(
        logdir=Path("a run"),
        num_instances=16,
        instances=(),
        places={},
        iterations_done=0,
        elapsed_seconds=1.0,
        stopped_by=2,
    )
    for given in ("--instances 0-3", "--instances 0-3 --retries 2 --no-tensorboard"):
        options = train_blueprint._parser().parse_args(given.split())
        assert train_instances.resume_command(result, options) == (
            f"holdem train --num-instances 16 --resume-from 'a run' {given}"
        )


# -- the rest --------------------------------------------------------------------------------------


def test_quiet(train):
    status, out, err = train(
        "--num-instances", 2, "--iters", 100, "--logdir", "run", "--log-level", "error"
    )
    assert (status, out, err) == (0, "", [])


def test_what_the_files_of_a_run_say_of_the_machine(train):
    train("--num-instances", 2, "--iters", 100, "--logdir", "run")
    host = json.loads(Path("run/run.json").read_text())["host"]
    assert host["cores"] == psutil.cpu_count()


@pytest.mark.parametrize("path", ["nothing", "kuhn.yaml", "."])
def test_what_cannot_be_resumed(train, path):
    """Refused before anything is made, also for a game that needs buckets."""
    status, out, err = train("--num-instances", 2, "--iters", 9, "--resume-from", path, config=None)
    assert (status, out) == (1, "")
    assert f"{path} is not the folder of a run of many instances: no run.json" in err[0]
    assert not Path("assets").exists()


def test_the_demo_refuses_in_two_lines(train):
    """As a command does, where its folder holds a run already."""
    train("--num-instances", 2, "--iters", 100, "--logdir", "demo/many")
    demo = Path(__file__).parent.parent / "examples" / "multi_instance_demo.py"
    done = subprocess.run(
        [sys.executable, demo, "--iters", "100", "--logdir", "demo"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert said[0].startswith("multi_instance_demo.py: demo/many holds another run already")
    assert said[1].startswith("  try: ")
    assert len(said) == 2
