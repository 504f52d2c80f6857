"""The MCCFR walk over a batch of iterations, and the merge of its updates.

External sampling (Lanctot et al. 2009): the updating player tries every action, the
others and chance are sampled. Outcome sampling: everybody is sampled, the updating
player with some exploration. During a walk the table is frozen; `Walker.merge` adds
the log in the order of iterations.

A traversal alone is bound by memory latency, not by arithmetic. So eight independent
ones are in flight, one node's step each in turn, and a step ends by asking for the
cache lines that the next one will need. Branches are left as they are: of trained
strategies most are foreseen, and where the table is larger than the cache a walk
without them is slower (bench/README.md).
"""

import numpy as np

from holdem._core.regrets cimport add_regrets, add_strategy, match_regrets
from holdem._core.rng cimport mix64, next_float, stream_for
from holdem._core.sync cimport SYNC_CELL_WORDS, Counters, sync_cell_add
from holdem._core.types cimport (
    FOLD, NO_ENDING, OK, OUT_OF_MEMORY, OUT_OF_SHARED_MEMORY, TOO_MANY_ACTIONS, Status
)
from libc.stdlib cimport calloc, free

from holdem._core.deal import DEAL_DTYPE
from holdem.errors import ResourceError, error_for

cdef extern from *:
    """
    #include <errno.h>
    #include <fcntl.h>

    /* Also takes the line from other cores that have read it. Where the processor has no such
     * instruction this one does nothing. */
    static inline void prefetch_to_write(const void *address) {
    #if defined(__x86_64__)
        __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
    #else
        __builtin_prefetch(address, 1);
    #endif
    }

    static int reserve(int descriptor, int64_t start, int64_t num_bytes) {
        int reason;
        do
            reason = posix_fallocate(descriptor, start, num_bytes);
        while (reason == EINTR);
        return reason == 0;
    }
    """
    void prefetch "__builtin_prefetch"(const void* address) noexcept nogil
    void prefetch_to_write(const void* address) noexcept nogil
    bint reserve(int descriptor, int64_t start, int64_t num_bytes) noexcept nogil

__all__ = ["Walker", "measure"]

cdef enum:
    NUM_LANES = 8
    LOOK_AHEAD = 16            # log entries between asking for a row and adding to it
    DEALS_AHEAD = 4            # iterations between asking for a deal and walking it
    LOG_AHEAD = 512            # bytes between asking for a log entry and looking at it
    LEAST_ROOM = 4096          # bytes of a segment that are reserved at a time
    RIVER = 3
    MAX_DEPTH = 512


# --- what a hand is worth at its end ------------------------------------------------

cdef float showdown_value(
    const Game* game, const Node* node, const Deal* deal, int player
) noexcept nogil:
    """Chips that *player* wins or loses at a showdown of any number of players.

    The pot is cut into layers at each stake still in play; the best hands that
    reach a layer share it. Odd chips are split as fractions: the expectation over
    who sits left of the button.
    """
    cdef const int32_t* stakes = game.contributions + <int64_t>node.ending_index * game.num_players
    cdef uint32_t folded = game.folded[node.ending_index]
    cdef int32_t floor = 0, level, layer, best
    cdef int seat, winners
    cdef bint wins
    cdef float won = 0
    if folded >> player & 1:
        return -<float>stakes[player]
    while floor < stakes[player]:
        level = stakes[player]
        for seat in range(game.num_players):
            if not (folded >> seat & 1) and floor < stakes[seat] < level:
                level = stakes[seat]
        layer = 0
        best = deal.strength[player]
        winners = 0
        wins = True
        for seat in range(game.num_players):
            layer += max(min(stakes[seat], level) - floor, 0)
            if (folded >> seat & 1) or stakes[seat] < level:
                continue
            if deal.strength[seat] > best:
                wins = False
            elif deal.strength[seat] == best:
                winners += 1
        if wins:
            won += <float>layer / <float>winners
        floor = level
    return won - <float>stakes[player]


