"""Safe re-solving: Coin Toss, a slow twin, and alternatives that no hand gets more than."""

import numpy as np
import pytest

from holdem._core.range_boards import RangeBoards
from holdem._core.range_walk import NODE_DTYPE, RangeWalk
from holdem.errors import ConfigError
from holdem.game.cards import HOLES, hole_index, parse_board, parse_hand
from holdem.game.ranges import parse_range
from holdem.search.gadget import GADGETS, Gadget
from holdem.search.solver import METHODS, SubgameSolver
from holdem.search.spot import Menu, Spot
from holdem.search.subgame import NodeKind
from tests.reference.subgame import ReferenceSolver, fades_of
from tests.vectors import VECTORS

COIN_TOSS = VECTORS["coin_toss"]
KINDS = sorted(GADGETS)


def spot(oop, ip, *, board="Td9d6hQc2s", pot=100, stack=300, menu="100%, a"):
    return Spot(
        board=parse_board(board),
        pot=pot,
        stack=stack,
        ranges=(parse_range(oop), parse_range(ip)),
        menu=Menu.of(menu, menu),
    )


# ---- Coin Toss -------------------------------------------------------------------------------

HEADS, TAILS, GUESSER = (hole_index(*parse_hand(hand)) for hand in ("AcAd", "2c2d", "KcKd"))
FADES = np.array([fades_of("dcfr")(t) for t in range(1, 2001)], np.float32)


def coin_toss(weights, kind=None):
    """Player 0 holds heads or tails, the nuts or the worst; player 1 guesses which.

    A guess is a showdown: of heads with a worth of -1, so that the nuts lose, and of tails
    with a worth of 1. Before it player 0 passes, for a node of the walk has one showdown.
    Returns how often the guess is heads, and what heads and tails win then.
    """
    nodes = np.zeros(5, NODE_DTYPE)
    nodes["kind"] = [NodeKind.DECIDE] * 3 + [NodeKind.END_BY_SHOWDOWN] * 2
    nodes["actor"] = [1, 0, 0, 0, 0]
    nodes["num_actions"] = [2, 1, 1, 0, 0]
    nodes["first_child"] = [1, 3, 4, -1, -1]
    nodes["worth"] = [0, 0, 0, -1, 1]
    hands = [np.ascontiguousarray(HOLES[list(holes)]) for holes in ((HEADS, TAILS), (GUESSER,))]
    boards = RangeBoards(parse_board("3h5h7s8s9d"), hands, [])
    walk = RangeWalk(boards, (np.array(weights), np.ones(1)), [[(nodes, 1)]])
    if kind:
        sells = np.array([COIN_TOSS["p1_sell"][side] for side in "HT"], np.float32)
        walk.enter_safely(GADGETS[kind], 0, sells, np.ones(2, np.float32), sum(weights))
    assert walk.train(0, FADES, 2**62, 0) == len(FADES)
    first, count, pad, _ = walk.rows_at(0, 0, 0, 0)
    heads, tails = walk.sums[first : first + count * pad].reshape(count, pad)[:, 0]
    return heads / (heads + tails), walk.values(0, 0, True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.3, 0.2), (0.1, 0.4)])
def test_coin_toss_is_solved_safely(kind, weights):
    """Brown & Sandholm 2017: a coin is tossed, player 1 may sell it or let player 2 guess.

    Sold, it brings 0.5 if heads and -0.5 if tails; a guess costs 1 if right and brings 1 if
    wrong. Guessed as heads with chance q, heads brings 1 - 2q and tails 2q - 1: no more than
    selling only if q >= 1/4 and q <= 1/4. So tails is guessed three times in four, whatever
    was believed of the player who did not sell, and the toss is worth 0 to both.
    """
    guess, values = coin_toss(weights, kind)

    assert guess == pytest.approx(COIN_TOSS["p2_optimal_heads"], abs=0.01)
    np.testing.assert_allclose(values, [0.5, -0.5], atol=0.02)


@pytest.mark.parametrize(("weights", "guess"), [((0.3, 0.2), 1), ((0.1, 0.4), 0)])
def test_coin_toss_without_a_gadget_is_exploitable(weights, guess):
    """Whoever is believed to hold heads more often is guessed to, always."""
    found, values = coin_toss(weights)
    sells = np.array([COIN_TOSS["p1_sell"][side] for side in "HT"])

    assert found == pytest.approx(guess, abs=0.01)
    # The coin is fair: what a best response wins by selling or not, where 0 is the value.
    assert np.maximum(values, sells).mean() > COIN_TOSS["value"] + 0.2


# ---- The slow twin ---------------------------------------------------------------------------

TINY = spot("AKs,99:0.5,J8s,72o:0.25", "QQ,T9s,87s,AK:0.3,KdJd")


def alternatives(seed):
    return np.random.default_rng(seed).uniform(-20, 120, 1326).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("player", [0, 1])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_agrees_with_the_slow_twin(kind, player, method):
    gadget = Gadget(player, alternatives(player), kind)
    solver = SubgameSolver(TINY, method=method, gadget=gadget)
    twin = ReferenceSolver(TINY, fades_of(method), gadget)
    solver.run(20)
    twin.run(20)
    order = np.argsort(solver._holes[player])
    sums = solver._walk.gadget_sums.reshape(-1, len(order))[:, order]
    wanted = twin.gadget_sums.reshape(sums.shape)

    np.testing.assert_allclose(sums / sums.sum(), wanted / wanted.sum(), atol=1e-4)
    for seat in (0, 1):
        assert solver.value(seat) - 50 == pytest.approx(twin.value(seat, "average"), abs=0.05)
        assert solver.best_response(seat) - 50 == pytest.approx(
            twin.value(seat, "answer"), abs=0.05
        )


