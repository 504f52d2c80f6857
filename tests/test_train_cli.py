"""`holdem train`: what it refuses, what it says first, and what it leaves."""

import json
import os
import pickle
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.building import preset, preset_path
from holdem.abstraction.features import CANONICAL_HANDS
from holdem.cli import train_blueprint
from holdem.config import load_config
from holdem.errors import ConfigError
from holdem.game.games import kuhn, leduc
from holdem.game.tree import build_tree
from holdem.machine import Limit
from holdem.mccfr import checkpoint, costs
from holdem.mccfr.parents import parent_counts
from holdem.mccfr.pool_memory import PoolControl
from holdem.mccfr.worker import log_bytes
from holdem.types import STREETS, BucketConfig, GameConfig, MCCFRConfig


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Runs and assets go to a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def train(capsys):
    """Run the command and return its status, output and error lines."""

    def run(*argv):
        status = train_blueprint.main([str(one) for one in argv])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return run


def write(name, text):
    Path(name).write_text(text)
    return name


KUHN = "game: kuhn\nnum_iterations: 3000\n"


def bucket_set(config):
    """A bucket set whose hands fall into buckets by index; equal equities."""
    arrays = {
        "preflop_equities": np.full((169, 169), 0.5),
        "groups": np.zeros(169, np.uint8),
    }
    for street in range(config.num_streets):
        k = config.bucket_counts[street]
        table = np.zeros(CANONICAL_HANDS[street], np.uint8)
        if street == 0:
            table += np.arange(169, dtype=np.uint8) % k
        arrays[f"table_{STREETS[street]}"] = table
        arrays[f"tally_{STREETS[street]}"] = np.zeros((k, 4), np.int64)
    return HandBucketing(config, arrays, fingerprint="0" * 64)


@pytest.fixture
def preflop_set(tmp_path):
    path = tmp_path / "sets" / "preflop"
    bucket_set(BucketConfig(num_streets=1)).save(path)
    return path


# -- a run ---------------------------------------------------------------------------------------


def test_a_run_leaves_its_files_and_says_what_next(train):
    status, out, err = train("--config", write("kuhn.yaml", KUHN), "--logdir", "run")
    assert (status, err) == (0, [])
    for name in (
        "config.yaml",
        "train.log",
        "avg_policy.json",
        "avg_policy/metadata.json",
        "checkpoints/checkpoint_final/metadata.json",
        "tensorboard",
    ):
        assert (Path("run") / name).exists()
    assert "kuhn: 2 players" in out
    assert "iterations 3,000" in out
    assert "run/avg_policy.json" in out
    assert "holdem train --resume-from run" in out
    assert "\x1b" not in out  # no colours in a pipe
    config = load_config("run/config.yaml")
    assert config.game == kuhn()
    assert config.training == MCCFRConfig(num_iterations=3000)


def test_two_workers_say_so_and_leave_the_same_bytes(train):
    config = write("kuhn.yaml", KUHN)

    train("--config", config, "--logdir", "alone")
    status, out, err = train("--config", config, "--logdir", "pool", "--num-workers", 2)

    assert (status, err) == (0, [])
    assert "2 processes, by spawn" in out
    assert "2 of 2 answered" in out
    assert re.search(
        r"available +\d\S* \w+ of memory before table and workers, \d\S* \w+ with them", out
    )
    checkpoint = Path("checkpoints", "checkpoint_final")
    for name in ("table.npy", "metadata.json"):
        alone, pool = (Path(run) / checkpoint / name for run in ("alone", "pool"))
        assert alone.read_bytes() == pool.read_bytes()


@pytest.mark.parametrize(
    ("batch", "workers", "share"),
    [(10_000, 2, "5,000"), (1_000, 3, "333"), (100, 3, "33.3"), (1, 2, "0.5")],
)
def test_the_share_of_a_worker(capsys, monkeypatch, batch, workers, share):
    monkeypatch.setattr(train_blueprint, "run_self_test", lambda n: SimpleNamespace(passed=True))
    config = MCCFRConfig(num_iterations=1, batch_size=batch)
    solver = SimpleNamespace(num_workers=workers, config=config)
    train_blueprint._print_workers(train_blueprint.make_console(), solver)

    assert f"about {share} by each worker" in capsys.readouterr().out


