"""Streets of three players that end where the blueprint plays on: places, cards and chips."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from holdem._core import indexer
from holdem._core.evaluator import evaluate
from holdem.abstraction.translation import Translator
from holdem.errors import MismatchError
from holdem.game.cards import HOLES, hole_index, parse_cards
from holdem.game.policy import TabularPolicy
from holdem.game.rules import CALL, FOLD, State, raise_to
from holdem.game.tree import ActionKind, build_tree
from holdem.search.continuations import FACTOR
from holdem.search.playing_on import PlayingOn
from holdem.search.sampled import SampledSolver
from holdem.search.spot import Menu
from holdem.search.street_tree import StreetNode, build_street_tree
from holdem.types import CANONICAL_HANDS, BetMenu, GameConfig
from tests.reference.playing_on import ReferenceLeaf
from tests.tables import MENUS, bucketing, random_blueprint

GAME = GameConfig(
    num_players=3, menu=BetMenu(streets=(("2.5x", "3x, a", "a"), *[("75%", "a")] * 3))
)
CHECKS = Menu((("",),))
HANDS = tuple(parse_cards(text) for text in ("AsKd", "9h8h", "QcQd"))


def dealt(game: GameConfig, street: int, *line, board: str = "Ks7d2h5c") -> State:
    """A raise and calls before the flop, checks up to a street, and what is done there."""
    state = State.new(game).apply(raise_to(5 * game.big_blind // 2))
    cards = list(parse_cards(board))
    while state.street < street:
        while state.actor is not None:
            state = state.apply(CALL)
        state = state.deal_board([cards.pop(0) for _ in range(1 if state.board else 3)])
    for action in line:
        state = state.apply(action)
    return state


def place_of(translator: Translator, state: State) -> int:
    return translator.replay(state, 1).node


def only(*holes) -> list[np.ndarray]:
    ranges = [np.zeros(len(HOLES), np.float32) for _ in holes]
    for held, hole in zip(ranges, holes, strict=True):
        held[hole_index(*hole)] = 1
    return ranges


# -- places ------------------------------------------------------------------------------------


@pytest.mark.parametrize("street", [1, 2])
def test_leaves_begin_the_trees_next_street(street):
    policy = random_blueprint(GAME)
    translator = Translator(policy.tree)
    start = dealt(GAME, street)
    tree = build_street_tree(start, Menu((GAME.menu.streets[street],)))

    leaves = PlayingOn(policy, bucketing(), translator).leaves(tree, place_of(translator, start))

    assert list(leaves) == [node for node in tree.nodes if node.is_leaf]
    for node, leaf in leaves.items():
        assert policy.tree.nodes["street"][leaf.node] == street + 1
        assert policy.tree.street_begins(leaf.node)
        assert leaf.stakes.tolist() == list(node.state.paid)
        assert leaf.scale == 1


def test_bets_of_other_sizes_stand_for_the_nearest():
    policy = random_blueprint(GAME)
    translator = Translator(policy.tree)
    start = dealt(GAME, 2)
    tree = build_street_tree(start, Menu((("60%", ""),)))

    leaves = PlayingOn(policy, bucketing(), translator).leaves(tree, place_of(translator, start))

    called = next(node for node in leaves if node.state.paid == (700, 700, 700))
    assert leaves[called].stakes.tolist() == [813, 813, 813]
    assert leaves[called].scale == pytest.approx(700 / 813)


def test_other_stacks_have_no_place_where_the_tree_is_all_in():
    """Deeper than the blueprint: what is all-in in its tree is not in reality."""
    game = GameConfig(num_players=3, stacks=(50_000,))
    policy = random_blueprint(GAME)
    translator = Translator(policy.tree, game)
    start = dealt(game, 2)
    tree = build_street_tree(start, Menu((("75%", "10000c", ""),)))

    leaves = PlayingOn(policy, bucketing(), translator).leaves(tree, place_of(translator, start))

    assert any(max(node.state.paid) < 1_000 for node in leaves)
    assert not any(max(node.state.paid) > 10_000 for node in leaves)
    assert any(max(node.state.paid) > 10_000 for node in tree.over() if node.is_leaf)


def test_a_blueprint_without_later_streets_has_no_place():
    policy = random_blueprint(GameConfig(num_players=3, menu=MENUS[6]))
    translator = Translator(policy.tree, GAME)
    start = dealt(GAME, 1)
    tree = build_street_tree(start, CHECKS)
    with pytest.raises(MismatchError, match="no place where this flop ends"):
        PlayingOn(policy, bucketing(2), translator).leaves(tree, place_of(translator, start))


# -- values ------------------------------------------------------------------------------------


@dataclass
class KnownBuckets:
    """Buckets of a few rivers: those of some hands on all cards that can come."""

    tables: tuple[np.ndarray, ...]


@cache
def river_buckets() -> KnownBuckets:
    tables = [np.zeros(hands, np.uint8) for hands in CANONICAL_HANDS]
    tables[0][:] = np.arange(169)
    board = parse_cards("Ks7d2h5c")
    for hole in HANDS:
        for card in set(range(52)) - {*hole, *board}:
            tables[3][index_of(hole, (*board, card))] = (hole[0] + card) % 3
    return KnownBuckets(tuple(tables))


def index_of(hole, board) -> int:
    return int(indexer.index(np.array([[*hole, *board]], np.uint8))[0])


def bucket_of(hole, board) -> int:
    return int(river_buckets().tables[3][index_of(hole, board)])


@cache
def bucketed_policy() -> TabularPolicy:
    """A policy of three buckets on the river that does anything."""
    tree = build_tree(GAME, (169, 1, 1, 3))
    rng = np.random.default_rng(3)
    probabilities = np.empty(tree.num_slots, np.float32)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        shape = (-1, int(tree.nodes["num_actions"][node]))
        rows = rng.random(probabilities[tree.slots(node)].reshape(shape).shape) ** 2
        probabilities[tree.slots(node)] = (rows / rows.sum(axis=1, keepdims=True)).ravel()
    return TabularPolicy(tree, probabilities)


@pytest.mark.parametrize(
    "game",
    [
        GAME,
        GameConfig(num_players=3, stacks=(2_000, 700, 1_200)),
        GameConfig(num_players=3, stacks=(30_000, 3_000, 9_000), blinds=(150, 300)),
    ],
    ids=["as trained", "short stacks", "other blinds"],
)
@pytest.mark.parametrize("choices", [(0, 0, 0), (1, 2, 3), (3, 1, 1), (2, 3, 0)])
def test_a_leaf_is_worth_what_the_blueprint_wins(game, choices):
    """Over all rivers and all betting, where everybody has good reason for a choice."""
    policy = bucketed_policy()
    translator = Translator(policy.tree, game)
    start = dealt(game, 2)
    solver = SampledSolver(
        start,
        only(*HANDS),
        CHECKS,
        playing_on=PlayingOn(policy, river_buckets(), translator),
        node=place_of(translator, start),
    )
    (leaf_node,) = (child for child in solver.tree.nodes if child.is_leaf)
    for seat, choice in enumerate(choices):
        choice_regrets(solver, leaf_node, seat)[choice] = 1e20
    solver.run(5_000)

    leaf = solver._leaves[leaf_node]
    slow = ReferenceLeaf(policy, bucket_of, leaf, leaf_node.state, HANDS, FACTOR)
    value = solver.action_values(hole_index(*HANDS[0]))[0] - start.paid[0]
    # Four times what a mean of so many draws is off by.
    tolerance = 0.02 * min(game.stack_of(seat) for seat in range(3))
    assert value == pytest.approx(slow.value(0, choices), abs=tolerance + 0.02 * sum(start.paid))


def choice_regrets(solver: SampledSolver, leaf: StreetNode, seat: int) -> np.ndarray:
    """Of the seat's first hand, (4,); a view."""
    walk = solver._walk
    first = solver._leaf_rows[solver.tree.over().index(leaf)][seat]
    return walk.regrets[first : first + 4 * walk.pads[seat]].reshape(4, -1)[:, 0]


