"""One seat's table trained against a responder, on drawn boards, with all hands at once.

A board is drawn; reach and values are vectors over the 1,081 hands that it leaves, and a
showdown is one sweep over them in order of strength (public chance sampling: Johanson, Bard,
Lanctot, Gibson & Bowling 2012). The other seat is not the table's own: it is a responder who,
on the last street, answers the table's strategy best with each of its hands, knowing its
cards and no bucket, and who learns by regret matching before it, in buckets of its own
(CFR-BR: Johanson, Bard, Burch & Bowling 2012). What the table learns is the least exploitable
strategy its buckets can hold.

An iteration is two walks. In the first the responder is updated: the table's reach goes down,
street by street, and the responder's values come up. In the second it is the other way round.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from holdem._core.indexer cimport holes_on_board
from holdem._core.river cimport MAX_LEVELS, NO_LEVEL, NUM_RIVER_HANDS, River, rank_river
from holdem._core.rng cimport Stream, next_below, stream_for
from holdem._core.showdown cimport RankedHands, compatible_reach, rank_hands, showdown_values
from holdem._core.sync cimport (
    SYNC_BARRIER_WORDS, SYNC_CELL_WORDS, SYNC_DONE, SyncSpin, sync_barrier_abort,
    sync_barrier_wait, sync_cell_add, sync_cell_store,
)
from holdem._core.types cimport MAX_STREETS, NUM_CARDS, NUM_HOLES, OUT_OF_MEMORY, card_t

from holdem._core.indexer import NUM_HANDS
from holdem.errors import error_for

cdef extern from "<stdlib.h>" nogil:
    void* aligned_alloc(size_t alignment, size_t size)
    void qsort(
        void* base, size_t count, size_t size,
        int (*compare)(const void*, const void*) noexcept nogil,
    )

__all__ = ["HANDS", "LANES", "POINT_DTYPE", "ResponderWalk"]

LANES = NUM_LANES
HANDS = NUM_RIVER_HANDS

POINT_DTYPE = np.dtype([
    ("first_action", np.int64),
    ("first_child", np.int32),
    ("chips", np.int32),
    ("leaf", np.int32),
    ("decision", np.int32),
    ("kind", np.uint8),
    ("actor", np.uint8),
    ("num_actions", np.uint8),
])
assert POINT_DTYPE.itemsize == sizeof(Point)

cdef enum:
    BLOCK = NUM_RIVER_HANDS * NUM_LANES        # floats of one vector per hand
    LAST = MAX_STREETS - 1
    PHASES = 2 * LAST + 1                      # streets down to the last, and up again
    OPPONENTS = 990                            # hands that a hand and a board leave

# A thread waits for its fellows as long as it takes: the process may be stopped for hours.
cdef int64_t FOREVER_NS = 1 << 60

cdef int[MAX_STREETS] BOARD_CARDS
BOARD_CARDS[:] = [0, 3, 4, 5]


# The bucket of every canonical hand of one street, in numbers as narrow as will do.
cdef struct BucketTable:
    const uint8_t* narrow
    const uint16_t* wide
    const uint32_t* widest


# One of the two walks over a board.
cdef struct Turn:
    int seat                   # whose values come up, and whose rows are updated
    const Rows* own
    const Rows* other
    bint answers               # on the last street that seat answers best, else the other has
    float regret_weight
    float strategy_weight      # of the other seat's average; 0 for none


cdef class ResponderWalk:
    """Trains the rows of one seat of a betting tree of two players and four streets.

    Args:
        seat: whose rows are trained.
        streets: by street ``(points, roots, slots, chips, uniform, depth, most_decisions)``,
            see `Betting`; `holdem.mccfr.lanes` makes them.
        tables: by street, the bucket of every canonical hand, uint8, uint16 or uint32.
        responder_tables: likewise for all streets but the last, what the responder tells apart
            there; the same arrays if it is what the table does.
        rows: by street float32 (2 * actions of all decisions * buckets, 16), at a multiple of
            64 bytes: for each decision and bucket its regrets, then its sums of the average
            strategy. Only the rows of *seat* are read and written.
        responder_rows: likewise, regrets only, for all streets but the last; only those of the
            other seat are read and written. So two walks may share all of these.
        num_threads: that will call `walk` side by side.

    Attributes:
        utility: chips that the seat won of the responder, a hand, summed over iterations.
    """

    cdef public double utility
    cdef Betting betting[MAX_STREETS]
    cdef Rows table
    cdef Rows responder
    cdef int seat, num_threads
    cdef BucketTable tables[MAX_STREETS]
    cdef BucketTable responder_tables[LAST]
    cdef bint alike[LAST]                      # the responder tells apart what the table does
    # The board at hand: its hands, the weakest first.
    cdef uint8_t cards[2 * NUM_RIVER_HANDS]
    cdef uint16_t same[NUM_RIVER_HANDS]        # each hand's place, which is its own
    cdef uint16_t level_ends[MAX_LEVELS]
    cdef int num_levels
    cdef RankedHands ranked
    cdef listing_t listings[MAX_STREETS]
    cdef listing_t responder_listings[LAST]    # where it tells others apart
    # Blocks of the groups of each street, and the answers on the last.
    cdef float* reach[MAX_STREETS]
    cdef float* values[MAX_STREETS]
    cdef uint8_t* choices                      # (groups, decisions, hands, 16)
    cdef float** scratch                       # by thread
    cdef uint32_t* barrier
    cdef int64_t* taken                        # (2, PHASES) groups that threads have taken
    cdef object kept                           # what the pointers point to

    def __cinit__(
        self, int seat, streets, tables, responder_tables, rows, responder_rows,
        int num_threads=1,
    ):
        cdef int street, thread, buffers = 0
        if len(streets) != MAX_STREETS or len(tables) != MAX_STREETS:
            raise ValueError("a responder's walk needs four streets")
        if len(responder_tables) != LAST:
            raise ValueError("a responder has tables for three streets")
        if seat not in (0, 1) or num_threads < 1:
            raise ValueError(f"no seat {seat}, or no threads")
        if len(rows) != MAX_STREETS or len(responder_rows) != LAST:
            raise ValueError("rows are for four streets, the responder's for three")
        self.seat = seat
        self.num_threads = num_threads
        self.kept = [streets, tables, responder_tables, rows, responder_rows]
        self.scratch = <float**>malloc(num_threads * sizeof(float*))
        if self.scratch == NULL:
            raise error_for(OUT_OF_MEMORY)
        memset(self.scratch, 0, num_threads * sizeof(float*))
        for street in range(MAX_STREETS):
            set_betting(&self.betting[street], streets[street])
            set_table(&self.tables[street], street, tables[street])
            if street < LAST:
                set_table(&self.responder_tables[street], street, responder_tables[street])
                self.alike[street] = responder_tables[street] is tables[street]
            buffers = max(
                buffers, self.betting[street].depth * (self.betting[street].most_actions + 1) + 1
            )
            self.reach[street] = blocks(self.betting[street].num_groups)
            self.values[street] = blocks(self.betting[street].num_groups)
            # Lanes that no beginning has are never written again.
            memset(
                self.reach[street], 0, sizeof(float) * BLOCK * self.betting[street].num_groups
            )
        set_rows(&self.table, streets, rows, 2)
        set_rows(&self.responder, streets, responder_rows, 1)
        # A choice is a byte where a value is a float.
        self.choices = <uint8_t*>blocks(
            (self.betting[LAST].num_groups * self.betting[LAST].most_decisions + 3) // 4
        )
        for thread in range(num_threads):
            self.scratch[thread] = blocks(buffers)
        self._set_meeting()
        for thread in range(NUM_RIVER_HANDS):
            self.same[thread] = thread

    def __dealloc__(self):
        cdef int i
        for i in range(MAX_STREETS):
            free(self.reach[i])
            free(self.values[i])
        free(self.choices)
        if self.scratch != NULL:
            for i in range(self.num_threads):
                free(self.scratch[i])
        free(self.scratch)

    def _set_meeting(self):
        """Lay out where threads meet, each word in a cache line of its own."""
        cdef int words_of_barrier = (SYNC_BARRIER_WORDS + 15) // 16 * 16
        memory = np.zeros(words_of_barrier + 2 * SYNC_CELL_WORDS * 2 * PHASES + 16, np.uint32)
        cdef uint32_t[::1] words = memory[-(memory.ctypes.data // 4) % 16 :]
        self.kept.append(memory)
        self.barrier = &words[0]
        self.taken = <int64_t*>(&words[0] + words_of_barrier)

    def walk(
        self, uint64_t seed, int64_t first, int64_t count, float regret_weight,
        float strategy_weight, int thread=0,
    ):
        """Do *count* iterations from *first* on; every thread calls it alike.

        Groups of the betting go to whichever thread takes them. No two have a row in
        common, so the result does not depend on the threads.

        Args:
            seed: iteration i has its board from the stream (seed, i, lane 0).
            regret_weight, strategy_weight: what updates count, see `RegretTable`.
            thread: 0 to num_threads - 1.

        Raises:
            RuntimeError: another thread has gone.
        """
        cdef int64_t i
        cdef SyncSpin spin
        cdef Turn turn
        cdef bint here = True
        spin.most = spin.now = 100_000
        spin.skipped = 0
        with nogil:
            for i in range(count):
                if thread == 0:
                    self.deal(seed, first + i)
                turn.seat = 1 - self.seat
                turn.own = &self.responder
                turn.other = &self.table
                turn.answers = True
                turn.regret_weight = regret_weight / OPPONENTS
                turn.strategy_weight = strategy_weight
                here = self.meet(&spin) and self.over_tree(&turn, self.taken, thread, &spin)
                if not here:
                    break
                turn.seat = self.seat
                turn.own = &self.table
                turn.other = &self.responder
                turn.answers = False
                turn.strategy_weight = 0
                here = self.over_tree(
                    &turn, self.taken + PHASES * SYNC_CELL_WORDS, thread, &spin
                )
                if not here:
                    break
                if thread == 0:
                    self.add_utility()
        if not here:
            raise RuntimeError("a thread of the responder's walk has gone")

    def stop(self):
        """Make all threads that wait for another end with an error."""
        sync_barrier_abort(self.barrier)

    # ---- Over the streets ----------------------------------------------------------------------

    cdef bint meet(self, SyncSpin* spin) noexcept nogil:
        """Wait for the other threads; return whether all have come."""
        return self.num_threads == 1 or sync_barrier_wait(
            self.barrier, self.num_threads, FOREVER_NS, spin
        ) == SYNC_DONE

    cdef bint over_tree(
        self, const Turn* turn, int64_t* taken, int thread, SyncSpin* spin
    ) noexcept nogil:
        """Carry the other's reach down street by street, and the seat's values up."""
        cdef int phase, street
        cdef int64_t group
        cdef int root
        for phase in range(PHASES):
            street = min(phase, 2 * LAST - phase)
            while True:
                group = sync_cell_add(taken + phase * SYNC_CELL_WORDS, 1) - 1
                if group >= self.betting[street].num_groups:
                    break
                root = self.betting[street].roots[group]
                if phase < LAST:
                    self.descend(
                        turn, street, root, self.reach[street] + group * BLOCK,
                        self.scratch[thread],
                    )
                else:
                    self.ascend(
                        turn, street, group, root, self.reach[street] + group * BLOCK,
                        self.values[street] + group * BLOCK, self.scratch[thread],
                    )
            if not self.meet(spin):
                return False
        return True

    cdef void add_utility(self) noexcept nogil:
        cdef double total = 0
        cdef int hand
        for hand in range(NUM_RIVER_HANDS):
            total += self.values[0][hand * NUM_LANES]
        self.utility += total / (<double>NUM_RIVER_HANDS * OPPONENTS)

    # ---- One street, one group -----------------------------------------------------------------

    cdef const listing_t* listing_of(self, const Rows* rows, int street) noexcept nogil:
        if rows == &self.responder and not self.alike[street]:
            return &self.responder_listings[street]
        return &self.listings[street]

    cdef row_t rows_of(self, const Rows* rows, int street, const Point* point) noexcept nogil:
        cdef row_t row
        row.rows = <lanes_t*>(
            rows.lanes[street]
            + NUM_LANES * rows.words * point.first_action * rows.num_buckets[street]
        )
        row.uniform = <const lanes_t*>(
            self.betting[street].uniform + NUM_LANES * point.first_action
        )
        row.stride = rows.words * point.num_actions
        row.num_actions = point.num_actions
        return row

    cdef void descend(
        self, const Turn* turn, int street, int index, const float* reach, float* buffers
    ) noexcept nogil:
        """Carry the other's reach of one point down to the next street."""
        cdef const Betting* betting = &self.betting[street]
        cdef const Point* point = betting.points + index
        cdef row_t row
        cdef int a
        if point.kind == NEXT_STREET:
            unpack_lanes(
                self.reach[street + 1], <const lanes_t*>reach,
                betting.slots + NUM_LANES * point.leaf, NUM_RIVER_HANDS,
            )
        if point.kind != DECISION:
            return
        if point.actor == turn.seat:
            for a in range(point.num_actions):
                self.descend(turn, street, point.first_child + a, reach, buffers)
            return
        row = self.rows_of(turn.other, street, point)
        play_rows(
            &row, self.listing_of(turn.other, street), turn.strategy_weight,
            <const lanes_t*>reach, <lanes_t*>buffers, NUM_RIVER_HANDS,
        )
        for a in range(point.num_actions):
            self.descend(
                turn, street, point.first_child + a, buffers + a * BLOCK,
                buffers + point.num_actions * BLOCK,
            )

    cdef void ascend(
        self, const Turn* turn, int street, int64_t group, int index, const float* reach,
        float* values, float* buffers,
    ) noexcept nogil:
        """Find what a point is worth to each hand of the walking seat, and update its rows.

        Values are in chips times the other's reach.
        """
        cdef const Betting* betting = &self.betting[street]
        cdef const Point* point = betting.points + index
        cdef float* further = buffers + point.num_actions * BLOCK
        cdef lane_choices_t* choices
        cdef row_t row
        cdef int a
        if point.kind == NEXT_STREET:
            pack_lanes(
                <lanes_t*>values, self.values[street + 1],
                betting.slots + NUM_LANES * point.leaf, NUM_RIVER_HANDS,
            )
            return
        if point.kind != DECISION:
            self.end(turn, betting, point, reach, values)
            return
        choices = <lane_choices_t*>(
            self.choices + (group * betting.most_decisions + point.decision) * BLOCK
        )
        if point.actor == turn.seat:
            for a in range(point.num_actions):
                self.ascend(
                    turn, street, group, point.first_child + a, reach, buffers + a * BLOCK, further
                )
            row = self.rows_of(turn.own, street, point)
            if street == LAST and turn.answers:
                answer(
                    &row, <const lanes_t*>buffers, <lanes_t*>values, choices, NUM_RIVER_HANDS
                )
            else:
                learn_rows(
                    &row, self.listing_of(turn.own, street), turn.regret_weight,
                    <const lanes_t*>buffers, <lanes_t*>values, NUM_RIVER_HANDS,
                )
            return
        if street == LAST and not turn.answers:
            play_choices(
                choices, point.num_actions, <const lanes_t*>reach, <lanes_t*>buffers,
                NUM_RIVER_HANDS,
            )
        else:
            # On the way down the average took in all streets but the last.
            row = self.rows_of(turn.other, street, point)
            play_rows(
                &row, self.listing_of(turn.other, street),
                turn.strategy_weight if street == LAST else 0, <const lanes_t*>reach,
                <lanes_t*>buffers, NUM_RIVER_HANDS,
            )
        for a in range(point.num_actions):
            self.ascend(
                turn, street, group, point.first_child + a, buffers + a * BLOCK,
                further if a else values, further + BLOCK,
            )
            if a:
                add(<lanes_t*>values, <const lanes_t*>further, NUM_RIVER_HANDS)

    cdef void end(
        self, const Turn* turn, const Betting* betting, const Point* point, const float* reach,
        float* values,
    ) noexcept nogil:
        """Find what a fold or a showdown is worth to each hand."""
        cdef float sign = 1
        if point.kind == SHOWN:
            showdown_values(
                &self.ranked, &self.ranked, self.num_levels, reach, NUM_LANES, values, NUM_LANES
            )
        else:
            compatible_reach(
                self.cards, NUM_RIVER_HANDS, self.same, self.cards, NUM_RIVER_HANDS, reach,
                NUM_LANES, values, NUM_LANES,
            )
            sign = 1 if turn.seat == 0 else -1
        scale(
            <lanes_t*>values, <const lanes_t*>(betting.chips + NUM_LANES * point.chips), sign,
            NUM_RIVER_HANDS,
        )

    # ---- The board -----------------------------------------------------------------------------

    cdef void deal(self, uint64_t seed, int64_t iteration) noexcept nogil:
        """Draw a board, put its hands in order of strength, and look up their buckets."""
        cdef Stream stream = stream_for(seed, iteration, 0)
        cdef card_t deck[NUM_CARDS]
        cdef uint8_t holes[2 * NUM_RIVER_HANDS]
        cdef uint16_t numbers[NUM_RIVER_HANDS]     # of the holes among all 1,326
        cdef uint16_t order[NUM_RIVER_HANDS]
        cdef int32_t indices[NUM_HOLES]
        cdef River river
        cdef card_t card
        cdef int i, j, high, low, street, count = 0, hole = 0
        for i in range(NUM_CARDS):
            deck[i] = i
        for i in range(5):
            j = i + <int>next_below(&stream, NUM_CARDS - i)
            card = deck[j]
            deck[j] = deck[i]
            deck[i] = card
        rank_river(deck, &river)
        for high in range(NUM_CARDS):
            for low in range(high):
                if river.levels[high][low] != NO_LEVEL:
                    holes[2 * count] = low
                    holes[2 * count + 1] = high
                    numbers[count] = hole
                    count += 1
                hole += 1
        self.num_levels = rank_hands(
            &river, holes, NUM_RIVER_HANDS, order, self.cards, self.level_ends
        )
        self.ranked.num_hands = NUM_RIVER_HANDS
        self.ranked.cards = self.cards
        self.ranked.level_ends = self.level_ends
        for street in range(MAX_STREETS):
            holes_on_board(deck, BOARD_CARDS[street], indices)
            list_hands(&self.listings[street], &self.tables[street], indices, numbers, order)
            if street < LAST and not self.alike[street]:
                list_hands(
                    &self.responder_listings[street], &self.responder_tables[street], indices,
                    numbers, order,
                )
        # One beginning, and every hand is brought to it.
        for i in range(NUM_RIVER_HANDS):
            self.reach[0][i * NUM_LANES] = 1
        for i in range(2 * PHASES):
            sync_cell_store(self.taken + i * SYNC_CELL_WORDS, 0)


