"""`holdem eval` and `holdem match`: what they say, what they write, and what they refuse."""

import json
import os
import re
import shutil
import signal
import time

import numpy as np
import pytest

from holdem import storage
from holdem.abstraction.bucketing import HandBucketing
from holdem.cli import eval_blueprint, main, show, terminal
from holdem.cli import match as match_command
from holdem.cli.matches import number, print_results
from holdem.errors import ConfigError
from holdem.evaluation import best_response as best_response_module
from holdem.evaluation import card_model
from holdem.evaluation import match as match_module
from holdem.evaluation.baselines import STYLES, baseline
from holdem.evaluation.best_response import BestResponse
from holdem.evaluation.contestants import Loader
from holdem.evaluation.decks import HoldemDeck
from holdem.evaluation.estimates import Estimate, Outcome
from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.evaluation.match import FIRST_PILOT_DEAL, Match, MatchResult
from holdem.evaluation.shared_table import SharedTable
from holdem.game.games import kuhn, leduc, push_fold
from holdem.game.history import loads_all
from holdem.game.tree import build_tree
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import BetMenu, BucketConfig, GameConfig, MCCFRConfig
from tests.buckets import StripedBuckets
from tests.reference.games import one_card


def train(folder, game, iterations=4_000):
    config = MCCFRConfig(num_iterations=iterations, seed=7, num_players=game.num_players)
    return MCCFRSolver(config, None, game=game).train(folder, use_tensorboard=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Short runs of small games, by name."""
    folder = tmp_path_factory.mktemp("runs")
    games = {
        "leduc": leduc(),
        "kuhn3": kuhn(3),
        "deep": one_card(8, ante=1, menu="a"),
        "shallow": one_card(4, ante=1, menu="a"),
    }
    for name, game in games.items():
        train(folder / name, game)
    train(folder / "better", leduc(), 40_000)
    return folder


@pytest.fixture
def run(capsys):
    """Run a command and return its status, output and error lines."""

    def call(command, *argv):
        status = command.main([str(one) for one in argv])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return call


def test_eval_says_what_is_won_of_whom(run, runs, tmp_path):
    """A row per opponent, a column per position; the same figures in JSON."""
    out = tmp_path / "eval.json"
    status, text, err = run(
        eval_blueprint, "--policy", runs / "better", "--hands", "4000", "--out", out
    )

    assert (status, err) == (0, [])
    for word in ("entropy", "mbb/hand", "as SB", "as BB", "luck cut", "95 % interval", *STYLES):
        assert word in text
    found = json.loads(out.read_text())
    assert found["policy"]["provenance"]["iterations"] == 40_000
    assert found["policy"]["tree_fingerprint"] == Blueprint.load(runs / "better").tree.fingerprint
    assert set(found["streets"]) == {"preflop", "flop"}
    assert [one["opponent"]["name"] for one in found["matches"]] == list(STYLES)
    for one in found["matches"]:
        assert (one["hands"], one["deals"]) == (4_000, 2_000)
        assert one["aivat"]["total"]["error_95"] < one["plain"]["total"]["error_95"]
        assert {"total", "SB", "BB", "hand_sd"} == set(one["aivat"])
        assert one["aivat"]["total"]["mean"] > 0


def test_the_same_options_write_the_same_bytes(run, runs, tmp_path):
    for workers in (1, 2):
        options = ("--hands", "3e3", "--against", "random,call", "--workers", workers)
        run(eval_blueprint, "--policy", runs / "leduc", *options, "--out", tmp_path / f"{workers}")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_a_checkpoint_is_judged_by_its_average_strategy(run, runs, tmp_path):
    """The policy of the run is the same strategy; a checkpoint tells its regrets too."""
    written = []
    for option, path in (("--policy", "leduc"), ("--checkpoint", "leduc")):
        out = tmp_path / f"{len(written)}.json"
        status, text, _ = run(
            eval_blueprint, option, runs / path, "--hands", 500, "--against", "call", "--out", out
        )
        assert status == 0
        written.append(json.loads(out.read_text()))
    policy, checkpoint = written
    assert policy["matches"][0]["aivat"] == checkpoint["matches"][0]["aivat"]
    assert set(checkpoint["streets"]["flop"]) == {"entropy", "regret", "visited"}
    assert "regret" in text


def test_a_policy_may_be_the_opponent(run, runs):
    status, text, _ = run(
        eval_blueprint, "--policy", runs / "better", "--against", runs / "leduc", "--hands", 1000
    )
    assert status == 0
    assert str(runs / "leduc") in text


def test_small_games_have_an_exact_best_response(run, runs, tmp_path):
    out = tmp_path / "eval.json"
    status, text, _ = run(
        eval_blueprint,
        *("--policy", runs / "better", "--against", "none", "--out", out),
        *("--best-response", "exact", "--lbr", "fc"),
    )

    policy = Blueprint.load(runs / "better")
    exact = PolicyEvaluator(policy.tree).evaluate(policy)
    found = json.loads(out.read_text())
    assert status == 0
    assert "exploitability" in text
    assert found["matches"] == []
    assert found["best_response"]["nash_conv"] == pytest.approx(exact.nash_conv * 1000)
    assert found["best_response"]["exploitability"] == pytest.approx(exact.exploitability * 1000)
    assert "Exploitability: NashConv / 2" in found["best_response"]["definitions"]
    assert found["lbr"]["mbb_per_hand"] <= found["best_response"]["exploitability"] + 1e-6


def test_figures_of_three_players_are_defined_for_three(run, runs, tmp_path):
    out = tmp_path / "eval.json"
    argv = ("--policy", runs / "kuhn3", "--against", "none", "--best-response", "exact")
    status, _, _ = run(eval_blueprint, *argv, "--out", out)

    found = json.loads(out.read_text())["best_response"]
    assert status == 0
    assert found["exploitability"] == pytest.approx(found["nash_conv"] / 3)
    assert "the sum over all seats" in found["definitions"]
    assert "Exploitability: NashConv / 3" in found["definitions"]


def test_three_players_have_three_positions(run, runs):
    status, text, _ = run(
        eval_blueprint, "--policy", runs / "kuhn3", "--against", "call", "--hands", 900
    )
    assert status == 0
    assert "as BTN" in text
    assert "chips won" in text


def test_a_time_budget_says_how_many_hands(run, runs, tmp_path):
    """More than the fewest: a small game is fast."""
    out = tmp_path / "eval.json"
    options = ("--against", "call", "--time-budget", 1, "--out", out)
    status, text, _ = run(eval_blueprint, "--policy", runs / "leduc", *options)
    (match,) = json.loads(out.read_text())["matches"]
    assert status == 0
    assert "95 % interval" in text
    assert match["hands"] > eval_blueprint._FEWEST_HANDS


def test_deals_may_be_played_once_and_without_aivat(run, runs, tmp_path):
    out = tmp_path / "eval.json"
    options = ("--against", "call", "--no-duplicate", "--no-aivat", "--out", out)
    status, text, _ = run(eval_blueprint, "--policy", runs / "leduc", "--episodes", 501, *options)
    (match,) = json.loads(out.read_text())["matches"]
    assert status == 0
    assert "each deal played once" in text
    assert (match["hands"], match["deals"], match["aivat"]) == (501, 501, None)
    assert match["plain"]["total"]["error_95"] > 0


def stop_at(monkeypatch, owner, name, call):
    """Let Ctrl-C come when *name* of *owner* is called for the *call*-th time."""
    method, calls = getattr(owner, name), []

    def stopped(*arguments):
        calls.append(arguments)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGINT)
        return method(*arguments)

    monkeypatch.setattr(owner, name, stopped)


def test_a_time_budget_is_measured_on_all_threads(run, runs, monkeypatch):
    pilots, play = [], SharedTable.play

    def spied(table, first_deal, start, stop):
        pilots.append(first_deal == FIRST_PILOT_DEAL)
        return play(table, first_deal, start, stop)

    monkeypatch.setattr(SharedTable, "play", spied)
    argv = ("--policy", runs / "leduc", "--against", "call", "--time-budget", 1, "--no-aivat")
    assert run(eval_blueprint, *argv, "--workers", 3)[0] == 0
    assert sum(pilots) == 3


def test_opponents_are_looked_at_before_the_first_hand(run, runs, monkeypatch):
    monkeypatch.setattr(Match, "play", None)
    argv = ("--policy", runs / "leduc", "--against", f"random,call,{runs / 'kuhn3'}")
    status, out, err = run(eval_blueprint, *argv)

    assert (status, out, len(err)) == (1, "", 2)
    assert "different games: players 2" in err[0]


def test_matches_that_were_played_are_told_when_the_next_is_stopped(
    run, runs, tmp_path, monkeypatch
):
    stop_at(monkeypatch, Match, "play", 2)
    out = tmp_path / "eval.json"
    argv = ("--policy", runs / "leduc", "--against", "random,call,fold", "--hands", 200)
    status, text, err = run(eval_blueprint, *argv, "--out", out)

    found = json.loads(out.read_text())
    assert (status, err) == (128 + signal.SIGINT, ["holdem eval: stopped"])
    assert "incomplete: 1 of 3 matches were played" in text
    assert "95 % interval" not in text.split("incomplete")[1]
    assert f"{found['matches'][0]['aivat']['total']['mean']:+,.1f}" in text
    assert [one["opponent"]["name"] for one in found["matches"]] == ["random"]
    assert found["complete"] is False


def test_figures_are_kept_before_a_best_response(run, runs, tmp_path, monkeypatch):
    out = tmp_path / "eval.json"
    argv = ("--policy", runs / "leduc", "--against", "call", "--hands", 200, "--out", out)
    argv += ("--lbr", "fc", "--best-response", "exact")
    assert run(eval_blueprint, *argv)[0] == 0
    whole = json.loads(out.read_text())
    out.unlink()
    stop_at(monkeypatch, PolicyEvaluator, "evaluate", 1)
    status, text, _ = run(eval_blueprint, *argv)

    assert status == 128 + signal.SIGINT
    assert "+-: 95 % interval" in text
    assert whole["complete"] is True
    del whole["best_response"]
    assert json.loads(out.read_text()) == whole | {"complete": False}


@pytest.mark.parametrize("players", [2, 3])
def test_who_has_no_best_response_is_told_before_the_first_hand(
    run, runs, tmp_path, striped, monkeypatch, players
):
    """Push/fold of three, and a game of more deals than are enumerated."""
    policy = runs / "leduc"
    if players == 3:
        menu = BetMenu(streets=(("a, !call", ""),))
        policy = holdem_policy(tmp_path / "three", menu, num_players=3)
    monkeypatch.setattr(card_model, "MAX_DEALS", 10)
    argv = ("--policy", policy, "--against", "call", "--best-response", "exact")
    status, out, err = run(eval_blueprint, *argv)

    assert (status, out, len(err)) == (3 - players + (players == 3) * 2, "", 2)
    assert err[0].endswith(
        "a best response needs two players, not 3"
        if players == 3
        else "are more than the 10 that are enumerated"
    )
    assert err[1].endswith("judge it in matches, without --best-response")


def test_a_checkpoint_is_the_one_that_was_found_first(run, runs, tmp_path, monkeypatch):
    """A run that goes on saves another one meanwhile."""
    folder = tmp_path / "run" / "checkpoints"
    shutil.copytree(
        runs / "leduc" / "checkpoints" / "checkpoint_final", folder / "checkpoint_iter1"
    )
    player = Loader().load(tmp_path / "run")
    shutil.copytree(folder / "checkpoint_iter1", folder / "checkpoint_iter2")

    assert match_command._source(str(tmp_path / "run"), player) == str(folder / "checkpoint_iter1")
    assert match_command._source("call", baseline("call", player)) == "call"
    monkeypatch.setattr(Loader, "checkpoint", lambda *_: player)
    looked, find = [], checkpoint.find
    monkeypatch.setattr(checkpoint, "find", lambda path: looked.append(path) or find(path))
    argv = ("--checkpoint", tmp_path / "run", "--against", "none")
    assert run(eval_blueprint, *argv)[0] == 0
    assert looked == [folder / "checkpoint_iter1"]


# --- match ------------------------------------------------------------------------------------


def test_match_says_what_the_first_wins(run, runs, tmp_path):
    out = tmp_path / "match.json"
    status, text, err = run(match_command, runs / "better", "random", "--hands", 3000, "--out", out)

    found = json.loads(out.read_text())
    assert (status, err) == (0, [])
    assert "against random" in text
    assert found["match"]["hands"] == 3_000
    assert found["match"]["aivat"]["total"]["mean"] > 0
    assert found["translated"] is False
    assert found["pilot"] is None


def test_sides_may_be_changed(run, runs, tmp_path):
    means = []
    for first, second in ((runs / "better", "random"), ("random", runs / "better")):
        out = tmp_path / f"{len(means)}.json"
        assert run(match_command, first, second, "--hands", 8000, "--out", out)[0] == 0
        means.append(json.loads(out.read_text())["match"]["aivat"]["total"])
    one, other = means
    assert abs(one["mean"] + other["mean"]) < 2 * (one["error_95"] + other["error_95"])


def test_until_ci_plays_as_many_as_a_pilot_says(run, runs, tmp_path):
    out = tmp_path / "match.json"
    status, text, _ = run(
        match_command, runs / "better", runs / "leduc", "--until-ci", 20, "--no-aivat", "--out", out
    )

    found = json.loads(out.read_text())
    assert status == 0
    assert "a pilot of 2,000 deals, which do not count" in text
    assert f"{found['match']['hands']:,} hands for +- 20" in text
    assert found["match"]["aivat"] is None
    assert found["match"]["plain"]["total"]["error_95"] == pytest.approx(20, rel=0.1)


def holdem_policy(folder, menu, seed=1, **fields):
    """A random policy of hold'em that stands in *folder*."""
    game = GameConfig(**{"stacks": (1_500,), "menu": menu, **fields})
    tree = build_tree(game, StripedBuckets(3).num_buckets[: game.num_streets])
    rng = np.random.default_rng(seed)
    units = np.zeros(tree.num_slots, np.uint16)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        rows = units[tree.slots(node)].reshape(-1, tree.nodes["num_actions"][node])
        cuts = np.sort(rng.integers(0, 65_536, (len(rows), rows.shape[1] - 1)), axis=1)
        rows[:] = np.diff(cuts, axis=1, prepend=0, append=65_535)
    provenance = Provenance(
        iterations=1, seed=1, bucket_path="nowhere/quick", bucket_fingerprint="f" * 64
    )
    Blueprint(tree, units, provenance, preflop_buckets=np.arange(169)).save(folder)
    return folder


MENUS = (
    BetMenu(streets=(("a",), ("a",), ("a",), ("a",))),
    BetMenu(streets=(("2x, a", "a"), ("a",), ("50%, a",), ("a",))),
)


@pytest.fixture
def striped(monkeypatch):
    """All policies find a bucket set."""
    buckets = StripedBuckets(3)
    monkeypatch.setattr(Loader, "_find", lambda *_: buckets)


@pytest.mark.parametrize("second", [0, 1], ids=["one menu", "two menus"])
def test_hands_are_written_as_histories(run, tmp_path, striped, second):
    """Every hand, with the names of who played it, and payoffs that are the rules'."""
    first = holdem_policy(tmp_path / "first", MENUS[0])
    other = holdem_policy(tmp_path / "second", MENUS[second], 2)
    out, figures = tmp_path / "hands.phhs", tmp_path / "match.json"
    status, text, _ = run(
        match_command,
        *(first, other, "--hands", 60, "--no-aivat", "--hands-out", out, "--out", figures),
    )

    assert status == 0
    assert ("bet menus differ" in text) is bool(second)
    hands = loads_all(out.read_text())
    assert len(hands) == 60
    names = [hand.details["players"] for hand in hands]
    assert sorted({tuple(one) for one in names}) == sorted(
        [(str(other), str(first)), (str(first), str(other))]
    )
    # Players stand in PHH's order: the big blind, seat 1, comes first.
    won = [
        hand.payoffs()[1 - name.index(str(first))] for hand, name in zip(hands, names, strict=True)
    ]
    found = json.loads(figures.read_text())
    assert found["translated"] is bool(second)
    assert sum(won) / 60 * 10 == pytest.approx(found["match"]["plain"]["total"]["mean"])


def test_a_match_that_is_stopped_keeps_whole_hands(run, tmp_path, striped, monkeypatch):
    """And says what they say, as far as it goes."""
    policy = holdem_policy(tmp_path / "policy", MENUS[0])
    out = tmp_path / "hands.phhs"
    monkeypatch.setattr(match_module, "_CHUNK", 10)
    stop_at(monkeypatch, terminal.StageBars, "advance", 4)
    argv = (policy, "call", "--hands", 1_000, "--no-aivat", "--hands-out", out)
    status, text, err = run(match_command, *argv)

    assert status == 128 + signal.SIGINT
    assert err == [
        "holdem match: stopped",
        f"  try: the 40 hands that were played are in {out}",
    ]
    assert len(loads_all(out.read_text())) == 40
    assert "incomplete: stopped after 40 of 1,000 hands" in text
    assert "+-: 95 % interval" in text


def test_one_street_against_four_writes_hands(run, tmp_path, striped):
    """The hands have four streets, whoever has fewer."""
    push = BetMenu(streets=(("a, !call", ""),))
    first = holdem_policy(tmp_path / "first", push, stacks=(750,), blinds=(25, 50))
    second = holdem_policy(tmp_path / "second", MENUS[1], 2)
    out = tmp_path / "hands.phhs"
    argv = (first, second, "--hands", 10, "--hands-out", out)

    assert run(match_command, *argv)[0] == 0
    assert {hand.state.game.big_blind for hand in loads_all(out.read_text())} == {100}


def test_rows_without_aivat_are_named(capsys):
    outcome = Outcome(total=Estimate(mean=1, sd=2, count=9), positions=(), hand_sd=3)
    results = [
        MatchResult(
            first="me",
            second=name,
            num_hands=9,
            num_deals=9,
            duplicate=True,
            plain=outcome,
            aivat=aivat,
        )
        for name, aivat in (("call", outcome), ("other", None))
    ]
    told = []
    for some in (results, results[:1], results[1:]):
        print_results(terminal.make_console(), some)
        told.append(capsys.readouterr().out.split("per hand for me, by ")[1].split(";")[0])
    assert told == [
        "AIVAT's estimates (chips won against other)",
        "AIVAT's estimates",
        "chips won",
    ]


def test_what_was_written_may_be_written_again_and_nothing_else(run, tmp_path, striped):
    """Told before a hand is played."""
    policy = holdem_policy(tmp_path / "first", MENUS[0])
    out, figures, found, notes = (tmp_path / name for name in ("hands", "match", "eval", "notes"))
    match = (match_command, policy, "call", "--hands", 6, "--no-aivat")
    judged = (eval_blueprint, "--policy", policy, "--hands", 6, "--no-aivat")
    notes.write_text('{"format": "mine"}')
    for _ in range(2):
        assert run(*match, "--hands-out", out, "--out", figures)[0] == 0
        assert run(*judged, "--out", found)[0] == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    for command, option, path in (
        (match, "--out", notes),
        (match, "--hands-out", figures),
        (judged, "--out", out),
        (judged, "--out", policy / "avg_policy.json"),
    ):
        status, text, err = run(*command, option, path)
        assert (status, text) == (1, "")
        assert err[0].endswith(
            f"{path} is there already and holds something else, so it is not replaced"
        )
    assert {path: path.read_bytes() for path in before} == before


# --- best response over the real cards --------------------------------------------------------


@pytest.fixture
def few_flops(monkeypatch, striped):
    """A deck of three kinds of flops, and a clock that allows for two of them."""
    whole = HoldemDeck.__init__

    def short(deck, *arguments):
        whole(deck, *arguments)
        kinds = [900, 902, 904]
        deck.flops, deck.weights = deck.flops[kinds], deck.weights[kinds]

    monkeypatch.setattr(HoldemDeck, "__init__", short)
    monkeypatch.setattr(BestResponse, "_seconds_per_family", lambda *_, **__: 1000.0)


def response(run, folder, form, tmp_path, *options):
    out = tmp_path / f"{form}.json"
    argv = ("--policy", folder, "--against", "none", "--best-response", form, "--out", out)
    argv += options
    status, text, err = run(eval_blueprint, *argv)
    assert (status, err) == (0, [])
    return text, json.loads(out.read_text())["best_response"]


def test_every_form_of_best_response(run, tmp_path, few_flops):
    """More freedom wins more, all boards have no interval, and each says how it leans."""
    folder = holdem_policy(tmp_path / "policy", BetMenu(streets=(("a",), ("",), ("",), ("a",))))
    texts, found = {}, {}
    for form in ("exact", "sampled", "flop", "turn", "river"):
        texts[form], found[form] = response(run, folder, form, tmp_path)

    # Flop and turn have no bets, so there is nothing to leave the policy for.
    assert found["flop"]["exploitability"] == pytest.approx(found["river"]["exploitability"])
    assert found["turn"]["exploitability"] == pytest.approx(found["river"]["exploitability"])
    assert found["sampled"]["exploitability"] > found["river"]["exploitability"] > 0
    assert found["exact"]["exploitability"] > 0
    assert found["exact"]["interval"] == 0 < found["sampled"]["interval"]
    assert "exact over all boards" in texts["exact"]
    assert "3 flops, about" in texts["exact"]
    assert "biased upwards" in texts["sampled"]
    assert "by choices made on other flops" in texts["sampled"]
    for form in ("flop", "turn", "river"):
        assert "a lower bound" in texts[form]
    for text in texts.values():
        assert "NashConv: the sum over both seats" in text
    assert list(tmp_path.glob("*.best-response/*")) == []
    number = found["sampled"]["flops"]
    _, again = response(run, folder, "sampled", tmp_path, "--response-flops", number)
    assert again == found["sampled"]


def test_an_exact_best_response_that_is_stopped_goes_on(run, tmp_path, few_flops, monkeypatch):
    """Ctrl-C says where flops are kept, and the same command does those that are left."""
    folder = holdem_policy(tmp_path / "policy", BetMenu(streets=(("a",), ("",), ("",), ("a",))))
    monkeypatch.setattr(best_response_module, "SAVE_SECONDS", 0.0)
    _, whole = response(run, folder, "exact", tmp_path)
    family_values = BestResponse.family_values

    def stop_at_the_last(self, index, draws, seed):
        if index == 2:
            while not list(tmp_path.glob("*.best-response/*/metadata.json")):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)
        return family_values(self, index, draws, seed)

    argv = ("--policy", folder, "--against", "none", "--best-response", "exact")
    with monkeypatch.context() as patch:
        patch.setattr(BestResponse, "family_values", stop_at_the_last)
        status, _, err = run(eval_blueprint, *argv, "--workers", 1)
    assert status == 128 + signal.SIGINT
    assert err[0].endswith("stopped")
    assert f"the same command again: what is done is kept in {folder}" in err[1]

    text, found = response(run, folder, "exact", tmp_path, "--seed", 5)  # nothing is drawn by it
    assert "of them done before" in text
    assert found == whole | {"seed": 5}
    assert list(tmp_path.glob("*.best-response")) == []