def calls_only() -> TabularPolicy:
    tree = build_tree(GAME, (169, 1, 1, 1))
    probabilities = np.zeros(tree.num_slots, np.float32)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        kinds = [ActionKind(tree.action_kinds[child]) for child in tree.children(int(node))]
        passive = [kind in (ActionKind.CHECK, ActionKind.CALL) for kind in kinds]
        row = np.array(passive, float) if any(passive) else np.eye(len(kinds))[-1]
        slots = probabilities[tree.slots(int(node))].reshape(-1, len(kinds))
        slots[:] = row
    return TabularPolicy(tree, probabilities)


def test_a_flop_that_is_checked_down_is_worth_its_equity():
    policy = calls_only()
    translator = Translator(policy.tree)
    start = dealt(GAME, 1)
    solver = SampledSolver(
        start,
        only(*HANDS),
        CHECKS,
        playing_on=PlayingOn(policy, bucketing(), translator),
        node=place_of(translator, start),
    )
    solver.run(20_000)

    rest = sorted(set(range(52)) - {*start.board, *(card for hole in HANDS for card in hole)})
    boards = np.array([[*start.board, *two] for two in combinations(rest, 2)], np.uint8)
    strengths = np.stack(
        [
            evaluate(np.hstack([np.tile(np.array(hole, np.uint8), (len(boards), 1)), boards]))
            for hole in HANDS
        ]
    )
    best = strengths == strengths.max(axis=0)
    share = (best / best.sum(axis=0))[0].mean()
    value = solver.action_values(hole_index(*HANDS[0]))[0]
    assert value == pytest.approx(share * 750, abs=10)


