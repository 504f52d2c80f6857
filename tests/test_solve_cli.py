"""`holdem solve`: what it prints, keeps and refuses."""

import json
import signal

import numpy as np
import pytest

from holdem.cli import solve
from holdem.cli.main import main
from holdem.search.solver import Progress, SubgameSolver
from holdem.storage import read_folder, read_metadata, write_folder

RIVER = [
    "--board", "Td9d6hQc2s", "--pot", "100", "--stack", "200",
    "--oop", "AKs,99:0.5,J8s", "--ip", "QQ,T9s,AK:0.3", "--menu", "50%, a",
]  # fmt: skip


def run(capsys, *argv):
    """Exit status, what was printed, and the lines of the error."""
    status = solve.main(list(argv))
    captured = capsys.readouterr()
    return status, captured.out, captured.err.splitlines()


def test_a_river_is_solved_and_shown(capsys):
    status, out, _ = run(capsys, *RIVER, "--at", "check bet50")

    assert status == 0
    assert "exploitability" in out
    assert "done" in out
    assert "out of position, first, on Td9d6hQc2s" in out
    assert "out of position, after 'check bet50'" in out
    assert "AKs" in out
    assert "all-in 200" in out
    assert "raise to" in out


def test_a_solve_that_ran_out_of_time_says_so(capsys):
    status, out, _ = run(capsys, *RIVER, "--time-budget", "0")

    assert status == 0
    assert "the time is over; wanted was 0.3 %" in out
    assert "done" not in out


def test_through_the_umbrella_and_a_spot_file(capsys, tmp_path):
    path = tmp_path / "a.spot"
    path.write_text(
        "# a comment\noop=AKs,99\nip=QQ,T9s\nboard=Td9d6hQc2s\npot=100\nstack=200\nbet=a\nraise=\n"
    )

    assert main(["solve", "--spot", str(path), "--pot", "60", "--target", "1"]) == 0
    assert "pot 60" in capsys.readouterr().out


def test_json_holds_every_hand(capsys):
    status, out, _ = run(capsys, *RIVER, "--json", "--at", "check")
    document = json.loads(out)

    assert status == 0
    assert document["exploitability_percent_of_pot"] <= 0.3
    taken = sum(player["takes_home"] for player in document["players"])
    assert taken == pytest.approx(100, abs=0.01)
    first, then = document["decisions"]
    assert (first["player"], then["player"]) == ("oop", "ip")
    assert first["actions"] == ["check", "bet 50", "all-in 200"]
    assert "AsKs" in first["hands"]
    for hand in first["hands"].values():
        assert sum(hand["probabilities"]) == pytest.approx(1, abs=2e-3)


def test_a_turn_with_a_card_on_the_way(capsys):
    status, out, _ = run(
        capsys, "--board", "Td9d6hQc", "--pot", "100", "--stack", "100", "--oop", "AKs,99",
        "--ip", "QQ,T9s", "--menu", "a", "--target", "1", "--at", "check check Kd check",
    )  # fmt: skip

    assert status == 0
    assert "after 'check check Kd check', on Td9d6hQcKd" in out


def test_kept_and_gone_on_with(capsys, tmp_path):
    folder = str(tmp_path / "kept")
    assert run(capsys, *RIVER, "--target", "2", "--save", folder)[0] == 0
    status, out, _ = run(capsys, "--load", folder, "--target", "0.1", "--json")

    assert status == 0
    assert json.loads(out)["exploitability_percent_of_pot"] <= 0.1
    assert json.loads(out)["spot"]["pot"] == 100


def test_what_was_gone_on_from_is_replaced(capsys, tmp_path):
    folder = str(tmp_path / "kept")
    assert run(capsys, *RIVER, "--target", "2", "--save", folder)[0] == 0
    before = read_metadata(folder, "subgame")["iterations"]
    assert run(capsys, "--load", folder, "--target", "0.1", "--save", folder)[0] == 0
    assert read_metadata(folder, "subgame")["iterations"] > before


