"""The ``holdem buckets`` command: what it prints, and its two-line refusals."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.building import PRESETS, build_buckets
from holdem.cli.build_buckets import main

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def preflop(tmp_path_factory):
    """The preflop preset, built by the command."""
    path = tmp_path_factory.mktemp("sets") / "preflop"
    assert main(["--preset", "preflop", "--out", str(path), "--workers", "2"]) == 0
    return path


def refusal(capsys, *arguments):
    """What the command says when it refuses, in two lines; 2 is a mistake in the options."""
    assert main(list(arguments)) in (1, 2)
    said = capsys.readouterr().err
    lines = said.strip().split("\n")
    assert len(lines) == 2
    assert lines[0].startswith("holdem buckets: ")
    assert lines[1].startswith("  try: ")
    return said


def test_the_preflop_preset_holds_exact_equities(preflop):
    bucketing = HandBucketing.load(preflop)

    assert bucketing.config == PRESETS["preflop"]
    assert bucketing.tables[0].tolist() == list(range(169))
    equities = bucketing.preflop_equities
    assert np.allclose(equities + equities.T, 1)
    assert equities.min() > 0.05


def test_a_second_run_says_that_it_is_there(preflop, capsys):
    assert main(["--preset", "preflop", "--out", str(preflop)]) == 0
    assert "already there" in capsys.readouterr().out


def test_info_says_what_a_set_holds(preflop, capsys):
    assert main(["info", str(preflop)]) == 0

    said = capsys.readouterr().out
    assert HandBucketing.load(preflop).fingerprint in said
    assert re.search(r"preflop\s+169\s+169\s+0\s.*100\.00%", said)


def test_dry_run_prints_costs_and_does_nothing(tmp_path, capsys):
    out = tmp_path / "set"
    assert main(["--k-flop", "300", "--k-river", "5", "--out", str(out), "--dry-run"]) == 0

    said = capsys.readouterr().out
    assert "169/300/200/5 buckets over" in said
    assert re.search(r"about .*, \d+ MB of memory and 140 MB of disk", said)
    assert list(tmp_path.iterdir()) == []


def test_kinds_of_boards_are_announced(tmp_path, capsys):
    assert main(["--kinds-flop", "9", "--out", str(tmp_path / "set"), "--dry-run"]) == 0
    assert "169/200/200/200 buckets, kinds of boards 9/1/1, over" in capsys.readouterr().out


def test_options_beat_the_file_and_the_preset(tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text("buckets:\n  k_flop: 50\n  k_turn: 1e2\n")
    out = str(tmp_path / "set")

    assert main(["--config", str(config), "--k-turn", "70", "--out", out, "--dry-run"]) == 0
    assert "169/50/70/200 buckets" in capsys.readouterr().out
    assert main(["--preset", "quick", "--k-turn", "70", "--out", out, "--dry-run"]) == 0
    assert "169/64/70/64 buckets" in capsys.readouterr().out
    assert main(["--preset", "quick", "--num-players", "3", "--dry-run"]) == 0
    assert "assets/abstraction/quick-3-players" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "OUT", "--k-flop", "0"], "--k-flop"),
        (["--out", "OUT", "--k-preflop", "170"], "from 1 to 169"),
        (["--out", "OUT", "--k-river", "many"], "--k-river"),
        (["--out", "OUT", "--num-players", "10"], "--num-players"),
        (["--out", "OUT", "--hands", "7"], "hands"),
        (["--out", "OUT", "--kinds-turn", "none"], "--kinds-turn"),
        (["--out", "OUT", "--kinds-river", "201"], "at most the number of buckets there, 200"),
        (["--out", "OUT", "--workers", "-1"], "--workers"),
        (["--out", "OUT", "--preset", "quick", "--config", "x.yaml"], "--preset and --config"),
        (["--out", "OUT", "--config", "none.yaml"], "none.yaml"),
        (["--k-flop", "100"], "--out is missing"),
        (["--preset", "quick", "--k-flop", "100"], "--out is missing"),
        (["info", "OUT"], "does not exist"),
        (["--out", "OUT", "--k-flopp", "9"], "--k-flopp"),
    ],
)
def test_mistakes_are_refused(arguments, message, tmp_path, capsys):
    out = tmp_path / "set"
    assert message in refusal(capsys, *(str(out) if a == "OUT" else a for a in arguments))
    assert not out.exists()


def test_unknown_keys_of_a_config_are_refused(tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text("buckets:\n  k_flopp: 50\n")
    said = refusal(capsys, "--config", str(config), "--out", str(tmp_path / "set"))
    assert "k_flopp" in said
    assert "k_flop" in said.split("\n")[1]


def test_another_set_in_the_way_is_refused(preflop, capsys):
    said = refusal(capsys, "--preset", "preflop", "--seed", "7", "--out", str(preflop))
    assert "seed 42 instead of 7" in said


def test_a_path_that_cannot_be_written_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    said = refusal(capsys, "--preset", "preflop", "--out", str(tmp_path / "file" / "set"))
    assert "cannot write" in said


def test_too_little_disk_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("holdem.storage.free_bytes", lambda path: 1000)
    said = refusal(capsys, "--preset", "full", "--out", str(tmp_path / "set"))
    assert "free" in said


def test_a_disk_that_fills_up_while_building_is_refused(tmp_path, capsys, monkeypatch):
    """Free space is enough at first, and gone when the first stage is to be kept."""
    free = iter([10**12])
    monkeypatch.setattr("holdem.storage.free_bytes", lambda path: next(free, 1000))
    said = refusal(capsys, "--preset", "preflop", "--out", str(tmp_path / "set"))
    assert "the disk is full" in said


def test_a_damaged_set_is_refused(tmp_path, capsys):
    path = tmp_path / "set"
    build_buckets(
        PRESETS["preflop"], path, class_equities=lambda num_workers: np.full((169, 169), 0.5)
    )
    data = bytearray((path / "preflop_equities.npy").read_bytes())
    data[-1] ^= 1
    (path / "preflop_equities.npy").write_bytes(data)

    assert "damaged" in refusal(capsys, "info", str(path))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_and_says_how_to_go_on(number, status, tmp_path):
    out = tmp_path / "set"
    process = subprocess.Popen(
        [sys.executable, "-m", "holdem.cli.build_buckets", "--out", str(out), "--k-river", "2000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if "river values" in line:
            break
    process.send_signal(number)
    _, said = process.communicate(timeout=60)

    assert process.returncode == status
    assert "the same command again" in said
    assert "Traceback" not in said
    assert not out.exists()
