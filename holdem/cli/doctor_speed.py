"""The check that measures: how fast short runs are with 1, 2 .. N workers, and what pays."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from holdem import machine, storage
from holdem.abstraction.bucketing import KIND, HandBucketing
from holdem.cli.doctor_plan import Plan
from holdem.cli.doctor_report import Finding, ok, warning
from holdem.cli.terminal import count
from holdem.cli.train_blueprint import buckets_of, cells_of
from holdem.errors import HoldemError
from holdem.mccfr.cells import Cells
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.mccfr.progress import Progress, SilentObserver
from holdem.types import CardRules, GameConfig

SECONDS = 2.5
"""Of each run: five for each number of workers."""
BATCH_SIZES = (100, 1000)
"""Tried beside the config's."""

_NEARLY = 0.95
"""Of the best speed: fewer workers that reach this are recommended."""
_WORTH_A_LARGER_BATCH = 0.9
"""Of the best speed: a smaller batch that reaches this is; its strategies are fresher."""
_POOR_EFFICIENCY = 0.6
_MOST_TABLE_BYTES = 2_000_000_000
_ONE_CARD = CardRules(kind="one-card", ranks=13, suits=4, board_street=1)


def check_speed(plan: Plan) -> Finding | None:
    """More workers are faster; how many, and what batch size, pay."""
    if plan.quick:
        return None
    game, bucketing = _game(plan)
    counts = worker_counts(plan.num_workers)
    sizes = sorted({*BATCH_SIZES, plan.config.training.batch_size})
    cells = None
    if plan.against_responder:
        # Which walks over real boards, and knows no batches.
        if bucketing is None:
            return warning(
                "not measured: there is no bucket set yet, or the table is too large for a trial",
                "holdem buckets makes the set that --buckets or the config names",
            )
        sizes = [plan.config.training.batch_size]
        cells = cells_of(plan.config)
    rates: dict[int, dict[int, float]] = {}
    not_measured = ""
    with storage.scratch_folder(plan.logdir / "trial") as folder:
        for size in sizes:
            try:
                rates[size] = {
                    n: _rate(plan, game, bucketing, cells, n, size, folder) for n in counts
                }
            except HoldemError as error:
                # The log of a batch larger than the run's may not fit.
                if size == plan.config.training.batch_size:
                    raise
                not_measured += f"; batch {size} not measured: {error}"
    workers, size = recommended(rates, machine.usable_cores())
    efficiency = {
        size: {n: speed / (n * by_workers[1]) for n, speed in by_workers.items()}
        for size, by_workers in rates.items()
    }
    tables = {
        size: ", ".join(_speed(n, rates[size][n], efficiency[size][n]) for n in counts)
        for size in rates
    }
    found = "; ".join(f"batch {size}: {table}" for size, table in tables.items()) + not_measured
    found += f"; best --num-workers {workers} --batch-size {size}"
    best = {"num_workers": workers, "batch_size": size}
    if plan.against_responder:
        found, best = f"{tables[size]}; best --num-workers {workers}", {"num_workers": workers}
    figures: dict[str, object] = {
        "game": game.name,
        "iterations_per_second": rates,
        "efficiency": efficiency,
        "recommended": best,
    }
    if workers < plan.num_workers:
        return warning(
            found, f"--num-workers {workers}: more do not make it faster here", **figures
        )
    if efficiency[size][workers] < _POOR_EFFICIENCY:
        return warning(
            found, "end other programs, or give the workers cores of their own", **figures
        )
    return ok(found, **figures)


def _speed(num_workers: int, rate: float, efficiency: float) -> str:
    share = f" ({efficiency:.0%})" if num_workers > 1 else ""
    return f"{num_workers}: {count(rate)}/s{share}"


def worker_counts(most: int) -> list[int]:
    """Return 1, 2, 4 .. and *most*."""
    return sorted({1 << power for power in range(most.bit_length()) if 1 << power < most} | {most})


def recommended(rates: Mapping[int, Mapping[int, float]], cores: int) -> tuple[int, int]:
    """Return number of workers and batch size to train with.

    Args:
        rates: iterations per second, by batch size and number of workers.
        cores: no more workers than these: what else runs would stop one of them, and all
            others would wait, however it went in a short trial.
    """
    rates = {
        size: {n: rate for n, rate in by_workers.items() if n <= cores}
        for size, by_workers in rates.items()
    }
    fastest = {size: max(by_workers.values()) for size, by_workers in rates.items()}
    enough = _WORTH_A_LARGER_BATCH * max(fastest.values())
    size = min(size for size, rate in fastest.items() if rate >= enough)
    enough = _NEARLY * fastest[size]
    return min(n for n, rate in rates[size].items() if rate >= enough), size


def _game(plan: Plan) -> tuple[GameConfig, HandBucketing | None]:
    """Return what to train on: the config's game, or one that is like it without buckets.

    Where no bucket set is there yet, or the table is too large for a trial, each player
    has one card of 52 and the board is one card: the same betting with 169 buckets.
    """
    game = plan.config.game
    if game.cards.kind == "one-card":
        return game, None
    if not isinstance(plan.costs, HoldemError) and plan.costs.table_bytes <= _MOST_TABLE_BYTES:
        chosen, _ = buckets_of(plan.config)
        if chosen is not None and storage.is_folder(chosen[0], KIND):
            return game, HandBucketing.load(chosen[0], verify=False)
    board_street = None if game.num_streets == 1 else _ONE_CARD.board_street
    cards = replace(_ONE_CARD, board_street=board_street)
    return replace(game, name=f"{game.name} with one card", cards=cards), None


def _rate(
    plan: Plan,
    game: GameConfig,
    bucketing: HandBucketing | None,
    cells: Cells | None,
    num_workers: int,
    batch_size: int,
    folder: Path,
) -> float:
    """Return the iterations per second of a short run."""
    config = replace(
        plan.config.training,
        num_workers=num_workers,
        batch_size=batch_size,
        num_iterations=None,
        time_budget_seconds=SECONDS,
        checkpoint_interval=10**15,
        snapshot_interval_seconds=1e9,
        eval_interval=None,
    )
    solver = ParallelMCCFRSolver(
        config, bucketing, num_players=game.num_players, game=game, cells=cells
    )
    speeds = _Speeds()
    logdir = folder / f"{num_workers}-{batch_size}"
    result = solver.train(logdir, use_tensorboard=False, observer=speeds)
    # Once the workers have started, which is not what a long run is about.
    steady = speeds.seen[len(speeds.seen) // 2 :]
    return statistics.median(steady) if steady else result.iterations_per_second


class _Speeds(SilentObserver):
    """Remembers how fast a run was from each report to the next, a few times a second."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self._seconds, self._iteration = 0.0, 0

    def progressed(self, progress: Progress) -> None:
        """Remember; a report that finds nothing new, as a run's last one may, tells no speed."""
        done = progress.iteration - self._iteration
        if done:
            self.seen.append(done / (progress.elapsed_seconds - self._seconds))
            self._seconds, self._iteration = progress.elapsed_seconds, progress.iteration
