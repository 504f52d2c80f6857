"""What a blueprint wins from the end of each street's betting, with either player free to bias it.

Depth-limited solving (Brown, Sandholm & Amos 2018; Pluribus, Brown & Sandholm 2019) stops
where a street's betting ends. There, before the next card, each player chooses how the
blueprint goes on to the end of the hand: as it is, or with the probabilities of its folds,
its checks and calls, or its bets and raises times `FACTOR`, each row normalised again.

The values of these sixteen games are learned once from sampled deals. Of each deal every
root of a street is valued exactly over all betting; values of deals in which both players
hold hands of the same two groups are averaged. Groups are those of the street before the
root, because the choice is made before the card comes. A mean of few deals is drawn
towards what the two groups alone, and the equity of one against the other, let expect.

The table is a folder of kind ``continuations``, by convention beside the policy. For each
street S on which hands are held when a root's card comes (``preflop``, ``flop``, ``turn``):

| array | dtype, shape | holds |
|---|---|---|
| ``roots_S`` | int32 (roots,) | nodes of the betting tree, the first decisions of the next street |
| ``values_S`` | float32 (roots, G, G, 4, 4) | see `ContinuationValues.values` |
| ``shares_S`` | float32 (G, G) | seat 0's share of a pot that is all-in on S |
| ``groups_S`` | uint16 (buckets,) | the group of each bucket of S |
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from holdem._core.continuations import ContinuationWalk, add_values
from holdem._core.deal import DEAL_DTYPE
from holdem.abstraction.bucketing import join_buckets
from holdem.abstraction.workers import Workers
from holdem.errors import ConfigError, MismatchError, ResourceError
from holdem.evaluation.aivat import street_roots
from holdem.evaluation.contestants import Contestant
from holdem.evaluation.smoothing import smoothed_means
from holdem.game.policy import Policy
from holdem.game.tree import BettingTree
from holdem.machine import available_memory, usable_cores
from holdem.mccfr.blueprint import KIND as POLICY
from holdem.mccfr.blueprint import Blueprint
from holdem.search.subgame import CHOICES
from holdem.storage import format_bytes, is_folder, read_folder, write_folder
from holdem.types import STREETS

__all__ = [
    "FACTOR",
    "FOLDER_NAME",
    "KIND",
    "MOST_GROUPS",
    "ContinuationValues",
    "Costs",
    "continuations_path",
    "estimate",
    "learn_continuations",
    "policy_fingerprint",
]

KIND = "continuations"
FOLDER_NAME = "continuations"
"""Of the table of a run's policy, in the run's folder."""

FACTOR = 5.0
"""What a biased continuation multiplies the probability of its kind of action by (Pluribus)."""

FIRST_CONTINUATION_DEAL = 3 << 60
"""Deals to learn from have numbers of their own, far from those of training, matches and AIVAT."""

MOST_GROUPS = 64
"""Buckets of a street are joined to at most so many groups, neighbours in strength together."""
_FEWEST_GROUPS = 6
MOST_BYTES = 64 << 20
"""Of a table; with many roots there are fewer groups."""

_PAIRS = len(CHOICES) ** 2
_NODES_VALUED = 4_000_000_000  # in all, by default: less than a minute of two cores
_FEWEST_DEALS, _MOST_DEALS = 20_000, 4_000_000
_CHUNK = 64  # deals that a thread values at a time
_ROOTS_CHUNK = 8  # roots whose values it adds
_MOST_IN_FLIGHT = 32 << 20  # bytes of values that are not added yet
_PROBE_DEALS = 64
_ADDING = 1.25  # what a deal takes with the adding, over what it takes to value it
# By street: a cell of so many deals counts as much as what is expected of it. The earlier, the
# less two hands say of what they will win, and the more deals it takes to tell it from luck.
_PRIOR_DEALS = {"holdem": (240.0, 80.0, 30.0), "one-card": (10.0, 10.0, 10.0)}

KIND_OF_ACTION = np.array([1, 0, 1, 1, 2, 2, 2], np.uint8)
"""By `ActionKind`: 0 a fold, 1 a check or call, 2 a bet or raise. Nothing led to the root."""

Float = npt.NDArray[np.float32]
Cells = list[npt.NDArray[np.int32]]


# ---- What there is ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Street:
    """The roots whose card comes when hands of one street are held."""

    roots: npt.NDArray[np.int32]
    values: Float
    shares: Float
    groups: npt.NDArray[np.uint16]


class ContinuationValues:
    """The table of a policy; see the module.

    Attributes:
        tree: the policy's betting tree.
        num_deals: how many deals it was learned from.
        fingerprint: of the policy, see `policy_fingerprint`.
    """

    def __init__(
        self, tree: BettingTree, streets: tuple[_Street, ...], num_deals: int, fingerprint: str
    ) -> None:
        self.tree = tree
        self.num_deals = num_deals
        self.fingerprint = fingerprint
        self._streets = streets
        self._places = {
            int(root): (street, place)
            for street, table in enumerate(streets)
            for place, root in enumerate(table.roots.tolist())
        }

    @property
    def num_groups(self) -> tuple[int, ...]:
        """Groups of each street on which hands are held when a card comes."""
        return tuple(len(street.shares) for street in self._streets)

    @property
    def num_roots(self) -> tuple[int, ...]:
        """Roots after the betting of each of these streets."""
        return tuple(len(street.roots) for street in self._streets)

    @property
    def num_bytes(self) -> int:
        """Of all arrays."""
        return sum(s.values.nbytes + s.shares.nbytes + s.groups.nbytes for s in self._streets)

    def groups(self, street: int) -> npt.NDArray[np.uint16]:
        """Return the group of each bucket of *street*, the one whose betting is over.

        For values of a turn's root ask for the flop's: its hands are those that are known
        when the choice is made.

        Returns:
            uint16 (buckets,), the same for both seats.
        """
        return self._streets[street].groups

    def shares(self, street: int) -> Float:
        """Return seat 0's mean share of a pot that is all-in on *street*: float32 (G, G)."""
        return self._streets[street].shares

    def begins(self, node: int, street: int) -> bool:
        """Whether *node* is the first decision of *street*, and in the table."""
        return node in self._places and self._places[node][0] == street - 1

    def values(self, node: int, *, first_seat: int = 0) -> Float:
        """Return what the beginning of a street is worth, before its card comes.

        Args:
            node: the first decision of a street after the first.
            first_seat: whose axes come first and to whom the values are. In subgames, whose
                player 0 is out of position, heads-up that is seat 1.

        Returns:
            float32 (G, G, 4, 4): by group of the first seat's hand, group of the other's, choice
            of the first seat, choice of the other. In pots: chips over the pot at *node*, half
            of that pot taken off, so that the other's values are these times -1. Groups are those
            of the street before.

        Raises:
            ConfigError: no street after the first begins at *node*.
        """
        if node not in self._places:
            raise ConfigError(
                f"no street begins at node {node} of the betting tree",
                "ask for the first decision of a street; `shares` has what is all-in",
            )
        street, place = self._places[node]
        values = self._streets[street].values[place]
        result: Float = values if first_seat == 0 else -values.transpose(1, 0, 3, 2)
        return result

    def save(self, path: Path) -> None:
        """Write the folder *path*.

        Raises:
            StorageError: it cannot be written.
        """
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name, street in zip(STREETS, self._streets, strict=False):
            arrays[f"roots_{name}"] = street.roots
            arrays[f"values_{name}"] = street.values
            arrays[f"shares_{name}"] = street.shares
            arrays[f"groups_{name}"] = street.groups
        metadata = {
            "policy_fingerprint": self.fingerprint,
            "tree_fingerprint": self.tree.fingerprint,
            "num_deals": self.num_deals,
            "factor": FACTOR,
            "choices": list(CHOICES),
        }
        write_folder(path, arrays, metadata, kind=KIND)

    @classmethod
    def load(cls, path: Path, policy: Policy, *, verify: bool = True) -> ContinuationValues:
        """Return the table in the folder *path*; its arrays are mapped and not read.

        Args:
            path: what `save` wrote.
            policy: whose values they must be.
            verify: compare every byte with its checksum.

        Raises:
            StorageError: it is missing, damaged or something else.
            MismatchError: it is of another policy.
        """
        folder = read_folder(path, KIND, verify=verify)
        wanted = policy_fingerprint(policy)
        found = str(folder.metadata["policy_fingerprint"])
        if found != wanted:
            raise MismatchError(
                f"the continuations {path} are of the policy {found[:12]}, not {wanted[:12]}",
                "learn them again: holdem continuations POLICY",
            )
        streets = tuple(
            _Street(
                *(
                    np.asarray(folder.arrays[f"{what}_{name}"])
                    for what in ("roots", "values", "shares", "groups")
                )
            )
            for name in STREETS
            if f"roots_{name}" in folder.arrays
        )
        return cls(policy.tree, streets, int(folder.metadata["num_deals"]), found)


