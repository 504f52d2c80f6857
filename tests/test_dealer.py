"""Matches over TCP: every hand as pokerkit would score it, and players who do everything wrong."""

import io
import random
import socket
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path

import pokerkit
import pytest

from holdem.errors import ConfigError, ResourceError, StorageError
from holdem.game.history import loads_all
from holdem.game.rules import CALL, FOLD, raise_to
from holdem.play import acpc
from holdem.play.acpc import action_text, read_message, reply_line
from holdem.play.agent import Decision, Option
from holdem.play.dealer import deal_cards, play_match
from holdem.play.game_definition import Table
from holdem.play.session import Limits, Session
from holdem.types import DealerConfig, GameConfig
from tests.tables import (
    DEADLINE,
    Hall,
    Silent,
    calls,
    check_log,
    client,
    plain_client,
    plays_randomly,
    random_agent,
    session_client,
)

HEADS_UP = Table.of(GameConfig())


def agent_session(table: Table, seed: int) -> Session:
    return Session(table, random_agent(table.game, seed), Silent(), acts=True)


def match_of_agents(table: Table, hands: int, log: Path, opponent=None):
    """A match of agents; with *opponent*, the first player is that."""
    players = table.game.num_players
    sessions = [agent_session(table, seed) for seed in range(1, players + 1)]
    clients = [session_client(session) for session in sessions]
    if opponent is not None:
        clients[0] = plain_client(table, opponent)
    hall = Hall(table, clients, log_path=log, hands=hands)
    result = hall.end()

    assert result.hands == hands
    assert [(p.illegal, p.timeouts, p.out) for p in result.players] == [(0, 0, False)] * players
    assert [line for line in hall.said if not line.endswith("is here")] == []
    logged = check_log(log, table, result)
    for number, session in enumerate(sessions):
        if opponent is None or number:
            assert session.result.hands == hands
            assert session.result.unread == 0
            assert session.result.chips == result.players[number].chips
            assert len(session.result.decisions) == result.players[number].actions
    return logged, sessions


# -- whole matches -----------------------------------------------------------------------------


def test_two_agents(tmp_path):
    logged, sessions = match_of_agents(HEADS_UP, 150, tmp_path / "match.log")

    assert {len(hand.state.live) for hand in logged} == {1, 2}
    assert sum(session.result.fallbacks for session in sessions) < 20
    histories = (tmp_path / "match.phhs").read_text()
    assert [history.payoffs() for history in loads_all(histories)] == [
        hand.values for hand in logged
    ]
    theirs = list(pokerkit.HandHistory.load_all(io.BytesIO(histories.encode())))
    assert len(theirs) == 150
    for history, hand in zip(theirs[:20], logged, strict=False):
        *_, last = history
        assert tuple(last.payoffs[::-1]) == hand.values


@pytest.mark.parametrize("players", [2, 3, 6])
def test_agents_against_a_client_that_calls(tmp_path, players):
    table = Table.of(GameConfig(num_players=players))
    match_of_agents(table, 160 // players, tmp_path / "match.log", calls)


def test_agents_against_one_that_bets_anything(tmp_path):
    match_of_agents(HEADS_UP, 80, tmp_path / "match.log", plays_randomly(5))


@pytest.mark.parametrize("stacks", [(1_000,), (40_000,), (350, 10_000)])
def test_agents_from_short_and_deep_stacks(tmp_path, stacks):
    """With a policy for 100 big blinds."""
    table = Table.of(GameConfig(stacks=stacks))
    match_of_agents(table, 40, tmp_path / "match.log", plays_randomly(6))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("players", "hands", "opponent"),
    [(2, 10_000, None), (2, 10_000, calls), (3, 2_000, None), (6, 1_000, None)],
)
def test_long_matches(tmp_path, players, hands, opponent):
    table = Table.of(GameConfig(num_players=players))
    match_of_agents(table, hands, tmp_path / "match.log", opponent)


# -- the deal ----------------------------------------------------------------------------------


def test_cards_depend_on_seed_and_number_only():
    assert deal_cards(1, 2, 9) == deal_cards(1, 2, 23)[:9]
    assert deal_cards(1, 2, 9) != deal_cards(1, 3, 9)
    assert deal_cards(1, 2, 9) != deal_cards(2, 2, 9)
    assert sorted(deal_cards(7, 0, 52)) == list(range(52))