cdef inline float ending_value(
    const Game* game, const Node* node, const Deal* deal, int player
) noexcept nogil:
    """Chips that *player* wins or loses at an ending."""
    cdef float half
    if game.num_players == 2:
        # Uncalled bets are back with their owner, so both have put in half the pot.
        half = <float>0.5 * <float>node.pot
        if node.ending == FOLD:
            return half if node.actor == player else -half
        half = (deal.share[node.street] * <float>2 - <float>1) * half
        return half if player == 0 else -half
    if node.ending == FOLD:
        half = -<float>game.contributions[<int64_t>node.ending_index * game.num_players + player]
        return half + <float>node.pot if node.actor == player else half
    return showdown_value(game, node, deal, player)


# --- one row ---------------------------------------------------------------------------

cdef inline int64_t row_word(const Node* node, const Deal* deal) noexcept nogil:
    """Where the actor's row begins in the table."""
    return 2 * (node.first_slot + <int64_t>deal.bucket[node.street][node.actor] * node.num_actions)


cdef inline int owner_of(uint64_t word, int num_owners) noexcept nogil:
    """Who merges the row that begins at *word*.

    Blocks of 256 bytes are dealt out by a multiplicative hash, so that the rows near
    the root, which every traversal updates, are spread over all owners.
    """
    cdef uint64_t hash = ((word >> 6) * <uint64_t>0x9E3779B97F4A7C15) >> 32
    return <int>((hash * <uint64_t>num_owners) >> 32)


cdef inline int64_t entry_bytes(uint64_t header) noexcept nogil:
    """Length of the entry with this header."""
    return 8 + 8 * (((header & 0x7F) + 1) >> 1)


cdef inline float* open_entry(
    const Game* game, Lane* lane, int64_t word, bint is_strategy, int num_actions
) noexcept nogil:
    """Begin an entry of the log; return where its num_actions values go."""
    cdef int owner = owner_of(word, game.num_owners) if game.num_owners > 1 else 0
    cdef uint64_t header = <uint64_t>word << 8 | <uint64_t>is_strategy << 7 | <uint64_t>num_actions
    cdef uint8_t* entry = lane.heads[owner]
    cdef uint8_t* end = entry + entry_bytes(header)
    if end > lane.ends[owner] and not take_room(game, lane, owner, end - lane.ends[owner]):
        # The walk goes on to nowhere and is given up when this traversal is over.
        lane.is_full = True
        return lane.nowhere
    (<uint64_t*>entry)[0] = header
    lane.heads[owner] = end
    return <float*>(entry + 8)


cdef bint take_room(
    const Game* game, Lane* lane, int owner, int64_t wanted
) noexcept nogil:
    """Reserve *wanted* more bytes of a segment, and some beyond; False if there are none.

    A page of a full /dev/shm that is written to unreserved kills the process.
    """
    cdef int64_t segment = lane.traversal * game.num_owners + owner
    cdef int64_t room = game.room[segment], more
    if game.descriptor < 0:
        return False
    more = min(max(wanted, room, <int64_t>LEAST_ROOM), game.segment_bytes - room)
    if more < wanted or not reserve(game.descriptor, segment * game.segment_bytes + room, more):
        return False
    game.room[segment] = room + more
    lane.ends[owner] += more
    return True


cdef inline int sample(const float* strategy, int num_actions, Stream* stream) noexcept nogil:
    """Draw an action. Rounding may leave the sum short of 1; then the last likely one."""
    cdef float left = next_float(stream)
    cdef int a, likely = 0
    for a in range(num_actions):
        if strategy[a] > 0:
            likely = a
            left -= strategy[a]
            if left < 0:
                return a
    return likely


cdef uint32_t actions_to_skip(
    const Game* game, const Node* node, const float* regrets
) noexcept nogil:
    """Regret-based pruning (Brown & Sandholm 2019): the bits of the hopeless actions.

    Never on the river, never an action that ends the hand (walking it costs
    nothing), never the row's best action.
    """
    cdef uint32_t skipped = 0
    cdef int a, best = 0
    if node.street == RIVER:
        return 0
    for a in range(1, node.num_actions):
        if regrets[a] > regrets[best]:
            best = a
    for a in range(node.num_actions):
        if (
            a != best
            and regrets[a] < game.pruning_threshold
            and game.nodes[node.first_child + a].ending == NO_ENDING
        ):
            skipped |= <uint32_t>1 << a
    return skipped


