"""Folders of arrays and small files on disk; the only module that writes files.

A folder is some ``.npy`` files and a ``metadata.json`` written last: the kind of
the folder, the format's version, shape, dtype and SHA-256 of each array, the
package version, and whatever its owner wants to remember. It holds no time stamp,
so that equal contents are equal bytes.

Invariants: a reader sees the old contents or the new, never half of them, even
after a power cut; what is read is what was written, or a `StorageError` says
what happened to it; nothing is ever unpickled, because that can run any code; a
folder that `holdem` did not write is never replaced or removed.

A write goes to a hidden temporary beside its goal, under a lock that the system
drops when the writer dies. So a temporary whose lock is free has no writer, and
the next write there cleans it away.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import errno
import fcntl
import hashlib
import io
import json
import logging
import mmap
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from holdem import __version__
from holdem.errors import ResourceError, StorageError

FORMAT = "holdem folder"
FORMAT_VERSION = 1
METADATA_NAME = "metadata.json"
LOCK_NAME = ".holdem-lock"
"""Of the file by which a process holds a folder; see `hold`."""

REMAKE = {
    "buckets": "make a bucket set with: holdem buckets --out PATH",
    "bucket stage": "remove it, and give the same command again: it will be made anew",
    "checkpoint": "make checkpoints with: holdem train --logdir PATH",
    "policy": "make a policy with: holdem train --logdir PATH",
    "subgame": "make a solution with: holdem solve --save PATH",
}
"""What to do for a good folder of each kind; other kinds get a general remedy."""

_TEMPORARY_MARK = ".holdem-tmp-"
_LOCK_MARK = ".lock"  # after the name of a temporary folder
# For writing, although nothing is written: network disks lock no folder and no file that is
# opened to be read.
_TO_LOCK = os.O_RDWR | os.O_CREAT
_CHUNK_BYTES = 4 << 20
_CHECKSUM_LINE = re.compile(rb'"checksum": "([0-9a-f]{64})"')
_NO_CHECKSUM = "0" * 64
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
# Protocols 2 to 5 begin with PROTO; 0 and 1 with a container or a class to look up.
_PICKLE_START = re.compile(rb"\x80[\x02-\x05]|\((?:dp|lp|t|d|l)|[\]}]q|c[\w.]+\n\w")

_WRITE_FAILURES = {
    errno.ENOSPC: ("the disk is full", "free some space or choose another disk"),
    errno.EDQUOT: ("your disk quota is used up", "free some space or choose another disk"),
    errno.EFBIG: ("the file is larger than allowed here", "see `ulimit -f` and the file system"),
    errno.EACCES: ("you may not write there", "choose a folder of your own, or mend its rights"),
    errno.EPERM: ("you may not write there", "choose a folder of your own, or mend its rights"),
    errno.EROFS: ("that file system is read-only", "choose a folder on another disk"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose another path"),
    errno.EEXIST: ("a file stands where a folder is wanted", "remove it or choose another path"),
    errno.EISDIR: ("a folder stands where a file is wanted", "remove it or choose another path"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter path"),
}

_READ_REMEDIES = {
    errno.ENOMEM: "end other programs, or raise the limit that ulimit -v shows",
}
"""Where it is not the file that is at fault."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of arrays as it was read.

    Attributes:
        path: where it lies.
        kind: what it is, such as ``buckets`` or ``checkpoint``.
        package_version: the version of `holdem` that wrote it.
        arrays: the arrays by name; read-only maps of the files unless ``mmap`` was off.
        metadata: what the writer gave, as JSON gives it back (tuples are lists).
    """

    path: Path
    kind: str
    package_version: str
    arrays: dict[str, np.ndarray[Any, Any]]
    metadata: dict[str, Any]


# -- small files -------------------------------------------------------------------------------


@contextlib.contextmanager
def atomic_write(path: Path | str) -> Iterator[IO[bytes]]:
    """Open *path* for writing; readers see the old bytes or the new, never half.

    If the body raises, *path* is left as it was. Missing parent folders are made. A device or a
    pipe, such as ``/dev/null``, is written to as it is: a file must not take its place.

    Raises:
        StorageError: *path* cannot be written, or the disk is full.
    """
    goal = Path(os.path.realpath(path))
    with contextlib.ExitStack() as stack:
        temporary = None
        with _writing(Path(path)):
            if _is_device(path):
                raw = _Named(path, path, closefd=True)
            else:
                goal.parent.mkdir(parents=True, exist_ok=True)
                clean_stale(goal.parent)
                temporary, descriptor = stack.enter_context(_temporary(goal, folder=False))
                raw = _Named(path, descriptor, closefd=False)
        file = stack.enter_context(io.BufferedWriter(raw))
        # What else goes wrong in the body is no fault of this file.
        yield file
        file.flush()
        if temporary is not None:
            with _writing(Path(path)):
                os.fsync(file.fileno())  # a rename can reach the disk before the bytes do
                temporary.replace(goal)
                _sync_folder(goal.parent)


def require_place(path: Path | str, beginning: bytes) -> None:
    """Refuse *path* for the file of some work, before the work, where the file cannot go.

    Args:
        beginning: of every such file: one that begins otherwise, a policy say, is not replaced.

    Raises:
        StorageError: something else is there, or nothing may be written there.
    """
    goal = Path(os.path.realpath(path))
    found = b""
    with _writing(Path(path)):
        if _is_device(path):
            return
        if goal.exists():
            with open(goal, "rb") as file:
                found = file.read(len(beginning))
    if found not in (b"", beginning):
        raise StorageError(
            f"{path} is there already and holds something else, so it is not replaced",
            "choose another path, or move it away",
        )
    make_folder(next(folder for folder in goal.parents if folder.exists()))


def write_text(path: Path | str, text: str) -> None:
    """Write *text* to *path* in UTF-8, all of it or nothing."""
    with atomic_write(path) as file:
        file.write(text.encode())


def write_json(path: Path | str, value: object) -> None:
    """Write *value* to *path* as readable JSON, all of it or nothing.

    NumPy scalars and arrays, paths and dataclasses are written as what they hold.
    """
    write_text(path, _json_text(value))


def read_json(path: Path | str, remedy: str = "restore the file") -> Any:
    """Return what the JSON file *path* holds.

    Args:
        remedy: what to do if it is not JSON.

    Raises:
        StorageError: *path* is missing, cannot be read or is not JSON.
    """
    return _parse_json(Path(path), _read_bytes(Path(path), "a JSON file"), remedy)


class _Named(io.FileIO):
    """A file that is only written; what cannot be is told with its name."""

    def __init__(self, path: Path | str, place: Path | str | int, *, closefd: bool) -> None:
        """Open *place*, which may be a descriptor, and call it *path*."""
        super().__init__(place, "wb", closefd)
        self._path = Path(path)

    def write(self, data: Any) -> int:
        """Write some of *data*."""
        with _writing(self._path):
            return super().write(data)


class _LogFile(logging.FileHandler):
    """Appends lines with their time; a line that cannot be written must not end a run."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop the line."""


