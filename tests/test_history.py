"""Hand histories: written, read back, and read by pokerkit."""

import io
import tomllib
from dataclasses import replace

import pokerkit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdem.errors import CardError, ConfigError, HoldemError, RulesError, StorageError
from holdem.game.cards import parse_cards
from holdem.game.games import kuhn, push_fold
from holdem.game.history import HandHistory, Shown, dumps, dumps_all, loads, loads_all
from holdem.game.rules import CALL, FOLD, Played, State, raise_to
from holdem.types import GameConfig
from tests.test_rules_pokerkit import Deal, random_action, random_deal, reference_payoffs
from tests.vectors import VECTORS

MINIMAL = VECTORS["phh_minimal"]


def finished(deal: Deal, most_actions: int = 1_000) -> State:
    """Play *deal* to its end, or to its *most_actions*-th decision."""
    state = State.new(replace(deal.game, name="hand"), deal.holes)
    while not state.is_terminal:
        if state.actor is None:
            state = state.deal_board(deal.board[len(state.board) :][: state.cards_to_deal])
            continue
        if sum(isinstance(event, Played) for event in state.events) == most_actions:
            break
        state = state.apply(random_action(state.legal_actions(), deal.actions))
    return state


def read_by_pokerkit(text: str) -> pokerkit.State:
    """The last state that pokerkit finds in *text*."""
    history = pokerkit.HandHistory.load(io.BytesIO(text.encode()))
    *_, last = history
    return last


# ---- the format -------------------------------------------------------------------------------


def test_the_minimal_hand_is_read():
    """Heads-up p2 is the button: seat 0, the small blind, first to act."""
    history = loads(MINIMAL)

    assert history.state.game.blinds == (50, 100)
    assert history.state.game.stacks == (20_000, 20_000)
    assert history.state.hole_cards == (parse_cards("AsKs"), None)
    assert history.state.events == (Played(0, raise_to(300)), Played(1, FOLD))
    assert history.payoffs() == (100, -100)


def test_the_minimal_hand_is_written():
    assert tomllib.loads(dumps(loads(MINIMAL))) == tomllib.loads(MINIMAL)


def test_seats_are_players_in_their_order():
    """Unequal stacks and names go to the right players, and pokerkit agrees on the blinds."""
    game = GameConfig(num_players=2, stacks=(5_000, 7_000), blinds=(50, 100), ante=10)
    text = dumps(HandHistory.of(State.new(game).apply(FOLD), players=["button", "big"], hand=7))
    fields = tomllib.loads(text)

    assert fields["starting_stacks"] == [7_000, 5_000]
    assert fields["players"] == ["big", "button"]
    assert fields["finishing_stacks"] == [7_060, 4_940]
    assert fields["actions"] == ["d dh p1 ????", "d dh p2 ????", "p2 f"]
    assert fields["hand"] == 7
    assert read_by_pokerkit(text).stacks == [7_060, 4_940]


def test_a_run_out_is_written_after_the_hands_are_shown():
    game = GameConfig(num_players=3, stacks=(1_000,) * 3)
    state = State.new(game, [parse_cards("AsKs"), parse_cards("QhQd"), parse_cards("2c3c")])
    state = state.apply(FOLD).apply(raise_to(1_000)).apply(CALL)
    for cards in ("4c5c6d", "7h", "8h"):
        state = state.deal_board(parse_cards(cards))

    actions = tomllib.loads(dumps(HandHistory.of(state)))["actions"]
    assert actions == [
        "d dh p1 AsKs",
        "d dh p2 QhQd",
        "d dh p3 2c3c",
        "p3 f",
        "p1 cbr 1000",
        "p2 cc",
        "p1 sm AsKs",
        "p2 sm QhQd",
        "d db 4c5c6d",
        "d db 7h",
        "d db 8h",
    ]


