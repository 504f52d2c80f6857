"""Runs on pools of workers for test_parallel_solver and test_pool_faults, and their traces."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from holdem._core.equity import preflop_equities
from holdem.abstraction.bucketing import HandBucketing, table_dtype
from holdem.game import games
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.mccfr.progress import Observer, RunResult, SilentObserver
from holdem.types import (
    CANONICAL_HANDS,
    STREETS,
    BetMenu,
    BucketConfig,
    CardRules,
    GameConfig,
    MCCFRConfig,
)
from tests.files import contents
from tests.reference.games import one_card

LAWS = {
    "num_iterations": 2_000,
    "seed": 7,
    "discount_interval": 300,
    "pruning_threshold": -5.0,
    "regret_floor": -8.0,
}
"""Discounting and pruning happen many times in a short run."""

GAMES = {
    "leduc": games.leduc(),
    "no-limit": one_card(10, suits=2, blinds=(1, 2), public=True),
    "three players": GameConfig(
        name="three",
        num_players=3,
        stacks=(6,),
        blinds=(),
        ante=1,
        first_to_act=(0, 0),
        cards=CardRules(kind="one-card", ranks=3, suits=2, board_street=1),
        menu=BetMenu(streets=(("2c", ""), ("*", ""))),
    ),
    "hold'em": GameConfig(
        name="two streets",
        stacks=(800,),
        menu=BetMenu(streets=(("3x", "a", ""), ("100%", "a", ""))),
    ),
}


def save_buckets(path: Path, *, seed: int = 1) -> HandBucketing:
    """Write a set of two streets whose buckets are drawn at random."""
    config = BucketConfig(num_streets=2, k_flop=20)
    rng = np.random.default_rng(seed)
    arrays = {"groups": np.zeros(169, np.uint8), "preflop_equities": preflop_equities()}
    for street, name in enumerate(STREETS[:2]):
        k = config.bucket_counts[street]
        arrays[f"table_{name}"] = rng.integers(k, size=CANONICAL_HANDS[street]).astype(
            table_dtype(k)
        )
        arrays[f"tally_{name}"] = np.zeros((k, 4), np.int64)
    bucketing = HandBucketing(config, arrays)
    bucketing.save(path)
    return bucketing


def solver_of(
    game: GameConfig, num_workers: int, bucketing: HandBucketing | None = None, **values: object
) -> ParallelMCCFRSolver:
    """A solver with LAWS, changed by *values*."""
    config = MCCFRConfig(**{**LAWS, "num_workers": num_workers, **values})
    return ParallelMCCFRSolver(
        config, bucketing if game.cards.kind != "one-card" else None, game=game
    )


def train(
    logdir: Path,
    game: GameConfig,
    num_workers: int,
    bucketing: HandBucketing | None = None,
    *,
    resume_from: Path | None = None,
    observer: Observer | None = None,
    **values: object,
) -> RunResult:
    """Train to the end, or until *observer* asks for a stop."""
    solver = solver_of(game, num_workers, bucketing, **values)
    if isinstance(observer, Watcher):
        observer.solver = solver
    return solver.train(logdir, use_tensorboard=False, resume_from=resume_from, observer=observer)


def outcome(result: RunResult) -> list[object]:
    """All that a run gives and that must not depend on who did it."""
    policy = contents(result.logdir / "avg_policy")
    return [contents(result.checkpoint), policy, result.policy.read_bytes(), result.utility_bb]


class Watcher(SilentObserver):
    """Keeps warnings, and has the solver at hand."""

    solver: ParallelMCCFRSolver

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warned(self, message: str) -> None:
        self.warnings.append(message)


class Stopper(Watcher):
    """Asks for a stop as a signal handler would."""

    def __init__(self, signal_number: int) -> None:
        super().__init__()
        self.signal_number = signal_number

    def progressed(self, progress: object) -> None:
        self.solver.request_stop(self.signal_number)


def workers_of(pid: int) -> list[psutil.Process]:
    """The workers of a training process, in the order they were started."""
    found = []
    try:
        for child in psutil.Process(pid).children():
            try:
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
    except psutil.NoSuchProcess:
        return []
    return sorted(found, key=lambda process: (process.create_time(), process.pid))


@contextmanager
def own_shared_memory() -> Iterator[Path]:
    """A folder of shared memory; what a test leaves there, or runs on, is a fault."""
    parent = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="holdem-tests-", dir=parent))
    try:
        yield folder
        assert list(folder.iterdir()) == []
        assert workers_of(os.getpid()) == []
    finally:
        shutil.rmtree(folder)
