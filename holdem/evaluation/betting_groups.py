"""A betting tree and its strategy laid out for `_core.best_response`, 16 or 8 points side by side.

Beginnings of a street share groups by `holdem.game.shapes`. Where a lane's betting has not all
that its group has, the strategy never makes the missing bets, and a bar keeps the responder
from making them. Streets are those that have a board.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from holdem._core import best_response, best_response_8
from holdem._core.best_response import POINT_DTYPE, Betting
from holdem.game import shapes
from holdem.game.policy import Policy
from holdem.game.tree import BettingTree, Ending

_KERNELS: dict[int, type[Betting]] = {
    best_response.LANES: best_response.Betting,
    best_response_8.LANES: best_response_8.Betting,
}

_FIELDS = list(POINT_DTYPE.names or ())

_Rows = NDArray[np.float32] | np.float32


@dataclass(frozen=True)
class BettingGroups:
    """The betting of all streets that have a board.

    Attributes:
        betting: what the kernel walks.
        num_lanes: of each group.
        num_groups: of the first of these streets.
        places: int64 (beginnings, 2): group and lane of each beginning of that street, in the
            order in which `street_beginnings` lists them.
    """

    betting: Betting
    num_lanes: int
    num_groups: int
    places: NDArray[np.int64]


def street_beginnings(tree: BettingTree, street: int, roots: list[int]) -> list[int]:
    """Return the nodes at which the street after *street* begins, from *roots* on.

    A showdown before the last betting street is among them: the hand is run out.
    """
    return [node for root in roots for node in _leaves(tree, street, root)]


def group_betting(policy: Policy, num_streets: int, num_lanes: int | None = None) -> BettingGroups:
    """Lay out the betting of *policy*'s tree after its first street.

    Args:
        policy: the strategies of both seats.
        num_streets: streets of cards, the first included; a tree that ends earlier is run out.
        num_lanes: points side by side, 16 or 8; None for `shapes.lanes_here`. What comes out does
            not depend on it.

    Raises:
        ConfigError: an ending is not what two players with equal stakes have.
    """
    tree = policy.tree
    num_lanes = num_lanes or shapes.lanes_here()
    beginnings = street_beginnings(tree, 0, [0])
    places: NDArray[np.int64] | None = None
    streets = []
    previous: _Street | None = None
    for street in range(1, num_streets):
        last = street == num_streets - 1
        laid_out = _Street(policy, street, beginnings, num_lanes, last=last)
        if previous is None:
            places = laid_out.places
        else:
            previous.link(laid_out.places)
            streets.append(previous.arrays())
        beginnings, previous = laid_out.leaves, laid_out
    assert previous is not None
    assert places is not None
    streets.append(previous.arrays())
    betting = _KERNELS[num_lanes](streets)
    return BettingGroups(betting, num_lanes, betting.num_groups[0], places)


def _leaves(tree: BettingTree, street: int, node: int) -> list[int]:
    """Nodes below *node* where the next street begins, in the order of the tree."""
    record = tree.nodes[node]
    if record["num_actions"] == 0:
        return [node] if record["ending"] == Ending.SHOWDOWN else []
    if record["street"] != street:
        return [node]
    return [leaf for child in tree.children(node) for leaf in _leaves(tree, street, child)]


@dataclass
class _Street:
    """One street, laid out group by group.

    Attributes:
        places: (beginnings, 2), group and lane of each.
        leaves: where the next street begins.
    """

    policy: Policy
    street: int
    beginnings: list[int]
    num_lanes: int
    last: bool
    leaves: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._points: list[dict[str, int]] = []
        self._chips: list[NDArray[np.float32]] = []
        self._strategies: list[NDArray[np.float32]] = []
        self._num_vectors = 0
        self._leaf_lanes: list[list[int]] = []  # per leaf point, index into leaves or -1
        self._slots: NDArray[np.int32] | None = None
        self._depth = 1
        self._known: dict[int, shapes.Shape] = {}
        counts = self.policy.tree.bucket_counts
        self._num_buckets = counts[self.street] if self.street < len(counts) else 0
        self.places = np.empty((len(self.beginnings), 2), np.int64)
        self._roots: list[int] = []
        begun = [self._shape(node) for node in self.beginnings]
        for shape, members in shapes.groups(begun, self.num_lanes):
            self.places[members, 0] = len(self._roots)
            self.places[members, 1] = np.arange(len(members))
            self._roots.append(len(self._points))
            self._points.append({})
            self._add(
                self._roots[-1],
                shape,
                [self.beginnings[index] for index in members],
                (np.float32(1), np.float32(1)),
                1,
            )

    def link(self, places: NDArray[np.int64]) -> None:
        """Say where the next street's beginnings lie."""
        slots = np.append(places[:, 0] * self.num_lanes + places[:, 1], -1)  # index -1 is no lane
        leaves = np.array(self._leaf_lanes, np.int64).reshape(-1, self.num_lanes)
        self._slots = slots[leaves].astype(np.int32)

    def arrays(
        self,
    ) -> tuple[
        NDArray[np.void],
        NDArray[np.int32],
        NDArray[np.int32],
        NDArray[np.float32],
        NDArray[np.float32],
        int,
        int,
    ]:
        """Return what `Betting` takes."""
        points = np.zeros(len(self._points), POINT_DTYPE)
        for name in POINT_DTYPE.names or ():
            points[name] = [point[name] for point in self._points]
        slots = np.empty((0, self.num_lanes), np.int32) if self._slots is None else self._slots
        return (
            points,
            np.array(self._roots, np.int32),
            slots,
            np.array(self._chips, np.float32).reshape(-1, self.num_lanes),
            np.concatenate([np.empty((0, self.num_lanes), np.float32), *self._strategies]),
            self._num_buckets,
            self._depth,
        )

    def _kind(self, node: int) -> int:
        record = self.policy.tree.nodes[node]
        if record["ending"] == Ending.FOLD:
            return shapes.FOLDED
        if record["num_actions"] > 0 and record["street"] == self.street:
            return shapes.DECISION
        return shapes.SHOWN if self.last else shapes.NEXT_STREET

    def _shape(self, node: int) -> shapes.Shape:
        return shapes.shape_of(self.policy.tree, node, self._kind, self._known)

    def _add(
        self,
        index: int,
        shape: shapes.Shape,
        nodes: list[int | None],
        reach: tuple[_Rows, _Rows],
        depth: int,
        bars: bool = False,
    ) -> None:
        """Fill in point *index* of *shape*, which stands for *nodes*, and what follows it.

        A node is None where a lane's betting has no such point; with *bars* nobody may play
        to it there. Of each seat *reach* is the probability of playing there on this street,
        (buckets, lanes).
        """
        kind = int(shape[0])
        point = dict.fromkeys(_FIELDS, -1)
        point.update(kind=kind, actor=0, num_actions=0)
        self._points[index] = point
        padding: list[int | None] = [None] * (self.num_lanes - len(nodes))
        nodes = nodes + padding
        if bars:
            point["bar"] = self._add_chips([-math.inf if node is None else 0 for node in nodes])
        if kind == shapes.NEXT_STREET:
            point["leaf"] = len(self._leaf_lanes)
            lanes = []
            for node in nodes:
                lanes.append(-1 if node is None else len(self.leaves))
                self.leaves += [] if node is None else [node]
            self._leaf_lanes.append(lanes)
        elif kind == shapes.DECISION:
            self._add_decision(point, shape, nodes, reach, depth)
        else:
            tree = self.policy.tree
            point["chips"] = self._add_chips(
                [0 if node is None else shapes.chips_at(tree, node) for node in nodes]
            )

    def _add_chips(self, chips: Sequence[float]) -> int:
        self._chips.append(np.array(chips, np.float32))
        return len(self._chips) - 1

    def _add_decision(
        self,
        point: dict[str, int],
        shape: shapes.Shape,
        nodes: list[int | None],
        reach: tuple[_Rows, _Rows],
        depth: int,
    ) -> None:
        tree = self.policy.tree
        _, actor, *below = shape
        num_actions = len(below)
        self._depth = max(self._depth, depth)
        point["actor"] = int(actor)
        point["num_actions"] = num_actions
        rows = np.zeros((self._num_buckets, num_actions, self.num_lanes), np.float32)
        children: list[list[int | None]] = [[] for _ in range(num_actions)]
        for lane, node in enumerate(nodes):
            found: dict[int, int] = {}
            if node is not None:
                places = shapes.match(self._shape(node), shape)
                assert places is not None  # that is how groups are made
                rows[:, places, lane] = self.policy.strategy(node)
                found = dict(zip(places, tree.children(node), strict=True))
            for action in range(num_actions):
                children[action].append(found.get(action))
        point["first_child"] = len(self._points)
        self._points += [{} for _ in range(num_actions)]
        for action, of_action in enumerate(children):
            kind = below[action][0]
            for ending, name in ((shapes.FOLDED, "fold"), (shapes.SHOWN, "showdown")):
                if kind == ending:
                    point[name] = action
            missing = any(
                child is None and node is not None
                for child, node in zip(of_action, nodes, strict=True)
            )
            there = reach[actor] * rows[:, action]
            below_reach = (there, reach[1]) if actor == 0 else (reach[0], there)
            self._add(
                point["first_child"] + action,
                below[action],
                of_action,
                below_reach,
                depth + 1,
                missing,
            )
        if self.last:
            rows = self._tables(point, rows, reach)
        point["strategy"] = self._num_vectors
        self._strategies.append(rows.reshape(-1, self.num_lanes))
        self._num_vectors += len(self._strategies[-1])

    def _tables(
        self, point: dict[str, int], rows: NDArray[np.float32], reach: tuple[_Rows, _Rows]
    ) -> NDArray[np.float32]:
        """What a decision of the last street is to the kernel, (3 * buckets, lanes).

        The other seat's reach; and, bucket by bucket, what a fold and a showdown cost whoever
        decides: their probabilities times the chips.
        """
        tables = np.zeros((3, self._num_buckets, self.num_lanes), np.float32)
        tables[0] = reach[1 - point["actor"]]
        ends = tables[1:].reshape(self._num_buckets, 2, self.num_lanes)
        for place, name in enumerate(("fold", "showdown")):
            if point[name] >= 0:
                ending = self._points[point["first_child"] + point[name]]
                chips = np.abs(self._chips[ending["chips"]])
                ends[:, place] = reach[point["actor"]] * rows[:, point[name]] * chips
        return tables
