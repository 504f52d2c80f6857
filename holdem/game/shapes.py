"""Points of a betting tree that are alike but for their chips, side by side in lanes.

Where a street begins, the betting that may follow has few *shapes*: how many bets still fit
under the stacks. Beginnings of one shape share a group, each in a lane of its own, so that one
vector operation serves them all. Lanes that are left over take beginnings of smaller shapes,
in which some bets are missing.

A shape is a tuple: what a point is, and of a decision also who acts, and the shapes
after each action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from holdem import machine
from holdem.errors import ConfigError
from holdem.game.tree import BettingTree, Ending

LANES = 16
"""Points side by side at most: the floats of the widest vector."""

_NARROW_LANES = 8

DECISION, FOLDED, SHOWN, NEXT_STREET = range(4)
"""What a point is: ``PointKind`` of the kernels."""

Shape = tuple[Any, ...]


def lanes_here() -> int:
    """Return how many lanes this processor is fastest with: 16 only if its registers hold them.

    What is computed does not depend on it. bench/README.md has what 16 cost elsewhere.
    """
    return LANES if "avx512bw" in machine.processor().features else _NARROW_LANES


def shape_of(
    tree: BettingTree, node: int, kind: Callable[[int], int], known: dict[int, Shape]
) -> Shape:
    """Return the shape of the betting from *node* on, as far as *kind* says `DECISION`.

    What is found is kept in *known*, by node, and not looked for again.
    """
    if node not in known:
        shape: Shape = (kind(node),)
        if shape[0] == DECISION:
            children = (shape_of(tree, child, kind, known) for child in tree.children(node))
            shape = (DECISION, int(tree.nodes["actor"][node]), *children)
        known[node] = shape
    return known[node]


def groups(shapes: Sequence[Shape], num_lanes: int = LANES) -> Iterator[tuple[Shape, list[int]]]:
    """Yield groups of *shapes*, *num_lanes* at most, by place, and a shape that all fit into."""
    by_shape: dict[Shape, list[int]] = {}
    for place, shape in enumerate(shapes):
        by_shape.setdefault(shape, []).append(place)
    largest_first = sorted(by_shape, key=_size, reverse=True)
    for number, shape in enumerate(largest_first):
        members = by_shape[shape]
        while members:
            lanes = [members.pop(0) for _ in range(min(num_lanes, len(members)))]
            for smaller in largest_first[number + 1 :]:
                # Those that would not fill a group of their own.
                others = by_shape[smaller]
                free = min(num_lanes - len(lanes), len(others) % num_lanes)
                if match(smaller, shape) is not None:
                    lanes += [others.pop() for _ in range(free)]
            yield shape, lanes


@cache
def match(shape: Shape, larger: Shape) -> tuple[int, ...] | None:
    """Where the actions of *shape* lie among those of *larger*, if it fits in there.

    The first action, and those that do not lead to another decision, must be there in both.
    """
    if shape[:2] != larger[:2]:
        return None
    if shape[0] != DECISION:
        return ()
    places: list[int] = []
    for place, child in enumerate(larger[2:]):
        if len(places) < len(shape) - 2 and match(shape[2 + len(places)], child) is not None:
            places.append(place)
        elif place == 0 or child[0] != DECISION:
            return None
    return tuple(places) if len(places) == len(shape) - 2 else None


def chips_at(tree: BettingTree, node: int) -> int:
    """Return what an ending of two players moves: seat 0's net at a fold, else what each paid.

    Raises:
        ConfigError: a showdown for which they paid different amounts.
    """
    row = int(tree.nodes["ending_index"][node])
    first, second = (int(paid) for paid in tree.contributions[row])
    if tree.nodes["ending"][node] == Ending.FOLD:
        return -first if tree.folded[row] & 1 else second
    if first != second:
        raise ConfigError(
            f"a showdown for which the seats paid {first} and {second} chips",
            "a best response needs two players who pay alike",
        )
    return first


def _size(shape: Shape) -> int:
    """How many points a shape has."""
    return 1 + sum(_size(child) for child in shape[2:])
