"""Proof that workers can start, share memory and meet: before a run, and in ``holdem doctor``.

Each worker attaches to a scratch segment, writes a pattern to its part, meets the others,
reads their parts, and meets them again many times for the time that it takes. Workers
report through the segment and end; nothing else comes back.
"""

from __future__ import annotations

import errno
import signal
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

import numpy as np
import numpy.typing as npt

from holdem._core.sync import BARRIER_WORDS, Barrier, BrokenBarrier
from holdem.errors import HoldemError
from holdem.mccfr.processes import follow_parent, start_process
from holdem.mccfr.segments import Segment

_DEADLINE_SECONDS = 20.0
_PART_WORDS = 8192
_ROUNDS = 200
_FAULT_BYTES = 400
_ODD = np.uint64(0x9E3779B97F4A7C15)
_REPORT_DTYPE = np.dtype(
    [
        ("answered", np.bool_),
        ("met_at", np.float64),  # seconds of the clock that all processes share
        ("round_seconds", np.float64),
        ("fault", f"S{_FAULT_BYTES}"),
    ],
    align=True,
)
_PAGE = 4096
_REPORTS_AT = _PAGE

_REMEDIES = {
    errno.EMFILE: "allow more open files: ulimit -n 1024",
    errno.ENFILE: "the whole machine has too many files open: end other programs",
    errno.EAGAIN: "allow more processes (ulimit -u, docker --pids-limit), or use fewer workers",
    errno.ENOMEM: "end other programs, or use fewer workers",
}
_SPAWN_REMEDY = "allow this process to start others, or use --num-workers 1"
_SIGNAL_REMEDIES = {
    signal.SIGKILL: "probably out of memory: end other programs, or use fewer workers",
    signal.SIGBUS: "shared memory is full: docker --shm-size, or a larger tmpfs",
    signal.SIGILL: "the compiled modules do not fit this processor: build them here",
}
_DEADLINE_REMEDY = "end other programs, or use fewer workers"
_MAIN_REMEDY = (
    "see the traceback above; a script that trains needs: if __name__ == '__main__': main()"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SelfTest:
    """How the self-test of the workers came out.

    Attributes:
        num_workers: how many were asked for.
        num_answered: how many did all they should.
        start_seconds: until all had started and met; None if they never did.
        round_seconds: of one meeting of all, median; None if they never met.
        faults: what went wrong, by worker; one that only waited for the others in vain
            is not among them unless all are like that.
        remedy: what to do; empty if all went well.
    """

    num_workers: int
    num_answered: int
    start_seconds: float | None
    round_seconds: float | None
    faults: Mapping[int, str] = field(default_factory=dict)
    remedy: str = ""

    @property
    def passed(self) -> bool:
        """Whether all workers did all they should."""
        return self.num_answered == self.num_workers

    def __str__(self) -> str:
        """Say it in a line."""
        text = f"{self.num_answered} of {self.num_workers} answered"
        if self.start_seconds is not None:
            text += f", started in {self.start_seconds:.1f} s"
        if self.round_seconds is not None:
            text += f", {1e6 * self.round_seconds:.1f} µs to meet"
        faults = [f"worker {worker}: {fault}" for worker, fault in self.faults.items()]
        return "; ".join([text, *faults])


def run_self_test(num_workers: int, *, deadline_seconds: float | None = None) -> SelfTest:
    """Start *num_workers* processes, have them prove themselves, and say how it came out.

    Args:
        num_workers: at least 1.
        deadline_seconds: whoever has not ended by then is killed; by default 20 s and
            one more for each worker, for they start one by one.

    Raises:
        ResourceError: there is not even shared memory for the scratch segment.
    """
    deadline_seconds = deadline_seconds or _DEADLINE_SECONDS + num_workers
    with Segment.create("self-test", _num_bytes(num_workers), reserve=True) as segment:
        scratch = _Scratch(segment, num_workers)
        started = time.monotonic()
        processes: list[BaseProcess] = []
        faults: dict[int, str] = {}
        remedy = ""
        try:
            try:
                _start(processes, str(segment.path), num_workers, deadline_seconds)
            except OSError as error:
                faults[len(processes)] = f"cannot be started: {error.strerror or error}"
                remedy = _REMEDIES.get(error.errno or 0, _SPAWN_REMEDY)
                scratch.barrier.abort()
            _await(processes, scratch, started + deadline_seconds)
        finally:  # also when a signal ends this
            for process in processes:
                process.kill()
                process.join()
        return _result(scratch, processes, faults, remedy, started, deadline_seconds)


def _start(
    processes: list[BaseProcess], path: str, num_workers: int, deadline_seconds: float
) -> None:
    """Start the workers, and add each to *processes*."""
    for worker in range(num_workers):
        arguments = (path, worker, num_workers, deadline_seconds)
        processes.append(start_process(_answer, arguments, f"holdem-self-test-{worker}"))


class _Scratch:
    """The scratch segment: a barrier, a report of each worker, a part of each worker."""

    def __init__(self, segment: Segment, num_workers: int) -> None:
        self.barrier = Barrier(segment.array(np.uint32, BARRIER_WORDS), num_workers)
        self.reports = segment.array(_REPORT_DTYPE, num_workers, _REPORTS_AT)
        self.parts = segment.array(np.uint64, (num_workers, _PART_WORDS), _parts_at(num_workers))


def _parts_at(num_workers: int) -> int:
    after = _REPORTS_AT + num_workers * _REPORT_DTYPE.itemsize
    return -(-after // _PAGE) * _PAGE


def _num_bytes(num_workers: int) -> int:
    return _parts_at(num_workers) + num_workers * 8 * _PART_WORDS


def _pattern(worker: int) -> npt.NDArray[np.uint64]:
    return (np.arange(_PART_WORDS, dtype=np.uint64) + np.uint64(worker * _PART_WORDS + 1)) * _ODD


# -- in the worker -----------------------------------------------------------------------------


def _answer(path: str, worker: int, num_workers: int, deadline_seconds: float) -> None:
    """Be worker number *worker*."""
    follow_parent()
    with Segment.attach(path) as segment:
        scratch = _Scratch(segment, num_workers)
        report = scratch.reports[worker]
        try:
            _prove(scratch, report, worker, deadline_seconds)
        except BrokenBarrier:
            sys.exit(_ABANDONED)
        except Exception as error:
            kind = "" if isinstance(error, HoldemError) else f"{type(error).__name__}: "
            report["fault"] = f"{kind}{error}".encode()[:_FAULT_BYTES]
            scratch.barrier.abort()
            sys.exit(1)
        finally:
            del scratch, report


_ABANDONED = 3
"""Exit code of a worker that waited for others in vain."""


def _prove(scratch: _Scratch, report: np.void, worker: int, deadline_seconds: float) -> None:
    scratch.parts[worker] = _pattern(worker)
    _meet(scratch.barrier, deadline_seconds)
    report["met_at"] = time.monotonic()
    for other in range(len(scratch.parts)):
        if not np.array_equal(scratch.parts[other], _pattern(other)):
            raise HoldemError(f"reads something else than worker {other} wrote")
    times = []
    for _ in range(_ROUNDS):
        before = time.perf_counter()
        _meet(scratch.barrier, deadline_seconds)
        times.append(time.perf_counter() - before)
    report["round_seconds"] = statistics.median(times)
    report["answered"] = True


def _meet(barrier: Barrier, deadline_seconds: float) -> None:
    if not barrier.wait(deadline_seconds):
        raise BrokenBarrier("the others did not come")


# -- in the parent -----------------------------------------------------------------------------

_GRACE_SECONDS = 1.0
"""After the deadline, for those who waited for others to notice and go."""


def _await(running: list[BaseProcess], scratch: _Scratch, deadline: float) -> None:
    """Wait until all have ended; when one fails or time is up, tell the others to give up.

    Whoever is still there at the end hangs; those that waited for others have gone.
    """
    waiting = list(running)
    for until in (deadline, deadline + _GRACE_SECONDS):
        while waiting:
            left = max(0.0, until - time.monotonic())
            ended = wait([process.sentinel for process in waiting], left)
            if not ended:
                break
            for process in [one for one in waiting if one.sentinel in ended]:
                process.join()
                waiting.remove(process)
                if process.exitcode != 0:
                    scratch.barrier.abort()
        scratch.barrier.abort()


def _result(
    scratch: _Scratch,
    processes: list[BaseProcess],
    faults: dict[int, str],
    remedy: str,
    started: float,
    deadline_seconds: float,
) -> SelfTest:
    reports = scratch.reports.copy()
    for worker, process in enumerate(processes):
        code = process.exitcode
        if worker in faults or code in (0, None, _ABANDONED):
            continue
        told = bytes(reports["fault"][worker]).decode(errors="replace")
        if told:
            faults[worker] = " ".join(told.split())
            remedy = remedy or "this should not happen: please report it"
        elif code == -signal.SIGKILL and time.monotonic() - started >= deadline_seconds:
            faults[worker] = f"no answer in {deadline_seconds:g} s"
            remedy = remedy or _DEADLINE_REMEDY
        elif code is not None and code < 0:
            faults[worker] = f"killed by {signal.Signals(-code).name}"
            remedy = remedy or _SIGNAL_REMEDIES.get(signal.Signals(-code), _DEADLINE_REMEDY)
        else:
            faults[worker] = f"ended with status {code}"
            remedy = remedy or _MAIN_REMEDY
    met = reports["met_at"]
    rounds = reports["round_seconds"]
    all_met = bool((met > 0).all())
    if not reports["answered"].all():
        remedy = remedy or _DEADLINE_REMEDY  # all too slow, and nobody to blame
    return SelfTest(
        num_workers=len(reports),
        num_answered=int(reports["answered"].sum()),
        start_seconds=float(met.max()) - started if all_met else None,
        round_seconds=float(np.median(rounds)) if bool((rounds > 0).all()) else None,
        faults=faults,
        remedy=remedy,
    )
