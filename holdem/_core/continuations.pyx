"""Values of sampled deals under all pairs of continuations of a policy, and sums of them.

Two players. See the `.pxd` for what a continuation is.
"""

import numpy as np

from holdem._core.deal cimport Deal
from holdem._core.types cimport FOLD, MAX_STREETS, NO_ENDING, OUT_OF_MEMORY, Node
from libc.stdint cimport int32_t, int64_t, uint16_t, uint8_t
from libc.stdlib cimport calloc, free

from holdem._core.deal import DEAL_DTYPE
from holdem.errors import error_for

cdef extern from "continuations_simd.h":
    void value_pairs(
        const BettingStep* steps, int64_t num_steps, const BettingShowdown* showdowns,
        int64_t num_showdowns, const uint8_t* kinds, const float* factors, const uint16_t* units,
        const int32_t* buckets, const float* shares, float* values,
    ) nogil
    void add_pairs(
        const float* values, int64_t stride, const int32_t* cells, int64_t num_deals, float* sums,
    ) nogil

cdef extern from "<stdlib.h>":
    void* aligned_alloc(size_t alignment, size_t size) nogil

__all__ = ["ContinuationWalk", "add_values"]


cdef class ContinuationWalk:
    """A policy and its continuations on a betting tree, from the second street on.

    Args:
        nodes: NODE_DTYPE, shape (num_nodes,), of a `BettingTree` for two players.
        folded: uint16, shape (num_endings,), bit p: seat p folded.
        kinds: uint8, shape (num_nodes,): what led to a node, 0 a fold, 1 a check or call, 2
            a bet or raise.
        units: uint16, shape (num_slots,), the policy in units of 1/65,535.
        factor: what a biased continuation multiplies the probability of its kind by,
            before the row is normalised.
    """

    def __cinit__(
        self, nodes, const uint16_t[::1] folded, const uint8_t[::1] kinds,
        const uint16_t[::1] units, float factor,
    ):
        cdef const Node* node
        cdef const Node* all_nodes
        cdef BettingStep* step
        cdef BettingShowdown* showdown
        cdef int index, actor, kind, lane
        if nodes.dtype.itemsize != sizeof(Node):
            raise TypeError(f"nodes must be an array of NODE_DTYPE, not {nodes.dtype}")
        cdef const uint8_t[::1] raw = nodes.view(np.uint8)
        all_nodes = <const Node*>&raw[0]
        self.num_nodes = nodes.shape[0]
        if kinds.shape[0] != self.num_nodes:
            raise ValueError("kinds must be for every node")
        self.kinds, self.units = kinds, units
        self.steps = <BettingStep*>calloc(self.num_nodes, sizeof(BettingStep))
        self.showdowns = <BettingShowdown*>calloc(self.num_nodes, sizeof(BettingShowdown))
        if self.steps == NULL or self.showdowns == NULL:
            raise error_for(OUT_OF_MEMORY)
        folds = []
        # Children have higher numbers than their parents.
        for index in range(self.num_nodes - 1, -1, -1):
            node = all_nodes + index
            if node.ending == FOLD:
                # Uncalled bets are back with their owner, so both have put in half the pot.
                folds.append(
                    (index, -0.5 * node.pot if folded[node.ending_index] & 1 else 0.5 * node.pot)
                )
            elif node.street == 0:
                continue
            elif node.ending == NO_ENDING:
                step = self.steps + self.num_steps
                step.first_slot = node.first_slot
                step.node, step.first_child = index, node.first_child
                step.num_actions, step.actor = node.num_actions, node.actor
                step.street = node.street
                self.num_steps += 1
            else:
                showdown = self.showdowns + self.num_showdowns
                showdown.node, showdown.pot, showdown.street = index, node.pot, node.street
                self.num_showdowns += 1
        self.folds = np.array(folds, np.float64).reshape(-1, 2)
        self.factors = _aligned(2 * 3 * PAIRS)
        for actor in range(2):
            for kind in range(3):
                for lane in range(PAIRS):
                    chosen = lane // CHOICES if actor == 0 else lane % CHOICES
                    self.factors[(3 * actor + kind) * PAIRS + lane] = (
                        factor if chosen == kind + 1 else 1
                    )

    def __dealloc__(self):
        free(self.steps)
        free(self.showdowns)

    def values(self, deals, const int32_t[::1] at, float[:, :, ::1] out):
        """Write what seat 0 wins from some nodes on, over all betting, deal by deal.

        Args:
            deals: DEAL_DTYPE, shape (n,).
            at: shape (k,), numbers of nodes after the first street.
            out: shape (n, k, 16), chips, by pair of continuations: 4 * seat 0's + seat 1's.
        """
        cdef Py_ssize_t count = deals.shape[0], i, k
        if (
            deals.dtype != DEAL_DTYPE or out.shape[0] != count or out.shape[1] != at.shape[0]
            or out.shape[2] != PAIRS
        ):
            raise ValueError("deals must be of DEAL_DTYPE, and out (deals, nodes, 16)")
        if count == 0 or at.shape[0] == 0:
            return
        cdef const uint8_t[::1] raw = deals.view(np.uint8)
        cdef const Deal* deal = <const Deal*>&raw[0]
        cdef int32_t buckets[2 * MAX_STREETS]
        cdef int street, seat, lane, node
        cdef float* from_
        cdef float* values = <float*>aligned_alloc(64, <size_t>self.num_nodes * PAIRS * 4)
        if values == NULL:
            raise error_for(OUT_OF_MEMORY)
        with nogil:
            for i in range(self.folds.shape[0]):
                node = <int>self.folds[i, 0]
                for lane in range(PAIRS):
                    values[<int64_t>node * PAIRS + lane] = <float>self.folds[i, 1]
            for i in range(count):
                for street in range(MAX_STREETS):
                    for seat in range(2):
                        buckets[2 * street + seat] = deal[i].bucket[street][seat]
                value_pairs(
                    self.steps, self.num_steps, self.showdowns, self.num_showdowns, &self.kinds[0],
                    &self.factors[0], &self.units[0], buckets, deal[i].share, values,
                )
                for k in range(at.shape[0]):
                    from_ = values + <int64_t>at[k] * PAIRS
                    for lane in range(PAIRS):
                        out[i, k, lane] = from_[lane]
        free(values)


def add_values(
    const float[:, :, ::1] values, const int32_t[::1] cells, int root, float[:, ::1] sums,
):
    """Add one root's values of some deals to the sums of the deals' cells, in their order.

    Args:
        values: shape (n, roots, 16), at a multiple of 64 bytes.
        cells: shape (n,), rows of *sums*.
        root: which column of *values*.
        sums: shape (cells, 16), at a multiple of 64 bytes.
    """
    if values.shape[0] != cells.shape[0] or values.shape[2] != PAIRS or sums.shape[1] != PAIRS:
        raise ValueError("values must be (deals, roots, 16), cells (deals,) and sums (cells, 16)")
    if <size_t>&values[0, 0, 0] % 64 or <size_t>&sums[0, 0] % 64:
        raise ValueError("values and sums must begin at a multiple of 64 bytes")
    if not 0 <= root < values.shape[1]:
        raise ValueError(f"no root {root} of {values.shape[1]}")
    with nogil:
        add_pairs(
            &values[0, root, 0], values.shape[1], &cells[0], cells.shape[0], &sums[0, 0]
        )


def _aligned(int64_t count):
    """Zeros that begin at a multiple of 64 bytes."""
    whole = np.zeros(count + 16, np.float32)
    skip = -whole.ctypes.data % 64 // 4
    return whole[skip : skip + count]
