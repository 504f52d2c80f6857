"""Matches of players that decide while they play: deals, estimates, decisions and processes."""

from __future__ import annotations

import os
from functools import partial

import numpy as np
import pytest

from holdem.abstraction.translation import Translator
from holdem.cli import match as match_command
from holdem.errors import ConfigError, ResourceError, RulesError
from holdem.evaluation.contestants import Contestant
from holdem.evaluation.match import FIRST_DEAL
from holdem.evaluation.shared_table import SharedTable
from holdem.game.games import kuhn
from holdem.game.rules import CALL, State, raise_to
from holdem.game.tree import ActionKind, build_tree
from holdem.mccfr.blueprint import Blueprint
from holdem.play.agent import Agent, Decision, Option
from holdem.play.arena import Arena, path_of
from holdem.play.crew import Crew
from holdem.search.resolver import Resolver
from holdem.search.subgame import NodeKind, build_public_tree
from holdem.types import BetMenu, GameConfig, SearchConfig
from tests.reference.games import random_policy, tree_of
from tests.tables import bucketing, random_blueprint, saved_policy
from tests.test_games import load_game

MENU = BetMenu(streets=(("2.5x, a", "a"), ("50%, a", "a"), ("75%, a", "a"), ("a",)))
SMALL = GameConfig(stacks=(3_000,), menu=MENU)


class Thinker:
    """Plays as one policy before the flop and as another one after it, as a search would."""

    def __init__(self, game: GameConfig, policy: Blueprint, later: Blueprint | None) -> None:
        self._agents = [Agent(one, bucketing(), game, seed=5) for one in (policy, later or policy)]

    def decide(self, state: State, hand: int) -> Decision:
        first, later = (agent.decide(state, hand) for agent in self._agents)
        if not state.board:
            return first
        return Decision(
            later.action, later.options, later.situation, later.bucket, "", 0.01, "something", 3
        )


def thinkers(game: GameConfig = SMALL, seed: int = 7) -> tuple[Thinker, Agent]:
    """The first plays another policy after the flop."""
    first = Thinker(game, random_blueprint(game, 1), random_blueprint(game, seed))
    return first, Agent(random_blueprint(game, 2), bucketing(), game, seed=6)


def contestant(game: GameConfig, seed: int, name: str = "first") -> Contestant:
    return Contestant(name, random_blueprint(game, seed), bucketing())


def arena(game: GameConfig = SMALL, make=thinkers, **options) -> Arena:
    options = {"seed": 3, "searching": (0,), **options}
    return Arena(contestant(game, 1), contestant(game, 2, "second"), make, **options)


# ---- What hands bring -------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [True, False])
def test_deals_and_estimates(duplicate):
    """Cards are a match's, chips the rules', and estimates those of the tree, corrected."""
    seen = []
    result = arena(duplicate=duplicate).play(120, seen.append)
    first, second = contestant(SMALL, 1), contestant(SMALL, 2)
    table = SharedTable(first, second, seed=3, duplicate=duplicate, aivat=True, num_workers=1)
    deals = 60 if duplicate else 120
    theirs = {
        (hands.seat, number): hands.cards[place].tolist()
        for hands in table.play(FIRST_DEAL, 0, deals)
        for place, number in enumerate(hands.numbers.tolist())
    }
    assert {(h.seat, int(h.numbers[0])): h.cards[0].tolist() for h in seen} == theirs
    later = random_blueprint(SMALL, 7)
    tree = first.tree
    total, corrected, decisions = [], 0, 0
    for hands in seen:
        [state] = hands.states
        assert state.is_terminal
        assert hands.chips.tolist() == [list(state.payoffs())]
        path = path_of(tree, state)
        assert path == [0, *tree.path(int(hands.endings[0]))]
        estimator = table._estimators[hands.seat]
        wanted = np.empty(1)
        number = np.array([FIRST_DEAL + int(hands.numbers[0])])
        estimator.estimate(3, number, hands.cards, hands.endings, wanted)
        for node in path[:-1]:
            record = tree.nodes[node]
            if record["street"] and record["actor"] == hands.seat:
                row = later.strategy(node)[0].astype(np.float64)
                added = estimator.correction(hands.cards[0], node, row / row.sum())
                wanted += added
                corrected += abs(added) > 1
                decisions += 1
        assert hands.values == pytest.approx(-wanted if hands.seat else wanted, abs=1e-6)
        total.append(float(hands.values[0]))
    assert corrected > 10
    assert len(result.decisions.tally.decisions) == decisions
    assert result.decisions.tally.percentile(0.5) == 0.01
    assert sum(len(tally.decisions) for tally in result.decisions.by_street.values()) == decisions
    assert result.match.aivat.total.mean == pytest.approx(np.mean(total) * 10)
    assert result.match.num_hands == len(seen) == 120
    for seat, position in enumerate(result.match.plain.positions):
        chips = [int(hands.chips[0, seat]) for hands in seen if hands.seat == seat]
        assert (position.count, position.mean) == (60, pytest.approx(np.mean(chips) * 10))