def test_sums_that_cannot_be_kept_are_told_before_the_first_hand(run, tmp_path, striped):
    """Where there is no folder to be, and where those of another strategy lie."""
    menu = BetMenu(streets=(("a",), ("",), ("",), ("a",)))
    folder = holdem_policy(tmp_path / "policy", menu)
    argv = ("--policy", folder, "--against", "call", "--best-response", "exact")
    beside, chosen = tmp_path / "policy.best-response", tmp_path / "chosen"
    beside.touch()
    for path, options in ((beside, ()), (beside / "x", ("--response-folder", beside / "x"))):
        status, out, err = run(eval_blueprint, *argv, *options)
        assert (status, out, len(err)) == (1, "", 2)
        assert f"keeps what is done in {path}: cannot write" in err[0]
        assert "--response-folder PATH" in err[1]
    metadata = {"tree": "another"}
    storage.write_folder(chosen / "partial", {}, metadata, kind="best response")
    status, out, err = run(eval_blueprint, *argv, "--response-folder", chosen)
    assert (status, out, len(err)) == (1, "", 2)
    assert "holds the sums of another best response: its tree differs" in err[0]
    assert f"--response-folder PATH for another place, or remove {chosen}" in err[1]


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "message", "remedy", "code"),
    [
        ((), "neither of --policy and --checkpoint given", "--policy PATH", 2),
        (("--policy", "{leduc}", "--checkpoint", "{leduc}"), "both of", "--policy PATH", 2),
        (("--policy", "nowhere"), "nowhere does not exist", "holdem train", 1),
        (("--policy", "{leduc}", "--hands", "many"), "--hands is many", "--hands 2", 2),
        (("--policy", "{leduc}", "--hands", "1.5"), "--hands is 1.5", "--hands 2", 2),
        (("--policy", "{leduc}", "--hands", ""), "--hands is empty", "--hands 2", 2),
        (("--policy", "{leduc}", "--time-budget", ""), "--time-budget is empty", "budget 1", 2),
        (("--policy", "{leduc}", "--workers", "-1"), "--workers is -1", "--workers 0", 2),
        (("--policy", "{leduc}", "--seed", "x"), "--seed is x", "--seed 0", 2),
        (("--policy", "{leduc}", "--against", "maniac"), "no opponent 'maniac'", "random, call", 2),
        (("--policy", "{leduc}", "--agianst", "call"), "unknown option --agianst", "--against", 2),
        (
            ("--policy", "{leduc}", "--hands", "10", "--time-budget", "5"),
            "both say how many hands",
            "one of them",
            2,
        ),
        (
            ("--policy", "{leduc}", "--against", "none", "--time-budget", "5"),
            "no opponent to play",
            "--response-seconds",
            2,
        ),
        (("--policy", "{leduc}", "--against", "{kuhn3}"), "different games: players 2", "one", 1),
        (("--policy", "{deep}", "--against", "{shallow}"), "different games: stacks", "one", 1),
        (
            ("--policy", "{leduc}", "--best-response", "river", "--response-flops", "9"),
            "small enough for the exact one",
            "exact",
            2,
        ),
        (
            ("--policy", "{leduc}", "--best-response", "exact", "--response-seconds", "9"),
            "--response-seconds is for games that are too large to solve, and 'leduc' is not",
            "leave it out",
            2,
        ),
        (
            ("--policy", "{leduc}", "--response-seconds", "300"),
            "--response-seconds is for a best response",
            "--best-response sampled",
            2,
        ),
        (("--policy", "{leduc}", "--response-flops", "9"), "--response-flops is for", "sampled", 2),
        (("--policy", "{leduc}", "--lbr-hands", "9"), "--lbr-hands is for local", "add --lbr", 2),
        (("--policy", "{leduc}", "--lbr-rounds", "1-4"), "--lbr-rounds is for", "add --lbr", 2),
        (("--policy", "{leduc}", "--lbr", "--lbr-hands", "9"), "plays every hand", "leave it", 2),
        (("--policy", "{kuhn3}", "--lbr"), "local best response to 3 players", "", 2),
        (
            ("--policy", "{leduc}/checkpoints/checkpoint_final"),
            "checkpoint_final holds a checkpoint, and --policy judges a policy",
            "--checkpoint {leduc}/checkpoints/checkpoint_final",
            2,
        ),
    ],
)
def test_eval_refuses_in_two_lines(run, runs, argv, message, remedy, code):
    names = {path.name: path for path in runs.iterdir()}
    status, out, err = run(eval_blueprint, *(one.format(**names) for one in argv))

    assert (status, len(err)) == (code, 2)
    assert "mbb/hand" not in out  # before a hand is played
    assert message in err[0]
    assert remedy.format(**names) in err[1]


