"""What the endings of one river board are worth to every hand, sixteen endings at a time.

The two sums that every walk over whole ranges ends in, in linear time over hands in
order of strength, with card removal (Johanson et al. 2011).
"""

import numpy as np

from libc.stdint cimport uint8_t, uint16_t
from libc.string cimport memset

from holdem._core.river cimport MAX_LEVELS, NO_LEVEL, River, rank_river
from holdem._core.types cimport NUM_HOLES

from holdem._core.river import checked_board

cdef extern from "showdown_simd.h":
    void sum_compatible(
        const uint8_t* cards, int num_own, const uint16_t* same, const uint8_t* theirs,
        int num_theirs, const float* reach, int reach_stride, float* values, int value_stride,
    ) nogil
    void evaluate_rows(
        const RankedHands* own, const RankedHands* opponent, int num_levels, const uint16_t* same,
        const EndingRows* rows, float* scratch,
    ) nogil

__all__ = ["fold_values", "showdown_margins"]


cdef int rank_hands(
    const River* river,
    const uint8_t* holes,          # IN   (num_holes, 2), none with a card of the board
    int num_holes,
    uint16_t* order,               # OUT  (num_holes,) which hole is at each place
    uint8_t* cards,                # OUT  (num_holes, 2), the weakest first
    uint16_t* level_ends,          # OUT  (num_levels,)
) noexcept nogil:
    """Sort some hands by strength on a ranked river; equal ones keep their order.

    The three outputs, and ``river.num_levels`` for both players, are what `RankedHands`
    and `ending_values` want. Returns ``river.num_levels``.
    """
    cdef uint16_t starts[MAX_LEVELS]
    cdef int hole, level, place, before = 0
    memset(starts, 0, sizeof(starts))
    for hole in range(num_holes):
        starts[river.levels[holes[2 * hole]][holes[2 * hole + 1]]] += 1
    for level in range(river.num_levels):
        before += starts[level]
        level_ends[level] = before
        starts[level] = before - starts[level]
    for hole in range(num_holes):
        level = river.levels[holes[2 * hole]][holes[2 * hole + 1]]
        place = starts[level]
        starts[level] += 1
        order[place] = hole
        cards[2 * place] = holes[2 * hole]
        cards[2 * place + 1] = holes[2 * hole + 1]
    return river.num_levels


cdef void ending_values(
    const RankedHands* own,
    const RankedHands* opponent,
    int num_levels,
    const uint16_t* same,          # IN   (own.num_hands,) the opponent's same hand, or its number
    const EndingRows* rows,
    float* scratch,                # 16 floats for each padded hand of both
) noexcept nogil:
    """Value sixteen endings by showdown, by fold, or both after the same reach."""
    evaluate_rows(own, opponent, num_levels, same, rows, scratch)


# --- doors: for tests, and for callers with one board at a time --------------------------------

