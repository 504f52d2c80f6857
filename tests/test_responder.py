"""Training against a responder: the same bytes however it is done, and what is refused."""

import dataclasses

import numpy as np
import pytest

from holdem.abstraction import workers
from holdem.cli import train_blueprint
from holdem.config import dump_config, load_config
from holdem.errors import ConfigError, MismatchError
from holdem.game.games import kuhn
from holdem.game.tree import build_tree
from holdem.mccfr import checkpoint, costs, table
from holdem.mccfr.cells import Cells
from holdem.mccfr.checkpoint import PARENTS, RESPONDER
from holdem.mccfr.lanes import LaneBetting
from holdem.mccfr.merge_sources import select
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.mccfr.parents import Parents
from holdem.mccfr.responder_engine import ResponderEngine
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import BetMenu, GameConfig, MCCFRConfig
from tests.buckets import StripedBuckets
from tests.pools import Watcher

GAME = GameConfig(
    name="short",
    num_players=2,
    stacks=(600,),
    blinds=(50, 100),
    menu=BetMenu(streets=(("100%, a",), ("100%, a",), ("a",), ("a",))),
)
BUCKETS = StripedBuckets(7)
CONFIG = MCCFRConfig(num_iterations=30, opponent="responder", discount_interval=8, seed=5)


MANY = StripedBuckets(25)
"""So many that they have parents, two on each street."""


def train(
    logdir, *, resume_from=None, solver=ParallelMCCFRSolver, cells=None, buckets=BUCKETS, **changes
):
    config = dataclasses.replace(CONFIG, **changes)
    trained = solver(config, buckets, game=GAME, cells=cells).train(
        logdir, use_tensorboard=False, resume_from=resume_from
    )
    found = checkpoint.load(
        trained.checkpoint, build_tree(GAME, buckets.num_buckets), buckets.fingerprint
    )
    return np.array(found.words), np.array(found.others[RESPONDER]), found


def test_the_same_bytes_with_any_number_of_threads_and_resumed_anywhere(tmp_path):
    words, responder, found = train(tmp_path / "one", solver=MCCFRSolver)
    assert np.isfinite(words).all()
    assert words.any()
    assert responder.any()
    assert found.iteration == 30
    for threads in (2, 3, 5):
        again = train(tmp_path / f"{threads}", num_workers=threads)
        np.testing.assert_array_equal(again[0], words)
        np.testing.assert_array_equal(again[1], responder)
        assert again[2].utility_sum == found.utility_sum
    train(tmp_path / "part", num_iterations=13)
    rest = train(tmp_path / "rest", resume_from=tmp_path / "part", num_workers=2)
    np.testing.assert_array_equal(rest[0], words)
    np.testing.assert_array_equal(rest[1], responder)
    assert rest[2].utility_sum == found.utility_sum
    assert rest[2].visits == found.visits


@pytest.fixture(scope="module")
def cells():
    """Thirty-five a street."""
    return Cells.refined(BUCKETS, StripedBuckets(5))


def test_a_responder_that_tells_more_apart(tmp_path, cells):
    """Its run is another one, and goes on with any number of threads."""
    own_words, own_responder, own = train(tmp_path / "own")
    words, responder, found = train(tmp_path / "one", cells=cells)
    assert (words != own_words).any()
    assert found.cells_fingerprint == "striped 5"
    assert own.cells_fingerprint is None
    assert len(responder) > len(own_responder)
    train(tmp_path / "part", cells=cells, num_iterations=13)
    rest = train(tmp_path / "rest", resume_from=tmp_path / "part", num_workers=3, cells=cells)
    np.testing.assert_array_equal(rest[0], words)
    np.testing.assert_array_equal(rest[1], responder)


def test_cells_that_are_the_tables_buckets_change_nothing(tmp_path):
    words, responder, _ = train(tmp_path / "own")
    same = train(tmp_path / "same", cells=Cells.refined(BUCKETS, BUCKETS))
    np.testing.assert_array_equal(same[0], words)
    np.testing.assert_array_equal(same[1], responder)


