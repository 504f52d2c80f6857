"""Mapped segments of shared memory, each with one owner.

The owner creates a segment and deletes it; workers only attach, so one that crashes
takes nothing with it. A segment is a file on a memory file system, not a
``multiprocessing.shared_memory``: before Python 3.13 a process that merely attaches to one
of those deletes it when it exits (python/cpython#82300).

An owner holds a lock on the file, which the system drops when the owner dies, however it
dies. Process numbers would not do: they are reused, and containers that share a folder
count their own. So a file whose lock is free has no owner and may be removed by whoever
takes the lock. A creator that loses the race between making its file and locking it
notices (the lock is taken, or the file is gone) and begins again under another name.

Invariant: nothing removes a segment whose owner is alive.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from holdem._core.mapping import HUGE_PAGE_BYTES, Mapping
from holdem.errors import ResourceError, StorageError
from holdem.machine import available_memory, space
from holdem.storage import format_bytes

FOLDER_VARIABLE = "HOLDEM_SHM_DIR"
"""The environment variable that names another folder than /dev/shm."""

_NAME = re.compile(r"holdem-(?P<uid>\d+)-\d+-[0-9a-f]{16}-[a-z0-9-]+")
_PURPOSE = re.compile(r"[a-z0-9][a-z0-9-]*")
_RESERVE_STEP = 256 << 20
_BLOCK_BYTES = 512  # of st_blocks, whatever the file system's own are

_FEWER_UPDATES = "use a smaller --batch-size or fewer --num-workers"
_SMALLER = {
    "table": "use fewer buckets or a smaller bet menu",
    "log": _FEWER_UPDATES,
    "control": _FEWER_UPDATES,
}
"""By purpose, what makes a segment smaller."""


def segment_folder() -> Path:
    """Return where segments are made: ``HOLDEM_SHM_DIR``, by default /dev/shm."""
    return Path(os.environ.get(FOLDER_VARIABLE) or "/dev/shm")


class Segment:
    """Zeroed memory that processes share. A context manager that ends with `remove`.

    Attributes:
        path: the file to attach to.
        num_bytes: its size.
        owned: whether this process created it. A forked child of the owner does not.
    """

    def __init__(self, path: Path, memory: Mapping, owner: _Owner | None) -> None:
        """For `create` and `attach`."""
        self.path = path
        self.num_bytes = len(memory)
        self._memory: Mapping | None = memory
        self._owner = owner

    @classmethod
    def create(
        cls, purpose: str, num_bytes: int, *, reserve: bool, folder: Path | None = None
    ) -> Segment:
        """Make a segment that this process owns, after removing what dead owners have left.

        It is gone when `remove` is called, when the segment is garbage or when the process
        exits, an exception included; if the process is killed, the next `create` or
        `remove_leaked` removes it.

        Args:
            purpose: part of the file's name: lower-case letters, digits and hyphens.
            num_bytes: at least 1.
            reserve: take the memory now, so that touching it cannot fail. Else pages are
                taken when first written to, and cost nothing before; when the folder is
                full by then, the process dies with SIGBUS. Other segments leave room for
                them (see `spoken_for`), other programs may not.
            folder: by default `segment_folder`.

        Raises:
            ResourceError: the folder is missing, cannot be written or has too little space,
                or there is too little memory. Nothing is left behind.
        """
        if not _PURPOSE.fullmatch(purpose):
            raise ValueError(f"not a purpose: {purpose!r} (lower-case letters, digits, hyphens)")
        if num_bytes < 1:
            raise ValueError(f"a segment has at least 1 byte, not {num_bytes}")
        folder = segment_folder() if folder is None else folder
        with _explained(folder, purpose, num_bytes):
            remove_leaked(folder)
            _require_space(folder, purpose, num_bytes)
            owner = _Owner.create(folder, purpose)
            try:
                os.ftruncate(owner.descriptor, num_bytes)
                segment = cls(owner.path, _map(owner.path), owner)
                if reserve:
                    segment._reserve(owner.descriptor)
            except BaseException:
                owner.remove()
                raise
        weakref.finalize(segment, owner.remove)  # also runs when the process exits
        return segment

    @classmethod
    def attach(cls, path: Path | str) -> Segment:
        """Map a segment that another process owns; this one never deletes it.

        Raises:
            StorageError: there is no such segment, or it cannot be opened.
        """
        try:
            return cls(Path(path), _map(Path(path)), None)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is empty"
            raise StorageError(
                f"cannot attach to the shared segment {path}: {reason}",
                "the run that made it has ended, or is still starting; start it again",
            ) from error

    @property
    def owned(self) -> bool:
        """Whether this process created the segment and has not removed it yet."""
        return self._owner is not None and self._owner.alive

    @property
    def bytes(self) -> memoryview:
        """All of it, writable."""
        return memoryview(self._mapping())

    def array(
        self, dtype: npt.DTypeLike, shape: int | tuple[int, ...], offset: int = 0
    ) -> npt.NDArray[Any]:
        """Return an array over part of the segment, which stays mapped as long as it lives.

        Args:
            dtype: of the array.
            shape: of the array, C order.
            offset: bytes from the start, a multiple of the dtype's alignment.

        Raises:
            ValueError: it does not fit, is not aligned, or the segment was removed.
        """
        kind = np.dtype(dtype)
        if offset < 0 or offset % kind.alignment:
            raise ValueError(f"offset {offset} is not a multiple of {kind.alignment}")
        wanted = offset + kind.itemsize * int(np.prod(shape, dtype=np.int64))
        if wanted > self.num_bytes:
            raise ValueError(f"the segment has {self.num_bytes} bytes, the array needs {wanted}")
        return np.ndarray(shape, kind, buffer=memoryview(self._mapping()), offset=offset)

    def remove(self) -> None:
        """Let go of the mapping, and delete the file if this process owns it.

        Arrays over it stay good; the memory is free when the last of them is gone in
        every process. A second call does nothing.
        """
        self._memory = None
        if self._owner is not None:
            self._owner.remove()

    def __enter__(self) -> Self:
        """Return the segment."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the segment."""
        self.remove()

    def _reserve(self, descriptor: int) -> None:
        memory = self._mapping()
        # One small page, and the system makes it a huge one: five times as fast as taking
        # the small pages one by one, and the walk over the table is faster for it.
        for start in _huge_pages(self.num_bytes):
            os.posix_fallocate(descriptor, start, 1)
            if not memory.collapse(start):
                break
        # In steps: a signal undoes only the step it falls into.
        for start in range(0, self.num_bytes, _RESERVE_STEP):
            os.posix_fallocate(descriptor, start, min(_RESERVE_STEP, self.num_bytes - start))

    def _mapping(self) -> Mapping:
        if self._memory is None:
            raise ValueError(f"the segment {self.path} was removed")
        return self._memory


