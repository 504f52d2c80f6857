"""``holdem profile``: asks where a table is, and writes a table profile."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdem.cli.terminal import Parser, make_console, run_command
from holdem.config import parse_scalar
from holdem.errors import ConfigError, StorageError
from holdem.play.game_definition import read_game
from holdem.play.profile import write_profile
from holdem.storage import require_place
from holdem.types import PROFILE_RULES, TableProfile, shell_word

PROG = "holdem profile"

_QUESTIONS = {
    "host": "Address of the dealer",
    "port": "Its port for this seat",
    "seat": "The player's name there",
    "game": "File of the game's definition",
    "action_seconds": "Seconds that the table gives for an action",
    "max_hands": "Leave after how many hands (empty: never)",
    "max_seconds": "Leave after how many seconds (empty: never)",
    "stop_loss": "Leave once how many big blinds are lost (empty: never)",
    "decision_log": "File for a log of all decisions (empty: none)",
}
"""Fields that are asked for; the others keep their defaults."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _main(argv: Sequence[str]) -> int:
    parser = Parser(
        PROG,
        "Ask where a table is and how to sit at it, and write that as a table profile.",
        "An empty answer takes the value in brackets. docs/playing.md explains the file's keys.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("table.json"), metavar="FILE", help="(table.json)"
    )
    options = parser.parse_args(argv)
    if options.out.exists():
        raise StorageError(f"{options.out} is there already", "another name: --out FILE")
    require_place(options.out, b"")
    answers: dict[str, Any] = {}
    defaults = TableProfile()
    for name, question in _QUESTIONS.items():
        answers[name] = _ask(name, question, getattr(defaults, name))
    profile = dataclasses.replace(defaults, **answers)
    write_profile(options.out, profile)
    console = make_console()
    console.print(f"wrote {options.out}", soft_wrap=True)
    command = f"holdem dry-run --profile {shell_word(options.out)} --policy PATH"
    console.print(f"  {command}", soft_wrap=True)
    return 0


def _ask(name: str, question: str, default: object) -> object:
    """Return the answer to *question*, asked again until it can be used."""
    shown = "" if default is None else f" [{default}]"
    while True:
        try:
            answer = input(f"{question}{shown}: ").strip()
        except EOFError:
            print()
            raise ConfigError(
                f"the answers end before {name!r}", "answer every question, or press return"
            ) from None
        if not answer:
            return default
        value: Any = answer if PROFILE_RULES[name].kind is str else parse_scalar(answer)
        try:
            dataclasses.replace(TableProfile(), **{name: value})
            if name == "game":
                read_game(Path(answer))
        except (ConfigError, StorageError) as error:
            print(f"  {error}")
            print(f"  {error.remedy}")
            continue
        return value


if __name__ == "__main__":
    sys.exit(main())
