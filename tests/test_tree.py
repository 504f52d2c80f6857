"""The betting tree: against a plain recursion, OpenSpiel's counts, and its own promises."""

from dataclasses import replace
from math import prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdem._core.tree import BettingRules, node_layout
from holdem.errors import ConfigError, MismatchError, ResourceError, RulesError
from holdem.game import rules
from holdem.game import tree as tree_module
from holdem.game.games import kuhn, leduc, push_fold
from holdem.game.rules import State
from holdem.game.tree import (
    NODE_DTYPE,
    ActionKind,
    Ending,
    build_tree,
    count_tree,
)
from holdem.types import BetMenu, CardRules, GameConfig
from tests.reference import tree as reference
from tests.vectors import VECTORS

# Paths are written for this menu: it has a limp, and sizes that come out round.
LIMPS = GameConfig(
    name="limps",
    menu=BetMenu(
        streets=(
            ("2.5x, a", "3x, a", "a"),
            ("50%, 100%, a", "100%, a", "a"),
            ("75%, a", "a"),
            ("75%, a", "a"),
        )
    ),
)


def one_bucket(game):
    """The tree of *game* with one bucket a street."""
    return build_tree(game, (1,) * game.num_streets)


# --- known answers


def openspiel_game(case):
    """A universal_poker game in our order of seats: its heads-up player 0 posts the big blind."""
    order = 1 if case["n"] > 2 else -1
    text = "100%, a" if "fcpa" in case["name"] else "*"
    return GameConfig(
        num_players=case["n"],
        stacks=tuple(case["stack"][::order]),
        blinds=tuple(case["blind"][::order]),
        menu=BetMenu(streets=((text,),) * case["rounds"]),
    )


@pytest.mark.parametrize("case", VECTORS["small_betting_trees"], ids=lambda case: case["name"])
def test_counts_are_openspiels(case):
    """Decisions and actions by street and both kinds of endings, exactly."""
    game, known = openspiel_game(case), case
    if len(set(game.stacks)) > 1:
        # OpenSpiel also offers raises that no opponent has the chips to answer, and so does
        # the plain recursion where it is compared with OpenSpiel below.
        known = reference.count(reference.enumerate_tree(game))
    size = count_tree(game)

    assert size.complete
    assert list(size.decisions) == known["decision_nodes"]
    assert list(size.actions) == known["actions"]
    assert (size.folds, size.showdowns) == (known["fold_terminals"], known["showdown_terminals"])


def information_sets(game, seat, cards=None):
    """Information sets and sequences of *seat*: decisions and actions times private views."""
    tree = one_bucket(game)
    own = tree.nodes[tree.nodes["actor"] == seat]
    deck = game.cards.ranks * game.cards.suits
    views = [deck] * game.num_streets
    if game.cards.board_street is not None:
        for street in range(game.cards.board_street, game.num_streets):
            views[street] = deck * (deck - 1)
    by_street = np.array(cards or views)[own["street"]]
    return int(by_street.sum()), 1 + int((by_street * own["num_actions"]).sum())


@pytest.mark.parametrize("num_players", [2, 3, 4])
def test_kuhn_has_the_known_information_sets_and_endings(num_players):
    game = kuhn(num_players)
    known = VECTORS["tree_sizes"][f"kuhn{num_players}p"]

    total = sum(information_sets(game, seat)[0] for seat in range(num_players))
    deals = prod(range(2, num_players + 2))

    assert total == known["infosets"]
    assert count_tree(game).num_endings * deals == known["terminals"]


def test_leduc_has_the_known_information_sets():
    """936 with suits told apart; 288 without: 3 ranks before the public card, 9 after it."""
    game = leduc()
    sizes = VECTORS["tree_sizes"]

    exact = [information_sets(game, seat)[0] for seat in range(2)]
    up_to_suits = [information_sets(game, seat, cards=(3, 9))[0] for seat in range(2)]

    assert exact == VECTORS["lp_game_values"]["leduc_limit_2p"]["infosets"]
    assert sum(exact) == sizes["leduc2p"]["infosets"]
    assert sum(up_to_suits) == sizes["leduc2p_suit_iso"]["infosets"]