# --- external sampling ---------------------------------------------------------------

cdef inline void go_to(const Game* game, Lane* lane, int32_t child) noexcept nogil:
    """Make *child* the lane's next decision and ask for all that its step will read."""
    cdef const Node* node = game.nodes + child
    cdef const float* row = game.table + row_word(node, lane.deal)
    prefetch(row)
    prefetch(row + node.num_actions - 1)
    prefetch(game.nodes + node.first_child)
    prefetch(<const uint8_t*>(game.nodes + node.first_child + node.num_actions) - 1)
    lane.node = child


cdef bint go_on(const Game* game, Lane* lane) noexcept nogil:
    """Find the next decision from the open frames; False when the traversal is over.

    Frames whose actions are all tried are closed here: their regrets go to the log,
    their value to the frame below.
    """
    cdef Frame* frame
    cdef const Node* node
    cdef const Node* child
    cdef float* regrets
    cdef float value
    cdef int a
    while lane.depth > 0:
        frame = lane.frames + lane.depth - 1
        node = game.nodes + frame.node
        while frame.next_action < frame.num_actions:
            a = frame.next_action
            if frame.skipped >> a & 1:
                frame.next_action += 1
                continue
            child = game.nodes + node.first_child + a
            if child.ending == NO_ENDING:
                go_to(game, lane, node.first_child + a)
                return True
            frame.values[a] = ending_value(game, child, lane.deal, lane.player)
            frame.next_action += 1
        value = 0
        for a in range(frame.num_actions):
            if not (frame.skipped >> a & 1):
                value += frame.strategy[a] * frame.values[a]
        regrets = open_entry(game, lane, row_word(node, lane.deal), False, frame.num_actions)
        for a in range(frame.num_actions):
            # A pruned action was not tried: its regret stays as it is.
            regrets[a] = <float>0 if frame.skipped >> a & 1 else frame.values[a] - value
        lane.depth -= 1
        lane.value = value
        if lane.depth > 0:
            frame = lane.frames + lane.depth - 1
            frame.values[frame.next_action] = value
            frame.next_action += 1
    return False


cdef bint step(const Game* game, Lane* lane) noexcept nogil:
    """Take up the lane's next decision; False when that ended the traversal."""
    cdef const Node* node = game.nodes + lane.node
    cdef const Node* child
    cdef int64_t word = row_word(node, lane.deal)
    cdef const float* row = game.table + word
    cdef int num_actions = node.num_actions
    cdef Frame* frame
    cdef float* strategy
    cdef float value, total
    cdef int a
    lane.visits += 1
    if node.actor == lane.player:
        frame = lane.frames + lane.depth
        lane.depth += 1
        frame.node = lane.node
        frame.num_actions = num_actions
        frame.next_action = 0
        frame.skipped = 0
        match_regrets(row, num_actions, frame.strategy)
        if lane.prune:
            frame.skipped = actions_to_skip(game, node, row)
            if frame.skipped:
                # Where no regret is positive, skipped actions would have been played:
                # the others take their share.
                total = 0
                for a in range(num_actions):
                    if not (frame.skipped >> a & 1):
                        total += frame.strategy[a]
                for a in range(num_actions):
                    frame.strategy[a] = frame.strategy[a] / total
        return go_on(game, lane)
    strategy = open_entry(game, lane, word, True, num_actions)
    match_regrets(row, num_actions, strategy)
    a = sample(strategy, num_actions, &lane.stream)
    child = game.nodes + node.first_child + a
    if child.ending == NO_ENDING:
        go_to(game, lane, node.first_child + a)
        return True
    value = ending_value(game, child, lane.deal, lane.player)
    lane.value = value
    if lane.depth == 0:
        return False
    frame = lane.frames + lane.depth - 1
    frame.values[frame.next_action] = value
    frame.next_action += 1
    return go_on(game, lane)


# --- outcome sampling -----------------------------------------------------------------