# ---- there and back ---------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.integers(0, 30))
def test_a_hand_is_read_back(seed, most_actions):
    """Finished or not, with all its cards."""
    deal = random_deal(seed)
    names = [f"seat {seat}" for seat in range(deal.game.num_players)]
    history = HandHistory.of(finished(deal, most_actions), players=names, hand=seed)

    assert loads(dumps(history)) == history


values = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.dates()
    | st.times()
    | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc -\"'\n"), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["event", "venue", "_x", "two words", 'a"b', ""]), values))
def test_other_fields_are_read_back(details):
    history = replace(loads(MINIMAL), details=details)

    assert loads(dumps(history)).details == details


def test_many_hands_are_read_back():
    histories = [HandHistory.of(finished(random_deal(seed)), hand=seed) for seed in range(20)]
    text = dumps_all(histories)

    assert loads_all(text) == histories
    theirs = list(pokerkit.HandHistory.load_all(io.BytesIO(text.encode())))
    assert [history.hand for history in theirs] == list(range(20))
    assert loads_all("") == []


def test_pokerkit_reads_what_is_written():
    """The same board, cards and chips, but for the reasons of tests/test_rules_pokerkit.py."""
    compared = 0
    for seed in range(150):
        state = finished(random_deal(seed))
        game = state.game
        if max(State.new(game).bets) < max(game.blinds):
            continue  # pokerkit lets a short blind be called for less
        theirs = read_by_pokerkit(dumps(HandHistory.of(state)))
        assert not theirs.status
        assert [int(c.rank != "") for c in theirs.get_board_cards(0)] == [1] * len(state.board)
        order = (1, 0) if game.num_players == 2 else range(game.num_players)
        payoffs = tuple(theirs.payoffs[player] for player in order)
        assert payoffs in (state.payoffs(), reference_payoffs(state, like_pokerkit=True))
        compared += 1
    assert compared > 100


def test_what_pokerkit_writes_is_read():
    """Its histories have checks that no rule asks for, and come to the same chips."""
    read = 0
    for seed in range(150):
        state = finished(random_deal(seed))
        if max(State.new(state.game).bets) < max(state.game.blinds):
            continue
        ours = HandHistory.of(state)
        loaded = pokerkit.HandHistory.load(io.BytesIO(dumps(ours).encode()))
        *_, last = loaded
        theirs = pokerkit.HandHistory.from_game_state(loaded.create_game(), last)
        theirs.ante_trimming_status = True
        again = loads(theirs.dumps())
        assert again.state.events == state.events
        assert again.payoffs() == state.payoffs()
        read += 1
    assert read > 100


# ---- showdowns --------------------------------------------------------------------------------

SHOWDOWN = """variant = 'NT'
antes = [0, 0, 0]
blinds_or_straddles = [1, 2, 0]
min_bet = 2
starting_stacks = [100, 100, 100]
actions = [
  'd dh p1 ????', 'd dh p2 AsAd', # dealt in two goes:
  'd dh p3 Kc', 'd dh p3 Kd',
  'p3 cc', 'p1 cc', 'p2 cc',
  'd db 2c3d4h', 'p1 cc', 'p2 cc', 'p3 cc',
  'd db 9c', 'p1 cc', 'p2 cc', 'p3 cc',
  'd db 8c', 'p1 cc', 'p2 cc', 'p3 cc', # nobody bets
  '# the small blind shows',
  SHOWN
]
"""


@pytest.mark.parametrize(
    ("shown", "payoffs"),
    [
        ("'p1 sm 5c6c', 'p2 sm -', 'p3 sm'", (4, -2, -2)),  # a straight
        ("'p1 sm 7s7h', 'p2 sm AsAd', 'p3 sm'", (-2, 4, -2)),
        ("'p1 sm', 'p2 sm AsAd', 'p3 sm'", (-2, 4, -2)),
        ("'p1 sm', 'p2 sm', 'p3 sm KcKd'", (-2, -2, 4)),  # the aces were thrown away
    ],
)
def test_hands_are_shown_or_thrown_away(shown, payoffs):
    history = loads(SHOWDOWN.replace("SHOWN", shown))

    assert history.payoffs() == payoffs
    assert loads(dumps(history)) == history


