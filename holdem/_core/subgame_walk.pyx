"""Monte Carlo CFR over the betting of one street, for any number of players.

External sampling (Lanctot et al. 2009) with the hands of the player who updates taken all
together, as in opponent-public chance sampling (Johanson et al. 2012): the others' hands are
drawn from their ranges without shared cards, and each acts as its hand does. Iterations weigh
as in Linear CFR (Brown & Sandholm 2019).

At decisions of others that the real hand went through, what was really done is drawn half of the
time more, and values are weighted for that: a bet that is seldom made would otherwise be seldom
answered, and it was made. One that a hand would never make, it makes once in a thousand times.

Hands are drawn from a sequence of points that fill the cube of the others' ranges evenly
(Roberts 2018, a generalised golden ratio), so that, ranges being in order of strength, a few
hundred draws see them as they are; a point whose hands share a card is passed over. All other
random numbers of a walk are a stream of (seed, iteration, seat): so a result depends on nothing but
the seed and how many iterations were done.
"""

import numpy as np

from holdem._core.biased cimport CHOICES, BiasedBlueprint
from holdem._core.evaluator cimport evaluate7
from holdem._core.indexer cimport holes_on_board
from holdem._core.pots cimport divide_pots
from holdem._core.regrets cimport match_regrets
from holdem._core.rng cimport next_below, next_float, next_word, stream_for
from holdem._core.sync cimport sync_now
from holdem._core.types cimport MAX_ACTIONS, MAX_STREETS, NO_ENDING, NUM_CARDS, NUM_HOLES, Node
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint64_t
from libc.string cimport memcpy

from holdem.errors import ConfigError

__all__ = ["STREET_NODE_DTYPE", "SubgameWalk"]

cdef extern from "subgame_walk_simd.h":
    void learn_rows(
        float* regrets, int count, int64_t pad, const float* values, float weight, float* out,
    ) nogil
    void average_rows(
        const float* regrets, float* sums, int count, int64_t pad, const float* reach,
        float weight, float* out,
    ) nogil
    void fill_values(
        const float* table, const uint8_t* standings, int64_t pad, float* out,
    ) nogil
    void fill_choices(
        const float* table, const uint8_t* standings, int64_t pad, float* out,
    ) nogil
    void mix_choices(
        const float* strategies, int count, const uint16_t* buckets, int64_t pad,
        const float* values, float* out,
    ) nogil
    void split_choices(const float* values, int64_t pad, float* out) nogil

STREET_NODE_DTYPE = np.dtype(
    [
        ("first_row", np.int64),
        ("first_child", np.int32),
        ("place", np.int32),
        ("kind", np.uint8),
        ("actor", np.uint8),
        ("num_actions", np.uint8),
        ("locked", np.uint8),
        ("line_action", np.int8),
        ("padding", np.uint8, 3),
    ]
)
assert STREET_NODE_DTYPE.itemsize == sizeof(StreetNode)

cdef enum:
    BLOCK = 16                 # hands are padded to a multiple of this
    MOST_DRAWS = 100_000       # of hands that share cards, before there seem to be no others

cdef float SELDOM = 1e-3       # how often what was really done is done at least


