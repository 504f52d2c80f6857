"""Hands of no-limit hold'em per second by the rules in plain Python, settled or only bet.

pytest bench/bench_rules.py --benchmark-columns=min,median,ops
"""

import random

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from holdem.game.history import HandHistory, dumps, loads
from holdem.game.rules import CALL, FOLD, State, raise_to
from holdem.types import GameConfig

HANDS = 200


def play(players: int, seed: int) -> State:
    """One hand of random actions, about ten decisions heads-up."""
    rng = random.Random(seed)
    cards = rng.sample(range(52), 2 * players + 5)
    state = State.new(
        GameConfig(num_players=players), [cards[2 * s : 2 * s + 2] for s in range(players)]
    )
    while not state.is_terminal:
        if state.cards_to_deal:
            start = 2 * players + len(state.board)
            state = state.deal_board(cards[start : start + state.cards_to_deal])
            continue
        legal = state.legal_actions()
        draw = rng.random()
        if legal.can_fold and draw < 0.1:
            state = state.apply(FOLD)
        elif legal.min_raise_to is not None and draw > 0.7:
            state = state.apply(raise_to(legal.min_raise_to))
        else:
            state = state.apply(CALL)
    return state


@pytest.mark.parametrize("players", [2, 6, 9])
def test_hands(benchmark: BenchmarkFixture, players: int) -> None:
    """Rounds of 200 hands dealt, played and paid out."""

    def rounds() -> int:
        return sum(sum(play(players, seed).payoffs()) for seed in range(HANDS))

    assert benchmark(rounds) == 0
    benchmark.extra_info["hands_per_second"] = round(HANDS / benchmark.stats.stats.min)


def test_histories(benchmark: BenchmarkFixture) -> None:
    """Rounds of 200 hands of six players written and read back."""
    histories = [HandHistory.of(play(6, seed)) for seed in range(HANDS)]

    texts = benchmark(lambda: [dumps(loads(dumps(history))) for history in histories])
    assert len(texts) == HANDS
    benchmark.extra_info["hands_per_second"] = round(HANDS / benchmark.stats.stats.min)
