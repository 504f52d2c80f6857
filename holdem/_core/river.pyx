"""Rank all 1,081 hands of a river board at once; equities against a random hand from that.

Flushes aside, a hand's strength depends on its two ranks: 91 lookups serve them all.
A flush needs three suited cards on the board, and its hands are then gone through one
by one.
"""

from functools import cache

import numpy as np

from libc.stdint cimport int8_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from holdem._core.evaluator cimport (
    CARD_KEY, FLUSH_STRENGTH, NUM_STRENGTHS, no_cards, rank_strength7,
)
from holdem._core.types cimport NUM_CARDS, NUM_HOLES, card_t

from holdem._core import indexer
from holdem.errors import CardError

cdef extern from "river_simd.h":
    void score_rows(const uint8_t* levels, uint8_t* scores) nogil

cdef extern from *:
    int popcount "__builtin_popcount"(unsigned int) noexcept nogil
    int lowest_bit "__builtin_ctzll"(unsigned long long) noexcept nogil

cdef enum:
    NUM_WORDS = 117            # of a bit set of strengths

cdef extern from "turn_simd.h":
    cdef enum:
        DEAD_LEVEL
        TURN_BLOCK
    void add_margins(const uint8_t* levels, int num_hands, int pad, int8_t* margins) nogil
    void drop_shared(
        const uint8_t* low, const uint8_t* high, int num_hands, int pad, int8_t* margins,
    ) nogil

__all__ = ["board_strengths", "canonical_rivers", "river_equities", "turn_margins"]


# --- levels ----------------------------------------------------------------------------------

cdef int find_flushes(
    const card_t* board, const card_t* cards, River* river, uint16_t* strengths,
) noexcept nogil:
    """List the hands of *cards* (47,) that make a flush, and their strengths.

    Writes ``river.flushes``; returns how many there are.
    """
    cdef int on_board[4]
    cdef card_t pool[47]                       # the cards of the suit, then the others
    cdef uint32_t ranks = 0, with_first, with_both
    cdef int suit = -1, i, j, num_suited = 0, num_others = 0, pool_size, partners, found = 0
    memset(on_board, 0, sizeof(on_board))
    for i in range(5):
        on_board[board[i] & 3] += 1
        if on_board[board[i] & 3] == 3:
            suit = board[i] & 3
    if suit < 0:
        return 0
    for i in range(5):
        if board[i] & 3 == suit:
            ranks |= 1 << (board[i] >> 2)
    for i in range(47):
        if cards[i] & 3 == suit:
            pool[num_suited] = cards[i]
            num_suited += 1
    for i in range(47):
        if cards[i] & 3 != suit:
            pool[num_suited + num_others] = cards[i]
            num_others += 1
    # Three on the board need both hole cards, four need one of them, five none.
    pool_size = num_suited if on_board[suit] == 3 else 47
    partners = num_suited if on_board[suit] <= 4 else 47
    for i in range(pool_size):
        with_first = ranks
        if i < num_suited:
            with_first |= 1 << (pool[i] >> 2)
        for j in range(min(i, partners)):
            with_both = with_first
            if j < num_suited:
                with_both |= 1 << (pool[j] >> 2)
            river.flushes[found][0] = min(pool[i], pool[j])
            river.flushes[found][1] = max(pool[i], pool[j])
            strengths[found] = FLUSH_STRENGTH[with_both]
            found += 1
    return found


