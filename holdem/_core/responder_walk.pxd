# Whole ranges on one drawn board, against a responder: a kernel, nobody cimports it.
#
# Points of the betting tree that are alike but for their chips lie in the lanes of one vector,
# group by group: 1, 8 or 16 of them, by how many ways a street begins;
# `holdem/mccfr/lanes.py` makes the groups. A group's reach or value is an array of vectors, one
# for each row: the 1,081 hands that the board leaves have one each, and some rows are none's.
from libc.stdint cimport int32_t, int64_t, uint16_t, uint8_t

cdef extern from "responder_lanes.h" nogil:
    enum:
        NUM_ROWS
        MOST_ACTIONS
    ctypedef struct listing_t:
        int32_t num_buckets
        int32_t buckets[1081]
        int32_t parents[1081]
        float shares[1081]
        int32_t starts[1082]
        uint16_t hands[1081]
        uint16_t places[NUM_ROWS]
    ctypedef struct row_t:
        float* rows
        float* parents
        const float* uniform
        float pull
        int32_t stride
        int32_t num_actions
        int32_t shows_average
    ctypedef struct entry_t:
        uint16_t first
    ctypedef struct ranked_rows_t:
        const entry_t* entries
        int32_t num_entries
        const uint16_t* hands
    ctypedef struct begun_t:
        const float* begun
        const uint16_t* places
        int32_t num_buckets
        int32_t by_hand
    ctypedef struct endings_t:
        const void* folded
        const void* shown
        const float* fold_chips
        const float* show_chips
        float fold_sign
    ctypedef struct held_t:
        const float* begun
        float scale[16]
    # The passes for one number of lanes.
    ctypedef struct lane_passes_t:
        int32_t width
        void (*clear_rows)(float* reach, const uint16_t* rows, int num) noexcept nogil
        void (*weigh)(
            held_t* held, const float* begun, const ranked_rows_t* hands,
        ) noexcept nogil
        void (*sum_buckets)(
            const listing_t* listing, const float* begun, float* sums,
        ) noexcept nogil
        void (*play_rows)(
            const row_t* row, const listing_t* listing, float weight, const float* sums,
            const float* likely, float* played,
        ) noexcept nogil
        void (*learn_rows)(
            const row_t* row, const listing_t* listing, float weight, const float* of_action,
            float* values, bint more, const held_t* held,
        ) noexcept nogil
        void (*answer)(
            const row_t* row, const ranked_rows_t* hands, const float* of_action, float* values,
            uint16_t* choices, bint more,
        ) noexcept nogil
        void (*own_endings)(
            const ranked_rows_t* hands, const begun_t* begun, const endings_t* endings,
            float* of_fold, float* of_show, float* work,
        ) noexcept nogil
        void (*others_endings)(
            const ranked_rows_t* hands, const begun_t* begun, const endings_t* endings, bint more,
            float* values, float* work,
        ) noexcept nogil
    const lane_passes_t RESPONDER_LANES_1
    const lane_passes_t RESPONDER_LANES_8
    const lane_passes_t RESPONDER_LANES_16
    void unpack_between(
        const lane_passes_t* above, const lane_passes_t* below, float* blocks,
        const begun_t* begun, const float* likely, const int32_t* slots,
        const ranked_rows_t* hands,
    )
    void play_choices(
        const uint16_t* choices, int num_actions, const uint16_t* there, uint16_t* played,
    )
    void pack_between(
        const lane_passes_t* above, const lane_passes_t* below, float* packed, const float* blocks,
        const int32_t* slots, const ranked_rows_t* hands, bint more,
    )

cdef enum PointKind:
    DECISION = 0
    FOLDED = 1
    SHOWN = 2                  # a showdown, on whichever street the betting ended
    NEXT_STREET = 3

# One point of a group's shape. Mirrors POINT_DTYPE in responder_walk.pyx field for field.
cdef packed struct Point:
    int64_t first_action       # of the street's actions, those of all its decisions in order
    int32_t first_child        # children are contiguous
    int32_t chips              # row of the street's chips, at an ending
    int32_t leaf               # row of the street's slots, at NEXT_STREET
    uint8_t kind
    uint8_t actor
    uint8_t num_actions

# One street of the betting, as groups.
cdef struct Betting:
    const lane_passes_t* passes
    const Point* points
    const int32_t* roots       # (num_groups,), points
    const int32_t* slots       # (leaves, width): group * width + lane of the next; -1 for none
    const float* chips         # (rows, width): seat 0's net at a fold, else what each paid
    const float* uniform       # (actions, width): 1 / actions where a lane has this one, else 0
    int num_groups
    int num_buffers            # actions that one seat decides among on a path, at most

# The rows of one player, by street.
cdef struct Rows:
    float* lanes[4]            # for each action of the street, bucket by bucket, `words` vectors
    int64_t num_buckets[4]
    int words                  # 2: regrets and then sums of the average; 1: regrets
    float* parents[4]          # for each action of the street, parent by parent, a vector
    int64_t num_parents[4]     # 0 where buckets have none
    const int32_t* parent_of[4]
    const float* shares[4]     # of each bucket in its parent
