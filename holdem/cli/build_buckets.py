"""``holdem buckets``: builds a bucket set of the full deck, or says what one holds."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from holdem import storage
from holdem.abstraction import costs
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.building import PRESETS, build_buckets, preset, preset_path
from holdem.config import load_config
from holdem.errors import ConfigError, HoldemError
from holdem.machine import usable_cores
from holdem.types import STREETS, BucketConfig

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
}
"""Fields of `BucketConfig` that are options, and what they mean."""


class _Stopped(Exception):
    """A signal asked to stop.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Bars:
    """Shows a bar per stage on a terminal, and a line per stage elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._name = ""
        self._started = 0.0

    def stage(self, name: str, total: int) -> None:
        """Close the stage before and open the next."""
        self._close()
        self._name, self._started = name, time.perf_counter()
        self._task = self._progress.add_task(name, total=total)

    def advance(self, steps: int) -> None:
        """Move the bar of the open stage."""
        if self._task is not None:
            self._progress.advance(self._task, steps)

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(f"  {text}", highlight=False)

    def _close(self) -> None:
        if self._task is not None:
            self._progress.stop_task(self._task)
            if not self._console.is_terminal:
                seconds = time.perf_counter() - self._started
                self._console.print(f"  {self._name}: {seconds:.1f} s", highlight=False)
            self._task = None

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._close()
        self._progress.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] == ["info"]:
            return _info(_info_parser().parse_args(arguments[1:]))
        return _build(_parser().parse_args(arguments))
    except HoldemError as error:
        print(f"holdem buckets: {error}", file=sys.stderr)
        if error.remedy:
            print(f"  try: {error.remedy}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="holdem buckets",
        description="Group all hands of the 52-card deck into buckets, street by street.",
        epilog="`holdem buckets info PATH` says what a set holds. "
        "An interrupted build continues where it was when the command is given again.",
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
    parser = argparse.ArgumentParser(
        prog="holdem buckets info", description="Say what a bucket set holds."
    )
    parser.add_argument("path", type=Path, metavar="PATH", help="a folder of holdem buckets")
    return parser


def _console() -> Console:
    """Return where to print; a pipe has no width of its own."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


# -- building ----------------------------------------------------------------------------------


def _build(options: argparse.Namespace) -> int:
    """Say what the set costs, then build it."""
    config = _config(options)
    out = _out(options, config)
    if not 0 <= options.workers <= 1024:
        raise ConfigError(f"--workers must be 0 to 1024, not {options.workers}", "0 is all cores")
    console = _console()
    estimate = costs.estimate(config, options.workers)
    counts = "/".join(str(k) for k in config.bucket_counts[: config.num_streets])
    workers = options.workers or usable_cores()
    console.print(
        f"{counts} buckets over the full deck for {config.num_players} players, "
        f"seed {config.seed}, {workers} workers\n"
        f"  about {_duration(estimate.seconds)}, "
        f"{storage.format_bytes(estimate.memory_bytes)} of memory and "
        f"{storage.format_bytes(estimate.disk_bytes)} of disk at {out} "
        f"({storage.format_bytes(estimate.building_disk_bytes)} while it is built)",
        highlight=False,
    )
    if options.dry_run:
        return 0
    if not out.exists():
        costs.require(estimate, out)
    started = time.perf_counter()
    try:
        with _signals_raise(), _Bars(console) as bars:
            bucketing = build_buckets(config, out, num_workers=options.workers, observer=bars)
    except _Stopped as stop:
        print(
            f"holdem buckets: stopped; finished stages are kept in {out}.partial\n"
            "  try: the same command again, to continue",
            file=sys.stderr,
        )
        return 128 + stop.number
    seconds = time.perf_counter() - started
    console.print(f"{out} is ready after {_duration(seconds)}", highlight=False)
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
    names = {f"buckets.{name}": f"--{name.replace('_', '-')}" for name in _OPTIONS}
    chosen = {f"buckets.{name}": value for name, value in given.items()}
    return load_config(options.config, chosen, option_names=names).buckets


def _out(options: argparse.Namespace, config: BucketConfig) -> Path:
    """Return where the set goes: presets have a place of their own."""
    if options.out is not None:
        return Path(options.out)
    if options.preset and config == preset(options.preset, config.num_players):
        return preset_path(options.preset, config.num_players)
    raise ConfigError("--out is missing: where shall the set be?", "give --out PATH")


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block with `_Stopped`."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stopped(number)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _duration(seconds: float) -> str:
    """Return *seconds* as people say it: ``"45 s"``, ``"3 min 20 s"``."""
    if seconds < 1:
        return "1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 90:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


# -- what a set holds --------------------------------------------------------------------------


def _info(options: argparse.Namespace) -> int:
    """Print what a set holds."""
    bucketing = HandBucketing.load(options.path)
    console = _console()
    config = bucketing.config
    size = sum(table.nbytes for table in bucketing.tables)
    console.print(f"bucket set {options.path}", highlight=False)
    rows = {
        "fingerprint": bucketing.fingerprint,
        "streets": ", ".join(STREETS[: config.num_streets]),
        "players": str(config.num_players),
        "seed": str(config.seed),
        "fitted on": f"{config.hands:,} hands per street, best of {config.restarts}, "
        f"at most {config.fit_iterations} steps",
        "tables": storage.format_bytes(size),
    }
    for name, text in rows.items():
        console.print(f"  {name:<12} {text}", highlight=False)
    _print_summary(console, bucketing)
    return 0


def _print_summary(console: Console, bucketing: HandBucketing) -> None:
    """Print a table of the streets: sizes of buckets and how well they separate equities."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("street")
    for name in ("hands", "buckets", "empty", "min", "median", "max", "sd", "inside", "told"):
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
        "sd, inside, told: of equity, over all hands and inside a bucket; the share of its "
        "variance that the bucket tells",
        style="dim",
        highlight=False,
    )


if __name__ == "__main__":
    sys.exit(main())