cdef class SubgameWalk:
    """Regrets and average strategies of a street's subgame, and the walks that better them.

    Args:
        nodes: STREET_NODE_DTYPE, (num_nodes,), children after their parents, the root first.
        stakes: int32 (places, num_players), chips of each seat in the pots of an ending, uncalled
            bet returned.
        folded: uint16 (places,), bit p: seat p folded.
        holes: by seat its hands that share no card with the board, uint8 (hands, 2); none of a
            seat that has folded before.
        weights: by seat how likely each of them is, (hands,), above 0.
        board: 3 to 5 cards; a walk draws the others.
        num_floats: of all rows.
        line_end: the decision whose values are kept.
        leaves: None if the street is the river, or nothing is known of later ones; else of each
            place
            - int64 (places, num_players): where the rows of a leaf's choices begin, -1 for none,
            - int32 (places, num_players): chips that each seat has left there,
            - int32 (places,): the node of the blueprint's tree,
            - int32 (places, num_players): chips that each seat has in the pots in that tree,
            - float64 (places,): real chips for one of the tree.
        blueprint: how it plays on from leaves.

    Attributes:
        regrets, sums: float32 (num_floats,).
        pads: by seat, floats of one action's row.
        values: float64 (actions, pad) of the decision *line_end*: what the actions won, iterations
            weighted alike with regrets, times how often the others got there.
        met: float64 (pad,), how often.
        iterations: done so far.
    """

    cdef readonly object regrets, sums, values, met
    cdef readonly tuple pads
    cdef readonly int64_t iterations
    cdef object _arrays                        # keeps memory alive
    cdef const StreetNode* _nodes
    cdef const int32_t* _stakes
    cdef const uint16_t* _folded
    cdef SeatHands _seats[MAX_PLAYERS]
    cdef int _num_players, _line_end
    cdef float[::1] _regrets, _sums, _scratch
    cdef uint8_t[::1] _standings
    cdef double[:, ::1] _values
    cdef double[::1] _met
    cdef uint8_t[::1] _walks                   # by seat: whether it decides anything
    cdef card_t _board[5]
    cdef int _num_dealt
    cdef BiasedBlueprint _blueprint
    cdef const int64_t[:, ::1] _leaf_rows
    cdef const int32_t[:, ::1] _left, _tree_stakes
    cdef const int32_t[::1] _tree_nodes, _bucket_counts
    cdef const double[::1] _scales
    cdef int32_t[::1] _indices
    cdef uint64_t _steps[MAX_PLAYERS]          # from one point to the next, in 2^-64
    cdef uint64_t _points[MAX_PLAYERS]         # by seat: how many its walks have used

    def __init__(
        self, nodes, const int32_t[:, ::1] stakes, const uint16_t[::1] folded, holes, weights,
        board, int64_t num_floats, int line_end, leaves=None, BiasedBlueprint blueprint=None,
    ):
        if nodes.dtype != STREET_NODE_DTYPE or not 0 <= line_end < len(nodes):
            raise TypeError(f"nodes must be an array of STREET_NODE_DTYPE, not {nodes.dtype}")
        if not 2 <= len(holes) <= MAX_PLAYERS or len(weights) != len(holes):
            raise ValueError(f"hands of {len(holes)} seats, weights of {len(weights)}")
        if stakes.shape[1] != len(holes) or stakes.shape[0] != folded.shape[0]:
            raise ValueError("stakes must be of all seats, and as many as folded")
        cdef const uint8_t[::1] raw = nodes.view(np.uint8)
        cdef int seat, card
        self._nodes = <const StreetNode*>&raw[0]
        self._stakes, self._folded = &stakes[0, 0], &folded[0]
        self._num_players, self._line_end = len(holes), line_end
        self._num_dealt = len(board)
        for card in range(self._num_dealt):
            self._board[card] = board[card]
        self._blueprint = blueprint
        if blueprint is not None:
            self._bucket_counts = np.array(blueprint.bucket_counts, np.int32)
            self._leaf_rows, self._left, self._tree_nodes, self._tree_stakes, self._scales = leaves
        self._arrays = [nodes, stakes, folded]
        cdef double ratio = _golden_ratio(sum(len(held) > 0 for held in holes) - 1)
        for seat in range(self._num_players):
            self._take_hands(seat, holes[seat], weights[seat])
            self._steps[seat] = <uint64_t>(ratio ** (-1.0 - seat) * 18446744073709551616.0)
        self.pads = tuple(self._seats[seat].pad for seat in range(self._num_players))
        decisions = nodes[nodes["kind"] == DECISION]
        self._walks = np.isin(np.arange(MAX_PLAYERS), decisions["actor"]).astype(np.uint8)
        self._check_rows(nodes, num_floats)
        self.regrets = np.zeros(num_floats, np.float32)
        self.sums = np.zeros(num_floats, np.float32)
        self._regrets, self._sums = self.regrets, self.sums
        end = nodes[line_end]
        self.values = np.zeros((int(end["num_actions"]), self.pads[int(end["actor"])]))
        self.met = np.zeros(self.pads[int(end["actor"])])
        self._values, self._met = self.values, self.met
        most = max(self.pads)
        self._standings = np.zeros(most, np.uint8)
        floats = (_depth(nodes) + 2) * (MAX_ACTIONS + 1) * most
        if blueprint is not None:
            self._indices = np.zeros(NUM_HOLES, np.int32)
            rows = most + max(blueprint.bucket_counts[1:])
            decisions = blueprint.most_decisions + 1
            floats += 2 * CHOICES * most + (
                decisions * blueprint.most_actions * CHOICES * rows
            )
        self._scratch = np.zeros(floats, np.float32)

    def _take_hands(self, int seat, holes, weights):
        """Lay out a seat's hands, padded with what is no hand."""
        cdef int count = len(holes)
        if len(weights) != count:
            raise ValueError(f"{count} hands of seat {seat}, {len(weights)} weights")
        cdef int64_t pad = (count + BLOCK) // BLOCK * BLOCK if count else 0
        cards = np.zeros((max(pad, 1), 2), np.uint8)
        cards[:count] = np.asarray(holes, np.uint8).reshape(-1, 2)
        bits = np.full(max(pad, 1), 2**64 - 1, np.uint64)
        one = np.uint64(1)
        bits[:count] = (one << cards[:count, 0].astype(np.uint64)) | (
            one << cards[:count, 1].astype(np.uint64)
        )
        up_to = np.cumsum(np.asarray(weights, np.float64)) if count else np.zeros(1)
        strengths = np.zeros(max(pad, 1), np.int32)
        numbers = np.zeros(max(pad, 1), np.int32)
        high, low = cards.max(axis=1).astype(np.int32), cards.min(axis=1).astype(np.int32)
        numbers[:] = high * (high - 1) // 2 + low
        buckets = np.zeros((MAX_STREETS, max(pad, 1)), np.uint16)
        cdef const card_t[:, ::1] card_view = cards
        cdef const uint64_t[::1] bits_view = bits
        cdef const double[::1] weight_view = up_to
        cdef int32_t[::1] strength_view = strengths
        cdef const int32_t[::1] number_view = numbers
        cdef uint16_t[:, ::1] bucket_view = buckets
        cdef int street
        self._arrays += [cards, bits, up_to, strengths, numbers, buckets]
        self._seats[seat].num_hands, self._seats[seat].pad = count, pad
        self._seats[seat].cards = &card_view[0, 0]
        self._seats[seat].bits = &bits_view[0]
        self._seats[seat].up_to = &weight_view[0]
        self._seats[seat].strengths = &strength_view[0]
        self._seats[seat].holes = &number_view[0]
        for street in range(MAX_STREETS):
            self._seats[seat].buckets[street] = &bucket_view[street, 0]
        if self._num_dealt == 5:
            self._rank(seat, self._board)

    def _check_rows(self, nodes, int64_t num_floats):
        """Refuse rows that would lie beyond the end."""
        pads = np.array([*self.pads] + [0] * (256 - len(self.pads)), np.int64)
        ends = nodes["first_row"] + nodes["num_actions"] * pads[nodes["actor"]]
        decides = nodes["kind"] == DECISION
        if (nodes["num_actions"] > MAX_ACTIONS).any():
            raise ValueError(f"more than {MAX_ACTIONS} actions")
        if decides.any() and not 0 <= ends[decides].max() <= num_floats:
            raise ValueError(f"rows of {ends[decides].max()} floats, and there are {num_floats}")

    cdef void _rank(self, int seat, const card_t* board) noexcept nogil:
        """Look up how strong a seat's hands are on a board."""
        cdef SeatHands* hands = &self._seats[seat]
        cdef card_t cards[7]
        cdef int hand, card
        for card in range(5):
            cards[2 + card] = board[card]
        for hand in range(hands.num_hands):
            cards[0], cards[1] = hands.cards[2 * hand], hands.cards[2 * hand + 1]
            hands.strengths[hand] = 2 * evaluate7(cards)

    # ---- Iterations ----------------------------------------------------------------------

    def run(self, uint64_t seed, int64_t iterations, int64_t deadline_ns, int64_t least):
        """Do iterations, a walk of each player who decides; return how many were done.

        Args:
            seed: of the random numbers.
            iterations: how many, if time allows.
            deadline_ns: when to begin no more, on the clock of ``time.monotonic_ns``.
            least: iterations that are done even so.

        Raises:
            ConfigError: the players' ranges leave no hands that share no card.
        """
        cdef WalkState walk
        cdef int64_t done = 0
        cdef float* values = &self._scratch[0]
        cdef bint drawn = True
        cdef int64_t hand
        with nogil:
            while done < iterations and (done < least or sync_now() < deadline_ns):
                self.iterations += 1
                walk.weight = <float>self.iterations
                for walk.player in range(self._num_players):
                    if not self._walks[walk.player]:
                        continue
                    walk.stream = stream_for(seed, self.iterations, walk.player)
                    drawn = self._draw(seed, &walk)
                    if not drawn:
                        break
                    walk.standings = &self._standings[0]
                    walk.scratch = values + self._seats[walk.player].pad
                    self._walk(&walk, 0, <float>1, values)
                    for hand in range(self._seats[walk.player].pad):
                        values[hand] = 1
                    self._average(&walk, 0, values)
                if not drawn:
                    break
                done += 1
        if not drawn:
            raise ConfigError(
                "the players' ranges leave no hands that share no card", "give them wider ranges"
            )
        return done

    cdef bint _draw(self, uint64_t seed, WalkState* walk) noexcept nogil:
        """Draw the others' hands; False if none that share no card were found."""
        cdef uint64_t taken, point
        cdef int _, seat, place
        cdef SeatHands* hands
        cdef Stream start
        for _ in range(MOST_DRAWS):
            taken = 0
            place = 0
            point = self._points[walk.player]
            self._points[walk.player] += 1
            start = stream_for(seed, 0, walk.player)
            for seat in range(self._num_players):
                hands = &self._seats[seat]
                if seat == walk.player or not hands.num_hands:
                    continue
                walk.hole[seat] = draw_hand(hands, next_word(&start) + point * self._steps[place])
                place += 1
                if taken & hands.bits[walk.hole[seat]]:
                    break
                taken |= hands.bits[walk.hole[seat]]
            else:
                if self._num_dealt < 5:
                    taken = self._complete_board(walk, taken)
                self._stand(walk, taken)
                return True
        return False

    cdef uint64_t _complete_board(self, WalkState* walk, uint64_t taken) noexcept nogil:
        """Draw the cards to come, and look up all that hands are on them; return who is taken."""
        cdef card_t card
        cdef int dealt, street, seat
        for dealt in range(5):
            if dealt < self._num_dealt:
                walk.board[dealt] = self._board[dealt]
                taken |= 1ULL << self._board[dealt]
        for dealt in range(self._num_dealt, 5):
            card = <card_t>next_below(&walk.stream, NUM_CARDS)
            while taken >> card & 1:
                card = <card_t>next_below(&walk.stream, NUM_CARDS)
            walk.board[dealt] = card
            taken |= 1ULL << card
        self._rank(walk.player, walk.board)
        for seat in range(self._num_players):
            if seat != walk.player and self._seats[seat].num_hands:
                self._rank_one(seat, walk)
        if self._blueprint is not None:
            for street in range(self._num_dealt - 1, self._blueprint.num_streets):
                self._look_up(walk, street)
        return taken

    cdef void _rank_one(self, int seat, WalkState* walk) noexcept nogil:
        """The same of the hand that a seat was drawn."""
        cdef card_t cards[7]
        cdef int card, hand = walk.hole[seat]
        for card in range(5):
            cards[2 + card] = walk.board[card]
        cards[0] = self._seats[seat].cards[2 * hand]
        cards[1] = self._seats[seat].cards[2 * hand + 1]
        self._seats[seat].strengths[hand] = 2 * evaluate7(cards)

    cdef void _look_up(self, WalkState* walk, int street) noexcept nogil:
        """The buckets of a street: of all hands of the player, of those drawn of the others."""
        cdef SeatHands* own = &self._seats[walk.player]
        cdef int seat
        holes_on_board(walk.board, street + 2, &self._indices[0])
        self._blueprint.look_up(
            street, &self._indices[0], own.holes, own.num_hands, own.buckets[street]
        )
        for seat in range(self._num_players):
            if seat != walk.player and self._seats[seat].num_hands:
                self._blueprint.look_up(
                    street, &self._indices[0], self._seats[seat].holes + walk.hole[seat], 1,
                    &walk.bucket[street][seat],
                )

    cdef void _stand(self, WalkState* walk, uint64_t taken) noexcept nogil:
        """Say how each hand of the player stands against those drawn.

        Standing 2i is between the i-th weakest strength of the others and the one before,
        2i + 1 is equal to it.
        """
        cdef SeatHands* own = &self._seats[walk.player]
        cdef int32_t levels[MAX_PLAYERS]
        cdef int32_t strength
        cdef int64_t hand
        cdef int seat, i, num_levels = 0, standing
        for seat in range(self._num_players):
            if seat == walk.player or not self._seats[seat].num_hands:
                continue
            strength = self._seats[seat].strengths[walk.hole[seat]]
            walk.strength[seat] = strength
            i = num_levels
            while i > 0 and levels[i - 1] > strength:
                i -= 1
            if i > 0 and levels[i - 1] == strength:
                continue
            for standing in range(num_levels, i, -1):
                levels[standing] = levels[standing - 1]
            levels[i] = strength
            num_levels += 1
        for i in range(num_levels):
            # Strengths are even, so that there is one between any two.
            walk.standing_strength[2 * i] = levels[i] - 1
            walk.standing_strength[2 * i + 1] = levels[i]
        walk.standing_strength[2 * num_levels] = levels[num_levels - 1] + 1
        walk.num_standings = 2 * num_levels + 2
        for hand in range(own.pad):
            standing = 0
            strength = own.strengths[hand]
            for i in range(num_levels):
                standing += (levels[i] < strength) + (levels[i] <= strength)
            if own.bits[hand] & taken:
                standing = 2 * num_levels + 1
            self._standings[hand] = <uint8_t>standing

    # ---- Walks ---------------------------------------------------------------------------

    cdef void _walk(
        self, WalkState* walk, int at, float share, float* out
    ) noexcept nogil:
        """Write what *at* is worth to each hand of the player, (pad,), and learn.

        Values are in chips of the whole hand, times *share*: how much more often things
        come here than they were drawn.
        """
        cdef const StreetNode* node = self._nodes + at
        cdef int64_t pad = self._seats[walk.player].pad
        cdef float table[MOST_STANDINGS]
        cdef float* values
        cdef int a
        if node.kind == STREET_ENDING:
            self._pay(
                walk, self._stakes + <int64_t>node.place * self._num_players,
                self._folded[node.place], share, table,
            )
            fill_values(table, walk.standings, pad, out)
        elif node.kind == LEAF:
            self._leaf(walk, node.place, share, out)
        elif node.actor != walk.player:
            a = self._act(walk, node, &share)
            self._walk(walk, node.first_child + a, share, out)
        else:
            values = walk.scratch
            walk.scratch += node.num_actions * pad
            for a in range(node.num_actions):
                self._walk(walk, node.first_child + a, share, values + a * pad)
            if at == self._line_end:
                self._keep(walk, node.num_actions, values, share)
            learn_rows(
                &self._regrets[node.first_row], node.num_actions, pad, values,
                <float>0 if node.locked else walk.weight, out,
            )
            walk.scratch = values

    cdef void _pay(
        self, WalkState* walk, const int32_t* stakes, int folded, float share, float* table
    ) noexcept nogil:
        """What an ending is worth by how a hand stands, times *share*: (num_standings,)."""
        cdef int32_t chips[MAX_PLAYERS]
        cdef int standing, last = walk.num_standings - 1
        for standing in range(last):
            walk.strength[walk.player] = walk.standing_strength[standing]
            divide_pots(stakes, folded, self._num_players, walk.strength, chips)
            table[standing] = share * <float>chips[walk.player]
        table[last] = 0

    # ---- Leaves --------------------------------------------------------------------------

    cdef void _leaf(self, WalkState* walk, int place, float share, float* out) noexcept nogil:
        """What a leaf is worth to each hand: everybody chooses how the blueprint goes on."""
        cdef int64_t pad = self._seats[walk.player].pad
        cdef float table[MOST_STANDINGS]
        cdef float strategy[MAX_ACTIONS]
        cdef float* values = walk.scratch
        cdef int64_t row = self._leaf_rows[place, walk.player]
        cdef int seat
        if self._folded[place] >> walk.player & 1:
            self._pay(
                walk, self._stakes + <int64_t>place * self._num_players, self._folded[place],
                share, table,
            )
            fill_values(table, walk.standings, pad, out)
            return
        for seat in range(self._num_players):
            walk.choice[seat] = 0
            if seat != walk.player and self._leaf_rows[place, seat] >= 0:
                self._strategy(
                    &self._regrets[self._leaf_rows[place, seat] + walk.hole[seat]], CHOICES,
                    self._seats[seat].pad, strategy,
                )
                walk.choice[seat] = sample(strategy, CHOICES, next_float(&walk.stream))
        walk.scratch += 2 * CHOICES * pad
        self._play_on(walk, place, self._tree_nodes[place], share, values)
        split_choices(values, pad, values + CHOICES * pad)
        if row >= 0:
            learn_rows(
                &self._regrets[row], CHOICES, pad, values + CHOICES * pad, walk.weight, out
            )
        else:
            memcpy(out, values + CHOICES * pad, pad * sizeof(float))
        walk.scratch = values

    cdef void _play_on(
        self, WalkState* walk, int place, int at, float share, float* out
    ) noexcept nogil:
        """What a node of the blueprint's tree is worth, by hand and own choice: (pad, CHOICES)."""
        cdef const Node* node = self._blueprint.tree.nodes + at
        cdef int64_t pad = self._seats[walk.player].pad
        cdef float table[MOST_STANDINGS]
        cdef float strategy[MAX_ACTIONS]
        cdef int32_t stakes[MAX_PLAYERS]
        cdef float* values = walk.scratch
        cdef float* mixed
        cdef int a, bucket, choice, count = node.num_actions
        if node.ending != NO_ENDING:
            self._real_stakes(place, node, stakes)
            self._pay(
                walk, stakes, self._blueprint.tree.folded[node.ending_index], share, table
            )
            fill_choices(table, walk.standings, pad, out)
            return
        if node.actor != walk.player:
            self._blueprint.biased(
                node, walk.bucket[node.street][node.actor], walk.choice[node.actor], strategy
            )
            a = sample(strategy, count, next_float(&walk.stream))
            self._play_on(walk, place, node.first_child + a, share, out)
            return
        mixed = values + count * CHOICES * pad
        walk.scratch = mixed
        for a in range(count):
            self._play_on(
                walk, place, node.first_child + a, share, values + a * CHOICES * pad
            )
        for bucket in range(self._bucket_counts[node.street]):
            for choice in range(CHOICES):
                self._blueprint.biased(node, bucket, choice, strategy)
                for a in range(count):
                    mixed[(bucket * count + a) * CHOICES + choice] = strategy[a]
        mix_choices(
            mixed, count, self._seats[walk.player].buckets[node.street], pad, values, out
        )
        walk.scratch = values

    cdef void _real_stakes(self, int place, const Node* node, int32_t* stakes) noexcept nogil:
        """The real chips in the pots at an ending of the tree, as far as stacks go."""
        cdef const int32_t* ending = (
            self._blueprint.tree.contributions
            + <int64_t>node.ending_index * self._num_players
        )
        cdef const int32_t* before = self._stakes + <int64_t>place * self._num_players
        cdef int32_t most = 0, second = 0, added
        cdef int seat
        for seat in range(self._num_players):
            added = max(ending[seat] - self._tree_stakes[place, seat], 0)
            added = <int32_t>(added * self._scales[place] + 0.5)
            stakes[seat] = before[seat] + min(added, self._left[place, seat])
            if stakes[seat] > most:
                second = most
                most = stakes[seat]
            elif stakes[seat] > second:
                second = stakes[seat]
        for seat in range(self._num_players):
            stakes[seat] = min(stakes[seat], second)

    # ---- The others ----------------------------------------------------------------------

    cdef int _act(self, WalkState* walk, const StreetNode* node, float* share) noexcept nogil:
        """Draw what another player does with its hand, and weigh what follows."""
        cdef float strategy[MAX_ACTIONS]
        cdef float chance
        cdef int line = node.line_action, chosen
        self._strategy(
            &self._regrets[node.first_row + walk.hole[node.actor]], node.num_actions,
            self._seats[node.actor].pad, strategy,
        )
        chosen = sample(strategy, node.num_actions, next_float(&walk.stream))
        if line < 0:
            return chosen
        if next_word(&walk.stream) >> 63:
            chosen = line
        if chosen == line:
            chance = <float>0.5 + <float>0.5 * strategy[line]
            share[0] = share[0] * max(strategy[line], SELDOM) / chance
        else:
            share[0] = share[0] * <float>2
        return chosen

    cdef inline void _strategy(
        self, const float* regrets, int count, int64_t pad, float* strategy
    ) noexcept nogil:
        """Regret matching (Hart & Mas-Colell 2000) for one hand of rows that lie by action."""
        cdef float row[MAX_ACTIONS]
        cdef int a
        for a in range(count):
            row[a] = regrets[a * pad]
        match_regrets(row, count, strategy)

    cdef void _keep(
        self, WalkState* walk, int num_actions, const float* values, float share
    ) noexcept nogil:
        """Add to what is known of the line's end."""
        cdef int64_t hand, pad = self._seats[walk.player].pad
        cdef double weight = walk.weight
        cdef int a, last = walk.num_standings - 1
        for a in range(num_actions):
            for hand in range(pad):
                self._values[a, hand] += weight * values[a * pad + hand]
        for hand in range(pad):
            if walk.standings[hand] != last:
                self._met[hand] += weight * share

    cdef void _average(self, WalkState* walk, int at, const float* reach) noexcept nogil:
        """Add the player's strategies to the sums, times how often its hands get there by them.

        Others' actions are drawn alike, and those of the line half of the time, whatever
        their strategies: so a decision comes into the average in a fixed share of the
        iterations, as it is in them.
        """
        cdef const StreetNode* node = self._nodes + at
        cdef float* on
        cdef int a
        if node.kind != DECISION:
            return
        if node.actor != walk.player:
            a = <int>next_below(&walk.stream, node.num_actions)
            if node.line_action >= 0 and next_word(&walk.stream) >> 63:
                a = node.line_action
            self._average(walk, node.first_child + a, reach)
            return
        on = walk.scratch
        walk.scratch += node.num_actions * self._seats[walk.player].pad
        average_rows(
            &self._regrets[node.first_row], &self._sums[node.first_row], node.num_actions,
            self._seats[walk.player].pad, reach, walk.weight, on,
        )
        for a in range(node.num_actions):
            self._average(walk, node.first_child + a, on + a * self._seats[walk.player].pad)
        walk.scratch = on


