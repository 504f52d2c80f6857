"""Sessions: they answer once, only in their turn, only the newest state, and say what they did."""

import contextlib
import json
import socket
import threading
from collections import deque
from contextlib import contextmanager

import pytest

from holdem.errors import ConfigError, ResourceError, StorageError
from holdem.game.cards import parse_cards
from holdem.game.rules import CALL, FOLD, State, raise_to
from holdem.play import acpc
from holdem.play.agent import Decision, Option
from holdem.play.client import Client, parse_address
from holdem.play.following import Told, lines_of, read_told
from holdem.play.game_definition import Table
from holdem.play.profile import DEFAULT_PROFILE, read_profile, write_profile
from holdem.play.session import Limits, Session, SessionResult
from holdem.storage import LineFile
from holdem.types import GameConfig, TableProfile
from tests.tables import Silent, random_agent

TABLE = Table.of(GameConfig())
HOLES = [parse_cards("AsKs"), parse_cards("2c2d")]
FIRST = State.new(TABLE.game, HOLES)
RAISED = FIRST.apply(raise_to(250))
OVER = RAISED.apply(FOLD)


def told(state: State, hand: int = 0, seat: int = 0) -> str:
    return acpc.match_state_line(TABLE, state, hand, seat)


class Dealer:
    """What a session sees of a client: lines, of which a None is a lost connection."""

    def __init__(self, *batches: list[str] | None) -> None:
        self.batches = deque(batches)
        self.lines: deque[str] = deque()
        self.sent: list[str] = []
        self.connections = 1
        self.between_hands = False

    def has_more(self) -> bool:
        return bool(self.lines)

    def receive(self) -> str | None:
        while not self.lines:
            if not self.batches:
                return None
            batch = self.batches.popleft()
            if batch is None:
                self.connections += 1
            else:
                self.lines.extend(batch)
        return self.lines.popleft()

    def send(self, line: str) -> None:
        self.sent.append(line)


class Raises:
    """Raises to 250, and counts how often it is asked."""

    asked = 0

    def decide(self, state: State, hand: int) -> Decision:
        self.asked += 1
        action = raise_to(250) if state.street == 0 and not state.events else CALL
        return Decision(action, (Option(action, 1.0),), "here", 3, "", 0.001)


def run(*batches, acts=True, **values) -> tuple[Dealer, Session]:
    dealer = Dealer(*batches)
    session = Session(TABLE, values.pop("decider", Raises()), Silent(), acts=acts, **values)
    session.run(dealer)
    return dealer, session


ANSWER = told(FIRST) + ":r250"


# -- acting ------------------------------------------------------------------------------------


def test_it_answers_when_it_is_its_turn():
    dealer, session = run([told(FIRST)], [told(RAISED)], [told(OVER)])

    assert dealer.sent == [ANSWER]
    assert dealer.between_hands
    assert (session.result.hands, session.result.chips) == (1, 100)
    assert session.observer.hands == [100]
    assert session.result.ended == "the dealer closed the table"


def test_it_never_answers_a_state_twice():
    dealer, session = run([told(FIRST)], [told(FIRST)], [told(FIRST), told(FIRST)])

    assert dealer.sent == [ANSWER]
    assert session.decider.asked == 1


def test_after_a_lost_connection_it_sends_the_same_answer_again():
    """Without thinking again: the dealer may have had the first one, or not."""
    dealer, session = run([told(FIRST)], None, [told(FIRST)], [told(FIRST)], None, [told(FIRST)])

    assert dealer.sent == [ANSWER] * 3
    assert session.decider.asked == 1
    assert len(session.observer.decisions) == 1


def test_a_hand_that_is_told_again_counts_once():
    dealer, session = run(
        [told(OVER)], None, [told(OVER), told(FIRST, 1)], None, [told(OVER), told(FIRST, 1)]
    )

    assert session.result.hands == 1
    assert dealer.sent == [told(FIRST, 1) + ":r250"] * 2


def test_it_answers_the_newest_state_only():
    """The dealer went on without it, because it was late."""
    dealer, _ = run([told(FIRST), told(FIRST.apply(FOLD)), told(FIRST, 2, seat=1)])

    assert dealer.sent == []

    dealer, _ = run([told(FIRST, 1), "# a comment", "", "; another", "something new"])
    assert dealer.sent == [told(FIRST, 1) + ":r250"]


def test_it_does_not_answer_for_others():
    dealer, session = run([told(FIRST, seat=1)], [told(RAISED)], [told(OVER)])

    assert dealer.sent == []
    assert session.decider.asked == 0


