"""Runs end to end: known game values, same bytes, resuming, and what is refused."""

import errno
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from holdem import storage
from holdem.errors import ConfigError, HoldemError, MismatchError, ResourceError, StorageError
from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.game import cards, games
from holdem.game.tree import build_tree
from holdem.mccfr import blueprint, checkpoint, engine, run
from holdem.mccfr.blueprint import Blueprint
from holdem.mccfr.engine import epsilon_at
from holdem.mccfr.progress import SilentObserver
from holdem.mccfr.solver import MCCFRSolver
from holdem.mccfr.table import RegretTable
from holdem.types import BetMenu, GameConfig, MCCFRConfig
from tests.files import contents
from tests.pools import Watcher
from tests.vectors import VECTORS

LEDUC_VALUE = VECTORS["lp_game_values"]["leduc_limit_2p"]["value_p0"]


class PreflopBuckets:
    """The lossless preflop buckets as a bucketing: all that push/fold needs."""

    tables = (np.arange(169, dtype=np.uint8),)
    num_buckets = (169,)
    fingerprint = "lossless preflop"
    path = None

    def __init__(self, preflop_equities):
        self.preflop_equities = preflop_equities


@pytest.fixture(scope="module")
def preflop_equities():
    from holdem._core.equity import preflop_equities

    return preflop_equities()


def config(**values):
    return MCCFRConfig(**{"num_iterations": 2_000, "seed": 7, **values})


def train(logdir, game, bucketing=None, *, resume_from=None, observer=None, **values):
    solver = MCCFRSolver(config(**values), bucketing, game=game)
    return solver.train(logdir, use_tensorboard=False, resume_from=resume_from, observer=observer)


def evaluate(result, equities=None):
    policy = Blueprint.load(result.logdir)
    return PolicyEvaluator(policy.tree, preflop_equities=equities).evaluate(policy), policy


# --- known games ---------------------------------------------------------------------


def test_kuhn_reaches_its_value(tmp_path):
    """-1/18 to the first player, and nothing left to exploit."""
    result = train(tmp_path, games.kuhn(), num_iterations=5_000_000)
    value, _ = evaluate(result)
    assert value.values[0] == pytest.approx(-1 / 18, abs=0.001)
    assert value.exploitability < 0.002


def test_leduc_reaches_its_value(tmp_path):
    """Two streets, a public card and raises, through the walk that hold'em uses."""
    result = train(tmp_path, games.leduc(), num_iterations=6_000_000)
    value, _ = evaluate(result)
    assert value.exploitability < 0.01
    assert value.values[0] == pytest.approx(LEDUC_VALUE, abs=0.005)


def test_outcome_sampling_reaches_leduc(tmp_path):
    """The same table learns from single sampled paths too."""
    result = train(
        tmp_path, games.leduc(), num_iterations=8_000_000, batch_size=1000, sampling="outcome"
    )
    value, _ = evaluate(result)
    assert value.exploitability < 0.05


def test_three_player_kuhn_runs(tmp_path):
    """No theorem for three players, but what comes out is far from exploitable."""
    result = train(tmp_path, games.kuhn(3), num_iterations=1_000_000, batch_size=1000)
    value, _ = evaluate(result)
    assert sum(value.values) == pytest.approx(0, abs=1e-6)
    assert value.nash_conv < 0.02 * VECTORS["uniform_policy_nashconv"]["kuhn3p"]


@pytest.mark.parametrize("stack", VECTORS["pushfold_hu"])
def test_push_fold_reaches_the_known_equilibrium(stack, tmp_path, preflop_equities):
    """Value within 0.003 big blinds, percentages within 1.5 points."""
    known = VECTORS["pushfold_hu"][stack]
    game = games.push_fold(float(stack))
    result = train(
        tmp_path, game, PreflopBuckets(preflop_equities), num_iterations=5_000_000, batch_size=1000
    )
    value, policy = evaluate(result, preflop_equities)
    combos = np.bincount([cards.class_of(*cards.hole_cards(hole)) for hole in range(1326)])
    shove = policy.strategy(0)[:, 1]
    call = policy.strategy(int(policy.tree.nodes["first_child"][0]) + 1)[:, 1]
    assert value.values[0] / game.big_blind == pytest.approx(known["value_sb_bb"], abs=0.003)
    assert (shove * combos).sum() / 13.26 == pytest.approx(known["shove_pct"], abs=1.5)
    assert (call * combos).sum() / 13.26 == pytest.approx(known["call_pct"], abs=1.5)


