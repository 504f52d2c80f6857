"""Subgames that end before the river: against a slow twin, known games, and the same game."""

from itertools import combinations, product

import numpy as np
import pytest

from holdem._core.allin import equity
from holdem._core.river import turn_margins
from holdem.errors import CardError, ConfigError, MismatchError
from holdem.game.cards import HOLES, hole_cards, hole_index, parse_board, parse_hand
from holdem.game.ranges import parse_range
from holdem.search.gadget import GADGETS, Gadget
from holdem.search.leaves import LeafValues
from holdem.search.solver import SubgameSolver
from holdem.search.spot import Menu, Spot
from holdem.search.subgame import CHOICES, NodeKind
from holdem.search.turn_equities import turn_equities
from tests.reference import evaluator
from tests.reference.subgame import ReferenceSolver, fades_of

TURN, FLOP = "Td9d6hQc", "7h7d2h"


def spot(board=TURN, oop="random", ip="random", menu=(("100%, a", "a"),), pot=100, stack=300):
    return Spot(
        board=parse_board(board),
        pot=pot,
        stack=stack,
        ranges=(parse_range(oop), parse_range(ip)),
        menu=Menu(menu),
    )


def random_leaves(num_groups=(7, 5), seed=0, num_streets=1):
    """Values of nonsense: by leaf other ones, and by board other groups."""

    def groups(board):
        rng = np.random.default_rng([seed, *board])
        return tuple(rng.integers(count, size=1326) for count in num_groups)

    def matrix(node):
        count = len(node.children)
        rng = np.random.default_rng([seed, *node.paid, count])
        return rng.normal(size=(*num_groups, count, count)).astype(np.float32)

    return LeafValues(groups=groups, matrix=matrix, num_streets=num_streets)


def one_group_each(board):
    """Each hole is a group of its own as far as 256 go: by its number."""
    return np.arange(1326) % 256, np.arange(1326) % 256


# ---- The tree --------------------------------------------------------------------------------


def test_where_leaves_are():
    """After a check or a call: four choices, or one where both are all-in."""
    solver = SubgameSolver(spot(oop="AA", ip="KK"), leaves=random_leaves())
    leaves = {n.path(): n for n in solver.tree.nodes() if n.kind == NodeKind.LEAF}

    assert set(leaves) == {
        "check check",
        "check bet100 call",
        "check bet100 all-in300 call",
        "check all-in300 call",
        "bet100 call",
        "bet100 all-in300 call",
        "all-in300 call",
    }
    for path, leaf in leaves.items():
        assert [child.action for child in leaf.children] == list(
            CHOICES[:1] if "all-in" in path else CHOICES
        )
    assert solver.tree.count(NodeKind.END_BY_SHOWDOWN) == solver.tree.count(NodeKind.DEAL) == 0


def test_all_in_before_the_last_street_is_a_leaf_behind_a_card():
    solver = SubgameSolver(
        spot(FLOP, "AA", "KhQh", (("a", ""),)), leaves=random_leaves(num_streets=2)
    )
    behind = [n.children[0] for n in solver.tree.nodes() if n.kind == NodeKind.DEAL]

    assert [n.kind for n in behind].count(NodeKind.LEAF) == 2
    assert [n.kind for n in behind].count(NodeKind.DECIDE) == 1


# ---- Against the slow twin -------------------------------------------------------------------