def test_each_player_learns_to_choose():
    """A player whose hand always wins lets the blueprint raise, or call, rather than fold."""
    policy = bucketed_policy()
    translator = Translator(policy.tree)
    start = dealt(GAME, 2, board="KsKh2h2c")
    hands = tuple(parse_cards(text) for text in ("KdKc", "9h8h", "QcQd"))
    solver = SampledSolver(
        start,
        only(*hands),
        CHECKS,
        playing_on=PlayingOn(policy, river_buckets(), translator),
        node=place_of(translator, start),
    )
    solver.run(3_000)

    (leaf_node,) = (child for child in solver.tree.nodes if child.is_leaf)
    regrets = choice_regrets(solver, leaf_node, 0)
    assert regrets[1] == regrets.min()
    assert regrets[1] < 0 < regrets.max()


def test_who_has_folded_loses_what_it_paid():
    policy = bucketed_policy()
    translator = Translator(policy.tree)
    start = dealt(GAME, 2)
    line = (raise_to(563), FOLD)
    solver = SampledSolver(
        start,
        only(*HANDS),
        Menu((("75%", ""),)),
        line[:1],
        playing_on=PlayingOn(policy, river_buckets(), translator),
        node=place_of(translator, start),
    )
    solver.run(50)
    values = solver.action_values(hole_index(*HANDS[1]))
    assert solver.tree.line_end.actions[0] == FOLD
    assert values[0] == pytest.approx(0, abs=1e-3)


def test_an_all_in_is_decided_by_the_cards():
    """Short stacks all-in on the turn: the mean over the rivers."""
    game = GameConfig(num_players=3, stacks=(600,))
    start = dealt(game, 2)
    tree = build_street_tree(start, Menu((("a", ""),)))
    over = [node.state for node in tree.over()]
    assert any(state.betting_is_over and len(state.live) == 3 for state in over)
    solver = SampledSolver(start, only(*HANDS), Menu((("a", ""),)), (raise_to(350), CALL))
    solver.run(4_000)

    rivers = sorted(set(range(52)) - {*start.board, *(card for hole in HANDS for card in hole)})
    boards = [(*start.board, card) for card in rivers]
    won = [
        evaluate(np.array([[*hole, *board] for hole in HANDS], np.uint8)).argmax() == 2
        for board in boards
    ]
    value = solver.action_values(hole_index(*HANDS[2]))[1]
    assert value == pytest.approx(np.mean(won) * 1_800 - 350, abs=20)
