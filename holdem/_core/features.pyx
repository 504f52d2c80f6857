"""What hands look like to the clustering: river values, run-out histograms, shares by opponent.

A river value is the share of the pot that a hand takes on a full board against
opponents with random hole cards. With one opponent it is the equity, a tie counting
half, and exact: a whole number of half-wins against 990 hands. With *m* opponents
it is that of *m* hands drawn independently of one another: a hand that beats a share
b of all hands and does not lose to a share a takes

    (a^m + a^(m-1) b + ... + b^m) / (m + 1),

which is the chance of being best, pots split m + 1 ways and less included.

On the flop and the turn a hand's feature is the cumulative histogram of its river
value over all run-outs, in counts. On the river it is its share against each group of
opponents' hole cards (opponent cluster hand strength, Johanson et al. 2013).

Hands that are the same up to suits have the same features, so each board is asked
only for one hand of each kind (`canonical_holes`).
"""

import numpy as np

from libc.stdint cimport int16_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from holdem._core.indexer cimport board_number, holes_on_board
from holdem._core.river cimport MAX_LEVELS, NO_LEVEL, NUM_RIVER_HANDS, River, rank_river
from holdem._core.types cimport (
    MAX_PLAYERS, NUM_CARDS, NUM_HOLES, OUT_OF_MEMORY, card_t,
)

from holdem.errors import error_for

cdef extern from *:
    void prefetch "__builtin_prefetch" (const void* address) noexcept nogil

cdef enum:
    NUM_RIVER_BOARDS = 134459
    MAX_RUNOUTS = 1176         # pairs of the 49 cards off a flop
    NUM_RENAMINGS = 24         # of the suits

BINS = NUM_BINS
GROUPS = NUM_GROUPS
UNIT = VALUE_UNIT
BLOCKED_VALUE = BLOCKED
EQUITY_ONE = EQUITY_UNIT
POINT_ONE = POINT_UNIT

# ---- Tables, filled at import ----------------------------------------------------------------

cdef uint8_t HOLE_CARDS[NUM_HOLES][2]                # low card, high card
cdef uint16_t RENAMED[NUM_RENAMINGS][NUM_HOLES]      # a hole's index after renaming its suits
cdef uint8_t RENAMING[256]                           # by the new names of suits 0..3, 2 bits each
# Hands of one kind that a hole stands for, 0 where another stands for it; by which of
# the suit pairs 01, 02, 03, 12, 13, 23 look alike on the board, one bit each.
cdef uint8_t COPIES[64][NUM_HOLES]
# By river value; BLOCKED has one of its own, and so has what is no river value.
cdef uint8_t BIN[65536]


cdef inline int hole_index(int low, int high) noexcept nogil:
    return high * (high - 1) // 2 + low


