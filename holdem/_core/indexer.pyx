"""Numbers for hands up to a renaming of the suits, and back.

The idea is Waugh's (2013, A Fast and Optimal Hand Isomorphism Algorithm), with the board
dealt as one round so that the order of its cards is forgotten; the numbering is our own.

A suit holds some board ranks and some hole ranks. Its *number* counts the sets of board ranks
of that size in colexicographic order and, within one, the hole ranks among those left over. A
hand is the multiset of its four suits, so it is numbered in four steps:

1. Suits with hole cards come first; among these and among the others, suits are sorted by how
   many board ranks they hold, then by number: that forgets their names.
2. The sizes in that order are the hand's *shape*. Each shape owns a range of indices.
3. Suits of different sizes are the digits of a mixed-radix number.
4. k suits of equal size with numbers n1 >= n2 >= .. >= nk are a multiset, and their digit is
   C(n1+k-1, k) + .. + C(nk, 1). This is why equal hands under renaming get one index.

On one board and for two given suits the index is then a part of the high card plus a part of
the low card, each at most quadratic in the card's place among the ranks that the board leaves.
So `holes_on_board` needs one addition per hand.
"""

from itertools import combinations
from math import comb

import numpy as np

from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from holdem._core.types cimport NUM_CARDS, NUM_HOLES, card_t

from holdem.errors import CardError

__all__ = [
    "NUM_BOARDS",
    "NUM_HANDS",
    "board_index",
    "board_multiplicity",
    "index",
    "index_board",
    "index_boards",
    "multiplicity",
    "unindex",
    "unindex_board",
]

cdef extern from *:
    """
    #define highest_bit(bits) (31 - __builtin_clz(bits))
    """
    int highest_bit(unsigned int) noexcept nogil
    int lowest_bit "__builtin_ctz"(unsigned int) noexcept nogil
    int popcount "__builtin_popcount"(unsigned int) noexcept nogil
    int popcount64 "__builtin_popcountll"(unsigned long long) noexcept nogil

cdef enum:
    MAX_BOARD = 5
    NUM_PLANS = 1024           # suited, then three sizes of up to three bits
    MAX_PARTITIONS = 6         # ways to spread 5 cards over 4 suits, sizes descending
    MAX_SHAPES = 40
    KEY_BITS = 11              # a set's number: C(13, 6) = 1716 at most
    KEY_MASK = (1 << KEY_BITS) - 1
    BLOCKED = -(1 << 30)       # the sum of two still fits 32 bits

# How to put an index together, by the shape of the hand. All steps are in indices.
cdef struct Plan:
    int32_t offset             # the first hand of this shape
    # Ways to hold the suits without hole cards; also one step of the lesser suit with one.
    int32_t scale
    # One step of the greater suit with a hole card: of its number n where the two differ in
    # size, of C(n + 1, 2) where they are alike. The other step is 0.
    int32_t first_linear
    int32_t first_square
    # The same for the suits without hole cards: of n, C(n + 1, 2) and C(n + 2, 3). The third
    # such suit steps by 1.
    int32_t first_rest[3]
    int32_t second_rest[2]

# A shape, for the way back; it ends where the next begins. Sizes are numbers of board ranks,
# those of the suits with hole cards first.
cdef struct Shape:
    uint32_t offset
    uint32_t scale             # ways to hold the other suits
    int32_t sizes[4]
    int32_t num_hole_suits     # 1 suited, 2 offsuit, 0 a board alone

cdef struct BoardPlan:
    uint32_t offset
    uint32_t strides[4]
    int32_t powers[4]

# By set of ranks: size << KEY_BITS | number among the sets of that size.
cdef uint16_t SET_KEY[1 << NUM_RANKS]
# By key: the set of ranks.
cdef uint16_t SET_OF_KEY[(NUM_RANKS + 1) << KEY_BITS]
cdef uint32_t CHOOSE[NUM_RANKS + 1][NUM_RANKS + 1]
# By card: its bit among sixteen for each suit, clubs lowest; 0 for what is no card.
cdef uint64_t CARD_BIT[256]
# By suits of the two hole cards: the other suits. 4 stands for a suit that is always empty.
cdef uint8_t OTHER_SUITS[4][4][3]
# By num_board, then by _plan_number.
cdef Plan PLANS[MAX_BOARD + 1][NUM_PLANS]
# By num_board and by the two greatest sizes, which settle the others.
cdef uint8_t PARTITION[MAX_BOARD + 1][64]
cdef BoardPlan BOARD_PLANS[MAX_BOARD + 1][MAX_PARTITIONS]
cdef Shape SHAPES[MAX_BOARD + 1][MAX_SHAPES]
cdef int NUM_SHAPES[MAX_BOARD + 1]
cdef Shape BOARD_SHAPES[MAX_BOARD + 1][MAX_PARTITIONS]
cdef int NUM_PARTITIONS[MAX_BOARD + 1]


