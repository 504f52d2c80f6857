"""Best response over all private hands: one street's betting after the other, in lanes.

The kernel never sees the rules of cards: a board is a bucket for each hand, the order of hands
on the last street, and a list of boards that follow it. So a deck of twenty cards runs through
the code that hold'em runs through, and a brute-force tree tests the real thing.
Streets are counted from the first that has a board.

For one seat, the responder, the other's probability of playing to a point with each hand goes
down the tree, and the responder's values come up. At its decisions the best action counts,
hand by hand (Johanson et al. 2011); showdowns are one sweep over the hands in order of
strength, with sums by card for the hands that share one.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint16_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from holdem._core.types cimport MAX_STREETS, OUT_OF_MEMORY, Status
from holdem.errors import ConfigError, error_for

cdef extern from "<stdlib.h>" nogil:
    int posix_memalign(void** memory, size_t alignment, size_t size)

__all__ = [
    "BOARD_DTYPE", "ENTRY_DTYPE", "LANES", "POINT_DTYPE", "SLOT_HOLES", "Betting",
]

LANES = NUM_LANES

POINT_DTYPE = np.dtype([
    ("strategy", np.int64),
    ("first_child", np.int32),
    ("chips", np.int32),
    ("leaf", np.int32),
    ("bar", np.int32),
    ("kind", np.uint8),
    ("actor", np.uint8),
    ("num_actions", np.uint8),
    ("fold", np.int8),
    ("showdown", np.int8),
])

BOARD_DTYPE = np.dtype([
    ("first_entry", np.int32),
    ("num_entries", np.int32),
    ("first_child", np.int32),
    ("num_children", np.int32),
    ("weight", np.float32),
    ("cards", np.uint8, 3),
    ("num_cards", np.uint8),
    ("renamings", np.uint8, 24),
    ("num_renamings", np.uint8),
])

ENTRY_DTYPE = np.dtype([
    ("first", np.uint16),
    ("high", np.uint8),
    ("low", np.uint8),
    ("kind", np.uint8),
    ("ties", np.uint8),
])

fill_slots()


def _slot_holes():
    """Return the two cards of each slot."""
    holes = np.empty((NUM_SLOTS, 2), np.uint8)
    cdef uint8_t[:, ::1] view = holes
    cdef int slot
    for slot in range(NUM_SLOTS):
        view[slot, 0] = SLOT_CARDS[slot][0]
        view[slot, 1] = SLOT_CARDS[slot][1]
    holes.setflags(write=False)
    return holes


SLOT_HOLES = _slot_holes()
"""The two cards of each hand, the higher rank first, in the order of the kernel's slots."""

# Buffers that one decision needs while its children are walked: the reach, and two values.
cdef enum:
    BUFFERS = 3


# Memory of one walk. Blocks are (groups, 1326) vectors, on the boards of the street that they
# are listed under.
cdef struct Walk:
    Street* streets
    const Board* boards
    const uint16_t* buckets            # (boards, 1326)
    const part_t* parts                # (boards, 91)
    const entry_t* entries
    const uint16_t* renamed            # (24, 1326), a hand's slot after renaming the suits
    int num_streets
    int seat                           # the responder
    bint with_own
    bint chooses[MAX_STREETS]          # else the responder keeps its policy on that street
    lanes_t* reach[MAX_STREETS]        # of the street's own groups
    lanes_t* best[MAX_STREETS]
    lanes_t* own[MAX_STREETS]
    lanes_t* leaf_reach[MAX_STREETS]   # of the next street's groups
    lanes_t* leaf_best[MAX_STREETS]
    lanes_t* leaf_own[MAX_STREETS]
    lanes_t* buffers[MAX_STREETS]      # for the decisions of a path
    lanes_t* work
    lanes_t* aside                     # (3, 1326)
    # Of the last street; its buffers are these rows.
    rows_t* rows                       # (depth,)
    order_t* orders                    # of the boards that follow one of the street before
    lanes_t (*sums)[9]                 # see last_board_t
    lanes_t (*brought)[9]
    lanes_t* brought_singles
    lanes_t* single_reach              # rows of the single hands of one board
    lanes_t* best_singles
    lanes_t* own_singles


