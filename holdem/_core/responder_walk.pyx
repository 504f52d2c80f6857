"""One seat's table trained against a responder, on drawn boards, with all hands at once.

A board is drawn; reach and values are vectors over the 1,081 hands that it leaves, and a
showdown is one sweep over them in order of strength (public chance sampling: Johanson, Bard,
Lanctot, Gibson & Bowling 2012). The other seat is not the table's own: it is a responder who,
on the last street, answers the table's strategy best with each of its hands, knowing its
cards and no bucket, and who learns by regret matching before it, in buckets of its own
(CFR-BR: Johanson, Bard, Burch & Bowling 2012). What he answers best lies halfway between the
table's current and its average strategy (see AVERAGE_SHOWN). What the table learns is the strategy
that this responder gains least from, of those that its buckets can hold.

An iteration is two walks. In the first the responder is updated: the table's reach goes down,
street by street, and the responder's values come up. In the second it is the other way round,
and the hands of a bucket count by how often the table itself has them there, on this board and
with this betting (see `held_t`): regrets of hands that it would not have say little of those that
it does. What hands bring is that of the street's beginning, since on it a bucket plays alike.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from holdem._core.indexer cimport holes_on_board
from holdem._core.river cimport (
    MAX_ENTRIES, NO_LEVEL, NUM_RIVER_HANDS, OF_TWO_RANKS, SINGLE, Entry, River,
    list_entries, rank_river,
)
from holdem._core.rng cimport Stream, next_below, stream_for
from holdem._core.sync cimport (
    SYNC_BARRIER_WORDS, SYNC_CELL_WORDS, SYNC_DONE, SYNC_FOREVER, SyncSpin, sync_barrier_abort,
    sync_barrier_wait, sync_cell_add, sync_cell_store,
)
from holdem._core.types cimport (
    MAX_STREETS, NUM_CARDS, NUM_HOLES, OUT_OF_MEMORY, TOO_MANY_ACTIONS, card_t,
)

from holdem._core.indexer import NUM_HANDS
from holdem.errors import error_for

cdef extern from "<stdlib.h>" nogil:
    void* aligned_alloc(size_t alignment, size_t size)

__all__ = ["HANDS", "POINT_DTYPE", "WIDTHS", "ResponderWalk"]

WIDTHS = (1, 8, 16)
"""Lanes that a street may have."""
HANDS = NUM_RIVER_HANDS

POINT_DTYPE = np.dtype([
    ("first_action", np.int64),
    ("first_child", np.int32),
    ("chips", np.int32),
    ("leaf", np.int32),
    ("kind", np.uint8),
    ("actor", np.uint8),
    ("num_actions", np.uint8),
])
assert POINT_DTYPE.itemsize == sizeof(Point)

cdef enum:
    LAST = MAX_STREETS - 1
    MOST_LANES = 16
    PHASES = 2 * LAST + 1                      # streets down to the last, and up again
    OPPONENTS = 990                            # hands that a hand and a board leave
    NO_HOLE = 0xFFFF
    DIGIT_BITS = 9
    NUM_DIGITS = 1 << DIGIT_BITS

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
    float pull                 # of parents


# One group that a thread is at, in one turn.
cdef struct Visit:
    const Turn* turn
    int street
    const listing_t* listing   # by what the other seat plays
    begun_t begun
    float weight               # of the other seat's average; 0 for none
    const float* sums          # of what is begun with, by bucket
    float* work                # see `own_endings`
    const held_t* held         # what the walking seat itself has; NULL: all its hands count alike


# Memory of one thread, by what it is for; see lane_passes_t.
cdef struct Scratch:
    float* likely              # by bucket, of the decisions on a path
    uint16_t* there            # by hand, likewise
    float* values              # by hand, likewise
    float* sums
    float* work


cdef class ResponderWalk:
    """Trains the rows of one seat of a betting tree of two players and four streets.

    Args:
        seat: whose rows are trained.
        streets: by street ``(width, points, roots, slots, chips, uniform, buffers)``, see
            `Betting`; `holdem.mccfr.lanes` makes them.
        tables: by street, the bucket of every canonical hand, uint8, uint16 or uint32.
        responder_tables: likewise for all streets but the last, what the responder tells apart
            there; the same arrays if it is what the table does.
        rows: by street float32 (2 * actions of all decisions * buckets, width), at a multiple
            of 64 bytes: for each decision and bucket its regrets, then its sums of the average
            strategy. Only the rows of *seat* are read and written.
        responder_rows: likewise, regrets only, for all streets but the last; only those of the
            other seat are read and written. So two walks may share all of these.
        num_threads: that will call `walk` side by side.
        parents: by street ``(rows, of, shares)`` if the table's buckets have parents: rows for
            these as *rows* are for buckets, regrets only and none where no bucket has a
            parent; int32 (buckets,) which is each one's; float32 (buckets,) how much of it.

    Attributes:
        utility: chips that the seat won of the responder, a hand, summed over iterations.

    Raises:
        ResourceError: a decision has more than 16 actions, or there is no memory.
    """

    cdef public double utility
    cdef Betting betting[MAX_STREETS]
    cdef Rows table
    cdef Rows responder
    cdef int seat, num_threads
    cdef BucketTable tables[MAX_STREETS]
    cdef BucketTable responder_tables[LAST]
    cdef bint alike[LAST]                      # the responder tells apart what the table does
    # The board at hand: its hands in rows, the weakest first, and the rows that are no hand's.
    cdef Entry entries[MAX_ENTRIES]
    cdef ranked_rows_t ranked
    cdef uint16_t hands[NUM_RIVER_HANDS]
    cdef uint16_t others[NUM_ROWS]
    cdef int num_others
    cdef listing_t listings[MAX_STREETS]
    cdef listing_t responder_listings[LAST]    # where it tells others apart
    # Blocks of the groups of each street, and the answers on the last.
    cdef float* reach[MAX_STREETS]             # the table's
    cdef float* answered[MAX_STREETS]          # the responder's reach
    cdef float* values[MAX_STREETS]
    cdef uint16_t* choices                     # (actions of the street, rows)
    cdef Scratch* scratch                      # by thread
    # What is brought to a beginning.
    cdef float* ones
    cdef uint16_t* all_there
    cdef uint32_t* barrier
    cdef int64_t* taken                        # (2, PHASES) groups that threads have taken
    cdef object kept                           # what the pointers point to

    def __cinit__(
        self, int seat, streets, tables, responder_tables, rows, responder_rows,
        int num_threads=1, parents=None,
    ):
        cdef int street, thread, buffers = 0
        cdef int64_t i, floats, vectors = NUM_RIVER_HANDS * MOST_LANES
        cdef int64_t block = NUM_ROWS * MOST_LANES
        cdef Scratch* scratch
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
        self.kept = [streets, tables, responder_tables, rows, responder_rows, parents]
        self.scratch = <Scratch*>malloc(num_threads * sizeof(Scratch))
        if self.scratch == NULL:
            raise error_for(OUT_OF_MEMORY)
        memset(self.scratch, 0, num_threads * sizeof(Scratch))
        for street in range(MAX_STREETS):
            set_betting(&self.betting[street], streets[street])
            set_table(&self.tables[street], street, tables[street])
            if street < LAST:
                set_table(&self.responder_tables[street], street, responder_tables[street])
                self.alike[street] = responder_tables[street] is tables[street]
            buffers = max(buffers, self.betting[street].num_buffers)
            floats = self.block_of(street) * self.betting[street].num_groups
            self.reach[street] = aligned_floats(floats)
            self.values[street] = aligned_floats(floats)
            # Lanes that no beginning has are never written again.
            memset(self.reach[street], 0, sizeof(float) * floats)
            self.answered[street] = aligned_floats(floats)
            memset(self.answered[street], 0, sizeof(float) * floats)
        set_rows(&self.table, streets, rows, 2)
        set_rows(&self.responder, streets, responder_rows, 1)
        for street, of_street in enumerate(parents or ()):
            set_parents(&self.table, street, len(streets[street][5]), of_street)
        # Two choices are as large as a float.
        floats = NUM_ROWS * len(streets[LAST][5]) // 2 + 1
        self.choices = <uint16_t*>aligned_floats(floats)
        memset(self.choices, 0, sizeof(float) * floats)
        for thread in range(num_threads):
            scratch = self.scratch + thread
            scratch.likely = aligned_floats(buffers * vectors)
            scratch.values = aligned_floats(buffers * block)
            scratch.there = <uint16_t*>aligned_floats(buffers * NUM_ROWS)
            scratch.sums = aligned_floats(vectors)
            scratch.work = aligned_floats(3 * vectors)
        self.ones = aligned_floats(vectors)
        for i in range(vectors):
            self.ones[i] = 1
        self.all_there = <uint16_t*>aligned_floats(NUM_ROWS)
        memset(self.all_there, -1, NUM_ROWS * sizeof(uint16_t))
        self._set_meeting()

    def __dealloc__(self):
        cdef int i
        for i in range(MAX_STREETS):
            free(self.reach[i])
            free(self.answered[i])
            free(self.values[i])
        free(self.choices)
        if self.scratch != NULL:
            for i in range(self.num_threads):
                free(self.scratch[i].likely)
                free(self.scratch[i].there)
                free(self.scratch[i].values)
                free(self.scratch[i].sums)
                free(self.scratch[i].work)
        free(self.scratch)
        free(self.ones)
        free(self.all_there)

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
        float strategy_weight, int thread=0, double parent_boards=0, int64_t done=0,
    ):
        """Do *count* iterations from *first* on; every thread calls it alike.

        Groups of the betting go to whichever thread takes them. No two have a row in
        common, so the result does not depend on the threads.

        Args:
            seed: iteration i has its board from the stream (seed, i, lane 0).
            regret_weight, strategy_weight: what updates count, see `RegretTable`.
            thread: 0 to num_threads - 1.
            parent_boards: after how many a parent's regrets count as much as its buckets'.
            done: boards before these, of all that the regrets are of.

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
                turn.pull = parent_boards / (done + i + 1)
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
            self.barrier, self.num_threads, SYNC_FOREVER, spin
        ) == SYNC_DONE

    cdef bint over_tree(
        self, const Turn* turn, int64_t* taken, int thread, SyncSpin* spin
    ) noexcept nogil:
        """Carry the other's reach down street by street, and the seat's values up."""
        cdef int phase, street
        cdef int64_t group
        for phase in range(PHASES):
            street = min(phase, 2 * LAST - phase)
            while True:
                group = sync_cell_add(taken + phase * SYNC_CELL_WORDS, 1) - 1
                if group >= self.betting[street].num_groups:
                    break
                self.visit(turn, street, group, phase < LAST, self.scratch + thread)
            if not self.meet(spin):
                return False
        return True

    cdef void add_utility(self) noexcept nogil:
        cdef double total = 0
        cdef int hand
        for hand in range(NUM_RIVER_HANDS):
            total += self.values[0][self.hands[hand] * self.betting[0].passes.width]
        self.utility += total / (<double>NUM_RIVER_HANDS * OPPONENTS)

    # ---- One street, one group -----------------------------------------------------------------

    cdef inline int64_t block_of(self, int street) noexcept nogil:
        """How many floats one vector per row has."""
        return NUM_ROWS * self.betting[street].passes.width

    cdef inline float* brought(self, const Turn* turn, int street) noexcept nogil:
        """The blocks of a street for the reach of who is not walking."""
        return self.reach[street] if turn.answers else self.answered[street]

    cdef const listing_t* listing_of(self, const Rows* rows, int street) noexcept nogil:
        if street < LAST and rows == &self.responder and not self.alike[street]:
            return &self.responder_listings[street]
        return &self.listings[street]

    cdef row_t rows_of(
        self, const Rows* rows, int street, const Point* point, float pull,
    ) noexcept nogil:
        cdef row_t row
        cdef int width = self.betting[street].passes.width
        row.pull = pull
        row.parents = NULL
        if rows.num_parents[street]:
            row.parents = (
                rows.parents[street] + width * point.first_action * rows.num_parents[street]
            )
        row.rows = (
            rows.lanes[street] + width * rows.words * point.first_action * rows.num_buckets[street]
        )
        row.uniform = self.betting[street].uniform + width * point.first_action
        row.stride = rows.words * point.num_actions
        row.num_actions = point.num_actions
        row.shows_average = street == LAST and rows == &self.table
        return row

    cdef void visit(
        self, const Turn* turn, int street, int64_t group, bint down, Scratch* scratch
    ) noexcept nogil:
        """Take one group down to the next street, or its values up."""
        cdef const Betting* betting = &self.betting[street]
        cdef int64_t block = group * self.block_of(street)
        cdef float* begun = self.brought(turn, street) + block
        cdef held_t held
        cdef Visit here
        here.turn = turn
        here.street = street
        here.listing = self.listing_of(turn.other, street)
        here.work = scratch.work
        here.held = NULL
        if not turn.answers and street > 0 and not down:
            betting.passes.weigh(&held, self.reach[street] + block, &self.ranked)
            here.held = &held
        here.begun.begun = begun
        here.begun.places = &here.listing.places[0]
        here.begun.num_buckets = here.listing.num_buckets
        here.begun.by_hand = street == LAST and not turn.answers
        # The average takes in all streets but the last on the way down.
        here.weight = turn.strategy_weight if down or street == LAST else 0
        here.sums = scratch.sums
        if not here.begun.by_hand:
            betting.passes.sum_buckets(here.listing, begun, scratch.sums)
        if down:
            self.descend(&here, betting.roots[group], self.ones, scratch.likely)
        else:
            self.ascend(
                &here, betting.roots[group], self.ones, self.all_there,
                self.values[street] + group * self.block_of(street), False, scratch.likely,
                scratch.there, scratch.values,
            )

    cdef void descend(
        self, const Visit* here, int index, const float* likely, float* further
    ) noexcept nogil:
        """Carry the other's reach of one point down to the next street.

        Args:
            likely: what it brings, see begun_t.
            further: memory for what it brings to points after this one.
        """
        cdef const Betting* betting = &self.betting[here.street]
        cdef const Point* point = betting.points + index
        cdef int64_t size = here.listing.num_buckets * betting.passes.width
        cdef row_t row
        cdef int a
        if point.kind == NEXT_STREET:
            unpack_between(
                betting.passes, self.betting[here.street + 1].passes,
                self.brought(here.turn, here.street + 1), &here.begun, likely,
                betting.slots + betting.passes.width * point.leaf, &self.ranked,
            )
        if point.kind != DECISION:
            return
        if point.actor == here.turn.seat:
            for a in range(point.num_actions):
                self.descend(here, point.first_child + a, likely, further)
            return
        row = self.rows_of(here.turn.other, here.street, point, here.turn.pull)
        betting.passes.play_rows(
            &row, here.listing, here.weight, here.sums, likely, further
        )
        for a in range(point.num_actions):
            self.descend(
                here, point.first_child + a, further + a * size,
                further + point.num_actions * size,
            )

    cdef void ascend(
        self, const Visit* here, int index, const float* likely, const uint16_t* there,
        float* values, bint more, float* more_likely, uint16_t* more_there, float* more_values,
    ) noexcept nogil:
        """Find what a point is worth to each hand of the walking seat, and update its rows.

        Values are in chips times the other's reach, and are added to *values* if they are *more*.

        Args:
            likely, there: what the other brings, the one or the other: see begun_t.
            more_likely, more_there, more_values: memory for points after this one.
        """
        cdef const Betting* betting = &self.betting[here.street]
        cdef const Point* point = betting.points + index
        cdef int64_t block = self.block_of(here.street)
        cdef int64_t size = here.listing.num_buckets * betting.passes.width
        cdef float* of_fold = NULL
        cdef float* of_show = NULL
        cdef const Point* child
        cdef uint16_t* choices
        cdef endings_t endings
        cdef row_t row
        cdef int a
        if point.kind == NEXT_STREET:
            pack_between(
                betting.passes, self.betting[here.street + 1].passes, values,
                self.values[here.street + 1],
                betting.slots + betting.passes.width * point.leaf, &self.ranked, more,
            )
            return
        choices = self.choices + point.first_action * NUM_ROWS
        memset(&endings, 0, sizeof(endings))
        endings.fold_sign = 1 if here.turn.seat == 0 else -1
        if point.actor == here.turn.seat:
            for a in range(point.num_actions):
                child = betting.points + point.first_child + a
                if child.kind == FOLDED:
                    of_fold = more_values + a * block
                elif child.kind == SHOWN:
                    of_show = more_values + a * block
                else:
                    self.ascend(
                        here, point.first_child + a, likely, there, more_values + a * block,
                        False, more_likely, more_there, more_values + point.num_actions * block,
                    )
                add_ending(&endings, here, betting, child, likely, there)
            if of_fold != NULL or of_show != NULL:
                betting.passes.own_endings(
                    &self.ranked, &here.begun, &endings, of_fold, of_show, here.work
                )
            row = self.rows_of(here.turn.own, here.street, point, here.turn.pull)
            if here.street == LAST and here.turn.answers:
                betting.passes.answer(&row, &self.ranked, more_values, values, choices, more)
            else:
                betting.passes.learn_rows(
                    &row, self.listing_of(here.turn.own, here.street), here.turn.regret_weight,
                    more_values, values, more, here.held,
                )
            return
        if here.begun.by_hand:
            play_choices(choices, point.num_actions, there, more_there)
        else:
            row = self.rows_of(here.turn.other, here.street, point, here.turn.pull)
            betting.passes.play_rows(
                &row, here.listing, here.weight, here.sums, likely, more_likely
            )
        for a in range(point.num_actions):
            child = betting.points + point.first_child + a
            if child.kind == DECISION or child.kind == NEXT_STREET:
                self.ascend(
                    here, point.first_child + a, more_likely + a * size, more_there + a * NUM_ROWS,
                    values, more, more_likely + point.num_actions * size,
                    more_there + point.num_actions * NUM_ROWS, more_values,
                )
                more = True
            add_ending(
                &endings, here, betting, child, more_likely + a * size, more_there + a * NUM_ROWS
            )
        if endings.folded != NULL or endings.shown != NULL:
            betting.passes.others_endings(
                &self.ranked, &here.begun, &endings, more, values, here.work
            )

    # ---- The board -----------------------------------------------------------------------------

    cdef void deal(self, uint64_t seed, int64_t iteration) noexcept nogil:
        """Draw a board, give its hands their rows, and look up their buckets."""
        cdef Stream stream = stream_for(seed, iteration, 0)
        cdef card_t deck[NUM_CARDS]
        cdef uint16_t holes[NUM_RIVER_HANDS]       # which of all 1,326 the hands are
        cdef int32_t indices[NUM_HOLES]
        cdef River river
        cdef card_t card
        cdef int64_t place
        cdef int i, j, street
        for i in range(NUM_CARDS):
            deck[i] = i
        for i in range(5):
            j = i + <int>next_below(&stream, NUM_CARDS - i)
            card = deck[j]
            deck[j] = deck[i]
            deck[i] = card
        rank_river(deck, &river)
        self.place_hands(&river, holes)
        for street in range(MAX_STREETS):
            holes_on_board(deck, BOARD_CARDS[street], indices)
            for i in range(self.betting[street].num_groups):
                place = i * self.block_of(street)
                self.betting[street].passes.clear_rows(
                    self.reach[street] + place, self.others, self.num_others
                )
                self.betting[street].passes.clear_rows(
                    self.answered[street] + place, self.others, self.num_others
                )
            list_hands(
                &self.listings[street], &self.tables[street], &self.table, street, indices,
                self.hands, holes,
            )
            if street < LAST and not self.alike[street]:
                list_hands(
                    &self.responder_listings[street], &self.responder_tables[street],
                    &self.responder, street, indices, self.hands, holes,
                )
        # One beginning, and every hand is brought to it.
        for i in range(NUM_RIVER_HANDS):
            place = self.hands[i] * self.betting[0].passes.width
            self.reach[0][place] = self.answered[0][place] = 1
        for i in range(2 * PHASES):
            sync_cell_store(self.taken + i * SYNC_CELL_WORDS, 0)

    cdef void place_hands(self, const River* river, uint16_t* holes) noexcept nogil:
        """Lay out the rows of a board's hands, in order of strength.

        Args:
            holes: OUT (1081,) which of all 1,326 each hand is, in the order of their rows.
        """
        cdef uint16_t block_rows[13][13]
        cdef uint16_t single_rows[NUM_CARDS][NUM_CARDS]    # 0 for none: a block is weaker
        cdef uint16_t hole_at[NUM_ROWS]
        cdef const Entry* entry
        cdef int i, high, low, num_rows = 0, hole = 0, count = 0
        memset(single_rows, 0, sizeof(single_rows))
        self.ranked.num_entries = list_entries(river, self.entries)
        self.ranked.entries = <const entry_t*>self.entries
        self.ranked.hands = self.hands
        for i in range(self.ranked.num_entries):
            self.entries[i].first = num_rows
            entry = self.entries + i
            if entry.kind == SINGLE:
                single_rows[entry.high][entry.low] = num_rows
                num_rows += 1
            else:
                block_rows[entry.high][entry.low] = num_rows
                num_rows += 16 if entry.kind == OF_TWO_RANKS else 6
        for i in range(num_rows):
            hole_at[i] = NO_HOLE
        for high in range(NUM_CARDS):
            for low in range(high):
                if single_rows[high][low]:
                    hole_at[single_rows[high][low]] = hole
                elif river.levels[high][low] != NO_LEVEL:
                    i = 4 * (high & 3) + (low & 3)
                    if high >> 2 == low >> 2:
                        i = (high & 3) * ((high & 3) - 1) // 2 + (low & 3)
                    hole_at[block_rows[high >> 2][low >> 2] + i] = hole
                hole += 1
        self.num_others = 0
        for i in range(num_rows):
            if hole_at[i] == NO_HOLE:
                self.others[self.num_others] = i
                self.num_others += 1
            else:
                self.hands[count] = i
                holes[count] = hole_at[i]
                count += 1


