# Strength of five, six or seven cards: two table lookups for most hands.
#
# Every card has a 64-bit key; the keys of a hand are added. The low word of the
# sum names the multiset of ranks, the high word counts the suits. A perfect hash
# by row displacement (Tarjan & Yao 1979) finds the multiset's strength: the sum's
# top bits choose a row, the next ones a column, and the row's start was chosen
# so that rows share one array without colliding. Five cards of one suit settle
# a hand of up to seven by themselves, so flushes look up their ranks instead.
#
# The tables are built when the module is imported and never change afterwards.
# Any cards below 52 are safe to evaluate; only distinct ones mean something.
from libc.stdint cimport uint16_t, uint32_t, uint64_t

from holdem._core.types cimport card_t, strength_t

cdef enum:
    NUM_STRENGTHS = 7462
    NUM_ROWS = 8192            # of the perfect hash
    NUM_COLUMNS = 1024
    CAPACITY5 = 7_400          # the packed rows, and a row's width beyond the last
    CAPACITY6 = 19_800
    CAPACITY7 = 51_200

cdef uint64_t CARD_KEY[52]               # rank key, and one in the card's suit counter
cdef uint16_t FLUSH_STRENGTH[8192]       # by the 13-bit set of one suit's ranks; 0 below five
cdef uint16_t ROW_START5[NUM_ROWS]
cdef uint16_t ROW_START6[NUM_ROWS]
cdef uint16_t ROW_START7[NUM_ROWS]
cdef uint16_t RANK_STRENGTH5[CAPACITY5]
cdef uint16_t RANK_STRENGTH6[CAPACITY6]
cdef uint16_t RANK_STRENGTH7[CAPACITY7]

# The key of no cards: three in each suit counter, so that the fifth card of a
# suit carries into the counter's top bit. The counters begin at bit 40, because
# the rank keys, which count modulo 2^32, overflow into the bits below.
cdef inline uint64_t no_cards() noexcept nogil:
    return 0x3333ULL << 40


cdef inline bint has_flush(uint64_t key) noexcept nogil:
    """Whether one suit of the summed *key* holds five cards or more."""
    return (key & (0x8888ULL << 40)) != 0


cdef inline strength_t rank_strength5(uint64_t key) noexcept nogil:
    """Strength by ranks alone of five cards with the summed *key*."""
    cdef uint32_t ranks = <uint32_t>key
    return RANK_STRENGTH5[ROW_START5[ranks >> 19] + ((ranks >> 9) & 1023)]


cdef inline strength_t rank_strength6(uint64_t key) noexcept nogil:
    """Strength by ranks alone of six cards with the summed *key*."""
    cdef uint32_t ranks = <uint32_t>key
    return RANK_STRENGTH6[ROW_START6[ranks >> 19] + ((ranks >> 9) & 1023)]


cdef inline strength_t rank_strength7(uint64_t key) noexcept nogil:
    """Strength by ranks alone of seven cards with the summed *key*."""
    cdef uint32_t ranks = <uint32_t>key
    return RANK_STRENGTH7[ROW_START7[ranks >> 19] + ((ranks >> 9) & 1023)]


cdef inline uint64_t card_bit(card_t card) noexcept nogil:
    """The card's place in a set of cards with 16 bits a suit."""
    return 1ULL << (16 * (card & 3) + (card >> 2))


cdef inline strength_t flush_strength(uint64_t card_bits) noexcept nogil:
    """Strength of the flush in a set of `card_bit`; 0 if there is none."""
    # At most one suit of seven cards has five, and the others look up a zero.
    return (
        FLUSH_STRENGTH[card_bits & 0x1FFF] | FLUSH_STRENGTH[(card_bits >> 16) & 0x1FFF]
        | FLUSH_STRENGTH[(card_bits >> 32) & 0x1FFF] | FLUSH_STRENGTH[(card_bits >> 48) & 0x1FFF]
    )


cdef strength_t evaluate5(const card_t* cards) noexcept nogil
cdef strength_t evaluate6(const card_t* cards) noexcept nogil
cdef strength_t evaluate7(const card_t* cards) noexcept nogil