def test_a_run_goes_on_with_the_cells_it_has(tmp_path, cells):
    train(tmp_path / "own")
    with pytest.raises(MismatchError, match="with the table's own buckets, this run's has buckets"):
        train(tmp_path / "on", resume_from=tmp_path / "own", cells=cells)
    train(tmp_path / "cells", cells=cells)
    with pytest.raises(MismatchError, match="with buckets striped 5, this run's has the table's"):
        train(tmp_path / "on", resume_from=tmp_path / "cells")


def test_cells_without_a_responder_are_refused(cells):
    with pytest.raises(ConfigError, match="the table trains against itself"):
        MCCFRSolver(MCCFRConfig(num_iterations=1), BUCKETS, game=GAME, cells=cells)


# -- parents -------------------------------------------------------------------------------------


def test_parents_are_of_buckets_that_are_near_each_other():
    found = Parents.of_set(MANY)

    assert found.counts == (0, 2, 2, 2)
    assert [len(of) for of in found.of] == [len(of) for of in found.shares] == [0, 25, 25, 25]
    for street in (1, 2, 3):
        of, shares = found.of[street], found.shares[street]
        assert len(set(of[:13])) == len(set(of[13:])) == 1
        assert of[0] != of[13]
        assert np.bincount(of, shares) == pytest.approx([1, 1])
        assert shares[0] == pytest.approx(1 / 13, rel=1e-3)


def test_parents_depend_on_the_set_alone(monkeypatch):
    before = Parents.of_set(MANY)
    monkeypatch.setattr(workers, "usable_cores", lambda: 7)
    again = Parents.of_set(MANY)
    for one, other in zip(before.of + before.shares, again.of + again.shares, strict=True):
        np.testing.assert_array_equal(one, other)


def test_empty_buckets_have_no_share(monkeypatch):
    tally = MANY.tally(1)
    tally[3:13] = 0
    monkeypatch.setattr(MANY, "tally", lambda street: tally)
    shares = Parents.of_set(MANY).shares[1]
    assert not shares[3:13].any()
    assert shares[:3] == pytest.approx(1 / 3, rel=1e-3)


def test_few_buckets_have_no_parents(tmp_path):
    assert Parents.of_set(BUCKETS).counts == (0, 0, 0, 0)
    words, responder, _ = train(tmp_path / "plain")
    train(tmp_path / "part", parent_boards=20, num_iterations=13)
    found = train(tmp_path / "on", parent_boards=20, resume_from=tmp_path / "part")
    np.testing.assert_array_equal(found[0], words)
    np.testing.assert_array_equal(found[1], responder)


def test_a_run_with_parents_has_the_same_bytes_however_it_is_done(tmp_path):
    """Any number of threads; resumed in the middle of a period too."""
    with_parents = {"buckets": MANY, "parent_boards": 20}
    plain, _, _ = train(tmp_path / "plain", buckets=MANY)
    words, responder, found = train(tmp_path / "one", **with_parents)
    assert (words != plain).any()
    assert found.others[PARENTS].any()
    train(tmp_path / "part", **with_parents, num_iterations=13)
    for threads, resume_from in ((3, None), (2, tmp_path / "part")):
        logdir = tmp_path / f"{threads}"
        again = train(logdir, **with_parents, num_workers=threads, resume_from=resume_from)
        np.testing.assert_array_equal(again[0], words)
        np.testing.assert_array_equal(again[1], responder)
        np.testing.assert_array_equal(again[2].others[PARENTS], found.others[PARENTS])


def test_a_run_goes_on_with_the_parents_it_has(tmp_path):
    train(tmp_path / "none", buckets=MANY)
    with pytest.raises(MismatchError, match="was trained without parents of its buckets"):
        train(tmp_path / "on", buckets=MANY, resume_from=tmp_path / "none", parent_boards=20)
    train(tmp_path / "some", buckets=MANY, parent_boards=20)
    with pytest.raises(MismatchError, match="was trained with parents of its buckets") as caught:
        train(tmp_path / "on", buckets=MANY, resume_from=tmp_path / "some")
    assert "--parent-boards" in caught.value.remedy
    assert not (tmp_path / "on").exists()


def test_parents_without_a_responder_are_refused():
    with pytest.raises(ConfigError, match="parent_boards is 20, and the table trains against it"):
        MCCFRConfig(parent_boards=20)


