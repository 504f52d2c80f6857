"""The doctor: all is well here, and each thing that can be wrong is said as it is."""

import ast
import dataclasses
import json
import os
import re
import resource
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from holdem import machine, storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.cli import (
    doctor,
    doctor_files,
    doctor_installation,
    doctor_machine,
    doctor_plan,
    doctor_speed,
)
from holdem.cli import main as umbrella
from holdem.cli.doctor_report import NAME_WIDTH, Status
from holdem.config import RunConfig, load_config
from holdem.errors import ConfigError, MismatchError, ResourceError
from holdem.game import games
from holdem.game.tree import build_tree
from holdem.mccfr import checkpoint, costs, segments
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.mccfr.self_test import SelfTest
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import BetMenu, BucketConfig, GameConfig, MCCFRConfig
from tests.files import small_disk

ROOT = Path(__file__).parent.parent
LARGE = "buckets: {k_flop: 20000, k_turn: 20000, k_river: 20000}\n"  # hundreds of megabytes


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Shared memory and runs of the test's own; what a check leaves there is a fault."""
    (tmp_path / "shm").mkdir()
    monkeypatch.setenv("HOLDEM_SHM_DIR", str(tmp_path / "shm"))
    monkeypatch.chdir(tmp_path)
    yield
    assert list((tmp_path / "shm").iterdir()) == []
    assert list(tmp_path.glob(".holdem*")) == []
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def all_workers_answer(monkeypatch):
    """In the place of the self-test and of the measurement, which have tests of their own."""
    passed = SelfTest(num_workers=2, num_answered=2, start_seconds=0.5, round_seconds=1e-6)
    monkeypatch.setattr(doctor_machine, "run_self_test", lambda *args, **options: passed)
    monkeypatch.setattr(doctor_speed, "_rate", lambda *args: 1000.0)


@pytest.fixture
def examine(capsys, all_workers_answer):
    """A function that runs the doctor, and returns its exit status and findings by name."""

    def run(*argv):
        status = doctor.main([*map(str, argv), "--json"])
        document = json.loads(capsys.readouterr().out)
        assert document["can_train"] == (status == 0)
        return status, {finding["name"]: finding for finding in document["findings"]}

    return run


def run_program(*argv, **options):
    return subprocess.run(
        [sys.executable, "-m", "holdem.cli.doctor", *map(str, argv)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})},
        **options,
    )


# -- a good machine ----------------------------------------------------------------------------


def test_training_can_start_here():
    done = run_program("--num-workers", "2", "--quick")

    assert (done.returncode, done.stderr) == (0, "")
    names = [line[11:].split("  ")[0] for line in done.stdout.splitlines()[1:-2]]
    expected = [*doctor.INSTALLATION, *doctor.CHECKS]
    assert [name for name in names if name] == [
        name for name in expected if name not in ("buckets", "checkpoint", "speed")
    ]
    assert "2 of 2 answered, started in" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Training can start: ")
    assert "\x1b" not in done.stdout


def test_the_umbrella_knows_the_command(capsys, all_workers_answer):
    assert umbrella.main(["doctor", "--quick"]) == 0
    assert "Training can start" in capsys.readouterr().out


def test_json_is_all_that_is_printed():
    done = run_program("--json", "--quick", "--num-workers", "1")
    document = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "")
    assert document["can_train"] is True
    cores = next(one for one in document["findings"] if one["name"] == "cores")
    assert cores["status"] in ("ok", "warning")
    assert cores["figures"]["affinity"] == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)],
)
def test_colours_only_where_they_are_wanted(variables, coloured):
    done = run_program("--quick", "--num-workers", "1", env={"TERM": "xterm", **variables})

    assert ("\x1b[32m" in done.stdout) == coloured


