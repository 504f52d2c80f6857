"""All boards that can follow a flop, with the hands on each, for the best response.

Boards that differ by a renaming of suits that leaves the flop (and the turn) as it is have the
same values on renamed hands, so one of each kind is listed, with its number; who adds the
values up restores what the others would have added by the symmetries listed with the parent.

Turns and rivers can be sampled instead: so many of the cards still to come, without
replacement, each standing for as many as were left out.

A board's weight is the chance of its last card, given two hands without it, times the number
of boards that it stands for.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t, uint8_t
from libc.string cimport memset

from holdem._core.indexer cimport NUM_RANKS, holes_on_board
from holdem._core.river cimport (
    MAX_ENTRIES, NUM_BLOCKS, OF_ONE_RANK, SINGLE, Entry, River, list_entries, rank_river,
)
from holdem._core.rng cimport Stream, next_below, stream_for
from holdem._core.types cimport NUM_CARDS, NUM_HOLES, card_t

from holdem._core.best_response import BOARD_DTYPE, ENTRY_DTYPE, SLOT_HOLES
from holdem.errors import CardError, ConfigError

__all__ = ["Runouts", "flop_boards"]

cdef enum:
    NUM_RENAMINGS = 24

# Mirrors BOARD_DTYPE of best_response.pyx.
cdef packed struct Board:
    int32_t first_entry
    int32_t num_entries
    int32_t first_child
    int32_t num_children
    float weight
    uint8_t cards[3]
    uint8_t num_cards
    uint8_t renamings[24]
    uint8_t num_renamings

# The bucket of every hand of a street, in one or two bytes.
cdef struct Table:
    const uint8_t* bytes
    int width                  # 0 where no bucket is asked for

# Which hands of a block share a bucket. Mirrors part_t of best_response_last.h.
cdef enum PartKind:
    MIXED
    WHOLE
    SPLIT
cdef struct Part:
    uint16_t kind
    uint16_t buckets[3]

# Cards that may come next, one for all that the symmetries make of it.
cdef struct Next:
    card_t cards[NUM_CARDS]
    float weights[NUM_CARDS]
    int count

cdef uint8_t RENAMED_SUIT[NUM_RENAMINGS][4]
cdef uint16_t SLOT_OF_CARDS[NUM_CARDS][NUM_CARDS]


cdef void fill_tables(const uint8_t[:, ::1] slot_holes) noexcept:
    cdef int a, b, c, n = 0
    for a in range(NUM_HOLES):
        SLOT_OF_CARDS[slot_holes[a, 0]][slot_holes[a, 1]] = a
        SLOT_OF_CARDS[slot_holes[a, 1]][slot_holes[a, 0]] = a
    for a in range(4):
        for b in range(4):
            for c in range(4):
                if a != b and a != c and b != c:
                    RENAMED_SUIT[n][0] = a
                    RENAMED_SUIT[n][1] = b
                    RENAMED_SUIT[n][2] = c
                    RENAMED_SUIT[n][3] = 6 - a - b - c
                    n += 1

fill_tables(SLOT_HOLES)


cdef inline int renamed(int card, int renaming) noexcept nogil:
    return (card & ~3) | RENAMED_SUIT[renaming][card & 3]


cdef inline int bucket_of(const Table* table, int64_t index) noexcept nogil:
    if table.width == 1:
        return table.bytes[index]
    if table.width == 2:
        return (<const uint16_t*>table.bytes)[index]
    return 0


cdef int keep_those_that_fix(
    const card_t* cards, int num_cards, int* renamings, int count,
) noexcept nogil:
    """Keep the renamings that turn the set of *cards* into itself; return how many they are."""
    cdef uint64_t before = 0, after
    cdef int i, n, kept = 0
    for i in range(num_cards):
        before |= 1ULL << cards[i]
    for n in range(count):
        after = 0
        for i in range(num_cards):
            after |= 1ULL << renamed(cards[i], renamings[n])
        if after == before:
            renamings[kept] = renamings[n]
            kept += 1
    return kept


cdef void list_next(
    const card_t* board, int num_board, const int* renamings, int count, int sample,
    Stream* stream, Next* found,
) noexcept nogil:
    """List the cards that may come next; *sample* of them at random, or all if it is 0.

    Their weights are chances: that of a card, given two hands that do not hold it.
    """
    cdef card_t deck[NUM_CARDS]
    cdef int times[NUM_CARDS]
    cdef int card, i, j, n, least, left = 0
    cdef float weight = 1
    memset(times, 0, sizeof(times))
    for card in range(NUM_CARDS):
        for i in range(num_board):
            if board[i] == card:
                break
        else:
            deck[left] = card
            left += 1
    if 0 < sample < left:
        weight = <float>left / <float>sample
        for i in range(sample):
            j = i + <int>next_below(stream, left - i)
            card = deck[i]
            deck[i] = deck[j]
            deck[j] = card
        left = sample
    # A card is equally likely to be any that neither player holds.
    weight = weight / <float>(NUM_CARDS - num_board - 4)
    for i in range(left):
        least = deck[i]
        for n in range(count):
            least = min(least, renamed(deck[i], renamings[n]))
        times[least] += 1
    found.count = 0
    for card in range(NUM_CARDS):
        if times[card]:
            found.cards[found.count] = card
            found.weights[found.count] = weight * times[card]
            found.count += 1


cdef void list_buckets(
    const card_t* board, int num_board, const Table* table, uint16_t* buckets,
) noexcept nogil:
    """Write the bucket of each hand by slot, (1326,); those that the board blocks keep theirs."""
    cdef int32_t indices[NUM_HOLES]
    cdef int high, low, hole = 0
    if table.width == 0:
        return
    holes_on_board(board, num_board, indices)
    for high in range(NUM_CARDS):
        for low in range(high):
            if indices[hole] >= 0:
                buckets[SLOT_OF_CARDS[high][low]] = bucket_of(table, indices[hole])
            hole += 1


cdef int list_slots(const card_t* board, Entry* entries) noexcept nogil:
    """List the hands of a river board, the weakest first; return how many entries they are."""
    cdef River river
    cdef int i, high, low, num_entries
    rank_river(board, &river)
    num_entries = list_entries(&river, entries)
    for i in range(num_entries):
        high = entries[i].high
        low = entries[i].low
        if entries[i].kind != SINGLE:
            high = 4 * high + (entries[i].kind == OF_ONE_RANK)
            low *= 4
        entries[i].first = SLOT_OF_CARDS[high][low]
    return num_entries


cdef void list_parts(
    const card_t* board, const uint16_t* buckets, const Entry* entries, int num_entries,
    Part* parts,
) noexcept nogil:
    """Find which hands of each block of two ranks share a bucket on a river board.

    Without three cards of a suit on the board suits matter little, and with them the flush's;
    but a bucket may be drawn anywhere, so that has to be seen.
    """
    cdef uint8_t counted[NUM_HOLES]
    cdef int counts[4]
    cdef int i, high, low, s, flush = -1
    cdef Part* part = parts
    memset(counted, 1, sizeof(counted))
    memset(counts, 0, sizeof(counts))
    for i in range(5):
        counts[board[i] & 3] += 1
        if counts[board[i] & 3] == 3:
            flush = board[i] & 3
        for s in range(NUM_CARDS):
            if s != board[i]:
                counted[SLOT_OF_CARDS[board[i]][s]] = 0
    for i in range(num_entries):
        if entries[i].kind == SINGLE:
            counted[entries[i].first] = 0
    for high in range(NUM_RANKS):
        for low in range(high + 1):
            part.kind = list_part(buckets, counted, 4 * high, 4 * low, flush, part.buckets)
            part += 1


cdef int list_part(
    const uint16_t* buckets, const uint8_t* counted, int high, int low, int flush,
    uint16_t* shared,
) noexcept nogil:
    """Find the shared buckets of one block, of the cards from *high* and *low* on; its kind."""
    cdef bint seen[3]
    cdef int s, t, which, slot
    memset(seen, 0, sizeof(seen))
    memset(shared, 0, 3 * sizeof(uint16_t))
    if high == low:
        return MIXED
    for s in range(4):
        for t in range(4):
            slot = SLOT_OF_CARDS[high + s][low + t]
            if not counted[slot]:
                continue
            if s == flush and t == flush:
                return MIXED
            which = 1 if s == flush else (2 if t == flush else 0)
            if seen[which] and shared[which] != buckets[slot]:
                return MIXED
            seen[which] = True
            shared[which] = buckets[slot]
    if flush < 0:
        return WHOLE
    return SPLIT + flush


class Runouts:
    """The boards that follow a flop, in the arrays of `Betting.respond`.

    Attributes:
        boards, buckets, parts, entries, renamed: see there.
    """

    def __init__(self, boards, buckets, parts, entries, renamed):
        self.boards = boards
        self.buckets = buckets
        self.parts = parts
        self.entries = entries
        self.renamed = renamed


def _renamed_slots():
    """Return the slot of each hand after each renaming of suits."""
    slots = np.empty((NUM_RENAMINGS, NUM_HOLES), np.uint16)
    cdef uint16_t[:, ::1] view = slots
    cdef const uint8_t[:, ::1] holes = SLOT_HOLES
    cdef int n, i
    for n in range(NUM_RENAMINGS):
        for i in range(NUM_HOLES):
            view[n, i] = SLOT_OF_CARDS[renamed(holes[i, 0], n)][renamed(holes[i, 1], n)]
    slots.setflags(write=False)
    return slots


RENAMED_SLOTS = _renamed_slots()


cdef Table table_of(object array) except *:
    """The table's bytes, which someone else keeps alive; None for no buckets."""
    cdef Table table
    cdef const uint8_t[::1] view
    table.bytes = NULL
    table.width = 0
    if array is not None:
        view = array.view(np.uint8)
        table.bytes = &view[0]
        table.width = array.dtype.itemsize
    return table


