"""Many instances of one training run side by side: started, watched, stopped and resumed.

The coordinator trains nothing and holds no table. It says who does which iterations, starts
the instances, and then sleeps: it gets up when one has ended, when somebody asks for a
stop, and once a second to read the progress files for whoever watches.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.config import dump_config
from holdem.errors import ConfigError, HoldemError, StorageError
from holdem.game.tree import build_tree
from holdem.machine import usable_cores
from holdem.mccfr import costs, instance_progress
from holdem.mccfr.instance import EXIT_STATUS, InstanceSpec
from holdem.mccfr.instance_launcher import Ended, Launcher, ProcessLauncher
from holdem.mccfr.instance_plan import MOST_INSTANCES, RunPlan, folder_of, is_run
from holdem.mccfr.instance_progress import (
    COMPLETED,
    ENDED,
    FAILED,
    INTERRUPTED,
    STARTING,
    InstanceProgress,
    percent,
)
from holdem.mccfr.instance_resume import Beginning, beginning, beginnings
from holdem.mccfr.run import LOSSLESS
from holdem.mccfr.worker import bucket_counts_of
from holdem.types import GameConfig, MCCFRConfig

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
        surplus: instances of that run that go on nowhere: fewer are asked for.
    """

    logdir: Path
    plan: RunPlan
    instances: tuple[int, ...]
    beginnings: tuple[Beginning, ...]
    resumed_from: Path | None
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


