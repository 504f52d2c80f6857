"""Many instances of one training run side by side: planned, started, watched and resumed.

The coordinator trains nothing and holds no table. It says who does which iterations, refuses
what cannot work, and leaves the instances to a `Watch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.config import dump_config
from holdem.errors import ConfigError, StorageError
from holdem.game.tree import build_tree
from holdem.mccfr import checkpoint, costs
from holdem.mccfr.instance import InstanceSpec
from holdem.mccfr.instance_launcher import Launcher, ProcessLauncher
from holdem.mccfr.instance_plan import MOST_INSTANCES, RunPlan, folder_of, is_run
from holdem.mccfr.instance_progress import percent
from holdem.mccfr.instance_resume import Beginning, beginnings
from holdem.mccfr.instance_watch import (
    InstancesInfo,
    InstancesObserver,
    MultiInstanceResult,
    SilentInstancesObserver,
    Watch,
)
from holdem.mccfr.run import LOSSLESS
from holdem.mccfr.worker import bucket_counts_of
from holdem.types import GameConfig, MCCFRConfig


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
        self.game = game if game is not None else GameConfig(num_players=num_players)
        self.config = replace(config, num_players=self.game.num_players)
        self.num_instances = num_instances
        self.instances = tuple(range(num_instances) if instances is None else sorted(instances))
        if not self.instances or not set(self.instances) <= set(range(num_instances)):
            raise ConfigError(
                f"the instances {list(self.instances)} are not of those from 0 to "
                f"{num_instances - 1}",
                "name some of those",
            )
        self.bucketing = bucketing
        self.retries = retries
        counts = bucket_counts_of(self.game, bucketing)
        self._plan = RunPlan.new(
            self.config,
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
        info = self._info(logdir, resumed)
        self._require_resources(info)
        self._write_plan(info)
        self._running = launcher = self._launcher or ProcessLauncher()
        try:
            return Watch(
                info,
                launcher,
                observer or SilentInstancesObserver(),
                spec_of=partial(self._spec, info, use_tensorboard),
                retries=self.retries,
                stops=self._stops,
            ).complete()
        finally:
            self._running = None
            launcher.close()

    # -- before anything starts ---------------------------------------------------------------

    def _info(self, logdir: Path, resumed: Path | None) -> InstancesInfo:
        """Return what the run is, after a look at what it goes on with."""
        in_place = resumed is not None and resumed.resolve() == logdir.resolve()
        plan = self._planned(logdir, resumed, in_place=in_place)
        self._require_free(logdir)
        info = InstancesInfo(
            logdir=logdir,
            plan=plan,
            instances=self.instances,
            beginnings=(),
            resumed_from=resumed,
            in_place=in_place,
        )
        if resumed is None:
            return info
        there = range(RunPlan.read(resumed).num_instances)
        kept = [instance for instance in self.instances if instance in there]
        return replace(
            info,
            beginnings=tuple(beginnings(resumed, kept, plan, in_place=in_place)),
            surplus=tuple(there[self.num_instances :]),
        )

    def _planned(self, logdir: Path, resumed: Path | None, *, in_place: bool) -> RunPlan:
        """Return who does what."""
        plan = self._plan
        if resumed is not None:
            old = RunPlan.read(resumed)
            plan.require_same_game(old, resumed)
            plan = old.resumed(self.config, self.num_instances, in_place=in_place)
        if not in_place and checkpoint.holds_another_run(logdir, None):
            raise StorageError(
                f"{logdir} holds a run already, and not one of many instances",
                "resume that without instances, or choose another folder for this one",
            )
        if is_run(logdir) and not in_place and not RunPlan.read(logdir).same_run(plan):
            raise StorageError(
                f"{logdir} holds another run already",
                f"resume from {logdir} to go on with it, or another folder for this one",
            )
        busy = [
            i for i in self.instances if checkpoint.holds_another_run(folder_of(logdir, i), None)
        ]
        if busy and not in_place:
            raise StorageError(
                f"{logdir} holds a run already: checkpoints of instance {busy[0]}",
                f"resume from {logdir} to go on with it, or another folder for this one",
            )
        return plan

    def _require_free(self, logdir: Path) -> None:
        """Refuse instances that another process trains, and the folder of a run that it trains."""
        if (logdir / "checkpoints").is_dir():
            with storage.hold(logdir / "checkpoints", "a run"):
                pass  # it has none yet, else the folder would have been refused
        for instance in self.instances:
            folder = folder_of(logdir, instance)
            if folder.is_dir():
                with storage.hold(folder, f"instance {instance}"):
                    pass  # soon it is held by the one that trains it

    def _require_resources(self, info: InstancesInfo) -> None:
        one = costs.estimate(self._plan.config, self.game, self._bucket_counts, self._bucket_bytes)
        all_here = costs.of_instances(
            one, len(self.instances), self._bucket_bytes, by_time=self._plan.by_time
        )
        elsewhere = self._launcher is not None and not self._launcher.is_here
        folders = [folder_of(info.logdir, i) for i in self.instances] if info.in_place else []
        costs.require(
            all_here,
            info.logdir,
            held_bytes=costs.held(all_here, folders),
            memory=not elsewhere,
        )

    def _write_plan(self, info: InstancesInfo) -> None:
        """Make the run's folder, and write what whoever resumes or watches it must know."""
        logdir, plan = storage.make_folder(info.logdir), info.plan
        text = dump_config(
            plan.config, self.game, self._buckets_path, num_instances=plan.num_instances
        )
        storage.write_text(logdir / "config.yaml", text)
        plan.write(logdir, self.game, self._buckets_path)

    @property
    def _buckets_path(self) -> Path | None:
        return self.bucketing.path if self.bucketing is not None else None

    def _spec(self, info: InstancesInfo, use_tensorboard: bool, begin: Beginning) -> InstanceSpec:
        """Return how an instance trains."""
        plan, instance = info.plan, begin.instance
        start, end = plan.ranges[instance]
        size = plan.size_of(instance)
        return InstanceSpec(
            instance=instance,
            run=info.logdir,
            start=start,
            end=end,
            # One that has nothing to do has no config, for no run is of 0 iterations.
            config=plan.config if size == 0 else plan.config_of(instance),
            game=self.game,
            buckets_path=self._buckets_path,
            use_tensorboard=use_tensorboard,
            resume_from=begin.checkpoint,
            iterations_before=begin.iterations,
            least_pct=percent(begin.iterations / size) if size else 0.0,
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
    if config.opponent == "responder":
        raise ConfigError(
            "--num-instances cannot be used with --opponent responder: tables that answered "
            "responders of their own do not add up to one",
            "use --num-workers 0: threads share one table and its responder",
        )
    if config.eval_interval is not None:
        raise ConfigError(
            "--num-instances cannot be used with --eval-interval: an instance's table is a part of "
            "what is learned",
            "leave it out, and judge what the instances merge to: holdem merge, then holdem eval",
        )
    if config.num_iterations is None and config.time_budget_seconds is None:
        raise ConfigError(
            "Multi-instance mode requires either --iters or --time-budget",
            "--iters 1e6 for all instances together, or --time-budget 3600 for each",
        )
