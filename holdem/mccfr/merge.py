"""Adding up runs that did different iterations: one table from the checkpoints of many.

The words of a table hold the true regrets and strategy sums times a weight that grows
during the run (see `RegretTable`), so that the run's last iterations count 1 each and
earlier ones less. Each table is brought to one weight before it is added; so every
iteration counts what it counted in its own run, and equal runs count equally.

What the sum is. Its average strategy is the mean of the runs' average strategies, each
decision weighted by how often the runs come there; its regrets are the sums of theirs.
N runs of T iterations have N times the samples of one, so the noise of sampling averages
out, but each of them learned from its own T iterations only: what an average strategy
of T iterations still has wrong in expectation stays. In two-player games the merged
strategy is exploitable by at most the mean of the runs, and a run of N * T iterations
is the better one, the more so the less converged the runs are. docs/multi_instance.md
has measurements.

What the sum goes on as. The merged table counts as one of all its iterations: its period
is their number divided by the discount interval, so the next discount is that of one run
so long, whose iterations would weigh as much. Training takes up after the last iteration
number that any of the runs did, so that none is ever done twice.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.config import dump_config
from holdem.errors import MismatchError, ResourceError, StorageError
from holdem.game.tree import BettingTree, build_tree
from holdem.machine import available_memory
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import Blueprint, Provenance, game_from
from holdem.mccfr.checkpoint import Checkpoint, Range
from holdem.mccfr.instance_plan import existing_instances, folder_of
from holdem.mccfr.instance_resume import newest_first
from holdem.mccfr.run import LOSSLESS
from holdem.mccfr.table import BYTES_PER_SLOT
from holdem.types import MCCFRConfig

RECORD_NAME = "merge.json"
RECORD_FORMAT = "holdem merge"
BYTES_IN_MEMORY = BYTES_PER_SLOT + 2
"""Per slot: the sum, and the policy made from it."""
BYTES_ON_DISK = BYTES_PER_SLOT + 2
"""Per slot, likewise."""

_BLOCK_WORDS = 1 << 18
"""Words added at a time, so that what is worked on stays in the cache."""


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


@dataclass(frozen=True, slots=True)
class MergedTable:
    """The sum of several tables, as `checkpoint.save` and `Engine.restore` want it."""

    words: npt.NDArray[np.float32]
    table_state: dict[str, float]
    visits: int
    utility_sum: float


# -- what is there -----------------------------------------------------------------------------


def find_sources(
    runs: Sequence[Path], instances: Collection[int] | None = None
) -> tuple[list[Source], list[str]]:
    """Return what can be added of *runs*, and notes on what is not there.

    Args:
        runs: each a run of many instances, a plain run, or one checkpoint. A run of many
            instances may be spread over several folders, or lack some.
        instances: which ones to take; None for all that are there.

    Raises:
        StorageError: a run is missing or holds no checkpoint, or an instance was
            named and has none.
    """
    sources: list[Source] = []
    notes: list[str] = []
    found: set[int] = set()
    for run in runs:
        of_run = existing_instances(run)
        if not of_run:
            alone = storage.is_folder(run, checkpoint.KIND)
            paths = [run] if alone else newest_first(checkpoint.find(run).parent)
            source = _source(str(run), paths, notes)
            if source.heads:
                sources.append(source)
            else:
                notes.append(f"{run} has done no iteration yet")
        for instance in of_run:
            if instances is not None and instance not in instances:
                continue
            paths = newest_first(folder_of(run, instance) / "checkpoints")
            source = _source(f"instance {instance} of {run}", paths, notes)
            if source.heads:
                found.add(instance)
                sources.append(source)
            else:
                notes.append(f"{source.name} has no checkpoint yet")
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


def select(sources: Sequence[Source], notes: Sequence[str] = ()) -> Selection:
    """Return the newest whole checkpoint of each source, and refuse those that do not add up.

    A source whose iterations another one went on from is left out: its sums are in the
    other's already. A checkpoint that is damaged is named, and the one before it taken.
    *sources* are used up.

    Raises:
        MismatchError: trees, buckets or algorithms differ, or iterations overlap; the
            message names both sources.
        StorageError: a source has no whole checkpoint.
    """
    said = list(notes)
    opened: dict[Path, Checkpoint] = {}
    while True:
        # All that manifests can tell comes before reading gigabytes to verify them.
        chosen = sorted(sources, key=lambda source: (source.ranges, source.name))
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
                said.append(f"not used: {error}; {source.heads[0][0].name} instead")
                damaged = True
        if not damaged:
            said += left_out
            parts = [Part(source.name, opened[source.heads[0][0]]) for source in chosen]
            return Selection(tree, first["buckets_fingerprint"], parts, said)


_MUST_AGREE = {
    "num_players": "the number of players",
    "tree_fingerprint": "the betting tree",
    "buckets_fingerprint": "the buckets",
}


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
                f"{one} and {other} both did {range_text(common)}: their sum would count "
                "these twice",
                "leave one of them out, with --instances or by naming other runs",
            )


def range_text(iterations: Range) -> str:
    """Return *iterations* as people count them: ``"iterations 333,334 to 666,666"``."""
    return f"iterations {iterations[0] + 1:,} to {iterations[1]:,}"


# -- the sum -----------------------------------------------------------------------------------


def add(selection: Selection) -> MergedTable:
    """Return the sum of the parts; see the module for what it means.

    One table is in memory, and a block of each part: the same bytes whatever the order
    in which the parts were named.
    """
    tree, parts = selection.tree, [part.checkpoint for part in selection.parts]
    regret_weight = max(part.table_state["regret_weight"] for part in parts)
    strategy_weight = max(part.table_state["strategy_weight"] for part in parts)
    factors = [
        (
            regret_weight / part.table_state["regret_weight"],
            strategy_weight / part.table_state["strategy_weight"],
        )
        for part in parts
    ]
    # Training keeps regrets above the floor, so that an action can come back; sums too.
    floor = parts[0].laws["regret_floor"] * regret_weight
    words = np.zeros(2 * tree.num_slots, dtype=np.float32)
    for start, is_regret in _blocks(tree):
        stop = start + len(is_regret)
        total = np.zeros(len(is_regret))
        for part, (of_regret, of_strategy) in zip(parts, factors, strict=True):
            block = part.words[start:stop].astype(np.float64)
            if (of_regret, of_strategy) != (1.0, 1.0):
                block *= np.where(is_regret, of_regret, of_strategy)
            total += block
            storage.forget_pages(part.words)
        if total.any():  # rows that no walk reached cost no memory here either
            np.maximum(total, floor, out=total, where=is_regret)
            words[start:stop] = total
    return MergedTable(
        words=words,
        table_state={
            "period": selection.iterations // int(parts[0].laws["discount_interval"]),
            "regret_weight": regret_weight,
            "strategy_weight": strategy_weight,
            "total_weight": sum(
                part.table_state["total_weight"] * of_regret
                for part, (of_regret, _) in zip(parts, factors, strict=True)
            ),
        },
        visits=sum(part.visits for part in parts),
        utility_sum=sum(part.utility_sum for part in parts),
    )


def _blocks(tree: BettingTree) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    """Yield the table in blocks of whole nodes: the first word, and which words are regrets."""
    decisions = tree.nodes[tree.nodes["num_actions"] > 0]
    widths = decisions["num_actions"].astype(np.int64)
    buckets = np.array(tree.bucket_counts, dtype=np.int64)[decisions["street"]]
    ends = np.cumsum(2 * widths * buckets)  # nodes lie in the table in their own order
    start = node = 0
    while node < len(ends):
        stop = max(int(np.searchsorted(ends, start + _BLOCK_WORDS, side="right")), node + 1)
        row_widths = np.repeat(widths[node:stop], buckets[node:stop])
        halves = np.repeat(row_widths, 2)  # a row is its regrets, then its sums
        yield start, np.repeat(np.arange(len(halves)) % 2 == 0, halves)
        start, node = int(ends[stop - 1]), stop


# -- what is left ------------------------------------------------------------------------------


def write(
    selection: Selection,
    out: Path,
    *,
    bucketing: HandBucketing | None = None,
    training: MCCFRConfig | None = None,
) -> Path:
    """Add the parts and leave a run's folder at *out*, all of it or nothing.

    ``checkpoints/checkpoint_final/``, ``avg_policy.json`` with ``avg_policy/``,
    ``config.yaml``, and ``merge.json``, which says what was added. An earlier merge at
    *out* is replaced.

    Args:
        selection: what to add.
        out: the folder to be.
        bucketing: the buckets that the parts were trained with; None for one-card games.
        training: for ``config.yaml`` what is not a law of the runs, such as intervals
            between checkpoints. It gets no budget: whoever trains on says how long.

    Returns:
        the checkpoint.

    Raises:
        MismatchError: *bucketing* is not what the parts were trained with.
        ResourceError: memory or disk do not suffice.
        StorageError: *out* cannot be written or holds something else.
    """
    tree, out = selection.tree, Path(out)
    fingerprint = bucketing.fingerprint if bucketing is not None else LOSSLESS
    if fingerprint != selection.buckets_fingerprint:
        raise MismatchError(
            f"the runs were trained with buckets {selection.buckets_fingerprint[:12]}, "
            f"but these are {fingerprint[:12]}",
            "name the buckets they were trained with by --buckets",
        )
    _refuse_other_than_merged(out)
    _require_memory(tree)
    storage.require_free_space(out, BYTES_ON_DISK * tree.num_slots, "the merged run")
    table = add(selection)
    config = dataclasses.replace(
        training or MCCFRConfig(),
        **selection.parts[0].checkpoint.laws,
        num_players=tree.game.num_players,
        num_iterations=None,
        time_budget_seconds=None,
    )
    path = bucketing.path if bucketing is not None else None
    blueprint = Blueprint.from_table(
        tree,
        table.words,
        Provenance(
            iterations=selection.iterations,
            seed=config.seed,
            bucket_path=str(path) if path is not None else None,
            bucket_fingerprint=bucketing.fingerprint if bucketing is not None else None,
        ),
        preflop_buckets=bucketing.tables[0] if bucketing is not None else None,
    )
    with storage.folder_in_one_step(out) as folder:
        checkpoint.save(
            folder / "checkpoints" / checkpoint.FINAL_NAME,
            words=table.words,
            iteration=selection.iterations,
            ranges=selection.ranges,
            table_state=table.table_state,
            visits=table.visits,
            utility_sum=table.utility_sum,
            config=config,
            tree=tree,
            buckets_fingerprint=fingerprint,
        )
        blueprint.save(folder)
        storage.write_text(folder / "config.yaml", dump_config(config, tree.game, path))
        storage.write_json(folder / RECORD_NAME, _record(selection))
    return out / "checkpoints" / checkpoint.FINAL_NAME


def _record(selection: Selection) -> dict[str, Any]:
    """Return what ``merge.json`` says."""
    return {
        "format": RECORD_FORMAT,
        "iterations": selection.iterations,
        "parts": [
            {
                "name": part.name,
                "checkpoint": part.checkpoint.path,
                "ranges": part.checkpoint.ranges,
            }
            for part in selection.parts
        ],
        "notes": selection.notes,
    }


def _refuse_other_than_merged(out: Path) -> None:
    """Refuse to replace anything but an earlier merge that was not trained on."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    merged = (out / RECORD_NAME).is_file()
    if not merged or _was_trained_on(out):
        what = "a merged run that was trained on" if merged else "something else than a merged run"
        raise StorageError(f"{out} holds {what}, so it is not replaced", "name another --out")


def _was_trained_on(out: Path) -> bool:
    """Whether the newest checkpoint of the merged run *out* holds more than was merged."""
    record = storage.read_json(out / RECORD_NAME)
    newest = storage.read_metadata(checkpoint.find(out), checkpoint.KIND)
    return bool(record["iterations"] != newest["iteration"])


def _require_memory(tree: BettingTree) -> None:
    wanted, available = BYTES_IN_MEMORY * tree.num_slots, available_memory()
    if wanted > available:
        raise ResourceError(
            f"merging needs {storage.format_bytes(wanted)} of memory for "
            f"{tree.num_slots:,} slots, {storage.format_bytes(available)} is available",
            "merge on a machine with more memory, or end other programs",
        )
