"""``holdem merge``: adds the instances of a run, or several runs, into one."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from holdem.abstraction.bucketing import HandBucketing
from holdem.cli.terminal import Parser, duration, make_console, run_command
from holdem.config import RunConfig, load_config
from holdem.errors import ConfigError
from holdem.mccfr import checkpoint, merge
from holdem.mccfr.instance_plan import MOST_INSTANCES, parse_instances
from holdem.mccfr.merge_sources import Selection, select
from holdem.storage import format_bytes
from holdem.types import shell_word

PROG = "holdem merge"
DEFAULT_NAME = "merged"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Add the regrets and strategies of a run's instances, from their newest checkpoints, "
        "and make one policy of them.",
        "RUN is a run of many instances, a plain run, or one checkpoint. Several are added: "
        "a run spread over machines, or independent runs of one config. "
        "The runs may still be training. The result is a run that `holdem train --resume-from` "
        "goes on with; docs/multi_instance.md says how good it is.",
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="what to add")
    parser.add_argument(
        "--out", type=Path, metavar="PATH", help=f"where it goes ({DEFAULT_NAME} in the first RUN)"
    )
    parser.add_argument(
        "--instances", metavar="LIST", help="only these, as in 0,2-5; all that are there"
    )
    parser.add_argument(
        "--buckets", type=Path, metavar="PATH", help="the bucket set, if it has moved"
    )
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    instances = (
        None if options.instances is None else parse_instances(options.instances, MOST_INSTANCES)
    )
    out = options.out if options.out is not None else options.runs[0] / DEFAULT_NAME
    console = make_console()
    started = time.perf_counter()
    selection = select(options.runs, instances)
    _print_parts(console, selection)
    config = _config_of(checkpoint.run_of(selection.parts[0].checkpoint.path))
    bucketing = _bucketing(selection, options.buckets, config)
    path = merge.write(
        selection, out, bucketing=bucketing, training=config.training if config else None
    )
    _print_result(console, selection, path, time.perf_counter() - started)
    return 0


def _config_of(run: Path) -> RunConfig | None:
    """Return the config of the run in the folder *run*, if it is there."""
    path = run / "config.yaml"
    return load_config(path) if path.is_file() else None


def _bucketing(
    selection: Selection, path: Path | None, config: RunConfig | None
) -> HandBucketing | None:
    """Return the buckets of the runs; None for games without."""
    if selection.tree.game.cards.kind == "one-card":
        return None
    if path is None and config is not None:
        path = config.buckets_path
    if path is None:
        raise ConfigError(
            "the runs do not say where their bucket set is", "name it with --buckets PATH"
        )
    return HandBucketing.load(path)


# -- what is printed ---------------------------------------------------------------------------


def _print_parts(console: Console, selection: Selection) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("run")
    table.add_column("checkpoint", no_wrap=True)
    table.add_column("holds")
    for part in selection.parts:
        held = "\n".join(map(checkpoint.range_text, part.checkpoint.ranges))
        table.add_row(part.name, part.checkpoint.path.name, held)
    console.print(table)
    for note in selection.notes:
        console.print(f"note: {note}", style="yellow", soft_wrap=True)


def _print_result(console: Console, selection: Selection, path: Path, seconds: float) -> None:
    out = path.parent.parent
    number = len(selection.parts)
    runs = "one run" if number == 1 else f"{number} runs"
    table_bytes = merge.BYTES_IN_MEMORY * selection.tree.num_slots
    console.print(
        f"added {runs}, {selection.iterations:,} iterations in all, in "
        f"{duration(seconds)} and {format_bytes(table_bytes)} of memory",
        style="bold",
    )
    console.print(f"  {'policy':<11}{out / 'avg_policy.json'}", soft_wrap=True)
    console.print(f"  {'checkpoint':<11}{path}", soft_wrap=True)
    console.print("Next", style="bold")
    console.print("  train on, for ten minutes:", style="dim")
    command = f"holdem train --resume-from {shell_word(out)} --time-budget 600"
    console.print(f"    {command}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
