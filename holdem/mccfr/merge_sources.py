"""What is added when runs are merged: which checkpoint of each, and which runs not at all.

Invariant: no iteration is in a selection twice. A run that others hold all of is left out: an
earlier state of one, the parts of a merge or their merge, a copy. Runs whose iterations overlap
otherwise are refused, and so are those whose tables mean different things.

Who holds what is told by states: ranges that a table holds as a plain run left them, which did
them from the first to the last by one set of laws. The same seed and laws are the same training,
so a longer state holds each shorter one that begins where it does. A merge holds those of its
parts, as ``merge.json`` says; what it was trained on afterwards is no plain run's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from holdem import storage
from holdem.errors import MismatchError, StorageError
from holdem.game.tree import BettingTree, build_tree
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import game_from
from holdem.mccfr.checkpoint import Checkpoint, Range
from holdem.mccfr.instance_plan import RunPlan, existing_instances, folder_of, is_run

RECORD_NAME = "merge.json"
RECORD_FORMAT = "holdem merge"


@dataclass(eq=False, slots=True)
class Source:
    """A run that is to be added, and its checkpoints.

    Attributes:
        name: what messages call it: ``"instance 3 of runs/big"``.
        look: lists its checkpoints, newest first.
        heads: those of them that can be told something of, with what their manifests say.
        notes: on the others.
    """

    name: str
    look: Callable[[], Sequence[Path]]
    heads: list[tuple[Path, dict[str, Any]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.look_again()

    def look_again(self) -> None:
        """Read what is there now."""
        gone = True
        while gone:  # a run that is being trained has removed one meanwhile
            self.heads, self.notes, gone = [], [], False
            # A folder whose only checkpoint is replaced while it is listed looks empty.
            for path in self.look() or self.look():
                try:
                    found = storage.read_metadata(path, checkpoint.KIND)
                except StorageError as error:
                    gone = gone or not path.exists()
                    self.notes.append(f"not used: {error}")
                    continue
                if found["iteration"] > 0:
                    self.heads.append((path, found))

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The iterations of its newest checkpoint."""
        return checkpoint.ranges_of(self.heads[0][1])

    @property
    def states(self) -> tuple[Range, ...]:
        """Those of them that a plain run did, from the first to the last; see the module."""
        path, found = self.heads[0]
        folder = checkpoint.run_of(path)
        if (folder / RECORD_NAME).is_file():
            return _recorded_states(folder)
        # Resumed by other laws, such as another seed, it is not what one plain run does.
        plain = len(self.ranges) == 1 and "earlier_laws" not in found
        return self.ranges if plain else ()


@dataclass(frozen=True, slots=True)
class Part:
    """One checkpoint of a sum, whole and verified.

    Attributes:
        name: of its `Source`.
        checkpoint: its table is mapped, not read.
        states: of its `Source`.
    """

    name: str
    checkpoint: Checkpoint
    states: tuple[Range, ...]


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
    def states(self) -> tuple[Range, ...]:
        """Those of them that plain runs did; see the module."""
        return tuple(sorted(state for part in self.parts for state in part.states))

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
        chosen, left_out = _without_those_that_others_hold(chosen)
        _refuse_overlaps(chosen)
        first = chosen[0].heads[0][1]
        tree = build_tree(game_from(first["game"]), first["bucket_counts"])
        if all(_is_open(source, opened, tree) for source in chosen):
            for source in sources:
                notes += source.notes
            parts = [Part(one.name, opened[one.heads[0][0]], one.states) for one in chosen]
            return Selection(tree, first["buckets_fingerprint"], parts, notes + left_out)


def _is_open(source: Source, opened: dict[Path, Checkpoint], tree: BettingTree) -> bool:
    """Whether the newest checkpoint of *source* is among the *opened* or can be.

    If not, the source has another one afterwards: what a run that is being trained has put in
    its place, or the one before it if it is damaged.

    Raises:
        StorageError: it is damaged, and there is no other.
    """
    path, found = source.heads[0]
    try:
        if path not in opened:
            opened[path] = checkpoint.load(path, tree, found["buckets_fingerprint"])
        if opened[path].ranges == source.ranges:
            return True
        del opened[path]
    except StorageError as error:
        if _is_still(path, found):
            if len(source.heads) == 1:
                raise
            source.heads.pop(0)
            source.notes.append(f"not used: {error}; {source.heads[0][0].name} instead")
            return False
    source.look_again()
    if not source.heads:
        raise StorageError(
            f"{source.name} had checkpoints a moment ago and has none any more",
            "merge again when nobody removes them",
        )
    return False


def _is_still(path: Path, found: dict[str, Any]) -> bool:
    """Whether the checkpoint *path* is still that whose manifest says *found*."""
    try:
        return storage.read_metadata(path, checkpoint.KIND) == found
    except StorageError:
        return False


