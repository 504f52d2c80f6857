# Names and limits shared by the whole compiled core. Declarations only.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

ctypedef uint8_t card_t        # rank * 4 + suit: 2c is 0, As is 51
ctypedef int32_t chips_t       # whole chips
ctypedef uint16_t strength_t   # 1 .. 7462; higher wins, equal splits

cdef enum:
    NUM_CARDS = 52
    NUM_HOLES = 1326           # unordered pairs of cards
    MAX_PLAYERS = 9
    MAX_STREETS = 4
    MAX_ACTIONS = 16           # at one decision node

# What a kernel hands back; errors.py has the wording, the door raises.
cdef enum Status:
    OK = 0
    OUT_OF_MEMORY = 1
    TREE_TOO_LARGE = 2
    TOO_MANY_ACTIONS = 3
    OUT_OF_SHARED_MEMORY = 4

# How the hand ends at a node of the betting tree.
cdef enum Ending:
    NO_ENDING = 0              # a decision node
    FOLD = 1                   # all but one folded
    SHOWDOWN = 2

# One point of the public betting tree. Mirrors NODE_DTYPE in holdem/game/tree.py
# field for field; tests/test_tree.py compares them.
cdef packed struct Node:
    int64_t first_slot         # bucket 0's first action in the regret table; -1 at an ending
    int32_t first_child        # children are contiguous: first_child + action; -1 at an ending
    int32_t ending_index       # row of the tree's contributions and folded; -1 at a decision
    int32_t pot                # chips in the middle, from all players
    uint8_t num_actions        # 0 at an ending
    uint8_t actor              # seat to act: see GameConfig for the order of seats
    uint8_t street             # 0 preflop .. 3 river; at an ending the last street with a decision
    uint8_t ending             # NO_ENDING, FOLD or SHOWDOWN
