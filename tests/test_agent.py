"""An agent in a seat: its answers are the policy's, legal, and the same every time."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import ConfigError, MismatchError, RulesError, StorageError
from holdem.game.cards import class_of, parse_cards
from holdem.game.rules import CALL, FOLD, Played, State, raise_to
from holdem.game.tree import build_tree
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.play.agent import Agent, load_policy
from holdem.play.dealer import deal_cards
from holdem.types import BetMenu, GameConfig
from tests.tables import MENUS, bucketing, random_agent, random_blueprint
from tests.test_rules_pokerkit import random_action

HEADS_UP = GameConfig()


def hand_of(game: GameConfig, number: int) -> tuple[State, list[int]]:
    """A hand as dealt, and its board."""
    players = game.num_players
    cards = deal_cards(9, number, 2 * players + 5)
    state = State.new(game, [cards[2 * seat : 2 * seat + 2] for seat in range(players)])
    return state, cards[2 * players :]


def advanced(state: State, board: list[int]) -> State:
    while state.cards_to_deal:
        state = state.deal_board(board[len(state.board) :][: state.cards_to_deal])
    return state


@pytest.mark.parametrize(
    "game",
    [
        HEADS_UP,
        GameConfig(stacks=(700,)),
        GameConfig(stacks=(300, 10_000)),
        GameConfig(stacks=(50_000,), blinds=(1, 2)),
        GameConfig(num_players=3),
        GameConfig(num_players=3, stacks=(500, 9_000, 2_000)),
        GameConfig(num_players=6),
        GameConfig(num_players=6, stacks=(150, 300, 900, 10_000, 600, 400)),
    ],
    ids=str,
)
def test_every_answer_is_legal_and_possible(game):
    """In hands where the others do anything, from every seat, at every stack."""
    agent = random_agent(game)
    rng = random.Random(1)
    fallbacks = answers = 0
    for number in range(60):
        state, board = hand_of(game, number)
        mine = number % game.num_players
        while not (state := advanced(state, board)).is_terminal:
            if state.actor != mine:
                state = state.apply(random_action(state.legal_actions(), rng))
                continue
            decision = agent.decide(state, number)
            legal = state.legal_actions()
            answers += 1
            fallbacks += bool(decision.fallback)
            assert legal.allows(decision.action)
            assert all(legal.allows(option.action) for option in decision.options)
            assert len({option.action for option in decision.options}) == len(decision.options)
            assert sum(option.probability for option in decision.options) == pytest.approx(1)
            chance = {option.action: option.probability for option in decision.options}
            assert chance[decision.action] > 0
            assert decision.seconds > 0
            state = state.apply(decision.action)
    assert answers > 40
    if game.num_players < 6 and game.stack_of(0) <= 10_000:
        # Six play a policy of two streets, and deep stacks bet more than a policy knows of.
        assert fallbacks < answers / 3


def test_it_sees_its_own_cards_only():
    """The same answer whatever the others hold."""
    agent = random_agent(HEADS_UP)
    for number in range(20):
        state = hand_of(HEADS_UP, number)[0].apply(raise_to(250))
        hidden = State.new(HEADS_UP, [None, state.hole_cards[1]]).apply(raise_to(250))
        ours, theirs = agent.decide(state, number), agent.decide(hidden, number)
        assert (ours.action, ours.options) == (theirs.action, theirs.options)


def test_it_answers_the_same_whenever_it_is_asked():
    """Two agents of one seed, one asked backwards; another seed differs."""
    first, second, other = (random_agent(HEADS_UP, 1) for _ in range(3))
    other._seed = 77
    states = []
    for number in range(15):
        state, board = hand_of(HEADS_UP, number)
        while not (state := advanced(state, board)).is_terminal:
            states.append((state, number))
            state = state.apply(first.decide(state, number).action)

    def answers(agent, order):
        return {place: agent.decide(*states[place]).action for place in order}

    places = range(len(states))
    assert answers(first, places) == answers(second, reversed(places))
    assert answers(first, places) != answers(other, places)


def test_it_plays_the_policys_row():
    """As often as the policy says, over many hands with the same cards."""
    policy, buckets = random_blueprint(HEADS_UP), bucketing()
    agent = Agent(policy, buckets, HEADS_UP)
    state = State.new(HEADS_UP, [parse_cards("AhKh"), None])
    bucket = buckets.bucket(*state.hole_cards[:1])
    assert bucket == class_of(*parse_cards("AhKh"))

    decisions = [agent.decide(state, hand) for hand in range(4_000)]

    row = policy.strategy(0)[bucket]
    assert {d.bucket for d in decisions} == {bucket}
    assert [o.action for o in decisions[0].options] == [FOLD, raise_to(250), raise_to(10_000)]
    assert [o.probability for o in decisions[0].options] == pytest.approx(row, abs=1e-4)
    seen = Counter(d.action for d in decisions)
    shares = [seen[o.action] / 4_000 for o in decisions[0].options]
    assert shares == pytest.approx(row, abs=0.03)
    assert decisions[0].situation == "first to act"


def test_the_bucket_is_the_hands_on_its_street():
    """A set whose flop tells pairs from the rest, and a policy that bets pairs."""
    game = GameConfig(menu=BetMenu(streets=(("a",), ("100%",), ("",), ("",))))
    plain = bucketing()
    arrays = {name: array.copy() for name, array in plain._arrays.items() if "flop" in name}
    config = plain.config
    hole, board = parse_cards("7h7d"), parse_cards("2c9sKd")
    from dataclasses import replace

    from holdem._core import indexer

    index = int(indexer.index(np.array([[*hole, *board]], np.uint8))[0])
    arrays["table_flop"][index] = 1
    arrays["tally_flop"] = np.zeros((2, 4), np.int64)
    buckets = HandBucketing(
        replace(config, k_flop=2), {**plain._arrays, **arrays}, fingerprint="1" * 64
    )
    tree = build_tree(game, buckets.num_buckets)
    words = np.zeros(2 * tree.num_slots, np.float32)
    node = tree.find("c x")
    start = 2 * (tree.slots(node).start)
    # Bucket 0 checks, bucket 1 bets.
    words[start + 2], words[start + 4 + 3] = 1, 1
    policy = Blueprint.from_table(tree, words, Provenance(iterations=1, seed=1))
    agent = Agent(policy, buckets, game)

    def asked(cards):
        state = State.new(game, [None, parse_cards(cards)]).apply(CALL).apply(CALL)
        return agent.decide(state.deal_board(board), 0)

    assert (asked("7h7d").bucket, asked("7h7d").action) == (1, raise_to(200))
    assert (asked("7h8d").bucket, asked("7h8d").action) == (0, CALL)


def test_a_short_stack_calls_all_in_for_what_it_has():
    game = GameConfig(stacks=(10_000, 300))
    agent = random_agent(game)
    state = State.new(game, [None, parse_cards("AsAh")]).apply(raise_to(10_000))
    for hand in range(30):
        decision = agent.decide(state, hand)
        assert decision.action in (FOLD, CALL)
        assert len(decision.options) == 2


def test_off_its_tree_it_calls_what_its_hand_pays_for():
    """On the streets that its policy does not have: checks, and calls by the price."""
    game = HEADS_UP
    policy = random_blueprint(GameConfig(menu=BetMenu(streets=(("2.5x, a", "a", ""),))))
    agent = Agent(policy, bucketing(1), game)
    state = State.new(game, [parse_cards("2c3c"), parse_cards("AsAh")])
    state = state.apply(raise_to(250)).apply(CALL).deal_board(parse_cards("Kd7h2s"))

    decision = agent.decide(state, 5)

    assert decision.action == CALL
    assert "no decision" in decision.fallback
    assert decision.bucket is None

    # 3c2c with a pair of deuces on Kd7h2s has 0.55 against a random hand.
    def facing(amount, cards):
        state = State.new(game, [parse_cards(cards), None]).apply(raise_to(250)).apply(CALL)
        bet = state.deal_board(parse_cards("Kd7h2s")).apply(raise_to(amount))
        return agent.decide(bet, 5).action

    assert facing(9_750, "2c3c") == CALL
    assert facing(9_750, "4c3c") == FOLD
    assert facing(100, "4c3c") == CALL
    before = State.new(GameConfig(stacks=(50_000,)), [None, parse_cards("7h2d")])
    deep = Agent(policy, bucketing(1), before.game)
    assert deep.decide(before.apply(raise_to(50_000)), 5).action in (FOLD, CALL)


def test_what_cannot_be_asked():
    agent = random_agent(HEADS_UP)
    state = State.new(HEADS_UP, [None, parse_cards("AsAh")])
    with pytest.raises(RulesError, match="the cards of seat 0 are not known"):
        agent.decide(state, 0)
    state = State.new(HEADS_UP, [parse_cards("2c2d"), None]).apply(FOLD)
    with pytest.raises(RulesError, match="nobody is to act"):
        agent.decide(state, 0)


def test_what_does_not_fit_is_refused():
    policy = random_blueprint(GameConfig(menu=MENUS[2]))
    with pytest.raises(MismatchError):
        Agent(policy, bucketing(1), HEADS_UP)
    with pytest.raises(MismatchError, match="2 players"):
        Agent(policy, bucketing(), GameConfig(num_players=3))
    with pytest.raises(ConfigError, match="seed -1"):
        Agent(policy, bucketing(), HEADS_UP, seed=-1)


def test_loading(tmp_path, monkeypatch):
    """By the policy's own reference, or another place; never with other buckets."""
    game = GameConfig(menu=BetMenu(streets=(("2.5x, a", "a", ""),)))
    buckets = bucketing(1)
    buckets.save(tmp_path / "set")
    tree = build_tree(game, buckets.num_buckets)

    def saved(name, **provenance):
        (tmp_path / name).mkdir()
        words = np.ones(2 * tree.num_slots, np.float32)
        found = Provenance(iterations=1, seed=1, **provenance)
        return Blueprint.from_table(tree, words, found).save(tmp_path / name)

    named = saved("a", bucket_path=str(tmp_path / "set"), bucket_fingerprint="0" * 64)
    moved = saved("b", bucket_path=str(tmp_path / "gone"), bucket_fingerprint="0" * 64)
    others = saved("c", bucket_path=str(tmp_path / "set"), bucket_fingerprint="1" * 64)
    placeless = saved("d", bucket_fingerprint="0" * 64)
    unnamed = saved("e")

    monkeypatch.chdir(tmp_path)
    assert load_policy(named)[1].fingerprint == "0" * 64
    for policy in (moved, placeless):
        assert load_policy(policy, tmp_path / "set")[0].tree.fingerprint == tree.fingerprint
    with pytest.raises(StorageError, match="none does not exist"):
        load_policy(named, tmp_path / "none")
    for policy, message in (
        (moved, "the bucket set 000000000000 of .* is not found at .*gone"),
        (placeless, "the bucket set 000000000000 of .* is not found in assets/abstraction"),
        (others, "the bucket set 111111111111 of .* is not found"),
    ):
        with pytest.raises(MismatchError, match=message) as error:
            load_policy(policy)
        assert error.value.remedy == "name it with --buckets PATH"
    with pytest.raises(MismatchError, match="was trained with 111111111111"):
        load_policy(others, tmp_path / "set")
    with pytest.raises(MismatchError, match="without buckets"):
        load_policy(unnamed)