def test_no_tensorboard(train):
    train("--config", write("kuhn.yaml", KUHN), "--logdir", "run", "--no-tensorboard")
    assert not Path("run/tensorboard").exists()


def test_the_chart_of_push_fold(train, preflop_set):
    status, out, _ = train(
        "--config",
        write("pf.yaml", "game: push-fold\nnum_iterations: 2000"),
        "--buckets",
        preflop_set,
    )
    assert status == 0
    assert " AA    AKs   AQs" in out
    assert "all-in 10 bb" in out
    assert "How the small blind opens" in out


def test_without_arguments(train, monkeypatch, tmp_path):
    """Heads-up with quick buckets, for a minute, in a folder named by the time."""
    asked = []

    def build_buckets(config, path, *, observer):
        asked.append((config, path))
        return bucket_set(config)

    monkeypatch.setattr(train_blueprint, "build_buckets", build_buckets)
    assert train_blueprint.DEFAULT_SECONDS == 60
    monkeypatch.setattr(train_blueprint, "DEFAULT_SECONDS", 0.3)
    status, out, err = train()
    assert (status, err) == (0, [])
    assert asked == [(preset("quick"), preset_path("quick"))]
    (run,) = Path("runs").iterdir()
    config = load_config(run / "config.yaml")
    assert config.game == GameConfig()
    assert config.training == MCCFRConfig(time_budget_seconds=0.3)
    assert "making the bucket set assets/abstraction/quick, once" in out
    assert "How the small blind opens" in out
    assert " AA    AKs   AQs" in out
    assert "holdem buckets --preset full" in out


def test_options_reach_the_run(train):
    train(
        "--config",
        write("kuhn.yaml", "game: kuhn\ntime_budget_seconds: 3600\nseed: 1"),
        "--iters",
        "1e3",
        "--seed",
        "7",
        "--batch-size",
        "10",
        "--epsilon",
        "0.5",
        "--sampling",
        "outcome",
        "--discount-interval",
        "100",
        "--checkpoint-interval",
        "500",
        "--snapshot-interval",
        "30",
        "--keep-checkpoints",
        "1",
        "--num-players",
        "2",
        "--logdir",
        "run",
    )
    assert load_config("run/config.yaml").training == MCCFRConfig(
        num_iterations=1000,
        time_budget_seconds=None,
        seed=7,
        batch_size=10,
        exploration_epsilon=0.5,
        sampling="outcome",
        discount_interval=100,
        checkpoint_interval=500,
        snapshot_interval_seconds=30,
        keep_checkpoints=1,
    )


def test_two_runs_in_one_second_get_two_folders(train):
    for _ in range(2):
        train("--config", write("kuhn.yaml", "game: kuhn\nnum_iterations: 10"))
    assert len(list(Path("runs").iterdir())) == 2


def test_the_log_level_says_how_much(train):
    config = write("kuhn.yaml", KUHN)
    assert train("--config", config, "--log-level", "warning")[1] == ""
    assert train("--config", config, "--log-level", "debug")[1].count("checkpoint ") >= 2


# -- resuming ------------------------------------------------------------------------------------


def test_commands_can_be_copied(train):
    """Paths in them are quoted where a shell would take them apart."""
    argv = ("--config", write("kuhn.yaml", KUHN), "--logdir", "r/a b")
    _, out, _ = train(*argv)

    assert "    holdem train --resume-from 'r/a b' --time-budget 600\n" in out
    assert train(*argv)[2][1].startswith("  try: --resume-from 'r/a b' to go on")
    _, _, err = train("--buckets", "b'c")
    assert err[1] == """  try: make it first, with: holdem buckets --out 'b'"'"'c'"""


def test_a_resumed_run_goes_on_in_its_folder_with_its_config(train):
    config = write("kuhn.yaml", KUHN + "seed: 5\n")
    train("--config", config, "--logdir", "run")
    Path("kuhn.yaml").unlink()
    status, out, _ = train("--resume-from", "run", "--iters", "5000")
    assert status == 0
    assert "at iteration 3,000" in out
    assert load_config("run/config.yaml").training == MCCFRConfig(num_iterations=5000, seed=5)
    assert not Path("runs").exists()


