"""Best responses over real cards against brute force, known values, and themselves."""

import numpy as np
import pytest

from holdem.evaluation.best_response import BestResponse
from holdem.game.policy import UniformPolicy
from holdem.game.tree import build_tree
from holdem.types import BetMenu, GameConfig
from tests.reference.games import random_policy
from tests.reference.small_holdem import BruteForce, SmallDeck, SmallGame

# ---- Small decks, against brute force --------------------------------------------------------


def small_tree(game, *menus, stack=6):
    return build_tree(
        GameConfig(
            num_players=2,
            stacks=(100 * stack,),
            menu=BetMenu(streets=tuple((menu,) for menu in menus)),
        ),
        game.bucket_counts,
    )


def found_and_expected(game, tree, policy, form="exact"):
    """Own values and best responses of both seats, in chips."""
    result = BestResponse(policy, SmallDeck(game), form).run(workers=1)
    milli = 1000 / tree.game.big_blind
    first_free = {"exact": 0, "turn": 2, "river": 3}[form]
    own = [BruteForce(game, tree, policy, 99).value(seat) for seat in (0, 1)]
    best = [BruteForce(game, tree, policy, first_free).value(seat) for seat in (0, 1)]
    return (
        [*result.values, *result.best_responses],
        [milli * value for value in (*own, *best)],
    )


@pytest.mark.parametrize(("seed", "lucky_suit"), [(0, False), (1, True)])
def test_two_streets_equal_brute_force(seed, lucky_suit):
    """Ten cards, one public one; buckets that mix hands at random."""
    game = SmallGame(5, 2, 2, (7, 5), seed, lucky_suit)
    tree = small_tree(game, "100%", "a", stack=3)

    found, expected = found_and_expected(game, tree, random_policy(tree, seed))

    assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("form", ["exact", "turn"])
def test_three_streets_equal_brute_force(form):
    """Six cards, two public ones, one after the other."""
    game = SmallGame(3, 2, 3, (4, 3, 5), 5, True)
    tree = small_tree(game, "a", "", "a", stack=3)

    found, expected = found_and_expected(game, tree, random_policy(tree, 6), form)

    assert found == pytest.approx(expected, abs=0.01)


def test_twenty_cards_equal_brute_force():
    """Five ranks of four suits, a one-card flop: the game that the issue names."""
    game = SmallGame(5, 4, 2, (9, 6), 3)
    tree = small_tree(game, "a, !call", "", stack=3)

    found, expected = found_and_expected(game, tree, random_policy(tree, 4))

    assert found == pytest.approx(expected, abs=0.01)