cdef void list_hands(
    listing_t* listing,
    const BucketTable* table,
    const int32_t* indices,        # (1326,) of all holes on the street
    const uint16_t* numbers,       # (hands,) which holes the hands are
    const uint16_t* order,         # (hands,) the hand at each place
) noexcept nogil:
    """Sort the hands of the board by their buckets."""
    cdef uint64_t keys[NUM_RIVER_HANDS]
    cdef int i, bucket, before = -1, num = 0
    for i in range(NUM_RIVER_HANDS):
        keys[i] = <uint64_t>bucket_at(table, indices[numbers[order[i]]]) << 11 | i
    qsort(keys, NUM_RIVER_HANDS, sizeof(uint64_t), compare_keys)
    for i in range(NUM_RIVER_HANDS):
        bucket = <int>(keys[i] >> 11)
        listing.hands[i] = keys[i] & 2047
        if bucket != before:
            listing.buckets[num] = before = bucket
            listing.starts[num] = i
            num += 1
    listing.starts[num] = NUM_RIVER_HANDS
    listing.num_buckets = num


cdef inline uint32_t bucket_at(const BucketTable* table, int64_t index) noexcept nogil:
    if table.narrow:
        return table.narrow[index]
    return table.wide[index] if table.wide else table.widest[index]


