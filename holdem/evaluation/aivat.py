"""The values that AIVAT corrects luck with, learned from deals of two known policies.

AIVAT (Burch et al. 2018) replaces what a hand brought by an estimate with the same mean
and less variance; `holdem._core.aivat` says how. Its values may be anything without
biasing it, and the nearer they are to the truth, the less luck is left. Here they are
what the two policies win from each other: of sampled deals, each street's root is
valued over all betting, and the values of deals in the same buckets are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem._core import indexer
from holdem._core.aivat import Estimator, Matchup
from holdem._core.deal import DEAL_DTYPE, HoldemDealer, OneCardDealer
from holdem.abstraction.bucketing import join_buckets
from holdem.abstraction.workers import Workers
from holdem.evaluation.contestants import Contestant
from holdem.evaluation.smoothing import smoothed_means
from holdem.game import preflop
from holdem.game.tree import BettingTree, Ending
from holdem.types import CardRules

FIRST_LEARNING_DEAL = 1 << 61
"""Deals to learn from have numbers of their own, far from those that are trained on or played."""

MAX_GROUPS = 64
"""Buckets of a street are joined to at most so many groups, neighbours in strength together."""
MAX_CELLS = 1 << 24
"""Most values that a street's table holds."""
NUM_FLOPS = 32
"""Flops that the mean over flops is estimated from, for each hand."""

_NODES_VALUED = 150_000_000  # in all, while learning: some seconds
_FEWEST_DEALS, _MOST_DEALS = 5_000, 100_000
_CHUNK = 500
# A cell of so many deals counts as much as what its row and its column say of it.
_PRIOR_DEALS = 20.0


@dataclass(frozen=True)
class StreetRoots:
    """Where each street of a betting tree begins, and what its betting spans.

    Attributes:
        nodes: by street, int32: the roots, ascending; street 0 has the tree's.
        numbers: int32 (num_nodes,): the number of a root among those of its street; else -1.
        members: int32: of each root the nodes of its street and where that ends, from high
            to low, the root itself last.
        first_members: int32 (num_nodes + 1,): where the members of each root begin.
        ends: int32 (num_nodes,): one more than a node's last descendant.
    """

    nodes: tuple[NDArray[np.int32], ...]
    numbers: NDArray[np.int32]
    members: NDArray[np.int32]
    first_members: NDArray[np.int32]
    ends: NDArray[np.int32]


def street_roots(tree: BettingTree) -> StreetRoots:
    """Return where the streets of *tree* begin."""
    nodes, parents = tree.nodes, tree.parents.astype(np.int64)
    number = np.arange(tree.num_nodes)
    is_root = (nodes["num_actions"] > 0) & (nodes["street"] != nodes["street"][parents])
    is_root[0] = True
    numbers = np.full(tree.num_nodes, -1, np.int32)
    by_street = []
    for street in range(tree.game.num_streets):
        found = np.flatnonzero(is_root & (nodes["street"] == street)).astype(np.int32)
        numbers[found] = np.arange(len(found))
        by_street.append(found)
    # The nearest root above each node, found by going up until all are there.
    owner = parents.copy()
    owner[0] = 0
    while not is_root[owner].all():
        owner = np.where(is_root[owner], owner, parents[owner])
    # A root belongs to its own street and to the one that it ends.
    roots = number[is_root]
    members = np.concatenate([number[1:], roots])
    owners = np.concatenate([owner[1:], roots])
    order = np.lexsort((-members, owners))
    return StreetRoots(
        nodes=tuple(by_street),
        numbers=numbers,
        members=members[order].astype(np.int32),
        first_members=np.searchsorted(owners[order], np.arange(tree.num_nodes + 1)).astype(
            np.int32
        ),
        ends=_ends(tree),
    )


