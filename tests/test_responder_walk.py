"""CFR-BR in lanes against the same node by node, and against itself with other threads."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest

from holdem._core import indexer
from holdem._core.equity import board_strengths
from holdem._core.responder_walk import HANDS, WIDTHS, ResponderWalk
from holdem.errors import ResourceError
from holdem.game import shapes
from holdem.game.tree import build_tree
from holdem.mccfr.lanes import LaneBetting, aligned_lanes
from holdem.types import CANONICAL_HANDS, BetMenu, GameConfig
from tests.reference.responder_walk import HOLES, ReferenceResponder, board_of

PATIENCE = 60.0
COUNTS = (169, 4, 3, 5)
WIDE = (169, 700, 3, 300)
PARENT_BOARDS = 20.0

GAMES = {
    "bets": (("100%, a",) * 4, (600,), 0),
    "two river groups": (("100%, a",) * 4, (1200,), 0),
    "no bets on the turn": (("100%, a", "a", "", "100%, a"), (1200,), 0),
    "ante, stacks differ": (("a", "50%, a", "100%, a", "a"), (700, 1000), 10),
}
"""Bets by street, stacks, ante."""


@cache
def betting_of(name, counts=COUNTS, most_lanes=16):
    menus, stacks, ante = GAMES[name]
    streets = tuple((menu,) for menu in menus)
    game = GameConfig(stacks=stacks, ante=ante, menu=BetMenu(streets=streets))
    return LaneBetting(build_tree(game, counts), most_lanes)


def random_tables(counts):
    """Buckets at random; those of more than 256 are uint16. Large tables repeat a short one."""
    rng = np.random.default_rng(0)
    tables = [np.arange(169, dtype=np.uint8)]
    for count, hands in zip(counts[1:], CANONICAL_HANDS[1:], strict=True):
        width = np.uint8 if count <= 256 else np.uint16
        tables.append(np.resize(rng.integers(0, count, 9973, dtype=width), hands))
    return tables


@pytest.fixture(scope="module")
def tables():
    return random_tables(COUNTS)


@pytest.fixture(scope="module")
def wide_tables():
    return random_tables(WIDE)


class Run:
    """Rows in lanes and a walk over them for each seat.

    *cells*, tables and counts, are what the responder tells apart; *families* are the parents'
    counts, each bucket's by street, and its share of it.
    """

    def __init__(
        self,
        betting,
        tables,
        *,
        threads=1,
        words=None,
        responder=None,
        parents=None,
        cells=None,
        families=((), (), ()),
    ):
        self.betting = betting
        counts = betting.tree.bucket_counts
        cells, cell_counts = (tables[:3], counts[:3]) if cells is None else cells
        self.rows = betting.make_rows(counts, 2)
        self.responder_rows = betting.make_rows(cell_counts, 1)
        self.parent_rows = betting.make_rows(families[0], 1)
        if words is not None:
            betting.pack(self.rows, 2, words.astype(np.float32))
        if responder is not None:
            betting.pack(self.responder_rows, 1, responder.astype(np.float32))
        if parents is not None:
            betting.pack(self.parent_rows, 1, parents.astype(np.float32))
        self.walks = [
            ResponderWalk(
                seat,
                betting.streets,
                tables,
                cells,
                self.rows,
                self.responder_rows,
                threads,
                list(zip(self.parent_rows, *families[1:], strict=True)),
            )
            for seat in (0, 1)
        ]

    def words(self):
        return self.betting.unpack(self.rows, 2)

    def responder(self):
        return self.betting.unpack(self.responder_rows, 1)

    def parents(self):
        return self.betting.unpack(self.parent_rows, 1)

    def bytes(self):
        parts = self.words(), self.responder(), self.parents()
        return b"".join(part.tobytes() for part in parts)

    def utilities(self):
        return [walk.utility for walk in self.walks]


# ---- Against the reference -------------------------------------------------------------------


def make_up(reference, seed):
    """Regrets and sums at random; at some decisions, one action that is never taken."""
    rng = np.random.default_rng(seed)
    for words in (reference.words, reference.responder, reference.parents):
        words[:] = rng.normal(size=len(words), scale=1000).astype(np.float32)
    for node, regrets in reference.regrets.items():
        if rng.random() < 1 / 8:
            never = rng.integers(regrets.shape[1])
            regrets[:] = np.abs(regrets)
            regrets[:, never] = -1
        if node in reference.sums:
            reference.sums[node][:] = np.abs(reference.sums[node])


def copy_of(reference, words, responder, parents=0):
    """The views by node of other words."""
    result = ReferenceResponder(
        reference.tree,
        reference.tables,
        reference.seat,
        reference.cells,
        reference.cell_counts,
        reference.families,
    )
    result.words[:], result.responder[:], result.parents[:] = words, responder, parents
    return result


def unused_words(reference):
    """Which of the table's, the responder's and the parents' are of rows of the wrong seat."""
    marks = copy_of(reference, 0, 0)
    for views in (marks.regrets, marks.sums, marks.parent_regrets):
        for rows in views.values():
            rows[:] = 1
    assert marks.words.any()
    assert not marks.words.all()
    return marks.words == 0, marks.responder == 0, marks.parents == 0


