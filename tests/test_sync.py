"""Barriers, tickets and counters between processes, and what happens when one is gone.

Threads stand in for processes where only the order of calls matters: waiting lets go of
Python's lock.
"""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from holdem._core.sync import (
    BARRIER_WORDS,
    COUNTER_WORDS,
    TICKET_WORDS,
    Barrier,
    BrokenBarrier,
    Counters,
    Ticket,
)
from tests.parties import (
    BROKEN,
    COMPLETED,
    PATIENCE,
    TIMED_OUT,
    count_up,
    exchange,
    meet_until_broken,
    processes,
    wait_for_ticket,
    zeros,
)

ROUNDS = 20_000


def barriers(count, parties=None):
    """Several processes' views of one barrier."""
    words = zeros(BARRIER_WORDS)
    return [Barrier(words, parties or count) for _ in range(count)]


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.fixture
def alarms():
    """SIGALRM every 5 ms; a list of what its handler has seen, and an error it can raise."""
    seen = []

    def handler(number, frame):
        seen.append(time.monotonic())
        if raises:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise raises[0]

    raises = []
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    yield seen, raises
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


# -- barriers between processes ----------------------------------------------------------------


@pytest.mark.parametrize("spin", [None, 0.0])
@pytest.mark.parametrize("parties", [1, 2, 3, 4, 5])
def test_parties_see_what_all_wrote_before_each_round(parties, spin):
    with processes(exchange, parties, parties, ROUNDS, spin) as (place, started):
        for process in started:
            process.join()
        outcomes = place.counters.snapshot()[:parties]
        late = place.late.snapshot()

    assert [COMPLETED] * parties == outcomes.tolist()
    # A lost wake-up would leave a wait to the next look for signals, two seconds on.
    assert late.sum() == 0


def test_spinning_longer_than_blocking_is_right_too():
    with processes(exchange, 2, 2, 2_000, 2_000.0) as (place, started):
        for process in started:
            process.join()

        assert place.counters.snapshot()[:2].tolist() == [COMPLETED] * 2


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_party_is_missed_and_nobody_hangs(seed):
    wait = random.Random(seed)
    with processes(meet_until_broken, 3, 3, 2.0) as (place, started):
        assert place.ticket.wait_for(300, PATIENCE)
        time.sleep(wait.uniform(0, 0.02))
        os.kill(started[1].pid, signal.SIGKILL)
        for process in started:
            process.join(PATIENCE)
        outcomes = place.counters.snapshot()[[0, 2]].tolist()
        barrier = place.barrier(3)

        assert not any(process.is_alive() for process in started)
        # One gives up, and the barrier that it breaks lets go of the other at once. If both
        # give up in the same moment, still only one of them has broken it.
        assert sorted(outcomes) == [TIMED_OUT, BROKEN]
        assert barrier.broken


def test_abort_frees_parties_in_other_processes():
    with processes(meet_until_broken, 2, 3, PATIENCE) as (place, started):
        place.start.add()
        assert place.start.wait_for(3, PATIENCE)
        place.barrier(3).abort()
        for process in started:
            process.join(PATIENCE)

        assert place.counters.snapshot()[:2].tolist() == [BROKEN] * 2


def test_a_barrier_is_as_new_after_a_reset():
    with processes(meet_until_broken, 2, 2, PATIENCE) as (place, started):
        assert place.ticket.wait_for(100, PATIENCE)
        for process in started:
            process.kill()
            process.join()
        mine, other = place.barrier(2), place.barrier(2)
        mine.reset()
        with ThreadPoolExecutor(1) as thread:
            theirs = thread.submit(other.wait, PATIENCE)

            assert mine.wait(PATIENCE)
            assert theirs.result()


# -- barriers: outcomes ------------------------------------------------------------------------


def test_one_party_never_waits():
    (barrier,) = barriers(1)

    assert all(barrier.wait(0) for _ in range(100))
    assert barrier.parties == 1


def test_a_time_out_breaks_the_barrier_until_it_is_reset():
    first, second = barriers(2)

    assert not first.wait(0.01)
    assert first.broken
    for barrier in (first, second, first):
        with pytest.raises(BrokenBarrier):
            barrier.wait(PATIENCE)
    first.reset()
    assert not second.broken
    assert not second.wait(0)


def test_a_time_out_frees_all_others(pool):
    first, second, third = barriers(3, parties=4)
    patient = [pool.submit(barrier.wait, PATIENCE) for barrier in (first, second)]

    assert not third.wait(0.05)
    for waiting in patient:
        # Whoever comes only now finds the barrier broken as well.
        assert isinstance(waiting.exception(), BrokenBarrier)