@pytest.mark.parametrize(
    ("argv", "message", "code"),
    [
        (("call", "fold"), "baselines, which play on the betting tree of a policy", 2),
        (("{leduc}", "nobody"), "no opponent 'nobody'", 2),
        (("{leduc}", "{kuhn3}"), "different games", 1),
        (("{leduc}", "call", "--until-ci", "0"), "--until-ci is 0", 2),
        (("{leduc}", "call", "--until-ci", "x"), "--until-ci is x", 2),
        (("{leduc}", "call", "--until-ci", ""), "--until-ci is empty", 2),
        (("{leduc}", "call", "--hands", ""), "--hands is empty", 2),
        (("{leduc}", "call", "--until-ci", "5", "--hands", "9"), "both say how many hands", 2),
        (("{leduc}", "call", "--hands", "0"), "--hands is 0", 2),
        (("{leduc}", "call", "--depth", "auto"), "--depth is for search, and nobody searches", 2),
        (("{leduc}", "call", "--min-iters", "0"), "--min-iters is 0", 2),
        (("{leduc}", "program:/bin/true"), "programs play hold'em here", 2),
        (("{leduc}", "call", "--hands-out", "x.phhs"), "no histories of 'leduc'", 2),
        (("{leduc}",), "required: B", 2),
    ],
)
def test_match_refuses_in_two_lines(run, runs, tmp_path, monkeypatch, argv, message, code):
    monkeypatch.chdir(tmp_path)
    names = {path.name: path for path in runs.iterdir()}
    status, _, err = run(match_command, *(one.format(**names) for one in argv))

    assert (status, len(err)) == (code, 2)
    assert message in err[0]
    assert list(tmp_path.iterdir()) == []


