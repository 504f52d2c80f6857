"""Local best response: against the reference on small decks, known values, and hold'em."""

from dataclasses import replace

import numpy as np
import pytest

from holdem._core.equity import equity
from holdem._core.equity import preflop_equities as exact_preflop_equities
from holdem._core.rollout import range_sums, rollout_equities
from holdem.errors import CardError, ConfigError, MismatchError
from holdem.evaluation import lbr
from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.evaluation.lbr import local_best_response
from holdem.evaluation.lbr_betting import SETTINGS
from holdem.evaluation.lbr_cards import HoldemCards
from holdem.game.cards import CLASS_OF_HOLE, HOLES
from holdem.game.games import kuhn, leduc, push_fold
from holdem.game.policy import TabularPolicy, UniformPolicy
from holdem.game.tree import ActionKind, build_tree
from holdem.types import CANONICAL_HANDS, BetMenu, GameConfig
from tests.reference.games import (
    first_action_policy,
    normalised,
    one_card,
    random_policy,
    tree_of,
)
from tests.reference.lbr import Responder

SMALL = {
    "kuhn": kuhn(),
    "leduc": leduc(),
    "no-limit": one_card(5, ranks=4, blinds=(1, 2), menu="50%, a"),
    "no-limit leduc": one_card(6, suits=2, ante=1, public=True, menu="100%, a"),
}


def calling_policy(tree):
    """Checks and calls whatever comes."""
    weights = np.zeros(tree.num_slots)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        kinds = [tree.action_kinds[child] for child in tree.children(node)]
        call = next(
            (
                place
                for place, kind in enumerate(kinds)
                if kind in (ActionKind.CHECK, ActionKind.CALL)
            ),
            0,
        )
        weights[tree.slots(node)][call :: len(kinds)] = 1.0
    return normalised(tree, weights)


POLICIES = {
    "calls": calling_policy,
    "folds": first_action_policy,
    "uniform": UniformPolicy,
    "random": lambda tree: random_policy(tree, 3),
}


def assert_as_the_reference(policy, setting, rounds="1-4", game=None):
    found = local_best_response(policy, setting=setting, rounds=rounds, game=game)
    for seat in range(2):
        responder = Responder(policy, seat, setting, lbr.ROUNDS[rounds], game)
        unit = 1000 / responder.game.big_blind
        assert found.by_seat[seat] == pytest.approx(responder.value() * unit, abs=1e-3)
    assert found.interval == 0


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("game", ["kuhn", "no-limit"])
def test_one_street_as_the_reference_has_it(game, name, setting):
    assert_as_the_reference(POLICIES[name](tree_of(SMALL[game])), setting)


@pytest.mark.parametrize(
    ("game", "name", "setting", "rounds"),
    [
        ("leduc", "calls", "fcpa", "1-4"),
        ("leduc", "folds", "fcpa", "1-4"),
        ("leduc", "uniform", "fcpa", "1-4"),
        ("leduc", "random", "fc", "1-4"),
        ("leduc", "random", "fcpa", "2-4"),
        ("leduc", "random", "tree", "1-4"),
        ("no-limit leduc", "random", "fcpa", "1-4"),
        ("no-limit leduc", "uniform", "56bets", "1-4"),
        ("no-limit leduc", "random", "56bets", "2-4"),
    ],
)
def test_a_board_and_hidden_translations_as_the_reference_has_them(game, name, setting, rounds):
    assert_as_the_reference(POLICIES[name](tree_of(SMALL[game])), setting, rounds)


