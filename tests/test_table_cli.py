"""The commands at a table: dealer, play, profile, dry-run and autoplay."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from holdem.cli import dealer as dealer_command
from holdem.cli import play, play_terminal, profile, run_autoplay, run_dry_run
from holdem.cli.play_terminal import parse_typed
from holdem.cli.terminal import Stopped
from holdem.config import GAMES
from holdem.errors import ResourceError
from holdem.game.cards import parse_cards
from holdem.game.rules import CALL, FOLD, State, raise_to
from holdem.game.tree import build_tree
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.play import acpc
from holdem.play.dealer import MatchResult, PlayerResult
from holdem.play.game_definition import Table, read_game
from holdem.play.profile import read_profile, write_profile
from holdem.types import BetMenu, GameConfig, TableProfile
from tests.tables import DEADLINE, Hall, bucketing, calls, plain_client

HU = str(GAMES / "hu.game")
TABLE = Table.of(GameConfig())


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """A policy that knows only the first street; after it, it checks or calls by the price."""
    folder = tmp_path_factory.mktemp("policy")
    bucketing(1).save(folder / "buckets")
    tree = build_tree(
        GameConfig(menu=BetMenu(streets=(("2.5x, a", "a", ""),))), bucketing(1).num_buckets
    )
    words = np.random.default_rng(1).random(2 * tree.num_slots, dtype=np.float32)
    provenance = Provenance(
        iterations=1,
        seed=1,
        bucket_path=str(folder / "buckets"),
        bucket_fingerprint=bucketing(1).fingerprint,
    )
    return str(Blueprint.from_table(tree, words, provenance).save(folder))


class DealerProcess:
    """``holdem dealer`` in a process of its own."""

    def __init__(self, *options: str, stderr: int | IO[str] = subprocess.PIPE) -> None:
        command = [sys.executable, "-m", "holdem.cli.main", "dealer", "--game", HU]
        self.process = subprocess.Popen(
            [*command, "--seats", "me,caller", "--time-per-action", "600", *options],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        assert self.process.stdout is not None
        self.ports = list(map(int, self.process.stdout.readline().split()))
        self.thread = threading.Thread(
            target=plain_client(TABLE, calls), args=(self.ports[1],), daemon=True
        )
        self.thread.start()

    def end(self) -> tuple[int, list[str], list[str]]:
        out, err = self.process.communicate(timeout=DEADLINE)
        self.thread.join(DEADLINE)
        return self.process.returncode, out.splitlines(), (err or "").splitlines()


@pytest.fixture
def profile_at(tmp_path):
    def make(port, **values):
        path = tmp_path / "table.json"
        write_profile(
            path,
            TableProfile(
                port=port, seat="me", game=HU, decision_log=str(tmp_path / "log.jsonl"), **values
            ),
        )
        return str(path)

    return make


# -- a match -----------------------------------------------------------------------------------


def test_a_policy_at_a_server(capsys, tmp_path, policy):
    """Every hand is played, and the dealer's two outputs are as its help says."""
    dealer = DealerProcess("--hands", "12", "--log", str(tmp_path / "m.log"))
    status = play.main(
        [
            "--server",
            f"127.0.0.1:{dealer.ports[0]}",
            "--game",
            HU,
            "--policy",
            policy,
            "--no-search",
        ]
    )
    code, out, err = dealer.end()

    printed = capsys.readouterr().out
    assert (status, code) == (0, 0)
    assert len(dealer.ports) == 2
    assert out[-1].startswith("SCORE:")
    assert out[-1].endswith(":me|caller")
    assert out[0].startswith("12 hands in ")
    assert sorted(err) == ["caller: is here", "me: is here"]
    assert "hands      12" in printed
    assert "p50" in printed
    assert "p99" in printed
    assert (tmp_path / "m.phhs").read_text().count("[1]") == 1


def test_a_match_outlives_its_standard_error(tmp_path):
    """A full disk, or a pipe without reader, takes nothing from the match."""
    log = tmp_path / "m.log"
    with open("/dev/full", "w") as full:
        dealer = DealerProcess("--hands", "20", "--log", str(log), stderr=full)
    plain_client(TABLE, calls)(dealer.ports[0])
    code, out, _ = dealer.end()

    assert code == 0
    assert out[-1].startswith("SCORE:")
    assert log.read_text().count("STATE:") == 20