class MultiInstanceCoordinator:
    """Trains with many independent solvers, one worker each, that share only the buckets.

    With ``config.num_iterations`` each instance does its own part of them; with a time
    budget each trains for all of it, on random numbers of its own. Each is a run like that
    of `MCCFRSolver`, in a folder of its own, and can be judged, merged or resumed alone.

    Instances start by *spawn*, which imports the main module again: a script must keep its
    own work under ``if __name__ == "__main__":``.

    Args:
        config: how to train; ``num_workers`` must be 1.
        bucketing: the hand buckets, which instances map from their folder; None for
            one-card games.
        num_players: of the default game; *game* overrides it.
        game: what to play; by default hold'em with 100 big blinds.
        num_instances: how many there are, on all machines together.
        instances: those that run on this machine; by default all.
        retries: how often an instance that failed is started again, from its own last
            checkpoint.
        launcher: where instances run; by default as processes of this machine.

    Raises:
        ConfigError: which is a ValueError too; these cannot be used, or not together.
        MismatchError: the buckets have too few streets.
        ResourceError: the betting tree cannot fit in memory.
    """

    def __init__(
        self,
        config: MCCFRConfig,
        bucketing: HandBucketing | None,
        num_players: int = 2,
        *,
        game: GameConfig | None = None,
        num_instances: int,
        instances: Sequence[int] | None = None,
        retries: int = 0,
        launcher: Launcher | None = None,
    ) -> None:
        require_instances(config, num_instances)
        if bucketing is not None and bucketing.path is None:
            raise ConfigError(
                "the bucket set is only in this process's memory, where instances cannot see it",
                "save it with HandBucketing.save and load it from there",
            )
        self.config = config
        self.num_instances = num_instances
        self.instances = tuple(range(num_instances) if instances is None else sorted(instances))
        if not self.instances or not set(self.instances) <= set(range(num_instances)):
            raise ConfigError(
                f"the instances {list(self.instances)} are not of those from 0 to "
                f"{num_instances - 1}",
                "name some of those",
            )
        self.game = game if game is not None else GameConfig(num_players=num_players)
        self.bucketing = bucketing
        self.retries = retries
        counts = bucket_counts_of(self.game, bucketing)
        self._plan = RunPlan.new(
            config,
            num_instances,
            # Built for what it is known by, and let go: the coordinator trains nothing.
            tree_fingerprint=build_tree(self.game, counts).fingerprint,
            buckets_fingerprint=bucketing.fingerprint if bucketing is not None else LOSSLESS,
        )
        tables = bucketing.tables if bucketing is not None else ()
        self._bucket_bytes = sum(table.nbytes for table in tables)
        self._bucket_counts = counts
        self._launcher = launcher
        self._stops: list[int] = []
        self._running: Launcher | None = None

    def request_stop(self, signal_number: int) -> None:
        """Ask all instances to save a checkpoint and end; the second time, kill them.

        Safe in a signal handler.
        """
        self._stops.append(signal_number)
        if self._running is not None:
            self._running.wake()

    def train(
        self,
        logdir: Path,
        use_tensorboard: bool = True,
        *,
        resume_from: Path | None = None,
        observer: InstancesObserver | None = None,
    ) -> MultiInstanceResult:
        """Train all instances of this machine to their ends, and leave their files in *logdir*.

        ``run.json``, ``config.yaml``, ``progress/instance_<i>_progress.json`` and
        ``instance_<i>/`` with what `MCCFRSolver.train` leaves, its log being
        ``instance_<i>.log``. An instance that fails leaves the others alone.

        Args:
            logdir: made if it is missing; other machines may use it for other instances.
            use_tensorboard: write the figures of each instance for TensorBoard.
            resume_from: the folder of a run of many instances; may be *logdir*.
            observer: told what happens.

        Raises:
            ConfigError: the budget is none with which the resumed run can go on.
            StorageError: *logdir* cannot be written or holds another run, or all
                checkpoints of an instance are damaged.
            MismatchError: the resumed run is of other buckets or another tree.
            ResourceError: the instances do not fit in memory together, or on the disk.
        """
        logdir = Path(logdir)
        resumed = None if resume_from is None else Path(resume_from)
        watcher = observer or SilentInstancesObserver()
        plan = self._planned(logdir, resumed)
        begin: list[Beginning] = []
        surplus: tuple[int, ...] = ()
        if resumed is not None:
            there = range(RunPlan.read(resumed).num_instances)
            begin = beginnings(
                resumed,
                [i for i in self.instances if i in there],
                plan,
                in_place=_same_folder(resumed, logdir),
            )
            surplus = tuple(there[self.num_instances :])
        self._require_resources(logdir)
        storage.make_folder(logdir)
        for instance in self.instances:
            folder = storage.make_folder(folder_of(logdir, instance))
            with storage.hold(folder, f"instance {instance}"):
                pass  # nobody trains it, and soon it is held by the one that does
        path = self.bucketing.path if self.bucketing is not None else None
        storage.write_text(logdir / "config.yaml", self._config_text(plan, path))
        plan.write(logdir, self.game, path)
        info = InstancesInfo(
            logdir=logdir,
            plan=plan,
            instances=self.instances,
            beginnings=tuple(begin),
            resumed_from=resumed,
            surplus=surplus,
        )
        launcher = self._launcher or ProcessLauncher()
        self._running = launcher
        try:
            watch = _Watch(self, info, launcher, watcher, use_tensorboard)
            return watch.complete()
        finally:
            self._running = None
            launcher.close()

    # -- before anything starts ---------------------------------------------------------------

    def _planned(self, logdir: Path, resumed: Path | None) -> RunPlan:
        """Return who does what, after a look at what is there."""
        plan, in_place = self._plan, resumed is not None and _same_folder(resumed, logdir)
        if resumed is not None:
            old = RunPlan.read(resumed)
            plan.require_same_game(old, resumed)
            plan = old.resumed(self.config, self.num_instances, in_place=in_place)
        if is_run(logdir) and not in_place and not RunPlan.read(logdir).same_run(plan):
            raise StorageError(
                f"{logdir} holds another run already",
                f"resume from {logdir} to go on with it, or another folder for this one",
            )
        busy = [i for i in self.instances if any(_checkpoints(logdir, i))]
        if busy and not in_place:
            raise StorageError(
                f"{logdir} holds a run already: checkpoints of instance {busy[0]}",
                f"resume from {logdir} to go on with it, or another folder for this one",
            )
        return plan

    def _require_resources(self, logdir: Path) -> None:
        one = costs.estimate(self._plan.config, self.game, self._bucket_counts, self._bucket_bytes)
        all_here = costs.of_instances(
            one, len(self.instances), self._bucket_bytes, by_time=self._plan.by_time
        )
        elsewhere = self._launcher is not None and not self._launcher.is_here
        costs.require(all_here, logdir, memory=not elsewhere)

    def _config_text(self, plan: RunPlan, buckets_path: Path | None) -> str:
        return dump_config(plan.config, self.game, buckets_path, num_instances=plan.num_instances)


