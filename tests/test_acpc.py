"""The protocol: both ways, against the competition's own code (in open_spiel), and nonsense."""

import random
from dataclasses import replace
from itertools import pairwise

import pyspiel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdem.errors import ConfigError, ProtocolError, RulesError, StorageError
from holdem.game.rules import CALL, FOLD, ActionKind, Played, State, raise_to
from holdem.play import acpc
from holdem.play.acpc import LineBuffer, read_log_line, read_message
from holdem.play.game_definition import MAX_LINE_BYTES, Table, parse_game, read_game, write_game
from holdem.types import BetMenu, GameConfig
from tests.test_games import GAMES, load_game

DOYLE = Table.of(GameConfig(stacks=(20_000,)))
"""The competition's heads-up game."""


def table(players: int, stack: int = 2_000) -> Table:
    return Table.of(GameConfig(num_players=players, stacks=(stack,)))


def random_hand(table: Table, rng: random.Random):
    """The states of a random hand, each a decision but the last."""
    players = table.game.num_players
    cards = rng.sample(range(52), 2 * players + 5)
    state = State.new(table.game, [cards[2 * s : 2 * s + 2] for s in range(players)])
    board = cards[2 * players :]
    states = []
    while True:
        while state.cards_to_deal:
            state = state.deal_board(board[len(state.board) :][: state.cards_to_deal])
        states.append(state)
        if state.is_terminal:
            return states
        legal = state.legal_actions()
        actions = [CALL, CALL, CALL] + 2 * [FOLD] * legal.can_fold
        if legal.min_raise_to is not None:
            size = rng.choice([legal.min_raise_to, legal.max_raise_to])
            size = rng.randint(legal.min_raise_to, max(size, legal.min_raise_to))
            actions += [raise_to(size), raise_to(legal.min_raise_to)]
        state = state.apply(rng.choice(actions))


# -- both ways ---------------------------------------------------------------------------------


def test_the_examples_of_the_specification():
    """Two hands of it, from both positions: position 0 is the big blind, raises are totals."""
    message = read_message("MATCHSTATE:0:30:cc/r250c/r500c/:9s8h|/8c8d5c/6s/2d \r\n", DOYLE)
    assert message is not None
    assert (message.seat, message.hand, message.my_turn) == (1, 30, True)
    assert message.state.paid == (500, 500)
    assert acpc.action_text(message.state, raise_to(750)) == "r1250"
    assert acpc.parse_action("r1250", message.state) == raise_to(750)
    assert acpc.reply_line(message.line, "r1250") == (
        "MATCHSTATE:0:30:cc/r250c/r500c/:9s8h|/8c8d5c/6s/2d:r1250"
    )

    first = read_message("MATCHSTATE:1:31::|JdTc", DOYLE)
    assert first is not None
    assert (first.seat, first.my_turn, first.state.hole_cards) == (0, True, ((37, 32), None))

    last = "MATCHSTATE:1:31:r300r900c/r1800r3600r9000c/r20000c/:KsJs|JdTc/6dJc9c/Kh/Qc"
    end = read_message(last, DOYLE)
    assert end is not None
    assert end.state.is_terminal
    assert end.state.payoffs() == (20_000, -20_000)