def test_abort_frees_all_present_and_future_waits(pool):
    first, second, third = barriers(3)
    waiting = [pool.submit(barrier.wait, PATIENCE) for barrier in (first, second)]
    time.sleep(0.05)
    third.abort()

    for one in waiting:
        assert isinstance(one.exception(), BrokenBarrier)
    with pytest.raises(BrokenBarrier):
        third.wait(PATIENCE)


def test_a_round_that_was_complete_before_the_abort_counts(pool):
    for _ in range(300):
        first, second = barriers(2)
        waiting = pool.submit(first.wait, PATIENCE)
        done = second.wait(PATIENCE)
        second.abort()

        assert done
        assert waiting.result()


def test_one_party_too_many_breaks_the_barrier(pool):
    words = zeros(BARRIER_WORDS)
    of_two, of_three = Barrier(words, 2), Barrier(words, 3)
    waiting = [pool.submit(Barrier(words, 3).wait, PATIENCE) for _ in range(2)]
    while words[0] < 2:
        time.sleep(0.001)

    with pytest.raises(BrokenBarrier):
        of_two.wait(PATIENCE)
    assert of_three.broken
    assert all(isinstance(one.exception(), BrokenBarrier) for one in waiting)


# -- something to do meanwhile -----------------------------------------------------------------


def test_who_waits_works_meanwhile_until_the_others_come(pool):
    first, second = barriers(2)
    calls, enough = [], threading.Event()

    def work():
        calls.append(1)
        if len(calls) == 3:
            enough.set()
        return True

    waiting = pool.submit(first.wait, PATIENCE, work)
    assert enough.wait(PATIENCE)
    assert second.wait(PATIENCE, meanwhile=pytest.fail)  # the last one has nobody to wait for
    assert waiting.result()


def test_who_has_nothing_left_to_do_waits(pool):
    first, second = barriers(2)
    left = [1, 1, 0]
    waiting = pool.submit(first.wait, PATIENCE, lambda: left.pop(0) == 1)
    while left:
        time.sleep(0.001)
    assert not waiting.done()
    assert second.wait(PATIENCE)
    assert waiting.result()


def test_an_abort_ends_the_work_meanwhile(pool):
    first, second = barriers(2)
    working = threading.Event()

    def work():
        working.set()
        return True

    waiting = pool.submit(first.wait, PATIENCE, work)
    assert working.wait(PATIENCE)
    second.abort()
    assert isinstance(waiting.exception(), BrokenBarrier)


def test_work_that_raises_breaks_the_barrier(pool):
    first, second, third = barriers(3)
    waiting = pool.submit(second.wait, PATIENCE)

    def work():
        raise ArithmeticError("on purpose")

    with pytest.raises(ArithmeticError, match="on purpose"):
        first.wait(PATIENCE, meanwhile=work)
    assert isinstance(waiting.exception(), BrokenBarrier)
    assert third.broken


# -- signals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("spin", [0.0, 1_000.0])
def test_handlers_run_while_a_barrier_is_waited_for(pool, alarms, spin):
    seen, _ = alarms
    words = zeros(BARRIER_WORDS)
    late = Barrier(words, 2)
    coming = pool.submit(lambda: (time.sleep(0.2), late.wait(PATIENCE))[1])

    assert Barrier(words, 2, spin).wait(PATIENCE)
    assert coming.result()
    assert len(seen) >= 2


def test_signals_do_not_put_off_a_time_out(alarms):
    seen, _ = alarms
    first, _ = barriers(2)
    ticket = Ticket(zeros(TICKET_WORDS))

    assert not first.wait(0.1)
    assert not ticket.wait_for(1, 0.1)
    assert len(seen) >= 2


