"""How a blueprint plays on from the end of a street, for any number of players.

The betting of the street is followed in the blueprint's tree, each action as what it most likely
stands for there. A leaf whose place in the tree begins the next street, with the same players in
and the same of them all-in, is played on from there: chips of the tree count as many real ones as
the pots compare, as far as the real stacks go. Any other leaf is worth what its showdown is, as if
all checked to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from holdem._core.biased import BiasedBlueprint
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.translation import Translator
from holdem.errors import MismatchError
from holdem.evaluation.contestants import units_of
from holdem.game.policy import Policy
from holdem.game.rules import State
from holdem.game.tree import ActionKind
from holdem.search.continuations import FACTOR, KIND_OF_ACTION
from holdem.search.horizon import followed
from holdem.search.street_tree import StreetNode, StreetTree
from holdem.types import STREETS

__all__ = ["Leaf", "PlayingOn"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where a leaf stands in the blueprint's tree.

    Attributes:
        node: the first decision of the next street there.
        stakes: chips that each seat has in the pots there.
        scale: real chips for one of the tree.
    """

    node: int
    stakes: npt.NDArray[np.int32]
    scale: float


@dataclass(frozen=True, slots=True)
class _Place:
    """The chips at a node of the blueprint's tree.

    Attributes:
        stakes: in the pots, by seat.
        folded: mask of the seats that have.
        all_in: mask of the seats without chips left.
    """

    stakes: npt.NDArray[np.int32]
    folded: int
    all_in: int


class PlayingOn:
    """A blueprint and its tree, as leaves want them.

    Attributes:
        blueprint: how it plays, for compiled code.
    """

    def __init__(self, policy: Policy, bucketing: HandBucketing, translator: Translator) -> None:
        tree = policy.tree
        self._tree, self._translator = tree, translator
        self.blueprint = BiasedBlueprint(
            tree.nodes,
            tree.contributions,
            tree.folded,
            KIND_OF_ACTION[tree.action_kinds],
            units_of(policy),
            bucketing.tables[: tree.game.num_streets],
            tree.bucket_counts,
            FACTOR,
        )
        # A match comes to few places.
        self._place = lru_cache(maxsize=1 << 14)(self._read_place)

    def leaves(self, tree: StreetTree, node: int) -> dict[StreetNode, Leaf]:
        """Return the leaves that the blueprint plays on from.

        Args:
            tree: of a street before the river.
            node: where the blueprint's tree stands as it begins.

        Raises:
            MismatchError: there are none.
        """
        street = tree.nodes[0].state.street
        here = {tree.nodes[0]: node}
        leaves = {}
        for child in tree.nodes[1:]:
            assert child.parent is not None  # all but the root have
            assert child.action is not None
            before = here[child.parent]
            here[child] = followed(self._translator, before, child.parent.state, child.action)
            if child.is_leaf:
                leaf = self._leaf(self._translator.street_over(here[child], street), child.state)
                if leaf is not None:
                    leaves[child] = leaf
        if not leaves:
            raise MismatchError(
                f"the blueprint's tree has no place where this {STREETS[street]} ends"
            )
        return leaves

    def _leaf(self, node: int, state: State) -> Leaf | None:
        nodes = self._tree.nodes
        if not nodes["num_actions"][node] or nodes["street"][node] != state.street + 1:
            return None
        place = self._place(node)
        # Whoever has folded has no more to lose, with chips left or without.
        all_in = sum(1 << seat for seat in state.live if not state.stacks[seat])
        if (place.folded, place.all_in & ~place.folded) != (state.folded, all_in):
            return None
        return Leaf(node, place.stakes, sum(state.paid) / int(place.stakes.sum()))

    def _read_place(self, node: int) -> _Place:
        tree, folded = self._tree, 0
        for step in tree.path(node):
            if tree.action_kinds[step] == ActionKind.FOLD:
                folded |= 1 << int(tree.nodes["actor"][tree.parents[step]])
        stacks = self._translator.stacks(node)
        game = tree.game
        stakes = [game.stack_of(seat) - stack for seat, stack in enumerate(stacks)]
        all_in = sum(1 << seat for seat, stack in enumerate(stacks) if not stack)
        return _Place(np.array(stakes, np.int32), folded, all_in)