def test_lines_that_cannot_be_read_are_told_and_skipped():
    dealer, session = run(["MATCHSTATE:7:x"], [told(FIRST)], ["MATCHSTATE:0:0:zz:|AsKs"])

    assert dealer.sent == [ANSWER]
    assert session.result.unread == 2
    assert len(session.observer.said) == 2


def test_advice_sends_nothing():
    dealer, session = run([told(FIRST)], [told(OVER)], acts=False)

    assert dealer.sent == []
    assert [sent for _, _, sent in session.observer.decisions] == [False]
    assert session.result.hands == 1


def test_what_is_not_confirmed_is_not_sent():
    asked = []

    def confirm(message, decision):
        asked.append((message.hand, decision.action))
        return message.hand == 1

    dealer, session = run(
        [told(FIRST, 0)],
        [told(FIRST, 0)],
        None,
        [told(FIRST, 0)],
        [told(FIRST, 1)],
        confirm=confirm,
    )

    assert dealer.sent == [told(FIRST, 1) + ":r250"]
    assert asked == [(0, raise_to(250)), (1, raise_to(250))]
    assert [sent for _, _, sent in session.observer.decisions] == [False, True]


def test_a_decider_that_fails_checks_or_folds():
    class Fails:
        def decide(self, state, hand):
            raise StorageError("its tables are gone", "bring them back")

    dealer, session = run([told(FIRST)], [told(RAISED, 1, seat=1)], decider=Fails())

    assert [line.rsplit(":", 1)[1] for line in dealer.sent] == ["f", "f"]
    assert session.result.fallbacks == 2
    assert session.result.fallback_rate == 1
    assert session.observer.decisions[0][1].fallback == "its tables are gone"

    check = State.new(TABLE.game, HOLES).apply(CALL)
    dealer, _ = run([told(check, seat=1)], decider=Fails())
    assert dealer.sent[0].endswith(":c")


def test_a_dealer_that_hides_who_won():
    """All cards of the winner are missing: the chips of that hand are not counted."""
    state = RAISED.apply(CALL)
    for cards in ("3c4c5d", "9h", "Jh"):
        state = state.deal_board(parse_cards(cards)).apply(CALL).apply(CALL)
    line = told(state).replace("2c2d", "")

    _, session = run([line])

    assert (session.result.hands, session.result.chips) == (1, 0)
    assert "not shown" in session.observer.said[0]


@pytest.mark.parametrize(
    ("limits", "hands", "why"),
    [
        (Limits(max_hands=3), 3, "3 hands are played"),
        (Limits(stop_loss=2.0), 4, "2 big blinds are lost"),
        (Limits(max_seconds=1e-9), 1, "0 seconds are over"),
        (Limits(), 9, "the dealer closed the table"),
    ],
)
def test_limits(limits, hands, why):
    lost = [told(FIRST.apply(FOLD), hand) for hand in range(9)]
    _, session = run(lost, limits=limits)

    assert (session.result.hands, session.result.chips) == (hands, -50 * hands)
    assert session.result.ended == why


@pytest.mark.parametrize(
    ("error", "why"),
    [(ResourceError("the dealer is gone"), "the dealer is gone"), (KeyboardInterrupt(), "stopped")],
)
def test_a_session_that_is_broken_off_is_counted(error, why):
    dealer = Dealer([told(OVER)])
    session = Session(TABLE, Raises(), Silent(), acts=True)

    def gone():
        raise error

    dealer.receive, receive = lambda: receive() if dealer.batches else gone(), dealer.receive
    with pytest.raises(type(error)):
        session.run(dealer)

    assert (session.result.hands, session.result.chips) == (1, 100)
    assert why in session.result.ended


def test_percentiles():
    result = SessionResult(decisions=[0.005, 0.001, 0.004, 0.002, 0.003])
    assert [result.percentile(share) for share in (0.5, 0.9, 0.99)] == [0.003, 0.005, 0.005]
    assert SessionResult().percentile(0.5) == 0
    assert SessionResult().fallback_rate == 0


def test_the_decision_log(tmp_path):
    path = tmp_path / "log" / "decisions.jsonl"
    agent = random_agent(TABLE.game)
    with LineFile(path) as log:
        run([told(FIRST, 5)], decider=agent, log=log)
        run([told(RAISED, 6, seat=1)], decider=agent, log=log, acts=False)

    first, second = map(json.loads, path.read_text().splitlines())
    decision = agent.decide(FIRST, 5)
    assert first["told"] == told(FIRST, 5)
    assert (first["hand"], first["seat"], first["cards"], first["pot"]) == (5, "SB", "AsKs", 150)
    assert first["action"] == acpc.action_text(FIRST, decision.action)
    assert first["options"].keys() == {"f", "r250", "r10000"}
    assert sum(first["options"].values()) == pytest.approx(1, abs=1e-4)
    assert (first["sent"], second["sent"], second["seat"]) == (True, False, "BB")
    assert first["milliseconds"] > 0
    assert second["situation"] == "SB raises to 250"


