# A blueprint that plays on from where a search ends (Brown, Sandholm & Amos 2018).
#
# A biased one multiplies the probabilities of folds, of calls or of raises, and then
# normalises: choice 0 is as it is, 1 to fold, 2 to call, 3 to raise.
from libc.stdint cimport int32_t, uint8_t, uint16_t

from holdem._core.deal cimport BucketTables
from holdem._core.tree cimport TreeView
from holdem._core.types cimport Node

cdef enum:
    CHOICES = 4


cdef class BiasedBlueprint:
    cdef TreeView tree
    cdef BucketTables _buckets
    cdef const uint16_t* _units        # (num_slots,), in 1/65,535
    cdef const uint8_t* _kinds         # (num_nodes,): what led there: 0 fold, 1 call, 2 raise
    cdef float _factor
    cdef object _arrays                # keeps memory alive
    cdef readonly int num_streets, most_decisions, most_actions
    cdef readonly tuple bucket_counts

    cdef void look_up(
        self, int street, const int32_t* indices, const int32_t* holes, int count,
        uint16_t* buckets,
    ) noexcept nogil
    cdef void biased(
        self, const Node* node, int bucket, int choice, float* strategy
    ) noexcept nogil