cdef int compare_keys(const void* first, const void* second) noexcept nogil:
    cdef uint64_t a = (<const uint64_t*>first)[0], b = (<const uint64_t*>second)[0]
    return (a > b) - (a < b)


cdef float* blocks(int64_t count) except NULL:
    """Memory for so many blocks."""
    cdef float* memory = <float*>aligned_alloc(64, sizeof(float) * BLOCK * max(count, 1))
    if memory == NULL:
        raise error_for(OUT_OF_MEMORY)
    return memory


cdef int set_table(BucketTable* table, int street, array) except -1:
    """Point to the buckets of one street, which somebody else keeps."""
    cdef const uint8_t[::1] narrow
    cdef const uint16_t[::1] wide
    cdef const uint32_t[::1] widest
    wanted = NUM_HANDS[BOARD_CARDS[street]]
    if len(array) != wanted:
        raise ValueError(f"a table of {len(array):,} hands, wanted {wanted:,}")
    table.narrow = NULL
    table.wide = NULL
    table.widest = NULL
    if array.dtype == np.uint8:
        narrow = array
        table.narrow = &narrow[0]
    elif array.dtype == np.uint16:
        wide = array
        table.wide = &wide[0]
    else:
        widest = array
        table.widest = &widest[0]
    return 0


cdef int set_betting(Betting* betting, street) except -1:
    """Point to the arrays of one street, which somebody else keeps."""
    points, roots, slots, chips, uniform, depth, most_decisions = street
    cdef const uint8_t[::1] raw = points.view(np.uint8)
    cdef const int32_t[::1] ints = roots
    cdef const float[:, ::1] floats
    betting.points = <const Point*>&raw[0]
    betting.roots = &ints[0]
    betting.num_groups = <int>ints.shape[0]
    betting.slots = NULL
    if slots.size:
        ints = slots.reshape(-1)
        betting.slots = &ints[0]
    betting.chips = NULL
    if len(chips):
        floats = chips
        betting.chips = &floats[0, 0]
    floats = uniform
    betting.uniform = &floats[0, 0]
    betting.depth = depth
    betting.most_decisions = most_decisions
    betting.most_actions = int(points["num_actions"].max())
    return 0


cdef int set_rows(Rows* rows, streets, arrays, int words) except -1:
    """Point to the rows of a player, which somebody else keeps."""
    cdef float[:, ::1] lanes
    cdef int street
    rows.words = words
    for street in range(MAX_STREETS):
        rows.lanes[street] = NULL
        rows.num_buckets[street] = 0
    for street, array in enumerate(arrays):
        lanes = array
        if <size_t>&lanes[0, 0] % 64:
            raise ValueError("rows must begin at a multiple of 64 bytes")
        rows.lanes[street] = &lanes[0, 0]
        rows.num_buckets[street] = len(array) // (words * len(streets[street][4]))
    return 0