def test_one_checkpoint_can_be_resumed(train):
    train("--config", write("kuhn.yaml", KUHN), "--logdir", "run")
    checkpoint = Path("run/checkpoints/checkpoint_final")
    status, _, _ = train("--resume-from", checkpoint, "--iters", "4000", "--logdir", "other")
    assert status == 0
    assert load_config("other/config.yaml").game == kuhn()


def test_two_runs_are_not_mixed_in_one_folder(train):
    config = write("kuhn.yaml", KUHN)
    train("--config", config, "--logdir", "run")
    train("--config", config, "--logdir", "other")
    for more in ((), ("--resume-from", "other")):
        status, _, err = train("--config", config, "--logdir", "run", *more)
        assert status == 1
        assert err == [
            "holdem train: run holds a run already",
            "  try: --resume-from run to go on with it, or another --logdir",
        ]
    checkpoint = "run/checkpoints/checkpoint_final"
    assert train("--resume-from", checkpoint, "--logdir", "run", "--iters", "4000")[0] == 0


def test_a_config_that_lies_above_a_run_is_not_the_runs(train):
    config = write("config.yaml", KUHN)
    train("--config", config, "--logdir", "runs/x")
    Path("runs/x/config.yaml").unlink()
    status, _, _ = train("--config", config, "--resume-from", "runs/x", "--iters", "4000")
    assert status == 0
    assert Path("config.yaml").read_text() == KUHN
    assert not Path("checkpoints").exists()
    assert load_config("runs/x/config.yaml").training.num_iterations == 4000


@pytest.mark.parametrize(
    ("folder", "name"),
    [("run", "."), ("run", "checkpoints"), ("run/checkpoints", "checkpoint_final")],
)
def test_a_run_can_be_resumed_from_within(train, monkeypatch, folder, name):
    train("--config", write("kuhn.yaml", KUHN), "--logdir", "run")
    run = Path("run").absolute()
    monkeypatch.chdir(folder)
    assert train("--resume-from", name, "--iters", "4000")[0] == 0
    assert (
        storage.read_metadata(run / "checkpoints/checkpoint_final", "checkpoint")["iteration"]
        == 4000
    )


def test_a_run_does_not_replace_the_config_that_it_reads(train):
    Path("ex").mkdir()
    text = "# why\n" + KUHN
    config = write("ex/config.yaml", text)
    status, _, err = train("--config", config, "--logdir", "ex")
    assert status == 2
    assert err[0] == "holdem train: the run would replace ex/config.yaml by its own"
    assert Path("ex/config.yaml").read_text() == text


@pytest.mark.parametrize("option", ["--logdir", "--resume-from", "--config"])
def test_an_empty_path_is_none(train, option):
    """As from a variable that is not set."""
    status, _, err = train(option, "")
    assert status == 2
    assert f"argument {option}: an empty path" in err[0]
    assert list(Path().iterdir()) == []


def test_a_name_that_no_file_can_hold():
    options = train_blueprint._parser().parse_args(["--logdir", os.fsdecode(b"od\xffd")])
    with pytest.raises(ConfigError, match="is not UTF-8"):
        train_blueprint._logdir(options)


def test_a_damaged_checkpoint_has_one_before_it(train):
    train("--config", write("kuhn.yaml", KUHN), "--logdir", "run", "--checkpoint-interval", "1000")
    table = Path("run/checkpoints/checkpoint_final/table.npy")
    whole = table.read_bytes()
    for damaged in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        table.write_bytes(damaged)
        status, _, err = train("--resume-from", "run", "--iters", "4000")
        assert status == 1
        assert "table.npy is " in err[0]
        earlier = "run/checkpoints/checkpoint_iter2000"
        assert err[1] == f"  try: name another one instead: {earlier}"
    assert train("--resume-from", earlier, "--iters", "4000")[0] == 0


