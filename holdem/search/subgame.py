"""The public tree of a spot: what can be bet, street by street.

The betting after a card does not depend on which card came, so each street has one
forest: its roots are the dealings of the street before. See `holdem/_core/range_walk.pxd`
for how nodes lie.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from holdem._core.range_walk import NODE_DTYPE
from holdem.errors import ConfigError, RulesError
from holdem.game.menu import MILLION, SizeKind
from holdem.game.rules import Action, ActionKind
from holdem.search.spot import Menu

__all__ = [
    "CHOICES",
    "MOST_NODES",
    "Node",
    "NodeKind",
    "Part",
    "PublicTree",
    "build_public_tree",
    "child_after",
    "rounded",
]

MOST_NODES = 100_000
"""Of all streets; a tree of more would not be solved in a lifetime."""

MOST_ACTIONS = 16
ENDINGS_TOGETHER = 64
"""A part of the last street holds at least so many endings, if there are: sixteen are
evaluated at once, and what a part needs should stay in the cache."""


CHOICES = ("as is", "to fold", "to call", "to raise")
"""How a player can let a blueprint go on from a leaf: biased to that, or not at all."""


class NodeKind(IntEnum):
    """What a node is; the compiled core has the same numbers."""

    DECIDE = 0
    DEAL = 1
    END_BY_FOLD = 2
    END_BY_SHOWDOWN = 3
    LEAF = 4
    """The last street's betting is over, and it is not the river: both players choose."""
    CHOICE = 5
    """One of a leaf's."""