cdef void rank_river(const card_t* board, River* river) noexcept nogil:
    """Rank all hands on *board* (5,), distinct cards."""
    cdef card_t cards[47]
    cdef uint16_t by_ranks[13][13]
    cdef uint16_t of_flush[1081]
    cdef uint64_t present[NUM_WORDS]
    cdef uint8_t level_of[NUM_STRENGTHS + 1]
    cdef uint16_t hands[MAX_LEVELS]            # by level
    cdef uint32_t dead[13]                     # 0xFF in the byte of each card on the board
    cdef uint32_t row[16]
    cdef uint64_t key = no_cards(), bits
    cdef int card, high, low, i, suit, count, level, strength
    cdef uint8_t* places

    memset(dead, 0, sizeof(dead))
    for i in range(5):
        key += CARD_KEY[board[i]]
        dead[board[i] >> 2] |= <uint32_t>0xFF << (8 * (board[i] & 3))
    i = 0
    for high in range(13):
        river.live[high] = 0
        for suit in range(4):
            if not dead[high] >> (8 * suit) & 1:
                river.live[high] |= 1 << suit
                cards[i] = 4 * high + suit
                i += 1

    # Strengths, and which there are.
    memset(present, 0, sizeof(present))
    for high in range(13):
        for low in range(high + 1):
            strength = 0
            if (
                river.live[high] and river.live[low]
                and (high != low or river.live[high] & (river.live[high] - 1))
            ):
                strength = rank_strength7(key + CARD_KEY[4 * high] + CARD_KEY[4 * low])
                present[strength >> 6] |= 1ULL << (strength & 63)
            by_ranks[high][low] = strength
    river.num_flushes = find_flushes(board, cards, river, of_flush)
    for i in range(river.num_flushes):
        present[of_flush[i] >> 6] |= 1ULL << (of_flush[i] & 63)

    # Levels, ascending.
    level = 0
    for i in range(NUM_WORDS):
        bits = present[i]
        while bits:
            strength = 64 * i + lowest_bit(bits)
            bits &= bits - 1
            river.strengths[level] = strength
            level_of[strength] = level
            hands[level] = 0
            level += 1
    river.num_levels = level
    for high in range(13):
        for low in range(high + 1):
            level = NO_LEVEL
            if by_ranks[high][low]:
                level = level_of[by_ranks[high][low]]
                count = popcount(river.live[high])
                hands[level] += (
                    count * (count - 1) // 2 if high == low else count * popcount(river.live[low])
                )
            river.rank_levels[high][low] = level
            river.rank_levels[low][high] = level

    # The table, a rank's four rows from one.
    for high in range(13):
        for low in range(13):
            row[low] = <uint32_t>0x01010101 * river.rank_levels[high][low] | dead[low]
        memset(row + 13, NO_LEVEL, 3 * sizeof(uint32_t))
        for suit in range(4):
            card = 4 * high + suit
            if river.live[high] >> suit & 1:
                memcpy(&river.levels[card][0], row, ROW)
                river.levels[card][card] = NO_LEVEL
            else:
                memset(&river.levels[card][0], NO_LEVEL, ROW)
    for i in range(river.num_flushes):
        places = river.flushes[i]
        level = level_of[of_flush[i]]
        hands[river.levels[places[0]][places[1]]] -= 1
        hands[level] += 1
        river.levels[places[0]][places[1]] = level
        river.levels[places[1]][places[0]] = level

    count = 0
    for level in range(river.num_levels):
        river.below[level] = count
        count += hands[level]
    river.below[river.num_levels] = count


cdef int list_entries(const River* river, Entry* entries) noexcept nogil:
    """List all hands, the weakest first, in at most MAX_ENTRIES entries; return how many.

    A flush is stronger than the rest of its block and comes after it. A block of which nothing
    is left but flushes is there all the same. ``entries[].first`` is left to the caller.
    """
    cdef int starts[MAX_LEVELS + 1]
    cdef int high, low, level, i, place, num_entries
    memset(starts, 0, sizeof(starts))
    for high in range(13):
        for low in range(high + 1):
            if river.rank_levels[high][low] != NO_LEVEL:
                starts[river.rank_levels[high][low] + 1] += 1
    for i in range(river.num_flushes):
        starts[river.levels[river.flushes[i][0]][river.flushes[i][1]] + 1] += 1
    for level in range(river.num_levels):
        starts[level + 1] += starts[level]
    num_entries = starts[river.num_levels]
    for high in range(13):
        for low in range(high + 1):
            level = river.rank_levels[high][low]
            if level != NO_LEVEL:
                add_entry(
                    entries, &starts[level], high, low,
                    OF_ONE_RANK if high == low else OF_TWO_RANKS,
                )
    for i in range(river.num_flushes):
        low = river.flushes[i][0]
        high = river.flushes[i][1]
        add_entry(entries, &starts[river.levels[high][low]], high, low, SINGLE)
    # Each level ends where the next one began.
    for level in range(river.num_levels):
        place = starts[level]
        if place > 0:
            entries[place - 1].ties = False
    return num_entries


cdef inline void add_entry(Entry* entries, int* place, int high, int low, int kind) noexcept nogil:
    cdef Entry* entry = entries + place[0]
    place[0] += 1
    entry.high = high
    entry.low = low
    entry.kind = kind
    entry.ties = True


# --- boards ----------------------------------------------------------------------------------

@cache
def canonical_rivers():
    """Return one river board of each kind and how many boards it stands for.

    Kinds are up to a renaming of suits; equal multiplicities are together.

    Returns:
        uint8 (134459, 5) and int64 (134459,), read-only.
    """
    numbers = np.arange(indexer.NUM_BOARDS[5])
    multiplicities = indexer.board_multiplicity(5, numbers).astype(np.int64)
    numbers = np.argsort(multiplicities, kind="stable")
    boards, multiplicities = indexer.unindex_board(5, numbers), multiplicities[numbers]
    boards.setflags(write=False)
    multiplicities.setflags(write=False)
    return boards, multiplicities


# --- doors -----------------------------------------------------------------------------------

