"""Best responses over real cards against brute force, known values, and themselves."""

import numpy as np
import pytest

from holdem._core import indexer
from holdem._core.best_response import SLOT_HOLES
from holdem._core.boards import flop_boards
from holdem._core.equity import hand_vs_random
from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import CardError, ConfigError, MismatchError
from holdem.evaluation.best_response import BestResponse, best_response
from holdem.evaluation.betting_groups import group_betting
from holdem.evaluation.decks import HoldemDeck
from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.game.games import push_fold
from holdem.game.policy import UniformPolicy
from holdem.game.tree import build_tree
from holdem.types import CANONICAL_HANDS, BetMenu, BucketConfig, GameConfig
from tests.reference.dense_response import DenseResponse
from tests.reference.games import first_action_policy, random_policy
from tests.reference.small_holdem import BruteForce, SmallDeck, SmallGame
from tests.vectors import VECTORS

# ---- Small decks, against brute force --------------------------------------------------------


def small_tree(game, *menus, stack=6):
    return build_tree(
        GameConfig(
            num_players=2,
            stacks=(100 * stack,),
            menu=BetMenu(streets=tuple((menu,) for menu in menus)),
        ),
        game.bucket_counts,
    )


def found_and_expected(game, tree, policy, form="exact"):
    """Own values and best responses of both seats, in chips."""
    result = BestResponse(policy, SmallDeck(game), form).run(workers=1)
    milli = 1000 / tree.game.big_blind
    first_free = {"exact": 0, "flop": 1, "turn": 2, "river": 3}[form]
    own = [BruteForce(game, tree, policy, 99).value(seat) for seat in (0, 1)]
    best = [BruteForce(game, tree, policy, first_free).value(seat) for seat in (0, 1)]
    return (
        [*result.values, *result.best_responses],
        [milli * value for value in (*own, *best)],
    )


@pytest.mark.parametrize(("seed", "lucky_suit"), [(0, False), (1, True)])
def test_two_streets_equal_brute_force(seed, lucky_suit):
    """Ten cards, one public one; buckets that mix hands at random."""
    game = SmallGame(5, 2, 2, (7, 5), seed, lucky_suit)
    tree = small_tree(game, "100%", "a", stack=3)

    found, expected = found_and_expected(game, tree, random_policy(tree, seed))

    assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("form", ["exact", "flop", "turn"])
def test_three_streets_equal_brute_force(form):
    """Six cards, two public ones, one after the other."""
    game = SmallGame(3, 2, 3, (4, 3, 5), 5, True)
    tree = small_tree(game, "a", "", "a", stack=3)

    found, expected = found_and_expected(game, tree, random_policy(tree, 6), form)

    assert found == pytest.approx(expected, abs=0.01)


def test_twenty_cards_equal_brute_force():
    """Five ranks of four suits, a one-card flop: the game that the issue names."""
    game = SmallGame(5, 4, 2, (9, 6), 3)
    tree = small_tree(game, "a, !call", "", stack=3)

    found, expected = found_and_expected(game, tree, random_policy(tree, 4))

    assert found == pytest.approx(expected, abs=0.01)


# ---- Boards of hold'em -----------------------------------------------------------------------

NO_TABLES = (None, None, None)
FLOPS = {
    "rainbow": (0, 21, 46),
    "two of a suit": (0, 20, 46),
    "one suit": (0, 20, 44),
    "a pair": (0, 1, 46),
    "a pair, two of a suit": (0, 1, 44),
    "three of a kind": (8, 9, 10),
}


@pytest.mark.parametrize("flop", FLOPS.values(), ids=FLOPS)
def test_boards_stand_for_all_boards(flop):
    """A card that may come next is one of 49, given two hands one of 45."""
    boards = flop_boards(flop, NO_TABLES).boards
    turns = boards[1 : 1 + boards[0]["num_children"]]

    assert turns["weight"].sum() == pytest.approx(49 / 45)
    for turn in turns:
        first, num = turn["first_child"], turn["num_children"]
        assert boards["weight"][first : first + num].sum() == pytest.approx(48 / 44)


@pytest.mark.slow
def test_all_boards_are_as_many_as_known():
    counts = VECTORS["canonical_counts"]
    turns = rivers = 0
    for flop in indexer.unindex_board(3, np.arange(counts["3"])):
        boards = flop_boards(flop, NO_TABLES).boards
        turns += boards[0]["num_children"]
        rivers += (boards["num_children"] == 0).sum()

    assert (turns, rivers) == (counts["3+1"], counts["3+1+1"])