cdef void walk_outcome(const Game* game, Lane* lane, float epsilon) noexcept nogil:
    """Walk one sampled path from the root, and log its updates.

    The updating player plays (1 - epsilon) of the current strategy and epsilon of
    the uniform one; regrets and averages are divided by the probability of that.
    Opponents and chance are sampled as they play, so their parts cancel.
    """
    cdef const Node* node = game.nodes
    cdef Frame* frame
    cdef float* out
    cdef float reach = 1          # probability that the updating player sampled this path
    cdef float probability, value, tail
    cdef int a, taken, num_actions
    cdef const Deal* deal = lane.deal
    lane.depth = 0
    while node.ending == NO_ENDING:
        num_actions = node.num_actions
        lane.visits += 1
        if node.actor == lane.player:
            frame = lane.frames + lane.depth
            lane.depth += 1
            frame.node = <int32_t>(node - game.nodes)
            frame.num_actions = num_actions
            match_regrets(game.table + row_word(node, deal), num_actions, frame.strategy)
            for a in range(num_actions):
                frame.values[a] = (1 - epsilon) * frame.strategy[a] + epsilon / num_actions
            taken = sample(frame.values, num_actions, &lane.stream)
            frame.next_action = taken
            reach *= frame.values[taken]
        else:
            out = open_entry(game, lane, row_word(node, deal), True, num_actions)
            match_regrets(game.table + row_word(node, deal), num_actions, out)
            taken = sample(out, num_actions, &lane.stream)
            probability = 1 / reach
            for a in range(num_actions):
                out[a] = out[a] * probability
        node = game.nodes + node.first_child + taken
    lane.value = ending_value(game, node, deal, lane.player)
    value = lane.value / reach
    # From the last decision to the first; tail is the chance that the current
    # strategy plays on from there to this ending.
    tail = 1
    while lane.depth > 0:
        lane.depth -= 1
        frame = lane.frames + lane.depth
        node = game.nodes + frame.node
        out = open_entry(game, lane, row_word(node, deal), False, frame.num_actions)
        probability = tail * frame.strategy[frame.next_action]
        for a in range(frame.num_actions):
            out[a] = value * ((tail if a == frame.next_action else <float>0) - probability)
        tail = probability


# --- a batch -----------------------------------------------------------------------------

cdef inline int64_t claim(Shares* shares, int num_players) noexcept nogil:
    """Take a traversal that nobody has begun: of one's own share first; -1 when none is left.

    Who has finished early helps the others, so nobody waits for longer than a traversal
    takes. What a traversal computes does not depend on who walks it.
    """
    cdef int64_t traversal
    while shares.num_left > 0:
        traversal = shares.bounds[shares.at] * num_players
        traversal += sync_cell_add(shares.begun + shares.at * SYNC_CELL_WORDS, 1) - 1
        if traversal < shares.bounds[shares.at + 1] * num_players:
            return traversal
        shares.num_left -= 1
        shares.at = shares.at + 1 if shares.at + 1 < shares.num_shares else 0
    return -1


cdef inline void prefetch_deal(const Deal* deal) noexcept nogil:
    """Ask for a deal, which another core may have written; there may be none."""
    cdef size_t offset
    for offset in range(0, sizeof(Deal), 64):
        prefetch(<const uint8_t*>deal + offset)