@pytest.mark.parametrize("played", [False, True])
def test_a_stopped_dealer_speaks_of_its_log_where_there_is_one(tmp_path, played):
    log = tmp_path / "m.log"
    command = [sys.executable, "-m", "holdem.cli.dealer", "--game", HU, "--seats", "a,b"]
    command += ["--time-per-action", "0.01", "--most-timeouts", "1000000", "--hands", "1000000"]
    process = subprocess.Popen(
        [*command, "--log", str(log)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    ports = process.stdout.readline().split()
    with contextlib.ExitStack() as stack:
        for port in ports[: 2 if played else 1]:
            link = stack.enter_context(socket.create_connection(("127.0.0.1", int(port))))
            link.sendall(b"VERSION:2.0.0\r\n")
        while played and not (log.exists() and log.read_text().count("STATE:")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE)

    assert process.returncode == 128 + signal.SIGINT
    assert ("  try: the hands that are over are in the log" in err.splitlines()) == played
    assert log.exists() == played


@pytest.mark.parametrize(("hands", "dealt"), [("5", 6), ("6", 6)])
def test_a_dealer_completes_the_last_deal(capsys, monkeypatch, hands, dealt):
    def deal(table, names, config, **more):
        return MatchResult(config.hands, tuple(PlayerResult(name) for name in names))

    monkeypatch.setattr(dealer_command, "play_match", deal)
    argv = ["--game", str(GAMES / "3-max.game"), "--seats", "a,b,c", "--hands", hands]
    assert dealer_command.main([*argv, "--duplicate"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{dealt} hands in ")
    assert (captured.err != "") == (hands == "5")
    assert dealer_command.main(argv) == 0
    assert capsys.readouterr().out.startswith(f"{hands} hands in ")


def test_autoplay(capsys, tmp_path, policy, profile_at):
    dealer = DealerProcess("--hands", "10")
    path = profile_at(dealer.ports[0])
    options = ["--profile", path, "--policy", policy, "--i-understand-the-tos", "--no-search"]
    assert run_autoplay.main([*options, "--quiet"]) == 0
    code, _, _ = dealer.end()

    assert code == 0
    printed = capsys.readouterr().out
    assert "fallbacks" in printed
    assert "sent" not in printed
    assert "sits down" not in printed
    session, *records = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert session["policy"] == policy
    assert session["profile"]["port"] == dealer.ports[0]
    assert all(record["sent"] for record in records)
    assert {record["hand"] for record in records} <= set(range(10))
    fallbacks = sum(bool(record["fallback"]) for record in records)
    assert f"fallbacks  {fallbacks:,} (" in printed
    assert len({record["told"] for record in records}) == len(records)


def test_autoplay_leaves_at_its_limit(capsys, policy, profile_at):
    dealer = DealerProcess("--hands", "10", "--most-timeouts", "0", "--time-per-action", "0.2")
    path = profile_at(dealer.ports[0], max_hands=9)
    options = ["--profile", path, "--policy", policy, "--i-understand-the-tos", "--no-search"]
    assert run_autoplay.main([*options, "--max-hands", "2"]) == 0
    code, _, err = dealer.end()

    assert "it leaves after 2 hands" in capsys.readouterr().out
    assert code == 1
    assert any("out of the match" in line for line in err)


class Broken:
    """A dealer that tells the end of a hand, and then *error* comes."""

    connections, between_hands = 1, False

    def __init__(self, error):
        over = State.new(TABLE.game, [parse_cards("AsKs"), None]).apply(raise_to(250)).apply(FOLD)
        self.lines, self.error = [acpc.match_state_line(TABLE, over, 0, 0)], error

    def __enter__(self):
        return self

    def __exit__(self, *given):
        pass

    def receive(self):
        if not self.lines:
            raise self.error
        return self.lines.pop()


@pytest.mark.parametrize(
    ("error", "status", "why"),
    [
        (Stopped(signal.SIGINT), 128 + signal.SIGINT, "it was stopped"),
        (ResourceError("the dealer is gone", "wait"), 1, "the dealer is gone"),
    ],
)
@pytest.mark.parametrize("command", [run_autoplay, run_dry_run, play])
def test_what_was_played_is_told_however_it_ends(
    capsys, monkeypatch, policy, profile_at, command, error, status, why
):
    connect = "Client" if command is play else "client_of"
    monkeypatch.setattr(command, connect, lambda *given, **more: Broken(error))
    options = ["--server", "127.0.0.1:1", "--game", HU]
    if command is not play:
        options = ["--profile", profile_at(1)]
    options += ["--i-understand-the-tos"] * (command is run_autoplay)
    assert command.main([*options, "--policy", policy, "--no-search"]) == status

    captured = capsys.readouterr()
    assert f"  ended      {why}\n  hands      1\n  won        +100 chips" in captured.out
    assert captured.err.startswith("holdem ")


def test_autoplay_needs_the_terms(capsys, policy):
    assert run_autoplay.main(["--policy", policy]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "where programs are invited" in first
    assert "--i-understand-the-tos" in second


def test_confirming_every_action(capsys, monkeypatch, tmp_path, policy, profile_at):
    """No is nothing sent; the dealer's clock goes on."""
    answers = iter(["y", "n", None])
    monkeypatch.setattr(run_autoplay, "read_answer", lambda seconds: next(answers, "y"))
    dealer = DealerProcess("--hands", "6", "--time-per-action", "0.5", "--most-timeouts", "50")
    path = profile_at(dealer.ports[0])
    options = ["--profile", path, "--policy", policy, "--i-understand-the-tos", "--no-search"]
    assert run_autoplay.main([*options, "--confirm-every-action"]) == 0
    _, out, err = dealer.end()

    printed = capsys.readouterr().out
    assert "send " in printed
    assert "? [y/n]" in printed
    assert "nothing is sent" in printed
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [record["sent"] for record in records[1:4]] == [True, False, False]
    assert sum("no action in time" in line for line in err) >= 2
    assert "too late" in "\n".join(out)


def test_nobody_to_confirm_an_action(capsys, monkeypatch, tmp_path, policy, profile_at):
    """It does not sit down where standard input is empty, and leaves when it ends."""
    dealer = DealerProcess("--hands", "3", "--time-per-action", "0.2", "--most-timeouts", "0")
    options = ["--profile", profile_at(dealer.ports[0]), "--policy", policy, "--no-search"]
    options += ["--i-understand-the-tos", "--confirm-every-action"]
    command = [sys.executable, "-m", "holdem.cli.run_autoplay", *options]
    (tmp_path / "empty").touch()
    for name in (os.devnull, tmp_path / "empty"):
        with open(name) as empty:
            ran = subprocess.run(command, stdin=empty, capture_output=True, text=True)
        assert ran.returncode == 2
        assert "standard input has ended" in ran.stderr
        assert ran.stdout == ""

    def ends(seconds):
        raise EOFError

    monkeypatch.setattr(run_autoplay, "read_answer", ends)
    assert run_autoplay.main(options) == 2
    dealer.end()
    captured = capsys.readouterr()
    assert "sits down" in captured.out
    assert "standard input has ended" in captured.err


def test_autoplay_wants_a_search_that_is_in_time(capsys, policy, profile_at):
    options = ["--profile", profile_at(1, action_seconds=2.0), "--policy", policy]
    options += ["--i-understand-the-tos", "--time-budget-ms"]
    for budget in ("5000", "2000"):
        assert run_autoplay.main([*options, budget]) == 2
        first, second = capsys.readouterr().err.splitlines()
        assert f"{budget} ms for a decision, and the table gives 2 seconds" in first
        assert "smaller --time-budget-ms" in second


def test_a_dry_run_from_a_seat_sends_nothing(capsys, policy, profile_at):
    dealer = DealerProcess("--hands", "3", "--time-per-action", "0.2", "--most-timeouts", "99")
    path = profile_at(dealer.ports[0])
    assert run_dry_run.main(["--profile", path, "--policy", policy, "--no-search"]) == 0
    _, _, err = dealer.end()

    printed = capsys.readouterr().out
    assert printed.count("advice: ") >= 3
    assert "sends nothing" in printed
    timeouts = sum("me: hand" in line and "no action in time" in line for line in err)
    assert timeouts == printed.count("advice: ")
    assert not any("answers" in line for line in err)


def test_a_dry_run_reads_along(capsys, tmp_path, policy, profile_at):
    log = tmp_path / "m.log"
    Hall(TABLE, [plain_client(TABLE, calls)] * 2, log_path=log, hands=5).end()
    path = profile_at(1)
    assert (
        run_dry_run.main(
            ["--profile", path, "--policy", policy, "--no-search", "--follow", str(log)]
        )
        == 0
    )

    printed = capsys.readouterr().out
    assert printed.count("advice: ") == 5 * 8
    assert "ended      the log ends" in printed
    assert "hands      5" in printed
    assert "pot 150, 50 to call, stack 9,950" in printed
    options = ["--profile", path, "--policy", policy, "--no-search", "--follow", str(log)]
    options += ["--max-hands", "2"]
    assert run_dry_run.main(options) == 0
    assert capsys.readouterr().out.count("advice: ") == 2 * 8


@pytest.fixture
def follow(capsys, tmp_path, policy, profile_at):
    """Make a log of these lines and read along; return what is printed."""
    path = profile_at(1)

    def read(lines, *options):
        log = tmp_path / "m.log"
        log.write_text("".join(f"{line}\n" for line in (*lines, "SCORE:0|0:me|you")))
        given = ["--profile", path, "--policy", policy, "--no-search", *options]
        assert run_dry_run.main([*given, "--follow", str(log)]) == 0
        return capsys.readouterr().out

    return read


def called_hand():
    """Return the states of a hand in which both check or call to the showdown."""
    board = iter(parse_cards("3c4c5d9hJs"))
    states = [State.new(TABLE.game, [parse_cards("AsKs"), parse_cards("2c2d")])]
    while not states[-1].is_terminal:
        state = states[-1].apply(CALL)
        if state.cards_to_deal:
            state = state.deal_board([next(board) for _ in range(state.cards_to_deal)])
        states.append(state)
    return states


def test_a_dry_run_tells_what_its_seat_won_in_the_log(follow):
    """And nothing where nobody is called so, or the log does not say it."""
    over = called_hand()[-1]
    logged = [
        acpc.log_line(TABLE, over, hand, over.payoffs(), names)
        for hand, names in enumerate((("me", "you"), ("me", "you"), ("you", "me")))
    ]

    assert "  hands      3\n  won        -100 chips, -333 mbb/h\n" in follow(logged)
    assert "  won  " not in follow([line.replace("me", "he") for line in logged])
    assert "  won  " not in follow([acpc.match_state_line(TABLE, over, 0, 0)])


@pytest.mark.parametrize("with_endings", [True, False])
def test_a_dry_run_reads_whole_hands_of_what_a_dealer_told(follow, with_endings):
    """Its limit is reached at the end of a hand, or where one more begins."""
    told = [
        acpc.match_state_line(TABLE, state, hand, seat)
        for hand in range(3)
        for state in called_hand()
        for seat in range(2)
        if with_endings or not state.is_terminal
    ]
    printed = follow(told, "--max-hands", "2")

    assert printed.count("advice: ") == 2 * 8
    assert "ended      2 hands are read" in printed
    assert follow(told).count("advice: ") == 3 * 8


def test_a_dry_run_of_two_logs_in_a_row(follow):
    """Numbers begin anew in the second one; each of its hands counts."""
    over = called_hand()[-1]
    logged = [acpc.log_line(TABLE, over, hand, over.payoffs(), ("me", "you")) for hand in (0, 1)]
    assert "  hands      4\n  won        -400 chips" in follow(logged * 2)

    told = [
        acpc.match_state_line(TABLE, state, hand, 0) for hand in (0, 1) for state in called_hand()
    ]
    for lines in (told, told[: len(told) // 2]):
        assert f"  hands      {len(lines) // 9 * 2}\n" in follow(lines * 2)


def test_a_dry_run_counts_once_what_is_told_again(follow):
    """After a lost connection the dealer tells how the last hand ended and how this one stands."""
    first = [acpc.match_state_line(TABLE, state, 0, 0) for state in called_hand()]
    second = [acpc.match_state_line(TABLE, state, 1, 0) for state in called_hand()]
    lines = [*first, *second[:3], first[-1], *second[2:]]

    assert "  hands      2\n" in follow(lines)


def test_a_last_line_without_end_is_read(capsys, tmp_path, policy, profile_at):
    over = called_hand()[-1]
    line = acpc.log_line(TABLE, over, 0, over.payoffs(), ("me", "you"))
    log = tmp_path / "m.log"
    path = profile_at(1, silence_seconds=0.1)
    options = ["--profile", path, "--policy", policy, "--no-search", "--follow", str(log)]
    log.write_text(line)
    assert run_dry_run.main(options) == 0
    assert "  hands      1\n  won        -100 chips" in capsys.readouterr().out
    log.write_text(f"{line}\n{line[:-20]}")
    assert run_dry_run.main(options) == 0
    out = capsys.readouterr().out
    assert "  hands      1\n" in out
    assert "cannot read a line" in out


def test_a_dry_run_that_waits_says_so_and_may_be_stopped(
    capsys, monkeypatch, tmp_path, policy, profile_at
):
    over = called_hand()[-1]
    log = tmp_path / "m.log"
    log.write_text(acpc.log_line(TABLE, over, 0, over.payoffs(), ("me", "you")) + "\n")
    pauses = iter(range(30))

    def sleep(seconds):
        if next(pauses, None) is None:
            raise Stopped(signal.SIGINT)

    monkeypatch.setattr("holdem.play.following.time.sleep", sleep)
    options = ["--profile", profile_at(1), "--policy", policy, "--no-search"]
    assert run_dry_run.main([*options, "--follow", str(log)]) == 128 + signal.SIGINT

    out = capsys.readouterr().out
    assert out.count(f"nothing more is in {log} yet; waiting 600 seconds at most") == 1
    assert "  ended      it was stopped\n  hands      1\n  won        -100 chips" in out


@pytest.mark.parametrize("text", ["", "any text\n", "[1]\nvariant = 'NT'\n"])
def test_a_dry_run_of_what_is_no_log(capsys, tmp_path, policy, profile_at, text):
    log = tmp_path / "m.log"
    log.write_text(text)
    path = profile_at(1, silence_seconds=0.1)
    options = ["--profile", path, "--policy", policy, "--no-search", "--follow", str(log)]

    assert run_dry_run.main(options) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"holdem dry-run: no hand was found in {log}"
    assert "STATE:" in second


# -- a person ----------------------------------------------------------------------------------


@pytest.fixture
def person(monkeypatch, capsys, policy):
    def sit(*typed, **options):
        lines = deque(typed)

        def answer():
            if not lines:
                raise EOFError
            return lines.popleft()

        monkeypatch.setattr(play_terminal, "read_answer", answer)
        given = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        status = play.main(["--policy", policy, "--no-search", "--seed", "5", *given])
        return status, capsys.readouterr().out

    return sit


def test_a_person_plays_a_hand(person):
    """With a hint, a slip, and the policy's view at the end."""
    status, out = person("h", "fly", "r 1", "250", *["x"] * 20, hands="1e0")

    assert status == 0
    assert "Hand 1: you are the button, SB, 100 big blinds deep" in out
    assert "your cards: Ah 5h" in out
    assert out.count("not possible here") >= 2
    assert "preflop, you: raise to 250; the policy: " in out
    assert "1 hands, " in out


def test_a_person_folds_and_leaves(person):
    status, out = person("f", "q")

    assert status == 0
    assert "you lose 50" in out
    assert "Hand 2: you are BB" in out
    assert "1 hands, -50 chips (-500 mbb/h)" in out


def test_the_end_of_the_input_leaves(person):
    status, out = person()
    assert status == 0
    assert "hands," not in out


def test_what_people_type():
    state = State.new(GameConfig(), [parse_cards("AsKs"), parse_cards("2c2d")])
    for text, action in {
        "f": FOLD,
        "c": CALL,
        "call": CALL,
        "300": raise_to(300),
        "r 300": raise_to(300),
        "raise to 1,300": raise_to(1_300),
        "1,300.0": raise_to(1_300),
        "1,234,567": raise_to(1_234_567),
        "2.5bb": raise_to(250),
        "r 3 bb": raise_to(300),
        "50%": raise_to(200),
        "a": raise_to(10_000),
    }.items():
        assert parse_typed(text, state) == action
    for text in ("", "r", "c 100", "r -3", "r x", "300 300", "f f", "9" * 40, "50%%"):
        assert parse_typed(text, state) is None
    for text in ("2,5bb", "2,5", "1,30", "1,3000", ",300", "3,00,000", "1300,000"):
        assert parse_typed(text, state) is None
    facing = state.apply(raise_to(10_000))
    assert parse_typed("a", facing) == CALL
    flop = state.apply(CALL).apply(CALL).deal_board(parse_cards("3c4c5d"))
    assert parse_typed("50%", flop) == raise_to(100)


def test_typed_lines_are_read_one_by_one():
    """What is typed ahead is kept for the next question; the end is another thing than silence."""
    code = (
        "from holdem.cli.terminal import read_answer\n"
        "print(read_answer(), read_answer(600), read_answer(), flush=True)\n"
        "{}\n"
        "try: read_answer(600)\n"
        "except EOFError: print('end')"
    )
    command = [sys.executable, "-c", code.format("")]
    ran = subprocess.run(command, input="one\n two \nlast", capture_output=True, text=True)
    assert ran.stdout == "one two last\nend\n"

    command = [sys.executable, "-c", code.format("print(read_answer(0.05), flush=True)")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        process.stdin.write("one\ntwo\n\n")
        process.stdin.flush()
        assert process.stdout.readline() == "one two \n"
        assert process.stdout.readline() == "None\n"


# -- profiles ----------------------------------------------------------------------------------


def test_a_profile_by_asking(capsys, monkeypatch, tmp_path):
    """Bad answers are asked again; empty ones take the default."""
    answers = deque(
        ["", "x", "0", "18000", "me", "nowhere", HU, "", "1e3", "", "-5", "20.5", "log.jsonl"]
    )
    monkeypatch.setattr("builtins.input", lambda prompt: answers.popleft())
    path = tmp_path / "table.json"

    assert profile.main(["--out", str(path)]) == 0
    assert not answers
    assert read_profile(path) == TableProfile(
        port=18_000, seat="me", game=HU, max_hands=1_000, stop_loss=20.5, decision_log="log.jsonl"
    )
    out = capsys.readouterr().out
    assert "port is 'x'" in out
    assert f"wrote {path}" in out
    assert profile.main(["--out", str(path)]) == 1


def test_a_profile_that_cannot_be_written_is_told_before_the_questions(
    capsys, monkeypatch, tmp_path
):
    monkeypatch.setattr("builtins.input", None)
    (tmp_path / "file").write_text("mine")

    assert profile.main(["--out", str(tmp_path / "file" / "table.json")]) == 1
    assert "a part of the path is a file" in capsys.readouterr().err


def test_a_profile_without_answers(capsys, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "holdem.cli.profile", "--out", str(tmp_path / "t.json")],
        input="\n",
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "t.json").exists()


# -- what is refused ---------------------------------------------------------------------------


def test_options_of_a_search_that_is_not_made_are_refused(capsys, policy):
    for options in (["--depth", "end"], ["--num-workers", "2"]):
        assert play.main(["--policy", policy, "--no-search", *options]) == 2
        assert capsys.readouterr().err.splitlines() == [
            f"holdem play: {options[0]} is for search, and --no-search is given",
            "  try: leave one out",
        ]


@pytest.mark.parametrize(
    ("main", "argv", "message"),
    [
        (dealer_command.main, ["--game", HU], "--seats"),
        (dealer_command.main, ["--game", HU, "--seats", "a"], "1 names for 2 players"),
        (dealer_command.main, ["--game", HU, "--seats", "a,b", "--hands", "0"], "--hands is 0"),
        (dealer_command.main, ["--game", HU, "--seats", "a,b", "--port", "x"], "--port is ['x']"),
        (dealer_command.main, ["--game", HU, "--seats", "a,b", "--hand", "1"], "--hand"),
        (dealer_command.main, ["--game", HU, "--seats", "a,b", "--host", ""], "the host is empty"),
        (dealer_command.main, ["--game", "no.game", "--seats", "a,b"], "no.game does not exist"),
        (
            dealer_command.main,
            ["--game", HU, "--seats", "a,b", "--log", "file/x"],
            "a part of the path is a file",
        ),
        (play.main, [], "--policy"),
        (play.main, ["--policy", "nowhere"], "nowhere does not exist"),
        (play.main, ["--policy", "x", "--server", "localhost:80"], "--server needs"),
        (play.main, ["--policy", "x", "--server", "localhost", "--game", HU], "not a server"),
        (
            play.main,
            ["--policy", "x", "--server", "localhost:99999", "--game", HU],
            "not a server: 'localhost:99999'",
        ),
        (play.main, ["--policy", "x", "--hands", "0"], "--hands is 0"),
        (play.main, ["--policy", "x", "--hands", "1.5"], "--hands is 1.5"),
        (play.main, ["--policy", "x", "--verbose"], "--verbose is for a server"),
        (
            play.main,
            ["--policy", "x", "--safety", "resolve", "--depth", "end"],
            "--safety resolve searches rivers only",
        ),
        (
            run_autoplay.main,
            ["--policy", "x", "--i-understand-the-tos", "--quiet", "--confirm-every-action"],
            "--quiet prints no decision",
        ),
        (run_dry_run.main, ["--policy", "x", "--profile", "no.json"], "no.json does not exist"),
        (run_dry_run.main, ["--policy", "x", "--time-budget-ms", "0"], "--time-budget-ms is 0"),
        (run_dry_run.main, ["--policy", "x", "--min-iters", "few"], "--min-iters is 'few'"),
        (run_dry_run.main, ["--policy", "x", "--min-iters", "100001"], "--min-iters is 100001"),
        (run_dry_run.main, ["--policy", "x", "--depth", "deep"], "--depth"),
        (run_autoplay.main, ["--policy", "x", "--safety", "no"], "--safety"),
        (run_dry_run.main, ["--policy", "x", "--stop-loss", "0"], "--stop-loss is 0"),
        (
            run_dry_run.main,
            ["--policy", "x", "--stop-loss", "9", "--follow", "m.log"],
            "--stop-loss is for a seat",
        ),
    ],
)
def test_mistakes_are_two_lines(capsys, monkeypatch, tmp_path, main, argv, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert main(argv) in (1, 2)
    first, second = capsys.readouterr().err.splitlines()
    assert message in first
    assert second.startswith("  try: ")


def test_addresses_that_are_not_of_this_machine(capsys):
    for host in ("nowhere.invalid", "192.0.2.1", "127.0.0..1"):
        assert dealer_command.main(["--game", HU, "--seats", "a,b", "--host", host]) == 1
        first, second = capsys.readouterr().err.splitlines()
        assert f"cannot listen on {host}" in first
        assert "give --host an address of this machine" in second


@pytest.mark.parametrize("menu", ["2.5x", "77", "*", "50%, !call"])
def test_sizes_that_a_search_cannot_offer(capsys, policy, menu):
    """The remedy names sizes and options that there are."""
    assert play.main(["--policy", policy, "--search-menu", menu]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert f"menu '{menu}'" in first
    assert "%" in second
    for other in ("--raise-menu", "'*'", "!call"):
        assert other not in second


def test_a_table_of_other_players(capsys, policy):
    game = str(GAMES / "6-max.game")
    assert play.main(["--policy", policy, "--game", game]) == 1
    assert "2 players" in capsys.readouterr().err


def test_games_by_name():
    assert read_game("hu") == read_game(Path(HU))
