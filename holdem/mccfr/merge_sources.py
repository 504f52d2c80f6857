"""What is added when runs are merged: which checkpoint of each, and which runs not at all.

Invariant: no iteration is in a selection twice. A run that another one went on from is left
out, because its sums are in the other's already; runs whose iterations overlap otherwise are
refused, and so are those whose tables mean different things.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdem import storage
from holdem.errors import MismatchError, StorageError
from holdem.game.tree import BettingTree, build_tree
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import game_from
from holdem.mccfr.checkpoint import Checkpoint, Range
from holdem.mccfr.instance_plan import RunPlan, existing_instances, folder_of, is_run


@dataclass(eq=False, slots=True)
class Source:
    """A run that is to be added, and its checkpoints.

    Attributes:
        name: what messages call it: ``"instance 3 of runs/big"``.
        heads: its checkpoints, newest first, with what their manifests say.
    """

    name: str
    heads: list[tuple[Path, dict[str, Any]]]

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The iterations of its newest checkpoint."""
        return checkpoint.ranges_of(self.heads[0][1])


@dataclass(frozen=True, slots=True)
class Part:
    """One checkpoint of a sum, whole and verified.

    Attributes:
        name: of its `Source`.
        checkpoint: its table is mapped, not read.
    """

    name: str
    checkpoint: Checkpoint


@dataclass(slots=True)
class Selection:
    """What will be added.

    Attributes:
        tree: what all parts were trained on.
        buckets_fingerprint: of the buckets they were trained with.
        parts: in the order in which they are added, which is that of their iterations
            and not that in which they were named.
        notes: what was left out or found damaged, a sentence each.
    """

    tree: BettingTree
    buckets_fingerprint: str
    parts: list[Part]
    notes: list[str] = field(default_factory=list)

    @property
    def ranges(self) -> tuple[Range, ...]:
        """All iterations that are added, as a checkpoint keeps them."""
        return tuple(sorted(range_ for part in self.parts for range_ in part.checkpoint.ranges))

    @property
    def iterations(self) -> int:
        """How many they are."""
        return sum(part.checkpoint.iteration for part in self.parts)


def select(runs: Sequence[Path], instances: Collection[int] | None = None) -> Selection:
    """Return the newest whole checkpoint of each run and instance, and what was left out.

    A checkpoint that is damaged is named, and the one before it taken. Every byte of what
    is selected has been verified.

    Args:
        runs: each a run of many instances, a plain run, or one checkpoint. A run of many
            instances may be spread over several folders, or lack some.
        instances: which ones to take; None for all that are there.

    Raises:
        MismatchError: trees, buckets or algorithms differ, or iterations overlap; the
            message names both runs.
        StorageError: a run is missing or holds no whole checkpoint, or an instance was
            named and has none.
    """
    sources, notes = _find_sources(runs, instances)
    opened: dict[Path, Checkpoint] = {}
    while True:
        # All that manifests can tell comes before reading gigabytes to verify them.
        chosen = sorted(sources, key=lambda source: (source.ranges, source.name))
        _refuse_responder(chosen[0])
        for other in chosen[1:]:
            _refuse_mixture(chosen[0], other)
        chosen, left_out = _without_earlier_states(chosen)
        _refuse_overlaps(chosen)
        first = chosen[0].heads[0][1]
        tree = build_tree(game_from(first["game"]), first["bucket_counts"])
        damaged = False
        for source in chosen:
            path = source.heads[0][0]
            try:
                if path not in opened:
                    opened[path] = checkpoint.load(path, tree, first["buckets_fingerprint"])
            except StorageError as error:
                if len(source.heads) == 1:
                    raise
                source.heads.pop(0)
                notes.append(f"not used: {error}; {source.heads[0][0].name} instead")
                damaged = True
        if not damaged:
            notes += left_out
            parts = [Part(source.name, opened[source.heads[0][0]]) for source in chosen]
            return Selection(tree, first["buckets_fingerprint"], parts, notes)


# -- what is there -----------------------------------------------------------------------------


def _find_sources(
    runs: Sequence[Path], instances: Collection[int] | None
) -> tuple[list[Source], list[str]]:
    """Return what can be added of *runs*, and notes on what is not there."""
    sources: list[Source] = []
    notes: list[str] = []
    found: set[int] = set()
    for run in runs:
        of_run = existing_instances(run)
        if not of_run:
            paths = [run]
            if not storage.is_folder(run, checkpoint.KIND):
                # Without any, `find` says what is wrong.
                paths = _newest_first(checkpoint.folder_in(run)) or [checkpoint.find(run)]
            source = _source(str(run), paths, notes)
            if source.heads:
                sources.append(source)
            else:
                notes.append(f"{run} has done no iteration yet")
        for instance in of_run:
            if instances is not None and instance not in instances:
                continue
            paths = _newest_first(folder_of(run, instance) / "checkpoints")
            source = _source(f"instance {instance} of {run}", paths, notes)
            if source.heads:
                found.add(instance)
                sources.append(source)
            else:
                notes.append(f"{source.name} has no checkpoint yet")
    if instances is None:
        notes += _not_here(runs)
    missing = sorted(set(instances or ()) - found)
    if missing:
        raise StorageError(
            f"no checkpoint of instance {', '.join(map(str, missing))} in "
            f"{', '.join(map(str, runs))}",
            "leave it out of --instances, or name the folder it is in too",
        )
    if not sources:
        raise StorageError(
            f"no instance in {', '.join(map(str, runs))} has a checkpoint yet",
            "wait for the first, or make them more often with --snapshot-interval",
        )
    return sources, notes