# --- discounting ----------------------------------------------------------------------


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (1.5, 2.0), (0.0, 1.0), (1.0, 10.0)])
def test_weights_do_what_discounting_does(alpha, beta):
    """Growing weights give the same proportions as scaling the table each period."""
    tree = build_tree(games.kuhn(), (3,))
    table = RegretTable(tree, discount_interval=10, alpha=alpha, beta=beta)
    regret = strategy = 0.0
    row = table.words[:4]  # two regrets, two sums
    rng = np.random.default_rng(3)
    for iteration in range(3_000):
        if iteration and iteration % 10 == 0:
            t = iteration // 10
            regret *= t**alpha / (t**alpha + 1)
            strategy *= (t / (t + 1)) ** beta
        update = float(rng.normal())
        regret += update
        strategy += 0.5
        table.advance(iteration, 1)
        row[0] += np.float32(update * table.regret_weight)
        row[2] += np.float32(0.5 * table.strategy_weight)
    assert row[0] / table.regret_weight == pytest.approx(regret, rel=1e-3)
    assert row[2] / table.strategy_weight == pytest.approx(strategy, rel=1e-3)
    assert math.isfinite(float(row[0]))
    assert table.regret_weight <= 2.0**65
    assert table.strategy_weight <= 2.0**65


def test_weights_of_a_batch_with_many_periods():
    """What was added a thousand halvings ago counts nothing, and no weight is beyond bounds."""
    table = RegretTable(build_tree(games.kuhn(), (3,)), discount_interval=1, alpha=0.0, beta=10.0)
    table.advance(0, 1)
    table.words[:4] = 1.0
    regrets, sums = table.advance(5_000, 1)
    assert (regrets, sums) == (0.0, 2.0**-64)
    assert table.words[:4].tolist() == [0.0, 0.0, 2.0**-64, 2.0**-64]
    assert table.regret_weight == 2.0 ** (5_000 % 64)
    assert table.strategy_weight == pytest.approx(5_001.0**10 / 2.0**64, rel=1e-9)


def table_bytes(checkpoint):
    """The trained numbers alone; the metadata tells runs apart by their config."""
    return (checkpoint / "table.npy").read_bytes()


def test_discount_changes_the_run(tmp_path):
    with_discount = train(tmp_path / "a", games.leduc(), discount_interval=100)
    without = train(tmp_path / "b", games.leduc(), discount_interval=10**6)
    assert table_bytes(with_discount.checkpoint) != table_bytes(without.checkpoint)


def test_epsilon_follows_its_schedule(tmp_path):
    """Runs whose schedules begin alike are alike until these part."""
    schedule = config(epsilon_schedule=((0, 0.5), (100, 0.1)))
    assert [epsilon_at(schedule, i) for i in (0, 99, 100, 5_000)] == [0.5, 0.5, 0.1, 0.1]
    laws = {"sampling": "outcome", "checkpoint_interval": 1_000}
    tables = []
    for later in (0.5, 0.1):
        pairs = ((0, 0.5), (1_000, later))
        result = train(tmp_path / f"{later}", games.leduc(), epsilon_schedule=pairs, **laws)
        at_1000 = result.checkpoint.with_name("checkpoint_iter1000")
        tables.append((table_bytes(at_1000), table_bytes(result.checkpoint)))
    (before, after), (other_before, other_after) = tables
    assert before == other_before
    assert after != other_after


# --- same bytes -------------------------------------------------------------------------


