"""The rules of the game, case by case; tests/test_rules_pokerkit.py plays random hands."""

import pytest

from holdem.errors import CardError, RulesError
from holdem.game.games import kuhn, leduc
from holdem.game.rules import CALL, FOLD, Action, LegalActions, Pot, State, raise_to
from holdem.types import BetMenu, GameConfig
from tests.reference.settle import settle
from tests.vectors import VECTORS

CASES = VECTORS["pokerkit_rules"]


def game(stacks, blinds=(50, 100), **fields) -> GameConfig:
    return GameConfig(num_players=len(stacks), stacks=tuple(stacks), blinds=blinds, **fields)


def play(state: State, *actions: Action) -> State:
    """Play *actions* and, between them, check streets down to nothing."""
    for action in actions:
        state = state.apply(action)
    return state


def run_out(state: State) -> State:
    """Deal the rest of the board from the cards that nobody holds."""
    held = {card for hole in state.hole_cards if hole for card in hole}
    deck = iter(sorted(set(range(52)) - held))
    while not state.is_terminal:
        state = state.apply(CALL) if state.actor is not None else state
        if state.cards_to_deal:
            state = state.deal_board([next(deck) for _ in range(state.cards_to_deal)])
    return state


def test_a_seat_sees_its_own_cards():
    state = State.new(game([1_000] * 3), [[0, 1], [2, 3], [4, 5]])

    assert state.seen_by(1).hole_cards == (None, (2, 3), None)
    assert state.seen_by(1).apply(FOLD).hole_cards == (None, (2, 3), None)
    assert state.seen_by(1).legal_actions() == state.legal_actions()


# ---- the cases of the vectors file ------------------------------------------------------------


def test_a_short_all_in_keeps_the_size_of_a_full_raise():
    state = play(State.new(game([10_000, 10_000, 10_000, 400])), raise_to(300), raise_to(400))

    assert state.actor == 0
    assert state.legal_actions().min_raise_to == CASES[0]["min_raise_to"]


def test_a_short_all_in_does_not_reopen_the_betting():
    state = play(
        State.new(game([10_000, 10_000, 10_000, 400])), raise_to(300), raise_to(400), CALL, CALL
    )

    assert state.actor == 2
    assert (state.legal_actions().min_raise_to is not None) is CASES[1]["can_raise"]
    assert state.legal_actions() == LegalActions(True, 100, None, None)


def test_short_all_ins_that_make_a_full_raise_together_reopen_the_betting():
    # A to E are seats 0 to 4, on the flop.
    state = State.new(game([9_000, 9_000, 9_000, 1_400, 1_800]))
    state = play(state, CALL, CALL, CALL, CALL, CALL).deal_board([0, 5, 10])
    state = play(state, raise_to(500), raise_to(1_000), CALL, raise_to(1_300), raise_to(1_700))
    state = state.apply(FOLD)

    assert state.actor == 1
    assert CASES[2]["can_raise"]
    assert state.legal_actions().min_raise_to == CASES[2]["min_raise_to"]
    # C has called 1000 and faces 700 too.
    assert state.apply(CALL).legal_actions().min_raise_to == 2_200


def test_an_odd_chip_goes_left_of_the_button():
    state = play(State.new(game([100] * 3, (1, 2))), raise_to(5), FOLD, CALL)

    assert run_out(state).payoffs([0, 7, 7]) == tuple(CASES[3]["payoffs"])


def test_two_odd_chips_go_to_two_seats():
    state = play(State.new(game([100] * 4, (1, 2))), raise_to(5), CALL, CALL, FOLD)
    done = run_out(state)

    # pokerkit, which the case was taken from, gives both to the small blind.
    assert CASES[4]["payoffs"] == [2, -2, 0, 0]
    assert done.payoffs([7, 0, 7, 7]) == (1, -2, 1, 0)
    folded = [False, True, False, False]
    assert settle(done.paid, folded, [7, 0, 7, 7], range(4), like_pokerkit=True) == (2, -2, 0, 0)


def test_folded_chips_are_dead_money_and_an_uncalled_bet_returns():
    state = play(State.new(game([1_000, 500, 2_000])), raise_to(2_000), CALL, FOLD)

    assert state.betting_is_over
    assert state.contributions == (1_000, 100, 1_000)
    assert state.pots == (Pot(2_100, (0, 2)),)
    assert state.payoffs([9, 0, 8]) == tuple(CASES[5]["payoffs"])


