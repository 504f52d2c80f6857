"""Decisions thought again: whom the ranges believe, what is solved, and what is said of it."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from holdem._core.evaluator import evaluate
from holdem.abstraction.translation import Translator
from holdem.errors import ConfigError
from holdem.game.cards import HOLES, hole_index, parse_cards
from holdem.game.policy import TabularPolicy
from holdem.game.rules import CALL, FOLD, Action, ActionKind, Played, State, raise_to
from holdem.game.tree import ActionKind as TreeKind
from holdem.play.agent import Agent
from holdem.play.dealer import deal_cards
from holdem.search.alternatives import river_alternatives
from holdem.search.ranges import Beliefs, BucketsOfHoles
from holdem.search.resolver import NotSearched, Resolver, _held, _likelihood
from holdem.search.solver import SubgameSolver
from holdem.search.spot import Menu, Spot
from holdem.types import MOST_SEARCH_THREADS, BetMenu, GameConfig, SearchConfig
from tests.tables import MENUS, bucketing, random_blueprint
from tests.test_rules_pokerkit import random_action

HEADS_UP = GameConfig()
HANDS = [parse_cards("AsKd"), parse_cards("9h8h")]
CHECKED_TO_THE_RIVER = (raise_to(250), CALL, "Ks7d2h", CALL, CALL, "5c", CALL, CALL, "Jd")
# No time: as many iterations as are asked for, and so the same answer on any machine.
QUICK = SearchConfig(time_budget_ms=0.001, min_iterations=20, depth="end")


def resolver(config: SearchConfig = QUICK, game: GameConfig = HEADS_UP) -> Resolver:
    own = GameConfig(num_players=game.num_players, menu=MENUS[game.num_players])
    policy = random_blueprint(own)
    buckets = bucketing(own.num_streets)
    return Resolver(policy, buckets, Translator(policy.tree, game), config, seed=1)


def played(*line: Action | str, game: GameConfig = HEADS_UP, hands=HANDS) -> State:
    """The state after actions and cards."""
    state = State.new(game, hands)
    for step in line:
        state = state.deal_board(parse_cards(step)) if isinstance(step, str) else state.apply(step)
    return state


# -- ranges ------------------------------------------------------------------------------------


def nothing_known(place: int, action: Action) -> None:
    return None


def slow_weights(state: State, seat: int) -> dict[int, float]:
    """The same by one hand and one action at a time, for every ninth hand."""
    policy, buckets = random_blueprint(HEADS_UP), bucketing()
    weights = {}
    for number in range(0, len(HOLES), 9):
        hole = HOLES[number].tolist()
        if set(hole) & set(state.board):
            continue
        node, board, weight = 0, (), 1.0
        now = State.new(HEADS_UP)
        for event in state.events:
            if not isinstance(event, Played):
                board = (*board, *event.cards)
                now = now.deal_board(event.cards)
                continue
            if len(board) == len(state.board):
                break
            translator = Translator(policy.tree)
            choices = range(len(policy.tree.children(node)))
            (choice,) = (c for c in choices if translator.real_action(node, now, c) == event.action)
            if event.seat == seat:
                weight *= policy.strategy(node)[buckets.bucket(hole, board)][choice]
            node = policy.tree.children(node)[choice]
            now = now.apply(event.action)
        weights[number] = weight
    return weights


@pytest.mark.parametrize(
    "line",
    [
        CHECKED_TO_THE_RIVER,
        (raise_to(250), raise_to(750), CALL, "Ks7d2h", raise_to(1125), CALL, "5c"),
        (raise_to(250), CALL, "Ks7d2h"),
    ],
)
@pytest.mark.parametrize("seat", [0, 1])
def test_ranges_are_products_of_the_blueprints_probabilities(line, seat):
    state = played(*line)
    policy = random_blueprint(HEADS_UP)
    beliefs = Beliefs(policy, bucketing(), Translator(policy.tree))

    found = beliefs.at_street_start(state, 1, 0, nothing_known).weights[seat]

    wanted = slow_weights(state, seat)
    numbers = np.array(list(wanted))
    scale = found[numbers].sum() / sum(wanted.values())
    np.testing.assert_allclose(
        found[numbers], scale * np.array(list(wanted.values())), rtol=1e-3, atol=2e-3
    )
    assert np.count_nonzero(found[numbers]) > 20


def test_what_is_done_on_the_street_belongs_to_the_line():
    state = played(*CHECKED_TO_THE_RIVER, CALL, raise_to(400))
    policy = random_blueprint(HEADS_UP)
    beliefs = Beliefs(policy, bucketing(), Translator(policy.tree))

    start = beliefs.at_street_start(state, 1, 0, nothing_known)

    assert start.line == (CALL, raise_to(400))
    assert start.state == played(*CHECKED_TO_THE_RIVER, hands=())


def test_what_is_known_beats_the_blueprint():
    state = played(*CHECKED_TO_THE_RIVER)
    policy = random_blueprint(HEADS_UP)
    beliefs = Beliefs(policy, bucketing(), Translator(policy.tree))
    aces = np.zeros(len(HOLES), np.float32)
    aces[hole_index(*parse_cards("AsAh"))] = 1

    start = beliefs.at_street_start(state, 1, 0, lambda place, _: aces if place == 0 else None)

    assert np.flatnonzero(start.weights[0]).tolist() == [hole_index(*parse_cards("AsAh"))]
    assert np.count_nonzero(start.weights[1]) > 100


def test_an_impossible_action_says_nothing():
    """A hand that nobody would play so leaves the range as it was, and not empty."""
    state = played(*CHECKED_TO_THE_RIVER)
    policy = random_blueprint(HEADS_UP)
    beliefs = Beliefs(policy, bucketing(), Translator(policy.tree))
    nobody = np.zeros(len(HOLES), np.float32)

    start = beliefs.at_street_start(state, 1, 0, lambda *_: nobody)

    assert np.count_nonzero(start.weights[0]) == 47 * 46 // 2


# -- the river ---------------------------------------------------------------------------------


def test_the_river_is_solved_with_the_bet_that_was_made():
    thought = resolver().think(played(*CHECKED_TO_THE_RIVER, raise_to(333)), 0)

    assert thought.actions[:2] == (FOLD, CALL)
    assert all(action.kind is ActionKind.RAISE for action in thought.actions[2:])
    assert thought.values[0] == pytest.approx(0, abs=0.5)
    assert sum(thought.probabilities) == pytest.approx(1, abs=1e-5)
    assert thought.iterations == 20


def test_calling_all_in_is_worth_what_the_showdown_is():
    """The opponent is all-in: what a call wins can be added up hand by hand."""
    state = played(*CHECKED_TO_THE_RIVER, raise_to(9750))
    mine = resolver(SearchConfig(time_budget_ms=0.001, min_iterations=200))
    thought = mine.think(state, 0)
    start = mine._beliefs.at_street_start(state, 1, 0, nothing_known)
    solver = SubgameSolver(
        Spot(
            board=state.board,
            pot=500,
            stack=9750,
            ranges=(start.weights[1], start.weights[0]),
            menu=Menu.of("75%, a", "75%, a"),
            least_bet=100,
        ),
        line=start.line,
    )
    solver.run(200)
    shove = solver.tree.root.children[-1]
    found = solver.strategy(solver.tree.root)
    chance = found.probabilities[:, solver.tree.root.children.index(shove)] * found.weights

    now = state.apply(CALL)
    won = met = 0.0
    for hole, weight in zip(found.holes, chance, strict=True):
        theirs = tuple(HOLES[hole].tolist())
        if not set(theirs) & set(HANDS[0]):
            shown = State.new(HEADS_UP, [HANDS[0], theirs])
            for event in now.events:
                shown = (
                    shown.apply(event.action)
                    if isinstance(event, Played)
                    else shown.deal_board(event.cards)
                )
            met += weight
            won += weight * (shown.payoffs()[0] + 250)  # folding loses the 250 paid
    assert thought.actions == (FOLD, CALL)
    assert thought.values[1] == pytest.approx(won / met, rel=1e-3)
    assert thought.probabilities[int(won > 0)] > 0.9


def test_a_river_of_80_ms_is_near_the_exact_answer():
    """So many iterations as a slow machine does in the time leave less than 1 % of the pot."""
    state = played(*CHECKED_TO_THE_RIVER)
    policy = random_blueprint(HEADS_UP)
    start = Beliefs(policy, bucketing(), Translator(policy.tree)).at_street_start(
        state, 1, 0, nothing_known
    )
    solver = SubgameSolver(
        Spot(
            board=state.board,
            pot=500,
            stack=9750,
            ranges=(start.weights[1], start.weights[0]),
            menu=Menu.of("75%, a", "75%, a"),
            least_bet=100,
        )
    )
    solver.run(250)
    assert solver.exploitability() < 1.0


def test_the_hand_that_is_held_is_in_the_range():
    """Even if the blueprint would never have come here with it."""
    mine = resolver()
    never = np.ones(len(HOLES), np.float32)
    never[hole_index(*HANDS[1])] = 0
    mine._beliefs._likelihood = lambda *_: never

    thought = mine.think(played(*CHECKED_TO_THE_RIVER), 0)

    assert sum(thought.probabilities) == pytest.approx(1, abs=1e-5)


ALL_IN_ON_THE_RIVER = (
    *(raise_to(250), CALL, "QhJhTh", CALL, CALL, "2d", CALL, CALL, "3s"),
    *(raise_to(1000), raise_to(9750)),
)


@pytest.mark.parametrize(
    ("cards", "wanted"), [("AhKh", CALL), ("4c5d", FOLD)], ids=["royal flush", "nothing"]
)
def test_a_hand_that_the_solution_would_not_have_here_answers_best(cards, wanted):
    """The solution bets no hand for 1,000 that it did not learn to; this one was bet."""
    mine = resolver(replace(QUICK, min_iterations=300))
    state = played(*ALL_IN_ON_THE_RIVER, hands=[parse_cards("7s7c"), parse_cards(cards)])

    def with_lock(*args):
        search = subgame(*args)
        root = search.solver.tree.root
        search.solver.lock(root, np.eye(len(root.children))[np.zeros(len(HOLES), int)])  # check
        return search

    subgame, mine._subgame = mine._subgame, with_lock
    thought = mine.think(state, 0)

    assert dict(zip(thought.actions, thought.probabilities, strict=True))[wanted] == 1
    table = mine._memory(0, 1)[state.events].table
    assert table[hole_index(*parse_cards(cards))].max() == 1


def test_what_is_found_for_one_seat_is_not_known_to_another():
    """Asking for a hint changes nothing for the opponent."""
    first = played(*CHECKED_TO_THE_RIVER)
    second = first.apply(raise_to(375))
    alone, asked = resolver(), resolver()
    asked.think(first, 0)

    assert replace(asked.think(second, 0), note="") == replace(alone.think(second, 0), note="")
    assert set(asked._memory(0, 1)) == {first.events}  # and nothing is forgotten
    assert set(asked._memory(0, 0)) == {second.events}


def test_own_decisions_of_the_street_are_held_fast(monkeypatch):
    held = []
    monkeypatch.setattr(
        SubgameSolver, "lock", lambda self, node, table: held.append((node.path(), table))
    )
    mine = resolver()
    first = played(*CHECKED_TO_THE_RIVER)
    mine.think(first, 7)
    assert held == []

    mine.think(first.apply(CALL).apply(raise_to(375)), 7)

    ((path, table),) = held
    assert path == ""
    np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-5)
    mine.think(first.apply(CALL).apply(raise_to(375)), 8)
    assert len(held) == 1  # another hand


def test_what_was_found_counts_on_the_next_street():
    """The turn's own decision was thought again; the river begins with what it said."""
    mine = resolver(SearchConfig(time_budget_ms=0.001, min_iterations=3, depth="end"))
    turn = played(raise_to(9500), CALL, "Ks7d2h", CALL, CALL, "5c")
    mine.think(turn, 3)
    memory = mine._memory(3, 1)
    found = memory[turn.events]
    river = turn.apply(CALL).apply(CALL).deal_board(parse_cards("Jd"))

    start = mine._beliefs.at_street_start(
        river, 1, 3, lambda i, a: _likelihood(memory, river.events[:i], a)
    )

    before = mine._beliefs.at_street_start(turn, 1, 3, nothing_known).weights[1]
    wanted = before * found.likelihood(CALL)
    alive = ~np.isin(HOLES, river.board).any(axis=1)
    ratio = start.weights[1][alive & (wanted > 0.1)] / wanted[alive & (wanted > 0.1)]
    assert ratio.std() < 1e-4 * ratio.mean()


