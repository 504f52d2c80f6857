"""Where a subgame that ends with its street stands in the blueprint's tree, leaf by leaf.

The betting of the subgame is followed in the blueprint's tree, each action as what it most likely
stands for there (`holdem.abstraction.translation`). Where that comes to the beginning of the next
street, the leaf is worth what `holdem.search.continuations` says; where it does not, the tree being
ahead of the betting, or where both are really all-in, it is worth each hand's mean share of the
pot.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from holdem.abstraction.translation import Translator
from holdem.errors import RulesError
from holdem.game.cards import Card
from holdem.game.rules import CALL, FOLD, Action, State, raise_to
from holdem.search.continuations import ContinuationValues
from holdem.search.leaves import Groups, LeafValues
from holdem.search.ranges import BucketsOfHoles, StreetStart
from holdem.search.subgame import Node
from holdem.search.turn_equities import turn_equities

__all__ = ["action_to", "followed", "street_leaves"]


def action_to(state: State, child: Node) -> Action:
    """Return the legal action that leads to *child* of the decision that *state* is at."""
    if child.action == "fold":
        return FOLD
    legal = state.legal_actions()
    if child.action in ("check", "call") or legal.min_raise_to is None:
        return CALL
    assert child.parent is not None  # an action led there
    assert legal.max_raise_to is not None  # as the least
    amount = child.bets[child.parent.actor]
    return raise_to(min(max(amount, legal.min_raise_to), legal.max_raise_to))


def followed(translator: Translator, here: int, state: State, action: Action) -> int:
    """Return where the tree is come to from *here* by what *action* most likely stands for."""
    at = translator.standing(here, state)
    if at is None:
        return here
    choice, _ = max(translator.options(at, state, action), key=lambda option: option[1])
    return translator.after(at, action, choice)


def street_leaves(
    table: ContinuationValues,
    translator: Translator,
    buckets: BucketsOfHoles,
    start: StreetStart,
    seats: tuple[int, int],
) -> LeafValues:
    """Return what the leaves at the end of a street are worth.

    Args:
        table: of the blueprint.
        translator: of its tree.
        buckets: its buckets.
        start: where the street begins.
        seats: who is out of position, who in position.
    """
    street = start.state.street
    places = _Places(translator, start)

    def groups(board: tuple[Card, ...]) -> tuple[Groups, Groups]:
        found = table.groups(street)[buckets.on(board)]
        return found, found

    def matrix(leaf: Node) -> npt.NDArray[np.floating]:
        count = len(leaf.children)
        # All-in, cards alone decide, whatever the players have left in the tree.
        node = places.blueprint_node(leaf) if count > 1 else None
        if node is not None and table.begins(node, street + 1):
            return table.values(node, first_seat=seats[0])
        shares = table.shares(street)
        values = (shares if seats[0] == 0 else 1 - shares.T)[:, :, None, None] - 0.5
        return np.broadcast_to(values, (*values.shape[:2], count, count))

    all_in = turn_equities(start.state.board) if street == 2 else None
    return LeafValues(groups=groups, matrix=matrix, all_in=all_in)


class _Places:
    """Where the nodes of a subgame stand in the rules and in the blueprint's tree."""

    def __init__(self, translator: Translator, start: StreetStart) -> None:
        self._translator, self._start = translator, start
        # Leaves share most of the way; None where the rules forbid it.
        self._reached: dict[Node, tuple[State, int] | None] = {}

    def blueprint_node(self, leaf: Node) -> int | None:
        """The node of the blueprint's tree that a leaf's betting comes to; None without one."""
        found = self._at(leaf)
        if found is None:
            return None
        return self._translator.street_over(found[1], self._start.state.street)

    def _at(self, node: Node) -> tuple[State, int] | None:
        """The state that *node* stands for, and the node of the tree that was come to there."""
        if node.parent is None:
            return self._start.state, self._start.follower.node
        if node not in self._reached:
            self._reached[node] = self._after(node)
        return self._reached[node]

    def _after(self, node: Node) -> tuple[State, int] | None:
        assert node.parent is not None  # it is not the root
        before = self._at(node.parent)
        if before is None:
            return None
        state, here = before
        try:
            action = action_to(state, node)
            return state.apply(action), followed(self._translator, here, state, action)
        except RulesError:
            return None