def check_changes(before, found, expected):
    """To a thousandth of each node's largest change, or 1e-7 of that of all; sums more closely.

    Regrets are small differences of large values, above all where little reach is left.
    """
    for name, part in (("regrets", 1e-3), ("sums", 1e-5), ("parent_regrets", 1e-3)):
        old, new, wanted = (getattr(one, name) for one in (before, found, expected))
        if not wanted:
            continue
        changes = {node: np.abs(wanted[node] - old[node]).max() for node in wanted}
        least = 1e-6 + 1e-7 * max(changes.values())
        for node, rows in wanted.items():
            most = part * changes[node] + 1e-6 * np.abs(old[node]).max() + least
            np.testing.assert_allclose(
                new[node], rows, rtol=0, atol=most, err_msg=f"{name} of {node}"
            )


def check_iterations(
    betting, tables, seat, seed, weights, count=3, *, made_up=True, cells=None, families=None
):
    """Both start alike, and the reference goes on from what the walk came to."""
    reference = ReferenceResponder(betting.tree, tables, seat, *(cells or (None, None)), families)
    if made_up:
        make_up(reference, seed)
    parts = "words", "responder", "parents"
    given = {part: getattr(reference, part) for part in parts if len(getattr(reference, part))}
    run = Run(betting, tables, **given, cells=cells, families=families or ((), (), ()))
    walk, unused = run.walks[seat], unused_words(reference)
    for iteration in range(count):
        before = copy_of(reference, *(getattr(reference, part) for part in parts))
        walk.walk(seed, iteration, 1, *weights, 0, PARENT_BOARDS, 10 + iteration)
        pull = PARENT_BOARDS / (11 + iteration)
        reference.iterate(board_of(seed, iteration), *weights, pull)

        found = copy_of(reference, *(getattr(run, part)() for part in parts))
        check_changes(before, found, reference)
        assert walk.utility == pytest.approx(reference.utility, abs=1e-3)
        for part, others in zip(parts, unused, strict=True):
            assert np.array_equal(getattr(found, part)[others], getattr(before, part)[others])
            getattr(reference, part)[:] = getattr(found, part)
    assert reference.closest > 3e-6  # else rounding may choose for the responder


# Seeds with which no two actions of the responder's come close.
@pytest.mark.parametrize(
    ("game", "seat", "seed", "weights"),
    [
        ("bets", 0, 1, (1.5, 2.0)),
        ("bets", 1, 5, (0.25, 1.0)),
        ("no bets on the turn", 0, 0, (1.5, 2.0)),
        ("no bets on the turn", 1, 2, (1.0, 30.0)),
        ("ante, stacks differ", 0, 4, (1.5, 2.0)),
        ("ante, stacks differ", 1, 0, (1.0, 0.0)),
    ],
)
def test_iterations_equal_the_reference(tables, game, seat, seed, weights):
    check_iterations(betting_of(game), tables, seat, seed, weights)


def test_first_iterations_equal_the_reference(tables):
    """From nothing, where all play evenly."""
    check_iterations(betting_of("bets"), tables, 0, 3, (1.0, 1.0), count=2, made_up=False)


