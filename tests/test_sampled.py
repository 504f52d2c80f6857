"""Streets of any number of players, solved by sampled walks: what is known, and what is paid."""

from __future__ import annotations

import math
import random
import time

import numpy as np
import pytest

from holdem._core.evaluator import evaluate
from holdem.errors import ConfigError, MismatchError, RulesError
from holdem.game.cards import HOLES, hole_index, parse_cards
from holdem.game.ranges import parse_range
from holdem.game.rules import CALL, FOLD, ActionKind, State, raise_to
from holdem.search.sampled import SampledSolver
from holdem.search.solver import SubgameSolver
from holdem.search.spot import Menu, Spot
from holdem.search.street_tree import MOST_NODES, _count, build_street_tree, fitting_menu
from holdem.types import GameConfig
from tests.reference.sampled import ReferenceStreet

MENU = Menu((("75%, a", "a"),))
POT_OR_NOTHING = Menu((("100%", ""),))
BOARD = "Ks7d2h5cJd"


def river(players: int = 3, stacks: tuple[int, ...] = (10_000,), board: str = BOARD) -> State:
    """A raise and calls before the flop, checks on flop and turn."""
    state = State.new(GameConfig(num_players=players, stacks=stacks))
    cards = list(parse_cards(board))
    state = state.apply(raise_to(250))
    while len(state.board) < 5:
        while state.actor is not None:
            state = state.apply(CALL)
        deal = 3 if not state.board else 1
        state = state.deal_board([cards.pop(0) for _ in range(deal)])
    return state


def solved(state, ranges, menu=MENU, iterations=1000, line=(), seed=1) -> SampledSolver:
    solver = SampledSolver(state, ranges, menu, line, seed=seed)
    solver.run(iterations)
    return solver


def number(text: str) -> int:
    return hole_index(*parse_cards(text))


def chances(solver: SampledSolver, hole: str, node=None) -> dict[str, float]:
    found = solver.strategy(node or solver.tree.line_end)
    row = found.probabilities[found.holes.tolist().index(number(hole))]
    return dict(zip(found.actions, row.tolist(), strict=True))


def everything() -> np.ndarray:
    return np.ones(len(HOLES), np.float32)


# -- against what is known -----------------------------------------------------------------


def test_two_whole_ranges_come_near_to_equilibrium():
    """The exact solver says how exploitable the sampled strategies are."""
    state = river(2)
    spot = Spot(
        board=state.board,
        pot=500,
        stack=9750,
        ranges=(everything(), everything()),
        menu=MENU,
        least_bet=100,
    )
    sampled = solved(state, [everything()] * 2, iterations=20_000)
    exact = SubgameSolver(spot)

    def copy(node, same):
        if not same.children:
            return
        found = sampled.strategy(same)
        table = np.zeros((len(HOLES), len(node.children)), np.float32)
        table[found.holes] = found.probabilities
        sums, holes = exact._reader.sums(node, 0), exact._reader.holes_on(0, 0, node.actor)
        sums[:, : len(holes)] = table[holes].T
        for child, other in zip(node.children, same.children, strict=True):
            copy(child, other)

    copy(exact.tree.root, sampled.tree.nodes[0])

    assert exact.exploitability() < 1.0


def test_clairvoyance():
    """The nuts or nothing, half of each, against what beats nothing: pot-sized bets.

    The first player bets all of the nuts and half as many bluffs; the second calls half.
    """
    state = river(2)
    ranges = [parse_range("8h8s"), parse_range("KdKc, 4s3s")]  # seat 1, the big blind, is first
    solver = solved(state, ranges, POT_OR_NOTHING, 20_000)

    assert chances(solver, "KdKc")["raise to 500"] > 0.98
    assert chances(solver, "4s3s")["raise to 500"] == pytest.approx(0.5, abs=0.05)
    bet = solver.tree.nodes[0].children[1]
    assert chances(solver, "8h8s", bet)["check or call"] == pytest.approx(0.5, abs=0.05)


