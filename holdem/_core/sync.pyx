"""Barriers, tickets and counters in memory that several processes map.

Doors to sync_futex.h, where the argument is that no wake-up is lost and that what was
written before a meeting is seen after it. Waiting lets go of Python's lock; a signal
wakes the waiter, whose handler runs before it waits on.
"""

import os

import numpy as np

from cpython.exc cimport PyErr_CheckSignals

__all__ = [
    "BARRIER_WORDS",
    "COUNTER_WORDS",
    "TICKET_WORDS",
    "Barrier",
    "BrokenBarrier",
    "Counters",
    "Ticket",
]

BARRIER_WORDS = int(SYNC_BARRIER_WORDS)
TICKET_WORDS = int(SYNC_TICKET_WORDS)
COUNTER_WORDS = int(SYNC_CELL_WORDS)

cdef double SPIN_MICROSECONDS = 30.0
# A signal that comes between the last look and the block does not wake the waiter. So it
# gets up once in a while and looks again; nothing else depends on this.
cdef int64_t LOOK_NS = 2_000_000_000
cdef double LONGEST_SECONDS = 1e9


class BrokenBarrier(RuntimeError):
    """The barrier was aborted, or another party gave up on it."""


cdef class Barrier:
    """Where a fixed number of processes wait for one another, round after round.

    Each party makes its own `Barrier` over the same words. Zeroed words are a fresh one.
    It breaks, for all and until `reset`, when a party times out or is interrupted while
    waiting, when more arrive than there are parties, or on `abort`.

    Args:
        words: uint32, shape (BARRIER_WORDS,) or more, shared, at a multiple of 64 bytes.
        parties: how many must arrive, this one included.
        spin_microseconds: how long to spin before blocking, at most: it spins less while
            that does not pay. By default 30, and 0 if there are more parties than cores in
            this process's affinity mask; give 0 where a control group's quota allows fewer
            cores than that.

    Raises:
        ValueError: words too few or at an odd place, or no parties.
    """

    def __cinit__(self, uint32_t[::1] words, parties, spin_microseconds=None):
        if parties < 1:
            raise ValueError(f"a barrier needs at least 1 party, not {parties}")
        check_place(<size_t>&words[0] if words.shape[0] else 0, words.shape[0], BARRIER_WORDS)
        self.memory = words
        self.words = &words[0]
        self.num_parties = parties
        self.spin = spin_of(spin_microseconds, parties)

    @property
    def parties(self):
        """How many must arrive."""
        return self.num_parties

    @property
    def broken(self):
        """Whether every wait fails from now on."""
        return bool(sync_load(self.words + SYNC_GENERATION_WORD) & 1)

    def wait(self, double timeout_seconds, meanwhile=None):
        """Wait until all parties have arrived.

        What any party wrote before its wait, every party sees after it.

        Args:
            meanwhile: called while others are missing, again and again as long as it returns
                True. What it writes, the others may not see before the next round.

        Returns:
            True when all have arrived. False when the time was up first: the barrier is
            broken from then on, since this party will be missing.

        Raises:
            BrokenBarrier: at once, if it is or becomes broken.
            BaseException: what a signal's handler or *meanwhile* raised; the barrier is then
                broken, unless the round was complete in that moment.
        """
        cdef uint32_t generation = 0
        cdef int64_t deadline = sync_now() + timeout_ns(timeout_seconds)
        cdef int64_t until
        cdef int outcome
        with nogil:
            outcome = sync_barrier_arrive(self.words, self.num_parties, &generation)
        if outcome == SYNC_ARRIVED and meanwhile is not None:
            try:
                while sync_load(self.words + SYNC_GENERATION_WORD) == generation and meanwhile():
                    pass
            except BaseException:
                sync_barrier_leave(self.words, generation)
                raise
        with nogil:
            if outcome == SYNC_ARRIVED:
                until = min(deadline, sync_now() + LOOK_NS)
                outcome = sync_barrier_await(self.words, generation, until, &self.spin)
        while outcome == SYNC_INTERRUPTED or outcome == SYNC_TIMED_OUT:
            try:
                PyErr_CheckSignals()
            except BaseException:
                sync_barrier_leave(self.words, generation)
                raise
            with nogil:
                if outcome == SYNC_TIMED_OUT and sync_now() >= deadline:
                    outcome = sync_barrier_leave(self.words, generation)
                    break
                until = min(deadline, sync_now() + LOOK_NS)
                outcome = sync_barrier_await(self.words, generation, until, NULL)
        if outcome == SYNC_BROKEN:
            raise BrokenBarrier("the barrier is broken: a party gave up on it or aborted it")
        return outcome == SYNC_DONE

    def abort(self):
        """Break the barrier: all present and future waits raise `BrokenBarrier` at once."""
        sync_barrier_abort(self.words)

    def reset(self):
        """Make it as new. Only while no party waits and none is on its way."""
        self.words[SYNC_ARRIVED_WORD] = 0
        self.words[SYNC_BARRIER_SLEEPERS] = 0
        self.words[SYNC_GENERATION_WORD] = (self.words[SYNC_GENERATION_WORD] | 1) + 1


