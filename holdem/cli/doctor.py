"""``holdem doctor``: says whether training can start on this machine, and if not, why."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from holdem import __version__
from holdem.cli import doctor_installation
from holdem.cli.doctor_report import (
    Finding,
    as_json,
    can_train,
    failed,
    print_finding,
    print_summary,
)
from holdem.cli.terminal import Parser, make_console, run_command
from holdem.errors import ConfigError, HoldemError

if TYPE_CHECKING:
    from holdem.cli.doctor_plan import Plan

PROG = "holdem doctor"

INSTALLATION: dict[str, Callable[[], Finding]] = {
    "python": doctor_installation.check_python,
    "packages": doctor_installation.check_packages,
    "processor": doctor_installation.check_processor,
    "compiled core": doctor_installation.check_compiled,
}
"""What all other checks stand on."""

CHECKS = {
    "leaked segments": "doctor_machine.check_leaks",
    "cores": "doctor_machine.check_cores",
    "memory": "doctor_machine.check_memory",
    "shared memory": "doctor_machine.check_shared_memory",
    "open files": "doctor_machine.check_open_files",
    "processes": "doctor_machine.check_processes",
    "start methods": "doctor_machine.check_start_methods",
    "workers": "doctor_machine.check_workers",
    "log folder": "doctor_files.check_log_folder",
    "TensorBoard": "doctor_files.check_tensorboard",
    "buckets": "doctor_files.check_buckets",
    "checkpoint": "doctor_files.check_checkpoint",
    "speed": "doctor_speed.check_speed",
}
"""The other checks in their order, each a function of a `Plan` in a module of holdem.cli.

By name, since these modules need the compiled core, which may be missing.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Check whether training can start on this machine, and say what to do if not.",
        "The exit status is 0 if training can start, 1 if not, 2 if an option cannot be used.",
    )
    paths = {
        "--config": ("FILE", "the run that shall be possible (default: heads-up, quick buckets)"),
        "--buckets": ("PATH", "check the checksums of this bucket set"),
        "--checkpoint": ("PATH", "check this checkpoint, or the newest of this run"),
        "--logdir": ("PATH", "where the run shall go (default: runs)"),
    }
    for option, (metavar, text) in paths.items():
        parser.add_argument(option, type=Path, metavar=metavar, help=text)
    parser.add_argument(
        "--num-workers",
        type=int,
        metavar="N",
        help="processes; 0 is one per usable core (default: the config's, without one 0)",
    )
    parser.add_argument("--clean", action="store_true", help="remove leaked segments")
    parser.add_argument("--quick", action="store_true", help="reserve nothing and measure no speed")
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    if options.num_workers is not None and not 0 <= options.num_workers <= 4096:
        raise ConfigError(
            f"--num-workers must be 0 to 4096, not {options.num_workers}", "0 is all usable cores"
        )
    first = [replace(check(), name=name) for name, check in INSTALLATION.items()]
    # Before anything is printed: an option that cannot be used is refused alone.
    plan = _plan(options) if can_train(first) else None
    console = make_console(quiet=options.json)
    console.print(f"{PROG} {__version__}", style="bold")
    findings = []
    for finding in _findings(first, plan, console):
        print_finding(console, finding)
        findings.append(finding)
    if options.json:
        print(as_json(findings))
    else:
        print_summary(console, findings)
    return 0 if can_train(findings) else 1


def _findings(first: list[Finding], plan: Plan | None, console: Console) -> Iterator[Finding]:
    """Do the checks after the *first* one by one; without a plan there are no others."""
    yield from first
    if plan is None:
        return
    good = True
    for name, place in CHECKS.items():
        if name == "speed" and not good:
            return  # there is none if training cannot start
        with _shown(console, name):
            finding = _finding(place, plan)
        if finding is not None:
            good = good and can_train([finding])
            yield replace(finding, name=name)


def _plan(options: argparse.Namespace) -> Plan:
    from holdem.cli.doctor_plan import make_plan  # needs the compiled core, see CHECKS

    return make_plan(
        config_path=options.config,
        buckets=options.buckets,
        checkpoint=options.checkpoint,
        logdir=options.logdir,
        num_workers=options.num_workers,
        clean=options.clean,
        quick=options.quick,
    )


def _finding(place: str, plan: Plan) -> Finding | None:
    """Do one check. What a user can mend is a finding, as is what the system refuses."""
    module, name = place.split(".")
    check: Any = getattr(importlib.import_module(f"holdem.cli.{module}"), name)
    try:
        finding: Finding | None = check(plan)
    except HoldemError as error:
        return failed(str(error), error.remedy)
    except (OSError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "new thread" not in str(error):
            raise
        return failed(
            f"the system refused: {error}", "see the limits above, and end other programs"
        )
    return finding


@contextlib.contextmanager
def _shown(console: Console, name: str) -> Iterator[None]:
    """Show on a terminal what is being checked, and wipe it away."""
    if not console.is_interactive:
        yield
        return
    # Not a spinner: that takes a thread, and there may be none to have.
    line = Text(f"  checking {name} ...", "dim")
    with Live(line, console=console, auto_refresh=False, transient=True) as live:
        live.refresh()
        yield


if __name__ == "__main__":
    sys.exit(main())
