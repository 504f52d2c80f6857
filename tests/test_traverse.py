"""The compiled walk against the one on paper, and what parallel training rests on."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from holdem._core.deal import DEAL_DTYPE
from holdem._core.sync import COUNTER_WORDS, Counters
from holdem._core.traverse import measure
from holdem.errors import HoldemError, ResourceError
from holdem.game import games
from holdem.game.tree import build_tree
from holdem.mccfr.worker import BatchLog, log_bytes, make_walker
from holdem.types import BetMenu, GameConfig
from tests.parties import zeros
from tests.reference.walk import ReferenceWalk, payoff

THREE_STREETS = GameConfig(
    name="three-way",
    num_players=3,
    stacks=(14, 20, 9),
    blinds=(1, 2),
    menu=BetMenu(streets=(("3x, a", "a"), ("50%, a", "a"))),
)
NAMED = {
    "kuhn": (games.kuhn(), (3,)),
    "kuhn3": (games.kuhn(3), (4,)),
    "leduc": (games.leduc(), (3, 9)),
    "three-way": (THREE_STREETS, (5, 7)),
    "heads-up": (GameConfig(stacks=(15,), blinds=(1, 2)), (4, 3, 5, 6)),
}


def random_deals(count, counts, num_players, seed=1):
    """Deals with uniformly random buckets: the walk must not care where they come from."""
    rng = np.random.default_rng(seed)
    deals = np.zeros(count, DEAL_DTYPE)
    for street, buckets in enumerate(counts):
        deals["bucket"][:, street, :num_players] = rng.integers(0, buckets, (count, num_players))
    deals["strength"][:, :num_players] = rng.integers(0, 4, (count, num_players))
    deals["share"] = rng.integers(0, 3, (count, 4)) / 2
    return deals


def make(name, batch_size, seed=1):
    game, counts = NAMED[name]
    tree = build_tree(game, counts)
    table = np.zeros(2 * tree.num_slots, np.float32)
    walker = make_walker(tree, table, BatchLog.local(tree, batch_size))
    return tree, table, walker, random_deals(60, counts, game.num_players, seed)


def train(walker, deals, batch_size, **options):
    """Walk and merge all *deals* in batches, as a run does."""
    for first in range(0, len(deals), batch_size):
        batch = deals[first : first + batch_size]
        walker.walk(42, first, batch, **options)
        walker.merge(len(batch), 1.0 + first, 2.0 + first, -300.0)


@pytest.mark.parametrize("epsilon", [None, 0.6], ids=["external", "outcome"])
@pytest.mark.parametrize("name", NAMED)
def test_walk_matches_the_reference(name, epsilon):
    """Same draws, same choices, same sums as recursion over dicts."""
    tree, table, _, deals = make(name, 1)
    log = BatchLog.local(tree, 8)
    walker = make_walker(tree, table, log)
    reference = ReferenceWalk(tree, epsilon=epsilon)
    for first in range(0, 24, 8):
        batch = deals[first : first + 8]
        expected = reference.batch(42, first, batch, 1.0 + first, 2.0 + first, -300.0)
        walker.walk(42, first, batch, epsilon=epsilon)
        np.testing.assert_allclose(log.values, expected, rtol=1e-4, atol=1e-3)
        walker.merge(8, 1.0 + first, 2.0 + first, -300.0)

    words = reference.words()
    scale = np.abs(words).max()
    assert scale > 0
    np.testing.assert_allclose(table, words, rtol=2e-4, atol=scale * 1e-6)


@pytest.mark.parametrize("name", ["leduc", "three-way", "heads-up"])
def test_pruning_matches_the_reference(name):
    """Pruned actions keep their regret, and everything else happens as if they were not there."""
    tree, table, walker, deals = make(name, 5)
    options = {"pruning_threshold": -3.0, "pruning_probability": 0.7}
    if name == "leduc":
        options["pruning_threshold"] = -2.0
    reference = ReferenceWalk(tree, **options)
    unpruned = ReferenceWalk(tree)
    for first in range(0, 60, 5):
        batch = deals[first : first + 5]
        reference.batch(42, first, batch, 1.0, 1.0, -300.0)
        unpruned.batch(42, first, batch, 1.0, 1.0, -300.0)
        walker.walk(42, first, batch, **options)
        walker.merge(5, 1.0, 1.0, -300.0)

    words = reference.words()
    assert not np.allclose(words, unpruned.words()), "nothing was pruned: the test shows nothing"
    np.testing.assert_allclose(table, words, rtol=2e-4, atol=np.abs(words).max() * 1e-6)


def test_no_regret_falls_below_the_floor():
    """The floor holds after every merge."""
    _, table, walker, deals = make("heads-up", 10)
    train(walker, deals, 10)
    lowest = table.min()
    assert lowest < -10
    _, table, walker, deals = make("heads-up", 10)
    for first in range(0, 60, 10):
        walker.walk(42, first, deals[first : first + 10])
        walker.merge(10, 1.0, 1.0, -10.0)
    assert table.min() == -10.0


def test_a_batch_can_be_walked_in_parts():
    """Updates do not depend on which lane, or how many, walked an iteration."""
    _, table, walker, deals = make("three-way", 30)
    walker.walk(42, 0, deals[:30])
    walker.merge(30, 1.0, 1.0, -1e9)

    # The same 30 iterations, each walked alone over the same frozen (zero) table.
    parts = np.zeros_like(table)
    frozen = np.zeros_like(table)
    for i in range(30):
        _, alone, single, _ = make("three-way", 1)
        single.walk(42, i, deals[i : i + 1])
        single.merge(1, 1.0, 1.0, -1e9)
        parts += alone - frozen
    np.testing.assert_allclose(table, parts, rtol=1e-4, atol=1e-3)


def make_team(name, batch_size, num_workers):
    """Walkers over one zeroed table and one log, and the counters of what they have begun."""
    tree = build_tree(*NAMED[name])
    table = np.zeros(2 * tree.num_slots, np.float32)
    players = tree.game.num_players
    log = BatchLog(
        log=np.zeros(log_bytes(tree, batch_size, num_workers), np.uint8),
        used=np.zeros(batch_size * players * num_workers, np.int64),
        values=np.zeros((batch_size, players), np.float32),
        num_owners=num_workers,
    )
    begun = Counters(zeros(num_workers * COUNTER_WORDS, np.int64))
    return table, log, [make_walker(tree, table, log) for _ in range(num_workers)], begun


def bounds_of(count, num_workers):
    return np.array([count * i // num_workers for i in range(num_workers + 1)])


@pytest.mark.parametrize("epsilon", [None, 0.6], ids=["external", "outcome"])
@pytest.mark.parametrize("num_workers", [2, 3, 5])
@pytest.mark.parametrize("name", ["leduc", "three-way", "heads-up"])
def test_a_team_gives_the_same_bytes(name, num_workers, epsilon):
    """Walks shared out as they come and rows divided among owners: the table of one worker."""
    _, expected, alone, deals = make(name, 20)
    table, log, workers, begun = make_team(name, 20, num_workers)
    used = np.zeros(num_workers, np.int64)
    bounds = bounds_of(20, num_workers)
    with ThreadPoolExecutor(num_workers) as threads:
        for first in range(0, 60, 20):
            alone.walk(42, first, deals[first : first + 20], epsilon=epsilon)
            alone.merge(20, 2.0, 3.0, -50.0)
            walks = [
                threads.submit(
                    walker.walk,
                    42,
                    first,
                    deals[first : first + 20],
                    begun=begun,
                    bounds=bounds,
                    worker=worker,
                    epsilon=epsilon,
                )
                for worker, walker in enumerate(workers)
            ]
            for walk in walks:
                walk.result()
            used += log.used.reshape(-1, num_workers).sum(axis=0)
            assert alone.utility(20) == workers[0].utility(20)
            for owner, worker in reversed(list(enumerate(workers))):
                worker.merge(20, 2.0, 3.0, -50.0, owner=owner)
                begun.store(owner, 0)
    assert table.any()
    assert expected.tobytes() == table.tobytes()
    assert sum(walker.visits for walker in workers) == alone.visits
    if name != "leduc":
        assert used.all(), "an owner had nothing to do: the test shows too little"


def test_who_is_done_helps_the_others():
    """The last share first, then the first ones, from where their owners have come to."""
    _, _, _, deals = make("heads-up", 20)
    _, log, (_, _, walker), begun = make_team("heads-up", 20, 3)
    bounds = np.array([0, 7, 14, 20])
    begun.store(0, 11)  # of the 14 traversals of 7 iterations
    begun.store(1, 1_000)  # all of them, and asked for more
    walker.walk(42, 0, deals[:20], begun=begun, bounds=bounds, worker=2)
    walked = (log.used.reshape(-1, 3) > 0).any(axis=1)
    assert np.flatnonzero(walked).tolist() == [11, 12, 13, *range(28, 40)]
    assert begun.snapshot().tolist() == [15, 1_001, 13]
    values = log.values.ravel()[walked]
    assert values.tolist() == alone_values(deals[:20]).ravel()[walked].tolist()


def alone_values(deals):
    """What one walker makes of the first batch."""
    tree, table, _, _ = make("heads-up", len(deals))
    log = BatchLog.local(tree, len(deals))
    make_walker(tree, table, log).walk(42, 0, deals)
    return log.values


@pytest.mark.parametrize(
    "bounds", [None, [0, 20], [0, 10, 19], [1, 10, 20], [0, 21, 20], [0, 10, 20, 20]], ids=str
)
def test_shares_that_are_no_division_are_refused(bounds):
    """They would be walked past the end of the batch, or not at all."""
    _, _, workers, begun = make_team("leduc", 20, 2)
    _, _, _, deals = make("leduc", 20)
    bounds = bounds if bounds is None else np.array(bounds)
    with pytest.raises(ValueError, match="20 iterations among 2 workers"):
        workers[0].walk(42, 0, deals[:20], begun=begun, bounds=bounds)
    with pytest.raises(ValueError, match="no worker 2 of 2"):
        workers[0].walk(42, 0, deals[:20], begun=begun, bounds=bounds_of(20, 2), worker=2)


def test_a_log_of_the_wrong_size_is_refused():
    """Rather than written past its end."""
    tree, table, _, _ = make("leduc", 20)
    log = BatchLog.local(tree, 20)
    for wrong in ({"log": log.log[:-8]}, {"used": log.used[1:]}, {"values": log.values[:19]}):
        with pytest.raises(ValueError, match="do not fit"):
            make_walker(tree, table, replace(log, **wrong))


@pytest.fixture
def log_file(tmp_path):
    """A sparse file for a log: its path, a descriptor, and the mapping as bytes."""

    def make(num_bytes):
        path = tmp_path / "log"
        path.write_bytes(b"")
        os.truncate(path, num_bytes)
        opened.append(os.open(path, os.O_RDWR))
        return path, opened[-1], np.memmap(path, np.uint8, "r+")

    opened = []
    yield make
    for descriptor in opened:
        os.close(descriptor)


def reserving(name, batch_size, log_file):
    """A walker whose log is a file of which nothing is reserved yet."""
    tree = build_tree(*NAMED[name])
    path, descriptor, memory = log_file(log_bytes(tree, batch_size, 1))
    room = np.zeros(batch_size * tree.game.num_players, np.int64)
    log = replace(BatchLog.local(tree, batch_size), log=memory, descriptor=descriptor, room=room)
    table = np.zeros(2 * tree.num_slots, np.float32)
    return table, make_walker(tree, table, log), log, path


@pytest.mark.parametrize("epsilon", [None, 0.6], ids=["external", "outcome"])
@pytest.mark.parametrize("name", NAMED)
def test_a_log_is_reserved_before_it_is_written(name, epsilon, log_file):
    """As much as is used, and the table is the same."""
    _, expected, alone, deals = make(name, 20)
    table, walker, log, path = reserving(name, 20, log_file)
    for first in range(0, 60, 20):
        for each in (alone, walker):
            each.walk(42, first, deals[first : first + 20], epsilon=epsilon)
            each.merge(20, 1.0, 1.0, -50.0)
        assert (log.used <= log.room).all()
    assert expected.tobytes() == table.tobytes()
    assert (log.room <= walker.segment_bytes).all()
    assert (log.room < walker.segment_bytes).any() == (walker.segment_bytes > 4096)
    assert path.stat().st_blocks * 512 >= log.used.max()


@pytest.mark.parametrize("epsilon", [None, 0.6], ids=["external", "outcome"])
def test_a_log_that_cannot_be_reserved_is_an_error(epsilon, log_file):
    """Not a page fault that kills; and nothing is written beyond what is reserved."""
    _, walker, log, path = reserving("heads-up", 20, log_file)
    _, _, _, deals = make("heads-up", 20)
    walker.walk(42, 0, deals[:5], epsilon=epsilon)
    room = log.room.copy()
    read_only = os.open(path, os.O_RDONLY)  # where nothing can be reserved
    try:
        refused = replace(log, descriptor=read_only)
        tree = build_tree(*NAMED["heads-up"])
        walker = make_walker(tree, np.zeros(2 * tree.num_slots, np.float32), refused)
        with pytest.raises(ResourceError, match="shared memory is full") as caught:
            walker.walk(42, 0, deals[:20], epsilon=epsilon)
    finally:
        os.close(read_only)
    assert "--shm-size" in caught.value.remedy
    assert (log.room == room).all()
    assert (log.used <= room).all()


def test_a_long_merge_may_be_done_in_pieces():
    """To the same bytes."""
    _, whole, walker, deals = make("three-way", 20)
    train(walker, deals, 20)
    _, pieces, walker, deals = make("three-way", 20)
    for first in range(0, 60, 20):
        walker.walk(42, first, deals[first : first + 20])
        for start, end in ((0, 7), (7, 7), (7, 20)):
            walker.merge(end, 1.0 + first, 2.0 + first, -300.0, first=start)
    assert whole.tobytes() == pieces.tobytes()
    with pytest.raises(ValueError, match="no iterations 8 to 7"):
        walker.merge(7, 1.0, 1.0, -300.0, first=8)


def test_a_visit_counts_however_much_a_row_holds():
    """Sums that floats cannot add to any more grow as they should, on average; rare actions too."""
    tree, table, walker, deals = make("leduc", 60)
    _, exact, small, _ = make("leduc", 60)
    start = np.float32(2**27)  # where floats are 16 apart
    sums = np.zeros(len(table), bool)
    for node in tree.nodes[tree.nodes["num_actions"] > 0]:
        size = int(node["num_actions"])
        rows = int(tree.bucket_counts[node["street"]])
        words = 2 * int(node["first_slot"]) + np.arange(2 * rows * size).reshape(rows, 2 * size)
        for each in (table, exact):
            each[words[:, :size]] = 1.0
            each[words[:, 0]] = 19.0  # regrets: one action is played most of the time
        sums[words[:, size:]] = True
    table[sums] = start
    for first in range(0, 60 * 2_000, 60):
        for each in (walker, small):
            each.walk(42, first, deals)
            each.merge(60, 0.0, 1.0, -300.0)

    assert (exact[~sums] == table[~sums]).all()
    added = table[sums].astype(np.float64) - float(start)
    expected = exact[sums].astype(np.float64)
    assert (np.nextafter(start, np.inf) - start) == 16
    # A visit adds 16 or nothing: a variance of 16 times what it ought to add, at the most.
    spread = np.sqrt(16 * expected)
    assert (expected > 100).sum() > 100
    assert (np.abs(added - expected) <= 5 * spread + 16).all()
    assert abs(added.sum() - expected.sum()) <= 5 * np.sqrt(16 * expected.sum())


def test_same_seed_same_bytes():
    """Two runs agree to the last bit; another seed does not."""
    _, first, walker, deals = make("heads-up", 10)
    train(walker, deals, 10)
    _, second, walker, deals = make("heads-up", 10)
    train(walker, deals, 10)
    assert first.tobytes() == second.tobytes()
    _, other, walker, deals = make("heads-up", 10)
    walker.walk(43, 0, deals[:10])
    walker.merge(10, 1.0, 1.0, -1e9)
    assert first.tobytes() != other.tobytes()


def test_payoffs_of_a_deal_sum_to_zero():
    """Nobody makes chips: the reference itself, at every ending of a three-way game."""
    tree, _, _, deals = make("three-way", 1)
    endings = np.flatnonzero(tree.nodes["ending"])
    for node in endings[::7]:
        for deal in deals[:5]:
            total = sum(payoff(tree, int(node), deal, player) for player in range(3))
            assert total == pytest.approx(0, abs=1e-6)


def test_segments_hold_the_longest_traversal():
    """The bound on a traversal's log covers every way through the tree."""
    tree, table, _, deals = make("heads-up", 60)
    log = BatchLog.local(tree, 60)
    walker = make_walker(tree, table, log)

    def longest(node, player):
        """Bytes and depth: the player walks every action, the other one of them."""
        children = tree.children(node)
        if not children:
            return 0, 1
        sizes, depths = zip(*(longest(child, player) for child in children), strict=True)
        entry = 8 + 8 * -(-len(children) // 2)
        below = sum(sizes) if tree.nodes["actor"][node] == player else max(sizes)
        return entry + below, 1 + max(depths)

    bounds = [longest(0, player) for player in (0, 1)]
    assert measure(tree.nodes, 2) == tuple(map(max, zip(*bounds, strict=True)))
    walker.walk(42, 0, deals)
    assert (log.used > 0).all()
    assert (log.used <= walker.segment_bytes).all()


def test_too_many_actions_are_refused():
    """The walk keeps 16 actions on its stack; a tree with more is refused at the door."""
    game = GameConfig(stacks=(230,), menu=BetMenu(streets=(("*", ""),)))
    tree = build_tree(game, (1,))
    with pytest.raises(HoldemError, match="16 actions"):
        BatchLog.local(tree, 10)
