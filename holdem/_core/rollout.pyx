"""Known hands against all 1,326 others, over every way to complete the board.

A run-out is ranked once for all the known hands; each then compares its level with those
of all pairs of cards, a vector at a time. So more hands on one board cost little more than one.
"""

import numpy as np

from libc.stdint cimport uint8_t, uint16_t

from holdem._core.river cimport NO_LEVEL, ROW, River, rank_river
from holdem._core.types cimport NUM_CARDS, NUM_HOLES, card_t

from holdem.errors import CardError, MismatchError

__all__ = ["range_sums", "rollout_equities"]

cdef extern from "rollout_simd.h":
    void add_scores(const uint8_t* levels, uint8_t own, uint16_t* scores) nogil


cdef void score_run_out(
    const card_t* board,           # (5,)
    const card_t* hands,           # (num_hands, 2)
    int num_hands,
    uint16_t* scores,              # INOUT (num_hands, 52, ROW): two for a win, one for a tie
) noexcept nogil:
    """Add what each hand scores on one full board; hands that hold a card of it score nothing."""
    cdef River river
    cdef int hand
    cdef uint8_t level
    rank_river(board, &river)
    for hand in range(num_hands):
        level = river.levels[hands[2 * hand]][hands[2 * hand + 1]]
        if level != NO_LEVEL:
            add_scores(&river.levels[0][0], level, scores + hand * NUM_CARDS * ROW)


cdef void score_run_outs(
    card_t* board,                 # (5,), of which num_dealt are dealt; the rest is scratch
    int num_dealt,
    int first,                     # run-outs take cards from here on, ascending
    const uint8_t* dead,           # (52,)
    const card_t* hands,
    int num_hands,
    uint16_t* scores,
) noexcept nogil:
    """Complete the board in every way; no hand meets more than 1,176, so scores fit 16 bits."""
    cdef int card
    if num_dealt == 5:
        score_run_out(board, hands, num_hands, scores)
        return
    for card in range(first, NUM_CARDS):
        if not dead[card]:
            board[num_dealt] = <card_t>card
            score_run_outs(board, num_dealt + 1, card + 1, dead, hands, num_hands, scores)


def rollout_equities(hands, board):
    """Return the equity of each hand against each other, if both go to the end.

    Args:
        hands: pairs of cards, shape (num_hands, 2), none on the board.
        board: 3, 4 or 5 cards.

    Returns:
        float32 (num_hands, 1326), by hole index of the other hand: the share of the
        run-outs that the hand wins, ties counting half; 0 where the two share a card or the
        other holds one of the board.

    Raises:
        CardError: the cards are not distinct, or not as many as wanted.
    """
    dealt = np.asarray(board, np.int64).ravel()
    pairs = np.asarray(hands, np.int64)
    if len(dealt) not in (3, 4, 5) or pairs.ndim != 2 or pairs.shape[1] != 2:
        raise CardError(
            f"a board of {len(dealt)} cards and hands of shape {pairs.shape}",
            "pass 3 to 5 cards, and pairs of cards",
        )
    every = np.concatenate([pairs, np.broadcast_to(dealt, (len(pairs), len(dealt)))], axis=1)
    if (
        (every < 0).any() or (every >= NUM_CARDS).any()
        or (np.diff(np.sort(every, axis=1), axis=1) == 0).any()
    ):
        raise CardError(
            f"not distinct cards: {pairs.tolist()} on {dealt.tolist()}",
            "cards are 0 (2c) to 51 (As), each once",
        )
    cdef const card_t[:, ::1] views = np.ascontiguousarray(pairs, np.uint8)
    cdef card_t[::1] full = np.zeros(5, np.uint8)
    cdef uint8_t[::1] dead = np.zeros(NUM_CARDS, np.uint8)
    cdef int num_hands = len(pairs), num_dealt = len(dealt), hand, low, high, hole, place, gone
    # The other two cards take two of those that are left.
    run_outs = {3: 990, 4: 44, 5: 1}[num_dealt]
    cdef float most = 2.0 * run_outs
    scores = np.zeros((num_hands, NUM_CARDS, ROW), np.uint16)
    equities = np.zeros((num_hands, NUM_HOLES), np.float32)
    if not num_hands:
        return equities
    cdef uint16_t[:, :, ::1] score = scores
    cdef float[:, ::1] equity = equities
    for place, gone in enumerate(dealt.tolist()):
        full[place] = gone
        dead[gone] = 1
    with nogil:
        score_run_outs(
            &full[0], num_dealt, 0, &dead[0], &views[0, 0], num_hands, &score[0, 0, 0]
        )
        for hand in range(num_hands):
            hole = 0
            for high in range(NUM_CARDS):
                for low in range(high):
                    if not (
                        high == views[hand, 0] or high == views[hand, 1]
                        or low == views[hand, 0] or low == views[hand, 1]
                    ):
                        equity[hand, hole] = score[hand, high, low] / most
                    hole += 1
    return equities


def range_sums(const double[:, ::1] ranges, const double[:, ::1] weights):
    """Return the sum of *weights* over each range, in an order that never changes.

    A product of matrices would do the same, but for its last bits: they depend on how many
    threads the machine gives it.

    Args:
        ranges: float64 (num_ranges, num_hands).
        weights: float64 (num_hands, num_columns).

    Returns:
        float64 (num_ranges, num_columns).

    Raises:
        MismatchError: they are of different numbers of hands.
    """
    if ranges.shape[1] != weights.shape[0]:
        raise MismatchError(
            f"ranges of {ranges.shape[1]} hands, weights of {weights.shape[0]}",
            "use those of one deck",
        )
    sums = np.zeros((ranges.shape[0], weights.shape[1]))
    cdef double[:, ::1] view = sums
    cdef Py_ssize_t one, hand, column, num_columns = weights.shape[1]
    cdef const double* row
    cdef double* total
    cdef double share
    if not sums.size:
        return sums
    with nogil:
        for one in range(ranges.shape[0]):
            total = &view[one, 0]
            for hand in range(ranges.shape[1]):
                share = ranges[one, hand]
                if share != 0:
                    row = &weights[hand, 0]
                    for column in range(num_columns):
                        total[column] += share * row[column]
    return sums
