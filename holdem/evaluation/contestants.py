"""Who plays a match: a policy, the buckets that it sees hands in, and both as kernels want them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem._core.deal import HoldemDealer, OneCardDealer
from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import ConfigError, MismatchError
from holdem.game.policy import Policy
from holdem.game.tree import BettingTree
from holdem.mccfr.blueprint import ONE, Blueprint
from holdem.mccfr.worker import bucket_counts_of, make_dealer

_SAME_NODES = ("first_child", "ending_index", "pot", "num_actions", "actor", "street", "ending")


@dataclass(frozen=True, eq=False)
class Contestant:
    """A player of a match.

    Attributes:
        name: what the results call it.
        policy: how it plays.
        bucketing: the bucket set of the policy; None in games of one card.
    """

    name: str
    policy: Policy
    bucketing: HandBucketing | None = None

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
        first_slots = np.ascontiguousarray(self.tree.nodes["first_slot"])
        return first_slots, units_of(self.policy)


def units_of(policy: Policy) -> NDArray[np.uint16]:
    """Return the probabilities of *policy* in 16 bits, in the order of the tree's slots.

    Each row sums to 65,535: its most likely action takes up what the others round away.
    """
    if isinstance(policy, Blueprint):
        return np.ascontiguousarray(policy.probabilities)
    tree = policy.tree
    units = np.empty(tree.num_slots, np.uint16)
    for node in np.flatnonzero(tree.nodes["num_actions"]).tolist():
        rows = np.rint(policy.strategy(node).astype(np.float64) * ONE).astype(np.int64)
        most = rows.argmax(axis=1)
        rows[np.arange(len(rows)), most] += ONE - rows.sum(axis=1)
        units[tree.slots(node)] = rows.ravel()
    return units


def require_same_betting(first: BettingTree, second: BettingTree) -> None:
    """Refuse two policies that cannot sit at one table; their buckets may differ.

    Raises:
        MismatchError: games or bet menus differ.
    """
    game, other = first.game, second.game
    for what, mine, others in (
        ("players", game.num_players, other.num_players),
        ("cards", game.cards, other.cards),
        ("streets", game.num_streets, other.num_streets),
    ):
        if mine != others:
            raise MismatchError(
                f"the policies are of different games: {game.name!r} and {other.name!r} differ "
                f"in their {what}",
                "let policies of one game play",
            )
    same = first.num_nodes == second.num_nodes and all(
        np.array_equal(one, two)
        for one, two in (
            *((first.nodes[field], second.nodes[field]) for field in _SAME_NODES),
            (first.action_kinds, second.action_kinds),
            (first.action_amounts, second.action_amounts),
            (first.contributions, second.contributions),
        )
    )
    if not same:
        raise MismatchError(
            f"the policies have different betting trees, of {first.num_nodes:,} and "
            f"{second.num_nodes:,} nodes",
            "let policies with one bet menu and one depth of stacks play",
        )


def require_bucketing(contestant: Contestant) -> None:
    """Refuse a hold'em policy whose bucket set is not known.

    Raises:
        ConfigError: it is not.
    """
    if contestant.tree.game.cards.kind == "holdem" and contestant.bucketing is None:
        raise ConfigError(
            f"the bucket set of {contestant.name} is not known", "name it by --buckets PATH"
        )