def test_more_rivers_than_lanes_equal_the_reference(tables):
    betting = betting_of("two river groups")
    assert len(betting.streets[3][2]) == 2

    check_iterations(betting, tables, 0, 0, (1.5, 2.0), count=1)


@pytest.mark.parametrize(("seat", "seed"), [(0, 1), (1, 2)])
def test_buckets_of_16_bits_equal_the_reference(wide_tables, seat, seed):
    """On the flop and the river; the other streets have 8."""
    assert [table.dtype.itemsize for table in wide_tables] == [1, 2, 1, 2]

    check_iterations(betting_of("bets", WIDE), wide_tables, seat, seed, (1.0, 0.5), count=2)


@pytest.mark.parametrize(("seat", "seed"), [(0, 1), (1, 1)])
def test_a_responder_that_tells_more_apart_equals_the_reference(tables, seat, seed):
    """By cells of 8, 16 and 32 bits."""
    counts = (169, 300, 100_000)
    rng = np.random.default_rng(1)
    cells = [tables[0]]
    for count, hands, width in zip(
        counts[1:], CANONICAL_HANDS[1:3], (np.uint16, np.uint32), strict=True
    ):
        cells.append(np.resize(rng.integers(0, count, 9973, dtype=width), hands))

    check_iterations(betting_of("bets"), tables, seat, seed, (1.0, 0.5), cells=(cells, counts))


def families_of(counts, parent_counts):
    """Parents at random, some of one bucket and some of none."""
    rng = np.random.default_rng(2)
    of, shares = [], []
    for count, parents in zip(counts, parent_counts, strict=True):
        size = count if parents else 0
        of.append(rng.integers(0, max(parents, 1), size, dtype=np.int32))
        shares.append(rng.random(size, dtype=np.float32))
    return parent_counts, of, shares


@pytest.mark.parametrize(("seat", "seed"), [(0, 5), (1, 0)])
def test_buckets_with_parents_equal_the_reference(tables, seat, seed):
    """On three streets; on the turn each bucket learns for itself."""
    families = families_of(COUNTS, (30, 2, 0, 3))

    check_iterations(betting_of("bets"), tables, seat, seed, (1.5, 2.0), families=families)


@pytest.mark.parametrize(("seat", "seed"), [(0, 2), (1, 2)])
def test_more_parents_than_a_digit_holds_equal_the_reference(wide_tables, seat, seed):
    families = families_of(WIDE, (0, 600, 3, 0))

    check_iterations(
        betting_of("bets", WIDE), wide_tables, seat, seed, (1.0, 0.5), 2, families=families
    )


def test_parents_that_do_not_pull_change_nothing(tables):
    """They learn all the same."""
    plain, run = (
        Run(betting_of("bets"), tables, **given)
        for given in ({}, {"families": families_of(COUNTS, (30, 2, 2, 3))})
    )
    for one in (plain, run):
        for walk in one.walks:
            walk.walk(3, 0, 4, 1.0, 1.0)

    assert run.words().tobytes() == plain.words().tobytes()
    assert run.responder().tobytes() == plain.responder().tobytes()
    assert run.parents().any()


@pytest.mark.parametrize("pull", [0.0, 1e12])
def test_buckets_of_a_parent_that_is_all_play_alike(tables, pull):
    """With a pull that drowns what they learn themselves, all flop buckets play as one; their
    averages differ by how often they came there."""
    run = Run(betting_of("bets"), tables, families=families_of(COUNTS, (0, 1, 0, 0)))
    run.walks[0].walk(3, 0, 20, 1.0, 1.0, 0, pull)
    tree, spread = run.betting.tree, 0.0
    words = run.words()
    for node in np.flatnonzero((tree.nodes["street"] == 1) & (tree.nodes["num_actions"] > 0)):
        slots, k = tree.slots(node), int(tree.nodes["num_actions"][node])
        sums = words[2 * slots.start : 2 * slots.stop].reshape(-1, 2, k)[:, 1]
        if tree.nodes["actor"][node] == 0:
            totals = sums.sum(axis=1, keepdims=True)
            averages = (sums / np.where(totals > 0, totals, 1))[totals[:, 0] > 0]
            spread = max(spread, float(np.ptp(averages, axis=0).max(initial=0.0)))

    assert (spread > 0.03) == (pull == 0)


