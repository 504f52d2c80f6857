# What the endings of one river board are worth to every hand, sixteen endings side by side.
#
# Reach and values are sixteen rows that lie by hand, as a walk keeps them: they are transposed
# on the way in and out, so that a hand's sixteen endings are one vector. All rows are padded
# with zeros to a multiple of 16 hands, of which at least one is none, and begin at a multiple
# of 64 bytes.
from libc.stdint cimport uint8_t, uint16_t

from holdem._core.river cimport River

cdef enum:
    LANES = 16                 # endings that one call serves

cdef extern from "showdown_simd.h":
    # One player's hands on a river board, the weakest first.
    ctypedef struct RankedHands:
        int num_hands
        const uint8_t* cards           # (num_hands, 2)
        const uint16_t* level_ends     # (num_levels,) hands of each level or lower
    # Sixteen rows of reach, and where their endings' values go.
    ctypedef struct EndingRows:
        const float* reach[16]         # (their padded hands,)
        float* showdowns[16]           # OUT (own padded hands,); lanes may share a useless row
        float* folds[16]               # OUT
        const float* showdown_worth    # (16,) what showdowns are multiplied by; NULL for none
        const float* fold_worth        # (16,) likewise

cdef int rank_hands(
    const River* river,
    const uint8_t* holes,
    int num_holes,
    uint16_t* order,
    uint8_t* cards,
    uint16_t* level_ends,
) noexcept nogil

cdef void ending_values(
    const RankedHands* own,
    const RankedHands* opponent,
    int num_levels,
    const uint16_t* same,
    const EndingRows* rows,
    float* scratch,
) noexcept nogil