def shoved_tree(*menus):
    """Small enough for all boards of a flop: all-in or not before the flop, then *menus*."""
    return build_tree(
        GameConfig(stacks=(1000,), menu=BetMenu(streets=(("a",), *((menu,) for menu in menus)))),
        (169, 4, 3, 5)[: 1 + len(menus)],
    )


@pytest.mark.parametrize("flop", FLOPS.values(), ids=FLOPS)
def test_hands_that_are_run_out_have_their_equity(flop):
    """Weights, symmetries and showdowns: against all hands, each wins what its equity says."""
    tree = shoved_tree()
    groups = group_betting(UniformPolicy(tree), 4)
    group, lane = groups.places[0]
    reach = np.zeros((groups.num_groups, 1326, groups.num_lanes), np.float32)
    reach[group, :, lane] = 1.0

    best, own = groups.betting.respond(
        1, flop_boards(flop, NO_TABLES), reach, own=True, chooses=(True,) * 3
    )

    assert np.array_equal(best, own)
    assert tree.nodes["ending"][tree.find("c x")] == 2
    possible = [slot for slot in range(1326) if not set(SLOT_HOLES[slot]) & set(flop)]
    assert (best[group, :, lane] == 0).sum() >= 1326 - len(possible)
    for slot in np.random.default_rng(1).choice(possible, 12, replace=False):
        expected = 1081 * 100 * (2 * hand_vs_random(SLOT_HOLES[slot], flop).equity - 1)
        assert best[group, slot, lane] == pytest.approx(expected, rel=1e-5, abs=0.5)


@pytest.mark.parametrize("bad", [(0, 1), (0, 1, 1), (0, 1, 52)])
def test_what_is_no_flop_is_refused(bad):
    with pytest.raises(CardError, match="not a flop"):
        flop_boards(bad, NO_TABLES)


def test_more_turns_than_there_are_are_refused():
    with pytest.raises(ConfigError, match="50 turns"):
        flop_boards((0, 1, 2), NO_TABLES, turns=50)


# ---- Hold'em with buckets --------------------------------------------------------------------


def made_up_buckets(tree, seed=0, rivers_alike=0.0):
    """Buckets at random, the same for hands that differ by suits only.

    With *rivers_alike* that part of the hands on the river share one bucket.
    """
    rng = np.random.default_rng(seed)
    counts = (*tree.bucket_counts, 2, 2, 2)[:4]
    config = BucketConfig(k_flop=counts[1], k_turn=counts[2], k_river=counts[3])
    arrays = {
        "preflop_equities": np.full((169, 169), 0.5),
        "groups": np.zeros(169, np.uint8),
        "table_preflop": np.arange(169, dtype=np.uint8),
        "tally_preflop": np.zeros((169, 4), np.int64),
    }
    # The large tables repeat a short one: random access to them costs the same.
    for street, name in enumerate(("flop", "turn", "river"), 1):
        short = rng.integers(0, counts[street], 9973, dtype=np.uint8)
        if street == 3:
            short[rng.random(len(short)) < rivers_alike] = 1
        arrays[f"table_{name}"] = np.resize(short, CANONICAL_HANDS[street])
        arrays[f"tally_{name}"] = np.zeros((counts[street], 4), np.int64)
    return HandBucketing(config, arrays, fingerprint=f"made up {seed}")


@pytest.fixture(scope="module")
def tree():
    return shoved_tree("100%", "", "a")


@pytest.fixture(scope="module")
def bucketing(tree):
    return made_up_buckets(tree)


@pytest.fixture(scope="module")
def policy(tree):
    return random_policy(tree, 8)