# -- reading along -----------------------------------------------------------------------------


def logged(hand: int, names=("anna", "bob")) -> str:
    state = RAISED.apply(CALL).deal_board(parse_cards("3c4c5d")).apply(CALL).apply(raise_to(300))
    state = state.apply(FOLD)
    return acpc.log_line(TABLE, state, hand, state.payoffs(), names)


def test_the_decisions_of_a_logged_hand():
    """Each is seen with the cards of whoever decides."""
    whole = read_told(logged(4), TABLE, "nobody")
    assert whole is not None
    decisions = whole.decisions

    assert (whole.hand, whole.over, whole.won) == (4, True, None)
    assert [d.seat for d in decisions] == [0, 1, 1, 0, 1]
    for decision in decisions:
        assert decision.my_turn
        assert decision.hand == 4
        assert decision.state.hole_cards[decision.seat] == HOLES[decision.seat]
        assert decision.state.hole_cards[1 - decision.seat] is None
    assert decisions[3].state.board == parse_cards("3c4c5d")
    bobs = read_told(logged(4), TABLE, "bob")
    assert bobs is not None
    assert bobs.decisions == tuple(d for d in decisions if d.seat == 1)
    assert bobs.won == -250


def test_the_decisions_in_what_a_dealer_told():
    for line in (told(FIRST), f"TO 1 at 12.000345 {told(FIRST)}"):
        found = read_told(line, TABLE, "")
        assert found is not None
        assert [d.line for d in found.decisions] == [told(FIRST)]
        assert not found.over
    for line, over in ((told(RAISED), False), (told(OVER), True)):
        assert read_told(line, TABLE, "") == Told(0, (), over)
    for line in (f"FROM 1 at 12.0 {ANSWER}", "# x", "SCORE:1|2:a|b"):
        assert read_told(line, TABLE, "") is None


def test_a_log_is_read_as_far_as_it_goes(tmp_path):
    path = tmp_path / "match.log"
    path.write_text("# begin\nSTATE:1\nSTATE:2")
    assert list(lines_of(path)) == ["# begin", "STATE:1", "STATE:2"]
    path.write_text("a\nSCORE:1|-1:a|b\nanother match\n")
    assert list(lines_of(path)) == ["a", "SCORE:1|-1:a|b"]
    with pytest.raises(ConfigError, match="does not exist"):
        list(lines_of(tmp_path / "no.log"))
    with pytest.raises(StorageError):
        list(lines_of(tmp_path))


def test_a_log_is_read_while_it_is_written(tmp_path):
    """What is appended while somebody reads comes too."""
    path = tmp_path / "match.log"
    with LineFile(path) as file:
        file.write("one")
        lines = lines_of(path, patience=600.0)
        assert next(lines) == "one"
        file.write("two")
        assert next(lines) == "two"
        file.write("SCORE:")
        assert list(lines) == ["SCORE:"]


def test_it_is_said_once_that_a_log_is_waited_for(monkeypatch, tmp_path):
    path = tmp_path / "match.log"
    path.write_text("one\n")
    said = []
    monkeypatch.setattr("holdem.play.following.time.sleep", lambda seconds: None)
    assert list(lines_of(path, patience=600.0, waiting=lambda: said.append(1))) == ["one"]
    assert said == [1]
    assert list(lines_of(path, patience=1.0, waiting=lambda: said.append(2))) == ["one"]
    assert said == [1]


# -- profiles ----------------------------------------------------------------------------------


def test_the_default_profile_is_the_one_that_comes_with_it(pytestconfig):
    assert read_profile(pytestconfig.rootpath / DEFAULT_PROFILE) == TableProfile()


