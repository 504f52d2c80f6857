"""The progress file of an instance: small JSON that whoever watches a run reads, and nothing else.

Invariants: a reader sees one whole record, never half of one; while an instance lives its
file is renewed every second, whatever it does just then; within a run a percentage never
goes back, and says 100 only when the instance is done.
"""

from __future__ import annotations

import math
import re
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, get_type_hints

from holdem import storage
from holdem.errors import StorageError
from holdem.mccfr.progress import Progress, RunInfo, RunResult, SilentObserver

STARTING, RUNNING, COMPLETED, FAILED, INTERRUPTED = (
    "starting",
    "running",
    "completed",
    "failed",
    "interrupted",
)
STATUSES = (STARTING, RUNNING, COMPLETED, FAILED, INTERRUPTED)

BEAT_SECONDS = 0.9
"""Between two records of one instance, whatever it does: under a second, with the writing."""

_TIME_KEYS = ("elapsed_seconds", "time_budget_seconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceProgress:
    """An instance as it stands: the keys of its file."""

    instance_id: int
    start_iter: int
    end_iter: int | None
    """Exclusive; None in time mode."""
    current_iter: int
    """The next iteration that it will do, in the seed's stream: from start_iter to end_iter."""
    status: str
    """One of STATUSES."""
    error_msg: str | None = None
    progress_pct: float = 0.0
    last_update: float
    """Unix seconds."""
    iterations_per_second: float = 0.0
    resumed_from: str | None = None
    """A checkpoint."""
    elapsed_seconds: float | None = None
    """In this run; with a time budget only, as is the next."""
    time_budget_seconds: float | None = None

    @property
    def iterations_done(self) -> int:
        """Of its own range, those before it was resumed included."""
        return self.current_iter - self.start_iter

    @property
    def ended_by_time(self) -> bool:
        """Whether it completed by its time, and not its iterations, of which it has some left."""
        done = self.status == COMPLETED
        return done and self.end_iter is not None and self.current_iter < self.end_iter

    @property
    def seconds_left(self) -> float | None:
        """Until it is done, about; None if that cannot be told."""
        if self.status != RUNNING:
            return None
        times = []
        if self.time_budget_seconds is not None and self.elapsed_seconds is not None:
            times.append(max(0.0, self.time_budget_seconds - self.elapsed_seconds))
        if self.end_iter is not None and self.iterations_per_second > 0:
            times.append((self.end_iter - self.current_iter) / self.iterations_per_second)
        return min(times, default=None)

    def as_json(self) -> dict[str, Any]:
        """Return the record as its file holds it."""
        record = asdict(self)
        if self.time_budget_seconds is None:
            for key in _TIME_KEYS:
                del record[key]
        return record


_KEYS = get_type_hints(InstanceProgress)


def path_of(run: Path, instance: int) -> Path:
    """Return where the record of an instance of the run in *run* is."""
    return run / "progress" / f"instance_{instance}_progress.json"


def write(run: Path, record: InstanceProgress) -> None:
    """Replace the record of an instance.

    Raises:
        StorageError: it cannot be written.
    """
    storage.write_json(path_of(run, record.instance_id), record.as_json())


def read(run: Path, instance: int) -> InstanceProgress | None:
    """Return the record of an instance; None if there is none yet.

    Raises:
        StorageError: it cannot be read, or is no such record.
    """
    path = path_of(run, instance)
    if not path.exists():
        return None
    found = storage.read_json(path)
    try:
        if found["status"] not in STATUSES:
            raise ValueError
        for key, value in found.items():
            whole = type(value) is int and isinstance(0.0, _KEYS[key])
            if not (whole or isinstance(value, _KEYS[key])) or isinstance(value, bool):
                raise TypeError
        return InstanceProgress(**found)
    except (KeyError, TypeError, ValueError):
        raise StorageError(
            f"{path} is not the progress of an instance", "name the folder of a run"
        ) from None


class ProgressFile(SilentObserver):
    """Keeps the file of one instance true while it trains, as a context manager.

    An `Observer`; a thread of its own writes, so that neither a slow disk holds training
    up, nor a long checkpoint the file.

    Args:
        run: the run's folder.
        record: the instance as it starts. Its percentage is the least that is shown, and
            its elapsed seconds have been spent before.
    """

    def __init__(self, run: Path, record: InstanceProgress) -> None:
        self._run = run
        self._record = record
        self._least = record.progress_pct
        self._spent = record.elapsed_seconds or 0.0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="progress", daemon=True)

    @property
    def has_started(self) -> bool:
        """Whether training has begun."""
        return self._record.status != STARTING

    def __enter__(self) -> ProgressFile:
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def started(self, run: RunInfo) -> None:
        """See `Observer`."""
        self._set(
            status=RUNNING,
            current_iter=self._record.start_iter + run.first_iteration,
            resumed_from=None if run.resumed_from is None else str(run.resumed_from),
        )
        self._write()

    def progressed(self, progress: Progress) -> None:
        """See `Observer`."""
        elapsed = self._spent + progress.elapsed_seconds
        share = self._share(progress.iteration, elapsed)
        self._set(
            current_iter=self._record.start_iter + progress.iteration,
            # A running instance still has its last files to write.
            progress_pct=max(self._least, min(percent(share), 99.99)),
            iterations_per_second=round(progress.iterations_per_second, 2),
            elapsed_seconds=round(elapsed, 3),
        )
        self._least = self._record.progress_pct

    def finished(self, result: RunResult) -> None:
        """See `Observer`."""
        done = result.stopped_by is None
        self.end(
            COMPLETED if done else INTERRUPTED,
            current_iter=self._record.start_iter + result.iteration,
            iterations_per_second=round(result.iterations_per_second, 2),
            elapsed_seconds=round(self._spent + result.elapsed_seconds, 3),
        )

    def end(self, status: str, **values: Any) -> None:
        """Write the last record: *status*, and *values* of other keys."""
        if status == COMPLETED:
            values["progress_pct"] = 100.0
        self._set(status=status, **values)
        self._over.set()
        self._write()

    def _share(self, iteration: int, elapsed_seconds: float) -> float:
        """How much of the work is done: the nearer end of the two counts."""
        record, shares = self._record, [0.0]
        if record.time_budget_seconds is not None:
            shares.append(elapsed_seconds / record.time_budget_seconds)
        if record.end_iter is not None:
            shares.append(iteration / max(record.end_iter - record.start_iter, 1))
        return min(max(shares), 1.0)

    def _set(self, **values: Any) -> None:
        self._record = replace(self._record, **values)

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                self._write()
            except StorageError:
                # A full disk must not end a long run; the next beat may have more luck.
                continue

    def _write(self) -> None:
        # The lock keeps a late beat from overwriting the last word.
        with self._lock:
            write(self._run, replace(self._record, last_update=time.time()))


def percent(share: float) -> float:
    """Return *share* of 1 in percent, rounded down, so that 100 is all of it."""
    return math.floor(share * 10_000) / 100


def existing(run: Path) -> list[int]:
    """Return the instances that have a record in *run*, in order."""
    names = (path.name for path in (run / "progress").glob("instance_*_progress.json"))
    found = (re.fullmatch(r"instance_(\d+)_progress\.json", name) for name in names)
    return sorted(int(match[1]) for match in found if match)
