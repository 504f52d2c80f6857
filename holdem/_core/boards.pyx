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

from holdem._core.indexer cimport holes_on_board
from holdem._core.river cimport NO_LEVEL, River, rank_river
from holdem._core.rng cimport Stream, next_below, stream_for
from holdem._core.types cimport NUM_CARDS, NUM_HOLES, card_t

from holdem._core.best_response import BOARD_DTYPE, ROW_DTYPE, RUN_DTYPE
from holdem.errors import CardError, ConfigError

__all__ = [
    "NUM_ON_BOARD", "Runouts", "flop_boards",
]

NUM_ON_BOARD = (1326, 1176, 1128, 1081)
"""Hands that are possible on a board of 0, 3, 4 and 5 cards."""

cdef enum:
    FLOP_HANDS = 1176
    TURN_HANDS = 1128
    RIVER_HANDS = 1081
    NUM_RENAMINGS = 24

# Mirror ROW_DTYPE, RUN_DTYPE and BOARD_DTYPE of best_response.pyx.
cdef packed struct Row:
    uint16_t parent
    uint16_t bucket
    uint8_t high
    uint8_t low

cdef packed struct Run:
    uint16_t end
    uint8_t card
    uint8_t ties

cdef packed struct Board:
    int32_t first_row
    int32_t num_rows
    int32_t first_run
    int32_t num_runs
    int32_t first_child
    int32_t num_children
    int32_t first_symmetry
    int32_t num_symmetries
    float weight

# The bucket of every hand of a street, in one or two bytes.
cdef struct Table:
    const uint8_t* bytes
    int width                  # 0 where no bucket is asked for

# Cards that may come next, one for all that the symmetries make of it.
cdef struct Next:
    card_t cards[NUM_CARDS]
    float weights[NUM_CARDS]
    int count

cdef uint8_t RENAMED_SUIT[NUM_RENAMINGS][4]


cdef void fill_tables() noexcept:
    cdef int a, b, c, n = 0
    for a in range(4):
        for b in range(4):
            for c in range(4):
                if a != b and a != c and b != c:
                    RENAMED_SUIT[n][0] = a
                    RENAMED_SUIT[n][1] = b
                    RENAMED_SUIT[n][2] = c
                    RENAMED_SUIT[n][3] = 6 - a - b - c
                    n += 1

fill_tables()


cdef inline int renamed(int card, int renaming) noexcept nogil:
    return (card & ~3) | RENAMED_SUIT[renaming][card & 3]


cdef inline int hole_index(int first, int second) noexcept nogil:
    return (
        first * (first - 1) // 2 + second if first > second else second * (second - 1) // 2 + first
    )


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


cdef int list_rows(
    const card_t* board, int num_board, const Table* table, const uint16_t* parents,
    Row* rows, Run* runs, uint16_t* places,
) noexcept nogil:
    """List the hands on a board of 3 or 4 cards by hole index; return how many runs they are.

    parents: (1326,), the row of each hole on the board before. places: OUT, those on this one.
    """
    cdef int32_t indices[NUM_HOLES]
    cdef int high, low, hole = 0, row = 0, run = -1, last = -1
    holes_on_board(board, num_board, indices)
    for high in range(NUM_CARDS):
        for low in range(high):
            if indices[hole] >= 0:
                rows[row].parent = parents[hole]
                rows[row].bucket = bucket_of(table, indices[hole])
                rows[row].high = high
                rows[row].low = low
                if high != last:
                    run += 1
                    last = high
                    runs[run].card = high
                    runs[run].ties = 0
                places[hole] = row
                row += 1
                runs[run].end = row
            hole += 1
    return run + 1


cdef int list_river_rows(
    const card_t* board, const Table* table, const uint16_t* parents, Row* rows, Run* runs,
) noexcept nogil:
    """List the hands on a river board, the weakest first; return how many runs they are."""
    cdef int32_t indices[NUM_HOLES]
    cdef uint16_t place[256]
    cdef uint8_t level_of[RIVER_HANDS]
    cdef River river
    cdef int high, low, level, hole = 0, row, run = -1
    holes_on_board(board, 5, indices)
    rank_river(board, &river)
    for level in range(river.num_levels):
        place[level] = river.below[level]
    # Holes go by their high card, so the hands of one level do too.
    for high in range(NUM_CARDS):
        for low in range(high):
            level = river.levels[high][low]
            if level != NO_LEVEL:
                row = place[level]
                place[level] += 1
                level_of[row] = level
                rows[row].parent = parents[hole]
                rows[row].bucket = bucket_of(table, indices[hole])
                rows[row].high = high
                rows[row].low = low
            hole += 1
    for row in range(RIVER_HANDS):
        if row == 0 or level_of[row] != level_of[row - 1] or rows[row].high != rows[row - 1].high:
            if row > 0:
                runs[run].ties = level_of[row] == level_of[row - 1]
            run += 1
            runs[run].card = rows[row].high
        runs[run].end = row + 1
    runs[run].ties = 0
    return run + 1


cdef void list_symmetries(
    const Row* rows, int num_rows, const uint16_t* places, const int* renamings, int count,
    uint16_t* symmetries,
) noexcept nogil:
    """Write the row of each row's image under all renamings but the first, the identity."""
    cdef int n, i
    for n in range(1, count):
        for i in range(num_rows):
            symmetries[i] = places[
                hole_index(renamed(rows[i].high, renamings[n]), renamed(rows[i].low, renamings[n]))
            ]
        symmetries += num_rows