def test_the_answer_depends_on_state_and_iterations_only():
    state = played(*CHECKED_TO_THE_RIVER, raise_to(333))
    first, second = (replace(resolver().think(state, 0), note="") for _ in range(2))
    assert first == second


@pytest.mark.parametrize("safety", ["resolve", "max-margin"])
def test_safe_search_answers(safety):
    config = SearchConfig(time_budget_ms=0.001, min_iterations=50, safety=safety)
    mine, state = resolver(config), played(*CHECKED_TO_THE_RIVER, raise_to(375))
    thought = mine.think(state, 0)
    gadget = mine._subgame(state, 0, 0, HANDS[0], {}).solver.gadget

    assert (gadget.kind, gadget.player) == (safety, 0)  # who has bet, out of position
    assert sum(thought.probabilities) == pytest.approx(1, abs=1e-5)
    # Nothing may be left to be met, if the opponent would have all its hands elsewhere.
    assert thought.values[0] == pytest.approx(0, abs=0.5) or np.isnan(thought.values[0])


@pytest.mark.parametrize("player", [0, 1])
def test_alternatives_are_what_the_blueprint_gives(player):
    """Where it only checks and calls, each hand's share of the pot at the showdown."""
    tree = random_blueprint(HEADS_UP).tree
    probabilities = np.zeros(tree.num_slots, np.float32)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        kinds = tree.action_kinds[tree.children(node)]
        passive = np.isin(kinds, (TreeKind.CHECK, TreeKind.CALL))
        probabilities[tree.slots(node)].reshape(-1, len(kinds))[:] = passive / max(passive.sum(), 1)
    board = parse_cards("Ks7d2h5cJd")
    rng = np.random.default_rng(3)
    drawn, there = rng.random((2, len(HOLES))), rng.random((2, len(HOLES))) < 0.3
    ranges = (drawn * there).astype(np.float32)

    found = river_alternatives(
        TabularPolicy(tree, probabilities),
        BucketsOfHoles(bucketing()),
        Translator(tree, HEADS_UP),
        node=tree.find("r250 c / x x / x x"),
        board=board,
        seats=(1, 0),
        ranges=(ranges[0], ranges[1]),
        menu=resolver()._blueprint_menus[3],
        player=player,
    )

    dealt = np.flatnonzero(~np.isin(HOLES, board).any(axis=1))
    cards = np.column_stack([np.tile(board, (len(dealt), 1)), HOLES[dealt]])
    strengths = evaluate(cards.astype(np.uint8))
    for hole, strength in zip(dealt, strengths, strict=True):
        if not ranges[player][hole]:
            assert np.isnan(found[hole])
            continue
        apart = ~np.isin(HOLES[dealt], HOLES[hole]).any(axis=1)
        weights = ranges[1 - player][dealt] * apart
        shares = (strengths < strength) + (strengths == strength) / 2
        assert found[hole] == pytest.approx(np.average(shares, weights=weights), abs=1e-4)