def _ends(tree: BettingTree) -> NDArray[np.int32]:
    """One more than the last descendant of each node (of itself, at an ending)."""
    ends = np.arange(1, tree.num_nodes + 1, dtype=np.int32)
    first = tree.nodes["first_child"].astype(np.int64)
    width = tree.nodes["num_actions"].astype(np.int64)
    level, levels = np.array([0]), []
    while level.size:
        before = np.cumsum(width[level]) - width[level]
        children = np.repeat(first[level] - before, width[level])
        children += np.arange(len(children))
        levels.append((level, before, children))
        level = children[width[children] > 0]
    for level, before, children in reversed(levels):
        ends[level] = np.maximum.reduceat(ends[children], before)
    return ends


# ---- The cards before the first board ---------------------------------------------------------


@dataclass(frozen=True)
class Openings:
    """Pairs of private hands before any board: preflop classes, or ranks.

    Attributes:
        weights: float64 (classes, classes), how likely; sums to 1.
        shares: float64 (classes, classes), seat 0's share of a pot all-in.
        buckets: by seat, int64 (classes,): the bucket of each class on the first street.
    """

    weights: NDArray[np.float64]
    shares: NDArray[np.float64]
    buckets: tuple[NDArray[np.int64], NDArray[np.int64]]


def _openings(seats: tuple[Contestant, Contestant]) -> Openings:
    """What can be dealt to two seats."""
    cards = seats[0].tree.game.cards
    if cards.kind == "one-card":
        ranks = np.arange(cards.ranks)
        return Openings(*_one_card_pairs(cards), (ranks, ranks))
    weights = preflop.pair_weights().astype(np.float64)
    first, second = (seat.bucketing for seat in seats)
    assert first is not None
    assert second is not None
    return Openings(
        weights / weights.sum(),
        first.preflop_equities,
        (first.tables[0].astype(np.int64), second.tables[0].astype(np.int64)),
    )