def test_other_stacks_than_the_trees_as_the_reference_has_them():
    game = SMALL["no-limit leduc"]
    policy = random_policy(tree_of(game), 4)

    assert_as_the_reference(policy, "fcpa", game=replace(game, stacks=(9, 5)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("game", SMALL)
def test_never_above_the_full_best_response(game, seed):
    """Within the tree, where both have the same bets."""
    policy = random_policy(tree_of(SMALL[game]), seed)
    unit = 1000 / SMALL[game].big_blind

    found = local_best_response(policy, setting="tree")

    for mine, best in zip(
        found.by_seat, PolicyEvaluator(policy.tree).evaluate(policy).best_responses, strict=True
    ):
        assert mine <= best * unit + 1e-3


# -- hold'em -------------------------------------------------------------------------------


class Buckets:
    """Preflop classes, and one bucket a street after them."""

    num_buckets = (169, 1, 1, 1)

    def __init__(self):
        self.preflop_equities = exact_preflop_equities()
        self.tables = (
            np.arange(169, dtype=np.uint8),
            *(np.zeros(count, np.uint8) for count in CANONICAL_HANDS[1:]),
        )


@pytest.fixture(scope="module")
def buckets():
    return Buckets()


GAME = GameConfig(stacks=(2_000,), menu=BetMenu(streets=(("3x, a", "a"), *[("100%, a", "a")] * 3)))


@pytest.fixture(scope="module")
def tree():
    return build_tree(GAME, (169, 1, 1, 1))


@pytest.mark.parametrize("setting", ["fcpa", "tree"])
def test_who_always_folds_loses_his_blinds(tree, buckets, setting):
    """Half a big blind as the small blind, a whole one as the big blind."""
    found = local_best_response(first_action_policy(tree), buckets, hands=32, setting=setting)

    assert found.by_seat == pytest.approx((1000, 500))
    assert found.mbb_per_hand == pytest.approx(750)
    assert found.interval == pytest.approx(0, abs=1e-9)


def test_push_fold_is_a_preflop_game(buckets):
    """Who shoves every hand: the best answer calls by equity, which local best response knows."""
    push = build_tree(push_fold(10), (169,))
    weights = np.zeros(push.num_slots)
    for node in np.flatnonzero(push.nodes["num_actions"]):
        weights[push.slots(node)][1::2] = 1.0
    policy = normalised(push, weights)
    best = PolicyEvaluator(push, preflop_equities=buckets.preflop_equities).evaluate(policy)

    found = local_best_response(policy, buckets, hands=6_000, setting="fcpa")

    assert found.by_seat[1] == pytest.approx(
        best.best_responses[1] * 10, abs=2 * found.seat_intervals[1]
    )


def test_following_one_action_of_the_policy_is_unbiased(tree, buckets):
    """On the same deals, with many draws, as following all."""
    policy = random_holdem_policy(tree)
    responder = lbr._Responder(policy, bettings_of(policy))
    cards = HoldemCards(buckets, 4, 4)
    deals = [cards.deal(3, number) for number in range(3)]
    exact = np.mean([responder.values(deal).mean() for deal in deals])
    draws = iter(np.random.default_rng(1).random(1_000_000).tolist())
    drawn = np.array(
        [[responder.values(deal, draws).mean() for deal in deals] for _ in range(120)]
    ).mean(axis=1)

    assert drawn.std() > 0
    assert abs(drawn.mean() - exact) < 4 * drawn.std() / np.sqrt(len(drawn))


def random_holdem_policy(tree):
    return TabularPolicy(tree, random_policy(tree, 1).probabilities)


def bettings_of(policy):
    translator = lbr.Translator(policy.tree)
    return tuple(lbr.Betting(translator, seat, "fcpa", 0) for seat in range(2))


def test_the_same_seed_gives_the_same_figures(tree, buckets):
    policy = random_holdem_policy(tree)
    one, again, other = (
        local_best_response(policy, buckets, hands=64, seed=seed) for seed in (1, 1, 2)
    )

    assert one == again == local_best_response(policy, buckets, hands=64, seed=1, workers=2)
    assert one.mbb_per_hand != other.mbb_per_hand
    assert one.interval > 0
    assert one.hands == 64


def test_the_interval_is_students_of_so_many_deals(tree, buckets, monkeypatch):
    """Hands of one board are not independent: four boards are four values."""
    responder = lbr.LocalBestResponse(tree, buckets)
    play, kept = responder._played, []
    monkeypatch.setattr(responder, "_played", lambda *asked: kept.append(play(*asked)) or kept[0])

    found = responder.against(random_holdem_policy(tree), hands=4 * 2 * lbr.HANDS_PER_BOARD)

    (means,) = kept
    assert means.shape == (4, 2)
    quantile = 3.182446  # of Student's t with three degrees of freedom
    assert found.interval == pytest.approx(quantile * means.mean(axis=1).std(ddof=1) / 2, rel=1e-6)
    assert found.seat_intervals == pytest.approx(quantile * means.std(axis=0, ddof=1) / 2, rel=1e-6)


def test_a_time_limit_ends_it_early(tree, buckets):
    responder = lbr.LocalBestResponse(tree, buckets)

    found = responder.against(random_holdem_policy(tree), hands=10**6, seconds=1e-6)

    assert found.hands == 2 * 2 * lbr.HANDS_PER_BOARD


def test_a_deal_knows_what_the_policy_can_hold(buckets):
    """Probabilities and equities of single hands, by dealing every card out."""
    deal = HoldemCards(buckets, 4, 3).deal(7, 1)
    again = HoldemCards(buckets, 4, 3).deal(7, 1)
    counts = (1225, 1081, 1035, 990)
    for street, weights in enumerate(deal.weights):
        assert (weights == again.weights[street]).all()
        assert weights.shape == (1326, 6)
        assert weights[:, :3].sum(axis=0) == pytest.approx([1, 1, 1])
        assert ((weights[:, :3] > 0).sum(axis=0) == counts[street]).all()
        assert (weights[:, 3:] <= weights[:, :3] + 1e-12).all()


def test_equities_of_a_deal_are_those_of_the_hands(buckets):
    rng = np.random.default_rng(5)
    board = rng.permutation(52)[:5].tolist()
    own = np.array([one for one in range(1326) if not set(HOLES[one]) & set(board)][100:900:400])
    deal = HoldemCards(buckets, 4, 2).deal_of(board, own)
    for street, size in enumerate((0, 3, 4, 5)):
        for place, hand in enumerate(own):
            for other in rng.permutation(1326)[:12]:
                prior, won = deal.weights[street][other, [place, place + len(own)]]
                clash = set(HOLES[other]) & {*board[:size], *HOLES[hand]}
                assert (prior == 0) == bool(clash)
                if not clash:
                    expected = (
                        equity([HOLES[hand], HOLES[other]], board[:size]).equities[0]
                        if size
                        else buckets.preflop_equities[CLASS_OF_HOLE[hand], CLASS_OF_HOLE[other]]
                    )
                    assert won / prior == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("hands", "board"),
    [([[0, 1]], [0, 2, 3]), ([[0, 0]], [1, 2, 3]), ([[0, 1]], [2, 3]), ([[0, 52]], [1, 2, 3])],
)
def test_rollouts_refuse_what_is_no_hand(hands, board):
    with pytest.raises(CardError):
        rollout_equities(hands, board)


def test_range_sums_are_products():
    rng = np.random.default_rng(1)
    ranges, weights = rng.random((3, 1326)), rng.random((1326, 8))
    ranges[rng.random(ranges.shape) < 0.5] = 0

    assert range_sums(ranges, weights) == pytest.approx(ranges @ weights)
    assert range_sums(ranges[:0], weights).shape == (0, 8)
    with pytest.raises(MismatchError):
        range_sums(ranges[:, :5].copy(), weights)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"setting": "all"}, ConfigError, "no setting 'all'"),
        ({"rounds": "1-3"}, ConfigError, "no rounds '1-3'"),
        ({"hands": 0}, ConfigError, "0 hands"),
        ({"bucketing": None}, ConfigError, "without buckets"),
        ({"game": GameConfig(num_players=3)}, MismatchError, "3 players"),
    ],
)
def test_what_is_refused(tree, buckets, arguments, error, message):
    with pytest.raises(error, match=message) as found:
        local_best_response(UniformPolicy(tree), **{"bucketing": buckets, **arguments})

    assert found.value.remedy


def test_more_players_are_refused(buckets):
    three = build_tree(kuhn(3), (4,))
    with pytest.raises(ConfigError, match="local best response to 3 players"):
        local_best_response(UniformPolicy(three), buckets)


def test_other_buckets_are_refused(tree, buckets):
    other = build_tree(GAME, (169, 2, 2, 2))
    with pytest.raises(MismatchError, match=r"\(169, 1, 1, 1\) buckets"):
        local_best_response(UniformPolicy(other), buckets)
