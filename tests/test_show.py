"""`holdem show`: paths into the tree, and what hands do there, in every form."""

import csv
import io
import json
import struct
import zlib

import numpy as np
import pytest

from holdem.cli import show as command
from holdem.errors import HoldemError
from holdem.evaluation.hand_strategies import find_place, strategy_at
from holdem.game.cards import CLASS_OF_HOLE, class_index, parse_cards
from holdem.game.games import leduc
from holdem.game.policy import UniformPolicy
from holdem.game.tree import build_tree
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import BetMenu, BucketConfig, GameConfig, MCCFRConfig
from tests.reference.games import random_policy, tree_of
from tests.test_train_cli import bucket_set

GAME = GameConfig(
    stacks=(2_000,), menu=BetMenu(streets=(("2.5x, a", "3x, a", "a"), ("75%, a", "a")))
)


@pytest.fixture(scope="module")
def bucketing(tmp_path_factory):
    """Buckets of two streets, by the index of the hand."""
    made = bucket_set(BucketConfig(k_flop=5, num_streets=2))
    made.save(tmp_path_factory.mktemp("buckets") / "small")
    return made


@pytest.fixture(scope="module")
def policy(bucketing):
    return random_policy(build_tree(GAME, bucketing.num_buckets), 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory, bucketing):
    """A short run of training."""
    config = MCCFRConfig(num_iterations=300, seed=1, time_budget_seconds=None)
    solver = MCCFRSolver(config, bucketing, game=GAME)
    return solver.train(tmp_path_factory.mktemp("run") / "two", use_tensorboard=False)


@pytest.fixture
def show(capsys):
    """Run the command and return its status, output and error lines."""

    def call(*argv):
        status = command.main([str(one) for one in argv])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return call


@pytest.mark.parametrize(
    ("path", "history", "board"),
    [
        ("", "", ""),
        ("r250", "r250", ""),
        ("r250 c / Ks7d2h", "r250 c /", "Ks7d2h"),
        ("r250 c Ks7d2h x", "r250 c / x", "Ks7d2h"),
        ("r250 c / Ks 7d 2h / x b375", "r250 c / x b375", "Ks7d2h"),
        ("c x Ks7d2h / x", "c x / x", "Ks7d2h"),
    ],
)
def test_paths(policy, path, history, board):
    place = find_place(policy.tree, path)

    assert policy.tree.history(place.node) == history
    assert place.board == parse_cards(board)


@pytest.mark.parametrize(
    ("path", "message", "remedy"),
    [
        ("r300", "'r300' is not on offer after ''", "choose one of: f c r250 a"),
        ("r250 c", "the flop after 'r250 c /' lacks cards", "three cards, as in Ks7d2h"),
        ("r250 c / Ks x", "lacks cards", "two cards more"),
        ("r250 c / Ks7d x", "lacks cards", "one card, as in 9c"),
        ("r250 c / b300", "the flop after 'r250 c /' lacks cards", "three cards, as in Ks7d2h"),
        (
            "r250 c / ks7d2h / x",
            "lacks cards, and 'ks7d2h' names none",
            "three cards, as in Ks7d2h",
        ),
        ("r250 c / 10s7d2h", "lacks cards, and '10s7d2h' names none", "23456789TJQKA, then a suit"),
        ("r250 c / K♠7d2h", "lacks cards, and 'K♠7d2h' names none", "a suit from cdhs, as in Td"),
        ("r250 c // Ks7d2h", "lacks cards, and '//' names none", "three cards, as in Ks7d2h"),
        ("R250", "'R250' is not on offer after ''", "choose one of: f c r250 a"),
        ("r250 c / Ks7d2h / X", "'X' is not on offer after 'r250 c /'", "choose one of: x b375 a"),
        ("r250 c / Ks7d2h3c", "'Ks7d2h3c' after 'r250 c /' are cards too many", "three cards"),
        ("r250 c / Ks7d2h / 3c", "'3c' after 'r250 c /' are cards too many", "leave them out"),
        ("r250 c / KsKs2h", "a card twice", "once"),
        ("r250 c / Ks7d / Ks", "has a card twice", "once"),
        ("r250 / c", "no new street begins after 'r250'", "choose one of: f c r750 a"),
        ("r250 Ks7d2h", "no new street begins after 'r250'", "choose one of: f c r750 a"),
        ("r250 f", "nobody decides after 'r250 f'", "leave out the last action"),
        ("r250 f x", "'x' is not on offer after 'r250 f'", "the hand is over"),
    ],
)
def test_paths_that_lead_nowhere_say_what_is_possible(policy, path, message, remedy):
    with pytest.raises(HoldemError) as error:
        find_place(policy.tree, path)

    assert message in str(error.value)
    assert remedy in error.value.remedy


def test_the_board_of_a_small_game_is_a_rank():
    with pytest.raises(HoldemError, match="lacks cards, and 'q' names none") as error:
        find_place(build_tree(leduc(), (3, 9)), "x x / q")

    assert error.value.remedy == "deal one of: J Q K"


