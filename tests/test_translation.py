"""Off-tree bets: the mapping of the paper, and real hands followed in trees with other bets."""

import random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdem._core.deal import HoldemDealer
from holdem.abstraction.translation import Translator, pseudo_harmonic
from holdem.errors import MismatchError, RulesError
from holdem.evaluation.match import FIRST_DEAL
from holdem.game.games import leduc, push_fold
from holdem.game.rules import CALL, FOLD, Action, ActionKind, State, raise_to
from holdem.game.tree import ActionKind as TreeKind
from holdem.game.tree import build_tree, count_tree
from holdem.types import BetMenu, GameConfig
from tests.test_rules_tree import action_to, random_game
from tests.vectors import VECTORS

BUCKETS = (1, 1, 1, 1)
DEFAULT = build_tree(GameConfig(), BUCKETS)
LIMPING = build_tree(
    GameConfig(menu=BetMenu(streets=(("3x, a", "100%, a"), *[("50%, a", "100%, a")] * 3))), BUCKETS
)
ONE_BET = build_tree(GameConfig(menu=BetMenu(streets=(("3x", ""), *[("75%", "")] * 3))), BUCKETS)
THREE = build_tree(
    GameConfig(
        num_players=3,
        menu=BetMenu(streets=(("2.5x, !call", "3x, a, !call", "a"), *[("75%, a", "a")] * 3)),
    ),
    BUCKETS,
)
SIX = build_tree(
    GameConfig(
        num_players=6, menu=BetMenu(streets=(("2.5x, !call", "3x, !call", "a, !call", ""),))
    ),
    BUCKETS,
)
SIX_TO_THE_FLOP = build_tree(
    GameConfig(num_players=6, menu=BetMenu(streets=(("3x", ""), ("100%", "")))), BUCKETS
)


def dealt(state: State) -> State:
    """The state once the next cards are out, whichever they are."""
    while state.cards_to_deal:
        out = len(state.board)
        state = state.deal_board(range(out, out + state.cards_to_deal))
    return state


def played(tree, actions, game=None, seed=0):
    """The follower and the state after *actions*, the board dealt as it comes."""
    game = game or tree.game
    state, follower = State.new(game), Translator(tree, game).begin(seed)
    for action in actions:
        follower = follower.after(state, action)
        state = dealt(state.apply(action))
    return follower, state


def where(tree, actions, game=None, seed=0):
    """The history in the tree of the decision that *actions* lead to; None without one."""
    follower, state = played(tree, actions, game, seed)
    node = follower.decision(state)
    return None if node is None else tree.history(node)


@pytest.mark.parametrize("known", VECTORS["pseudo_harmonic"])
def test_the_mapping_has_the_papers_values(known):
    smaller, larger = known["A"], known["B"]

    assert pseudo_harmonic(smaller, larger, known["x"]) == pytest.approx(known["f"], abs=1e-12)
    assert pseudo_harmonic(smaller, larger, known["median"]) == pytest.approx(0.5, abs=1e-12)


def test_the_mapping_is_certain_at_the_sizes_and_falls_between():
    probabilities = [pseudo_harmonic(0.5, 2.0, 0.5 + step * 0.1) for step in range(16)]

    assert (probabilities[0], probabilities[-1]) == (1.0, pytest.approx(0.0, abs=1e-12))
    assert probabilities == sorted(probabilities, reverse=True)


def test_a_bet_between_two_sizes_is_drawn_with_the_papers_probability():
    """A bet of half the pot on the flop, between 33 % and 75 %, over many hands."""
    translator = Translator(DEFAULT)
    half_pot = [raise_to(250), CALL, CALL, raise_to(250)]
    nodes = [translator.replay(played(DEFAULT, half_pot)[1], 7, hand).node for hand in range(3000)]
    third = DEFAULT.find("r250 c x b165")

    assert set(nodes) == {third, DEFAULT.find("r250 c x b375")}
    expected = pseudo_harmonic(165 / 500, 375 / 500, 0.5)
    assert nodes.count(third) / 3000 == pytest.approx(expected, abs=4 * (0.25 / 3000) ** 0.5)


