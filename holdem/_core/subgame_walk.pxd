# Monte Carlo CFR over the betting of one street, for any number of players.
#
# A walk is of one player. It draws a hand for everybody else and how they act, and goes
# through all hands of the player at once, and all of the player's actions: against known
# hands a showdown is worth the same to all hands that stand alike, so that a thousand hands
# cost little more than one.
#
# Rows are (num_actions, pad) floats, [action][hand]: of a decision those of its actor, of a
# leaf those of every player who chooses there (see leaf_rows). Regrets and sums of the
# average strategy are laid out alike.
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint64_t

from holdem._core.rng cimport Stream
from holdem._core.types cimport MAX_PLAYERS, MAX_STREETS, card_t

cdef enum:
    MOST_STANDINGS = 2 * MAX_PLAYERS + 2


# How a point of the street's betting goes on.
cdef enum StreetKind:
    DECISION = 0
    STREET_ENDING = 1          # nobody acts any more: one is left, or the cards decide
    LEAF = 2                   # the street is over, and the hand is not


# One point of the street's betting. Mirrors STREET_NODE_DTYPE in subgame_walk.pyx.
cdef packed struct StreetNode:
    int64_t first_row          # of a decision: where its rows begin, in floats
    int32_t first_child        # children are contiguous: first_child + action
    int32_t place              # of an ending or leaf: row of stakes and folded
    uint8_t kind
    uint8_t actor              # a seat
    uint8_t num_actions
    uint8_t locked             # its strategy stays as it is
    int8_t line_action         # what was really done here; -1 if nothing was
    uint8_t padding[3]


cdef struct SeatHands:
    int num_hands              # 0 of a seat that has folded before
    int64_t pad
    const card_t* cards        # (pad, 2)
    const uint64_t* bits       # (pad,), the set of both cards; all ones of what is no hand
    const int32_t* holes       # (num_hands,), their numbers
    const double* up_to        # (num_hands,), weights added up
    int32_t* strengths         # (pad,), on the walk's board; twice the evaluator's
    uint16_t* buckets[MAX_STREETS]     # (pad,), on the walk's board


cdef struct WalkState:
    # One walk: what was drawn, and what it updates.
    Stream stream
    int player
    float weight               # of the iteration
    card_t board[5]
    int choice[MAX_PLAYERS]                    # how a seat lets the blueprint go on
    uint16_t bucket[MAX_STREETS][MAX_PLAYERS]  # of the hands drawn
    int hole[MAX_PLAYERS]                      # which of its hands each seat was drawn
    int32_t strength[MAX_PLAYERS]              # of them; twice the evaluator's
    int32_t standing_strength[MOST_STANDINGS]  # that stands so; twice the evaluator's
    int num_standings                          # the last one is of hands that cannot be
    uint8_t* standings                         # (pad,), of the player's hands
    float* scratch                             # what is free of it
