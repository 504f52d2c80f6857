# Whole ranges on one drawn board, against a responder: a kernel, nobody cimports it.
#
# Points of the betting tree that are alike but for their chips lie in the 16 lanes of one
# vector, group by group; `holdem/mccfr/lanes.py` makes the groups. A group's reach or value is
# an array of vectors, one for each of the 1,081 hands that the board leaves.
from libc.stdint cimport int8_t, int32_t, int64_t, uint16_t, uint8_t

cdef extern from "responder_walk_simd.h" nogil:
    enum:
        NUM_LANES
        NUM_ROWS
    ctypedef float lanes_t                 # sixteen floats; only its address is taken here
    ctypedef int8_t lane_choices_t         # sixteen actions, likewise
    ctypedef struct listing_t:
        int32_t num_buckets
        int32_t buckets[1081]
        int32_t starts[1082]
        uint16_t hands[1081]
    ctypedef struct row_t:
        lanes_t* rows
        const lanes_t* uniform
        int32_t stride
        int32_t num_actions
    void play_rows(
        const row_t* row, const listing_t* listing, float weight, const lanes_t* reach,
        lanes_t* played,
    )
    void learn_rows(
        const row_t* row, const listing_t* listing, float weight, const lanes_t* of_action,
        lanes_t* values, bint more,
    )
    void answer(
        const row_t* row, const uint16_t* hands, const lanes_t* of_action, lanes_t* values,
        lane_choices_t* choices, bint more,
    )
    void play_choices(
        const lane_choices_t* choices, int num_actions, const uint16_t* hands,
        const lanes_t* reach, lanes_t* played,
    )
    void clear_rows(lanes_t* reach, const uint16_t* rows, int num)
    void unpack_lanes(
        float* blocks, const lanes_t* packed, const int32_t* slots, int num_rows,
        const uint16_t* rows, int num_listed,
    )
    void pack_lanes(
        lanes_t* packed, const float* blocks, const int32_t* slots, int num_rows,
        const uint16_t* rows, int num_listed, bint more,
    )

cdef extern from "responder_endings.h" nogil:
    ctypedef struct entry_t:
        uint16_t first
    ctypedef struct ranked_rows_t:
        const entry_t* entries
        int32_t num_entries
    ctypedef struct endings_t:
        const lanes_t* folded
        const lanes_t* shown
        lanes_t fold_chips
        lanes_t show_chips
    void set_chips(lanes_t* to, const float* chips, float sign)
    void own_endings(
        const ranked_rows_t* hands, const endings_t* endings, lanes_t* of_fold, lanes_t* of_show,
    )
    void others_endings(
        const ranked_rows_t* hands, const endings_t* endings, bint more, lanes_t* values,
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
    int32_t decision           # number among its group's decisions
    uint8_t kind
    uint8_t actor
    uint8_t num_actions

# One street of the betting, as groups.
cdef struct Betting:
    const Point* points
    const int32_t* roots       # (num_groups,), points
    const int32_t* slots       # (leaves, 16): group * 16 + lane on the next street; -1 for no lane
    const float* chips         # (rows, 16): seat 0's net at a fold, what each paid at a showdown
    const float* uniform       # (actions, 16): 1 / actions where a lane has this one, else 0
    int num_groups
    int most_decisions         # of a group
    int depth                  # points on the longest path
    int most_actions

# The rows of one player, by street.
cdef struct Rows:
    float* lanes[4]            # for each action of the street, bucket by bucket, `words` vectors
    int64_t num_buckets[4]
    int words                  # 2: regrets and then sums of the average; 1: regrets