def test_side_pots():
    state = State.new(game([300, 1_000, 650, 1_000, 2_000]))
    state = play(state, raise_to(650), raise_to(1_000), FOLD, CALL, CALL)

    assert state.pots == (
        Pot(1_200, (0, 1, 2, 3)),
        Pot(1_050, (1, 2, 3)),
        Pot(700, (1, 3)),
    )
    assert state.payoffs([9, 8, 7, 6, 0]) == tuple(CASES[6]["payoffs"])


def test_a_short_big_blind_is_called_in_full():
    """The whole blind is the bet to call, as the TDA and the ACPC have it; pokerkit says 60."""
    state = State.new(game([1_000, 60, 1_000]))

    assert CASES[7]["call"] == 60
    assert state.legal_actions() == LegalActions(True, 100, 200, 1_000)
    # What the big blind cannot win is a side pot of the others.
    state = play(state, CALL, CALL)
    assert state.pots == (Pot(180, (0, 1, 2)), Pot(80, (0, 2)))


# ---- more cases -------------------------------------------------------------------------------


def test_heads_up_the_button_posts_the_small_blind_and_acts_first_before_the_flop():
    state = State.new(game([1_000, 1_000]))

    assert state.bets == (50, 100)
    assert state.actor == 0
    state = state.apply(CALL)
    assert state.actor == 1  # the big blind's option
    state = state.apply(CALL).deal_board([0, 5, 10])
    assert state.actor == 1


def test_a_straddle_is_a_blind_until_the_flop():
    state = State.new(game([1_000] * 4, (1, 2, 4)))

    assert state.actor == 3
    assert state.legal_actions() == LegalActions(True, 4, 8, 1_000)
    state = play(state, CALL, CALL, CALL)
    assert state.actor == 2
    assert state.legal_actions() == LegalActions(False, 0, 8, 1_000)
    state = state.apply(CALL).deal_board([0, 5, 10])
    assert state.legal_actions() == LegalActions(False, 0, 2, 996)


def test_a_short_ante_wins_only_as_much_from_each():
    state = State.new(game([4, 100, 100], (1, 2), ante=10))

    assert state.paid == (4, 12, 10)
    assert state.actor == 2
    done = play(state, CALL, CALL)
    assert run_out(done).pots == (Pot(12, (0, 1, 2)), Pot(16, (1, 2)))


def test_an_opening_all_in_below_the_minimum_reopens_nothing():
    state = play(State.new(game([1_000, 1_000, 160])), CALL, CALL, CALL).deal_board([0, 5, 10])
    state = play(state, CALL, CALL, raise_to(60))

    # Both have checked and face less than a bet of 100: they may not raise.
    assert state.legal_actions() == LegalActions(True, 60, None, None)
    early = play(State.new(game([160, 1_000, 1_000])), CALL, CALL, CALL).deal_board([0, 5, 10])
    # Whoever has not acted may, by a full bet.
    assert early.apply(raise_to(60)).legal_actions() == LegalActions(True, 60, 160, 900)


def test_the_betting_stays_open_for_whoever_faces_a_full_raise():
    """Short all-ins of 75 and 114 make a raise of 156; one of 1 more takes nothing away."""
    state = State.new(game([600, 600, 700, 600, 239, 353, 354], (4, 8)))
    state = play(state, raise_to(164), CALL, raise_to(239), raise_to(353), raise_to(354), FOLD)
    state = state.apply(FOLD)

    assert state.actor == 2
    assert state.legal_actions() == LegalActions(True, 190, 510, 700)
    assert state.apply(CALL).legal_actions() == LegalActions(True, 190, 510, 600)


def test_nobody_raises_players_who_cannot_answer():
    state = play(State.new(game([1_000, 300, 300])), raise_to(300))

    assert state.actor == 0
    # The big blind has 300 too, and cannot put in more.
    assert state.legal_actions() == LegalActions(True, 250, None, None)


@pytest.mark.parametrize(
    ("stacks", "actor"),
    [([1_000, 50], None), ([1_000, 51], 0), ([50, 1_000], None), ([51, 1_000], 0)],
)
def test_a_player_who_has_matched_an_all_in_is_not_asked(stacks, actor):
    assert State.new(game(stacks)).actor == actor


