"""Runs of many instances for the tests: launchers that need no processes, and looks at results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from holdem.game import games
from holdem.mccfr import checkpoint, instance_progress
from holdem.mccfr.instance import InstanceSpec, run_instance
from holdem.mccfr.instance_launcher import Ended
from holdem.mccfr.instance_progress import InstanceProgress
from holdem.mccfr.instance_watch import MultiInstanceResult, SilentInstancesObserver
from holdem.mccfr.multi_instance_coordinator import MultiInstanceCoordinator
from holdem.types import MCCFRConfig
from tests.files import contents
from tests.pools import LAWS

GAME = games.leduc()


class Watcher(SilentInstancesObserver):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.info = None
        self.coordinator: MultiInstanceCoordinator | None = None

    def started(self, run):
        self.info = run

    def warned(self, message):
        self.warnings.append(message)


class Inline:
    """Runs each instance at once, in this process; see `Launcher`.

    *before* is called with each spec, and may raise for it or return a signal that stops it.
    """

    is_here = True

    def __init__(self, before: Callable[[InstanceSpec], int | None] = lambda spec: None) -> None:
        self.before = before
        self.specs: list[InstanceSpec] = []
        self.ended: list[Ended] = []

    def start(self, spec: InstanceSpec) -> str:
        self.specs.append(spec)
        try:
            signal_number = self.before(spec)
            status = run_instance(spec, lambda: signal_number)
            self.ended.append(Ended(spec.instance, status))
        except RuntimeError as error:
            self.ended.append(Ended(spec.instance, None, str(error)))
        return f"place {spec.instance}"

    def wait(self, timeout: float) -> list[Ended]:
        ended, self.ended = self.ended, []
        return ended

    def wake(self) -> None:
        pass

    stop = kill = close = wake


def coordinator_of(num_instances: int, *, launcher=None, instances=None, retries=0, **values):
    """A coordinator of Leduc with LAWS, changed by *values*."""
    config = MCCFRConfig(**{**LAWS, **values})
    return MultiInstanceCoordinator(
        config,
        None,
        game=GAME,
        num_instances=num_instances,
        instances=instances,
        retries=retries,
        launcher=launcher or Inline(),
    )


def train(
    logdir: Path, num_instances: int, *, resume_from=None, observer=None, **values
) -> MultiInstanceResult:
    """Train to the end in this process."""
    coordinator = coordinator_of(num_instances, **values)
    return coordinator.train(
        logdir, use_tensorboard=False, resume_from=resume_from, observer=observer
    )


def progress(run: Path, num_instances: int) -> list[InstanceProgress]:
    """The records of a run."""
    return [instance_progress.read(run, i) for i in range(num_instances)]


def final_tables(run: Path) -> dict[str, dict[str, bytes]]:
    """Every byte of the final checkpoints and policies, by instance and file."""
    found = {}
    for folder in sorted(run.glob("instance_*")):
        final = folder / "checkpoints" / checkpoint.FINAL_NAME
        for path in (final, folder / "avg_policy"):
            if path.exists():
                found[f"{folder.name}/{path.name}"] = contents(path)
    return found
