"""Exact equities: a hand against a random one, over run-outs, and range against range.

Every river board's hands are ranked at once (see river.pxd), which answers for all
opponents together; hands that share a card with the one asked about are then taken
off. Before the flop, boards that differ by a renaming of suits are ranked once: the
hole cards are renamed instead.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, permutations
from typing import NamedTuple

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memset

from holdem._core.evaluator cimport evaluate5, evaluate6, evaluate7
from holdem._core.river cimport MAX_LEVELS, NO_LEVEL, River, rank_river
from holdem._core.types cimport NUM_CARDS, NUM_HOLES, card_t, strength_t

from holdem._core.allin import AllIn, equity
from holdem._core.preflop import ClassCounts, preflop_counts, preflop_equities
from holdem._core.river import board_strengths, canonical_rivers, river_equities
from holdem.errors import CardError, ConfigError

cdef extern from "equity_simd.h":
    void compare_row(const uint8_t* row, uint8_t level, int* weaker, int* equal) nogil

__all__ = [
    "AllIn",
    "ClassCounts",
    "HandStrength",
    "RangeEquity",
    "Tally",
    "board_strengths",
    "equity",
    "hand_strength",
    "hand_vs_random",
    "hands_that_meet",
    "preflop_counts",
    "preflop_equities",
    "range_equity",
    "river_equities",
]


class Tally(NamedTuple):
    """How often a hand wins and ties, of how many meetings with another and a board."""

    win: int
    tie: int
    total: int

    @property
    def equity(self):
        """The share of the pot: a tie is half."""
        return (2 * self.win + self.tie) / (2 * self.total)


class HandStrength(NamedTuple):
    """How good a hand is now and over the cards to come, against a random hand.

    The measures of Johanson et al. (2013, Evaluating State-Space Abstractions).

    Attributes:
        hs: share of opponents' hands beaten on the board as it is, ties as half.
        ehs: mean equity on the river over all run-outs.
        ehs2: mean of its square.
        histogram: int64 (10,), run-outs by tenth of the river's equity.
        num_runouts: how many there are.
    """

    hs: float
    ehs: float
    ehs2: float
    histogram: np.ndarray
    num_runouts: int


class RangeEquity(NamedTuple):
    """How often a range wins and ties against another, by weight.

    Where *total* has no float64, as for weights of 1e200, all three count the weights of
    each range in units of the power of two above its largest.

    Attributes:
        win: summed products of the weights of two hands that share no card, over the
            boards on which the first wins.
        tie: the same where they are equal.
        total: the same over all boards.
    """

    win: float
    tie: float
    total: float

    @property
    def equity(self):
        """The share of the pot: a tie is half."""
        return (2 * self.win + self.tie) / (2 * self.total)


# --- boards ----------------------------------------------------------------------------------

def _checked_cards(cards, sizes, what):
    """Return *cards* as a list of distinct cards, as many as one of *sizes*."""
    found = [int(card) for card in cards]
    if len(found) not in sizes:
        raise CardError(
            f"{what} of {len(found)} cards", f"pass {' or '.join(map(str, sizes))} cards"
        )
    if len(set(found)) != len(found) or any(card < 0 or card >= NUM_CARDS for card in found):
        raise CardError(f"not distinct cards: {found}", "cards are 0 (2c) to 51 (As), each once")
    return found


def _river_boards(board, dead=()):
    """Return all river boards that follow a flop, turn or river, as uint8 (n, 5)."""
    left = np.array([c for c in range(NUM_CARDS) if c not in board and c not in dead], np.uint8)
    if len(board) == 3:
        first, second = np.triu_indices(len(left), 1)
        more = np.stack([left[first], left[second]], axis=1)
    elif len(board) == 4:
        more = left[:, None]
    else:
        more = np.empty((1, 0), np.uint8)
    known = np.broadcast_to(np.array(board, np.uint8), (len(more), len(board)))
    return np.ascontiguousarray(np.hstack([known, more]))


def _in_threads(threads, function, num_items):
    """Return the results of *function* on ranges that cover *num_items*, in order.

    The ranges do not depend on *threads*, so neither do sums of floats over them.
    """
    if threads < 1:
        raise ConfigError(f"threads must be at least 1, not {threads}")
    cuts = np.linspace(0, num_items, min(num_items, 64) + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda span: function(*span), pairwise(cuts)))


# --- a hand against a random one --------------------------------------------------------------

cdef void count_hand(
    const River* river, card_t low, card_t high, int64_t* wins, int64_t* ties,
) noexcept nogil:
    """Hands that are weaker than this one, or equal, and share no card with it."""
    cdef int level = river.levels[high][low]
    cdef int weaker_low, weaker_high, equal_low, equal_high
    compare_row(&river.levels[low][0], level, &weaker_low, &equal_low)
    compare_row(&river.levels[high][0], level, &weaker_high, &equal_high)
    wins[0] = river.below[level] - weaker_low - weaker_high
    # The hand itself is among the equal ones: once in all, once in each row.
    ties[0] = river.below[level + 1] - river.below[level] - equal_low - equal_high + 1


def _count_hands(
    const uint8_t[:, ::1] boards, const int64_t[::1] multiplicities, const uint8_t[:, ::1] holes,
):
    """Return wins, ties and meetings of all *holes* (n, 2) with random hands on *boards*."""
    cdef River river
    cdef Py_ssize_t i, j
    cdef int64_t win = 0, tie = 0, total = 0, wins, ties
    with nogil:
        for i in range(boards.shape[0]):
            rank_river(&boards[i, 0], &river)
            for j in range(holes.shape[0]):
                if river.levels[holes[j, 0]][holes[j, 1]] != NO_LEVEL:
                    count_hand(&river, holes[j, 0], holes[j, 1], &wins, &ties)
                    win += multiplicities[i] * wins
                    tie += multiplicities[i] * ties
                    total += multiplicities[i] * 990
    return win, tie, total


def hand_vs_random(hole, board=(), threads=1):
    """Return how often two hole cards beat and tie a random hand, over all run-outs.

    Args:
        hole: two cards.
        board: the 0, 3, 4 or 5 cards on the board.
        threads: how many to count with; the counts are the same.

    Raises:
        CardError: the cards are not distinct, or not as many as wanted.
        ConfigError: *threads* is below 1.
    """
    hole = _checked_cards(hole, (2,), "a hand")
    board = _checked_cards(board, (0, 3, 4, 5), "a board")
    _checked_cards(hole + board, (len(hole + board),), "a hand and board")
    if board:
        boards = _river_boards(board, hole)
        multiplicities = np.ones(len(boards), np.int64)
        holes = np.array([hole], np.uint8)
    else:
        boards, multiplicities = canonical_rivers()
        # A kind of boards meets the hand in as many ways as the one board meets the
        # hands of the same class.
        holes = np.unique(
            [
                sorted(card & ~3 | suits[card & 3] for card in hole)
                for suits in permutations(range(4))
            ],
            axis=0,
        ).astype(np.uint8)
    parts = _in_threads(
        threads,
        lambda first, last: _count_hands(boards[first:last], multiplicities[first:last], holes),
        len(boards),
    )
    return Tally(*(sum(counts) // len(holes) for counts in zip(*parts, strict=True)))


def hand_strength(hole, board):
    """Return how good a hand is now and over the cards to come, against a random hand.

    Args:
        hole: two cards.
        board: the 3, 4 or 5 cards on the board.

    Raises:
        CardError: the cards are not distinct, or not as many as wanted.
    """
    hole = _checked_cards(hole, (2,), "a hand")
    board = _checked_cards(board, (3, 4, 5), "a board")
    _checked_cards(hole + board, (len(hole + board),), "a hand and board")
    cdef const uint8_t[:, ::1] boards = _river_boards(board, hole)
    scores = np.empty(boards.shape[0], np.int64)
    cdef int64_t[::1] view = scores
    cdef card_t cards[7]
    cdef River river
    cdef Py_ssize_t i
    cdef int64_t wins, ties
    cdef int size = len(hole + board)
    for i in range(size):
        cards[i] = (hole + board)[i]
    cdef double now = share_now(cards, size)
    with nogil:
        for i in range(boards.shape[0]):
            rank_river(&boards[i, 0], &river)
            count_hand(&river, cards[0], cards[1], &wins, &ties)
            view[i] = 2 * wins + ties
    # Scores are out of 2 * 990, so a tenth is 198; a sure win belongs to the last tenth.
    histogram = np.bincount(np.minimum(scores // 198, 9), minlength=10)
    return HandStrength(
        hs=now,
        ehs=int(scores.sum()) / (1980 * len(scores)),
        ehs2=int((scores * scores).sum()) / (1980 * 1980 * len(scores)),
        histogram=histogram.astype(np.int64),
        num_runouts=len(scores),
    )


cdef double share_now(card_t* cards, int size) noexcept nogil:
    """Share of random hands that two cards beat on the board as it is, ties as half.

    cards: (size,), hole cards first; they are left as they were.
    """
    cdef bint used[NUM_CARDS]
    cdef card_t hole[2]
    cdef int i, low, high
    cdef int64_t score = 0, total = 0
    cdef strength_t own = evaluate(cards, size), other
    memset(used, 0, sizeof(used))
    for i in range(size):
        used[cards[i]] = True
    hole[0], hole[1] = cards[0], cards[1]
    for high in range(NUM_CARDS):
        if used[high]:
            continue
        for low in range(high):
            if used[low]:
                continue
            cards[0], cards[1] = low, high
            other = evaluate(cards, size)
            score += 2 * (own > other) + (own == other)
            total += 2
    cards[0], cards[1] = hole[0], hole[1]
    return score / <double>total


cdef strength_t evaluate(const card_t* cards, int size) noexcept nogil:
    if size == 5:
        return evaluate5(cards)
    return evaluate6(cards) if size == 6 else evaluate7(cards)


# --- range against range ----------------------------------------------------------------------

_HOLES = np.array([(low, high) for high in range(NUM_CARDS) for low in range(high)])

# Of all that two ranges weigh together, what can meet must be more than this share: the
# rounding of the sums is about 1e-15 of the whole.
_LEAST_SHARE = 1e-12


def hands_that_meet(first, second):
    """Return which hands of two ranges share no card with some hand of the other.

    Counts hands, not weights: nothing is rounded.

    Args:
        first, second: weights of the hands by hole index, (1326,).

    Returns:
        bool (2, 1326), False where a range does not hold the hand.
    """
    held = np.stack([np.asarray(first) > 0, np.asarray(second) > 0])
    by_card = np.stack([np.bincount(_HOLES[hands].ravel(), minlength=NUM_CARDS) for hands in held])
    low, high = _HOLES.T
    # The hand itself is in both its cards' counts: once too often.
    apart = held.sum(axis=1)[:, None] - by_card[:, low] - by_card[:, high] + held
    return held & (apart[::-1] > 0)


# A hand that either range holds.
cdef struct Holding:
    uint8_t low
    uint8_t high
    double first               # weight in the first range
    double second


cdef void sort_by_level(
    const River* river, const Holding* holdings, Py_ssize_t size, int32_t* order, int32_t* starts,
) noexcept nogil:
    """Order holdings by level, those that the board rules out aside.

    order: (size,); starts: (num_levels + 1,), the first place of each level.
    """
    cdef int32_t ends[MAX_LEVELS]
    cdef Py_ssize_t i
    cdef int level, place = 0
    memset(ends, 0, sizeof(ends))
    for i in range(size):
        level = river.levels[holdings[i].high][holdings[i].low]
        if level != NO_LEVEL:
            ends[level] += 1
    for level in range(river.num_levels):
        starts[level] = place
        place += ends[level]
        ends[level] = starts[level]
    starts[river.num_levels] = place
    for i in range(size):
        level = river.levels[holdings[i].high][holdings[i].low]
        if level != NO_LEVEL:
            order[ends[level]] = i
            ends[level] += 1


cdef inline double disjoint(
    const Holding* holding, double total, const double* by_card
) noexcept nogil:
    """Weight of the second range's hands, *total* in all, that share no card with this one."""
    return total - by_card[holding.low] - by_card[holding.high]


