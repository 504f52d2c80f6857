"""The trained average strategy: from the table, to disk, and back."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdem.errors import MismatchError, StorageError
from holdem.evaluation.exploitability import exploitability
from holdem.game.cards import CLASS_NAMES, class_index
from holdem.game.games import kuhn, leduc, push_fold
from holdem.game.policy import Policy
from holdem.game.tree import build_tree
from holdem.mccfr.blueprint import ONE, Blueprint, Provenance, one_card_names
from holdem.types import BetMenu, CardRules, GameConfig
from tests.reference.cfr import TabularCFR
from tests.reference.games import tree_of
from tests.vectors import VECTORS

PROVENANCE = Provenance(
    iterations=1000, seed=7, bucket_path="buckets/quick", bucket_fingerprint="81d2" * 16
)


def random_table(tree, seed=0):
    rng = np.random.default_rng(seed)
    words = rng.random(2 * tree.num_slots, dtype=np.float32) * 1e6
    words[rng.random(2 * tree.num_slots) < 0.2] = 0
    return words


def table_of(solver):
    """The regret table that a reference solver would have filled."""
    words = np.zeros(2 * solver.tree.num_slots, dtype=np.float32)
    for (node, bucket), sums in solver.sums.items():
        k = len(sums)
        start = 2 * (int(solver.tree.nodes["first_slot"][node]) + bucket * k)
        words[start : start + k] = solver.regrets[node, bucket]
        words[start + k : start + 2 * k] = sums
    return words


@pytest.fixture
def blueprint():
    tree = tree_of(leduc())
    return Blueprint.from_table(tree, random_table(tree), PROVENANCE)


def test_rows_are_the_normalised_sums():
    tree = tree_of(leduc())
    words = random_table(tree)

    blueprint = Blueprint.from_table(tree, words, PROVENANCE)

    assert isinstance(blueprint, Policy)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        k = int(tree.nodes["num_actions"][node])
        for bucket, found in enumerate(blueprint.strategy(node)):
            start = 2 * (int(tree.nodes["first_slot"][node]) + bucket * k)
            sums = words[start + k : start + 2 * k].astype(float)
            expected = sums / sums.sum() if sums.sum() else np.full(k, 1 / k)
            off = np.abs(found - expected)
            assert np.delete(off, found.argmax()).max() <= 0.51 / ONE
            assert off.max() <= 0.51 * (k - 1) / ONE


@given(
    hnp.arrays(
        np.float32, (36,), elements=st.floats(0, 2**100, width=32) | st.sampled_from([0.0, 1.0])
    )
)
def test_every_row_sums_to_exactly_one(sums):
    """Whatever the sums: in 16-bit units, rows add up to 65,535."""
    tree = tree_of(kuhn())
    words = np.zeros(2 * tree.num_slots, dtype=np.float32)
    rows = words.reshape(-1, 4)  # two regrets, two sums: every row of Kuhn has two actions
    rows[:, 2:] = np.resize(sums, (len(rows), 2))

    blueprint = Blueprint.from_table(tree, words, PROVENANCE)

    assert (blueprint.probabilities.reshape(-1, 2).sum(axis=1, dtype=int) == ONE).all()


@pytest.mark.parametrize("power", [0, 0.1, 1, 5])
@pytest.mark.parametrize("bits", [8, 16])
def test_rows_of_many_actions_sum_to_exactly_one(bits, power):
    """Of 34 actions alike each has 7.5 units of 255: what is over is taken from many of them."""
    game = GameConfig(
        stacks=(45,),
        blinds=(),
        ante=1,
        cards=CardRules(kind="one-card", ranks=3, suits=1),
        menu=BetMenu(streets=(("*", ""),)),
    )
    tree = build_tree(game, (3,))
    words = random_table(tree, seed=2) ** np.float32(power)

    blueprint = Blueprint.from_table(tree, words, PROVENANCE, bits=bits)

    assert tree.nodes["num_actions"][0] > 32
    one = 2**bits - 1
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        rows = blueprint.strategy(node) * one
        assert rows.sum(axis=1) == pytest.approx([one] * 3, abs=0.01)
        if power == 0 and bits == 8 and len(rows[0]) > 32:
            assert rows.max() - rows.min() == pytest.approx(1, abs=0.01)


def test_a_trained_table_plays_as_its_solver_says():
    """The reference's CFR+ through the table: the exploitability of OpenSpiel's curve."""
    solver = TabularCFR(tree_of(leduc()), "CFR+").run(20)

    blueprint = Blueprint.from_table(solver.tree, table_of(solver), PROVENANCE)

    expected = VECTORS["openspiel_exploitability_curves"]["leduc_poker/CFR+"]["20"]
    assert exploitability(blueprint) == pytest.approx(expected, abs=1e-4)


def test_a_table_of_another_size_is_refused():
    tree = tree_of(leduc())

    with pytest.raises(MismatchError, match="a regret table of 6 words"):
        Blueprint.from_table(tree, np.zeros(6, dtype=np.float32), PROVENANCE)


@pytest.mark.parametrize("where", ["run", "run/avg_policy", "run/avg_policy.json"])
def test_saved_and_loaded_from_any_of_its_paths(tmp_path, blueprint, where):
    blueprint.save(tmp_path / "run")

    loaded = Blueprint.load(tmp_path / where)

    assert loaded.tree.fingerprint == blueprint.tree.fingerprint
    assert loaded.tree.game == blueprint.tree.game
    assert loaded.provenance == PROVENANCE
    assert loaded.policy_entropy == blueprint.policy_entropy
    assert (loaded.probabilities == blueprint.probabilities).all()
    assert not loaded.probabilities.flags.writeable


def test_saving_twice_gives_the_same_bytes(tmp_path, blueprint):
    one = blueprint.save(tmp_path / "one")
    other = blueprint.save(tmp_path / "other")
    other_again = blueprint.save(tmp_path / "other")

    assert other == other_again
    for name in ("avg_policy.json", "avg_policy/metadata.json", "avg_policy/probabilities.npy"):
        assert (one.parent / name).read_bytes() == (other.parent / name).read_bytes()


def test_preflop_buckets_come_back(tmp_path):
    tree = build_tree(push_fold(10), (85,))
    buckets = np.arange(169) // 2
    saved = Blueprint.from_table(tree, random_table(tree), PROVENANCE, preflop_buckets=buckets)

    loaded = Blueprint.load(saved.save(tmp_path))

    assert (loaded.preflop_buckets == buckets).all()


def test_the_json_says_what_was_trained(tmp_path, blueprint):
    document = json.loads(blueprint.save(tmp_path).read_text())

    assert document["game"]["menu"]["streets"] == [["2c", "2c", ""], ["4c", "4c", ""]]
    assert document["bucket_counts"] == [3, 9]
    assert document["tree_fingerprint"] == blueprint.tree.fingerprint
    assert document["provenance"]["iterations"] == 1000
    assert document["provenance"]["bucket_fingerprint"] == "81d2" * 16
    assert 0 < document["policy_entropy"]["flop"] < 1


def test_the_json_holds_the_first_street_in_plain(tmp_path, blueprint):
    nodes = json.loads(blueprint.save(tmp_path).read_text())["opening_street"]["nodes"]

    tree = blueprint.tree
    assert [node["history"] for node in nodes] == ["", "x", "b2", "x b2", "b2 r4", "x b2 r4"]
    for entry in nodes:
        node = tree.find(entry["history"])
        assert entry["node"] == node
        assert list(entry["strategy"]) == ["J", "Q", "K"]
        assert len(entry["actions"]) == tree.nodes["num_actions"][node]
        rows = np.array(list(entry["strategy"].values()))
        assert rows == pytest.approx(blueprint.strategy(node), abs=5.1e-5)


def test_a_file_that_is_no_policy(tmp_path):
    """Somebody has named the wrong one."""
    notes = tmp_path / "notes.md"
    notes.write_text("# not a policy")
    with pytest.raises(StorageError, match=r"notes\.md is damaged or not JSON") as caught:
        Blueprint.load(notes)
    assert caught.value.remedy.startswith("name the folder of a policy, or make a policy with")


def test_the_json_of_holdem_names_the_hands(tmp_path):
    tree = build_tree(push_fold(10), (169,))
    blueprint = Blueprint.from_table(tree, random_table(tree), PROVENANCE)

    root = json.loads(blueprint.save(tmp_path).read_text())["opening_street"]["nodes"][0]

    assert root["actions"] == ["fold", "all-in 1000"]
    assert list(root["strategy"])[:2] == ["AA", "AKs"]
    assert set(root["strategy"]) == set(CLASS_NAMES)
    row = blueprint.strategy(0)[class_index("72o")]
    assert root["strategy"]["72o"] == pytest.approx(row, abs=5.1e-5)


def test_a_wide_first_street_is_cut(tmp_path, monkeypatch, blueprint):
    monkeypatch.setattr("holdem.mccfr.blueprint.MAX_PLAIN_NODES", 2)

    street = json.loads(blueprint.save(tmp_path).read_text())["opening_street"]

    assert [node["history"] for node in street["nodes"]] == ["", "x"]
    assert street["nodes_left_out"] == 4


def test_another_tree_is_refused(tmp_path, blueprint):
    blueprint.save(tmp_path)

    with pytest.raises(MismatchError, match="is for betting tree") as error:
        Blueprint.load(tmp_path, tree=tree_of(kuhn()))

    assert blueprint.tree.fingerprint[:12] in str(error.value)
    assert error.value.remedy


def test_a_flipped_byte_is_found(tmp_path, blueprint):
    blueprint.save(tmp_path)
    path = tmp_path / "avg_policy" / "probabilities.npy"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)

    with pytest.raises(StorageError, match="damaged"):
        Blueprint.load(tmp_path)


def test_a_pickle_is_refused(tmp_path):
    path = tmp_path / "avg_policy.json"
    path.write_bytes(pickle.dumps({"strategy": [1, 2]}))

    with pytest.raises(StorageError, match="pickle") as error:
        Blueprint.load(path)

    assert error.value.remedy


@pytest.mark.parametrize(
    ("name", "message"), [("nothing", "does not exist"), ("foreign.json", "not an average policy")]
)
def test_what_is_no_policy_is_refused(tmp_path, name, message):
    (tmp_path / "foreign.json").write_text('{"strategy": {}}')

    with pytest.raises(StorageError, match=message):
        Blueprint.load(tmp_path / name)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(StorageError, match="policy"):
        Blueprint.load(tmp_path)


@pytest.mark.parametrize(
    ("ranks", "names"),
    [(3, ("J", "Q", "K")), (4, ("T", "J", "Q", "K")), (13, tuple("23456789TJQKA"))],
)
def test_names_of_single_cards(ranks, names):
    assert one_card_names(ranks) == names