def open_log(path: Path | str) -> logging.Handler:
    """Open *path* to append a run's log to; every line begins with its time.

    Raises:
        StorageError: *path* cannot be written.
    """
    with _writing(Path(path)):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(levelname)-7s  %(message)s"))
    return handler


class LineFile:
    """A text that grows by whole lines while others read it, such as the log of a match."""

    def __init__(self, path: Path | str, *, new: bool = False) -> None:
        """Open *path* to append to; *new* refuses a file that is there already.

        Raises:
            StorageError: it cannot be written, or is there and should not.
        """
        self.path = Path(path)
        if new and self.path.exists():
            raise StorageError(f"{path} is there already", "choose another name, or move it away")
        with _writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered, so that a line is in the file, whole, when write() is back.
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 (closed by close)

    def write(self, text: str) -> None:
        """Append *text* and the end of a line: all of it, or nothing.

        Raises:
            StorageError: it cannot be written.
        """
        with _writing(self.path):
            end = os.fstat(self._file.fileno()).st_size
            data = f"{text}\n".encode()
            try:
                while data:
                    data = data[self._file.write(data) :]
            except OSError:
                # Half a hand would make those before it unreadable too.
                with contextlib.suppress(OSError):
                    self._file.truncate(end)
                raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> LineFile:
        """Return itself."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Close the file."""
        self.close()


