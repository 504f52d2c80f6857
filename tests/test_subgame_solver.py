"""Solving spots: known games, a slow twin, and the peers' values."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from holdem.errors import CardError, ConfigError, MismatchError, ResourceError
from holdem.game.cards import HOLES, hole_cards, hole_index, parse_board, parse_card, parse_hand
from holdem.game.ranges import parse_range
from holdem.search import solver as solver_module
from holdem.search.runouts import runouts
from holdem.search.solver import METHODS, SubgameSolver
from holdem.search.spot import Menu, Spot, read_spot
from holdem.search.subgame import NodeKind, build_public_tree
from tests.reference.subgame import ReferenceSolver, fades_of, suits_alike
from tests.vectors import VECTORS

DATA = Path(__file__).parent / "data"
SPOTS = DATA / "spots"
# Of the others the ranges are not known.
RIVERS = [game for game in VECTORS["river_subgames"] if game["src"] == "uniform ranges"]


def spot(
    board="Td9d6hQc2s",
    pot=100,
    stack=300,
    oop="random",
    ip="random",
    bets="100%, a",
    raises="100%, a",
):
    return Spot(
        board=parse_board(board),
        pot=pot,
        stack=stack,
        ranges=(parse_range(oop), parse_range(ip)),
        menu=Menu.of(bets, raises),
    )


def peer_spot(name):
    return Spot.from_description(read_spot(SPOTS / f"{name}.spot"))


# ---- The tree --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "decisions", "endings", "dealings"),
    [("river", 48, 93, 0), ("turn", 136, 225, 11), ("flop", 240, 349, 32)],
)
def test_the_peers_trees(name, decisions, endings, dealings):
    """The node counts of PEERS.md; a dealing after an all-in is none of its."""
    one = peer_spot(name)
    tree = build_public_tree(
        pot=one.pot, stack=one.stack, menu=one.menu, num_streets=6 - len(one.board)
    )
    dealt = [n for n in tree.nodes() if n.kind == NodeKind.DEAL and n.paid[0] < one.stack]

    assert tree.count(NodeKind.DECIDE) == decisions
    assert tree.count(NodeKind.END_BY_FOLD) + tree.count(NodeKind.END_BY_SHOWDOWN) == endings
    assert len(dealt) == dealings


def actions(one, path=""):
    return [child.action for child in SubgameSolver(one).find(path)[0].children]


def test_sizes_of_bets_and_raises():
    """A share is of the pot after calling; halves round up; too much is all-in; equal is one."""
    one = spot(pot=25, stack=100, bets="50%, 400%, 1000%, a", raises="50%, 3x, 10c, a")

    assert actions(one) == ["check", "bet 13", "all-in 100"]
    # The pot after calling 13 is 51; a raise is of at least 13 more.
    assert actions(one, "bet13") == ["fold", "call", "raise 26", "raise 39", "all-in 100"]
    assert actions(one, "check all-in100") == ["fold", "call"]


def test_a_least_raise():
    assert actions(spot(pot=100, stack=1000, bets="100%", raises="1%"), "bet100") == [
        "fold",
        "call",
        "raise 200",
    ]


# ---- Against the slow twin -------------------------------------------------------------------

TINY = {
    "river": spot("Td9d6hQc2s", oop="AKs,99:0.5,J8s,72o:0.25", ip="QQ,T9s,87s,AK:0.3,KdJd"),
    "turn": spot("Td9d6hQc", stack=150, oop="AKs,J8s,9h9c", ip="QQ:0.5,87s,AdKd,72o:0.2"),
    "alike": spot("Ts9s6s2h", stack=150, oop="AKs,J8s,99", ip="QQ:0.5,87s,JJ"),
    "flop": spot("7h7d2h", stack=100, bets="a", raises="", oop="AA,KhQh,8c7c", ip="KK:0.5,QQ"),
}
# Few: what rounding decides where two actions are as good as each other spreads.
ITERATIONS = {"river": 20, "turn": 4, "alike": 2, "flop": 2}


def twin_of(name, method="dcfr"):
    return ReferenceSolver(TINY[name], fades_of(method))


def assert_same_strategies(solver, twin, *, atol):
    """At every decision on every board, of hands that both get to."""
    checked = 0
    for (path, board), sums in twin.sums.items():
        cards = board[len(solver.spot.board) :]
        node = next(n for n in solver.tree.nodes() if n.path() == path)
        found = solver.strategy(node, cards)
        holes = twin.holes[node.actor].tolist()
        wanted = dict(zip(holes, twin.average(node, board).T, strict=True))
        # Where nothing was at stake so far, rounding decides what is played.
        stakes = np.abs(twin.regrets[path, board]).max(axis=0) * (sums.sum(axis=0) > 1e-3)
        stake = dict(zip(holes, stakes, strict=True))
        for hole, row in zip(found.holes.tolist(), found.probabilities, strict=True):
            if stake[hole] > 0.1:
                np.testing.assert_allclose(row, wanted[hole], atol=atol, err_msg=f"{path} {board}")
                checked += 1
    return checked


@pytest.mark.parametrize("name", ["river", "turn", "alike"])
def test_agrees_with_the_slow_twin(name):
    """The same strategies everywhere, the same values and best responses."""
    solver, twin = SubgameSolver(TINY[name], packed=False), twin_of(name)
    solver.run(ITERATIONS[name])
    twin.run(ITERATIONS[name])

    assert assert_same_strategies(solver, twin, atol=5e-3) > 100
    for player in (0, 1):
        half = solver.spot.pot / 2
        assert solver.value(player) - half == pytest.approx(twin.value(player, "average"), abs=0.01)
        assert solver.best_response(player) - half == pytest.approx(
            twin.value(player, "answer"), abs=0.01
        )


@pytest.mark.slow
def test_agrees_with_the_slow_twin_on_the_flop():
    solver, twin = SubgameSolver(TINY["flop"], packed=False), twin_of("flop")
    solver.run(2)
    twin.run(2)

    assert solver.value(0) - 50 == pytest.approx(twin.value(0, "average"), abs=0.01)
    assert solver.best_response(1) - 50 == pytest.approx(twin.value(1, "answer"), abs=0.01)


@pytest.mark.parametrize("method", ["linear", "cfr+"])
def test_other_methods_agree_with_the_slow_twin(method):
    solver, twin = SubgameSolver(TINY["river"], method=method), twin_of("river", method)
    solver.run(20)
    twin.run(20)

    assert assert_same_strategies(solver, twin, atol=5e-3) > 100


@pytest.mark.parametrize("name", ["turn", "flop"])
def test_cards_alike_are_dealt_once_and_nothing_changes(name):
    """With and without the renaming of suits: the same values."""
    one = TINY["alike"]
    if name == "flop":
        one = spot("7h7d2h", 100, 100, "AA,KQs,87s:0.5", "KK:0.5,QQ", "a", "")
    together = SubgameSolver(one, packed=False)
    apart = SubgameSolver(one, packed=False, alike=False)
    for solver in (together, apart):
        solver.run(3)

    assert together.memory_bytes < 0.8 * apart.memory_bytes
    for player in (0, 1):
        assert together.value(player) == pytest.approx(apart.value(player), abs=1e-3)
        answers = [solver.best_response(player) for solver in (together, apart)]
        assert answers[0] == pytest.approx(answers[1], abs=1e-3)


def renamed(card, suits):
    return card // 4 * 4 + suits[card % 4]


@pytest.mark.parametrize("board", ["QsJh2h", "7s7h2d", "Td9d6hQc", "2c2d2h2s"])
def test_dealings_cover_every_card_once(board):
    """Each board of a street stands for other cards, 49, 48 and 47 in all."""
    cards = parse_board(board)
    ranges = (parse_range("AK,QQ:0.5,87s,AhKd:0.5,AdKh:0.5"), parse_range("random"))
    keeping = suits_alike(ranges)
    boards = [list(cards)]
    for street, (parents, dealt, first_maps, renamings) in enumerate(runouts(cards, ranges)):
        reached = {number: [] for number in range(len(boards))}
        for number, (parent, card) in enumerate(zip(parents.tolist(), dealt.tolist(), strict=True)):
            for renaming in renamings[first_maps[number] : first_maps[number + 1]].tolist():
                assert tuple(renaming) in keeping
                assert {renamed(c, renaming) for c in boards[parent]} == set(boards[parent])
                reached[parent].append(renamed(card, renaming))
        for number, found in reached.items():
            assert sorted(found) == sorted(set(range(52)) - set(boards[number]))
        boards = [[*boards[p], int(c)] for p, c in zip(parents, dealt, strict=True)]
        assert street < 2


# ---- Known answers ---------------------------------------------------------------------------


@pytest.mark.parametrize("game", RIVERS, ids=lambda game: game["board"])
def test_river_subgames(game):
    """All hands against all hands: value, best response and first action to 0.1 % of the pot."""
    one = spot(game["board"], game["pot"], game["stack_behind"])
    solver = SubgameSolver(one)
    progress = solver.solve(target=0.02, most_iterations=20_000)

    assert solver.value(0) - one.pot / 2 == pytest.approx(game["ev_p0"], abs=0.001 * one.pot)
    assert progress.exploitability <= 0.02
    root = solver.strategy(solver.tree.root)
    frequencies = dict(zip(root.actions, root.frequencies(), strict=True))
    if game["board"] != "TsJsQsKsAs":  # there, nothing matters
        assert frequencies["check"] == pytest.approx(game["root"]["k"], abs=0.05)


NUTS, AIR, CATCHER = "AsAh", "2s2h", "KsKh"


@pytest.mark.parametrize(("chance", "size"), [(0.5, 1.0), (0.25, 0.5), (0.2, 0.75), (0.6, 1.0)])
def test_clairvoyance(chance, size):
    """One player knows who wins (Chen & Ankenman 2006)."""
    known = VECTORS["toy_games"][f"clairvoyance p={chance:.4f} s={size:g}"]
    one = spot(
        "3c4d8c9dTc",
        1000,
        int(1000 * size),
        f"{NUTS}:{chance},{AIR}:{1 - chance}",
        CATCHER,
        "a",
        "a",
    )
    solver = SubgameSolver(one)
    solver.solve(target=0.005, most_iterations=20_000)

    root = solver.strategy(solver.tree.root)
    air = list(root.holes).index(hole_index(*parse_hand(AIR)))
    answer = solver.strategy(solver.tree.root.children[1])
    assert solver.value(0) / 1000 == pytest.approx(known["ev"], abs=0.001)
    assert root.probabilities[air, 1] == pytest.approx(known["air_bet"], abs=0.01)
    # Where bluffing always would still pay, any call from there on will do.
    assert answer.probabilities[0, 1] == pytest.approx(known["call"], abs=0.02)


@pytest.mark.parametrize("pot", [2, 4])
def test_ace_king_queen(pot):
    """Three hands, one bet of 1, the first player made to check: the half-street game."""
    known = VECTORS["toy_games"][f"AKQ half P={pot}"]
    hands = ["QcQh", "KcKh", "AcAh"]
    one = spot("2c3d7s8d9s", 100 * pot, 100, ",".join(hands), ",".join(hands), "a", "")
    solver = SubgameSolver(one)
    checks = np.tile([1.0, 0.0], (1326, 1))
    solver.lock(solver.tree.root, checks)
    progress = solver.solve(target=0.002, most_iterations=20_000)

    holes = [hole_index(*parse_hand(hand)) for hand in hands]
    after_check = solver.tree.root.children[0]
    bets, calls = solver.strategy(after_check), solver.strategy(after_check.children[1])
    assert progress.exploitability <= 0.002
    assert (solver.strategy(solver.tree.root).probabilities[:, 0] == 1).all()
    assert solver.value(1) / 100 == pytest.approx(known["ev"], abs=0.001 * pot)
    for found, wanted in ((bets, known["bet"]), (calls, known["call"])):
        shares = [found.probabilities[list(found.holes).index(hole), 1] for hole in holes]
        np.testing.assert_allclose(shares, wanted, atol=0.02)


@pytest.mark.parametrize(("name", "value", "equity"), [("river", 94.3, 0.49806)])
def test_the_peers_values(name, value, equity):
    solver = SubgameSolver(peer_spot(name))
    progress = solver.solve(target=0.3, most_iterations=20_000)

    assert progress.iterations <= 150
    assert solver.value(0) == pytest.approx(value, abs=0.3)
    assert solver.value(0) + solver.value(1) == pytest.approx(solver.spot.pot, abs=1e-3)
    assert solver.equity() == pytest.approx(equity, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_the_peers_values_on_the_turn(packed):
    solver = SubgameSolver(peer_spot("turn"), packed=packed, num_workers=2)
    solver.solve(target=0.3, most_iterations=20_000)

    assert solver.value(0) == pytest.approx(94.00, abs=0.2)
    assert solver.equity() == pytest.approx(0.50472, abs=1e-4)


@pytest.mark.slow
def test_the_peers_values_on_the_flop():
    solver = SubgameSolver(peer_spot("flop"), num_workers=2)
    solver.run(60)

    assert solver.memory_bytes < 800e6
    assert solver.value(0) == pytest.approx(58.66, abs=0.5)
    assert solver.equity() == pytest.approx(0.55347, abs=1e-4)


# ---- Rows in 16 bits, threads, time ----------------------------------------------------------


def test_packed_rows_lead_to_the_same_values():
    one = peer_spot("river")
    plain, packed = SubgameSolver(one, packed=False), SubgameSolver(one, packed=True)
    for solver in (plain, packed):
        solver.solve(target=0.3, most_iterations=20_000)

    assert packed.memory_bytes < 0.52 * plain.memory_bytes
    assert packed.value(0) == pytest.approx(plain.value(0), abs=0.003 * one.pot)


def test_what_the_methods_remember():
    """By iteration: what is kept of gains and losses, fresh starts, and weights."""
    found = {name: [fades_of(name)(t) for t in range(1, 101)] for name in METHODS}
    gains, losses, keeps, weights = zip(*found["dcfr"], strict=True)

    assert gains[:2] == (0, 0.5)
    assert gains[99] == pytest.approx(99**1.5 / (99**1.5 + 1))
    assert set(losses) == {0.5}
    assert [t for t, keep in enumerate(keeps, 1) if keep == 0] == [1, 4, 16, 64]
    assert set(keeps) == {0, 1}
    assert weights[63:66] == (1, 8, 27)
    assert found["linear"][2] == pytest.approx((2 / 3, 2 / 3, 1, 3))
    assert found["cfr+"][2] == (1, 0, 1, 3)


@pytest.mark.parametrize("packed", [False, True])
def test_threads_change_nothing(packed):
    """The same bytes with one thread, two and five."""
    solvers = [SubgameSolver(TINY["turn"], packed=packed, num_workers=w) for w in (1, 2, 5)]
    for solver in solvers:
        solver.run(12)

    assert len({solver._walk.regrets.tobytes() for solver in solvers}) == 1
    assert len({solver._walk.sums.tobytes() for solver in solvers}) == 1
    assert len({solver.best_response(0) for solver in solvers}) == 1


def test_a_thread_whose_fellow_has_gone_ends_with_an_error():
    """It waits as long as it takes, and no longer once the walk is stopped."""
    walk = SubgameSolver(TINY["turn"], num_workers=2)._walk
    fades = np.ones((1, 4), np.float32)
    with ThreadPoolExecutor(1) as pool:
        for door, *arguments in ((walk.train, fades, 2**62, 0), (walk.values, 0, True)):
            waiting = pool.submit(door, 0, *arguments)
            walk.stop()
            with pytest.raises(RuntimeError, match="has gone"):
                waiting.result(60)


@pytest.mark.parametrize("faulty", [0, 1])
def test_an_error_in_one_thread_ends_the_others(faulty):
    """Whichever it is, nobody waits for it, and the solver goes on when it is called again."""
    solver, plain = (SubgameSolver(TINY["turn"], num_workers=n) for n in (3, 1))

    def door(worker):
        if worker == faulty:
            raise KeyboardInterrupt
        return solver._walk.values(worker, 0, True)

    with pytest.raises((KeyboardInterrupt, RuntimeError)):
        solver._everywhere(door)
    solver.run(20)
    plain.run(20)
    assert solver._walk.sums.tobytes() == plain._walk.sums.tobytes()


def test_a_deadline_stops_but_for_the_least_iterations():
    solver = SubgameSolver(TINY["turn"], num_workers=2)

    assert solver.run(50, deadline=0.0, least=3) == 3
    assert solver.run(50, deadline=0.0) == 0
    assert solver.iterations == 3
    assert solver.solve(target=0, time_budget=0.0).iterations == 3


def test_an_average_of_few_iterations_is_none_that_a_search_ends_with():
    """By the clock it begins anew where a quarter as many iterations follow, and else goes on."""
    counted, late, longer = (SubgameSolver(TINY["river"]) for _ in range(3))
    for solver, iterations in ((counted, 66), (longer, 90)):
        solver.run(iterations)
    late.run(66, deadline=0.0, least=66)
    assert late.exploitability() < counted.exploitability()

    enough, far, near = (SubgameSolver(TINY["river"]) for _ in range(3))
    enough.run(90, deadline=0.0, least=90)
    far.run(90, deadline=time.monotonic() + 1000)
    assert enough._walk.sums.tobytes() == longer._walk.sums.tobytes()
    assert far._walk.sums.tobytes() == longer._walk.sums.tobytes()

    near.run(63)
    near._pace = 10.0
    near.run(3, deadline=time.monotonic() + 100)
    assert near._walk.sums.tobytes() == late._walk.sums.tobytes()


def test_an_average_that_did_not_begin_anew_goes_on_after_loading(tmp_path):
    solver = SubgameSolver(TINY["river"])
    solver.run(66, deadline=0.0, least=66)
    solver.save(tmp_path / "kept")
    loaded = SubgameSolver.load(tmp_path / "kept")
    for one in (solver, loaded):
        one.run(10)
    assert loaded._walk.sums.tobytes() == solver._walk.sums.tobytes()


def test_looking_for_a_stop_changes_nothing(monkeypatch):
    """The same iterations, and the same looks at them, to the same bytes."""
    found = []
    for seconds in (1e6, 0.0):
        monkeypatch.setattr(solver_module, "_SLICE", seconds)
        seen, solver = [], SubgameSolver(TINY["turn"], num_workers=2)
        solver.solve(target=0.2, observer=seen.append)
        looks = [(progress.iterations, progress.exploitability) for progress in seen]
        found.append((looks, solver._walk.sums.tobytes(), solver._walk.regrets.tobytes()))

    assert found[0] == found[1]


def test_a_solve_stops_between_two_iterations(monkeypatch):
    monkeypatch.setattr(solver_module, "_SLICE", 0.0)
    solver, asked = SubgameSolver(TINY["turn"]), iter([False] * 13)
    progress = solver.solve(target=0, stop=lambda: next(asked, True))

    # After ten iterations, and before the look at them, it is asked once more.
    assert progress.iterations == solver.iterations == 12
    assert progress.exploitability == solver.exploitability()


def test_more_iterations_are_better():
    solver = SubgameSolver(peer_spot("river"))
    seen = []
    solver.solve(target=0.5, most_iterations=20_000, observer=seen.append)

    looks = [progress.iterations for progress in seen]
    steps = np.diff(looks)
    assert looks[:2] == [10, 20]
    assert max(steps) <= 50
    # Near the target every few iterations, so that none is done for nothing.
    assert steps[-1] <= 10
    assert seen[0].exploitability > 4 * seen[-1].exploitability


# ---- Strategies, locks, files ----------------------------------------------------------------


def test_strategies_of_cards_alike_are_renamed():
    """After Kh what holds after Kc, with clubs and hearts changed."""
    solver = SubgameSolver(spot("Td9d6s2s", stack=150, oop="AKs,J8s,99", ip="QQ:0.5,87s,JJ"))
    solver.run(10)
    node = solver.find("check check Kc")[0]
    clubs, hearts = (solver.strategy(node, [parse_card(card)]) for card in ("Kc", "Kh"))
    by_hole = dict(zip(clubs.holes, clubs.probabilities, strict=True))
    rename = {0: 2, 2: 0, 1: 1, 3: 3}

    assert len(solver._boards.dealings[0][0]) < 48
    for hole, row in zip(hearts.holes, hearts.probabilities, strict=True):
        twin = hole_index(*(renamed(card, rename) for card in hole_cards(int(hole))))
        assert (by_hole[twin] == row).all()


def test_reach_is_the_product_of_the_own_strategy():
    solver = SubgameSolver(TINY["river"])
    solver.run(30)
    root = solver.strategy(solver.tree.root)
    node = solver.find("check bet100")[0]
    later = solver.strategy(node)
    first = dict(zip(root.holes, root.weights * root.probabilities[:, 0], strict=True))

    assert later.player == 0
    for hole, weight in zip(later.holes, later.weights, strict=True):
        assert weight == pytest.approx(first[hole], abs=1e-6)


def test_hand_values_add_up():
    solver = SubgameSolver(TINY["river"])
    solver.run(50)
    on_board = np.isin(HOLES, solver.spot.board).any(axis=1)
    apart = ~(HOLES[:, None, :, None] == HOLES[None, :, None, :]).any(axis=(2, 3))
    ranges = [np.where(on_board, 0, weights) for weights in solver.spot.ranges]
    for player in (0, 1):
        values = solver.hand_values(player)
        meetings = ranges[player] * (apart @ ranges[1 - player])
        dealt = meetings > 0

        assert (np.isfinite(values) == dealt).all()
        assert np.average(values[dealt], weights=meetings[dealt]) == pytest.approx(
            solver.value(player), rel=1e-4
        )


@pytest.mark.parametrize("packed", [False, True])
def test_a_lock_is_kept_and_answered(packed):
    """Against one who folds everything, betting everything wins the pot."""
    solver = SubgameSolver(TINY["river"], packed=packed)
    folds = np.zeros((1326, 4))
    folds[:, 0] = 1
    for path in ("bet100", "all-in300"):
        node = solver.find(path)[0]
        solver.lock(node, folds[:, : len(node.children)])
    progress = solver.solve(target=0.01, most_iterations=20_000)

    assert progress.exploitability <= 0.01
    assert solver.value(0) == pytest.approx(100, abs=0.05)
    assert (solver.strategy(solver.find("bet100")[0]).probabilities[:, 0] == 1).all()


def test_a_lock_that_knows_suits_wants_them_apart():
    solver = SubgameSolver(TINY["alike"])
    strategy = np.ones((1326, 3))
    strategy[hole_index(*parse_hand("AcKc"))] = [1, 0, 0]

    with pytest.raises(MismatchError, match="suits"):
        solver.lock(solver.tree.root, strategy)
    SubgameSolver(TINY["alike"], alike=False).lock(solver.tree.root, strategy)
    with pytest.raises(ConfigError, match="shape"):
        solver.lock(solver.tree.root, np.ones((1326, 7)))
    with pytest.raises(ConfigError, match="without probabilities"):
        solver.lock(solver.tree.root, np.zeros((1326, 3)))


@pytest.mark.parametrize("packed", [False, True])
def test_saved_and_loaded_it_goes_on(tmp_path, packed):
    """A solve that was cut ends in the same bytes as one that was not."""
    whole, cut = (SubgameSolver(TINY["turn"], packed=packed) for _ in range(2))
    for solver in (whole, cut):
        strategy = np.ones((1326, len(solver.tree.root.children)))
        solver.lock(solver.tree.root, strategy)
    whole.run(20)
    cut.run(10)
    cut.save(tmp_path / "spot")
    loaded = SubgameSolver.load(tmp_path / "spot", num_workers=2)
    loaded.run(10)

    assert loaded.iterations == 20
    assert loaded._walk.regrets.tobytes() == whole._walk.regrets.tobytes()
    assert loaded.exploitability() == whole.exploitability()


# ---- Bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"board": ""}, CardError, "0 cards"),
        ({"pot": 0}, ConfigError, "pot is 0"),
        ({"stack": 0}, ConfigError, "stack is 0"),
        ({"stack": -5}, ConfigError, "stack is -5"),
        ({"oop": "TdTh", "board": "Td9d6h"}, CardError, "no hand left"),
        ({"bets": "50"}, ConfigError, "not a bet size"),
        ({"bets": "*"}, ConfigError, "too many"),
        ({"bets": "2x"}, ConfigError, "no bet is faced"),
        ({"raises": "!call"}, ConfigError, "not a bet size"),
        ({"bets": ",".join(f"{i}%" for i in range(10, 200, 10)), "stack": 9000}, ConfigError, "16"),
        (
            {
                "bets": ",".join(f"{i}c" for i in range(1, 12)),
                "raises": "1c,2c,3c,4c,5c,6c",
                "stack": 5000,
                "board": "Td9d6h",
            },
            ConfigError,
            "betting sequences",
        ),
        ({"oop": "AhKh", "ip": "AhQh"}, ConfigError, "no hand of one range can meet"),
        (
            {"oop": "AhAs", "ip": "AhKd:0.1, AsJd:0.7, AhJc:0.3, AsTh:0.9"},
            ConfigError,
            "no hand of one range can meet",
        ),
    ],
)
def test_bad_spots_are_refused(change, error, words):
    with pytest.raises(error, match=words):
        SubgameSolver(spot(**change))


def test_hands_that_meet_nobody_do_not_drown_the_others():
    """Of the second range only a straight can meet the aces, a billionth of it: it wins all."""
    one = spot(oop="AhAs", ip="AhKd, AsJd:0.7, AhJc:0.3, KcJc:0.000000001")
    alone = spot(oop="AhAs", ip="KcJc")
    for player in (0, 1):
        found, expected = (SubgameSolver(spot) for spot in (one, alone))
        found.run(50)
        expected.run(50)
        assert found.best_response(player) == pytest.approx(
            expected.best_response(player), abs=1e-3
        )
    assert found.equity() == 0
    holes = np.flatnonzero(np.isfinite(found.hand_values(1)))
    assert holes.tolist() == [hole_index(*parse_hand("KcJc"))]


@pytest.mark.parametrize("packed", [False, True])
def test_what_does_not_fit_is_refused(monkeypatch, packed):
    """By what it will take, in both widths."""
    needed = SubgameSolver(peer_spot("turn"), packed=packed).memory_bytes
    monkeypatch.setattr("holdem.search.solver._SMALL", 0)
    monkeypatch.setattr("holdem.search.solver.available_memory", lambda: int(0.8 * needed))
    with pytest.raises(ResourceError, match="of memory"):
        SubgameSolver(peer_spot("turn"), packed=packed)
    monkeypatch.setattr("holdem.search.solver.available_memory", lambda: int(1.4 * needed))
    SubgameSolver(peer_spot("turn"), packed=packed)


def test_bad_paths_are_refused():
    solver = SubgameSolver(TINY["turn"])

    with pytest.raises(ConfigError, match="no action 'bet5'"):
        solver.find("check bet5")
    with pytest.raises(ConfigError, match="twice"):
        solver.find("check check Td")
    with pytest.raises(ConfigError, match="no decision"):
        solver.strategy(solver.find("check check")[0])
    with pytest.raises(ConfigError, match="no decision"):
        solver.strategy(solver.find("check check Kc")[0])
    with pytest.raises(ConfigError, match="no method"):
        SubgameSolver(TINY["turn"], method="magic")