def no_limit_game(params):
    """A small universal_poker game of the vectors, all integer raises or fold-call-pot-all-in."""
    rounds = params.get("rounds", 1)
    blind = tuple(int(chips) for chips in params.get("blind", "1 1").split())
    equal = blind[0] == blind[1]  # what both post is an ante
    first = params.get("first", "1" if rounds == 1 else "1 1").split()
    stacks = tuple(int(chips) for chips in params["stack"].split())
    return GameConfig(
        stacks=stacks if equal else stacks[::-1],
        blinds=() if equal else blind[::-1],
        ante=blind[0] if equal else 0,
        first_to_act=tuple(int(s) - 1 if equal else 2 - int(s) for s in first),
        cards=CardRules(
            kind="one-card",
            ranks=params.get("ranks", 3),
            suits=params.get("suits", 1),
            board_street=1 if "board" in params else None,
        ),
        menu=BetMenu(streets=(("100%, a" if params.get("abs") == "fcpa" else "*",),) * rounds),
    )


@pytest.mark.parametrize("name", [n for n in VECTORS["lp_game_values"] if n != "leduc_limit_2p"])
def test_no_limit_games_have_the_known_information_sets_and_sequences(name):
    known = VECTORS["lp_game_values"][name]
    game = no_limit_game(known["params"])
    order = 1 if game.blinds == () else -1

    counts = [information_sets(game, seat) for seat in range(2)][::order]

    assert [sets for sets, _ in counts] == known["infosets"]
    assert [sequences for _, sequences in counts] == known["sequences"]


# --- against the plain recursion


MENUS = [
    ("*",),
    ("100%, a",),
    ("a, !call", ""),
    ("50%, 2.5x, a", "3x", "a"),
    ("2c", "2c", ""),
    ("33%, 75%", "1.5x, !call", "a"),
    ("a, 75%, 2x, 33%, 75%", "3x, 1c", ""),
    ("",),
    (),
]


