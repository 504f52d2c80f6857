"""Any number of workers leads to the same bytes, and what cannot work is refused."""

import copy
import itertools
import signal

import pytest

from holdem import storage
from holdem.errors import ConfigError, ResourceError
from holdem.machine import usable_cores
from holdem.mccfr import checkpoint, segments
from holdem.mccfr.engine import LocalEngine
from holdem.mccfr.pool import WorkerPool
from tests.files import contents, small_disk
from tests.pools import (
    GAMES,
    Stopper,
    outcome,
    own_shared_memory,
    save_buckets,
    solver_of,
    train,
)

BATCH_SIZES = (1, 7, 100, 1_000)
WORKERS = (2, 3, 4)
# A pool takes two seconds to start: by default each game meets each batch size once, and
# each of the two each number of workers and each sampling.
ALL = list(itertools.product(GAMES, BATCH_SIZES, WORKERS, ("external", "outcome")))
SAMPLED = [
    (
        game,
        batch_size,
        WORKERS[(i + j) % 3],
        "outcome" if (i, j) in {(0, 1), (1, 2), (2, 3), (3, 0)} else "external",
    )
    for i, game in enumerate(GAMES)
    for j, batch_size in enumerate(BATCH_SIZES)
]


@pytest.fixture(autouse=True)
def shared_memory(monkeypatch):
    with own_shared_memory() as folder:
        monkeypatch.setenv("HOLDEM_SHM_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def bucketing(tmp_path_factory):
    return save_buckets(tmp_path_factory.mktemp("sets") / "buckets")


@pytest.fixture(scope="module")
def alone(tmp_path_factory, bucketing):
    """A function that returns the result of a run on one worker, done once."""
    done = {}

    def result(game, **values):
        key = (game, *sorted(values.items()))
        if key not in done:
            done[key] = train(tmp_path_factory.mktemp("alone"), GAMES[game], 1, bucketing, **values)
        return done[key]

    return result


# --- same bytes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "batch_size", "num_workers", "sampling"),
    [case if case in SAMPLED else pytest.param(*case, marks=pytest.mark.slow) for case in ALL],
)
def test_any_number_of_workers(game, batch_size, num_workers, sampling, tmp_path, alone, bucketing):
    """The checkpoint's files, the policy's and the utility; the last batch is a short one."""
    values = {"num_iterations": 2_003, "batch_size": batch_size, "sampling": sampling}
    pooled = train(tmp_path, GAMES[game], num_workers, bucketing, **values)
    assert pooled.iteration == 2_003
    assert pooled.nodes_visited == alone(game, **values).nodes_visited
    assert outcome(pooled) == outcome(alone(game, **values))


@pytest.mark.parametrize("game", GAMES)
def test_the_runs_compared_prune_and_discount(game, alone):
    """Else the tests above would show less than they seem to."""
    usual = alone(game)
    assert alone(game, enable_pruning=False).nodes_visited > usual.nodes_visited
    # The metadata differ by the config they hold, so they would prove nothing.
    undiscounted = contents(alone(game, discount_interval=10**6).checkpoint)
    assert undiscounted["table.npy"] != contents(usual.checkpoint)["table.npy"]


def test_batches_smaller_than_the_pool(tmp_path, alone):
    """Some workers have nothing to walk; every iteration is done all the same."""
    values = {"num_iterations": 201, "batch_size": 2}
    pooled = train(tmp_path, GAMES["leduc"], 4, **values)
    assert pooled.iteration == 201
    assert outcome(pooled) == outcome(alone("leduc", **values))


@pytest.mark.parametrize(("batch_size", "last_period"), [(1, 199), (40, 200 - 4)])
def test_rebased_weights(batch_size, last_period, tmp_path, alone):
    """With alpha 0 weights double each period; one worker scales the table, the others wait.

    Three times in the run: rows that are not met meanwhile are left with next to nothing.
    """
    values = {"discount_interval": 10, "regret_discount_alpha": 0.0, "batch_size": batch_size}
    pooled = train(tmp_path, GAMES["leduc"], 3, **values)
    assert outcome(pooled) == outcome(alone("leduc", **values))
    state = storage.read_metadata(pooled.checkpoint, checkpoint.KIND)["table_state"]
    assert state["period"] == last_period
    assert state["regret_weight"] == 2.0 ** (last_period - 3 * 64)


def test_rebased_averages(tmp_path, alone):
    """The same for the average's weight, which is a high power of the period."""
    values = {"discount_interval": 10, "strategy_discount_beta": 10.0, "batch_size": 40}
    pooled = train(tmp_path, GAMES["leduc"], 3, **values)
    assert outcome(pooled) == outcome(alone("leduc", **values))
    state = storage.read_metadata(pooled.checkpoint, checkpoint.KIND)["table_state"]
    assert state["strategy_weight"] == pytest.approx(197.0**10 / 2.0**64, rel=1e-9)


