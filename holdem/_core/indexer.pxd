# Numbers for hands up to a renaming of the suits: read this first, then indexer.pyx.
#
# A hand is two hole cards and a board of 0, 3, 4 or 5 cards; neither order counts. Two hands
# have the same index exactly when some renaming of the four suits turns one into the other.
from libc.stdint cimport int32_t, int64_t, uint32_t

from holdem._core.types cimport card_t

cdef enum:
    NUM_RANKS = 13
    NUM_CLASSES = 169          # hole cards up to suits: the index without a board

# A board made ready for hole cards; arrays are by suit. The fifth suit is empty: it is the third
# of "the other suits" where hole cards leave only two.
cdef struct BoardState:
    uint32_t ranks[5]          # the board's ranks, one bit each
    uint32_t keys[5]           # number of ranks, then their number among such sets
    int32_t num_board

# ---- One hand --------------------------------------------------------------------------------
# cards: (2 + num_board,), hole cards first, distinct; num_board in 0, 3, 4, 5.
cdef int64_t hand_index(const card_t* cards, int num_board) noexcept nogil
cdef void hand_from_index(int num_board, int64_t index, card_t* cards) noexcept nogil
cdef int hand_copies(const card_t* cards, int num_board) noexcept nogil   # hands of this index

# ---- Many hands on one board -----------------------------------------------------------------
# For a few: prepare_board once, then hole_on_board for each pair. For all: holes_on_board,
# which writes 1,326 indices by hole index, -1 where a card is on the board.
cdef void prepare_board(const card_t* board, int num_board, BoardState* state) noexcept nogil
cdef int64_t hole_on_board(const BoardState* state, card_t first, card_t second) noexcept nogil
cdef void holes_on_board(const card_t* board, int num_board, int32_t* indices) noexcept nogil

# ---- Boards alone ----------------------------------------------------------------------------
# num_board in 0, 3, 4, 5: 1; 1,755; 16,432; 134,459 boards up to suits.
cdef int64_t board_number(const card_t* board, int num_board) noexcept nogil
cdef void board_from_number(int num_board, int64_t number, card_t* board) noexcept nogil
cdef int board_copies(const card_t* board, int num_board) noexcept nogil  # boards of this number