# ---- One street, one group -------------------------------------------------------------------

cdef void spread(
    Walk* walk, int street, int index, const uint16_t* buckets, const lanes_t* reach,
    lanes_t* buffers,
) noexcept nogil:
    """Carry the opponent's reach of one point down to the next street."""
    cdef const Street* betting = &walk.streets[street]
    cdef const Point* point = &betting.points[index]
    cdef const lanes_t* played
    cdef int a, child
    if point.kind == NEXT_STREET:
        unpack_lanes(
            <float*>walk.leaf_reach[street], reach, NULL, NULL,
            betting.slots + NUM_LANES * point.leaf, NUM_SLOTS, NULL, NUM_SLOTS,
        )
    if point.kind != DECISION:
        return
    for a in range(point.num_actions):
        child = point.first_child + a
        if betting.points[child].kind == FOLDED:
            continue
        played = reach
        if point.actor != walk.seat:
            play(
                buffers, reach, betting.strategy + point.strategy, point.num_actions, a, buckets
            )
            played = buffers
        spread(walk, street, child, buckets, played, buffers + NUM_SLOTS)


cdef bint answer(
    Walk* walk,
    int street,                    # before the last
    int index,                     # point
    const uint16_t* buckets,
    const lanes_t* reach,          # IN   (1326,), of the opponent
    lanes_t* best,                 # OUT  (1326,), the responder's value
    lanes_t* own,                  # OUT  (1326,), of its policy; NULL if not wanted
    lanes_t* buffers,
) noexcept nogil:
    """Find what a point is worth to each hand of the responder, in chips times reach.

    Returns whether *own* was written; if not, the responder has nothing to decide, and the
    policy's value is the best one.
    """
    cdef const Street* betting = &walk.streets[street]
    cdef const Point* point = &betting.points[index]
    cdef const lanes_t* strategy
    cdef lanes_t* played = buffers
    cdef lanes_t* child_best = buffers + NUM_SLOTS
    cdef lanes_t* child_own = NULL
    cdef size_t size = sizeof(lanes_t) * NUM_SLOTS
    cdef bint mine = point.actor == walk.seat
    cdef bint chooses = walk.chooses[street]
    cdef bint apart = False, child_apart
    cdef float chips[NUM_LANES]
    cdef const float* bar
    cdef int a, child
    if point.kind == NEXT_STREET:
        pack_lanes(
            best, <const float*>walk.leaf_best[street],
            betting.slots + NUM_LANES * point.leaf, NUM_SLOTS, NULL, NUM_SLOTS, False,
        )
        if own != NULL:
            pack_lanes(
                own, <const float*>walk.leaf_own[street],
                betting.slots + NUM_LANES * point.leaf, NUM_SLOTS, NULL, NUM_SLOTS, False,
            )
        return own != NULL
    if point.kind == FOLDED:
        net_chips(walk, betting, point, chips)
        fold(best, reach, chips)
        return False

    strategy = betting.strategy + point.strategy
    if own != NULL:
        child_own = buffers + 2 * NUM_SLOTS
    buffers += BUFFERS * NUM_SLOTS
    if not mine or not chooses:
        memset(best, 0, size)
    if mine and own != NULL:
        apart = True
        memset(own, 0, size)
    for a in range(point.num_actions):
        child = point.first_child + a
        if not mine:
            play(played, reach, strategy, point.num_actions, a, buckets)
            if answer(walk, street, child, buckets, played, child_best, child_own, buffers):
                if apart:
                    add(own, child_own)
                else:
                    set_sum(own, best, child_own)
                apart = True
            elif apart:
                add(own, child_best)
            add(best, child_best)
            continue
        child_apart = answer(walk, street, child, buckets, reach, child_best, child_own, buffers)
        if own != NULL:
            add_played(
                own, child_own if child_apart else child_best, strategy, point.num_actions, a,
                buckets,
            )
        if not chooses:
            add_played(best, child_best, strategy, point.num_actions, a, buckets)
        elif a == 0:
            # All lanes have the first action.
            memcpy(best, child_best, size)
        else:
            bar = NULL
            if betting.points[child].bar >= 0:
                bar = betting.chips + NUM_LANES * betting.points[child].bar
            raise_to(best, child_best, bar)
    return apart