def test_names_fit_their_column():
    names = [*doctor.INSTALLATION, *doctor.CHECKS]

    assert max(map(len, names)) <= NAME_WIDTH


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--num-workers", "-1"], "0 to 4096"),
        (["--num-workers", "many"], "invalid int"),
        (["--wrokers", "2"], "unknown option --wrokers"),
        (["--config", "none.yaml"], "none.yaml does not exist"),
    ],
)
def test_options_that_cannot_be_used(capsys, argv, told):
    assert doctor.main(argv) == 2
    assert told in capsys.readouterr().err


# -- the installation --------------------------------------------------------------------------


def test_packages_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    wanted = [f"{name}>={version}" for name, version in doctor_installation.PACKAGES.items()]
    assert wanted == project["dependencies"]
    wanted = ".".join(map(str, doctor_installation.LEAST_PYTHON))
    assert project["requires-python"] == f">={wanted}"


def test_modules_are_those_that_setup_compiles():
    tree = ast.parse((ROOT / "setup.py").read_text())
    values = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}

    assert doctor_installation.compiled_modules() == sorted(ast.literal_eval(values["MODULES"]))


def test_clones_are_those_of_the_sources():
    """A module has clones for an instruction set if a header that it includes asks for it."""
    core = ROOT / "holdem" / "_core"
    names = {"avx2": "avx2", "sse4.1": "sse4_1"}
    names |= dict.fromkeys(("avx512f", "avx512bw", "avx512vl"), "avx512bw")

    def asked_for(path):
        text = path.read_text()
        found = {
            names[name] for name in re.findall(r'cpu_supports\("([^"]+)"\)', text) if name in names
        }
        for header in re.findall(r'(?:#include|cdef extern from) "([^"]+\.h)"', text):
            found |= asked_for(core / header)
        return found

    clones = {}
    for path in core.glob("*.p[xy]*"):
        clones.setdefault(path.stem, set()).update(asked_for(path))
    for name, sources in runpy.run_path(str(ROOT / "setup.py"))["MODULE_SOURCES"].items():
        for source in sources:
            clones[name] |= asked_for(ROOT / source)

    assert {name: set(sets) for name, sets in doctor_installation.CLONES.items()} == {
        name: sets for name, sets in clones.items() if sets
    }


@pytest.mark.parametrize(
    ("features", "used"),
    [
        ({"avx2", "avx512bw", "sse4_1"}, {"AVX-512": ["cluster", "evaluator"]}),
        ({"avx2", "sse4_1"}, {"AVX2": ["cluster", "evaluator"]}),
        ({"sse4_1"}, {"SSE4.1": ["cluster"]}),
        (set(), {}),
    ],
)
def test_the_best_clone_is_used(monkeypatch, features, used):
    clones = {"cluster": ("avx512bw", "avx2", "sse4_1"), "evaluator": ("avx512bw", "avx2")}
    monkeypatch.setattr(doctor_installation, "CLONES", clones)

    assert doctor_installation.clones_used(frozenset(features)) == used


def test_without_compiled_modules_nothing_else_is_checked(examine, monkeypatch):
    monkeypatch.setattr(doctor_installation, "compiled_modules", lambda: ["rng", "nothing"])
    status, findings = examine()

    assert status == 1
    assert list(findings) == list(doctor.INSTALLATION)
    assert findings["compiled core"]["found"] == "nothing: missing"
    assert "pip install" in findings["compiled core"]["remedy"]


