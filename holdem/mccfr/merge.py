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
strategy is exploitable by at most the mean of the runs, up to the noise of their sampled
weights; a run of N * T iterations is better. docs/multi_instance.md has measurements.

What the sum goes on as. The merged table counts as one of all its iterations: its period
is their number divided by the discount interval, so the next discount is that of one run
so long, whose iterations would weigh as much. Training takes up after the last iteration
number that any of the runs did, so that none is ever done twice.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.config import dump_config
from holdem.errors import MismatchError, ResourceError, StorageError
from holdem.game.tree import BettingTree
from holdem.machine import available_memory
from holdem.mccfr import blueprint, checkpoint
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.mccfr.merge_sources import RECORD_FORMAT, RECORD_NAME, Selection, read_record
from holdem.mccfr.run import LOSSLESS
from holdem.mccfr.table import BYTES_PER_SLOT
from holdem.types import MCCFRConfig

BYTES_IN_MEMORY = BYTES_PER_SLOT + 2
"""Per slot: the sum, and the policy made from it."""
BYTES_ON_DISK = BYTES_PER_SLOT + 2
"""Per slot, likewise."""

_WRITTEN = {
    RECORD_NAME,
    "config.yaml",
    blueprint.JSON_NAME,
    blueprint.FOLDER_NAME,
    "checkpoints",
    f"checkpoints/{checkpoint.FINAL_NAME}",
    f"checkpoints/{storage.LOCK_NAME}",
}
"""All that merges leave in their folder, and leave there when they end early."""

_BLOCK_WORDS = 1 << 18
"""Words added at a time, so that what is worked on stays in the cache."""


@dataclass(frozen=True, slots=True)
class MergedTable:
    """The sum of several tables, as `checkpoint.save` and `Engine.restore` want it."""

    words: npt.NDArray[np.float32]
    table_state: dict[str, float]
    visits: int
    utility_sum: float


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
        StorageError: *out* cannot be written, holds something else, or is being trained.
    """
    tree, out = selection.tree, Path(out)
    fingerprint = bucketing.fingerprint if bucketing is not None else LOSSLESS
    if fingerprint != selection.buckets_fingerprint:
        raise MismatchError(
            f"the runs were trained with buckets {selection.buckets_fingerprint[:12]}, "
            f"but these are {fingerprint[:12]}",
            "name the buckets they were trained with by --buckets",
        )
    with _replaceable(out):
        _require_memory(tree)
        storage.require_free_space(out, BYTES_ON_DISK * tree.num_slots, "the merged run")
        _write(selection, out, add(selection), bucketing, training or MCCFRConfig())
    return out / "checkpoints" / checkpoint.FINAL_NAME


def _write(
    selection: Selection,
    out: Path,
    table: MergedTable,
    bucketing: HandBucketing | None,
    training: MCCFRConfig,
) -> None:
    """Write the files of the sum *table*; see `write`."""
    tree = selection.tree
    config = dataclasses.replace(
        training,
        **selection.parts[0].checkpoint.laws,
        num_players=tree.game.num_players,
        num_iterations=None,
        time_budget_seconds=None,
    )
    path = bucketing.path if bucketing is not None else None
    policy = Blueprint.from_table(
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
            buckets_fingerprint=selection.buckets_fingerprint,
            others={},
        )
        policy.save(folder)
        storage.write_text(folder / "config.yaml", dump_config(config, tree.game, path))
        storage.write_json(folder / RECORD_NAME, _record(selection))


def _record(selection: Selection) -> dict[str, Any]:
    """Return what ``merge.json`` says."""
    return {
        "format": RECORD_FORMAT,
        "iterations": selection.iterations,
        "states": selection.states,
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


@contextlib.contextmanager
def _replaceable(out: Path) -> Iterator[None]:
    """Be the only one at work on the earlier merge at *out*, if there is one.

    Raises:
        StorageError: something else is there, it was trained on, or somebody trains it now.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        yield
        return
    if not (out / RECORD_NAME).is_file():
        raise _not_replaced(out, "something else than a merged run")
    record = read_record(out)
    with storage.hold(checkpoint.find(out)[0].parent, "the merged run"):
        _, newest = checkpoint.find(out)
        if newest["iteration"] != record.get("iterations"):
            raise _not_replaced(out, "a merged run that was trained on")
        there = (*out.iterdir(), *(out / "checkpoints").iterdir())
        foreign = sorted({str(path.relative_to(out)) for path in there} - _WRITTEN)
        if foreign:
            more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
            raise _not_replaced(out, f"{foreign[0]}{more}, which no merge wrote")
        yield


def _not_replaced(out: Path, what: str) -> StorageError:
    return StorageError(
        f"{out} holds {what}, so it is not replaced", "name another --out, or move that away"
    )


def _require_memory(tree: BettingTree) -> None:
    wanted, available = BYTES_IN_MEMORY * tree.num_slots, available_memory()
    if wanted > available:
        raise ResourceError(
            f"merging needs {storage.format_bytes(wanted)} of memory for "
            f"{tree.num_slots:,} slots, {storage.format_bytes(available)} is available",
            "merge on a machine with more memory, or end other programs",
        )
