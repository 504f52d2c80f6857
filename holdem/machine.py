"""What this machine lets this process use: cores, memory, space, limits. Facts only.

Every function that reads ``/proc`` or ``/sys`` takes the *root* they are under, so that
tests bring machines of their own. What a system does not tell is None, never a guess.

A process may be in control groups nested in each other, of version 1 (a tree per
resource), 2 (one tree) or both; the tightest limit on the way to the root holds.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

try:
    import resource
except ImportError:  # not on Windows, which has no such limits either
    resource = None  # type: ignore[assignment]

ROOT = Path("/")
"""Where ``proc`` and ``sys`` are."""

# Version 1 says "no limit" by the largest multiple of a page that 63 bits hold.
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Cores:
    """How many cores there are, by whoever limits them."""

    machine: int
    affinity: int
    """Cores that this process may be scheduled on."""
    quota: float | None
    """Cores' worth of time that its control group gets; None for no limit."""

    @property
    def usable(self) -> int:
        """Processes that can really run at once, at least 1."""
        # Rounded down: with half a core more, one of the workers would be stopped for half
        # of the time, and all others would wait for it at the end of every batch.
        quota = self.machine if self.quota is None else int(self.quota)
        return max(1, min(self.machine, self.affinity, quota))


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Memory in bytes, as the system and the control groups count it."""

    total: int
    available: int
    """Of the whole machine, without swapping."""
    group_limit: int | None
    """Of the tightest control group; None for no limit."""
    group_used: int | None
    """Of `group_limit`, without files that can be dropped and read again."""

    @property
    def usable(self) -> int:
        """What this process may still take."""
        if self.group_limit is None or self.group_used is None:
            return self.available
        return max(0, min(self.available, self.group_limit - self.group_used))


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """A file system, in bytes."""

    total: int
    free: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How many of something this process may have; None for no limit."""

    soft: int | None
    """What holds now."""
    hard: int | None
    """What `soft` may be raised to."""
    used: int

    @property
    def left(self) -> int | None:
        """How many more; None for no limit."""
        return None if self.soft is None else max(0, self.soft - self.used)


@dataclass(frozen=True, kw_only=True, slots=True)
class Processor:
    """What the processor is."""

    model: str
    features: frozenset[str]
    """Instruction sets by the names of ``/proc/cpuinfo``; empty if they are not told."""


# -- cores -------------------------------------------------------------------------------------


def cores(root: Path = ROOT) -> Cores:
    """Return how many cores there are for this process."""
    machine = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    return Cores(machine=machine, affinity=affinity, quota=_quota(root))


def usable_cores(root: Path = ROOT) -> int:
    """Return how many processes can really run at once, at least 1."""
    return cores(root).usable


def _quota(root: Path) -> float | None:
    """Return the cores' worth of time of the tightest control group."""
    quotas = []
    for folder in _groups(root, "cpu"):
        words = _read(folder / "cpu.max").split()
        if not words:
            names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            words = [word for name in names for word in _read(folder / name).split()]
        quota, period = (_number(word) for word in (*words, "", "")[:2])
        if quota is not None and period:  # "max" and -1 mean no limit
            quotas.append(quota / period)
    return min(quotas, default=None)


# -- memory ------------------------------------------------------------------------------------


def memory(root: Path = ROOT) -> Memory:
    """Return how much memory there is for this process."""
    lines = _table(root / "proc/meminfo")
    if "MemTotal" in lines and "MemAvailable" in lines:
        total, available = (1024 * lines[name] for name in ("MemTotal", "MemAvailable"))
    else:
        told = psutil.virtual_memory()
        total, available = int(told.total), int(told.available)
    # The tightest group is the one that leaves the least, not the one of the lowest limit.
    limit, used = min(
        _memory_groups(root), key=lambda pair: pair[0] - pair[1], default=(None, None)
    )
    return Memory(total=total, available=available, group_limit=limit, group_used=used)


def available_memory(root: Path = ROOT) -> int:
    """Return how many bytes this process may still take, a container's limit included."""
    return memory(root).usable


def _memory_groups(root: Path) -> Iterator[tuple[int, int]]:
    """Yield limit and use of every control group that has a limit."""
    for folder in _groups(root, "memory"):
        for limit_name, used_name, inactive_name in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, used = _number(_read(folder / limit_name)), _number(_read(folder / used_name))
            if limit is not None and used is not None and limit < _NO_LIMIT:
                # Cached files count as used, but go when memory is wanted.
                inactive = _table(folder / "memory.stat").get(inactive_name, 0)
                yield limit, max(0, used - inactive)