def test_buckets_are_not_for_one_card(train, preflop_set):
    config = write("kuhn.yaml", KUHN)
    for argv in (("--buckets", preflop_set), ("--buckets", "nowhere")):
        status, _, err = train("--config", config, *argv)
        assert status == 2
        assert "--buckets is for hold'em" in err[0]


def test_buckets_of_another_number_of_players_are_noted(train, preflop_set):
    game = "game: {num_players: 3, stacks: [1000], menu: {preflop: [a]}}\nnum_iterations: 10"
    argv = ("--buckets", preflop_set, "--dry-run")
    _, out, _ = train("--config", write("three.yaml", game), *argv)
    assert "the buckets were made for 2 players: their equities are against 1\n" in out
    two = game.replace("num_players: 3, ", "")
    _, out, _ = train("--config", write("two.yaml", two), *argv)
    assert "note" not in out


def test_resuming_with_another_game_is_refused(train):
    train("--config", write("kuhn.yaml", KUHN), "--logdir", "run")
    status, _, err = train(
        "--config",
        write("leduc.yaml", "game: leduc\nnum_iterations: 10"),
        "--resume-from",
        "run",
        "--logdir",
        "other",
    )
    assert status == 1
    assert len(err) == 2
    assert "betting tree" in err[0]


# -- signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_a_checkpoint_and_says_where(number, status):
    """And the run can be taken up where it was."""
    write("kuhn.yaml", "game: kuhn\ntime_budget_seconds: 600")
    command = [sys.executable, "-m", "holdem.cli.train_blueprint"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [*command, "--config", "kuhn.yaml", "--logdir", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        for line in process.stdout:
            if "iteration" in line and "it/s" in line:
                break
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == status
    first, second = err.splitlines()
    assert first.startswith("holdem train: stopped at iteration ")
    checkpoint = Path(first.rpartition("saved ")[2])
    iteration = storage.read_metadata(checkpoint, "checkpoint")["iteration"]
    assert f"iteration {iteration:,};" in first
    assert second == "  try: holdem train --resume-from run"

    resumed = subprocess.run(
        [*command, "--resume-from", "run", "--iters", str(iteration + 1000)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert resumed.returncode == 0
    assert f"at iteration {iteration:,}" in resumed.stdout


@pytest.mark.parametrize("more", [[], ["--num-workers", "2"], ["--num-instances", "2"]])
def test_a_terminal_that_closes_leaves_a_checkpoint(more):
    """The kernel sends SIGHUP to all processes of the terminal, and nothing can be shown."""
    write("kuhn.yaml", "game: kuhn\ntime_budget_seconds: 600")
    command = [sys.executable, "-m", "holdem.cli.train_blueprint", "--config", "kuhn.yaml"]
    child, terminal = pty.fork()
    if child == 0:
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        os.execv(sys.executable, [*command, "--logdir", "run", *more])
    shown = b""
    while b"a second" not in shown and b"it/s" not in shown:
        shown += os.read(terminal, 65536)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 128 + signal.SIGHUP
    folders = ["run"] if "--num-instances" not in more else ["run/instance_0", "run/instance_1"]
    for folder in folders:
        _, saved = checkpoint.find(Path(folder))
        (log,) = Path(folder).glob("*.log")
        iteration = saved["iteration"]
        assert f"done: {iteration:,} iterations" in log.read_text().splitlines()[-1]


# -- what is refused -----------------------------------------------------------------------------


def foreign(path):
    path.mkdir()
    (path / "metadata.json").write_text('{"format": "another"}')


def pickled(path):
    path.write_bytes(pickle.dumps({"centroids": [1, 2]}))


def truncated(path):
    bucket_set(BucketConfig(num_streets=1)).save(path)
    table = path / "table_preflop.npy"
    table.write_bytes(table.read_bytes()[:-1])


def flipped(path):
    bucket_set(BucketConfig(num_streets=1)).save(path)
    table = path / "table_preflop.npy"
    raw = bytearray(table.read_bytes())
    raw[-1] ^= 4
    table.write_bytes(raw)


def checkpoint_instead(path):
    storage.write_folder(path, {}, {}, kind="checkpoint")


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: None, "there is no bucket set at"),
        (foreign, "not written by holdem"),
        (pickled, "is a pickle"),
        (truncated, "is truncated"),
        (flipped, "is damaged"),
        (checkpoint_instead, "of kind checkpoint, not buckets"),
    ],
    ids=["missing", "foreign", "pickle", "truncated", "flipped", "checkpoint"],
)
def test_bad_buckets_are_refused_in_two_lines(train, make, found):
    make(Path("set"))
    status, _, err = train(
        "--config", write("pf.yaml", "game: push-fold\nnum_iterations: 10"), "--buckets", "set"
    )
    assert status == 1
    assert len(err) == 2
    assert found in err[0]
    assert "holdem buckets" in err[1]
    assert not Path("runs").exists()


def test_a_missing_preset_names_its_command(train):
    err = train("--buckets", preset_path("full"))[2]
    assert err[1] == "  try: make it first, with: holdem buckets --preset full"


def test_buckets_of_too_few_streets_are_refused(train, preflop_set):
    status, _, err = train("--buckets", preflop_set)
    assert status == 1
    assert "covers 1 of the 4 streets" in err[0]


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (["--num-players", "10"], "--num-players is 10, and must be a whole number from 2 to 9"),
        (["--num-players", "1"], "--num-players is 1"),
        (["--iters", "-5"], "--iters is -5"),
        (["--iters", "many"], "--iters is 'many'"),
        (["--iters", "0.5"], "--iters is 0.5"),
        (["--time-budget", "0"], "--time-budget is 0"),
        (["--epsilon", "1.5"], "--epsilon is 1.5"),
        (["--sampling", "magic"], "--sampling is 'magic', and must be external or outcome"),
        (["--batch-size", "0"], "--batch-size is 0"),
        (["--keep-checkpoints", "-1"], "--keep-checkpoints is -1"),
        (["--iterz", "5"], "unknown option --iterz"),
        (["--log-level", "loud"], "invalid choice"),
        (["--config", "nowhere.yaml"], "nowhere.yaml does not exist"),
        (["stray"], "unrecognized arguments: stray"),
    ],
)
def test_bad_options_are_refused_in_two_lines(train, argv, found):
    status, out, err = train(*argv)
    assert (status, out) == (2, "")
    assert len(err) == 2
    assert found in err[0]
    assert err[1].startswith("  try: ")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("num_iteration: 5", "line 1: unknown key num_iteration"),
        ("seed: -1", "line 1: seed is -1"),
        ("num_workers: -4", "line 1: num_workers is -4"),
        ("seed: 1\nseed: 2", "line 2: seed is given twice"),
        ("game: {num_players: 10}", "game.num_players is 10"),
        ("game: {stacks: [50], blinds: [50, 100]}", "no decision"),
        ("game: {menu: {preflop: [2.5y]}}", "not a bet size"),
        ("\tseed: 1", "column 1"),
        ("game: khun", "neither a name nor a file"),
    ],
)
def test_bad_configs_are_refused_in_two_lines(train, text, found):
    status, _, err = train("--config", write("bad.yaml", text))
    assert status == 2
    assert len(err) == 2
    assert found in err[0]
    assert err[1].startswith("  try: ")