def _newest_first(folder: Path) -> list[Path]:
    return [path for _, path in checkpoint.newest_first(folder)]


def _not_here(runs: Sequence[Path]) -> list[str]:
    """Note the instances that ``run.json`` speaks of and that none of *runs* has a folder of."""
    plans = [RunPlan.read(run) for run in runs if is_run(run)]
    total = max((plan.num_instances for plan in plans), default=0)
    here = {instance for run in runs for instance in existing_instances(run)}
    absent = [str(instance) for instance in range(total) if instance not in here]
    if not absent:
        return []
    return [f"{len(absent)} of {total} instances are not here: {', '.join(absent)}"]


def _source(name: str, paths: Sequence[Path], notes: list[str]) -> Source:
    """Return the checkpoints at *paths* that can be told something of, and note the others."""
    heads = []
    for path in paths:
        try:
            found = storage.read_metadata(path, checkpoint.KIND)
        except StorageError as error:
            notes.append(f"not used: {error}")
            continue
        if found["iteration"] > 0:
            heads.append((path, found))
    return Source(name, heads)


# -- what does not add up ----------------------------------------------------------------------

_MUST_AGREE = {
    "num_players": "the number of players",
    "tree_fingerprint": "the betting tree",
    "buckets_fingerprint": "the buckets",
}


def _refuse_responder(source: Source) -> None:
    """Refuse a table that was trained against a responder: the sum would have none."""
    if source.heads[0][1]["laws"].get("opponent") == "responder":
        raise MismatchError(
            f"{source.name} was trained against a responder, and responders do not add up",
            "train one run longer, with more threads: holdem train --resume-from PATH",
        )


def _refuse_mixture(one: Source, other: Source) -> None:
    """Refuse tables whose rows mean different things, or were summed by different laws."""
    mine, theirs = one.heads[0][1], other.heads[0][1]
    for key, what in _MUST_AGREE.items():
        if mine[key] != theirs[key]:
            raise MismatchError(
                f"{one.name} and {other.name} cannot be added, because {what} differ: "
                f"{str(mine[key])[:12]} and {str(theirs[key])[:12]}",
                "merge runs of one game, one bet menu and one bucket set",
            )
    laws = [
        f"{key} {mine['laws'].get(key)} and {theirs['laws'].get(key)}"
        for key in sorted({*mine["laws"], *theirs["laws"]})
        if mine["laws"].get(key) != theirs["laws"].get(key)
    ]
    if laws:
        raise MismatchError(
            f"{one.name} and {other.name} cannot be added, because they were trained by "
            f"different rules: {'; '.join(laws)}",
            "merge instances of one run, or runs of one config and one seed",
        )


def _without_earlier_states(sources: Sequence[Source]) -> tuple[list[Source], list[str]]:
    """Return *sources* without those that others went on from, and what was left out.

    The same beginning with the same seed is the same training, iteration by iteration,
    as far as the shorter one goes.
    """
    by_length = sorted(sources, key=lambda source: int(source.heads[0][1]["iteration"]))
    notes = []
    for source in tuple(by_length):
        others = [other for other in reversed(by_length) if other is not source]
        heirs = [
            next((other.name for other in others if _has_begun(one, other.ranges)), None)
            for one in source.ranges
        ]
        names = dict.fromkeys(name for name in heirs if name is not None)
        if None not in heirs:
            by_length.remove(source)
            notes.append(f"{source.name} is left out: {' and '.join(names)} went on from it")
    return [source for source in sources if source in by_length], notes


def _has_begun(one: Range, others: Sequence[Range]) -> bool:
    """Whether one of *others* starts with the iterations of *one*."""
    return any(one[0] == first and one[1] <= end for first, end in others)


def _refuse_overlaps(sources: Sequence[Source]) -> None:
    """Refuse iterations that two sources did: they are in order of their first ones."""
    done = sorted((range_, source.name) for source in sources for range_ in source.ranges)
    for (before, one), (after, other) in itertools.pairwise(done):
        if after[0] < before[1]:
            common = (after[0], min(before[1], after[1]))
            raise MismatchError(
                f"{one} and {other} both did {checkpoint.range_text(common)}: "
                "their sum would count these twice",
                "leave one of them out, with --instances or by naming other runs",
            )