cdef void add_ending(
    endings_t* endings, const Visit* here, const Betting* betting, const Point* point,
    const float* likely, const uint16_t* there,
) noexcept nogil:
    """Note a point if it is a fold or a showdown; a decision has at most one of each."""
    cdef const void* brought = likely
    if here.begun.by_hand:
        brought = there
    if point.kind == FOLDED:
        endings.folded = brought
        endings.fold_chips = betting.chips + betting.passes.width * point.chips
    elif point.kind == SHOWN:
        endings.shown = brought
        endings.show_chips = betting.chips + betting.passes.width * point.chips


cdef void list_hands(
    listing_t* listing,
    const BucketTable* table,
    const Rows* rows,              # whose buckets they are
    int street,
    const int32_t* indices,        # (1326,) of all holes on the street
    const uint16_t* hands,         # (1081,) their rows, ascending
    const uint16_t* holes,         # (1081,) which holes they are
) noexcept nogil:
    """Sort the hands of the board by their buckets; those of one are in order of strength."""
    cdef uint64_t keys[2][NUM_RIVER_HANDS]     # 16 bits of parent, 32 of bucket, 16 of row
    cdef int starts[NUM_DIGITS + 1]
    cdef uint64_t* here = keys[0]
    cdef uint64_t* there = keys[1]
    cdef uint64_t all_bits = 0
    cdef int64_t bucket, before = -1
    cdef int i, digit, shift = 16, num = 0
    memset(listing.places, 0, sizeof(listing.places))
    for i in range(NUM_RIVER_HANDS):
        bucket = bucket_at(table, indices[holes[i]])
        here[i] = <uint64_t>bucket << 16 | hands[i]
        if rows.num_parents[street]:
            here[i] |= <uint64_t>rows.parent_of[street][bucket] << 48
        all_bits |= here[i]
    # Digit by digit, the lowest first: equal ones stay in their order.
    while shift < 64 and all_bits >> shift:
        if not all_bits >> shift & (NUM_DIGITS - 1):
            shift += DIGIT_BITS
            continue
        memset(starts, 0, sizeof(starts))
        for i in range(NUM_RIVER_HANDS):
            starts[(here[i] >> shift & (NUM_DIGITS - 1)) + 1] += 1
        for i in range(NUM_DIGITS):
            starts[i + 1] += starts[i]
        for i in range(NUM_RIVER_HANDS):
            digit = here[i] >> shift & (NUM_DIGITS - 1)
            there[starts[digit]] = here[i]
            starts[digit] += 1
        here, there = there, here
        shift += DIGIT_BITS
    for i in range(NUM_RIVER_HANDS):
        bucket = <int64_t><uint32_t>(here[i] >> 16)
        listing.hands[i] = here[i] & 0xFFFF
        if bucket != before:
            before = bucket
            listing.buckets[num] = <int32_t>bucket
            if rows.num_parents[street]:
                listing.parents[num] = rows.parent_of[street][bucket]
                listing.shares[num] = rows.shares[street][bucket]
            listing.starts[num] = i
            num += 1
        listing.places[here[i] & 0xFFFF] = num - 1
    listing.starts[num] = NUM_RIVER_HANDS
    listing.num_buckets = num


