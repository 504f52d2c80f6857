"""What a first user sees: the default game on quick buckets."""

import os
from pathlib import Path

import numpy as np
import pytest

from holdem.abstraction.building import build_buckets, preset
from holdem.evaluation.openings import opening_chart
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import Blueprint
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.types import STREETS, MCCFRConfig


@pytest.fixture(scope="module")
def quick_buckets(tmp_path_factory):
    """The quick set, where `holdem train` keeps it if it is there, else made for this module."""
    kept = Path("assets/abstraction/quick")
    if not (kept / "metadata.json").exists():
        kept = tmp_path_factory.mktemp("buckets") / "quick"
    return build_buckets(preset("quick", 2), kept)


def train(buckets, logdir, **values):
    solver = ParallelMCCFRSolver(MCCFRConfig(**values), buckets)
    return solver, solver.train(logdir, use_tensorboard=False)


def raises(chart, name):
    """How often a class opens."""
    return sum(
        probability
        for action, probability in chart.of(name).items()
        if action.startswith(("raise", "all-in"))
    )


@pytest.mark.parametrize(
    "budget",
    [
        {"num_iterations": 1_000_000},
        pytest.param({"time_budget_seconds": 60.0}, marks=pytest.mark.slow),
    ],
    ids=["sampled", "minute"],
)
def test_the_default_run_plays_poker(quick_buckets, tmp_path, budget):
    """AA and KK raise, 72o opens less than AKs, and every street has learned something."""
    solver, result = train(quick_buckets, tmp_path, **budget)
    chart = opening_chart(Blueprint.load(tmp_path))
    assert raises(chart, "AA") >= 0.97
    assert raises(chart, "KK") >= 0.97
    assert raises(chart, "72o") < raises(chart, "AKs")
    assert chart.of("AA")["fold"] < 0.001

    found = checkpoint.load(result.checkpoint, solver.tree, quick_buckets.fingerprint)
    nodes = solver.tree.nodes
    for street in range(len(STREETS)):
        regretted = 0
        for node in np.flatnonzero((nodes["num_actions"] > 0) & (nodes["street"] == street)):
            slots = solver.tree.slots(int(node))
            k = int(nodes["num_actions"][node])
            rows = found.words[2 * slots.start : 2 * slots.stop].reshape(-1, 2, k)
            regretted += np.count_nonzero(rows[:, 0])
        assert regretted > 0, STREETS[street]


def test_holdem_resumes_to_the_same_bytes_on_other_workers(quick_buckets, tmp_path):
    """Real cards and all streets: cut in two, on two processes, the end is the same."""
    _, whole = train(quick_buckets, tmp_path / "whole", num_iterations=12_000)
    train(quick_buckets, tmp_path / "cut", num_iterations=5_000, num_workers=2)
    solver = ParallelMCCFRSolver(MCCFRConfig(num_iterations=12_000, num_workers=2), quick_buckets)
    resumed = solver.train(tmp_path / "cut", use_tensorboard=False, resume_from=tmp_path / "cut")
    for name in os.listdir(whole.checkpoint):
        one, other = whole.checkpoint / name, resumed.checkpoint / name
        assert one.read_bytes() == other.read_bytes(), name