def _one_card_pairs(cards: CardRules) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Likelihood and all-in share of each pair of ranks."""
    ranks = cards.ranks
    same = np.eye(ranks)
    weights = cards.suits * (cards.suits - same)
    rank = np.arange(ranks)
    shares = np.where(rank[:, None] == rank, 0.5, rank[:, None] > rank).astype(np.float64)
    if cards.board_street is not None:
        # How many of each rank are left as the public card, and who pairs it.
        left = cards.suits - same[:, None, :] - same[None, :, :]
        pairs = same[:, None, :] - same[None, :, :]
        paired = np.where(pairs == 0, shares[:, :, None], pairs > 0)
        left = np.maximum(left, 0)
        shares = (left * paired).sum(axis=2) / left.sum(axis=2)
    return weights / weights.sum(), shares


def _preflop_expectation(
    tree: BettingTree,
    roots: StreetRoots,
    openings: Openings,
    rows: tuple[tuple[NDArray[np.int64], NDArray[np.uint16]], ...],
    values: NDArray[np.float32],
) -> float:
    """The mean over pairs and first-street betting of what the hand is worth where it ends.

    Args:
        tree: the betting tree.
        roots: its streets.
        openings: the pairs.
        rows: of both seats, see `Contestant.rows`.
        values: (classes * classes, roots of street 1), see `Estimator`.
    """
    shape = openings.weights.shape
    found: dict[int, NDArray[np.float64]] = {}
    for node in roots.members[: roots.first_members[1]].tolist():
        record = tree.nodes[node]
        if record["ending"] == Ending.FOLD:
            lost = int(tree.folded[record["ending_index"]]) & 1
            found[node] = np.full(shape, (-0.5 if lost else 0.5) * record["pot"])
        elif record["ending"] == Ending.SHOWDOWN:
            found[node] = (openings.shares - 0.5) * record["pot"]
        elif record["street"] > 0:
            found[node] = values[:, roots.numbers[node]].astype(np.float64).reshape(shape)
        else:
            seat, k = int(record["actor"]), int(record["num_actions"])
            first_slots, units = rows[seat]
            slots = first_slots[node] + openings.buckets[seat][:, None] * k + np.arange(k)
            played = units[slots].astype(np.float64) / 65_535
            played = played[:, None] if seat == 0 else played[None]
            below = np.stack([found.pop(child) for child in tree.children(node)], axis=-1)
            found[node] = (played * below).sum(axis=-1)
    return float((openings.weights * found[0]).sum())


# ---- Learning ---------------------------------------------------------------------------------


def make_estimator(
    seats: tuple[Contestant, Contestant],
    *,
    seed: int,
    num_deals: int | None = None,
    num_workers: int = 1,
    exact_street: int | None = None,
) -> Estimator:
    """Return what estimates the hands that the two *seats* play against each other.

    Args:
        seats: who sits where; their trees must have the same betting.
        seed: of the deals that are learned from.
        num_deals: how many; by default as many as take some seconds.
        num_workers: threads; the result does not depend on it.
        exact_street: from which street on values are exact; by default the turn in
            hold'em, the street of the public card in one-card games.
    """
    tree = seats[0].tree
    cards = tree.game.cards
    if exact_street is None:
        exact_street = 2 if cards.kind == "holdem" else (cards.board_street or 1)
    roots = street_roots(tree)
    openings = _openings(seats)
    rows = (seats[0].rows(), seats[1].rows())
    matchup = Matchup(tree.nodes, tree.folded, tree.parents, roots.ends, rows)
    dealers = (seats[0].dealer(), seats[1].dealer())
    tables = _Tables(seats, roots, exact_street, openings)
    if tree.game.num_streets > 1:
        wanted = num_deals or min(_MOST_DEALS, max(_FEWEST_DEALS, _NODES_VALUED // tree.num_nodes))
        tables.learn(matchup, dealers, seed, wanted, num_workers)
    preflop_values = tables.preflop_values()
    return Estimator(
        matchup,
        dealers,
        exact_street=exact_street,
        root_numbers=roots.numbers,
        members=roots.members,
        first_members=roots.first_members,
        expectation=_preflop_expectation(tree, roots, openings, rows, preflop_values),
        preflop_values=preflop_values,
        street_values=[
            (*tables.street_values(street), tables.groups[street])
            for street in range(1, exact_street + 1)
        ],
        num_flops=NUM_FLOPS,
    )


class _Tables:
    """Sums of values by group of both seats, street by street."""

    def __init__(
        self,
        seats: tuple[Contestant, Contestant],
        roots: StreetRoots,
        exact_street: int,
        openings: Openings,
    ) -> None:
        self._openings = openings
        self._num_streets = seats[0].tree.game.num_streets
        no_roots = np.empty(0, np.int32)
        self._roots = [
            roots.nodes[street] if street < self._num_streets else no_roots
            for street in range(exact_street + 1)
        ]
        self.groups = {
            street: (
                _groups(seats[0], street, len(self._roots[street])),
                _groups(seats[1], street, len(self._roots[street])),
            )
            for street in range(1, exact_street + 1)
        }
        classes = len(openings.weights)
        self._classes = _Sums((classes, classes), len(self._roots[1]))
        self._streets = {
            street: _Sums((int(first.max()) + 1, int(second.max()) + 1), len(self._roots[street]))
            for street, (first, second) in self.groups.items()
        }

    def learn(
        self,
        matchup: Matchup,
        dealers: tuple[HoldemDealer | OneCardDealer, HoldemDealer | OneCardDealer],
        seed: int,
        num_deals: int,
        num_workers: int,
    ) -> None:
        """Add the values of *num_deals* deals."""
        at = np.concatenate(self._roots[1:])
        is_holdem = isinstance(dealers[0], HoldemDealer)

        def value(
            start: int, stop: int
        ) -> tuple[NDArray[np.void], NDArray[np.uint8], NDArray[np.float32]]:
            first = FIRST_LEARNING_DEAL + start
            deals = np.empty(stop - start, DEAL_DTYPE)
            dealers[0].deal(seed, first, deals)
            if dealers[1] is not dealers[0]:
                others = np.empty_like(deals)
                dealers[1].deal(seed, first, others)
                deals["bucket"][:, :, 1] = others["bucket"][:, :, 1]
            cards = np.empty((stop - start, dealers[0].num_cards), np.uint8)
            dealers[0].cards(seed, first, cards)
            values = np.empty((stop - start, len(at)), np.float32)
            matchup.expected(deals, at, values)
            return deals, cards, values

        with Workers(num_workers) as workers:
            for _, _, (deals, cards, values) in workers.chunks(value, num_deals, _CHUNK):
                hands = preflop_classes(cards) if is_holdem else cards[:, :2].astype(np.int64)
                self._add(deals, hands, values)

    def _add(
        self, deals: NDArray[np.void], hands: NDArray[np.int64], values: NDArray[np.float32]
    ) -> None:
        done = 0
        for street, sums in self._streets.items():
            first, second = self.groups[street]
            here = values[:, done : done + len(self._roots[street])]
            done += len(self._roots[street])
            dealt = min(street, self._num_streets - 1)
            result = deals["share"][:, dealt].astype(np.float64)
            if street < self._num_streets:
                buckets = deals["bucket"][:, street]
                sums.add(first[buckets[:, 0]], second[buckets[:, 1]], here, result)
            else:
                nowhere = np.zeros(len(deals), np.int64)
                sums.add(nowhere, nowhere, here, result)
            if street == 1:
                self._classes.add(hands[:, 0], hands[:, 1], here, result)

    def preflop_values(self) -> NDArray[np.float32]:
        """The values of street 1's roots by pair of classes, see `Estimator`."""
        return self._classes.means(self._openings.shares)

    def street_values(self, street: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The values of a street's roots and the shares all-in, see `Estimator`."""
        sums = self._streets[street]
        shares = sums.mean_shares()
        return sums.means(shares), shares.ravel().astype(np.float32)


def _groups(seat: Contestant, street: int, num_roots: int) -> NDArray[np.uint16]:
    """The group of each bucket; a single one of a street that nobody bets on."""
    if street >= seat.tree.game.num_streets:
        return np.zeros(1, np.uint16)
    most = min(MAX_GROUPS, int((MAX_CELLS / max(num_roots, 1)) ** 0.5))
    return join_buckets(seat.bucketing, street, seat.tree.bucket_counts[street], most)


class _Sums:
    """Values added up by cell: what both seats hold."""

    def __init__(self, shape: tuple[int, int], num_roots: int) -> None:
        self._shape = shape
        cells = shape[0] * shape[1]
        self._values = np.zeros((cells, num_roots))
        self._shares = np.zeros(cells)
        self._counts = np.zeros(cells)

    def add(
        self,
        first: NDArray[np.integer],
        second: NDArray[np.integer],
        values: NDArray[np.float32],
        shares: NDArray[np.float64],
    ) -> None:
        cells = first.astype(np.int64) * self._shape[1] + second
        np.add.at(self._values, cells, values)
        np.add.at(self._shares, cells, shares)
        np.add.at(self._counts, cells, 1.0)

    def mean_shares(self) -> NDArray[np.float64]:
        """The mean share of each cell, (first, second)."""
        return self._smooth(self._shares[:, None], None)[..., 0]

    def means(self, shares: NDArray[np.float64]) -> NDArray[np.float32]:
        """The mean value of each cell and root, (cells, roots) and at least one column.

        Args:
            shares: of each cell, (first, second): what rows and columns alone cannot say of a
                cell is taken to go with these.
        """
        if self._values.shape[1] == 0:
            return np.zeros((len(self._values), 1), np.float32)
        means = self._smooth(self._values, shares)
        return np.ascontiguousarray(means.reshape(self._values.shape), dtype=np.float32)

    def _smooth(
        self, sums: NDArray[np.float64], guide: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Means of cells, drawn towards a guess from rows, columns and *guide*."""
        counts = self._counts.reshape(*self._shape, 1)
        sums = sums.reshape(*self._shape, -1)
        return smoothed_means(sums, counts, guide, prior=_PRIOR_DEALS)


def preflop_classes(cards: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The preflop classes of both hands in rows of dealt *cards*, (n, 2)."""
    first = indexer.index(np.ascontiguousarray(cards[:, 0:2]))
    second = indexer.index(np.ascontiguousarray(cards[:, 2:4]))
    return np.stack([first, second], axis=1).astype(np.int64)