# -- three players and more --------------------------------------------------------------------

THREE = GameConfig(
    num_players=3, menu=BetMenu(streets=(("2.5x", "3x, a", "a"), *[("75%", "a")] * 3))
)
THREE_HANDS = [*HANDS, parse_cards("TcTd")]
TO_THE_FLOP = (raise_to(250), CALL, CALL, "Ks7d2h")
TO_THE_RIVER = (*TO_THE_FLOP, CALL, CALL, CALL, "5c", CALL, CALL, CALL, "Jd")
TURN_AND_RIVER = (CALL, CALL, "5c", CALL, CALL, "Jd")


def three(*line: Action | str) -> State:
    return played(*line, game=THREE, hands=THREE_HANDS)


def resolver_of_three(**config: object) -> Resolver:
    values = {"time_budget_ms": 0.001, "min_iterations": 30, **config}
    policy = random_blueprint(THREE)
    return Resolver(policy, bucketing(), Translator(policy.tree), SearchConfig(**values), seed=1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (TO_THE_FLOP, "flop, 3 players, to the end of the street"),
        ((*TO_THE_FLOP, CALL, raise_to(333)), "flop, 3 players, to the end of the street"),
        (TO_THE_RIVER[:8], "turn, 3 players, to the end of the street"),
        ((*TO_THE_RIVER, raise_to(600), CALL), "river, 3 players, to the end of the hand"),
    ],
)
def test_three_players_are_solved_on_every_street(line, words):
    state = three(*line)
    legal = state.legal_actions()

    thought = resolver_of_three().think(state, 0)

    assert thought.subgame == words
    assert thought.iterations == 30
    assert "for the least iterations asked for" in thought.note
    assert all(legal.allows(action) for action in thought.actions)
    assert sum(thought.probabilities) == pytest.approx(1, abs=1e-5)
    assert np.isfinite(thought.values).all()
    if legal.can_fold:
        assert thought.values[0] == pytest.approx(0, abs=0.5)


