"""The latency of a meeting: a barrier round of N processes, and a ticket there and back.

    python -m pytest bench/bench_sync.py -s

Seconds of wall time as the slowest party saw them. With more parties than free cores a
round costs at least a switch of process per party, spinning or not.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from holdem._core.sync import BARRIER_WORDS, TICKET_WORDS, Barrier, Ticket
from tests.parties import PATIENCE, echo, processes, rounds_timed

ROUNDS = 5_000
REPEATS = 5


@pytest.mark.parametrize("spin", [0.0, 30.0])
@pytest.mark.parametrize("parties", [1, 2, 4])
def test_barrier(benchmark, parties, spin):
    seconds = []
    for _ in range(REPEATS):
        with processes(rounds_timed, parties, parties, ROUNDS, spin) as (place, started):
            for process in started:
                process.join()
            seconds.append(place.counters.snapshot().max() / 1e9 / ROUNDS)
    benchmark.extra_info["round_microseconds"] = round(1e6 * min(seconds), 2)
    print(f"\n{parties} parties, spin {spin:.0f} us: {1e6 * min(seconds):.2f} us a round")
    lonely = Barrier(np.zeros(BARRIER_WORDS + 16, np.uint32)[aligned_start() :], 1)
    benchmark(lonely.wait, 1.0)


@pytest.mark.parametrize("spin", [0.0, 30.0])
def test_ticket(benchmark, spin):
    seconds = []
    for _ in range(REPEATS):
        with processes(echo, 1, ROUNDS, spin) as (place, _):
            answered = Ticket(place.segment.array(np.uint32, TICKET_WORDS, 256), spin)
            answered.wait_for(1, PATIENCE)
            before = time.perf_counter()
            for number in range(1, ROUNDS + 1):
                place.ticket.signal(number)
                answered.wait_for(number + 1, PATIENCE)
            seconds.append((time.perf_counter() - before) / ROUNDS)
    print(f"\nticket, spin {spin:.0f} us: {1e6 * min(seconds):.2f} us there and back")
