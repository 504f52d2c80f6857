"""Strength of 5, 6 or 7 cards: the tables, one hand, many hands, all hands.

Strengths are dense: 1 is 7-5-4-3-2 of mixed suits, 7,462 a royal flush, and equal
hands share a number. `evaluator.pxd` explains the two lookups behind one.
"""

import numpy as np

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from holdem._core.types cimport card_t, strength_t
from holdem.errors import CardError

cdef extern from "evaluator_simd.h":
    ctypedef struct HandTables:
        const uint64_t* card_key
        const uint16_t* flush_strength
        const uint16_t* row_start
        const uint16_t* rank_strength
        int num_cards
    enum:
        BEST_INSTRUCTIONS
        SCALAR_INSTRUCTIONS
        AVX2_INSTRUCTIONS
        AVX512_INSTRUCTIONS
    int best_instructions() nogil
    int evaluate_hands(
        const HandTables* tables, const uint8_t* cards, size_t num_hands, uint16_t* strengths,
        int instructions,
    ) noexcept nogil

__all__ = [
    "CATEGORIES",
    "CATEGORY_SIZES",
    "category",
    "count_categories",
    "count_strengths",
    "evaluate",
    "instruction_sets",
]

CATEGORIES = (
    "high", "pair", "two_pair", "trips", "straight", "flush", "full_house", "quads",
    "straight_flush", "royal",
)
# How many strengths each category has, in the same order: 7,462 in all.
CATEGORY_SIZES = (1277, 2860, 858, 858, 10, 1277, 156, 156, 9, 1)

# Keys of the ranks: any two hands of n <= 7 cards (four of a rank at most) with
# different ranks have different sums modulo 2^23. The smallest such keys, chosen
# one by one, are 0, 1, 5, 22, 98, 453, 2031, 8698, 22854, 83661, 262349, 636345
# and 1479181; an odd multiple modulo 2^23 keeps them different and scatters the
# sums over the rows, which then pack into 101 % of the 49,205 places needed
# (small keys as they are cluster, and need twice as many). A deuce's 0 lets the
# vector code pad hands with zeros.
cdef uint32_t[13] RANK_KEY
RANK_KEY[:] = [
    0, 1166159, 5830795, 489674, 5231678, 8176331, 2881473, 1423910,
    790170, 2517059, 8113731, 6407959, 2384131,
]

# The order of the raw values below.
cdef enum:
    HIGH_CARD = 0
    PAIR = 1
    TWO_PAIR = 2
    TRIPS = 3
    STRAIGHT = 4
    FLUSH = 5
    FULL_HOUSE = 6
    QUADS = 7
    STRAIGHT_FLUSH = 8


# --- raw values: what the tables are made from -----------------------------------------------

cdef int highest(int ranks, int count) noexcept nogil:
    """The *count* highest ranks of a 13-bit set."""
    cdef int kept = 0, rank
    for rank in range(12, -1, -1):
        if count > 0 and ranks & (1 << rank):
            kept |= 1 << rank
            count -= 1
    return kept


cdef int count_ranks(int ranks) noexcept nogil:
    """How many ranks a 13-bit set holds."""
    cdef int rank, count = 0
    for rank in range(13):
        count += (ranks >> rank) & 1
    return count


cdef int straight_top(int ranks) noexcept nogil:
    """The highest card of the best straight in a 13-bit set, as a set; 0 if none."""
    cdef int with_low_ace = (ranks << 1) | (ranks >> 12)
    cdef int top
    for top in range(12, 2, -1):
        # Bit r of the shifted set is rank r - 1, so the five below top + 1 count.
        if (with_low_ace >> (top - 3)) & 31 == 31:
            return 1 << top
    return 0


cdef uint32_t raw_value(int category, int primary, int kickers) noexcept nogil:
    """A number that orders hands: by category, its own ranks, then the other ranks."""
    return (<uint32_t>category << 26) | (<uint32_t>primary << 13) | <uint32_t>kickers