class _Watch:
    """One call of `MultiInstanceCoordinator.train`, once it is known who does what."""

    def __init__(
        self,
        coordinator: MultiInstanceCoordinator,
        info: InstancesInfo,
        launcher: Launcher,
        observer: InstancesObserver,
        use_tensorboard: bool,
    ) -> None:
        self._coordinator = coordinator
        self._info = info
        self._plan = info.plan
        self._logdir = info.logdir
        self._launcher = launcher
        self._observer = observer
        self._use_tensorboard = use_tensorboard
        self._beginnings = {one.instance: one for one in info.beginnings}
        self._in_place = info.resumed_from is not None and _same_folder(
            info.resumed_from, info.logdir
        )
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
        while self._running:
            self._pass_on_stops()
            for ended in self._launcher.wait(_LOOK_SECONDS):
                self._end(ended)
            self._read()
            self._observer.progressed(self._in_order())
        result = self._result()
        self._observer.finished(result)
        return result

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
        if info.resumed_from is None:
            return
        for one in info.beginnings:
            if one.checkpoint is None:
                empty = ": it is there, but holds no checkpoint" if one.has_folder else ""
                warn(f"No checkpoint directory found for instance {one.instance}{empty}")
            for text in one.damaged:
                warn(f"{text}; instance {one.instance} goes on from {one.checkpoint}")
            for text in one.changes:
                warn(f"instance {one.instance} was trained otherwise: {text}")

    # -- starting and ending ------------------------------------------------------------------

    def _first_spec(self, instance: int) -> InstanceSpec | None:
        """Return how an instance begins, its first record written; None if it need not run."""
        begin = self._beginnings.get(instance, Beginning(instance=instance))
        spec, size = self._spec(instance, begin), self._plan.size_of(instance)
        self._iterations_before += begin.iterations
        record = replace(spec.first_record(), current_iter=spec.start + begin.iterations)
        if size == 0 or self._is_done(instance, begin):
            record = replace(record, status=COMPLETED, progress_pct=100.0)
        elif size is not None:
            record = replace(record, progress_pct=percent(begin.iterations / size))
        self._set(record)
        return spec if record.status == STARTING else None

    def _is_done(self, instance: int, begin: Beginning) -> bool:
        """Whether an instance that is resumed in its place has nothing left to do or to write."""
        if not self._in_place or begin.iterations != self._plan.size_of(instance):
            return False
        # Killed at its last step, it may have its checkpoint and not yet its policy.
        try:
            record = instance_progress.read(self._logdir, instance)
        except StorageError:
            return False
        return record is not None and record.status == COMPLETED

    def _spec(self, instance: int, begin: Beginning) -> InstanceSpec:
        start, end = self._plan.ranges[instance]
        size = self._plan.size_of(instance)
        config = self._plan.config if size == 0 else self._plan.config_of(instance)
        bucketing = self._coordinator.bucketing
        return InstanceSpec(
            instance=instance,
            run=self._logdir,
            start=start,
            end=end,
            config=config,
            game=self._coordinator.game,
            buckets_path=bucketing.path if bucketing is not None else None,
            use_tensorboard=self._use_tensorboard,
            resume_from=begin.checkpoint,
        )

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
        if ended.status == EXIT_STATUS.get(record.status) and record.status in ENDED:
            if record.status == FAILED:
                self._fail(instance, record.error_msg or "")
        elif len(self._coordinator._stops) > 1:
            self._set(replace(record, status=INTERRUPTED, error_msg=ended.reason))
        else:
            self._fail(
                instance,
                ended.reason or f"it ended with status {ended.status}; its log may say why",
            )

    def _fail(self, instance: int, reason: str) -> None:
        """Write down a failure, and try again if that is wanted."""
        record = replace(self._records[instance], status=FAILED, error_msg=reason)
        self._set(replace(record, last_update=time.time(), iterations_per_second=0.0))
        place = self._places.get(instance)
        who = f"instance {instance}" + (f" ({place})" if place else "")
        retries = self._coordinator.retries
        if self._failures[instance] >= retries or self._coordinator._stops:
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
            f"({self._failures[instance]} of {retries})"
        )
        spec = replace(
            self._spec(instance, begin),
            least_pct=record.progress_pct,
            elapsed_before=record.elapsed_seconds or 0.0,
        )
        self._set(replace(spec.first_record(), current_iter=spec.start + begin.iterations))
        self._start(spec)

    def _pass_on_stops(self) -> None:
        stops = len(self._coordinator._stops)
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
        stops = self._coordinator._stops
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


def require_instances(config: MCCFRConfig, num_instances: int) -> None:
    """Refuse what cannot be a run of many instances.

    Raises:
        ConfigError: which is a ValueError too.
    """
    if isinstance(num_instances, bool) or not 1 <= num_instances <= MOST_INSTANCES:
        raise ConfigError(
            f"num_instances is {num_instances}, and must be from 1 to {MOST_INSTANCES}",
            "one per core of the machines that it is for",
        )
    if config.num_workers != 1:
        raise ConfigError(
            "--num-instances cannot be used with --num-workers: every instance has one worker",
            "leave one of them out",
        )
    if config.num_iterations is None and config.time_budget_seconds is None:
        raise ConfigError(
            "Multi-instance mode requires either --iters or --time-budget",
            "--iters 1e6 for all instances together, or --time-budget 3600 for each",
        )


def _checkpoints(logdir: Path, instance: int) -> list[Path]:
    return list((folder_of(logdir, instance) / "checkpoints").glob("checkpoint_*"))


def _same_folder(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