cdef void fill_tables() noexcept:
    cdef int low, high, hole, other, value, alike, count, bit
    cdef int names[4]
    cdef int a, b, c, renaming = 0, first, second
    for high in range(NUM_CARDS):
        for low in range(high):
            HOLE_CARDS[hole_index(low, high)][0] = <uint8_t>low
            HOLE_CARDS[hole_index(low, high)][1] = <uint8_t>high
    for a in range(4):
        for b in range(4):
            for c in range(4):
                if a == b or a == c or b == c:
                    continue
                names[0] = a
                names[1] = b
                names[2] = c
                names[3] = 6 - a - b - c
                RENAMING[a | b << 2 | c << 4 | names[3] << 6] = <uint8_t>renaming
                for hole in range(NUM_HOLES):
                    low = HOLE_CARDS[hole][0]
                    high = HOLE_CARDS[hole][1]
                    first = (low & ~3) | names[low & 3]
                    second = (high & ~3) | names[high & 3]
                    RENAMED[renaming][hole] = <uint16_t>hole_index(
                        min(first, second), max(first, second)
                    )
                renaming += 1
    cdef int kept[NUM_RENAMINGS]
    cdef int num_kept
    for alike in range(64):
        # The renamings that leave such a board as it is: a suit goes to one like it.
        num_kept = 0
        for a in range(256):
            names[0] = a & 3
            names[1] = a >> 2 & 3
            names[2] = a >> 4 & 3
            names[3] = a >> 6
            if 1 << names[0] | 1 << names[1] | 1 << names[2] | 1 << names[3] != 15:
                continue
            count = 0
            for first in range(4):
                second = names[first]
                if first != second and not alike >> pair_bit(first, second) & 1:
                    count += 1
            if count == 0:
                kept[num_kept] = RENAMING[a]
                num_kept += 1
        for hole in range(NUM_HOLES):
            COPIES[alike][hole] = 0
            count = 0
            other = hole
            for bit in range(num_kept):
                other = min(other, <int>RENAMED[kept[bit]][hole])
                count += RENAMED[kept[bit]][hole] == hole
            if other == hole:
                COPIES[alike][hole] = <uint8_t>(num_kept // count)
    memset(BIN, NUM_BINS + 1, sizeof(BIN))
    for value in range(VALUE_UNIT + 1):
        BIN[value] = <uint8_t>min(value * NUM_BINS // VALUE_UNIT, NUM_BINS - 1)
    BIN[BLOCKED] = NUM_BINS


cdef int pair_bit(int first, int second) noexcept nogil:
    """Number of a pair of suits: 01, 02, 03, 12, 13, 23."""
    cdef int low = min(first, second), high = max(first, second)
    return high - 1 if low == 0 else low + high


fill_tables()


# ---- Boards ----------------------------------------------------------------------------------

cdef inline void suit_sets(const card_t* board, int num_board, uint32_t* sets) noexcept nogil:
    """The ranks of each suit on the board, one bit each."""
    cdef int i
    for i in range(4):
        sets[i] = 0
    for i in range(num_board):
        sets[board[i] & 3] |= 1U << (board[i] >> 2)


cdef int64_t list_holes(
    const card_t* board, int num_board, uint16_t* holes, int64_t* copies,
) noexcept nogil:
    """List one hole of each kind on the board and how many it stands for; return how many."""
    cdef uint32_t sets[4]
    cdef uint64_t blocked = 0
    cdef int first, second, alike = 0, i, hole
    cdef int64_t count = 0
    suit_sets(board, num_board, sets)
    for first in range(4):
        for second in range(first + 1, 4):
            alike |= (sets[first] == sets[second]) << pair_bit(first, second)
    for i in range(num_board):
        blocked |= 1ULL << board[i]
    for hole in range(NUM_HOLES):
        if (
            COPIES[alike][hole]
            and not (blocked >> HOLE_CARDS[hole][0] | blocked >> HOLE_CARDS[hole][1]) & 1
        ):
            holes[count] = <uint16_t>hole
            copies[count] = COPIES[alike][hole]
            count += 1
    return count


# ---- The river -------------------------------------------------------------------------------

cdef void sort_hands(
    const River* river,
    uint16_t* holes,           # OUT  (1081,) those of level l from river.below[l] on
) noexcept nogil:
    """List the hands of a ranked board from the weakest to the strongest."""
    cdef uint16_t place[MAX_LEVELS]
    cdef int low, high, level
    memcpy(place, river.below, sizeof(place))
    for high in range(1, NUM_CARDS):
        for low in range(high):
            level = river.levels[high][low]
            if level != NO_LEVEL:
                holes[place[level]] = <uint16_t>hole_index(low, high)
                place[level] += 1


cdef inline uint16_t river_value(int beaten, int not_lost, int num_opponents) noexcept nogil:
    """Share of the pot, in units of 1/1980, of a hand that beats so many of 990 hands."""
    cdef double b = <double>beaten / 990, a = <double>not_lost / 990
    cdef double power = 1, sum = 1
    cdef int _
    for _ in range(num_opponents):
        power *= a
        sum = power + b * sum
    return <uint16_t>(sum * VALUE_UNIT / (num_opponents + 1) + 0.5)


cdef void value_board(
    const card_t* board,
    int num_opponents,
    uint16_t* values,          # OUT  (1326,) BLOCKED where a card is on the board
) noexcept nogil:
    """River values of all hands on a board, by a sweep from the weakest up.

    Of the hands below, those that share a card with ours cannot be held against it:
    counts per card take them away.
    """
    cdef River river
    cdef uint16_t holes[NUM_RIVER_HANDS]
    cdef int32_t on_card[NUM_CARDS]
    cdef int32_t beaten[NUM_RIVER_HANDS]
    cdef int level, start, end, i, low, high
    rank_river(board, &river)
    sort_hands(&river, holes)
    memset(on_card, 0, sizeof(on_card))
    for i in range(NUM_HOLES):
        values[i] = BLOCKED
    for level in range(river.num_levels):
        start = river.below[level]
        end = river.below[level + 1]
        for i in range(start, end):
            low = HOLE_CARDS[holes[i]][0]
            high = HOLE_CARDS[holes[i]][1]
            beaten[i] = start - on_card[low] - on_card[high]
        for i in range(start, end):
            on_card[HOLE_CARDS[holes[i]][0]] += 1
            on_card[HOLE_CARDS[holes[i]][1]] += 1
        for i in range(start, end):
            low = HOLE_CARDS[holes[i]][0]
            high = HOLE_CARDS[holes[i]][1]
            # The hand itself is among the counted: once in all, once by each card.
            values[holes[i]] = river_value(
                beaten[i], end - on_card[low] - on_card[high] + 1, num_opponents
            )


# How many hands of each group are counted, in all and by each card they hold.
cdef struct GroupCounts:
    int16_t all[NUM_GROUPS]
    int16_t on_card[NUM_CARDS][NUM_GROUPS]


cdef inline void count_hand(GroupCounts* counts, int hole, int group) noexcept nogil:
    counts.all[group] += 1
    counts.on_card[HOLE_CARDS[hole][0]][group] += 1
    counts.on_card[HOLE_CARDS[hole][1]][group] += 1


cdef inline void apart(const GroupCounts* counts, int hole, int16_t* number) noexcept nogil:
    """Counted hands of each group that share no card with *hole*, less one if it is counted.

    A counted hand itself is once in all and once by each of its two cards.
    """
    cdef const int16_t* low = counts.on_card[HOLE_CARDS[hole][0]]
    cdef const int16_t* high = counts.on_card[HOLE_CARDS[hole][1]]
    cdef int g
    for g in range(NUM_GROUPS):
        number[g] = counts.all[g] - low[g] - high[g]


cdef inline void group_shares(
    const int16_t* beaten, const int16_t* not_lost, const int16_t* possible,
    int num_opponents, int16_t* point,
) noexcept nogil:
    """Shares of the pot against opponents of each group, in units of 1/4095."""
    cdef float a[NUM_GROUPS]
    cdef float b[NUM_GROUPS]
    cdef float power[NUM_GROUPS]
    cdef float sum[NUM_GROUPS]
    cdef float unit = <float>POINT_UNIT / <float>(num_opponents + 1)
    cdef int g, _
    for g in range(NUM_GROUPS):
        a[g] = <float>not_lost[g] / <float>possible[g]
        b[g] = <float>beaten[g] / <float>possible[g]
        power[g] = 1
        sum[g] = 1
    for _ in range(num_opponents):
        for g in range(NUM_GROUPS):
            power[g] = power[g] * a[g]
            sum[g] = power[g] + b[g] * sum[g]
    for g in range(NUM_GROUPS):
        point[g] = <int16_t>(sum[g] * unit + <float>0.5)


cdef void share_board(
    const card_t* board,
    const uint8_t* groups,     # IN   (1326,) group of each hole
    int num_opponents,
    int16_t* points,           # OUT  (1326, NUM_GROUPS) shares; left alone where blocked
    uint16_t* values,          # OUT  (1326,) river values; left alone where blocked
) noexcept nogil:
    """Shares by opponent group and the river values of all hands on a board."""
    cdef River river
    cdef uint16_t holes[NUM_RIVER_HANDS]
    cdef GroupCounts total, below
    cdef int16_t beaten[NUM_RIVER_HANDS][NUM_GROUPS]
    cdef int16_t not_lost[NUM_GROUPS]
    cdef int16_t possible[NUM_GROUPS]
    cdef int level, start, end, i, g, hole, all_beaten, all_not_lost
    cdef int16_t least
    rank_river(board, &river)
    sort_hands(&river, holes)
    memset(&total, 0, sizeof(total))
    memset(&below, 0, sizeof(below))
    for i in range(NUM_RIVER_HANDS):
        count_hand(&total, holes[i], groups[holes[i]])
    for level in range(river.num_levels):
        start = river.below[level]
        end = river.below[level + 1]
        for i in range(start, end):
            apart(&below, holes[i], beaten[i])
        for i in range(start, end):
            count_hand(&below, holes[i], groups[holes[i]])
        for i in range(start, end):
            hole = holes[i]
            apart(&below, hole, not_lost)
            apart(&total, hole, possible)
            not_lost[groups[hole]] += 1
            possible[groups[hole]] += 1
            all_beaten = 0
            all_not_lost = 0
            least = 1
            for g in range(NUM_GROUPS):
                all_beaten += beaten[i][g]
                all_not_lost += not_lost[g]
                least = min(least, possible[g])
            values[hole] = river_value(all_beaten, all_not_lost, num_opponents)
            if least == 0:
                # The board and our cards leave nobody of that group: take everybody instead.
                for g in range(NUM_GROUPS):
                    if possible[g] == 0:
                        beaten[i][g] = <int16_t>all_beaten
                        not_lost[g] = <int16_t>all_not_lost
                        possible[g] = 990
            group_shares(
                beaten[i], not_lost, possible, num_opponents, points + hole * NUM_GROUPS
            )


# ---- Run-outs --------------------------------------------------------------------------------

# A full board as a row of the table of river values, and how to rename a hole's suits for it.
cdef struct RunOut:
    const uint16_t* values
    const uint16_t* renamed


cdef RunOut find_run_out(
    const card_t* board, const card_t* river_boards, const uint16_t* river_values,
) noexcept nogil:
    """The row of a full board: that of the board with the same number."""
    cdef int64_t row = board_number(board, 5)
    cdef uint32_t sets[4]
    cdef uint32_t row_sets[4]
    cdef int suit, name, names = 0, taken = 0
    cdef RunOut run_out
    suit_sets(board, 5, sets)
    suit_sets(river_boards + row * 5, 5, row_sets)
    for suit in range(4):
        # Where several suits look alike on the board, any of them will do.
        for name in range(4):
            if row_sets[name] == sets[suit] and not taken >> name & 1:
                taken |= 1 << name
                names |= name << 2 * suit
                break
    run_out.values = river_values + row * NUM_HOLES
    run_out.renamed = RENAMED[RENAMING[names]]
    return run_out


cdef int list_run_outs(
    const card_t* board, int num_board, const card_t* river_boards,
    const uint16_t* river_values, RunOut* run_outs,
) noexcept nogil:
    """List all ways to complete a flop or a turn board; return how many."""
    cdef card_t full[5]
    cdef uint64_t blocked = 0
    cdef int i, turn, river, count = 0
    for i in range(num_board):
        full[i] = board[i]
        blocked |= 1ULL << board[i]
    for river in range(NUM_CARDS):
        if blocked >> river & 1:
            continue
        full[4] = <card_t>river
        if num_board == 4:
            run_outs[count] = find_run_out(full, river_boards, river_values)
            count += 1
            continue
        for turn in range(river):
            if blocked >> turn & 1:
                continue
            full[3] = <card_t>turn
            run_outs[count] = find_run_out(full, river_boards, river_values)
            count += 1
    return count


cdef bint count_run_outs(
    const card_t* board,
    int num_board,
    const uint16_t* holes,         # IN   (num_holes,) none on the board
    int64_t num_holes,
    const card_t* river_boards,    # IN   (134459, 5)
    const uint16_t* river_values,  # IN   (134459, 1326)
    int16_t* histograms,           # OUT  (num_holes, NUM_BINS) cumulative counts
    uint16_t* equities,            # OUT  (num_holes,) mean river value, units of 1/32768
) noexcept nogil:
    """Histograms of river value over all run-outs of a board; False if these are not the values."""
    cdef RunOut run_outs[MAX_RUNOUTS]
    # Two more bins: for the run-outs that take a hole card, and for what is no value.
    cdef int16_t counts[NUM_HOLES][NUM_BINS + 2]
    cdef int32_t sums[NUM_HOLES]
    cdef int num_run_outs, num_left, i, b
    cdef int64_t h, unit
    cdef uint16_t value
    cdef const uint16_t* values
    cdef const uint16_t* renamed
    cdef const char* next_row
    cdef int16_t total
    num_run_outs = list_run_outs(board, num_board, river_boards, river_values, run_outs)
    memset(counts, 0, num_holes * sizeof(counts[0]))
    memset(sums, 0, num_holes * sizeof(int32_t))
    for i in range(num_run_outs):
        values = run_outs[i].values
        renamed = run_outs[i].renamed
        if i + 1 < num_run_outs:
            # Rows lie anywhere in a table of 357 MB.
            next_row = <const char*>run_outs[i + 1].values
            for b in range(0, NUM_HOLES * 2, 64):
                prefetch(next_row + b)
        for h in range(num_holes):
            value = values[renamed[holes[h]]]
            counts[h][BIN[value]] += 1
            sums[h] += value
    # All others take a card of the hole.
    num_left = 1081 if num_board == 3 else 46
    unit = <int64_t>VALUE_UNIT * num_left
    for h in range(num_holes):
        if counts[h][NUM_BINS] != num_run_outs - num_left or counts[h][NUM_BINS + 1] != 0:
            return False
        sums[h] -= BLOCKED * counts[h][NUM_BINS]
        equities[h] = <uint16_t>((2 * EQUITY_UNIT * <int64_t>sums[h] + unit) // (2 * unit))
        total = 0
        for b in range(NUM_BINS):
            total += counts[h][b]
            histograms[h * NUM_BINS + b] = total
    return True


# ---- Doors -----------------------------------------------------------------------------------

def _check_boards(const uint8_t[:, ::1] boards, sizes):
    """Raise unless *boards* holds boards of one of *sizes* cards, each of distinct cards."""
    cdef int64_t i
    cdef int j
    cdef uint64_t seen
    if boards.shape[1] not in sizes:
        raise ValueError(f"boards must have {sizes} cards, not {boards.shape[1]}")
    for i in range(boards.shape[0]):
        seen = 0
        for j in range(<int>boards.shape[1]):
            if boards[i, j] >= NUM_CARDS or seen >> boards[i, j] & 1:
                raise ValueError(f"board {i} is not {boards.shape[1]} distinct cards below 52")
            seen |= 1ULL << boards[i, j]


def _check_holes(const int64_t[::1] offsets, const uint16_t[::1] holes, int64_t num_boards):
    """Raise unless every board has its stretch of *holes*."""
    cdef int64_t i
    if offsets.shape[0] != num_boards + 1 or offsets[0] != 0:
        raise ValueError(f"offsets must be {num_boards + 1} numbers from 0")
    for i in range(num_boards):
        if not 0 <= offsets[i + 1] - offsets[i] <= NUM_HOLES:
            raise ValueError(f"board {i} has {offsets[i + 1] - offsets[i]} holes")
    if offsets[num_boards] != holes.shape[0]:
        raise ValueError(f"{offsets[num_boards]} holes announced, {holes.shape[0]} given")
    for i in range(holes.shape[0]):
        if holes[i] >= NUM_HOLES:
            raise ValueError(f"not a hole: {holes[i]}")


def _check_apart(
    const uint8_t[:, ::1] boards, const int64_t[::1] offsets, const uint16_t[::1] holes,
):
    """Raise where a card of a hole is on its board."""
    cdef int64_t i, h
    cdef int j
    cdef uint64_t blocked
    for i in range(boards.shape[0]):
        blocked = 0
        for j in range(<int>boards.shape[1]):
            blocked |= 1ULL << boards[i, j]
        for h in range(offsets[i], offsets[i + 1]):
            if (blocked >> HOLE_CARDS[holes[h]][0] | blocked >> HOLE_CARDS[holes[h]][1]) & 1:
                raise ValueError(f"a card of hole {holes[h]} is on its board, number {i}")


def _check_opponents(int num_opponents):
    if not 1 <= num_opponents < MAX_PLAYERS:
        raise ValueError(f"1 to {MAX_PLAYERS - 1} opponents, not {num_opponents}")


def canonical_holes(const uint8_t[:, ::1] boards):
    """Return one hole of each kind on every board: ``(offsets, holes, copies)``.

    Two holes are of one kind if renaming suits turns one into the other and leaves the
    board as it is: they share the hand's index.

    Args:
        boards: uint8, shape (n, 3), (n, 4) or (n, 5), distinct cards.

    Returns:
        offsets int64 (n + 1,); holes uint16 (m,), ascending on each board, the lowest of
        its kind; copies int64 (m,), how many holes of the board are of its kind.
    """
    _check_boards(boards, (3, 4, 5))
    cdef int64_t n = boards.shape[0], i
    cdef int num_board = <int>boards.shape[1]
    cdef int64_t most = (NUM_CARDS - num_board) * (NUM_CARDS - num_board - 1) // 2
    offsets_array = np.zeros(n + 1, np.int64)
    holes_array = np.empty(n * most, np.uint16)
    copies_array = np.empty(n * most, np.int64)
    cdef int64_t[::1] offsets = offsets_array
    cdef uint16_t[::1] holes = holes_array
    cdef int64_t[::1] copies = copies_array
    with nogil:
        for i in range(n):
            offsets[i + 1] = offsets[i] + list_holes(
                &boards[i, 0], num_board, &holes[offsets[i]], &copies[offsets[i]]
            )
    end = offsets_array[n]
    return offsets_array, holes_array[:end].copy(), copies_array[:end].copy()


def hand_indices(
    const uint8_t[:, ::1] boards, const int64_t[::1] offsets, const uint16_t[::1] holes,
):
    """Return the index of every hand of a batch.

    Args:
        boards: uint8, shape (n, 3), (n, 4) or (n, 5).
        offsets: int64, shape (n + 1,), of each board in *holes*.
        holes: uint16, shape (m,).

    Returns:
        int64, shape (m,); -1 where a hole card is on the board.
    """
    _check_boards(boards, (3, 4, 5))
    _check_holes(offsets, holes, boards.shape[0])
    cdef int32_t on_board[NUM_HOLES]
    cdef int64_t i, h
    indices_array = np.empty(holes.shape[0], np.int64)
    cdef int64_t[::1] indices = indices_array
    with nogil:
        for i in range(boards.shape[0]):
            holes_on_board(&boards[i, 0], <int>boards.shape[1], on_board)
            for h in range(offsets[i], offsets[i + 1]):
                indices[h] = on_board[holes[h]]
    return indices_array


def river_values(const uint8_t[:, ::1] boards, int num_opponents, uint16_t[:, ::1] values):
    """Write the river value of every hole on full boards, in units of 1/1980.

    Args:
        boards: uint8, shape (n, 5).
        num_opponents: 1 to 8, each with random hole cards.
        values: OUT uint16, shape (n, 1326); `BLOCKED_VALUE` where a card is on the board.
    """
    _check_boards(boards, (5,))
    _check_opponents(num_opponents)
    if values.shape[0] != boards.shape[0] or values.shape[1] != NUM_HOLES:
        raise ValueError(f"values must have shape ({boards.shape[0]}, {NUM_HOLES})")
    cdef int64_t i
    with nogil:
        for i in range(boards.shape[0]):
            value_board(&boards[i, 0], num_opponents, &values[i, 0])


def hole_histograms(
    const uint16_t[:, ::1] values,
    const int64_t[::1] copies,
    int64_t[:, ::1] histograms,
    int64_t[::1] sums,
):
    """Add boards to the histogram and the sum of the river value of each hole.

    Args:
        values: uint16, shape (n, 1326), of `river_values`.
        copies: int64, shape (n,), how often each board counts.
        histograms: INOUT int64, shape (1326, `BINS`).
        sums: INOUT int64, shape (1326,), units of 1/1980.
    """
    if values.shape[1] != NUM_HOLES or copies.shape[0] != values.shape[0]:
        raise ValueError(f"values must have shape ({copies.shape[0]}, {NUM_HOLES})")
    if histograms.shape[0] != NUM_HOLES or histograms.shape[1] != NUM_BINS:
        raise ValueError(f"histograms must have shape ({NUM_HOLES}, {NUM_BINS})")
    if sums.shape[0] != NUM_HOLES:
        raise ValueError(f"sums must hold {NUM_HOLES} numbers")
    cdef int64_t i
    cdef int hole
    with nogil:
        for i in range(values.shape[0]):
            for hole in range(NUM_HOLES):
                if values[i, hole] <= VALUE_UNIT:
                    histograms[hole, BIN[values[i, hole]]] += copies[i]
                    sums[hole] += copies[i] * values[i, hole]


def runout_histograms(
    const uint8_t[:, ::1] boards,
    const int64_t[::1] offsets,
    const uint16_t[::1] holes,
    const uint8_t[:, ::1] river_boards,
    const uint16_t[:, ::1] all_values,
):
    """Return cumulative histograms of river value over all run-outs, and mean equities.

    Args:
        boards: uint8, shape (n, 3) or (n, 4).
        offsets: int64, shape (n + 1,), of each board in *holes*.
        holes: uint16, shape (m,), no card of which is on its board.
        river_boards: uint8, shape (134459, 5), by board number.
        all_values: uint16, shape (134459, 1326), their `river_values`.

    Returns:
        int16 (m, `BINS`), run-outs with a value in this bin or a lower one, of 1,081 or 46;
        uint16 (m,), mean river value in units of 1/32768.
    """
    _check_boards(boards, (3, 4))
    _check_holes(offsets, holes, boards.shape[0])
    _check_apart(boards, offsets, holes)
    if (
        river_boards.shape[0] != NUM_RIVER_BOARDS or river_boards.shape[1] != 5
        or all_values.shape[0] != NUM_RIVER_BOARDS or all_values.shape[1] != NUM_HOLES
    ):
        raise ValueError(f"river boards and values must have {NUM_RIVER_BOARDS} rows of 5 and 1326")
    histograms_array = np.empty((holes.shape[0], NUM_BINS), np.int16)
    equities_array = np.empty(holes.shape[0], np.uint16)
    cdef int16_t[:, ::1] histograms = histograms_array
    cdef uint16_t[::1] equities = equities_array
    cdef int64_t i, start
    cdef bint good = True
    with nogil:
        for i in range(boards.shape[0]):
            start = offsets[i]
            if offsets[i + 1] == start:
                continue
            good = count_run_outs(
                &boards[i, 0], <int>boards.shape[1], &holes[start], offsets[i + 1] - start,
                &river_boards[0, 0], &all_values[0, 0], &histograms[start, 0], &equities[start],
            )
            if not good:
                break
    if not good:
        raise ValueError(
            f"all_values are not the river values of river_boards: wanted 0 to {VALUE_UNIT}, "
            f"and {BLOCKED} where a card is on the board and only there"
        )
    return histograms_array, equities_array


def opponent_shares(
    const uint8_t[:, ::1] boards,
    const int64_t[::1] offsets,
    const uint16_t[::1] holes,
    const uint8_t[::1] groups,
    int num_opponents,
):
    """Return shares of the pot against opponents of each group on full boards, and equities.

    A group that the board and the hand leave empty counts as all hands.

    Args:
        boards: uint8, shape (n, 5).
        offsets: int64, shape (n + 1,), of each board in *holes*.
        holes: uint16, shape (m,), no card of which is on its board.
        groups: uint8, shape (1326,), below `GROUPS`.
        num_opponents: 1 to 8, all of the same group.

    Returns:
        int16 (m, `GROUPS`), units of 1/4095; uint16 (m,), river value in units of 1/32768.
    """
    _check_boards(boards, (5,))
    _check_holes(offsets, holes, boards.shape[0])
    _check_apart(boards, offsets, holes)
    _check_opponents(num_opponents)
    cdef int64_t i, h
    cdef int hole
    if groups.shape[0] != NUM_HOLES:
        raise ValueError(f"groups must hold {NUM_HOLES} numbers, not {groups.shape[0]}")
    for i in range(NUM_HOLES):
        if groups[i] >= NUM_GROUPS:
            raise ValueError(f"group {groups[i]} of {NUM_GROUPS}")
    points_array = np.empty((holes.shape[0], NUM_GROUPS), np.int16)
    equities_array = np.empty(holes.shape[0], np.uint16)
    cdef int16_t[:, ::1] points = points_array
    cdef uint16_t[::1] equities = equities_array
    cdef uint16_t values[NUM_HOLES]
    cdef int16_t* shares
    with nogil:
        shares = <int16_t*>malloc(NUM_HOLES * NUM_GROUPS * sizeof(int16_t))
        if shares != NULL:
            memset(shares, 0, NUM_HOLES * NUM_GROUPS * sizeof(int16_t))
            memset(values, 0, sizeof(values))
            for i in range(boards.shape[0]):
                share_board(&boards[i, 0], &groups[0], num_opponents, shares, values)
                for h in range(offsets[i], offsets[i + 1]):
                    hole = holes[h]
                    memcpy(&points[h, 0], shares + hole * NUM_GROUPS, NUM_GROUPS * sizeof(int16_t))
                    equities[h] = <uint16_t>(
                        (2 * EQUITY_UNIT * <int64_t>values[hole] + VALUE_UNIT) // (2 * VALUE_UNIT)
                    )
            free(shares)
    if shares == NULL:
        raise error_for(OUT_OF_MEMORY)
    return points_array, equities_array