@pytest.mark.parametrize("players", [2, 3, 6, 9])
def test_hands_come_back_as_they_were_told(players):
    """To every seat, at every decision; others' cards are there only at a showdown."""
    here = table(players)
    rng = random.Random(3 * players)
    ends = set()
    for hand in range(100 // players):
        states = random_hand(here, rng)
        for state in states:
            showdown = state.is_terminal and len(state.live) > 1
            for seat in range(players):
                line = acpc.match_state_line(here, state, hand, seat)
                message = read_message(line, here)
                assert message is not None
                assert (message.seat, message.hand, message.line) == (seat, hand, line)
                told = message.state
                assert told.events == state.events
                assert (told.paid, told.actor, told.board) == (
                    state.paid,
                    state.actor,
                    state.board,
                )
                for other in range(players):
                    seen = other == seat or (showdown and other in state.live)
                    assert told.hole_cards[other] == (state.hole_cards[other] if seen else None)
        state = states[-1]
        ends.add(len(state.live) > 1)
        names = [f"player{seat}" for seat in range(players)]
        line = acpc.log_line(here, state, hand, state.payoffs(), names)
        logged = read_log_line(line, here)
        assert logged is not None
        assert logged.state == state
        assert (logged.hand, logged.values, logged.players) == (hand, state.payoffs(), tuple(names))
    assert ends == {True, False}


@pytest.mark.parametrize("players", [2, 3, 6])
def test_the_competitions_own_code_tells_the_same(players):
    """Its rules let the same be played, its text is ours, and the chips go the same way."""
    here = table(players, stack=700)
    definition = dict(line.split(" = ") for line in write_game(here).splitlines() if " = " in line)
    theirs = pyspiel.load_game(
        "universal_poker",
        {
            "betting": "nolimit",
            "bettingAbstraction": "fullgame",
            "numPlayers": players,
            "numRounds": 4,
            "numSuits": 4,
            "numRanks": 13,
            "numHoleCards": 2,
            "numBoardCards": "0 3 1 1",
            **{key: definition[key] for key in ("stack", "blind", "firstPlayer")},
        },
    )
    rng = random.Random(players)
    for hand in range(40):
        states = random_hand(here, rng)
        compare(here, states, hand, theirs.new_initial_state())


def compare(here: Table, states: list[State], hand: int, theirs) -> None:
    end = states[-1]
    cards = iter([card for seat in here.seats for card in end.hole_cards[seat]] + list(end.board))

    def deal():
        while theirs.is_chance_node():
            theirs.apply_action(next(cards))

    for state, after in pairwise(states):
        deal()
        assert theirs.current_player() == here.position_of(state.actor)
        legal = state.legal_actions()
        can = theirs.legal_actions()
        assert (0 in can) == legal.can_fold
        raises = [size for size in can if size > 1]
        paid = state.paid[state.actor] - state.bets[state.actor]
        if legal.min_raise_to is None:
            assert raises == []
        else:
            assert raises == list(range(paid + legal.min_raise_to, paid + legal.max_raise_to + 1))
        played = after.events[len(state.events)]
        assert isinstance(played, Played)
        text = acpc.action_text(state, played.action)
        theirs.apply_action({"f": 0, "c": 1}.get(text) or int(text[1:] or "0"))
    deal()
    assert theirs.is_terminal()
    written = str(theirs).split("ACPC State: STATE:0:")[1].split("\n")[0].split(":")[0]
    line = acpc.log_line(here, end, hand, end.payoffs(), ["x"] * len(here.seats))
    # After an all-in open_spiel shows the streets as they were bet on.
    assert line.split(":")[2].rstrip("/") == written.rstrip("/")
    won = [theirs.returns()[here.position_of(seat)] for seat in range(len(here.seats))]
    # Here odd chips go to the first seats, there they are cut.
    assert max(abs(a - b) for a, b in zip(won, end.payoffs(), strict=True)) < 1


def test_an_all_in_is_run_out_at_once():
    here = table(2)
    state = State.new(here.game, [(0, 1), (2, 3)])
    state = state.apply(raise_to(2_000)).apply(CALL)
    for cards in ((4, 5, 6), (7,), (8,)):
        state = state.deal_board(cards)

    line = acpc.match_state_line(here, state, 7, 0)

    assert line == "MATCHSTATE:1:7:r2000c///:2h2s|2c2d/3c3d3h/3s/4c"
    assert read_message(line, here) is not None


# -- comments and nonsense ---------------------------------------------------------------------


@pytest.mark.parametrize("line", ["", "# hello", "; gui", "STATE:1:", "SCORE:1|2:a|b", "hello"])
def test_other_lines_are_skipped(line):
    assert read_message(line, DOYLE) is None


@pytest.mark.parametrize(
    "line",
    [
        "MATCHSTATE",
        "MATCHSTATE:",
        "MATCHSTATE:0:0",
        "MATCHSTATE:2:0::|AsKs",  # a position that is not there
        "MATCHSTATE:0:0::|AsKs",  # the cards of another
        "MATCHSTATE:1:0::|AsKsQs",
        "MATCHSTATE:1:0::|As",
        "MATCHSTATE:1:0::|AsAs",
        "MATCHSTATE:1:0::AsKs",
        "MATCHSTATE:1:0::||AsKs",  # three players
        "MATCHSTATE:1:0:x:|AsKs",
        "MATCHSTATE:1:0:r:|AsKs",  # a limit raise
        "MATCHSTATE:1:0:r150:|AsKs",  # below the minimum
        "MATCHSTATE:1:0:r20001:|AsKs",
        "MATCHSTATE:1:0:r0200:|AsKs",  # not as it is written
        "MATCHSTATE:01:0::|AsKs",
        "MATCHSTATE:1:00::|AsKs",
        "MATCHSTATE:1:0:cc:|AsKs",  # no flop
        "MATCHSTATE:1:0:cc/:|AsKs",
        "MATCHSTATE:1:0:cc/:|AsKs/2c3c",
        "MATCHSTATE:1:0:cc/:|AsKs/2c3cKs",
        "MATCHSTATE:1:0:c/c:|AsKs/2c3c4c",
        "MATCHSTATE:1:0:cc/:|AsKs/2c3c4c/5c",
        "MATCHSTATE:1:0:ff:|AsKs",
        "MATCHSTATE:1:0:cf:|AsKs",  # a fold for free
        "MATCHSTATE:1:0::|AsKs:c",  # an answer
        "MATCHSTATE:1:0:r99999999999:|AsKs",
        "MATCHSTATE:1:" + "9" * 5000 + "::|AsKs",
        "MATCHSTATE:1:0::|AsKs\x00",
        "MATCHSTATE:١:0::|AsKs",  # a digit, but not one of ours
    ],
)
def test_what_is_no_match_state_is_refused_in_words(line):
    with pytest.raises(ProtocolError) as error:
        read_message(line, DOYLE)
    assert error.value.remedy
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    "line",
    [
        "STATE:0:",
        "STATE:0:f:AsKs|2c3c:50|-50",
        "STATE:0:f:AsKs|2c3c:50:a|b",
        "STATE:0:f:AsKs|2c3c:x|y:a|b",
        "STATE:0:f:AsKs|2c3c:50|-50:a",
        "STATE:0:c:AsKs|2c3c:50|-50:a|b",
    ],
)
def test_what_is_no_hand_of_a_log_is_refused(line):
    with pytest.raises(ProtocolError):
        read_log_line(line, DOYLE)


