"""What all commands share at the terminal: options, errors in two lines, consoles and bars."""

from __future__ import annotations

import argparse
import contextlib
import errno
import math
import os
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from holdem.cli.streams import Outlived, if_there, open_missing, take_any_text, to_nowhere
from holdem.config import nearest, parse_scalar
from holdem.errors import CardError, ConfigError, HoldemError
from holdem.types import Rule, shown

PIPE_WIDTH = 120
"""Columns where the output is no terminal, which has no width of its own."""

TOGETHER_SECONDS = 0.1
"""A signal again so soon was sent once: `timeout` sends it to a process and to its group."""

LINE_SECONDS = 30.0
"""Between two lines of a long stage, where there is no terminal."""


class Stopped(Exception):
    """A signal asked the command to stop.

    Attributes:
        number: of the signal.
        advice: what to tell the user; may be empty.
    """

    def __init__(self, number: int, advice: str = "") -> None:
        super().__init__(number)
        self.number = number
        self.advice = advice


class Parser(argparse.ArgumentParser):
    """Parses options; a mistake is a `ConfigError`, so that it reads like all others."""

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            allow_abbrev=False,
        )

    def add_argument(self, *names: Any, **how: Any) -> Any:
        """Add an option or a word; an empty path is none, though Python makes it ``.``."""
        if how.get("type") is Path:
            how["type"] = _path
        return super().add_argument(*names, **how)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; options may stand between words, as in ``show POLICY --json PATH``."""
        words = sys.argv[1:] if args is None else args
        # To take options and words apart, argparse parses twice, and the second time it has
        # forgotten that what follows `--` is no option.
        parse = super().parse_args if "--" in words else self.parse_intermixed_args
        return parse(words, namespace)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, but refuse ``--option=--``, of which argparse makes an option without value."""
        for text in sys.argv[1:] if args is None else args:
            if re.fullmatch(r"--[^=]+=--", text):
                self.error(f"argument {text[:-3]}: expected one argument")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found, with the nearest option where one is unknown."""
        remedy = f"{self.prog} --help"
        unknown = re.match(r"unrecognized arguments: (-[^\s=]*)", message)
        if unknown:
            near = nearest(unknown[1], self._option_string_actions)
            message = f"unknown option {unknown[1]}"
            remedy = near or remedy
        raise ConfigError(message, remedy)


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("an empty path")
    return Path(text)


def option_value(option: str, text: str | Sequence[str], rule: Rule) -> Any:
    """Return what *text*, or each of several, means behind *option*.

    Raises:
        ConfigError: *rule* does not allow it.
    """
    value: object = text
    if rule.kind is not str:
        value = parse_scalar(text) if isinstance(text, str) else [parse_scalar(t) for t in text]
    try:
        return rule.convert(value)
    except ValueError:
        raise ConfigError(
            f"{option} is {shown(value)}, and must be {rule.wanted}", "--help explains each option"
        ) from None


def run_command(
    prog: str, command: Callable[[Sequence[str]], int], argv: Sequence[str] | None
) -> int:
    """Run *command* and return its exit status; what the user can mend is told in two lines.

    2 is a mistake in options, cards or configs, 1 any other `HoldemError` and what the system
    refuses, 128 + n signal n. Anything else is a bug and keeps its traceback.
    """
    open_missing()
    take_any_text()
    try:
        status = command(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()  # a full disk is told here, not by Python at exit
        return status
    except HoldemError as error:
        print_error(prog, str(error), error.remedy)
        return 2 if isinstance(error, (ConfigError, CardError)) else 1
    except Stopped as stop:
        print_error(prog, "stopped", stop.advice)
        return 128 + stop.number
    except KeyboardInterrupt:
        print_error(prog, "stopped", "")
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python would complain at exit.
        to_nowhere(sys.stdout)
        return 128 + signal.SIGPIPE
    except OSError as error:
        what = "" if error.filename is None else f"{error.filename}: "
        remedy = "check the path, its rights, and the room on its disk"
        print_error(prog, f"{what}{error.strerror or error}", remedy)
        if error.filename is None:
            to_nowhere(sys.stdout)  # it may be the output, and Python would write it at exit
        return 1


def print_error(prog: str, message: str, remedy: str) -> None:
    """Print an error: what is wrong, then what to try."""
    console = _Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    with if_there(sys.stderr):
        console.print(f"{prog}:", style="bold red", end=" ")
        console.print(message)
        if remedy:
            console.print("  try:", style="bold", end=" ")
            console.print(remedy)


def make_console(*, quiet: bool = False, outlived: bool = False, stderr: bool = False) -> Console:
    """Return where a command prints; colours only on a terminal without NO_COLOR.

    What fails to print ends the command, unless its work is *outlived*: it shall outlive the
    terminal, the pipe or the disk that it prints to.
    """
    stream = sys.stderr if stderr else sys.stdout
    file = cast(TextIO, Outlived(stream)) if outlived else None
    console = _Console(file=file, stderr=stderr, highlight=False, markup=False, quiet=quiet)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let `run_command` hear of it, where rich would end the program by itself."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


@contextlib.contextmanager
def signals(handler: Callable[[int], None]) -> Iterator[None]:
    """Call *handler* with the number of a Ctrl-C, SIGTERM or SIGHUP that comes during the block.

    One that comes again within `TOGETHER_SECONDS` is left out, and so is a SIGHUP after any: a
    terminal that closes is no second, more urgent wish. Under `nohup` there is none.
    """
    last: dict[int, float] = {signal.SIGINT: -math.inf, signal.SIGTERM: -math.inf}
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        last[signal.SIGHUP] = -math.inf

    def call(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        came = max(last.values()) if number == signal.SIGHUP else last[number]
        last[number] = now
        if came == -math.inf or (number != signal.SIGHUP and now - came > TOGETHER_SECONDS):
            handler(number)

    previous = {number: signal.signal(number, call) for number in last}
    try:
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old)


@contextlib.contextmanager
def signals_raise(advice: str) -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP end the block with `Stopped`."""

    def stop(number: int) -> None:
        raise Stopped(number, advice)

    with signals(stop):
        yield


