"""Folders as tests look at them, and small disks to fill."""

import contextlib
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
def small_disk(path: Path, size: str) -> Iterator[Path]:
    """A file system in memory of *size*, as mount(8) takes it, or skip the test."""
    path.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", str(path)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small tmpfs takes root, and a container that may")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)