def test_every_card_comes_everywhere():
    """Chi-squared of the first, third and last place over 26,000 decks: 51 degrees of freedom."""
    decks = [deal_cards(3, number, 52) for number in range(26_000)]
    for place in (0, 2, 51):
        seen = [0] * 52
        for deck in decks:
            seen[deck[place]] += 1
        chi = sum((n - 500) ** 2 / 500 for n in seen)
        assert chi < 90  # once in a thousand by chance, and the seed is fixed


def test_a_match_is_the_same_every_time(tmp_path):
    for name in "ab":
        match_of_agents(HEADS_UP, 20, tmp_path / f"{name}.log")
    first, second = ((tmp_path / f"{name}.log").read_text().split("\n", 1)[1] for name in "ab")
    assert first == second
    assert (tmp_path / "a.phhs").read_bytes() == (tmp_path / "b.phhs").read_bytes()


def test_positions_rotate(tmp_path):
    table = Table.of(GameConfig(num_players=3))
    clients = [plain_client(table, calls)] * 3
    Hall(table, clients, log_path=tmp_path / "m.log", hands=4).end()
    lines = (tmp_path / "m.log").read_text().splitlines()
    names = [line.rsplit(":", 1)[1] for line in lines if line.startswith("STATE")]
    assert names == [
        "player0|player1|player2",
        "player1|player2|player0",
        "player2|player0|player1",
        "player0|player1|player2",
    ]


@pytest.mark.parametrize("players", [2, 3])
def test_duplicate_deals_give_everybody_the_same_cards(tmp_path, players):
    """Whoever does the same with all cards wins nothing over a round."""
    table = Table.of(GameConfig(num_players=players))
    clients = [plain_client(table, calls)] * players
    result = Hall(
        table, clients, log_path=tmp_path / "m.log", hands=4 * players, duplicate=True
    ).end()
    hands = check_log(tmp_path / "m.log", table, result)
    cards = [(hand.state.hole_cards, hand.state.board) for hand in hands]
    for start in range(0, len(cards), players):
        assert len(set(cards[start : start + players])) == 1
    assert len(set(cards)) == 4
    assert [player.chips for player in result.players] == [0] * players


# -- players who do wrong ----------------------------------------------------------------------


def raw(port: int) -> socket.socket:
    """A connected socket with a deadline."""
    return socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)


def read_states(link: socket.socket):
    """Yield what a dealer tells over a plain socket."""
    buffer = acpc.LineBuffer()
    while data := link.recv(65_536):
        for line in buffer.feed(data):
            message = read_message(line, HEADS_UP)
            if message is not None:
                yield message


def answers_with(text: str):
    """A player whose every first answer is *text*."""
    return lambda message: text


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("r1", "r200"),  # to the nearest size
        ("r99999", "r10000"),
        ("r-5", "c"),
        ("raise", "c"),
        ("", "c"),
        ("c:c", "c"),
        ("é", "c"),
    ],
)
def test_an_illegal_answer_is_replaced(tmp_path, text, then):
    def client_(port):
        with raw(port) as link:
            link.sendall(b"VERSION:2.0.0\r\n")
            for message in read_states(link):
                if message.my_turn:
                    link.sendall(f"{message.line}:{text}\r\n".encode())

    # The second player is on the button in the first hand, so that it opens.
    hall = Hall(HEADS_UP, [plain_client(HEADS_UP, calls), client_], tmp_path / "m.log", hands=1)
    result = hall.end()

    assert result.players[1].illegal >= 1
    line = (tmp_path / "m.log").read_text().splitlines()[2]
    assert line.split(":")[2].startswith(then)
    assert any("answers " in said and "; so it " in said for said in hall.said)
    check_log(tmp_path / "m.log", HEADS_UP, result)


def test_a_fold_for_nothing_is_a_check(tmp_path):
    hall = Hall(
        HEADS_UP,
        [plain_client(HEADS_UP, answers_with("f")), plain_client(HEADS_UP, calls)],
        tmp_path / "m.log",
        hands=1,
    )
    result = hall.end()

    assert result.players[0].illegal == 4  # the big blind on every street
    assert "cc/cc/cc/cc" in (tmp_path / "m.log").read_text()


def test_too_many_illegal_answers_put_a_player_out(tmp_path):
    """The match goes on without it; the other loses nothing by that."""
    hall = Hall(
        HEADS_UP,
        [plain_client(HEADS_UP, answers_with("x")), plain_client(HEADS_UP, calls)],
        tmp_path / "m.log",
        hands=30,
        most_illegal=5,
    )
    result = hall.end()

    assert result.hands == 30
    assert (result.players[0].out, result.players[0].illegal) == (True, 6)
    assert result.players[1].illegal == 0
    assert sum("out of the match" in said for said in hall.said) == 1
    hands = check_log(tmp_path / "m.log", HEADS_UP, result)
    # As the button it folds from then on.
    assert hands[-1].state.events[0].action.amount == 0
    assert len([h for h in hands if len(h.state.live) == 1]) >= 10


