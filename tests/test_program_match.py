"""`holdem match` against programs: what is won, what programs do wrong, and that none is left."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from holdem.abstraction.bucketing import HandBucketing
from holdem.cli import match as match_command
from holdem.cli import terminal
from holdem.errors import ConfigError
from holdem.game.history import loads_all
from holdem.play.dealer import deal_cards, play_match
from holdem.play.game_definition import Table
from holdem.play.program import Program
from holdem.play.program_match import ProgramMatch
from holdem.types import BetMenu, DealerConfig, GameConfig
from tests.tables import DEADLINE, bucketing, calls, plain_client, random_agent, saved_policy
from tests.test_eval_cli import stop_at

MENU = BetMenu(streets=(("2.5x, a", "a"), ("50%, a", "a"), ("75%, a", "a"), ("a",)))
SMALL = GameConfig(stacks=(3_000,), menu=MENU)

CLIENT = """#!{python}
import os, signal, socket, sys, time
def fail(text, status):
    print("first", text, sep="\\n", file=sys.stderr)
    sys.exit(status)
{begin}
link = socket.create_connection((sys.argv[1], int(sys.argv[2])))
link.sendall(b"{version}\\r\\n")
for line in link.makefile("rb"):
    line = line.strip().decode()
    _, position, hand, betting, cards = line.split(":")
    streets = betting.split("/")
    over = "f" in betting or cards.split("/")[0].strip("|").count("|")
    preflop = len(streets) == 1
    actions = sum(letter in "cr" for letter in streets[-1])
    if over or int(position) != (actions + preflop) % 2:
        continue
    answer = "c"
    {act}
    link.sendall((line + ":" + answer + "\\r\\n").encode())
{end}
"""
"""A heads-up client of a few lines, which imports nothing of ours."""


@pytest.fixture
def client(tmp_path):
    """Write a program and return how the command line names it."""

    def write(name="program", *, begin="", act="", end="", version="VERSION:2.0.0") -> str:
        path = tmp_path / name
        parts = {"begin": begin, "act": act, "end": end, "version": version}
        path.write_text(CLIENT.format(python=sys.executable, **parts))
        path.chmod(0o755)
        return f"program:{path}"

    return write


@pytest.fixture(scope="module")
def policies(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("policies")


@pytest.fixture(scope="module")
def policy(policies) -> str:
    return saved_policy(policies, SMALL, 1)


@pytest.fixture(scope="module")
def ante(policies) -> str:
    """A policy of a game that no game definition can hold."""
    return saved_policy(policies, replace(SMALL, ante=10), 2)


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command and return its status, output and error lines."""
    # Reading half a gigabyte of zeros again would be most of a test.
    monkeypatch.setattr(HandBucketing, "load", lambda path: bucketing())

    def call(*argv):
        status = match_command.main([str(one) for one in argv])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return call


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def end_soon(pids: list[int]) -> bool:
    """Whether all have ended in a moment: one that was killed may still be on its way out."""
    end = time.monotonic() + DEADLINE
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(alive, pids))


def pids_in(path: Path) -> list[int]:
    return [int(word) for word in path.read_text().split()]


# ---- What is won ------------------------------------------------------------------------------


def test_a_match(run, policy, client, tmp_path):
    """Duplicate deals; figures are those of the hands that were written."""
    out, hands = tmp_path / "m.json", tmp_path / "m.phhs"
    program = client()
    options = ("--hands", 79, "--seed", 5, "--out", out, "--hands-out", hands)
    status, text, err = run(policy, program, *options)

    assert (status, err) == (0, [])
    assert "AIVAT needs the probabilities of both" in text
    assert "by chips won" in text
    assert "0 illegal, 0 too late; 0 connections lost" in text
    found = json.loads(out.read_text())
    counted = found["program"]
    assert counted["out"] is False
    assert counted["illegal"] == counted["timeouts"] == counted["hands_without"] == 0
    assert "stack = 3000 3000" in found["game_definition"]
    match = found["match"]
    assert (match["hands"], match["deals"], match["aivat"]) == (80, 40, None)
    assert match["opponent"]["name"] == program
    played = list(loads_all(hands.read_text()))
    assert len(played) == 80
    won = [won_by(policy, history) for history in played]
    assert match["plain"]["total"]["mean"] == pytest.approx(sum(won) / 80 * 10)
    assert counted["chips"] == -sum(won)
    for first, second in zip(played[::2], played[1::2], strict=True):
        assert players(first) == players(second)[::-1]
        assert first.details["hand"] == second.details["hand"]
        assert holes(first) == holes(second)
    seats = {
        name: [w for w, h in zip(won, played, strict=True) if players(h)[seat] == policy]
        for seat, name in enumerate(("SB", "BB"))
    }
    for name, figures in seats.items():
        assert match["plain"][name]["mean"] == pytest.approx(sum(figures) / 40 * 10)
    assert holes(played[0]) == [deal_cards(5, 0, 4)[:2], deal_cards(5, 0, 4)[2:]]