def spoken_for(folder: Path | None = None) -> int:
    """Return how much of what is free in *folder* a new segment cannot have, in bytes.

    What living segments have yet to take; what the dead ones take counts against it, for
    they are removed first.
    """
    folder = segment_folder() if folder is None else folder
    dead = {leaked.path for leaked in _abandoned(folder)}
    total = 0
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if _NAME.fullmatch(path.name):
                with contextlib.suppress(FileNotFoundError):
                    about = path.lstat()
                    taken = _BLOCK_BYTES * about.st_blocks
                    total += -taken if path in dead else max(0, about.st_size - taken)
    return total


@dataclass(frozen=True, slots=True)
class Leaked:
    """A segment whose owner is dead."""

    path: Path
    num_bytes: int
    """Its size; pages that were never written take no memory."""
    age: float
    """Seconds since it was made; writing through a mapping may count anew."""


def find_leaked(folder: Path | None = None) -> list[Leaked]:
    """Return the segments of this user in *folder* that dead owners have left, by name."""
    return list(_abandoned(folder))


def remove_leaked(folder: Path | None = None) -> list[Leaked]:
    """Remove what `find_leaked` finds, and return it. What cannot be removed is left out."""
    removed = []
    for leaked in _abandoned(folder):
        # Names are random: what is unlinked is what is locked.
        with contextlib.suppress(OSError):
            leaked.path.unlink()
            removed.append(leaked)
    return removed


# -- the owner's side --------------------------------------------------------------------------


class _Owner:
    """A process's hold on its segment: the file's name and the lock."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self._process = os.getpid()
        _OWNERS.add(self)

    @classmethod
    def create(cls, folder: Path, purpose: str) -> _Owner:
        """Make an empty file and lock it."""
        while True:
            name = f"holdem-{os.getuid()}-{os.getpid()}-{secrets.token_hex(8)}-{purpose}"
            path = folder / name
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                if _try_lock(descriptor) and os.fstat(descriptor).st_nlink:
                    return cls(path, descriptor)
            except BaseException:
                path.unlink(missing_ok=True)
                os.close(descriptor)
                raise
            # Somebody took the new file for a leaked one, and has removed it or will.
            path.unlink(missing_ok=True)
            os.close(descriptor)

    @property
    def alive(self) -> bool:
        return self in _OWNERS and self._process == os.getpid()

    def remove(self) -> None:
        """Delete the file and drop the lock; nothing in a forked child or the second time."""
        if not self.alive:
            return
        try:
            _OWNERS.remove(self)
        except KeyError:  # another thread was first
            return
        # The lock last: a file without one would be somebody else's to remove.
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        os.close(self.descriptor)

    def forget(self) -> None:
        """Let go in a forked child, so that the lock is the parent's alone."""
        _OWNERS.discard(self)
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