cdef void sweep(
    const River* river, const Holding* holdings, Py_ssize_t size, int32_t* order, double* sums,
) noexcept nogil:
    """Weights of wins, wins or ties, and meetings of the first range with the second.

    One pass up the levels: the second range's hands so far are the weaker ones, in all
    and by card. sums: (3,).
    """
    cdef int32_t starts[MAX_LEVELS + 1]
    cdef double by_card[NUM_CARDS]
    cdef double total = 0
    cdef int level, i
    cdef const Holding* holding
    memset(by_card, 0, sizeof(by_card))
    memset(sums, 0, 3 * sizeof(double))
    sort_by_level(river, holdings, size, order, starts)
    for level in range(river.num_levels):
        for i in range(starts[level], starts[level + 1]):
            holding = &holdings[order[i]]
            if holding.first > 0:
                sums[0] += holding.first * disjoint(holding, total, by_card)
        for i in range(starts[level], starts[level + 1]):
            holding = &holdings[order[i]]
            total += holding.second
            by_card[holding.low] += holding.second
            by_card[holding.high] += holding.second
        for i in range(starts[level], starts[level + 1]):
            holding = &holdings[order[i]]
            # From here on the hand itself is in both its cards' sums: once too often.
            if holding.first > 0:
                sums[1] += holding.first * (disjoint(holding, total, by_card) + holding.second)
    for i in range(starts[river.num_levels]):
        holding = &holdings[order[i]]
        if holding.first > 0:
            sums[2] += holding.first * (disjoint(holding, total, by_card) + holding.second)