def test_a_match_that_is_stopped_says_what_was_won(run, policy, client, tmp_path, monkeypatch):
    """Of whole deals, both seatings, as the histories of the hands that were played have it."""
    hands = tmp_path / "m.phhs"
    stop_at(monkeypatch, terminal.StageBars, "advance", 20)
    status, text, err = run(policy, client(), "--hands", 2_000, "--seed", 5, "--hands-out", hands)

    assert status == 128 + signal.SIGINT
    played = list(loads_all(hands.read_text()))
    assert err == [
        "holdem match: stopped",
        f"  try: the {len(played)} hands that were played are in {hands}",
    ]
    assert 20 <= len(played) < 2_000
    assert f"incomplete: stopped after {len(played)} of 2,000 hands" in text
    mean = sum(won_by(policy, history) for history in played) / len(played) * 10
    assert f"{mean:+,.1f}" in text


def holes(history) -> list[list[int]]:
    return [list(hole) for hole in history.state.hole_cards]


def players(history) -> list[str]:
    """Names by seat; the format counts from the big blind."""
    return history.details["players"][::-1]


def won_by(name: str, history) -> int:
    return history.payoffs()[players(history).index(name)]


def test_a_seed_gives_one_match(run, policy, client, tmp_path):
    """Also with the players named the other way round: what one wins the other loses."""
    figures = []
    for number, players in enumerate([(policy, client())] * 2 + [(client(), policy)]):
        out = tmp_path / f"{number}.json"
        assert run(*players, "--hands", 40, "--out", out, "--no-aivat")[0] == 0
        figures.append(json.loads(out.read_text())["match"]["plain"])
    assert figures[0] == figures[1]
    for name in ("total", "SB", "BB"):
        other = {"SB": "BB", "BB": "SB"}.get(name, name)
        assert figures[0][name]["mean"] == pytest.approx(-figures[2][other]["mean"])


def test_without_duplicate_seats_take_turns(run, policy, client, tmp_path):
    out = tmp_path / "m.json"
    status, text, _ = run(policy, client(), "--hands", 31, "--no-duplicate", "--out", out)

    assert status == 0
    assert "each deal played once" in text
    match = json.loads(out.read_text())["match"]
    assert (match["hands"], match["deals"]) == (31, 31)
    assert [match["plain"][name]["of"] for name in ("total", "SB", "BB")] == [31, 16, 15]


def test_another_game_than_the_policys(run, policy, client, tmp_path):
    hands = tmp_path / "m.phhs"
    status, _, _ = run(policy, client(), "--game", "hu", "--hands", 4, "--hands-out", hands)

    assert status == 0
    games = [history.state.game for history in loads_all(hands.read_text())]
    assert [game.stack_of(0) for game in games] == [10_000] * 4


def test_the_policy_may_search(run, policy, client, tmp_path):
    out = tmp_path / "m.json"
    options = ("--search", "first", "--time-budget-ms", 5, "--min-iters", 2, "--out", out)
    status, text, _ = run(policy, client(), "--hands", 10, *options)

    assert status == 0
    assert "with search" in text
    assert "fallbacks" in text
    found = json.loads(out.read_text())
    assert found["decisions"]["all"]["count"] > 0
    assert found["search"]["time_budget_ms"] == 5


def test_a_program_that_is_started_by_hand(run, policy):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    plays = plain_client(Table.of(SMALL), calls)
    thread = threading.Thread(target=plays, args=(port,), daemon=True)
    thread.start()
    status, text, err = run(policy, f"port:{port}", "--hands", 10)
    thread.join(DEADLINE)

    assert (status, err) == (0, [])
    assert f"waiting for a program at 127.0.0.1, port {port}, for 60 seconds" in text