def three_hands() -> tuple[State, list[np.ndarray]]:
    return river(3), [
        parse_range("AsAh, 8h8s, QcTc"),
        parse_range("KdKc, 9h9s, QdTd"),
        parse_range("7c7h, KhQh, 6s5s"),
    ]


def test_three_players_leave_little_to_gain():
    """By the reference, which plays all deals: no player gains much by answering best."""
    state, ranges = three_hands()
    solver = solved(state, ranges, POT_OR_NOTHING, 20_000)
    slow = ReferenceStreet(solver.tree, ranges)
    found = {
        node: dict(zip(strategy.holes.tolist(), strategy.probabilities, strict=True))
        for node in solver.tree.nodes
        if node.children and (strategy := solver.strategy(node))
    }

    gains = [slow.best_response_gain(seat, lambda n, h: found[n][h]) for seat in range(3)]

    assert all(-0.01 < gain < 0.02 * 750 for gain in gains), gains


def test_values_are_the_references():
    """Of all actions, against what the others play."""
    state, ranges = three_hands()
    solver = solved(state, ranges, POT_OR_NOTHING, 20_000)
    slow = ReferenceStreet(solver.tree, ranges)
    slow.run(60)

    root = solver.tree.nodes[0]
    for hole in slow.holes[0].tolist():
        worth = total = 0.0
        for deal, weight in slow.deals():
            if deal[0] == hole:
                total += weight
                worth += weight * slow._play(root, deal, 0, slow.average)
        best = solver.action_values(hole).max()
        assert best == pytest.approx(worth / total + 250, abs=0.03 * 750)


def test_the_nuts_never_fold_and_the_dead_never_call():
    """The second player bets the pot; the third has quads, or nothing beats nothing."""
    state = river(3, board="Ks7d2h7cJd")
    line = (raise_to(750),)
    ranges = [parse_range(text) for text in ("KdKc, AsKh, 9s8s", "7h7s, 4s3s", "JhJs, QsQh")]
    solver = solved(state, ranges, MENU, 2_000, line)

    assert solver.tree.line_end.state.actor == 1
    assert chances(solver, "7h7s")["fold"] < 0.01
    assert chances(solver, "4s3s")["check or call"] < 0.01
    values = solver.action_values(number("4s3s"))
    assert values[0] == pytest.approx(0, abs=1e-3)
    assert values[1] < -749


@pytest.mark.parametrize("line", [(), (CALL, raise_to(750)), (CALL, CALL)], ids=str)
def test_what_is_drawn_more_often_counts_less(line):
    """A check of the best hand meets a bet three times in four, wherever the real hand is."""
    ranges = [parse_range(text) for text in ("KdKc", "9h9s", "6s6h")]
    solver = SampledSolver(river(3), ranges, POT_OR_NOTHING, line)
    root = solver.tree.nodes[0]
    for node in solver.tree.nodes[1:]:
        if node.children:
            row = [1.0, 0.0] if node is not root.children[0] else [0.25, 0.75]
            solver.lock(node, np.tile(np.array(row, np.float32), (len(HOLES), 1)))
    solver.run(20_000)

    regrets = solver._rows(solver._walk.regrets, solver._walk.pads, root)[:, 0]
    weights = solver.iterations * (solver.iterations + 1) / 2
    # The others fold to a bet, and check behind; the first player folds to one.
    check, bet = 0.25 * 500 + 0.75 * -250, 500
    assert (regrets[0] - regrets[1]) / weights == pytest.approx(check - bet, abs=10)