# -- space and limits --------------------------------------------------------------------------


def space(path: Path) -> Space:
    """Return the size of the file system of *path*, which need not exist yet."""
    place = Path(os.path.realpath(path))
    while not place.is_dir() and place != place.parent:
        place = place.parent
    usage = shutil.disk_usage(place)
    return Space(total=usage.total, free=usage.free)


def address_space(root: Path = ROOT) -> Limit:
    """Return how many bytes this process may map, touched or not."""
    soft, hard = _resource_limit("RLIMIT_AS")
    used = _table(root / "proc/self/status").get("VmSize", 0)
    return Limit(soft=soft, hard=hard, used=1024 * used)


def open_files() -> Limit:
    """Return how many files this process may have open."""
    soft, hard = _resource_limit("RLIMIT_NOFILE")
    return Limit(soft=soft, hard=hard, used=psutil.Process().num_fds())


def processes(root: Path = ROOT) -> Limit:
    """Return how many processes and threads may run beside this one.

    The smaller of what the user may have (root has no limit) and what the control
    groups may.
    """
    limits = [_user_processes(root)]
    for folder in _groups(root, "pids"):
        most, used = _number(_read(folder / "pids.max")), _number(_read(folder / "pids.current"))
        if most is not None and used is not None:
            limits.append(Limit(soft=most, hard=most, used=used))
    return min(limits, key=lambda limit: float("inf") if limit.left is None else limit.left)


def _user_processes(root: Path) -> Limit:
    soft, hard = _resource_limit("RLIMIT_NPROC")
    user = os.getuid() if hasattr(os, "getuid") else None
    if user == 0:
        soft = hard = None
    used = 0
    for status in (root / "proc").glob("[0-9]*/status"):
        lines = _lines(_read(status))
        if lines.get("Uid", "").split()[:1] == [str(user)]:
            used += _number(lines.get("Threads", "")) or 1
    return Limit(soft=soft, hard=hard, used=used)


def _resource_limit(name: str) -> tuple[int | None, int | None]:
    if not hasattr(resource, name):
        return None, None
    soft, hard = resource.getrlimit(getattr(resource, name))
    unlimited = resource.RLIM_INFINITY
    return None if soft == unlimited else soft, None if hard == unlimited else hard


def start_methods() -> tuple[str, ...]:
    """Return the ways in which Python can start processes here, its default first."""
    return tuple(multiprocessing.get_all_start_methods())


# -- processor ---------------------------------------------------------------------------------


def processor(root: Path = ROOT) -> Processor:
    """Return the model and the instruction sets of the first processor."""
    lines = _lines(_read(root / "proc/cpuinfo").split("\n\n", 1)[0])
    model = lines.get("model name") or platform.processor() or platform.machine()
    return Processor(model=model, features=frozenset(lines.get("flags", "").split()))


# -- reading the system ------------------------------------------------------------------------


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups for *controller*, innermost first."""
    mounted = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number == "0" and not controllers:
            tops = [mounted, mounted / "unified"]
        elif controller in controllers.split(","):
            tops = [mounted / controllers, mounted / controller]
        else:
            continue
        top = next((one for one in reversed(tops) if one.is_dir()), None)
        if top is None:
            continue
        # A container sees its own group as the root of the mount, and may still be told
        # the path that the host knows it by: what is not there is passed over.
        inside = Path(path.lstrip("/"))
        if ".." in inside.parts:
            inside = Path()
        for part in (inside, *inside.parents):
            if (top / part).is_dir():
                yield top / part


def _read(path: Path) -> str:
    """Return the text of *path*; nothing if it is not there or not for us."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _lines(text: str) -> dict[str, str]:
    """Return the values of lines such as ``model name : Zuse Z3``."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def _table(path: Path) -> dict[str, int]:
    """Return the numbers of lines such as ``MemTotal:  100 kB`` or ``inactive_file 100``."""
    rows = (line.replace(":", " ").split() for line in _read(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def _number(text: str) -> int | None:
    """Return a count; None for ``"max"``, what is below 0 and what is no number."""
    word = text.strip()
    return int(word) if word.isdigit() else None
