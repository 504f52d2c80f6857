# What the endings of one river board are worth to every hand, sixteen endings side by side.
#
# Reach and values are laid out [hand][ending]: hand h begins at h * stride, its sixteen
# endings are contiguous, 64-byte aligned and independent of one another. More endings are
# more calls, on columns 16, 32, .. of wider rows or on blocks of their own. Values are in
# units of reach: the caller multiplies by what an ending is worth in chips.
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

cdef int rank_hands(
    const River* river,
    const uint8_t* holes,
    int num_holes,
    uint16_t* order,
    uint8_t* cards,
    uint16_t* level_ends,
) noexcept nogil

cdef void showdown_values(
    const RankedHands* own,
    const RankedHands* opponent,
    int num_levels,
    const float* reach,
    int reach_stride,
    float* values,
    int value_stride,
) noexcept nogil

cdef void compatible_reach(
    const uint8_t* cards,
    int num_own,
    const uint16_t* same,
    const uint8_t* theirs,
    int num_theirs,
    const float* reach,
    int reach_stride,
    float* values,
    int value_stride,
) noexcept nogil

cdef void lanes_from_rows(const float** rows, int num_hands, float* lanes) noexcept nogil
cdef void rows_from_lanes(
    const float* lanes, const float* scales, int num_hands, float** rows
) noexcept nogil
