"""Workers of a pool that raise or take their time. For test_pool_faults.

One raises once, where and when the environment says:

``HOLDEM_TEST_FAULT=WORKER:walk|merge:CALL:FILE``: at that call, unless FILE is there.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from holdem.mccfr import pool_worker
from holdem.mccfr.pool_worker import WorkerSpec

PLAN = "HOLDEM_TEST_FAULT"


class Planted:
    """A walker that raises at one of its calls."""

    def __init__(self, walker: Any, place: str, call: int, mark: Path) -> None:
        self.walker = walker
        self.left = call
        self.message = f"planted in {place} {call}"
        self.place = place
        self.mark = mark

    def __getattr__(self, name: str) -> Any:
        if name == self.place:
            self.left -= 1
            if self.left == 0 and not self.mark.exists():
                self.mark.touch()
                raise ArithmeticError(self.message)
        return getattr(self.walker, name)


class FaultyWorker(pool_worker._Worker):
    def __init__(self, spec: WorkerSpec, control: Any) -> None:
        super().__init__(spec, control)
        worker, place, call, mark = os.environ[PLAN].split(":")
        if spec.worker == int(worker):
            self.walker = Planted(self.walker, place, int(call), Path(mark))


def main(spec: WorkerSpec) -> None:
    """As `pool_worker.main`, in a process of its own."""
    pool_worker._Worker = FaultyWorker
    pool_worker.main(spec)


class SlowWorker(pool_worker._Worker):
    def _move(self) -> None:
        time.sleep(0.3)
        super()._move()

    def _deal(self) -> bool:
        time.sleep(0.3)
        return super()._deal()


def slow_main(spec: WorkerSpec) -> None:
    """As `pool_worker.main`, on a machine that takes 0.3 s for each small piece of work."""
    pool_worker._PIECE_ITERATIONS, pool_worker._PIECE_WORDS = 25, 1_000
    pool_worker._Worker = SlowWorker
    pool_worker.main(spec)