cdef void net_chips(
    const Walk* walk, const Street* street, const Point* point, float* chips,
) noexcept nogil:
    """What the responder wins or loses where somebody folded."""
    cdef float sign = 1 if walk.seat == 0 else -1
    cdef int lane
    for lane in range(NUM_LANES):
        chips[lane] = sign * street.chips[NUM_LANES * point.chips + lane]


# ---- The last street -------------------------------------------------------------------------

cdef void set_sweep(
    const Walk* walk, const Street* street, const Point* point, rows_t own, float weight,
    sweep_t* sweep,
) noexcept nogil:
    """What the actions that end the hand are worth to the responder, without what follows."""
    cdef const lanes_t* tables = street.strategy + point.strategy
    cdef const Point* children = street.points + point.first_child
    cdef float* fold_chips = <float*>&sweep.fold_chips
    cdef float* showdown_chips = <float*>&sweep.showdown_chips
    cdef int lane
    fill_lanes(&sweep.fold_chips, 0)
    fill_lanes(&sweep.showdown_chips, 0)
    sweep.reach = tables
    sweep.ends = tables + street.num_buckets
    sweep.folds = point.fold >= 0
    sweep.shows = point.showdown >= 0
    if sweep.folds:
        net_chips(walk, street, children + point.fold, fold_chips)
    if sweep.shows:
        memcpy(
            showdown_chips, street.chips + NUM_LANES * children[point.showdown].chips,
            sizeof(lanes_t),
        )
    sweep.after.slots = NULL
    sweep.own = own
    if point.actor != walk.seat:
        sweep.own_table = sweep.reach
        sweep.own_stride = 1
        fill_lanes(&sweep.own_scale, weight)
        return
    # The tables of folds and showdowns are in chips, and so are the values.
    sweep.own_table = sweep.ends + 1
    sweep.own_stride = 2
    fill_lanes(&sweep.own_scale, 0)
    fill_lanes(&sweep.own_fold, 0)
    for lane in range(NUM_LANES):
        if sweep.shows and showdown_chips[lane] != 0:
            (<float*>&sweep.own_scale)[lane] = weight / showdown_chips[lane]
        if sweep.folds and fold_chips[lane] != 0:
            (<float*>&sweep.own_fold)[lane] = -weight / fold_chips[lane]


