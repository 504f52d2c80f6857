"""What a table costs besides thinking: a decision of an agent, a line, a hand over TCP.

pytest bench/bench_play.py --benchmark-columns=min,median,ops
"""

import random

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from holdem.play.acpc import match_state_line, read_message
from holdem.play.game_definition import Table
from holdem.play.session import Session
from holdem.types import GameConfig
from tests.tables import Hall, Silent, calls, plain_client, random_agent, session_client
from tests.test_acpc import random_hand

HANDS = 100
TABLE = Table.of(GameConfig())


def decisions() -> list[tuple[int, int, str]]:
    """Seat, hand and line of every decision of some random hands."""
    rng = random.Random(1)
    return [
        (state.actor, hand, match_state_line(TABLE, state, hand, state.actor))
        for hand in range(HANDS)
        for state in random_hand(TABLE, rng)[:-1]
    ]


def test_reading_lines(benchmark: BenchmarkFixture) -> None:
    """From a line to the state of the hand."""
    lines = [line for _, _, line in decisions()]

    assert all(benchmark(lambda: [read_message(line, TABLE) for line in lines]))
    rate = round(len(lines) / benchmark.stats.stats.min)
    benchmark.extra_info["lines_per_second"] = rate


def test_decisions(benchmark: BenchmarkFixture) -> None:
    """The blueprint's answers, the hand followed in its tree from the beginning each time."""
    agent = random_agent(TABLE.game)
    states = [(read_message(line, TABLE).state, hand) for _, hand, line in decisions()]

    benchmark(lambda: [agent.decide(state, hand) for state, hand in states])
    rate = round(len(states) / benchmark.stats.stats.min)
    benchmark.extra_info["decisions_per_second"] = rate


@pytest.mark.parametrize("opponent", ["agent", "calls"])
def test_hands_over_tcp(benchmark: BenchmarkFixture, opponent: str) -> None:
    """A dealer and two clients, threads of one process."""

    def client(seed: int) -> object:
        agent = random_agent(TABLE.game, seed)
        return session_client(Session(TABLE, agent, Silent(), acts=True))

    def match() -> int:
        other = plain_client(TABLE, calls) if opponent == "calls" else client(2)
        return Hall(TABLE, [client(1), other], hands=HANDS).end().hands

    assert benchmark.pedantic(match, rounds=3) == HANDS
    benchmark.extra_info["hands_per_second"] = round(HANDS / benchmark.stats.stats.min)