def test_a_hand_that_nobody_has_seen_does_not_lose():
    history = loads(SHOWDOWN.replace("SHOWN", "'p2 sm AsAd'"))

    assert history.shown == (Shown(1, parse_cards("AsAd")),)
    with pytest.raises(RulesError, match="cards that are not known"):
        history.payoffs()
    with pytest.raises(RulesError, match="cards that are not known"):
        loads(SHOWDOWN.replace("SHOWN", "'p3 sm'")).payoffs()


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "instead", "error", "message"),
    [
        ("min_bet = 2\n", "min_bet 2\n", StorageError, "line 4, column 9: not TOML: Expected '='"),
        ("\n]\n", "", StorageError, "line 14: not TOML: Unclosed array"),
        ("min_bet = 2\n", "", StorageError, "line 1: the hand has no 'min_bet'"),
        ("'NT'", "'PO'", StorageError, "line 1: variant 'PO' is not no-limit hold'em"),
        ("min_bet = 2", "min_bet = 0.5", StorageError, "line 4: min_bet holds 0.5, .* whole chips"),
        ("min_bet = 2", "min_bet = true", StorageError, "line 4: min_bet holds True"),
        ("[100, 100, 100]", "100", StorageError, "line 5: starting_stacks holds 100, .* brackets"),
        ("[0, 0, 0]", "[0, 0]", StorageError, "line 2: antes has 2 numbers for 3 starting stacks"),
        ("'p1 cc', 'p2 cc',\n", "7,\n", StorageError, "line 6: actions holds 7, .* a text"),
        ("min_bet = 2", "min_bet = 4", ConfigError, "line 4: min_bet is 4: .* the big blind 2"),
        ("[0, 0, 0]", "[0, 2, 0]", ConfigError, "line 2: antes .* all must be the same"),
        ("[1, 2, 0]", "[1, 2, -2]", ConfigError, "line 3: .*new players cannot post"),
        ("[1, 2, 0]", "[1, 2, 1]", ConfigError, "line 3: .*let seat 2 act first"),
        ("[100, 100, 100]", "[100, 100, 0]", ConfigError, "line 3: game.stacks is"),
        ("AsAd", "AsAx", CardError, "line 7: .*not a card: 'Ax'"),
        ("AsAd", "AsAdAc", CardError, "line 7: .*a hand of 3 cards"),
        ("AsAd", "As", CardError, "line 14: 'p2 sm AsAd': AsAd shown, As dealt"),
        ("'d dh p3 Kc', ", "", CardError, "line 6: seat 2 holds 1 cards, not 2"),
        ("'d dh p3 Kc'", "'d dh p3 ??'", CardError, r"line 6: a hand known by half: \?\?Kd"),
        ("'d dh p3 Kc'", "'d dh p3 Ad'", CardError, "line 6: card 49 is out twice"),
        ("2c3d4h", "2c3dKd", CardError, "line 10: 'd db 2c3dKd': card .* out twice"),
        ("2c3d4h", "2c3d", RulesError, "line 10: .*2 board cards dealt, 3 wanted"),
        ("'d db 9c'", "'p1 cbr 1'", RulesError, "line 11: .*nobody is to act, not p1"),
        ("'p3 cc', 'p1 cc', 'p2", "'p1 cc', 'p2", RulesError, "line 9: .*p3 is to act, not p1"),
        ("'p3 cc', 'p1", "'p3 cbr 3', 'p1", RulesError, "line 9: .*seat 2 cannot raise to 3"),
        ("'p3 cc', 'p1", "'p3 cbr 4.5', 'p1", RulesError, "line 9: .*'4.5' is not whole chips"),
        (
            "'p3 cc', 'p1",
            f"'p3 cbr {'9' * 5000}', 'p1",
            RulesError,
            r"line 9: .*'9+\.\.\. is not whole chips",
        ),
        ("'p3 cc', 'p1", "'p4 f', 'p1", StorageError, "line 9: 'p4 f': no player 'p4'"),
        ("'p3 cc', 'p1", "'d cc', 'p1", StorageError, "line 9: 'd cc': no player 'd'"),
        ("'p3 cc', 'p1", "'p3 sd', 'p1", StorageError, "line 9: 'p3 sd': not an action"),
        ("SHOWN", "'p2 sm AcAd'", CardError, "line 14: .*AcAd shown, AsAd dealt"),
    ],
)
def test_a_hand_that_cannot_be_is_refused_with_its_line(found, instead, error, message):
    assert found in SHOWDOWN
    text = SHOWDOWN.replace(found, instead, 1).replace("SHOWN", "'p2 sm AsAd'")

    with pytest.raises(error, match=message) as refusal:
        loads(text)

    assert refusal.value.remedy