def test_several_mistakes_get_a_line_each(train):
    status, _, err = train("--config", write("bad.yaml", "sed: 1\nbatch_size: 0"), "--iters", "x")
    assert status == 2
    assert len(err) == 5
    assert err[0] == "holdem train: 3 mistakes in bad.yaml:"


def test_a_tree_that_cannot_fit_is_refused_with_its_size(train):
    sizes = '["33%, 50%, 75%, 100%, 150%, 200%, a"]'
    menu = ", ".join(f"{street}: {sizes}" for street in STREETS)
    text = f"game: {{stacks: [100000], menu: {{{menu}}}}}"
    status, _, err = train("--config", write("big.yaml", text))
    assert status == 1
    assert len(err) == 2
    assert "nodes" in err[0]
    assert "fewer bet sizes" in err[1]


def test_a_run_that_cannot_fit_in_memory_is_refused(train, monkeypatch):
    monkeypatch.setattr(costs, "available_memory", lambda: 50_000_000)
    status, _, err = train("--config", write("kuhn.yaml", KUHN))
    assert status == 1
    assert "of memory" in err[0]
    assert "50 MB is available" in err[0]
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("argv", "smaller"),
    [
        (("--batch-size", "1e6", "--num-workers", "3"), "--batch-size or fewer --num-workers"),
        (("--batch-size", "1e6"), "use a smaller --batch-size"),
        (("--num-workers", "3"), "use fewer --num-workers"),
        (("--num-instances", "3"), "run fewer instances here"),
    ],
)
def test_what_takes_the_memory_is_to_be_less(train, monkeypatch, argv, smaller):
    monkeypatch.setattr(costs, "available_memory", lambda: 50_000_000)
    config = write("leduc.yaml", "game: leduc")
    status, _, err = train("--config", config, "--iters", "3e6", *argv)
    assert status == 1
    assert smaller in err[1]