def test_search_in_a_small_game_is_refused_before_any_advice(run, runs):
    status, out, err = run(match_command, runs / "leduc", "call", "--search", "first")

    assert (status, out) == (2, "")
    assert err == [
        "holdem match: a match with search at 'leduc', which is a one-card game",
        "  try: search is for two players of hold'em",
    ]


def test_match_says_whose_threads_are_meant(run, runs):
    """Search has threads, and so has the match."""
    argv = (runs / "leduc", "call", "--num-workers", 2)
    assert run(match_command, *argv) == (
        2,
        "",
        [
            "holdem match: --num-workers is for search, and nobody searches without --search",
            "  try: say who searches, as in --search first; "
            "a match between policies takes its threads from --workers",
        ],
    )


def test_a_run_without_a_policy_is_judged_by_its_checkpoint(run, runs, tmp_path):
    shutil.copytree(runs / "leduc" / "checkpoints", tmp_path / "ended" / "checkpoints")
    status, _, err = run(eval_blueprint, "--policy", tmp_path / "ended")

    assert (status, len(err)) == (2, 2)
    assert err[1].split() == ["try:", "--checkpoint", str(tmp_path / "ended")]
    options = ("--hands", 20, "--against", "call")
    assert run(eval_blueprint, "--checkpoint", tmp_path / "ended", *options)[0] == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [(str(2**63 - 1), 2**63 - 1), (str(2**53 + 1), 2**53 + 1), ("1e6", 10**6), ("20", 20)],
)
def test_whole_numbers_are_read_to_the_last_digit(text, value):
    assert number("--seed", text, 0, 2**63 - 1) == value