@pytest.mark.parametrize("kind", ["buckets", "policy", "subgame", "folder", "file", "below a file"])
def test_nothing_else_is_replaced(capsys, monkeypatch, tmp_path, kind):
    """It is said before the solve."""
    monkeypatch.setattr(SubgameSolver, "solve", None)
    path = tmp_path / "mine"
    if kind == "folder":
        path.mkdir()
    elif "file" in kind:
        path.write_text("mine")
    else:
        write_folder(path, {"numbers": np.arange(3)}, {}, kind=kind)
    wanted = path / "x" if kind == "below a file" else path
    status, out, error = run(capsys, *RIVER, "--save", str(wanted))

    assert (status, out) == (1, "")
    words = "a file stands" if kind == "below a file" else "is there already"
    assert words in error[0]
    assert len(error) == 2
    if kind in ("buckets", "policy", "subgame"):
        assert (read_folder(path, kind).arrays["numbers"] == [0, 1, 2]).all()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_solve_keeps_what_there_is(capsys, monkeypatch, tmp_path, number):
    folder = tmp_path / "kept"
    argv = [*RIVER, "--target", "0"]
    monkeypatch.setattr(solve, "_print_progress", lambda *given: signal.raise_signal(number))
    status, out, error = run(capsys, *argv, "--save", str(folder))

    assert status == 128 + number
    assert f"kept in {folder}" in out
    assert "done" not in out
    assert error == ["holdem solve: stopped", f"  try: go on with: holdem solve --load {folder}"]
    assert read_metadata(folder, "subgame")["iterations"] == 10

    status, out, error = run(capsys, *argv)
    assert (status, "--save PATH to keep" in error[1]) == (128 + number, True)


def test_a_second_signal_saves_nothing(capsys, monkeypatch, tmp_path):
    def twice(*given):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(solve, "_print_progress", twice)
    folder = tmp_path / "kept"

    assert run(capsys, *RIVER, "--save", str(folder))[0] == 128 + signal.SIGTERM
    assert not folder.exists()


def test_no_answer_is_better_than_unbeatable(capsys):
    solve._print_progress(solve.make_console(), Progress(10, 1.0, -0.0012))
    assert "exploitability 0.000 %" in capsys.readouterr().out


def test_all_cores_are_no_more_than_a_solve_can_use(capsys, monkeypatch):
    monkeypatch.setattr(solve, "usable_cores", lambda: 384)
    assert run(capsys, *RIVER, "--target", "5")[0] == 0


def decision(document, path):
    return next(one for one in document["decisions"] if one["path"] == path)


def test_a_lock_is_kept_and_answered(capsys):
    """Against one who folds to all-in, all-in wins the pot, and a bet may win more."""
    lock = "bet50: call QQ:0.25,T9s; fold"
    argv = [*RIVER, "--lock", lock, "--lock", "all-in200:fold", "--at", "bet50", "--target", "0.05"]
    status, out, _ = run(capsys, *argv, "--json")
    document = json.loads(out)
    hands = decision(document, "bet50")["hands"]

    assert status == 0
    assert document["locks"] == ["bet50", "all-in200"]
    assert hands["QsQh"]["probabilities"] == pytest.approx([0.75, 0.25, 0, 0], abs=1e-3)
    assert hands["Ts9s"]["probabilities"] == pytest.approx([0, 1, 0, 0], abs=1e-3)
    assert hands["AsKs"]["probabilities"] == [1, 0, 0, 0]
    assert document["players"][0]["takes_home"] >= 99.9
    status, out, _ = run(capsys, *argv)
    assert "locked: in position, after 'bet50'" in out


def test_a_lock_after_a_card_that_knows_suits(capsys):
    """Whatever card comes; hands of one suit check, so that no two cards are alike."""
    argv = [
        "--board", "Td9d6hQc", "--pot", "100", "--stack", "100", "--oop", "AKs,99", "--ip",
        "QQ,T9s", "--menu", "a", "--target", "1", "--json", "--at", "check check Kd", "--lock",
        "check check /: check AsKs,99; all-in100", "--lock", ": check",
    ]  # fmt: skip
    status, out, _ = run(capsys, *argv)
    document = json.loads(out)
    root, later = document["decisions"]

    assert status == 0
    assert root["frequencies"] == [1, 0]
    assert later["hands"]["AsKs"]["probabilities"] == [1, 0]
    assert later["hands"]["AhKh"]["probabilities"] == [0, 1]


def test_a_kept_lock_stays(capsys, tmp_path):
    folder = str(tmp_path / "kept")
    assert run(capsys, *RIVER, "--lock", "bet50: fold", "--save", folder)[0] == 0
    status, out, _ = run(capsys, "--load", folder, "--target", "0.1", "--json", "--at", "bet50")

    assert status == 0
    assert json.loads(out)["locks"] == ["bet50"]
    assert decision(json.loads(out), "bet50")["frequencies"] == [1, 0, 0, 0]