def test_same_run_twice_gives_the_same_bytes(tmp_path):
    """The whole checkpoint folder, metadata too, and the policy."""
    first = train(tmp_path / "a", games.leduc())
    second = train(tmp_path / "b", games.leduc())
    assert contents(first.checkpoint) == contents(second.checkpoint)
    assert contents(first.logdir / "avg_policy") == contents(second.logdir / "avg_policy")
    assert first.policy.read_bytes() == second.policy.read_bytes()
    other = train(tmp_path / "c", games.leduc(), seed=8)
    assert table_bytes(first.checkpoint) != table_bytes(other.checkpoint)


@pytest.mark.parametrize("sampling", ["external", "outcome"])
@pytest.mark.parametrize("cut", [700, 1_000, 1_300])
def test_resumed_run_ends_with_the_same_bytes(tmp_path, cut, sampling):
    """With pruning and discounting on, from checkpoints that fall anywhere in a period."""
    laws = {
        "sampling": sampling,
        "discount_interval": 300,
        "pruning_threshold": -5.0,
        "regret_floor": -8.0,
    }
    whole = train(tmp_path / "whole", games.leduc(), **laws)
    train(tmp_path / "cut", games.leduc(), num_iterations=cut, **laws)
    resumed = train(tmp_path / "cut", games.leduc(), resume_from=tmp_path / "cut", **laws)
    assert resumed.iterations_done == 2_000 - cut
    assert contents(whole.checkpoint) == contents(resumed.checkpoint)


KILLED = """
import sys
from pathlib import Path
from holdem.game import games
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import MCCFRConfig
config = MCCFRConfig(num_iterations=int(sys.argv[2]), checkpoint_interval=20_000, seed=7)
MCCFRSolver(config, None, game=games.leduc()).train(
    Path(sys.argv[1]), use_tensorboard=False,
    resume_from=Path(sys.argv[1]) if len(sys.argv) > 3 else None)
"""


@pytest.mark.parametrize("moment", range(3))
def test_killed_run_resumes_to_the_same_bytes(tmp_path, moment):
    """SIGKILL at a random moment; the last checkpoint is whole and leads to the same end."""
    run = tmp_path / "killed"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(run), str(10**9)])
    while not checkpoint.list_checkpoints(run / "checkpoints"):
        assert child.poll() is None
        time.sleep(0.001)
    time.sleep(float(np.random.default_rng(moment).uniform(0, 0.25)))
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    newest, _ = checkpoint.list_checkpoints(run / "checkpoints")[-1]
    iterations = newest + 20_000
    command = [sys.executable, "-c", KILLED, str(run), str(iterations), "resume"]
    subprocess.run(command, check=True)
    whole = train(
        tmp_path / "whole", games.leduc(), num_iterations=iterations, checkpoint_interval=20_000
    )
    assert contents(run / "checkpoints" / "checkpoint_final") == contents(whole.checkpoint)


def test_batch_size_one_differs_only_in_its_course(tmp_path):
    """Any batch size trains; the table is frozen for longer in larger ones."""
    for batch_size in (1, 7, 100, 1_000):
        result = train(
            tmp_path / str(batch_size),
            games.kuhn(),
            num_iterations=40_003,
            batch_size=batch_size,
        )
        assert result.iteration == 40_003
        value, _ = evaluate(result)
        assert value.exploitability < 0.08


# --- what a run leaves --------------------------------------------------------------------


def test_run_leaves_what_the_docs_say(tmp_path):
    """Files, TensorBoard tags, and checkpoints named by their iteration."""
    run = MCCFRSolver(
        config(num_iterations=50_000, checkpoint_interval=9_950, keep_checkpoints=2),
        None,
        game=games.leduc(),
    )
    run.train(tmp_path)
    assert (tmp_path / "config.yaml").is_file()
    assert (tmp_path / "train.log").read_text().count("checkpoint") >= 3
    names = {path.name for path in (tmp_path / "checkpoints").glob("checkpoint_*")}
    # At the first merge at or after each multiple of the interval, the newest two kept.
    assert names == {"checkpoint_iter39800", "checkpoint_iter49800", "checkpoint_final"}
    tags = tensorboard_tags(tmp_path / "tensorboard")
    assert tags >= {
        "Performance/IterationsPerSecond",
        "Performance/NodesPerSecond",
        "Training/Utility",
        "Training/UtilityMovingAvg",
        "Training/Epsilon",
        "Training/Discount",
        "Memory/RSS",
        *(
            f"{figure}/{street}"
            for figure in ("policy_entropy", "avg_regret_norm")
            for street in ("preflop", "flop")
        ),
    }