def test_the_same_hand_is_followed_alike_and_others_are_not():
    translator = Translator(DEFAULT)
    _, state = played(DEFAULT, [raise_to(250), CALL, CALL, raise_to(250)])
    by_hand = [[translator.replay(state, 5, hand).node for hand in range(40)] for _ in range(2)]

    assert by_hand[0] == by_hand[1]
    assert len(set(by_hand[0])) == 2


@pytest.mark.parametrize(
    ("tree", "actions", "expected"),
    [
        # A limp where the menu has none is the smallest raise, and the big blind's check a call.
        (DEFAULT, [CALL], "r250"),
        (DEFAULT, [CALL, CALL], "r250 c /"),
        # The least raise and one beyond all sizes of the menu but all-in.
        (DEFAULT, [raise_to(200)], "r250"),
        (DEFAULT, [raise_to(10_000)], "a"),
        # No all-in in the menu: the largest raise there is.
        (ONE_BET, [raise_to(10_000)], "r300"),
        # A raise that the menu lacks becomes a call: the street is over in the tree, ...
        (ONE_BET, [raise_to(300), raise_to(900)], None),
        # ... and when it is over in reality too, both go on together.
        (ONE_BET, [raise_to(300), raise_to(900), CALL], "r300 c /"),
        # The tree has one street less than reality.
        (SIX, [FOLD, FOLD, FOLD, raise_to(250), FOLD, CALL], None),
        # The opener is re-raised in the tree, where the menu has no call, but not in reality:
        # he calls there, and the flop begins with the big blind in both.
        (THREE, [raise_to(250), FOLD, CALL], "r250 f r750 c /"),
        # Seats in order, folds and all.
        (THREE, [raise_to(250), CALL], "r250 r750"),
    ],
)
def test_rules_of_the_translation(tree, actions, expected):
    assert where(tree, actions) == expected


def test_how_a_bet_is_taken_tells_nothing_of_the_cards():
    """A first raise of one pot, between three quarters and all-in, whatever the raiser holds."""
    state, translator = State.new(DEFAULT.game), Translator(DEFAULT, DEFAULT.game)
    seed, count = 3, 4_000
    cards = np.empty((count, 9), np.uint8)
    dealer = HoldemDealer(2, [np.arange(169, dtype=np.uint8)], np.zeros((169, 169)))
    dealer.cards(seed, FIRST_DEAL, cards)
    followers = [
        translator.begin(seed, FIRST_DEAL + deal).after(state, raise_to(300))
        for deal in range(count)
    ]
    larger = np.array([DEFAULT.history(follower.node) != "r250" for follower in followers])
    aces = cards[:, 0] >> 2 == 12
    expected = 1 - pseudo_harmonic(0.75, 49.5, 1)

    # Four standard errors of 300 and of 3,700 hands.
    assert larger[aces].mean() == pytest.approx(expected, abs=0.08)
    assert larger[~aces].mean() == pytest.approx(expected, abs=0.022)


def test_a_small_bet_is_a_check_or_the_smallest_bet():
    """A bet of 100 into 600 is a check or half the pot; the answer to a check calls it."""
    bet = [raise_to(300), CALL, raise_to(100)]
    found = {where(LIMPING, bet, seed=seed): seed for seed in range(50)}

    assert set(found) == {"r300 c / x", "r300 c / b300"}
    follower, state = played(LIMPING, bet, seed=found["r300 c / x"])
    assert follower.action(state, 0) == CALL
    # Half the pot of 700 + 100, on top of the 100.
    assert follower.action(state, 1) == raise_to(100 + 400)


def test_a_raise_is_of_the_same_size_in_pots_in_reality():
    """After a limp that the tree takes for a raise, 3x of it is a raise of the pot."""
    follower, state = played(DEFAULT, [CALL])
    tokens = [DEFAULT.action_token(child) for child in DEFAULT.children(follower.node)]

    assert tokens == ["f", "c", "r750", "a"]
    assert [follower.action(state, choice) for choice in range(4)] == [
        CALL,  # nothing to fold to
        CALL,
        raise_to(300),
        raise_to(10_000),
    ]