def test_the_answer_of_three_players_depends_on_state_and_iterations_only():
    state = three(*TO_THE_FLOP, raise_to(333))
    first, second = (replace(resolver_of_three().think(state, 0), note="") for _ in range(2))
    assert first == second


def test_what_three_players_can_hold_counts():
    """A player who bets all-in with the nuts only is called with little."""
    state = three(*TO_THE_RIVER, raise_to(9750), FOLD)
    mine = resolver_of_three(min_iterations=300)
    sets = np.zeros(len(HOLES), np.float32)
    sets[[hole_index(*parse_cards(text)) for text in ("KdKh", "KcKh", "JsJh")]] = 1
    believed = mine._beliefs._likelihood
    mine._beliefs._likelihood = lambda follower, now, action: (
        sets if now.actor == 0 else believed(follower, now, action)
    )

    thought = mine.think(state, 0)

    assert thought.actions == (FOLD, CALL)
    assert thought.probabilities[0] > 0.95
    assert thought.values[1] < -5_000


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (TO_THE_FLOP, "flop, 2 players, to the end of the street"),
        ((*TO_THE_FLOP, raise_to(333)), "flop, 2 players, to the end of the street"),
        ((*TO_THE_FLOP, CALL, CALL, "5c"), "turn, 2 players, to the end of the street"),
        ((*TO_THE_FLOP, *TURN_AND_RIVER), "river, to the end of the hand"),
    ],
)
def test_two_who_are_left_of_three_are_solved_on_every_street(line, words):
    """Before the river by drawing: of three players nobody learns continuations."""
    thought = resolver_of_three().think(three(*line[:2], FOLD, *line[3:]), 0)

    assert thought.subgame == words
    assert thought.iterations == 30
    assert sum(thought.probabilities) == pytest.approx(1, abs=1e-5)


