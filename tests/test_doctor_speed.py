"""The doctor's measurement: what is run, and what is recommended from it."""

import dataclasses
import json
from types import SimpleNamespace

import pytest

from holdem import machine
from holdem.cli import doctor, doctor_speed
from holdem.cli.doctor_plan import make_plan
from holdem.cli.doctor_report import Status
from holdem.errors import ResourceError
from holdem.game.games import leduc
from holdem.types import MCCFRConfig


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A function that makes a plan for so many workers."""
    (tmp_path / "shm").mkdir()
    monkeypatch.setenv("HOLDEM_SHM_DIR", str(tmp_path / "shm"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machine, "usable_cores", lambda: 8)

    def make(num_workers, **options):
        given = {"config_path": None, "buckets": None, "checkpoint": None, "logdir": None}
        return make_plan(**given, num_workers=num_workers, clean=False, quick=False, **options)

    yield make
    assert list((tmp_path / "shm").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shm"]


def speeds(table):
    """In the place of runs: iterations per second by (workers, batch size)."""

    def rate(plan, game, bucketing, cells, num_workers, batch_size, folder):
        return table[num_workers, batch_size]

    return rate


def against_responder(asked):
    """The same plan, but its run trains against a responder."""
    training = dataclasses.replace(asked.config.training, opponent="responder")
    return dataclasses.replace(asked, config=dataclasses.replace(asked.config, training=training))


@pytest.mark.parametrize(
    ("most", "counts"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (8, [1, 2, 4, 8]), (6, [1, 2, 4, 6])],
)
def test_numbers_of_workers_that_are_tried(most, counts):
    assert doctor_speed.worker_counts(most) == counts


@pytest.mark.parametrize(
    ("rates", "workers", "size"),
    [
        ({100: {1: 100.0}, 1000: {1: 105.0}}, 1, 100),
        ({100: {1: 100.0, 2: 190.0}, 1000: {1: 105.0, 2: 195.0}}, 2, 100),
        ({100: {1: 100.0, 2: 120.0}, 1000: {1: 105.0, 2: 195.0}}, 2, 1000),
        ({100: {1: 100.0, 2: 190.0, 4: 195.0}, 1000: {1: 100.0, 2: 190.0, 4: 200.0}}, 2, 100),
        ({100: {1: 100.0, 2: 50.0}, 1000: {1: 100.0, 2: 60.0}}, 1, 100),
    ],
)
def test_the_least_that_is_nearly_the_fastest(rates, workers, size):
    assert doctor_speed.recommended(rates, 8) == (workers, size)


def test_no_more_workers_than_cores_are_recommended():
    assert doctor_speed.recommended({100: {1: 100.0, 2: 190.0, 4: 300.0}}, 2) == (2, 100)


def test_a_good_machine(plan, monkeypatch):
    table = {(1, 100): 1000.0, (2, 100): 1600.0, (1, 1000): 1200.0, (2, 1000): 2280.0}
    monkeypatch.setattr(doctor_speed, "_rate", speeds(table))
    finding = doctor_speed.check_speed(plan(2))

    assert finding.status is Status.OK
    assert finding.figures["efficiency"] == {100: {1: 1.0, 2: 0.8}, 1000: {1: 1.0, 2: 0.95}}
    assert finding.figures["recommended"] == {"num_workers": 2, "batch_size": 1000}
    assert finding.found == (
        "batch 100: 1: 1.0 k/s, 2: 1.6 k/s (80%); batch 1000: 1: 1.2 k/s, 2: 2.3 k/s (95%); "
        "best --num-workers 2 --batch-size 1000"
    )


def test_the_batch_size_of_the_config_is_tried(plan, monkeypatch):
    asked = plan(1)
    training = dataclasses.replace(asked.config.training, batch_size=7)
    asked = dataclasses.replace(asked, config=dataclasses.replace(asked.config, training=training))
    table = {(1, 7): 1000.0, (1, 100): 1000.0, (1, 1000): 1000.0}
    monkeypatch.setattr(doctor_speed, "_rate", speeds(table))

    recommended = doctor_speed.check_speed(asked).figures["recommended"]
    assert recommended == {"num_workers": 1, "batch_size": 7}


def test_a_batch_that_does_not_fit_is_not_measured(plan, monkeypatch):
    """Unless it is the run's own."""

    def rate(plan, game, bucketing, cells, num_workers, batch_size, folder):
        if batch_size == 1000:
            raise ResourceError("no room for the log", "a smaller batch")
        return 1000.0 * num_workers

    monkeypatch.setattr(doctor_speed, "_rate", rate)
    asked = plan(2)
    finding = doctor_speed.check_speed(asked)
    assert finding.status is Status.OK
    assert finding.figures["recommended"] == {"num_workers": 2, "batch_size": 100}
    assert "batch 1000 not measured: no room for the log" in finding.found
    training = dataclasses.replace(asked.config.training, batch_size=1000)
    asked = dataclasses.replace(asked, config=dataclasses.replace(asked.config, training=training))
    with pytest.raises(ResourceError):
        doctor_speed.check_speed(asked)


