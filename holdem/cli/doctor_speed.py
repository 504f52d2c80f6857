"""The check that measures: how fast short runs are with 1, 2 .. N workers, and what pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from holdem import storage
from holdem.abstraction.bucketing import KIND, HandBucketing
from holdem.cli.doctor_plan import Plan
from holdem.cli.doctor_report import Finding, ok, warning
from holdem.cli.terminal import count
from holdem.cli.train_blueprint import buckets_of
from holdem.errors import HoldemError
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.types import CardRules, GameConfig

SECONDS = 5.0
"""Of each run."""
BATCH_SIZES = (100, 1000)
"""Tried with the best number of workers."""

_NEARLY = 0.95
"""Of the best speed: fewer workers, or a smaller batch, that reach this are recommended."""
_POOR_EFFICIENCY = 0.6
_MOST_TABLE_BYTES = 2_000_000_000
_ONE_CARD = CardRules(kind="one-card", ranks=13, suits=4, board_street=1)


def check_speed(plan: Plan) -> Finding | None:
    """More workers are faster; how many, and what batch size, pay."""
    if plan.quick:
        return None
    game, bucketing = _game(plan)
    batch_size = plan.config.training.batch_size
    with storage.scratch_folder(plan.logdir / "trial") as folder:

        def rate(num_workers: int, batch_size: int) -> float:
            return _rate(plan, game, bucketing, num_workers, batch_size, folder)

        rates = {workers: rate(workers, batch_size) for workers in worker_counts(plan.num_workers)}
        workers = best(rates)
        by_batch = {
            size: rates[workers] if size == batch_size else rate(workers, size)
            for size in sorted({*BATCH_SIZES, batch_size})
        }
    efficiency = {n: speed / (n * rates[1]) for n, speed in rates.items()}
    parts = [
        f"{n}: {count(speed)}" + (f" ({efficiency[n]:.0%})" if n > 1 else "")
        for n, speed in rates.items()
    ]
    batch = best(by_batch)
    found = (
        f"iterations per second by workers {', '.join(parts)}; "
        f"best --num-workers {workers} --batch-size {batch}"
    )
    figures: dict[str, object] = {
        "game": game.name,
        "rates": rates,
        "efficiency": efficiency,
        "rates_by_batch_size": by_batch,
        "recommended": {"num_workers": workers, "batch_size": batch},
    }
    if workers < plan.num_workers:
        return warning(
            found, f"--num-workers {workers}: more do not make it faster here", **figures
        )
    if efficiency[workers] < _POOR_EFFICIENCY:
        return warning(
            found,
            "end other programs, try a larger --batch-size, or give the workers cores of their own",
            **figures,
        )
    return ok(found, **figures)


def worker_counts(most: int) -> list[int]:
    """Return 1, 2, 4 .. and *most*."""
    return sorted({1 << power for power in range(most.bit_length()) if 1 << power < most} | {most})


def best(rates: Mapping[int, float]) -> int:
    """Return the smallest of the keys that is nearly as fast as the fastest."""
    enough = _NEARLY * max(rates.values())
    return min(key for key, rate in rates.items() if rate >= enough)


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
    )
    solver = ParallelMCCFRSolver(config, bucketing, num_players=game.num_players, game=game)
    result = solver.train(folder / f"{num_workers}-{batch_size}", use_tensorboard=False)
    return result.iterations_per_second