class Runouts:
    """The boards that follow a flop; the arrays of `Betting.respond`.

    Attributes:
        boards, rows, runs, symmetries: see ``_core/best_response.pyx``.
    """

    def __init__(self, boards, rows, runs, symmetries):
        self.boards = boards
        self.rows = rows
        self.runs = runs
        self.symmetries = symmetries


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


cdef void fill(
    const card_t* flop, const int* renamings, const int* counts, const Next* turns,
    const Next* rivers, const Table* tables, Board* boards, Row* rows, Run* runs,
    uint16_t* symmetries, int64_t* used,
) noexcept nogil:
    """Fill the arrays of `flop_boards`.

    renamings: (50, 24), counts: (50,): of the flop, then of each turn. used: OUT (2,), runs and
    numbers of symmetries.
    """
    cdef uint16_t identity[NUM_HOLES]
    cdef uint16_t flop_places[NUM_HOLES]
    cdef uint16_t turn_places[NUM_HOLES]
    cdef card_t board[5]
    cdef Board* here
    cdef int64_t row = 0, run = 0, symmetry = 0
    cdef int i, t, r, next_board = 1 + turns.count
    for i in range(NUM_HOLES):
        identity[i] = i
    for i in range(3):
        board[i] = flop[i]

    boards[0].weight = 1
    boards[0].first_child = 1
    boards[0].num_children = turns.count
    boards[0].first_row = 0
    boards[0].num_rows = FLOP_HANDS
    boards[0].first_run = 0
    boards[0].num_runs = list_rows(board, 3, &tables[0], identity, rows, runs, flop_places)
    boards[0].first_symmetry = 0
    boards[0].num_symmetries = counts[0] - 1
    list_symmetries(rows, FLOP_HANDS, flop_places, renamings, counts[0], symmetries)
    row = FLOP_HANDS
    run = boards[0].num_runs
    symmetry = <int64_t>FLOP_HANDS * (counts[0] - 1)

    for t in range(turns.count):
        board[3] = turns.cards[t]
        here = boards + 1 + t
        here.weight = turns.weights[t]
        here.first_child = next_board
        here.num_children = rivers[t].count
        next_board += rivers[t].count
        here.first_row = row
        here.num_rows = TURN_HANDS
        here.first_run = run
        here.num_runs = list_rows(
            board, 4, &tables[1], flop_places, rows + row, runs + run, turn_places
        )
        here.first_symmetry = symmetry
        here.num_symmetries = counts[1 + t] - 1
        list_symmetries(
            rows + row, TURN_HANDS, turn_places, renamings + NUM_RENAMINGS * (1 + t),
            counts[1 + t], symmetries + symmetry,
        )
        row += TURN_HANDS
        run += here.num_runs
        symmetry += <int64_t>TURN_HANDS * (counts[1 + t] - 1)
        for r in range(rivers[t].count):
            board[4] = rivers[t].cards[r]
            here = boards + boards[1 + t].first_child + r
            here.weight = rivers[t].weights[r]
            here.first_child = 0
            here.num_children = 0
            here.first_row = row
            here.num_rows = RIVER_HANDS
            here.first_run = run
            here.num_runs = list_river_rows(board, &tables[2], turn_places, rows + row, runs + run)
            here.first_symmetry = 0
            here.num_symmetries = 0
            row += RIVER_HANDS
            run += here.num_runs
    used[0] = run
    used[1] = symmetry


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
        A `Runouts`: the flop first; the parents of its rows are hole indices.

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
    cdef int64_t used[2]
    cdef int i, t, num_boards, num_rivers = 0, num_images
    for i in range(3):
        board[i] = cards[i]
        street_tables[i] = table_of(tables[i])
    with nogil:
        for i in range(NUM_RENAMINGS):
            renamings[0][i] = i
        counts[0] = keep_those_that_fix(board, 3, renamings[0], NUM_RENAMINGS)
        list_next(board, 3, renamings[0], counts[0], turns, &stream, &turn_cards)
        num_images = FLOP_HANDS * (counts[0] - 1)
        for t in range(turn_cards.count):
            board[3] = turn_cards.cards[t]
            for i in range(counts[0]):
                renamings[1 + t][i] = renamings[0][i]
            counts[1 + t] = keep_those_that_fix(&board[3], 1, renamings[1 + t], counts[0])
            list_next(
                board, 4, renamings[1 + t], counts[1 + t], rivers, &stream, &river_cards[t]
            )
            num_rivers += river_cards[t].count
            num_images += TURN_HANDS * (counts[1 + t] - 1)
    num_boards = 1 + turn_cards.count + num_rivers
    boards = np.zeros(num_boards, BOARD_DTYPE)
    rows = np.empty(
        FLOP_HANDS + TURN_HANDS * turn_cards.count + RIVER_HANDS * num_rivers, ROW_DTYPE
    )
    # A run has at least one hand; before the river there is one for each card.
    runs = np.empty(NUM_CARDS * (1 + turn_cards.count) + RIVER_HANDS * num_rivers, RUN_DTYPE)
    symmetries = np.empty(max(1, num_images), np.uint16)
    cdef Board[::1] board_view = boards
    cdef Row[::1] row_view = rows
    cdef Run[::1] run_view = runs
    cdef uint16_t[::1] symmetry_view = symmetries
    with nogil:
        fill(
            board, &renamings[0][0], counts, &turn_cards, river_cards, street_tables,
            &board_view[0], &row_view[0], &run_view[0], &symmetry_view[0], used,
        )
    return Runouts(boards, rows, runs[:used[0]].copy(), symmetries)
