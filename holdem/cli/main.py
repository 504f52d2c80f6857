"""``holdem``: the umbrella that runs the other commands."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from holdem import __version__
from holdem.cli.terminal import run_command
from holdem.config import nearest
from holdem.errors import ConfigError

COMMANDS = {
    "train": ("holdem.cli.train_blueprint", "train a blueprint; without options, for a minute"),
    "monitor": ("holdem.cli.monitor", "follow a run of many instances"),
    "merge": ("holdem.cli.merge", "add the instances of a run, or several runs, into one"),
    "buckets": ("holdem.cli.build_buckets", "group the hands of the full deck into buckets"),
    "show": ("holdem.cli.show", "show what every hand does at any point of a policy's tree"),
    "export": ("holdem.cli.export_policy", "write a checkpoint's strategy as a small policy"),
    "continuations": ("holdem.cli.continuations", "learn what search wants to know of a policy"),
    "eval": ("holdem.cli.eval_blueprint", "say how good a blueprint is, in matches"),
    "match": ("holdem.cli.match", "let two policies play, or one and a program"),
    "solve": ("holdem.cli.solve", "solve a situation after the flop, for both ranges"),
    "dealer": ("holdem.cli.dealer", "deal a match to programs that connect"),
    "play": ("holdem.cli.play", "play against a policy yourself, or let it play at a server"),
    "profile": ("holdem.cli.profile", "write down where a table is"),
    "dry-run": ("holdem.cli.run_dry_run", "follow a table and advise; send nothing"),
    "autoplay": ("holdem.cli.run_autoplay", "play a policy at a table that invites programs"),
    "doctor": ("holdem.cli.doctor", "check whether training can start here, and why not"),
}
"""Name, module and what it is for."""


def usage() -> str:
    """Return what `holdem` can do."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: holdem COMMAND [options]",
            "",
            "Computes strategies for no-limit Texas hold'em on the machine you have.",
            "",
            *lines,
            "",
            "`holdem COMMAND --help` explains a command; `holdem --version` tells the",
            "version.",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* names (by default the program's) and return its exit status."""
    return run_command("holdem", _dispatch, argv)


def _dispatch(argv: Sequence[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if argv[0] in ("-V", "--version"):
        print(f"holdem {__version__}")
        return 0
    name, *rest = argv
    if name not in COMMANDS:
        near = nearest(name, COMMANDS)
        raise ConfigError(
            f"no command {name!r}",
            f"holdem {near}" if near else f"one of {', '.join(COMMANDS)}, or holdem --help",
        )
    status: int = importlib.import_module(COMMANDS[name][0]).main(rest)
    return status


def entry() -> None:
    """Run as a program."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