@pytest.mark.parametrize("kind", KINDS)
def test_threads_change_nothing(kind):
    one = spot("AKs,J8s,9h9c", "QQ:0.5,87s,AdKd", board="Td9d6hQc", stack=150)
    solvers = [
        SubgameSolver(one, num_workers=workers, gadget=Gadget(1, alternatives(3), kind))
        for workers in (1, 3)
    ]
    for solver in solvers:
        solver.run(12)

    assert len({solver._walk.regrets.tobytes() for solver in solvers}) == 1
    assert len({solver._walk.gadget_regrets.tobytes() for solver in solvers}) == 1
    assert len({solver.exploitability() for solver in solvers}) == 1


# ---- What is promised is kept ----------------------------------------------------------------

BELIEVED = "AA:0.01,KK:0.01,QQ:0.01,TT:0.01,99:0.01,AK,KJ,J9:0.02,T8:0.02,87,76,54:0.05,A2:0.01"
"""A range that the opponent does not have: mostly air."""


def blueprint(player, stack=300):
    """A river in equilibrium, and what each of *player*'s hands has in it."""
    solver = SubgameSolver(spot("random", "random", stack=stack))
    solver.solve(target=0.02, most_iterations=20_000)
    return solver, solver.hand_values(player, answer=True)


def re_solved(player, values, kind):
    """The same river by one who believes something else of *player*: what each hand gains."""
    ranges = ["random", "random"]
    ranges[player] = BELIEVED
    gadget = None if kind is None else Gadget(player, values, kind)
    solver = SubgameSolver(spot(*ranges), gadget=gadget)
    solver.solve(target=0.02, most_iterations=20_000)
    return solver.hand_values(player, answer=True) - values


@pytest.mark.parametrize("player", [0, 1])
def test_no_hand_gets_more_than_it_had(player):
    """As the alternatives come from an equilibrium, it can be kept, and is."""
    _, values = blueprint(player)
    unsafe = re_solved(player, values, None)
    safe = {kind: re_solved(player, values, kind) for kind in KINDS}

    assert np.nanmax(unsafe) > 20
    assert np.nanmax(safe["max-margin"]) < 0.1
    # All hands together are promised what each is there: one of little weight may gain more.
    weights = parse_range(BELIEVED)
    gained = np.maximum(np.nan_to_num(safe["resolve"]), 0)
    assert weights @ gained / weights.sum() < 0.1
    assert gained.max() < 4


def test_margins_are_as_large_as_can_be():
    """Where more was promised than the equilibrium gives, all hands lose that much."""
    _, values = blueprint(0)
    above = re_solved(0, values + 10, "max-margin")

    assert np.nanmax(above) == pytest.approx(-10, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_exploitability_is_of_the_game_with_the_choice(kind):
    """It falls to nothing; and the equilibrium that the alternatives come from has none."""
    _, values = blueprint(1)
    solver = SubgameSolver(spot("random", BELIEVED), gadget=Gadget(1, values, kind))
    solver.run(10)
    early = solver.exploitability()
    progress = solver.solve(target=0.02, most_iterations=20_000)

    assert early > 5 * progress.exploitability
    assert 0 <= progress.exploitability <= 0.02


def test_alternatives_that_nobody_wants_or_everybody():
    """With nothing elsewhere all hands enter; with more than the pot, none."""
    for worth, share in ((-1000.0, 1.0), (1000.0, 0.0)):
        values = np.full(1326, worth, np.float32)
        solver = SubgameSolver(TINY, gadget=Gadget(0, values, "resolve"))
        solver.run(100)
        np.testing.assert_allclose(solver._choice.entering(), share, atol=0.01)


def test_hands_that_meet_none_are_left_out():
    """The other range is one hand, and half of these share a card with it."""
    one = spot("AhKh,AsKs,QhQs", "AhQs")
    values = np.full(1326, 50, np.float32)
    values[hole_index(*parse_hand("AhKh"))] = np.nan
    solver = SubgameSolver(one, gadget=Gadget(0, values, "max-margin"))
    progress = solver.solve(target=0.1, most_iterations=20_000)

    assert progress.exploitability <= 0.1
    assert solver._choice.entering()[~np.isfinite(values[solver._holes[0]])] == 0


# ---- Files and bad input ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_it_goes_on(tmp_path, kind):
    whole, cut = (SubgameSolver(TINY, gadget=Gadget(0, alternatives(5), kind)) for _ in range(2))
    whole.run(20)
    cut.run(10)
    cut.save(tmp_path / "spot")
    loaded = SubgameSolver.load(tmp_path / "spot")
    loaded.run(10)

    assert loaded.gadget.kind == kind
    assert loaded._walk.regrets.tobytes() == whole._walk.regrets.tobytes()
    assert loaded.exploitability() == whole.exploitability()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "safe"}, "no gadget 'safe'"),
        ({"player": 2}, "player 2"),
        ({"alternatives": np.zeros(1325, np.float32)}, "shape"),
        ({"alternatives": np.full(1326, np.nan, np.float32)}, "no alternative for"),
        ({"alternatives": np.full(1326, np.inf, np.float32)}, "no alternative for"),
    ],
)
def test_bad_gadgets_are_refused(change, words):
    given = {"player": 0, "alternatives": alternatives(1), "kind": "resolve"} | change

    with pytest.raises(ConfigError, match=words):
        SubgameSolver(TINY, gadget=Gadget(**given))