cdef void answer_last(
    Walk* walk,
    int index,                     # point
    const last_board_t* board,
    const outcome_t* outcome,      # of the responder's value
    rows_t own,                    # INOUT the policy's value is added; slots NULL if not wanted
    float weight,                  # of what is added there
    rows_t* buffers,
) noexcept nogil:
    """Find what a point of the last street is worth to each hand of the responder."""
    cdef const Street* street = &walk.streets[walk.num_streets - 1]
    cdef const Point* point = &street.points[index]
    cdef bint mine = point.actor == walk.seat
    cdef bint ends = point.fold >= 0 or point.showdown >= 0
    cdef bint passed_on = False
    cdef outcome_t below
    cdef sweep_t sweep
    cdef int a, child
    if point.kind == SHOWN:
        # A hand that was run out: nobody decides.
        sweep.reach = ONES
        memcpy(
            &sweep.showdown_chips, street.chips + NUM_LANES * point.chips, sizeof(lanes_t)
        )
        sweep.own = own
        sweep.own_table = ONES
        sweep.own_stride = 0
        fill_lanes(&sweep.own_scale, weight)
        sweep.outcome = outcome[0]
        sweep_shown(&sweep, board)
        return

    # What follows is gathered in a buffer, and combined by the sweep.
    if not mine and not ends and outcome.how != SET and outcome.how != RAISE:
        below = outcome[0]
        passed_on = True
    else:
        below.to = buffers[0]
        below.how = SET
    for a in range(point.num_actions):
        if a == point.fold or a == point.showdown:
            continue
        child = point.first_child + a
        fill_lanes(&below.bar, 0)
        if mine and street.points[child].bar >= 0:
            memcpy(
                &below.bar, street.chips + NUM_LANES * street.points[child].bar, sizeof(lanes_t)
            )
        # What is set there row by row may be what it is set from: so the first of them, with
        # all that follows it, needs no other buffer, and less of the cache.
        answer_last(
            walk, child, board, &below, own, weight,
            buffers if passed_on or below.how == SET else buffers + 1,
        )
        if not passed_on:
            below.how = RAISE if mine else ADD
    if not ends:
        if not passed_on:
            deliver(&below.to, board.order.singles.count, outcome)
        return
    set_sweep(walk, street, point, own, weight, &sweep)
    if below.how != SET:
        sweep.after = below.to
    sweep.outcome = outcome[0]
    if mine:
        sweep_mine(&sweep, board)
    else:
        sweep_others(&sweep, board)


# ---- From board to board ---------------------------------------------------------------------

cdef inline const uint16_t* buckets_on(const Walk* walk, const Board* board) noexcept nogil:
    return walk.buckets + NUM_SLOTS * (board - walk.boards)


cdef void see(Walk* walk, const Board* board, order_t* order, last_board_t* seen) noexcept nogil:
    """What a board of the last street is, but for the reach."""
    seen.order = order
    seen.buckets = buckets_on(walk, board)
    seen.entries = walk.entries + board.first_entry
    seen.num_entries = board.num_entries
    seen.parts = walk.parts + NUM_BLOCKS * (board - walk.boards)
    seen.sums = walk.sums
    seen.brought = walk.brought
    seen.brought_singles = walk.brought_singles
    seen.reach.singles = walk.single_reach


cdef void list_board(Walk* walk, const Board* board, order_t* order) noexcept nogil:
    """List the hands of a board of the last street, once for all its groups."""
    cdef last_board_t seen
    see(walk, board, order, &seen)
    list_hands(&seen, order)


cdef void value_last(
    Walk* walk, int64_t group, const Board* board, order_t* order, float weight, lanes_t* reach,
    lanes_t* best, lanes_t* own,
) noexcept nogil:
    """Add the values of one group of the last street on *board*, times *weight*.

    best, own: (1326,); own is NULL if it is not wanted. Reach is changed and changed back.
    """
    cdef const Street* betting = &walk.streets[walk.num_streets - 1]
    cdef int root = betting.roots[group]
    cdef const singles_t* singles = &order.singles
    cdef rows_t best_rows, own_rows
    cdef last_board_t seen
    cdef outcome_t outcome
    best_rows.slots = best
    best_rows.singles = walk.best_singles
    own_rows.slots = own
    own_rows.singles = walk.own_singles
    see(walk, board, order, &seen)
    seen.reach.slots = reach
    part_singles(&seen)
    if betting.points[root].kind != SHOWN:
        sum_blocks(&seen)
    part_sums(walk.aside, &best_rows, singles)
    if own != NULL:
        part_sums(walk.aside + NUM_SLOTS, &own_rows, singles)
    fill_lanes(&outcome.bar, 0)
    fill_lanes(&outcome.scale, weight)
    outcome.how = ADD_SCALED
    outcome.to = best_rows
    if walk.chooses[walk.num_streets - 1]:
        answer_last(walk, root, &seen, &outcome, own_rows, weight, walk.rows)
    else:
        # The best value is the policy's own; what else there is goes nowhere.
        outcome.to.slots = walk.work
        outcome.to.singles = walk.work
        outcome.how = SET
        answer_last(walk, root, &seen, &outcome, best_rows, weight, walk.rows)
        if own != NULL:
            answer_last(walk, root, &seen, &outcome, own_rows, weight, walk.rows)
    join_sums(walk.aside, &best_rows, singles)
    if own != NULL:
        join_sums(walk.aside + NUM_SLOTS, &own_rows, singles)
    join_singles(&seen)


