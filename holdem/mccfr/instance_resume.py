"""From which checkpoint each instance of a run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdem import storage
from holdem.errors import MismatchError, StorageError
from holdem.machine import usable_cores
from holdem.mccfr import checkpoint
from holdem.mccfr.instance_plan import RunPlan, folder_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """Where an instance begins.

    Attributes:
        instance: its number.
        checkpoint: what it resumes; None to start afresh.
        iterations: done by then, of its own range.
        damaged: newer checkpoints that could not be read, and why.
        changes: laws of the resumed run that are others now.
        has_folder: whether there is a folder of checkpoints at all.
    """

    instance: int
    checkpoint: Path | None = None
    iterations: int = 0
    damaged: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    has_folder: bool = True


def beginnings(
    run: Path, instances: Sequence[int], plan: RunPlan, *, in_place: bool
) -> list[Beginning]:
    """Return where each of *instances* begins that resumes the run in *run*.

    Every checkpoint is verified before one is chosen, on all cores: in many gigabytes the
    wrong byte is to be found before anything starts. If the run goes on *in_place*, damaged
    ones are renamed, so that new ones can be written.

    Raises:
        MismatchError: a checkpoint is of other buckets or another tree, or of iterations
            that are not the instance's.
        StorageError: an instance has checkpoints, and none is whole.
    """
    with ThreadPoolExecutor(usable_cores()) as threads:
        return list(
            threads.map(lambda one: beginning(run, one, plan, in_place=in_place), instances)
        )


def beginning(run: Path, instance: int, plan: RunPlan, *, in_place: bool = True) -> Beginning:
    """Return where one instance begins; see `beginnings`."""
    folder = folder_of(run, instance) / "checkpoints"
    damaged: dict[Path, str] = {}
    for _, path in checkpoint.newest_first(folder):
        try:
            found = storage.read_metadata(path, checkpoint.KIND)
            _require_own(path, found, instance, plan)
            storage.read_folder(path, checkpoint.KIND)
        except StorageError as error:
            damaged[path] = str(error)
            continue
        for bad in damaged if in_place else ():
            storage.set_aside(bad, "damaged")
        return Beginning(
            instance=instance,
            checkpoint=path,
            iterations=int(found["iteration"]),
            damaged=tuple(damaged.values()),
            changes=tuple(checkpoint.changes(found["laws"], plan.config)),
        )
    if damaged:
        raise StorageError(
            f"no checkpoint of instance {instance} is whole: {'; '.join(damaged.values())}",
            f"restore one, or move {folder.parent} away to start this instance afresh",
        )
    return Beginning(instance=instance, has_folder=folder.is_dir())


def _require_own(path: Path, found: dict[str, Any], instance: int, plan: RunPlan) -> None:
    """Refuse a checkpoint that is not of this run, or not of this instance."""
    checkpoint.require_match(
        path,
        found,
        plan.config.num_players,
        plan.tree_fingerprint,
        plan.buckets_fingerprint,
    )
    start, end = plan.ranges[instance]
    ranges = checkpoint.ranges_of(found)
    done = int(found["iteration"])
    if ranges != ((start, start + done),) or (end is not None and start + done > end):
        wanted = f"{start + 1:,} to {end:,}" if end is not None else f"{start + 1:,} and later"
        raise MismatchError(
            f"{path} holds {' and '.join(map(checkpoint.range_text, ranges))}, and those of "
            f"instance {instance} are {wanted}",
            "resume the folder that the run left, as it left it",
        )