def test_hands_have_the_strategy_of_their_bucket_and_the_weight_of_their_path(policy, bucketing):
    place = find_place(policy.tree, "r250 c / Ks7d2h / x b375")
    tree = policy.tree

    found = strategy_at(policy, place, bucketing)

    assert found.seat == 1
    assert found.actions == ("fold", "call", "all-in 1750")
    assert len(found.names) == 1176
    for hand in (0, 500, 1175):
        hole = parse_cards(found.names[hand])
        flop = bucketing.bucket(hole, place.board)
        assert found.probabilities[hand] == pytest.approx(policy.strategy(place.node)[flop])
        called = policy.strategy(tree.find("r250"))[bucketing.bucket(hole), 1]
        checked = policy.strategy(tree.find("r250 c"))[flop, 0]
        assert found.weights[hand] == pytest.approx(called * checked)
    expected = (found.weights @ found.probabilities) / found.weights.sum()
    assert found.frequencies == pytest.approx(expected)


def test_the_chart_weighs_the_hands_of_a_class(policy, bucketing):
    found = strategy_at(policy, find_place(policy.tree, "r250 c AsAdAh / x"), bucketing)
    kings = [i for i, hole in enumerate(found.holes) if CLASS_OF_HOLE[hole] == class_index("KK")]
    weights = found.weights[kings] + 1e-12

    assert np.isnan(found.grid[0, 0]).all()  # no pair of aces is left
    expected = weights @ found.probabilities[kings] / weights.sum()
    assert found.grid[1, 1] == pytest.approx(expected, abs=1e-6)


def test_one_card_games_show_ranks():
    tree = tree_of(leduc())
    place = find_place(tree, "x x / Q")

    found = strategy_at(UniformPolicy(tree), place, None)

    assert found.names == ("J", "Q", "K")
    assert found.probabilities == pytest.approx(np.full((3, 2), 0.5))
    assert found.frequencies == pytest.approx([0.5, 0.5])
    with pytest.raises(HoldemError) as error:
        find_place(tree, "x x")
    assert error.value.remedy == "deal one of: J Q K"


def test_the_chart_is_printed(run, show):
    status, out, _ = show(run.logdir, "r250 c / Ks7d2h / x")

    assert status == 0
    assert "SB raises to 250, BB calls; flop: BB checks" in out
    assert "SB to act on Ks7d2h, 5 bb in the pot" in out
    assert "72s" in out
    assert "bet 3.75 bb" in out
    assert "\x1b" not in out  # no terminal, no colours


def test_every_form_says_the_same(run, show):
    path = "r250 c / Ks7d2h / x"
    document = json.loads(show(run.checkpoint, path, "--json")[1])
    rows = list(csv.reader(io.StringIO(show(run.policy, path, "--csv")[1])))
    lines = show(run.logdir, path, "--list")[1].splitlines()

    assert document["history"] == "r250 c / x"
    assert document["board"] == "Ks7d2h"
    assert sum(document["frequencies"]) == pytest.approx(1, abs=1e-5)
    assert rows[0] == ["hand", "weight", *document["actions"]]
    assert len(rows) - 1 == len(document["hands"]) == 1176
    for name, weight, *shares in rows[1:]:
        entry = document["hands"][name]
        assert float(weight) == entry["weight"]
        assert [float(share) for share in shares] == entry["probabilities"]
    assert sum("gets here" in line for line in lines) == 1176


def test_the_picture_is_a_png_of_the_chart(run, show, tmp_path):
    status, out, _ = show(run.logdir, "--png", tmp_path / "chart.png")

    data = (tmp_path / "chart.png").read_bytes()
    assert status == 0
    assert "chart.png" in out
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size]) == (
            zlib.crc32(name + body),
        )
        chunks[name], at = body, at + 12 + size
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    pixels = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert (pixels[:, 0] == 0).all()
    assert pixels.shape == (height, 1 + 3 * width)
    colours = {tuple(one) for one in pixels[30, 1:].reshape(-1, 3).tolist()}
    assert len(colours) > 2


def test_the_path_may_come_after_options(run, show):
    assert show(run.logdir, "--json", "r250") == show(run.logdir, "r250", "--json")


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (("x9",), 1, "'x9' is not on offer"),
        (("--json", "--csv"), 2, "three ways to print"),
        (("r250 c",), 1, "lacks cards"),
        (("--jsn",), 2, "unknown option --jsn"),
        (("--jsn", "r250"), 2, "unknown option --jsn"),
    ],
)
def test_what_is_refused(run, show, argv, code, message):
    status, _, err = show(run.logdir, *argv)

    assert (status, len(err)) == (code, 2)
    assert message in err[0]
    assert err[1].startswith("  try:")


def test_buckets_that_nobody_plays_by_are_refused(show, tmp_path):
    solver = MCCFRSolver(MCCFRConfig(num_iterations=100), None, game=leduc())
    solver.train(tmp_path / "leduc", use_tensorboard=False)

    status, _, err = show(tmp_path / "leduc", "--buckets", tmp_path / "nowhere")

    assert (status, len(err)) == (1, 2)
    assert "nobody here plays by buckets" in err[0]


def test_what_is_no_policy_is_refused(show, tmp_path):
    status, _, err = show(tmp_path / "nothing")

    assert (status, len(err)) == (1, 2)


def test_small_games_have_no_picture(show, tmp_path):
    config = MCCFRConfig(num_iterations=100, seed=1, time_budget_seconds=None)
    run = MCCFRSolver(config, None, game=leduc()).train(tmp_path / "run", use_tensorboard=False)

    status, out, _ = show(run.logdir, "x x / Q")
    refused = show(run.logdir, "--png", tmp_path / "chart.png")

    assert status == 0
    assert "on Q" in out
    assert refused[0] == 2
    assert not (tmp_path / "chart.png").exists()