def test_costs_count_the_parents(tmp_path):
    config = dataclasses.replace(CONFIG, parent_boards=20)
    plain, found = (costs.estimate(one, GAME, MANY.num_buckets) for one in (CONFIG, config))
    words, responder, written = train(tmp_path / "run", buckets=MANY, parent_boards=20)
    parents = written.others[PARENTS].nbytes
    arrays = words.nbytes + responder.nbytes + parents
    assert arrays < found.checkpoint_bytes < arrays + 20_000
    assert found.checkpoint_bytes == plain.checkpoint_bytes + parents
    assert found.memory_bytes >= plain.memory_bytes + 2 * parents


def test_another_seed_gives_other_bytes(tmp_path):
    words, _, _ = train(tmp_path / "one")
    other, _, _ = train(tmp_path / "two", seed=6)
    assert (words != other).any()


def test_scaling_regrets_down_changes_no_strategy(tmp_path, monkeypatch):
    # Weights double each period.
    fast = {"regret_discount_alpha": 0.0, "discount_interval": 1}
    fast |= {"buckets": MANY, "parent_boards": 20}
    words, responder, found = train(tmp_path / "never", **fast)
    monkeypatch.setattr(table, "REBASE_ABOVE", 2.0**10)
    scaled, scaled_responder, scaled_found = train(tmp_path / "often", **fast)
    factor = found.table_state["regret_weight"] / scaled_found.table_state["regret_weight"]
    assert factor == 2.0**20
    np.testing.assert_array_equal(responder, scaled_responder * np.float32(factor))
    parents, scaled_parents = (one.others[PARENTS] for one in (found, scaled_found))
    np.testing.assert_array_equal(parents, scaled_parents * np.float32(factor))
    tree = build_tree(GAME, MANY.num_buckets)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        k, first = int(tree.nodes["num_actions"][node]), 2 * int(tree.nodes["first_slot"][node])
        size = 2 * k * tree.bucket_counts[tree.nodes["street"][node]]
        rows, of_scaled = (all_[first : first + size].reshape(-1, 2, k) for all_ in (words, scaled))
        np.testing.assert_array_equal(rows[:, 1], of_scaled[:, 1])
        np.testing.assert_array_equal(rows[:, 0], of_scaled[:, 0] * np.float32(factor))


def test_the_table_loses_less_and_less_to_its_responders():
    config = dataclasses.replace(CONFIG, num_iterations=None, time_budget_seconds=1e9)
    engine = ResponderEngine(config, build_tree(GAME, BUCKETS.num_buckets), BUCKETS)
    lost = []
    for iterations in (20, 400, 420):
        before = sum(walk.utility for walk in engine._walks)
        engine.run(iterations)
        lost.append(before - sum(walk.utility for walk in engine._walks))
    engine.close()
    assert lost[2] < 0.5 * lost[0]


def test_a_run_against_itself_cannot_go_on_against_a_responder(tmp_path):
    config = MCCFRConfig(num_iterations=100)
    MCCFRSolver(config, BUCKETS, game=GAME).train(tmp_path / "itself", use_tensorboard=False)
    before = (tmp_path / "itself" / "config.yaml").read_text()
    with pytest.raises(MismatchError, match="against itself, this run trains against responder"):
        train(tmp_path / "itself", resume_from=tmp_path / "itself")
    assert (tmp_path / "itself" / "config.yaml").read_text() == before
    train(tmp_path / "responder")
    with pytest.raises(MismatchError, match="against responder, this run trains against itself"):
        MCCFRSolver(config, BUCKETS, game=GAME).train(
            tmp_path / "on", use_tensorboard=False, resume_from=tmp_path / "responder"
        )
    assert not (tmp_path / "on").exists()


@pytest.mark.parametrize(
    "game",
    [
        kuhn(),
        GameConfig(num_players=3),
        GameConfig(menu=BetMenu(streets=(("a",),))),
    ],
    ids=["kuhn", "three players", "preflop only"],
)
def test_other_games_are_refused(game):
    with pytest.raises(ConfigError, match="a responder needs hold'em for two players"):
        MCCFRSolver(CONFIG, None, game=game)
    with pytest.raises(ConfigError, match="a responder needs hold'em for two players"):
        costs.estimate(CONFIG, game, (169, 7, 7, 7)[: game.num_streets])