def test_a_lock_that_a_kept_solution_cannot_have(capsys, tmp_path):
    """Its suits were solved alike; the remedy is one of the command's."""
    folder = str(tmp_path / "kept")
    turn = [
        "--board", "Td9d6dQd", "--pot", "100", "--stack", "100", "--oop", "AKs,99", "--ip",
        "QQ,T9", "--menu", "a", "--target", "5", "--save", folder,
    ]  # fmt: skip
    assert run(capsys, *turn)[0] == 0
    lock = ": check AsKs,99; all-in100"
    status, _, error = run(capsys, "--load", folder, "--lock", lock)

    assert status == 1
    assert error[1] == "  try: solve anew with this lock, without --load"


def without(option):
    place = RIVER.index(option)
    return RIVER[:place] + RIVER[place + 2 :]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "--board, --pot, --stack, --oop, --ip missing"),
        (without("--oop"), "--oop missing"),
        ([*RIVER, "--board", "Td9d"], "2 cards"),
        ([*RIVER, "--board", "Td9dTd"], "twice"),
        ([*RIVER, "--board", "Td9d6hQc2sAs"], "a board is 0, 3, 4 or 5"),
        ([*RIVER, "--board", ""], "0 cards"),
        ([*RIVER, "--board", "Zz9d6h"], "not a card"),
        ([*RIVER, "--oop", "TdTh"], "no hand left"),
        ([*RIVER, "--oop", ""], "no hand left"),
        ([*RIVER, "--oop", "AKx"], "range item"),
        ([*RIVER, "--stack", "0"], "stack is 0"),
        ([*RIVER, "--stack", "9.5"], "stack is '9.5'"),
        ([*RIVER, "--pot", "-3"], "pot is -3"),
        ([*RIVER, "--menu", "50"], "not a bet size"),
        ([*RIVER, "--raise-menu", "*"], "too many"),
        ([*RIVER, "--target", "low"], "--target is 'low'"),
        ([*RIVER, "--time-budget", "-1"], "--time-budget is '-1'"),
        ([*RIVER, "--workers", "many"], "--workers is 'many'"),
        ([*RIVER, "--workers", "²"], "--workers is '²'"),
        ([*RIVER, "--workers", "257"], "--workers is 257"),
        ([*RIVER, "--workers", "9" * 5000], "--workers is '999"),
        ([*RIVER, "--at", "check fold"], "no action 'fold'"),
        ([*RIVER, "--at", "check check"], "no decision"),
        ([*RIVER, "--spot", "nowhere.spot"], "cannot read nowhere.spot: No such file"),
        ([*RIVER, "--load", "nowhere"], "brings its own spot"),
        (["--load", "nowhere"], "nowhere"),
        ([*RIVER, "--tarjet", "1"], "unknown option --tarjet"),
        ([*RIVER, "--lock", "bet50"], "says no action"),
        ([*RIVER, "--lock", "bet50:"], "says no action"),
        ([*RIVER, "--lock", "bet51: fold"], "no 'bet51' after ''"),
        ([*RIVER, "--lock", "check check: fold"], "nobody decides"),
        ([*RIVER, "--lock", "bet50 fold check: fold"], "no 'check' after 'bet50 fold'"),
        ([*RIVER, "--lock", "bet50: check"], "no action 'check'"),
        ([*RIVER, "--lock", "bet50: fold; call"], "two actions"),
        ([*RIVER, "--lock", "bet50: fold QQ,T9s"], "gives"),
        ([*RIVER, "--lock", "bet50: fold QQ; all-in200 QQ:0.5; call"], "1.5 in all"),
        ([*RIVER, "--lock", "bet50: fold AKx; call"], "range item"),
        ([*RIVER, "--lock", ": check", "--lock", ": bet50"], "two locks of one decision"),
    ],
)
def test_bad_input_is_told_in_two_lines(capsys, argv, words):
    status, out, error = run(capsys, *argv)

    assert status in (1, 2)
    assert out == ""
    assert len(error) == 2
    assert words in error[0]
    assert error[1].startswith("  try: ")


@pytest.mark.parametrize("text", ["pot", "pot=1\npot=2", "colour=red"])
def test_bad_spot_files(capsys, tmp_path, text):
    path = tmp_path / "bad.spot"
    path.write_text(text)
    status, _, error = run(capsys, "--spot", str(path))

    assert status == 2
    assert "line" in error[0]
    assert len(error) == 2
