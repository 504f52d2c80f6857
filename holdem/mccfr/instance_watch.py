"""One run of many instances on this machine, from the first that is started to the last that ends.

The watch sleeps: it gets up when an instance has ended, when somebody asks for a stop, and
once a second to read the progress files for whoever observes. It writes a progress file
only for an instance that does not run.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from holdem.errors import HoldemError, StorageError
from holdem.machine import usable_cores
from holdem.mccfr import instance_progress
from holdem.mccfr.instance import InstanceSpec
from holdem.mccfr.instance_launcher import Ended, Launcher
from holdem.mccfr.instance_plan import RunPlan
from holdem.mccfr.instance_progress import (
    COMPLETED,
    FAILED,
    INTERRUPTED,
    InstanceProgress,
)
from holdem.mccfr.instance_resume import Beginning, beginning

_LOOK_SECONDS = 1.0
"""Between two looks at the progress files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstancesInfo:
    """A run of many instances as it begins.

    Attributes:
        logdir: the run's folder.
        plan: who does which iterations, wherever.
        instances: those that run here.
        beginnings: where each of them begins; empty unless a run is resumed.
        resumed_from: the run that is resumed.
        in_place: whether it goes on in its own folder.
        surplus: instances of that run that go on nowhere: fewer are asked for.
    """

    logdir: Path
    plan: RunPlan
    instances: tuple[int, ...]
    beginnings: tuple[Beginning, ...]
    resumed_from: Path | None
    in_place: bool = False
    surplus: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MultiInstanceResult:
    """A run of many instances as it ended here.

    Attributes:
        logdir: the run's folder.
        num_instances: of the whole run, wherever they run.
        instances: the last record of each that ran here.
        places: what people found them by, by instance: ``"PID 123"``.
        iterations_done: by this run.
        stopped_by: the signal that ended the run early; None when it ran to its end.
    """

    logdir: Path
    num_instances: int
    instances: tuple[InstanceProgress, ...]
    places: Mapping[int, str]
    iterations_done: int
    elapsed_seconds: float
    stopped_by: int | None

    @property
    def completed(self) -> bool:
        """Whether every instance here came to its end."""
        return all(one.status == COMPLETED for one in self.instances)

    def with_status(self, status: str) -> list[InstanceProgress]:
        """Return the instances that ended so."""
        return [one for one in self.instances if one.status == status]


class InstancesObserver(Protocol):
    """Whoever watches a run of many instances."""

    def started(self, run: InstancesInfo) -> None:
        """The instances are about to be started."""

    def progressed(self, records: Sequence[InstanceProgress]) -> None:
        """Called about once a second, with the instances that run here."""

    def warned(self, message: str) -> None:
        """Something is wrong that does not stop the run."""

    def finished(self, result: MultiInstanceResult) -> None:
        """No instance runs any more."""


class SilentInstancesObserver:
    """An observer that does nothing: the default."""

    def started(self, run: InstancesInfo) -> None:
        """Do nothing."""

    def progressed(self, records: Sequence[InstanceProgress]) -> None:
        """Do nothing."""

    def warned(self, message: str) -> None:
        """Do nothing."""

    def finished(self, result: MultiInstanceResult) -> None:
        """Do nothing."""


