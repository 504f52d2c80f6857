"""Small games whose answers are known, and policies to try on them."""

from __future__ import annotations

import numpy as np

from holdem.game.policy import TabularPolicy
from holdem.game.tree import BettingTree, build_tree
from holdem.types import BetMenu, CardRules, GameConfig


def one_card(
    *stacks: int,
    ranks: int = 3,
    suits: int = 1,
    blinds: tuple[int, ...] = (),
    ante: int = 0,
    public: bool = False,
    menu: str = "*",
) -> GameConfig:
    """A no-limit game with one private card each and, if *public*, a public one."""
    streets = 2 if public else 1
    players = max(len(stacks), 2)
    return GameConfig(
        name="one-card",
        num_players=players,
        stacks=stacks,
        blinds=blinds,
        ante=ante,
        first_to_act=None if blinds else (0,) * streets,
        cards=CardRules(
            kind="one-card", ranks=ranks, suits=suits, board_street=1 if public else None
        ),
        menu=BetMenu(streets=((menu,),) * streets),
    )


NO_LIMIT = {
    "nl_kuhn3_ante1_stack2": one_card(2, ante=1),
    "nl_kuhn3_ante1_stack4": one_card(4, ante=1),
    "nl_kuhn3_ante1_stack10": one_card(10, ante=1),
    "nl_kuhn5_ante1_stack6": one_card(6, ranks=5, ante=1),
    "nl_onecard13_blind2-1_stack6": one_card(6, ranks=13, blinds=(1, 2)),
    "nl_onecard13_blind2-1_stack20": one_card(20, ranks=13, blinds=(1, 2)),
    "nl_leduc_ante1_stack4": one_card(4, suits=2, ante=1, public=True),
    "nl_leduc_ante1_stack6": one_card(6, suits=2, ante=1, public=True),
    "nl_leduc_blind2-1_stack6": one_card(6, suits=2, blinds=(1, 2), public=True),
    "nl_leduc_blind2-1_stack10": one_card(10, suits=2, blinds=(1, 2), public=True),
}
"""The games of ``lp_game_values``. Where there are blinds, player 0 there is seat 1 here."""


def tree_of(game: GameConfig) -> BettingTree:
    """The betting tree of a one-card *game*, with the rows that its cards need."""
    ranks, board_street = game.cards.ranks, game.cards.board_street
    return build_tree(
        game,
        [
            ranks if board_street is None or street < board_street else ranks * ranks
            for street in range(game.num_streets)
        ],
    )


def random_policy(tree: BettingTree, seed: int) -> TabularPolicy:
    """Random probabilities, a third of them 0."""
    rng = np.random.default_rng(seed)
    weights = rng.random(tree.num_slots) * (rng.random(tree.num_slots) > 1 / 3)
    return normalised(tree, weights)


def first_action_policy(tree: BettingTree) -> TabularPolicy:
    """Always the first action: fold if there is something to fold to, else check."""
    weights = np.zeros(tree.num_slots)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        weights[tree.slots(node)][:: tree.nodes["num_actions"][node]] = 1.0
    return normalised(tree, weights)


def normalised(tree: BettingTree, weights: np.ndarray) -> TabularPolicy:
    """The policy of *weights* in slot order; rows of zeros become uniform."""
    probabilities = np.empty(tree.num_slots)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        rows = weights[tree.slots(node)].reshape(-1, tree.nodes["num_actions"][node])
        for row in rows:
            if row.sum() == 0:
                row[:] = 1.0
        probabilities[tree.slots(node)] = (rows / rows.sum(axis=1, keepdims=True)).ravel()
    return TabularPolicy(tree, probabilities)