def test_two_who_are_left_of_three_are_searched_safely_on_rivers():
    mine = resolver_of_three(safety="resolve")
    with pytest.raises(NotSearched, match="safe search is for rivers, and this is the flop"):
        mine.think(three(raise_to(250), CALL, FOLD, "Ks7d2h"), 0)


def test_three_players_remember_what_they_found():
    mine = resolver_of_three()
    first = three(*TO_THE_RIVER)
    actions, table = mine.strategies(first, 5)
    later = first.apply(CALL).apply(raise_to(563)).apply(CALL)
    start = mine._beliefs.at_street_start(later, 1, 5, nothing_known)

    ((place, held),) = _held(mine._memory(5, first.actor), later, start)

    assert place == 0
    assert held.actions == actions
    np.testing.assert_array_equal(held.table, table)
    assert mine.think(later, 5).iterations == 30
    mine.think(later, 6)
    assert list(_held(mine._memory(6, first.actor), later, start)) == []  # another hand


# -- what cannot be thought again --------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "config", "reason"),
    [
        (played(raise_to(250)), QUICK, "before the flop"),
        (
            played(
                raise_to(250),
                CALL,
                CALL,
                "Ks7d2h",
                game=GameConfig(num_players=3),
                hands=[*HANDS, parse_cards("TcTd")],
            ),
            SearchConfig(safety="resolve"),
            "3 players are in, and safe search is for two",
        ),
        (
            played(
                *(raise_to(300), *[CALL] * 5, "Ks7d2h"),
                game=GameConfig(num_players=6),
                hands=[HANDS[0], *[None] * 5],
            ),
            QUICK,
            "no place where this flop ends",
        ),
        (
            played(raise_to(250), CALL, "Ks7d2h", CALL, CALL, "5c"),
            SearchConfig(time_budget_ms=0.1),
            "would take",
        ),
        (
            played(*CHECKED_TO_THE_RIVER),
            SearchConfig(menu="1%,2%,3%,4%,5%,6%,7%,8%,9%,10%,11%,12%,13%,14%,15%,16%"),
            "betting sequences",
        ),
    ],
)
def test_what_is_not_searched_has_a_reason(state, config, reason):
    with pytest.raises(NotSearched, match=reason):
        resolver(config, state.game).think(state, 0)