cdef void deal_last(Walk* walk, int street, const Board* board) noexcept nogil:
    """Value the last street's groups on all boards that follow *board*, on *street* before it."""
    cdef const Street* betting = &walk.streets[street + 1]
    cdef const Board* child
    cdef lanes_t* reach
    cdef lanes_t* best
    cdef lanes_t* own = NULL
    cdef lanes_t* aside = walk.aside + 2 * NUM_SLOTS
    cdef int group, i, card
    for i in range(board.num_children):
        list_board(walk, walk.boards + board.first_child + i, &walk.orders[i])
    # Group by group, so that its strategy stays in the cache while the boards go by.
    for group in range(betting.num_groups):
        reach = walk.leaf_reach[street] + <int64_t>group * NUM_SLOTS
        best = walk.leaf_best[street] + <int64_t>group * NUM_SLOTS
        if walk.with_own:
            own = walk.leaf_own[street] + <int64_t>group * NUM_SLOTS
        for i in range(board.num_children):
            child = walk.boards + board.first_child + i
            # Hands with the new card are impossible for a while, and their values mean nothing.
            card = child.cards[0]
            put_aside(aside, reach, card)
            put_aside(aside + NUM_PER_CARD, best, card)
            if own != NULL:
                put_aside(aside + 2 * NUM_PER_CARD, own, card)
            clear_card(reach, card)
            value_last(walk, group, child, &walk.orders[i], child.weight, reach, best, own)
            put_back(reach, aside, card)
            put_back(best, aside + NUM_PER_CARD, card)
            if own != NULL:
                put_back(own, aside + 2 * NUM_PER_CARD, card)


cdef void add_possible(
    Walk* walk, lanes_t* sums, const lanes_t* values, const Board* child,
) noexcept nogil:
    """Add a board's values by its weight, but for hands that hold the card just dealt."""
    put_aside(walk.work, sums, child.cards[0])
    add_weighted(sums, values, child.weight)
    put_back(sums, walk.work, child.cards[0])


cdef void deal_next(Walk* walk, int street, const Board* board) noexcept nogil:
    """Value the next street's groups on all boards that follow *board*, not yet the last."""
    cdef int after = street + 1
    cdef int num_groups = walk.streets[after].num_groups
    cdef const Board* child
    cdef int64_t group, at, i
    for i in range(board.num_children):
        child = walk.boards + board.first_child + i
        memcpy(
            walk.reach[after], walk.leaf_reach[street],
            sizeof(lanes_t) * num_groups * NUM_SLOTS,
        )
        for group in range(num_groups):
            clear_card(walk.reach[after] + group * NUM_SLOTS, child.cards[0])
        walk_board(walk, after, child)
        for group in range(num_groups):
            at = group * NUM_SLOTS
            add_possible(walk, walk.leaf_best[street] + at, walk.best[after] + at, child)
            if walk.with_own:
                add_possible(walk, walk.leaf_own[street] + at, walk.own[after] + at, child)


cdef void spread_all(Walk* walk, int street, const Board* board) noexcept nogil:
    """Carry the reach of all groups of *street* down to the next street."""
    cdef const Street* betting = &walk.streets[street]
    cdef int64_t group
    # Lanes that no point has are never written, and must be 0.
    memset(
        walk.leaf_reach[street], 0,
        sizeof(lanes_t) * walk.streets[street + 1].num_groups * NUM_SLOTS,
    )
    for group in range(betting.num_groups):
        spread(
            walk, street, betting.roots[group], buckets_on(walk, board),
            walk.reach[street] + group * NUM_SLOTS, walk.buffers[street],
        )