@pytest.mark.parametrize(
    ("chooses", "rivers_alike"),
    [
        ((True,) * 3, 0.0),
        ((True,) * 3, 0.99),
        ((False, True, True), 0.99),
        ((False,) * 3, 0.99),
    ],
)
def test_one_flop_equals_dense_matrices(tree, policy, chooses, rivers_alike):
    """Below a flop, on a few turns and rivers: both seats, every beginning, every hand."""
    bucketing = made_up_buckets(tree, rivers_alike=rivers_alike)
    runouts = flop_boards(FLOPS["rainbow"], bucketing.tables[1:], turns=1, rivers=2, seed=5)
    groups = group_betting(policy, 4)
    rng = np.random.default_rng(2)
    reach = np.zeros((groups.num_groups, 1326, groups.num_lanes), np.float32)
    for group, lane in groups.places:
        reach[group, :, lane] = rng.random(1326)
    response = BestResponse(policy, HoldemDeck(tree, bucketing))

    for seat in (0, 1):
        best, own = groups.betting.respond(seat, runouts, reach, own=True, chooses=chooses)
        for found, free in ((best, chooses), (own, (False,) * 3)):
            dense = DenseResponse(policy, bucketing.tables[1:], runouts, free)
            for node, (group, lane) in zip(response.leaves, groups.places, strict=True):
                expected = dense.value(node, seat, reach[group, :, lane].astype(float))
                # In single precision: to a few 1e-7 of the largest.
                largest = np.abs(expected).max()
                assert np.allclose(found[group, :, lane], expected, rtol=0, atol=2e-5 * largest)