include "indexer_tables.pxi"


# ---- The board -------------------------------------------------------------------------------

cdef inline void _descend(uint32_t* keys, int i, int j) noexcept nogil:
    cdef uint32_t a = keys[i], b = keys[j]
    keys[i] = a if a > b else b
    keys[j] = b if a > b else a


cdef inline void _descend_all(uint32_t* keys) noexcept nogil:
    # Sort four.
    _descend(keys, 0, 1)
    _descend(keys, 2, 3)
    _descend(keys, 0, 2)
    _descend(keys, 1, 3)
    _descend(keys, 1, 2)


cdef inline uint64_t _ranks_by_suit(const card_t* cards, int num_cards) noexcept nogil:
    cdef uint64_t ranks = 0
    cdef int i
    for i in range(num_cards):
        ranks |= CARD_BIT[cards[i]]
    return ranks


cdef inline void _prepare(const card_t* board, int num_board, BoardState* state) noexcept nogil:
    cdef uint64_t ranks = _ranks_by_suit(board, num_board)
    cdef int suit
    for suit in range(4):
        state.ranks[suit] = <uint16_t> (ranks >> (16 * suit))
        state.keys[suit] = SET_KEY[state.ranks[suit]]
    state.ranks[4] = 0
    state.keys[4] = 0
    state.num_board = num_board


cdef void prepare_board(const card_t* board, int num_board, BoardState* state) noexcept nogil:
    """Number the sets of ranks that a board holds in each suit, for `hole_on_board`."""
    _prepare(board, num_board, state)


# ---- Hole cards on a board -------------------------------------------------------------------

# The index of hole cards in two given suits. With u a card's place among the ranks that the
# board leaves in its suit, and the card of the greater suit first,
# index = base + first_linear * u_first + first_square * C(u_first, 2) + second_linear * u_second.
cdef struct PairTerms:
    int32_t base
    int32_t first_linear
    int32_t first_square
    int32_t second_linear
    bint high_first            # the higher card is the first


