"""Plays hands between policies of one betting tree, and divides the pots as the rules do.

The actions of hand h in lane l come from the stream (seed, h, FIRST_LANE + l) alone: it
does not matter in which order hands are played, or who plays them.
"""

import numpy as np

from holdem._core.pots cimport divide_pots
from holdem._core.rng cimport next_below, stream_for
from holdem._core.types cimport FOLD, NO_ENDING
from libc.stdint cimport uint8_t, uint64_t

from holdem._core.deal import DEAL_DTYPE

__all__ = ["HandPlayer"]


cdef inline int sample(const uint16_t* row, int num_actions, Stream* stream) noexcept nogil:
    """Draw an action of a row that sums to ONE."""
    cdef int left = <int>next_below(stream, ONE)
    cdef int a
    for a in range(num_actions - 1):
        left -= row[a]
        if left < 0:
            return a
    return num_actions - 1


cdef void take_pot(const Tree* tree, const Node* node, int32_t* chips) noexcept nogil:
    """Give the pot to the one seat that has not folded."""
    cdef const int32_t* stakes = tree.contributions + <int64_t>node.ending_index * tree.num_players
    cdef int folded = tree.folded[node.ending_index]
    cdef int seat
    for seat in range(tree.num_players):
        chips[seat] = -stakes[seat]
        if not folded >> seat & 1:
            chips[seat] += node.pot


cdef int32_t play_hand(
    const Tree* tree, const Seat* seats, Py_ssize_t hand, Stream* stream
) noexcept nogil:
    """Play one hand and return the node at which it ends."""
    cdef const Node* node = tree.nodes
    cdef const Seat* seat
    cdef int64_t at = 0, slot
    while node.ending == NO_ENDING:
        seat = seats + node.actor
        slot = seat.first_slots[at] + (
            <int64_t>seat.deals[hand].bucket[node.street][node.actor] * node.num_actions
        )
        at = node.first_child + sample(seat.units + slot, node.num_actions, stream)
        node = tree.nodes + at
    return <int32_t>at


cdef class HandPlayer:
    """Plays hands on one betting tree.

    Args:
        nodes: NODE_DTYPE, shape (num_nodes,), of a `BettingTree`.
        contributions: int32, shape (num_endings, num_players), chips.
        folded: uint16, shape (num_endings,).
    """

    cdef Tree _tree
    cdef object _arrays                        # keeps them alive
    cdef Py_ssize_t _num_nodes

    def __init__(self, nodes, const int32_t[:, ::1] contributions, const uint16_t[::1] folded):
        if nodes.dtype.itemsize != sizeof(Node):
            raise TypeError(f"nodes must be an array of NODE_DTYPE, not {nodes.dtype}")
        cdef const uint8_t[::1] raw = nodes.view(np.uint8)
        self._arrays = nodes, contributions, folded
        self._num_nodes = nodes.shape[0]
        self._tree.nodes = <const Node*>&raw[0]
        self._tree.contributions = &contributions[0, 0]
        self._tree.folded = &folded[0]
        self._tree.num_players = <int>contributions.shape[1]

    def play(
        self,
        uint64_t seed,
        const int64_t[::1] numbers,
        int lane,
        seats,
        const int32_t[:, ::1] strengths,
        int32_t[::1] endings,
        int32_t[:, ::1] chips,
    ):
        """Play one hand per deal.

        Args:
            seed, lane: where the actions come from; see the module.
            numbers: (n,), which hands they are.
            seats: by seat a triple: int64 (num_nodes,), the first slot of each node; uint16
                (num_slots,), probabilities in units of 1/65,535; DEAL_DTYPE (n,), the
                deals in the buckets of that seat's policy.
            strengths: (n, num_players), higher wins at a showdown.
            endings: (n,), written: the node of the tree at which each hand ended.
            chips: (n, num_players), written: chips won or lost.
        """
        cdef Seat table[MAX_PLAYERS]
        cdef Stream stream
        cdef Py_ssize_t count = endings.shape[0], hand
        cdef const int64_t[::1] first_slots
        cdef const uint16_t[::1] units
        cdef const uint8_t[::1] raw
        cdef const Node* node
        cdef int players = self._tree.num_players
        cdef int64_t ending
        if len(seats) != players or strengths.shape[1] != players or chips.shape[1] != players:
            raise ValueError(f"seats, strengths and chips must be for {players} players")
        if numbers.shape[0] != count or strengths.shape[0] != count or chips.shape[0] != count:
            raise ValueError("numbers, strengths, endings and chips must be of equal length")
        for seat, (slots_of_seat, units_of_seat, deals) in enumerate(seats):
            if deals.dtype != DEAL_DTYPE or deals.shape != (count,):
                raise TypeError(f"deals must be {count} of DEAL_DTYPE, not {deals.dtype}")
            first_slots, units = slots_of_seat, units_of_seat
            if first_slots.shape[0] != self._num_nodes:
                raise ValueError("first slots do not fit the tree")
            if count == 0:
                return
            raw = deals.view(np.uint8)
            table[seat].first_slots = &first_slots[0]
            table[seat].units = &units[0]
            table[seat].deals = <const Deal*>&raw[0]
        with nogil:
            for hand in range(count):
                stream = stream_for(seed, numbers[hand], FIRST_LANE + lane)
                endings[hand] = play_hand(&self._tree, table, hand, &stream)
                node = self._tree.nodes + endings[hand]
                if node.ending == FOLD:
                    take_pot(&self._tree, node, &chips[hand, 0])
                else:
                    ending = node.ending_index
                    divide_pots(
                        self._tree.contributions + ending * players, self._tree.folded[ending],
                        players, &strengths[hand, 0], &chips[hand, 0],
                    )
