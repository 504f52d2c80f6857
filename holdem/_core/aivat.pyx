"""Exact values of betting for known cards, and AIVAT's estimates of hands that were played.

Two players. See the `.pxd` for what is corrected by what.
"""

import numpy as np

from holdem._core.deal cimport (
    BucketTables, Deal, Dealer, HoldemDealer, OneCardDealer, ask_for_bucket, bucket_of,
    draw_cards, share_of_strengths,
)
from holdem._core.evaluator cimport evaluate7
from holdem._core.indexer cimport BoardState, hand_index, hole_on_board, prepare_board
from holdem._core.rng cimport Stream, stream_for
from holdem._core.types cimport FOLD, NO_ENDING, OUT_OF_MEMORY, card_t
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc

from holdem._core.deal import DEAL_DTYPE
from holdem.errors import error_for

__all__ = ["Estimator", "Matchup"]

cdef enum:
    SAMPLING_LANE = 15         # of the streams that flops are sampled from
    MAX_CHILDREN = 256         # the number of actions has eight bits
    TURN = 2
    RIVER = 3

cdef double UNIT = 1.0 / 65_535


cdef inline double fold_value(const Betting* betting, const Node* node) noexcept nogil:
    """Chips of seat 0 where one seat has folded."""
    # Uncalled bets are back with their owner, so both have put in half the pot.
    return -0.5 * node.pot if betting.folded[node.ending_index] & 1 else 0.5 * node.pot


cdef inline double showdown_value(const Node* node, double share) noexcept nogil:
    """Chips of seat 0 where it gets *share* of the pot."""
    return (share - 0.5) * node.pot


cdef inline double row_value(
    const Betting* betting, int64_t at, int32_t bucket, const double* values
) noexcept nogil:
    """Mean value of the actions at decision *at*, under the policy of who acts there."""
    cdef const Node* node = betting.nodes + at
    cdef const uint16_t* row = (
        betting.units[node.actor] + betting.first_slots[node.actor][at]
        + <int64_t>bucket * node.num_actions
    )
    cdef const double* below = values + node.first_child
    cdef double value = 0
    cdef int a
    for a in range(node.num_actions):
        value += row[a] * below[a]
    return value * UNIT


cdef double expected_value(
    const Betting* betting, int64_t at, const Deal* deal, double* values
) noexcept nogil:
    """Chips of seat 0 from node *at* on for known cards, over all betting.

    *values* (num_nodes,) holds those of all its descendants afterwards.
    """
    cdef const Node* node = betting.nodes + at
    cdef const Node* below
    cdef int64_t n
    if node.ending == NO_ENDING:
        # Children have higher numbers than their parents.
        for n in range(betting.ends[at] - 1, node.first_child - 1, -1):
            below = betting.nodes + n
            if below.ending == NO_ENDING:
                values[n] = row_value(betting, n, deal.bucket[below.street][below.actor], values)
            elif below.ending == FOLD:
                values[n] = fold_value(betting, below)
            else:
                values[n] = showdown_value(below, deal.share[below.street])
        values[at] = row_value(betting, at, deal.bucket[node.street][node.actor], values)
    elif node.ending == FOLD:
        values[at] = fold_value(betting, node)
    else:
        values[at] = showdown_value(node, deal.share[node.street])
    return values[at]