def test_profiles_come_back(tmp_path):
    profile = TableProfile(host="dealer.example", port=1, seat="me", max_hands=10, stop_loss=2.5)
    write_profile(tmp_path / "table.json", profile)

    assert read_profile(tmp_path / "table.json") == profile
    with pytest.raises(StorageError, match="is there already"):
        write_profile(tmp_path / "table.json", profile)


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ('{"prot": 1}', "unknown key 'prot'", "port"),
        ('{"port": 0}', "port is 0", "profile"),
        ('{"port": "80"}', "port is '80'", "profile"),
        ('{"protocol": "screen"}', "protocol is 'screen', and must be acpc", "profile"),
        ('{"stop_loss": -1}', "stop_loss is -1", "profile"),
        ("[]", "must hold keys", "profile"),
        ("{", "not JSON", ""),
        ("[" * 100_000, "too deep", ""),
        ("[" * 900 + "]" * 900, r"holds \[{57}\.\.\., and must hold keys", "profile"),
        ('{"seat": ' + '{"a": ' * 900 + "1" + "}" * 901, "seat is {'a': {'a'", "profile"),
    ],
    ids=lambda text: text[:20],
)
def test_bad_profiles(tmp_path, text, message, remedy):
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises((ConfigError, StorageError), match=message) as error:
        read_profile(path)
    assert str(path) in str(error.value)
    assert remedy in error.value.remedy


def test_a_missing_profile(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        read_profile(tmp_path / "no.json")


# -- clients -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "host:",
        ":1",
        "host:x",
        "host:-1",
        "host:1٣",
        "host:" + "9" * 5000,
        "host:0",
        "host:65536",
    ],
)
def test_addresses_that_are_none(text):
    with pytest.raises(ConfigError, match="not a server"):
        parse_address(text)


def test_addresses():
    assert parse_address("127.0.0.1:80") == ("127.0.0.1", 80)
    assert parse_address("::1:80") == ("::1", 80)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (("127.0.0.1", port), ("127.0.0.1", 99_999)):
        with pytest.raises(ResourceError, match="no dealer answers"):
            Client(*address, patience=0.1)


@pytest.mark.parametrize("host", ["nowhere.invalid", "127.0.0..1"])
def test_a_host_that_is_none_is_told_at_once(host):
    with pytest.raises(ConfigError, match=f"no host is called '{host}'") as error:
        Client(host, 80, patience=0.1)
    assert "as in 127.0.0.1" in error.value.remedy


def test_a_name_that_was_known_is_tried_again(monkeypatch):
    tries = []

    def unknown(*given, **more):
        tries.append(given)
        raise socket.gaierror(-2, "Name or service not known")

    with dropping(b"hello\r\n") as (port, _), Client("127.0.0.1", port, patience=0.2) as client:
        assert client.receive() == "hello"
        monkeypatch.setattr(socket, "create_connection", unknown)
        with pytest.raises(ResourceError, match="is gone, in the middle of a hand"):
            client.receive()
    assert len(tries) > 1


def test_a_dealer_that_says_nothing():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Client("127.0.0.1", server.getsockname()[1], patience=60, silence=0.3) as client,
        pytest.raises(ResourceError, match=r"said nothing for 0\.3 seconds"),
    ):
        client.receive()


def test_a_dealer_that_dies_in_a_hand():
    """It is waited for, then given up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = Client("127.0.0.1", server.getsockname()[1], patience=0.3, silence=600)
        link, _ = server.accept()
        link.sendall(b"hello\r\n")
    with client:
        assert client.receive() == "hello"
        link.close()
        with pytest.raises(ResourceError, match="in the middle of a hand"):
            client.receive()


@contextmanager
def dropping(*tells):
    """Yield the port of a dealer that drops each connection, and how many it has taken.

    Before that it tells each of them the next of *tells*, and those after them the last.
    """
    taken = [0]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    with server.accept()[0] as link:
                        link.sendall(tells[min(taken[0], len(tells) - 1)])
                        taken[0] += 1

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize(
    ("tells", "when"), [(b"", "before the first line"), (b"a\r\nb\r\n", "in the middle of a hand")]
)
def test_a_port_that_drops_every_connection(tells, when):
    """Whoever listens there, or another client that plays for the same seat."""
    said = []
    with dropping(tells) as (port, taken), Client("127.0.0.1", port, patience=0.5) as client:
        client._say = said.append
        with pytest.raises(ResourceError, match=f"takes every connection and closes it, {when}"):
            list(iter(client.receive, None))
        assert 3 <= taken[0] <= 7
        assert said == [f"the connection is lost {when}; trying again"]


def test_between_hands_a_port_that_drops_every_connection_is_the_end():
    with dropping(b"over\r\n", b"") as (port, _), Client("127.0.0.1", port) as client:
        assert client.receive() == "over"
        client.between_hands = True
        assert client.receive() is None
        assert client.connections == 2


def test_news_renew_the_patience():
    tells = [b"%d\r\n" % number for number in range(30)]
    with dropping(*tells) as (port, _), Client("127.0.0.1", port, patience=0.2) as client:
        assert [client.receive() for _ in tells] == [str(number) for number in range(30)]
