"""Training on every core: the same runs and the same bytes as on one worker, sooner."""

from __future__ import annotations

from collections.abc import Callable

from holdem.machine import usable_cores
from holdem.mccfr.engine import Engine
from holdem.mccfr.pool import WorkerPool
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import MCCFRConfig


class ParallelMCCFRSolver(MCCFRSolver):
    """Trains a blueprint by Monte Carlo CFR on ``config.num_workers`` processes.

    One worker trains in this process; more share the table and the bucket tables in
    memory; 0 means one per core that this process may really use. The result does not
    depend on how many they are: seed, config and batch size give the same bytes.

    Workers start by *spawn*, which imports the main module again: a script that trains
    in parallel must keep its own work under ``if __name__ == "__main__":``.

    The arguments are those of `MCCFRSolver`.
    """

    @property
    def num_workers(self) -> int:
        """How many processes will train."""
        return self.config.num_workers or usable_cores()

    def make_engine(self, warn: Callable[[str], None], stream_start: int = 0) -> Engine:
        """Return this process alone, or a pool."""
        if self.num_workers == 1 or self.config.opponent == "responder":
            return super().make_engine(warn, stream_start)
        return WorkerPool(
            self.config,
            self.tree,
            self.bucketing,
            num_workers=self.num_workers,
            warn=warn,
            stream_start=stream_start,
        )

    def _check_workers(self, config: MCCFRConfig) -> None:
        """Any number will do."""