cdef class Matchup:
    """Two policies on one betting tree: what betting is worth when all cards are known.

    Args:
        nodes: NODE_DTYPE, shape (num_nodes,), of a `BettingTree` for two players.
        folded: uint16, shape (num_endings,).
        parents: int32, shape (num_nodes,).
        ends: int32, shape (num_nodes,): one more than a node's last descendant.
        seats: by seat a pair: int64 (num_nodes,), the first slot of each node; uint16
            (num_slots,), probabilities in units of 1/65,535.
    """

    cdef Betting _betting
    cdef Py_ssize_t _num_nodes
    cdef object _arrays                        # keeps them alive

    def __init__(
        self, nodes, const uint16_t[::1] folded, const int32_t[::1] parents,
        const int32_t[::1] ends, seats,
    ):
        cdef const int64_t[::1] first_slots
        cdef const uint16_t[::1] units
        if nodes.dtype.itemsize != sizeof(Node):
            raise TypeError(f"nodes must be an array of NODE_DTYPE, not {nodes.dtype}")
        cdef const uint8_t[::1] raw = nodes.view(np.uint8)
        self._num_nodes = nodes.shape[0]
        self._arrays = nodes, folded, parents, ends, seats
        if parents.shape[0] != self._num_nodes or ends.shape[0] != self._num_nodes:
            raise ValueError("parents and ends must be for every node")
        self._betting.nodes = <const Node*>&raw[0]
        self._betting.folded = &folded[0]
        self._betting.parents = &parents[0]
        self._betting.ends = &ends[0]
        for seat, (slots_of_seat, units_of_seat) in enumerate(seats):
            first_slots, units = slots_of_seat, units_of_seat
            if first_slots.shape[0] != self._num_nodes:
                raise ValueError("first slots do not fit the tree")
            self._betting.first_slots[seat] = &first_slots[0]
            self._betting.units[seat] = &units[0]

    def expected(self, deals, const int32_t[::1] at, float[:, ::1] out):
        """Write what seat 0 wins from some nodes on, over all betting, deal by deal.

        Args:
            deals: DEAL_DTYPE, shape (n,).
            at: shape (k,), node numbers.
            out: shape (n, k), chips.
        """
        cdef Py_ssize_t count = deals.shape[0], i, k
        if deals.dtype != DEAL_DTYPE or out.shape[0] != count or out.shape[1] != at.shape[0]:
            raise ValueError("deals must be of DEAL_DTYPE, and out have a column per node")
        if count == 0:
            return
        cdef const uint8_t[::1] raw = deals.view(np.uint8)
        cdef const Deal* deal = <const Deal*>&raw[0]
        cdef double* values = <double*>malloc(self._num_nodes * sizeof(double))
        if values == NULL:
            raise error_for(OUT_OF_MEMORY)
        with nogil:
            for i in range(count):
                expected_value(&self._betting, 0, deal + i, values)
                for k in range(at.shape[0]):
                    out[i, k] = <float>values[at[k]]
        free(values)


# --- cards ------------------------------------------------------------------------------------

cdef struct Scratch:
    double* values             # (num_nodes,)
    double* leaves             # (most roots of a street,), means over the next card