@dataclass(slots=True, eq=False)
class Node:
    """A point of the betting.

    Attributes:
        street: counted from the spot's own.
        paid: chips that each player put in since the spot began.
        bets: those of them on this street.
        raises: bets and raises on this street so far; *least_raise* is the chips that the next one
            adds at least.
        actor: who decides; who folded at the end by a fold; else 0.
        action: what led here, as in ``"check"``, ``"bet 100"``, ``"all-in 950"``.
        parent: the decision or, for the first node of a street, the dealing before.
        children: of a leaf one for each choice, the same for both players; all-in there is one.
        part, index: where it lies among the street's nodes.
    """

    street: int
    kind: NodeKind
    paid: tuple[int, int]
    bets: tuple[int, int]
    actor: int = 0
    least_raise: int = 1
    raises: int = 0
    action: str = ""
    parent: Node | None = field(default=None, repr=False)
    children: list[Node] = field(default_factory=list, repr=False)
    part: int = 0
    index: int = 0

    def path(self) -> str:
        """Return the actions that lead here, ``"/"`` where a card comes; empty at the root."""
        words: list[str] = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            words.append(node.action.replace(" ", "") or "/")
            node = node.parent
        return " ".join(reversed(words))


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Nodes that are walked together: the roots, then breadth first what follows them."""

    nodes: list[Node]
    num_roots: int

    def array(self, pot: int, locked: frozenset[Node]) -> npt.NDArray[np.void]:
        """Return the nodes as the compiled core wants them."""
        table = np.zeros(len(self.nodes), NODE_DTYPE)
        for row, node in zip(table, self.nodes, strict=True):
            row["first_child"] = -1
            row["kind"], row["actor"] = node.kind, node.actor
            row["locked"] = node in locked
            if node.kind in (NodeKind.DECIDE, NodeKind.LEAF):
                row["first_child"] = node.children[0].index
                row["num_actions"] = len(node.children)
            elif node.kind == NodeKind.CHOICE:
                row["worth"] = pot + 2 * node.paid[0]
            elif node.kind == NodeKind.END_BY_FOLD:
                won = pot / 2 + node.paid[node.actor]
                row["worth"] = won if node.actor == 1 else -won
            elif node.kind == NodeKind.END_BY_SHOWDOWN:
                row["worth"] = pot / 2 + node.paid[0]
        return table


@dataclass(frozen=True, slots=True, eq=False)
class PublicTree:
    """The betting of a spot.

    Attributes:
        root: the first decision.
        streets: the parts of each street.
        line_end: where the line leads that the tree was built for.
    """

    root: Node
    streets: list[list[Part]]
    pot: int
    line_end: Node

    def nodes(self) -> Iterator[Node]:
        """Yield every node, street by street."""
        for parts in self.streets:
            for part in parts:
                yield from part.nodes

    def count(self, kind: NodeKind) -> int:
        """Return how many nodes are of a kind, each counted once for all boards."""
        return sum(node.kind == kind for node in self.nodes())

    def arrays(
        self, locked: frozenset[Node] = frozenset()
    ) -> list[list[tuple[npt.NDArray[np.void], int]]]:
        """Return the streets as `RangeWalk` wants them."""
        return [
            [(part.array(self.pot, locked), part.num_roots) for part in parts]
            for parts in self.streets
        ]


def build_public_tree(
    *,
    pot: int,
    stack: int,
    menu: Menu,
    num_streets: int,
    least_bet: int = 1,
    line: Sequence[Action] = (),
    leaves: bool = False,
    most_nodes: int = MOST_NODES,
) -> PublicTree:
    """Enumerate the betting of *num_streets* streets, the last of which is the river.

    Integer chips, no rake. A size is of the pot after calling; one below the least legal
    raise becomes that raise, one above the stack becomes all-in, equal ones are one.

    Args:
        pot: chips in the middle, from before.
        stack: chips that each player has left.
        menu: the bets on offer.
        num_streets: how many are bet on.
        least_bet: chips that a bet has at least.
        line: what was really done on the first street, from its beginning on: its bets are on
            offer too where they were made, an all-in for *stack* or more as all-in.
        leaves: the last of these streets is not the river; what follows it is a leaf.
        most_nodes: how many there may be.

    Raises:
        ConfigError: the menu makes too many nodes or actions.
    """
    return _Builder(pot, stack, menu, num_streets, least_bet, line, leaves, most_nodes).build()


def child_after(node: Node, action: Action, stack: int) -> Node:
    """Return the child of a decision that a real action of its line leads to."""
    if action.kind is ActionKind.RAISE:
        amount = _real_amount(node, action, stack)
        return next(child for child in node.children if child.bets[node.actor] == amount)
    facing = node.bets[0] != node.bets[1]
    return node.children[int(facing and action.kind is ActionKind.CALL)]


def _real_amount(node: Node, action: Action, stack: int) -> int:
    """Chips of the actor on this street after a real raise, as far as the stacks go."""
    return min(action.amount, node.bets[node.actor] + stack - node.paid[node.actor])


class _Builder:
    def __init__(
        self,
        pot: int,
        stack: int,
        menu: Menu,
        num_streets: int,
        least_bet: int,
        line: Sequence[Action],
        leaves: bool,
        most_nodes: int,
    ) -> None:
        self.pot, self.stack, self.num_streets = pot, stack, num_streets
        self.last_kind = NodeKind.LEAF if leaves else NodeKind.END_BY_SHOWDOWN
        self.menu, self.least_bet = menu, least_bet
        self.sizes = cache(menu.sizes)
        self.line: deque[Action] = deque(line)
        self.num_nodes, self.most_nodes = 0, most_nodes

    def build(self) -> PublicTree:
        roots = [self._begin_street(0, (0, 0), None)]
        root = self.line_end = roots[0]
        streets = []
        for street in range(self.num_streets):
            forests = [self._grow(node) for node in roots]
            parts = self._parts(forests, together=street < self.num_streets - 1)
            streets.append(parts)
            deals = [n for part in parts for n in part.nodes if n.kind == NodeKind.DEAL]
            roots = [self._begin_street(street + 1, node.paid, node) for node in deals]
            for deal, node in zip(deals, roots, strict=True):
                deal.children.append(node)
        if self.line:
            raise RulesError(
                f"no {self.line[0]} after '{self.line_end.path()}'",
                "give the actions of one street, from its beginning on",
            )
        return PublicTree(root, streets, self.pot, self.line_end)

    def _begin_street(self, street: int, paid: tuple[int, int], parent: Node | None) -> Node:
        """The first node of a street: a decision, or on to the next if both are all-in."""
        kind = NodeKind.DECIDE
        if paid[0] == self.stack:
            kind = self._after_street(street)
        return self._node(street, kind, paid, (0, 0), parent=parent)

    def _after_street(self, street: int) -> NodeKind:
        return self.last_kind if street == self.num_streets - 1 else NodeKind.DEAL

    def _node(
        self,
        street: int,
        kind: NodeKind,
        paid: tuple[int, int],
        bets: tuple[int, int],
        *,
        actor: int = 0,
        least_raise: int | None = None,
        raises: int = 0,
        action: str = "",
        parent: Node | None = None,
    ) -> Node:
        self.num_nodes += 1
        if self.num_nodes > self.most_nodes:
            raise ConfigError(
                f"the menu '{self.menu}' makes more than {self.most_nodes:,} betting sequences",
                "offer fewer or larger sizes",
            )
        least_raise = least_raise or self.least_bet
        return Node(street, kind, paid, bets, actor, least_raise, raises, action, parent)

    def _grow(self, root: Node) -> list[Node]:
        """Give *root* all that follows it on its street; return it with them."""
        found, queue = [], deque([root])
        while queue:
            node = queue.popleft()
            found.append(node)
            if node.kind == NodeKind.DECIDE:
                node.children = list(self._children(node))
                if len(node.children) > MOST_ACTIONS:
                    raise ConfigError(
                        f"{len(node.children)} actions after '{node.path()}': at most "
                        f"{MOST_ACTIONS} can be walked",
                        "offer fewer sizes",
                    )
                queue.extend(node.children)
                if node is self.line_end and self.line:
                    self.line_end = child_after(node, self.line.popleft(), self.stack)
            elif node.kind == NodeKind.LEAF:
                names = CHOICES if node.paid[0] < self.stack else CHOICES[:1]
                node.children = [
                    self._child(node, NodeKind.CHOICE, node.paid, 0, name) for name in names
                ]
                queue.extend(node.children)
        return found

    def _children(self, node: Node) -> Iterator[Node]:
        actor, other = node.actor, 1 - node.actor
        to_call = node.bets[other] - node.bets[actor]
        called = _put(node.paid, actor, node.paid[other])
        if to_call:
            yield self._child(node, NodeKind.END_BY_FOLD, node.paid, actor, "fold")
            yield self._child(node, self._after_street(node.street), called, 0, "call")
        elif actor == 1:
            yield self._child(node, self._after_street(node.street), called, 0, "check")
        else:
            yield self._child(node, NodeKind.DECIDE, node.paid, other, "check")
        if called[0] == self.stack:
            return
        for amount in self._amounts(node):
            bets = _put(node.bets, actor, amount)
            paid = _put(node.paid, actor, node.paid[actor] + amount - node.bets[actor])
            word = "raise" if to_call else "bet"
            if paid[actor] == self.stack:
                word = "all-in"
            child = self._child(node, NodeKind.DECIDE, paid, other, f"{word} {amount}")
            child.bets = bets
            child.raises += 1
            # An all-in may add less than a full raise.
            child.least_raise = max(amount - node.bets[other], node.least_raise)
            yield child

    def _child(
        self, node: Node, kind: NodeKind, paid: tuple[int, int], actor: int, action: str
    ) -> Node:
        return self._node(
            node.street,
            kind,
            paid,
            node.bets,
            actor=actor,
            least_raise=node.least_raise,
            raises=node.raises,
            action=action,
            parent=node,
        )

    def _amounts(self, node: Node) -> list[int]:
        """Chips that the actor can have bet on this street after a bet or raise, ascending."""
        actor, other = node.actor, 1 - node.actor
        faced = node.bets[other]
        most = node.bets[actor] + self.stack - node.paid[actor]
        pot_after_call = self.pot + 2 * node.paid[other]
        amounts = set()
        if node is self.line_end and self.line and self.line[0].kind is ActionKind.RAISE:
            amounts.add(_real_amount(node, self.line[0], self.stack))
        for kind, size in self.sizes(node.street, node.raises):
            if kind == SizeKind.WHOLE_STACK:
                amount = most
            elif kind == SizeKind.CHIPS:
                amount = faced + size
            elif kind == SizeKind.TIMES_BET:
                amount = rounded(faced * size)
            else:
                amount = faced + rounded(pot_after_call * size)
            amounts.add(min(max(amount, faced + node.least_raise), most))
        return sorted(amounts)

    @staticmethod
    def _parts(forests: Sequence[list[Node]], *, together: bool) -> list[Part]:
        """Join the forests of a street into parts, in order, and number the nodes."""
        parts: list[Part] = []
        waiting: list[list[Node]] = []
        endings = 0
        for number, forest in enumerate(forests):
            waiting.append(forest)
            endings += sum(node.kind != NodeKind.DECIDE for node in forest)
            last = number == len(forests) - 1
            if last or (endings >= ENDINGS_TOGETHER and not together):
                nodes = [one[0] for one in waiting] + [n for one in waiting for n in one[1:]]
                for index, node in enumerate(nodes):
                    node.part, node.index = len(parts), index
                parts.append(Part(nodes, len(waiting)))
                waiting, endings = [], 0
        return parts


def _put(pair: tuple[int, int], player: int, value: int) -> tuple[int, int]:
    return (value, pair[1]) if player == 0 else (pair[0], value)


def rounded(millionths: int) -> int:
    """Return millionths of a chip as whole chips, halves up."""
    return (millionths + MILLION // 2) // MILLION
