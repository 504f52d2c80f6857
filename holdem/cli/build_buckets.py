"""``holdem buckets``: builds a bucket set of the full deck, or says what one holds."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from holdem import storage
from holdem.abstraction import costs
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.building import PRESETS, build_buckets, preset, preset_path
from holdem.cli.terminal import (
    Parser,
    StageBars,
    duration,
    make_console,
    run_command,
    signals_raise,
)
from holdem.config import load_config
from holdem.errors import ConfigError
from holdem.machine import usable_cores
from holdem.types import STREETS, BucketConfig

PROG = "holdem buckets"

_OPTIONS = {
    "k_preflop": "buckets before the flop; 169 is lossless",
    "k_flop": "buckets on the flop",
    "k_turn": "buckets on the turn",
    "k_river": "buckets on the river",
    "num_streets": "streets to cover, from preflop on",
    "hands": "hands per street that centres are fitted on; every hand is assigned",
    "restarts": "times that centres are seeded anew",
    "fit_iterations": "most steps after each seeding",
    "seed": "of all random choices",
    "num_players": "at the table",
    "kinds_flop": "kinds of boards on the flop, each with its share of the buckets",
    "kinds_turn": "kinds of boards on the turn",
    "kinds_river": "kinds of boards on the river",
}
"""Fields of `BucketConfig` that are options, and what they mean."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _run, argv)


def _run(argv: Sequence[str]) -> int:
    if argv and argv[0] == "info":
        return _info(_info_parser().parse_args(argv[1:]))
    return _build(_parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        PROG,
        "Group all hands of the 52-card deck into buckets, street by street.",
        "`holdem buckets info PATH` says what a set holds. An interrupted build continues "
        "where it was when the command is given again.",
    )
    parser.add_argument("--preset", choices=list(PRESETS), help="ready numbers for all of these")
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML; its section buckets:")
    defaults = BucketConfig()
    for name, text in _OPTIONS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="N",
            help=f"{text} ({getattr(defaults, name)})",
        )
    parser.add_argument("--out", type=Path, metavar="PATH", help="the folder to be")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="threads (all cores)")
    parser.add_argument("--dry-run", action="store_true", help="only say what it would cost")
    return parser


def _info_parser() -> argparse.ArgumentParser:
    parser = Parser(f"{PROG} info", "Say what a bucket set holds.")
    parser.add_argument("path", type=Path, metavar="PATH", help="a folder of holdem buckets")
    return parser


# -- building ----------------------------------------------------------------------------------


def _build(options: argparse.Namespace) -> int:
    """Say what the set costs, then build it."""
    config = _config(options)
    out = _out(options, config)
    if not 0 <= options.workers <= 1024:
        raise ConfigError(f"--workers must be 0 to 1024, not {options.workers}", "0 is all cores")
    console = make_console(outlived=True)
    estimate = costs.estimate(config, options.workers)
    counts = "/".join(str(k) for k in config.bucket_counts[: config.num_streets])
    kinds = ""
    if max(config.kind_counts[: config.num_streets]) > 1:
        numbers = "/".join(str(number) for number in config.kind_counts[1 : config.num_streets])
        kinds = f", kinds of boards {numbers},"
    console.print(
        f"{counts} buckets{kinds} over the full deck for {config.num_players} players, "
        f"seed {config.seed}, {options.workers or usable_cores()} workers\n"
        f"  about {duration(estimate.seconds)}, "
        f"{storage.format_bytes(estimate.memory_bytes)} of memory and "
        f"{storage.format_bytes(estimate.disk_bytes)} of disk at {out} "
        f"({storage.format_bytes(estimate.building_disk_bytes)} while it is built)"
    )
    if options.dry_run:
        return 0
    if not out.exists():
        costs.require(estimate, out)
    started = time.perf_counter()
    kept = storage.beside(out, ".partial")
    advice = f"the same command again: finished stages are kept in {kept}"
    with signals_raise(advice), StageBars(console) as bars:
        bucketing = build_buckets(config, out, num_workers=options.workers, observer=bars)
    console.print(f"{out} is ready after {duration(time.perf_counter() - started)}")
    _print_summary(console, bucketing)
    return 0


def _config(options: argparse.Namespace) -> BucketConfig:
    """Return the config: options beat the preset or the file, which beat the defaults."""
    if options.preset and options.config:
        raise ConfigError(
            "--preset and --config both set the numbers of buckets", "give one of them"
        )
    given = {name: getattr(options, name) for name in _OPTIONS}
    if options.preset:
        ready = dataclasses.asdict(preset(options.preset))
        given = {name: ready[name] if value is None else value for name, value in given.items()}
    # The players are the game's, and the file may name them there.
    keys = {name: "" if name == "num_players" else "buckets." for name in _OPTIONS}
    chosen = {keys[name] + name: value for name, value in given.items()}
    names = {keys[name] + name: f"--{name.replace('_', '-')}" for name in _OPTIONS}
    return load_config(options.config, chosen, option_names=names).buckets


def _out(options: argparse.Namespace, config: BucketConfig) -> Path:
    """Return where the set goes: presets have a place of their own."""
    if options.out is not None:
        return Path(options.out)
    if options.preset and config == preset(options.preset, config.num_players):
        return preset_path(options.preset, config.num_players)
    raise ConfigError(
        "--out is missing: where shall the set be?",
        f"--out PATH, or --preset {next(iter(PRESETS))}",
    )


# -- what a set holds --------------------------------------------------------------------------


def _info(options: argparse.Namespace) -> int:
    """Print what a set holds."""
    bucketing = HandBucketing.load(options.path)
    console = make_console()
    config = bucketing.config
    rows = {
        "fingerprint": bucketing.fingerprint,
        "streets": ", ".join(STREETS[: config.num_streets]),
        "players": str(config.num_players),
        "kinds": "of boards, flop to river: "
        + ", ".join(f"{kinds:,}" for kinds in config.kind_counts[1:]),
        "seed": str(config.seed),
        "fitted on": f"{config.hands:,} hands per street, best of {config.restarts}, "
        f"at most {config.fit_iterations} steps",
        "tables": storage.format_bytes(costs.table_bytes(config)),
    }
    console.print(f"bucket set {options.path}")
    for name, text in rows.items():
        console.print(f"  {name:<12} {text}")
    _print_summary(console, bucketing)
    return 0


def _print_summary(console: Console, bucketing: HandBucketing) -> None:
    """Print a table of the streets: sizes of buckets and how well they separate equities."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("street")
    for name in ("hands", "buckets", "empty", "min", "median", "max", "sd", "inside", "explained"):
        table.add_column(name, justify="right", no_wrap=True)
    for street in range(bucketing.num_streets):
        row = bucketing.summary(street)
        table.add_row(
            row.street,
            f"{row.canonical_hands:,}",
            f"{row.num_buckets:,}",
            f"{row.num_empty:,}",
            f"{row.smallest:.2%}",
            f"{row.median:.2%}",
            f"{row.largest:.2%}",
            f"{row.total_variance**0.5:.4f}",
            f"{row.within_variance**0.5:.4f}",
            f"{row.explained:.2%}",
        )
    console.print(table)
    console.print(
        "min, median, max: a bucket's share of all real hands\n"
        "sd, inside: of equity, over all hands and inside a bucket\n"
        "explained: the share of the variance of equity that the bucket tells",
        style="dim",
    )


if __name__ == "__main__":
    sys.exit(main())