cdef class Estimator:
    """AIVAT's estimates of hands between the policies of one `Matchup`.

    Args:
        matchup: the tree and the policies.
        dealers: by seat, what deals in the buckets of that seat's policy.
        exact_street: from its cards on, values are exact; at least the turn in hold'em, and
            not before the public card of a one-card game.
        root_numbers: int32, shape (num_nodes,): the number of a street's root among those of
            its street, in the order of nodes; anything elsewhere.
        members: int32: the nodes of each street's betting, from high to low numbers, its
            root last and the roots of the next street among them.
        first_members: int32, shape (num_nodes + 1,): where those of each root begin.
        expectation: the mean of all preflop values over deals and actions, chips.
        preflop_values: float32, shape (classes * classes, roots of street 1): the value of
            each root before its cards, by the classes (or ranks) of both seats.
        street_values: for streets 1 to exact_street: float32, shape (groups of seat 0 * groups
            of seat 1, roots), the value of each root; float32, shape (groups * groups,), seat
            0's share of a pot all-in; and by seat uint16, shape (buckets,), the group of each.
        num_flops: how many flops are sampled for the mean over flops, 1 to 64.
    """

    cdef Matchup _matchup
    cdef Betting _betting
    cdef object _arrays
    cdef bint _is_holdem
    cdef BucketTables _buckets[2]              # hold'em: by seat
    cdef int _num_cards
    cdef int _num_streets, _ranks, _suits      # of one-card games
    cdef int _board_street                     # MAX_STREETS if there is no public card
    cdef int _exact_street, _num_flops, _num_classes, _num_first_roots
    cdef int _most_roots
    cdef double _expectation
    cdef const int32_t* _root_numbers
    cdef const int32_t* _members
    cdef const int32_t* _first_members
    cdef const float* _preflop_values
    cdef StreetValues _streets[MAX_STREETS]

    def __init__(
        self,
        Matchup matchup,
        dealers,
        *,
        int exact_street,
        const int32_t[::1] root_numbers,
        const int32_t[::1] members,
        const int32_t[::1] first_members,
        double expectation,
        const float[:, ::1] preflop_values,
        street_values,
        int num_flops,
    ):
        cdef const float[:, ::1] roots
        cdef const float[::1] shares
        cdef const uint16_t[::1] groups
        cdef Dealer dealer
        cdef OneCardDealer one_card
        cdef StreetValues* values
        if not 1 <= num_flops <= MAX_OUTCOMES or not 1 <= exact_street < MAX_STREETS:
            raise ValueError("num_flops must be 1 to 64, exact_street 1 to 3")
        if len(street_values) != exact_street or len(dealers) != 2:
            raise ValueError("values must be for each street up to the exact one, dealers for two")
        self._matchup, self._betting = matchup, matchup._betting
        self._arrays = root_numbers, members, first_members, preflop_values, street_values
        self._exact_street, self._num_flops = exact_street, num_flops
        self._expectation = expectation
        self._root_numbers = &root_numbers[0]
        self._members = &members[0] if members.shape[0] else NULL
        self._first_members = &first_members[0]
        self._preflop_values = &preflop_values[0, 0]
        self._num_first_roots = <int>preflop_values.shape[1]
        self._is_holdem = isinstance(dealers[0], HoldemDealer)
        for seat in range(2):
            dealer = dealers[seat]
            if dealer.num_players != 2:
                raise ValueError("dealers must be for two players")
            self._num_cards = dealer.num_cards
            if self._is_holdem:
                self._buckets[seat] = (<HoldemDealer?>dealer)._buckets
        if self._is_holdem:
            self._num_classes = 169
            self._board_street = MAX_STREETS
        else:
            one_card = dealers[0]
            self._num_classes = self._ranks = one_card._ranks
            self._suits = one_card._suits
            self._num_streets = one_card._num_streets
            self._board_street = one_card._board_street
            if self._board_street >= self._num_streets:
                self._board_street = MAX_STREETS
        if exact_street < (TURN if self._is_holdem else self._board_street % MAX_STREETS):
            raise ValueError("too many cards are to come after the exact street")
        self._most_roots = 1
        for street, (roots_of_street, shares_of_street, groups_of_street) in enumerate(
            street_values, start=1
        ):
            values = &self._streets[street]
            roots, shares = roots_of_street, shares_of_street
            values.num_roots = <int>roots.shape[1]
            self._most_roots = max(self._most_roots, values.num_roots)
            values.roots = &roots[0, 0]
            values.shares = &shares[0]
            for seat in range(2):
                groups = groups_of_street[seat]
                values.groups[seat] = &groups[0]
                values.num_groups[seat] = int(np.max(groups_of_street[seat])) + 1
            if roots.shape[0] != shares.shape[0] or (
                shares.shape[0] < values.num_groups[0] * values.num_groups[1]
            ):
                raise ValueError(f"the tables of street {street} do not fit its groups")
            values.num_groups[1] = <int>shares.shape[0] // values.num_groups[0]

    cdef inline int32_t pair_of(self, int street, int32_t first, int32_t second) noexcept nogil:
        """The row of a street's tables for these buckets."""
        cdef const StreetValues* values = &self._streets[street]
        return values.groups[0][first] * values.num_groups[1] + values.groups[1][second]

    cdef inline int32_t look_up(self, int seat, int street, int64_t index) noexcept nogil:
        """The bucket of a hand of hold'em; 0 on streets that nobody bets on."""
        if street >= self._buckets[seat].num_streets:
            return 0
        return bucket_of(&self._buckets[seat], street, index)

    cdef inline void ask_for(self, int seat, int street, int64_t index) noexcept nogil:
        """Fetch what `look_up` will read."""
        if street < self._buckets[seat].num_streets:
            ask_for_bucket(&self._buckets[seat], street, index)

    cdef inline int32_t rank_bucket(self, int street, int private, int public) noexcept nogil:
        """The bucket in a one-card game; 0 on streets that nobody bets on."""
        if street >= self._num_streets:
            return 0
        return private if street < self._board_street else private * self._ranks + public

    cdef double share_of(self, const card_t* cards) noexcept nogil:
        """Seat 0's share of a pot at the showdown, all cards dealt."""
        cdef card_t first[7]
        cdef card_t second[7]
        cdef int card
        cdef bint with_board = self._board_street < MAX_STREETS
        if self._is_holdem:
            first[0], first[1], second[0], second[1] = cards[0], cards[1], cards[2], cards[3]
            for card in range(5):
                first[2 + card] = second[2 + card] = cards[4 + card]
            return share_of_strengths(evaluate7(first), evaluate7(second))
        return share_of_strengths(
            cards[0] + self._ranks * (with_board and cards[0] == cards[2]),
            cards[1] + self._ranks * (with_board and cards[1] == cards[2]),
        )

    cdef void read_hand(
        self, const card_t* cards, int32_t ending, int last_street, Hand* hand
    ) noexcept nogil:
        """Find where each street's betting ended on the way to *ending*, and buckets.

        Those of the streets up to *last_street*, whose cards must be known.
        """
        cdef const Betting* betting = &self._betting
        cdef BoardState board
        cdef int street, seat
        cdef int public = cards[2] if self._board_street < MAX_STREETS else 0
        cdef int32_t at = ending, above
        for street in range(MAX_STREETS):
            hand.leaves[street] = ending
        while at > 0:
            above = betting.parents[at]
            if at == ending or betting.nodes[at].street != betting.nodes[above].street:
                hand.leaves[betting.nodes[above].street] = at
            at = above
        for street in range(last_street + 1):
            if self._is_holdem:
                prepare_board(cards + 4, street + 2 if street else 0, &board)
                for seat in range(2):
                    hand.buckets[street][seat] = self.look_up(
                        seat, street, hole_on_board(&board, cards[2 * seat], cards[2 * seat + 1])
                    )
            else:
                for seat in range(2):
                    hand.buckets[street][seat] = self.rank_bucket(street, cards[seat], public)
            if 0 < street <= self._exact_street:
                hand.pairs[street] = self.pair_of(
                    street, hand.buckets[street][0], hand.buckets[street][1]
                )
        for seat in range(2):
            if self._is_holdem:
                hand.hand_class[seat] = <int32_t>hand_index(cards + 2 * seat, 0)
            else:
                hand.hand_class[seat] = cards[seat]

    cdef void next_cards(
        self, int street, const card_t* cards, Stream* stream, Outcomes* out
    ) noexcept nogil:
        """What the cards of *street* could be, given those before."""
        if self._is_holdem:
            self.next_board_cards(street, cards, stream, out)
            return
        cdef int rank, left
        cdef bint comes = street == self._board_street
        cdef int public = cards[2] if self._board_street < MAX_STREETS else 0
        out.count = 0
        for rank in range(self._ranks):
            left = self._suits - (cards[0] == rank) - (cards[1] == rank)
            # Where no card comes, all is as it is.
            if (left > 0) if comes else rank == public:
                out.weights[out.count] = left if comes else 1
                out.pairs[out.count] = self.pair_of(
                    street,
                    self.rank_bucket(street, cards[0], rank),
                    self.rank_bucket(street, cards[1], rank),
                )
                out.count += 1
        normalise(out)

    cdef void next_board_cards(
        self, int street, const card_t* cards, Stream* stream, Outcomes* out
    ) noexcept nogil:
        """Each turn or river card that is left, or flops sampled from those that are."""
        cdef card_t deck[52]
        cdef card_t board[5]
        cdef int64_t index[MAX_OUTCOMES][2]
        cdef BoardState state
        cdef int known = 4 + (street + 1 if street > 1 else 0)
        cdef int left = cards_left(cards, known, deck)
        cdef int outcome, card, seat
        out.count = left if street > 1 else self._num_flops
        for card in range(known - 4):
            board[card] = cards[4 + card]
        for outcome in range(out.count):
            if street > 1:
                board[street + 1] = deck[outcome]
            else:
                draw_cards(stream, deck, left, 3)
                for card in range(3):
                    board[card] = deck[card]
            prepare_board(board, street + 2, &state)
            for seat in range(2):
                index[outcome][seat] = hole_on_board(&state, cards[2 * seat], cards[2 * seat + 1])
                self.ask_for(seat, street, index[outcome][seat])
        for outcome in range(out.count):
            out.weights[outcome] = 1
            out.pairs[outcome] = self.pair_of(
                street,
                self.look_up(0, street, index[outcome][0]),
                self.look_up(1, street, index[outcome][1]),
            )
        normalise(out)

    # --- values -------------------------------------------------------------------------------

    cdef inline double root_value(self, int street, int32_t at, int32_t pair) noexcept nogil:
        """What the tables say of *at*, where the betting before *street* ended, with its cards."""
        cdef const StreetValues* values = &self._streets[street]
        cdef const Node* node = self._betting.nodes + at
        if node.ending == NO_ENDING:
            return values.roots[<int64_t>pair * values.num_roots + self._root_numbers[at]]
        return showdown_value(node, values.shares[pair])

    cdef double street_value(
        self, int street, int32_t at, const Hand* hand, const Outcomes* next, Scratch* scratch
    ) noexcept nogil:
        """Value of *at*, reached with the cards of *street*: its betting, then the next cards.

        *next* is what the next street's cards can be.
        """
        cdef const Betting* betting = &self._betting
        cdef const StreetValues* values = &self._streets[street + 1]
        cdef const Node* node = betting.nodes + at
        cdef const float* row
        cdef double share = 0
        cdef int outcome, root, first = values.num_roots, last = -1
        cdef int32_t place, n
        for outcome in range(next.count):
            share += next.weights[outcome] * values.shares[next.pairs[outcome]]
        if node.ending != NO_ENDING:
            return showdown_value(node, share)
        cdef int32_t start = self._first_members[at], stop = self._first_members[at + 1]
        for place in range(start, stop):
            node = betting.nodes + self._members[place]
            if node.ending == NO_ENDING and node.street != street:
                root = self._root_numbers[self._members[place]]
                first = min(first, root)
                last = max(last, root)
        for root in range(first, last + 1):
            scratch.leaves[root] = 0
        for outcome in range(next.count):
            row = values.roots + <int64_t>next.pairs[outcome] * values.num_roots
            for root in range(first, last + 1):
                scratch.leaves[root] += next.weights[outcome] * row[root]
        for place in range(start, stop):
            n = self._members[place]
            node = betting.nodes + n
            if node.ending == FOLD:
                scratch.values[n] = fold_value(betting, node)
            elif node.ending != NO_ENDING:
                scratch.values[n] = showdown_value(node, share)
            elif node.street != street:
                scratch.values[n] = scratch.leaves[self._root_numbers[n]]
            else:
                scratch.values[n] = row_value(
                    betting, n, hand.buckets[street][node.actor], scratch.values
                )
        return scratch.values[at]

    cdef double exact_value(
        self, int street, int32_t at, const card_t* cards, const Hand* hand, Scratch* scratch
    ) noexcept nogil:
        """Value of *at*, reached with the cards of *street*: all that can come.

        *street* is the exact one or a later one.
        """
        cdef card_t deck[52]
        cdef card_t full[9]
        cdef int64_t index[52][2]
        cdef BoardState state
        cdef Deal deal
        cdef int known, seat, card, outcome, left
        cdef double value = 0, share
        for known in range(street + 1):
            for seat in range(2):
                deal.bucket[known][seat] = hand.buckets[known][seat]
        if not self._is_holdem or street == RIVER:
            for known in range(street + 1, MAX_STREETS):
                for seat in range(2):
                    deal.bucket[known][seat] = hand.buckets[street][seat]
            share = self.share_of(cards)
            for known in range(MAX_STREETS):
                deal.share[known] = <float>share
            return expected_value(&self._betting, at, &deal, scratch.values)
        left = cards_left(cards, 8, deck)
        for card in range(8):
            full[card] = cards[card]
        for outcome in range(left):
            full[8] = deck[outcome]
            prepare_board(full + 4, 5, &state)
            for seat in range(2):
                index[outcome][seat] = hole_on_board(&state, full[2 * seat], full[2 * seat + 1])
                self.ask_for(seat, RIVER, index[outcome][seat])
        for outcome in range(left):
            full[8] = deck[outcome]
            share = self.share_of(full)
            for seat in range(2):
                deal.bucket[RIVER][seat] = self.look_up(seat, RIVER, index[outcome][seat])
            for known in range(MAX_STREETS):
                deal.share[known] = <float>share
            value += expected_value(&self._betting, at, &deal, scratch.values)
        return value / left

    cdef void child_values(
        self, int32_t at, const card_t* cards, const Hand* hand, Scratch* scratch, double* values
    ) noexcept nogil:
        """The values of the children of decision *at*, with the cards of its street."""
        cdef const Betting* betting = &self._betting
        cdef const Node* node = betting.nodes + at
        cdef Outcomes outcomes
        cdef Stream unused = stream_for(0, 0, SAMPLING_LANE)  # only flops are sampled
        cdef int32_t root = at
        cdef int a
        if node.street < self._exact_street:
            while betting.nodes[betting.parents[root]].street == node.street:
                root = betting.parents[root]
            self.next_cards(node.street + 1, cards, &unused, &outcomes)
            self.street_value(node.street, root, hand, &outcomes, scratch)
            for a in range(node.num_actions):
                values[a] = scratch.values[node.first_child + a]
            return
        for a in range(node.num_actions):
            values[a] = self.exact_value(node.street, node.first_child + a, cards, hand, scratch)

    cdef double estimate_hand(
        self, const card_t* cards, int32_t ending, Stream* stream, Scratch* scratch
    ) noexcept nogil:
        """AIVAT's estimate of one hand, chips of seat 0."""
        cdef Hand hand
        cdef Outcomes outcomes
        cdef int street, outcome
        cdef double value = self._expectation
        self.read_hand(cards, ending, self._exact_street, &hand)
        cdef int32_t at = hand.leaves[0]
        if self._betting.nodes[at].ending != NO_ENDING:
            # Its value was the mean over the cards to come, or certain: nothing is left.
            return value
        value -= self._preflop_values[
            (<int64_t>hand.hand_class[0] * self._num_classes + hand.hand_class[1])
            * self._num_first_roots + self._root_numbers[at]
        ]
        self.next_cards(1, cards, stream, &outcomes)
        for outcome in range(outcomes.count):
            value += outcomes.weights[outcome] * self.root_value(1, at, outcomes.pairs[outcome])
        for street in range(1, self._exact_street + 1):
            value -= self.root_value(street, at, hand.pairs[street])
            if street < self._exact_street:
                self.next_cards(street + 1, cards, stream, &outcomes)
                value += self.street_value(street, at, &hand, &outcomes, scratch)
                at = hand.leaves[street]
                if self._betting.nodes[at].ending == FOLD:
                    return value
        return value + self.exact_value(self._exact_street, at, cards, &hand, scratch)

    def estimate(
        self,
        uint64_t seed,
        const int64_t[::1] numbers,
        const uint8_t[:, ::1] cards,
        const int32_t[::1] endings,
        double[::1] values,
    ):
        """Write the estimate of each hand, chips of seat 0.

        Args:
            seed: of the streams that flops are sampled from.
            numbers: shape (n,), which hands they are.
            cards: shape (n, num_cards), as the dealers write them.
            endings: shape (n,), where each hand ended.
            values: shape (n,).
        """
        cdef Scratch scratch
        cdef Stream stream
        cdef Py_ssize_t hand, count = values.shape[0]
        if numbers.shape[0] != count or cards.shape[0] != count or endings.shape[0] != count:
            raise ValueError("numbers, cards, endings and values must be of equal length")
        if cards.shape[1] < self._num_cards:
            raise ValueError("cards must have a column per card")
        self.make_scratch(&scratch)
        with nogil:
            for hand in range(count):
                stream = stream_for(seed, numbers[hand], SAMPLING_LANE)
                values[hand] = self.estimate_hand(
                    &cards[hand, 0], endings[hand], &stream, &scratch
                )
        free(scratch.values)
        free(scratch.leaves)

    def correction(
        self, const uint8_t[::1] cards, int32_t at, const double[::1] chances
    ) -> float:
        """Return what a decision that was made by other probabilities adds to an estimate.

        The estimate of a hand takes every decision for one of the matchup's policies. Where a
        player drew from something else, the sum over actions of (how likely it was - how
        likely the policy takes it) * the action's value makes it unbiased again.

        Args:
            cards: shape (num_cards,), as the dealers write them.
            at: the decision, from street 1 on.
            chances: shape (actions,), what was really drawn from.

        Returns:
            Chips of seat 0.
        """
        cdef Scratch scratch
        cdef Hand hand
        cdef double values[MAX_CHILDREN]
        cdef double value = 0
        cdef const Node* node
        cdef const uint16_t* row
        cdef int a
        if not 0 <= at < self._matchup._num_nodes or cards.shape[0] < self._num_cards:
            raise ValueError("at must be a node, and cards have an entry per card")
        node = self._betting.nodes + at
        if node.ending != NO_ENDING or not node.street or chances.shape[0] != node.num_actions:
            raise ValueError("at must be a decision after the first street, chances of its actions")
        self.make_scratch(&scratch)
        with nogil:
            self.read_hand(&cards[0], at, max(<int>node.street, self._exact_street), &hand)
            self.child_values(at, &cards[0], &hand, &scratch, values)
            row = (
                self._betting.units[node.actor] + self._betting.first_slots[node.actor][at]
                + <int64_t>hand.buckets[node.street][node.actor] * node.num_actions
            )
            for a in range(node.num_actions):
                value += (chances[a] - row[a] * UNIT) * values[a]
        free(scratch.values)
        free(scratch.leaves)
        return value

    cdef int make_scratch(self, Scratch* scratch) except -1:
        """Allocate what a hand's values are worked out in."""
        scratch.values = <double*>malloc(self._matchup._num_nodes * sizeof(double))
        scratch.leaves = <double*>malloc(self._most_roots * sizeof(double))
        if scratch.values == NULL or scratch.leaves == NULL:
            free(scratch.values)
            free(scratch.leaves)
            raise error_for(OUT_OF_MEMORY)
        return 0


cdef int cards_left(const card_t* cards, int known, card_t* deck) noexcept nogil:
    """Write the cards of the full deck that are not among *cards*; return how many."""
    cdef uint64_t out = 0
    cdef int card, left = 0
    for card in range(known):
        out |= <uint64_t>1 << cards[card]
    for card in range(52):
        if not out >> card & 1:
            deck[left] = <card_t>card
            left += 1
    return left


cdef void normalise(Outcomes* outcomes) noexcept nogil:
    """Scale the weights so that they sum to 1."""
    cdef double total = 0
    cdef int outcome
    for outcome in range(outcomes.count):
        total += outcomes.weights[outcome]
    for outcome in range(outcomes.count):
        outcomes.weights[outcome] /= total
