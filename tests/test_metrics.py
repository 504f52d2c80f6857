"""Training figures, against a plain loop over the rows."""

import math

import numpy as np
import pytest

from holdem.game.games import leduc
from holdem.game.tree import build_tree
from holdem.mccfr.metrics import TableMetrics
from holdem.mccfr.rows import row_blocks
from holdem.types import BetMenu, GameConfig
from tests.reference.games import tree_of


def rows_of(tree, street):
    """(first slot, actions) of every row of *street* that has a choice."""
    for node in np.flatnonzero(tree.nodes["num_actions"] > 1):
        if tree.nodes["street"][node] == street:
            k = int(tree.nodes["num_actions"][node])
            for bucket in range(tree.bucket_counts[street]):
                yield int(tree.nodes["first_slot"][node]) + bucket * k, k


def half_visited(tree, seed):
    """A table of random regrets and sums, half of the rows untouched."""
    rng = np.random.default_rng(seed)
    words = np.zeros(2 * tree.num_slots, dtype=np.float32)
    for street in range(len(tree.bucket_counts)):
        for slot, k in rows_of(tree, street):
            if rng.random() < 0.5:
                words[2 * slot : 2 * slot + k] = rng.normal(size=k) * 100
                words[2 * slot + k : 2 * (slot + k)] = rng.random(k) * (rng.random(k) > 0.3)
    return words


def expected(tree, words, street, total_weight):
    entropies, regrets, visited, rows = [], [], 0, 0
    for slot, k in rows_of(tree, street):
        row = words[2 * slot : 2 * (slot + k)].astype(float)
        rows += 1
        if row[k:].sum() > 0:
            shares = row[k:] / row[k:].sum()
            entropies.append(-sum(p * math.log(p) for p in shares if p > 0) / math.log(k))
            visited += 1
        if (row[:k] != 0).any():
            regrets.append(max(row[:k].max(), 0) / total_weight)
    return np.mean(entropies), np.mean(regrets), visited / rows


def test_figures_of_a_small_table():
    tree = tree_of(leduc())
    words = half_visited(tree, 1)

    found = TableMetrics(tree).measure(words, total_weight=50.0)

    assert list(found) == ["preflop", "flop"]
    for street, name in enumerate(found):
        entropy, regret, visited = expected(tree, words, street, 50.0)
        assert found[name].policy_entropy == pytest.approx(entropy, rel=1e-5)
        assert found[name].avg_regret_norm == pytest.approx(regret, rel=1e-5)
        assert found[name].visited == pytest.approx(visited)


def test_an_untouched_table():
    tree = tree_of(leduc())

    found = TableMetrics(tree).measure(np.zeros(2 * tree.num_slots, dtype=np.float32))

    assert {(m.policy_entropy, m.avg_regret_norm, m.visited) for m in found.values()} == {
        (1.0, 0.0, 0.0)
    }


def test_a_sample_stands_for_the_whole():
    """Reading a tenth of the rows finds nearly the same; and always the same."""
    tree = build_tree(GameConfig(menu=BetMenu(streets=(("2x, 5x, a", "3x, a"),) * 2)), (169, 200))
    words = half_visited(tree, 2)
    num_rows = sum(1 for _ in rows_of(tree, 1))

    whole = TableMetrics(tree).measure(words)["flop"]
    sampled = TableMetrics(tree, max_rows=num_rows // 10)
    part = sampled.measure(words)["flop"]

    assert part != whole
    assert part.policy_entropy == pytest.approx(whole.policy_entropy, rel=0.05)
    assert part.avg_regret_norm == pytest.approx(whole.avg_regret_norm, rel=0.1)
    assert part.visited == pytest.approx(whole.visited, abs=0.05)
    assert (
        part
        == sampled.measure(words)["flop"]
        == TableMetrics(tree, max_rows=num_rows // 10).measure(words)["flop"]
    )


def test_a_sample_sees_every_bucket():
    """A stride that divides the number of buckets would see one of them only."""
    tree = build_tree(GameConfig(menu=BetMenu(streets=(("2x, a", "a"),) * 2)), (169, 200))
    words = np.zeros(2 * tree.num_slots, dtype=np.float32)
    for row, (slot, k) in enumerate(rows_of(tree, 1)):
        if row % 200 < 100:
            words[2 * slot + k] = 1.0

    found = TableMetrics(tree, max_rows=1000).measure(words)["flop"]

    assert found.visited == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("max_slots", [1, 50, 10_000])
def test_blocks_hold_every_row_once(max_slots):
    tree = tree_of(leduc())
    seen = np.zeros(tree.num_slots, dtype=int)

    for num_actions, first_slots in row_blocks(tree, max_slots):
        for action in range(num_actions):
            seen[first_slots + action] += 1

    assert (seen == 1).all()