def test_when_all_are_out_the_match_ends(tmp_path):
    hall = Hall(
        HEADS_UP,
        [plain_client(HEADS_UP, answers_with("x"))] * 2,
        tmp_path / "m.log",
        hands=1_000,
        most_illegal=2,
    )
    result = hall.end()

    assert 0 < result.hands < 10
    assert all(player.out for player in result.players)
    assert any("all players are out" in said for said in hall.said)


def test_a_player_that_hangs_checks_or_folds(tmp_path):
    """It holds its connection and says nothing."""
    leave = threading.Event()

    def hangs(port):
        with raw(port) as link:
            link.sendall(b"VERSION:2.0.0\r\n")
            leave.wait(DEADLINE)

    hall = Hall(
        HEADS_UP,
        [plain_client(HEADS_UP, calls), hangs],
        tmp_path / "m.log",
        hands=20,
        action_seconds=0.3,
        most_timeouts=2,
    )
    hall._threads[0].join(DEADLINE)
    leave.set()
    result = hall.end()

    assert result.hands == 20
    assert (result.players[1].timeouts, result.players[1].out) == (3, True)
    assert any("no action in time, so it folds" in said for said in hall.said)
    check_log(tmp_path / "m.log", HEADS_UP, result)


def test_a_player_that_comes_back_goes_on(tmp_path):
    """Its connection is cut in the middle of a hand, again and again."""
    turns = count(1)

    def cut(port):
        while True:
            try:
                link = raw(port)
            except OSError:
                return  # the match is over
            with link:
                try:
                    link.sendall(b"VERSION:2.0.0\r\n")
                    for message in read_states(link):
                        if message.my_turn:
                            if next(turns) % 4 == 0:
                                break  # without an answer
                            link.sendall(f"{reply_line(message.line, 'c')}\r\n".encode())
                except OSError:
                    pass

    hall = Hall(HEADS_UP, [plain_client(HEADS_UP, calls), cut], tmp_path / "m.log", hands=10)
    result = hall.end()

    assert result.hands == 10
    assert [(p.illegal, p.timeouts) for p in result.players] == [(0, 0), (0, 0)]
    left = sum("left" in said for said in hall.said)
    assert [p.lost for p in result.players] == [0, left]
    assert left > 5
    check_log(tmp_path / "m.log", HEADS_UP, result)


def test_a_session_resumes_its_hand(tmp_path):
    """Somebody takes its seat for a moment, so that it is cut off when it is to act."""
    table = HEADS_UP
    session = agent_session(table, 3)
    cuts = count()

    def thief(message):
        if next(cuts) % 5 == 4:
            with raw(hall.ports[0]) as link:
                link.sendall(b"VERSION:2.0.0\r\n")
                for _ in read_states(link):
                    break
        return "c"

    hall = Hall(
        table, [session_client(session), plain_client(table, thief)], tmp_path / "m.log", hands=25
    )
    result = hall.end()

    assert result.hands == session.result.hands == 25
    assert [(p.illegal, p.timeouts) for p in result.players] == [(0, 0), (0, 0)]
    assert session.result.chips == result.players[0].chips
    check_log(tmp_path / "m.log", table, result)


def test_only_the_version_takes_a_seat(tmp_path):
    """Others at the port disturb nobody."""
    listening, started = threading.Event(), threading.Event()

    def late(message):
        if not started.is_set():
            started.set()
            assert listening.wait(60)
            for line in (b"GET / HTTP/1.1\r\n\r\n", b"VERSION:1.0.0\r\n", b"\x00\xff" * 100):
                with raw(hall.ports[1]) as link:
                    link.sendall(line + b"\n")
                    assert link.recv(10) == b""
        return "c"

    hall = Hall(HEADS_UP, [plain_client(HEADS_UP, late), plain_client(HEADS_UP, calls)], hands=3)
    listening.set()
    result = hall.end()

    assert [p.timeouts for p in result.players] == [0, 0]
    assert sum("VERSION:2.0.0" in said or "first line" in said for said in hall.said) >= 1


