"""Where instances run: as processes of this machine, or wherever another launcher has them."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Protocol

from holdem import storage
from holdem.mccfr.instance import InstanceSpec, run_instance
from holdem.mccfr.processes import STOP_SIGNALS, follow_parent, start_process


@dataclass(frozen=True, slots=True)
class Ended:
    """An instance that runs no longer.

    Attributes:
        status: what `run_instance` returned; None if it did not come to that.
        reason: why, if it did not.
    """

    instance: int
    status: int | None
    reason: str = ""


class Launcher(Protocol):
    """Starts instances and says when they have ended.

    Attributes:
        is_here: whether instances take the memory and the cores of this machine.
    """

    is_here: bool

    def start(self, spec: InstanceSpec) -> str:
        """Begin to run an instance; return what people find it by, such as ``"PID 123"``.

        Raises:
            OSError: it cannot be started.
        """

    def wait(self, timeout: float) -> Sequence[Ended]:
        """Return the instances that have ended, waiting up to *timeout* seconds for one."""

    def wake(self) -> None:
        """Let `wait` return soon; called by signal handlers and other threads."""

    def stop(self) -> None:
        """Ask all instances to save a checkpoint and end."""

    def kill(self) -> None:
        """End all instances at once."""

    def close(self) -> None:
        """Give back what the launcher holds; no instance runs any more."""


class ProcessLauncher:
    """Runs each instance as a process of this machine, started by spawn. See `Launcher`."""

    is_here = True

    def __init__(self) -> None:
        self._processes: dict[int, SpawnProcess] = {}
        self._ear, self._mouth = os.pipe()
        os.set_blocking(self._ear, False)
        os.set_blocking(self._mouth, False)

    def start(self, spec: InstanceSpec) -> str:
        """See `Launcher`."""
        name = f"holdem instance {spec.instance}"
        process = start_process(main, (spec,), name, environment=_quiet_tracker())
        self._processes[spec.instance] = process
        return f"PID {process.pid}"

    def wait(self, timeout: float) -> list[Ended]:
        """See `Launcher`."""
        instances = {process.sentinel: i for i, process in self._processes.items()}
        ready = wait([*instances, self._ear], timeout)
        if self._ear in ready:
            os.read(self._ear, 4096)
        return [self._end(instances[one]) for one in ready if one in instances]

    def wake(self) -> None:
        """See `Launcher`."""
        try:
            os.write(self._mouth, b"\0")
        except BlockingIOError:  # it is full: nobody need be told twice
            return

    def stop(self) -> None:
        """See `Launcher`."""
        for process in self._processes.values():
            process.terminate()

    def kill(self) -> None:
        """See `Launcher`."""
        for process in self._processes.values():
            process.kill()

    def close(self) -> None:
        """See `Launcher`."""
        self.kill()
        for instance in list(self._processes):
            self._end(instance)
        os.close(self._ear)
        os.close(self._mouth)

    def _end(self, instance: int) -> Ended:
        process = self._processes.pop(instance)
        process.join()
        code = process.exitcode
        process.close()
        if code is not None and code >= 0:
            return Ended(instance, code)
        number = -(code or 0)
        hint = "; was memory short?" if number in (signal.SIGKILL, signal.SIGBUS) else ""
        return Ended(instance, None, f"killed by signal {number} ({_name_of(number)}){hint}")


def main(spec: InstanceSpec) -> None:
    """Be the process of one instance: end with the parent, save and end on SIGTERM."""
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    follow_parent(stop)
    # A library's or the system's last words would spoil the terminal, and be lost.
    log = storage.open_log(spec.log_path)
    for descriptor in (1, 2):
        os.dup2(log.stream.fileno(), descriptor)  # type: ignore[attr-defined]
    log.close()
    faulthandler.enable()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    sys.exit(run_instance(spec, lambda: asked[0] if asked else None))


def _quiet_tracker() -> dict[str, str]:
    """Return what keeps Python's resource tracker silent, which outlives killed instances.

    It removes the semaphores that TensorBoard's writer leaves in them, as it should, but
    takes that for news.
    """
    ignored = "ignore:resource_tracker:UserWarning"
    return {"PYTHONWARNINGS": ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), ignored)))}


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
