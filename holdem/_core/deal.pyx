"""Three ways to deal a hand: hold'em from bucket tables, Kuhn's and Leduc's one-card decks.

A dealer fills an array of `DEAL_DTYPE`; the walk reads nothing else. The cards of
iteration i come from the stream (seed, i, lane 0) alone, so who wants to see them
may ask for them again.
"""

import numpy as np

from holdem._core.types cimport card_t
from holdem._core.evaluator cimport evaluate7
from holdem._core.indexer cimport BoardState, hole_on_board, prepare_board
from holdem._core.rng cimport Stream, next_below, stream_for
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint64_t

from holdem.errors import ConfigError

__all__ = ["DEAL_DTYPE", "HoldemDealer", "OneCardDealer"]

DEAL_DTYPE = np.dtype(
    [
        ("bucket", np.int32, (MAX_STREETS, MAX_PLAYERS)),
        ("strength", np.int32, (MAX_PLAYERS,)),
        ("share", np.float32, (MAX_STREETS,)),
    ]
)
assert DEAL_DTYPE.itemsize == sizeof(Deal)

cdef enum:
    BLOCK = 16                 # deals whose bucket look-ups are in flight together
    NUM_CLASSES = 169

cdef int[MAX_STREETS] BOARD_CARDS
BOARD_CARDS[:] = [0, 3, 4, 5]


cdef void draw_cards(Stream* stream, card_t* deck, int deck_size, int count) noexcept nogil:
    """Bring *count* random cards to the front of *deck*, whatever its order was."""
    cdef int i, j
    cdef card_t card
    for i in range(count):
        j = i + <int>next_below(stream, deck_size - i)
        card = deck[j]
        deck[j] = deck[i]
        deck[i] = card


cdef class Dealer:
    """What all dealers share: how many players, and the doors.

    Attributes:
        num_players: 2 to 9.
        num_cards: of a hand, those of all players and of the board.
    """

    cdef void fill(
        self, uint64_t seed, int64_t first, Deal* deals, Py_ssize_t count
    ) noexcept nogil:
        pass

    cdef void draw(self, uint64_t seed, int64_t iteration, int count, card_t* deck) noexcept nogil:
        pass

    def deal(self, uint64_t seed, int64_t first_iteration, deals):
        """Deal iterations *first_iteration* onwards into *deals*: DEAL_DTYPE, shape (n,)."""
        if deals.dtype != DEAL_DTYPE:
            raise TypeError(f"deals must be an array of DEAL_DTYPE, not {deals.dtype}")
        cdef uint8_t[::1] raw = deals.view(np.uint8)
        cdef Py_ssize_t count = deals.shape[0]
        if count == 0:
            return
        with nogil:
            self.fill(seed, first_iteration, <Deal*>&raw[0], count)

    def cards(self, uint64_t seed, int64_t first_iteration, uint8_t[:, ::1] cards):
        """Write the cards of iterations *first_iteration* onwards: uint8, shape (n, num_cards).

        Those of seat 0, of seat 1, ..., of the board: as cards in hold'em, as ranks in
        games of one card each.
        """
        cdef card_t deck[MAX_DECK]
        cdef Py_ssize_t i
        cdef int card
        if cards.shape[1] != self.num_cards:
            raise ValueError(f"cards must have {self.num_cards} columns, not {cards.shape[1]}")
        with nogil:
            for i in range(cards.shape[0]):
                self.draw(seed, first_iteration + i, self.num_cards, deck)
                for card in range(self.num_cards):
                    cards[i, card] = deck[card]


