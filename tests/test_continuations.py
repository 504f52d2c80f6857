"""Values of a policy's continuations: against a slow twin, against enumeration, and as files."""

import re
from itertools import product

import numpy as np
import pytest

from holdem._core.continuations import ContinuationWalk, add_values
from holdem._core.deal import DEAL_DTYPE
from holdem._core.features import EQUITY_ONE
from holdem.cli import continuations as command
from holdem.errors import ConfigError, MismatchError, ResourceError, StorageError
from holdem.evaluation.aivat import street_roots
from holdem.evaluation.contestants import Contestant
from holdem.game.games import kuhn, leduc
from holdem.game.tree import Ending, build_tree
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.search import continuations
from holdem.search.continuations import (
    ContinuationValues,
    continuations_path,
    estimate,
    learn_continuations,
    policy_fingerprint,
)
from holdem.types import BetMenu, GameConfig
from tests import tables
from tests.reference import continuations as reference
from tests.reference.games import one_card, random_policy, tree_of

SHORT = GameConfig(
    stacks=(900,),
    menu=BetMenu(streets=(("2.5x, a", "a"), ("50%, a", "a"), ("75%, a", "a"), ("a",))),
)
ALL_IN_EARLY = one_card(4, ranks=4, suits=2, ante=1, public=True, menu="a")


def walk_of(tree, policy):
    kinds = continuations.KIND_OF_ACTION[tree.action_kinds]
    units = Contestant("", policy).rows()[1]
    return ContinuationWalk(tree.nodes, tree.folded, kinds, units, continuations.FACTOR)


def random_deals(tree, count, rng):
    deals = np.zeros(count, DEAL_DTYPE)
    for street, buckets in enumerate(tree.bucket_counts):
        deals["bucket"][:, street, :2] = rng.integers(buckets, size=(count, 2))
    deals["share"] = rng.choice([0, 0.5, 1], size=(count, 4))
    return deals


def test_agrees_with_the_slow_twin():
    """Every root, every pair of continuations, over all betting of a short stack."""
    tree = build_tree(SHORT, (169, 5, 4, 3))
    policy = random_policy(tree, 1)
    deals = random_deals(tree, 3, np.random.default_rng(2))
    roots = np.concatenate(street_roots(tree).nodes[1:])
    values = np.empty((3, len(roots), 16), np.float32)
    walk_of(tree, policy).values(deals, roots, values)

    assert len(roots) > 10
    for (i, deal), (k, root) in product(enumerate(deals), enumerate(roots.tolist())):
        for first, second in product(range(4), repeat=2):
            wanted = reference.value(
                tree, policy, root, deal["bucket"][:, :2], deal["share"], (first, second)
            )
            assert values[i, k, 4 * first + second] == pytest.approx(wanted, abs=0.1)


def test_a_bias_is_a_factor_before_the_row_is_normalised():
    """0.2, 0.5, 0.3: five times the fold, and the sum is 1 + 4 * 0.2."""
    tree = tree_of(leduc())
    node = next(n for n in range(tree.num_nodes) if tree.nodes["num_actions"][n] == 3)
    row = [0.2, 0.5, 0.3]

    assert reference.biased(tree, node, row, 0).tolist() == pytest.approx(row)
    assert reference.biased(tree, node, row, 1).tolist() == pytest.approx(
        [1 / 1.8, 0.5 / 1.8, 0.3 / 1.8]
    )
    assert reference.biased(tree, node, row, 2).tolist() == pytest.approx(
        [0.2 / 3, 2.5 / 3, 0.3 / 3]
    )
    assert reference.biased(tree, node, row, 3).tolist() == pytest.approx(
        [0.2 / 2.2, 0.5 / 2.2, 1.5 / 2.2]
    )


def exact_means(tree, policy, root):
    """Value of a Leduc root by both ranks, (ranks, ranks, 4, 4), the public card averaged."""
    ranks, suits = tree.game.cards.ranks, tree.game.cards.suits
    result = np.zeros((ranks, ranks, 4, 4))
    for first, second in product(range(ranks), repeat=2):
        total = 0
        for public in range(ranks):
            left = suits - (first == public) - (second == public)
            total += left
            strengths = [r + ranks * (r == public) for r in (first, second)]
            share = 0.5 + 0.5 * np.sign(strengths[0] - strengths[1])
            buckets = [(first, second), (first * ranks + public, second * ranks + public)]
            for choices in product(range(4), repeat=2):
                if left:
                    result[first, second][choices] += left * reference.value(
                        tree, policy, root, buckets, (share, share), choices
                    )
        result[first, second] /= total * int(tree.nodes["pot"][root])
    return result