def test_what_is_compared_has_lanes_of_all_kinds():
    """Betting of unequal shapes lies side by side, some lanes stay empty, and some streets need
    few."""
    for name in ("bets", "two river groups", "ante, stacks differ"):
        streets = betting_of(name).streets
        assert any((street[5] == 0).any() for street in streets)  # uniform
        assert any((street[3] < 0).any() for street in streets)  # slots
    widths = [street[0] for name in GAMES for street in betting_of(name).streets]
    assert set(widths) == set(WIDTHS)


# ---- Threads, calls --------------------------------------------------------------------------


def walk_all(run, threads, count=4, seats=(0, 1)):
    """Each of *seats* with so many threads of its own, all at once."""
    with ThreadPoolExecutor(threads * len(seats)) as pool:
        walks = [
            pool.submit(run.walks[seat].walk, 3, 0, count, 1.0, 1.0, thread)
            for seat in seats
            for thread in range(threads)
        ]
        for walk in walks:
            walk.result(PATIENCE)


@pytest.fixture(scope="module")
def alone(tables):
    """One seat after the other, four iterations on one thread."""
    run = Run(betting_of("two river groups"), tables)
    for walk in run.walks:
        walk.walk(3, 0, 4, 1.0, 1.0)
    return run


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(tables, alone, threads):
    """Nor does it matter that both seats walk at once, over the same rows."""
    run = Run(betting_of("two river groups"), tables, threads=threads)
    walk_all(run, threads)

    assert run.bytes() == alone.bytes()
    assert run.utilities() == alone.utilities()
    assert alone.words().any()


@pytest.mark.parametrize("game", ["two river groups", "ante, stacks differ"])
@pytest.mark.parametrize("parent_counts", [(0, 0, 0, 0), (30, 2, 0, 3)])
def test_lanes_change_nothing(tables, game, parent_counts):
    """Processors of narrow registers have fewer, and the same bytes."""
    families = families_of(COUNTS, parent_counts) if any(parent_counts) else ((), (), ())
    bettings = [betting_of(game, most_lanes=most_lanes) for most_lanes in (8, 16)]
    runs = [Run(betting, tables, families=families) for betting in bettings]
    for run in runs:
        for seat in (0, 1):
            run.walks[seat].walk(7, 0, 12, 1.0, 1.0, 0, PARENT_BOARDS)

    narrow, wide = runs
    assert max(street[0] for street in bettings[0].streets) == 8
    assert max(street[0] for street in bettings[1].streets) == 16
    assert narrow.words().tobytes() == wide.words().tobytes()
    assert narrow.responder().tobytes() == wide.responder().tobytes()
    assert [walk.utility for walk in narrow.walks] == [walk.utility for walk in wide.walks]


def test_lanes_are_those_that_suit_the_processor(monkeypatch):
    tree = betting_of("two river groups").tree
    for lanes in (8, 16):
        monkeypatch.setattr(shapes, "lanes_here", lambda lanes=lanes: lanes)

        assert LaneBetting(tree).streets[3][0] == lanes


def test_calls_may_be_cut(tables, alone):
    """Boards depend on the iteration's number alone."""
    run = Run(betting_of("two river groups"), tables)
    for seat in (1, 0):
        run.walks[seat].walk(3, 0, 1, 1.0, 1.0)
        run.walks[seat].walk(3, 1, 3, 1.0, 1.0)

    assert run.bytes() == alone.bytes()
    assert run.utilities() == alone.utilities()


def test_other_seeds_draw_other_boards(tables, alone):
    run = Run(betting_of("two river groups"), tables)
    for walk in run.walks:
        walk.walk(4, 0, 4, 1.0, 1.0)

    assert run.words().tobytes() != alone.words().tobytes()


def test_a_table_is_all_that_is_to_be_kept(tables, alone):
    """Rows made from tables go on as those that the tables were made from."""
    run = Run(betting_of("two river groups"), tables)
    for walk in run.walks:
        walk.walk(3, 0, 2, 1.0, 1.0)
    later = Run(run.betting, tables, words=run.words(), responder=run.responder())
    for walk in later.walks:
        walk.walk(3, 2, 2, 1.0, 1.0)

    assert later.bytes() == alone.bytes()