def test_loading_finds_the_bucket_set_among_those_built(tmp_path, monkeypatch):
    """As `holdem eval` does, whether the policy names a place or none; another set is refused."""
    game = GameConfig(menu=BetMenu(streets=(("2.5x, a", "a", ""),)))
    bucketing(1).save(tmp_path / "assets" / "abstraction" / "mine")
    arrays = {"any": np.zeros(1)}
    storage.write_folder(tmp_path / "other", arrays, {"fingerprint": "1" * 64}, kind="buckets")
    tree = build_tree(game, bucketing(1).num_buckets)
    monkeypatch.chdir(tmp_path)
    for place in ("gone", None):
        found = Provenance(iterations=1, seed=1, bucket_path=place, bucket_fingerprint="0" * 64)
        words = np.ones(2 * tree.num_slots, np.float32)
        policy = Blueprint.from_table(tree, words, found).save(tmp_path)
        assert load_policy(policy)[1].path == Path("assets/abstraction/mine")
        with pytest.raises(MismatchError, match="the bucket set 111111111111, and nobody"):
            load_policy(policy, tmp_path / "other")


def test_a_replay_goes_through_every_action():
    """Its own raises stand for the actions that it chose, hand after hand."""
    agent = random_agent(HEADS_UP)
    seen = set()
    for number in range(100):
        state, board = hand_of(HEADS_UP, number)
        while not (state := advanced(state, board)).is_terminal:
            decision = agent.decide(state, number)
            played = sum(isinstance(event, Played) for event in state.events)
            assert decision.fallback == ""
            assert decision.situation.count(",") + decision.situation.count(";") >= played - 1
            seen.add(state.street)
            state = state.apply(decision.action)
    assert seen == {0, 1, 2, 3}
