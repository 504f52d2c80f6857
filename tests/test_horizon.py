"""Where the leaves of a street's subgame stand in the blueprint's tree, and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pytest

from holdem.abstraction.translation import Translator
from holdem.errors import ConfigError
from holdem.game.rules import CALL, raise_to
from holdem.game.tree import Ending
from holdem.search import resolver as resolver_module
from holdem.search.horizon import _Places, street_leaves
from holdem.search.ranges import Beliefs, StreetStart
from holdem.search.resolver import Resolver
from holdem.search.spot import Menu
from holdem.search.subgame import Node, NodeKind, PublicTree, build_public_tree
from holdem.types import GameConfig, SearchConfig
from tests.tables import bucketing, random_blueprint
from tests.test_resolver import HEADS_UP, nothing_known, played

GROUPS = 3


@dataclass
class FakeTable:
    """Values that say which node they are of."""

    translator: Translator
    num_groups: tuple[int, ...] = (GROUPS,) * 3
    asked: list[int] = field(default_factory=list)

    def groups(self, street: int) -> np.ndarray:
        return np.zeros(169, np.uint16)

    def shares(self, street: int) -> np.ndarray:
        return np.full((GROUPS, GROUPS), 0.75, np.float32)

    def begins(self, node: int, street: int) -> bool:
        tree = self.translator.tree
        return bool(
            tree.nodes["num_actions"][node]
            and tree.nodes["street"][node] == street
            and tree.street_begins(node)
        )

    def values(self, node: int, *, first_seat: int = 0) -> np.ndarray:
        self.asked.append(node)
        return np.full((GROUPS, GROUPS, 4, 4), (-1 if first_seat else 1) * node, np.float32)


def subgame(*line, game: GameConfig = HEADS_UP) -> tuple[Translator, StreetStart, PublicTree]:
    """The subgame of the street that a line has come to, with the blueprint's menu."""
    policy = random_blueprint(HEADS_UP)
    translator = Translator(policy.tree, game)
    state = played(*line, game=game)
    start = Beliefs(policy, bucketing(), translator).at_street_start(state, 1, 0, nothing_known)
    begin = start.state
    tree = build_public_tree(
        pot=sum(begin.paid),
        stack=min(begin.stacks),
        menu=Menu(HEADS_UP.menu.streets[begin.street :]),
        num_streets=1,
        least_bet=100,
        line=start.line,
        leaves=True,
    )
    return translator, start, tree


def leaves_of(tree: PublicTree) -> list[Node]:
    return [node for node in tree.nodes() if node.kind == NodeKind.LEAF]


@pytest.mark.parametrize(
    "line",
    [
        (raise_to(250), CALL, "Ks7d2h"),
        (raise_to(250), raise_to(750), CALL, "Ks7d2h"),
        (raise_to(250), CALL, "Ks7d2h", CALL, raise_to(165), CALL, "5c"),
    ],
)
def test_a_subgame_in_the_tree_has_the_trees_own_leaves(line):
    translator, start, subtree = subgame(*line)
    table = FakeTable(translator)
    seats = (1, 0)
    values = street_leaves(
        table,
        translator,
        Beliefs(random_blueprint(HEADS_UP), bucketing(), translator).buckets,
        start,
        seats,
    )

    tree, pot = translator.tree, sum(start.state.paid)
    all_in = [leaf for leaf in leaves_of(subtree) if leaf.paid[0] == min(start.state.stacks)]
    for leaf in leaves_of(subtree):
        matrix = values.matrix(leaf)
        if leaf in all_in:
            assert matrix.shape == (GROUPS, GROUPS, 1, 1)
            np.testing.assert_allclose(matrix, -0.25)
            continue
        node = table.asked[-1]
        assert matrix.shape == (GROUPS, GROUPS, 4, 4)
        assert (matrix == -node).all()  # to seat 1, who is out of position
        assert tree.nodes["pot"][node] == pot + 2 * leaf.paid[0]
        assert tree.nodes["street"][node] == start.state.street + 1
    assert len(set(table.asked)) + len(all_in) == len(leaves_of(subtree)) > 4
    assert all_in


def test_bets_that_the_tree_lacks_come_to_its_nearest():
    translator, start, subtree = subgame(raise_to(250), CALL, "Ks7d2h", raise_to(180))
    table = FakeTable(translator)
    buckets = Beliefs(random_blueprint(HEADS_UP), bucketing(), translator).buckets
    values = street_leaves(table, translator, buckets, start, (1, 0))

    called = next(n for n in leaves_of(subtree) if n.path() == "bet180 call")
    as_menu = next(n for n in leaves_of(subtree) if n.path() == "bet165 call")

    np.testing.assert_array_equal(values.matrix(called), values.matrix(as_menu))