def test_the_doctor_starts_without_any_compiled_module(tmp_path):
    """As in a checkout where nothing was built."""
    code = (
        "import sys\n"
        "class Nothing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith('holdem._core.'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Nothing())\n"
        "from holdem.cli.main import main\n"
        "sys.exit(main(['doctor']))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)

    assert (done.returncode, done.stderr) == (1, "")
    assert re.search(r"failed +compiled core +all \d+ are missing\n +try: pip install", done.stdout)
    assert "Training cannot start: 1 failed, 3 ok" in done.stdout


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_an_option_that_cannot_be_used_is_refused_alone(capsys, tmp_path, more):
    """Not after half of the checks."""
    assert doctor.main(["--config", str(tmp_path / "nowhere.yaml"), *more]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2


def test_packages_that_are_old_or_missing(examine, monkeypatch):
    wanted = {"numpy": "999.1", "holdem-of-tomorrow": "1", "rich": "1.0"}
    monkeypatch.setattr(doctor_installation, "PACKAGES", wanted)
    status, findings = examine()

    assert status == 1
    assert "holdem-of-tomorrow missing" in findings["packages"]["found"]
    assert findings["packages"]["remedy"] == "pip install 'numpy>=999.1' 'holdem-of-tomorrow>=1'"


def test_an_old_python(examine, monkeypatch):
    monkeypatch.setattr(doctor_installation, "LEAST_PYTHON", (99, 0))
    status, findings = examine()

    assert status == 1
    assert findings["python"]["remedy"] == "install a 64-bit Python 99.0 or newer"


@pytest.mark.parametrize(
    ("features", "status", "told"),
    [
        (doctor_installation.BASELINE[1:], "failed", "it lacks cx16"),
        (doctor_installation.BASELINE, "warning", "no AVX2"),
        ((*doctor_installation.BASELINE, "avx2"), "ok", "Z3; AVX2, SSE4.1"),
        ((), "ok", "Z3"),
    ],
)
def test_processors(monkeypatch, features, status, told):
    processor = machine.Processor(model="Z3", features=frozenset(features))
    monkeypatch.setattr(machine, "processor", lambda: processor)
    monkeypatch.setattr(doctor_installation.platform, "machine", lambda: "x86_64")
    finding = doctor_installation.check_processor()

    assert finding.status is Status(status)
    assert told in finding.found


# -- the machine -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cores", "num_workers", "status", "told"),
    [
        ((8, 8, None), 0, "ok", "8 usable: machine 8, affinity 8, no quota"),
        ((8, 4, 2.5), 2, "ok", "2 usable: machine 8, affinity 4, quota 2.5"),
        ((8, 4, 2.5), 3, "warning", "--num-workers 2"),
        ((8, 1, None), 1, "warning", "affinity leaves one core"),
        ((8, 8, 1.5), 0, "warning", "quota leaves one core"),
        ((1, 1, None), 1, "ok", "1 usable"),
    ],
)
def test_cores(examine, monkeypatch, cores, num_workers, status, told):
    count, affinity, quota = cores
    made_up = machine.Cores(machine=count, affinity=affinity, quota=quota)
    monkeypatch.setattr(machine, "cores", lambda root=None: made_up)
    finding = examine("--num-workers", num_workers, "--quick")[1]["cores"]

    assert finding["status"] == status
    assert told in f"{finding['found']} {finding['remedy']}"


def test_the_number_of_workers(examine, tmp_path):
    """Options beat the config, which beats all cores."""
    (tmp_path / "three.yaml").write_text("num_workers: 3\n")
    given = {
        (): machine.usable_cores(),
        ("--config", "three.yaml"): 3,
        ("--config", "three.yaml", "--num-workers", 2): 2,
        ("--config", "three.yaml", "--num-workers", 0): machine.usable_cores(),
    }
    for argv, expected in given.items():
        cores = examine(*argv, "--quick")[1]["cores"]
        assert cores["figures"]["num_workers"] == expected


@pytest.mark.parametrize(
    ("times_wanted", "status"), [(0.999, "failed"), (1.05, "warning"), (2.0, "ok")]
)
def test_memory_for_a_config(examine, monkeypatch, tmp_path, times_wanted, status):
    (tmp_path / "large.yaml").write_text(LARGE)
    argv = ("--config", "large.yaml", "--num-workers", "2", "--quick")
    wanted = examine(*argv)[1]["memory"]["figures"]["wanted"]
    usable = int(times_wanted * wanted)
    made_up = machine.Memory(total=10**11, available=10**11, group_limit=usable, group_used=0)
    monkeypatch.setattr(machine, "memory", lambda root=None: made_up)
    memory = examine(*argv)[1]["memory"]

    assert memory["status"] == status
    assert f"control group limit {storage.format_bytes(usable)}" in memory["found"]
    assert 500_000_000 < wanted < 2_000_000_000  # the table and its copy


def test_shared_memory_is_too_small(examine, monkeypatch, tmp_path):
    made_up = machine.Space(total=64 << 20, free=60 << 20)
    monkeypatch.setattr(machine, "space", lambda path: made_up)
    (tmp_path / "large.yaml").write_text(LARGE)
    for num_workers, wanted in ((2, "failed"), (1, "warning")):
        _, findings = examine("--config", "large.yaml", "--num-workers", num_workers)
        shared = findings["shared memory"]
        assert shared["status"] == wanted
        assert re.search(r"67 MB, 63 MB free; table, copy and log take \d\d\d MB$", shared["found"])
        assert "--shm-size=1g" in shared["remedy"]


def test_the_doctor_asks_for_the_shared_memory_that_training_does(examine, tmp_path, monkeypatch):
    """To the page; what is there for a copy besides is not needed."""
    text = "game: leduc\nnum_iterations: 4000\nbatch_size: 2000\nnum_workers: 2\n"
    (tmp_path / "leduc.yaml").write_text(text)
    argv = ("--config", "leduc.yaml", "--quick")
    least = examine(*argv)[1]["shared memory"]["figures"]["least"]
    config = MCCFRConfig(num_iterations=4000, batch_size=2000, num_workers=2)
    solver = ParallelMCCFRSolver(config, None, game=games.leduc())
    with small_disk(tmp_path / "small", str(least)) as shm:
        monkeypatch.setenv("HOLDEM_SHM_DIR", str(shm))
        assert examine(*argv)[1]["shared memory"]["status"] == "warning"
        solver.train(tmp_path / "run", use_tensorboard=False)
    (tmp_path / "small").rmdir()
    with small_disk(tmp_path / "small", str(least - 4096)):
        assert examine(*argv)[1]["shared memory"]["status"] == "failed"
        with pytest.raises(ResourceError, match="shared segment for control"):
            solver.train(tmp_path / "another", use_tensorboard=False)


def test_no_folder_for_shared_memory(examine, monkeypatch, tmp_path):
    monkeypatch.setenv("HOLDEM_SHM_DIR", str(tmp_path / "nowhere"))
    status, findings = examine("--num-workers", "2", "--quick")

    assert status == 1
    assert findings["shared memory"]["status"] == "failed"
    assert str(tmp_path / "nowhere") in findings["shared memory"]["found"]


@pytest.mark.parametrize(("times_wanted", "status"), [(0.999, "failed"), (1.1, "ok")])
def test_address_space_for_a_config(examine, monkeypatch, tmp_path, times_wanted, status):
    """What `ulimit -v` leaves, of which a mapped file takes all that it has."""
    (tmp_path / "large.yaml").write_text(LARGE)
    config = load_config(tmp_path / "large.yaml")
    counts = (169, 20_000, 20_000, 20_000)
    wanted = costs.estimate(config.training, config.game, counts, 10**8).address_bytes
    monkeypatch.setattr(doctor_plan, "bucket_bytes", lambda *_: 10**8)
    limit = machine.Limit(soft=round(times_wanted * wanted) + 5000, hard=None, used=5000)
    monkeypatch.setattr(machine, "address_space", lambda: limit)
    memory = examine("--config", "large.yaml", "--quick")[1]["memory"]

    assert memory["status"] == status
    assert ("ulimit -v" in memory["found"]) == ("ulimit -v" in memory["remedy"])
    assert ("ulimit -v" in memory["found"]) == (status == "failed")


def test_instances_cost_what_training_says(examine, tmp_path, capsys):
    (tmp_path / "many.yaml").write_text("game: leduc\nnum_instances: 5\nnum_iterations: 1e6\n")
    _, findings = examine("--config", "many.yaml", "--quick", "--logdir", "run")
    assert umbrella.main(["train", "--config", "many.yaml", "--dry-run"]) == 0
    told = " ".join(capsys.readouterr().out.split())

    for name, key in (("memory", "memory"), ("log folder", "disk")):
        assert storage.format_bytes(findings[name]["figures"]["wanted"]) in told, key
    assert "5 instances" in findings["open files"]["found"]
    assert "instances take none" in findings["shared memory"]["found"]


def test_instances_have_no_workers(tmp_path, capsys):
    """What training refuses, in the same words."""
    text = "game: leduc\nnum_instances: 3\nnum_workers: 2\nnum_iterations: 1e6\n"
    (tmp_path / "many.yaml").write_text(text)
    told = []
    for command in (["doctor", "--quick"], ["train"]):
        assert umbrella.main([*command, "--config", "many.yaml"]) == 2
        told.append(capsys.readouterr().err.split(": ", 1)[1])

    assert told[0] == told[1]
    assert "--num-instances cannot be used with --num-workers" in told[0]


def test_a_responder_needs_no_shared_memory(examine, monkeypatch, tmp_path):
    """Threads train against one, and share what a process has anyhow."""
    monkeypatch.setattr(machine, "space", lambda path: machine.Space(total=1, free=0))
    (tmp_path / "large.yaml").write_text("opponent: responder\n" + LARGE)
    _, findings = examine("--config", "large.yaml", "--num-workers", 2)

    assert findings["shared memory"]["status"] == "ok"
    assert findings["shared memory"]["found"].endswith("a run against a responder takes none")


def test_shared_memory_that_cannot_be_reserved(examine, monkeypatch):
    """The file system says that there is space, and then there is none."""

    def refuse(descriptor, start, length):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    status, findings = examine("--num-workers", "2")

    assert status == 1
    assert findings["shared memory"]["status"] == "failed"
    assert "the shared segment for doctor takes" in findings["shared memory"]["found"]


def test_files_that_may_be_open(examine, monkeypatch):
    for soft, hard, remedy in ((20, 4096, "ulimit -n 1024"), (20, 30, "--ulimit nofile=1024")):
        made_up = machine.Limit(soft=soft, hard=hard, used=5)
        monkeypatch.setattr(machine, "open_files", lambda made_up=made_up: made_up)
        status, findings = examine("--num-workers", "2", "--quick")
        assert status == 1
        assert findings["open files"]["found"].startswith("20 allowed; 2 workers take ")
        assert remedy in findings["open files"]["remedy"]


def test_processes_that_may_be_started(examine, monkeypatch):
    made_up = machine.Limit(soft=30, hard=30, used=29)
    monkeypatch.setattr(machine, "processes", lambda: made_up)

    assert examine("--num-workers", "2", "--quick")[0] == 1
    status, findings = examine("--num-workers", "1", "--quick")
    assert status == 0
    assert findings["processes"]["status"] == "warning"
    assert "30 allowed, 29 used" in findings["processes"]["found"]


def test_workers_that_do_not_answer(examine, monkeypatch):
    result = SelfTest(
        num_workers=2,
        num_answered=0,
        start_seconds=None,
        round_seconds=None,
        faults={1: "killed by SIGBUS"},
        remedy="more shared memory",
    )
    monkeypatch.setattr(doctor_machine, "run_self_test", lambda *args, **options: result)
    status, findings = examine("--num-workers", "2", "--quick")

    assert status == 1
    assert findings["workers"]["found"] == "0 of 2 answered; worker 1: killed by SIGBUS"
    assert findings["workers"]["remedy"] == "more shared memory"


def test_a_game_that_cannot_be_trained_is_a_finding(examine, tmp_path):
    (tmp_path / "huge.yaml").write_text(
        "game:\n  menu:\n    preflop: ['*']\n    flop: ['*']\n    turn: ['*']\n    river: ['*']\n"
    )
    status, findings = examine("--config", "huge.yaml", "--quick")

    assert status == 1
    assert "more than 255 actions at one decision" in findings["memory"]["found"]


RESTRICTED = """
import errno, multiprocessing, multiprocessing.context, os, sys

def refuse(process):
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))

multiprocessing.get_all_start_methods = lambda: ["fork"]
multiprocessing.context.SpawnProcess._Popen = staticmethod(refuse)
from holdem.cli.doctor import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_restricted_machine_is_described_as_it_is(tmp_path):
    """64 MB of shared memory, one core, 20 open files, no spawn."""

    def restrict():
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))

    (tmp_path / "large.yaml").write_text(LARGE)
    argv = ["--config", "large.yaml", "--num-workers", "2"]
    with small_disk(tmp_path / "small", "64m") as shm:
        done = subprocess.run(
            [sys.executable, "-c", RESTRICTED, *argv],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOLDEM_SHM_DIR": str(shm)},
            preexec_fn=restrict,
        )

    assert (done.returncode, done.stderr) == (1, "")
    told = re.findall(r"^  (\w+) +(\w[\w ]*?\w) {2,}(.*(?:\n +try: .*)?)$", done.stdout, re.M)
    lines = {name: (status, text) for status, name, text in told}
    expected = {
        "cores": ("warning", f"1 usable: machine {os.cpu_count()}, affinity 1"),
        "shared memory": ("failed", "67 MB, 67 MB free; table, copy and log take "),
        "open files": ("failed", "20 allowed; 2 workers take"),
        "start methods": ("failed", "fork; no spawn"),
        "workers": ("failed", "worker 0: cannot be started: Operation not permitted"),
    }
    for name, (status, told) in expected.items():
        assert lines[name][0] == status, name
        assert told in lines[name][1], name
    assert "Training cannot start: 4 failed, 1 warning" in done.stdout


def test_a_user_who_may_not_start_processes(tmp_path):
    """By the system's own limit, which holds for everybody but root."""
    somebody = ["setpriv", "--ruid", "65534", "--bounding-set", "-sys_resource,-sys_admin"]
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root may become somebody else")
    done = subprocess.run(
        [*somebody, sys.executable, "-m", "holdem.cli.doctor", "--num-workers", "2", "--quick"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1)),
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert re.search(r"failed +processes +1 allowed, [1-9]\d* used; 2 workers", done.stdout)
    assert "cannot be started: Resource temporarily unavailable" in done.stdout
    assert "ulimit -u" in done.stdout


# -- leaked segments ---------------------------------------------------------------------------

LEAK = """
import os, signal
from holdem.mccfr.segments import Segment
segment = Segment.create("table", 1_000_000, reserve=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_leaked_segments_are_found_and_removed(examine, tmp_path):
    subprocess.run(
        [sys.executable, "-c", LEAK],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    with segments.Segment.create("table", 5000, reserve=True, folder=tmp_path) as other:
        mine = other.path.rename(tmp_path / "shm" / other.path.name)
        _, findings = examine("--quick")
        leaked = findings["leaked segments"]
        assert leaked["status"] == "warning"
        assert leaked["found"] == "1 of runs that were killed, 1.0 MB"
        assert "--clean" in leaked["remedy"]
        assert len(list((tmp_path / "shm").iterdir())) == 2

        _, findings = examine("--quick", "--clean")
        assert findings["leaked segments"]["status"] == "ok"
        assert findings["leaked segments"]["found"] == "1 removed, 1.0 MB"
        # The owner of the other is alive.
        assert list((tmp_path / "shm").iterdir()) == [mine]
        mine.rename(other.path)


# -- files -------------------------------------------------------------------------------------


def test_a_log_folder_that_cannot_be_written(examine, tmp_path):
    (tmp_path / "file").write_text("")
    status, findings = examine("--logdir", "file", "--quick")

    assert status == 1
    for name in ("log folder", "TensorBoard"):
        assert findings[name]["status"] == "failed"
        assert "cannot write" in findings[name]["found"]


def test_a_full_disk(examine, monkeypatch):
    monkeypatch.setattr(machine, "space", lambda path: machine.Space(total=10**9, free=1000))
    status, findings = examine("--quick")

    assert status == 1
    assert "1.0 kB free" in findings["log folder"]["found"]
    assert "free some space" in findings["log folder"]["remedy"]


def test_what_the_resumed_run_has_on_the_disk_counts(examine, monkeypatch, run):
    argv = ("--config", run / "config.yaml", "--quick", "--logdir")
    fresh, resumed = (examine(*argv, place)[1]["log folder"] for place in ("fresh", run))
    wanted = resumed["figures"]["wanted"]
    monkeypatch.setattr(machine, "space", lambda path: machine.Space(total=10**9, free=wanted))

    assert wanted < fresh["figures"]["wanted"]
    assert "of it there already" in resumed["found"]
    assert examine(*argv, run)[1]["log folder"]["status"] == "ok"
    assert examine(*argv, "fresh")[1]["log folder"]["status"] == "failed"


def test_a_slow_disk(examine, monkeypatch):
    monkeypatch.setattr(doctor_files, "_sync_seconds", lambda folder: 1.5)
    status, findings = examine("--quick")

    assert status == 0
    assert findings["log folder"]["status"] == "warning"
    assert "1 MB lasts after 1500.0 ms" in findings["log folder"]["found"]


def test_tensorboard_that_writes_nothing(examine, monkeypatch):
    class Mute:
        def __init__(self, folder):
            folder.mkdir()

        def add(self, *args):
            pass

        def close(self):
            pass

    monkeypatch.setattr(doctor_files, "FigureFile", Mute)
    status, findings = examine("--quick")

    assert status == 1
    assert "--no-tensorboard" in findings["TensorBoard"]["remedy"]


@pytest.fixture
def buckets(tmp_path):
    config = BucketConfig(num_streets=1)
    arrays = {
        "preflop_equities": np.full((169, 169), 0.5),
        "groups": np.zeros(169, np.uint8),
        "table_preflop": np.arange(169, dtype=np.uint8),
        "tally_preflop": np.ones((169, 4), np.int64),
    }
    HandBucketing(config, arrays).save(tmp_path / "buckets")
    return tmp_path / "buckets"


PUSH_FOLD = "game: push-fold\n"


def test_buckets_are_whole(examine, buckets, tmp_path):
    (tmp_path / "config.yaml").write_text(PUSH_FOLD)
    status, findings = examine("--buckets", buckets, "--config", "config.yaml", "--quick")

    assert status == 0
    assert "preflop 169; 169 bytes, checksums right" in findings["buckets"]["found"]


def test_buckets_are_damaged(examine, buckets, tmp_path):
    (tmp_path / "config.yaml").write_text(PUSH_FOLD)
    flip(buckets / "table_preflop.npy")
    status, findings = examine("--buckets", buckets, "--config", "config.yaml", "--quick")

    assert status == 1
    assert findings["buckets"]["status"] == "failed"
    assert "table_preflop" in findings["buckets"]["found"]
    assert "holdem buckets" in findings["buckets"]["remedy"]


def test_buckets_of_too_few_streets(examine, buckets):
    status, findings = examine("--buckets", buckets, "--quick")

    assert status == 1
    assert "1 of the 4 streets" in findings["memory"]["found"]


@pytest.fixture
def run(tmp_path):
    config = MCCFRConfig(num_iterations=300, seed=7)
    MCCFRSolver(config, None, game=games.leduc()).train(tmp_path / "run", use_tensorboard=False)
    return tmp_path / "run"


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_checkpoint_is_whole(examine, run):
    status, findings = examine("--checkpoint", run, "--config", run / "config.yaml", "--quick")

    assert status == 0
    assert "iteration 300" in findings["checkpoint"]["found"]
    assert findings["checkpoint"]["found"].endswith("checksums right, of this config")


def test_a_checkpoint_is_damaged(examine, run):
    flip(run / "checkpoints" / "checkpoint_final" / "table.npy")
    status, findings = examine("--checkpoint", run, "--quick")

    assert status == 1
    assert findings["checkpoint"]["status"] == "failed"
    assert findings["checkpoint"]["remedy"]


def test_a_checkpoint_with_words_that_are_no_numbers(examine, run):
    path = run / "checkpoints" / "checkpoint_final"
    folder = storage.read_folder(path, checkpoint.KIND, mmap=False)
    words = folder.arrays["table"].copy()
    words[:3] = np.nan
    storage.write_folder(path, {"table": words}, folder.metadata, kind=checkpoint.KIND)
    status, findings = examine("--checkpoint", path, "--quick")

    assert status == 1
    assert "3 words of the table are no numbers" in findings["checkpoint"]["found"]


@pytest.fixture
def against_responder(tmp_path):
    """A function that makes a plan, *changes* to it, for a checkpoint of a responder's run."""
    game, counts = GameConfig(menu=BetMenu(streets=(("a",),) * 4)), (169, 25, 25, 25)
    config = MCCFRConfig(num_iterations=2, opponent="responder", parent_boards=20)
    tree = build_tree(game, counts)
    checkpoint.save(
        tmp_path / "checkpoint",
        words=np.zeros(2 * tree.num_slots, np.float32),
        iteration=2,
        ranges=[(0, 2)],
        table_state={},
        visits=0,
        utility_sum=0.0,
        config=config,
        tree=tree,
        buckets_fingerprint="some",
        others={name: np.zeros(9, np.float32) for name in ("responder", "parents")},
    )

    def plan(responder_path=None, **changes):
        training = dataclasses.replace(config, **changes)
        return doctor_plan.Plan(
            config=RunConfig(training=training, game=game, responder_path=responder_path),
            config_given=True,
            costs=ConfigError(""),
            num_workers=1,
            logdir=tmp_path,
            checkpoint=tmp_path / "checkpoint",
        )

    return plan


def test_a_checkpoint_of_another_opponent(against_responder, monkeypatch):
    """Or of one that tells other hands apart, or of buckets with parents."""
    assert doctor_files.check_checkpoint(against_responder()).found.endswith("of this config")
    with pytest.raises(MismatchError, match="was trained with parents of its buckets"):
        doctor_files.check_checkpoint(against_responder(parent_boards=0))
    with pytest.raises(MismatchError, match="was trained against responder"):
        doctor_files.check_checkpoint(against_responder(opponent="itself", parent_boards=0))
    finer = SimpleNamespace(fingerprint="finer")
    monkeypatch.setattr(doctor_files.HandBucketing, "load", lambda path, verify: finer)
    with pytest.raises(MismatchError, match="this run's has buckets finer"):
        doctor_files.check_checkpoint(against_responder(Path("finer")))


def test_a_responder_with_regrets_that_are_no_numbers(against_responder):
    plan = against_responder()
    source = storage.read_folder(plan.checkpoint, checkpoint.KIND, mmap=False)
    arrays = {name: array.copy() for name, array in source.arrays.items()}
    arrays["responder"][:2] = arrays["parents"][0] = np.inf
    storage.write_folder(plan.checkpoint, arrays, source.metadata, kind=checkpoint.KIND)
    found = doctor_files.check_checkpoint(plan).found

    assert "2 words of the responder are no numbers" in found
    assert "1 words of the parents are no numbers" in found


def test_a_checkpoint_of_another_game(examine, run, tmp_path):
    (tmp_path / "config.yaml").write_text("game: kuhn\n")
    status, findings = examine("--checkpoint", run, "--config", "config.yaml", "--quick")

    assert status == 1
    assert "betting tree" in findings["checkpoint"]["found"]


def test_no_checkpoint_there(examine, tmp_path):
    status, findings = examine("--checkpoint", tmp_path / "none", "--quick")

    assert status == 1
    assert "none" in findings["checkpoint"]["found"]