# -- folders of arrays -------------------------------------------------------------------------


def write_folder(
    path: Path | str,
    arrays: Mapping[str, np.ndarray[Any, Any]],
    metadata: Mapping[str, Any],
    *,
    kind: str,
) -> None:
    """Write *arrays* and *metadata* as the folder *path*, all of it or nothing.

    An older folder of `holdem` at *path* is replaced in one step; any other folder
    or file there is left alone and refused.

    Args:
        path: the folder to be; missing parents are made.
        arrays: by name (letters, digits, ``_``, ``-``, ``.``); any dtype but objects.
        metadata: what the owner wants to remember, as JSON holds it; NaN is refused.
        kind: what the folder is; `read_folder` must ask for the same.

    Raises:
        StorageError: *path* cannot be written, holds something foreign, or the disk is full.
        ValueError: an array holds objects or has a bad name, or *metadata* is not JSON.
    """
    for name, array in arrays.items():
        if not _ARRAY_NAME.fullmatch(name):
            raise ValueError(f"not a name for an array: {name!r}")
        if array.dtype.hasobject:
            raise ValueError(f"array {name!r} holds Python objects, which only a pickle could hold")
    goal = Path(os.path.realpath(path))
    with _writing(Path(path)):
        _refuse_foreign(goal)
        goal.parent.mkdir(parents=True, exist_ok=True)
        clean_stale(goal.parent)
        wanted = sum(array.nbytes for array in arrays.values())
        if wanted > free_bytes(goal.parent):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with _temporary(goal, folder=True) as (temporary, _):
            manifest = {
                name: _write_array(temporary / f"{name}.npy", array)
                for name, array in arrays.items()
            }
            _write_synced(temporary / METADATA_NAME, _manifest_text(kind, manifest, metadata))
            _sync_folder(temporary)
            _replace_folder(temporary, goal)
        _sync_folder(goal.parent)


def read_folder(path: Path | str, kind: str, *, mmap: bool = True, verify: bool = True) -> Folder:
    """Return the folder *path* after checking that it is what `write_folder` wrote.

    Args:
        path: the folder.
        kind: what it must be.
        mmap: map the arrays read-only, so that they cost no memory until they are
            touched and are shared between processes; else read them.
        verify: compare every byte with its SHA-256. Sizes, shapes and dtypes are
            checked in any case.

    Raises:
        StorageError: the folder is missing, half written, truncated, damaged,
            of another kind, of a newer version, not ours, or a pickle.
    """
    folder = Path(path)
    document = _read_manifest(folder, kind)
    arrays = {
        name: _read_array(folder, name, entry, kind, mmap=mmap, verify=verify)
        for name, entry in document["arrays"].items()
    }
    return Folder(folder, kind, document["package_version"], arrays, document["metadata"])


def forget_pages(array: np.ndarray[Any, Any]) -> None:
    """Let go of the memory of an array that `read_folder` mapped; it is read again when used."""
    if isinstance(array.base, mmap.mmap):
        array.base.madvise(mmap.MADV_DONTNEED)


def read_metadata(path: Path | str, kind: str) -> dict[str, Any]:
    """Return what the writer of the folder *path* remembered, without reading its arrays.

    Raises:
        StorageError: as `read_folder`, but the arrays are not looked at.
    """
    metadata: dict[str, Any] = _read_manifest(Path(path), kind)["metadata"]
    return metadata


def is_folder(path: Path | str, kind: str | None = None) -> bool:
    """Whether *path* is a folder that `write_folder` wrote (of *kind*, if given)."""
    manifest = Path(path) / METADATA_NAME
    with contextlib.suppress(OSError, ValueError, RecursionError):
        document = json.loads(manifest.read_bytes()) if manifest.is_file() else None
        if isinstance(document, dict) and document.get("format") == FORMAT:
            return kind is None or document.get("kind") == kind
    return False