def test_a_leaf_that_the_tree_does_not_have_is_worth_its_share_of_the_pot():
    """Deeper than the tree: what is an all-in there goes on in reality."""
    game = GameConfig(stacks=(50_000,))
    translator, start, subtree = subgame(
        raise_to(9_000), raise_to(30_000), CALL, "Ks7d2h", game=game
    )
    table = FakeTable(translator)
    buckets = Beliefs(random_blueprint(HEADS_UP), bucketing(), translator).buckets
    values = street_leaves(table, translator, buckets, start, (1, 0))

    for leaf in leaves_of(subtree):
        np.testing.assert_allclose(values.matrix(leaf), -0.25)
    assert table.asked == []


def test_a_tree_that_was_all_in_on_an_earlier_street_has_no_values_here():
    """A fourth bet that the tree takes for all-in, called: its hand is over before the flop."""
    line = (raise_to(250), raise_to(750), raise_to(6_000), CALL, "Ks7d2h")
    translator, start, subtree = subgame(*line)
    record = translator.tree.nodes[start.follower.node]
    table = FakeTable(translator)
    buckets = Beliefs(random_blueprint(HEADS_UP), bucketing(), translator).buckets
    values = street_leaves(table, translator, buckets, start, (1, 0))

    assert (record["ending"], record["street"]) == (Ending.SHOWDOWN, 0)
    assert len({len(leaf.children) for leaf in leaves_of(subtree)}) == 2
    for leaf in leaves_of(subtree):
        np.testing.assert_allclose(values.matrix(leaf), -0.25)
    assert table.asked == []


def test_an_all_in_is_none_of_the_trees_that_plays_on():
    """Short stacks: all that they have is a bet in the tree, which goes on to the turn."""
    game = GameConfig(stacks=(2_000,))
    translator, start, subtree = subgame(raise_to(250), raise_to(750), CALL, "Ks7d2h", game=game)
    table = FakeTable(translator)
    buckets = Beliefs(random_blueprint(HEADS_UP), bucketing(), translator).buckets
    values = street_leaves(table, translator, buckets, start, (1, 0))
    leaf = next(n for n in leaves_of(subtree) if n.path() == "all-in1250 call")

    assert table.begins(_Places(translator, start).blueprint_node(leaf), 2)
    np.testing.assert_allclose(values.matrix(leaf), np.full((GROUPS, GROUPS, 1, 1), -0.25))
    assert table.asked == []


@pytest.mark.parametrize(
    ("line", "street"),
    [
        ((raise_to(250), CALL, "Ks7d2h", raise_to(200)), "flop"),
        ((raise_to(250), CALL, "Ks7d2h", CALL, CALL, "5c"), "turn"),
    ],
)
def test_a_search_stops_at_the_end_of_the_street(line, street):
    policy = random_blueprint(HEADS_UP)
    translator = Translator(policy.tree)
    resolver = Resolver(
        policy,
        bucketing(),
        translator,
        SearchConfig(time_budget_ms=0.001, min_iterations=10, depth="street"),
        seed=1,
        continuations=FakeTable(translator),
    )

    thought = resolver.think(played(*line), 0)

    assert thought.subgame == f"{street}, to the end of the street"
    assert thought.iterations == 10
    assert sum(thought.probabilities) == pytest.approx(1, abs=1e-5)


def test_a_tree_that_is_too_large_to_its_end_is_counted_once_and_stops_at_the_streets(monkeypatch):
    """And it is counted no further than there would be time for."""
    counted = []

    def refuse(**given):
        counted.append(given["most_nodes"])
        raise ConfigError("too large")

    monkeypatch.setattr(resolver_module, "build_public_tree", refuse)
    monkeypatch.setattr(
        resolver_module, "_node_counts", lru_cache(resolver_module._node_counts.__wrapped__)
    )
    policy = random_blueprint(HEADS_UP)
    translator = Translator(policy.tree)
    config = SearchConfig(time_budget_ms=5, min_iterations=1)
    table = FakeTable(translator)
    resolver = Resolver(policy, bucketing(), translator, config, seed=1, continuations=table)
    for hand in range(2):
        resolver._seconds_per_item.clear()
        thought = resolver.think(played(raise_to(250), CALL, "Ks7d2h", CALL, CALL, "5c"), hand)
        assert thought.subgame == "turn, to the end of the street"
    assert len(counted) == 1
    assert counted[0] < 10_000