def checked_board(board):
    """Return *board* as five distinct cards, uint8."""
    cards = np.asarray(board, np.int64).ravel()
    if len(cards) != 5 or len(set(cards.tolist())) != 5 or cards.min() < 0 or cards.max() > 51:
        raise CardError(
            f"not a river board: {cards.tolist()}",
            "pass five distinct cards from 0 (2c) to 51 (As)",
        )
    return cards.astype(np.uint8)


def board_strengths(board):
    """Return the strength of every hand on a river board.

    Args:
        board: five distinct cards.

    Returns:
        uint16 (1326,), by hole index; 0 where the hand holds a card of the board.

    Raises:
        CardError: *board* is not five distinct cards.
    """
    cdef const card_t[::1] cards = checked_board(board)
    cdef River river
    strengths = np.zeros(NUM_HOLES, np.uint16)
    cdef uint16_t[::1] view = strengths
    cdef int low, high, hole = 0
    with nogil:
        rank_river(&cards[0], &river)
        for high in range(NUM_CARDS):
            for low in range(high):
                if river.levels[high][low] != NO_LEVEL:
                    view[hole] = river.strengths[river.levels[high][low]]
                hole += 1
    return strengths


def river_equities(board):
    """Return the equity of every hand on a river board against a random one.

    Args:
        board: five distinct cards.

    Returns:
        float32 (1326,), by hole index: the share of the 990 opponents' hands that it
        beats, equal ones counting half; 0 where the hand holds a card of the board.

    Raises:
        CardError: *board* is not five distinct cards.
    """
    cdef const card_t[::1] cards = checked_board(board)
    cdef River river
    cdef uint8_t scores[52][64]
    equities = np.zeros(NUM_HOLES, np.float32)
    cdef float[::1] view = equities
    cdef int low, high, level, score, hole = 0
    with nogil:
        rank_river(&cards[0], &river)
        score_rows(&river.levels[0][0], &scores[0][0])
        for high in range(NUM_CARDS):
            for low in range(high):
                level = river.levels[high][low]
                if level != NO_LEVEL:
                    # Two for each weaker hand and one for each equal one, less those that
                    # share a card. The hand itself was taken off twice as an equal, and
                    # was there once.
                    score = (
                        river.below[level] + river.below[level + 1]
                        - scores[high][low] - scores[low][high] + 1
                    )
                    view[hole] = <float>(score / 1980.0)
                hole += 1
    return equities


def turn_margins(board, holes):
    """Return, for each pair of hands on a turn, the rivers that the first wins less those it loses.

    Args:
        board: four distinct cards.
        holes: uint8 (hands, 2), none with a card of the board.

    Returns:
        int8 (hands, hands): of the 44 rivers that two hands leave; 0 where they share a card.

    Raises:
        CardError: *board* is not four distinct cards.
        ValueError: a hand holds a card of the board, or is none.
    """
    cdef card_t[5] cards
    cdef uint8_t[:, ::1] hands = np.ascontiguousarray(holes, np.uint8)
    cdef int num_hands = hands.shape[0], hand, card, i
    cdef int pad = (num_hands + TURN_BLOCK - 1) // TURN_BLOCK * TURN_BLOCK
    cdef River river
    known = np.asarray(board, np.int64).ravel().tolist()
    if len(known) != 4 or len(set(known)) != 4 or min(known) < 0 or max(known) > 51:
        raise CardError(
            f"not a turn board: {known}", "pass four distinct cards from 0 (2c) to 51 (As)"
        )
    held = np.asarray(hands)
    if held.ndim != 2 or held.shape[1] != 2 or held.max(initial=0) > 51 or (
        np.isin(held, known).any() or (held[:, 0] == held[:, 1]).any()
    ):
        raise ValueError("hands are two cards each that are not on the board")
    for i in range(4):
        cards[i] = known[i]
    margins = np.zeros((num_hands, pad), np.int8)
    if not num_hands:
        return margins
    cdef int8_t[:, ::1] view = margins
    cdef uint8_t[:, ::1] rows = np.full((3, pad), DEAD_LEVEL, np.uint8)  # levels, low, high
    rows[1, :num_hands], rows[2, :num_hands] = hands[:, 0], hands[:, 1]
    with nogil:
        for card in range(NUM_CARDS):
            if card == cards[0] or card == cards[1] or card == cards[2] or card == cards[3]:
                continue
            cards[4] = <card_t>card
            rank_river(cards, &river)
            for hand in range(num_hands):
                rows[0, hand] = river.levels[hands[hand, 0]][hands[hand, 1]]
            add_margins(&rows[0, 0], num_hands, pad, &view[0, 0])
        drop_shared(&rows[1, 0], &rows[2, 0], num_hands, pad, &view[0, 0])
    return margins[:, :num_hands]