def continuations_path(policy: Path) -> Path:
    """Return where the table of the policy at *policy* is by convention: in its run's folder.

    Args:
        policy: a run's folder, or the policy's folder or JSON file in it.
    """
    inside = policy.is_file() or is_folder(policy, POLICY)
    return (policy.resolve().parent if inside else policy) / FOLDER_NAME


def policy_fingerprint(policy: Policy) -> str:
    """Return the SHA-256, in hexadecimal, of a policy's tree, buckets and probabilities."""
    digest = hashlib.sha256(f"policy 1; tree {policy.tree.fingerprint}\n".encode())
    if isinstance(policy, Blueprint):
        digest.update(f"buckets {policy.provenance.bucket_fingerprint}\n".encode())
    digest.update(np.ascontiguousarray(Contestant("", policy).rows()[1]).data)
    return digest.hexdigest()


# ---- What it takes ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """What learning a table takes.

    Attributes:
        num_deals: how many deals are valued.
        num_roots: by street whose betting is over.
        num_groups: likewise.
        table_bytes: of the finished table.
        memory_bytes: at the highest point, the policy and its buckets left aside.
        seconds: about, if the machine does nothing else.
    """

    num_deals: int
    num_roots: tuple[int, ...]
    num_groups: tuple[int, ...]
    table_bytes: int
    memory_bytes: int
    seconds: float


def estimate(player: Contestant, *, num_deals: int | None = None, num_workers: int = 0) -> Costs:
    """Return what learning the table of a policy costs on this machine; takes a moment.

    Args:
        player: the policy, with its buckets.
        num_deals: how many deals; by default as many as take less than a minute or so.
        num_workers: threads; 0 for one per core.

    Raises:
        ConfigError: the policy is not for two players, or has a single street.
        ResourceError: its tree has too many streets' beginnings for a table, or memory is short.
    """
    return _Learner(player, num_deals, num_workers).costs()


def learn_continuations(
    player: Contestant,
    *,
    num_deals: int | None = None,
    num_workers: int = 0,
    seed: int = 0,
    observer: Callable[[int], None] | None = None,
) -> ContinuationValues:
    """Return the table of a policy, learned from sampled deals.

    Args:
        player: the policy, with its buckets.
        num_deals: how many deals; by default as many as take less than a minute or so.
        num_workers: threads; 0 for one per core. The result does not depend on it.
        seed: of the deals.
        observer: is told how many more deals are done.

    Raises:
        ConfigError: the policy is not for two players, or has a single street.
        ResourceError: its tree has too many streets' beginnings for a table, or memory is short.
    """
    learner = _Learner(player, num_deals, num_workers)
    learner.learn(seed, observer or (lambda deals: None))
    return learner.table()


# ---- Learning ---------------------------------------------------------------------------------


class _Sums:
    """Values added up by cell, the groups of both seats, of the roots after one street."""

    def __init__(
        self, roots: npt.NDArray[np.int32], groups: npt.NDArray[np.uint16], prior: float
    ) -> None:
        self.roots, self.groups, self.prior = roots, groups, prior
        self.num_groups = int(groups.max()) + 1
        cells = self.num_groups**2
        self.values = [_aligned((cells, _PAIRS)) for _ in roots]
        self.shares = np.zeros(cells)
        self.counts = np.zeros(cells)

    def cells(self, buckets: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """The cell of each deal: *buckets* is (deals, 2)."""
        groups = self.groups.astype(np.int32)
        cells: npt.NDArray[np.int32] = groups[buckets[:, 0]] * np.int32(self.num_groups)
        cells += groups[buckets[:, 1]]
        return cells

    def count(self, cells: npt.NDArray[np.int32], shares: Float) -> None:
        """Take in how often each cell came, and who won."""
        self.counts += np.bincount(cells, minlength=len(self.counts))
        self.shares += np.bincount(cells, shares, minlength=len(self.counts))

    def finish(self, pots: npt.NDArray[np.integer]) -> _Street:
        """The means, in pots of the roots."""
        shape = (self.num_groups, self.num_groups)
        counts = self.counts.reshape(*shape, 1)
        shares = smoothed_means(self.shares.reshape(*shape, 1), counts, None, prior=self.prior)
        values = np.empty((len(self.roots), *shape, len(CHOICES), len(CHOICES)), np.float32)
        for place, pot in enumerate(pots.tolist()):
            sums = self.values[place].reshape(*shape, _PAIRS).astype(np.float64) / pot
            means = smoothed_means(sums, counts, shares[..., 0], prior=self.prior)
            values[place] = means.reshape(values.shape[1:])
        return _Street(self.roots, values, shares[..., 0].astype(np.float32), self.groups)


class _Learner:
    """Values deals and adds them up, a batch after the other.

    A batch's deals are valued by all threads, then each root's are added by one of them, in
    the order of the deals: so nothing depends on how many threads there are.
    """

    def __init__(self, player: Contestant, num_deals: int | None, num_workers: int) -> None:
        tree = player.tree
        if tree.game.num_players != 2 or tree.game.num_streets < 2:
            raise ConfigError(
                f"continuations are of games for 2 players with 2 streets or more, and "
                f"{player.name} is for {tree.game.num_players} with {tree.game.num_streets}",
                "name a heads-up policy that plays after the flop",
            )
        self._player, self._tree = player, tree
        self._num_workers = num_workers or usable_cores()
        self._dealer = player.dealer()
        units = player.rows()[1]
        kinds = KIND_OF_ACTION[tree.action_kinds]
        self._walk = ContinuationWalk(tree.nodes, tree.folded, kinds, units, FACTOR)
        roots = street_roots(tree).nodes[1:]
        self._at = np.concatenate(roots)
        if not len(self._at):
            raise ConfigError(
                f"continuations begin on a later street, and all betting of {player.name} ends on "
                "the first",
                "name a policy that plays after the flop",
            )
        self._batch = max(_CHUNK, min(2_048, _MOST_IN_FLIGHT // (4 * _PAIRS * len(self._at))))
        self._num_deals = num_deals or min(
            _MOST_DEALS, max(_FEWEST_DEALS, _NODES_VALUED // tree.num_nodes)
        )
        groups = [self._join_buckets(street) for street in range(len(roots))]
        self._costs = self._estimate(roots, groups)
        if self._costs.memory_bytes > available_memory():
            raise ResourceError(
                f"learning continuations needs {format_bytes(self._costs.memory_bytes)} of memory, "
                f"and there are {format_bytes(available_memory())}",
                "end other programs, or learn them on another machine and copy the folder",
            )
        priors = _PRIOR_DEALS[tree.game.cards.kind]
        self._sums = [_Sums(r, g, p) for r, g, p in zip(roots, groups, priors, strict=False)]

    def _join_buckets(self, street: int) -> npt.NDArray[np.uint16]:
        """The group of each bucket of a street: neighbours in strength are joined."""
        buckets = self._tree.bucket_counts[street]
        most = int((MOST_BYTES / (4 * _PAIRS * len(self._at))) ** 0.5)
        if most < min(_FEWEST_GROUPS, buckets):
            raise ResourceError(
                f"{self._player.name} has {len(self._at):,} nodes where a street begins, of which "
                f"{MOST_BYTES // (4 * _PAIRS * _FEWEST_GROUPS**2):,} at most go into a table of "
                f"{format_bytes(MOST_BYTES)}",
                "use a policy with fewer bet sizes",
            )
        return join_buckets(self._player.bucketing, street, buckets, min(most, MOST_GROUPS))

    def _estimate(
        self, roots: Sequence[npt.NDArray[np.int32]], groups: Sequence[npt.NDArray[np.uint16]]
    ) -> Costs:
        num_roots = tuple(len(street) for street in roots)
        num_groups = tuple(int(street.max()) + 1 for street in groups)
        table = sum(
            count * size**2 * 4 * _PAIRS for count, size in zip(num_roots, num_groups, strict=True)
        )
        walking = 4 * _PAIRS * (self._batch * len(self._at) + self._tree.num_nodes)
        deals, values = np.empty(_PROBE_DEALS, DEAL_DTYPE), self._room(_PROBE_DEALS)
        self._value(0, 0, deals, values)  # the first time, memory is touched
        started = time.thread_time()
        self._value(0, 0, deals, values)
        seconds = _ADDING * (time.thread_time() - started) / _PROBE_DEALS * self._num_deals
        return Costs(
            num_deals=self._num_deals,
            num_roots=num_roots,
            num_groups=num_groups,
            table_bytes=table,
            memory_bytes=2 * table + walking,
            seconds=seconds / min(self._num_workers, usable_cores()),
        )

    def costs(self) -> Costs:
        """What it takes; a few deals were timed."""
        return self._costs

    def _room(self, deals: int) -> Float:
        return _aligned((deals, len(self._at), _PAIRS))

    def _value(self, seed: int, first: int, deals: npt.NDArray[np.void], values: Float) -> None:
        """Deal and value deals from number *first* on."""
        self._dealer.deal(seed, FIRST_CONTINUATION_DEAL + first, deals)
        self._walk.values(deals, self._at, values)

    def learn(self, seed: int, observer: Callable[[int], None]) -> None:
        """Take in all deals."""
        deals = np.empty(self._batch, DEAL_DTYPE)
        values = self._room(self._batch)
        # The street and the place there of each column of *values*.
        places = [
            (street, place)
            for street, sums in enumerate(self._sums)
            for place in range(len(sums.roots))
        ]
        with Workers(self._num_workers) as workers:
            for done in range(0, self._num_deals, self._batch):
                size = min(self._batch, self._num_deals - done)

                def value(start: int, stop: int, done: int = done) -> None:
                    self._value(seed, done + start, deals[start:stop], values[start:stop])

                deque(workers.chunks(value, size, _CHUNK), maxlen=0)
                cells = [
                    sums.cells(deals["bucket"][:size, street, :2])
                    for street, sums in enumerate(self._sums)
                ]

                def add(start: int, stop: int, cells: Cells = cells, size: int = size) -> None:
                    for column in range(start, stop):
                        street, place = places[column]
                        sums = self._sums[street].values[place]
                        add_values(values[:size], cells[street], column, sums)

                deque(workers.chunks(add, len(places), _ROOTS_CHUNK), maxlen=0)
                for street, sums in enumerate(self._sums):
                    sums.count(cells[street], deals["share"][:size, street])
                observer(size)

    def table(self) -> ContinuationValues:
        """The means of what was learned."""
        pots = self._tree.nodes["pot"]
        return ContinuationValues(
            self._tree,
            tuple(sums.finish(pots[sums.roots]) for sums in self._sums),
            self._num_deals,
            policy_fingerprint(self._player.policy),
        )


def _aligned(shape: tuple[int, ...]) -> Float:
    """Zeros that begin at a multiple of 64 bytes."""
    count = int(np.prod(shape))
    whole = np.zeros(count + 16, np.float32)
    skip = -whole.ctypes.data % 64 // 4
    return whole[skip : skip + count].reshape(shape)