TINY = {
    "turn": (spot(oop="AKs,J8s,9h9c", ip="QQ:0.5,87s,AdKd,72o:0.2"), 1),
    "flop": (spot(FLOP, "AA,KhQh,8c7c", "KK:0.5,QQ", (("a", ""),), stack=100), 1),
    "two streets": (spot(FLOP, "AA,KhQh,8c7c", "KK:0.5,QQ", (("a", ""),), stack=100), 2),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", TINY)
def test_agrees_with_the_slow_twin(name, packed):
    """Values and best responses after some iterations, with groups and values of nonsense."""
    one, num_streets = TINY[name]
    # Groups know suits, so that cards alike are not alike here.
    leaves = random_leaves(num_streets=num_streets)
    solver = SubgameSolver(one, packed=packed, leaves=leaves, alike=False)
    twin = ReferenceSolver(one, fades_of("dcfr"), leaves=leaves)
    solver.run(6)
    twin.run(6)
    atol = 0.3 if packed else 0.003

    for player in (0, 1):
        half = one.pot / 2
        found = solver.value(player) - half, solver.best_response(player) - half
        wanted = twin.value(player, "average"), twin.value(player, "answer")
        np.testing.assert_allclose(found, wanted, atol=atol)


@pytest.mark.parametrize("player", [0, 1])
def test_the_values_of_a_leaf(player):
    """Nobody bets: what is left is one leaf with uniform strategies, written out hand by hand."""
    one = spot(oop="AKs,J8s,9h9c,AdQh", ip="QQ:0.5,87s,AdKd,72o:0.2", menu=(("", ""),))
    leaves = random_leaves()
    solver = SubgameSolver(one, leaves=leaves)
    (leaf,) = (n for n in solver.tree.nodes() if n.kind == NodeKind.LEAF)
    sign, axes = (1, (0, 1, 2, 3)) if player == 0 else (-1, (1, 0, 3, 2))
    worth = sign * one.pot * leaves.matrix(leaf).transpose(axes).mean(axis=(2, 3))
    groups = leaves.groups(one.board)
    own, theirs = groups[player], groups[1 - player]
    weights = one.ranges[1 - player]
    found = solver.hand_values(player) - one.pot / 2

    for hole in np.flatnonzero(one.ranges[player]):
        # What is met is spread over groups as all of the range is, cards in common or not.
        expected = (weights * worth[own[hole], theirs]).sum() / weights.sum()
        assert found[hole] == pytest.approx(expected, abs=1e-3)


# ---- Known games -----------------------------------------------------------------------------


def matrix_game(payoffs):
    """A single hand each, nobody can bet: the leaf's matrix is the game."""
    one = spot(oop="AhAd", ip="KhKd", menu=(("", ""),))
    table = np.zeros((256, 256, 4, 4), np.float32)
    table[:] = payoffs
    return SubgameSolver(one, leaves=LeafValues(groups=one_group_each, matrix=lambda leaf: table))


@pytest.mark.parametrize(
    ("payoffs", "value"),
    [
        # Rock, paper, scissors and an option that always loses a little.
        ([[0, -1, 1, 0.5], [1, 0, -1, 0.5], [-1, 1, 0, 0.5], [-0.5, -0.5, -0.5, 0]], 0),
        # A saddle point in row 1, column 2.
        ([[3, 2, 0, 1], [2, 3, 1, 2], [1, 0, 0, 3], [0, 1, -1, 2]], 1),
        # Matching pennies with unequal stakes: (1 * 3 - 0 * 0) / (1 + 3) in the upper left.
        ([[1, 0, 9, 9], [0, 3, 9, 9], [-9, -9, 0, 0], [-9, -9, 0, 0]], 0.75),
    ],
    ids=["rock-paper-scissors", "saddle", "pennies"],
)
def test_choices_are_made_unseen_and_mixed(payoffs, value):
    """The value of a matrix game, in pots, on top of half of the pot."""
    solver = matrix_game(np.array(payoffs, np.float32))
    progress = solver.solve(target=0.05, most_iterations=20_000)

    assert progress.exploitability <= 0.05
    assert solver.value(0) == pytest.approx(50 + 100 * value, abs=0.2)
    assert solver.value(1) == pytest.approx(50 - 100 * value, abs=0.2)


def test_hands_choose_for_themselves():
    """Each hand of player 1 has a choice that is best for it, which player 0 cannot see."""
    one = spot(oop="AhAd", ip="KhKd,QhQd,JhJd", menu=(("", ""),))
    holes = [hole_index(*parse_hand(hand)) for hand in ("KhKd", "QhQd", "JhJd")]
    groups = np.zeros(1326, np.int64)
    groups[holes] = [0, 1, 2]
    table = np.zeros((1, 3, 4, 4), np.float32)
    for group in range(3):
        table[0, group, :, group + 1] = -0.1 * (group + 1)
    solver = SubgameSolver(
        one,
        leaves=LeafValues(
            groups=lambda board: (np.zeros(1326, np.int64), groups), matrix=lambda leaf: table
        ),
    )
    solver.solve(target=0.01, most_iterations=20_000)

    np.testing.assert_allclose(solver.hand_values(1)[holes] - 50, [10, 20, 30], atol=0.1)


def test_exploitability_goes_to_nothing():
    """With bets, leaves of nonsense and both whole ranges."""
    solver = SubgameSolver(spot(), leaves=random_leaves((30, 40)))
    seen = []
    solver.solve(target=0.3, most_iterations=20_000, observer=seen.append)

    assert seen[-1].exploitability <= 0.3
    assert seen[0].exploitability > 10 * seen[-1].exploitability


@pytest.mark.parametrize("kind", sorted(GADGETS))
def test_exploitability_goes_to_nothing_behind_a_gadget(kind):
    """Player 0 chooses between the subgame and what its hands win in it with a first solution."""
    one, leaves = spot(oop="AKs,J8s,99", ip="QQ,87s,AdKd,72o"), random_leaves()
    first = SubgameSolver(one, leaves=leaves)
    first.solve(target=0.1, most_iterations=20_000)
    alternatives = np.nan_to_num(first.hand_values(0))
    safe = SubgameSolver(one, leaves=leaves, gadget=Gadget(0, alternatives, kind))
    progress = safe.solve(target=0.3, most_iterations=5_000)

    assert -0.01 <= progress.exploitability <= 0.3


# ---- The same game written otherwise ---------------------------------------------------------

# No two hands of the ranges share a card, so that values by group are exact.
APART = {
    "oop": "AsKs,AhKh,8s7s,JsJh",
    "ip": "QdQh,AcKc,9c8c,Kd5d,7c7d",
}


def shares_by_hand(board, hands):
    """The share of the pot that each hand of player 0 wins of each of player 1."""
    shares = np.zeros((len(hands[0]), len(hands[1])))
    for (i, first), (j, second) in product(enumerate(hands[0]), enumerate(hands[1])):
        left = set(range(52)) - {*board, *first, *second}
        for card in left:
            strengths = [evaluator.strength([*hand, *board, card]) for hand in (first, second)]
            shares[i, j] += (1 + np.sign(int(strengths[0]) - int(strengths[1]))) / 2 / len(left)
    return shares


@pytest.mark.parametrize("menu", [("100%, a", "a"), ("50%", "")])
def test_equity_at_the_leaves_is_a_river_without_bets(menu):
    """A turn whose leaves are worth the true equities, and the turn whose river is checked."""
    to_the_end = spot(menu=(menu, ("", "")), **APART)
    one = spot(menu=(menu,), **APART)
    holes = [np.flatnonzero(weights) for weights in one.ranges]
    hands = [[hole_cards(int(hole)) for hole in side] for side in holes]
    assert not any(set(a) & set(b) for a, b in product(*hands))
    shares = shares_by_hand(one.board, hands)
    groups = [np.zeros(1326, np.int64) for _ in holes]
    for side, numbers in zip(groups, holes, strict=True):
        side[numbers] = np.arange(len(numbers))

    def matrix(leaf):
        count = len(leaf.children)
        return np.broadcast_to((shares - 0.5)[:, :, None, None], (*shares.shape, count, count))

    limited = SubgameSolver(
        one, leaves=LeafValues(groups=lambda board: tuple(groups), matrix=matrix)
    )
    whole = SubgameSolver(to_the_end, packed=False)
    for solver in (limited, whole):
        assert solver.solve(target=0.02, most_iterations=20_000).exploitability <= 0.02

    for player in (0, 1):
        assert limited.value(player) == pytest.approx(whole.value(player), abs=0.05)
        # The same strategies of the whole turn are as good in the other game.
        np.testing.assert_allclose(
            limited.best_response(player), whole.best_response(player), atol=0.05
        )


# ---- All-in on a turn ------------------------------------------------------------------------

BOARDS = ["Td9c6hQs", "Td9d6hQc", "Td9d6h3h", "Td9d6dQc", "Td9d6d3d", "TdTc6hTs"]


@pytest.mark.parametrize("board", BOARDS[1:4])
def test_margins_on_a_turn(board):
    """Rivers won less rivers lost, of some pairs by the slow evaluator."""
    cards = parse_board(board)
    holes = HOLES[~np.isin(HOLES, cards).any(axis=1)]
    margins = turn_margins(cards, holes)
    rng = np.random.default_rng(1)

    assert (margins == -margins.T).all()
    for i, j in rng.integers(len(holes), size=(40, 2)):
        first, second = ([int(card) for card in holes[place]] for place in (i, j))
        expected = 0
        if not set(first) & set(second):
            for river in set(range(52)) - {*cards, *first, *second}:
                strengths = [evaluator.strength([*h, *cards, river]) for h in (first, second)]
                expected += int(np.sign(int(strengths[0]) - int(strengths[1])))
        assert margins[i, j] == expected
    with pytest.raises(CardError, match="not a turn board"):
        turn_margins(cards[:3], holes)
    with pytest.raises(ValueError, match="not on the board"):
        turn_margins(cards, np.array([cards[:2]], np.uint8))
    assert turn_margins(cards, np.zeros((0, 2), np.uint8)).shape == (0, 0)


@pytest.mark.parametrize("board", BOARDS)
def test_equities_on_a_turn_are_those_of_the_hands(board):
    """But for the cards that hands of a kind take from each other."""
    cards = parse_board(board)
    found = turn_equities(cards)
    alive = np.flatnonzero(~np.isin(HOLES, cards).any(axis=1))
    rng = np.random.default_rng(1)
    off = []
    for i, j in rng.choice(alive, (200, 2)):
        if not set(HOLES[i]) & set(HOLES[j]):
            wanted = equity([HOLES[i].tolist(), HOLES[j].tolist()], cards).equities[0]
            off.append(found.shares[found.groups[i], found.groups[j]] - wanted)

    assert np.abs(off).max() < 0.03
    assert np.sqrt(np.mean(np.square(off))) < 0.006
    np.testing.assert_allclose(found.shares + found.shares.T, 1, atol=1e-6)


@pytest.mark.parametrize("board", BOARDS[1:4])
def test_all_in_by_equities_is_all_in_by_rivers(board):
    """Both whole ranges, all-in or check: nearly as if every river were dealt.

    The all-in pot is 700. Where one card takes most flushes from the other player, a hand that
    holds it is off by 2 % of that; all together by 0.4 %.
    """
    equities = turn_equities(parse_board(board))

    def matrix(leaf):
        count = len(leaf.children)
        shape = (*equities.shares.shape, count, count)
        return np.broadcast_to((equities.shares - 0.5)[:, :, None, None], shape)

    leaves = LeafValues(
        groups=lambda cards: (equities.groups, equities.groups), matrix=matrix, all_in=equities
    )
    limited = SubgameSolver(spot(board, menu=(("a", ""),)), leaves=leaves)
    whole = SubgameSolver(spot(board, menu=(("a", ""), ("", ""))), packed=False)
    for solver in (limited, whole):
        solver.solve(target=0.1, most_iterations=20_000)

    for player in (0, 1):
        assert limited.value(player) == pytest.approx(whole.value(player), abs=0.5)
        found, wanted = limited.hand_values(player), whole.hand_values(player)
        assert np.nanmax(np.abs(found - wanted)) < 20
        assert np.sqrt(np.nanmean((found - wanted) ** 2)) < 3


def test_equities_of_a_turn_want_a_turn():
    one = spot(FLOP, "AA", "KhQh", (("a", ""),))
    leaves = LeafValues(
        groups=one_group_each,
        matrix=lambda leaf: np.zeros((256, 256, 4, 4)),
        all_in=turn_equities(parse_board(TURN)),
    )
    with pytest.raises(ConfigError, match="equities of a turn"):
        SubgameSolver(one, leaves=leaves)


# ---- What else -------------------------------------------------------------------------------


def test_packed_rows_lead_to_the_same_values():
    plain, packed = (
        SubgameSolver(spot(), packed=packed, leaves=random_leaves((9, 9)))
        for packed in (False, True)
    )
    for solver in (plain, packed):
        solver.solve(target=0.3, most_iterations=20_000)

    assert packed.memory_bytes < 0.55 * plain.memory_bytes
    assert packed.value(0) == pytest.approx(plain.value(0), abs=0.5)


def test_threads_change_nothing():
    one = spot(FLOP, "AA,KhQh,8c7c", "KK:0.5,QQ", (("a", ""),), stack=100)
    solvers = [
        SubgameSolver(one, num_workers=workers, leaves=random_leaves(num_streets=2), alike=False)
        for workers in (1, 3)
    ]
    for solver in solvers:
        solver.run(7)

    assert solvers[0]._walk.regrets.tobytes() == solvers[1]._walk.regrets.tobytes()


def test_cards_alike_are_dealt_once_and_nothing_changes():
    """With groups that do not know suits, before leaves behind a card."""
    one = spot("7h7d2h", "AA,KQs,87s:0.5", "KK:0.5,QQ", (("a", ""),), stack=100)
    by_ranks = (HOLES // 4).sum(axis=1) % 6
    leaves = random_leaves((6, 6), num_streets=2)
    ranked = LeafValues(groups=lambda b: (by_ranks, by_ranks), matrix=leaves.matrix, num_streets=2)
    together = SubgameSolver(one, packed=False, leaves=ranked)
    apart = SubgameSolver(one, packed=False, leaves=ranked, alike=False)
    for solver in (together, apart):
        solver.run(5)

    assert together.memory_bytes < apart.memory_bytes
    assert together.value(0) == pytest.approx(apart.value(0), abs=1e-3)


def test_what_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no leaves after 1 streets"):
        SubgameSolver(spot("Td9d6hQc2s"), leaves=random_leaves())
    with pytest.raises(ConfigError, match="no leaves after 2 streets"):
        SubgameSolver(spot(), leaves=random_leaves(num_streets=2))
    with pytest.raises(ConfigError, match="not kept"):
        SubgameSolver(spot(oop="AA", ip="KK"), leaves=random_leaves()).save(tmp_path / "spot")
    for shape in ((7, 5, 4), (7, 4, 4, 4), (7, 5, 1, 1)):
        bad = LeafValues(groups=random_leaves().groups, matrix=lambda n, s=shape: np.zeros(s))
        with pytest.raises(MismatchError, match="values of shape"):
            SubgameSolver(spot(), leaves=bad)


def test_no_two_hands_of_the_ranges_apart_share_a_card():
    """What the comparison above stands on."""
    hands = [parse_range(text) for text in APART.values()]
    cards = [set(HOLES[np.flatnonzero(weights)].ravel().tolist()) for weights in hands]

    assert all(not one & other for one, other in combinations(cards, 2))
