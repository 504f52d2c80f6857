# One row of the regret table: the current strategy out of regrets, and adding to it.
#
# A row holds num_actions regrets and then num_actions sums of the average
# strategy, side by side, so that whoever has just read the one finds the other
# in the same cache line or the next.

from libc.stdint cimport uint64_t

cdef extern from "<float.h>" nogil:
    const float FLT_MIN

cdef union Bits:
    double number
    uint64_t bits

cdef enum:
    DROPPED_BITS = 29              # of a double's fraction, beyond that of a float


cdef inline void match_regrets(
    const float* regrets,          # IN   (num_actions,)
    int num_actions,
    float* strategy,               # OUT  (num_actions,), sums to 1
) noexcept nogil:
    """Regret matching (Hart & Mas-Colell 2000): play in proportion to positive regret."""
    cdef float total = 0
    cdef float positive, scale
    cdef int a
    for a in range(num_actions):
        positive = regrets[a] if regrets[a] > 0 else <float>0
        strategy[a] = positive
        total += positive
    # Less than FLT_MIN is what rebasing leaves of a row that was not met for ages (see
    # RegretTable): as good as nothing, and 1 / total would be infinite.
    if total >= FLT_MIN:
        scale = <float>1 / total
        for a in range(num_actions):
            strategy[a] = strategy[a] * scale
    else:
        for a in range(num_actions):
            strategy[a] = <float>1 / <float>num_actions


cdef inline void add_regrets(
    float* regrets,                # INOUT  (num_actions,), chips x weight
    const float* updates,          # IN     (num_actions,), chips
    float weight,                  # IN     of the batch's period, see RegretTable
    float floor,                   # IN     chips x weight
    int num_actions,
) noexcept nogil:
    """Add one traversal's regrets to one row, never below the floor.

    The floor lets an action that began badly earn its way back (Brown & Sandholm 2019).
    """
    cdef float regret
    cdef int a
    for a in range(num_actions):
        regret = regrets[a] + updates[a] * weight
        regrets[a] = regret if regret > floor else floor


cdef inline void add_strategy(
    float* sums,                   # INOUT  (num_actions,), none below 0
    const float* strategy,         # IN     (num_actions,)
    float weight,                  # IN     of the batch's period
    int num_actions,
    uint64_t noise,                # IN     other 64 bits for each visit and row
) noexcept nogil:
    """Add one visit's strategy to the row's average, rounded up as often as it ought to be.

    A visit adds less and less of what is there, and in the end less than a float can tell: rounded
    to the nearest, rare actions would then never count again, and frequent ones too much. So what
    the float cannot hold is the chance that it is rounded up (Forsythe 1950).
    """
    cdef Bits sum
    cdef int a
    for a in range(num_actions):
        sum.number = <double>sums[a] + <double>strategy[a] * <double>weight
        sum.bits += noise >> (64 - DROPPED_BITS)
        sum.bits &= ~((1ULL << DROPPED_BITS) - 1)
        sums[a] = <float>sum.number
        noise = noise * <uint64_t>0x5851F42D4C957F2D + <uint64_t>0x14057B7EF767814F