cdef float[:, ::1] _aligned(int num_rows, int num_columns):
    """Zeros that begin at a multiple of 64 bytes."""
    whole = np.zeros(num_rows * num_columns + 16, np.float32)
    skip = (-whole.ctypes.data // 4) % 16
    return whole[skip : skip + num_rows * num_columns].reshape(num_rows, num_columns)


def _padded(reach, int num_hands):
    """Reach (hands, endings) in lanes of 16, with a row of zeros below."""
    array = np.asarray(reach, np.float32)
    if array.ndim != 2 or array.shape[0] != num_hands:
        raise ValueError(f"reach of shape {array.shape}: wanted ({num_hands}, endings)")
    padded = np.asarray(_aligned(num_hands + 1, -(-array.shape[1] // LANES) * LANES))
    padded[:num_hands, : array.shape[1]] = array
    return padded


def _holes(holes):
    array = np.ascontiguousarray(holes, np.uint8)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"hands of shape {array.shape}: wanted (hands, 2)")
    return array


cdef class _Player:
    """Some hands on a ranked river, with the memory that `RankedHands` points to."""

    cdef RankedHands hands
    cdef uint16_t[::1] order
    cdef const uint8_t[:, ::1] holes
    cdef uint8_t[:, ::1] cards
    cdef uint16_t[::1] level_ends

    @staticmethod
    cdef _Player on(const River* river, holes):
        cdef _Player self = _Player()
        cdef int hand
        # One hand more than there are: the first item of an empty array has no address.
        self.holes = np.concatenate([_holes(holes), np.zeros((1, 2), np.uint8)])
        self.hands.num_hands = len(self.holes) - 1
        if self.hands.num_hands > NUM_HOLES:
            raise ValueError(f"{self.hands.num_hands} hands, of which there are {NUM_HOLES}")
        for hand in range(self.hands.num_hands):
            if (
                max(self.holes[hand, 0], self.holes[hand, 1]) > 51
                or river.levels[self.holes[hand, 0]][self.holes[hand, 1]] == NO_LEVEL
            ):
                raise ValueError(f"no hand on this board: {list(self.holes[hand])}")
        self.order = np.empty(len(self.holes), np.uint16)
        self.cards = np.empty((len(self.holes), 2), np.uint8)
        self.level_ends = np.empty(MAX_LEVELS, np.uint16)
        self.hands.cards = &self.cards[0, 0]
        self.hands.level_ends = &self.level_ends[0]
        rank_hands(
            river, &self.holes[0, 0], self.hands.num_hands,
            &self.order[0], &self.cards[0, 0], &self.level_ends[0],
        )
        return self

    def places(self):
        """Which hole is at each place, the weakest first."""
        return np.asarray(self.order)[: self.hands.num_hands]


def showdown_margins(board, own, theirs, reach):
    """Return, for each own hand, the opponent's reach that it beats minus that which beats it.

    Args:
        board: five distinct cards.
        own: uint8 (hands, 2), none of them with a card of the board.
        theirs: uint8 (hands, 2), likewise.
        reach: float32 (their hands, endings).

    Returns:
        float32 (own hands, endings).

    Raises:
        CardError: *board* is not five distinct cards.
        ValueError: a shape is wrong, or a hand holds a card of the board.
    """
    cdef const uint8_t[::1] cards = checked_board(board)
    cdef River river
    rank_river(&cards[0], &river)
    cdef _Player mine = _Player.on(&river, own), other = _Player.on(&river, theirs)
    if np.shape(reach)[:1] != (other.hands.num_hands,):
        raise ValueError(f"reach of shape {np.shape(reach)}: wanted ({len(theirs)}, endings)")
    cdef int width = -(-np.shape(reach)[1] // LANES) * LANES, group, i
    cdef int own_hands = mine.hands.num_hands // LANES * LANES + LANES
    cdef int their_hands = other.hands.num_hands // LANES * LANES + LANES
    cdef float[:, ::1] weights = _aligned(width, their_hands)
    cdef float[:, ::1] values = _aligned(width, own_hands)
    cdef float[:, ::1] scratch = _aligned(own_hands + their_hands, LANES)
    cdef float[:, ::1] worth = _aligned(1, LANES)
    cdef EndingRows rows
    by_ending = np.asarray(reach, np.float32)[other.places()].T
    np.asarray(weights)[: by_ending.shape[0], : by_ending.shape[1]] = by_ending
    worth[:] = 1
    rows.showdown_worth = &worth[0, 0]
    rows.fold_worth = NULL
    with nogil:
        for group in range(width // LANES):
            for i in range(LANES):
                rows.reach[i] = &weights[LANES * group + i, 0]
                rows.showdowns[i] = &values[LANES * group + i, 0]
            ending_values(
                &mine.hands, &other.hands, river.num_levels, NULL, &rows, &scratch[0, 0]
            )
    result = np.empty((mine.hands.num_hands, np.shape(reach)[1]), np.float32)
    result[mine.places()] = np.asarray(values).T[: len(result), : result.shape[1]]
    return result


def fold_values(own, theirs, reach):
    """Return, for each own hand, the opponent's reach over hands that share no card with it.

    Args:
        own: uint8 (hands, 2).
        theirs: uint8 (hands, 2), no hand twice.
        reach: float32 (their hands, endings).

    Returns:
        float32 (own hands, endings).

    Raises:
        ValueError: a shape is wrong, or a card is above 51.
    """
    mine, other = _holes(own), _holes(theirs)
    if max(mine.max(initial=0), other.max(initial=0)) > 51:
        raise ValueError("a card above 51")
    place = np.full((52, 52), len(other), np.uint16)
    place[other[:, 0], other[:, 1]] = place[other[:, 1], other[:, 0]] = np.arange(len(other))
    cdef int num_own = len(mine), num_theirs = len(other), group
    laid = _padded(reach, num_theirs)
    cdef float[:, ::1] weights = laid
    cdef int width = weights.shape[1]
    cdef float[:, ::1] values = _aligned(num_own + 1, width)
    cdef const uint16_t[::1] same = np.append(place[mine[:, 0], mine[:, 1]], np.uint16(0))
    cdef const uint8_t[:, ::1] cards = np.concatenate([mine, np.zeros((1, 2), np.uint8)])
    cdef const uint8_t[:, ::1] their_cards = np.concatenate([other, np.zeros((1, 2), np.uint8)])
    with nogil:
        for group in range(width // LANES):
            sum_compatible(
                &cards[0, 0], num_own, &same[0], &their_cards[0, 0], num_theirs,
                &weights[0, LANES * group], width, &values[0, LANES * group], width,
            )
    return np.asarray(values)[:-1, : np.shape(reach)[1]].copy()