@pytest.mark.parametrize("text", [str(2**63), "-1", "1.5", "1e30", "inf", "nan", "9" * 5_000, "x"])
def test_numbers_that_are_not_whole_or_out_of_range_are_refused(text):
    with pytest.raises(ConfigError, match="from 0 to 9,223,372,036,854,775,807"):
        number("--seed", text, 0, 2**63 - 1)


def test_a_path_with_a_suffix_is_answered_with_the_right_one(run, runs):
    path = runs / "leduc" / "checkpoints" / "checkpoint_final"
    status, _, err = run(eval_blueprint, "--checkpoint", f"{path}.pkl")

    assert status == 1
    assert err[1].split() == ["try:", str(path)]


def test_the_folder_where_one_is_has_a_policy(run, runs, monkeypatch):
    monkeypatch.chdir(runs / "leduc")
    status, _, err = run(eval_blueprint, "--policy", ".", "--hands", "20")

    assert (status, err) == (0, [])


def test_a_checkpoint_without_a_strategy_is_refused(run, runs, tmp_path):
    found = storage.read_folder(runs / "leduc" / "checkpoints" / "checkpoint_final", "checkpoint")
    table = np.zeros_like(found.arrays["table"])
    storage.write_folder(tmp_path / "empty", {"table": table}, found.metadata, kind="checkpoint")
    status, _, err = run(eval_blueprint, "--checkpoint", tmp_path / "empty")

    assert (status, len(err)) == (1, 2)
    assert "has no average strategy" in err[0]