def test_estimates_agree_with_chips():
    """Play that AIVAT does not know: corrected, estimates and chips have one mean."""
    seen = []
    arena().play(800, seen.append)

    chips = np.array([hands.chips[0, hands.seat] for hands in seen])
    values = np.array([hands.values[0] for hands in seen])
    apart = chips - values
    assert abs(apart.mean()) < 3 * apart.std() / len(apart) ** 0.5
    assert values.std() < 0.7 * chips.std()


def test_the_number_of_processes_changes_nothing():
    """With players that do not look at the clock."""
    games = []
    for workers in (1, 2):
        seen = []
        result = arena(num_workers=workers).play(30, seen.append)
        games.append(([h.states for h in seen], [float(h.values[0]) for h in seen], result.match))

    assert games[0] == games[1]


def test_reasons_are_counted():
    """Why a decision was not thought again, whatever the numbers in it."""

    def make():
        first, second = thinkers()
        return _Failing(first), second

    result = arena(make=make).play(40)

    assert result.decisions.reasons == {"would take .. ms": result.decisions.tally.fallbacks}
    assert result.decisions.tally.fallback_rate == 1
    assert result.match.aivat is not None


class _Failing:
    def __init__(self, player):
        self._player = player

    def decide(self, state, hand):
        found = self._player.decide(state, hand)
        if not state.board:
            return found
        why = f"would take {hand}.5 ms"
        return Decision(found.action, found.options, "", None, why, 0.01)


def test_a_hand_that_leaves_the_tree():
    """Is played, but AIVAT cannot say what it is worth."""

    def make():
        return _Raising(), thinkers()[1]

    with pytest.raises(RulesError, match="is not in the policy's betting tree"):
        arena(make=make).play(200)
    seen = []
    result = arena(make=make, aivat=False).play(20, seen.append)
    assert result.match.aivat is None
    assert {int(hands.endings[0]) for hands in seen} == {-1}


class _Raising:
    """Raises by the least that it may."""

    def decide(self, state, hand):
        legal = state.legal_actions()
        action = CALL if legal.min_raise_to is None else raise_to(legal.min_raise_to)
        return Decision(action, (Option(action, 1.0),), "", None, "", 0.0)


def test_what_cannot_be_had():
    three = GameConfig(num_players=3, menu=MENU)
    players = [Contestant(f"{i}", random_policy(tree_of(kuhn()), i)) for i in (1, 2)]
    with pytest.raises(ConfigError, match="at 'kuhn', which is a one-card game"):
        Arena(*players, thinkers)
    with pytest.raises(ConfigError, match="which has 3 players"):
        Arena(contestant(three, 1), contestant(three, 2), thinkers)
    uneven = GameConfig(stacks=(3_000, 2_000), menu=MENU)
    with pytest.raises(ConfigError, match="even stacks"):
        arena(uneven, aivat=True)
    assert arena(uneven, partial(thinkers, uneven)).play(4).match.aivat is None
    with pytest.raises(ConfigError, match="0 hands"):
        arena().play(0)


