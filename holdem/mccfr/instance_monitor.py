"""Looking at a run of many instances from outside, by its progress files alone.

The files may come from other machines, whose clocks differ. So an instance whose record has
been seen to change is judged by this process's clock; only one that has not is judged by the
time that the record itself tells.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdem.errors import StorageError
from holdem.mccfr import instance_progress
from holdem.mccfr.instance_plan import RunPlan, is_run
from holdem.mccfr.instance_progress import (
    COMPLETED,
    FAILED,
    INTERRUPTED,
    RUNNING,
    STARTING,
    InstanceProgress,
)

GONE_SECONDS = {RUNNING: 10.0, STARTING: 60.0}
"""Silence after which an instance is gone, by what its record says.

A running one renews its record every second; a starting one has yet to come to that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceView:
    """An instance as it looks from outside.

    Attributes:
        record: what it says.
        silent_seconds: since it said anything new.
        begun: whether it has said anything at all.
    """

    record: InstanceProgress
    silent_seconds: float = 0.0
    begun: bool = True

    @property
    def gone(self) -> bool:
        """Whether its process is gone, although its record says otherwise."""
        return self.begun and self.silent_seconds > GONE_SECONDS.get(self.record.status, 1e18)

    @property
    def alive(self) -> bool:
        """Whether more is to be expected of it."""
        return self.record.status in GONE_SECONDS and not self.gone

    @property
    def outcome(self) -> str:
        """Its status, but FAILED for one that is gone."""
        return FAILED if self.gone else self.record.status


def outcome_of(views: Sequence[InstanceView]) -> str:
    """Return how a run stands: RUNNING while any is alive, else the worst of the instances."""
    if any(view.alive for view in views):
        return RUNNING
    outcomes = {view.outcome for view in views}
    return next((one for one in (FAILED, INTERRUPTED) if one in outcomes), COMPLETED)


def overall_percent(records: Sequence[InstanceProgress]) -> float:
    """Return how much of a run is done, by iterations if all have a number of them to do."""
    if not records:
        return 0.0
    sizes = [0 if one.end_iter is None else one.end_iter - one.start_iter for one in records]
    if any(one.end_iter is None for one in records) or not sum(sizes):
        sizes = [1] * len(records)
    done = sum(size * one.progress_pct for size, one in zip(sizes, records, strict=True))
    return instance_progress.percent(done / sum(sizes) / 100)


class RunMonitor:
    """Looks at the run in a folder, again and again.

    Raises:
        StorageError: the folder is not that of a run of many instances.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self._plan = RunPlan.read(run) if is_run(run) else None
        self._known = [] if self._plan is None else list(range(self._plan.num_instances))
        self._seen: dict[int, tuple[float, float, bool]] = {}
        if self._plan is None and not instance_progress.existing(run):
            RunPlan.read(run)  # says what is missing

    def look(self) -> list[InstanceView]:
        """Return the instances as they stand, those of other machines and later ones included."""
        instances = sorted({*self._known, *instance_progress.existing(self._run)})
        return [self._view(instance) for instance in instances]

    def _view(self, instance: int) -> InstanceView:
        record = self._record(instance)
        if record is None:
            start, end = (0, None) if self._plan is None else self._plan.ranges[instance]
            waiting = InstanceProgress(
                instance_id=instance,
                start_iter=start,
                end_iter=end,
                current_iter=start,
                status=STARTING,
                last_update=0.0,
            )
            return InstanceView(record=waiting, begun=False)
        now = time.monotonic()
        told, since, changed = self._seen.get(instance, (record.last_update, now, False))
        if told != record.last_update:
            since, changed = now, True
        self._seen[instance] = (record.last_update, since, changed)
        silent = now - since if changed else max(now - since, time.time() - record.last_update)
        return InstanceView(record=record, silent_seconds=silent)

    def _record(self, instance: int) -> InstanceProgress | None:
        try:
            return instance_progress.read(self._run, instance)
        except StorageError:
            # On a network disk a file may vanish between two steps of reading it.
            return instance_progress.read(self._run, instance)
