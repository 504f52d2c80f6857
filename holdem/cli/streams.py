"""Standard streams that may be missing when a command starts, lack a letter, or go away."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO


class Outlived:
    """A stream that may go away: then what is written goes nowhere, and stderr says so once.

    Not one of `io`'s: those flush when they are forgotten, and the stream may be closed by then.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:
        """Of the stream."""
        return self._stream.encoding

    def fileno(self) -> int:
        """Return the stream's."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream.isatty()

    def write(self, text: str) -> int:
        """Write to the stream while it is there."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        """Flush the stream while it is there."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        to_nowhere(self._stream)
        with if_there(sys.stderr):
            print(f"what is shown is lost ({error.strerror}); the work goes on", file=sys.stderr)


def open_missing() -> None:
    """Give a program that was started without them a standard input, output and error.

    Otherwise the next file that is opened would be one of them.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 (for good)


def take_any_text() -> None:
    """Let a letter that their encoding lacks be ``?`` in the standard streams, and no error.

    What is printed of a path that is no text, which Python holds as surrogates, is its bytes.
    """
    codecs.register_error("holdem", _instead)
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "holdem"), (sys.stderr, "holdem")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def _instead(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what to print for the character that cannot be encoded, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    after = error.start + 1
    try:
        return error.object[error.start : after].encode("ascii", "surrogateescape"), after
    except UnicodeEncodeError:
        return "?", after


@contextlib.contextmanager
def if_there(stream: TextIO) -> Iterator[None]:
    """Let what the block writes to *stream* go nowhere where it can be written no longer."""
    try:
        yield
        stream.flush()
    except OSError:
        to_nowhere(stream)


def to_nowhere(stream: TextIO) -> None:
    """Let what is written to *stream* from now on, and what it still holds, go nowhere."""
    with contextlib.suppress(io.UnsupportedOperation):  # no file, so nothing is held for one
        descriptor = stream.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)
