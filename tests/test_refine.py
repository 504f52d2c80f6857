"""A run taken over to finer buckets: the same strategies, and training that goes on."""

import dataclasses

import numpy as np
import pytest

from holdem.cli import refine as command
from holdem.errors import MismatchError, StorageError
from holdem.game.tree import build_tree
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import Blueprint
from holdem.mccfr.refine import refine, street_map
from holdem.mccfr.responder_engine import RESPONDER
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import MCCFRConfig
from tests.buckets import StripedBuckets
from tests.test_responder import CONFIG, GAME

COARSE, FINE = StripedBuckets(7), StripedBuckets(14)  # hand h is in h % 7 and in h % 14


def train(buckets, logdir, config, resume_from=None):
    return MCCFRSolver(config, buckets, game=GAME).train(
        logdir, use_tensorboard=False, resume_from=resume_from
    )


def load(path, buckets):
    tree = build_tree(GAME, buckets.num_buckets)
    return tree, checkpoint.load(checkpoint.find(path), tree, buckets.fingerprint)


def test_a_bucket_takes_after_the_one_that_most_of_its_hands_are_in():
    coarse = np.array([0, 0, 0, 1, 1, 1, 1, 2], np.uint8)
    fine = np.array([0, 0, 3, 3, 3, 1, 1, 1], np.uint16)

    found = street_map(coarse, fine, 3, 5)

    assert found.parents.tolist() == [0, 1, 0, 1, 0]  # 2 and 4 hold no hand
    # Bucket 0 alone takes after 0; 1 and 3, three hands each, after 1.
    assert found.shares.tolist() == [1.0, 0.5, 0.0, 0.5, 0.0]
    assert found.agreeing == 6 / 8


def test_hands_come_in_parts(monkeypatch):
    rng = np.random.default_rng(1)
    coarse, fine = rng.integers(0, 5, 1000), rng.integers(0, 40, 1000)
    whole = street_map(coarse, fine, 5, 40)
    monkeypatch.setattr("holdem.mccfr.refine._HANDS_AT_A_TIME", 7)
    parts = street_map(coarse, fine, 5, 40)

    np.testing.assert_array_equal(parts.parents, whole.parents)
    np.testing.assert_array_equal(parts.shares, whole.shares)
    assert parts.agreeing == whole.agreeing


@pytest.mark.parametrize("opponent", ["itself", "responder"])
def test_strategies_stay_and_training_goes_on(tmp_path, opponent):
    config = MCCFRConfig(num_iterations=40, opponent=opponent, batch_size=10, seed=5)
    train(COARSE, tmp_path / "coarse", config)
    maps = refine(tmp_path / "coarse", COARSE, FINE, tmp_path / "fine")

    assert [one.agreeing for one in maps] == [1, 1, 1, 1]
    old_tree, old = load(tmp_path / "coarse", COARSE)
    new_tree, new = load(tmp_path / "fine", FINE)
    assert (new.iteration, new.ranges, new.laws) == (old.iteration, old.ranges, old.laws)
    assert new.table_state == old.table_state
    for node in np.flatnonzero(old_tree.nodes["num_actions"]):
        k, street = int(old_tree.nodes["num_actions"][node]), old_tree.nodes["street"][node]
        rows = []
        for tree, words in ((old_tree, old.words), (new_tree, new.words)):
            first, buckets = 2 * int(tree.nodes["first_slot"][node]), tree.bucket_counts[street]
            rows.append(words[first : first + 2 * k * buckets].reshape(buckets, 2, k))
        expected = rows[0] if street == 0 else np.tile(rows[0] / 2, (2, 1, 1))
        np.testing.assert_allclose(rows[1], expected, rtol=1e-4)
    policies = [Blueprint.load(tmp_path / name) for name in ("coarse", "fine")]
    node = int(np.flatnonzero(old_tree.nodes["street"] == 3)[0])
    np.testing.assert_allclose(
        policies[1].strategy(node), np.tile(policies[0].strategy(node), (2, 1)), atol=1e-4
    )
    if opponent == "responder":
        assert new.others[RESPONDER].sum() == pytest.approx(old.others[RESPONDER].sum(), rel=1e-3)
    longer = dataclasses.replace(config, num_iterations=60)
    assert train(FINE, tmp_path / "on", longer, tmp_path / "fine").iteration == 60


def test_the_same_buckets_change_nothing(tmp_path):
    trained = train(COARSE, tmp_path / "run", CONFIG)
    refine(trained.checkpoint, COARSE, COARSE, tmp_path / "again")
    one, other = (load(tmp_path / name, COARSE)[1] for name in ("run", "again"))
    np.testing.assert_array_equal(one.words, other.words)
    np.testing.assert_array_equal(one.others[RESPONDER], other.others[RESPONDER])


def test_what_is_refused(tmp_path, capsys, monkeypatch):
    train(COARSE, tmp_path / "run", CONFIG)
    with pytest.raises(MismatchError):
        refine(tmp_path / "run", FINE, COARSE, tmp_path / "fine")
    with pytest.raises(StorageError, match="is there already"):
        refine(tmp_path / "run", COARSE, FINE, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert command.main(["run", "--buckets", "fine", "--out", "new"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "does not say where its bucket set is" in said[0]
    assert command.main(["nowhere", "--buckets", "fine", "--out", "new"]) == 1