def test_a_walk_that_is_stopped_ends_with_an_error(tables):
    """Its fellow never comes."""
    walk = Run(betting_of("bets"), tables, threads=2).walks[0]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(walk.walk, 1, 0, 1, 1.0, 1.0, 0)
        walk.stop()
        with pytest.raises(RuntimeError, match="has gone"):
            waiting.result(PATIENCE)


# ---- Lanes and tables ------------------------------------------------------------------------


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize(("num_streets", "words"), [(4, 2), (4, 1), (3, 2), (3, 1), (1, 1)])
def test_packed_tables_are_unpacked_as_they_were(game, num_streets, words):
    betting = betting_of(game)
    tree = betting.tree
    kept = tree.nodes["street"] < num_streets
    slots = sum(
        tree.slots(node).stop - tree.slots(node).start
        for node in np.flatnonzero(kept & (tree.nodes["num_actions"] > 0))
    )
    table = np.arange(1, words * slots + 1, dtype=np.float32)
    rows = betting.make_rows(tree.bucket_counts[:num_streets], words)
    assert not any(part.any() for part in rows)

    betting.pack(rows, words, table)

    assert np.array_equal(betting.unpack(rows, words), table)
    assert sum(np.count_nonzero(part) for part in rows) == len(table)
    assert all(part.ctypes.data % 64 == 0 for part in rows)


def test_tables_of_other_rows_are_refused():
    betting = betting_of("bets")
    rows = betting.make_rows(COUNTS, 2)
    with pytest.raises(ValueError, match="for other rows"):
        betting.pack(rows, 2, np.zeros(7, np.float32))


def test_an_unpacked_table_has_the_words_of_a_regret_table(tables):
    """Of each node and bucket the regrets, then the sums; from nothing all actions are even."""
    betting = betting_of("bets")
    tree = betting.tree
    run = Run(betting, tables)
    run.walks[0].walk(1, 0, 1, 1.0, 3.0)
    words = run.words()
    assert words.shape == (2 * tree.num_slots,)

    holes = HOLES[~np.isin(HOLES, board_of(1, 0)).any(axis=1)]
    hands = np.bincount(indexer.index(holes), minlength=169)
    k = int(tree.nodes["num_actions"][0])
    for bucket in range(169):
        first = 2 * (int(tree.nodes["first_slot"][0]) + bucket * k)
        regrets, sums = words[first : first + k], words[first + k : first + 2 * k]
        assert sums == pytest.approx(np.full(k, 3 * hands[bucket] / k))
        # All are compared with their mean.
        assert abs(regrets.sum()) <= 1e-3 * np.abs(regrets).max()
        assert regrets.any() == (hands[bucket] > 0)
    assert hands.sum() == HANDS


@pytest.mark.parametrize("width", WIDTHS)
def test_aligned_lanes(width):
    lanes = aligned_lanes(3, width)

    assert lanes.shape == (3, width)
    assert lanes.dtype == np.float32
    assert lanes.ctypes.data % 64 == 0
    assert not lanes.any()


# ---- What is refused -------------------------------------------------------------------------


def test_walks_need_four_streets(tables):
    whole = Run(betting_of("bets"), tables)
    with pytest.raises(ValueError, match="four streets"):
        ResponderWalk(
            0, whole.betting.streets[:3], tables, tables[:3], whole.rows, whole.responder_rows
        )
    with pytest.raises(ValueError, match="four streets"):
        ResponderWalk(
            0, whole.betting.streets, tables, tables[:3], whole.rows[:3], whole.responder_rows
        )
    with pytest.raises(ValueError, match="tables for three streets"):
        ResponderWalk(0, whole.betting.streets, tables, tables, whole.rows, whole.responder_rows)
    with pytest.raises(ValueError, match="four streets"):
        ResponderWalk(
            0, whole.betting.streets, tables[:3], tables[:3], whole.rows, whole.responder_rows
        )