cdef class HoldemDealer(Dealer):
    """Deals hold'em: two hole cards each and a board, looked up in the bucket tables.

    Args:
        num_players: 2 to 9.
        tables: the bucket of every canonical hand, one array per street that is bet
            on, uint8 or uint16, indexed by `holdem._core.indexer`.
        preflop_equities: float64, shape (169, 169), a tie counted as half. When two
            players are all-in before the flop, the pot is shared by this instead of
            by the board dealt: the expectation over the suits and boards that fit
            the two classes. A preflop bucket is a union of classes, so no strategy
            can tell these apart, the regrets stay unbiased and lose most of their
            variance.
    """

    def __init__(self, int num_players, tables, preflop_equities):
        if not 2 <= num_players <= MAX_PLAYERS:
            raise ConfigError(f"num_players must be 2 to {MAX_PLAYERS}, not {num_players}")
        if not 1 <= len(tables) <= MAX_STREETS:
            raise ConfigError(f"1 to {MAX_STREETS} bucket tables wanted, not {len(tables)}")
        self.num_players = num_players
        self.num_cards = 2 * num_players + 5
        self._tables = tuple(tables)
        self._buckets.num_streets = len(tables)
        self._equities = np.ascontiguousarray(preflop_equities, dtype=np.float64)
        if self._equities.shape[0] != NUM_CLASSES or self._equities.shape[1] != NUM_CLASSES:
            raise ConfigError("preflop_equities must have shape (169, 169)")
        cdef const uint8_t[::1] narrow
        cdef const uint16_t[::1] wide
        for street, table in enumerate(self._tables):
            self._buckets.narrow[street] = NULL
            self._buckets.wide[street] = NULL
            if table.shape != ((169, 1_286_792, 13_960_050, 123_156_254)[street],):
                raise ConfigError(f"the bucket table of street {street} has shape {table.shape}")
            if table.dtype == np.uint8:
                narrow = table
                self._buckets.narrow[street] = &narrow[0]
            else:
                wide = table
                self._buckets.wide[street] = &wide[0]

    cdef void draw(self, uint64_t seed, int64_t iteration, int count, card_t* deck) noexcept nogil:
        cdef Stream stream = stream_for(seed, iteration, 0)
        cdef int card
        # Each deal starts from the same order of the deck, so that it depends on its own
        # stream and on nothing dealt before.
        for card in range(52):
            deck[card] = <card_t>card
        draw_cards(&stream, deck, 52, count)

    cdef void fill(
        self, uint64_t seed, int64_t first, Deal* deals, Py_ssize_t count
    ) noexcept nogil:
        cdef card_t deck[52]
        cdef card_t hands[BLOCK][MAX_PLAYERS][7]
        cdef int64_t index[BLOCK][MAX_STREETS][MAX_PLAYERS]
        cdef int players = self.num_players
        cdef int num_streets = self._buckets.num_streets
        # A two-player game that ends before the flop needs no board at all.
        cdef bint with_board = num_streets > 1 or players > 2
        cdef int num_cards = 2 * players + (5 if with_board else 0)
        cdef BoardState board
        cdef Py_ssize_t start, i, size
        cdef int street, player, card
        cdef int64_t at
        cdef Deal* deal
        start = 0
        while start < count:
            size = min(<Py_ssize_t>BLOCK, count - start)
            for i in range(size):
                self.draw(seed, first + start + i, num_cards, deck)
                for player in range(players):
                    hands[i][player][0] = deck[2 * player]
                    hands[i][player][1] = deck[2 * player + 1]
                    for card in range(5):
                        hands[i][player][2 + card] = deck[2 * players + card]
                for street in range(num_streets):
                    prepare_board(hands[i][0] + 2, BOARD_CARDS[street], &board)
                    for player in range(players):
                        at = hole_on_board(&board, hands[i][player][0], hands[i][player][1])
                        index[i][street][player] = at
                        ask_for_bucket(&self._buckets, street, at)
            for i in range(size):
                deal = deals + start + i
                for street in range(num_streets):
                    for player in range(players):
                        at = index[i][street][player]
                        deal.bucket[street][player] = bucket_of(&self._buckets, street, at)
                if with_board:
                    for player in range(players):
                        deal.strength[player] = evaluate7(hands[i][player])
                if players == 2:
                    deal.share[0] = <float>self._equities[index[i][0][0], index[i][0][1]]
                    for street in range(1, num_streets):
                        deal.share[street] = share_of_strengths(deal.strength[0], deal.strength[1])
            start += size


cdef class OneCardDealer(Dealer):
    """Deals Kuhn, Leduc and their relatives: one private card each, at most one public card.

    A pair with the public card beats everything else, then the higher rank wins. Suits
    do not matter, so a bucket is the private rank, and once the public card is out
    private_rank * ranks + public_rank: no information is lost.

    Args:
        num_players: 2 to 9.
        ranks, suits: the deck.
        num_streets: betting rounds.
        board_street: the round before which the public card comes; None for none.
    """

    def __init__(self, int num_players, int ranks, int suits, int num_streets, board_street=None):
        cards = num_players + (board_street is not None)
        if ranks < 1 or suits < 1 or not cards <= ranks * suits <= MAX_DECK:
            raise ConfigError(
                f"a deck of {ranks} ranks x {suits} suits cannot be dealt: "
                f"{cards} to {MAX_DECK} cards are wanted"
            )
        if not 2 <= num_players <= MAX_PLAYERS:
            raise ConfigError(f"num_players must be 2 to {MAX_PLAYERS}, not {num_players}")
        if not 1 <= num_streets <= MAX_STREETS:
            raise ConfigError(f"num_streets must be 1 to {MAX_STREETS}, not {num_streets}")
        self.num_players = num_players
        self.num_cards = cards
        self._ranks = ranks
        self._suits = suits
        self._num_streets = num_streets
        self._board_street = MAX_STREETS if board_street is None else board_street

    cdef void draw(self, uint64_t seed, int64_t iteration, int count, card_t* deck) noexcept nogil:
        cdef Stream stream = stream_for(seed, iteration, 0)
        cdef int card
        cdef int deck_size = self._ranks * self._suits
        for card in range(deck_size):
            deck[card] = <card_t>(card // self._suits)
        draw_cards(&stream, deck, deck_size, count)

    cdef void fill(
        self, uint64_t seed, int64_t first, Deal* deals, Py_ssize_t count
    ) noexcept nogil:
        cdef card_t deck[MAX_DECK]
        cdef int players = self.num_players
        cdef bint with_board = self._board_street < self._num_streets
        cdef Py_ssize_t i
        cdef int street, player, private, public = 0
        cdef Deal* deal
        for i in range(count):
            self.draw(seed, first + i, players + with_board, deck)
            deal = deals + i
            public = deck[players] if with_board else 0
            for player in range(players):
                private = deck[player]
                deal.strength[player] = private
                if with_board and private == public:
                    deal.strength[player] += self._ranks
                for street in range(self._num_streets):
                    if street < self._board_street:
                        deal.bucket[street][player] = private
                    else:
                        deal.bucket[street][player] = private * self._ranks + public
            for street in range(self._num_streets):
                deal.share[street] = share_of_strengths(deal.strength[0], deal.strength[1])