def test_a_handler_that_raises_breaks_the_barrier(pool, alarms):
    _, raises = alarms
    first, second, third = barriers(3)
    waiting = pool.submit(second.wait, PATIENCE)
    raises.append(KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        first.wait(PATIENCE)
    assert isinstance(waiting.exception(), BrokenBarrier)
    assert third.broken


def test_a_handler_that_raises_ends_the_wait_for_a_ticket(alarms):
    _, raises = alarms
    ticket = Ticket(zeros(TICKET_WORDS))
    raises.append(InterruptedError("on purpose"))

    with pytest.raises(InterruptedError, match="on purpose"):
        ticket.wait_for(1, PATIENCE)
    assert ticket.value == 0


# -- tickets -----------------------------------------------------------------------------------


def test_a_ticket_wakes_all_who_wait_for_it_and_shows_what_came_before():
    with processes(wait_for_ticket, 3, 5) as (place, started):
        assert place.start.wait_for(3, PATIENCE)
        place.ticket.signal(4)
        time.sleep(0.05)
        place.slots[0, 0, 0] = 1234
        place.ticket.signal(5)
        for process in started:
            process.join(PATIENCE)

        assert place.counters.snapshot()[:3].tolist() == [1234] * 3


def test_a_killed_waiter_leaves_the_ticket_in_order():
    with processes(wait_for_ticket, 2, 1) as (place, started):
        assert place.start.wait_for(2, PATIENCE)
        time.sleep(0.05)
        started[0].kill()
        started[0].join()
        place.slots[0, 0, 0] = 7
        place.ticket.add()
        started[1].join(PATIENCE)

        assert place.counters.load(1) == 7


def test_a_ticket_only_grows():
    ticket = Ticket(zeros(TICKET_WORDS))
    ticket.signal(3)
    ticket.signal(2)

    assert ticket.value == 3
    assert ticket.add() == 4
    assert ticket.add(6) == 10
    assert ticket.wait_for(10, 0)
    assert ticket.wait_for(9, 0)
    assert not ticket.wait_for(11, 0.01)


def test_a_ticket_counts_on_past_two_to_the_32():
    words = zeros(TICKET_WORDS)
    words[0] = 2**32 - 1
    ticket = Ticket(words)

    assert not ticket.wait_for(2**32, 0.01)
    assert ticket.add() == 0
    assert ticket.wait_for(2**32, 0)
    ticket.signal(2**32 - 1)
    assert ticket.value == 0
    ticket.signal(2**32 + 5)
    assert ticket.value == 5


@pytest.mark.parametrize("spin", [0.0, 100.0])
def test_tickets_there_and_back(spin):
    asked, answered = zeros(TICKET_WORDS), zeros(TICKET_WORDS)
    rounds = 3_000

    def answer():
        mine, theirs = Ticket(asked, spin), Ticket(answered, spin)
        for number in range(1, rounds + 1):
            if not mine.wait_for(number, PATIENCE):
                return False
            theirs.signal(number)
        return True

    thread = threading.Thread(target=answer)
    thread.start()
    mine, theirs = Ticket(asked, spin), Ticket(answered, spin)
    for number in range(1, rounds + 1):
        mine.signal(number)
        assert theirs.wait_for(number, PATIENCE)
    thread.join()
    assert mine.value == theirs.value == rounds


# -- counters ----------------------------------------------------------------------------------


def test_no_addition_of_many_processes_is_lost():
    with processes(count_up, 3, 3, 50_000) as (place, started):
        for process in started:
            process.join()

        assert place.counters.load(0) == 3 * 3 * 50_000
        assert place.ticket.value == 3 * 2 * 50_000


def test_counters_are_apart():
    counters = Counters(zeros(4 * COUNTER_WORDS, np.int64))
    counters.store(1, -(2**62))
    counters.add(3)

    assert counters.add(1, -5) == -(2**62) - 5
    assert counters.snapshot().tolist() == [0, -(2**62) - 5, 0, 1]
    assert counters.load(3) == 1
    assert len(counters) == 4
    for index in (-1, 4):
        with pytest.raises(IndexError):
            counters.load(index)


# -- misuse ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words", "message"),
    [
        (lambda words: Barrier(words, 2), zeros(BARRIER_WORDS - 1), "words are needed"),
        (lambda words: Barrier(words, 2), zeros(0), "words are needed"),
        (lambda words: Barrier(words, 2), zeros(BARRIER_WORDS + 1)[1:], "multiple of 64"),
        (lambda words: Barrier(words, 0), zeros(BARRIER_WORDS), "at least 1 party"),
        (lambda words: Barrier(words, 2, -1.0), zeros(BARRIER_WORDS), "spin_microseconds"),
        (lambda words: Barrier(words, 2).wait(-1), zeros(BARRIER_WORDS), "timeout_seconds"),
        (Ticket, zeros(TICKET_WORDS - 1), "words are needed"),
        (Ticket, zeros(TICKET_WORDS + 1)[1:], "multiple of 64"),
        (lambda words: Ticket(words).wait_for(1, float("nan")), zeros(32), "timeout_seconds"),
        (Counters, zeros(COUNTER_WORDS + 1, np.int64), "words each"),
        (Counters, zeros(COUNTER_WORDS + 1, np.int64)[1:], "multiple of 64"),
    ],
)
def test_misuse_is_refused(make, words, message):
    with pytest.raises(ValueError, match=message):
        make(words)


def test_words_that_cannot_be_written_are_refused():
    words = zeros(BARRIER_WORDS)
    words.setflags(write=False)
    with pytest.raises(ValueError, match="read-only"):
        Barrier(words, 2)