def test_players_in_the_dealers_process():
    """They see their own cards only, and draw alike in all hands of a deal."""
    table = Table.of(GameConfig())
    asked, ended = [], []
    agent = random_agent(table.game)

    class Watched:
        def decide(self, state, hand):
            asked.append((state, hand))
            return agent.decide(state, hand)

    def ready(ports):
        assert len(ports) == 1
        run = plain_client(table, calls)
        threading.Thread(target=run, args=ports, daemon=True).start()

    result = play_match(
        table,
        ("one", "two"),
        DealerConfig(hands=20, duplicate=True),
        say=lambda text: None,
        deciders=[Watched()],
        ready=ready,
        on_hand=ended.append,
    )

    assert all([hole is None for hole in state.hole_cards].count(True) == 1 for state, _ in asked)
    assert all(state.hole_cards[state.actor] is not None for state, _ in asked)
    assert result.players[1].actions == len(asked)
    assert [hand.number for hand in ended] == list(range(20))
    assert {deal for _, deal in asked} <= {hand.deal for hand in ended} == set(range(10))
    assert sum(hand.state.payoffs()[hand.seats[1]] for hand in ended) == result.players[1].chips


# ---- What programs do wrong -------------------------------------------------------------------


def test_a_crash_in_the_middle(run, policy, client, tmp_path):
    """The dealer's rules hold to the last hand, and the output says what was."""
    out, hands = tmp_path / "m.json", tmp_path / "m.phhs"
    program = client(act='if int(hand) == 6: fail("boom", 3)')
    options = ("--time-per-action", 1, "--most-timeouts", 1, "--out", out, "--hands-out", hands)
    status, text, err = run(policy, program, "--hands", 30, *options)

    assert (status, err) == (1, [])
    assert "program: left" in text
    assert "out of the match after 0 illegal answers and 2 actions too late" in text
    assert "1 connections lost" in text
    assert "it ended with status 3: boom" in text
    found = json.loads(out.read_text())
    counted = found["program"]
    assert (counted["timeouts"], counted["connections_lost"], counted["out"]) == (2, 1, True)
    assert counted["hands_without"] in (23, 24)
    assert f"in {counted['hands_without']} of 30 hands" in text
    assert counted["ending"] == "ended with status 3: boom"
    won = sum(won_by(policy, history) for history in loads_all(hands.read_text()))
    assert found["match"]["plain"]["total"]["mean"] == pytest.approx(won / 30 * 10)


def test_a_program_that_answers_nonsense(run, policy, client):
    program = client(act='answer = "raise"')
    status, text, _ = run(policy, program, "--hands", 20, "--most-illegal", 4)

    assert status == 1
    assert "5 illegal, 0 too late" in text
    assert "out of the match: the dealer checked or folded for it in" in text


def test_lines_that_are_none_are_ignored(run, policy, client):
    program = client(act=r'link.sendall(b"\xff\0 garbage\nMATCHSTATE:0\n")')
    status, text, _ = run(policy, program, "--hands", 10)

    assert status == 0
    assert "ignored, not this state" in text
    assert text.isprintable() or set(filter(str.isspace, text)) == {" ", "\n"}
    assert "0 illegal, 0 too late; 0 connections lost" in text


NEVER = "time.sleep(600)"


@pytest.mark.parametrize(
    ("parts", "options", "message", "remedy"),
    [
        ({"begin": 'fail("no libgame", 4)'}, (), "the program ended with status 4: no libgame", ""),
        ({"begin": "sys.exit(0)"}, (), "the program ended with status 0", "host and port"),
        ({"begin": "os.kill(os.getpid(), 9)"}, (), "the program was ended by SIGKILL", ""),
        (
            {"begin": NEVER},
            ("--join-seconds", 0.3),
            "program did not come within 0.3 seconds",
            "--join-seconds",
        ),
        ({"version": "VERSION:1.0.0"}, (), "version 1.0.0 is spoken, and must be 2.0", ""),
        ({"version": "HELLO"}, (), "(program: cut off: the first line is 'HELLO')", ""),
    ],
)
def test_programs_that_do_not_come(run, policy, client, parts, options, message, remedy):
    status, _, err = run(policy, client(**parts), *options)

    assert (status, len(err)) == (2, 2)
    assert message in err[0]
    assert remedy in err[1]


