"""Enumerates the betting tree of a game: first to count it, then to fill its arrays.

The rules of betting are here once, in `list_actions` and `play`; both passes walk
depth first with a stack of their own, so no bet menu can overflow the C stack.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from holdem._core.types cimport (
    FOLD,
    MAX_PLAYERS,
    MAX_STREETS,
    NO_ENDING,
    OK,
    OUT_OF_MEMORY,
    SHOWDOWN,
    TOO_MANY_ACTIONS,
    TREE_TOO_LARGE,
    Ending,
    Node,
    Status,
    chips_t,
)

from holdem.errors import ConfigError, error_for

cdef extern from *:
    int __builtin_popcount(unsigned int) noexcept nogil

cdef enum:
    MOST_ACTIONS = 255         # Node.num_actions is one byte
    NO_ACTOR = 255
    MILLION = 1000000

# How a bet size of the menu is measured; holdem/game/menu.py writes these.
cdef enum SizeKind:
    SHARE_OF_POT = 0           # amount in millionths of the pot after calling
    TIMES_BET = 1              # amount in millionths of the bet faced
    CHIPS = 2                  # a raise by that many chips
    WHOLE_STACK = 3
    EVERY_CHIP = 4

cdef struct Game:
    int num_players
    int num_streets
    chips_t big_blind
    chips_t ante
    chips_t stacks[MAX_PLAYERS]
    chips_t blinds[MAX_PLAYERS]
    int num_blinds
    int first_to_act[MAX_STREETS]
    # The menu: street s has the texts street_texts[s] .. street_texts[s + 1] - 1, and
    # text t the sizes text_sizes[t] .. text_sizes[t + 1] - 1.
    const int32_t* street_texts
    const int32_t* text_sizes
    const uint8_t* keeps_call
    const uint8_t* size_kinds
    const int64_t* size_amounts

# The money of one hand and whose turn it is.
cdef struct Hand:
    chips_t stacks[MAX_PLAYERS]        # behind
    chips_t paid[MAX_PLAYERS]          # in the hand, antes and all
    chips_t bets[MAX_PLAYERS]          # on this street
    chips_t pot
    chips_t to_match                   # the highest bet of the street
    chips_t full_raise                 # the least that a raise adds, unless it is all-in
    int32_t num_raises                 # on this street, blinds not counted
    int32_t node                       # where the hand is in the tree
    uint16_t folded                    # bit p: seat p
    uint16_t able                      # bit p: seat p has cards and chips
    uint16_t acted                     # bit p: seat p, on this street
    uint8_t street
    uint8_t actor

cdef struct Action:
    uint8_t kind
    chips_t total                      # chips of the actor on this street after it

# Hands still to be expanded, last in first out.
cdef struct Pending:
    Hand* hands
    Py_ssize_t size
    Py_ssize_t capacity

cdef struct Sizes:
    int64_t decisions[MAX_STREETS]
    int64_t actions[MAX_STREETS]
    int64_t folds
    int64_t showdowns
    int64_t nodes
    int most_actions


cdef inline chips_t pay(Hand* hand, int seat, chips_t chips) noexcept nogil:
    """Move up to *chips* from *seat* to the pot and return how many there were."""
    chips = min(chips, hand.stacks[seat])
    hand.stacks[seat] -= chips
    hand.paid[seat] += chips
    hand.pot += chips
    if hand.stacks[seat] == 0:
        hand.able &= <uint16_t>~(1 << seat)
    return chips


cdef inline bint must_act(const Game* game, const Hand* hand, int seat) noexcept nogil:
    """Whether *seat* still has something to say on this street."""
    cdef int other
    if not hand.able >> seat & 1:
        return False
    if hand.able == 1 << seat:
        # Alone with players who are all-in: only a bet above his own is a question.
        for other in range(game.num_players):
            if not hand.folded >> other & 1 and hand.bets[other] > hand.bets[seat]:
                return True
        return False
    return not hand.acted >> seat & 1 or hand.bets[seat] < hand.to_match


cdef int next_actor(const Game* game, const Hand* hand, int seat) noexcept nogil:
    """The first seat from *seat* on that must act, or NO_ACTOR when the street is over."""
    cdef int _i
    for _i in range(game.num_players):
        if seat >= game.num_players:
            seat -= game.num_players
        if must_act(game, hand, seat):
            return seat
        seat += 1
    return NO_ACTOR


cdef Ending settle(const Game* game, Hand* hand, int seat) noexcept nogil:
    """Find who acts next from *seat* on, dealing further streets as needed, or how it ends.

    ``hand.street`` moves on only if somebody acts there.
    """
    cdef int out = __builtin_popcount(hand.folded)
    cdef int actor, other
    if out == game.num_players - 1:
        return FOLD
    actor = next_actor(game, hand, seat)
    if actor == NO_ACTOR:
        # With one player left who has chips the rest is a run-out.
        if hand.street + 1 == game.num_streets or __builtin_popcount(hand.able) < 2:
            return SHOWDOWN
        hand.street += 1
        hand.to_match = 0
        hand.full_raise = game.big_blind
        hand.num_raises = 0
        hand.acted = 0
        for other in range(game.num_players):
            hand.bets[other] = 0
        actor = next_actor(game, hand, game.first_to_act[hand.street])
    hand.actor = <uint8_t>actor
    return NO_ENDING


cdef Ending start(const Game* game, Hand* hand) noexcept nogil:
    """Post antes and blinds, and find who acts first."""
    cdef int seat
    memset(hand, 0, sizeof(Hand))
    hand.able = <uint16_t>((1 << game.num_players) - 1)
    hand.full_raise = game.big_blind
    for seat in range(game.num_players):
        hand.stacks[seat] = game.stacks[seat]
        pay(hand, seat, game.ante)
    for seat in range(game.num_blinds):
        hand.bets[seat] = pay(hand, seat, game.blinds[seat])
        # Whoever is too short for a blind does not make it cheaper for others.
        hand.to_match = max(hand.to_match, game.blinds[seat])
    hand.full_raise = max(hand.full_raise, hand.to_match)
    return settle(game, hand, game.first_to_act[0])


cdef chips_t raise_total(
    const Game* game, const Hand* hand, SizeKind kind, int64_t amount
) noexcept nogil:
    """The actor's chips on this street after a raise of one size of the menu."""
    cdef int me = hand.actor
    cdef chips_t all_in = hand.bets[me] + hand.stacks[me]
    cdef int64_t pot, bet, total
    if kind == SHARE_OF_POT:
        pot = hand.pot + hand.to_match - hand.bets[me]
        total = hand.to_match + (amount * pot + MILLION // 2) // MILLION
    elif kind == TIMES_BET:
        bet = hand.to_match if hand.to_match > 0 else game.big_blind
        total = (amount * bet + MILLION // 2) // MILLION
    elif kind == CHIPS:
        total = hand.to_match + amount
    else:
        return all_in
    return <chips_t>min(max(total, <int64_t>hand.to_match + hand.full_raise), <int64_t>all_in)


cdef bint could_answer(const Game* game, const Hand* hand) noexcept nogil:
    """Whether any opponent of the actor has chips beyond the bet to match."""
    cdef int seat
    for seat in range(game.num_players):
        if (
            seat != hand.actor and hand.able >> seat & 1
            and hand.bets[seat] + hand.stacks[seat] > hand.to_match
        ):
            return True
    return False


cdef int list_raises(
    const Game* game, const Hand* hand, int text, chips_t* totals
) noexcept nogil:
    """Write the raises on offer, ascending and all different; return how many, or -1: too many."""
    cdef int me = hand.actor
    cdef chips_t all_in = hand.bets[me] + hand.stacks[me]
    cdef chips_t least, total
    cdef int num = 0, size, position, i
    # A short all-in does not re-open the betting for those who acted, unless such
    # all-ins add up to a full raise since then.
    cdef bint closed = (
        hand.acted >> me & 1 and hand.to_match - hand.bets[me] < hand.full_raise
    )
    if all_in <= hand.to_match or closed or not could_answer(game, hand):
        return 0
    for size in range(game.text_sizes[text], game.text_sizes[text + 1]):
        if game.size_kinds[size] == EVERY_CHIP:
            least = <chips_t>min(<int64_t>hand.to_match + hand.full_raise, <int64_t>all_in)
            if all_in - least >= MOST_ACTIONS - 2:
                return -1
            for i in range(all_in - least + 1):
                totals[i] = least + i
            # Every other size is one of these.
            return all_in - least + 1
        total = raise_total(game, hand, <SizeKind>game.size_kinds[size], game.size_amounts[size])
        position = num
        while position > 0 and totals[position - 1] > total:
            position -= 1
        if position > 0 and totals[position - 1] == total:
            continue
        for i in range(num, position, -1):
            totals[i] = totals[i - 1]
        totals[position] = total
        num += 1
    return num


cdef int list_actions(const Game* game, const Hand* hand, Action* actions) noexcept nogil:
    """Write fold, check or call, and the raises; return how many, or -1: too many."""
    cdef chips_t totals[MOST_ACTIONS]
    cdef int me = hand.actor
    cdef chips_t all_in = hand.bets[me] + hand.stacks[me]
    cdef int num_texts = (
        game.street_texts[hand.street + 1] - game.street_texts[hand.street]
    )
    cdef int text = game.street_texts[hand.street] + min(hand.num_raises, num_texts - 1)
    cdef int num_raises = list_raises(game, hand, text, totals)
    cdef int num = 0, i
    if num_raises < 0:
        return -1
    if hand.to_match > hand.bets[me]:
        actions[0].kind = FOLD_HAND
        actions[0].total = hand.bets[me]
        num = 1
        # Without any raise calling stays, or folding would be forced.
        if game.keeps_call[text] or num_raises == 0:
            actions[1].kind = CALL
            actions[1].total = min(hand.to_match, all_in)
            num = 2
    else:
        actions[0].kind = CHECK
        actions[0].total = hand.bets[me]
        num = 1
    for i in range(num_raises):
        if totals[i] == all_in:
            actions[num].kind = ALL_IN
        else:
            actions[num].kind = RAISE if hand.to_match > 0 else BET
        actions[num].total = totals[i]
        num += 1
    return num


cdef Ending play(
    const Game* game, const Hand* hand, Action action, Hand* after
) noexcept nogil:
    """Write the hand *after* the actor's *action*, and tell whether it ends there."""
    cdef int me = hand.actor
    after[0] = hand[0]
    if action.kind == FOLD_HAND:
        after.folded |= <uint16_t>(1 << me)
        after.able &= <uint16_t>~(1 << me)
    elif action.kind != CHECK:
        after.bets[me] += pay(after, me, action.total - hand.bets[me])
    if action.kind >= BET:
        after.full_raise = max(hand.full_raise, action.total - hand.to_match)
        after.to_match = action.total
        after.num_raises += 1
    after.acted |= <uint16_t>(1 << me)
    return settle(game, after, me + 1)


cdef chips_t write_ending(
    const Game* game, const Hand* hand, chips_t* contributions
) noexcept nogil:
    """Write what every seat paid, the part that nobody matched given back; return the pot."""
    cdef chips_t most = 0, second = 0, pot = 0
    cdef int seat
    for seat in range(game.num_players):
        if hand.paid[seat] > most:
            second = most
            most = hand.paid[seat]
        elif hand.paid[seat] > second:
            second = hand.paid[seat]
    for seat in range(game.num_players):
        contributions[seat] = min(hand.paid[seat], second)
        pot += contributions[seat]
    return pot


cdef bint reserve(Pending* pending, Py_ssize_t more) noexcept nogil:
    """Make room for *more* hands; False if there is no memory."""
    cdef Py_ssize_t capacity
    cdef Hand* hands
    if pending.size + more <= pending.capacity:
        return True
    capacity = 2 * (pending.size + more)
    hands = <Hand*>realloc(pending.hands, capacity * sizeof(Hand))
    if hands == NULL:
        return False
    pending.hands = hands
    pending.capacity = capacity
    return True


cdef Status count_nodes(
    const Game* game, int64_t limit, Pending* pending, Sizes* sizes
) noexcept nogil:
    """Count the tree; TREE_TOO_LARGE as soon as it has more than *limit* nodes."""
    cdef Action actions[MOST_ACTIONS]
    cdef Hand hand
    cdef Ending ending
    cdef int num, a
    memset(sizes, 0, sizeof(Sizes))
    sizes.nodes = 1
    ending = start(game, &hand)
    if ending != NO_ENDING:
        sizes.showdowns += ending == SHOWDOWN
        sizes.folds += ending == FOLD
        return OK
    if not reserve(pending, 1):
        return OUT_OF_MEMORY
    pending.hands[0] = hand
    pending.size = 1
    while pending.size > 0:
        pending.size -= 1
        hand = pending.hands[pending.size]
        num = list_actions(game, &hand, actions)
        if num < 0:
            return TOO_MANY_ACTIONS
        sizes.decisions[hand.street] += 1
        sizes.actions[hand.street] += num
        sizes.nodes += num
        sizes.most_actions = max(sizes.most_actions, num)
        if sizes.nodes > limit:
            return TREE_TOO_LARGE
        if not reserve(pending, num):
            return OUT_OF_MEMORY
        # Last child first onto the stack: the short lines of checks and calls are then
        # walked before the raises, and the stack stays small.
        for a in range(num - 1, -1, -1):
            ending = play(game, &hand, actions[a], &pending.hands[pending.size])
            if ending == NO_ENDING:
                pending.size += 1
            elif ending == FOLD:
                sizes.folds += 1
            else:
                sizes.showdowns += 1
    return OK


cdef struct Arrays:
    Node* nodes
    int32_t* parents
    uint8_t* kinds
    chips_t* amounts
    chips_t* contributions
    uint16_t* folded


cdef void write_node(
    const Game* game, const Hand* hand, Ending ending, int street,
    Arrays* arrays, int32_t index, int32_t* num_endings,
) noexcept nogil:
    """Write node *index*, but for what only its children know."""
    cdef Node* node = &arrays.nodes[index]
    node.first_slot = -1
    node.first_child = -1
    node.ending_index = -1
    node.num_actions = 0
    node.ending = <uint8_t>ending
    if ending == NO_ENDING:
        node.pot = hand.pot
        node.actor = hand.actor
        node.street = hand.street
    else:
        node.actor = NO_ACTOR
        node.street = <uint8_t>street
        node.ending_index = num_endings[0]
        node.pot = write_ending(
            game, hand, &arrays.contributions[<Py_ssize_t>num_endings[0] * game.num_players]
        )
        arrays.folded[num_endings[0]] = hand.folded
        num_endings[0] += 1


cdef Status fill_nodes(const Game* game, Pending* pending, Arrays* arrays) noexcept nogil:
    """Write the tree into arrays that `count_nodes` has sized."""
    cdef Action actions[MOST_ACTIONS]
    cdef Hand hand
    cdef Hand* after
    cdef Ending ending
    cdef int num, a
    cdef int32_t num_nodes = 1, num_endings = 0, child
    ending = start(game, &hand)
    arrays.parents[0] = -1
    arrays.kinds[0] = NO_ACTION
    arrays.amounts[0] = 0
    write_node(game, &hand, ending, 0, arrays, 0, &num_endings)
    if ending != NO_ENDING:
        return OK
    if not reserve(pending, 1):
        return OUT_OF_MEMORY
    pending.hands[0] = hand
    pending.size = 1
    while pending.size > 0:
        pending.size -= 1
        hand = pending.hands[pending.size]
        num = list_actions(game, &hand, actions)
        # The children take the next free block, then the first child's subtree
        # follows: siblings are contiguous and subtrees close together.
        arrays.nodes[hand.node].first_child = num_nodes
        arrays.nodes[hand.node].num_actions = <uint8_t>num
        num_nodes += num
        if not reserve(pending, num):
            return OUT_OF_MEMORY
        for a in range(num - 1, -1, -1):
            child = num_nodes - num + a
            after = &pending.hands[pending.size]
            ending = play(game, &hand, actions[a], after)
            arrays.parents[child] = hand.node
            arrays.kinds[child] = actions[a].kind
            arrays.amounts[child] = actions[a].total
            write_node(game, after, ending, hand.street, arrays, child, &num_endings)
            if ending == NO_ENDING:
                after.node = child
                pending.size += 1
    return OK


cdef class BettingRules:
    """The betting of one game, in the numbers that the enumeration needs.

    `holdem.game.tree` makes it from a GameConfig and has checked every value.
    """

    cdef Game game
    cdef object _kept    # the arrays that game points into

    def __init__(
        self,
        const int32_t[::1] stacks,
        const int32_t[::1] blinds,
        int ante,
        int big_blind,
        const int32_t[::1] first_to_act,
        const int32_t[::1] street_texts,
        const int32_t[::1] text_sizes,
        const uint8_t[::1] keeps_call,
        const uint8_t[::1] size_kinds,
        const int64_t[::1] size_amounts,
    ):
        cdef int i
        if not 2 <= stacks.shape[0] <= MAX_PLAYERS or blinds.shape[0] > stacks.shape[0]:
            raise ValueError(f"{stacks.shape[0]} stacks and {blinds.shape[0]} blinds")
        if not 1 <= first_to_act.shape[0] <= MAX_STREETS:
            raise ValueError(f"{first_to_act.shape[0]} streets")
        if (
            street_texts.shape[0] != first_to_act.shape[0] + 1
            or text_sizes.shape[0] != keeps_call.shape[0] + 1
            or street_texts[street_texts.shape[0] - 1] != keeps_call.shape[0]
            or size_kinds.shape[0] != size_amounts.shape[0]
            or text_sizes[text_sizes.shape[0] - 1] != size_kinds.shape[0]
            or street_texts[0] != 0
            or text_sizes[0] != 0
            or (np.diff(text_sizes) < 0).any()
        ):
            raise ValueError("the arrays of the menu do not fit together")
        self._kept = (street_texts, text_sizes, keeps_call, size_kinds, size_amounts)
        self.game.num_players = <int>stacks.shape[0]
        self.game.num_streets = <int>first_to_act.shape[0]
        self.game.num_blinds = <int>blinds.shape[0]
        self.game.ante = ante
        self.game.big_blind = big_blind
        for i in range(self.game.num_players):
            self.game.stacks[i] = stacks[i]
        for i in range(self.game.num_blinds):
            self.game.blinds[i] = blinds[i]
        for i in range(self.game.num_streets):
            if not 0 <= first_to_act[i] < self.game.num_players:
                raise ValueError(f"street {i} begins with seat {first_to_act[i]}")
            self.game.first_to_act[i] = first_to_act[i]
            if street_texts[i + 1] <= street_texts[i]:
                raise ValueError(f"street {i} has no text in the menu")
        self.game.street_texts = &street_texts[0]
        self.game.text_sizes = &text_sizes[0]
        self.game.keeps_call = &keeps_call[0]
        # An empty menu has no first size to point at, and none is ever read.
        self.game.size_kinds = &size_kinds[0] if size_kinds.shape[0] else NULL
        self.game.size_amounts = &size_amounts[0] if size_amounts.shape[0] else NULL

    def count(self, int64_t limit):
        """Return (complete, decisions, actions, folds, showdowns, nodes, most_actions).

        ``decisions`` and ``actions`` are tuples by street. ``complete`` is False if the
        count stopped because there are more than *limit* nodes.
        """
        cdef Pending pending = Pending(NULL, 0, 0)
        cdef Sizes sizes
        cdef Status status
        with nogil:
            status = count_nodes(&self.game, limit, &pending, &sizes)
            free(pending.hands)
        if status == TOO_MANY_ACTIONS:
            raise ConfigError(
                f"the bet menu offers more than {MOST_ACTIONS} actions at one decision",
                "replace '*' (every whole number of chips) by a few sizes, or use shorter stacks",
            )
        if status != OK and status != TREE_TOO_LARGE:
            raise error_for(status)
        streets = range(self.game.num_streets)
        return (
            status == OK,
            tuple([sizes.decisions[i] for i in streets]),
            tuple([sizes.actions[i] for i in streets]),
            sizes.folds,
            sizes.showdowns,
            sizes.nodes,
            sizes.most_actions,
        )

    def fill(
        self,
        Node[::1] nodes,
        int32_t[::1] parents,
        uint8_t[::1] kinds,
        int32_t[::1] amounts,
        int32_t[:, ::1] contributions,
        uint16_t[::1] folded,
    ):
        """Write the tree into arrays of exactly the sizes that `count` gave."""
        cdef Pending pending = Pending(NULL, 0, 0)
        cdef Sizes sizes
        cdef Arrays arrays
        cdef Status status
        cdef int64_t num_nodes = nodes.shape[0], num_endings = folded.shape[0]
        if (
            parents.shape[0] != num_nodes
            or kinds.shape[0] != num_nodes
            or amounts.shape[0] != num_nodes
            or contributions.shape[0] != num_endings
            or contributions.shape[1] != self.game.num_players
        ):
            raise ValueError("the arrays of a tree differ in length")
        with nogil:
            # Counting again is quick, and arrays of a wrong size would be written past.
            status = count_nodes(&self.game, num_nodes, &pending, &sizes)
            if status == OK and (
                sizes.nodes != num_nodes or sizes.folds + sizes.showdowns != num_endings
            ):
                status = TREE_TOO_LARGE
            if status == OK:
                arrays.nodes = &nodes[0]
                arrays.parents = &parents[0]
                arrays.kinds = &kinds[0]
                arrays.amounts = &amounts[0]
                arrays.contributions = &contributions[0, 0]
                arrays.folded = &folded[0]
                status = fill_nodes(&self.game, &pending, &arrays)
            free(pending.hands)
        if status != OK:
            raise error_for(status)


def node_layout():
    """Return the offset in bytes of every field of the C struct Node, and its size."""
    cdef Node node
    cdef char* base = <char*>&node
    fields = {
        "first_slot": <char*>&node.first_slot - base,
        "first_child": <char*>&node.first_child - base,
        "ending_index": <char*>&node.ending_index - base,
        "pot": <char*>&node.pot - base,
        "num_actions": <char*>&node.num_actions - base,
        "actor": <char*>&node.actor - base,
        "street": <char*>&node.street - base,
        "ending": <char*>&node.ending - base,
    }
    return fields, sizeof(Node)