def test_answers_to_other_states_are_ignored():
    """And comments, empty lines, and the same answer again."""

    def noisy(port):
        with client(port) as link:
            while (line := link.receive()) is not None:
                message = read_message(line, HEADS_UP)
                assert message is not None
                link.between_hands = message.state.is_terminal
                if message.my_turn:
                    for noise in ("# hello", ";", "", "hello", line, f"{line}9:c", "MATCHSTATE:0"):
                        link.send(noise)
                    link.send(reply_line(line, "c"))
                    link.send(reply_line(line, "r10000"))

    hall = Hall(HEADS_UP, [noisy, plain_client(HEADS_UP, calls)], hands=5)
    result = hall.end()

    assert [(p.illegal, p.timeouts) for p in result.players] == [(0, 0), (0, 0)]
    assert any("ignored, not this state: 'hello'" in said for said in hall.said)
    assert result.players[0].actions == result.players[1].actions == 20


@pytest.mark.parametrize("kind", ["megabytes without an end", "lines", "does not read"])
def test_floods_end_nothing(kind):
    stop = threading.Event()

    def flood(port):
        while not stop.is_set():
            try:
                with raw(port) as link:
                    link.sendall(b"VERSION:2.0.0\r\n")
                    if kind == "does not read":
                        stop.wait(DEADLINE)
                        return
                    for _ in range(64):
                        link.sendall(b"x" * 65_536 if kind != "lines" else b"x\n" * 32_768)
            except OSError:
                time.sleep(0.05)

    hall = Hall(
        HEADS_UP,
        [plain_client(HEADS_UP, calls), flood],
        hands=12,
        action_seconds=0.7,
        most_timeouts=3,
    )
    hall._threads[0].join(DEADLINE)
    stop.set()
    result = hall.end()

    assert result.hands == 12
    assert [player.out for player in result.players] == [False, True]
    assert len(hall.said) < 120  # the log is not flooded either
    assert all(len(said) < 400 for said in hall.said)


@pytest.mark.parametrize("seed", range(6))
def test_random_bytes_at_the_socket(seed, tmp_path):
    """A player that plays, with random bytes between its answers and on other connections."""
    rng = random.Random(seed)

    def nonsense() -> bytes:
        kinds = (
            lambda: rng.randbytes(rng.randint(0, 300)),
            lambda: rng.randbytes(rng.randint(0, 30)) + b"\n",
            lambda: b"MATCHSTATE:" + rng.randbytes(rng.randint(0, 30)) + b"\r\n",
            lambda: b"\n" * rng.randint(1, 50),
            lambda: b"VERSION:2.0.0\r\n",
            lambda: b"MATCHSTATE:0:0::AsKs|:" + rng.choice((b"c", b"f", b"r300")) + b"\n",
        )
        return rng.choice(kinds)()

    def fuzz(port):
        while True:
            try:
                with raw(port) as link:
                    link.sendall(b"VERSION:2.0.0\n")
                    for message in read_states(link):
                        if rng.random() < 0.3:
                            with raw(port) as other:
                                other.sendall(nonsense())
                        if not message.my_turn:
                            continue
                        for _ in range(rng.randint(0, 3)):
                            link.sendall(nonsense().replace(b"VERSION", b"version"))
                        if rng.random() < 0.1:
                            break
                        # On a line of its own, or it would be the end of the nonsense.
                        link.sendall(f"\n{message.line}:{rng.choice('ccccf')}\n".encode())
            except ConnectionRefusedError:
                return
            except OSError:
                time.sleep(0.01)

    hall = Hall(
        HEADS_UP,
        [plain_client(HEADS_UP, calls), fuzz],
        tmp_path / "m.log",
        hands=15,
        most_illegal=10**6,
    )
    result = hall.end()

    assert result.hands == 15
    assert result.players[0].illegal == result.players[0].timeouts == 0
    assert all(said.isprintable() for said in hall.said)
    check_log(tmp_path / "m.log", HEADS_UP, result)


