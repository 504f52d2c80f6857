# Barriers, tickets and counters in memory that several processes map.
#
# The functions below are for other compiled modules; words point into the mapping, to a
# multiple of 64 bytes. Times are ns: deadlines on the clock of sync_now, timeouts and
# spins as lengths; no spin (NULL) blocks at once. sync_futex.h says what each may return
# and who sees whose writes.
from libc.stdint cimport int64_t, uint32_t

cdef extern from "sync_futex.h" nogil:
    enum:
        SYNC_DONE
        SYNC_TIMED_OUT
        SYNC_BROKEN
        SYNC_INTERRUPTED
        SYNC_ARRIVED

        SYNC_GENERATION_WORD
        SYNC_ARRIVED_WORD
        SYNC_BARRIER_SLEEPERS
        SYNC_BARRIER_WORDS
        SYNC_TICKET_WORD
        SYNC_TICKET_WORDS
        SYNC_CELL_WORDS

    ctypedef struct SyncSpin:
        int64_t most
        int64_t now
        uint32_t skipped

    const int64_t SYNC_FOREVER

    int64_t sync_now()
    uint32_t sync_load(const uint32_t* word)

    int sync_barrier_arrive(uint32_t* words, uint32_t parties, uint32_t* generation)
    int sync_barrier_await(uint32_t* words, uint32_t generation, int64_t deadline, SyncSpin* spin)
    int sync_barrier_leave(uint32_t* words, uint32_t generation)
    int sync_barrier_wait(uint32_t* words, uint32_t parties, int64_t timeout, SyncSpin* spin)
    void sync_barrier_abort(uint32_t* words)

    void sync_ticket_signal(uint32_t* words, uint32_t value)
    uint32_t sync_ticket_add(uint32_t* words, uint32_t count)
    int sync_ticket_await(uint32_t* words, uint32_t value, int64_t deadline, SyncSpin* spin)

    int64_t sync_cell_load(const int64_t* cell)
    void sync_cell_store(int64_t* cell, int64_t value)
    int64_t sync_cell_add(int64_t* cell, int64_t count)


cdef class Barrier:
    cdef uint32_t[::1] memory      # keeps the mapping
    cdef uint32_t* words
    cdef uint32_t num_parties
    cdef SyncSpin spin


cdef class Ticket:
    cdef uint32_t[::1] memory
    cdef uint32_t* words
    cdef SyncSpin spin


cdef class Counters:
    cdef int64_t[::1] memory
    cdef int64_t* cells            # SYNC_CELL_WORDS apart
    cdef Py_ssize_t count
    cdef int64_t* _cell(self, Py_ssize_t index) except NULL
