"""Threads that share a count of items in fixed chunks, results in order.

The kernels let go of Python's lock, so threads are enough. Chunks do not depend on the
number of workers and results come back in order, so neither does any sum of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from holdem.machine import usable_cores

T = TypeVar("T")

BOARDS_AT_A_TIME = (0, 4, 16, 64)
"""By street, how many boards with all their hands make a chunk."""


class Workers:
    """A pool of threads; a context manager."""

    def __init__(self, num_workers: int = 0) -> None:
        """Start *num_workers* threads; 0 for one per core."""
        self.num_workers = num_workers or usable_cores()
        self._pool = ThreadPoolExecutor(self.num_workers, thread_name_prefix="holdem")

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let running chunks end and drop the others."""
        self._pool.shutdown(cancel_futures=True)

    def chunks(
        self, job: Callable[[int, int], T], total: int, size: int
    ) -> Iterator[tuple[int, int, T]]:
        """Run ``job(start, stop)`` over ``range(total)`` in steps of *size*.

        Yields:
            start, stop and what the job returned, in order. At most four chunks a worker
            are in flight, so that results do not pile up.
        """
        flying: deque[tuple[int, int, Future[T]]] = deque()
        for start in range(0, total, size):
            stop = min(start + size, total)
            flying.append((start, stop, self._pool.submit(job, start, stop)))
            if len(flying) >= 4 * self.num_workers:
                first, last, done = flying.popleft()
                yield first, last, done.result()
        for first, last, done in flying:
            yield first, last, done.result()
