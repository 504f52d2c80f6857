# The Python doors of indexer.pyx, included at its end: shapes and cards are checked here, once,
# and everything below trusts them.


def _checked_num_board(num_board):
    if num_board not in NUM_HANDS:
        raise CardError(f"{num_board} board cards: a board has 0, 3, 4 or 5 cards")
    return num_board


def _checked_out(out, shape):
    if out is None:
        return np.empty(shape, dtype=np.int64)
    if out.dtype != np.int64 or out.shape != shape or not out.flags.c_contiguous:
        raise ValueError(f"out is {out.dtype} {out.shape}; wanted contiguous int64 {shape}")
    return out


cdef Py_ssize_t _first_bad_row(const uint8_t[:, ::1] cards) noexcept nogil:
    # -1 where every row holds distinct cards: what is no card has no bit, twins share one.
    cdef int num_cards = <int> cards.shape[1]
    cdef Py_ssize_t i
    for i in range(cards.shape[0]):
        if popcount64(_ranks_by_suit(&cards[i, 0], num_cards)) != num_cards:
            return i
    return -1


def _check_cards(const uint8_t[:, ::1] cards):
    if cards.shape[0] == 0 or cards.shape[1] == 0:
        return
    bad = _first_bad_row(cards)
    if bad >= 0:
        raise CardError(
            f"row {bad} is {np.asarray(cards[bad]).tolist()}: wanted distinct cards from 0 to 51"
        )


def _check_range(const int64_t[::1] indices, int64_t count, what):
    array = np.asarray(indices)
    bad = array[(array < 0) | (array >= count)]
    if bad.size:
        raise CardError(f"no {what} has index {bad[0]}: they are 0 to {count - 1}")


def index(const uint8_t[:, ::1] cards, out=None):
    """Return the index of each hand; hands that differ by suits' names alone share one.

    Args:
        cards: uint8 (n, 2 + num_board), hole cards first; num_board is 0, 3, 4 or 5. The order
            of the hole cards and that of the board do not matter.
        out: int64 (n,) to write to; a new array by default.

    Returns:
        int64 (n,), from 0 to ``NUM_HANDS[num_board] - 1``. Without a board, 0..90 are 22, 32o,
        33, 42o, .. AA and 91..168 are 32s, 42s, 43s, .. AKs.

    Raises:
        CardError: a row does not hold distinct cards, or is no hand.
    """
    cdef int num_board = _checked_num_board(cards.shape[1] - 2)
    cdef Py_ssize_t i, n = cards.shape[0]
    result = _checked_out(out, (n,))
    _check_cards(cards)
    cdef int64_t[::1] indices = result
    with nogil:
        for i in range(n):
            indices[i] = hand_index(&cards[i, 0], num_board)
    return result


def unindex(num_board, const int64_t[::1] indices):
    """Return one hand of each index, as uint8 (n, 2 + num_board).

    Hole cards come first; they and the board descend from the highest card. The suits of the
    hole cards are spades, then hearts, so that AKs is ``AsKs``.

    Raises:
        CardError: *num_board* is not 0, 3, 4 or 5, or an index is not of such a hand.
    """
    cdef int size = _checked_num_board(num_board)
    cdef Py_ssize_t i
    _check_range(indices, NUM_HANDS[size], f"hand with {size} board cards")
    result = np.empty((indices.shape[0], 2 + size), dtype=np.uint8)
    cdef uint8_t[:, ::1] cards = result
    with nogil:
        for i in range(indices.shape[0]):
            hand_from_index(size, indices[i], &cards[i, 0])
    return result


def multiplicity(num_board, const int64_t[::1] indices):
    """Return how many hands (unordered hole cards and board) have each index, as int32 (n,).

    Over all indices they add up to C(52, 2) * C(50, num_board).
    """
    cards = unindex(num_board, indices)
    cdef const uint8_t[:, ::1] hands = cards
    cdef int size = num_board
    cdef Py_ssize_t i
    result = np.empty(indices.shape[0], dtype=np.int32)
    cdef int32_t[::1] copies = result
    with nogil:
        for i in range(hands.shape[0]):
            copies[i] = hand_copies(&hands[i, 0], size)
    return result


def index_board(const uint8_t[::1] board):
    """Return the indices of all hole cards on one board (of 0, 3, 4 or 5 cards).

    Returns:
        int64 (1326,) by hole index, -1 where a hole card is on the board.
    """
    return index_boards(np.asarray(board)[np.newaxis])[0]


def index_boards(const uint8_t[:, ::1] boards, out=None):
    """Return the indices of all hole cards on each board.

    Args:
        boards: uint8 (n, num_board); num_board is 0, 3, 4 or 5.
        out: int64 (n, 1326) to write to; a new array by default.

    Returns:
        int64 (n, 1326) by hole index b * (b - 1) / 2 + a of cards a < b, -1 where a hole card is
        on the board.

    Raises:
        CardError: a row does not hold distinct cards, or is no board.
    """
    cdef int num_board = _checked_num_board(boards.shape[1])
    cdef Py_ssize_t i, n = boards.shape[0]
    cdef int hole
    cdef int32_t row[NUM_HOLES]
    result = _checked_out(out, (n, NUM_HOLES))
    _check_cards(boards)
    cdef int64_t[:, ::1] indices = result
    with nogil:
        for i in range(n):
            holes_on_board(&boards[i, 0] if num_board else NULL, num_board, row)
            for hole in range(NUM_HOLES):
                indices[i, hole] = row[hole]
    return result


def board_index(const uint8_t[:, ::1] boards):
    """Return the index of each board alone, up to suits: int64 (n,).

    *boards* is uint8 (n, num_board); num_board is 3, 4 or 5 (or 0, the one board of no cards).
    Indices go to ``NUM_BOARDS[num_board] - 1``.

    Raises:
        CardError: a row does not hold distinct cards, or is no board.
    """
    cdef int num_board = _checked_num_board(boards.shape[1])
    cdef Py_ssize_t i
    _check_cards(boards)
    result = np.empty(boards.shape[0], dtype=np.int64)
    cdef int64_t[::1] indices = result
    with nogil:
        for i in range(boards.shape[0]):
            indices[i] = board_number(&boards[i, 0] if num_board else NULL, num_board)
    return result


def unindex_board(num_board, const int64_t[::1] indices):
    """Return one board of each index of boards alone, as uint8 (n, num_board), highest first.

    Raises:
        CardError: *num_board* is not 0, 3, 4 or 5, or an index is not of such a board.
    """
    cdef int size = _checked_num_board(num_board)
    cdef Py_ssize_t i
    _check_range(indices, NUM_BOARDS[size], f"board of {size} cards")
    result = np.empty((indices.shape[0], size), dtype=np.uint8)
    cdef uint8_t[:, ::1] boards = result
    with nogil:
        for i in range(indices.shape[0] if size else 0):
            board_from_number(size, indices[i], &boards[i, 0])
    return result


def board_multiplicity(num_board, const int64_t[::1] indices):
    """Return how many boards have each index of boards alone, as int32 (n,).

    Over all indices they add up to C(52, num_board).
    """
    found = unindex_board(num_board, indices)
    cdef const uint8_t[:, ::1] boards = found
    cdef int size = num_board
    cdef Py_ssize_t i
    result = np.empty(indices.shape[0], dtype=np.int32)
    cdef int32_t[::1] copies = result
    with nogil:
        for i in range(boards.shape[0]):
            copies[i] = board_copies(&boards[i, 0] if size else NULL, size)
    return result
