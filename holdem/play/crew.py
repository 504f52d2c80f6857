"""Processes that do jobs, in order: for work in Python, which threads would do one at a time.

What does the jobs is made anew in each process, from a function and arguments that can be sent
there. Invariants: results come in the order of the jobs, whoever did them; no process outlives
the crew, nor the program.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from holdem.errors import HoldemError, ResourceError
from holdem.mccfr.processes import follow_parent, start_process

__all__ = ["Crew"]

J = TypeVar("J")
R = TypeVar("R")


class Crew(Generic[J, R]):
    """Processes that do jobs; a context manager. With one worker, this process does them itself.

    Args:
        make: returns what does a job; called once by whoever works. It must be importable by name,
            or a `functools.partial` of what is.
        num_workers: how many work at a time.
    """

    def __init__(self, make: Callable[[], Callable[[J], R]], num_workers: int) -> None:
        self._own = make() if num_workers == 1 else None
        self._workers: dict[Connection, SpawnProcess] = {}
        for number in range(num_workers if num_workers > 1 else 0):
            ours, theirs = Pipe()
            process = start_process(_serve, (make, theirs), f"holdem worker {number}")
            theirs.close()
            self._workers[ours] = process

    def __enter__(self) -> Self:
        """Return the crew."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes, also in the middle of a job."""
        for connection, process in self._workers.items():
            connection.close()
            process.kill()
            process.join()

    def map(self, jobs: Iterable[J]) -> Iterator[R]:
        """Yield the result of each job, in order.

        Raises:
            HoldemError: what a worker could not do.
            ResourceError: a process has ended, of itself or because somebody ended it.
        """
        if self._own is not None:
            yield from map(self._own, jobs)
            return
        waiting = enumerate(jobs)
        busy: dict[Connection, int] = {}
        done: dict[int, R] = {}
        following = 0
        for connection in self._workers:
            self._hand_out(connection, waiting, busy)
        while busy:
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                done[busy.pop(connection)] = self._receive(connection)
                self._hand_out(connection, waiting, busy)
            while following in done:
                yield done.pop(following)
                following += 1

    @staticmethod
    def _hand_out(
        connection: Connection, waiting: Iterator[tuple[int, J]], busy: dict[Connection, int]
    ) -> None:
        """Give the next job, if there is one, to the worker at the other end."""
        for number, job in waiting:
            busy[connection] = number
            with contextlib.suppress(ConnectionError):  # its last words are still to be read
                connection.send(job)
            return

    def _receive(self, connection: Connection) -> R:
        try:
            result: R = connection.recv()
        except (EOFError, ConnectionError) as error:
            process = self._workers[connection]
            process.join(10)
            raise ResourceError(
                f"{process.name} has ended with status {process.exitcode}",
                "what it said is above; with fewer workers there is more memory for each",
            ) from error
        if isinstance(result, HoldemError):
            raise result
        return result


def _serve(make: Callable[[], Callable[[Any], Any]], connection: Connection) -> None:
    """Do jobs until the other end closes."""
    follow_parent()
    try:
        try:
            work = make()
            # What was loaded stays, and looking through it again and again would take time.
            gc.freeze()
            while True:
                connection.send(work(connection.recv()))
        except HoldemError as error:
            connection.send(error)
    except (EOFError, ConnectionError):
        return
