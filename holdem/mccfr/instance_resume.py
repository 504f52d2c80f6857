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
        passed: newer ones that go beyond its range, and what became of them.
        changes: laws of the resumed run that are others now.
        has_folder: whether there is a folder of checkpoints at all.
    """

    instance: int
    checkpoint: Path | None = None
    iterations: int = 0
    damaged: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    has_folder: bool = True


def beginnings(
    run: Path, instances: Sequence[int], plan: RunPlan, *, in_place: bool
) -> list[Beginning]:
    """Return where each of *instances* begins that resumes the run in *run*.

    Every checkpoint is verified before one is chosen, on all cores: in many gigabytes the
    wrong byte is to be found before anything starts. An instance that was trained by itself
    beyond its range, into that of the next, goes on from before that. If the run goes on
    *in_place*, damaged checkpoints and those beyond are renamed, so that new ones can be written.

    Raises:
        MismatchError: a checkpoint is of other buckets or another tree, or of iterations
            that are not the instance's; or all that are whole go beyond its range.
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
    passed: dict[Path, str] = {}
    for _, path in checkpoint.newest_first(folder):
        try:
            found = storage.read_metadata(path, checkpoint.KIND)
            if _goes_beyond(path, found, instance, plan):
                passed[path] = f"{path} holds {_held(found)}"
                continue
            storage.read_folder(path, checkpoint.KIND)
        except StorageError as error:
            damaged[path] = str(error)
            continue
        for bad in damaged if in_place else ():
            storage.set_aside(bad, "damaged")
        for beyond in passed:
            passed[beyond] += f", beyond the range of instance {instance}"
            if in_place:
                passed[beyond] += f", and is now {storage.set_aside(beyond, 'abandoned').name}"
        return Beginning(
            instance=instance,
            checkpoint=path,
            iterations=int(found["iteration"]),
            damaged=tuple(damaged.values()),
            passed=tuple(passed.values()),
            changes=tuple(checkpoint.changes(found["laws"], plan.config)),
        )
    if passed:
        raise MismatchError(
            f"{' and '.join(passed.values())}, and those of instance {instance} are "
            f"{_wanted(instance, plan)}",
            f"move {folder.parent} away, to start this instance afresh",
        )
    if damaged:
        raise StorageError(
            f"no checkpoint of instance {instance} is whole: {'; '.join(damaged.values())}",
            f"restore one, or move {folder.parent} away to start this instance afresh",
        )
    return Beginning(instance=instance, has_folder=folder.is_dir())


def _goes_beyond(path: Path, found: dict[str, Any], instance: int, plan: RunPlan) -> bool:
    """Whether a checkpoint holds more than the range of its instance.

    Raises:
        MismatchError: it is not of this run, or not of this instance.
    """
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
    if ranges != ((start, start + done),):
        raise MismatchError(
            f"{path} holds {_held(found)}, and those of instance {instance} are "
            f"{_wanted(instance, plan)}",
            "resume the folder that the run left, as it left it",
        )
    return end is not None and start + done > end


def _held(found: dict[str, Any]) -> str:
    return " and ".join(map(checkpoint.range_text, checkpoint.ranges_of(found)))


def _wanted(instance: int, plan: RunPlan) -> str:
    start, end = plan.ranges[instance]
    return f"{start + 1:,} to {end:,}" if end is not None else f"{start + 1:,} and later"