def _holdings(pairs):
    """Return the hands that pairs of ranges (n, 2, 1326) hold, pair after pair, and the ends.

    The first are a structured array that mirrors Holding.
    """
    which, held = np.nonzero((pairs > 0).any(1))
    holdings = np.zeros(
        len(held),
        np.dtype(
            [("low", "u1"), ("high", "u1"), ("first", "f8"), ("second", "f8")], align=True
        ),
    )
    holdings["low"], holdings["high"] = _HOLES[held].T
    holdings["first"], holdings["second"] = pairs[which, :, held].T
    return holdings, np.cumsum(np.bincount(which, minlength=len(pairs)))


def _sweep_boards(
    const uint8_t[:, ::1] boards, const double[::1] multiplicities, holdings,
    const int64_t[::1] ends,
):
    """Return the summed weights of wins, wins or ties, and meetings on these boards.

    The sum is over the pairs of ranges too; *holdings* and *ends* are from `_holdings`.
    """
    cdef const uint8_t[::1] packed = holdings.view(np.uint8)
    cdef const Holding* table
    cdef int32_t[::1] order = np.empty(NUM_HOLES, np.int32)
    cdef double sums[3]
    cdef double results[3]
    cdef River river
    cdef Py_ssize_t board, pair, begin
    memset(results, 0, sizeof(results))
    if holdings.size == 0:
        return 0.0, 0.0, 0.0
    table = <const Holding*>&packed[0]
    with nogil:
        for board in range(boards.shape[0]):
            rank_river(&boards[board, 0], &river)
            begin = 0
            for pair in range(ends.shape[0]):
                sweep(&river, table + begin, ends[pair] - begin, &order[0], sums)
                begin = ends[pair]
                results[0] += multiplicities[board] * sums[0]
                results[1] += multiplicities[board] * sums[1]
                results[2] += multiplicities[board] * sums[2]
    return results[0], results[1], results[2]