def tensorboard_tags(folder):
    """Tags of an event file: records of length, checksum, a protobuf and its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    tags = set()
    (path,) = folder.iterdir()
    data = path.read_bytes()
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        event = Event.FromString(data[at + 12 : at + 12 + length])
        tags |= {value.tag for value in event.summary.value}
        at += 16 + length
    return tags


class Stopper(SilentObserver):
    """Asks for a stop as a signal handler would."""

    def __init__(self):
        self.run = None

    def progressed(self, progress):
        self.run.request_stop(signal.SIGINT)


def test_stop_saves_a_checkpoint_that_goes_on(tmp_path):
    """What Ctrl-C leaves is as good as any other checkpoint."""
    observer = Stopper()
    observer.run = MCCFRSolver(config(num_iterations=10**9), None, game=games.leduc())
    result = observer.run.train(tmp_path, use_tensorboard=False, observer=observer)
    assert result.stopped_by == signal.SIGINT
    assert result.checkpoint.name == f"checkpoint_iter{result.iteration}"
    more = result.iteration + 1_000
    resumed = train(tmp_path, games.leduc(), resume_from=tmp_path, num_iterations=more)
    whole = train(tmp_path / "whole", games.leduc(), num_iterations=more)
    assert contents(resumed.checkpoint) == contents(whole.checkpoint)


def test_going_on_from_an_older_checkpoint_leaves_the_later_ones(tmp_path):
    """They stay readable, but are no longer what the run's folder means."""
    folder, laws = tmp_path / "checkpoints", {"checkpoint_interval": 1_000, "keep_checkpoints": 0}
    train(tmp_path, games.leduc(), num_iterations=3_000, **laws)
    later = [contents(folder / name) for name in ("checkpoint_iter2000", "checkpoint_final")]
    older, watcher = folder / "checkpoint_iter1000", Watcher()
    values = {"num_iterations": 1_500, "seed": 8, **laws}
    other = train(tmp_path, games.leduc(), resume_from=older, observer=watcher, **values)
    assert checkpoint.find(tmp_path)[0] == other.checkpoint
    assert [
        contents(folder / f"checkpoint_{name}.abandoned") for name in ("iter2000", "final")
    ] == (later)
    assert len([one for one in watcher.warnings if "goes on without" in one]) == 2
    again = train(tmp_path, games.leduc(), resume_from=tmp_path, **values)
    assert again.iteration == 1_500
    assert contents(again.checkpoint) == contents(other.checkpoint)


def test_an_old_checkpoint_that_cannot_be_removed_stays_alone(tmp_path):
    """The others are removed all the same, and nobody says that there is no checkpoint."""
    folder, laws = tmp_path / "checkpoints", {"checkpoint_interval": 1_000, "keep_checkpoints": 0}
    train(tmp_path, games.leduc(), num_iterations=4_000, **laws)
    (folder / "checkpoint_iter1000" / "metadata.json").write_text("{")
    watcher = Watcher()
    laws["keep_checkpoints"] = 1
    train(
        tmp_path,
        games.leduc(),
        resume_from=tmp_path,
        observer=watcher,
        num_iterations=6_000,
        **laws,
    )
    names = {path.name for path in folder.glob("checkpoint_*")}
    assert names == {"checkpoint_iter1000", "checkpoint_iter5000", "checkpoint_final"}
    assert any("an old checkpoint stays" in one for one in watcher.warnings)
    assert not any("no checkpoint" in one for one in watcher.warnings)