cdef void set_board(
    Board* board, const card_t* cards, int num_cards, float weight, const int* renamings, int count,
) noexcept nogil:
    """Fill in all but the numbers of entries and children."""
    cdef int i
    board.weight = weight
    board.num_cards = num_cards
    for i in range(num_cards):
        board.cards[i] = cards[i]
    # The first is the identity.
    board.num_renamings = count - 1
    for i in range(1, count):
        board.renamings[i - 1] = renamings[i]


cdef int64_t fill(
    const card_t* flop, const int* renamings, const int* counts, const Next* turns,
    const Next* rivers, const Table* tables, Board* boards, uint16_t* buckets, Part* parts,
    Entry* entries,
) noexcept nogil:
    """Fill the arrays of `flop_boards`, which hold zeros; return how many entries there are.

    renamings: (50, 24), counts: (50,): of the flop, then of each turn.
    """
    cdef card_t board[5]
    cdef Board* here
    cdef int64_t used = 0
    cdef int i, t, r, place = 1 + turns.count
    for i in range(3):
        board[i] = flop[i]
    set_board(boards, flop, 3, 1, renamings, counts[0])
    boards.first_child = 1
    boards.num_children = turns.count
    list_buckets(board, 3, &tables[0], buckets)
    for t in range(turns.count):
        board[3] = turns.cards[t]
        here = boards + 1 + t
        set_board(
            here, &board[3], 1, turns.weights[t], renamings + NUM_RENAMINGS * (1 + t), counts[1 + t]
        )
        here.first_child = place
        here.num_children = rivers[t].count
        list_buckets(board, 4, &tables[1], buckets + <int64_t>NUM_HOLES * (1 + t))
        for r in range(rivers[t].count):
            board[4] = rivers[t].cards[r]
            here = boards + place
            set_board(here, &board[4], 1, rivers[t].weights[r], renamings, 1)
            list_buckets(board, 5, &tables[2], buckets + <int64_t>NUM_HOLES * place)
            here.first_entry = used
            here.num_entries = list_slots(board, entries + used)
            list_parts(
                board, buckets + <int64_t>NUM_HOLES * place, entries + used, here.num_entries,
                parts + NUM_BLOCKS * place,
            )
            used += here.num_entries
            place += 1
    return used