def test_short_stacks_shove_what_they_have_and_are_asked_what_it_costs():
    """Ten big blinds behind a tree of a hundred."""
    game = GameConfig(stacks=(1_000,))
    follower, state = played(DEFAULT, [], game)

    assert follower.action(state, 2) == raise_to(1_000)
    # 900 more into a pot of 200: 4.5 pots, between 0.75 and the tree's 49.5.
    (small, share), (large, rest) = follower.translator.options(0, state, raise_to(1_000))
    assert (small, large) == (1, 2)
    assert share == pytest.approx(pseudo_harmonic(0.75, 49.5, 4.5))
    assert share + rest == 1.0


def test_an_opponents_stack_bounds_what_a_raise_asks():
    """A raise to 10,000 against 1,000 chips is a raise to 1,000."""
    game = GameConfig(stacks=(10_000, 1_000))
    follower, state = played(DEFAULT, [], game)

    options = follower.translator.options
    assert options(0, state, raise_to(10_000)) == options(0, state, raise_to(1_000))


def test_deep_stacks_go_on_when_the_trees_are_in():
    """Two hundred big blinds: the tree is all-in after a hundred, and has no more to say."""
    game = GameConfig(stacks=(20_000,))
    follower, state = played(DEFAULT, [], game)
    assert follower.action(state, 2) == raise_to(10_000)

    follower, state = played(DEFAULT, [raise_to(10_000), CALL], game)
    assert state.stacks == (10_000, 10_000)
    assert DEFAULT.nodes["num_actions"][follower.node] == 0
    assert follower.decision(state) is None
    assert follower.action(state, None) == CALL


def test_a_bet_of_the_trees_stack_is_all_in_whatever_its_size_in_pots():
    """Chips count, not the pot, which is larger in reality than in the tree."""
    game = GameConfig(stacks=(20_000,))
    follower, state = played(DEFAULT, [raise_to(300), CALL], game, seed=1)
    node = follower.decision(state)
    assert DEFAULT.history(node) == "r250 c /"

    all_in = int(DEFAULT.nodes["num_actions"][node]) - 1
    assert follower.translator.options(node, state, raise_to(9_750)) == ((all_in, 1.0),)
    assert len(follower.translator.options(node, state, raise_to(9_600))) == 2


def test_chips_are_counted_in_big_blinds():
    """The same hands at blinds of 1 and 2 as at 50 and 100."""
    game = GameConfig(stacks=(200,), blinds=(1, 2))

    assert where(DEFAULT, [raise_to(5), CALL, CALL, raise_to(200 - 5)], game) == "r250 c / x a"


@pytest.mark.parametrize(
    ("tree_game", "game", "why"),
    [
        (GameConfig(), GameConfig(num_players=3), "2 players of holdem, hands of 3 players"),
        (GameConfig(), leduc(), "of holdem, hands of 2 players of one-card"),
        (
            GameConfig(num_players=4),
            GameConfig(num_players=4, blinds=(50, 100, 200)),
            "act first on the streets",
        ),
    ],
    ids=["players", "cards", "straddle"],
)
def test_other_games_are_refused(tree_game, game, why):
    tree = build_tree(
        GameConfig(num_players=tree_game.num_players, menu=BetMenu(streets=(("a, !call", ""),))),
        BUCKETS,
    )
    with pytest.raises(MismatchError, match=why) as error:
        Translator(tree, game)
    assert error.value.remedy


def test_a_choice_that_is_not_there_is_refused():
    follower, state = played(DEFAULT, [])
    with pytest.raises(RulesError, match="action 9 of a decision that has 3"):
        follower.after(state, FOLD, 9)


def random_action(rng: random.Random, state: State) -> Action:
    """Any legal action, raises by any amount, often the least or all chips."""
    legal = state.legal_actions()
    kinds = [ActionKind.CALL] + [ActionKind.FOLD] * legal.can_fold
    if legal.min_raise_to is not None and legal.max_raise_to is not None:
        kinds += [ActionKind.RAISE] * 2
        least, most = legal.min_raise_to, legal.max_raise_to
        near = min(most, 3 * least)
        amount = rng.choice([least, most, rng.randint(least, most), rng.randint(least, near)])
    kind = rng.choice(kinds)
    return raise_to(amount) if kind is ActionKind.RAISE else Action(kind)