cdef uint32_t raw_value_of_ranks(const int* at_least) noexcept nogil:
    """Raw value of the best five cards, flushes aside.

    ``at_least[c]`` is the set of ranks held c times or more, c = 1 .. 4.
    """
    cdef int ranks = at_least[1], first, second
    if at_least[4]:
        first = highest(at_least[4], 1)
        return raw_value(QUADS, first, highest(ranks & ~first, 1))
    first = highest(at_least[3], 1)
    second = highest(at_least[2] & ~first, 1)
    if first and second:
        return raw_value(FULL_HOUSE, first, second)
    if straight_top(ranks):
        return raw_value(STRAIGHT, straight_top(ranks), 0)
    if first:
        return raw_value(TRIPS, first, highest(ranks & ~first, 2))
    if count_ranks(at_least[2]) >= 2:
        first = highest(at_least[2], 2)
        return raw_value(TWO_PAIR, first, highest(ranks & ~first, 1))
    if at_least[2]:
        return raw_value(PAIR, at_least[2], highest(ranks & ~at_least[2], 3))
    return raw_value(HIGH_CARD, highest(ranks, 5), 0)


cdef uint32_t raw_value_of_flush(int ranks) noexcept nogil:
    """Raw value of a flush in a suit with the 13-bit set *ranks*, five or more."""
    if straight_top(ranks):
        return raw_value(STRAIGHT_FLUSH, straight_top(ranks), 0)
    return raw_value(FLUSH, highest(ranks, 5), 0)


cdef class Multisets:
    """All multisets of a number of ranks, four of a rank at most: keys and raw values."""

    cdef int size
    cdef uint32_t[::1] keys
    cdef uint32_t[::1] values

    def __cinit__(self, int num_cards, int expected):
        cdef int at_least[5]
        memset(at_least, 0, sizeof(at_least))
        self.size = 0
        self.keys = np.empty(expected, np.uint32)
        self.values = np.empty(expected, np.uint32)
        self.add(0, num_cards, 0, at_least)

    cdef void add(self, int rank, int num_left, uint32_t key, int* at_least) noexcept:
        """Add the multisets that hold *num_left* more cards, of *rank* or higher."""
        cdef int count, c
        if num_left == 0:
            self.keys[self.size] = key & (NUM_ROWS * NUM_COLUMNS - 1)
            self.values[self.size] = raw_value_of_ranks(at_least)
            self.size += 1
        elif rank < 13:
            for count in range(min(num_left, 4) + 1):
                if count > 0:
                    at_least[count] |= 1 << rank
                self.add(rank + 1, num_left - count, key + count * RANK_KEY[rank], at_least)
            for c in range(1, 5):
                at_least[c] &= ~(1 << rank)


# --- the perfect hash ------------------------------------------------------------------------

cdef uint64_t window(const uint64_t* used, int place) noexcept nogil:
    """Which of the 64 places from *place* are used, as bits."""
    cdef int shift = place & 63
    cdef uint64_t bits = used[place >> 6] >> shift
    if shift:
        bits |= used[(place >> 6) + 1] << (64 - shift)
    return bits


