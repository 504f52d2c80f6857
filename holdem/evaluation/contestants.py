"""Who plays a match: a policy, the buckets that it sees hands in, and both as kernels want them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holdem._core.deal import HoldemDealer, OneCardDealer
from holdem.abstraction.bucketing import KIND as BUCKETS
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.building import ASSETS
from holdem.errors import MismatchError, StorageError
from holdem.game.policy import Policy
from holdem.game.tree import BettingTree
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import ONE, Blueprint, checked_bucketing
from holdem.mccfr.export import export_policy
from holdem.mccfr.run import LOSSLESS
from holdem.mccfr.worker import bucket_counts_of, make_dealer
from holdem.storage import is_folder, read_metadata

_SAME_NODES = ("first_child", "ending_index", "pot", "num_actions", "actor", "street", "ending")


@dataclass(frozen=True, eq=False)
class Contestant:
    """A player of a match.

    Attributes:
        name: what the results call it.
        policy: how it plays.
        bucketing: the bucket set of the policy; None in games of one card.
        source: what was read, of a run the checkpoint itself; None of what was made here.
    """

    name: str
    policy: Policy
    bucketing: HandBucketing | None = None
    source: Path | None = None

    @property
    def tree(self) -> BettingTree:
        """The betting tree of the policy."""
        return self.policy.tree

    def dealer(self) -> HoldemDealer | OneCardDealer:
        """Return what deals its game in its buckets.

        Raises:
            ConfigError: a hold'em policy without a bucket set.
            MismatchError: the bucket set does not fit the policy.
        """
        tree = self.tree
        counts = bucket_counts_of(tree.game, self.bucketing)
        if counts != tree.bucket_counts:
            raise MismatchError(
                f"{self.name} has {'/'.join(map(str, tree.bucket_counts))} buckets a street, its "
                f"bucket set {'/'.join(map(str, counts))}",
                "name the bucket set that it was trained with",
            )
        return make_dealer(tree.game, self.bucketing)

    def rows(self) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """Return each node's first slot, and every probability in units of 1/65,535."""
        return self._rows

    @cached_property
    def _rows(self) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        # As large as the policy where that has not 16 bits itself, so there is one for all.
        return np.ascontiguousarray(self.tree.nodes["first_slot"]), units_of(self.policy)


def units_of(policy: Policy) -> NDArray[np.uint16]:
    """Return the probabilities of *policy* in 16 bits, in the order of the tree's slots.

    Each row sums to 65,535: its most likely action takes up what the others round away.
    """
    if isinstance(policy, Blueprint):
        return np.ascontiguousarray(policy.units)
    tree = policy.tree
    units = np.empty(tree.num_slots, np.uint16)
    for node in np.flatnonzero(tree.nodes["num_actions"]).tolist():
        rows = np.rint(policy.strategy(node).astype(np.float64) * ONE).astype(np.int64)
        most = rows.argmax(axis=1)
        rows[np.arange(len(rows)), most] += ONE - rows.sum(axis=1)
        units[tree.slots(node)] = rows.ravel()
    return units


def same_betting(first: BettingTree, second: BettingTree) -> bool:
    """Whether two policies can play on one betting tree; their buckets may differ."""
    return first.num_nodes == second.num_nodes and all(
        np.array_equal(one, two)
        for one, two in (
            *((first.nodes[field], second.nodes[field]) for field in _SAME_NODES),
            (first.action_kinds, second.action_kinds),
            (first.action_amounts, second.action_amounts),
            (first.contributions, second.contributions),
        )
    )


