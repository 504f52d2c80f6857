"""Groups of alike betting: every beginning in one lane, and nothing where it does not fit."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdem import machine
from holdem.errors import ConfigError
from holdem.game import shapes
from holdem.game.shapes import DECISION, FOLDED, LANES, NEXT_STREET, SHOWN, lanes_here
from holdem.game.tree import Ending, build_tree
from holdem.types import BetMenu, GameConfig

KINDS = {Ending.NO_ENDING: DECISION, Ending.FOLD: FOLDED, Ending.SHOWDOWN: SHOWN}
"""Of points on the last street."""


@cache
def tree_of(*menus, stacks=(1200,), ante=0):
    streets = tuple((menu,) for menu in menus)
    game = GameConfig(stacks=stacks, ante=ante, menu=BetMenu(streets=streets))
    return build_tree(game, (1,) * len(menus))


def decisions_then(bets):
    """A decision of seat 0 with a fold, a call and so many bets, each met by fold or call."""
    answered = (DECISION, 1, (FOLDED,), (SHOWN,))
    return (DECISION, 0, (FOLDED,), (SHOWN,), *(answered,) * bets)


def nested(bets):
    """A bet that may be raised, so many times in all."""
    if bets == 0:
        return (DECISION, 0, (FOLDED,), (NEXT_STREET,))
    return (DECISION, 0, (FOLDED,), (NEXT_STREET,), nested(bets - 1))


def points(shape):
    return 1 + sum(points(child) for child in shape[2:])


endings = st.sampled_from([(FOLDED,), (SHOWN,), (NEXT_STREET,)])
some_shapes = st.recursive(
    endings,
    lambda below: st.builds(
        lambda actor, children: (DECISION, actor, *children),
        st.integers(0, 1),
        st.lists(below, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


# ---- match -----------------------------------------------------------------------------------


@given(some_shapes)
def test_a_shape_fits_into_itself(shape):
    assert shapes.match(shape, shape) == tuple(range(len(shape) - 2))


@given(some_shapes, some_shapes)
def test_only_what_is_no_larger_fits(shape, other):
    """And two shapes that fit into each other are one."""
    if shapes.match(shape, other) is not None:
        assert points(shape) <= points(other)
        assert shape == other or shapes.match(other, shape) is None


def without_some_bets(shape, draw):
    """Take out of *shape* decisions that are not a first action."""
    if shape[0] != DECISION:
        return shape
    first, *others = shape[2:]
    kept = [child for child in others if child[0] != DECISION or draw(st.booleans())]
    return (*shape[:2], *(without_some_bets(child, draw) for child in [first, *kept]))


@given(some_shapes, st.data())
def test_a_shape_fits_where_its_bets_were_taken_out(shape, data):
    """At rising places, and each action into the one at its place."""
    smaller = without_some_bets(shape, data.draw)

    places = shapes.match(smaller, shape)

    assert places is not None
    assert list(places) == sorted(set(places))
    for child, place in zip(smaller[2:], places, strict=True):
        assert shapes.match(child, shape[2 + place]) is not None


def test_only_bets_may_be_missing():
    fold, call, bet = (FOLDED,), (SHOWN,), (DECISION, 1, (FOLDED,), (SHOWN,))
    whole = (DECISION, 0, fold, call, bet)

    assert shapes.match((DECISION, 0, fold, call), whole) == (0, 1)
    assert shapes.match((DECISION, 0, fold, bet), whole) is None
    assert shapes.match((DECISION, 0, call, bet), whole) is None
    assert shapes.match((DECISION, 0, call), (DECISION, 0, bet, call)) is None
    assert shapes.match((DECISION, 1, fold, call), whole) is None
    assert shapes.match((DECISION, 0, fold, (NEXT_STREET,)), whole) is None
    assert shapes.match(fold, call) is None


def test_a_missing_bet_leaves_its_place_empty():
    """The smaller of two bets is missing: the other keeps its own place."""
    short, long = nested(0), nested(1)
    larger = (DECISION, 1, (NEXT_STREET,), short, long)

    assert shapes.match((DECISION, 1, (NEXT_STREET,), long), larger) == (0, 2)
    assert shapes.match((DECISION, 1, (NEXT_STREET,), short), larger) == (0, 1)


# ---- groups ----------------------------------------------------------------------------------


def check_groups(listed):
    """Every place once, in a group that it fits into; return the groups."""
    found = list(shapes.groups(listed))
    assert sorted(place for _, members in found for place in members) == list(range(len(listed)))
    for shape, members in found:
        assert 1 <= len(members) <= LANES
        assert listed[members[0]] == shape
        assert all(shapes.match(listed[place], shape) is not None for place in members)
    return found


@given(st.lists(st.sampled_from([decisions_then(n) for n in range(4)]), max_size=90))
def test_groups_hold_every_place_once(listed):
    """No more groups than if each shape had its own."""
    found = check_groups(listed)

    apart = sum(-(-listed.count(shape) // LANES) for shape in set(listed))
    assert -(-len(listed) // LANES) <= len(found) <= apart


@given(st.lists(some_shapes, max_size=40))
def test_groups_of_any_shapes_hold_every_place_once(listed):
    check_groups(listed)


def test_lanes_that_are_left_over_take_smaller_shapes():
    """As many as there is room for; 16 of a kind make a group of their own."""
    large, small = nested(3), nested(1)

    assert [len(members) for _, members in check_groups([small] * 5 + [large] * 3)] == [8]
    assert [len(members) for _, members in check_groups([small] * 9 + [large] * 9)] == [16, 2]
    assert [len(members) for _, members in check_groups([small] * 16 + [large] * 3)] == [3, 16]
    assert [len(members) for _, members in check_groups([small] * 20 + [large] * 3)] == [7, 16]


def test_groups_of_a_betting_tree():
    """The rivers of a deep game: more than one group, and some shapes in lanes of larger ones."""
    tree = tree_of(*("100%, a",) * 4, stacks=(3000,))
    nodes = tree.nodes
    decisions = np.flatnonzero(nodes["num_actions"])
    begin = [
        node
        for node in decisions
        if nodes["street"][node] == 3 and nodes["street"][tree.parents[node]] == 2
    ]

    known = {}
    listed = [
        shapes.shape_of(tree, node, lambda at: KINDS[nodes["ending"][at]], known) for node in begin
    ]
    assert [known[node] for node in begin] == listed
    found = check_groups(listed)

    assert (nodes["street"][decisions] == 3).sum() == sum(map(num_decisions, listed))
    assert 1 < len(found) < len(begin)
    assert any(listed[place] != shape for shape, members in found for place in members)


def num_decisions(shape):
    return (shape[0] == DECISION) + sum(num_decisions(child) for child in shape[2:])


# ---- Shapes and chips of a tree --------------------------------------------------------------


def test_the_shape_of_a_short_game():
    """All-in or check on the last street: who acts, what he may do, and no chips."""
    tree = tree_of("", "", "", "a")
    node = tree.find("c x / x x / x x /")
    answer = (DECISION, 0, (FOLDED,), (SHOWN,))
    checked = (DECISION, 0, (SHOWN,), (DECISION, 1, (FOLDED,), (SHOWN,)))

    found = shapes.shape_of(tree, node, lambda at: KINDS[tree.nodes["ending"][at]], {})

    assert found == (DECISION, 1, checked, answer)
    assert shapes.shape_of(tree, node, lambda at: NEXT_STREET, {}) == (NEXT_STREET,)


@pytest.mark.parametrize(
    ("path", "chips"),
    [
        ("f", -50),
        ("c a f", -100),
        ("r300 f", 100),
        ("c x / b200 f", -100),
        ("c x / x b200 f", 100),
        ("r300 c / x b600 r2400 f", -900),
        ("c x / x x / x x / x x", 100),
        ("r300 c / x x / x x / x b600 c", 900),
        ("a c", 3000),
    ],
)
def test_chips_of_endings(path, chips):
    """What seat 0 nets at a fold, an uncalled bet returned; what each paid at a showdown."""
    tree = tree_of(*("100%, 50%, a",) * 4, stacks=(3000,))

    assert shapes.chips_at(tree, tree.find(path)) == chips


def test_chips_of_all_endings_are_what_the_loser_paid():
    """With antes and one short stack, node by node."""
    tree = tree_of("100%, a", "a", stacks=(700, 1000), ante=10)
    endings = np.flatnonzero(tree.nodes["ending"])
    assert {1, 2} == set(tree.nodes["ending"][endings])

    for node in endings:
        record = tree.nodes[node]
        paid = tree.contributions[record["ending_index"]].tolist()
        chips = shapes.chips_at(tree, node)
        if record["ending"] == Ending.SHOWDOWN:
            assert [chips, chips] == paid
        else:
            folder = tree.nodes["actor"][tree.parents[node]]
            assert chips == (-paid[0] if folder == 0 else paid[1])


def test_a_showdown_of_different_stakes_is_refused():
    """No game of two has one; a tree that does is not to be answered wrongly."""
    tree = tree_of("100%, a", "a")
    node = tree.find("c x / x x")
    unequal = tree.contributions.copy()
    unequal[tree.nodes["ending_index"][node], 0] += 1

    with pytest.raises(ConfigError, match="101 and 100"):
        shapes.chips_at(replace(tree, contributions=unequal), node)


@pytest.mark.parametrize(
    ("features", "lanes"),
    [((), 8), (("sse4_2",), 8), (("avx2", "avx512f"), 8), (("avx512f", "avx512bw"), 16)],
)
def test_lanes_are_as_many_as_registers_hold(monkeypatch, features, lanes):
    found = machine.Processor(model="", features=frozenset(features))
    monkeypatch.setattr(machine, "processor", lambda: found)

    assert lanes_here() == lanes