def test_a_damaged_final_checkpoint_is_in_nobodys_way(tmp_path):
    """It is not passed over in silence; whoever goes on from an older one ends with a good one."""
    train(tmp_path, games.leduc(), num_iterations=3_000, checkpoint_interval=1_000)
    final = tmp_path / "checkpoints" / "checkpoint_final"
    whole = contents(final)
    (final / "metadata.json").write_text("{")
    error = refusal(lambda: train(tmp_path, games.leduc(), resume_from=tmp_path))
    assert "checkpoint_final" in str(error)
    assert "damaged" in str(error)
    older = tmp_path / "checkpoints" / "checkpoint_iter2000"
    result = train(tmp_path, games.leduc(), resume_from=older, num_iterations=3_000)
    assert result.checkpoint == final
    assert contents(final)["table.npy"] == whole["table.npy"]


def test_the_log_says_why_a_run_did_not_begin(tmp_path, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise ResourceError("no room for it", "make some")

    monkeypatch.setattr(engine.LocalEngine, "__init__", refuse)
    refusal(lambda: train(tmp_path, games.kuhn()))
    assert "no room for it" in (tmp_path / "train.log").read_text()


def test_a_resume_that_finds_no_memory_leaves_the_config(tmp_path, monkeypatch):
    result = train(tmp_path, games.leduc())
    before = (tmp_path / "config.yaml").read_text()

    def fails(*_):
        raise ResourceError("no memory", "have more")

    monkeypatch.setattr(MCCFRSolver, "make_engine", fails)
    with pytest.raises(ResourceError):
        train(tmp_path, games.leduc(), resume_from=result.logdir, batch_size=50)
    assert (tmp_path / "config.yaml").read_text() == before


def test_time_budget_ends_the_run(tmp_path):
    """And counts from the start of this run, not from the resumed one's."""
    result = train(tmp_path, games.kuhn(), num_iterations=None, time_budget_seconds=0.3)
    assert result.elapsed_seconds >= 0.3
    again = train(
        tmp_path,
        games.kuhn(),
        resume_from=tmp_path,
        num_iterations=None,
        time_budget_seconds=0.3,
    )
    assert again.iteration > result.iteration
    assert again.elapsed_seconds >= 0.3


# --- what is refused -------------------------------------------------------------------------


@pytest.fixture
def finished(tmp_path):
    return train(tmp_path / "run", games.leduc(), num_iterations=300)


def refusal(call):
    """The error, which must have both of its lines."""
    with pytest.raises(HoldemError) as caught:
        call()
    assert str(caught.value)
    assert caught.value.remedy
    return caught.value


def test_other_tree_is_refused(finished, tmp_path):
    game = GameConfig(
        name="leduc",
        num_players=2,
        stacks=games.leduc().stacks,
        blinds=(),
        ante=1,
        first_to_act=(0, 0),
        cards=games.leduc().cards,
        menu=BetMenu(streets=(("2c", ""), ("4c", ""))),
    )
    error = refusal(lambda: train(tmp_path / "new", game, resume_from=finished.logdir))
    assert isinstance(error, MismatchError)
    assert "betting tree" in str(error)


def test_other_players_are_refused(finished, tmp_path):
    error = refusal(lambda: train(tmp_path / "new", games.kuhn(3), resume_from=finished.logdir))
    assert "2 players" in str(error)


def test_other_buckets_are_refused(tmp_path, preflop_equities):
    buckets = PreflopBuckets(preflop_equities)
    train(tmp_path / "run", games.push_fold(10), buckets)
    other = PreflopBuckets(preflop_equities)
    other.fingerprint = "0123456789abcdef"
    error = refusal(
        lambda: train(tmp_path / "new", games.push_fold(10), other, resume_from=tmp_path / "run")
    )
    assert "Cannot safely resume training with different bucket configuration" in str(error)
    assert "lossless pre" in str(error)
    assert "0123456789ab" in str(error)


def test_flipped_byte_is_refused(finished, tmp_path):
    path = finished.checkpoint / "table.npy"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    error = refusal(lambda: train(tmp_path / "new", games.leduc(), resume_from=finished.checkpoint))
    assert isinstance(error, StorageError)
    assert "its SHA-256 does not fit" in str(error)


def test_truncated_or_half_written_checkpoint_is_refused(finished, tmp_path):
    path = finished.checkpoint / "table.npy"
    path.write_bytes(path.read_bytes()[:-64])
    error = refusal(lambda: train(tmp_path / "new", games.leduc(), resume_from=finished.checkpoint))
    assert "table.npy is truncated" in str(error)
    (finished.checkpoint / "metadata.json").unlink()
    error = refusal(lambda: train(tmp_path / "new", games.leduc(), resume_from=finished.checkpoint))
    assert "is half written" in str(error)


def test_pickle_missing_and_empty_are_refused(tmp_path):
    pickled = tmp_path / "checkpoint.pkl"
    pickled.write_bytes(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.")
    for path, why in (
        (pickled, "checkpoint.pkl is a pickle"),
        (tmp_path / "nothing", "nothing does not exist"),
        (tmp_path, "holds no checkpoint"),
    ):
        error = refusal(lambda path=path: train(tmp_path / "new", games.leduc(), resume_from=path))
        assert why in str(error)


def test_changed_laws_are_told(finished):
    """A different batch size changes the course of a run; it goes on, and says so."""
    watcher = Watcher()
    train(
        finished.logdir,
        games.leduc(),
        resume_from=finished.logdir,
        batch_size=50,
        observer=watcher,
    )
    assert len(watcher.warnings) == 1
    assert "batch_size 100 -> 50" in watcher.warnings[0]


def test_rates_are_those_of_the_last_half_minute():
    """No pause between two reports, as reading a table makes, is told as a run that stands."""
    engine = SimpleNamespace(iteration=1_000, visits=0, utility_sum=0.0)  # as resumed
    rates = run._Rates(100.0, engine)
    told = {}
    for second, iterations in enumerate([0, *[50] * 9, 400, 0, *[100] * 60]):
        engine.iteration += iterations
        engine.visits += 7 * iterations
        engine.utility_sum += 2 * iterations
        for after in (0.9, 0.95, 1.0):  # reports after every batch; the last two find nothing new
            rates.move(100.0 + second + after, engine)
        told[second + 1] = rates.iterations_per_second

    assert told[1] == 0.0
    assert told[10] == pytest.approx(450 / 10)
    assert told[12] == pytest.approx(850 / 12)
    assert told[30] == pytest.approx((850 + 1_800) / 30)
    assert told[35] == pytest.approx((650 + 2_300) / 30, rel=0.01)
    assert told[72] == pytest.approx(100, rel=0.01)
    assert rates.nodes_per_second == pytest.approx(7 * told[72])
    assert rates.utility == pytest.approx(2.0)


def test_no_budget_no_buckets_and_workers_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="never end"):
        MCCFRSolver(MCCFRConfig(), None, game=games.leduc())
    with pytest.raises(ConfigError, match="needs buckets"):
        MCCFRSolver(config(), None)
    with pytest.raises(ConfigError, match="num_workers"):
        MCCFRSolver(config(num_workers=2), None, game=games.leduc())
    with pytest.raises(ConfigError):
        MCCFRSolver(config(), None, num_players=10)


def test_table_that_cannot_fit_is_refused(monkeypatch, tmp_path):
    """Before anything is allocated or written."""
    solver = MCCFRSolver(config(), None, game=games.leduc())
    monkeypatch.setattr(run, "available_memory", lambda: 1_000)
    with pytest.raises(ResourceError, match="672 slots"):
        solver.train(tmp_path / "run", use_tensorboard=False)
    assert not (tmp_path / "run").exists()


def test_full_disk_does_not_end_a_run(monkeypatch, tmp_path):
    """A checkpoint that cannot be written is told; the one before stays; the end needs space."""
    watcher = Watcher()
    write = storage.write_folder
    calls = []

    def failing(path, *args, **kwargs):
        calls.append(Path(path).name)
        if "iter600" in str(path):
            raise StorageError(f"cannot write {path}: the disk is full", "free some space")
        write(path, *args, **kwargs)

    monkeypatch.setattr(storage, "write_folder", failing)
    result = train(
        tmp_path, games.leduc(), checkpoint_interval=300, num_iterations=1_000, observer=watcher
    )
    assert any("disk is full" in warning and "goes on" in warning for warning in watcher.warnings)
    names = {path.name for path in (tmp_path / "checkpoints").glob("checkpoint_*")}
    assert names == {"checkpoint_iter300", "checkpoint_iter900", "checkpoint_final"}
    whole = train(tmp_path / "whole", games.leduc(), num_iterations=1_000)
    assert contents(result.checkpoint) == contents(whole.checkpoint)


class Full:
    """A disk that has no room for folders whose names begin with *waits*.

    *then* is called with it whenever the run warns.
    """

    def __init__(self, monkeypatch, waits, then):
        self.waits, self.then, self.warnings = waits, then, []
        self.write = storage.write_folder
        for module in (storage, blueprint):
            monkeypatch.setattr(module, "write_folder", self.write_folder)
        monkeypatch.setattr(run, "_ROOM_POLL_SECONDS", 0.001)

    def write_folder(self, path, *args, **kwargs):
        if self.waits and Path(path).name.startswith(self.waits):
            error = StorageError(f"cannot write {path}: the disk is full", "free some space")
            raise error from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.write(path, *args, **kwargs)

    def observer(self):
        class Listener(SilentObserver):
            def warned(_, message):
                self.warnings.append(message)
                self.then(self)

        return Listener()


def free(full):
    full.waits = ""


LEDUC_RUN = {"checkpoint_interval": 300, "num_iterations": 1_000}


def test_a_run_waits_at_its_end_for_room(tmp_path, monkeypatch):
    full = Full(monkeypatch, "checkpoint_final", free)
    observer = full.observer()
    result = train(tmp_path, games.leduc(), keep_checkpoints=0, observer=observer, **LEDUC_RUN)
    (warning,) = full.warnings
    assert "checkpoint_final: the disk is full; the run waits for room" in warning
    assert len(list((tmp_path / "checkpoints").glob("checkpoint_*"))) == 4
    whole = train(tmp_path / "whole", games.leduc(), num_iterations=1_000)
    assert contents(result.checkpoint) == contents(whole.checkpoint)
    assert contents(tmp_path / "avg_policy") == contents(tmp_path / "whole" / "avg_policy")


def test_older_checkpoints_make_room_for_the_last(tmp_path, monkeypatch):
    full = Full(monkeypatch, "checkpoint_final", free)
    train(tmp_path, games.leduc(), observer=full.observer(), **LEDUC_RUN)
    (warning,) = full.warnings
    assert "the disk is full; older checkpoints make room for it" in warning
    names = {path.name for path in (tmp_path / "checkpoints").glob("checkpoint_*")}
    assert names == {"checkpoint_iter900", "checkpoint_final"}


@pytest.mark.parametrize(
    ("waits", "laws", "lost", "remedy"),
    [
        ("checkpoint_final", LEDUC_RUN, "what was trained after iteration 900 is lost", "resume"),
        ("checkpoint", LEDUC_RUN, "what was trained after iteration 0 is lost", "free some space"),
        ("avg_policy", LEDUC_RUN, "checkpoint_final has all that was trained", "holdem export"),
    ],
)
@pytest.mark.parametrize("by", ["signal", "time"])
def test_no_run_waits_for_ever(tmp_path, monkeypatch, waits, laws, lost, remedy, by):
    full = Full(monkeypatch, waits, lambda full: None)
    if by == "time":
        monkeypatch.setattr(run, "_ROOM_SECONDS", 0.01)
    else:
        solver = MCCFRSolver(MCCFRConfig(keep_checkpoints=1, **laws), None, game=games.leduc())

        def stop(full):
            if "waits for room" in full.warnings[-1]:
                solver.request_stop(signal.SIGTERM)

        full.then = stop
    error = refusal(
        lambda: (
            train(tmp_path, games.leduc(), keep_checkpoints=1, observer=full.observer(), **laws)
            if by == "time"
            else solver.train(tmp_path, use_tensorboard=False, observer=full.observer())
        )
    )
    assert lost in str(error)
    assert remedy in error.remedy


def test_what_a_resumed_run_loses(tmp_path, monkeypatch):
    """It began at a final checkpoint, which is there still."""
    train(tmp_path, games.leduc(), num_iterations=500)
    Full(monkeypatch, "checkpoint_final", lambda full: None)
    monkeypatch.setattr(run, "_ROOM_SECONDS", 0.0)
    error = refusal(
        lambda: train(tmp_path, games.leduc(), num_iterations=700, resume_from=tmp_path)
    )
    assert "what was trained after iteration 500 is lost" in str(error)


def test_a_run_that_is_asked_for_nothing_says_so(tmp_path):
    watcher = Watcher()
    train(tmp_path, games.leduc(), num_iterations=250, batch_size=100)
    assert watcher.warnings == []
    more = {"resume_from": tmp_path, "observer": watcher, "batch_size": 100}
    train(tmp_path, games.leduc(), num_iterations=200, **more)
    assert watcher.warnings == ["nothing is left to do: 200 iterations are asked for, 250 are done"]
    watcher.warnings.clear()
    train(tmp_path, games.leduc(), num_iterations=400, **more)
    (warning,) = watcher.warnings
    assert "ended within a batch of 100, at iteration 250" in warning


def test_two_runs_do_not_share_a_folder(tmp_path):
    train(tmp_path / "a", games.leduc(), num_iterations=300)
    train(tmp_path / "b", games.leduc(), num_iterations=200)
    before = contents(tmp_path / "a" / "checkpoints" / "checkpoint_final")
    for resumed in (None, tmp_path / "b"):
        error = refusal(
            lambda resumed=resumed: train(
                tmp_path / "a", games.leduc(), num_iterations=100, resume_from=resumed
            )
        )
        assert "holds a run already" in str(error)
    assert contents(tmp_path / "a" / "checkpoints" / "checkpoint_final") == before
    result = train(
        tmp_path / "a",
        games.leduc(),
        num_iterations=400,
        resume_from=tmp_path / "a" / "checkpoints" / "checkpoint_final",
    )
    assert result.iteration == 400


def test_unwritable_folder_is_refused_before_training(tmp_path):
    """A file where the folder should be; found before the first iteration."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    error = refusal(lambda: train(blocked / "run", games.leduc(), num_iterations=10**12))
    assert isinstance(error, StorageError)


@pytest.mark.parametrize("name", ["", "checkpoints/checkpoint_final"])
@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\x00", b"[" * 100_000, None],
    ids=["empty", "binary", "too deep", "none"],
)
def test_find_says_what_is_wrong_with_a_damaged_checkpoint(tmp_path, name, content):
    """It is no folder without a checkpoint, be it named or the only one of its run."""
    folder = tmp_path / name
    folder.mkdir(parents=True, exist_ok=True)
    if content is None:
        (folder / "table.npy").touch()
    else:
        (folder / "metadata.json").write_bytes(content)
    with pytest.raises(StorageError, match="half written" if content is None else "is damaged"):
        checkpoint.find(tmp_path)


def test_find_takes_the_newest(tmp_path):
    """A run resumed after its end may have a numbered checkpoint newer than the final one."""
    train(tmp_path, games.leduc(), num_iterations=300)
    assert checkpoint.find(tmp_path)[0].name == "checkpoint_final"
    observer = Stopper()
    observer.run = MCCFRSolver(config(num_iterations=10**9), None, game=games.leduc())
    stopped = observer.run.train(
        tmp_path, use_tensorboard=False, resume_from=tmp_path, observer=observer
    )
    assert checkpoint.find(tmp_path)[0] == stopped.checkpoint
    assert re.fullmatch(r"checkpoint_iter\d+", stopped.checkpoint.name)
    assert os.path.isdir(stopped.checkpoint)