def test_a_run_that_may_not_map_so_much_is_refused(train, monkeypatch):
    limit = Limit(soft=1_000_000, hard=None, used=999_000)
    monkeypatch.setattr(costs, "address_space", lambda: limit)
    status, _, err = train("--config", write("kuhn.yaml", KUHN))
    assert status == 1
    assert "1.0 kB is left of what ulimit -v allows" in err[0]
    assert "raise that limit" in err[1]


def test_a_run_that_fitted_is_resumed_in_its_own_folder(train, monkeypatch):
    """Although what is left has no room for as many checkpoints as it keeps."""
    text = "game: leduc\nnum_iterations: 400\ncheckpoint_interval: 100\nkeep_checkpoints: 2"
    config = write("leduc.yaml", text)
    assert train("--config", config, "--logdir", "run")[0] == 0
    told = costs.estimate(MCCFRConfig(keep_checkpoints=2), load_config(config).game, (3, 9))
    monkeypatch.setattr(storage, "free_bytes", lambda path: told.checkpoint_bytes)
    resume = ("--resume-from", "run", "--iters", "800")
    assert train(*resume, "--logdir", "another")[0] == 1
    # What comes after the checkpoint is set aside, and stays.
    older = ("--resume-from", "run/checkpoints/checkpoint_iter200", "--iters", "800")
    assert train(*older, "--logdir", "run")[0] == 1
    assert train(*resume)[0] == 0
    monkeypatch.setattr(storage, "free_bytes", lambda path: told.checkpoint_bytes - 1)
    assert train("--resume-from", "run", "--iters", "1200")[0] == 1


def test_a_run_that_cannot_fit_on_the_disk_is_refused(train, monkeypatch):
    monkeypatch.setattr(storage, "free_bytes", lambda path: 100)
    status, _, err = train("--config", write("kuhn.yaml", KUHN))
    assert status == 1
    assert "100 bytes is free" in err[0]
    assert not Path("runs").exists()


def test_a_log_folder_that_cannot_be_written(train):
    write("file", "in the way")
    for logdir in ("file", "file/below"):
        status, _, err = train("--config", write("kuhn.yaml", KUHN), "--logdir", logdir)
        assert status == 1
        assert len(err) == 2
        assert f"cannot write {logdir}" in err[0]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("missing", "run does not exist"),
        ("empty", "run holds no checkpoint"),
        ("pickle", "is a pickle"),
    ],
)
def test_nothing_to_resume_from(train, what, why):
    if what == "empty":
        Path("run").mkdir()
    if what == "pickle":
        pickled(Path("run"))
    status, _, err = train("--config", write("kuhn.yaml", KUHN), "--resume-from", "run")
    assert status == 1
    assert len(err) == 2
    assert why in err[0]


# -- costs ---------------------------------------------------------------------------------------


def test_a_dry_run_only_tells_the_costs(train):
    status, out, err = train("--dry-run", "--iters", "1e6")
    assert (status, err) == (0, [])
    for part in ("betting tree 2,371 nodes", "slots", "memory", "per checkpoint", "time"):
        assert part in out
    assert list(Path().iterdir()) == []