cdef bint pack_rows(
    const uint32_t[::1] keys,          # IN   23 bits each, all different
    const uint16_t[::1] strengths,     # IN   of the same multisets
    const int64_t[::1] order,          # IN   keys by row, the fullest row first
    uint16_t* row_start,               # OUT  (NUM_ROWS,)
    uint16_t* rank_strength,           # OUT  (capacity,)
    int capacity,
):
    """Give each row the first start where its columns hit free places only.

    The fullest rows go first (Tarjan & Yao 1979), 64 starts are tried at once.
    Returns whether everything fits.
    """
    used_places = np.zeros(capacity // 64 + 4 + NUM_COLUMNS // 64, np.uint64)
    cdef uint64_t[::1] used = used_places
    cdef uint64_t taken
    cdef int first = 0, end, start, place, i
    cdef uint32_t row
    memset(row_start, 0, NUM_ROWS * sizeof(uint16_t))
    memset(rank_strength, 0, capacity * sizeof(uint16_t))
    while first < order.shape[0]:
        row = keys[order[first]] // NUM_COLUMNS
        end = first
        while end < order.shape[0] and keys[order[end]] // NUM_COLUMNS == row:
            end += 1
        start = -64
        taken = ~<uint64_t>0
        while taken == ~<uint64_t>0:
            start += 64
            # The whole row must stay inside, so that every column is safe to read.
            if start + 63 + NUM_COLUMNS > capacity:
                return False
            taken = 0
            for i in range(first, end):
                taken |= window(&used[0], start + keys[order[i]] % NUM_COLUMNS)
        while taken & 1:
            taken >>= 1
            start += 1
        row_start[row] = start
        for i in range(first, end):
            place = start + keys[order[i]] % NUM_COLUMNS
            used[place >> 6] |= 1ULL << (place & 63)
            rank_strength[place] = strengths[order[i]]
        first = end
    return True


def _hash_order(keys):
    """Indices of *keys* row by row, the fullest rows first."""
    rows = keys // NUM_COLUMNS
    fullness = np.bincount(rows, minlength=NUM_ROWS)[rows]
    return np.lexsort((rows, -fullness))


cdef void build_tables() except *:
    """Fill all tables of evaluator.pxd; 30 ms or so."""
    cdef int card, ranks
    for card in range(52):
        CARD_KEY[card] = (<uint64_t>1 << (40 + 4 * (card & 3))) | (RANK_KEY[card >> 2] << 9)

    cdef Multisets five = Multisets(5, 6_175)
    cdef Multisets six = Multisets(6, 18_395)
    cdef Multisets seven = Multisets(7, 49_205)
    flush_ranks = np.array([ranks for ranks in range(8192) if count_ranks(ranks) >= 5])
    flush_values = np.array([raw_value_of_flush(ranks) for ranks in flush_ranks], np.uint32)
    # Every five-card class is a multiset of five ranks or a flush.
    classes = np.unique(np.concatenate([five.values, flush_values]))

    cdef uint16_t[::1] strengths = (np.searchsorted(classes, flush_values) + 1).astype(np.uint16)
    cdef int i
    memset(FLUSH_STRENGTH, 0, sizeof(FLUSH_STRENGTH))
    for i in range(strengths.shape[0]):
        FLUSH_STRENGTH[<int>flush_ranks[i]] = strengths[i]
    cdef bint fits = (
        _pack(five, classes, ROW_START5, RANK_STRENGTH5, CAPACITY5)
        and _pack(six, classes, ROW_START6, RANK_STRENGTH6, CAPACITY6)
        and _pack(seven, classes, ROW_START7, RANK_STRENGTH7, CAPACITY7)
    )
    if len(classes) != NUM_STRENGTHS or not fits:
        raise SystemError("the evaluator's tables do not fit their constants")


cdef bint _pack(
    Multisets hands, classes, uint16_t* row_start, uint16_t* rank_strength, int capacity,
) except *:
    """Pack the strengths of *hands* as `pack_rows` does."""
    keys = np.asarray(hands.keys)
    strengths = (np.searchsorted(classes, np.asarray(hands.values)) + 1).astype(np.uint16)
    return pack_rows(
        keys, strengths, _hash_order(keys), row_start, rank_strength, capacity
    )


build_tables()


# --- one hand --------------------------------------------------------------------------------

cdef strength_t evaluate5(const card_t* cards) noexcept nogil:
    """Strength of five distinct cards; higher wins, equal splits."""
    cdef uint64_t key = no_cards(), bits = 0
    cdef int i
    for i in range(5):
        key += CARD_KEY[cards[i]]
    if has_flush(key):
        for i in range(5):
            bits |= card_bit(cards[i])
        return flush_strength(bits)
    return rank_strength5(key)


cdef strength_t evaluate6(const card_t* cards) noexcept nogil:
    """Strength of the best five of six distinct cards; higher wins, equal splits."""
    cdef uint64_t key = no_cards(), bits = 0
    cdef int i
    for i in range(6):
        key += CARD_KEY[cards[i]]
    # Five suited cards leave one other: a full house or quads would need two.
    if has_flush(key):
        for i in range(6):
            bits |= card_bit(cards[i])
        return flush_strength(bits)
    return rank_strength6(key)


cdef strength_t evaluate7(const card_t* cards) noexcept nogil:
    """Strength of the best five of seven distinct cards; higher wins, equal splits."""
    cdef uint64_t key = no_cards(), bits = 0
    cdef int i
    for i in range(7):
        key += CARD_KEY[cards[i]]
    # Five suited cards leave two others, and quads or a full house would need
    # three, so a flush (or straight flush) settles the hand by itself.
    if has_flush(key):
        for i in range(7):
            bits |= card_bit(cards[i])
        return flush_strength(bits)
    return rank_strength7(key)


# --- many hands ------------------------------------------------------------------------------

cdef HandTables tables_for(int num_cards) noexcept nogil:
    cdef HandTables tables
    tables.card_key = CARD_KEY
    tables.flush_strength = FLUSH_STRENGTH
    tables.num_cards = num_cards
    if num_cards == 5:
        tables.row_start, tables.rank_strength = ROW_START5, RANK_STRENGTH5
    elif num_cards == 6:
        tables.row_start, tables.rank_strength = ROW_START6, RANK_STRENGTH6
    else:
        tables.row_start, tables.rank_strength = ROW_START7, RANK_STRENGTH7
    return tables


_INSTRUCTIONS = {
    "scalar": SCALAR_INSTRUCTIONS, "avx2": AVX2_INSTRUCTIONS, "avx512": AVX512_INSTRUCTIONS,
}


def instruction_sets():
    """Return the instruction sets that `evaluate` can use on this processor, the best last."""
    return tuple(name for name, level in _INSTRUCTIONS.items() if level <= best_instructions())


def evaluate(const uint8_t[:, ::1] cards, uint16_t[::1] out=None, *, instructions=None):
    """Return the strength of each row of 5, 6 or 7 distinct cards.

    Strengths are 1 .. 7462, dense and on one scale for 5, 6 and 7 cards: higher wins,
    equal splits.

    Args:
        cards: uint8 (n, 5), (n, 6) or (n, 7), C-contiguous; a card is rank * 4 + suit.
            The cards of a row are taken to be distinct: equal ones are not looked for
            and give a number without meaning.
        out: uint16 (n,), written and returned; a new array by default.
        instructions: one of `instruction_sets`, for tests and benchmarks; the best by
            default. The result is the same.

    Raises:
        CardError: a card is above 51, rows or *out* have another length, or there are
            no such *instructions* here.
    """
    cdef Py_ssize_t num_hands = cards.shape[0], num_cards = cards.shape[1]
    cdef int level = best_instructions(), largest = 0
    if num_cards < 5 or num_cards > 7:
        raise CardError(f"hands have {num_cards} cards, wanted 5, 6 or 7", "pass one hand a row")
    if out is None:
        out = np.empty(num_hands, np.uint16)
    elif out.shape[0] != num_hands:
        raise CardError(
            f"out has room for {out.shape[0]} strengths, wanted {num_hands}",
            "pass one element for each row of cards",
        )
    if instructions is not None:
        if instructions not in instruction_sets():
            raise CardError(
                f"no instruction set {instructions!r} here",
                f"choose from {', '.join(instruction_sets())}",
            )
        level = _INSTRUCTIONS[instructions]
    cdef HandTables tables = tables_for(<int>num_cards)
    if num_hands > 0:
        with nogil:
            largest = evaluate_hands(&tables, &cards[0, 0], num_hands, &out[0], level)
    if largest >= 52:
        raise CardError(f"not a card: {largest}", "cards are 0 (2c) to 51 (As)")
    return np.asarray(out)


# --- all hands -------------------------------------------------------------------------------

cdef inline uint16_t look_up(const HandTables* tables, uint32_t ranks) noexcept nogil:
    return tables.rank_strength[tables.row_start[ranks >> 19] + ((ranks >> 9) & 1023)]


cdef void count_last_card(
    const HandTables* tables, uint64_t key, uint64_t bits, int first, uint32_t* counts,
) noexcept nogil:
    """Count the hands that one more card, *first* or higher, completes."""
    cdef int card, rank
    cdef uint16_t strength
    cdef uint64_t with_card
    # Four of one suit turn its counter into seven, so another in each would carry.
    if not has_flush(key + (0x1111ULL << 40)):
        rank = first >> 2
        strength = look_up(tables, <uint32_t>key + RANK_KEY[rank] * 512)
        counts[strength] += 4 - (first & 3)
        for rank in range((first >> 2) + 1, 13):
            # Without a flush the four suits of a rank make the same hand.
            strength = look_up(tables, <uint32_t>key + RANK_KEY[rank] * 512)
            counts[strength] += 4
        return
    for card in range(first, 52):
        with_card = key + CARD_KEY[card]
        if has_flush(with_card):
            strength = flush_strength(bits | card_bit(card))
        else:
            strength = look_up(tables, <uint32_t>with_card)
        counts[strength] += 1


cdef void count_hands(
    const HandTables* tables, int num_left, uint64_t key, uint64_t bits, int first,
    uint32_t* counts,
) noexcept nogil:
    """Count the hands that *num_left* more cards, *first* or higher, complete."""
    cdef int card
    for card in range(first, 53 - num_left):
        if num_left == 2:
            count_last_card(
                tables, key + CARD_KEY[card], bits | card_bit(card), card + 1, counts
            )
        else:
            count_hands(
                tables, num_left - 1, key + CARD_KEY[card], bits | card_bit(card), card + 1, counts
            )


def count_strengths(int num_cards):
    """Return how many of all hands of *num_cards* have each strength, by enumeration.

    Returns:
        int64 (7463,), by strength; element 0 is 0.

    Raises:
        CardError: *num_cards* is not 5, 6 or 7.
    """
    if num_cards < 5 or num_cards > 7:
        raise CardError(f"hands of {num_cards} cards, wanted 5, 6 or 7", "choose one of these")
    counts = np.zeros(NUM_STRENGTHS + 1, np.uint32)
    cdef uint32_t[::1] view = counts
    cdef HandTables tables = tables_for(num_cards)
    with nogil:
        count_hands(&tables, num_cards, no_cards(), 0, 0, &view[0])
    return counts.astype(np.int64)


def count_categories(int num_cards):
    """Return how many of all hands of *num_cards* fall in each category, by its name.

    Raises:
        CardError: *num_cards* is not 5, 6 or 7.
    """
    counts = count_strengths(num_cards)
    ends = np.cumsum(CATEGORY_SIZES) + 1
    return {
        name: int(counts[end - size:end].sum())
        for name, size, end in zip(CATEGORIES, CATEGORY_SIZES, ends, strict=True)
    }


def category(int strength):
    """Return the name of the category of *strength*: ``"high"`` .. ``"royal"``.

    Raises:
        CardError: *strength* is not one of 1 .. 7462.
    """
    if strength < 1 or strength > NUM_STRENGTHS:
        raise CardError(f"not a strength: {strength}", f"strengths are 1 to {NUM_STRENGTHS}")
    return CATEGORIES[int(np.searchsorted(np.cumsum(CATEGORY_SIZES), strength))]