class Loader:
    """Loads policies and their bucket sets; a set that several policies use is loaded once.

    Args:
        buckets: a bucket set to look at first; by default sets are looked for where the
            policies say, and among those of ``holdem buckets``.
    """

    def __init__(self, buckets: Path | None = None) -> None:
        self._buckets = buckets
        self._sets: dict[str, HandBucketing] = {}

    def load(self, path: Path) -> Contestant:
        """Return the policy, or the average strategy of the checkpoint, at *path*.

        A run's folder stands for the policy that the run has written, or for its newest
        checkpoint if it has not.

        Raises:
            StorageError: there is none, it is damaged, or has no average strategy.
            MismatchError: its bucket set is not found, or ``buckets`` is another.
        """
        return self.checkpoint(path) if holds_checkpoint(path) else self.policy(path)

    def policy(self, path: Path) -> Contestant:
        """Return the policy at *path*; errors are those of `load`."""
        require_no_suffix(path)
        return self._contestant(path, Blueprint.load(path), path)

    def checkpoint(self, path: Path) -> Contestant:
        """Return the average strategy of the checkpoint at *path*; errors are those of `load`."""
        require_no_suffix(path)
        folder, saved = checkpoint.find(path)
        wanted = str(saved["buckets_fingerprint"])
        buckets = None if wanted == LOSSLESS else self._place(wanted)
        return self._contestant(path, export_policy(folder, buckets=buckets).policy, folder)

    def require_used(self) -> None:
        """Refuse ``buckets`` if none of the policies loaded so far was trained with them.

        Raises:
            MismatchError: so it is.
        """
        if self._buckets is None:
            return
        if not self._sets:
            raise MismatchError(
                f"{self._buckets} was given, and nobody here plays by buckets",
                "leave --buckets out",
            )
        given = str(read_metadata(self._buckets, BUCKETS).get("fingerprint"))
        if given not in self._sets:
            wanted = " and ".join(fingerprint[:12] for fingerprint in self._sets)
            raise MismatchError(
                f"{self._buckets} is the bucket set {given[:12]}, and nobody here was trained with "
                f"it, but with {wanted}",
                "name that set by --buckets, or leave --buckets out",
            )

    def _contestant(self, path: Path, policy: Blueprint, source: Path) -> Contestant:
        wanted = policy.provenance.bucket_fingerprint
        if wanted is None:
            return Contestant(str(path), policy, source=source)
        if wanted not in self._sets:
            self._sets[wanted] = self._find(path, policy, wanted)
        return Contestant(str(path), policy, self._sets[wanted], source)

    def _find(self, path: Path, policy: Blueprint, wanted: str) -> HandBucketing:
        """Return the bucket set that *policy* was trained with."""
        named = policy.provenance.bucket_path
        place = self._place(wanted, named)
        if place is not None:
            return HandBucketing.load(place)
        if self._buckets is not None:
            return checked_bucketing(HandBucketing.load(self._buckets), wanted)
        raise MismatchError(
            f"the bucket set {wanted[:12]} of {path} is not found"
            + (f" at {named}" if named else f" in {ASSETS}"),
            "name it with --buckets PATH",
        )

    def _place(self, wanted: str, named: str | None = None) -> Path | None:
        """Return where the bucket set of the fingerprint *wanted* lies; None if it is not found."""
        if self._buckets is not None and not is_folder(self._buckets, BUCKETS):
            HandBucketing.load(self._buckets)  # says what is wrong with it
        for place in _places(self._buckets, named):
            if read_metadata(place, BUCKETS).get("fingerprint") == wanted:
                return place
        return None


def _places(buckets: Path | None, named: str | None) -> Iterator[Path]:
    """Where bucket sets may be: those that are there."""
    places = [place for place in (buckets, named and Path(named)) if place]
    if ASSETS.is_dir():
        places += sorted(ASSETS.iterdir())
    return (place for place in places if is_folder(place, BUCKETS))


def holds_checkpoint(path: Path) -> bool:
    """Whether *path* is a checkpoint, or a run with checkpoints that has written no policy."""
    if is_folder(path, checkpoint.KIND):
        return True
    return (path / "checkpoints").is_dir() and not (path / "avg_policy").is_dir()


def require_no_suffix(path: Path) -> None:
    """Answer a path such as ``checkpoint_final.pkl`` beside ``checkpoint_final/`` with the latter.

    Raises:
        StorageError: *path* is such a path.
    """
    if path.suffix in ("", ".json") or path.is_dir():
        return
    beside = path.with_suffix("")
    if beside.is_dir():
        raise StorageError(
            f"{path} is not what holdem writes, and {beside} beside it is a folder of arrays",
            str(beside),
        )