def test_a_menu_that_ends_before_the_river_is_refused(tmp_path):
    menu = BetMenu(streets=(("a, !call", "a"), ("a",), ("a",), ("a",)))
    solver = MCCFRSolver(CONFIG, BUCKETS, game=GameConfig(stacks=(600,), menu=menu))
    with pytest.raises(ConfigError, match="nobody has a decision on the flop"):
        solver.train(tmp_path, use_tensorboard=False)


def test_sampling_is_refused():
    with pytest.raises(ConfigError, match="sampling is outcome, and against a responder"):
        MCCFRConfig(opponent="responder", sampling="outcome")


def test_instances_are_refused(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    argv = ["--opponent", "responder", "--num-instances", "2", "--iters", "10"]
    assert train_blueprint.main(argv) == 2
    said = capsys.readouterr().err.splitlines()
    assert "--num-instances cannot be used with --opponent responder" in said[0]
    assert len(said) == 2


@pytest.mark.parametrize(
    ("argv", "found", "remedy"),
    [
        (["--opponent", "responder"], "makes the buckets of buckets.path finer", "--buckets"),
        (["--buckets", "a"], "the table trains against itself", "--opponent responder"),
    ],
)
def test_cells_of_no_use_are_refused(capsys, tmp_path, monkeypatch, argv, found, remedy):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_blueprint, "buckets_of", lambda config: (None, (169,) * 4))
    assert train_blueprint.main([*argv, "--responder-buckets", "b", "--iters", "10"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert found in said[0]
    assert remedy in said[1]
    assert len(said) == 2


def test_merging_is_refused(tmp_path):
    train(tmp_path / "one")
    train(tmp_path / "two", seed=6)
    with pytest.raises(MismatchError, match="responders do not add up"):
        select([tmp_path / "one", tmp_path / "two"])


def test_the_period_is_the_usual_one_unless_given():
    assert MCCFRConfig().period == 5_000
    assert MCCFRConfig(opponent="responder").period == 200
    assert MCCFRConfig(opponent="responder", discount_interval=7).period == 7
    assert checkpoint.laws_of(MCCFRConfig(opponent="responder"))["discount_interval"] == 200


def test_the_usual_period_is_that_of_the_opponent_now(tmp_path):
    """The config of a run against itself does for one against a responder."""
    (tmp_path / "config.yaml").write_text(dump_config(MCCFRConfig(num_iterations=1)))
    config = load_config(tmp_path / "config.yaml", {"opponent": "responder"}).training

    assert config.period == 200


def test_costs_count_the_lanes_and_the_responder(tmp_path):
    found = costs.estimate(CONFIG, GAME, BUCKETS.num_buckets)
    words, responder, written = train(tmp_path / "run")
    arrays = words.nbytes + responder.nbytes
    assert arrays < found.checkpoint_bytes < arrays + 20_000
    engine = ResponderEngine(CONFIG, build_tree(GAME, BUCKETS.num_buckets), BUCKETS)
    lanes = sum(rows.nbytes for rows in (*engine._rows, *engine._responder_rows))
    begun = sum(street[0] * len(street[2]) for street in engine._lanes.streets)
    lanes += 2 * 3 * 4 * 2_407 * begun  # of each seat reaches, answers and values
    assert found.memory_bytes > 2 * found.table_bytes + lanes + responder.nbytes + 120_000_000
    engine.run(30)
    assert engine.visits == written.visits == 30 * found.visits_per_iteration
    engine.close()


def test_a_checkpoint_reads_each_row_once(monkeypatch):
    """Weights and discounts need no table."""
    unpacked = []
    unpack = LaneBetting.unpack
    monkeypatch.setattr(LaneBetting, "unpack", lambda *args: unpacked.append(args) or unpack(*args))
    engine = ResponderEngine(CONFIG, build_tree(GAME, BUCKETS.num_buckets), BUCKETS)
    engine.run(3)
    assert engine.table.state()["total_weight"] == 3
    assert engine.table.discounts() == (1.0, 1.0)
    assert unpacked == []
    words = engine.words()
    assert unpacked[0][-1] is words
    np.testing.assert_array_equal(words, engine.snapshot())
    engine.close()


def test_weights_do_not_depend_on_where_stretches_end():
    config = dataclasses.replace(CONFIG, num_iterations=24, regret_discount_alpha=0.3)
    states = []
    for stretch in (1, 5, 24):
        engine = ResponderEngine(config, build_tree(GAME, BUCKETS.num_buckets), BUCKETS)
        while engine.iteration < 24:
            engine.run(engine.iteration + stretch)
        states.append(engine.table.state())
        engine.close()

    assert states[0] == states[1] == states[2]


@pytest.mark.parametrize(("threads", "pace"), [(1, 1), (2, 2), (3, 2), (4, 4), (9, 8)])
def test_the_slower_seat_sets_the_pace(monkeypatch, threads, pace):
    monkeypatch.setattr(costs, "usable_cores", lambda: 8)
    one, found = (
        costs.estimate(dataclasses.replace(CONFIG, num_workers=n), GAME, BUCKETS.num_buckets)
        for n in (1, threads)
    )
    assert found.seconds == pytest.approx(one.seconds / pace)


def test_what_does_nothing_against_a_responder_is_no_law(tmp_path):
    watcher = Watcher()
    words, _, found = train(tmp_path / "one")
    train(tmp_path / "part", num_iterations=13)
    config = dataclasses.replace(
        CONFIG, batch_size=7, enable_pruning=False, regret_floor=-1e9, exploration_epsilon=0.1
    )
    result = MCCFRSolver(config, BUCKETS, game=GAME).train(
        tmp_path / "part",
        use_tensorboard=False,
        resume_from=tmp_path / "part",
        observer=watcher,
    )
    assert watcher.warnings == []
    tree = build_tree(GAME, BUCKETS.num_buckets)
    rest = checkpoint.load(result.checkpoint, tree, BUCKETS.fingerprint)
    assert rest.laws == found.laws
    np.testing.assert_array_equal(rest.words, words)


def test_old_laws_that_do_nothing_are_no_change():
    old = checkpoint.laws_of(CONFIG) | {"batch_size": 3, "exploration_epsilon": 0.9}

    assert checkpoint.changes(old, CONFIG) == []


def test_costs_count_the_cells(tmp_path, cells):
    own = costs.estimate(CONFIG, GAME, BUCKETS.num_buckets)
    found = costs.estimate(CONFIG, GAME, BUCKETS.num_buckets, cells=cells)
    words, responder, _ = train(tmp_path / "run", cells=cells)
    arrays = words.nbytes + responder.nbytes
    assert arrays < found.checkpoint_bytes < arrays + 20_000
    assert found.memory_bytes > own.memory_bytes + cells.num_bytes


def test_the_time_goes_by_the_lanes_of_the_processor(monkeypatch):
    seconds = {}
    for lanes in (8, 16):
        monkeypatch.setattr(costs, "lanes_here", lambda lanes=lanes: lanes)
        seconds[lanes] = costs.estimate(CONFIG, GAME, BUCKETS.num_buckets).seconds
    rates = costs.HANDS_PER_SECOND

    assert seconds[8] / seconds[16] == pytest.approx(rates[16] / rates[8])
    assert rates[8] < rates[16]


def test_costs_of_a_tree_too_large_to_lay_out(monkeypatch):
    exact = costs.estimate(CONFIG, GAME, BUCKETS.num_buckets)
    monkeypatch.setattr(costs, "_MOST_NODES_LAID_OUT", 10)
    found = costs.estimate(CONFIG, GAME, BUCKETS.num_buckets)

    assert found.visits_per_iteration == exact.visits_per_iteration
    assert found.checkpoint_bytes == exact.checkpoint_bytes
    assert found.memory_bytes > 3 * found.table_bytes
    assert found.memory_bytes == pytest.approx(exact.memory_bytes, rel=0.2)
    with pytest.raises(ConfigError, match="a responder needs hold'em for two players"):
        costs.estimate(CONFIG, GameConfig(num_players=3), (169, 7, 7, 7))