@pytest.mark.parametrize(
    ("menu", "words"), [("50", "not a bet size"), ("*", "too many"), ("2x", "no bet is faced")]
)
def test_a_menu_is_read_at_once(menu, words):
    with pytest.raises(ConfigError, match=words):
        resolver(SearchConfig(menu=menu))


def test_all_cores_are_no_more_than_a_search_can_use(monkeypatch):
    monkeypatch.setattr("holdem.search.resolver.usable_cores", lambda: 384)
    mine = resolver(replace(QUICK, num_workers=0))

    assert mine._num_workers == MOST_SEARCH_THREADS
    assert mine.think(played(*CHECKED_TO_THE_RIVER), 0).iterations == 20


# -- an agent that searches --------------------------------------------------------------------


def searching_agent(game: GameConfig) -> Agent:
    own = GameConfig(num_players=game.num_players, menu=MENUS[game.num_players])
    config = SearchConfig(time_budget_ms=1, min_iterations=2)
    return Agent(random_blueprint(own), bucketing(own.num_streets), game, seed=1, search=config)


@pytest.mark.parametrize(
    "game",
    [
        HEADS_UP,
        GameConfig(stacks=(700,)),
        GameConfig(stacks=(300, 10_000)),
        GameConfig(stacks=(50_000,), blinds=(1, 2)),
        GameConfig(num_players=3, stacks=(500, 9_000, 2_000)),
        GameConfig(num_players=6, stacks=(150, 300, 900, 10_000, 600, 400)),
    ],
    ids=str,
)
def test_every_answer_is_legal(game):
    """In hands where the others do anything, from every seat, at every stack."""
    agent = searching_agent(game)
    rng = random.Random(2)
    searched = 0
    for number in range(25):
        players = game.num_players
        cards = deal_cards(9, number, 2 * players + 5)
        state = State.new(game, [cards[2 * seat : 2 * seat + 2] for seat in range(players)])
        board = cards[2 * players :]
        while not state.is_terminal:
            if state.cards_to_deal:
                state = state.deal_board(board[len(state.board) :][: state.cards_to_deal])
                continue
            legal = state.legal_actions()
            if state.actor == number % players:
                decision = agent.decide(state, number)
                assert all(legal.allows(option.action) for option in decision.options)
                assert sum(o.probability for o in decision.options) == pytest.approx(1, abs=1e-4)
                if players == 2:  # drawn hands may leave none to be met
                    known = [option.value is not None for option in decision.options]
                    assert bool(decision.searched) == all(known)
                searched += bool(decision.searched)
                state = state.apply(decision.action)
            else:
                wild = rng.random() < 0.3
                state = state.apply(random_action(legal, rng) if wild else CALL)
    assert searched or min(game.stacks) < 500  # short stacks are all-in before