def test_checkpoints_on_the_way(tmp_path, alone):
    """Written from a copy while the workers go on, they hold what one worker would write."""
    values = {"checkpoint_interval": 300, "keep_checkpoints": 0}
    pooled = train(tmp_path, GAMES["leduc"], 2, **values)
    wanted = alone("leduc", **values)
    names = {path.name for path in wanted.checkpoint.parent.glob("checkpoint_*")}
    assert "checkpoint_iter1500" in names
    assert names == {path.name for path in pooled.checkpoint.parent.glob("checkpoint_*")}
    for name in names:
        assert contents(pooled.checkpoint.parent / name) == contents(
            wanted.checkpoint.parent / name
        )


@pytest.mark.parametrize("num_workers", [2, 3])
def test_figures_do_not_depend_on_who_measures(num_workers, bucketing):
    """Entropies and regrets to the last digit."""
    found = []
    for n in (1, num_workers):
        engine = solver_of(GAMES["hold'em"], n, bucketing).make_engine(print)
        try:
            engine.run(2_000)
            found.append(engine.measure())
            assert engine.measure() == found[-1]
        finally:
            engine.close()
    assert list(found[0]) == ["preflop", "flop"]
    assert 0 < found[0]["flop"].policy_entropy < 1
    assert found[0] == found[1]


# --- cut and gone on with -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "before", "after", "sampling"),
    [
        ("leduc", 3, 2, "outcome"),
        ("hold'em", 1, 3, "external"),
        ("three players", 2, 1, "external"),
    ],
)
def test_resumed_with_another_number(game, before, after, sampling, tmp_path, bucketing):
    """Stopped by a signal wherever the run is then."""
    laws = {"sampling": sampling, "batch_size": 70}
    stopped = train(
        tmp_path / "cut",
        GAMES[game],
        before,
        bucketing,
        observer=Stopper(signal.SIGINT),
        **{**laws, "num_iterations": 10**9},
    )
    assert stopped.stopped_by == signal.SIGINT
    laws["num_iterations"] = stopped.iteration + 1_111
    resumed = train(
        tmp_path / "cut", GAMES[game], after, bucketing, resume_from=tmp_path / "cut", **laws
    )
    assert resumed.iterations_done == 1_111
    assert outcome(resumed) == outcome(train(tmp_path / "whole", GAMES[game], 1, bucketing, **laws))


def test_cut_within_a_batch(tmp_path):
    """The short batch at the cut is the same on any number, and so is what follows."""
    ends = []
    for first, second in ((1, 2), (3, 1)):
        logdir = tmp_path / f"{first}{second}"
        train(logdir, GAMES["leduc"], first, num_iterations=1_033)
        ends.append(outcome(train(logdir, GAMES["leduc"], second, resume_from=logdir)))
    assert ends[0] == ends[1]


def test_time_budget_ends_a_pooled_run(tmp_path):
    """At a multiple of the batch size, from where it can go on."""
    result = train(
        tmp_path, GAMES["leduc"], 2, num_iterations=None, time_budget_seconds=0.3, batch_size=7
    )
    assert result.iteration > 0
    assert result.iteration % 7 == 0
    assert result.elapsed_seconds >= 0.3


# --- how many, and what is refused ----------------------------------------------------------------


def test_zero_workers_are_the_usable_cores(monkeypatch):
    solver = solver_of(GAMES["leduc"], 0)
    assert solver.num_workers == usable_cores()
    monkeypatch.setattr("holdem.mccfr.parallel_solver.usable_cores", lambda: 3)
    assert solver.num_workers == 3
    engine = solver.make_engine(print)
    assert isinstance(engine, WorkerPool)
    engine.close()


def test_one_worker_is_this_process():
    assert isinstance(solver_of(GAMES["leduc"], 1).make_engine(print), LocalEngine)


def test_buckets_in_memory_are_refused(tmp_path, bucketing):
    """Workers could not see them; one worker can."""
    in_memory = copy.copy(bucketing)
    in_memory.path = None
    with pytest.raises(ConfigError, match="only in this process's memory") as caught:
        train(tmp_path / "run", GAMES["hold'em"], 2, in_memory)
    assert "save" in caught.value.remedy
    assert train(tmp_path / "run", GAMES["hold'em"], 1, in_memory).iteration == 2_000


def test_too_little_shared_memory(tmp_path, monkeypatch):
    """Refused before a worker starts: what was found and wanted, and what to do."""
    with small_disk(tmp_path / "shm", "1m", mapped=True) as small:
        monkeypatch.setenv(segments.FOLDER_VARIABLE, str(small))
        with pytest.raises(ResourceError, match=r"1\.0 MB free of 1\.0 MB") as caught:
            train(tmp_path / "run", GAMES["leduc"], 4, batch_size=100_000)
        assert "--shm-size" in caught.value.remedy
        assert list(small.iterdir()) == []