def test_a_kill_in_the_middle_of_a_hand(tmp_path):
    """Of a client in a process of its own: it comes back as another process."""
    code = """
import sys
from holdem.play.acpc import read_message, reply_line
from holdem.play.client import Client
from holdem.play.game_definition import Table
from holdem.types import GameConfig
table = Table.of(GameConfig())
with Client("127.0.0.1", int(sys.argv[1])) as client:
    while (line := client.receive()) is not None:
        message = read_message(line, table)
        client.between_hands = message.state.is_terminal
        if message.my_turn:
            client.send(reply_line(line, "c"))
"""
    processes = []

    def runs(port):
        processes.append(subprocess.Popen([sys.executable, "-c", code, str(port)]))
        processes[-1].wait(DEADLINE)

    def killer(message):
        if message.hand == 3 and len(processes) == 1 and len(message.state.board) == 3:
            processes[0].kill()
            processes[0].wait(DEADLINE)
            again = threading.Thread(target=runs, args=(hall.ports[1],), daemon=True)
            again.start()
        return "c"

    hall = Hall(HEADS_UP, [plain_client(HEADS_UP, killer), runs], tmp_path / "m.log", hands=8)
    result = hall.end()
    for process in processes:
        process.wait(DEADLINE)

    assert len(processes) == 2
    assert result.hands == 8
    assert [(p.illegal, p.timeouts) for p in result.players] == [(0, 0), (0, 0)]
    check_log(tmp_path / "m.log", HEADS_UP, result)


# -- what is refused ---------------------------------------------------------------------------


def refuse(names=("a", "b"), log_path=None, **config):
    play_match(
        HEADS_UP,
        names,
        DealerConfig(hands=1, join_seconds=0.05, **config),
        say=lambda text: None,
        log_path=log_path,
    )


def test_players_who_do_not_come():
    with pytest.raises(ConfigError, match=r"a, b did not come within 0\.05 seconds"):
        refuse()


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("a",), "1 names for 2 players"),
        (("a", "b", "c"), "3 names for 2 players"),
        (("a", "a"), "two players are called alike: a, a"),
        (("a", ""), "a player cannot be called"),
        (("a", "b:c"), "a player cannot be called"),
        (("a", "b|c"), "a player cannot be called"),
        (("a", "b\n"), "a player cannot be called"),
        (("a", "ü"), "a player cannot be called"),
    ],
)
def test_names_that_a_log_cannot_hold(names, why):
    with pytest.raises(ConfigError, match=why):
        refuse(names)


def test_ports_that_cannot_be_had():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ResourceError, match=str(port)):
            refuse(ports=(port, 0))
    with pytest.raises(ConfigError, match="3 ports for 2 players"):
        refuse(ports=(1, 2, 3))
    with pytest.raises(ResourceError):
        refuse(host="nowhere.invalid")


def test_a_log_that_is_there_is_kept(tmp_path):
    log = tmp_path / "match.log"
    log.write_text("mine")
    with pytest.raises(StorageError, match="is there already"):
        refuse(log_path=log)
    (tmp_path / "other.phhs").write_text("mine")
    with pytest.raises(StorageError, match="is there already"):
        refuse(log_path=tmp_path / "other.log")
    assert not (tmp_path / "other.log").exists()
    with pytest.raises(ConfigError, match="two files at once"):
        refuse(log_path=tmp_path / "new.phhs")
    # Without players there is no log that a second try would find.
    with pytest.raises(ConfigError, match="did not come within"):
        refuse(log_path=tmp_path / "third.log")
    assert not (tmp_path / "third.log").exists()


def test_it_listens_on_this_machine_only():
    assert DealerConfig().host == "127.0.0.1"


# -- sessions ----------------------------------------------------------------------------------


def test_a_session_leaves_at_its_limits():
    session = agent_session(HEADS_UP, 1)
    session.limits = Limits(max_hands=4)
    hall = Hall(
        HEADS_UP,
        [session_client(session), plain_client(HEADS_UP, calls)],
        hands=9,
        action_seconds=2.0,
        most_timeouts=0,
    )
    result = hall.end()

    assert session.result.hands == 4
    assert session.result.ended == "4 hands are played"
    assert (result.hands, result.players[0].out) == (9, True)


def test_a_session_that_loses_enough_leaves():
    """Of a player that always folds the blinds go."""

    class Folds:
        def decide(self, state, hand):
            action = FOLD if state.legal_actions().can_fold else CALL
            return Decision(action, (Option(action, 1.0),), "", None, "", 0.0)

    def raises(message):
        least = message.state.legal_actions().min_raise_to
        return action_text(message.state, CALL if least is None else raise_to(least))

    session = Session(HEADS_UP, Folds(), Silent(), acts=True, limits=Limits(stop_loss=2.0))
    Hall(
        HEADS_UP,
        [session_client(session), plain_client(HEADS_UP, raises)],
        hands=20,
        action_seconds=2.0,
        most_timeouts=0,
    ).end()

    # The big blind in the first hand, then the small one, and the big one again.
    assert (session.result.hands, session.result.chips) == (3, -250)
    assert session.result.ended == "2.5 big blinds are lost"