cdef inline uint32_t bucket_at(const BucketTable* table, int64_t index) noexcept nogil:
    if table.narrow:
        return table.narrow[index]
    return table.wide[index] if table.wide else table.widest[index]


cdef float* aligned_floats(int64_t count) except NULL:
    """Memory for so many floats and a few more, at a multiple of 64 bytes."""
    cdef float* memory = <float*>aligned_alloc(64, 64 * (count // 16 + 1))
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
    width, points, roots, slots, chips, uniform, num_buffers = street
    cdef const uint8_t[::1] raw = points.view(np.uint8)
    cdef const int32_t[::1] ints = roots
    cdef const float[:, ::1] floats
    if width not in WIDTHS:
        raise ValueError(f"a street of {width} lanes, wanted one of {WIDTHS}")
    if points["num_actions"].max() > MOST_ACTIONS:
        raise error_for(TOO_MANY_ACTIONS)
    betting.passes = (
        &RESPONDER_LANES_1 if width == 1
        else &RESPONDER_LANES_8 if width == 8 else &RESPONDER_LANES_16
    )
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
    betting.num_buffers = num_buffers
    return 0


cdef int set_rows(Rows* rows, streets, arrays, int words) except -1:
    """Point to the rows of a player, which somebody else keeps."""
    cdef int street
    rows.words = words
    for street in range(MAX_STREETS):
        rows.lanes[street] = NULL
        rows.num_buckets[street] = 0
        rows.num_parents[street] = 0
    for street, array in enumerate(arrays):
        rows.lanes[street] = aligned_rows(array)
        rows.num_buckets[street] = len(array) // (words * len(streets[street][5]))
    return 0


cdef int set_parents(Rows* rows, int street, int64_t num_actions, of_street) except -1:
    """Point to the parents of a street's buckets, which somebody else keeps."""
    array, of, of_shares = of_street
    cdef const int32_t[::1] parents = of
    cdef const float[::1] shares = of_shares
    cdef int64_t num = len(array) // num_actions
    if num == 0:
        return 0
    if parents.shape[0] != rows.num_buckets[street] or shares.shape[0] != parents.shape[0]:
        raise ValueError(
            f"parents of {parents.shape[0]:,} buckets, wanted {rows.num_buckets[street]:,}"
        )
    if of.min() < 0 or of.max() >= min(num, 1 << 16):
        raise ValueError(f"a parent that is none of {num:,}")
    rows.parents[street] = aligned_rows(array)
    rows.num_parents[street] = num
    rows.parent_of[street] = &parents[0]
    rows.shares[street] = &shares[0]
    return 0


cdef float* aligned_rows(float[:, ::1] rows) except NULL:
    """Return where *rows* begin."""
    if <size_t>&rows[0, 0] % 64:
        raise ValueError("rows must begin at a multiple of 64 bytes")
    return &rows[0, 0]