def read_answer(seconds: float | None = None) -> str | None:
    """Return a line that the user types, without its end; None if none comes in time.

    Raises:
        EOFError: the input has ended.
    """
    descriptor = sys.stdin.fileno()
    end = None if seconds is None else time.monotonic() + seconds
    typed = b""
    # Byte by byte: what is typed ahead belongs to the next question.
    while True:
        left = None if end is None else max(end - time.monotonic(), 0.0)
        if not select.select([descriptor], [], [], left)[0]:
            return None
        byte = os.read(descriptor, 1)
        if byte in (b"\n", b""):
            break
        typed += byte
    if not byte and not typed:
        raise EOFError
    return typed.decode(errors="replace").strip()


def forget_typed() -> None:
    """Throw away what was typed before the question that comes now, where it is a terminal."""
    with contextlib.suppress(OSError, termios.error):
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


class StageBars:
    """Shows a bar per stage of long work on a terminal.

    Elsewhere it prints a line when a stage is over, and one now and then while it lasts.
    """

    def __init__(self, console: Console, *, chatty: bool = True) -> None:
        """Print on *console*; *chatty*, also what the build says besides."""
        self._console = console
        self._chatty = chatty
        self._progress = Progress(
            TextColumn("  {task.description:<18}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_interactive,
        )
        self._task: TaskID | None = None
        self._name = ""
        self._done, self._total = 0, 1
        self._started = self._told = 0.0

    def stage(self, name: str, total: int) -> None:
        """Close the stage before and open the next."""
        self._close()
        self._name, self._done, self._total = name, 0, total
        self._started = self._told = time.perf_counter()
        self._task = self._progress.add_task(name, total=total, left="")

    def advance(self, steps: int) -> None:
        """Move the bar of the open stage on."""
        self.reach(self._done + steps, self._total)

    def reach(self, done: int, total: int) -> None:
        """Move the bar of the open stage to *done* of *total*, which may be another than before."""
        if self._task is None:
            return
        self._done, self._total = done, total
        now, left = time.perf_counter(), ""
        if 0 < done < total:
            seconds = (now - self._started) * (total - done) / done
            left = f"about {duration(seconds)} left"
        self._progress.update(self._task, completed=done, total=total, left=left)
        if not self._console.is_interactive and left and now - self._told >= LINE_SECONDS:
            self._told = now
            self._console.print(f"  {self._name}: {done / total:.0%}, {left}")

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        if self._chatty:
            self._progress.console.print(f"  {text}")

    def _close(self) -> None:
        if self._task is not None:
            self._progress.stop_task(self._task)
            self._progress.update(self._task, left="")
            if not self._console.is_interactive:
                seconds = time.perf_counter() - self._started
                self._console.print(f"  {self._name}: {seconds:.1f} s")
            self._task = None

    def __enter__(self) -> StageBars:
        """Show the bars."""
        self._progress.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Leave the bars as they are."""
        if kind is None:
            self._close()
        self._progress.stop()


def duration(seconds: float) -> str:
    """Return *seconds* as people say it: ``"45 s"``, ``"3 min 20 s"``, ``"5 h 2 min"``."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 90:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours / 24:,.0f} days"


def clock(seconds: float) -> str:
    """Return *seconds* as a clock shows them: ``"0:42"``, ``"1:00:05"``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: float) -> str:
    """Return *number* short: ``"950"``, ``"41.2 k"``, ``"18.2 M"``."""
    for unit in ("", " k", " M", " G"):
        if abs(number) < 999.5:
            decimals = 0 if not unit or abs(number) >= 99.95 else 1
            return f"{number:.{decimals}f}{unit}"
        number /= 1000
    return f"{number:,.0f} T"