_OWNERS: set[_Owner] = set()


def _forget_owners() -> None:
    # A lock belongs to the open file, which a fork shares: without this, a child that
    # outlives its killed parent would keep the segment from being found.
    for owner in list(_OWNERS):
        owner.forget()


os.register_at_fork(after_in_child=_forget_owners)


def _map(path: Path) -> Mapping:
    # Opened anew, also by the owner: a mapping keeps its open file, and a forked child keeps
    # the mapping. With the lock on that same open file, the child would hold the lock too.
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        return Mapping(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _huge_pages(num_bytes: int) -> range:
    """Return where the whole huge pages of a mapping begin."""
    return range(0, num_bytes - HUGE_PAGE_BYTES + 1, HUGE_PAGE_BYTES)


# -- finding what was left ---------------------------------------------------------------------


def _abandoned(folder: Path | None) -> Iterator[Leaked]:
    """Yield the leaked segments, each locked until the next is asked for."""
    folder = segment_folder() if folder is None else folder
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None or int(match["uid"]) != os.getuid():
            continue
        try:
            descriptor = os.open(folder / name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:  # removed meanwhile, or no file of ours
            continue
        try:
            about = os.fstat(descriptor)
            if (
                stat.S_ISREG(about.st_mode)
                and about.st_uid == os.getuid()
                and _try_lock(descriptor)
                and os.fstat(descriptor).st_nlink
            ):
                age = max(0.0, time.time() - about.st_mtime)
                yield Leaked(folder / name, about.st_size, age)
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    # flock, not lockf: the latter is dropped when the process closes any descriptor of
    # the file, as `_map` does.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# -- refusals ----------------------------------------------------------------------------------


def _require_space(folder: Path, purpose: str, num_bytes: int) -> None:
    others = spoken_for(folder)
    if num_bytes > space(folder).free - others:
        raise _no_space(folder, purpose, num_bytes)
    available = available_memory() - others
    if num_bytes > available:
        raise ResourceError(
            f"the shared segment for {purpose} takes {format_bytes(num_bytes)}; "
            f"{format_bytes(max(0, available))} of memory is available",
            _SMALLER.get(purpose, "end other programs"),
        )


def _no_space(folder: Path, purpose: str, num_bytes: int) -> ResourceError:
    about = space(folder)
    others = spoken_for(folder)
    taken = f", {format_bytes(others)} of it for other segments" if others > 0 else ""
    return ResourceError(
        f"{folder} has {format_bytes(about.free)} free of {format_bytes(about.total)}{taken}; "
        f"the shared segment for {purpose} takes {format_bytes(num_bytes)}",
        f"make it larger (docker run --shm-size=...; mount -o remount,size=... {folder}), "
        f"or set {FOLDER_VARIABLE} to a folder of a larger tmpfs"
        + (f", or {_SMALLER[purpose]}" if purpose in _SMALLER else ""),
    )


@contextlib.contextmanager
def _explained(folder: Path, purpose: str, num_bytes: int) -> Iterator[None]:
    """Turn what the system refuses into what a user can mend."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(folder, purpose, num_bytes) from error
        if error.errno == errno.EFBIG:
            raise ResourceError(
                f"the shared segment for {purpose} takes {format_bytes(num_bytes)}, "
                "and no file here may be so large",
                "raise the limit that ulimit -f shows",
            ) from error
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise ResourceError(
                f"too many open files to make a shared segment for {purpose}",
                "raise the limit that ulimit -n shows",
            ) from error
        if error.errno == errno.ENOMEM:
            raise ResourceError(
                f"the system refused {format_bytes(num_bytes)} of shared memory for {purpose}",
                "use a smaller table, or raise the limit that ulimit -v shows",
            ) from error
        raise ResourceError(
            f"no shared memory can be made in {folder}: {error.strerror}",
            f"mount a tmpfs there that this user can write to, or set {FOLDER_VARIABLE} to one",
        ) from error
