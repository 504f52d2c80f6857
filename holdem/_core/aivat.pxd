# Less luck in the results of two known policies: AIVAT (Burch et al. 2018).
#
# What a hand brought is replaced by an estimate with the same mean and less variance. At
# every event (a card dealt, an action drawn) the expected value over all that could have
# happened is added and the value of what did happen is taken away; whatever the values are,
# each such pair has mean zero. With the true values nothing but the mean would be left.
#
# The values here, in chips for seat 0:
#
#   before a flop, of two preflop classes                 a table, learned
#   with the cards of a street before the exact one       a table by two groups of buckets, learned
#   from the exact street on (the turn, in hold'em)       exact: all betting, all cards to come
#
# Within a street the value of a decision is the mean of its actions' values under the
# policy, so the corrections of a street's actions add up to one difference: the value of
# the street's root, less that of the node at which its betting ended.
from holdem._core.types cimport MAX_STREETS, Node
from libc.stdint cimport int32_t, int64_t, uint16_t

cdef enum:
    MAX_OUTCOMES = 64          # of one event, or as many as are sampled


cdef struct Betting:
    # Two policies on one tree. Read-only, kept alive by someone else.
    const Node* nodes
    const uint16_t* folded             # (num_endings,), bit p: seat p folded
    const int32_t* parents             # (num_nodes,)
    const int32_t* ends                # (num_nodes,): a node's descendants are first_child .. end
    const int64_t* first_slots[2]      # by seat, (num_nodes,)
    const uint16_t* units[2]           # by seat, (num_slots,), probabilities x 65,535


cdef struct StreetValues:
    # What the tables of a street say.
    const float* roots                 # (num_groups[0] * num_groups[1], num_roots), chips
    const float* shares                # (num_groups[0] * num_groups[1],), of a pot all-in
    const uint16_t* groups[2]          # by seat, (num_buckets,): the group of a bucket
    int num_groups[2]
    int num_roots


cdef struct Outcomes:
    # All that an event could bring, or a sample of it.
    int count
    double weights[MAX_OUTCOMES]
    int32_t pairs[MAX_OUTCOMES]        # group of seat 0 * num_groups[1] + group of seat 1


cdef struct Hand:
    # One hand that was played.
    int32_t buckets[MAX_STREETS][2]
    int32_t pairs[MAX_STREETS]         # as in Outcomes
    int32_t leaves[MAX_STREETS]        # the node at which each street's betting ended
    int32_t hand_class[2]              # before the flop
