# Vector CFR and best response: whole ranges walk the public tree of a postflop subgame.
#
# The tree is the same on every board of a street. Its nodes lie breadth first, in parts
# that are walked by themselves: a part begins with some roots, which are dealings of the
# street before (or the one root of all), and holds all that follows them on this street.
#
# One walk updates one player. The opponent's reach goes down in rows of hands, one for
# each of the opponent's actions: what the player does changes nothing in it. Endings that
# have a row each are then evaluated sixteen at a time, and values come up, a row for each
# node. Values are counterfactual, in chips times the opponent's reach, and zero-sum: half
# of the starting pot is taken off both players' winnings.
#
# Where the depth is limited (Brown, Sandholm & Amos 2018) a street's betting ends in leaves.
# A leaf is a decision of both players at once: it has rows for either. The opponent's choice
# divides its reach as an action does; the rows of a leaf's choices are those of what the
# player's hands can meet after each choice of the opponent's, as if that were a fold, and
# then of what each own choice is worth.
#
# Threads share nothing but the rows of the first street while they walk: each takes whole
# boards of the second, whose values have places of their own and are added in the order of
# the boards. So the results do not depend on the number of threads.
from libc.stdint cimport int32_t, int64_t, uint16_t, uint8_t

from holdem._core.range_boards cimport MOST_BOARD_STREETS, RangeBoards

cdef enum:
    LANES_OF_ENDINGS = 16

# What a node of the public tree is. Mirrored by NodeKind in holdem/search/subgame.py.
cdef enum RangeNodeKind:
    DECIDE = 0
    DEAL = 1                   # the next card comes
    END_BY_FOLD = 2
    END_BY_SHOWDOWN = 3        # on the river
    LEAF = 4                   # nothing is known below but values: both players choose, unseen
    CHOICE = 5                 # of a leaf

cdef packed struct RangeNode:
    # Mirrors NODE_DTYPE in holdem/search/subgame.py field for field.
    int32_t first_child        # in its part; children are contiguous
    # Of an ending, to player 0: a fold's value, or a showdown's when won. Of a choice the pot.
    float worth
    uint8_t num_actions        # 0 but at a decision or a leaf
    uint8_t actor              # 0 is out of position
    uint8_t kind               # RangeNodeKind
    uint8_t locked             # the strategy sums are the strategy, and nothing is learnt

# Sixteen rows of reach that endings follow.
cdef struct EndingGroup:
    int32_t rows[LANES_OF_ENDINGS]         # of reach
    int32_t showdowns[LANES_OF_ENDINGS]    # nodes; the part's number of nodes for none
    int32_t folds[LANES_OF_ENDINGS]
    # To the player who is updated.
    float showdown_worth[LANES_OF_ENDINGS]
    float fold_worth[LANES_OF_ENDINGS]
    bint has_showdown
    bint has_fold

cdef struct StreetPart:
    const RangeNode* nodes
    int32_t num_nodes
    int32_t first_root                     # among the street's roots
    int32_t num_roots
    int32_t num_rows[2]                    # of reach, by the player who is updated
    const int32_t* rows[2]                 # (num_nodes,) which row reaches each node
    # By player: (num_nodes,) rows of its own before on the street, and decisions. A leaf is one
    # of both players.
    const int32_t* slots[2]
    const int32_t* decisions[2]
    EndingGroup* groups[2]
    int32_t num_groups[2]
    const int32_t* deals                   # nodes that are dealings, in order of their roots
    int32_t num_deals
    const int32_t* leaves                  # nodes that are leaves
    const float** matrices                 # (num_leaves,) see range_leaves.h; NULL until given
    int32_t num_leaves

# In which group each hand is at a leaf: of choices, or all-in.
cdef struct LeafGroups:
    int counts[2]                          # by player; 0 until given
    const uint16_t** hands                 # (boards of the last street, 2), (pad,) each

cdef struct WalkStreet:
    int32_t num_parts
    StreetPart* parts
    int32_t num_roots
    int32_t num_slots[2]                   # by player
    int32_t num_decisions[2]
    double deal_chance                     # of one next card, both hands known

# What one thread writes while it walks one street.
cdef struct StreetScratch:
    float* reach               # (rows, pad)
    float* values              # (nodes + 1, pad): the last is where unwanted lanes go
    float* lanes               # (2 * pad, 16)
    int32_t ring               # rows of the next two, a multiple of 16
    float* roots_in            # (ring, pad) reach of some of the street's roots
    float* roots_out           # (ring, pad) values of them
    int32_t taken              # roots whose reach is in the ring or was
    int32_t given              # roots whose values were added to the board before
    float* deals_in            # (groups of dealings, hands, 16) reach of the dealings
    float* deals_out           # likewise, sums of what was dealt

cdef struct WalkCase:
    # What is done on the way, the same for all threads.
    int player                 # who is updated or answers
    int mode
    float fade_gains
    float fade_losses
    float keep                 # of the average strategy's sums: 1, or 0 to begin anew
    float weight               # of what they take in
