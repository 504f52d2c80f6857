# The MCCFR walk: one player's traversal of the betting tree under one deal.
#
# It reads Node, Deal and a frozen regret table, and writes a log of updates; merge()
# then adds the log to the table. It never sees a card, so Kuhn, Leduc and hold'em
# run through the same code, and known game values test the real thing.
#
# The log has one segment per traversal and owner, (t * owners + owner), where t =
# iteration in batch * players + player, each at a fixed distance from the next (it is
# as long as the longest traversal could need; pages never written cost nothing). An
# owner is a worker that merges; every row has one. So where an update lies depends
# neither on who walked it nor on when, owners merge side by side, and merging segments
# in order repeats every floating-point sum exactly.
#
# An entry of a segment, 8-byte aligned:
#   uint64   word << 8 | is_strategy << 7 | num_actions   word: where the row begins
#   float32  (num_actions,)   regrets in chips, or probabilities; padded to an even number
from holdem._core.deal cimport Deal
from holdem._core.rng cimport Stream
from holdem._core.types cimport MAX_ACTIONS, Node
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t


cdef struct Game:
    # What all traversals of a batch share. Read-only while they run.
    const Node* nodes
    const int32_t* contributions       # (num_endings, num_players), chips
    const uint16_t* folded             # (num_endings,), bit p: seat p folded
    const float* table                 # (2 * num_slots,), frozen
    int num_players
    int num_owners                     # among whom the rows are divided
    int64_t segment_bytes              # of the log, from one segment to the next
    int64_t* room                      # (segments,), bytes of each that may be written
    int descriptor                     # of the log's file, to reserve more; -1 if all is
    float pruning_threshold            # chips x weight; rows below it may be skipped
    float pruning_probability          # 0 turns pruning off


cdef struct Frame:
    # A decision of the updating player whose actions are being tried in turn.
    int32_t node
    uint32_t skipped                   # bit a: action a is pruned in this traversal
    uint8_t num_actions
    uint8_t next_action
    float strategy[MAX_ACTIONS]
    float values[MAX_ACTIONS]          # chips for the updating player


cdef struct Lane:
    # One traversal in flight, with its own stack.
    Frame* frames
    const Deal* deal
    Stream stream
    uint8_t** heads                    # (num_owners,), where the next entry goes
    uint8_t** ends                     # (num_owners,), how far entries may go
    float nowhere[MAX_ACTIONS]         # where they go when there is no more room
    int64_t traversal                  # which segment; -1 when the lane is idle
    int64_t visits                     # decision nodes, all traversals of this lane
    float value                        # of the traversal that ended, chips
    int32_t node                       # the decision to take up next
    int32_t depth                      # open frames
    int32_t player                     # who updates
    bint prune
    bint is_full                       # an entry has gone nowhere


cdef struct Shares:
    # The traversals of a batch by whose share they are, as one walker goes through them.
    int64_t* begun                     # shared; SYNC_CELL_WORDS apart: how many are begun
    const int64_t* bounds              # (num_shares + 1,), iterations of the batch
    int num_shares
    int num_left                       # not yet found to be all begun
    int at                             # where this walker takes from


cdef struct Part:
    # A run of log entries.
    uint8_t* start
    uint8_t* end