def test_the_line_is_that_of_the_right_hand():
    hand = SHOWDOWN.replace("SHOWN", "'p2 sm'")
    wrong = hand.replace("2c3d4h", "2c3d")
    lines = hand.count("\n")

    with pytest.raises(RulesError, match=f"line {lines + 12}: 'd db 2c3d'"):
        loads_all(f"[1]\n{hand}[2]\n{wrong}[3]\n{hand}")
    with pytest.raises(StorageError, match="line 1: 'variant' stands outside the hands"):
        loads_all(hand)


def test_players_short_of_the_ante_must_win_by_our_rules():
    text = MINIMAL.replace("antes = [0, 0]", "antes = [10, 10]").replace("20000, 20000", "9, 20000")

    with pytest.raises(ConfigError, match=r"line 5: .*one is below the ante 10"):
        loads(text)
    text = text.replace("'p2 cbr 300', 'p1 f'", "")
    history = loads("ante_trimming_status = true\n" + text)
    assert history.state.paid == (60, 9)


@pytest.mark.parametrize("stacks", ["[]", "[100]", f"[{', '.join(['100'] * 10)}]"])
def test_a_hand_has_two_to_nine_players(stacks):
    zeros = stacks.replace("100", "0")
    text = MINIMAL.replace("[20000, 20000]", stacks).replace("[0, 0]", zeros)

    with pytest.raises(ConfigError, match=r"line \d: .*players"):
        loads(text.replace("[50, 100]", zeros))


@pytest.mark.parametrize(
    ("game", "why"),
    [
        (kuhn(), "is not hold'em with four streets"),
        (push_fold(10), "is not hold'em with four streets"),
        (GameConfig(blinds=(100, 100)), "let seat 1 act first, not seat 0"),
        (GameConfig(blinds=(), ante=10), "let seat 1 act first, not seat 0"),
        (GameConfig(first_to_act=(1, 1, 1, 1)), "let seat 0 act first, not seat 1"),
        (GameConfig(num_players=3, blinds=(50, 100, 50)), "let seat 2 act first, not seat 0"),
    ],
    ids=str,
)
def test_a_game_that_readers_would_play_otherwise_is_not_written(game, why):
    with pytest.raises(ConfigError, match=why):
        dumps(HandHistory.of(State.new(game)))


def test_details_are_what_the_format_can_hold():
    state = loads(MINIMAL).state

    with pytest.raises(ConfigError, match="cannot hold None"):
        dumps(HandHistory.of(state, venue=None))
    with pytest.raises(ConfigError, match="details has 'antes'"):
        dumps(HandHistory.of(state, antes=[0, 0]))
    with pytest.raises(ConfigError, match="1 names for 2 players"):
        HandHistory.of(state, players=["one"])


@given(st.integers(0, len(MINIMAL)), st.text("'[]\"=#,p12 \n", max_size=3))
def test_a_damaged_text_is_refused_or_read(place, junk):
    """Never anything but a `HoldemError`."""
    try:
        loads(MINIMAL[:place] + junk + MINIMAL[place + 1 :])
    except HoldemError as error:
        message = str(error)
    else:
        return
    assert "line" in message
