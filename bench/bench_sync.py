"""The latency of a meeting: a barrier round of N processes, and a ticket there and back.

    python -m pytest bench/bench_sync.py -s

The printed figures are wall time as the slowest party saw it; pytest-benchmark's table
also counts starting the processes. With more parties than free cores a
round costs at least a switch of process per party, spinning or not.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from holdem._core.sync import TICKET_WORDS, Ticket
from holdem.mccfr.segments import Segment
from tests.parties import PATIENCE, echo, processes, rounds_timed

ROUNDS = 5_000
REPEATS = 4


@pytest.mark.parametrize("spin", [0.0, 30.0])
@pytest.mark.parametrize("parties", [1, 2, 4])
def test_barrier(benchmark, parties, spin):
    def rounds():
        with processes(rounds_timed, parties, parties, ROUNDS, spin) as (place, started):
            for process in started:
                process.join()
            return place.counters.snapshot().max() / 1e3 / ROUNDS

    best = min(rounds() for _ in range(REPEATS - 1))
    best = min(best, benchmark.pedantic(rounds))
    benchmark.extra_info["round_microseconds"] = round(best, 2)
    print(f"\n{parties} parties, spin {spin:.0f} us: {best:.2f} us a round")


@pytest.mark.parametrize("spin", [0.0, 30.0])
def test_ticket(benchmark, spin):
    def rounds():
        with processes(echo, 1, ROUNDS, spin) as (place, _):
            answered = Ticket(place.segment.array(np.uint32, TICKET_WORDS, 256), spin)
            answered.wait_for(1, PATIENCE)
            before = time.perf_counter()
            for number in range(1, ROUNDS + 1):
                place.ticket.signal(number)
                answered.wait_for(number + 1, PATIENCE)
            return 1e6 * (time.perf_counter() - before) / ROUNDS

    best = min(rounds() for _ in range(REPEATS - 1))
    best = min(best, benchmark.pedantic(rounds))
    benchmark.extra_info["round_microseconds"] = round(best, 2)
    print(f"\nticket, spin {spin:.0f} us: {best:.2f} us there and back")


@pytest.mark.parametrize("reserve", [True, False])
def test_segment(benchmark, reserve):
    """Make 256 MB of shared memory and touch every page."""

    def make():
        with Segment.create("bench", 256 << 20, reserve=reserve) as segment:
            segment.array(np.uint8, 256 << 20)[::4096] = 1

    benchmark.pedantic(make, rounds=REPEATS)
