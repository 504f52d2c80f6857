"""A policy from a checkpoint: the average strategy alone, and what rounding it costs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdem import storage
from holdem.abstraction.bucketing import KIND as BUCKETS
from holdem.abstraction.bucketing import HandBucketing
from holdem.config import load_config
from holdem.errors import ConfigError, MismatchError, StorageError
from holdem.game.preflop import NUM_CLASSES
from holdem.game.tree import build_tree
from holdem.machine import available_memory
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import (
    ONE_BY_BITS,
    Blueprint,
    Provenance,
    checked_bucketing,
    game_from,
    normalised,
)
from holdem.mccfr.rows import Words, read_rows, row_blocks
from holdem.mccfr.run import LOSSLESS
from holdem.types import shell_word

_BLOCK_SLOTS = 1 << 16


@dataclass(frozen=True, slots=True)
class RoundingLoss:
    """How far stored probabilities are from those of the table, over all rows trained.

    Attributes:
        largest: difference of one probability.
        mean: of all differences.
        rows: with a strategy; 0 if the table has no average strategy at all.
    """

    largest: float
    mean: float
    rows: int


@dataclass(frozen=True, slots=True)
class Export:
    """A policy made from a checkpoint.

    Attributes:
        policy: the average strategy.
        checkpoint: the folder that it was read from.
        loss: what rounding costs.
    """

    policy: Blueprint
    checkpoint: Path
    loss: RoundingLoss


def export_policy(path: Path, *, bits: int = 16, buckets: Path | None = None) -> Export:
    """Return the average strategy of the checkpoint *path*, or of the newest in a run's folder.

    Args:
        path: a checkpoint, or a folder of `holdem train`.
        bits: of a stored probability, 8 or 16.
        buckets: the bucket set it was trained with; by default the one that the run's
            ``config.yaml`` names. Without it a policy of 169 preflop buckets still knows their
            fingerprint.

    Raises:
        ConfigError: *bits* is neither 8 nor 16.
        StorageError: there is no checkpoint, or it has no average strategy.
        MismatchError: *buckets* is another set, or is needed and not given.
        ResourceError: the betting tree does not fit into memory.
    """
    if bits not in ONE_BY_BITS:
        raise ConfigError(f"probabilities of {bits} bits", "choose 8 or 16")
    folder, saved = checkpoint.find(Path(path))
    # The table that build_tree leaves room for is not needed: the checkpoint's is mapped.
    tree = build_tree(
        game_from(saved["game"]),
        saved["bucket_counts"],
        memory_bytes=available_memory() + (folder / "table.npy").stat().st_size,
    )
    fingerprint = str(saved["buckets_fingerprint"])
    found = checkpoint.load(folder, tree, fingerprint)
    lossless = fingerprint == LOSSLESS
    if lossless and buckets is not None:
        raise MismatchError(
            f"{buckets} was given, and {folder} is of a game that has no buckets",
            "leave --buckets out",
        )
    bucketing = None if lossless else _bucketing(folder, fingerprint, buckets)
    if bucketing is None and not lossless and tree.bucket_counts[0] != NUM_CLASSES:
        raise MismatchError(
            f"{folder} has {tree.bucket_counts[0]} preflop buckets, and the bucket set "
            f"{fingerprint[:12]} that says which hands they hold is not found",
            "name it with --buckets PATH",
        )
    policy = Blueprint.from_table(
        tree,
        found.words,
        Provenance(
            iterations=found.iteration,
            seed=int(found.laws["seed"]),
            bucket_path=str(bucketing.path) if bucketing is not None else None,
            bucket_fingerprint=None if lossless else fingerprint,
        ),
        preflop_buckets=bucketing.tables[0] if bucketing is not None else None,
        bits=bits,
    )
    loss = rounding_loss(policy, found.words)
    if not loss.rows:
        raise StorageError(
            f"{folder} has no average strategy: {found.iteration:,} iterations were done",
            f"train on with: holdem train --resume-from {shell_word(folder)}",
        )
    return Export(policy, folder, loss)


def rounding_loss(policy: Blueprint, words: Words) -> RoundingLoss:
    """Return how far *policy* is from the average strategy of the table that it was made from."""
    one = np.float32(ONE_BY_BITS[policy.bits])
    largest = total = 0.0
    rows = slots = 0
    for num_actions, first_slots in row_blocks(policy.tree, _BLOCK_SLOTS):
        _, sums = read_rows(words, first_slots, num_actions)
        trained = sums.sum(axis=0) > 0
        exact = normalised(sums[:, trained])
        places = first_slots[trained] + np.arange(num_actions)[:, None]
        off = np.abs(policy.probabilities[places] / one - exact)
        largest = max(largest, float(off.max(initial=0.0)))
        total += float(off.sum(dtype=np.float64))
        rows += int(trained.sum())
        slots += off.size
    return RoundingLoss(largest, total / max(slots, 1), rows)


def _bucketing(folder: Path, fingerprint: str, buckets: Path | None) -> HandBucketing | None:
    """The bucket set of a checkpoint: the one given, or the one that the run names, if it is."""
    if buckets is not None:
        return checked_bucketing(HandBucketing.load(buckets), fingerprint)
    config = checkpoint.run_of(folder) / "config.yaml"
    named = load_config(config).buckets_path if config.is_file() else None
    if named is None or not storage.is_folder(named, BUCKETS):
        return None
    bucketing = HandBucketing.load(named)
    return bucketing if bucketing.fingerprint == fingerprint else None