cdef class Ticket:
    """A number that only grows; processes block until it is high enough.

    Zeroed words are the ticket 0. It counts modulo 2^32: a value less than 2^31 ahead is
    one to wait for, any other has been reached.

    Args:
        words: uint32, shape (TICKET_WORDS,) or more, shared, at a multiple of 64 bytes.
        spin_microseconds: how long to spin before blocking, at most; by default not at all.

    Raises:
        ValueError: words too few or at an odd place.
    """

    def __cinit__(self, uint32_t[::1] words, spin_microseconds=0.0):
        check_place(<size_t>&words[0] if words.shape[0] else 0, words.shape[0], TICKET_WORDS)
        self.memory = words
        self.words = &words[0]
        self.spin = spin_of(spin_microseconds, 1)

    @property
    def value(self):
        """The ticket now."""
        return sync_load(self.words + SYNC_TICKET_WORD)

    def signal(self, value):
        """Raise the ticket to *value*, if it is not there yet, and wake all who wait."""
        sync_ticket_signal(self.words, <uint32_t>(value & 0xFFFFFFFF))

    def add(self, uint32_t count=1):
        """Raise the ticket by *count*, wake all who wait, and return the new ticket."""
        return sync_ticket_add(self.words, count)

    def wait_for(self, value, double timeout_seconds):
        """Wait until the ticket is at least *value*.

        What was written before the ticket was raised is seen afterwards.

        Returns:
            True when it is; False when the time was up first.

        Raises:
            BaseException: what a signal's handler raised.
        """
        cdef uint32_t wanted = <uint32_t>(value & 0xFFFFFFFF)
        cdef SyncSpin* spin = &self.spin
        cdef int64_t deadline = sync_now() + timeout_ns(timeout_seconds)
        cdef int64_t until
        cdef int outcome
        while True:
            with nogil:
                until = min(deadline, sync_now() + LOOK_NS)
                outcome = sync_ticket_await(self.words, wanted, until, spin)
            if outcome == SYNC_DONE:
                return True
            PyErr_CheckSignals()
            if outcome == SYNC_TIMED_OUT and sync_now() >= deadline:
                return False
            spin = NULL


cdef class Counters:
    """Whole numbers that processes read and add to at once, each in its own cache line.

    Args:
        words: int64, shape (COUNTER_WORDS * count,), shared, at a multiple of 64 bytes.

    Raises:
        ValueError: not a multiple of COUNTER_WORDS, or at an odd place.
    """

    def __cinit__(self, int64_t[::1] words):
        if words.shape[0] % SYNC_CELL_WORDS:
            raise ValueError(f"counters take {COUNTER_WORDS} words each, not {words.shape[0]}")
        check_place(<size_t>&words[0] if words.shape[0] else 0, words.shape[0], COUNTER_WORDS)
        self.memory = words
        self.cells = &words[0]
        self.count = words.shape[0] // SYNC_CELL_WORDS

    def __len__(self):
        return self.count

    def load(self, Py_ssize_t index):
        """Return a counter; what was written before it was stored is seen."""
        return sync_cell_load(self._cell(index))

    def store(self, Py_ssize_t index, int64_t value):
        """Set a counter."""
        sync_cell_store(self._cell(index), value)

    def add(self, Py_ssize_t index, int64_t count=1):
        """Add to a counter and return what it is then."""
        return sync_cell_add(self._cell(index), count)

    def snapshot(self):
        """Return all counters: int64, shape (count,); each is read whole, not all at once."""
        out = np.empty(self.count, dtype=np.int64)
        cdef int64_t[::1] view = out
        cdef Py_ssize_t i
        for i in range(self.count):
            view[i] = sync_cell_load(self.cells + i * SYNC_CELL_WORDS)
        return out

    cdef int64_t* _cell(self, Py_ssize_t index) except NULL:
        if not 0 <= index < self.count:
            raise IndexError(f"no counter {index}: there are {self.count}")
        return self.cells + index * SYNC_CELL_WORDS


cdef int check_place(size_t address, Py_ssize_t found, Py_ssize_t wanted) except -1:
    if found < wanted:
        raise ValueError(f"{wanted} words are needed, not {found}")
    # Two barriers in one cache line would slow each other, and a split word is not atomic.
    if address % 64:
        raise ValueError(f"the words must begin at a multiple of 64 bytes, not at {address:#x}")
    return 0


cdef SyncSpin spin_of(microseconds, Py_ssize_t parties) except *:
    if microseconds is None:
        # Who spins for a process that waits for this very core only delays it.
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        microseconds = SPIN_MICROSECONDS if parties <= (cores or 1) else 0.0
    if not 0 <= microseconds <= 1e6:
        raise ValueError(f"spin_microseconds must be 0 to 1,000,000, not {microseconds}")
    cdef SyncSpin spin
    spin.most = spin.now = <int64_t>(1000 * microseconds)
    spin.skipped = 0
    return spin


cdef int64_t timeout_ns(double seconds) except -1:
    if not seconds >= 0:
        raise ValueError(f"timeout_seconds must be at least 0, not {seconds}")
    return <int64_t>(1e9 * min(seconds, LONGEST_SECONDS))
