"""What the blueprint gives a player from the beginning of a river, hand by hand.

A search that re-solves safely (`holdem.search.gadget`) must not give its opponent more than
that. The river of the blueprint's own betting tree is walked once with both players locked to
the blueprint, against the hands that the other can hold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from holdem.abstraction.translation import Translator
from holdem.errors import MismatchError
from holdem.game.cards import Card
from holdem.game.policy import Policy
from holdem.search.ranges import BucketsOfHoles, Weights
from holdem.search.solver import SubgameSolver
from holdem.search.spot import Menu, Spot
from holdem.search.subgame import Node, NodeKind

__all__ = ["river_alternatives"]


def river_alternatives(
    policy: Policy,
    buckets: BucketsOfHoles,
    translator: Translator,
    *,
    node: int,
    board: tuple[Card, ...],
    seats: tuple[int, int],
    ranges: tuple[Weights, Weights],
    menu: Menu,
    player: int,
) -> npt.NDArray[np.float32]:
    """Return what each hole of a player takes home if both go on as the blueprint does.

    Args:
        policy: the blueprint.
        buckets: its buckets.
        translator: of its tree.
        node: where the river begins in its tree.
        board: five cards.
        seats: who is out of position, who in position.
        ranges: their holes' weights.
        menu: the tree's, on the river.
        player: 0 out of position, 1 in position.

    Returns:
        float32 (1326,), in pots of the tree; NaN for holes out of range.

    Raises:
        MismatchError: the tree's betting is not the subgame's.
    """
    tree = policy.tree
    stacks = translator.stacks(node)
    pot = int(tree.nodes["pot"][node])
    spot = Spot(
        board=board,
        pot=pot,
        stack=min(stacks[seat] for seat in seats),
        ranges=ranges,
        menu=menu,
        least_bet=tree.game.big_blind,
    )
    solver = SubgameSolver(spot)
    rows = buckets.on(board)

    def follow(here: Node, there: int) -> None:
        if here.kind != NodeKind.DECIDE:
            return
        children = tree.children(there)
        if len(children) != len(here.children):
            raise MismatchError(
                f"the blueprint has {len(children)} actions at '{tree.history(there)}', and the "
                f"subgame {len(here.children)}",
                "search without safety",
            )
        solver.lock(here, policy.strategy(there)[rows])
        for below, child in zip(here.children, children, strict=True):
            follow(below, child)

    follow(solver.tree.root, node)
    return solver.hand_values(player) / np.float32(pot)