def test_streets_need_lanes_that_there_are_passes_for(tables):
    run = Run(betting_of("bets"), tables)
    streets = [(4, *run.betting.streets[0][1:]), *run.betting.streets[1:]]

    with pytest.raises(ValueError, match="a street of 4 lanes"):
        ResponderWalk(0, streets, tables, tables[:3], run.rows, run.responder_rows)


@pytest.mark.parametrize(("sizes", "fits"), [(13, True), (14, False)])
def test_decisions_have_at_most_16_actions(tables, sizes, fits):
    bets = ", ".join(f"{100 + 50 * size}%" for size in range(sizes))
    game = GameConfig(menu=BetMenu(streets=((f"{bets}, a", "a"), ("a",), ("a",), ("a",))))
    tree = build_tree(game, COUNTS)
    assert tree.nodes["num_actions"].max() == sizes + 3  # fold, call and all-in

    if fits:
        run = Run(LaneBetting(tree), tables)
        run.walks[0].walk(0, 0, 1, 1.0, 1.0)
        assert np.isfinite(run.walks[0].utility)
    else:
        with pytest.raises(ResourceError, match="more than the 16 actions"):
            Run(LaneBetting(tree), tables)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"of": np.zeros(3, np.int32)}, "parents of 3 buckets, wanted 4"),
        ({"shares": np.zeros(5, np.float32)}, "parents of 4 buckets"),
        ({"of": np.array([0, 1, 2, 0], np.int32)}, "a parent that is none of 2"),
        ({"of": np.array([0, 1, -1, 0], np.int32)}, "a parent that is none of 2"),
    ],
)
def test_parents_need_to_be_of_the_buckets(tables, changes, found):
    counts, of, shares = families_of(COUNTS, (0, 2, 0, 0))
    of[1] = changes.get("of", of[1])
    shares[1] = changes.get("shares", shares[1])

    with pytest.raises(ValueError, match=found):
        Run(betting_of("bets"), tables, families=(counts, of, shares))


@pytest.mark.parametrize(("seat", "threads"), [(2, 1), (-1, 1), (0, 0)])
def test_walks_need_a_seat_and_threads(tables, seat, threads):
    run = Run(betting_of("bets"), tables)

    with pytest.raises(ValueError, match="no seat"):
        ResponderWalk(
            seat, run.betting.streets, tables, tables[:3], run.rows, run.responder_rows, threads
        )


def test_rows_need_to_be_aligned(tables):
    run = Run(betting_of("bets"), tables)
    count, width = run.rows[0].shape
    shifted = aligned_lanes(count + 1, width).reshape(-1)[1 : count * width + 1].reshape(-1, width)

    with pytest.raises(ValueError, match="64 bytes"):
        ResponderWalk(
            0, run.betting.streets, tables, tables[:3], [shifted, *run.rows[1:]], run.responder_rows
        )


# ---- What it is for --------------------------------------------------------------------------


def strength_tables(iterations, buckets):
    """River buckets by strength on the boards of these iterations; elsewhere and earlier none."""
    tables = [np.arange(169, dtype=np.uint8)]
    tables += [np.zeros(hands, np.uint8) for hands in CANONICAL_HANDS[1:]]
    for iteration in range(iterations):
        board = board_of(5, iteration)
        free = ~np.isin(HOLES, board).any(axis=1)
        strengths = board_strengths(board)[free]
        weaker = np.searchsorted(np.sort(strengths), strengths)
        cards = np.column_stack([HOLES[free], np.tile(np.array(board, np.uint8), (HANDS, 1))])
        tables[3][indexer.index(cards)] = weaker * buckets // HANDS
    return tables


def test_what_a_table_loses_to_its_responder_shrinks():
    """On the same boards again and again: twenty buckets on the river, stacks of five blinds."""
    streets = (("a",), ("",), ("",), ("a",))
    game = GameConfig(stacks=(500,), menu=BetMenu(streets=streets))
    betting = LaneBetting(build_tree(game, (169, 1, 1, 20)))
    run = Run(betting, strength_tables(40, 20))
    losses = []
    for _ in range(10):
        before = sum(run.utilities())
        for walk in run.walks:
            walk.walk(5, 0, 40, 1.0, 1.0)
        losses.append((before - sum(run.utilities())) / 40)

    assert losses[-1] < losses[0] / 10
    assert losses == sorted(losses, reverse=True)
