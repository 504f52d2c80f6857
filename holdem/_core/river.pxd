# All two-card hands of one river board, ranked: the ground that exact equities stand on.
#
# A board has few distinct strengths (136 at most: 91 pairs of ranks and 45 flushes), so
# a hand's strength is kept as its place among them, its *level*, which fits a byte: the
# hands that share a card are then one vector register.
from libc.stdint cimport uint8_t, uint16_t

from holdem._core.types cimport card_t

cdef enum:
    MAX_LEVELS = 144
    NO_LEVEL = 255             # of a pair that is no hand: a card on the board, or twice the same
    ROW = 64                   # cards in a row, padded with NO_LEVEL to a vector's length
    NUM_RIVER_HANDS = 1081     # C(47, 2): pairs of the cards that are not on the board
    NUM_BLOCKS = 91            # pairs of ranks
    MAX_ENTRIES = NUM_BLOCKS + NUM_RIVER_HANDS

cdef struct River:
    uint8_t levels[52][64]             # (card, card) symmetric; 0 is the weakest
    uint16_t strengths[MAX_LEVELS]     # by level, ascending
    uint16_t below[MAX_LEVELS + 1]     # hands of a lower level; below[num_levels] is 1081
    int num_levels
    uint8_t live[13]                   # suits of each rank that are not on the board, one bit each
    uint8_t rank_levels[13][13]        # (high, low) flushes aside; NO_LEVEL where no hand is left
    uint8_t flushes[NUM_RIVER_HANDS][2]    # the hands (low card, high card) that make a flush
    int num_flushes

# Hands of equal strength: those of a pair of ranks that make no flush, or one that makes one.
# Mirrors entry_t of blocks_simd.h, and ENTRY_DTYPE of best_response.pyx.
cdef struct Entry:
    uint16_t first             # where its hands are, for whom lists entries to say
    uint8_t high               # ranks; cards of a single hand
    uint8_t low
    uint8_t kind
    uint8_t ties               # 1 if the next entry has the same strength

cdef enum EntryKind:
    OF_TWO_RANKS
    OF_ONE_RANK
    SINGLE

cdef int list_entries(const River* river, Entry* entries) noexcept nogil
cdef void rank_river(const card_t* board, River* river) noexcept nogil
