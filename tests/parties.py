"""What the processes of test_sync and bench_sync do: little to import."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from holdem._core.sync import (
    BARRIER_WORDS,
    COUNTER_WORDS,
    TICKET_WORDS,
    Barrier,
    BrokenBarrier,
    Counters,
    Ticket,
)
from holdem.mccfr.segments import Segment

MAX_PARTIES = 8
NUM_BYTES = 1 << 16
PATIENCE = 60.0  # seconds; only what hangs takes so long

COMPLETED, TIMED_OUT, BROKEN, WRONG = range(1, 5)


def zeros(count: int, dtype: type = np.uint32) -> np.ndarray:
    """Zeros at a multiple of 64 bytes."""
    raw = np.zeros(count * np.dtype(dtype).itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + count * np.dtype(dtype).itemsize].view(dtype)


class Place:
    """One segment's barrier words, tickets, counters and slots."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.barrier_words = segment.array(np.uint32, BARRIER_WORDS)
        self.start = Ticket(segment.array(np.uint32, TICKET_WORDS, 256))
        self.ticket = Ticket(segment.array(np.uint32, TICKET_WORDS, 512))
        self.counters = Counters(segment.array(np.int64, MAX_PARTIES * COUNTER_WORDS, 1024))
        self.late = Counters(segment.array(np.int64, MAX_PARTIES * COUNTER_WORDS, 2048))
        self.slots = segment.array(np.int64, (2, MAX_PARTIES, 16), 4096)

    def barrier(self, parties: int, spin: float | None = None) -> Barrier:
        return Barrier(self.barrier_words, parties, spin)

    def begin(self, parties: int) -> None:
        """Wait for all processes to be there: starting one takes longer than many rounds."""
        self.start.add()
        assert self.start.wait_for(parties, PATIENCE)


@contextmanager
def processes(
    work: Callable[..., None], count: int, *arguments: object
) -> Iterator[tuple[Place, list[BaseProcess]]]:
    """Run ``work(path, party, *arguments)`` in *count* processes over one new place."""
    context = multiprocessing.get_context("spawn")
    with Segment.create("parties", NUM_BYTES, reserve=True) as segment:
        started: list[BaseProcess] = [
            context.Process(target=work, args=(str(segment.path), party, *arguments))
            for party in range(count)
        ]
        try:
            for process in started:
                process.start()
            yield Place(segment), started
        finally:
            for process in started:
                process.kill()
                process.join()


def exchange(path: str, party: int, parties: int, rounds: int, spin: float | None) -> None:
    """Meet *rounds* times; each time write a row, and read what all others have written."""
    place = Place(Segment.attach(Path(path)))
    barrier = place.barrier(parties, spin)
    everybody = np.arange(parties)[:, None]
    place.begin(parties)
    for number in range(rounds):
        # Two sets of slots: the next round's are written while the last are still read.
        slots = place.slots[number % 2, :parties]
        slots[party] = number * parties + party
        before = time.monotonic()
        if not barrier.wait(PATIENCE):
            place.counters.store(party, TIMED_OUT)
            return
        if time.monotonic() - before > 1.9:
            place.late.add(party)
        if not (slots == number * parties + everybody).all():
            place.counters.store(party, WRONG)
            return
    place.counters.store(party, COMPLETED)


def meet_until_broken(path: str, party: int, parties: int, timeout: float) -> None:
    """Meet until the barrier says why no longer."""
    place = Place(Segment.attach(Path(path)))
    barrier = place.barrier(parties)
    place.begin(parties)
    try:
        while barrier.wait(timeout):
            place.ticket.add()
        place.counters.store(party, TIMED_OUT)
    except BrokenBarrier:
        place.counters.store(party, BROKEN)


def wait_for_ticket(path: str, party: int, value: int) -> None:
    """Block until the ticket is at *value*, then say what slot it was raised for."""
    place = Place(Segment.attach(Path(path)))
    place.start.add()
    reached = place.ticket.wait_for(value, PATIENCE)
    place.counters.store(party, int(place.slots[0, 0, 0]) if reached else -1)


def count_up(path: str, party: int, parties: int, times: int) -> None:
    """Add to counter 0 and to the ticket as fast as possible."""
    place = Place(Segment.attach(Path(path)))
    place.begin(parties)
    for _ in range(times):
        place.counters.add(0, 3)
        place.ticket.add(2)


def rounds_timed(path: str, party: int, parties: int, rounds: int, spin: float | None) -> None:
    """Meet *rounds* times and store the nanoseconds that all took."""
    place = Place(Segment.attach(Path(path)))
    barrier = place.barrier(parties, spin)
    place.begin(parties)
    barrier.wait(PATIENCE)
    before = time.perf_counter_ns()
    for _ in range(rounds):
        barrier.wait(PATIENCE)
    place.counters.store(party, time.perf_counter_ns() - before)


def echo(path: str, party: int, rounds: int, spin: float) -> None:
    """Answer each ticket by the other one."""
    place = Place(Segment.attach(Path(path)))
    asked = Ticket(place.segment.array(np.uint32, TICKET_WORDS, 512), spin)
    place.start.add()
    for number in range(1, rounds + 1):
        asked.wait_for(number, PATIENCE)
        place.start.signal(number + 1)