cdef void walk_board(Walk* walk, int street, const Board* board) noexcept nogil:
    """Turn the reach of *street*'s groups on a board into values."""
    cdef const Street* betting = &walk.streets[street]
    cdef lanes_t* own = NULL
    cdef size_t size
    cdef int64_t group, at
    if street + 1 == walk.num_streets:
        walk_last(walk, street, board)
        return
    spread_all(walk, street, board)
    size = sizeof(lanes_t) * walk.streets[street + 1].num_groups * NUM_SLOTS
    memset(walk.leaf_best[street], 0, size)
    if walk.with_own:
        memset(walk.leaf_own[street], 0, size)
    if street + 2 == walk.num_streets:
        deal_last(walk, street, board)
    else:
        deal_next(walk, street, board)
    # A card that stands for others was counted with the hands that meet it; those others
    # would have been counted with the same hands, their suits renamed.
    if board.num_renamings > 0:
        for group in range(walk.streets[street + 1].num_groups):
            at = group * NUM_SLOTS
            symmetrise(
                walk.leaf_best[street] + at, walk.work, walk.renamed, board.renamings,
                board.num_renamings,
            )
            if walk.with_own:
                symmetrise(
                    walk.leaf_own[street] + at, walk.work, walk.renamed, board.renamings,
                    board.num_renamings,
                )
    for group in range(betting.num_groups):
        at = group * NUM_SLOTS
        if walk.with_own:
            own = walk.own[street] + at
        if not answer(
            walk, street, betting.roots[group], buckets_on(walk, board),
            walk.reach[street] + at, walk.best[street] + at, own, walk.buffers[street],
        ) and own != NULL:
            memcpy(own, walk.best[street] + at, sizeof(lanes_t) * NUM_SLOTS)


cdef void walk_last(Walk* walk, int street, const Board* board) noexcept nogil:
    """The same where the walk begins on the last street."""
    cdef int64_t group, at
    cdef lanes_t* own = NULL
    list_board(walk, board, walk.orders)
    for group in range(walk.streets[street].num_groups):
        at = group * NUM_SLOTS
        memset(walk.best[street] + at, 0, sizeof(lanes_t) * NUM_SLOTS)
        if walk.with_own:
            own = walk.own[street] + at
            memset(own, 0, sizeof(lanes_t) * NUM_SLOTS)
        value_last(
            walk, group, board, walk.orders, 1, walk.reach[street] + at, walk.best[street] + at,
            own,
        )


# ---- Memory ----------------------------------------------------------------------------------

cdef lanes_t* new_lanes(int64_t count, bint* failed) noexcept nogil:
    cdef void* memory = NULL
    if posix_memalign(&memory, sizeof(lanes_t), sizeof(lanes_t) * (count + 1)) != 0:
        failed[0] = True
        return NULL
    return <lanes_t*>memory


cdef void release(Walk* walk) noexcept nogil:
    cdef int s
    for s in range(MAX_STREETS):
        free(walk.reach[s])
        free(walk.best[s])
        free(walk.own[s])
        free(walk.leaf_reach[s])
        free(walk.leaf_best[s])
        free(walk.leaf_own[s])
        free(walk.buffers[s])
    free(walk.work)
    free(walk.aside)
    free(walk.rows)
    free(walk.orders)
    free(walk.sums)
    free(walk.brought)
    free(walk.brought_singles)
    free(walk.single_reach)
    free(walk.best_singles)
    free(walk.own_singles)


