"""Vector CFR and best response over the boards and the betting of a postflop subgame.

Regrets and average strategies are rows of hands by action, of every decision on every
board: float32, or packed in 16 bits (see range_rows.h). Updates alternate between the
players; how much of the past is kept is the caller's choice, iteration by iteration, so
that CFR+ (Tammelin 2014), Linear and Discounted CFR (Brown & Sandholm 2019) are one code.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from holdem._core.range_boards cimport MOST_BOARD_STREETS, RangeBoard, RangeBoards
from holdem._core.showdown cimport EndingRows, ending_values
from holdem._core.sync cimport (
    SYNC_BARRIER_WORDS, SYNC_DONE, SYNC_FOREVER, SyncSpin, sync_barrier_abort, sync_barrier_wait,
    sync_cell_add, sync_cell_load, sync_cell_store, sync_now,
)
cdef extern from "range_rows.h":
    ctypedef struct NodeRows:
        void* regrets
        void* sums
        uint8_t* regret_exponents
        uint8_t* sum_exponents
        size_t pad
        int packed
        int far
    void play_range(
        const NodeRows* rows, int count, int average, int learn, float keep, float weight,
        const float* reach, float* out,
    ) nogil
    void learn_range(
        const NodeRows* rows, int count, int average, int learn, float fade_gains,
        float fade_losses, const float* values, float* out,
    ) nogil
    void combine_range(const float* values, int count, size_t pad, int best, float* out) nogil
    unsigned flush_tiny() nogil
    void flush_restore(unsigned before) nogil

cdef extern from "range_leaves.h":
    cdef enum:
        LEAF_CHOICES
        MOST_LEAF_GROUPS
    void mix_choices(
        const float* matrix, const int* groups, int player, const uint16_t* own, size_t own_pad,
        const uint16_t* theirs, size_t their_pad, const float* reach, float* values,
    ) nogil
    void mix_all_in(
        const float* matrix, const int* groups, int player, const uint16_t* own, size_t own_pad,
        const uint16_t* theirs, size_t their_pad, const float* reach, float* values,
    ) nogil

cdef extern from "range_lanes.h":
    void rows_to_lanes(const float** rows, int pad, float* lanes) nogil
    void take_lanes(const float* lanes, const uint16_t* places, int pad, float* rows) nogil
    void give_lanes(
        const float* rows, int pad, int num_hands, const uint16_t* places, int num_maps,
        int64_t map_stride, float* lanes,
    ) nogil
    void sum_lanes(
        const float* lanes, int64_t stride, int count, int first, float scale, float** rows,
    ) nogil

cdef extern from "range_gadget.h":
    cdef enum:
        NO_GADGET
        RESOLVE
        MAX_MARGIN
    ctypedef struct RangeGadget:
        int kind
        int player
        int num_hands
        const float* weights
        const float* alternatives
        const float* shares
        float pairs
        float* regrets
        float* sums
        float* chosen
        float* reach
    void play_gadget(const RangeGadget* gadget, float keep, float weight) nogil
    void learn_gadget(
        const RangeGadget* gadget, float fade_gains, float fade_losses, const float* values,
    ) nogil

__all__ = ["NODE_DTYPE", "RangeWalk"]

NODE_DTYPE = np.dtype(
    [
        ("first_child", np.int32),
        ("worth", np.float32),
        ("num_actions", np.uint8),
        ("actor", np.uint8),
        ("kind", np.uint8),
        ("locked", np.uint8),
    ]
)

cdef enum:
    TRAIN = 0                  # CFR: learn regrets and the average strategy
    ANSWER = 1                 # best response to the average strategy
    JUDGE = 2                  # value of the average strategies against each other

cdef inline int in_sixteens(int count) noexcept nogil:
    """So many in whole groups of sixteen."""
    return (count + 15) // 16 * 16


cdef class RangeWalk:
    """The rows of a subgame, and the walks over them.

    Args:
        boards: both players' hands on every board.
        weights: for each player float32 (hands,), in the order of the lists of *boards*.
        streets: for each street a list of parts; a part is ``(nodes, num_roots)``, *nodes*
            of `NODE_DTYPE`, see range_walk.pxd.
        packed: keep rows in 16 bits.
        num_workers: threads that will call `train` and `values` together.

    Attributes:
        regrets, sums: the rows, float32 or int16, street by street, player by player,
            board by board, node by node; (num_actions, pad) for each decision.
        regret_exponents, sum_exponents: uint8; packed only.
        gadget_regrets, gadget_sums: float32, see `enter_safely`; empty without.
    """

    cdef readonly RangeBoards boards
    cdef readonly object regrets, sums, regret_exponents, sum_exponents
    cdef readonly object gadget_regrets, gadget_sums
    cdef RangeGadget gadget
    cdef readonly int num_workers
    cdef readonly bint packed
    cdef WalkStreet streets[MOST_BOARD_STREETS]
    cdef int num_streets
    cdef list memory
    cdef int64_t* first_rows               # (boards, 2) item of each board's rows
    cdef int64_t* first_blocks             # (boards, 2) exponent of them
    cdef uint8_t* regret_data
    cdef uint8_t* sum_data
    cdef uint8_t* regret_exponent_data
    cdef uint8_t* sum_exponent_data
    cdef StreetScratch* scratch            # (num_workers, streets)
    cdef const float* weights[2]           # (hands + 1,) padded, by player
    cdef float* task_values                # (tasks, groups of roots, hands, 16)
    cdef int64_t task_size
    cdef int64_t group_size                # (hands, 16) of any board
    cdef LeafGroups leaf_groups[2]         # where there are choices, and all-in
    cdef int64_t[::1] cells                # the next task; whether to stop
    cdef uint32_t[::1] barrier

    def __init__(self, boards, weights, streets, *, packed=False, num_workers=1):
        cdef int seat, street, index, first, last
        cdef int64_t items = 0, blocks = 0
        cdef RangeBoard* board
        cdef float[::1] padded
        if len(streets) != boards.num_streets:
            raise ValueError(f"{len(streets)} streets of betting on {boards.num_streets} of boards")
        self.boards = boards
        self.packed = packed
        self.num_workers = num_workers
        self.num_streets = len(streets)
        self.memory = []
        for street in range(self.num_streets):
            self._add_street(street, streets[street])
        self.first_rows = <int64_t*>self._zeros(self.boards.first_board[self.num_streets] * 16)
        self.first_blocks = <int64_t*>self._zeros(self.boards.first_board[self.num_streets] * 16)
        for street in range(self.num_streets):
            first, last = self.boards.first_board[street], self.boards.first_board[street + 1]
            for seat in range(2):
                for index in range(first, last):
                    board = &self.boards.boards[index]
                    self.first_rows[2 * index + seat] = items
                    self.first_blocks[2 * index + seat] = blocks
                    items += <int64_t>board.pad[seat] * self.streets[street].num_slots[seat]
                    blocks += (
                        <int64_t>(board.pad[seat] // 16) * self.streets[street].num_decisions[seat]
                    )
        kind = np.int16 if packed else np.float32
        self.regrets, self.sums = np.zeros(items + 32, kind), np.zeros(items + 32, kind)
        self.regret_exponents = np.zeros(blocks * packed + 1, np.uint8)
        self.sum_exponents = np.zeros(blocks * packed + 1, np.uint8)
        self.regrets = _from_aligned(self.regrets, items)
        self.sums = _from_aligned(self.sums, items)
        self.regret_data = <uint8_t*><size_t>self.regrets.ctypes.data
        self.sum_data = <uint8_t*><size_t>self.sums.ctypes.data
        self.regret_exponent_data = <uint8_t*><size_t>self.regret_exponents.ctypes.data
        self.sum_exponent_data = <uint8_t*><size_t>self.sum_exponents.ctypes.data
        for seat in range(2):
            # One more than there are, which the places beyond a list's hands point to.
            padded = np.append(np.asarray(weights[seat], np.float32), np.float32(0))
            self.memory.append(padded.base)
            self.weights[seat] = &padded[0]
        self.gadget_regrets = self.gadget_sums = np.zeros(0, np.float32)
        self._make_scratch()
        self.cells = np.zeros(32, np.int64)
        self.barrier = _from_aligned(
            np.zeros(SYNC_BARRIER_WORDS + 32, np.uint32), SYNC_BARRIER_WORDS
        )

    cdef void* _zeros(self, int64_t num_bytes) except NULL:
        """Memory that lives as long as this does, at a multiple of 64 bytes."""
        array = _from_aligned(np.zeros(num_bytes + 128, np.uint8), num_bytes)
        self.memory.append(array)
        return <void*><size_t>array.ctypes.data

    cdef int _add_street(self, int street, parts) except -1:
        """Number rows and slots of the betting of one street, and group its endings."""
        cdef WalkStreet* here = &self.streets[street]
        cdef StreetPart* part
        cdef const RangeNode* node
        cdef const RangeNode[::1] nodes
        cdef int32_t* rows
        cdef int32_t* slots[2]
        cdef int32_t* decisions[2]
        cdef int32_t* deals
        cdef int32_t* leaves
        cdef int index, number, seat, child
        here.num_parts = len(parts)
        here.parts = <StreetPart*>self._zeros(len(parts) * sizeof(StreetPart))
        here.num_roots = 0
        here.deal_chance = 1.0 / (52 - len(self.boards.board) - street - 4)
        for number in range(here.num_parts):
            array, num_roots = parts[number]
            array = np.ascontiguousarray(array, NODE_DTYPE)
            self.memory.append(array)
            nodes = array
            part = &here.parts[number]
            part.nodes = &nodes[0]
            part.num_nodes = len(nodes)
            part.first_root = here.num_roots
            part.num_roots = num_roots
            here.num_roots += num_roots
            for seat in range(2):
                slots[seat] = <int32_t*>self._zeros(4 * part.num_nodes)
                decisions[seat] = <int32_t*>self._zeros(4 * part.num_nodes)
                part.slots[seat], part.decisions[seat] = slots[seat], decisions[seat]
            deals = <int32_t*>self._zeros(4 * part.num_nodes)
            leaves = <int32_t*>self._zeros(4 * part.num_nodes)
            for index in range(part.num_nodes):
                node = &part.nodes[index]
                if node.kind == DECIDE or node.kind == LEAF:
                    if not 1 <= node.num_actions <= 16 or not (
                        index < node.first_child <= part.num_nodes - node.num_actions
                    ):
                        raise ValueError(f"node {index} has no children where they should be")
                    for seat in range(2):
                        if node.kind == LEAF or node.actor == seat:
                            slots[seat][index] = here.num_slots[seat]
                            decisions[seat][index] = here.num_decisions[seat]
                            here.num_slots[seat] += node.num_actions
                            here.num_decisions[seat] += 1
                    if node.kind == LEAF:
                        self._check_leaf(part, street, index)
                        leaves[part.num_leaves] = index
                        part.num_leaves += 1
                elif node.kind == DEAL:
                    if street == self.num_streets - 1:
                        raise ValueError("a dealing on the last street")
                    deals[part.num_deals] = index
                    part.num_deals += 1
            part.deals, part.leaves = deals, leaves
            part.matrices = <const float**>self._zeros(sizeof(float*) * part.num_leaves)
            for seat in range(2):
                rows = <int32_t*>self._zeros(4 * part.num_nodes)
                part.num_rows[seat] = num_roots
                for index in range(num_roots):
                    rows[index] = index
                for index in range(part.num_nodes):
                    node = &part.nodes[index]
                    for child in range(node.num_actions):
                        rows[node.first_child + child] = rows[index]
                        if node.actor != seat or node.kind == LEAF:
                            rows[node.first_child + child] = part.num_rows[seat]
                            part.num_rows[seat] += 1
                part.rows[seat] = rows
                self._group_endings(part, seat)
        if street < self.num_streets - 1 and here.num_parts != 1:
            raise ValueError("a street with dealings is walked in one part")
        return 0

    cdef int _group_endings(self, StreetPart* part, int seat) except -1:
        """Put the endings' rows of reach into groups of sixteen, like ones together."""
        cdef EndingGroup* groups
        cdef EndingGroup* group
        cdef const RangeNode* node
        cdef int index, lane
        cdef float sign = 1 if seat == 0 else -1
        endings = {}
        for index in range(part.num_nodes):
            node = &part.nodes[index]
            # A leaf's choice wants what a fold wants: the reach that each hand can meet.
            if node.kind in (END_BY_FOLD, END_BY_SHOWDOWN, CHOICE):
                pair = endings.setdefault(part.rows[seat][index], [part.num_nodes, part.num_nodes])
                # Only the opponent's actions divide rows, so after one row this player folds
                # at most once, and shows down at most once.
                if pair[node.kind != END_BY_SHOWDOWN] != part.num_nodes:
                    raise ValueError("two endings of one kind after the same reach")
                pair[node.kind != END_BY_SHOWDOWN] = index
        # Showdowns alone, both, folds alone: few groups then do both.
        order = sorted(
            endings.items(), key=lambda item: (item[1][0] == part.num_nodes) * 2
            + (item[1][1] != part.num_nodes and item[1][0] != part.num_nodes)
        )
        part.num_groups[seat] = (len(order) + LANES_OF_ENDINGS - 1) // LANES_OF_ENDINGS
        groups = <EndingGroup*>self._zeros(part.num_groups[seat] * sizeof(EndingGroup))
        part.groups[seat] = groups
        for index in range(part.num_groups[seat] * LANES_OF_ENDINGS):
            group = &groups[index // LANES_OF_ENDINGS]
            lane = index % LANES_OF_ENDINGS
            row, pair = order[min(index, len(order) - 1)]
            group.rows[lane] = row
            group.showdowns[lane] = pair[0] if index < len(order) else part.num_nodes
            group.folds[lane] = pair[1] if index < len(order) else part.num_nodes
            if group.showdowns[lane] < part.num_nodes:
                group.has_showdown = True
                group.showdown_worth[lane] = part.nodes[group.showdowns[lane]].worth
            if group.folds[lane] < part.num_nodes:
                group.has_fold = True
                group.fold_worth[lane] = sign * part.nodes[group.folds[lane]].worth
        return 0

    cdef int _make_scratch(self) except -1:
        """Room for the rows that a walk needs, for each thread and street."""
        cdef int worker, street, number, room, ring, roots
        cdef int64_t rows, nodes
        cdef StreetScratch* here
        cdef StreetPart* part
        self.scratch = <StreetScratch*>self._zeros(
            self.num_workers * MOST_BOARD_STREETS * sizeof(StreetScratch)
        )
        # Boards of later streets have no longer lists than the first one.
        room = max(self.boards.boards[0].pad[0], self.boards.boards[0].pad[1])
        self.group_size = 16 * room
        for street in range(self.num_streets):
            rows = nodes = ring = roots = 0
            for number in range(self.streets[street].num_parts):
                part = &self.streets[street].parts[number]
                rows = max(rows, part.num_rows[0], part.num_rows[1])
                nodes = max(nodes, part.num_nodes + 1)
                ring = max(ring, in_sixteens(part.num_roots) + 16)
                roots = max(roots, in_sixteens(part.num_deals))
            for worker in range(self.num_workers):
                here = &self.scratch[worker * MOST_BOARD_STREETS + street]
                # All threads walk on from the first street's rows, which are the first one's.
                if worker and not street and self.num_streets > 1:
                    continue
                here.reach = <float*>self._zeros(4 * rows * room)
                here.values = <float*>self._zeros(4 * nodes * room)
                here.lanes = <float*>self._zeros(2 * 64 * room)
                here.ring = ring
                here.roots_in = <float*>self._zeros(4 * ring * room)
                here.roots_out = <float*>self._zeros(4 * ring * room)
                here.deals_in = <float*>self._zeros(4 * roots * room)
                here.deals_out = <float*>self._zeros(4 * roots * room)
        if self.num_streets > 1:
            self.task_size = <int64_t>in_sixteens(self.streets[1].num_roots) * room
            self.task_values = <float*>self._zeros(
                4 * self.task_size * self.boards.boards[0].num_children
            )
        return 0

    # -- the walk of one board ---------------------------------------------------------------

    cdef NodeRows _rows(
        self, int64_t board_index, const RangeBoard* board, const StreetPart* part, int node,
        int seat,
    ) noexcept nogil:
        """Where a player's rows of a decision lie."""
        cdef NodeRows rows
        cdef int64_t item = (
            self.first_rows[2 * board_index + seat]
            + <int64_t>part.slots[seat][node] * board.pad[seat]
        )
        cdef int64_t block = (
            self.first_blocks[2 * board_index + seat]
            + <int64_t>part.decisions[seat][node] * (board.pad[seat] // 16)
        )
        rows.pad = board.pad[seat]
        rows.packed = self.packed
        rows.far = self.num_streets > 1
        rows.regrets = self.regret_data + item * (2 if self.packed else 4)
        rows.sums = self.sum_data + item * (2 if self.packed else 4)
        rows.regret_exponents = self.regret_exponent_data + block
        rows.sum_exponents = self.sum_exponent_data + block
        return rows

    cdef void _take_roots(
        self, const WalkCase* case, const RangeBoard* board, const StreetPart* part,
        StreetScratch* mine, const float* deals_in,
    ) noexcept nogil:
        """Fetch the roots' rows of the opponent's reach from the board before.

        Sixteen roots at a time, which may belong to two parts: a ring keeps them.
        """
        cdef int pad = board.pad[1 - case.player], root
        while mine.taken < part.first_root + part.num_roots:
            take_lanes(
                deals_in + mine.taken // 16 * self.group_size, board.places[1 - case.player], pad,
                mine.roots_in + <int64_t>(mine.taken % mine.ring) * pad,
            )
            mine.taken += 16
        for root in range(part.num_roots):
            memcpy(
                mine.reach + <int64_t>root * pad,
                mine.roots_in + <int64_t>((part.first_root + root) % mine.ring) * pad,
                pad * sizeof(float),
            )

    cdef void _give_roots(
        self, const WalkCase* case, const RangeBoard* board, const StreetPart* part,
        StreetScratch* mine, bint last, float* deals_out,
    ) noexcept nogil:
        """Add the roots' values to those of the board before, for each card it stands for."""
        cdef int player = case.player, pad = board.pad[player], root
        for root in range(part.num_roots):
            memcpy(
                mine.roots_out + <int64_t>((part.first_root + root) % mine.ring) * pad,
                mine.values + <int64_t>root * pad,
                pad * sizeof(float),
            )
        # What lies in the ring after the last root is added where no root is.
        while mine.given + 16 <= part.first_root + part.num_roots or (
            last and mine.given < part.first_root + part.num_roots
        ):
            give_lanes(
                mine.roots_out + <int64_t>(mine.given % mine.ring) * pad, pad,
                board.num_hands[player], board.places[player], board.num_maps, board.map_stride,
                deals_out + mine.given // 16 * self.group_size,
            )
            mine.given += 16

    cdef void _go_down(
        self, const WalkCase* case, int64_t board_index, const StreetPart* part, float* reach,
    ) noexcept nogil:
        """Fill the rows of the opponent's reach, from those of the roots."""
        cdef const RangeBoard* board = &self.boards.boards[board_index]
        cdef int opponent = 1 - case.player, pad = board.pad[opponent], index
        cdef const int32_t* rows = part.rows[case.player]
        cdef const RangeNode* node
        cdef NodeRows here
        for index in range(part.num_nodes):
            node = &part.nodes[index]
            if (node.kind == DECIDE and node.actor == opponent) or node.kind == LEAF:
                here = self._rows(board_index, board, part, index, opponent)
                play_range(
                    &here, node.num_actions, node.locked or case.mode != TRAIN,
                    not node.locked, case.keep, case.weight,
                    reach + <int64_t>rows[index] * pad,
                    reach + <int64_t>rows[node.first_child] * pad,
                )

    cdef void _evaluate(
        self, const WalkCase* case, const RangeBoard* board, const StreetPart* part,
        StreetScratch* scratch, const float* reach, float* values,
    ) noexcept nogil:
        """Fill the rows of values of all endings."""
        cdef int player = case.player, opponent = 1 - player, number, lane
        cdef int pad = board.pad[opponent], own_pad = board.pad[player]
        cdef EndingRows rows
        cdef const EndingGroup* group
        for number in range(part.num_groups[player]):
            group = &part.groups[player][number]
            for lane in range(LANES_OF_ENDINGS):
                rows.reach[lane] = reach + <int64_t>group.rows[lane] * pad
                rows.showdowns[lane] = values + <int64_t>group.showdowns[lane] * own_pad
                rows.folds[lane] = values + <int64_t>group.folds[lane] * own_pad
            rows.showdown_worth = rows.fold_worth = NULL
            if group.has_showdown:
                rows.showdown_worth = &group.showdown_worth[0]
            if group.has_fold:
                rows.fold_worth = &group.fold_worth[0]
            ending_values(
                &board.ranked[player], &board.ranked[opponent], board.num_levels,
                board.same[player], &rows, scratch.lanes,
            )

    cdef void _value_leaves(
        self, const WalkCase* case, int64_t board_index, const StreetPart* part,
        const float* reach, float* values,
    ) noexcept nogil:
        """Turn the rows of the leaves' choices into what each is worth to the player."""
        cdef const RangeBoard* board = &self.boards.boards[board_index]
        cdef int player = case.player, opponent = 1 - player, number
        cdef int64_t place = 2 * (board_index - self.boards.first_board[self.num_streets - 1])
        cdef const RangeNode* node
        cdef LeafGroups* groups
        cdef const uint16_t** hands
        cdef const uint16_t* own
        cdef const uint16_t* theirs
        cdef const float* rows
        cdef float* below
        for number in range(part.num_leaves):
            node = &part.nodes[part.leaves[number]]
            groups = &self.leaf_groups[node.num_actions == 1]
            rows = reach + (
                <int64_t>part.rows[player][node.first_child] * board.pad[opponent]
            )
            below = values + <int64_t>node.first_child * board.pad[player]
            hands = groups.hands + place
            own = hands[player]
            theirs = hands[opponent]
            if node.num_actions > 1:
                mix_choices(
                    part.matrices[number], groups.counts, player, own, board.pad[player], theirs,
                    board.pad[opponent], rows, below,
                )
            else:
                mix_all_in(
                    part.matrices[number], groups.counts, player, own, board.pad[player], theirs,
                    board.pad[opponent], rows, below,
                )

    cdef void _come_up(
        self, const WalkCase* case, int64_t board_index, const StreetPart* part, float* values,
    ) noexcept nogil:
        """Fill the rows of values of all decisions, from the last to the first."""
        cdef const RangeBoard* board = &self.boards.boards[board_index]
        cdef int player = case.player, pad = board.pad[player], index
        cdef const RangeNode* node
        cdef float* below
        cdef float* to
        cdef NodeRows here
        for index in range(part.num_nodes - 1, -1, -1):
            node = &part.nodes[index]
            if node.kind != DECIDE and node.kind != LEAF:
                continue
            below = values + <int64_t>node.first_child * pad
            to = values + <int64_t>index * pad
            if node.kind == DECIDE and node.actor != player:
                combine_range(below, node.num_actions, pad, False, to)
            elif case.mode == ANSWER and not node.locked:
                combine_range(below, node.num_actions, pad, True, to)
            else:
                here = self._rows(board_index, board, part, index, player)
                learn_range(
                    &here, node.num_actions, node.locked or case.mode != TRAIN, not node.locked,
                    case.fade_gains, case.fade_losses, below, to,
                )

    cdef void _walk(
        self, const WalkCase* case, int street, int64_t board_index, StreetScratch* scratch,
        const float* deals_in, float* deals_out,
    ) noexcept nogil:
        """Walk one board after the first and all that follow it.

        deals_in and deals_out are of the board before, in lanes: see range_lanes.h. The
        roots' values are added to the second.
        """
        cdef const RangeBoard* board = &self.boards.boards[board_index]
        cdef const WalkStreet* here = &self.streets[street]
        cdef const StreetPart* part
        cdef StreetScratch* mine = &scratch[street]
        cdef int number
        mine.taken = mine.given = 0
        for number in range(here.num_parts):
            part = &here.parts[number]
            self._take_roots(case, board, part, mine, deals_in)
            self._walk_part(case, street, board_index, part, scratch)
            self._give_roots(case, board, part, mine, number == here.num_parts - 1, deals_out)

    cdef void _walk_part(
        self, const WalkCase* case, int street, int64_t board_index, const StreetPart* part,
        StreetScratch* scratch,
    ) noexcept nogil:
        """Walk one part of a board and what follows, from the roots' reach to their values."""
        cdef const RangeBoard* board = &self.boards.boards[board_index]
        cdef StreetScratch* mine = &scratch[street]
        self._go_down(case, board_index, part, mine.reach)
        self._evaluate(case, board, part, mine, mine.reach, mine.values)
        self._value_leaves(case, board_index, part, mine.reach, mine.values)
        if part.num_deals:
            self._deal(case, street, board_index, part, scratch)
        self._come_up(case, board_index, part, mine.values)

    cdef void _put_in_lanes(
        self, const WalkCase* case, const RangeBoard* board, const StreetPart* part,
        StreetScratch* mine,
    ) noexcept nogil:
        """Lay the reach of the dealings side by side, as the next boards fetch it."""
        cdef int pad = board.pad[1 - case.player], first, lane, deal
        cdef const float* rows[16]
        for first in range(0, part.num_deals, 16):
            for lane in range(16):
                # The lanes after the last dealing repeat it, and nobody reads them.
                deal = part.deals[min(first + lane, part.num_deals - 1)]
                rows[lane] = mine.reach + <int64_t>part.rows[case.player][deal] * pad
            rows_to_lanes(rows, pad, mine.deals_in + first // 16 * self.group_size)

    cdef void _sum_dealt(
        self, const WalkCase* case, int street, const RangeBoard* board, const StreetPart* part,
        StreetScratch* mine, const float* dealt, int64_t stride, int count, int begin, int step,
    ) noexcept nogil:
        """Fill the dealings' rows of values: the mean over what was dealt, *count* sums of it.

        Of every *step*-th block of sixteen hands, from the block *begin* on.
        """
        cdef int pad = board.pad[case.player], first, lane, block
        cdef float chance = self.streets[street].deal_chance
        cdef float* rows[16]
        for first in range(0, part.num_deals, 16):
            for lane in range(16):
                rows[lane] = mine.values + <int64_t>part.num_nodes * pad
                if first + lane < part.num_deals:
                    rows[lane] = mine.values + <int64_t>part.deals[first + lane] * pad
            block = begin
            while 16 * block < pad:
                sum_lanes(
                    dealt + first // 16 * self.group_size, stride, count, 16 * block, chance, rows
                )
                block += step

    cdef void _deal(
        self, const WalkCase* case, int street, int64_t board_index, const StreetPart* part,
        StreetScratch* scratch,
    ) noexcept nogil:
        """Walk the boards of the next street, and take the mean of their values."""
        cdef const RangeBoard* board = &self.boards.boards[board_index]
        cdef StreetScratch* mine = &scratch[street]
        cdef int child
        self._put_in_lanes(case, board, part, mine)
        memset(
            mine.deals_out, 0, (part.num_deals + 15) // 16 * self.group_size * sizeof(float)
        )
        for child in range(board.num_children):
            self._walk(
                case, street + 1, board.first_child + child, scratch, mine.deals_in,
                mine.deals_out,
            )
        self._sum_dealt(case, street, board, part, mine, mine.deals_out, 0, 1, 0, 1)

    # -- the walk of all boards, by several threads ------------------------------------------

    cdef int _meet(self, SyncSpin* spin) noexcept nogil:
        """Wait for the other threads."""
        if self.num_workers == 1:
            return SYNC_DONE
        return sync_barrier_wait(&self.barrier[0], self.num_workers, SYNC_FOREVER, spin)

    cdef int _walk_all(
        self, const WalkCase* case, int worker, SyncSpin* spin, const float* reach_in,
        float* root_values,
    ) noexcept nogil:
        """Walk everything; the first thread leaves the root's values, in the range's order.

        reach_in is the opponent's at the root; it and root_values are the first thread's.
        """
        cdef const RangeBoard* board = &self.boards.boards[0]
        cdef StreetScratch* scratch = &self.scratch[worker * MOST_BOARD_STREETS]
        cdef StreetScratch* first = &self.scratch[0]
        cdef const StreetPart* part = &self.streets[0].parts[0]
        cdef int task, hand
        cdef float* dealt
        if worker == 0:
            for hand in range(board.pad[1 - case.player]):
                first.reach[hand] = reach_in[board.places[1 - case.player][hand]]
        if self.num_streets == 1:
            if worker == 0:
                self._walk_part(case, 0, 0, part, scratch)
                self._hand_back(case, root_values)
            return SYNC_DONE
        if worker == 0:
            self._go_down(case, 0, part, first.reach)
            self._put_in_lanes(case, board, part, first)
            sync_cell_store(&self.cells[0], 0)
        if self._meet(spin) != SYNC_DONE:
            return -1
        while True:
            task = sync_cell_add(&self.cells[0], 1) - 1
            if task >= board.num_children:
                break
            dealt = self.task_values + self.task_size * task
            memset(dealt, 0, self.task_size * sizeof(float))
            self._walk(case, 1, board.first_child + task, scratch, first.deals_in, dealt)
        if worker == 0:
            self._evaluate(case, board, part, first, first.reach, first.values)
        if self._meet(spin) != SYNC_DONE:
            return -1
        self._sum_dealt(
            case, 0, board, part, first, self.task_values, self.task_size, board.num_children,
            worker, self.num_workers,
        )
        if self._meet(spin) != SYNC_DONE:
            return -1
        if worker == 0:
            self._come_up(case, 0, part, first.values)
            self._hand_back(case, root_values)
        return SYNC_DONE

    cdef void _hand_back(self, const WalkCase* case, float* root_values) noexcept nogil:
        """Put the root's values into the range's order."""
        cdef const RangeBoard* board = &self.boards.boards[0]
        cdef int hand
        for hand in range(board.num_hands[case.player]):
            root_values[board.places[case.player][hand]] = self.scratch[0].values[hand]

    cdef int _update(
        self, const WalkCase* case, int worker, SyncSpin* spin, float* root_values, int num_values,
    ) noexcept nogil:
        """Walk for the player who is updated, past the choice to enter if there is one."""
        cdef RangeGadget* gadget = &self.gadget
        cdef const float* reach = self.weights[1 - case.player]
        cdef bint chooses = worker == 0 and gadget.kind != NO_GADGET
        if chooses and gadget.player != case.player:
            play_gadget(gadget, case.keep, case.weight)
            reach = gadget.reach
        memset(root_values, 0, num_values * sizeof(float))
        if self._walk_all(case, worker, spin, reach, root_values) != SYNC_DONE:
            return -1
        if chooses and gadget.player == case.player:
            learn_gadget(gadget, case.fade_gains, case.fade_losses, root_values)
        return SYNC_DONE

    def train(self, int worker, const float[:, ::1] fades, int64_t deadline_ns, int64_t least):
        """Do iterations of CFR, as one of the threads, which all call this alike.

        Args:
            worker: the number of this thread, from 0.
            fades: float32 (iterations, 4): in each, what positive regrets, negative regrets
                and the sums of the average strategy (1 or 0) are multiplied by before they
                are added to, and what is added to the sums is multiplied by.
            deadline_ns: when to begin no more iteration, on the clock of ``time.monotonic_ns``.
            least: iterations that are done even so.

        Returns:
            How many iterations were done.

        Raises:
            RuntimeError: another thread has gone.
        """
        cdef WalkCase case
        cdef SyncSpin spin
        cdef unsigned before
        cdef int64_t done = 0
        cdef int outcome = SYNC_DONE, pad
        pad = max(self.boards.boards[0].pad[0], self.boards.boards[0].pad[1])
        cdef float[::1] root = np.zeros(pad, np.float32)
        self._require_leaves()
        spin.most = spin.now = 30_000
        spin.skipped = 0
        case.mode = TRAIN
        with nogil:
            before = flush_tiny()
            while done < fades.shape[0]:
                if worker == 0:
                    sync_cell_store(&self.cells[8], done >= least and sync_now() >= deadline_ns)
                outcome = self._meet(&spin)
                if outcome != SYNC_DONE or sync_cell_load(&self.cells[8]):
                    break
                case.fade_gains = fades[done, 0]
                case.fade_losses = fades[done, 1]
                case.keep = fades[done, 2]
                case.weight = fades[done, 3]
                for case.player in range(2):
                    outcome = self._update(&case, worker, &spin, &root[0], pad)
                    if outcome != SYNC_DONE:
                        break
                if outcome != SYNC_DONE:
                    break
                done += 1
            flush_restore(before)
        if outcome != SYNC_DONE:
            raise RuntimeError("a thread of the solver has gone")
        return done

    def values(self, int worker, int player, bint answer, const float[::1] reach=None):
        """Walk once over the average strategies, as one of the threads.

        Args:
            worker: the number of this thread, from 0.
            player: whose values to return.
            answer: the player gives a best response (Johanson et al. 2011), but where locked.
            reach: float32 (hands + 1,), the opponent's at the root, the last one 0; by
                default the range's weights.

        Returns:
            float32 (hands,), from the first thread: counterfactual values at the root, in
            chips times the opponent's reach, half of the starting pot taken off.

        Raises:
            RuntimeError: another thread has gone.
        """
        cdef WalkCase case
        cdef SyncSpin spin
        cdef unsigned before
        cdef int outcome
        cdef int count = self.boards.boards[0].num_hands[player]
        cdef int theirs = self.boards.boards[0].num_hands[1 - player]
        cdef float[::1] root = np.zeros(count + 1, np.float32)
        cdef const float* reach_in = self.weights[1 - player]
        if reach is not None:
            if len(reach) != theirs + 1 or reach[theirs] != 0:
                raise ValueError("reach has one item more than the range has hands, and that is 0")
            reach_in = &reach[0]
        self._require_leaves()
        spin.most = spin.now = 30_000
        spin.skipped = 0
        case.mode = ANSWER if answer else JUDGE
        case.player = player
        case.fade_gains = case.fade_losses = case.keep = case.weight = 1
        with nogil:
            before = flush_tiny()
            outcome = self._walk_all(&case, worker, &spin, reach_in, &root[0])
            flush_restore(before)
        if outcome != SYNC_DONE:
            raise RuntimeError("a thread of the solver has gone")
        return np.asarray(root)[:count]

    def stop(self):
        """Make all threads that wait for another end with an error, until `start_again`."""
        sync_barrier_abort(&self.barrier[0])

    def start_again(self):
        """Let threads meet again after `stop`; only while none is in `train` or `values`."""
        for i in range(SYNC_BARRIER_WORDS):
            self.barrier[i] = 0

    def node_values(self, int part, int node, int player):
        """Return the values at a node of the first street that the last `values` left there.

        Returns:
            float32 (hands,), in the order of the board's list.
        """
        cdef const RangeBoard* board = &self.boards.boards[0]
        cdef int pad = board.pad[player]
        cdef float* row = self.scratch[0].values + <int64_t>node * pad
        return np.asarray(<float[:pad]>row)[: board.num_hands[player]].copy()

    def enter_safely(self, int kind, int player, alternatives, shares, float pairs):
        """Put a choice before the subgame, see range_gadget.h; `train` then learns it too.

        Args:
            kind: 1 for each hand to be played or not, 2 for the one hand to be played.
            player: who chooses.
            alternatives: float32 (hands,), what each hand has else, in the unit of `values`.
            shares: float32 (hands,), one over the opponent's reach that each hand can meet,
                0 where that is none.
            pairs: weight of all pairs of hands that can meet.
        """
        cdef RangeGadget* gadget = &self.gadget
        cdef int count = self.boards.boards[0].num_hands[player]
        cdef float[::1] given, regrets, sums
        if kind != RESOLVE and kind != MAX_MARGIN:
            raise ValueError(f"no gadget of kind {kind}")
        for array in (alternatives, shares):
            if np.shape(array) != (count,):
                raise ValueError(f"{np.shape(array)} for {count} hands")
        gadget.player, gadget.num_hands, gadget.pairs = player, count, pairs
        gadget.weights = self.weights[player]
        given = np.array(alternatives, np.float32)
        self.memory.append(given.base)
        gadget.alternatives = &given[0]
        given = np.array(shares, np.float32)
        self.memory.append(given.base)
        gadget.shares = &given[0]
        rows = (2 if kind == RESOLVE else 1) * count
        self.gadget_regrets, self.gadget_sums = np.zeros((2, rows), np.float32)
        regrets, sums = self.gadget_regrets, self.gadget_sums
        gadget.regrets, gadget.sums = &regrets[0], &sums[0]
        gadget.chosen = <float*>self._zeros(4 * count)
        gadget.reach = <float*>self._zeros(4 * (count + 1))
        gadget.kind = kind

    def lock(self, int street, int part, int node):
        """Play the node's strategy sums from now on, on every board, and learn nothing there."""
        cdef StreetPart* here = &self.streets[street].parts[part]
        (<RangeNode*>here.nodes)[node].locked = True

    cdef int _check_leaf(self, const StreetPart* part, int street, int index) except -1:
        """Refuse a leaf before the last street, or one with other choices than there are."""
        cdef const RangeNode* node = &part.nodes[index]
        cdef int choice
        if street != self.num_streets - 1 or node.num_actions not in (1, LEAF_CHOICES):
            raise ValueError(f"leaf {index} is before the last street, or has other choices")
        for choice in range(node.num_actions):
            if part.nodes[node.first_child + choice].kind != CHOICE:
                raise ValueError(f"leaf {index} has children that are no choices")
        return 0

    def set_leaves(self, groups, matrices, all_in_groups=None):
        """Say what the leaves are worth; nothing is walked before.

        Args:
            groups: for each board of the last street, for each player, uint16 (hands,): the
                group of each hand, in the order of the board's list.
            matrices: by part and node of each leaf, float32 (groups of player 0, groups of player
                1, choices of player 0, choices of player 1): to player 0, in the leaf's pots.
            all_in_groups: of leaves with one choice; as *groups*, which they are by default.
        """
        cdef WalkStreet* here = &self.streets[self.num_streets - 1]
        cdef StreetPart* part
        cdef const float[::1] flat
        cdef int number, index
        shapes = [None, None]
        made = {}
        for number in range(here.num_parts):
            part = &here.parts[number]
            for index in range(part.num_leaves):
                given = matrices[number, part.leaves[index]]
                choices = part.nodes[part.leaves[index]].num_actions
                if id(given) not in made:  # a matrix of many leaves is in the cache once
                    made[id(given)] = given, self._add_matrix(given, choices, shapes)
                flat = made[id(given)][1]
                part.matrices[index] = &flat[0]
        for index in range(2):
            if shapes[index] is not None:
                use_own = index == 0 or all_in_groups is None
                self._group_hands(index, groups if use_own else all_in_groups, shapes[index])

    def _add_matrix(self, given, int choices, shapes):
        """Return a leaf's matrix as range_leaves.h wants it, and see that it fits the others."""
        matrix = np.asarray(given, np.float32)
        all_in = choices == 1
        shapes[all_in] = shape = shapes[all_in] or matrix.shape[:2]
        if matrix.shape != (*shape, choices, choices) or not (
            1 <= min(shape) <= max(shape) <= MOST_LEAF_GROUPS
        ):
            raise ValueError(f"a matrix of shape {matrix.shape}")
        if all_in:
            matrix = np.array([matrix[:, :, 0, 0].T.ravel(), matrix.ravel()])
        aligned = _from_aligned(np.empty(matrix.size + 32, np.float32), matrix.size)
        aligned.reshape(matrix.shape)[...] = matrix
        self.memory.append(aligned)
        return aligned

    def _group_hands(self, int which, groups, shape):
        """Keep the group of each hand on each board of the last street, padded."""
        cdef int street = self.num_streets - 1, index, seat
        cdef LeafGroups* here = &self.leaf_groups[which]
        cdef const RangeBoard* board
        cdef const uint16_t[::1] padded
        if len(groups) != self.boards.num_boards(street):
            raise ValueError(f"groups for {len(groups)} boards")
        here.hands = <const uint16_t**>self._zeros(2 * len(groups) * sizeof(uint16_t*))
        for index in range(len(groups)):
            for seat in range(2):
                held = np.asarray(groups[index][seat])
                board = &self.boards.boards[self.boards.first_board[street] + index]
                if held.shape != (board.num_hands[seat],):
                    raise ValueError(f"groups of {held.shape} hands")
                array = np.zeros(board.pad[seat], np.uint16)
                array[: len(held)] = held
                if array.max() >= shape[seat]:
                    raise ValueError(f"group {array.max()} of {shape[seat]}")
                self.memory.append(array)
                padded = array
                here.hands[2 * index + seat] = &padded[0]
        here.counts[0], here.counts[1] = shape

    cdef int _require_leaves(self) except -1:
        """Refuse to walk to leaves that nobody said the worth of."""
        cdef WalkStreet* here = &self.streets[self.num_streets - 1]
        cdef int number, index
        for number in range(here.num_parts):
            for index in range(here.parts[number].num_leaves):
                if here.parts[number].matrices[index] == NULL:
                    raise ValueError("the leaves have no values yet")
        return 0

    def rows_at(self, int street, int board, int part, int node, int seat=-1):
        """Return where a decision's rows lie; of a leaf those of *seat*.

        Returns:
            The rows' first item in `regrets` and `sums`, the number of actions, the length
            of a row, and the first of its exponents, one for sixteen hands.
        """
        cdef int64_t index = self.boards.first_board[street] + board
        cdef const StreetPart* here = &self.streets[street].parts[part]
        if seat < 0:
            seat = here.nodes[node].actor
        cdef int pad = self.boards.boards[index].pad[seat]
        first = self.first_rows[2 * index + seat] + <int64_t>here.slots[seat][node] * pad
        block = self.first_blocks[2 * index + seat]
        block += <int64_t>here.decisions[seat][node] * (pad // 16)
        return first, here.nodes[node].num_actions, pad, block


def _from_aligned(array, int64_t count):
    """The *count* items of a larger array that begin at a multiple of 64 bytes."""
    skip = -array.ctypes.data % 64 // array.itemsize
    return array[skip : skip + count]
