# The best response over all private hands, street by street: a kernel, nobody cimports it.
#
# Points of the betting tree that are alike but for their chips lie in the NUM_LANES lanes of one
# vector: a *group* has the shape of one street's betting from one of its beginnings on, and a
# lane for each beginning of that shape. A group's reach or value is an array of lanes, one
# vector per hand: (1326, NUM_LANES) float32.
from libc.stdint cimport int8_t, int32_t, int64_t, uint16_t, uint8_t

cdef extern from "best_response_simd.h" nogil:
    enum:
        NUM_LANES
        NUM_SLOTS
        NUM_PER_CARD
        NUM_BLOCKS
    # As many floats; only its address is taken here.
    ctypedef float lanes_t
    ctypedef struct entry_t:
        uint16_t first
        uint8_t high
        uint8_t low
        uint8_t kind
        uint8_t ties
    const uint8_t (*SLOT_CARDS)[2]
    void fill_slots()
    void add_weighted(lanes_t* sums, const lanes_t* terms, float weight)
    void symmetrise(
        lanes_t* values, lanes_t* copy, const uint16_t* table, const uint8_t* renamings,
        int num_renamings,
    )
    void put_aside(lanes_t* aside, const lanes_t* values, int card)
    void put_back(lanes_t* values, const lanes_t* aside, int card)
    void clear_card(lanes_t* values, int card)
    void unpack_lanes(
        float* blocks, const lanes_t* packed, const lanes_t* factors, const uint16_t* places,
        const int32_t* slots, int num_rows, const uint16_t* rows, int num_listed,
    )
    void pack_lanes(
        lanes_t* packed, const float* blocks, const int32_t* slots, int num_rows,
        const uint16_t* rows, int num_listed, bint more,
    )
    void play(
        lanes_t* played, const lanes_t* reach, const lanes_t* strategy, int num_actions,
        int action, const uint16_t* buckets,
    )
    void add(lanes_t* sums, const lanes_t* terms)
    void set_sum(lanes_t* sums, const lanes_t* first, const lanes_t* second)
    void add_played(
        lanes_t* sums, const lanes_t* terms, const lanes_t* strategy, int num_actions,
        int action, const uint16_t* buckets,
    )
    void raise_to(lanes_t* best, const lanes_t* others, const float* bar)
    void fold(lanes_t* values, const lanes_t* reach, const float* chips)

cdef extern from "best_response_last.h" nogil:
    enum:
        SET
        ADD
        ADD_SCALED
        RAISE
    ctypedef struct singles_t:
        int32_t count
    ctypedef struct part_t:
        uint16_t kind
        uint16_t buckets[3]
    ctypedef struct rows_t:
        lanes_t* slots
        lanes_t* singles
    ctypedef struct order_t:
        singles_t singles
    ctypedef struct last_board_t:
        rows_t reach
        const uint16_t* buckets
        const part_t* parts
        const entry_t* entries
        const order_t* order
        lanes_t (*sums)[9]
        lanes_t (*brought)[9]
        lanes_t* brought_singles
        int32_t num_entries
    ctypedef struct outcome_t:
        rows_t to
        lanes_t bar
        lanes_t scale
        int32_t how
    ctypedef struct sweep_t:
        const lanes_t* reach
        const lanes_t* ends
        int32_t folds
        int32_t shows
        lanes_t fold_chips
        lanes_t showdown_chips
        rows_t after
        rows_t own
        const lanes_t* own_table
        int32_t own_stride
        lanes_t own_scale
        lanes_t own_fold
        outcome_t outcome
    const lanes_t* ONES        # one row
    void fill_lanes(lanes_t* lanes, float value)
    void sweep_mine(const sweep_t* sweep, const last_board_t* board)
    void sweep_others(const sweep_t* sweep, const last_board_t* board)
    void sweep_shown(const sweep_t* sweep, const last_board_t* board)
    void deliver(const rows_t* values, int num_singles, const outcome_t* outcome)
    void part_singles(const last_board_t* board)
    void list_hands(const last_board_t* board, order_t* order)
    void sum_blocks(const last_board_t* board)
    void join_singles(const last_board_t* board)
    void part_sums(lanes_t* aside, const rows_t* sums, const singles_t* singles)
    void join_sums(const lanes_t* aside, const rows_t* sums, const singles_t* singles)

cdef enum PointKind:
    DECISION = 0
    FOLDED = 1                 # the hand ends; its chips are at the decision before
    SHOWN = 2                  # a showdown on the last street
    NEXT_STREET = 3            # the hand goes on, or is run out, on the next street

# One point of a group's shape. Mirrors POINT_DTYPE in best_response.pyx field for field.
cdef packed struct Point:
    int64_t strategy           # first of the street's vectors that belong to it; -1 if none
    int32_t first_child        # children are contiguous
    int32_t chips              # row of the street's chips, at an ending; -1 if none
    int32_t leaf               # row of the street's slots, at NEXT_STREET; -1 elsewhere
    int32_t bar                # row of chips, -inf in lanes without this point; -1 if all have it
    uint8_t kind
    uint8_t actor
    uint8_t num_actions
    int8_t fold                # the action that folds, at a decision; -1 if there is none
    int8_t showdown            # the action that leads to a showdown; -1 if there is none

# One street of the betting, as groups.
cdef struct Street:
    const Point* points
    const int32_t* roots       # (num_groups,), points
    const int32_t* slots       # (leaves, lanes): group * lanes + lane on the next one; -1 for none
    const float* chips         # (rows, lanes): seat 0's net at a fold, what each paid at a showdown
    const lanes_t* strategy    # (buckets, num_actions) by decision; last street: see sweep_t
    int num_groups
    int num_buckets
    int depth                  # decisions on the longest path

# One board, and those that one more deal makes of it. Mirrors BOARD_DTYPE.
cdef packed struct Board:
    int32_t first_entry
    int32_t num_entries        # 0 before the last street
    int32_t first_child
    int32_t num_children       # 0 on the last street
    float weight               # chance of the boards it stands for, given its parent and two hands
    uint8_t cards[3]           # those just dealt
    uint8_t num_cards
    uint8_t renamings[24]      # under which it stays as it is, besides the identity
    uint8_t num_renamings