# --- doors -----------------------------------------------------------------------------------

def flop_boards(flop, tables, *, int turns=0, int rivers=0, uint64_t seed=0, uint64_t number=0):
    """Return all boards that follow a flop, with the hands that are possible on each.

    Args:
        flop: three distinct cards.
        tables: the bucket of each hand by hand index on flop, turn and river, uint8 or uint16
            as in `HandBucketing.tables`; None for a street on which nobody decides.
        turns: how many of the 49 turns to draw at random; 0 for all.
        rivers: how many of the 48 rivers of each turn; 0 for all.
        seed, number: the random numbers depend on these.

    Returns:
        A `Runouts`: the flop first, then the turns, then the rivers of each.

    Raises:
        CardError: *flop* is not three distinct cards.
        ConfigError: more turns or rivers than there are.
    """
    cards = np.asarray(flop, np.int64).ravel()
    if len(cards) != 3 or len(set(cards.tolist())) != 3 or cards.min() < 0 or cards.max() > 51:
        raise CardError(
            f"not a flop: {cards.tolist()}", "pass three distinct cards from 0 (2c) to 51 (As)"
        )
    if not 0 <= turns <= 49 or not 0 <= rivers <= 48:
        raise ConfigError(
            f"{turns} turns and {rivers} rivers of each",
            "draw at most 49 turns and 48 rivers; 0 means all",
        )
    cdef card_t board[5]
    cdef int renamings[50][NUM_RENAMINGS]
    cdef int counts[50]
    cdef Next turn_cards
    cdef Next river_cards[49]
    cdef Table street_tables[3]
    cdef Stream stream = stream_for(seed, number, 0)
    cdef int64_t used
    cdef int i, t, num_boards, num_rivers = 0
    for i in range(3):
        board[i] = cards[i]
        street_tables[i] = table_of(tables[i])
    with nogil:
        for i in range(NUM_RENAMINGS):
            renamings[0][i] = i
        counts[0] = keep_those_that_fix(board, 3, renamings[0], NUM_RENAMINGS)
        list_next(board, 3, renamings[0], counts[0], turns, &stream, &turn_cards)
        for t in range(turn_cards.count):
            board[3] = turn_cards.cards[t]
            for i in range(counts[0]):
                renamings[1 + t][i] = renamings[0][i]
            counts[1 + t] = keep_those_that_fix(&board[3], 1, renamings[1 + t], counts[0])
            list_next(
                board, 4, renamings[1 + t], counts[1 + t], rivers, &stream, &river_cards[t]
            )
            num_rivers += river_cards[t].count
    num_boards = 1 + turn_cards.count + num_rivers
    boards = np.zeros(num_boards, BOARD_DTYPE)
    buckets = np.zeros((num_boards, NUM_HOLES), np.uint16)
    parts = np.zeros((num_boards, NUM_BLOCKS, 4), np.uint16)
    entries = np.empty(MAX_ENTRIES * num_rivers, ENTRY_DTYPE)
    cdef Board[::1] board_view = boards
    cdef uint16_t[:, ::1] bucket_view = buckets
    cdef uint16_t[:, :, ::1] part_view = parts
    cdef Entry[::1] entry_view = entries
    with nogil:
        used = fill(
            board, &renamings[0][0], counts, &turn_cards, river_cards, street_tables,
            &board_view[0], &bucket_view[0, 0], <Part*>&part_view[0, 0, 0], &entry_view[0],
        )
    return Runouts(boards, buckets, parts, entries[:used].copy(), RENAMED_SLOTS)
