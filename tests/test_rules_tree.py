"""The betting tree's compiled rules and those of `holdem.game.rules` are the same."""

import random
from itertools import takewhile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdem.errors import ConfigError
from holdem.game.rules import CALL, FOLD, Action, Dealt, Played, State, raise_to
from holdem.game.rules import ActionKind as RulesKind
from holdem.game.tree import ActionKind, BettingTree, build_tree, count_tree
from holdem.types import BetMenu, GameConfig

TEXTS = ("*", "*", "a", "50%, a", "2x, 100%, a", "1c, 3c", "33%, *", "!call, a", "")


def random_game(rng: random.Random) -> GameConfig:
    """A game of few chips: short blinds, antes, straddles, one to four streets."""
    players = rng.randint(2, 4)
    big = rng.randint(1, 4)
    blinds = [rng.randint(1, big), big]
    while len(blinds) < players and rng.random() < 0.3:
        blinds.append(2 * blinds[-1])
    streets = tuple(
        tuple(rng.choice(TEXTS) for _ in range(rng.randint(1, 3))) for _ in range(rng.randint(1, 4))
    )
    return GameConfig(
        num_players=players,
        stacks=tuple(rng.randint(1, 14) for _ in range(players)),
        blinds=tuple(blinds),
        ante=rng.choice([0, 0, 1, 2]),
        menu=BetMenu(streets=streets),
    )


def menu_text(state: State) -> str:
    """The text of the bet menu that is in force."""
    played = takewhile(lambda event: not isinstance(event, Dealt), reversed(state.events))
    raises = sum(
        isinstance(event, Played) and event.action.kind is RulesKind.RAISE for event in played
    )
    texts = state.game.menu.streets[state.street]
    return texts[min(raises, len(texts) - 1)]


def action_to(tree: BettingTree, node: int) -> Action:
    kind = ActionKind(tree.action_kinds[node])
    if kind is ActionKind.FOLD:
        return FOLD
    if kind in (ActionKind.CHECK, ActionKind.CALL):
        return CALL
    return raise_to(int(tree.action_amounts[node]))


def check_decision(tree: BettingTree, node: int, state: State) -> list[int]:
    """Compare the choices and return the children that both have."""
    record = tree.nodes[node]
    assert (state.actor, state.street) == (record["actor"], record["street"])
    assert sum(state.paid) == record["pot"]
    legal = state.legal_actions()
    offered = {action_to(tree, child): child for child in tree.children(node)}
    assert all(legal.allows(action) for action in offered)
    assert (FOLD in offered) is legal.can_fold
    no_raise = legal.min_raise_to is None
    assert (CALL in offered) is (not legal.can_fold or no_raise or "!call" not in menu_text(state))
    raises = [action.amount for action in offered if action.kind is RulesKind.RAISE]
    if legal.min_raise_to is None or legal.max_raise_to is None:
        assert raises == []
    elif "*" in menu_text(state):
        assert raises == list(range(legal.min_raise_to, legal.max_raise_to + 1))
    elif "a" in menu_text(state):
        assert legal.max_raise_to in raises
    return list(offered.values())


def check_ending(tree: BettingTree, node: int, state: State) -> None:
    record = tree.nodes[node]
    assert state.betting_is_over
    assert state.contributions == tuple(tree.contributions[record["ending_index"]])
    assert state.folded == tree.folded[record["ending_index"]]
    assert sum(state.contributions) == record["pot"]


@given(st.integers(0, 2**32))
def test_a_walk_of_the_tree_is_a_hand_by_the_rules(seed):
    """The same seat acts with the same choices, and every ending has the same chips in it."""
    rng = random.Random(seed)
    game = random_game(rng)
    start = State.new(game)
    if start.actor is None:
        with pytest.raises(ConfigError, match="no decision"):
            count_tree(game)
        return
    assume(count_tree(game, 20_000).complete)
    tree = build_tree(game, (1,) * game.num_streets)
    for _ in range(5):
        node, state = 0, start
        while tree.nodes["num_actions"][node]:
            node = rng.choice(check_decision(tree, node, state))
            state = state.apply(action_to(tree, node))
            while state.cards_to_deal and not state.betting_is_over:
                out = len(state.board)
                state = state.deal_board(range(out, out + state.cards_to_deal))
        check_ending(tree, node, state)
