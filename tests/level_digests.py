"""Digests of what cloned functions give, for `tests/test_levels.py`: one line of JSON."""

import hashlib
import json
import sys

import numpy as np

from holdem._core.boards import flop_boards
from holdem._core.equity import range_equity
from holdem._core.showdown import fold_values, showdown_margins
from holdem.abstraction.translation import Translator
from holdem.evaluation.betting_groups import group_betting
from holdem.game.tree import build_tree
from holdem.mccfr.responder_engine import ResponderEngine
from holdem.search.gadget import Gadget
from holdem.search.playing_on import PlayingOn
from holdem.search.sampled import SampledSolver
from holdem.search.solver import SubgameSolver
from holdem.search.spot import Menu
from holdem.types import MCCFRConfig
from tests import test_responder
from tests.reference.games import random_policy
from tests.tables import bucketing, random_blueprint
from tests.test_best_response import FLOPS, made_up_buckets, shoved_tree
from tests.test_gadget import alternatives
from tests.test_playing_on import GAME, dealt, place_of
from tests.test_subgame_solver import TINY, peer_spot


def digest(*arrays):
    return hashlib.sha256(b"".join(np.asarray(array).tobytes() for array in arrays)).hexdigest()


def solved(one, iterations, **options):
    """Rows and values after some iterations of a solve."""
    solver = SubgameSolver(one, **options)
    solver.run(iterations)
    walk = solver._walk
    values = [solver.hand_values(player, answer=answer) for player in (0, 1) for answer in (0, 1)]
    return digest(walk.regrets, walk.sums, walk.regret_exponents, walk.sum_exponents, *values)


def solves():
    for packed in (False, True):
        width = 16 if packed else 32
        for name in ("river", "turn", "alike", "flop"):
            yield f"{name} {width}", solved(TINY[name], 6, packed=packed)
        yield f"whole river {width}", solved(peer_spot("river"), 20, packed=packed)
        yield f"whole turn {width}", solved(peer_spot("turn"), 2, packed=packed)
    for kind in ("resolve", "max-margin"):
        yield kind, solved(TINY["river"], 20, gadget=Gadget(1, alternatives(1), kind))


def endings():
    rng = np.random.default_rng(1)
    holes = np.array([(low, high) for high in range(52) for low in range(high)], np.uint8)
    for board in ([0, 5, 22, 38, 51], [51, 47, 43, 39, 35]):
        hands = holes[~np.isin(holes, board).any(axis=1)]
        reach = rng.random((len(hands), 37), np.float32)
        yield f"showdowns {board}", digest(showdown_margins(board, hands, hands, reach))
        yield f"folds {board}", digest(fold_values(hands, hands, reach))
    weights = rng.random(1326)
    yield "equity", digest(range_equity(weights, weights, (0, 5, 22, 38)).equity)


def responses():
    tree = shoved_tree("100%", "", "a")
    bucketing = made_up_buckets(tree)
    for num_lanes in (8, 16):
        groups = group_betting(random_policy(tree, 8), 4, num_lanes)
        rng = np.random.default_rng(2)
        reach = np.zeros((groups.num_groups, 1326, num_lanes), np.float32)
        for group, lane in groups.places:
            reach[group, :, lane] = rng.random(1326)
        for name, flop in FLOPS.items():
            runouts = flop_boards(flop, bucketing.tables[1:], turns=2, rivers=2, seed=5)
            for seat in (0, 1):
                best, own = groups.betting.respond(
                    seat, runouts, reach, own=True, chooses=(seat == 0, True, True)
                )
                yield f"response {num_lanes} {name} {seat}", digest(best, own)


def walks():
    """Three players, to the end of the hand and to where the blueprint plays on."""
    policy = random_blueprint(GAME)
    translator = Translator(policy.tree)
    weights = np.random.default_rng(3).random((3, 1326), np.float32)
    for street, board in ((2, "Ks7d2h5c"), (3, "Ks7d2h5cJd")):
        start = dealt(GAME, street, board=board)
        playing_on = PlayingOn(policy, bucketing(), translator) if street < 3 else None
        solver = SampledSolver(
            start,
            list(weights),
            Menu((("75%, a", "a"),)),
            seed=1,
            playing_on=playing_on,
            node=place_of(translator, start),
        )
        solver.run(20)
        yield f"walks of street {street}", digest(solver._walk.regrets, solver._walk.sums)


def trained():
    """A table and its responder after some boards."""
    for parent_boards in (0, 20):
        config = MCCFRConfig(num_iterations=20, opponent="responder", parent_boards=parent_boards)
        tree = build_tree(test_responder.GAME, test_responder.MANY.num_buckets)
        engine = ResponderEngine(config, tree, test_responder.MANY)
        engine.run(20)
        others = engine.others().values()
        yield f"responder, {parent_boards} parent boards", digest(engine.words(), *others)
        engine.close()


if __name__ == "__main__":
    parts = (solves(), endings(), responses(), walks(), trained())
    sys.stdout.write(json.dumps({name: found for part in parts for name, found in part}))