def remove_folder(path: Path | str) -> None:
    """Remove a folder that `write_folder` wrote; it disappears in one step.

    Raises:
        StorageError: it is not one of ours, or it cannot be removed.
    """
    goal = Path(os.path.realpath(path))
    with _writing(Path(path)):
        if not goal.exists():
            return
        _refuse_foreign(goal)
        with _temporary(goal, folder=True) as (temporary, _):
            goal.rename(temporary / goal.name)


def set_aside(path: Path | str, why: str) -> Path:
    """Rename a folder, so that another can take its place; return its new name.

    Args:
        why: what is added to its name, such as ``"damaged"``.

    Raises:
        StorageError: it cannot be renamed.
    """
    goal = Path(path)
    aside, number = goal.with_name(f"{goal.name}.{why}"), 2
    while aside.exists():
        aside, number = goal.with_name(f"{goal.name}.{why}-{number}"), number + 1
    with _writing(goal):
        goal.rename(aside)
    return aside


# -- places ------------------------------------------------------------------------------------


def beside(path: Path | str, ending: str) -> Path:
    """Return the neighbour of *path* whose name is longer by *ending*; ``.`` has a name, too."""
    named = Path(path)
    if named.name in ("", ".."):
        named = named.resolve()
    return named.parent / f"{named.name}{ending}"


def make_folder(path: Path | str) -> Path:
    """Make the folder *path* with its parents if it is missing; prove that it can be written.

    Raises:
        StorageError: it cannot be made or written.
    """
    folder = Path(path)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        clean_stale(folder)
        with _temporary(folder / "probe", folder=False) as (_, descriptor):
            os.write(descriptor, b"\0" * 4096)
    return folder


@contextlib.contextmanager
def hold(folder: Path | str, what: str) -> Iterator[None]:
    """Be the only one who works on *what* in *folder*, for as long as this process lives.

    The lock is on a file in it, `LOCK_NAME`, which stays. Where the file system has no locks,
    nobody is kept out.

    Raises:
        StorageError: another process holds it.
    """
    with contextlib.ExitStack() as stack:
        with _writing(Path(folder)):
            descriptor = stack.enter_context(_opened(Path(folder) / LOCK_NAME, _TO_LOCK))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                f"another process is at work on {what} in {folder}",
                "wait for it to end, or stop it",
            ) from None
        except OSError:
            pass  # no locks here
        yield


@contextlib.contextmanager
def scratch_folder(path: Path | str) -> Iterator[Path]:
    """Make an empty folder beside *path*, which need not exist yet, for trials; then remove it.

    It lies in the nearest folder above *path* that is there. If this process dies, the
    next write there cleans it away.

    Raises:
        StorageError: nothing can be written there.
    """
    goal = Path(os.path.realpath(path))
    while not goal.parent.exists() and goal.parent != goal.parent.parent:
        goal = goal.parent
    with contextlib.ExitStack() as stack:
        with _writing(goal.parent):
            clean_stale(goal.parent)
            scratch, _ = stack.enter_context(_temporary(goal, folder=True))
        yield scratch


@contextlib.contextmanager
def folder_in_one_step(path: Path | str) -> Iterator[Path]:
    """Yield an empty folder that becomes *path* when the block ends well, and vanishes otherwise.

    What is at *path* before is replaced: whoever calls has made sure that it may be.

    Raises:
        StorageError: it cannot be written, or the disk is full.
    """
    goal = Path(os.path.realpath(path))
    with _writing(Path(path)):
        goal.parent.mkdir(parents=True, exist_ok=True)
        clean_stale(goal.parent)
        with _temporary(goal, folder=True) as (temporary, _):
            try:
                yield temporary
            except StorageError as error:
                raise StorageError(
                    str(error).replace(str(temporary), str(path)), error.remedy
                ) from error
            _sync_folder(temporary)
            _replace_folder(temporary, goal)
        _sync_folder(goal.parent)


