"""``holdem refine``: takes a run over to finer buckets, so that training goes on with them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from holdem.abstraction.bucketing import HandBucketing
from holdem.cli.terminal import Parser, make_console, run_command
from holdem.config import load_config
from holdem.errors import ConfigError
from holdem.mccfr import checkpoint
from holdem.mccfr.refine import refine
from holdem.types import STREETS

PROG = "holdem refine"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Take a run over to finer buckets: each begins as the coarse bucket that most of its "
        "hands are in.",
        "Few buckets learn soon, many play better in the end. The result is a run that "
        "`holdem train --resume-from` goes on with.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder, or one checkpoint")
    parser.add_argument(
        "--buckets", type=Path, required=True, metavar="PATH", help="the finer bucket set"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="PATH", help="the folder to be")
    parser.add_argument(
        "--from-buckets", type=Path, metavar="PATH", help="the run's own set, if it has moved"
    )
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    coarse = HandBucketing.load(_own_buckets(options.run, options.from_buckets))
    fine = HandBucketing.load(options.buckets)
    maps = refine(options.run, coarse, fine, options.out)
    console = make_console()
    for street, here in zip(STREETS, maps, strict=False):
        console.print(
            f"  {street:<8} {len(set(here.parents.tolist())):,} buckets become "
            f"{len(here.parents):,}; {here.agreeing:.1%} of the hands keep what they have learned"
        )
    console.print("Next", style="bold")
    console.print("  train on, for ten minutes:", style="dim")
    console.print(f"    holdem train --resume-from {options.out} --time-budget 600", soft_wrap=True)
    return 0


def _own_buckets(run: Path, given: Path | None) -> Path:
    """Return where the buckets are that the run was trained with."""
    if given is not None:
        return given
    folder = checkpoint.find(run)
    config = folder.parent.parent / "config.yaml"
    path = load_config(config).buckets_path if config.is_file() else None
    if path is None:
        raise ConfigError(
            f"{run} does not say where its bucket set is", "name it with --from-buckets PATH"
        )
    return path


if __name__ == "__main__":
    sys.exit(main())
