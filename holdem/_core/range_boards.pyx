"""Both players' hands on every board that a postflop subgame can come to: lists and maps."""

import numpy as np

from libc.stdint cimport int32_t, uint16_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from holdem._core.river cimport MAX_LEVELS, River, rank_river
from holdem._core.showdown cimport rank_hands
from holdem._core.types cimport NUM_HOLES, OUT_OF_MEMORY

from holdem.errors import error_for

__all__ = ["RangeBoards"]

cdef enum:
    NO_PLACE = 65535


cdef inline int padded(int num_hands) noexcept nogil:
    """Room for so many hands and one that is none."""
    return (num_hands // HANDS_BLOCK + 1) * HANDS_BLOCK


cdef inline int renamed(int card, const uint8_t* renaming) noexcept nogil:
    """The card when suit s is called renaming[s]."""
    return (card & ~3) | renaming[card & 3]


cdef void list_places(const uint8_t* cards, int num_hands, uint16_t* places) noexcept nogil:
    """Where each hand is in a list, (52, 52) by its cards in either order."""
    cdef int hand
    memset(places, 0xFF, 52 * 52 * sizeof(uint16_t))
    for hand in range(num_hands):
        places[52 * cards[2 * hand] + cards[2 * hand + 1]] = hand
        places[52 * cards[2 * hand + 1] + cards[2 * hand]] = hand


cdef class RangeBoards:
    """The boards of a subgame, street by street, each with both players' hands.

    Args:
        board: 3 to 5 distinct cards.
        holes: for each player uint8 (hands, 2), no hand twice and none with a card of
            the board.
        dealings: for each street after the board's the boards it is dealt on, in order of
            their parents: ``(parents, cards, first_maps, renamings)``, where *parents* are
            the places of the boards before (int32), *cards* the card dealt (uint8), and
            board *b* stands for the renamings of suits ``first_maps[b]`` to
            ``first_maps[b + 1] - 1`` of uint8 (maps, 4), the first of which renames nothing.
    """

    def __cinit__(self, board, holes, dealings):
        self.boards = NULL
        self.memory = []
        self.dealings = list(dealings)
        self.board = tuple(board)
        self.num_streets = len(self.dealings) + 1
        cdef int street, total = 0
        for street in range(self.num_streets):
            self.first_board[street] = total
            total += len(self.dealings[street - 1][0]) if street else 1
        self.first_board[self.num_streets] = total
        self.boards = <RangeBoard*>calloc(total, sizeof(RangeBoard))
        if self.boards == NULL:
            raise error_for(OUT_OF_MEMORY)
        cards = np.zeros((1, 5), np.uint8)
        cards[0, : len(board)] = board
        for street in range(self.num_streets):
            if street:
                parents, dealt, first_maps, renamings = self.dealings[street - 1]
                cards = cards[parents]
                cards[:, len(board) + street - 1] = dealt
                self._add(street, cards, holes, parents, dealt, first_maps, renamings)
            else:
                self._add(
                    0, cards, holes, np.zeros(1, np.int32), np.zeros(1, np.uint8),
                    np.array([0, 1], np.int32), np.arange(4, dtype=np.uint8)[None],
                )

    def __dealloc__(self):
        free(self.boards)

    cdef int _add(
        self, int street, const uint8_t[:, ::1] board_cards, holes, const int32_t[::1] parents,
        const uint8_t[::1] dealt, const int32_t[::1] first_maps, const uint8_t[:, ::1] renamings,
    ) except -1:
        """Fill in the boards of *street*, whose parents are there."""
        cdef int num_boards = len(board_cards), index, seat, hand, count, i, place, parent_index
        cdef int room = padded(max(len(holes[0]), len(holes[1])))
        cdef bint is_river = len(self.board) + street == 5
        cdef uint8_t[:, :, :, ::1] cards = np.zeros((num_boards, 2, room, 2), np.uint8)
        cdef uint16_t[:, :, ::1] same = np.zeros((num_boards, 2, room), np.uint16)
        cdef uint16_t[:, :, ::1] places = np.zeros((len(renamings), 2, room), np.uint16)
        cdef uint16_t[:, :, ::1] ends = np.zeros((num_boards if is_river else 1, 2, MAX_LEVELS),
                                                 np.uint16)
        self.memory += [cards.base, same.base, places.base, ends.base]
        cdef const uint8_t[:, ::1] whole
        cdef uint8_t[:, ::1] kept = np.zeros((NUM_HOLES, 2), np.uint8)
        cdef uint16_t order[NUM_HOLES]
        cdef uint16_t before[2][52 * 52]
        cdef uint16_t here[2][52 * 52]
        cdef RangeBoard* board
        cdef RangeBoard* parent = NULL
        cdef const uint8_t* list_
        cdef const uint8_t* renaming
        cdef River river
        for index in range(num_boards):
            board = &self.boards[self.first_board[street] + index]
            board.card = dealt[index]
            board.num_maps = first_maps[index + 1] - first_maps[index]
            board.map_stride = 2 * room
            if street:
                parent_index = parents[index]
                if parent != &self.boards[self.first_board[street - 1] + parent_index]:
                    parent = &self.boards[self.first_board[street - 1] + parent_index]
                    parent.first_child = self.first_board[street] + index
                    for seat in range(2):
                        list_places(
                            parent.ranked[seat].cards, parent.num_hands[seat], &before[seat][0]
                        )
                parent.num_children += 1
            if is_river:
                rank_river(&board_cards[index, 0], &river)
                board.num_levels = river.num_levels
            for seat in range(2):
                if street:
                    list_ = parent.ranked[seat].cards
                    count = parent.num_hands[seat]
                else:
                    whole = holes[seat]
                    list_ = &whole[0, 0]
                    count = len(whole)
                    list_places(list_, count, &before[seat][0])
                i = 0
                for hand in range(count):
                    if not street or (
                        list_[2 * hand] != board.card and list_[2 * hand + 1] != board.card
                    ):
                        kept[i, 0] = list_[2 * hand]
                        kept[i, 1] = list_[2 * hand + 1]
                        i += 1
                board.num_hands[seat] = i
                board.pad[seat] = padded(i)
                if is_river:
                    rank_hands(
                        &river, &kept[0, 0], i, order, &cards[index, seat, 0, 0],
                        &ends[index, seat, 0],
                    )
                else:
                    cards[index, seat, :i] = kept[:i]
                board.ranked[seat].num_hands = i
                board.ranked[seat].cards = &cards[index, seat, 0, 0]
                board.ranked[seat].level_ends = &ends[index if is_river else 0, seat, 0]
                list_places(&cards[index, seat, 0, 0], i, &here[seat][0])
                board.places[seat] = &places[first_maps[index], seat, 0]
                list_ = &cards[index, seat, 0, 0]
                for i in range(first_maps[index], first_maps[index + 1]):
                    renaming = &renamings[i, 0]
                    for hand in range(room):
                        place = count
                        if hand < board.num_hands[seat]:
                            place = before[seat][
                                52 * renamed(list_[2 * hand], renaming)
                                + renamed(list_[2 * hand + 1], renaming)
                            ]
                            if place == NO_PLACE:
                                raise ValueError("a renaming of suits that changes a range")
                        places[i, seat, hand] = place
            for seat in range(2):
                for hand in range(room):
                    place = board.num_hands[1 - seat]
                    if hand < board.num_hands[seat]:
                        i = here[1 - seat][52 * cards[index, seat, hand, 0]
                                           + cards[index, seat, hand, 1]]
                        if i != NO_PLACE:
                            place = i
                    same[index, seat, hand] = place
                board.same[seat] = &same[index, seat, 0]
        return 0

    def num_boards(self, int street):
        """How many boards the street has, counted from the root's."""
        return self.first_board[street + 1] - self.first_board[street]

    def hands(self, int street, int board, int seat):
        """Return the cards of a player's hands on a board: uint8 (hands, 2)."""
        cdef RangeBoard* here = &self.boards[self.first_board[street] + board]
        cdef const uint8_t* first = here.ranked[seat].cards
        cdef const uint8_t[:, ::1] cards = <const uint8_t[: here.pad[seat], :2]>first
        return np.asarray(cards)[: here.num_hands[seat]].copy()

    def places(self, int street, int board, int seat, int which=0):
        """Return where each hand of a board was on the board before, renamed by a map of it."""
        cdef RangeBoard* here = &self.boards[self.first_board[street] + board]
        cdef const uint16_t* first = here.places[seat] + which * here.map_stride
        cdef const uint16_t[::1] places = <const uint16_t[: here.pad[seat]]>first
        return np.asarray(places)[: here.num_hands[seat]].copy()

    def children(self, int street, int board):
        """Return the range of boards of the next street that come after this one."""
        cdef RangeBoard* here = &self.boards[self.first_board[street] + board]
        first = here.first_child - self.first_board[street + 1]
        return range(first, first + here.num_children)

    def pad(self, int street, int board, int seat):
        """Return the length of a row of a player's hands on a board."""
        return self.boards[self.first_board[street] + board].pad[seat]
