"""``holdem train --num-instances``: many runs side by side on the screen, and how they ended."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from holdem.abstraction.bucketing import HandBucketing
from holdem.cli.instances_display import InstancesDisplay, iterations_text
from holdem.cli.terminal import Parser, count, duration, make_console, print_error, signals
from holdem.config import RunConfig, parse_scalar
from holdem.errors import ConfigError
from holdem.mccfr.dask_launcher import DaskLauncher
from holdem.mccfr.instance_monitor import InstanceView
from holdem.mccfr.instance_plan import RunPlan, folder_of, parse_instances
from holdem.mccfr.instance_progress import FAILED, INTERRUPTED, InstanceProgress
from holdem.mccfr.instance_watch import InstancesInfo, MultiInstanceResult
from holdem.mccfr.multi_instance_coordinator import MultiInstanceCoordinator
from holdem.types import shell_word

PROG = "holdem train"
LAUNCHERS = ("processes", "dask")


def add_options(parser: Parser) -> None:
    """Add the options that only a run of many instances has."""
    parser.add_argument(
        "--instances", metavar="LIST", help="of --num-instances, run only these here: 0,2-5"
    )
    parser.add_argument(
        "--retries", metavar="K", help="times that an instance that failed is started again"
    )
    parser.add_argument(
        "--launcher",
        choices=LAUNCHERS,
        help="where instances run: processes of this machine, or tasks of a Dask cluster",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster: tcp://HOST:PORT; else its own"
    )


def instances_here(options: argparse.Namespace, num_instances: int | None) -> tuple[int, ...]:
    """Return which instances run on this machine; none for a run of one.

    Raises:
        ConfigError: the options that only many instances have cannot be used so.
        StorageError: what they are to resume is no run of many instances.
    """
    if num_instances is None:
        for name in ("instances", "retries", "launcher", "scheduler"):
            if getattr(options, name) is not None:
                raise ConfigError(
                    f"--{name} is for runs of many instances", f"add --num-instances N to --{name}"
                )
        return ()
    if options.scheduler is not None and options.launcher != "dask":
        raise ConfigError("--scheduler is that of a Dask cluster", "add --launcher dask")
    if options.resume_from is not None:
        RunPlan.read(options.resume_from)  # what is no such run is refused before buckets are made
    if options.instances is None:
        return tuple(range(num_instances))
    return parse_instances(options.instances, num_instances)


def retries_of(options: argparse.Namespace) -> int:
    """Return how often a failed instance is started again."""
    if options.retries is None:
        return 0
    number = parse_scalar(options.retries)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 1_000_000:
        raise ConfigError(
            f"--retries is {options.retries!r}, and must be a whole number of at least 0",
            "--retries 2 starts an instance again twice at most",
        )
    return number


def train(
    options: argparse.Namespace,
    config: RunConfig,
    bucketing: HandBucketing | None,
    instances: Sequence[int],
    logdir: Path,
    level: int,
) -> int:
    """Train, show it, say how it ended, and return the exit status of the command."""
    assert config.num_instances is not None
    launcher = None
    if options.launcher == "dask":
        launcher = DaskLauncher(options.scheduler, len(instances))
    coordinator = MultiInstanceCoordinator(
        config.training,
        bucketing,
        game=config.game,
        num_instances=config.num_instances,
        instances=instances,
        retries=retries_of(options),
        launcher=launcher,
    )
    asked = 0

    def stop(number: int) -> None:
        nonlocal asked
        asked += 1
        if asked > 2:  # whoever should kill the instances hangs: they die with this process
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        watcher.stops_asked = asked
        coordinator.request_stop(number)

    console = make_console(outlived=True)
    with contextlib.ExitStack() as stack:
        if launcher is not None:
            stack.callback(launcher.close)
        watcher = stack.enter_context(_Watcher(console, level))
        stack.enter_context(signals(stop))
        result = coordinator.train(
            logdir, options.tensorboard, resume_from=options.resume_from, observer=watcher
        )
    return _report(make_console(quiet=level > logging.INFO, outlived=True), result, options)


class _Watcher:
    """Shows the coordinator's run; an `InstancesObserver` and a context manager."""

    def __init__(self, console: Console, level: int) -> None:
        self._console = console
        self._level = level
        self._display = InstancesDisplay(console, quiet=level > logging.INFO)
        self.stops_asked = 0
        """By signals; the next report tells the user."""
        self._stops_told = 0

    def __enter__(self) -> _Watcher:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._display.close()

    def started(self, run: InstancesInfo) -> None:
        """Say what runs where, and what is resumed from where."""
        if self._level > logging.INFO:
            return
        if run.resumed_from is not None:
            self._print_beginnings(run)
        self._console.print(
            f"training {len(run.instances)} of {run.plan.num_instances} instances in "
            f"{run.logdir}; Ctrl-C saves checkpoints and stops",
            soft_wrap=True,
        )

    def progressed(self, records: Sequence[InstanceProgress]) -> None:
        """Bring the screen up to date."""
        if self.stops_asked > self._stops_told and self._level <= logging.WARNING:
            self._stops_told = self.stops_asked
            self._console.print(
                "saving a checkpoint of each instance; once more to kill them"
                if self.stops_asked == 1
                else "killing the instances"
            )
        self._display.show([InstanceView(record=record) for record in records])

    def warned(self, message: str) -> None:
        """Print a warning above the instances."""
        if self._level <= logging.WARNING:
            self._console.print(f"warning: {message}", style="yellow", soft_wrap=True)

    def finished(self, result: MultiInstanceResult) -> None:
        """Show how all ended."""
        views = [InstanceView(record=record) for record in result.instances]
        self._display.show(views, last=True)
        self._display.close()

    def _print_beginnings(self, run: InstancesInfo) -> None:
        """Print who resumes from where, who starts afresh, and who is left out."""
        self._console.print(f"resuming {run.resumed_from}", style="bold", soft_wrap=True)
        found = {one.instance: one for one in run.beginnings}
        for instance in run.instances:
            one = found.get(instance)
            if one is not None and one.checkpoint is not None:
                how = f"from {one.checkpoint}, {one.iterations:,} iterations done"
            elif run.plan.size_of(instance) == 0:
                how = "has nothing to do" + (": it is new" if one is None else "")
            else:
                how = "starts fresh" + (": it is new" if one is None else "")
            self._console.print(f"  instance {instance}  {how}", soft_wrap=True)
        for instance in run.surplus:
            self._console.print(f"  instance {instance}  is ignored: it is one too many")


