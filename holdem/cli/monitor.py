"""``holdem monitor``: follows a run of many instances from another terminal or machine."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdem.cli.instances_display import InstancesDisplay
from holdem.cli.terminal import Parser, make_console, run_command
from holdem.mccfr.instance_monitor import InstanceView, RunMonitor, outcome_of, overall_percent
from holdem.mccfr.instance_progress import COMPLETED, FAILED, INTERRUPTED, RUNNING

PROG = "holdem monitor"
EXIT_STATUS = {COMPLETED: 0, RUNNING: 0, FAILED: 1, INTERRUPTED: 3}

_LOOK_SECONDS = 1.0
_SECOND_LOOK_SECONDS = 2.5
"""Before one look alone may call an instance gone: its machine's clock may be slow."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Follow a run of `holdem train --num-instances` by its progress files, until it ends.",
        "Exit status: 0 all instances completed (with --once: or are running), 1 one failed or "
        "is gone, 3 one was interrupted, 2 a mistake in the options.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the --logdir of the run")
    parser.add_argument("--once", action="store_true", help="look once, and do not wait")
    parser.add_argument("--json", action="store_true", help="print JSON, one object per look")
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    monitor = RunMonitor(options.run)
    views = monitor.look()
    if options.once:
        if any(view.gone for view in views):
            time.sleep(_SECOND_LOOK_SECONDS)
            views = monitor.look()
        _show_once(options, views)
        # Of the instances that are running nothing can be said yet; of the others it can.
        return EXIT_STATUS[outcome_of([view for view in views if not view.alive])]
    with InstancesDisplay(make_console(), quiet=options.json) as display:
        while True:
            outcome = outcome_of(views)
            if options.json:
                print(json.dumps(_as_json(options.run, views)), flush=True)
            display.show(views, last=outcome != RUNNING)
            if outcome != RUNNING:
                return EXIT_STATUS[outcome]
            time.sleep(_LOOK_SECONDS)
            views = monitor.look()


def _show_once(options: Any, views: Sequence[InstanceView]) -> None:
    if options.json:
        print(json.dumps(_as_json(options.run, views), indent=2))
        return
    with InstancesDisplay(make_console()) as display:
        display.show(views, last=True)


def _as_json(run: Path, views: Sequence[InstanceView]) -> dict[str, Any]:
    """Return a run as it stands for scripts: each record as its file holds it, and ``gone``."""
    return {
        "run": str(run),
        "status": outcome_of(views),
        "progress_pct": overall_percent([view.record for view in views]),
        "instances": [{**view.record.as_json(), "gone": view.gone} for view in views],
    }


if __name__ == "__main__":
    sys.exit(main())