class Watch:
    """One call of `MultiInstanceCoordinator.train`, once it is known who does what.

    Args:
        info: the run.
        launcher: where its instances run.
        observer: told what happens.
        spec_of: how an instance trains that begins somewhere.
        retries: how often one that failed is started again.
        stops: signals that asked for a stop, as they come: the first saves, the second kills.
    """

    def __init__(
        self,
        info: InstancesInfo,
        launcher: Launcher,
        observer: InstancesObserver,
        *,
        spec_of: Callable[[Beginning], InstanceSpec],
        retries: int,
        stops: list[int],
    ) -> None:
        self._info = info
        self._plan = info.plan
        self._logdir = info.logdir
        self._launcher = launcher
        self._observer = observer
        self._spec_of = spec_of
        self._retries = retries
        self._stops = stops
        self._beginnings = {one.instance: one for one in info.beginnings}
        self._records: dict[int, InstanceProgress] = {}
        self._places: dict[int, str] = {}
        self._running: set[int] = set()
        self._failures = dict.fromkeys(info.instances, 0)
        self._stops_passed_on = 0
        self._iterations_before = 0
        self._started_at = time.monotonic()

    def complete(self) -> MultiInstanceResult:
        """Start the instances, and come back when none of them runs."""
        self._warn_beforehand()
        self._observer.started(self._info)
        specs = [spec for i in self._info.instances if (spec := self._first_spec(i)) is not None]
        for spec in specs:
            self._start(spec)
        interrupt = None
        while self._running:
            try:
                self._look()
            except KeyboardInterrupt as error:  # nobody has made it a call of request_stop
                self._stops.append(signal.SIGINT)
                interrupt = error
        result = self._result()
        self._observer.finished(result)
        if interrupt is not None:
            raise interrupt
        return result

    def _look(self) -> None:
        """Sleep until there is something to do, and do it."""
        self._pass_on_stops()
        for ended in self._launcher.wait(_LOOK_SECONDS):
            self._end(ended)
        self._read()
        self._observer.progressed(self._in_order())

    def _warn_beforehand(self) -> None:
        info, warn = self._info, self._observer.warned
        here, cores = len(info.instances), usable_cores()
        if here > cores and self._launcher.is_here:
            warn(f"{here} instances share {cores} cores: each is slower than it could be")
        idle = [i for i in info.instances if self._plan.size_of(i) == 0]
        if idle:
            warn(
                f"{len(idle)} of {here} instances have nothing to do: there are only "
                f"{self._plan.config.num_iterations:,} iterations"
            )
        for one in info.beginnings:
            if one.checkpoint is None and self._plan.size_of(one.instance) != 0:
                empty = ": it is there, but holds no checkpoint" if one.has_folder else ""
                warn(f"No checkpoint directory found for instance {one.instance}{empty}")
            for text in (*one.damaged, *one.passed):
                warn(f"{text}; instance {one.instance} goes on from {one.checkpoint}")
            for text in one.changes:
                warn(f"instance {one.instance} was trained otherwise: {text}")

    # -- starting and ending ------------------------------------------------------------------

    def _first_spec(self, instance: int) -> InstanceSpec | None:
        """Return how an instance begins, its first record written; None if it need not run."""
        begin = self._beginnings.get(instance, Beginning(instance=instance))
        spec = self._spec_of(begin)
        self._iterations_before += begin.iterations
        if self._plan.size_of(instance) == 0 or self._is_done(instance, begin):
            self._set(replace(spec.first_record(), status=COMPLETED, progress_pct=100.0))
            return None
        self._set(spec.first_record())
        return spec

    def _is_done(self, instance: int, begin: Beginning) -> bool:
        """Whether an instance that is resumed in its place has nothing left to do or to write."""
        if not self._info.in_place or begin.iterations != self._plan.size_of(instance):
            return False
        if begin.passed:  # its policy is that of later iterations
            return False
        # Killed at its last step, it may have its checkpoint and not yet its policy.
        try:
            record = instance_progress.read(self._logdir, instance)
        except StorageError:
            return False
        return record is not None and record.status == COMPLETED

    def _start(self, spec: InstanceSpec) -> None:
        try:
            self._places[spec.instance] = self._launcher.start(spec)
            self._running.add(spec.instance)
        except OSError as error:
            self._fail(spec.instance, f"it could not be started: {error}")

    def _end(self, ended: Ended) -> None:
        """Take note of an instance that has ended; start it again if it may be."""
        instance = ended.instance
        self._running.discard(instance)
        self._read(instance)
        record = self._records[instance]
        if record.status == FAILED:
            self._fail(instance, record.error_msg or "")
        elif record.status in (COMPLETED, INTERRUPTED):
            return  # however its process ended after that
        elif len(self._stops) > 1:
            self._set(replace(record, status=INTERRUPTED, error_msg=ended.reason))
        else:
            self._fail(
                instance,
                ended.reason or f"it ended with status {ended.status}; its log may say why",
            )

    def _fail(self, instance: int, reason: str) -> None:
        """Write down a failure, and try again if that is wanted."""
        record = self._records[instance]
        self._set(replace(record, status=FAILED, error_msg=reason, iterations_per_second=0.0))
        place = self._places.get(instance)
        who = f"instance {instance}" + (f" ({place})" if place else "")
        if self._failures[instance] >= self._retries or self._stops:
            self._observer.warned(f"{who} failed: {reason}")
            return
        self._failures[instance] += 1
        try:
            begin = beginning(self._logdir, instance, self._plan)
        except HoldemError as error:
            self._observer.warned(f"{who} failed: {reason}; and {error}")
            return
        if begin.checkpoint is None:  # it has not come to one in this run yet
            begin = self._beginnings.get(instance, begin)
        where = begin.checkpoint or "its first iteration"
        self._observer.warned(
            f"{who} failed: {reason}; starting it again from {where} "
            f"({self._failures[instance]} of {self._retries})"
        )
        spec = replace(
            self._spec_of(begin),
            least_pct=record.progress_pct,
            elapsed_before=record.elapsed_seconds or 0.0,
        )
        self._set(spec.first_record())
        self._start(spec)

    def _pass_on_stops(self) -> None:
        stops = len(self._stops)
        if stops > self._stops_passed_on:
            self._stops_passed_on = stops
            if stops == 1:
                self._launcher.stop()
            else:
                self._launcher.kill()

    # -- records ------------------------------------------------------------------------------

    def _read(self, *instances: int) -> None:
        """Take in what the instances say; those that cannot be read stay as they were."""
        for instance in instances or self._running:
            try:
                record = instance_progress.read(self._logdir, instance)
            except StorageError:
                continue
            if record is not None:
                self._records[instance] = record

    def _set(self, record: InstanceProgress) -> None:
        record = replace(record, last_update=time.time())
        self._records[record.instance_id] = record
        try:
            instance_progress.write(self._logdir, record)
        except StorageError as error:
            self._observer.warned(str(error))

    def _in_order(self) -> list[InstanceProgress]:
        return [self._records[i] for i in self._info.instances]

    def _result(self) -> MultiInstanceResult:
        done = sum(record.iterations_done for record in self._in_order())
        stops = self._stops
        interrupted = any(one.status == INTERRUPTED for one in self._in_order())
        return MultiInstanceResult(
            logdir=self._logdir,
            num_instances=self._plan.num_instances,
            instances=tuple(self._in_order()),
            places=dict(self._places),
            iterations_done=done - self._iterations_before,
            elapsed_seconds=time.monotonic() - self._started_at,
            stopped_by=stops[0] if stops and interrupted else None,
        )