cdef Status reserve(Walk* walk, int most_children) noexcept nogil:
    """Make room for a walk, with so many boards after one at most."""
    cdef bint failed = False
    cdef int last = walk.num_streets - 1
    cdef int depth = walk.streets[last].depth
    cdef int64_t here, after
    cdef int s
    for s in range(walk.num_streets):
        # The last street is gone through group by group, unless the walk begins there.
        if s == 0 or s < last:
            here = NUM_SLOTS * walk.streets[s].num_groups
            walk.reach[s] = new_lanes(here, &failed)
            walk.best[s] = new_lanes(here, &failed)
            if walk.with_own:
                walk.own[s] = new_lanes(here, &failed)
        if s < last:
            after = NUM_SLOTS * walk.streets[s + 1].num_groups
            walk.leaf_reach[s] = new_lanes(after, &failed)
            walk.leaf_best[s] = new_lanes(after, &failed)
            if walk.with_own:
                walk.leaf_own[s] = new_lanes(after, &failed)
            walk.buffers[s] = new_lanes(BUFFERS * NUM_SLOTS * walk.streets[s].depth, &failed)
    walk.buffers[last] = new_lanes(2 * NUM_SLOTS * depth, &failed)
    walk.work = new_lanes(NUM_SLOTS, &failed)
    walk.aside = new_lanes(3 * NUM_SLOTS, &failed)
    walk.single_reach = new_lanes(NUM_SLOTS, &failed)
    walk.best_singles = new_lanes(NUM_SLOTS, &failed)
    walk.own_singles = new_lanes(NUM_SLOTS, &failed)
    walk.sums = <lanes_t (*)[9]>new_lanes(9 * NUM_BLOCKS, &failed)
    walk.brought = <lanes_t (*)[9]>new_lanes(9 * NUM_BLOCKS, &failed)
    walk.brought_singles = new_lanes(NUM_SLOTS, &failed)
    walk.orders = <order_t*>malloc(max(most_children, 1) * sizeof(order_t))
    walk.rows = <rows_t*>malloc(depth * sizeof(rows_t))
    if failed or walk.orders == NULL or walk.rows == NULL:
        release(walk)
        return OUT_OF_MEMORY
    for s in range(depth):
        walk.rows[s].slots = walk.buffers[last] + 2 * s * NUM_SLOTS
        walk.rows[s].singles = walk.rows[s].slots + NUM_SLOTS
    return Status.OK


# ---- Doors -----------------------------------------------------------------------------------