@pytest.mark.parametrize("game", [leduc(), ALL_IN_EARLY], ids=["leduc", "all-in-early"])
def test_means_are_those_of_enumeration(game):
    """Within what 40,000 deals leave to chance; the smoothing costs less."""
    tree = tree_of(game)
    policy = random_policy(tree, 1)
    table = learn_continuations(Contestant("", policy), num_deals=40_000, num_workers=1)

    for root in street_roots(tree).nodes[1].tolist():
        wanted = exact_means(tree, policy, root)
        found = table.values(root)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, atol=0.08)
        assert np.abs(found - wanted).mean() < 0.02
        other = table.values(root, first_seat=1)
        assert other[2, 0, 1, 3] == -found[0, 2, 3, 1]


def test_all_in_pots_are_worth_their_equity():
    tree = tree_of(ALL_IN_EARLY)
    table = learn_continuations(
        Contestant("", random_policy(tree, 1)), num_deals=40_000, num_workers=1
    )
    shares = table.shares(0)

    # Of eight cards six are left, of which one pairs the king, one the queen below it.
    assert shares[3, 2] == pytest.approx(5 / 6, abs=0.02)
    assert shares[1, 1] == pytest.approx(0.5, abs=0.02)
    for node in (0, int(np.flatnonzero(tree.nodes["ending"] == Ending.SHOWDOWN)[0])):
        with pytest.raises(ConfigError, match="no street begins"):
            table.values(node)


def test_workers_change_nothing():
    """Nor does where a batch ends; another seed does."""
    player = Contestant("", random_policy(tree_of(leduc()), 1))
    learned = [
        learn_continuations(player, num_deals=5_000, num_workers=workers, seed=seed)
        for workers, seed in ((1, 0), (3, 0), (1, 1))
    ]
    values = [[table.values(int(r)).tobytes() for r in table._places] for table in learned]

    assert values[0] == values[1]
    assert values[0] != values[2]


def test_sums_go_to_their_cells():
    rng = np.random.default_rng(3)
    values, sums = continuations._aligned((50, 3, 16)), continuations._aligned((4, 16))
    values[:] = rng.normal(size=values.shape)
    cells = rng.integers(4, size=50).astype(np.int32)
    add_values(values, cells, 1, sums)

    for cell in range(4):
        np.testing.assert_allclose(sums[cell], values[cells == cell, 1].sum(axis=0), atol=1e-5)
    with pytest.raises(ValueError, match="no root 3"):
        add_values(values, cells, 3, sums)
    with pytest.raises(ValueError, match="multiple of 64"):
        add_values(values, cells, 0, continuations._aligned((5, 16)).ravel()[4:68].reshape(4, 16))


def test_few_cells_for_many_roots(monkeypatch):
    """The table keeps within its bound, at the price of coarser groups, or is refused."""
    game = GameConfig(stacks=(900,), menu=SHORT.menu)
    policy = tables.random_blueprint(game)
    player = Contestant("p", policy, tables.bucketing())
    wanted = estimate(player, num_deals=64)
    assert wanted.num_groups == (64, 1, 1)
    assert wanted.table_bytes == 64 * (
        wanted.num_roots[0] * 64**2 + wanted.num_roots[1] + wanted.num_roots[2]
    )

    monkeypatch.setattr(continuations, "MOST_BYTES", 64 * 10**2 * sum(wanted.num_roots))
    assert estimate(player, num_deals=64).num_groups == (10, 1, 1)
    monkeypatch.setattr(continuations, "MOST_BYTES", 64 * 5**2 * sum(wanted.num_roots))
    with pytest.raises(ResourceError, match="nodes where a street begins"):
        estimate(player, num_deals=64)