def clean_stale(folder: Path | str) -> list[Path]:
    """Remove the temporaries in *folder* that dead writers left; return their paths."""
    removed = []
    with contextlib.suppress(OSError):
        for path in Path(folder).glob(f".*{_TEMPORARY_MARK}*"):
            # The lock of a folder is a file beside it.
            with contextlib.suppress(OSError), _opened(path, os.O_RDWR) as descriptor:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.name.endswith(_LOCK_MARK):
                    _remove(path.with_name(path.name.removesuffix(_LOCK_MARK)))
                _remove(path)
                removed.append(path)
    return removed


def free_bytes(path: Path | str) -> int:
    """Return how many bytes can be written at *path*, which need not exist yet."""
    place = Path(os.path.realpath(path))
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def require_free_space(path: Path | str, num_bytes: int, purpose: str) -> None:
    """Refuse early what cannot fit: *num_bytes* for *purpose* at *path*.

    Raises:
        ResourceError: less is free there.
    """
    free = free_bytes(path)
    if num_bytes > free:
        raise ResourceError(
            f"{purpose} needs {format_bytes(num_bytes)} at {path}; {format_bytes(free)} is free",
            "free some space, or choose a folder on another disk",
        )


def lacks_room(error: StorageError) -> bool:
    """Whether *error* says that the disk is full, or the share of it that one may use."""
    cause = error.__cause__
    while isinstance(cause, StorageError):
        cause = cause.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)


