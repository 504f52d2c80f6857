"""Exact equity of two to nine known hands: every way to complete the board.

The keys of a hand's cards add up (see evaluator.pxd), so a card more is one addition a
player, and where nobody can make a flush the suits of the last card do not matter.
"""

from typing import NamedTuple

import numpy as np

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset

from holdem._core.evaluator cimport (
    CARD_KEY, card_bit, flush_strength, has_flush, no_cards, rank_strength7,
)
from holdem._core.types cimport MAX_PLAYERS, NUM_CARDS, card_t, strength_t
from holdem.errors import CardError

__all__ = ["AllIn", "equity"]

cdef enum:
    # Divisible by 1 .. 9, so that shares of a split pot are whole numbers.
    POT = 2520


class AllIn(NamedTuple):
    """What each of some hands wins when every run-out is dealt once.

    Attributes:
        wins: int64 (num_hands,), boards won alone.
        ties: int64 (num_hands,), boards won together with others.
        equities: float64 (num_hands,), share of the pot; tied hands split it evenly.
        num_boards: how many boards there are.
    """

    wins: np.ndarray
    ties: np.ndarray
    equities: np.ndarray
    num_boards: int


cdef struct Tally:
    int num_players
    int num_live                       # cards left in the deck, ascending
    card_t live[NUM_CARDS]
    int64_t num_boards
    int64_t wins[MAX_PLAYERS]
    int64_t ties[MAX_PLAYERS]
    int64_t shares[MAX_PLAYERS]        # in 1/POT of a pot


# The sum of a player's keys, and the set of cards, as far as they are dealt.
cdef struct Hand:
    uint64_t key
    uint64_t bits


cdef inline void settle(Tally* tally, const strength_t* strengths, int weight) noexcept nogil:
    """Count *weight* boards on which the players have these strengths."""
    cdef strength_t best = 0
    cdef int p, num_best = 0
    for p in range(tally.num_players):
        if strengths[p] > best:
            best = strengths[p]
            num_best = 0
        num_best += strengths[p] == best
    tally.num_boards += weight
    for p in range(tally.num_players):
        if strengths[p] == best:
            if num_best == 1:
                tally.wins[p] += weight
            else:
                tally.ties[p] += weight
            tally.shares[p] += weight * (POT // num_best)


cdef void deal_last(Tally* tally, const Hand* hands, int first) noexcept nogil:
    """Complete the board with each live card from the place *first* on."""
    cdef strength_t strengths[MAX_PLAYERS]
    cdef uint64_t key
    cdef int p, i, card, weight
    cdef bint flush = False
    for p in range(tally.num_players):
        # Four of one suit turn its counter into seven, so another in each would carry.
        flush |= has_flush(hands[p].key + (0x1111ULL << 40))
    i = first
    while i < tally.num_live:
        card = tally.live[i]
        weight = 1
        i += 1
        while not flush and i < tally.num_live and tally.live[i] >> 2 == card >> 2:
            weight += 1
            i += 1
        for p in range(tally.num_players):
            key = hands[p].key + CARD_KEY[card]
            if has_flush(key):
                strengths[p] = flush_strength(hands[p].bits | card_bit(card))
            else:
                strengths[p] = rank_strength7(key)
        settle(tally, strengths, weight)


cdef void deal(Tally* tally, const Hand* hands, int num_left, int first) noexcept nogil:
    """Complete the board with *num_left* live cards from the place *first* on."""
    cdef Hand dealt[MAX_PLAYERS]
    cdef strength_t strengths[MAX_PLAYERS]
    cdef int p, i
    if num_left == 0:
        for p in range(tally.num_players):
            strengths[p] = (
                flush_strength(hands[p].bits) if has_flush(hands[p].key)
                else rank_strength7(hands[p].key)
            )
        settle(tally, strengths, 1)
    elif num_left == 1:
        deal_last(tally, hands, first)
    else:
        for i in range(first, tally.num_live - num_left + 1):
            for p in range(tally.num_players):
                dealt[p].key = hands[p].key + CARD_KEY[tally.live[i]]
                dealt[p].bits = hands[p].bits | card_bit(tally.live[i])
            deal(tally, dealt, num_left - 1, i + 1)


def equity(hands, board=()):
    """Return what each of 2 to 9 hands wins when every run-out is dealt once.

    Args:
        hands: two cards for each hand, all distinct.
        board: the 0, 3, 4 or 5 cards on the board.

    Raises:
        CardError: the cards are not distinct, or not as many as wanted.
    """
    pairs = [list(map(int, hand)) for hand in hands]
    dealt = list(map(int, board))
    if not 2 <= len(pairs) <= MAX_PLAYERS or any(len(pair) != 2 for pair in pairs):
        raise CardError(
            f"hands of {[len(pair) for pair in pairs]} cards",
            f"pass 2 to {MAX_PLAYERS} hands of two cards",
        )
    if len(dealt) not in (0, 3, 4, 5):
        raise CardError(f"a board of {len(dealt)} cards", "pass 0, 3, 4 or 5")
    seen = dealt + [card for pair in pairs for card in pair]
    if len(set(seen)) != len(seen) or min(seen) < 0 or max(seen) >= NUM_CARDS:
        raise CardError(f"not distinct cards: {seen}", "cards are 0 (2c) to 51 (As), each once")

    cdef Tally tally
    cdef Hand start[MAX_PLAYERS]
    cdef int p, num_left = 5 - len(dealt)
    memset(&tally, 0, sizeof(tally))
    tally.num_players = len(pairs)
    for card in range(NUM_CARDS):
        if card not in seen:
            tally.live[tally.num_live] = card
            tally.num_live += 1
    for p in range(tally.num_players):
        start[p].key = no_cards()
        start[p].bits = 0
        for card in pairs[p] + dealt:
            start[p].key += CARD_KEY[<int>card]
            start[p].bits |= card_bit(card)
    with nogil:
        deal(&tally, start, num_left, 0)
    shares = np.array([tally.shares[p] for p in range(tally.num_players)], np.int64)
    return AllIn(
        np.array([tally.wins[p] for p in range(tally.num_players)], np.int64),
        np.array([tally.ties[p] for p in range(tally.num_players)], np.int64),
        shares / (POT * tally.num_boards),
        tally.num_boards,
    )