def test_more_workers_that_do_not_pay(plan, monkeypatch):
    rates = {1: 1000.0, 2: 1900.0, 4: 1950.0}
    monkeypatch.setattr(
        doctor_speed, "_rate", speeds({(n, b): r for n, r in rates.items() for b in (100, 1000)})
    )
    finding = doctor_speed.check_speed(plan(4))

    assert finding.status is Status.WARNING
    assert finding.remedy.startswith("--num-workers 2:")
    assert finding.figures["recommended"] == {"num_workers": 2, "batch_size": 100}


def test_workers_that_disturb_each_other(plan, monkeypatch):
    rates = {1: 1000.0, 2: 1100.0}
    monkeypatch.setattr(
        doctor_speed, "_rate", speeds({(n, b): r for n, r in rates.items() for b in (100, 1000)})
    )
    finding = doctor_speed.check_speed(plan(2))

    assert finding.status is Status.WARNING
    assert "end other programs" in finding.remedy


def test_without_buckets_a_game_like_it_is_measured(plan):
    game, bucketing = doctor_speed._game(plan(1))

    assert bucketing is None
    assert game.cards.kind == "one-card"
    assert game.menu == plan(1).config.game.menu


def test_a_one_card_game_is_measured_as_it_is(plan):
    asked = plan(1)
    asked = dataclasses.replace(asked, config=dataclasses.replace(asked.config, game=leduc()))

    assert doctor_speed._game(asked) == (leduc(), None)


def test_a_responder_is_not_measured_in_another_game(plan):
    finding = doctor_speed.check_speed(against_responder(plan(2)))

    assert finding.status is Status.WARNING
    assert "no bucket set" in finding.found
    assert "holdem buckets" in finding.remedy


def test_a_responder_has_no_batches(plan, monkeypatch):
    asked = against_responder(plan(2))
    size = asked.config.training.batch_size
    monkeypatch.setattr(doctor_speed, "_game", lambda plan: (plan.config.game, object()))
    monkeypatch.setattr(doctor_speed, "_rate", speeds({(1, size): 20.0, (2, size): 39.0}))
    finding = doctor_speed.check_speed(asked)

    assert finding.figures["iterations_per_second"] == {size: {1: 20.0, 2: 39.0}}
    assert finding.figures["recommended"] == {"num_workers": 2}
    assert finding.found == "1: 20/s, 2: 39/s (98%); best --num-workers 2"


def test_a_responder_is_as_fine_as_in_the_run(plan, monkeypatch):
    asked, seen = against_responder(plan(1)), []
    finer = object()

    def rate(plan, game, bucketing, cells, num_workers, batch_size, folder):
        seen.append(cells)
        return 20.0

    monkeypatch.setattr(doctor_speed, "_game", lambda plan: (plan.config.game, object()))
    monkeypatch.setattr(doctor_speed, "cells_of", lambda config: finer)
    monkeypatch.setattr(doctor_speed, "_rate", rate)
    doctor_speed.check_speed(asked)

    assert seen == [finer]


def test_a_real_measurement(plan, monkeypatch):
    monkeypatch.setattr(doctor_speed, "SECONDS", 0.2)
    finding = doctor_speed.check_speed(plan(2))

    rates = finding.figures["iterations_per_second"]
    assert {size: set(by_workers) for size, by_workers in rates.items()} == {
        100: {1, 2},
        1000: {1, 2},
    }
    assert min(rate for by_workers in rates.values() for rate in by_workers.values()) > 0


@pytest.mark.parametrize(
    ("slow_start", "rate"), [([], 5.0), ([9.0], 9.0), ([0.0, 1.0, 8.0, 9.0, 7.0], 8.0)]
)
def test_runs_end_by_time_and_their_start_does_not_count(
    plan, monkeypatch, tmp_path, slow_start, rate
):
    seen = []

    class Solver:
        def __init__(self, config, bucketing, num_players, game, cells):
            seen.append(config)

        def train(self, logdir, use_tensorboard, observer):
            assert not use_tensorboard
            seconds, iteration = 0.0, 0.0
            for rate in slow_start:
                seconds, iteration = seconds + 0.25, iteration + 0.25 * rate
                observer.progressed(SimpleNamespace(elapsed_seconds=seconds, iteration=iteration))
            return SimpleNamespace(iterations_per_second=5.0)

    monkeypatch.setattr(doctor_speed, "ParallelMCCFRSolver", Solver)
    assert doctor_speed._rate(plan(2), leduc(), None, None, 2, 7, tmp_path) == rate
    assert seen == [
        MCCFRConfig(
            num_workers=2,
            batch_size=7,
            time_budget_seconds=doctor_speed.SECONDS,
            checkpoint_interval=10**15,
            snapshot_interval_seconds=1e9,
        )
    ]


def test_no_speed_where_training_cannot_start(plan, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(doctor_speed, "_rate", speeds({}))
    (tmp_path / "shm" / "file").write_text("")
    assert doctor.main(["--logdir", "shm/file", "--json", "--num-workers", "1"]) == 1
    (tmp_path / "shm" / "file").unlink()
    names = [finding["name"] for finding in json.loads(capsys.readouterr().out)["findings"]]

    assert "log folder" in names
    assert "speed" not in names
