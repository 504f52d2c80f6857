# Both players' hands on every board that a postflop subgame can come to.
#
# A range is a list of hands. On each board it is the hands that share no card with it,
# padded to a multiple of sixteen with at least one hand that is none, whose reach is zero
# always. On the river the weakest hand comes first; on earlier streets hands keep the
# order of the whole range. Boards that a renaming of suits turns into one another, with
# both ranges, are one board, which then stands for several cards.
from libc.stdint cimport int32_t, int64_t, uint16_t, uint8_t

from holdem._core.showdown cimport RankedHands
from holdem._core.types cimport card_t

cdef enum:
    HANDS_BLOCK = 16           # lists are padded to a multiple of this
    MOST_BOARD_STREETS = 3     # flop, turn, river

cdef struct RangeBoard:
    int32_t num_hands[2]       # by player
    int32_t pad[2]
    int32_t first_child        # boards of the next street; children are contiguous
    int32_t num_children
    int32_t num_maps           # next cards that this board stands for
    int32_t num_levels         # of strength; 0 before the river
    card_t card                # the last one dealt, of the first map; of no meaning at the root
    RankedHands ranked[2]      # cards before the river too, but level_ends only there
    const uint16_t* places[2]  # (num_maps, pad) each hand's place on the board before, renamed
    int64_t map_stride         # items from one map to the next
    const uint16_t* same[2]    # (pad,) the other player's same hand, or its num_hands

cdef class RangeBoards:
    cdef readonly int num_streets
    cdef readonly tuple board              # cards of the root
    cdef readonly list dealings
    cdef RangeBoard* boards                # street by street
    cdef int64_t first_board[MOST_BOARD_STREETS + 1]
    cdef list memory                       # what the pointers point into

    cdef int _add(
        self, int street, const uint8_t[:, ::1] board_cards, holes, const int32_t[::1] parents,
        const uint8_t[::1] dealt, const int32_t[::1] first_maps, const uint8_t[:, ::1] renamings,
    ) except -1