# -- how it ended ------------------------------------------------------------------------------


def _report(console: Console, result: MultiInstanceResult, options: argparse.Namespace) -> int:
    """Say how the run ended, and return the exit status."""
    console.print()
    rate = result.iterations_done / max(result.elapsed_seconds, 1e-9)
    rows = {
        "iterations": f"{result.iterations_done:,} ({count(rate)} a second)",
        "time": duration(result.elapsed_seconds),
        "run": str(result.logdir),
    }
    for name, text in rows.items():
        console.print(f"  {name:<11}{text}", soft_wrap=True)
    failed, stopped = result.with_status(FAILED), result.with_status(INTERRUPTED)
    again = resume_command(result, options)
    if failed:
        told = "; ".join(f"{_who(result, one)}: {one.error_msg}" for one in failed)
        log = folder_of(result.logdir, failed[0].instance_id)
        print_error(
            PROG,
            f"{len(failed)} of {len(result.instances)} instances failed: {told}",
            f"read {log}/{log.name}.log, then: {again}",
        )
    if stopped:
        told = ", ".join(f"{_who(result, one)} at {iterations_text(one)}" for one in stopped)
        print_error(PROG, f"stopped {told}", again)
    if failed or stopped:
        return 1 if failed or result.stopped_by is None else 128 + result.stopped_by
    console.print()
    console.print("Next", style="bold")
    hints = [
        (f"tensorboard --logdir {shell_word(result.logdir)}", "see all instances side by side"),
        (f"holdem merge {shell_word(result.logdir)}", "make one blueprint of them"),
    ]
    for command, text in hints:
        console.print(f"  {text}:", style="dim")
        console.print(f"    {command}", soft_wrap=True)
    return 0


def resume_command(result: MultiInstanceResult, options: argparse.Namespace) -> str:
    """Return what goes on with a run that did not come to its end."""
    words = [PROG, f"--num-instances {result.num_instances}"]
    words.append(f"--resume-from {shell_word(result.logdir)}")
    for name in ("instances", "retries", "launcher", "scheduler"):
        if getattr(options, name) is not None:
            words.append(f"--{name} {shell_word(getattr(options, name))}")
    if not options.tensorboard:
        words.append("--no-tensorboard")
    return " ".join(words)


def _who(result: MultiInstanceResult, record: InstanceProgress) -> str:
    place = result.places.get(record.instance_id)
    return f"instance {record.instance_id}" + (f" ({place})" if place else "")
