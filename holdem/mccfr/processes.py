"""How processes that help a run are started, and that they never outlive it.

Invariants. The start method is asked for by name and never set for the whole program. A
Ctrl-C, SIGTERM or SIGHUP to the whole group does not strike a process that is still starting.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any, Final

START_METHOD: Final = "spawn"
"""What is the default depends on the system and on Python's version."""

_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""NumPy's linear algebra starts a thread per core in each process, and workers never use it."""

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a run to end: Ctrl-C, another program, a terminal that closes."""

_PR_SET_PDEATHSIG = 1


def start_process(
    target: Callable[..., None],
    arguments: tuple[Any, ...],
    name: str,
    *,
    environment: Mapping[str, str] | None = None,
) -> SpawnProcess:
    """Start a process that does *target*, a function of a module, which calls `follow_parent`.

    It gets the *environment* on top of this process's own.

    Raises:
        OSError: the system allows no more processes, files or memory.
    """
    context = multiprocessing.get_context(START_METHOD)
    process = context.Process(target=target, args=arguments, name=name, daemon=True)
    with _environment(_ONE_THREAD | dict(environment or {})), signals_blocked():
        process.start()
    return process


def follow_parent(on_stop: Callable[[int, FrameType | None], None] | None = None) -> None:
    """In a process that was started: leave signals to the parent, and end when it does.

    *on_stop* handles a SIGTERM by which the parent asks for something. Without it, SIGTERM
    is ignored, and one that came while the process was starting is dropped.

    A Ctrl-C at the terminal reaches every process of the group, and so does SIGHUP when it
    closes; the parent coordinates. When it dies, by SIGKILL too, the system kills this process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if on_stop is None else on_stop)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        os._exit(1)  # it died before we could ask


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Let a process that is started begin with `STOP_SIGNALS` blocked.

    They reach the whole group, and would end it before it has come to ignore them.
    """
    # Starting the tracker, which the first process needs, would unblock them again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