cdef class Walker:
    """Walks batches of iterations over one frozen table, and merges the rows of one owner.

    Several walkers, in several processes, may share table and log: each walks its part
    of a batch, and when all have, each merges its own rows.

    Args:
        nodes: NODE_DTYPE, shape (num_nodes,), of a `BettingTree`; at an ending by
            folds, ``actor`` is the seat that wins.
        contributions: int32, shape (num_endings, num_players), chips.
        folded: uint16, shape (num_endings,).
        table: float32, shape (2 * num_slots,), see `RegretTable`.
        log: uint8, at least batch_size * num_players * num_owners * segment_bytes long,
            aligned to 8 bytes; sparse memory will do.
        used: int64, shape (batch_size * num_players * num_owners,): how much of each
            segment the last batch has used.
        values: float32, shape (batch_size, num_players): the sampled value of each
            traversal of the last batch, chips for the updating player.
        num_owners: among how many walkers the rows are divided.
        descriptor: of the file that *log* maps, where it must be reserved before it is
            written; -1 where all of it may be written.
        room: with a descriptor, int64, shape (batch_size * num_players * num_owners,):
            bytes of each segment that are reserved; shared, zero at first.

    Raises:
        ResourceError: a decision has more than 16 actions, or the tree is deeper
            than 512 decisions.
    """

    cdef readonly int num_players
    cdef readonly Py_ssize_t batch_size
    cdef readonly Py_ssize_t segment_bytes
    """Length of one segment of the log, see `measure`."""
    cdef readonly int64_t visits
    """Decision nodes visited so far."""
    cdef Game _game
    cdef Lane _lanes[NUM_LANES]
    cdef Part* _parts                          # scratch of a merge
    cdef int64_t _first                        # iteration of the batch in the log
    cdef object _nodes, _contributions, _folded, _table
    cdef uint8_t[::1] _log
    cdef int64_t[::1] _used
    cdef int64_t[::1] _room
    cdef float[:, ::1] _values
    cdef float* _words

    def __cinit__(self):
        cdef int i
        self._parts = NULL
        self._first = 0
        for i in range(NUM_LANES):
            self._lanes[i].frames = NULL
            self._lanes[i].heads = NULL
            self._lanes[i].ends = NULL

    def __init__(
        self,
        nodes,
        contributions,
        folded,
        table,
        *,
        uint8_t[::1] log,
        int64_t[::1] used,
        float[:, ::1] values,
        int num_owners=1,
        int descriptor=-1,
        int64_t[::1] room=None,
    ):
        cdef int i, depth
        cdef uint8_t[::1] raw_nodes = nodes.view(np.uint8)
        cdef const int32_t[:, ::1] stakes = contributions
        cdef const uint16_t[::1] folds = folded
        cdef float[::1] words = table
        if nodes.dtype.itemsize != sizeof(Node):
            raise TypeError(f"nodes must be an array of NODE_DTYPE, not {nodes.dtype}")
        self._nodes, self._contributions = nodes, contributions
        self._folded, self._table = folded, table
        self._log, self._used, self._values = log, used, values
        self.num_players = contributions.shape[1]
        self.batch_size = values.shape[0]
        self.segment_bytes, depth = measure(nodes, self.num_players)
        segments = self.batch_size * self.num_players * num_owners
        if (
            num_owners < 1
            or values.shape[1] != self.num_players
            or used.shape[0] != segments
            or log.shape[0] < segments * self.segment_bytes
            or (descriptor >= 0 and (room is None or room.shape[0] != segments))
        ):
            raise ValueError("log, used, values or room do not fit the batch, players or tree")
        self._words = &words[0]
        self._game.nodes = <const Node*>&raw_nodes[0]
        self._game.contributions = &stakes[0, 0]
        self._game.folded = &folds[0]
        self._game.table = &words[0]
        self._game.num_players = self.num_players
        self._game.num_owners = num_owners
        self._game.segment_bytes = self.segment_bytes
        self._game.descriptor = descriptor
        if descriptor >= 0:
            self._room = room
            self._game.room = &room[0]
        self._parts = <Part*>calloc(self.batch_size * self.num_players, sizeof(Part))
        if self._parts == NULL:
            raise error_for(OUT_OF_MEMORY)
        for i in range(NUM_LANES):
            self._lanes[i].frames = <Frame*>calloc(depth, sizeof(Frame))
            self._lanes[i].heads = <uint8_t**>calloc(num_owners, sizeof(uint8_t*))
            self._lanes[i].ends = <uint8_t**>calloc(num_owners, sizeof(uint8_t*))
            if (
                self._lanes[i].frames == NULL
                or self._lanes[i].heads == NULL
                or self._lanes[i].ends == NULL
            ):
                raise error_for(OUT_OF_MEMORY)

    def __dealloc__(self):
        cdef int i
        free(self._parts)
        for i in range(NUM_LANES):
            free(self._lanes[i].frames)
            free(self._lanes[i].heads)
            free(self._lanes[i].ends)

    def walk(
        self,
        uint64_t seed,
        int64_t first_iteration,
        deals,
        *,
        Counters begun=None,
        const int64_t[::1] bounds=None,
        int worker=0,
        float pruning_threshold=0,
        float pruning_probability=0,
        epsilon=None,
    ):
        """Walk a batch, one iteration for each of *deals*, into the log.

        Args:
            first_iteration: of the batch.
            deals: DEAL_DTYPE, shape (n,).
            begun: where several walkers share the batch: how many traversals of each
                worker's share are begun, all zero before the first one walks. This
                walker takes what nobody has begun until nothing is left; the others
                may then still be at their last ones.
            bounds: int64, shape (workers + 1,): at how many iterations of the batch each
                share begins, and the last one ends.
            worker: whose share to begin with.
            pruning_threshold: chips x weight.
            pruning_probability: of a traversal that prunes; 0 for never.
            epsilon: None for external sampling; otherwise outcome sampling with that
                much exploration.

        Raises:
            ResourceError: no more of the log can be reserved. What it holds is of no use,
                and others may wait for it.
        """
        cdef Py_ssize_t count = deals.shape[0]
        if deals.dtype != DEAL_DTYPE or count > self.batch_size:
            raise TypeError(f"deals must be of DEAL_DTYPE, {self.batch_size} at the most")
        self._first = first_iteration
        if count == 0:
            return
        cdef uint8_t[::1] raw = deals.view(np.uint8)
        cdef bint outcome = epsilon is not None
        cdef float exploration = epsilon if outcome else 0
        cdef int64_t alone = 0
        cdef int64_t[2] whole
        cdef Shares shares
        if begun is None:
            whole[0], whole[1] = 0, count
            shares.begun, shares.bounds, shares.num_shares = &alone, whole, 1
        else:
            check_bounds(bounds, begun.count, count)
            shares.begun, shares.bounds = begun.cells, &bounds[0]
            shares.num_shares = <int>begun.count
        shares.num_left, shares.at = shares.num_shares, worker
        if not 0 <= worker < shares.num_shares:
            raise ValueError(f"no worker {worker} of {shares.num_shares}")
        self._game.pruning_threshold = pruning_threshold
        self._game.pruning_probability = pruning_probability
        cdef Status status
        with nogil:
            if outcome:
                status = self._walk_outcomes(
                    seed, first_iteration, <Deal*>&raw[0], &shares, exploration
                )
            else:
                status = self._walk_batch(seed, first_iteration, <Deal*>&raw[0], &shares)
        if status != OK:
            raise error_for(status)

    cdef inline void _begin(
        self, Lane* lane, int64_t traversal, uint64_t seed, int64_t first, const Deal* deals
    ) noexcept nogil:
        cdef int64_t iteration = traversal // self.num_players
        cdef int owner, num_owners = self._game.num_owners
        cdef int64_t segment = traversal * num_owners
        cdef int64_t room = self.segment_bytes
        for owner in range(num_owners):
            if self._game.descriptor >= 0:
                room = self._game.room[segment + owner]
            lane.heads[owner] = &self._log[0] + (segment + owner) * self.segment_bytes
            lane.ends[owner] = lane.heads[owner] + room
        lane.traversal = traversal
        lane.player = <int32_t>(traversal - iteration * self.num_players)
        lane.deal = deals + iteration
        prefetch_deal(lane.deal + DEALS_AHEAD)
        lane.stream = stream_for(seed, first + iteration, 1 + lane.player)
        lane.visits = 0
        lane.depth = 0
        lane.is_full = False
        go_to(&self._game, lane, 0)
        lane.prune = (
            self._game.pruning_probability > 0
            and next_float(&lane.stream) < self._game.pruning_probability
        )

    cdef inline Status _end(self, Lane* lane) noexcept nogil:
        cdef int owner, num_owners = self._game.num_owners
        cdef int64_t segment = lane.traversal * num_owners
        for owner in range(num_owners):
            self._used[segment + owner] = (
                lane.heads[owner] - (&self._log[0] + (segment + owner) * self.segment_bytes)
            )
        self._values[lane.traversal // self.num_players, lane.player] = lane.value
        self.visits += lane.visits
        lane.traversal = -1
        return OUT_OF_SHARED_MEMORY if lane.is_full else OK

    cdef Status _walk_batch(
        self, uint64_t seed, int64_t first, const Deal* deals, Shares* shares
    ) noexcept nogil:
        cdef int64_t traversal
        cdef int i, busy = 0
        cdef Lane* lane
        for i in range(NUM_LANES):
            lane = &self._lanes[i]
            lane.traversal = -1
            traversal = claim(shares, self.num_players)
            if traversal >= 0:
                self._begin(lane, traversal, seed, first, deals)
                busy += 1
        while busy > 0:
            for i in range(NUM_LANES):
                lane = &self._lanes[i]
                if lane.traversal < 0 or step(&self._game, lane):
                    continue
                if self._end(lane) != OK:
                    return OUT_OF_SHARED_MEMORY
                traversal = claim(shares, self.num_players)
                if traversal >= 0:
                    self._begin(lane, traversal, seed, first, deals)
                else:
                    busy -= 1
        return OK

    cdef Status _walk_outcomes(
        self, uint64_t seed, int64_t first, const Deal* deals, Shares* shares, float epsilon
    ) noexcept nogil:
        cdef Lane* lane = &self._lanes[0]
        cdef int64_t traversal = claim(shares, self.num_players)
        while traversal >= 0:
            self._begin(lane, traversal, seed, first, deals)
            walk_outcome(&self._game, lane, epsilon)
            if self._end(lane) != OK:
                return OUT_OF_SHARED_MEMORY
            traversal = claim(shares, self.num_players)
        return OK

    def utility(self, Py_ssize_t count):
        """Return seat 0's values summed over the batch's first *count* iterations, chips.

        Always in the same order: a sum in parts could round otherwise.
        """
        if not 0 <= count <= self.batch_size:
            raise ValueError(f"no batch of {count} iterations")
        cdef double total = 0
        cdef Py_ssize_t i
        for i in range(count):
            total += self._values[i, 0]
        return total

    def merge(
        self,
        Py_ssize_t count,
        float regret_weight,
        float strategy_weight,
        float floor,
        *,
        int owner=0,
        Py_ssize_t first=0,
    ):
        """Add the last batch's updates of *owner*'s rows to the table, in the order of iterations.

        The rows of different owners are different, so owners merge side by side, and
        each row sees the additions that one walker alone would have made, in its order.

        Args:
            count: iterations of the batch, whoever has walked them.
            regret_weight, strategy_weight: of the batch's period, see `RegretTable`.
            floor: chips x regret_weight; no regret falls below it.
            owner: whose rows.
            first: how many iterations of the batch were merged before, to merge a long
                one in pieces.
        """
        cdef Py_ssize_t i, segment, begin = first * self.num_players
        cdef Py_ssize_t num_parts = count * self.num_players - begin
        if not 0 <= first <= count <= self.batch_size or not 0 <= owner < self._game.num_owners:
            raise ValueError(f"no iterations {first} to {count}, or no owner {owner}")
        with nogil:
            for i in range(num_parts):
                segment = (begin + i) * self._game.num_owners + owner
                self._parts[i].start = &self._log[0] + segment * self.segment_bytes
                self._parts[i].end = self._parts[i].start + self._used[segment]
            apply(
                self._parts, num_parts, self._first * self.num_players + begin, self._words,
                regret_weight, strategy_weight, floor,
            )


cdef int check_bounds(const int64_t[::1] bounds, Py_ssize_t num_shares, int64_t count) except -1:
    """Refuse shares that do not make up the batch: they would be walked past its end."""
    cdef Py_ssize_t i
    cdef bint good = bounds is not None and bounds.shape[0] == num_shares + 1
    good = good and bounds[0] == 0 and bounds[num_shares] == count
    if good:
        for i in range(num_shares):
            good = good and bounds[i] <= bounds[i + 1]
    if not good:
        raise ValueError(f"bounds do not divide {count} iterations among {num_shares} workers")
    return 0


# --- the log into the table -----------------------------------------------------------

cdef void apply(
    const Part* parts,
    Py_ssize_t num_parts,
    uint64_t traversal,            # of the first part, of all in the seed's stream
    float* words,
    float regret_weight,
    float strategy_weight,
    float floor,
) noexcept nogil:
    """Add all entries of the parts of a log to the table, in order."""
    cdef Py_ssize_t part, ahead = -1
    cdef uint8_t* entry
    cdef uint8_t* look = NULL
    cdef uint8_t* look_end = NULL
    cdef uint64_t header, noise
    cdef float* row
    cdef int num_actions, _
    # `look` runs LOOK_AHEAD entries in front of `entry`, through the same parts in
    # the same order, and asks for the rows to come.
    for _ in range(LOOK_AHEAD):
        look_on(parts, num_parts, words, &ahead, &look, &look_end)
    for part in range(num_parts):
        entry = parts[part].start
        noise = mix64(traversal + part)
        while entry < parts[part].end:
            look_on(parts, num_parts, words, &ahead, &look, &look_end)
            header = (<uint64_t*>entry)[0]
            num_actions = header & 0x7F
            row = words + (header >> 8)
            if header & 0x80:
                add_strategy(
                    row + num_actions, <float*>(entry + 8), strategy_weight, num_actions,
                    (noise + header) * <uint64_t>0x9E3779B97F4A7C15,
                )
            else:
                add_regrets(row, <float*>(entry + 8), regret_weight, floor, num_actions)
            entry += entry_bytes(header)


cdef inline void look_on(
    const Part* parts,
    Py_ssize_t num_parts,
    const float* words,
    Py_ssize_t* ahead,
    uint8_t** look,
    uint8_t** look_end,
) noexcept nogil:
    """Ask for the row of the entry at *look*, and step to the next one."""
    cdef uint64_t header
    cdef const float* row
    while look[0] >= look_end[0]:
        if ahead[0] + 1 >= num_parts:
            return
        ahead[0] += 1
        look[0] = parts[ahead[0]].start
        look_end[0] = parts[ahead[0]].end
        if ahead[0] + 1 < num_parts:
            prefetch(parts[ahead[0] + 1].start)
            prefetch(parts[ahead[0] + 1].start + 64)
            prefetch(parts[ahead[0] + 1].start + 128)
    header = (<uint64_t*>look[0])[0]
    row = words + (header >> 8)
    prefetch_to_write(row)
    prefetch_to_write(row + 2 * <int>(header & 0x7F) - 1)
    # The log itself may have been written by another core, or long ago.
    prefetch(look[0] + LOG_AHEAD)
    look[0] += entry_bytes(header)


def measure(nodes, int num_players):
    """Return (bytes of log, depth) that no traversal of the tree can exceed.

    The updating player walks every action, the others one; so a bound is the sum
    over the former and the maximum over the latter, from the leaves up.
    """
    cdef const uint8_t[::1] raw = nodes.view(np.uint8)
    cdef const Node* all_nodes = <const Node*>&raw[0]
    cdef Py_ssize_t num_nodes = nodes.shape[0], i, a
    cdef int64_t[:, ::1] need = np.zeros((num_nodes, num_players), dtype=np.int64)
    cdef int32_t[::1] depth = np.zeros(num_nodes, dtype=np.int32)
    cdef const Node* node
    cdef int player
    cdef int64_t most, total
    for i in range(num_nodes - 1, -1, -1):
        node = all_nodes + i
        if node.num_actions > MAX_ACTIONS:
            raise error_for(TOO_MANY_ACTIONS)
        for a in range(node.num_actions):
            # Children are always placed after their parent.
            depth[i] = max(depth[i], depth[node.first_child + a] + 1)
        for player in range(num_players):
            most = total = 0
            for a in range(node.num_actions):
                most = max(most, need[node.first_child + a, player])
                total += need[node.first_child + a, player]
            need[i, player] = total if player == node.actor else most
            if node.num_actions:
                need[i, player] += 8 + 8 * ((node.num_actions + 1) >> 1)
    if depth[0] > MAX_DEPTH:
        raise ResourceError(
            f"the betting tree is {depth[0]} decisions deep, {MAX_DEPTH} at the most",
            "use fewer bet sizes or fewer raises",
        )
    return max(need[0]), depth[0] + 1