def test_a_decision_says_what_was_searched():
    agent = searching_agent(HEADS_UP)

    decision = agent.decide(played(*CHECKED_TO_THE_RIVER), 0)

    assert decision.searched.startswith("river, to the end of the hand")
    assert decision.iterations >= 2
    assert decision.blueprint
    assert decision.fallback == ""


@pytest.mark.parametrize("players", [3, 6])
def test_a_pot_of_many_is_searched(players):
    """Whatever streets the blueprint was trained for: a river needs nothing of it."""
    game = GameConfig(num_players=players)
    own = GameConfig(num_players=players, menu=MENUS[players])
    config = SearchConfig(time_budget_ms=1, min_iterations=10, menu="100% / a")
    agent = Agent(random_blueprint(own), bucketing(own.num_streets), game, seed=1, search=config)
    state = State.new(game, [HANDS[0], *[None] * (players - 1)])
    state = state.apply(raise_to(250))
    for cards in ("Ks7d2h", "5c", "Jd"):
        while state.actor is not None:
            state = state.apply(CALL)
        state = state.deal_board(parse_cards(cards))

    decision = agent.decide(state, 0)

    assert decision.searched.startswith(f"river, {players} players, to the end of the hand")
    assert ("with fewer bets" in decision.searched) == (players == 6)
    assert decision.iterations >= 10
    assert decision.fallback == ""
    assert {option.action for option in decision.options} == {CALL, raise_to(250 * players)}


def test_a_decision_says_why_it_was_not_searched():
    agent = searching_agent(HEADS_UP)

    decision = agent.decide(played(raise_to(250), CALL, "Ks7d2h"), 0)

    assert decision.searched == ""
    assert "would take" in decision.fallback
    assert "no continuations (make them with: holdem continuations POLICY)" in decision.fallback
    assert decision.bucket is not None
    assert len(decision.options) > 1


def test_search_answers_where_the_policy_cannot():
    """Deeper than the blueprint's stacks."""
    game = GameConfig(stacks=(50_000,))
    line = (raise_to(9_000), raise_to(30_000), CALL, "Ks7d2h", CALL, CALL, "5c", CALL, CALL, "Jd")
    state = played(*line, game=game)
    plain = Agent(random_blueprint(HEADS_UP), bucketing(), game)
    assert plain.decide(state, 0).bucket is None

    decision = searching_agent(game).decide(state, 0)

    assert decision.searched
    assert decision.blueprint == ()
    assert len(decision.options) > 1
