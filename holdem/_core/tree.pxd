# The betting tree as kernels see it: read-only arrays that someone else keeps alive.
from libc.stdint cimport uint16_t

from holdem._core.types cimport Node, chips_t

cdef enum ActionKind:
    NO_ACTION = 0    # what led to the root
    FOLD_HAND = 1
    CHECK = 2
    CALL = 3         # all-in or not
    BET = 4          # the first chips of a street
    RAISE = 5
    ALL_IN = 6       # a bet or a raise of the whole stack

cdef struct TreeView:
    const Node* nodes
    const chips_t* contributions   # (num_endings, num_players), the uncalled bet returned
    const uint16_t* folded         # (num_endings,), bit p: seat p folded
    int num_players

cdef inline TreeView view_tree(
    const Node[::1] nodes, const chips_t[:, ::1] contributions, const uint16_t[::1] folded
) noexcept:
    """The arrays of a BettingTree as pointers, good for as long as the arrays live."""
    cdef TreeView view
    view.nodes = &nodes[0]
    view.contributions = &contributions[0, 0]
    view.folded = &folded[0]
    view.num_players = <int>contributions.shape[1]
    return view