cdef class Betting:
    """The betting of one game as groups, with the strategies of both seats.

    Args:
        streets: for each street points (`POINT_DTYPE`), roots (int32), slots (int32, (n, LANES)),
            chips (float32, (n, LANES)), strategies (float32, (n, LANES)), the number of buckets,
            and that of decisions on the longest path. Of the strategy each decision has rows of
            its own: (buckets, actions), or, on the last street, what `sweep_t` in
            best_response_last.h describes: reach (buckets,), ends (buckets, 2).

    Attributes:
        num_groups: of each street.
    """

    cdef Street streets[MAX_STREETS]
    cdef lanes_t* strategies[MAX_STREETS]
    cdef int num_streets
    cdef object arrays
    cdef readonly tuple num_groups

    def __init__(self, streets):
        if not 1 <= len(streets) <= MAX_STREETS:
            raise ConfigError(f"1 to {MAX_STREETS} streets, not {len(streets)}")
        self.arrays = streets
        self.num_streets = len(streets)
        self.num_groups = tuple(len(street[1]) for street in streets)
        for number, street in enumerate(streets):
            self._adopt(number, *street)

    def __dealloc__(self):
        for street in range(MAX_STREETS):
            free(self.strategies[street])

    def _adopt(
        self, int number, points, const int32_t[::1] roots, const int32_t[:, ::1] slots,
        const float[:, ::1] chips, const float[:, ::1] strategy, int num_buckets, int depth,
    ):
        cdef const Point[::1] view = points
        cdef Street* street = &self.streets[number]
        cdef bint failed = False
        if slots.shape[1] != NUM_LANES or chips.shape[1] != NUM_LANES:
            raise ConfigError(f"slots and chips have rows of {NUM_LANES}")
        # Aligned, as vectors must be.
        self.strategies[number] = new_lanes(strategy.shape[0], &failed)
        if failed:
            raise error_for(OUT_OF_MEMORY)
        if strategy.shape[0] > 0:
            memcpy(self.strategies[number], &strategy[0, 0], sizeof(lanes_t) * strategy.shape[0])
        street.points = &view[0]
        street.roots = &roots[0]
        street.slots = &slots[0, 0] if slots.shape[0] > 0 else NULL
        street.chips = &chips[0, 0] if chips.shape[0] > 0 else NULL
        street.strategy = self.strategies[number]
        street.num_groups = <int>roots.shape[0]
        street.num_buckets = num_buckets
        street.depth = depth

    def respond(self, int seat, runouts, reach, *, bint own, chooses):
        """Return what each hand of the responder gains on the first board of *runouts*.

        Args:
            seat: the responder.
            runouts: has ``boards`` (`BOARD_DTYPE`), a board of the first street and then all
                that follow it; ``buckets`` (uint16, (boards, 1326)) of their hands; ``parts``
                (uint16, (boards, 91, 4)), which of these are alike on the last street, see
                part_t in best_response_last.h, or all 0; ``entries``
                (`ENTRY_DTYPE`), the order of hands on those of the last street; and ``renamed``
                (uint16, (24, 1326)), each hand's slot after each renaming of suits.
            reach: float32 (groups, 1326, LANES): the opponent's, of the first street's groups.
            own: whether the value of the responder's policy is wanted too.
            chooses: by street, whether the responder may leave its policy there.

        Returns:
            best and own values, float32 (groups, 1326, LANES), in chips times the opponent's
            reach, summed over the opponent's hands and the boards that follow, these by their
            weights; the second is None unless wanted.

        Raises:
            ConfigError: *reach* is not of this betting or this board.
            ResourceError: out of memory.
        """
        cdef Walk walk
        cdef const Board[::1] boards = runouts.boards
        cdef const uint16_t[:, ::1] buckets = runouts.buckets
        cdef const uint16_t[:, :, ::1] parts = runouts.parts
        cdef const entry_t[::1] entries = runouts.entries
        cdef const uint16_t[:, ::1] renamed = runouts.renamed
        cdef const float[:, :, ::1] before = reach
        cdef int num_groups = self.num_groups[0]
        cdef Status status
        cdef tuple shape = (num_groups, int(NUM_SLOTS), LANES)
        if reach.shape != shape:
            raise ConfigError(f"reach of shape {reach.shape}, wanted {shape}")
        memset(&walk, 0, sizeof(Walk))
        walk.streets = self.streets
        walk.num_streets = self.num_streets
        walk.boards = &boards[0]
        walk.buckets = &buckets[0, 0]
        walk.parts = <const part_t*>&parts[0, 0, 0]
        walk.entries = &entries[0]
        walk.renamed = &renamed[0, 0]
        walk.seat = seat
        walk.with_own = own
        for street in range(self.num_streets):
            walk.chooses[street] = chooses[street]
        status = reserve(&walk, runouts.boards["num_children"].max())
        if status != Status.OK:
            raise error_for(status)
        memcpy(walk.reach[0], &before[0, 0, 0], before.nbytes)
        with nogil:
            clear_impossible(walk.reach[0], num_groups, &boards[0])
            walk_board(&walk, 0, &boards[0])
            clear_impossible(walk.best[0], num_groups, &boards[0])
            if own:
                clear_impossible(walk.own[0], num_groups, &boards[0])
        best = taken(walk.best[0], shape)
        mean = taken(walk.own[0], shape) if own else None
        release(&walk)
        return best, mean


cdef void clear_impossible(lanes_t* block, int num_groups, const Board* board) noexcept nogil:
    """Set to 0 what belongs to hands that hold a card of the first board."""
    cdef int64_t group
    cdef int i
    for group in range(num_groups):
        for i in range(board.num_cards):
            clear_card(block + group * NUM_SLOTS, board.cards[i])


cdef object taken(const lanes_t* lanes, tuple shape):
    """A copy of a block as float32 of *shape*."""
    copy = np.empty(shape, np.float32)
    cdef float[:, :, ::1] view = copy
    memcpy(&view[0, 0, 0], lanes, view.nbytes)
    return copy
