"""What an agent does with every hand, and what local best response makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from holdem.abstraction.translation import Translator
from holdem.errors import ConfigError, RulesError
from holdem.evaluation.lbr import ResponseTable, _Rows
from holdem.evaluation.lbr_betting import Betting
from holdem.evaluation.lbr_cards import HoldemCards
from holdem.game.cards import HOLES, parse_cards
from holdem.game.rules import CALL, FOLD, Played, State, raise_to
from holdem.play.agent import Agent
from holdem.play.agent_lbr import HANDS_PER_DEAL, _player, respond_to_agents
from holdem.types import BetMenu, GameConfig, SearchConfig
from tests.tables import bucketing, random_agent, random_blueprint
from tests.test_agent import hand_of

POTS = GameConfig(stacks=(2_000,), menu=BetMenu(streets=(("100%, a",),) * 4))
"""Has the responder's bets, so nothing is translated."""
QUICK = SearchConfig(time_budget_ms=0.001, min_iterations=8, depth="end")


def agents(game: GameConfig = POTS, search: SearchConfig | None = None) -> tuple[Agent, Agent]:
    """One that searches, perhaps, and one that does not."""
    policy = random_blueprint(game)
    return tuple(Agent(policy, bucketing(), game, search=one) for one in (search, None))


def options_of(agent, state, hand, hole):
    """What the agent does with these cards, by action."""
    holes = [None, None]
    holes[state.actor] = hole
    known = State.new(state.game, holes)
    for event in state.events:
        known = (
            known.apply(event.action)
            if isinstance(event, Played)
            else known.deal_board(event.cards)
        )
    return {option.action: option.probability for option in agent.decide(known, hand).options}


# ---- Strategies of all hands -----------------------------------------------------------------


@pytest.mark.parametrize(
    "game", [POTS, GameConfig(), GameConfig(stacks=(50_000,))], ids=["pots", "hu", "deep"]
)
def test_strategies_are_what_is_decided_hole_by_hole(game):
    """Bets off the tree and streets without an answer included."""
    agent = agents()[1] if game is POTS else random_agent(game)
    rng = np.random.default_rng(2)
    fallbacks = compared = 0
    for number in range(12 if game is POTS else 5):
        state, board = hand_of(game, number)
        state = State.new(game)
        while state.actor is not None or state.cards_to_deal:
            if state.actor is None:
                out = len(state.board)
                state = state.deal_board(board[out : out + state.cards_to_deal])
                continue
            actions, table, fallback = agent.strategies(state, number)
            fallbacks += bool(fallback)
            for place in rng.choice(1_326, 3).tolist():
                hole = HOLES[place].tolist()
                if set(hole) & set(state.board):
                    continue
                wanted = options_of(agent, state, number, hole)
                found = {}
                for action, chance in zip(actions, table[place].tolist(), strict=True):
                    found[action] = found.get(action, 0) + chance
                assert {a: p for a, p in found.items() if p} == pytest.approx(
                    {a: p for a, p in wanted.items() if p}, abs=1e-6
                )
                compared += 1
            legal = state.legal_actions()
            pot = min(2 * sum(state.paid), legal.max_raise_to or 0)
            bet = legal.min_raise_to is not None and pot >= legal.min_raise_to
            state = state.apply(raise_to(pot) if bet and rng.random() < 0.5 else CALL)
    assert compared > 50
    assert fallbacks > 0


def test_a_search_answers_for_all_holes_at_once():
    """As it does for one that is held, for hands that can be there."""
    state = State.new(POTS).apply(raise_to(300)).apply(CALL)
    state = state.deal_board(parse_cards("Kd7h2s")).apply(CALL).apply(CALL)
    state = state.deal_board(parse_cards("9c")).apply(CALL).apply(CALL)
    state = state.deal_board(parse_cards("3d")).apply(raise_to(600))
    agent = agents(search=QUICK)[0]
    actions, table, fallback = agent.strategies(state, 1)
    assert (actions[:2], fallback) == ((FOLD, CALL), "")
    assert table.shape == (1_326, len(actions))
    assert table.sum(axis=1) == pytest.approx(1, abs=1e-5)
    for hole in ("AsAh", "5c4c", "KsQs"):
        other = agents(search=QUICK)[0]
        wanted = options_of(other, state, 1, parse_cards(hole))
        low, high = sorted(parse_cards(hole))
        row = table[high * (high - 1) // 2 + low]
        assert dict(zip(actions, row.tolist(), strict=True)) == pytest.approx(wanted, abs=1e-6)


def test_nobody_to_act():
    with pytest.raises(RulesError, match="nobody is to act"):
        agents(search=QUICK)[0].strategies(State.new(POTS).apply(FOLD), 1)
    with pytest.raises(RulesError, match="nobody is to act"):
        agents()[1].strategies(State.new(POTS).apply(FOLD), 1)


# ---- Local best response ---------------------------------------------------------------------


def test_an_agent_without_search_loses_what_its_policy_loses():
    """Deal by deal, where no bet needs translation."""
    cards = HoldemCards(bucketing(), 4, HANDS_PER_DEAL)
    policy = random_blueprint(POTS)
    bettings = [Betting(Translator(policy.tree), seat, "fcpa", 0) for seat in range(2)]
    play = _player(agents, POTS, 5)
    for number in range(6):
        deal = cards.deal(5, number)
        draws = iter(np.random.default_rng([5, number]).random(10_000).tolist())
        wanted = []
        for betting in bettings:
            table = ResponseTable(_Rows(policy, deal), deal, draws)
            wanted.append(float(table.respond(betting.root).mean()))
        played = play(number)
        assert played.values == [pytest.approx(wanted)] * 2
        assert played.fallbacks == 0


def test_both_meet_the_same_deals():
    """Without search there is no difference at all."""
    same = respond_to_agents(agents, game=POTS, num_deals=5)
    assert (same.difference.mean, same.difference.sd) == (0, 0)
    assert same.search == same.policy
    assert same.hands == 5 * 2 * HANDS_PER_DEAL
    assert same.policy.mean > 0

    # With one all-in share for every hand nothing is bet before the flop.
    game = GameConfig(stacks=(2_000,), menu=BetMenu(streets=(("",), *[("100%, a",)] * 3)))
    river = SearchConfig(time_budget_ms=0.001, min_iterations=8)
    found = respond_to_agents(lambda: agents(game, river), game=game, num_deals=2)
    assert found.policy.count == 2
    assert 0 < found.fallbacks <= found.decisions
    assert found.difference.mean == pytest.approx(found.search.mean - found.policy.mean)


def test_what_cannot_be_played():
    with pytest.raises(ConfigError, match="no time"):
        respond_to_agents(agents, game=POTS)
    with pytest.raises(ConfigError, match="3 players"):
        respond_to_agents(agents, game=GameConfig(num_players=3), num_deals=2)