def test_a_bucket_set_that_is_missing_is_named(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = holdem_policy(tmp_path / "policy", MENUS[0])
    status, _, err = run(eval_blueprint, "--policy", folder)
    assert (status, len(err)) == (1, 2)
    assert "the bucket set ffffffffffff of" in err[0]
    assert "not found at nowhere/quick" in err[0]
    assert "--buckets PATH" in err[1]

    status, _, err = run(eval_blueprint, "--policy", folder, "--buckets", tmp_path / "none")
    assert (status, len(err)) == (1, 2)
    assert "none" in err[0]


@pytest.mark.parametrize("elsewhere", ["moved", "assets/abstraction/moved"])
def test_a_checkpoint_finds_the_bucket_set_that_moved(run, tmp_path, monkeypatch, elsewhere):
    """It needs the set for what few buckets before the flop hold; `--buckets` says where it is."""
    config = BucketConfig(k_preflop=85, num_streets=1)
    arrays = {
        "preflop_equities": np.full((169, 169), 0.5),
        "groups": np.zeros(169, np.uint8),
        "table_preflop": (np.arange(169) // 2).astype(np.uint8),
        "tally_preflop": np.zeros((85, 4), np.int64),
    }
    buckets = HandBucketing(config, arrays)
    steps = MCCFRConfig(num_iterations=100, seed=7)
    trained = MCCFRSolver(steps, buckets, game=push_fold(10))
    trained.train(tmp_path / "run", use_tensorboard=False)
    shutil.rmtree(tmp_path / "run" / "avg_policy")
    buckets.save(tmp_path / elsewhere)
    monkeypatch.chdir(tmp_path)
    named = () if elsewhere.startswith("assets") else ("--buckets", tmp_path / elsewhere)
    for command, *options in (
        (eval_blueprint, "--checkpoint", "run", "--hands", 20, "--against", "call"),
        (match_command, "run", "call", "--hands", 20),
        (show, "run"),
    ):
        status, _, err = run(command, *options, *named)
        assert (status, err) == (0, [])
        if named:
            status, _, err = run(command, *options)
            assert (status, len(err)) == (1, 2)
            assert "is not found" in err[0]
            status, _, err = run(command, *options, "--buckets", tmp_path / "none")
            assert (status, len(err)) == (1, 2)
            assert "none does not exist" in err[0]


def test_a_bucket_set_that_nobody_was_trained_with_is_refused(run, tmp_path, striped):
    folder = holdem_policy(tmp_path / "policy", MENUS[0])
    for name in "ef":
        metadata = {"fingerprint": name * 64}
        storage.write_folder(tmp_path / name, {"any": np.zeros(1)}, metadata, kind="buckets")
    for command, *options in (
        (eval_blueprint, "--policy", folder, "--hands", 2, "--against", "call"),
        (match_command, folder, "call", "--hands", 2),
        (match_command, "call", folder, "--hands", 2),
        (show, folder, ""),
    ):
        status, _, err = run(command, *options, "--buckets", tmp_path / "e")
        assert (status, len(err)) == (1, 2)
        assert "bucket set eeeeeeeeeeee, and nobody here" in err[0]
        assert "but with ffffffffffff" in err[0]
        status, _, _ = run(command, *options, "--buckets", tmp_path / "f")
        assert status == 0


def test_both_commands_are_in_the_umbrella(capsys):
    for name in ("eval", "match"):
        with pytest.raises(SystemExit):
            main.main([name, "--help"])
        assert f"usage: holdem {name}" in capsys.readouterr().out


@pytest.mark.parametrize("hands", ["1", "2"])
def test_a_single_deal_has_no_interval(run, runs, tmp_path, hands):
    """And JSON no infinity."""
    out = tmp_path / "match.json"
    status, text, _ = run(match_command, runs / "leduc", "call", "--hands", hands, "--out", out)
    total = json.loads(out.read_text())["match"]["plain"]["total"]

    assert status == 0
    assert "inf" in text
    assert (total["of"], total["error_95"]) == (1, None)


def test_no_figure_is_cut(run, runs, monkeypatch):
    """Positions that have no room in the table have one of their own."""
    argv = (runs / "kuhn3", "call", "--hands", "3000", "--no-aivat")
    _, wide, _ = run(match_command, *argv)
    monkeypatch.setattr(terminal, "PIPE_WIDTH", 60)
    _, narrow, _ = run(match_command, *argv)

    def figures(text):
        table = text[text.index("against  ") : text.index("mbb/hand: ")]
        return sorted(re.findall(r"[-+]?[0-9.,]+", table.replace("+-", " ")))

    assert "as SB" in wide
    assert "as SB" not in narrow
    assert "\u2026" not in narrow
    assert figures(narrow) == figures(wide)


def test_figures_and_hands_are_no_one_file(run, runs, tmp_path):
    argv = ("--out", tmp_path / "one", "--hands-out", tmp_path / "x" / ".." / "one")
    (tmp_path / "x").mkdir()
    status, _, err = run(match_command, runs / "leduc", "call", *argv)

    assert (status, len(err)) == (2, 2)
    assert "--out and --hands-out are both" in err[0]


@pytest.mark.parametrize("width", ["1e-9", "1e-300"])
def test_an_interval_that_nobody_plays_for(run, runs, width):
    status, _, err = run(match_command, runs / "leduc", "call", "--until-ci", width)

    assert (status, len(err)) == (2, 2)
    assert "would take more than 1,000,000,000,000 hands" in err[0]


@pytest.mark.parametrize(
    ("form", "options", "message"),
    [
        ("sampled", ("--response-seconds", 9, "--response-flops", 9), "both say how many flops"),
        ("sampled", ("--response-flops", 1), "--response-flops is 1"),
        ("sampled", ("--response-seconds", 0), "--response-seconds is 0"),
        ("sampled", ("--response-seconds", ""), "--response-seconds is empty"),
        ("sampled", ("--lbr", "--lbr-hands", ""), "--lbr-hands is empty"),
        ("sampled", ("--response-folder", "x"), "--response-folder is where an exact"),
        ("exact", ("--response-seconds", 9), "deals all boards"),
        ("exact", ("--response-flops", 9), "deals all boards"),
    ],
)
def test_limits_of_a_best_response_are_refused(run, tmp_path, striped, form, options, message):
    folder = holdem_policy(tmp_path / "policy", BetMenu(streets=(("a",), ("",), ("",), ("a",))))
    argv = ("--policy", folder, "--against", "call", "--best-response", form, *options)
    status, out, err = run(eval_blueprint, *argv)

    assert (status, out, len(err)) == (2, "", 2)  # and no hand was played
    assert message in err[0]