@pytest.mark.parametrize(
    ("argv", "message", "remedy"),
    [
        (("{policy}", "program:{tmp}/none"), "there is no program", "path"),
        (("{policy}", "program:{tmp}"), "is not a file", "path"),
        (("{policy}", "program:{tmp}/plain"), "may not be executed", "chmod +x"),
        (("{policy}", "program:{tmp}/garbage"), "cannot be run: Exec format", "#!/bin/sh"),
        (("{policy}", "port:x"), "the port is x, and must be a whole number from 0 to 65,535", ""),
        (("{policy}", "port:70000"), "the port is 70000, and must be a whole number", "port:0"),
        (("{policy}", "port:"), "the port is missing, and must be a whole number", "port:0"),
        (("{program}", "{program}"), "both players are programs", "holdem dealer"),
        (("call", "{program}"), "call is a baseline", "path of a policy"),
        (("{policy}", "{program}", "--until-ci", "5"), "--until-ci begins with hands", "--hands"),
        (("{policy}", "{program}", "--workers", "2"), "--workers is 2", "--num-workers"),
        (("{policy}", "{program}", "--search", "both"), "--search is both", "--search first"),
        (("{program}", "{policy}", "--search", "first"), "the first player is", "--search second"),
        (("{policy}", "{program}", "--hands", "0"), "--hands is 0", "--hands 1"),
        (("{policy}", "{program}", "--join-seconds", "x"), "--join-seconds is", "--help"),
        (("{policy}", "{program}", "--game", "nothing"), "nothing", ""),
        (("{policy}", "{program}", "--game", "3-max"), "3 players", "holdem dealer"),
        (("{ante}", "{program}"), "has an ante", "--game FILE"),
        (("{policy}", "call", "--game", "hu"), "--game is for a match with a program", "program:"),
        (("{policy}", "call", "--host", "::1"), "--host is for a match with a program", "port:N"),
    ],
)
def test_what_is_refused(run, policy, ante, client, tmp_path, argv, message, remedy):
    (tmp_path / "plain").write_text("text")
    (tmp_path / "garbage").write_text("text")
    (tmp_path / "garbage").chmod(0o755)
    names = {"policy": policy, "ante": ante, "program": client(), "tmp": tmp_path}
    status, _, err = run(*(one.format(**names) for one in argv))

    assert (status, len(err)) == (2, 2)
    assert message in err[0]
    assert remedy in err[1]


def test_a_match_with_a_program_is_for_two():
    game = GameConfig(num_players=3)
    with pytest.raises(ConfigError, match="3 players"):
        ProgramMatch(Table.of(game), random_agent(game), ("a", "b"), DealerConfig())


# ---- Nothing is left running ------------------------------------------------------------------


def test_what_a_program_starts_ends_with_it(run, policy, client, tmp_path):
    """A script that starts the player and something else, and waits for the player."""
    player = client("player").removeprefix("program:")
    script = tmp_path / "startme.sh"
    pids = tmp_path / "pids"
    script.write_text(f'#!/bin/sh\nsleep 600 &\necho $$ $! > {pids}\n{player} "$@"\n')
    script.chmod(0o755)
    status, _, _ = run(policy, f"program:{script}", "--hands", 4)

    assert status == 0
    assert len(pids_in(pids)) == 2
    assert end_soon(pids_in(pids))


def test_ctrl_c_ends_the_program(policy, client, tmp_path):
    """One that ignores the word that asks it to end; the hands are not written."""
    pid, hands = tmp_path / "pid", tmp_path / "m.phhs"
    begin = "\n".join(
        [
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            "signal.signal(signal.SIGINT, signal.SIG_IGN)",
        ]
    )
    act = f'open({str(pid)!r}, "w").write(str(os.getpid()) + " "); time.sleep(600)'
    command = [sys.executable, "-m", "holdem.cli.match", policy, client(begin=begin, act=act)]
    options = ["--time-per-action", "600", "--hands-out", str(hands)]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + DEADLINE
    while not (pid.exists() and pid.read_text().endswith(" ")) and time.monotonic() < end:
        time.sleep(0.02)
    assert alive(*pids_in(pid))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE)

    assert process.returncode == 128 + signal.SIGINT
    assert err.splitlines() == ["holdem match: stopped"]
    assert end_soon(pids_in(pid))
    assert not hands.exists()


def test_a_program_may_end_by_itself(client, tmp_path):
    """It is given time to, once the match is over; what it says is not kept from flowing."""
    end = f'sys.stderr.write("x" * 300_000); open({str(tmp_path / "done")!r}, "w").close()'
    program = Program(Path(client(end=end).removeprefix("program:")))
    with socket.create_server(("127.0.0.1", 0)) as server, program:
        program.start("127.0.0.1", server.getsockname()[1])
        link, _ = server.accept()
        with link:
            assert link.recv(100) == b"VERSION:2.0.0\r\n"
            assert program.ending() == ""
        program.close(patience=DEADLINE)

    assert (tmp_path / "done").exists()