def format_bytes(num_bytes: float) -> str:
    """Return *num_bytes* as people write it: ``"277 MB"`` (a MB is 10^6 bytes)."""
    size = float(num_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(size) < 999.5:
            return f"{size:.0f} {unit}" if size >= 9.95 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


# -- temporaries -------------------------------------------------------------------------------


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say in two lines why *path* could not be written."""
    try:
        yield
    except OSError as error:
        reason, remedy = _WRITE_FAILURES.get(
            error.errno or 0, (error.strerror or str(error), "choose another path")
        )
        raise StorageError(f"cannot write {path}: {reason}", remedy) from error


@contextlib.contextmanager
def _opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Open *path* as a plain descriptor, honouring the umask where it is created."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _temporary(goal: Path, *, folder: bool) -> Iterator[tuple[Path, int]]:
    """Make a locked temporary beside *goal*; whatever is left of it at the end is removed.

    The lock of a folder is a file beside it, which is made first and removed last.
    """
    while True:
        # A system counts the bytes of a name, of which a character may be four.
        begun = os.fsencode(goal.name)[:100].decode("utf-8", "ignore")
        path = goal.parent / f".{begun}{_TEMPORARY_MARK}{secrets.token_hex(8)}"
        locked = path.with_name(path.name + _LOCK_MARK) if folder else path
        try:
            with _opened(locked, _TO_LOCK | os.O_EXCL) as descriptor:
                with contextlib.suppress(OSError):  # some network disks have no locks
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                # Between making and locking it, another writer may clean it away: again.
                if not locked.exists():
                    continue
                if folder:
                    path.mkdir()
                yield path, descriptor
            return
        finally:
            _remove(path)
            _remove(locked)


def _is_device(path: Path | str) -> bool:
    """Whether *path* is there, and neither a file nor a folder."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _replace_folder(temporary: Path, goal: Path) -> None:
    """Put *temporary* in the place of *goal* in one step; an old *goal* goes to *temporary*."""
    try:
        temporary.rename(goal)
        return
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    if not _exchange(temporary, goal):
        # A file system without exchange: two steps. Dying between them leaves the
        # old folder under a name that people see and nothing cleans away.
        old = goal.with_name(f"{goal.name}.old-{secrets.token_hex(4)}")
        goal.rename(old)
        temporary.rename(goal)
        _remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two paths atomically (Linux's renameat2); False where that cannot be done."""
    rename_exchange, at_cwd = 2, -100
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(renameat2(at_cwd, paths[0], at_cwd, paths[1], rename_exchange) == 0)


def _refuse_foreign(goal: Path) -> None:
    """Raise where replacing *goal* would destroy something that is not ours."""
    if not goal.exists() or is_folder(goal):
        return
    if goal.is_dir() and not any(goal.iterdir()):
        return
    what = "folder" if goal.is_dir() else "file"
    raise StorageError(
        f"{goal} is a {what} that holdem did not write, so it is not replaced",
        "choose another path, or move it away",
    )


def _sync_folder(path: Path) -> None:
    """Make the names in *path* durable, where the file system can."""
    with contextlib.suppress(OSError), _opened(path) as descriptor:
        os.fsync(descriptor)


# -- arrays and their manifest -----------------------------------------------------------------


class _Hashed:
    """A file that is only written, and the SHA-256 and size of what went into it."""

    def __init__(self, file: IO[bytes]) -> None:
        """Write through to *file*."""
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | memoryview) -> int:
        """Write all of *data*."""
        self.sha256.update(data)
        self._file.write(data)
        self.size += len(data)
        return len(data)


def _write_array(path: Path, array: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Write *array* in NumPy's format and return its entry of the manifest."""
    with open(path, "xb") as plain:
        file = _Hashed(plain)
        contiguous = np.ascontiguousarray(array).reshape(array.shape)
        header = np.lib.format.header_data_from_array_1_0(contiguous)
        np.lib.format.write_array_header_1_0(file, header)
        data = contiguous.reshape(-1).view(np.uint8).data
        for start in range(0, len(data), _CHUNK_BYTES):
            file.write(data[start : start + _CHUNK_BYTES])
        plain.flush()
        os.fsync(plain.fileno())
    return {
        "dtype": _dtype_text(array.dtype),
        "shape": list(array.shape),
        "bytes": file.size,
        "sha256": file.sha256.hexdigest(),
    }


def _write_synced(path: Path, text: str) -> None:
    with open(path, "xb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _dtype_text(dtype: np.dtype[Any]) -> str:
    """Return *dtype* as text: the byte order and, for records, the fields."""
    return str(np.lib.format.dtype_to_descr(dtype))


def _manifest_text(kind: str, arrays: dict[str, Any], metadata: Mapping[str, Any]) -> str:
    """Return the text of ``metadata.json``, which carries its own checksum."""
    document = {
        "format": FORMAT,
        "checksum": _NO_CHECKSUM,
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "package_version": __version__,
        "arrays": arrays,
        "metadata": metadata,
    }
    text = _json_text(document)
    start = text.index(_NO_CHECKSUM)
    checksum = _checksum_around(text.encode(), start, start + len(_NO_CHECKSUM))
    return text.replace(_NO_CHECKSUM, checksum, 1)


def _checksum_around(raw: bytes, start: int, stop: int) -> str:
    """Return the SHA-256 of a manifest but for the place of the checksum itself."""
    return hashlib.sha256(raw[:start] + raw[stop:]).hexdigest()


def _read_manifest(folder: Path, kind: str) -> dict[str, Any]:
    """Return the checked contents of ``metadata.json``."""
    remake = REMAKE.get(kind, f"choose a folder that holds: {kind}")
    if folder.is_file():
        _refuse_pickle(folder, remake)
        raise StorageError(f"{folder} is a file; wanted a folder of kind {kind}", remake)
    if not folder.exists():
        raise StorageError(f"{folder} does not exist; wanted a folder of kind {kind}", remake)
    path = folder / METADATA_NAME
    if not path.exists():
        if any(folder.glob("*.npy")):
            raise StorageError(
                f"{folder} is half written: it has arrays but no {METADATA_NAME}", remake
            )
        raise StorageError(f"{folder} is not a folder of kind {kind}: no {METADATA_NAME}", remake)
    if not path.is_file():  # to open a pipe would be to wait for whoever writes to it
        raise StorageError(f"{path} is no file; wanted a folder of kind {kind}", remake)
    raw = _read_bytes(path, f"the {METADATA_NAME} of kind {kind}")
    document = _parse_json(path, raw, remake)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise StorageError(
            f"{folder} was not written by holdem; wanted a folder of kind {kind}", remake
        )
    line = _CHECKSUM_LINE.search(raw)
    if line is None or _checksum_around(raw, *line.span(1)) != line[1].decode():
        raise StorageError(f"{path} is damaged: its checksum does not fit", remake)
    version = document["format_version"]
    if version != FORMAT_VERSION:
        raise StorageError(
            f"{folder} has format version {version}, and holdem {__version__} reads version "
            f"{FORMAT_VERSION}",
            f"use holdem {document['package_version']} or newer, or {remake}",
        )
    if document["kind"] != kind:
        raise StorageError(f"{folder} is of kind {document['kind']}, not {kind}", remake)
    return document


def _read_array(
    folder: Path, name: str, entry: dict[str, Any], kind: str, *, mmap: bool, verify: bool
) -> np.ndarray[Any, Any]:
    """Return one array after comparing the file with its *entry* of the manifest."""
    path = folder / f"{name}.npy"
    remake = REMAKE.get(kind, f"choose a folder that holds: {kind}")
    if path.exists() and not path.is_file():
        raise StorageError(f"{path} is no file", remake)
    try:
        # Opened once: what is checked is what is read, even if another run
        # replaces the folder in between.
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != entry["bytes"]:
                short = "truncated" if size < entry["bytes"] else "damaged"
                raise StorageError(f"{path} is {short}: {size} bytes, not {entry['bytes']}", remake)
            if verify and hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
                raise StorageError(f"{path} is damaged: its SHA-256 does not fit", remake)
            file.seek(0)
            array = _load_array(file, mmap=mmap)
    except FileNotFoundError:
        raise StorageError(f"{folder} is incomplete: {path.name} is missing", remake) from None
    except OSError as error:
        remedy = _READ_REMEDIES.get(error.errno or 0, remake)
        raise StorageError(f"cannot read {path}: {error.strerror or error}", remedy) from error
    except ValueError as error:  # NumPy's word for a header that it cannot read
        raise StorageError(f"{path} is damaged: {error}", remake) from error
    if list(array.shape) != entry["shape"] or _dtype_text(array.dtype) != entry["dtype"]:
        raise StorageError(
            f"{path} holds {_dtype_text(array.dtype)} of shape {array.shape}, not "
            f"{entry['dtype']} of shape {tuple(entry['shape'])}",
            remake,
        )
    return array


def _load_array(file: IO[bytes], *, mmap: bool) -> np.ndarray[Any, Any]:
    """Map or read the array in NumPy's format that *file* holds; never its objects."""
    array: np.ndarray[Any, Any]
    if mmap:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("not of version 1.0 of NumPy's format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        if 0 not in shape:  # a map of no bytes cannot be made
            return np.memmap(file, dtype, "r", offset=file.tell(), shape=shape)
        file.seek(0)
    array = np.lib.format.read_array(file, allow_pickle=False)
    array.flags.writeable = False
    return array


def _read_bytes(path: Path, wanted: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise StorageError(f"{path} does not exist; wanted {wanted}", "check the path") from None
    except OSError as error:
        raise StorageError(
            f"cannot read {path}: {error.strerror or error}", "check the path and its rights"
        ) from error


def _refuse_pickle(path: Path, remedy: str) -> None:
    """Raise if the file *path* begins as a pickle does."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        if _PICKLE_START.match(file.read(64)):
            raise StorageError(
                f"{path} is a pickle; loading one can run any code, so holdem never does", remedy
            )


def _parse_json(path: Path, data: bytes, remedy: str) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise StorageError(f"{path} is damaged: brackets in brackets, too deep", remedy) from None
    except ValueError as error:
        _refuse_pickle(path, remedy)
        raise StorageError(f"{path} is damaged or not JSON: {error}", remedy) from None


def _json_text(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)
    return text + "\n"


def _plain(value: object) -> object:
    """Return what JSON can hold in the place of *value*."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise ValueError(f"JSON has no place for a {type(value).__name__}: {value!r}")