def test_preflop_hands_are_joined_by_strength():
    buckets = tables.bucketing()
    tally = buckets.tally(0).copy()
    tally[:, 1], tally[:, 2], tally[7, 2] = 1, EQUITY_ONE // 2, EQUITY_ONE
    arrays = {**buckets._arrays, "tally_preflop": tally}
    strong = type(buckets)(buckets.config, arrays, fingerprint=buckets.fingerprint)
    policy = tables.random_blueprint(GameConfig(stacks=(900,), menu=SHORT.menu))
    table = learn_continuations(Contestant("p", policy, strong), num_deals=64, num_workers=1)

    assert table.groups(0)[7] == 63
    assert np.bincount(table.groups(0)).max() == 3


@pytest.mark.parametrize("game", [kuhn(), tables.MENUS[3]], ids=["one street", "three players"])
def test_other_games_are_refused(game):
    if isinstance(game, BetMenu):
        game = GameConfig(num_players=3, stacks=(300,), menu=BetMenu(streets=(("a",),) * 4))
        player = Contestant("p", tables.random_blueprint(game), tables.bucketing())
    else:
        player = Contestant("p", random_policy(tree_of(game), 1))
    with pytest.raises(ConfigError, match="2 players with 2 streets"):
        estimate(player)


def test_a_game_that_ends_before_the_flop_is_refused():
    """One big blind deep: whoever calls has no decision left."""
    game = GameConfig(stacks=(100,), menu=BetMenu(streets=(("a",),) * 4))
    player = Contestant("p", tables.random_blueprint(game), tables.bucketing())
    with pytest.raises(ConfigError, match="all betting of p ends on the first"):
        estimate(player)


# ---- Files and the command --------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    """A run's folder with a policy of Leduc poker."""
    tree = tree_of(leduc())
    words = np.random.default_rng(1).random(2 * tree.num_slots, dtype=np.float32)
    Blueprint.from_table(tree, words, Provenance(iterations=1, seed=1)).save(tmp_path / "run")
    return tmp_path / "run"


def test_saved_and_loaded(run, tmp_path):
    policy = Blueprint.load(run)
    table = learn_continuations(Contestant("", policy), num_deals=500, num_workers=1)
    table.save(tmp_path / "table")
    loaded = ContinuationValues.load(tmp_path / "table", policy)

    assert loaded.num_deals == 500
    assert loaded.num_groups == table.num_groups == (3,)
    for root in street_roots(policy.tree).nodes[1].tolist():
        assert (loaded.values(root) == table.values(root)).all()
    assert (loaded.groups(0) == [0, 1, 2]).all()

    other = random_policy(policy.tree, 5)
    assert policy_fingerprint(other) != policy_fingerprint(policy)
    with pytest.raises(MismatchError, match="are of the policy"):
        ContinuationValues.load(tmp_path / "table", other)
    with pytest.raises(StorageError):
        ContinuationValues.load(run / "avg_policy", policy)


def test_the_place_of_a_table(run):
    for path in (run, run / "avg_policy", run / "avg_policy.json"):
        assert continuations_path(path).resolve() == (run / "continuations").resolve()


def test_the_command(run, capsys):
    """It says what it will take, learns, and says what it has."""
    assert command.main([str(run), "--deals", "3000", "--workers", "1", "--seed", "4"]) == 0

    said = capsys.readouterr().out
    table = ContinuationValues.load(run / "continuations", Blueprint.load(run))
    roots = sum(table.num_roots)
    assert f"of {roots} ends of a street's betting in 3,000 deals" in said
    assert re.search(r"time +about \d", said)
    assert f"after the preflop: {roots} nodes, 3 groups of hands, 333 deals to a pair" in said
    assert table.num_deals == 3_000


def test_the_command_refuses(run, tmp_path, capsys):
    assert command.main([str(run), "--deals", "0"]) == 2
    assert "--deals is 0" in capsys.readouterr().err
    assert command.main([str(run), "--deals", "8"]) == 2
    assert "9 pairs of groups" in capsys.readouterr().err
    assert not (run / "continuations").exists()
    (run / "continuations").mkdir()
    assert command.main([str(run)]) == 1
    assert "holds no continuations" in capsys.readouterr().err
    assert command.main([str(tmp_path / "nothing")]) == 1


def test_a_place_that_cannot_be_written_is_told_before_the_work(run, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setattr(command, "continuations_path", lambda policy: tmp_path / "file" / "table")
    monkeypatch.setattr(command, "learn_continuations", None)

    assert command.main([str(run)]) == 1
    assert "a file stands where a folder is wanted" in capsys.readouterr().err