# ---- The search's bets are the policy's -------------------------------------------------------


@pytest.mark.parametrize("game", [load_game("hu"), SMALL], ids=["hu", "small"])
def test_subgames_offer_the_bets_of_the_tree(game):
    """From every street's beginning on: so hands with search stay in the policy's tree."""
    tree = build_tree(game, (1, 1, 1, 1))
    policy = random_policy(tree, 1)
    resolver = Resolver(policy, bucketing(), Translator(tree), SearchConfig(), seed=1)
    roots = [
        node
        for node in range(1, tree.num_nodes)
        if tree.nodes["num_actions"][node] and tree.street_begins(node)
    ]
    compared = 0
    for root in roots:
        record = tree.nodes[root]
        street, pot = int(record["street"]), int(record["pot"])
        subgame = build_public_tree(
            pot=pot,
            stack=game.stack_of(0) - pot // 2,
            menu=resolver._menus[street],
            num_streets=4 - street,
            least_bet=game.big_blind,
        )
        waiting = [(root, subgame.root)]
        while waiting:
            ours, theirs = waiting.pop()
            while theirs.kind == NodeKind.DEAL:
                [theirs] = theirs.children
            children = tree.children(ours)
            assert len(children) == len(theirs.children), (tree.history(ours), theirs.path())
            compared += 1
            for child, other in zip(children, theirs.children, strict=True):
                if ActionKind(tree.action_kinds[child]) >= ActionKind.BET:
                    assert other.bets[theirs.actor] == tree.action_amounts[child]
                waiting.append((child, other))
    assert compared > 100


# ---- Processes --------------------------------------------------------------------------------


def squares():
    return lambda number: number * number


def deaths():
    def work(number):
        if number == 3:
            os._exit(7)
        return number

    return work


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers):
    with Crew[int, int](squares, workers) as crew:
        assert list(crew.map(range(30))) == [number * number for number in range(30)]
        assert list(crew.map([])) == []


def test_a_process_that_dies_is_told():
    with Crew[int, int](deaths, 2) as crew, pytest.raises(ResourceError, match="with status 7"):
        list(crew.map(range(10)))


# ---- The command ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    """Two policies and their buckets."""
    folder = tmp_path_factory.mktemp("policies")
    return [saved_policy(folder, SMALL, seed) for seed in (1, 2)]


QUICK = ["--time-budget-ms", "5", "--min-iters", "2"]


def test_the_command(policies, capsys, tmp_path):
    out, hands = tmp_path / "m.json", tmp_path / "m.phhs"
    files = ["--out", str(out), "--hands-out", str(hands)]
    status = match_command.main([*policies, "--search", "both", "--hands", "12", *files, *QUICK])

    printed = capsys.readouterr().out
    assert status == 0
    assert "with search" in printed
    assert "p99" in printed
    assert "fallbacks" in printed
    assert hands.read_text().count("[12]") == 1
    assert '"searching": "both"' in out.read_text()


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--search", "third"], "--search"),
        (["--search", "first", "--until-ci", "5"], "take hours with --search"),
        (["--search", "first", "--min-iters", "0"], "--min-iters"),
        (["--search", "first", "--search-menu", "50%, *"], "would be too many bets"),
        (["--search", "first", "--search-menu", "*", "--workers", "2"], "would be too many bets"),
    ],
)
def test_the_command_refuses(policies, capsys, options, wanted):
    assert match_command.main([*policies, *options]) == 2
    assert wanted in capsys.readouterr().err


def test_another_menu_goes_without_aivat(policies, capsys):
    options = ["--search", "second", "--search-menu", "100%, a", "--hands", "4", *QUICK]

    assert match_command.main([*policies, *options]) == 0
    printed = capsys.readouterr().out
    assert "AIVAT needs hands that stay" in printed
    assert "by chips won" in printed
