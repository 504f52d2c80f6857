"""What a worker needs to train on a game: its number of buckets, a dealer and a walker."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from holdem._core.deal import HoldemDealer, OneCardDealer
from holdem._core.traverse import Walker, measure
from holdem.errors import ConfigError, MismatchError, ResourceError
from holdem.game.tree import BettingTree, Ending
from holdem.types import GameConfig

if TYPE_CHECKING:
    from holdem.abstraction.bucketing import HandBucketing

_MAP_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)  # Linux's number; Python has it from 3.13


def bucket_counts_of(game: GameConfig, bucketing: HandBucketing | None) -> tuple[int, ...]:
    """Return the number of buckets of each street of *game*.

    Raises:
        MismatchError: *bucketing* has fewer streets than the game.
        ConfigError: a hold'em game without a bucketing.
    """
    cards = game.cards
    if cards.kind == "one-card":
        first_public = game.num_streets if cards.board_street is None else cards.board_street
        return tuple(
            cards.ranks if street < first_public else cards.ranks**2
            for street in range(game.num_streets)
        )
    if bucketing is None:
        raise ConfigError(
            f"the game {game.name!r} needs buckets", "make a set with: holdem buckets --out PATH"
        )
    if len(bucketing.num_buckets) < game.num_streets:
        raise MismatchError(
            f"the bucket set has {len(bucketing.num_buckets)} streets, "
            f"the game {game.name!r} is bet on {game.num_streets}",
            "use a bucket set with all streets: holdem buckets --out PATH",
        )
    return tuple(bucketing.num_buckets[: game.num_streets])


def make_dealer(game: GameConfig, bucketing: HandBucketing | None) -> HoldemDealer | OneCardDealer:
    """Return what deals *game*; *bucketing* as for `bucket_counts_of`."""
    cards = game.cards
    if cards.kind == "one-card":
        return OneCardDealer(
            game.num_players, cards.ranks, cards.suits, game.num_streets, cards.board_street
        )
    assert bucketing is not None
    return HoldemDealer(
        game.num_players, bucketing.tables[: game.num_streets], bucketing.preflop_equities
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchLog:
    """Memory for the updates and values of one batch; see `Walker` for the shapes."""

    log: npt.NDArray[np.uint8]
    used: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    num_owners: int = 1
    descriptor: int = -1
    room: npt.NDArray[np.int64] | None = None

    @classmethod
    def local(cls, tree: BettingTree, batch_size: int) -> BatchLog:
        """Make one for a walker that works alone.

        Raises:
            ResourceError: the system does not give so much address space.
        """
        num_bytes = log_bytes(tree, batch_size, 1)
        try:
            # Sparse: a page of the log that no traversal reaches costs no memory.
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
            memory = mmap.mmap(-1, num_bytes, flags)
        except (OSError, ValueError, OverflowError) as error:
            raise ResourceError(
                f"cannot reserve {num_bytes:,} bytes for the updates of a batch",
                "use a smaller batch_size or a smaller bet menu",
            ) from error
        players = tree.game.num_players
        return cls(
            log=np.frombuffer(memory, dtype=np.uint8),
            used=np.zeros(batch_size * players, dtype=np.int64),
            values=np.zeros((batch_size, players), dtype=np.float32),
        )


def log_bytes(tree: BettingTree, batch_size: int, num_owners: int) -> int:
    """Return how long the log of a batch must be, most of it never touched."""
    segment_bytes, _ = measure(tree.nodes, tree.game.num_players)
    return batch_size * tree.game.num_players * num_owners * segment_bytes


def make_walker(tree: BettingTree, words: npt.NDArray[np.float32], batch: BatchLog) -> Walker:
    """Return what walks *tree* over the table *words* (see `RegretTable`)."""
    nodes = tree.nodes.copy()
    # The walk wants to know who won where the others folded; nobody acts there.
    folds = np.flatnonzero(nodes["ending"] == Ending.FOLD)
    everybody = (1 << tree.game.num_players) - 1
    winners = everybody & ~tree.folded[nodes["ending_index"][folds]].astype(np.int64)
    nodes["actor"][folds] = np.log2(winners).astype(np.uint8)
    return Walker(
        nodes,
        tree.contributions,
        tree.folded,
        words,
        log=batch.log,
        used=batch.used,
        values=batch.values,
        num_owners=batch.num_owners,
        descriptor=batch.descriptor,
        room=batch.room,
    )
