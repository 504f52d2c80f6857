"""A program that plays: started with the dealer's host and port, as in the competition.

It runs in a process group of its own, so that what it starts ends with it and Ctrl-C is the
caller's alone. Invariant: after `Program.close`, and so after the ``with`` block however that ends,
nothing of the group runs. What it prints is thrown away, but for the last line of its errors.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

from holdem.errors import ConfigError
from holdem.types import shell_word

__all__ = ["Program"]

_OWN_END_SECONDS = 2.0
"""How long it may take to end by itself when the match is over, and again once it is asked to."""
_LAST_LINE_SECONDS = 1.0
_PAUSE = 0.02
_LOOK = os.WEXITED | os.WNOHANG | os.WNOWAIT
_KEPT = 4_096  # bytes of its errors
_LONGEST_LINE = 200


class Program:
    """A program in a process of its own; use it in a ``with`` block.

    Attributes:
        path: what is started.
    """

    def __init__(self, path: Path) -> None:
        """Look whether *path* can be started.

        Raises:
            ConfigError: it is no file, or may not be executed.
        """
        if not path.exists():
            raise ConfigError(f"there is no program {path}", "give the path of one that is there")
        if not path.is_file():
            raise ConfigError(f"{path} is not a file", "give the path of a program")
        if not os.access(path, os.X_OK):
            raise ConfigError(f"{path} may not be executed", f"chmod +x {shell_word(path)}")
        self.path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._errors = b""
        self._ending = ""

    def start(self, host: str, port: int) -> None:
        """Start it with the dealer's address.

        Raises:
            ConfigError: the system cannot run it.
        """
        try:
            self._process = subprocess.Popen(
                [self.path.absolute(), host, str(port)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise ConfigError(
                f"{self.path} cannot be run: {error.strerror or error}",
                "a script needs a first line such as #!/bin/sh",
            ) from None
        assert self._process.stderr is not None  # a pipe was asked for
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stderr,), daemon=True
        )
        self._reader.start()

    def ending(self) -> str:
        """Return how it has ended, with the last line of its errors; empty while it runs."""
        if self._process is None or self._ending:
            return self._ending
        # Not waited for: as long as it is a zombie nobody else gets the number of its group.
        found = os.waitid(os.P_PID, self._process.pid, _LOOK)
        if found is not None:
            if found.si_code == os.CLD_EXITED:
                how = f"ended with status {found.si_status}"
            else:
                how = f"was ended by {signal.Signals(found.si_status).name}"
            line = self._last_line()
            self._ending = f"{how}: {line}" if line else how
        return self._ending

    def close(self, *, patience: float = 0.0) -> None:
        """End it and what it has started, after *patience* seconds in which it may end itself."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if not _ends_within(process.pid, patience):
                _signal(process.pid, signal.SIGTERM)
                _ends_within(process.pid, _OWN_END_SECONDS)
        finally:
            _signal(process.pid, signal.SIGKILL)
            process.wait()

    def __enter__(self) -> Program:
        """Return itself."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """End it; if all went well, let it end by itself."""
        self.close(patience=_OWN_END_SECONDS if kind is None else 0.0)

    def _read(self, errors: IO[bytes]) -> None:
        """Read what it says, since it would hang on a full pipe; keep the end."""
        with errors:
            while data := os.read(errors.fileno(), 1 << 16):
                self._errors = (self._errors + data)[-_KEPT:]

    def _last_line(self) -> str:
        assert self._reader is not None  # it was started
        self._reader.join(_LAST_LINE_SECONDS)
        lines = self._errors.decode("utf-8", "replace").split("\n")
        printable = ("".join(c for c in line if c.isprintable()).strip() for line in lines)
        *_, last = ("", *filter(None, printable))
        return last[:_LONGEST_LINE]


def _ends_within(pid: int, seconds: float) -> bool:
    """Wait for the process *pid* to end, and leave it a zombie; return whether it has."""
    end = time.monotonic() + seconds
    while os.waitid(os.P_PID, pid, _LOOK) is None:
        if time.monotonic() >= end:
            return False
        time.sleep(_PAUSE)
    return True


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
