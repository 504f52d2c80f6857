# Plays hands: policies of one betting tree against one another, one path per deal.
#
# It reads the tree, the deals and each seat's probabilities, and writes where each hand
# ended and what everybody won, in whole chips as the rules divide them. It never sees
# a card. Seats may use different bucket sets, hence deals and rows of their own.
from holdem._core.deal cimport Deal
from holdem._core.rng cimport Stream
from holdem._core.types cimport MAX_PLAYERS, Node
from libc.stdint cimport int32_t, int64_t, uint16_t

cdef enum:
    ONE = 65_535               # the number that stands for probability 1
    FIRST_LANE = 16            # of the streams that actions are drawn from; the training uses less


cdef struct Seat:
    const int64_t* first_slots         # (num_nodes,), where a node's rows begin
    const uint16_t* units              # (num_slots,), probabilities in units of 1 / ONE
    const Deal* deals                  # (num_hands,), this seat's buckets


cdef struct Tree:
    const Node* nodes
    const int32_t* contributions       # (num_endings, num_players), chips
    const uint16_t* folded             # (num_endings,), bit p: seat p folded
    int num_players