cdef inline int draw_hand(const SeatHands* hands, uint64_t place) noexcept nogil:
    """The hand at a place of the range, in 2^-64, weights laid end to end."""
    cdef double wanted = (place >> 11) * 1.1102230246251565e-16
    cdef int low = 0, high = hands.num_hands - 1, middle
    wanted = wanted * hands.up_to[high]
    while low < high:
        middle = (low + high) >> 1
        if hands.up_to[middle] > wanted:
            high = middle
        else:
            low = middle + 1
    return low


cdef inline int sample(const float* strategy, int num_actions, float drawn) noexcept nogil:
    """Draw an action. Rounding may leave the sum short of 1; then the last likely one."""
    cdef int a, likely = 0
    for a in range(num_actions):
        if strategy[a] > 0:
            likely = a
            drawn -= strategy[a]
            if drawn < 0:
                return a
    return likely


cdef double _golden_ratio(int dimensions):
    """The root of x^(d + 1) = x + 1: the golden ratio for one dimension."""
    cdef double root = 1.0
    cdef int _
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    return root


def _depth(nodes):
    """The most decisions one after the other."""
    depths = np.zeros(len(nodes), np.int64)
    for at in range(len(nodes) - 1, -1, -1):
        count = int(nodes["num_actions"][at])
        if count and nodes["kind"][at] == DECISION:
            first = int(nodes["first_child"][at])
            depths[at] = 1 + depths[first : first + count].max()
    return int(depths[0])