def test_parents_are_told_beside_the_buckets(train):
    responder = ("--dry-run", "--iters", "1e3", "--opponent", "responder")
    assert "parents" not in train(*responder)[1]
    _, out, _ = train(*responder, "--parent-boards", "20")
    told = [line.split(maxsplit=1) for line in out.splitlines()]
    quick = preset("quick", 2).bucket_counts
    one = f"{parent_counts(quick)[3]:,}"
    assert ["parents", f"flop {one}, turn {one}, river {one}"] in told


def test_costs_are_those_of_the_tree():
    game = GameConfig()
    found = costs.estimate(MCCFRConfig(num_iterations=1000), game, (169, 200, 200, 200))
    tree = build_tree(game, (169, 200, 200, 200))
    assert found.num_slots == tree.num_slots
    assert found.table_bytes == 8 * tree.num_slots
    assert found.iterations == 1000
    assert found.seconds == pytest.approx(
        1000 * found.visits_per_iteration / costs.NODES_PER_SECOND
    )


def test_what_is_done_takes_no_more_time(train):
    config = MCCFRConfig(num_iterations=1000)
    whole, rest = (costs.estimate(config, kuhn(), (3,), done=done) for done in (0, 750))
    assert rest.seconds == pytest.approx(whole.seconds / 4)
    assert rest.iterations == 250
    train("--config", write("kuhn.yaml", KUHN), "--logdir", "run")
    _, out, _ = train("--resume-from", "run", "--iters", "3500", "--dry-run")
    assert "about 500 iterations" in out


def test_a_log_that_is_not_estimated_is_told(train, monkeypatch):
    monkeypatch.setattr(costs, "_MOST_NODES_WALKED", 10)
    _, out, _ = train("--dry-run", "--iters", "1e3")
    assert "and the log of a batch" in out


def test_the_log_of_a_batch_takes_what_it_is_made_with():
    config = MCCFRConfig(num_iterations=1000, batch_size=1000, num_workers=3)
    found = costs.estimate(config, leduc(), (3, 9))
    control = PoolControl.size(3, 1000, 2)
    assert found.log_bytes == control + log_bytes(build_tree(leduc(), (3, 9)), 1000, 3)


def test_a_checkpoint_takes_what_was_told(train):
    train("--config", write("leduc.yaml", "game: leduc\nnum_iterations: 100"), "--logdir", "run")
    size = sum(path.stat().st_size for path in Path("run/checkpoints/checkpoint_final").iterdir())
    told = costs.estimate(MCCFRConfig(), load_config("leduc.yaml").game, (3, 9)).checkpoint_bytes
    assert size <= told <= 3 * size


@pytest.mark.parametrize(
    ("budget", "seconds"),
    [
        ({"time_budget_seconds": 5}, 5),
        ({"time_budget_seconds": 5, "num_iterations": 10**9}, 5),
        ({}, None),
    ],
)
def test_the_nearer_budget_counts(budget, seconds):
    found = costs.estimate(MCCFRConfig(**budget), kuhn(), (3,))
    assert found.seconds == seconds
    if seconds is None:
        assert found.iterations is None
    else:
        assert found.iterations == pytest.approx(
            seconds * costs.NODES_PER_SECOND / found.visits_per_iteration, rel=1e-6
        )


def test_visits_of_kuhn_by_hand():
    """Three decisions below check, two below bet; shoves are rare (see RARE_SHARE)."""
    rare = costs.RARE_SHARE
    shove, check = rare / (1 + rare), 1 / (1 + rare)
    # Updating the first seat: root, both answers, and the shove that follows a check.
    first = 1 + 2 + shove
    # Updating the second: root, one answer, and after a check and a shove the first again.
    second = 1 + 1 + check
    assert costs.expected_visits(build_tree(kuhn(), (1,))) == pytest.approx(first + second)
    # One action each.
    outcome = 2 * (1 + 1 + check * shove)
    assert costs.expected_visits(build_tree(kuhn(), (1,)), "outcome") == pytest.approx(outcome)


def test_json_of_the_policy_is_readable(train):
    train("--config", write("kuhn.yaml", KUHN), "--logdir", "run")
    document = json.loads(Path("run/avg_policy.json").read_text())
    assert document["game"]["name"] == "kuhn"
