"""Folders as tests look at them, and small disks to fill."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdem import storage


def contents(folder: Path) -> dict[str, bytes]:
    """Every byte under a folder, by path; not what it is held by."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != storage.LOCK_NAME
    }


@contextlib.contextmanager
def small_disk(path: Path, size: str, *, mapped: bool = False) -> Iterator[Path]:
    """A file system in memory of *size*, as mount(8) takes it.

    The test is skipped where this process may not mount, and for no other reason. What it leaves
    open there is an error.

    Args:
        mapped: processes that are on their way out may still map files there.
    """
    path.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", str(path)]
    mounted = subprocess.run(
        command, capture_output=True, check=False, text=True, env=os.environ | {"LC_ALL": "C"}
    )
    if mounted.returncode != 0:
        refused = ("superuser", "permission denied", "not permitted")
        assert any(word in mounted.stderr for word in refused), mounted.stderr
        pytest.skip(f"no right to mount a small disk: {mounted.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", *(["-l"] if mapped else []), str(path)], check=True)