@pytest.mark.parametrize(("flop", "kinds"), [("rainbow", {0, 1, 2}), ("one suit", {0, 2})])
def test_hands_of_a_block_that_share_a_bucket(tree, policy, flop, kinds):
    """What is said of them is true, and values are the same as when nothing is said."""
    bucketing = made_up_buckets(tree, rivers_alike=0.99)
    runouts = flop_boards(FLOPS[flop], bucketing.tables[1:], turns=1, rivers=3, seed=2)
    rivers = np.flatnonzero(runouts.boards["num_children"] == 0)
    blocks = [(high, low) for high in range(13) for low in range(high + 1)]

    found = set()
    for river in rivers:
        entries = runouts.entries[runouts.boards["first_entry"][river] :]
        entries = entries[: runouts.boards["num_entries"][river]]
        singles = set(entries["first"][entries["kind"] == 2])
        # The last board's cards are its own; the flop's and the turn's hold no bucket anyway.
        turn = runouts.boards["cards"][1][0]
        board = {*FLOPS[flop], int(turn), int(runouts.boards["cards"][river][0])}
        for slot, (high, low) in enumerate(SLOT_HOLES):
            kind, *shared = runouts.parts[river, blocks.index((high // 4, low // 4))]
            found.add(min(int(kind), 2))
            if kind == 0 or slot in singles or high in board or low in board:
                continue
            suit = int(kind) - 2
            part = 1 if high % 4 == suit else 2 if low % 4 == suit else 0
            assert runouts.buckets[river, slot] == shared[part]
    assert found == kinds

    groups = group_betting(policy, 4)
    shape = (groups.num_groups, 1326, groups.num_lanes)
    reach = np.random.default_rng(1).random(shape).astype(np.float32)
    known = groups.betting.respond(0, runouts, reach, own=True, chooses=(True,) * 3)
    runouts.parts = np.zeros_like(runouts.parts)
    unknown = groups.betting.respond(0, runouts, reach, own=True, chooses=(True,) * 3)
    for one, other in zip(known, unknown, strict=True):
        lanes = groups.places.T
        one, other = one[lanes[0], :, lanes[1]], other[lanes[0], :, lanes[1]]
        assert np.allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize("chooses", [(True,) * 3, (False, False, True), (False,) * 3])
def test_lanes_change_nothing(chooses):
    """Processors of narrow registers have fewer, and the same bytes."""
    menu = BetMenu(streets=(("100%, a",),) * 4)
    tree = build_tree(GameConfig(stacks=(1200,), menu=menu), (169, 4, 3, 5))
    policy, bucketing = random_policy(tree, 8), made_up_buckets(tree)
    runouts = flop_boards(FLOPS["two of a suit"], bucketing.tables[1:], turns=2, rivers=2, seed=3)
    laid_out = [group_betting(policy, 4, num_lanes) for num_lanes in (8, 16)]
    found = []
    for groups in laid_out:
        group, lane = groups.places.T
        reach = np.zeros((groups.num_groups, 1326, groups.num_lanes), np.float32)
        reach[group, :, lane] = np.random.default_rng(1).random((len(group), 1326), np.float32)
        of_seats = [
            groups.betting.respond(seat, runouts, reach, own=True, chooses=chooses)
            for seat in (0, 1)
        ]
        found.append([values[group, :, lane] for both in of_seats for values in both])

    assert [groups.betting.num_groups for groups in laid_out] == [(2, 5, 12), (2, 3, 6)]
    narrow, wide = found
    assert all(values.any() for values in wide)
    assert [values.tobytes() for values in narrow] == [values.tobytes() for values in wide]


def test_renaming_suits_renames_values(bucketing, policy):
    """All boards of a flop and of the same flop in other suits."""
    groups = group_betting(policy, 4)
    reach = np.zeros((groups.num_groups, 1326, groups.num_lanes), np.float32)
    for group, lane in groups.places:
        reach[group, :, lane] = 1.0
    flop, rename = FLOPS["two of a suit"], np.array([2, 0, 3, 1])
    renamed_flop = tuple(4 * (card // 4) + int(rename[card % 4]) for card in flop)
    slots = {frozenset(hole): slot for slot, hole in enumerate(SLOT_HOLES.tolist())}
    renamed = [
        slots[frozenset(4 * (card // 4) + int(rename[card % 4]) for card in hole)]
        for hole in SLOT_HOLES.tolist()
    ]

    one, other = (
        groups.betting.respond(
            0, flop_boards(board, bucketing.tables[1:]), reach, own=False, chooses=(True,) * 3
        )[0]
        for board in (flop, renamed_flop)
    )

    largest = np.abs(one).max()
    assert np.allclose(other[:, renamed], one, rtol=0, atol=1e-5 * largest)


def test_always_folding_costs_750():
    """Whoever folds to every bet loses the small blind or the big one each hand."""
    tree = shoved_tree("a", "", "a")
    bucketing = made_up_buckets(tree)

    found = best_response(first_action_policy(tree), bucketing, form="sampled", flops=3)

    assert found.exploitability == pytest.approx(750, abs=0.01)
    assert found.lower_nash_conv == pytest.approx(1500, abs=0.01)
    assert found.values == pytest.approx((-500, 500))


def sampled(policy, bucketing, **options):
    options = {"form": "sampled", "flops": 6, "turns": 2, "rivers": 2} | options
    return best_response(policy, bucketing, **options)


def test_a_response_is_never_worse_than_the_policy(policy, bucketing):
    """And more freedom never hurts, on the same boards."""
    free, flop, turn, river = (
        sampled(policy, bucketing, form=form) for form in ("sampled", "flop", "turn", "river")
    )

    for seat in (0, 1):
        assert (
            free.best_responses[seat]
            > flop.best_responses[seat]
            >= turn.best_responses[seat]
            >= river.best_responses[seat]
            > free.values[seat]
        )
    assert free.values == flop.values == turn.values == river.values
    assert free.interval > 0
    assert free.lower_nash_conv < free.nash_conv
    assert free.bias == (
        "biased upwards: the responder's choices are fitted to the flops and turns and rivers drawn"
    )
    assert river.bias.startswith("a lower bound")
    assert river.bias.endswith("almost without bias from the draws")


def test_without_the_policys_own_values(policy, bucketing):
    with_own = sampled(policy, bucketing)
    without = sampled(policy, bucketing, own_values=False)

    assert without.values is None
    assert without.best_responses == with_own.best_responses
    assert without.nash_conv == with_own.nash_conv


def test_the_number_of_workers_changes_nothing(policy, bucketing):
    one, other = (sampled(policy, bucketing, workers=workers) for workers in (1, 3))

    assert one.best_responses == other.best_responses
    assert one.values == other.values
    assert one.interval == other.interval


def test_seeds_draw_other_boards(policy, bucketing):
    one, other = (sampled(policy, bucketing, seed=seed) for seed in (1, 2))

    assert one.best_responses != other.best_responses


@pytest.fixture
def short(policy, bucketing):
    """A best response over five kinds of flops."""
    deck = HoldemDeck(policy.tree, bucketing)
    deck.weights, deck.flops = deck.weights[900:905], deck.flops[900:905]
    return BestResponse(policy, deck, "sampled")


def test_draws_are_as_likely_as_flops(policy, bucketing):
    """Each kind about as often as it has flops; and fewer draws are the first of more."""
    deck = HoldemDeck(policy.tree, bucketing)
    response = BestResponse(policy, deck, "sampled")
    families, which = response._draw(22_100, 3)
    fewer, of_fewer = response._draw(100, 3)

    wanted = 22_100 * deck.weights[families] / deck.weights.sum()
    assert np.abs(np.bincount(which) - wanted).max() < 3
    assert len(families) == len(deck.weights)
    assert np.array_equal(fewer, families[: len(fewer)])
    assert np.array_equal(of_fewer, which[:100])


def test_what_time_allows_is_drawn(short, monkeypatch):
    """The same as if that number had been asked for."""
    monkeypatch.setattr(BestResponse, "_seconds_per_family", lambda *_, **__: 100.0)
    told = []
    timed = short.run(budget_seconds=1, draws=(1, 1), seed=4, progress=told.append)
    counted = short.run(flops=timed.flops, draws=(1, 1), seed=4)

    assert told[-1].done == 2 <= timed.flops
    assert timed.best_responses == counted.best_responses
    assert timed.interval == counted.interval > 0
    assert timed.lower_nash_conv == counted.lower_nash_conv


def test_time_for_all_leaves_nothing_to_chance(short):
    timed = short.run(budget_seconds=10_000, draws=(1, 1))
    whole = short.run(draws=(1, 1))

    assert timed.best_responses == pytest.approx(whole.best_responses, rel=1e-12)
    assert (timed.flops, timed.interval) == (5, 0)


def test_a_run_that_was_killed_goes_on(policy, bucketing, tmp_path, monkeypatch):
    """From the families that were added up, to the same bytes."""
    monkeypatch.setattr("holdem.evaluation.best_response.SAVE_SECONDS", 0.0)
    deck = HoldemDeck(policy.tree, bucketing)
    deck.weights, deck.flops = deck.weights[:5], deck.flops[:5]
    response = BestResponse(policy, deck)
    whole = response.run(draws=(1, 1), workers=1)
    folder = tmp_path / "sums"
    seen = []

    def stop(progress):
        seen.append(progress.done)
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        response.run(draws=(1, 1), workers=1, progress=stop, resume_folder=folder)
    assert folder.exists()
    resumed = response.run(
        draws=(1, 1), workers=2, progress=lambda p: seen.append(p.done), resume_folder=folder
    )

    assert seen == [0, 1, 2, 3, 3, 4, 5]
    assert resumed.best_responses == whole.best_responses
    assert resumed.river_boards == whole.river_boards
    assert not folder.exists()


def test_sums_of_another_policy_are_refused(policy, bucketing, tmp_path, monkeypatch):
    monkeypatch.setattr("holdem.evaluation.best_response.SAVE_SECONDS", 0.0)
    deck = HoldemDeck(policy.tree, bucketing)
    deck.weights, deck.flops = deck.weights[:2], deck.flops[:2]

    def stop(progress):
        if progress.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BestResponse(policy, deck).run(draws=(1, 1), progress=stop, resume_folder=tmp_path)
    with pytest.raises(MismatchError, match="its seed differs"):
        BestResponse(policy, deck).run(draws=(1, 1), seed=1, resume_folder=tmp_path)
    other = BestResponse(random_policy(policy.tree, 9), deck)
    with pytest.raises(MismatchError, match="its strategy differs"):
        other.run(draws=(1, 1), resume_folder=tmp_path)


def test_other_buckets_are_refused(policy):
    other = made_up_buckets(shoved_tree("a", "", ""))
    other.config = BucketConfig(k_flop=7)

    with pytest.raises(MismatchError, match="a betting tree for buckets"):
        sampled(policy, other)


def test_three_players_are_refused(bucketing):
    tree = build_tree(GameConfig(num_players=3, menu=BetMenu(streets=(("a, !call", ""),))), (169,))

    with pytest.raises(ConfigError, match="not for 3 players of holdem"):
        sampled(UniformPolicy(tree), bucketing)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"form": "best"}, "no such best response"),
        ({"form": "exact", "flops": 9, "turns": 0, "rivers": 0}, "takes no budget"),
        ({"flops": None}, "without a number of flops"),
        ({"flops": 1}, "1 flops to draw"),
    ],
)
def test_options_that_contradict_are_refused(policy, bucketing, options, message):
    with pytest.raises(ConfigError, match=message):
        sampled(policy, bucketing, **options)


@pytest.mark.slow
def test_push_fold_over_all_boards_equals_the_equities():
    """2,554,656 boards against the exact table of equities by class."""
    tree = build_tree(push_fold(10), (169,))
    policy = random_policy(tree, 3)
    expected = PolicyEvaluator(tree).evaluate(policy)
    milli = 1000 / tree.game.big_blind

    found = best_response(policy, made_up_buckets(tree))

    assert found.values == pytest.approx([milli * value for value in expected.values], abs=0.01)
    assert found.best_responses == pytest.approx(
        [milli * value for value in expected.best_responses], abs=0.01
    )
    assert found.river_boards == VECTORS["canonical_counts"]["3+1+1"]