def test_shares_of_a_chip_can_be_read():
    hand = read_log_line("STATE:3:f:AsKs|2c3c:33.333333|-50.5:a|b", DOYLE)
    assert hand is not None
    assert hand.values == (-50.5, 33.333333)
    assert hand.players == ("b", "a")


LINES = [
    "MATCHSTATE:0:30:cc/r250c/r500c/:9s8h|/8c8d5c/6s/2d",
    "MATCHSTATE:1:31:r300r900c/r1800r3600r9000c/r20000c/:KsJs|JdTc/6dJc9c/Kh/Qc",
    "STATE:30:cc/r250f:9s8h|9c6h/8c8d5c:100|-100:a|b",
]


@st.composite
def damaged(draw) -> str:
    """A good line with some characters changed, taken out, or doubled."""
    line = draw(st.sampled_from(LINES))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(line)))
        middle = draw(st.one_of(st.just(""), st.text(max_size=3), st.sampled_from(list("fcr/:|9"))))
        line = line[:place] + middle + line[place + draw(st.integers(0, 3)) :]
    return line


@given(
    st.one_of(damaged(), st.text(), st.binary().map(lambda b: "MATCHSTATE:" + b.decode("latin1")))
)
def test_any_text_is_read_or_refused(line):
    """Nothing but a ProtocolError comes out, and what is read is what would be written."""
    for read in (read_message, read_log_line):
        try:
            found = read(line, DOYLE)
        except ProtocolError:
            continue
        if isinstance(found, acpc.MatchState):
            again = acpc.match_state_line(DOYLE, found.state, found.hand, found.seat)
            assert again == line.strip()


