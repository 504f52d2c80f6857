"""The table as `_core.responder_walk` wants it: rows of alike decisions in lanes.

`RegretTable` has its rows one after another; here the rows of up to 16 decisions, alike but
for their chips (`holdem.game.shapes`), lie side by side, so that one vector serves
them. A street that begins in few ways has fewer lanes, and so has a processor whose registers
hold fewer. A run works on lanes, and its files hold the table: they are copies of each other, and
how many lanes there were does not show in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdem._core.responder_walk import HANDS, POINT_DTYPE, WIDTHS
from holdem.errors import ConfigError
from holdem.game import shapes
from holdem.game.tree import BettingTree, Ending
from holdem.types import STREETS, GameConfig

_ALIGNED = 16  # floats
_BOARD_ROWS = 1326 + int(HANDS)
"""Of the hands of a board, see ``responder_lanes.h``."""

Rows = NDArray[np.float32]
"""By action of a street, bucket by bucket: float32 (actions * buckets * words, lanes)."""


@dataclass(frozen=True, slots=True)
class _Decision:
    """Decisions side by side.

    Attributes:
        first_action: of the street's.
        num_actions: of the largest of them.
        lanes: by lane in use, the node, and where its actions are among these.
    """

    first_action: int
    num_actions: int
    lanes: tuple[tuple[int, int, list[int]], ...]


class LaneBetting:
    """The betting of a tree of two players in lanes.

    *most_lanes* is how many lie side by side, 8 or 16; None for `shapes.lanes_here`.

    Attributes:
        tree: the tree.
        streets: what `ResponderWalk` takes.

    Raises:
        ConfigError: it is of another game, see `require_responder`, or has a street on which
            nobody has a decision.
    """

    def __init__(self, tree: BettingTree, most_lanes: int | None = None) -> None:
        require_responder(tree.game)
        self.tree = tree
        most_lanes = most_lanes or shapes.lanes_here()
        widths = [width for width in WIDTHS if width <= most_lanes]
        beginnings = [0]
        laid_out: list[_Street] = []
        for street in range(tree.game.num_streets):
            width = next((width for width in widths if len(beginnings) <= width), widths[-1])
            laid_out.append(_Street(tree, street, beginnings, width))
            if not laid_out[-1].decisions:
                raise ConfigError(
                    f"nobody has a decision on the {STREETS[street]}",
                    "use a bet menu by which the hand goes on to the river, or leave --opponent "
                    "out: the table then trains against itself",
                )
            beginnings = laid_out[-1].leaves
        self.streets = [
            street.arrays(below)
            for street, below in zip(laid_out, [*laid_out[1:], None], strict=True)
        ]
        self._decisions = [street.decisions for street in laid_out]
        self._num_actions = [street.num_actions for street in laid_out]
        self._widths = [street.width for street in laid_out]

    @property
    def visits(self) -> int:
        """See `visits_of_board`."""
        return visits_of_board(int((self.tree.nodes["num_actions"] > 0).sum()))

    @property
    def walk_bytes(self) -> int:
        """Memory that the walks of both seats take for a board; see `walk_bytes_of`."""
        lanes = sum(width * len(roots) for width, _, roots, *_ in self.streets)
        choices = 2 * 2 * _BOARD_ROWS * self._num_actions[-1]
        return walk_bytes_of(lanes) + choices

    def make_rows(self, bucket_counts: Sequence[int], words: int) -> list[Rows]:
        """Return zeroed rows of the streets that *bucket_counts* names, the first ones.

        Of each decision and bucket they hold the regrets, and with 2 *words* the sums too.
        """
        counts = self._num_vectors(bucket_counts, words)
        return [aligned_lanes(*shape) for shape in zip(counts, self._widths, strict=False)]

    def row_bytes(self, bucket_counts: Sequence[int], words: int) -> int:
        """Return how large the rows are that `make_rows` makes."""
        counts = self._num_vectors(bucket_counts, words)
        return 4 * sum(count * width for count, width in zip(counts, self._widths, strict=False))

    def _num_vectors(self, bucket_counts: Sequence[int], words: int) -> list[int]:
        return [
            words * actions * buckets
            for actions, buckets in zip(self._num_actions, bucket_counts, strict=False)
        ]

    def pack(self, rows: Sequence[Rows], words: int, table: NDArray[np.float32]) -> None:
        """Copy *table* into *rows*; see `unpack`.

        Raises:
            ValueError: it is of other rows.
        """
        if len(table) != words * sum(self._slots(rows, words)[1]):
            raise ValueError(f"a table of {len(table):,} words for other rows")
        for part, block, places, lane in self._parts(rows, words, table):
            block[:, :, places, lane] = part

    def unpack(
        self, rows: Sequence[Rows], words: int, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return *rows* as a table: those of the streets they have, in the order of the tree.

        With regrets and sums of all streets these are the words of a `RegretTable`. They are
        written to *out* if it is given.
        """
        table = out
        if table is None:
            table = np.empty(words * int(self._slots(rows, words)[1].sum()), np.float32)
        for part, block, places, lane in self._parts(rows, words, table):
            part[...] = block[:, :, places, lane]
        return table

    def _bucket_counts(self, rows: Sequence[Rows], words: int) -> list[int]:
        """Return by street how many buckets *rows* are of; 0 where they have no street."""
        counts = [
            len(of_street) // (words * actions)
            for of_street, actions in zip(rows, self._num_actions, strict=False)
        ]
        return counts + [0] * (len(STREETS) - len(counts))

    def _slots(
        self, rows: Sequence[Rows], words: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return by node its first slot among those of these rows, and how many it has."""
        nodes = self.tree.nodes
        buckets = np.array(self._bucket_counts(rows, words), np.int64)[nodes["street"]]
        sizes = nodes["num_actions"] * buckets
        order = np.argsort(nodes["first_slot"], kind="stable")
        first = np.empty(len(nodes), np.int64)
        first[order] = np.cumsum(sizes[order]) - sizes[order]
        return first, sizes

    def _parts(
        self, rows: Sequence[Rows], words: int, table: NDArray[np.float32]
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], list[int], int]]:
        """Yield each node's part of *table*, (buckets, words, actions), and where its lane is.

        That is a block of rows (buckets, words, actions, lanes), the places of the node's actions
        in it, and the lane.
        """
        first, sizes = self._slots(rows, words)
        counts = self._bucket_counts(rows, words)
        for of_street, buckets, decisions in zip(rows, counts, self._decisions, strict=False):
            for decision in decisions:
                at = words * buckets * decision.first_action
                size = words * buckets * decision.num_actions
                block = of_street[at : at + size].reshape(
                    buckets, words, decision.num_actions, of_street.shape[1]
                )
                for lane, node, places in decision.lanes:
                    part = table[words * first[node] : words * (first[node] + sizes[node])]
                    yield part.reshape(buckets, words, len(places)), block, places, lane


def walk_bytes_of(num_beginnings: int) -> int:
    """Return what two seats' walks take for reaches and values where streets begin."""
    return 2 * 3 * 4 * _BOARD_ROWS * num_beginnings


def visits_of_board(num_decisions: int) -> int:
    """Return how many hands an iteration takes through a decision, one counted at each.

    The table and the responder walk over each board, for each seat.
    """
    return 4 * int(HANDS) * num_decisions


def require_responder(game: GameConfig) -> None:
    """Refuse a game that no responder is trained for.

    Raises:
        ConfigError: it is not hold'em for two players that is bet on all four streets.
    """
    if game.cards.kind == "holdem" and game.num_players == 2 and game.num_streets == len(STREETS):
        return
    raise ConfigError(
        f"the game {game.name!r} has {game.num_players} players and {game.num_streets} streets: a "
        "responder needs hold'em for two players that is bet on all four",
        "leave --opponent out: the table then trains against itself",
    )


def aligned_lanes(count: int, width: int) -> Rows:
    """Return zeros, float32 (count, width), that begin at a multiple of 64 bytes."""
    whole = np.zeros(count * width + _ALIGNED, np.float32)
    skip = -(whole.ctypes.data // 4) % _ALIGNED
    return whole[skip : skip + count * width].reshape(count, width)


def _kinds(tree: BettingTree, street: int) -> list[int]:
    """Return by node what it is to one who plays *street*; of earlier streets, nonsense."""
    nodes = tree.nodes
    kinds = np.where(nodes["street"] == street, shapes.DECISION, shapes.NEXT_STREET)
    kinds[nodes["ending"] == Ending.FOLD] = shapes.FOLDED
    kinds[nodes["ending"] == Ending.SHOWDOWN] = shapes.SHOWN
    return [int(kind) for kind in kinds]


@dataclass
class _Street:
    """One street, laid out group by group.

    Attributes:
        width: how many lanes its groups have.
        decisions: those of the groups, in order.
        num_actions: of all of them.
        leaves: nodes where the next street begins.
        places: by beginning, group * width + lane.
    """

    tree: BettingTree
    street: int
    beginnings: list[int]
    width: int
    decisions: list[_Decision] = field(default_factory=list)
    num_actions: int = 0
    leaves: list[int] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._points: list[dict[str, int]] = []
        self._roots: list[int] = []
        self._leaves: list[list[int | None]] = []
        self._chips: list[list[int]] = []
        self._uniform: list[NDArray[np.float32]] = []
        self._num_buffers = 0
        self._kinds = _kinds(self.tree, self.street)
        self._known: dict[int, shapes.Shape] = {}
        begun = [self._shape(node) for node in self.beginnings]
        for shape, members in shapes.groups(begun, self.width):
            nodes: list[int | None] = [self.beginnings[place] for place in members]
            for lane, place in enumerate(members):
                self.places[self.beginnings[place]] = self.width * len(self._roots) + lane
            self._roots.append(len(self._points))
            self._points.append({})
            nodes += [None] * (self.width - len(nodes))
            self._add(self._roots[-1], shape, nodes, (0, 0))

    def _shape(self, node: int) -> shapes.Shape:
        return shapes.shape_of(self.tree, node, self._kinds.__getitem__, self._known)

    def _add(
        self,
        index: int,
        shape: shapes.Shape,
        nodes: list[int | None],
        decided: tuple[int, int],
    ) -> None:
        """Fill in point *index* of *shape*, which stands for *nodes*, and what follows it.

        A node is None where a lane's betting has no such point. On the way here each seat had
        *decided* among so many actions.
        """
        kind = int(shape[0])
        point = dict.fromkeys(POINT_DTYPE.names or (), -1)
        point.update(kind=kind, actor=0, num_actions=0)
        self._points[index] = point
        self._num_buffers = max(self._num_buffers, *decided)
        if kind == shapes.NEXT_STREET:
            point["leaf"] = len(self._leaves)
            self._leaves.append(nodes)
            self.leaves += [node for node in nodes if node is not None]
            return
        if kind != shapes.DECISION:
            point["chips"] = len(self._chips)
            self._chips.append(
                [0 if node is None else shapes.chips_at(self.tree, node) for node in nodes]
            )
            return
        _, actor, *below = shape
        point.update(actor=int(actor), num_actions=len(below), first_action=self.num_actions)
        point.update(first_child=len(self._points))
        children = self._decide(below, shape, nodes)
        self._points += [{} for _ in below]
        first, second = decided
        more = len(below)
        now = (first, second + more) if actor else (first + more, second)
        for action, child in enumerate(below):
            self._add(point["first_child"] + action, child, children[action], now)

    def _decide(
        self, below: list[shapes.Shape], shape: shapes.Shape, nodes: list[int | None]
    ) -> list[list[int | None]]:
        """Add a decision, and return by action the nodes that follow in each lane."""
        # Where a lane has no such point all actions are there, and worth nothing.
        uniform = np.full((len(below), self.width), 1 / len(below), np.float32)
        children: list[list[int | None]] = [[None] * self.width for _ in below]
        lanes = []
        for lane, node in enumerate(nodes):
            if node is None:
                continue
            places = shapes.match(self._shape(node), shape)
            assert places is not None  # that is how groups are made
            uniform[:, lane] = 0
            uniform[list(places), lane] = 1 / len(places)
            lanes.append((lane, node, list(places)))
            for place, child in zip(places, self.tree.children(node), strict=True):
                children[place][lane] = child
        self.decisions.append(_Decision(self.num_actions, len(below), tuple(lanes)))
        self._uniform.append(uniform)
        self.num_actions += len(below)
        return children

    def arrays(self, below: _Street | None) -> tuple[Any, ...]:
        """Return what `ResponderWalk` takes; *below* is the next street."""
        points = np.zeros(len(self._points), POINT_DTYPE)
        for name in POINT_DTYPE.names or ():
            points[name] = [point[name] for point in self._points]
        slots = [
            [-1 if node is None or below is None else below.places[node] for node in of_leaf]
            for of_leaf in self._leaves
        ]
        chips = aligned_lanes(len(self._chips), self.width)
        chips[...] = np.array(self._chips, np.float32).reshape(-1, self.width)
        uniform = aligned_lanes(self.num_actions, self.width)
        uniform[...] = np.concatenate([np.empty((0, self.width), np.float32), *self._uniform])
        return (
            self.width,
            points,
            np.array(self._roots, np.int32),
            np.array(slots, np.int32).reshape(-1, self.width),
            chips,
            uniform,
            self._num_buffers,
        )
