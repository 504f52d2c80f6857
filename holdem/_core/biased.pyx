"""A blueprint's rows and buckets, for kernels that play it on, biased or as it is."""

import numpy as np

from holdem._core.deal cimport ask_for_bucket, bucket_of
from holdem._core.tree cimport view_tree
from holdem._core.types cimport MAX_PLAYERS, NO_ENDING, Node, chips_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

__all__ = ["BiasedBlueprint"]


cdef class BiasedBlueprint:
    """A blueprint, as it is or with more of one kind of action.

    Args:
        nodes: NODE_DTYPE, (num_nodes,), of its `BettingTree`.
        contributions: int32 (num_endings, num_players), chips.
        folded: uint16 (num_endings,).
        kinds: uint8 (num_nodes,): what led to a node, 0 a fold, 1 a check or call, 2 a bet or
            raise.
        units: uint16 (num_slots,), its probabilities in 1/65,535.
        tables: of buckets, by street, see `HoldemDealer`.
        bucket_counts: by street.
        factor: what a biased continuation multiplies the probability of its kind by.

    Attributes:
        num_streets: of the betting tree.
        most_decisions: of one seat after the first street, one after the other.
        most_actions: of a decision.
    """

    def __init__(
        self, const Node[::1] nodes, const chips_t[:, ::1] contributions,
        const uint16_t[::1] folded, const uint8_t[::1] kinds, const uint16_t[::1] units, tables,
        bucket_counts, float factor,
    ):
        cdef const uint8_t[::1] narrow
        cdef const uint16_t[::1] wide
        cdef int street
        if kinds.shape[0] != nodes.shape[0]:
            raise ValueError("kinds must be for every node")
        self.tree = view_tree(nodes, contributions, folded)
        self._units, self._kinds, self._factor = &units[0], &kinds[0], factor
        self.num_streets = self._buckets.num_streets = min(len(tables), len(bucket_counts))
        self.bucket_counts = tuple(bucket_counts)
        self._arrays = nodes, contributions, folded, kinds, units, tables
        for street in range(self.num_streets):
            self._buckets.narrow[street] = NULL
            self._buckets.wide[street] = NULL
            if tables[street].dtype == np.uint8:
                narrow = tables[street]
                self._buckets.narrow[street] = &narrow[0]
            else:
                wide = tables[street]
                self._buckets.wide[street] = &wide[0]
        self._measure(nodes.shape[0])

    def _measure(self, int64_t num_nodes):
        cdef uint8_t[:, ::1] depths = np.zeros((num_nodes, MAX_PLAYERS), np.uint8)
        cdef const Node* node
        cdef int64_t at
        cdef int seat, a
        self.most_decisions = self.most_actions = 0
        for at in range(num_nodes - 1, -1, -1):
            node = self.tree.nodes + at
            if node.ending != NO_ENDING or node.street == 0:
                continue
            self.most_actions = max(self.most_actions, node.num_actions)
            for seat in range(self.tree.num_players):
                for a in range(node.num_actions):
                    depths[at, seat] = max(depths[at, seat], depths[node.first_child + a, seat])
            depths[at, node.actor] += 1
            self.most_decisions = max(self.most_decisions, depths[at, node.actor])

    cdef void look_up(
        self, int street, const int32_t* indices, const int32_t* holes, int count,
        uint16_t* buckets,
    ) noexcept nogil:
        """Write the buckets of some holes, out of the indices of all on a board.

        A hole that shares a card with the board, whose index is -1, has any.
        """
        cdef int hand
        for hand in range(count):
            ask_for_bucket(&self._buckets, street, max(indices[holes[hand]], 0))
        for hand in range(count):
            buckets[hand] = <uint16_t>bucket_of(
                &self._buckets, street, max(indices[holes[hand]], 0)
            )

    cdef void biased(
        self, const Node* node, int bucket, int choice, float* strategy
    ) noexcept nogil:
        """What is done at a decision with a bucket, one kind of action made likelier."""
        cdef const uint16_t* units = (
            self._units + node.first_slot + <int64_t>bucket * node.num_actions
        )
        cdef const uint8_t* kinds = self._kinds + node.first_child
        cdef float total = 0
        cdef int a
        for a in range(node.num_actions):
            strategy[a] = units[a]
            if kinds[a] + 1 == choice:
                strategy[a] = strategy[a] * self._factor
            total += strategy[a]
        for a in range(node.num_actions):
            strategy[a] = strategy[a] / total