# -- chips ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_every_ending_pays_what_the_rules_pay(seed):
    """Side pots and all: a hand for each seat, and a path that everybody is made to take."""
    rng = random.Random(seed)
    stacks = tuple(rng.choice([600, 901, 1777, 4000]) for _ in range(3))
    state = river(3, stacks)
    cards = [card for card in range(52) if card not in state.board]
    checked = 0
    tree = build_street_tree(state, MENU)
    endings = [node for node in tree.nodes if not node.children]
    for ending in rng.sample(endings, 12):
        # A few of the cards, so that hands often tie.
        deal = rng.sample(cards[-12:], 6)
        holes = [deal[2 * seat : 2 * seat + 2] for seat in range(3)]
        strengths = evaluate(np.array([[*hole, *state.board] for hole in holes], np.uint8)).tolist()
        wanted = ending.state.payoffs(strengths)
        assert sum(wanted) == 0
        path = [ending]
        while path[0].parent is not None:
            path.insert(0, path[0].parent)
        for place, node in enumerate(path[:-1]):
            seat = node.state.actor
            if seat in {later.state.actor for later in path[place + 1 :]}:
                continue
            ranges = [np.zeros(len(HOLES), np.float32) for _ in range(3)]
            for held, hole in zip(ranges, holes, strict=True):
                held[hole_index(*hole)] = 1
            line = tuple(step.action for step in path[1 : place + 1])
            solver = SampledSolver(state, ranges, MENU, line)
            now = solver.tree.nodes[0]
            for step in path[1:]:
                choice = now.actions.index(step.action)
                table = np.zeros((len(HOLES), len(now.children)), np.float32)
                table[:, choice] = 1
                solver.lock(now, table)
                now = now.children[choice]
            solver.run(1)
            choice = node.actions.index(path[place + 1].action)
            value = solver.action_values(hole_index(*holes[seat]))[choice]
            assert value - node.state.paid[seat] == pytest.approx(wanted[seat], abs=1e-3)
            checked += 1
    assert checked > 12


# -- the tree ------------------------------------------------------------------------------


def test_the_tree_has_the_real_bets_and_all_that_is_legal():
    tree = build_street_tree(river(3), MENU, (CALL, raise_to(333), FOLD))

    assert tree.line_end.state.actor == 0
    assert [str(action) for action in tree.line[1].actions] == [
        "check or call",
        "raise to 333",
        "raise to 563",
        "raise to 9750",
    ]
    for node in tree.nodes:
        if node.children:
            legal = node.state.legal_actions()
            assert all(legal.allows(action) for action in node.actions)
            assert len(set(node.actions)) == len(node.actions)


def test_no_more_is_bet_than_can_be_called():
    tree = build_street_tree(river(3, (10_000, 1_000, 2_000)), MENU)
    amounts = [a.amount for a in tree.nodes[0].actions if a.kind is ActionKind.RAISE]
    assert max(amounts) == 1_750


@pytest.mark.parametrize(
    ("menu", "line", "error", "words"),
    [
        ("10%,20%,30%,40%,50%", (), ConfigError, "betting sequences for 3 players"),
        (",".join(f"{s}%" for s in range(10, 170, 10)), (), ConfigError, "17 actions"),
        ("75%", (CALL, CALL, CALL), RulesError, "leads to no decision"),
        ("75%", (CALL,) * 4, RulesError, "leads to no decision"),
    ],
)
def test_what_is_no_tree_is_refused(menu, line, error, words):
    with pytest.raises(error, match=words):
        build_street_tree(river(3), Menu(((menu,),)), line)


def test_many_players_have_fewer_bets():
    menu = Menu((("50%, 100%", "100%", "a"),))
    assert fitting_menu(menu, river(3)) is menu
    assert fitting_menu(menu, river(6)) == Menu((("50%, 100%", ""),))
    assert fitting_menu(menu, river(9)) == Menu((("",),))
    for players in (3, 4, 5, 6, 9):
        tree = build_street_tree(river(players), fitting_menu(menu, river(players)))
        assert len(tree.nodes) <= MOST_NODES


