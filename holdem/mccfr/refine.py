"""A run taken over to finer buckets: what the coarse ones have learned, as a beginning.

A table of few buckets learns soon, because each of them meets many hands; one of many
buckets plays better in the end. So a run may begin with few and go on with many. A fine
bucket begins with the row of the coarse bucket that most of its hands are in. Rows are
sums over hands, so it takes its share of that row: its part of the hands of all fine buckets
that take after the same coarse one. Strategies are thus what they were, and all later
training counts beside them as it would have in the coarse run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.config import dump_config
from holdem.errors import StorageError
from holdem.game.tree import BettingTree, build_tree
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import Blueprint, Provenance, checked_bucketing, game_from
from holdem.mccfr.responder_engine import RESPONDER
from holdem.mccfr.run import require_memory
from holdem.mccfr.table import BYTES_PER_SLOT
from holdem.mccfr.worker import bucket_counts_of
from holdem.types import STREETS, MCCFRConfig

_HANDS_AT_A_TIME = 1 << 22


@dataclasses.dataclass(frozen=True, slots=True)
class StreetMap:
    """Which coarse bucket each fine one takes after.

    Attributes:
        parents: int64 (fine buckets,).
        shares: float32 (fine buckets,), of the coarse bucket's row; those of one parent
            sum to 1.
        agreeing: share of all canonical hands that are in their bucket's parent.
    """

    parents: NDArray[np.int64]
    shares: NDArray[np.float32]
    agreeing: float


def street_map(
    coarse: NDArray[np.integer], fine: NDArray[np.integer], num_coarse: int, num_fine: int
) -> StreetMap:
    """Return how the buckets *fine* of a street's hands follow from the *coarse* ones."""
    pairs = np.empty(0, np.int64)
    counts = np.empty(0, np.int64)
    for start in range(0, len(fine), _HANDS_AT_A_TIME):
        part = slice(start, start + _HANDS_AT_A_TIME)
        found = fine[part].astype(np.int64) * num_coarse + coarse[part]
        both, times = np.unique(found, return_counts=True)
        pairs, places = np.unique(np.concatenate([pairs, both]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, times])).astype(np.int64)
    parents = np.zeros(num_fine, np.int64)
    most = np.zeros(num_fine, np.int64)
    # In order of how many they are, so that the last one written is the largest.
    order = np.argsort(counts, kind="stable")
    parents[pairs[order] // num_coarse] = pairs[order] % num_coarse
    most[pairs[order] // num_coarse] = counts[order]
    hands = np.bincount(pairs // num_coarse, counts, num_fine)
    of_parent = np.bincount(parents, hands, num_coarse)[parents]
    shares = np.divide(hands, of_parent, out=np.zeros(num_fine), where=of_parent > 0)
    return StreetMap(parents, shares.astype(np.float32), float(most.sum() / counts.sum()))


def refine(path: Path, coarse: HandBucketing, fine: HandBucketing, out: Path) -> list[StreetMap]:
    """Write a run at *out* that goes on from the checkpoint *path* with other buckets.

    It holds what a run holds after its last iteration: ``checkpoints/``, ``config.yaml`` and
    the policy.

    Args:
        path: a checkpoint, or a run's folder for its newest.
        coarse: the buckets it was trained with.
        fine: those it is to have.
        out: the folder to be.

    Returns:
        by street, how the buckets follow from one another.

    Raises:
        MismatchError: *coarse* are other buckets than the checkpoint's.
        ResourceError: memory or disk do not suffice.
        StorageError: there is no checkpoint, or something is at *out*.
    """
    folder = checkpoint.find(path)
    saved = storage.read_metadata(folder, checkpoint.KIND)
    checked_bucketing(coarse, str(saved["buckets_fingerprint"]))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StorageError(f"{out} is there already", "choose another --out")
    game = game_from(saved["game"])
    old = build_tree(game, saved["bucket_counts"])
    new = build_tree(game, bucket_counts_of(game, fine))
    require_memory(new)
    storage.require_free_space(out, (BYTES_PER_SLOT + 2) * new.num_slots, "the run")
    found = checkpoint.load(folder, old, coarse.fingerprint)
    maps = [
        street_map(*tables, *counts)
        for tables, counts in zip(
            zip(coarse.tables, fine.tables, strict=False),
            zip(old.bucket_counts, new.bucket_counts, strict=True),
            strict=False,
        )
    ]
    words = _spread(found.words, old, new, maps)
    others = {}
    if RESPONDER in found.others:
        others[RESPONDER] = _spread(found.others[RESPONDER], old, new, maps[: len(STREETS) - 1])
    config = dataclasses.replace(
        MCCFRConfig(num_iterations=1),
        **found.laws,
        num_players=game.num_players,
        num_iterations=None,
    )
    blueprint = Blueprint.from_table(
        new,
        words,
        Provenance(
            iterations=found.iteration,
            seed=config.seed,
            bucket_path=str(fine.path) if fine.path is not None else None,
            bucket_fingerprint=fine.fingerprint,
        ),
        preflop_buckets=fine.tables[0],
    )
    with storage.folder_in_one_step(out) as made:
        checkpoint.save(
            made / "checkpoints" / checkpoint.numbered(found.iteration),
            words=words,
            iteration=found.iteration,
            ranges=found.ranges,
            table_state=found.table_state,
            visits=found.visits,
            utility_sum=found.utility_sum,
            config=config,
            tree=new,
            buckets_fingerprint=fine.fingerprint,
            others=others,
        )
        blueprint.save(made)
        storage.write_text(made / "config.yaml", dump_config(config, game, fine.path))
    return maps


def _spread(
    words: NDArray[np.float32], old: BettingTree, new: BettingTree, maps: Sequence[StreetMap]
) -> NDArray[np.float32]:
    """Return a table for *new* whose rows are shares of those of *old*."""
    per_slot = len(words) // sum(size for _, _, size in _nodes(old, len(maps)))
    spread = np.empty(per_slot * sum(size for _, _, size in _nodes(new, len(maps))), np.float32)
    for (node, first, size), (_, to, new_size) in zip(
        _nodes(old, len(maps)), _nodes(new, len(maps)), strict=True
    ):
        street_map = maps[old.nodes["street"][node]]
        k = int(old.nodes["num_actions"][node])
        rows = words[per_slot * first : per_slot * (first + size)].reshape(-1, per_slot * k)
        part = spread[per_slot * to : per_slot * (to + new_size)].reshape(-1, per_slot * k)
        np.multiply(rows[street_map.parents], street_map.shares[:, None], out=part)
    return spread


def _nodes(tree: BettingTree, num_streets: int) -> Iterator[tuple[int, int, int]]:
    """Yield node, first slot and slots of the decisions of the first streets, in order of slots.

    Slots are counted among those of these streets, as in `LaneBetting.unpack`.
    """
    nodes, first = tree.nodes, 0
    for node in np.argsort(nodes["first_slot"], kind="stable"):
        if nodes["num_actions"][node] and nodes["street"][node] < num_streets:
            size = int(nodes["num_actions"][node]) * tree.bucket_counts[nodes["street"][node]]
            yield int(node), first, size
            first += size