cdef inline int32_t _rest(const Plan* plan, const uint32_t* keys) noexcept nogil:
    # What the suits without hole cards add to an index.
    cdef int32_t first = keys[0] & KEY_MASK, second = keys[1] & KEY_MASK
    return (
        plan.offset
        + plan.first_rest[0] * first
        + plan.first_rest[1] * (first * (first + 1) // 2)
        + plan.first_rest[2] * (first * (first + 1) // 2 * (first + 2) // 3)
        + plan.second_rest[0] * second
        + plan.second_rest[1] * (second * (second + 1) // 2)
        + <int32_t> (keys[2] & KEY_MASK)
    )


cdef inline PairTerms _pair_terms(const BoardState* state, int high, int low) noexcept nogil:
    # high and low are the suits of the hole cards of higher and lower rank.
    cdef const Plan* plans = PLANS[state.num_board]
    cdef const Plan* plan
    cdef PairTerms terms
    cdef uint32_t high_key = state.keys[high], low_key = state.keys[low], first_key, second_key
    cdef uint32_t others[3]
    cdef int32_t first, second, left
    others[0] = state.keys[OTHER_SUITS[high][low][0]]
    others[1] = state.keys[OTHER_SUITS[high][low][1]]
    others[2] = state.keys[OTHER_SUITS[high][low][2]]
    _descend(others, 0, 1)
    _descend(others, 1, 2)
    _descend(others, 0, 1)
    # The greater suit comes first. Where both hold the same board ranks, the higher card makes
    # its suit the greater: that is all the sorting that hole cards need.
    terms.high_first = high_key >= low_key
    if high == low:
        plan = &plans[
            _plan_number(True, high_key >> KEY_BITS, others[0] >> KEY_BITS, others[1] >> KEY_BITS)
        ]
        # The pair's number among the ranks left over is C(u_high, 2) + u_low.
        left = NUM_RANKS - (high_key >> KEY_BITS)
        first = (high_key & KEY_MASK) * (left * (left - 1) // 2)
        terms.base = _rest(plan, others) + plan.scale * first
        terms.first_linear = 0
        terms.first_square = plan.scale
        terms.second_linear = plan.scale
        return terms
    first_key = high_key if terms.high_first else low_key
    second_key = low_key if terms.high_first else high_key
    plan = &plans[
        _plan_number(
            False, first_key >> KEY_BITS, second_key >> KEY_BITS, others[0] >> KEY_BITS
        )
    ]
    # Numbers of the suits with their first free rank, u = 0. For suits alike in size,
    # C(first + u + 1, 2) = C(first + 1, 2) + (first + 1) * u + C(u, 2), by Vandermonde.
    first = (first_key & KEY_MASK) * (NUM_RANKS - (first_key >> KEY_BITS))
    second = (second_key & KEY_MASK) * (NUM_RANKS - (second_key >> KEY_BITS))
    terms.base = (
        _rest(plan, others)
        + plan.first_linear * first
        + plan.first_square * (first * (first + 1) // 2)
        + plan.scale * second
    )
    terms.first_linear = plan.first_linear + plan.first_square * (first + 1)
    terms.first_square = plan.first_square
    terms.second_linear = plan.scale
    return terms


cdef inline int32_t _place_left(const BoardState* state, int suit, int rank) noexcept nogil:
    # Place of a rank among those that the board leaves in this suit.
    return rank - popcount(state.ranks[suit] & ((1 << rank) - 1))


cdef inline int32_t _hole_on_board(
    const BoardState* state, card_t first, card_t second
) noexcept nogil:
    cdef card_t high = first if first > second else second
    cdef card_t low = second if first > second else first
    cdef PairTerms terms = _pair_terms(state, high & 3, low & 3)
    cdef card_t greater = high if terms.high_first else low
    cdef card_t lesser = low if terms.high_first else high
    cdef int32_t u = _place_left(state, greater & 3, greater >> 2)
    return (
        terms.base
        + terms.first_linear * u
        + terms.first_square * (u * (u - 1) // 2)
        + terms.second_linear * _place_left(state, lesser & 3, lesser >> 2)
    )


cdef int64_t hole_on_board(const BoardState* state, card_t first, card_t second) noexcept nogil:
    """Index of one pair of hole cards on a prepared board; neither may be on it."""
    return _hole_on_board(state, first, second)


cdef int64_t hand_index(const card_t* cards, int num_board) noexcept nogil:
    """Index of a hand: two hole cards, then *num_board* (0, 3, 4 or 5) board cards."""
    cdef BoardState state
    _prepare(cards + 2, num_board, &state)
    return _hole_on_board(&state, cards[0], cards[1])


cdef void holes_on_board(const card_t* board, int num_board, int32_t* indices) noexcept nogil:
    """Indices of all hole cards on one board.

    Writes *indices* (1326,), by hole index; -1 where a hole card is on the board.
    """
    cdef BoardState state
    cdef PairTerms terms
    cdef int32_t base[4][4]
    cdef int32_t high_linear[4][4]
    cdef int32_t high_square[4][4]
    cdef int32_t low_linear[4][4]
    cdef int32_t low_square[4][4]
    # By high card, then the low card's suit.
    cdef int32_t high_part[52][4]
    # By the high card's suit, then low card.
    cdef int32_t low_part[4][52]
    cdef int32_t left[4]
    cdef int32_t square[4]
    cdef int high, low, rank, suit, i, card
    cdef int32_t index, u, v
    cdef int32_t* row = indices
    _prepare(board, num_board, &state)
    for high in range(4):
        left[high] = 0
        for low in range(4):
            terms = _pair_terms(&state, high, low)
            base[high][low] = terms.base
            if terms.high_first:
                high_linear[high][low] = terms.first_linear
                high_square[high][low] = terms.first_square
                low_linear[high][low] = terms.second_linear
                low_square[high][low] = 0
            else:
                high_linear[high][low] = terms.second_linear
                high_square[high][low] = 0
                low_linear[high][low] = terms.first_linear
                low_square[high][low] = terms.first_square
    for rank in range(NUM_RANKS):
        for suit in range(4):
            square[suit] = left[suit] * (left[suit] - 1) // 2
        for high in range(4):
            u = left[high]
            v = square[high]
            for low in range(4):
                high_part[rank * 4 + high][low] = (
                    high_linear[high][low] * u + high_square[high][low] * v
                )
            for low in range(4):
                low_part[high][rank * 4 + low] = (
                    base[high][low]
                    + low_linear[high][low] * left[low]
                    + low_square[high][low] * square[low]
                )
        for suit in range(4):
            left[suit] += 1 - (state.ranks[suit] >> rank & 1)
    for i in range(num_board):
        for suit in range(4):
            high_part[board[i]][suit] = BLOCKED
            low_part[suit][board[i]] = BLOCKED
    for high in range(1, NUM_CARDS):
        # Four at a time, one per suit of the low card.
        for card in range(0, high - 3, 4):
            for suit in range(4):
                index = high_part[high][suit] + low_part[high & 3][card + suit]
                row[card + suit] = index if index > -1 else -1
        for card in range(high & ~3, high):
            index = high_part[high][card & 3] + low_part[high & 3][card]
            row[card] = index if index > -1 else -1
        row += high


# ---- Boards alone ----------------------------------------------------------------------------

cdef inline uint32_t _multisets(uint32_t number, int size) noexcept nogil:
    # Multisets of that size of the numbers below this one: C(number + size - 1, size). Suits of
    # one size have few ranks, so 32 bits hold the products.
    if size == 1:
        return number
    if size == 2:
        return number * (number + 1) // 2
    if size == 3:
        return number * (number + 1) * (number + 2) // 6
    return number * (number + 1) * (number + 2) * (number + 3) // 24


cdef int64_t board_number(const card_t* board, int num_board) noexcept nogil:
    """Index of a board alone, up to suits and to the order of its cards."""
    cdef BoardState state
    cdef const BoardPlan* plan
    cdef uint32_t* keys = state.keys
    cdef int place
    _prepare(board, num_board, &state)
    _descend_all(keys)
    plan = &BOARD_PLANS[num_board][
        PARTITION[num_board][(keys[0] >> KEY_BITS) * 8 + (keys[1] >> KEY_BITS)]
    ]
    cdef uint32_t index = plan.offset
    for place in range(4):
        index += plan.strides[place] * _multisets(keys[place] & KEY_MASK, plan.powers[place])
    return index


# ---- The way back ----------------------------------------------------------------------------

cdef inline uint32_t _first_of_multiset(uint32_t value, int size) noexcept nogil:
    # The greatest number with _multisets(number, size) <= value.
    cdef uint32_t number
    if size == 1:
        return value
    # number^2 / 2 <= C(number + 1, 2), so the root is at most one too high. Three suits of one
    # size, none of them empty, hold one rank each.
    number = <uint32_t> sqrt(<double> (2 * value)) if size == 2 else NUM_RANKS - 1
    while _multisets(number, size) > value:
        number -= 1
    return number


cdef void _numbers_of_suits(
    const int32_t* sizes,      # IN   (num_suits,), descending: board ranks of each suit
    int num_suits,
    int num_hole_ranks,        # IN   of each suit
    uint32_t value,            # IN   their number together
    uint32_t* numbers,         # OUT  (num_suits,)
) noexcept nogil:
    """Undo `_digits`: the number of each suit, from that of all."""
    cdef int begin, end = num_suits, k
    cdef uint32_t ways, total, digit
    while end:
        begin = end - 1
        while begin and sizes[begin - 1] == sizes[begin]:
            begin -= 1
        ways = CHOOSE[NUM_RANKS][sizes[begin]] * CHOOSE[NUM_RANKS - sizes[begin]][num_hole_ranks]
        total = _multisets(ways, end - begin)
        digit = value % total
        value = value // total
        for k in range(end - begin, 0, -1):
            numbers[end - k] = 0 if ways == 1 else _first_of_multiset(digit, k)
            digit -= _multisets(numbers[end - k], k)
        end = begin


cdef inline int _rank_left(int ranks, int place) noexcept nogil:
    # The rank at this place among those not in the set.
    cdef unsigned int left = ~ranks
    while place:
        left &= left - 1
        place -= 1
    return lowest_bit(left)


cdef void _cards_of_shape(const Shape* shape, uint32_t value, card_t* cards) noexcept nogil:
    # Hole cards first, then the board, each from the highest rank; the suits of the hole cards
    # and then the greatest are spades, hearts, diamonds, clubs.
    cdef int num_hole = shape.num_hole_suits, num_hole_ranks = 2 if num_hole == 1 else 1
    cdef uint32_t numbers[4]
    cdef unsigned int ranks[4]
    cdef unsigned int every_rank
    cdef int i, rank, suit, below
    cdef uint32_t ways, hole
    cdef card_t swap
    _numbers_of_suits(shape.sizes, num_hole, num_hole_ranks, value // shape.scale, numbers)
    _numbers_of_suits(
        shape.sizes + num_hole, 4 - num_hole, 0, value % shape.scale, numbers + num_hole
    )
    for i in range(4):
        suit = 3 - i
        ways = CHOOSE[NUM_RANKS - shape.sizes[i]][num_hole_ranks] if i < num_hole else 1
        ranks[i] = SET_OF_KEY[shape.sizes[i] << KEY_BITS | numbers[i] // ways]
        if i >= num_hole:
            continue
        hole = numbers[i] % ways
        if num_hole == 2:
            cards[i] = _rank_left(ranks[i], hole) * 4 + suit
        else:
            # The pair's number was C(high, 2) + low, and C(high, 2) = _multisets(high - 1, 2).
            below = _first_of_multiset(hole, 2)
            cards[0] = _rank_left(ranks[i], below + 1) * 4 + suit
            cards[1] = _rank_left(ranks[i], hole - _multisets(below, 2)) * 4 + suit
    if num_hole == 2 and cards[0] < cards[1]:
        swap = cards[0]
        cards[0] = cards[1]
        cards[1] = swap
    if num_hole:
        cards += 2
    every_rank = ranks[0] | ranks[1] | ranks[2] | ranks[3]
    while every_rank:
        rank = highest_bit(every_rank)
        every_rank ^= 1 << rank
        for i in range(4):
            if ranks[i] >> rank & 1:
                cards[0] = rank * 4 + 3 - i
                cards += 1


cdef void hand_from_index(int num_board, int64_t index, card_t* cards) noexcept nogil:
    """One hand of an index: hole cards first, then the board, each from the highest card.

    Writes *cards* (2 + num_board,). Every index has one such hand.
    """
    cdef int shape = NUM_SHAPES[num_board] - 1
    while SHAPES[num_board][shape].offset > index:
        shape -= 1
    _cards_of_shape(&SHAPES[num_board][shape], index - SHAPES[num_board][shape].offset, cards)


cdef void board_from_number(int num_board, int64_t number, card_t* board) noexcept nogil:
    """One board of an index of boards alone, from the highest card; writes (num_board,)."""
    cdef int shape = NUM_PARTITIONS[num_board] - 1
    while BOARD_SHAPES[num_board][shape].offset > number:
        shape -= 1
    _cards_of_shape(
        &BOARD_SHAPES[num_board][shape],
        number - BOARD_SHAPES[num_board][shape].offset,
        board,
    )


# ---- How many hands share an index -----------------------------------------------------------

cdef inline int _renamings(uint32_t* suits) noexcept nogil:
    # Arrangements of four suits that differ: 4! over k! for every k suits that are alike.
    cdef int copies = 24, run = 1, i
    _descend_all(suits)
    for i in range(1, 4):
        run = run + 1 if suits[i] == suits[i - 1] else 1
        copies //= run
    return copies


cdef int board_copies(const card_t* board, int num_board) noexcept nogil:
    """How many boards have the number of this one, itself among them: 1 to 24."""
    cdef uint64_t ranks = _ranks_by_suit(board, num_board)
    cdef uint32_t suits[4]
    cdef int suit
    for suit in range(4):
        suits[suit] = <uint16_t> (ranks >> (16 * suit))
    return _renamings(suits)


cdef int hand_copies(const card_t* cards, int num_board) noexcept nogil:
    """How many hands have the index of this one, itself among them: 4 to 24."""
    cdef uint64_t board = _ranks_by_suit(cards + 2, num_board)
    cdef uint64_t hole = _ranks_by_suit(cards, 2)
    cdef uint32_t suits[4]
    cdef int suit
    for suit in range(4):
        suits[suit] = (
            <uint32_t> <uint16_t> (hole >> (16 * suit)) << 16
            | <uint16_t> (board >> (16 * suit))
        )
    return _renamings(suits)


include "indexer_doors.pxi"
