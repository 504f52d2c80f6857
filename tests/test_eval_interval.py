"""`--eval-interval`: a run that looks at its own strategy on the way."""

import re
from pathlib import Path

import pytest

from holdem.cli import train_blueprint
from holdem.errors import ConfigError
from holdem.evaluation.lbr import local_best_response
from holdem.game.games import leduc
from holdem.mccfr.blueprint import Blueprint
from holdem.mccfr.solver import MCCFRSolver
from holdem.types import MCCFRConfig


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def train(logdir, evaluate=None, **values):
    config = MCCFRConfig(num_iterations=1_000, seed=7, **values)
    return MCCFRSolver(config, None, game=leduc()).train(
        Path(logdir), use_tensorboard=False, evaluate=evaluate
    )


def test_it_is_called_at_every_interval_and_disturbs_nothing():
    seen = []

    def evaluate(policy):
        seen.append(policy.provenance.iterations)
        return {"Evaluation/Entropy": policy.policy_entropy["preflop"]}

    plain = train("plain")
    run = train("judged", evaluate, eval_interval=300)

    assert seen == [300, 600, 900]  # the end of the run is none
    for name in ("table.npy", "metadata.json"):
        assert (run.checkpoint / name).read_bytes() == (plain.checkpoint / name).read_bytes()
    log = (run.logdir / "train.log").read_text()
    assert len(re.findall(r"evaluation at iteration [0-9,]+ in [0-9.]+ s: Evaluation/E", log)) == 3


def test_without_an_interval_nobody_is_asked():
    def evaluate(policy):
        raise AssertionError

    train("run", evaluate)


def test_an_interval_wants_somebody_who_evaluates():
    with pytest.raises(ConfigError, match="eval_interval is 300, and nothing is given"):
        train("run", eval_interval=300)


def test_the_command_logs_local_best_response():
    Path("leduc.yaml").write_text("game: leduc\nnum_iterations: 2000\n")

    status = train_blueprint.main(
        ["--config", "leduc.yaml", "--logdir", "run", "--eval-interval", "1000"]
    )

    log = Path("run/train.log").read_text()
    found = [float(one) for one in re.findall(r"Evaluation/LBR (-?[0-9.]+)", log)]
    assert status == 0
    assert len(found) == 2
    last = local_best_response(Blueprint.load(Path("run")), hands=train_blueprint.EVALUATION_HANDS)
    assert found[-1] == pytest.approx(last.mbb_per_hand, abs=0.1)
    assert any(path.name.startswith("events") for path in Path("run/tensorboard").iterdir())


def test_more_players_have_no_local_best_response(capsys):
    Path("kuhn3.yaml").write_text("game: kuhn3\nnum_iterations: 100\neval_interval: 10\n")

    status = train_blueprint.main(["--config", "kuhn3.yaml", "--logdir", "run"])

    assert status == 2
    assert "local best response to 3 players" in capsys.readouterr().err
