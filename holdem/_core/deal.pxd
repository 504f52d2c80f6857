# A Deal: all that chance decides in one hand, and all that a walk may know of it.
from libc.stdint cimport int32_t

from holdem._core.types cimport MAX_PLAYERS, MAX_STREETS


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
