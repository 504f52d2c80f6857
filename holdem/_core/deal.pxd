# A Deal: all that chance decides in one hand, and all that a walk may know of it.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint64_t

from holdem._core.rng cimport Stream
from holdem._core.types cimport MAX_PLAYERS, MAX_STREETS, card_t

cdef extern from *:
    void prefetch "__builtin_prefetch"(const void* address) noexcept nogil

cdef enum:
    MAX_DECK = 64              # cards of a deck


# Mirrors DEAL_DTYPE in deal.pyx field for field.
cdef struct Deal:
    int32_t bucket[MAX_STREETS][MAX_PLAYERS]   # of each player's hand, by street
    int32_t strength[MAX_PLAYERS]              # at showdown; higher wins, equal splits
    # Two players: seat 0's expected part of the pot if the betting ends on that street.
    float share[MAX_STREETS]


cdef inline float share_of_strengths(int32_t mine, int32_t other) noexcept nogil:
    """Part of a two-player pot: 1 for the better hand, half for equal ones."""
    if mine == other:
        return <float>0.5
    return <float>1 if mine > other else <float>0


# The bucket of every canonical hand by street: one of the two is NULL. Someone else keeps
# the arrays alive.
cdef struct BucketTables:
    const uint8_t* narrow[MAX_STREETS]
    const uint16_t* wide[MAX_STREETS]
    int num_streets


cdef inline int32_t bucket_of(
    const BucketTables* tables, int street, int64_t index
) noexcept nogil:
    """The bucket of the hand with this index."""
    if tables.narrow[street] != NULL:
        return tables.narrow[street][index]
    return tables.wide[street][index]


cdef inline void ask_for_bucket(
    const BucketTables* tables, int street, int64_t index
) noexcept nogil:
    """Fetch what `bucket_of` will read."""
    if tables.narrow[street] != NULL:
        prefetch(tables.narrow[street] + index)
    else:
        prefetch(tables.wide[street] + index)


# Bring *count* random cards to the front of *deck*, whatever its order was.
cdef void draw_cards(Stream* stream, card_t* deck, int deck_size, int count) noexcept nogil


cdef class Dealer:
    cdef readonly int num_players
    cdef readonly int num_cards
    cdef void fill(self, uint64_t seed, int64_t first, Deal* deals, Py_ssize_t count) noexcept nogil
    # The first *count* cards of an iteration, to the front of *deck* (MAX_DECK,).
    cdef void draw(self, uint64_t seed, int64_t iteration, int count, card_t* deck) noexcept nogil


cdef class HoldemDealer(Dealer):
    cdef object _tables                        # keeps the arrays alive
    cdef BucketTables _buckets
    cdef const double[:, ::1] _equities


cdef class OneCardDealer(Dealer):
    cdef int _ranks, _suits, _num_streets, _board_street
