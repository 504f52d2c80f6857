"""Checks of what a run reads and writes: log folder, buckets, checkpoint, TensorBoard."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from holdem import machine, storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.cli.doctor_plan import Plan
from holdem.cli.doctor_report import Finding, failed, ok, warning
from holdem.cli.terminal import count
from holdem.errors import HoldemError
from holdem.game.tree import build_tree
from holdem.mccfr import checkpoint, costs
from holdem.mccfr.run import LOSSLESS
from holdem.mccfr.run_log import FigureFile
from holdem.mccfr.worker import bucket_counts_of
from holdem.storage import format_bytes
from holdem.types import STREETS

_SYNCS = 5
_SYNC_BYTES = 1 << 20
_SLOW_SYNC_SECONDS = 0.25
_CHUNK_WORDS = 1 << 22


def check_log_folder(plan: Plan) -> Finding:
    """The log folder can be written, has room for the run, and writes last."""
    with storage.scratch_folder(plan.logdir / "trial") as folder:
        seconds = statistics.median(_sync_seconds(folder) for _ in range(_SYNCS))
    space = machine.space(plan.logdir)
    found = (
        f"{plan.logdir}: {format_bytes(space.free)} free, 1 MB lasts after {1000 * seconds:.1f} ms"
    )
    figures: dict[str, object] = {
        "folder": plan.logdir,
        "free": space.free,
        "sync_seconds": seconds,
    }
    if not isinstance(plan.costs, HoldemError):
        held = costs.held(plan.costs, plan.run_folders)
        figures["wanted"] = wanted = plan.costs.disk_bytes - held
        found += f"; the run takes {format_bytes(plan.costs.disk_bytes)}"
        if held:
            found += f", {format_bytes(held)} of it there already"
        if wanted > space.free:
            return failed(
                found, "free some space, keep fewer checkpoints, or another --logdir", **figures
            )
    if seconds > _SLOW_SYNC_SECONDS:
        return warning(found, "checkpoints will take long: put --logdir on a local disk", **figures)
    return ok(found, **figures)


def _sync_seconds(folder: Path) -> float:
    """Return how long it takes until a megabyte would survive a power cut."""
    data = os.urandom(_SYNC_BYTES)  # some disks do not write zeros
    started = time.perf_counter()
    with storage.atomic_write(folder / "sync") as file:
        file.write(data)
    return time.perf_counter() - started


def check_tensorboard(plan: Plan) -> Finding:
    """Figures for TensorBoard can be written."""
    with storage.scratch_folder(plan.logdir / "trial") as folder:
        figures = FigureFile(folder / "tensorboard")
        figures.add(1, {"Doctor/One": 1.0})
        figures.close()
        written = sum(path.stat().st_size for path in (folder / "tensorboard").iterdir())
    if written == 0:
        return failed(
            "nothing was written", "train with --no-tensorboard, or reinstall tensorboardX"
        )
    return ok(f"{written} bytes written", bytes=written)


def check_buckets(plan: Plan) -> Finding | None:
    """The bucket set is whole, and fits the game."""
    if plan.buckets is None:
        return None
    started = time.perf_counter()
    bucketing = HandBucketing.load(plan.buckets)
    seconds = time.perf_counter() - started
    size = sum(table.nbytes for table in bucketing.tables)
    counts = ", ".join(
        f"{street} {number:,}"
        for street, number in zip(STREETS, bucketing.num_buckets, strict=False)
    )
    if plan.config_given:
        bucket_counts_of(plan.config.game, bucketing)
    return ok(
        f"{plan.buckets}: {counts}; {format_bytes(size)}, checksums right in {seconds:.1f} s",
        path=plan.buckets,
        fingerprint=bucketing.fingerprint,
        num_buckets=bucketing.num_buckets,
        bytes=size,
    )


def check_checkpoint(plan: Plan) -> Finding | None:
    """The checkpoint is whole, holds numbers, and belongs to the config if there is one."""
    if plan.checkpoint is None:
        return None
    path, _ = checkpoint.find(plan.checkpoint)
    folder = storage.read_folder(path, checkpoint.KIND)
    words, told = folder.arrays["table"], folder.metadata
    found = (
        f"{path}: iteration {told['iteration']:,}, {count(words.size / 2)} slots, "
        f"{format_bytes(words.nbytes)}, checksums right"
    )
    figures = {"path": path, "iteration": told["iteration"], "bytes": words.nbytes}
    bad = {name: _num_bad(array) for name, array in folder.arrays.items()}
    if any(bad.values()):
        texts = [f"{n:,} words of the {name} are no numbers" for name, n in bad.items() if n]
        return failed(
            "; ".join([found, *texts]), "resume from an older checkpoint of the run", **figures
        )
    if plan.config_given:
        _require_match(plan, path)
        found += ", of this config"
    return ok(found, **figures)


def _num_bad(words: npt.NDArray[np.float32]) -> int:
    """Return how many of the *words* are no numbers."""
    return sum(
        int((~np.isfinite(words[start : start + _CHUNK_WORDS])).sum())
        for start in range(0, words.size, _CHUNK_WORDS)
    )


def _require_match(plan: Plan, path: Path) -> None:
    """Raise a `MismatchError` unless the checkpoint *path* can be resumed by the config."""
    game, finer = plan.config.game, plan.config.responder_path
    if game.cards.kind == "one-card":
        fingerprint, counts = LOSSLESS, bucket_counts_of(game, None)
    elif plan.buckets is None:
        # Which set the run would take is not said; the tree is compared all the same.
        told = storage.read_metadata(path, checkpoint.KIND)
        fingerprint, counts = told["buckets_fingerprint"], tuple(told["bucket_counts"])
    else:
        bucketing = HandBucketing.load(plan.buckets, verify=False)
        fingerprint, counts = bucketing.fingerprint, bucket_counts_of(game, bucketing)
    cells = None if finer is None else HandBucketing.load(finer, verify=False).fingerprint
    found = checkpoint.load(path, build_tree(game, counts), fingerprint)
    found.require_opponent(plan.config.training, cells)