# -- what is there -----------------------------------------------------------------------------


def _find_sources(
    runs: Sequence[Path], instances: Collection[int] | None
) -> tuple[list[Source], list[str]]:
    """Return what can be added of *runs*, and notes on what is not there."""
    sources: list[Source] = []
    notes: list[str] = []
    found: set[int] = set()
    for run in _each_once(runs, notes):
        of_run = existing_instances(run)
        if not of_run:
            source = Source(str(run), partial(_checkpoints_of, run))
            if source.heads:
                sources.append(source)
            else:
                notes += [*source.notes, f"{run} has done no iteration yet"]
        for instance in of_run:
            if instances is not None and instance not in instances:
                continue
            folder = folder_of(run, instance) / "checkpoints"
            source = Source(f"instance {instance} of {run}", partial(_newest_first, folder))
            if source.heads:
                found.add(instance)
                sources.append(source)
            else:
                notes += [*source.notes, f"{source.name} has no checkpoint yet"]
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


def _each_once(runs: Sequence[Path], notes: list[str]) -> list[Path]:
    """Return *runs* without those that were named before."""
    first: dict[Path, Path] = {}
    for run in runs:
        if run.resolve() in first:
            notes.append(f"{run} is named twice")
        first.setdefault(run.resolve(), run)
    return list(first.values())


def _newest_first(folder: Path) -> list[Path]:
    return [path for _, path in checkpoint.newest_first(folder)]


def _checkpoints_of(run: Path) -> list[Path]:
    """Return the checkpoint *run*, or those of the plain run in *run*.

    Raises:
        StorageError: there is none.
    """
    if storage.is_folder(run, checkpoint.KIND):
        return [run]
    # Without any, `find` says what is wrong.
    return _newest_first(checkpoint.folder_in(run)) or [checkpoint.find(run)[0]]


def _not_here(runs: Sequence[Path]) -> list[str]:
    """Note the instances that ``run.json`` speaks of and that none of *runs* has a folder of."""
    plans = [RunPlan.read(run) for run in runs if is_run(run)]
    total = max((plan.num_instances for plan in plans), default=0)
    here = {instance for run in runs for instance in existing_instances(run)}
    absent = [str(instance) for instance in range(total) if instance not in here]
    if not absent:
        return []
    return [f"{len(absent)} of {total} instances are not here: {', '.join(absent)}"]


def read_record(folder: Path) -> dict[str, Any]:
    """Return what the ``merge.json`` in *folder* says.

    Raises:
        StorageError: it cannot be read, or no merge wrote it.
    """
    path = folder / RECORD_NAME
    record = storage.read_json(path)
    if not isinstance(record, dict) or record.get("format") != RECORD_FORMAT:
        raise StorageError(f"{path} was not written by holdem merge", "restore the file")
    return record


def _recorded_states(folder: Path) -> tuple[Range, ...]:
    """Return the states in the merged run *folder*; none if its record does not say."""
    try:
        found = read_record(folder)["states"]
        return tuple((int(first), int(end)) for first, end in found)
    except (StorageError, KeyError, TypeError, ValueError):
        return ()


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
    first, second = checkpoint.used(mine["laws"]), checkpoint.used(theirs["laws"])
    laws = [
        f"{key} {first.get(key)} and {second.get(key)}"
        for key in sorted({*first, *second})
        if first.get(key) != second.get(key)
    ]
    if laws:
        raise MismatchError(
            f"{one.name} and {other.name} cannot be added, because they were trained by "
            f"different rules: {'; '.join(laws)}",
            "merge instances of one run, or runs of one config and one seed",
        )


def _without_those_that_others_hold(
    sources: Sequence[Source],
) -> tuple[list[Source], list[str]]:
    """Return *sources* without those that add nothing to the others, and what was left out."""
    by_length = sorted(sources, key=lambda source: int(source.heads[0][1]["iteration"]))
    notes = []
    for source in tuple(by_length):
        holders = _holders(source, [one for one in reversed(by_length) if one is not source])
        if holders:
            by_length.remove(source)
            verb = "holds" if len(holders) == 1 else "hold"
            notes.append(f"{source.name} is left out: {' and '.join(holders)} {verb} all of it")
    return [source for source in sources if source in by_length], notes


def _holders(source: Source, others: Sequence[Source]) -> list[str]:
    """Return the names of those of *others* that together hold all of *source*; none if some
    of it is in none of them.
    """
    copy = next((one.name for one in others if one.heads[0][1] == source.heads[0][1]), None)
    if copy is not None:
        return [copy]
    if source.states != source.ranges:
        return []
    holders = [
        next((one.name for one in others if _has_begun(state, one.states)), None)
        for state in source.states
    ]
    names = [name for name in dict.fromkeys(holders) if name is not None]
    return [] if None in holders else names


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