@pytest.mark.parametrize("players", [3, 4])
def test_a_tree_is_counted_before_it_is_made(players):
    """Deep stacks make just what is counted, where no raise is cut short."""
    menu = Menu((("50%, 100%", "100%", ""),))
    tree = build_street_tree(river(players, (1_000_000,)), menu)
    assert _count(menu, players, 250 * players, 999_750) == len(tree.nodes)


@pytest.mark.parametrize("menu", [("75%", "a"), ("33%", "75%"), ("a", ""), ("200c", "2x", "a")])
def test_raises_are_counted_until_the_stacks_are_in(menu):
    for players in (2, 3):
        tree = build_street_tree(river(players), Menu((menu,)))
        assert _count(Menu((menu,)), players, 250 * players, 9_750) == len(tree.nodes)


def test_small_raises_of_three_players_are_left_out():
    menu, deep = Menu((("33%", "33%"),)), river(3, (20_000,))
    fitted = fitting_menu(menu, deep)

    assert fitting_menu(menu, river(3)) is menu
    assert fitted == Menu((("33%", ""),))
    assert len(build_street_tree(deep, fitted).nodes) <= MOST_NODES
    with pytest.raises(ConfigError, match="betting sequences"):
        build_street_tree(deep, menu)


# -- iterations ----------------------------------------------------------------------------


def test_the_answer_depends_on_seed_and_iterations_only():
    state, ranges = three_hands()
    once = solved(state, ranges, iterations=50)
    parts = solved(state, ranges, iterations=20)
    parts.run(30)
    other = solved(state, ranges, iterations=50, seed=2)

    def found(solver):
        return [solver.strategy(n).probabilities for n in solver.tree.nodes if n.children]

    assert all(map(np.array_equal, found(once), found(parts)))
    assert not all(map(np.array_equal, found(once), found(other)))


def test_no_iteration_begins_after_the_deadline():
    state, ranges = three_hands()
    solver = SampledSolver(state, ranges, MENU)
    past = time.monotonic() - 1

    assert solver.run(100, deadline=past) == 0
    assert solver.run(100, deadline=past, least=7) == 7
    assert solver.iterations == 7
    assert solver.run(100, deadline=time.monotonic() + 1000) == 100


def test_locked_decisions_stay_as_they_are():
    state, ranges = three_hands()
    solver = SampledSolver(state, ranges, MENU)
    root = solver.tree.nodes[0]
    table = np.tile(np.array([0.25, 0.5, 0.25], np.float32), (len(HOLES), 1))
    solver.lock(root, table)
    solver.run(200)

    np.testing.assert_allclose(
        solver.strategy(root).probabilities, table[: len(solver.strategy(root).holes)], atol=1e-4
    )
    with pytest.raises(MismatchError, match="after 200 iterations"):
        solver.lock(root, table)


def test_hands_that_cannot_be_together_are_refused():
    state = river(3)
    aces = parse_range("AsAh")
    solver = SampledSolver(state, [aces, aces, parse_range("QcTc")], MENU)
    with pytest.raises(ConfigError, match="no hands that share no card"):
        solver.run(1)
    with pytest.raises(ConfigError, match="seat 1 has no hand left"):
        SampledSolver(state, [aces, parse_range("KsJd"), aces], MENU)


def test_what_nobody_does_is_answered():
    """A bet that is never made is taken for one of all hands."""
    state, ranges = three_hands()
    solver = SampledSolver(state, ranges, MENU, (raise_to(563),))
    table = np.zeros((len(HOLES), 3), np.float32)
    table[:, 0] = 1
    solver.lock(solver.tree.nodes[0], table)
    solver.run(500)
    assert chances(solver, "KdKc")["fold"] < 0.02
    assert solver.action_values(number("KdKc"))[1:].min() > 500


def test_a_hand_that_meets_nobody_has_no_value():
    state, ranges = three_hands()
    ranges[0][number("KdQd")] = 1
    solver = solved(state, [ranges[0], parse_range("KdKc"), ranges[2]], iterations=5)
    assert all(map(math.isnan, solver.action_values(number("KdQd"))))
