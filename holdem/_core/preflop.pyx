"""Every preflop class against every other, exactly, by one pass over the 134,459 river boards.

On one board only who is stronger matters. Hands are gathered by (class, level), and a
level's hands beat the weaker ones of every class: a row of counts times a count. That
also pairs hands that share a card, so those pairs are counted by themselves, card by
card, and taken off. Boards that differ by a renaming of suits give the same counts by
class, so each canonical board stands for all of its kind.

Counts are kept in bytes and 16-bit words, as many in a vector as fit; they are emptied
into 64-bit sums before they can overflow, and before the boards' multiplicity changes.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from libc.stdint cimport int16_t, int64_t, uint8_t, uint16_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from holdem._core.river cimport MAX_LEVELS, NUM_RIVER_HANDS, River, rank_river
from holdem._core.types cimport OUT_OF_MEMORY, Status, card_t

from holdem._core import indexer
from holdem._core.river import canonical_rivers
from holdem.errors import ConfigError, error_for

cdef extern from "equity_simd.h":
    enum:
        CLASS_ROW
    void count_class_wins(
        const uint16_t* starts, int num_levels, const uint8_t* classes, const int16_t* counts,
        uint16_t* wins,
    ) nogil
    void count_shared_wins(const uint8_t* levels, uint8_t* wins) nogil

cdef extern from *:
    int popcount "__builtin_popcount"(unsigned int) noexcept nogil

cdef enum:
    NUM_CLASSES = 169
    # 255 fill a byte; a pair of classes has 144 pairs of hands a board, so 455 fill a word.
    BOARDS_PER_BATCH = 255
    # Two for each rank pair, two for each hand that makes a flush.
    MAX_ENTRIES = 2 * 91 + 2 * NUM_RIVER_HANDS

__all__ = ["ClassCounts", "preflop_counts", "preflop_equities"]


class ClassCounts(NamedTuple):
    """How often each preflop class beats and ties each other.

    All are int64 (169, 169) in the order of the indexer's {2} index, and count pairs of
    hands that share no card, with all boards they leave: element (i, j) is of class i
    against class j.
    """

    wins: np.ndarray
    ties: np.ndarray
    totals: np.ndarray


cdef struct Sums:
    uint16_t class_wins[NUM_CLASSES][192]      # of the current batch
    uint8_t shared_wins[52][52][64]


cdef void add_entry(
    int level, int hand_class, int count, uint16_t* ends, uint8_t* classes, int16_t* counts,
) noexcept nogil:
    """Put *count* hands of a class in the next place of their level."""
    classes[ends[level]] = hand_class
    counts[ends[level]] = count
    ends[level] += 1


cdef void add_board(
    const card_t* board, const uint8_t* class_of, Sums* sums,
) noexcept nogil:
    """Count who beats whom on one board (5,). class_of: (52, 52)."""
    cdef River river
    cdef uint16_t starts[MAX_LEVELS + 1]
    cdef uint16_t ends[MAX_LEVELS]
    cdef uint8_t classes[2 * 91 + 2 * NUM_RIVER_HANDS]
    cdef int16_t counts[2 * 91 + 2 * NUM_RIVER_HANDS]
    cdef int high, low, level, suited, offsuit, i, num_entries = 0
    cdef const uint8_t* hand
    rank_river(board, &river)

    memset(starts, 0, sizeof(starts))
    for high in range(13):
        for low in range(high + 1):
            if river.rank_levels[high][low] < MAX_LEVELS:
                starts[river.rank_levels[high][low]] += 1 if high == low else 2
    for i in range(river.num_flushes):
        hand = river.flushes[i]
        starts[river.levels[hand[0]][hand[1]]] += 1
        starts[river.rank_levels[hand[0] >> 2][hand[1] >> 2]] += 1
    for level in range(river.num_levels):
        ends[level] = num_entries
        num_entries += starts[level]
        starts[level] = ends[level]
    starts[river.num_levels] = num_entries

    for high in range(13):
        for low in range(high + 1):
            level = river.rank_levels[high][low]
            if level >= MAX_LEVELS:
                continue
            suited = popcount(river.live[high] & river.live[low])
            offsuit = popcount(river.live[high]) * popcount(river.live[low]) - suited
            if high == low:
                add_entry(
                    level, class_of[52 * 4 * high + 4 * low + 1], suited * (suited - 1) // 2,
                    ends, classes, counts,
                )
            else:
                add_entry(
                    level, class_of[52 * 4 * high + 4 * low + 1], offsuit, ends, classes, counts
                )
                add_entry(level, class_of[52 * 4 * high + 4 * low], suited, ends, classes, counts)
    for i in range(river.num_flushes):
        # A flush moves up from the level of its ranks.
        hand = river.flushes[i]
        level = class_of[52 * hand[1] + hand[0]]
        add_entry(river.levels[hand[0]][hand[1]], level, 1, ends, classes, counts)
        add_entry(
            river.rank_levels[hand[0] >> 2][hand[1] >> 2], level, -1, ends, classes, counts
        )
    count_class_wins(starts, river.num_levels, classes, counts, &sums.class_wins[0][0])
    count_shared_wins(&river.levels[0][0], &sums.shared_wins[0][0][0])


cdef void empty(
    Sums* sums, const uint8_t* class_of, int64_t multiplicity, int64_t* wins,
) noexcept nogil:
    """Add a batch to *wins* (169, 169), and clear it."""
    cdef int i, j, card, other, third
    for i in range(NUM_CLASSES):
        for j in range(NUM_CLASSES):
            wins[NUM_CLASSES * i + j] += multiplicity * sums.class_wins[i][j]
    for card in range(52):
        for other in range(52):
            for third in range(52):
                if other != card and third != card:
                    i = class_of[52 * card + other]
                    j = class_of[52 * card + third]
                    wins[NUM_CLASSES * i + j] -= (
                        multiplicity * sums.shared_wins[card][other][third]
                    )
    memset(sums, 0, sizeof(Sums))


cdef Status count_boards(
    const card_t* boards,              # IN   (num_boards, 5)
    const int64_t* multiplicities,     # IN   (num_boards,), like ones together
    Py_ssize_t num_boards,
    const uint8_t* class_of,           # IN   (52, 52)
    int64_t* wins,                     # INOUT (169, 169)
) noexcept nogil:
    """Add the wins of some boards, each times its multiplicity."""
    cdef Sums* sums = <Sums*>calloc(1, sizeof(Sums))
    cdef Py_ssize_t i, batch = 0
    if sums == NULL:
        return OUT_OF_MEMORY
    for i in range(num_boards):
        if batch == BOARDS_PER_BATCH or (i > 0 and multiplicities[i] != multiplicities[i - 1]):
            empty(sums, class_of, multiplicities[i - 1], wins)
            batch = 0
        add_board(boards + 5 * i, class_of, sums)
        batch += 1
    if num_boards > 0:
        empty(sums, class_of, multiplicities[num_boards - 1], wins)
    free(sums)
    return Status.OK


# --- doors -----------------------------------------------------------------------------------

def _count_boards(
    const uint8_t[:, ::1] boards, const int64_t[::1] multiplicities,
    const uint8_t[:, ::1] class_of,
):
    """Return int64 (169, 169): wins by class on these boards."""
    wins = np.zeros((NUM_CLASSES, NUM_CLASSES), np.int64)
    cdef int64_t[:, ::1] view = wins
    cdef Status status = Status.OK
    if boards.shape[0] > 0:
        with nogil:
            status = count_boards(
                &boards[0, 0], &multiplicities[0], boards.shape[0], &class_of[0, 0], &view[0, 0]
            )
    if status != Status.OK:
        raise error_for(status)
    return wins


def _classes():
    """Return the class of each pair of cards, uint8 (52, 52), and how hands of two classes meet.

    The latter are int64 (169, 169): pairs of a hand of each that share no card.
    """
    cards = np.array([(a, b) for b in range(52) for a in range(b)], np.uint8)
    classes = indexer.index(cards)
    class_of = np.zeros((52, 52), np.uint8)
    class_of[cards[:, 0], cards[:, 1]] = classes
    class_of[cards[:, 1], cards[:, 0]] = classes
    share = (cards[:, None, :, None] == cards[None, :, None, :]).any((2, 3))
    pairs = (classes[:, None] * NUM_CLASSES + classes)[~share]
    meetings = np.bincount(pairs, minlength=NUM_CLASSES * NUM_CLASSES)
    return class_of, meetings.reshape(NUM_CLASSES, NUM_CLASSES)


def preflop_counts(threads=2):
    """Return how often each preflop class beats, ties and meets each other, exactly.

    Under two seconds of one core; the counts are the same for any number of threads.

    Raises:
        ConfigError: *threads* is below 1.
    """
    if threads < 1:
        raise ConfigError(f"threads must be at least 1, not {threads}")
    class_of, meetings = _classes()
    boards, multiplicities = canonical_rivers()
    cuts = np.linspace(0, len(boards), threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        parts = pool.map(
            lambda span: _count_boards(
                boards[slice(*span)], multiplicities[slice(*span)], class_of
            ),
            pairwise(cuts),
        )
        wins = sum(parts)
    # Five cards of the 48 that two hands leave.
    totals = meetings * 1_712_304
    return ClassCounts(wins, totals - wins - wins.T, totals)


def preflop_equities(threads=2):
    """Return the equity of each preflop class against each other, exactly.

    Returns:
        float64 (169, 169) in the order of the indexer's {2} index: the share of the pot
        of class i (row) against class j (column), over all pairs of their hands that
        share no card and all boards; a tie is half.

    Raises:
        ConfigError: *threads* is below 1.
    """
    counts = preflop_counts(threads)
    return (2 * counts.wins + counts.ties) / (2 * counts.totals)