def _checked_range(weights, what):
    """Return *weights* as float64 (1326,), none negative."""
    checked = np.ascontiguousarray(weights, np.float64)
    if checked.shape != (NUM_HOLES,):
        raise CardError(
            f"the {what} range has shape {checked.shape}", f"pass one weight a hand, ({NUM_HOLES},)"
        )
    if not np.isfinite(checked).all() or (checked < 0).any():
        raise CardError(f"the {what} range has negative or unreal weights", "pass weights >= 0")
    return checked


def range_equity(first, second, board=(), threads=1):
    """Return how often one range beats and ties another, over all run-outs.

    Hands that can meet none of the other range are left out. The sums are good to 1e-15 of
    what the others would weigh together if all of them could meet.

    Args:
        first: float64 (1326,), weight of each hand by hole index, none negative. Weights
            of hands that hold a card of the board do not matter.
        second: the same for the other range.
        board: the 0, 3, 4 or 5 cards on the board. Before the flop ranges that know no
            suits are fast; others take up to 24 times as long.
        threads: how many to count with; the sums are the same to the last bit.

    Raises:
        CardError: a range cannot be used, no two hands of them can meet or only some of next
            to no weight, or the board's cards are not distinct or not as many as wanted.
        ConfigError: *threads* is below 1.
    """
    board = _checked_cards(board, (0, 3, 4, 5), "a board")
    ranges = np.stack([_checked_range(first, "first"), _checked_range(second, "second")])
    ranges[:, np.isin(_HOLES, board).any(axis=1)] = 0
    ranges[~hands_that_meet(*ranges)] = 0
    if not ranges.any():
        raise CardError(
            "the ranges hold no two hands that can meet on this board",
            "give both a hand that shares no card with the board or the other",
        )
    # Powers of two change no digit, and no product of weights below 1 is too large.
    exponents = np.frexp(ranges.max(axis=1))[1]
    ranges = np.ldexp(ranges, -exponents[:, None])
    if board:
        boards = _river_boards(board)
        multiplicities = np.ones(len(boards))
        pairs = ranges[None]
    else:
        boards, multiplicities = canonical_rivers()
        # Instead of the boards' suits, the ranges' are renamed, in all 24 ways; ranges
        # that know no suits are then the same 24 times.
        renamed = []
        for suits in permutations(range(4)):
            low, high = np.sort(_HOLES & ~3 | np.array(suits)[_HOLES & 3], axis=1).T
            renamed.append(ranges[:, high * (high - 1) // 2 + low])
        pairs, copies = np.unique(np.array(renamed), axis=0, return_counts=True)
        # Weights are products, so the first range's can take the copies.
        pairs[:, 0] *= copies[:, None] / 24
        multiplicities = multiplicities.astype(np.float64)
    holdings, ends = _holdings(pairs)
    parts = _in_threads(
        threads,
        lambda begin, end: _sweep_boards(
            boards[begin:end], multiplicities[begin:end], holdings, ends
        ),
        len(boards),
    )
    sums = np.sum(parts, axis=0)
    if sums[2] <= _LEAST_SHARE * ranges.sum(axis=1).prod() * multiplicities.sum():
        raise CardError(
            "the hands of the ranges that can meet on this board weigh next to nothing beside "
            "those that share a card",
            "leave out the hands that hardly count, or give the others more weight",
        )
    with np.errstate(over="ignore", under="ignore"):
        given = np.ldexp(sums, exponents.sum())
    if np.finfo(np.float64).tiny <= given[2] < np.inf:
        sums = given
    win, not_lost, total = sums.tolist()
    return RangeEquity(win, not_lost - win, total)
