# What a policy's betting is worth when each player may change how it goes on.
#
# Depth-limited solving (Brown, Sandholm & Amos 2018) stops where a street's betting ends
# and lets each player choose how the blueprint goes on from there: as it is, or with more
# of its folds, calls or raises, to the end of the hand. Four choices each are sixteen
# pairs, which one walk over all betting values together, a lane for each, for cards that
# are known.
from libc.stdint cimport int32_t, int64_t, uint16_t, uint8_t

cdef enum:
    CHOICES = 4                # as is, to fold, to call, to raise
    PAIRS = 16                 # 4 * choice of seat 0 + choice of seat 1

cdef extern from "continuations_simd.h":
    ctypedef struct BettingStep:
        int64_t first_slot
        int32_t node
        int32_t first_child
        uint8_t num_actions
        uint8_t actor
        uint8_t street
    ctypedef struct BettingShowdown:
        int32_t node
        float pot
        uint8_t street

cdef class ContinuationWalk:
    cdef readonly int num_nodes
    cdef BettingStep* steps                # children before their parents
    cdef BettingShowdown* showdowns
    cdef int64_t num_steps, num_showdowns
    cdef const uint8_t[::1] kinds          # see continuations_simd.h
    cdef const uint16_t[::1] units
    cdef float[::1] factors
    cdef const double[:, ::1] folds        # (folds, 2): node and value
