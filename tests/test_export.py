"""`holdem export`: a policy from a checkpoint, in 8 or 16 bits, and what rounding costs."""

import shutil

import numpy as np
import pytest

from holdem import storage
from holdem.cli import export_policy as command
from holdem.errors import ConfigError, MismatchError, StorageError
from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.game.games import leduc, push_fold
from holdem.game.tree import build_tree
from holdem.mccfr.blueprint import ONE, Blueprint, Provenance
from holdem.mccfr.export import export_policy
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import MCCFRConfig
from tests.reference.cfr import TabularCFR
from tests.reference.games import tree_of
from tests.test_blueprint import table_of
from tests.test_solver import PreflopBuckets


def train(logdir, game, bucketing=None, iterations=3_000):
    config = MCCFRConfig(num_iterations=iterations, seed=7, time_budget_seconds=None)
    return MCCFRSolver(config, bucketing, game=game).train(logdir, use_tensorboard=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run on Leduc."""
    return train(tmp_path_factory.mktemp("run") / "leduc", leduc())


@pytest.fixture
def export(capsys):
    """Run the command and return its status, output and error lines."""

    def call(*argv):
        status = command.main([str(one) for one in argv])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return call


def test_16_bits_are_the_policy_that_the_run_wrote(run, tmp_path, export):
    status, out, _ = export(run.logdir, "--out", tmp_path / "policy")

    assert status == 0
    assert "16 bits" in out
    written = tmp_path / "policy" / "avg_policy"
    for name in ("probabilities.npy", "metadata.json"):
        assert (written / name).read_bytes() == (run.logdir / "avg_policy" / name).read_bytes()


def test_8_bits_are_half_as_large_and_rows_still_sum_to_one(run, tmp_path, export):
    status, out, _ = export(run.checkpoint, "--out", tmp_path / "policy", "--bits", 8)

    policy, exact = Blueprint.load(tmp_path / "policy"), Blueprint.load(run.logdir)
    assert status == 0
    assert "rounding" in out
    assert (policy.bits, policy.probabilities.dtype) == (8, np.uint8)
    assert not policy.probabilities.flags.writeable
    assert policy.probabilities.nbytes * 2 == exact.probabilities.nbytes
    for node in np.flatnonzero(policy.tree.nodes["num_actions"]):
        strategy = policy.strategy(node)
        assert strategy.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
        assert np.abs(strategy - exact.strategy(node)).max() <= (strategy.shape[1] - 1) * 0.51 / 255


def test_units_are_of_16_bits_whatever_is_stored(run):
    policy = export_policy(run.logdir, bits=8).policy

    assert policy.units.dtype == np.uint16
    for node in np.flatnonzero(policy.tree.nodes["num_actions"]):
        rows = policy.units[policy.tree.slots(node)].reshape(policy.strategy(node).shape)
        assert (rows.sum(axis=1, dtype=int) == ONE).all()
        assert rows / ONE == pytest.approx(policy.strategy(node), abs=1e-7)


@pytest.mark.parametrize("bits", [8, 16])
def test_the_loss_is_that_of_the_probabilities(run, bits):
    """Against the sums of the checkpoint's table, row by row."""
    export = export_policy(run.logdir, bits=bits)
    table = storage.read_folder(run.checkpoint, "checkpoint").arrays["table"]
    tree, off = export.policy.tree, []
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        strategy = export.policy.strategy(node)
        k = strategy.shape[1]
        first = 2 * int(tree.nodes["first_slot"][node])
        sums = table[first : first + 2 * strategy.size].reshape(-1, 2, k)[:, 1].astype(float)
        trained = sums.sum(axis=1) > 0
        exact = sums[trained] / sums[trained].sum(axis=1, keepdims=True)
        off.append(np.abs(strategy[trained] - exact).ravel())
    every = np.concatenate(off)

    assert export.loss.largest == pytest.approx(every.max(), rel=0.02)
    assert export.loss.mean == pytest.approx(every.mean(), rel=0.02)
    assert export.loss.largest <= 0.51 * 2 / (2**bits - 1)


def test_rounding_leaves_exploitability_nearly_as_it_was(tmp_path, preflop_equities):
    """Leduc in antes, push/fold in big blinds: 16 bits cost nothing, 8 bits next to nothing."""
    solver = TabularCFR(tree_of(leduc()), "CFR+").run(60)
    push = build_tree(push_fold(10), (169,))
    train(tmp_path, push_fold(10), PreflopBuckets(preflop_equities), 20_000)
    words = storage.read_folder(tmp_path / "checkpoints" / "checkpoint_final", "checkpoint")
    for tree, table, unit in (
        (solver.tree, table_of(solver), 1),
        (push, words.arrays["table"], 100),
    ):
        evaluator = PolicyEvaluator(tree, preflop_equities=preflop_equities)
        provenance = Provenance(iterations=1, seed=1)
        found = {
            bits: evaluator.evaluate(
                Blueprint.from_table(tree, table, provenance, bits=bits)
            ).exploitability
            / unit
            for bits in (8, 16)
        }
        assert abs(found[8] - found[16]) < 0.004
        assert found[16] < 0.2


@pytest.fixture(scope="module")
def preflop_equities():
    from holdem._core.equity import preflop_equities

    return preflop_equities()


def test_a_policy_may_take_the_place_of_one_and_of_nothing_else(run, tmp_path, export):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    assert export(run.logdir, "--out", tmp_path / "policy")[0] == 0
    assert export(run.logdir, "--out", tmp_path / "policy", "--bits", 8)[0] == 0

    status, _, err = export(run.logdir, "--out", tmp_path / "mine")

    assert status == 1
    assert "holds no policy" in err[0]
    assert len(err) == 2


def test_the_policy_of_another_run_is_not_replaced(run, tmp_path, export):
    other = tmp_path / "other"
    shutil.copytree(run.logdir, other)
    before = (other / "avg_policy.json").read_bytes()
    status, _, err = export(run.logdir, "--out", other)

    assert status == 1
    assert "is another run, whose own policy would be replaced" in err[0]
    assert (other / "avg_policy.json").read_bytes() == before
    assert export(other, "--out", other, "--bits", 8)[0] == 0
    assert export(other / "checkpoints" / "checkpoint_final", "--out", other)[0] == 0


@pytest.mark.parametrize(
    ("argv", "message", "code"),
    [
        (("--bits", "7"), "probabilities of 7 bits", 2),
        (("--bits", "x"), "invalid int", 2),
        (("--buckets", "nowhere"), "is of a game that has no buckets", 1),
        (("--buckts", "x"), "unknown option --buckts", 2),
    ],
)
def test_what_is_refused(run, tmp_path, export, argv, message, code):
    status, _, err = export(run.logdir, "--out", tmp_path / "policy", *argv)

    assert (status, len(err)) == (code, 2)
    assert message in err[0]
    assert not (tmp_path / "policy").exists()


def test_what_is_no_checkpoint_is_refused(tmp_path, export):
    status, _, err = export(tmp_path, "--out", tmp_path / "policy")

    assert status == 1
    assert "holds no checkpoint" in err[0]


def test_a_checkpoint_without_an_average_is_refused(run, tmp_path):
    """As a run leaves it that was stopped before its first iteration."""
    folder = storage.read_folder(run.checkpoint, "checkpoint")
    table = np.zeros_like(folder.arrays["table"])
    storage.write_folder(tmp_path / "empty", {"table": table}, folder.metadata, kind="checkpoint")

    with pytest.raises(StorageError, match="no average strategy") as error:
        export_policy(tmp_path / "empty")

    assert "--resume-from" in error.value.remedy


def test_bits_are_8_or_16(run):
    with pytest.raises(ConfigError, match="12 bits"):
        export_policy(run.logdir, bits=12)


def test_few_preflop_buckets_need_their_set(tmp_path, preflop_equities):
    """Which hands a bucket holds is in the bucket set only."""

    class Halves(PreflopBuckets):
        tables = ((np.arange(169) // 2).astype(np.uint8),)
        num_buckets = (85,)

    run = train(tmp_path, push_fold(10), Halves(preflop_equities), 100)

    with pytest.raises(MismatchError, match="85 preflop buckets") as error:
        export_policy(run.logdir)

    assert error.value.remedy == "name it with --buckets PATH"