@given(st.text(max_size=12))
def test_any_action_is_read_or_refused(text):
    state = State.new(DOYLE.game)
    try:
        action = acpc.parse_action(text, state)
    except ProtocolError:
        return
    try:
        state.apply(action)
    except RulesError:
        assert action.kind is ActionKind.RAISE
        return
    assert acpc.action_text(state, action) == text or text.startswith("r0")


@given(st.lists(st.binary(max_size=40)))
def test_bytes_become_the_same_lines_however_they_are_cut(pieces):
    buffer = LineBuffer()
    found = [line for piece in pieces for line in buffer.feed(piece)]

    whole = b"".join(pieces).split(b"\n")[:-1]
    assert found == [line.decode("ascii", "replace").strip() for line in whole]


def test_a_line_without_end_is_refused_before_it_fills_memory():
    buffer = LineBuffer()
    for _ in range(65):
        assert buffer.feed(b"x" * 1000) == []
    with pytest.raises(ProtocolError, match="65,536"):
        buffer.feed(b"x" * 1000)
    assert buffer.feed(b"c\n") == ["c"]


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("VERSION:2.0.0", True),
        ("VERSION:2.0.7", True),
        ("VERSION:1.0.0", False),
        ("VERSION:2.1.0", False),
        ("VERSION:2", False),
        ("", False),
        ("GET / HTTP/1.1", False),
    ],
)
def test_versions(line, good):
    if good:
        acpc.check_version(line)
    else:
        with pytest.raises(ProtocolError):
            acpc.check_version(line)


# -- game definitions --------------------------------------------------------------------------

HEADS_UP = """\
# the competition's heads-up game
GAMEDEF
nolimit
numPlayers = 2
numRounds = 4
stack = 20000 20000
blind = 100 50
firstPlayer = 2 1 1 1
numSuits = 4
numRanks = 13
numHoleCards = 2
numBoardCards = 0 3 1 1
END GAMEDEF
"""


def test_the_competitions_game():
    """Its first position is the big blind, which is seat 1."""
    here = parse_game(HEADS_UP, name="hu")

    assert here == DOYLE
    assert here.seats == (1, 0)
    assert parse_game(write_game(here), name="hu") == here


def test_capitals_and_signs_do_not_matter():
    assert parse_game(HEADS_UP.upper().replace("=", " ").replace("\n", "\r\n"), name="hu") == DOYLE


def test_blinds_the_other_way_round():
    """A definition in which the first position posts the small blind and opens the betting."""
    text = HEADS_UP.replace("100 50", "50 100").replace("2 1 1 1", "1 2 2 2")
    here = parse_game(text, name="hu")

    assert here.game == DOYLE.game
    assert here.seats == (0, 1)
    assert parse_game(write_game(here), name="hu") == here


def test_any_order_of_acting():
    here = parse_game(HEADS_UP.replace("firstPlayer = 2 1 1 1\n", ""))

    assert here.game.first_to_act == (0, 0, 0, 0)
    assert here.game.blinds == (100, 50)
    assert State.new(here.game).actor == 0


def test_different_stacks():
    here = parse_game(HEADS_UP.replace("20000 20000", "300 20000"))

    assert here.game.stacks == (20_000, 300)
    assert parse_game(write_game(here)) == here