def follow_random_hand(tree, rng, seed):
    """Play one random hand, some of its seats by the tree, and check each step of it."""
    game = GameConfig(
        num_players=tree.game.num_players,
        stacks=tuple(
            rng.choice([rng.randint(1, 300), rng.randint(300, 3_000), 10_000, 25_000])
            for _ in range(tree.game.num_players)
        ),
        blinds=tree.game.blinds,
        ante=rng.choice([0, 0, 10]),
    )
    followed = rng.randrange(1 << game.num_players)
    follower, state = Translator(tree, game).begin(seed), dealt(State.new(game))
    while not state.is_terminal:
        node = follower.decision(state)
        choice = None
        if followed >> state.actor & 1:
            if node is not None:
                assert tree.nodes["actor"][node] == state.actor
                assert tree.nodes["street"][node] == state.street
                choice = rng.randrange(int(tree.nodes["num_actions"][node]))
            action = follower.action(state, choice)
            assert state.legal_actions().allows(action)
        else:
            action = random_action(rng, state)
        follower = follower.after(state, action, choice)
        if choice is not None:
            assert tree.parents[follower.node] == node
        state = dealt(state.apply(action))
    assert follower.decision(state) is None
    return state


@pytest.mark.parametrize(
    "tree",
    [DEFAULT, LIMPING, ONE_BET, THREE, SIX, SIX_TO_THE_FLOP],
    ids=["default", "limping", "one bet", "three", "six", "six to the flop"],
)
def test_any_hand_can_be_followed_and_what_is_chosen_is_legal(tree):
    """Random hands of any depth, seats played at random or by the tree, to their end."""
    rng = random.Random(1)
    for seed in range(700):
        follow_random_hand(tree, rng, seed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_hands_of_the_tree_are_followed_exactly(seed):
    """A hand whose every bet is in the menu stands at its own node throughout."""
    rng = random.Random(seed)
    game = random_game(rng)
    start = State.new(game)
    assume(start.actor is not None and count_tree(game, 20_000).complete)
    tree = build_tree(game, (1,) * game.num_streets)
    translator = Translator(tree)
    for hand in range(5):
        node, state, follower = 0, start, translator.begin(1, hand)
        while tree.nodes["num_actions"][node]:
            assert follower.decision(state) == node
            legal = [
                c for c in tree.children(node) if state.legal_actions().allows(action_to(tree, c))
            ]
            child = rng.choice(legal)
            action = action_to(tree, child)
            choice = child - tree.children(node)[0]
            assert_same_action(tree, state, follower, choice, action)
            follower = follower.after(state, action, choice)
            node, state = child, state.apply(action)
            while state.cards_to_deal and not state.betting_is_over:
                out = len(state.board)
                state = state.deal_board(range(out, out + state.cards_to_deal))


def assert_same_action(tree, state, follower, choice, action):
    """The choice stands for *action*, and *action* for a choice that asks as much."""
    node = follower.decision(state)
    options = follower.translator.options(node, state, action)
    most = max(state.bets[s] + state.stacks[s] for s in state.live if s != state.actor)

    def asked(amount):
        return min(amount, most)

    assert len(options) == 1
    found = tree.children(node)[options[0][0]]
    if action.kind is not ActionKind.RAISE:
        assert options[0][0] == choice
        assert follower.action(state, choice) == action
    else:
        assert tree.action_kinds[found] >= TreeKind.BET
        assert asked(tree.action_amounts[found]) == asked(action.amount)
        assert asked(follower.action(state, choice).amount) == asked(action.amount)


def test_push_fold_answers_every_raise():
    """The tree of one street and two actions."""
    tree = build_tree(push_fold(10), BUCKETS)

    assert where(tree, [CALL]) == "a"
    assert where(tree, [raise_to(200)]) == "a"
    follower, state = played(tree, [raise_to(200)])
    assert [follower.action(state, choice) for choice in range(2)] == [FOLD, CALL]