def test_an_all_in_is_run_out_street_by_street():
    state = play(State.new(game([1_000, 1_000])), raise_to(1_000), CALL)
    dealt = []

    while not state.is_terminal:
        assert state.actor is None
        assert state.betting_is_over
        dealt.append(state.cards_to_deal)
        state = state.deal_board(range(len(state.board), len(state.board) + state.cards_to_deal))

    assert dealt == [3, 1, 1]
    assert state.payoffs([1, 2]) == (-1_000, 1_000)


def test_a_menu_of_one_street_is_bet_on_once_and_run_out():
    state = State.new(game([1_000, 1_000], menu=BetMenu(streets=(("a",),))))
    state = play(state, CALL, CALL)

    assert state.betting_is_over
    assert run_out(state).board == (0, 1, 2, 3, 4)


def test_the_games_of_kuhn_and_leduc():
    done = play(State.new(kuhn(), [[2], [0]]), raise_to(1), CALL)
    assert done.is_terminal
    assert done.payoffs([2, 0]) == (2, -2)

    state = play(State.new(leduc(), [[0], [3]]), CALL, CALL)
    assert state.cards_to_deal == 1
    state = state.deal_board([1])
    assert state.actor == 0
    done = play(state, raise_to(4), FOLD)
    assert done.payoffs() == (1, -1)
    with pytest.raises(RulesError, match="strength of one-card hands"):
        play(state, CALL, CALL).payoffs()


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actions", "illegal", "found", "legal"),
    [
        ([], raise_to(150), "seat 2 cannot raise to 150 on the preflop", "raise to 200 .. 1000"),
        ([], raise_to(1_001), "raise to 1001", "fold, call 100, raise to 200 .. 1000"),
        ([CALL, CALL], FOLD, "seat 1 cannot fold", "check, raise to 200 .. 500"),
        ([raise_to(1_000)], raise_to(2_000), "raise to 2000", "fold, call 950"),
        ([CALL, raise_to(450)], raise_to(499), "raise to 499", "fold, call 350, raise to 500"),
    ],
)
def test_an_illegal_action_is_refused_with_what_is_legal(actions, illegal, found, legal):
    state = play(State.new(game([1_000, 500, 1_000])), *actions)

    with pytest.raises(RulesError) as error:
        state.apply(illegal)

    assert found in str(error.value)
    assert legal in error.value.remedy


def test_nobody_acts_out_of_turn():
    waiting = play(State.new(game([1_000, 1_000])), CALL, CALL)
    over = play(State.new(game([1_000, 1_000])), FOLD)

    with pytest.raises(RulesError, match="3 board cards come first"):
        waiting.apply(CALL)
    with pytest.raises(RulesError, match="the hand is over"):
        over.legal_actions()
    with pytest.raises(RulesError, match="3 board cards dealt, none wanted"):
        over.deal_board([1, 2, 3])
    with pytest.raises(RulesError, match="1 board cards dealt, 3 wanted"):
        waiting.deal_board([1])
    with pytest.raises(RulesError, match="the hand is not over"):
        waiting.payoffs([1, 2])
    with pytest.raises(RulesError, match="whole chips"):
        raise_to(2.5)  # type: ignore[arg-type]


def test_cards_are_dealt_once():
    state = play(State.new(game([1_000, 1_000]), [[0, 1], None]), CALL, CALL)

    with pytest.raises(CardError, match="card 1 is out twice"):
        state.deal_board([1, 2, 3])
    with pytest.raises(CardError, match="52 is not a card"):
        state.deal_board([50, 51, 52])
    with pytest.raises(CardError, match="card 7 is out twice"):
        State.new(game([1_000, 1_000]), [[7, 8], [9, 7]])
    with pytest.raises(CardError, match="seat 1 holds 1 cards, not 2"):
        State.new(game([1_000, 1_000]), [[7, 8], [9]])
    with pytest.raises(CardError, match="1 hands for 2 players"):
        State.new(game([1_000, 1_000]), [[7, 8]])


def test_a_showdown_needs_cards_or_strengths():
    done = run_out(State.new(game([1_000, 1_000]), [[50, 51], None]))

    with pytest.raises(RulesError, match="cards that are not known"):
        done.payoffs()
    assert done.payoffs([2, 1]) == (100, -100)