@st.composite
def small_games(draw):
    """Any game of a few chips: unequal stacks, antes, straddles, short blinds."""
    n = draw(st.integers(2, 5))
    streets = draw(st.integers(1, 4))
    big = draw(st.integers(0, 6))
    blinds = draw(st.sampled_from([(), (big // 2, big), (big, big), (big // 2, big, 2 * big)]))
    stacks = draw(st.lists(st.integers(1, 40), min_size=n, max_size=n))
    seats = st.lists(st.integers(0, n - 1), min_size=streets, max_size=streets)
    return GameConfig(
        num_players=n,
        stacks=tuple(stacks) if draw(st.booleans()) else (stacks[0],),
        blinds=blinds[:n],
        ante=draw(st.integers(0, 3)),
        first_to_act=draw(st.none() | seats.map(tuple)),
        menu=BetMenu(streets=tuple(draw(st.sampled_from(MENUS)) for _ in range(streets))),
    )


def same_trees(tree, node, expected):
    """Compare *node* and all below it with the reference's *expected*."""
    stack = [(node, expected)]
    while stack:
        node, expected = stack.pop()
        record = tree.nodes[node]
        children = tree.children(node)
        kind = ActionKind(tree.action_kinds[node]).name.lower().replace("_", "-")
        assert (kind if node else "") == expected.action
        assert tree.action_amounts[node] == expected.amount
        assert record["pot"] == expected.pot
        assert len(children) == len(expected.children) == record["num_actions"]
        if expected.ending:
            row = record["ending_index"]
            assert Ending(record["ending"]).name.lower() == expected.ending
            assert list(tree.contributions[row]) == expected.contributions
            assert int(tree.folded[row]) == sum(1 << seat for seat in expected.folded)
            assert (record["actor"], record["first_child"]) == (255, -1)
        else:
            assert record["ending"] == Ending.NO_ENDING
            assert (record["actor"], record["ending_index"]) == (expected.actor, -1)
            assert record["street"] == expected.street
        stack += zip(children, expected.children, strict=True)


@settings(deadline=None, max_examples=150)
@given(small_games())
def test_every_node_is_the_plain_recursions(game):
    try:
        size = count_tree(game, limit=2_000)
    except ConfigError as error:
        # All-in with the blinds: the reference finds no decision either.
        assert "no decision" in str(error)  # noqa: PT017
        assert reference.enumerate_tree(game).ending == "showdown"
        return
    assume(size.complete)

    expected = reference.enumerate_tree(game)
    tree = one_bucket(game)

    same_trees(tree, 0, expected)
    counts = reference.count(expected)
    assert size.folds + size.showdowns == tree.contributions.shape[0]
    assert (size.folds, size.showdowns) == (counts["fold_terminals"], counts["showdown_terminals"])
    decisions = counts["decision_nodes"]
    assert list(size.decisions)[: len(decisions)] == decisions
    assert not any(size.decisions[len(decisions) :])


@pytest.mark.parametrize(
    "case",
    [case for case in VECTORS["small_betting_trees"] if case["total_decisions"] < 1_000],
    ids=lambda case: case["name"],
)
def test_the_plain_recursion_has_openspiels_counts(case):
    counts = reference.count(reference.enumerate_tree(openspiel_game(case), over_all=True))

    assert counts == {name: case[name] for name in counts}


# --- the rules, case by case


def test_a_short_all_in_does_not_reopen_the_betting():
    """Blinds 50/100, seat 2 to 300, seat 3 all-in for 400: a raise is to 600 at least."""
    known = VECTORS["pokerkit_rules"]
    menu = BetMenu(streets=(("200c", "a", "1c", ""),))
    game = GameConfig(num_players=4, stacks=(10_000, 10_000, 10_000, 400), menu=menu)
    tree = one_bucket(game)

    def options(path):
        return [tree.action_token(child) for child in tree.children(tree.find(path))]

    assert options("r300 a") == ["f", "c", f"r{known[0]['min_raise_to']}"]
    assert options("r300 a c c") == ["f", "c"]
    assert known[1]["can_raise"] is False


def test_short_all_ins_that_add_up_to_a_full_raise_reopen_the_betting():
    known = VECTORS["pokerkit_rules"][2]
    menu = BetMenu(streets=(("500c", "500c", "a", "a", "1c", ""),))
    stacks = (10_000, 10_000, 10_000, 1_300, 1_700)
    tree = one_bucket(GameConfig(num_players=5, stacks=stacks, blinds=(), menu=menu))

    last = list(tree.children(tree.find("b500 r1000 c a a f")))[-1]

    assert tree.nodes["actor"][tree.parents[last]] == 1
    assert tree.action_token(last) == f"r{known['min_raise_to']}"


@pytest.mark.parametrize("menu", ["a", "*", "!call, a"])
def test_no_raise_goes_over_everybodys_head(menu):
    """Stacks 3, 10 and 20: the second is all-in on the flop, and the first has one chip left."""
    game = GameConfig(
        num_players=3, stacks=(3, 10, 20), blinds=(1, 2), menu=BetMenu(streets=(("",), (menu,)))
    )
    tree = one_bucket(game)

    node = tree.find("c c x / x a")

    assert tree.nodes["actor"][node] == 2
    assert [tree.action_token(child) for child in tree.children(node)] == ["f", "c"]


def test_contributions_of_side_pots():
    """Stacks 300, 1000, 650, 1000, 2000; seat 4 folds and everybody else is all-in."""
    game = GameConfig(
        num_players=5,
        stacks=(300, 1_000, 650, 1_000, 2_000),
        menu=BetMenu(streets=(("a",),)),
    )
    tree = one_bucket(game)

    node = tree.nodes[tree.find("a a f c c")]

    assert list(tree.contributions[node["ending_index"]]) == [300, 1_000, 650, 1_000, 0]
    assert tree.folded[node["ending_index"]] == 0b10000
    assert (node["ending"], node["pot"]) == (Ending.SHOWDOWN, 2_950)


def test_the_uncalled_bet_goes_back():
    tree = one_bucket(GameConfig())

    fold = tree.nodes[tree.find("a f")]

    assert list(tree.contributions[fold["ending_index"]]) == [100, 100]
    assert (fold["ending"], fold["pot"], fold["street"]) == (Ending.FOLD, 200, 0)


def test_a_short_big_blind_still_has_to_be_called_in_full():
    """As in tournaments (TDA): 100 to call, though the big blind holds 60."""
    game = GameConfig(num_players=3, stacks=(1_000, 60, 1_000), menu=BetMenu(streets=(("",),)))
    tree = one_bucket(game)

    call = tree.find("c")
    shown = tree.nodes[tree.find("c f")]

    assert tree.action_amounts[call] == 100
    assert list(tree.contributions[shown["ending_index"]]) == [50, 60, 60]


def test_after_an_all_in_is_called_no_street_is_bet_on():
    tree = one_bucket(GameConfig())

    node = tree.nodes[tree.find("r250 c / x a c")]

    assert (node["ending"], node["street"], node["pot"]) == (Ending.SHOWDOWN, 1, 20_000)


def test_who_acts_first():
    streets = (("",), ("",))
    two = one_bucket(GameConfig(menu=BetMenu(streets=streets)))
    four = one_bucket(GameConfig(num_players=4, menu=BetMenu(streets=streets)))
    straddled = one_bucket(
        GameConfig(num_players=4, blinds=(50, 100, 200), menu=BetMenu(streets=streets))
    )

    assert (two.nodes["actor"][0], two.nodes["actor"][two.find("c x")]) == (0, 1)
    assert (four.nodes["actor"][0], four.nodes["actor"][four.find("c c c x")]) == (2, 0)
    assert straddled.nodes["actor"][0] == 3
    assert straddled.nodes["actor"][straddled.find("c c c x")] == 0
    assert straddled.nodes["actor"][straddled.find("f c c x")] == 0


@settings(deadline=None, max_examples=100)
@given(small_games())
def test_the_rules_play_every_line_of_the_tree(game):
    """`holdem.game.rules` and the tree agree on who acts, what is legal and who paid what."""
    game = replace(game, cards=CardRules(kind="one-card", ranks=13, suits=4))
    try:
        assume(count_tree(game, limit=1_000).complete)
    except ConfigError:
        assume(False)
    tree = one_bucket(game)
    every_chip = all(texts == ("*",) for texts in game.menu.streets)

    stack = [(0, State.new(game))]
    while stack:
        node, state = stack.pop()
        record = tree.nodes[node]
        if record["ending"] != Ending.NO_ENDING:
            row = record["ending_index"]
            assert state.is_terminal
            assert (len(state.live) == 1) == (record["ending"] == Ending.FOLD)
            assert state.contributions == tuple(tree.contributions[row])
            assert state.folded == tree.folded[row]
            continue
        assert (state.actor, state.street) == (record["actor"], record["street"])
        assert sum(state.paid) == record["pot"]
        legal = state.legal_actions()
        raises = [c for c in tree.children(node) if tree.action_kinds[c] >= ActionKind.BET]
        if legal.min_raise_to is None and raises:
            # The rules know no raise that only players who are all-in could call; OpenSpiel
            # offers it while anybody else has a chip, and so does the tree.
            opponents = [s for s in state.live if s != state.actor and state.stacks[s]]
            assert opponents
            assert all(state.bets[s] + state.stacks[s] <= state.to_match for s in opponents)
        elif every_chip and legal.min_raise_to is not None:
            amounts = [int(tree.action_amounts[child]) for child in raises]
            assert amounts == list(range(legal.min_raise_to, legal.max_raise_to + 1))
        for child in tree.children(node):
            kind, amount = tree.action_kinds[child], int(tree.action_amounts[child])
            if kind < ActionKind.BET:
                action = rules.FOLD if kind == ActionKind.FOLD else rules.CALL
            elif legal.min_raise_to is None:
                continue
            else:
                action = rules.raise_to(amount)
            after = state.apply(action)
            assert (
                after.paid[state.actor] - state.paid[state.actor]
                == amount - state.bets[state.actor]
            )
            stack.append((child, after))


# --- the arrays


def test_node_dtype_is_the_struct():
    offsets, size = node_layout()

    assert {name: NODE_DTYPE.fields[name][1] for name in NODE_DTYPE.names} == offsets
    assert NODE_DTYPE.itemsize == size


@pytest.fixture(scope="module")
def tree():
    return build_tree(LIMPS, (169, 7, 5, 3))


def test_children_are_contiguous_and_know_their_parent(tree):
    nodes = tree.nodes
    for node in np.flatnonzero(nodes["ending"] == Ending.NO_ENDING):
        children = tree.children(node)
        assert set(tree.parents[children]) == {node}
        assert list(tree.action_kinds[children]) == sorted(tree.action_kinds[children])
        amounts = tree.action_amounts[children][tree.action_kinds[children] >= ActionKind.BET]
        assert (np.diff(amounts) > 0).all()
    assert (tree.parents[1:] < np.arange(1, tree.num_nodes)).all()


def test_slots_of_all_decisions_fill_the_table_in_node_order(tree):
    end = 0
    for node in range(tree.num_nodes):
        if tree.nodes["ending"][node] == Ending.NO_ENDING:
            slots = tree.slots(node)
            buckets = tree.bucket_counts[tree.nodes["street"][node]]
            assert slots.start == end
            assert slots.stop - slots.start == buckets * int(tree.nodes["num_actions"][node])
            end = slots.stop
        else:
            assert tree.nodes["first_slot"][node] == -1
    assert end == tree.num_slots == count_tree(tree.game).num_slots((169, 7, 5, 3))


def test_every_ending_has_its_own_row(tree):
    rows = tree.nodes["ending_index"]

    assert sorted(rows[rows >= 0]) == list(range(len(tree.contributions)))
    assert (tree.contributions.sum(axis=1)[rows[rows >= 0]] == tree.nodes["pot"][rows >= 0]).all()


def test_the_arrays_cannot_be_written(tree):
    for name in ("nodes", "parents", "action_kinds", "contributions", "folded"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(tree, name)[0] = 0


def test_a_size_tells_the_memory_that_the_tree_takes(tree):
    size = count_tree(tree.game)
    arrays = (tree.nodes, tree.parents, tree.action_kinds, tree.action_amounts)

    assert size.num_nodes == tree.num_nodes
    assert size.num_decisions + size.num_endings == tree.num_nodes
    assert size.tree_bytes == sum(
        array.nbytes for array in (*arrays, tree.contributions, tree.folded)
    )
    assert size.table_bytes((169, 7, 5, 3)) == 8 * tree.num_slots
    assert size.most_actions == tree.nodes["num_actions"].max()


# --- fingerprints


def test_the_fingerprint_forgets_how_a_menu_was_written():
    game = GameConfig(menu=BetMenu(streets=(("2.5x, a",),)))
    same = replace(game, name="other", menu=BetMenu(streets=(("a, 2.50x, 10000c",),)))

    assert build_tree(game, (9,)).fingerprint == build_tree(same, (9,)).fingerprint


def test_the_fingerprint_tells_trees_apart():
    game = leduc()
    trees = [
        build_tree(game, (3, 9)),
        build_tree(game, (3, 8)),
        build_tree(replace(game, stacks=(12,)), (3, 9)),
        build_tree(replace(game, ante=2, stacks=(14,)), (3, 9)),
        build_tree(replace(game, first_to_act=(0, 1)), (3, 9)),
        build_tree(replace(game, cards=replace(game.cards, suits=3)), (3, 9)),
        build_tree(replace(game, menu=BetMenu(streets=(("2c",), ("4c",)))), (3, 9)),
    ]

    assert len({tree.fingerprint for tree in trees}) == len(trees)


def test_the_fingerprint_stays():
    """Checkpoints carry it, so a change here is a change of the file format."""
    assert build_tree(kuhn(), (3,)).fingerprint == (
        "31b09cf4ef03e56b1630d0f062a52727fa92caf5f0b092b344e87f62a203e7c7"
    )


# --- paths and words


@pytest.mark.parametrize(
    "game", [kuhn(3), leduc(), GameConfig(), LIMPS], ids=lambda game: game.name
)
def test_every_node_is_found_by_its_history(game):
    tree = one_bucket(game)

    for node in range(tree.num_nodes):
        history = tree.history(node)
        assert tree.find(history) == node
        assert tree.find(history.replace("/", "")) == node
        assert tree.find(history.replace("b", "r")) == node


def test_an_all_in_is_found_by_its_chips(tree):
    assert tree.find("r10000") == tree.find("b10000") == tree.find("a")


def test_an_action_that_is_not_on_offer_names_those_that_are(tree):
    with pytest.raises(RulesError) as error:
        tree.find("r250 c / x b100")

    assert "'b100' is not on offer after 'r250 c / x'" in str(error.value).replace(" /'", "'")
    assert error.value.remedy == "choose one of: x b250 b500 a"


def test_an_action_after_the_end_says_so(tree):
    with pytest.raises(RulesError) as error:
        tree.find("f x")

    assert error.value.remedy == "the hand is over there"


@pytest.mark.parametrize("path", ["r250 / c", "c x b100 /", "/ c"])
def test_a_slash_must_stand_where_a_street_begins(tree, path):
    with pytest.raises(RulesError, match="no new street"):
        tree.find(path)


def test_a_node_in_words(tree):
    node = tree.find("r250 c / x b250")

    assert tree.history(node) == "r250 c / x b250"
    assert tree.describe(node) == "SB raises to 250, BB calls; flop: BB checks, SB bets 250"
    assert [tree.action_text(child) for child in tree.children(node)] == [
        "fold",
        "call",
        "raise to 1250",
        "all-in 9750",
    ]
    assert tree.describe(tree.find("c x")) == "SB calls, BB checks; flop: first to act"
    assert tree.describe(0) == "first to act"
    assert tree.action_text(0) == ""


# --- refusals


HUGE = GameConfig(num_players=6, menu=BetMenu(streets=(("50%, 100%, 2x, 3x, 4x, a",),) * 4))


def test_counting_stops_at_the_limit():
    size = count_tree(HUGE, limit=100_000)

    assert not size.complete
    assert 100_000 < size.num_nodes <= 100_000 + 255


def test_a_tree_is_counted_whole_at_its_own_size():
    assert count_tree(LIMPS, limit=3_210).complete
    assert not count_tree(LIMPS, limit=3_209).complete


def test_a_tree_that_cannot_fit_is_refused_with_its_size():
    with pytest.raises(ResourceError) as error:
        build_tree(HUGE, (200,) * 4, memory_bytes=10**9)

    assert "more than" in str(error.value)
    assert "0.9 GiB are available" in str(error.value)
    assert "fewer bet sizes" in error.value.remedy


def test_a_table_that_cannot_fit_is_refused_with_its_size():
    """The default game's table of 473,318 slots takes 3.8 MB."""
    game, counts = GameConfig(), (169, 200, 200, 200)
    size = count_tree(game)
    enough = size.table_bytes(counts) + size.tree_bytes

    assert build_tree(game, counts, memory_bytes=enough).num_slots == 473_318
    with pytest.raises(ResourceError, match="has 2,371 nodes and 473,318 slots"):
        build_tree(game, counts, memory_bytes=enough - 1)


def test_memory_is_asked_for_before_building(monkeypatch):
    monkeypatch.setattr(tree_module, "available_memory", lambda: 3_000_000)

    with pytest.raises(ResourceError):
        build_tree(GameConfig(), (169, 200, 200, 200))


def test_more_nodes_than_can_be_numbered_are_refused(monkeypatch):
    monkeypatch.setattr(tree_module, "MAX_NODES", 1_000)

    with pytest.raises(ResourceError, match="1,000 nodes are the most"):
        build_tree(GameConfig(), (1,) * 4)


def test_255_actions_are_built_and_256_refused():
    def game(stack):
        return GameConfig(stacks=(stack,), blinds=(1, 2), menu=BetMenu(streets=(("*",),)))

    assert count_tree(game(256), limit=10**6).most_actions == 255
    with pytest.raises(ConfigError, match="more than 255 actions"):
        count_tree(game(257))


def test_a_long_line_of_raises_does_not_overflow_a_stack():
    """Ten thousand raises by a chip, with and without a check before."""
    menu = BetMenu(streets=(("1c",),))
    size = count_tree(GameConfig(stacks=(10_000,), blinds=(1, 1), menu=menu))

    assert size.num_decisions == 20_000


def test_bucket_counts_must_be_given_for_every_street():
    with pytest.raises(MismatchError, match="of 4 streets"):
        build_tree(GameConfig(), (169, 200))
    with pytest.raises(MismatchError):
        build_tree(GameConfig(), (169, 200, 0, 200))

    assert build_tree(push_fold(10), (169, 200, 200, 200)).bucket_counts == (169,)


def test_the_door_refuses_arrays_that_do_not_fit():
    def rules(**changes):
        values = {
            "stacks": np.array([9, 9], np.int32),
            "blinds": np.array([1, 2], np.int32),
            "ante": 0,
            "big_blind": 2,
            "first_to_act": np.array([0], np.int32),
            "street_texts": np.array([0, 1], np.int32),
            "text_sizes": np.array([0, 1], np.int32),
            "keeps_call": np.array([1], np.uint8),
            "size_kinds": np.array([3], np.uint8),
            "size_amounts": np.array([0], np.int64),
        }
        return BettingRules(**(values | changes))

    assert rules().count(100)[0]
    for changes in (
        {"stacks": np.ones(10, np.int32)},
        {"blinds": np.ones(3, np.int32)},
        {"first_to_act": np.zeros(5, np.int32)},
        {"street_texts": np.array([0, 2], np.int32)},
        {"text_sizes": np.array([0, 2], np.int32)},
        {"size_amounts": np.zeros(2, np.int64)},
        {"street_texts": np.array([1, 1], np.int32)},
        {"street_texts": np.array([-9, 1], np.int32)},
        {"text_sizes": np.array([-9, 1], np.int32)},
        {
            "street_texts": np.array([0, 2], np.int32),
            "text_sizes": np.array([0, 9, 1], np.int32),
            "keeps_call": np.ones(2, np.uint8),
        },
        {"first_to_act": np.array([2], np.int32)},
        {"first_to_act": np.array([-1], np.int32)},
    ):
        with pytest.raises(ValueError, match=r"stacks|streets|fit together|no text|with seat"):
            rules(**changes)
    with pytest.raises(ValueError, match="differ in length"):
        rules().fill(
            np.empty(5, NODE_DTYPE),
            np.empty(4, np.int32),
            np.empty(5, np.uint8),
            np.empty(5, np.int32),
            np.empty((3, 2), np.int32),
            np.empty(3, np.uint16),
        )
    with pytest.raises(ResourceError):
        rules().fill(
            np.empty(4, NODE_DTYPE),
            np.empty(4, np.int32),
            np.empty(4, np.uint8),
            np.empty(4, np.int32),
            np.empty((3, 2), np.int32),
            np.empty(3, np.uint16),
        )