@pytest.mark.parametrize("name", ["hu", "3-max", "6-max"])
def test_the_definitions_that_come_with_it(name):
    """They are the tables of the configs beside them."""
    here = read_game(GAMES / f"{name}.game")

    assert here == Table.of(replace(load_game(name), menu=here.game.menu))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("nolimit", "limit", "limit game"),
        ("nolimit\n", "", "neither limit nor nolimit"),
        ("END GAMEDEF", "", "END GAMEDEF"),
        ("GAMEDEF\nnolimit", "nolimit", "no line GAMEDEF"),
        ("numRanks = 13", "numRanks = 3", "numranks is 3"),
        ("numBoardCards = 0 3 1 1", "numBoardCards = 0 1", "numboardcards is 0 1"),
        ("numHoleCards = 2\n", "", "numholecards"),
        ("numPlayers = 2", "numPlayers = 10", "numplayers is 10"),
        ("numPlayers = 2\n", "", "numplayers"),
        ("numPlayers = 2", "numPlayers = two", "line 4"),
        ("stack = 20000 20000", "stack = 20000", "stack has 1 numbers"),
        ("stack = 20000 20000\n", "", "no stack"),
        ("stack = 20000 20000", "stack = 100 20000", "does not exceed the largest blind"),
        ("stack = 20000 20000", "stack = 2000000 20000000", "so deep"),
        ("blind = 100 50", "blind = 0 0", "no blinds"),
        ("blind = 100 50", "blnd = 100 50", "not of a game definition"),
        ("firstPlayer = 2 1 1 1", "firstPlayer = 3 1 1 1", "firstplayer"),
        ("firstPlayer = 2 1 1 1", "maxRaises = 3 3 3 3", "maxraises"),
    ],
)
def test_what_cannot_be_played_is_refused(old, new, message):
    assert old in HEADS_UP
    with pytest.raises(ConfigError, match=message) as error:
        parse_game(HEADS_UP.replace(old, new))
    assert error.value.remedy


def test_a_straddle_is_refused():
    text = HEADS_UP.replace("numPlayers = 2", "numPlayers = 3").replace("100 50", "50 100 200")
    with pytest.raises(ConfigError, match="straddle"):
        parse_game(text.replace("20000 20000", "20000 20000 20000"))


@given(st.one_of(st.text(), st.text().map(lambda text: HEADS_UP.replace("2", text))))
def test_any_text_is_a_game_or_refused(text):
    try:
        here = parse_game(text)
    except ConfigError:
        return
    assert parse_game(write_game(here)) == here


def test_a_missing_file_is_named(tmp_path):
    (tmp_path / "hu.game").write_text(HEADS_UP)
    with pytest.raises(ConfigError, match=r"hu\.gam does not exist") as error:
        read_game(tmp_path / "hu.gam")
    assert "hu.game" in error.value.remedy
    (tmp_path / "bad.game").write_bytes(bytes(range(256)))
    with pytest.raises(ConfigError, match=r"bad\.game"):
        read_game(tmp_path / "bad.game")


def test_a_folder_of_a_games_name_hides_nothing(tmp_path, monkeypatch):
    (tmp_path / "hu").mkdir()
    monkeypatch.chdir(tmp_path)

    assert read_game("hu").game.name == "hu"
    with pytest.raises(StorageError, match=f"cannot read {tmp_path}: Is a directory"):
        read_game(tmp_path)


@pytest.mark.parametrize(
    ("game", "why"),
    [
        (GameConfig(ante=10), "has an ante"),
        (GameConfig(menu=BetMenu(streets=(("a",),))), "is not hold'em on 4 streets"),
        (GameConfig(blinds=()), "has no blinds"),
    ],
    ids=["ante", "street", "blinds"],
)
def test_games_that_the_protocol_cannot_hold(game, why):
    with pytest.raises(ConfigError, match=why):
        Table.of(game)


def test_the_longest_hand_fits_into_a_line():
    """Every raise the least one, at the deepest game that is accepted."""
    here = Table.of(GameConfig(stacks=(10_000,), blinds=(1, 2)))
    state = State.new(here.game, [(0, 1), (2, 3)])
    while state.actor is not None:
        least = state.legal_actions().min_raise_to
        state = state.apply(CALL if least is None else raise_to(least))
    while state.cards_to_deal:
        start = 4 + len(state.board)
        state = state.deal_board(range(start, start + state.cards_to_deal))

    line = acpc.match_state_line(here, state, 0, 0)

    assert 20_000 < len(line) < MAX_LINE_BYTES
    assert read_message(line, here) is not None
