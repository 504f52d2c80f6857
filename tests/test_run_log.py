"""What a run writes about itself, and what becomes of it where nothing can be written."""

import errno
import gc
import weakref
from types import SimpleNamespace

import pytest
from tensorboardX.event_file_writer import EventsWriter

from holdem import storage
from holdem.errors import StorageError
from holdem.game.games import kuhn, leduc
from holdem.mccfr import run_log
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.mccfr.run_log import FigureFile, RunLog
from holdem.types import MCCFRConfig
from tests.pools import Watcher


@pytest.fixture
def full_disk(monkeypatch):
    """Nothing that TensorBoard reads can be written until the list is cleared."""
    full, flush = [True], EventsWriter.flush

    def fail_or_flush(writer):
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return flush(writer)

    monkeypatch.setattr(EventsWriter, "flush", fail_or_flush)
    return full


def test_figures_go_on_in_a_new_file(tmp_path, full_disk, monkeypatch):
    """What could not be written is left out, and said once."""
    figures = FigureFile(tmp_path / "tensorboard")
    with pytest.raises(StorageError, match=r"cannot write to .*tensorboard: No space left"):
        figures.add(1, {"Training/One": 1.0})
    figures.add(2, {"Training/One": 2.0})
    full_disk.clear()
    figures.add(3, {"Training/One": 3.0})
    assert len(list((tmp_path / "tensorboard").iterdir())) == 1

    monkeypatch.setattr(figures, "_not_before", 0.0)
    figures.add(4, {"Training/One": 4.0})
    figures.close()
    sizes = sorted(path.stat().st_size for path in (tmp_path / "tensorboard").iterdir())
    assert len(sizes) == 2
    assert sizes[0] > 0


def test_a_run_without_room_for_figures_goes_on(tmp_path, full_disk):
    watcher = Watcher()
    config = MCCFRConfig(num_iterations=2_000)
    result = ParallelMCCFRSolver(config, None, game=kuhn()).train(tmp_path, observer=watcher)

    assert result.iteration == 2_000
    assert ["no figures at iteration" in one for one in watcher.warnings] == [True]
    assert "no figures at iteration" in (tmp_path / "train.log").read_text()


def test_a_slope_wants_two_points(tmp_path, monkeypatch):
    """The second half of the figures so far; of a single one there is none, rather than 0."""
    rows = []
    monkeypatch.setattr(RunLog, "figures", lambda self, iteration, values: rows.append(values))
    with RunLog(tmp_path / "train.log", use_tensorboard=True) as log:
        for iteration in (100, 200, 400, 800):
            metrics = SimpleNamespace(policy_entropy=1.0, avg_regret_norm=iteration**-0.5)
            engine = SimpleNamespace(iteration=iteration, measure=lambda m=metrics: {"flop": m})
            log.convergence(engine, now=True)

    assert ["regret_slope/flop" in row for row in rows] == [False, False, True, True]
    assert rows[-1]["regret_slope/flop"] == pytest.approx(-0.5)


def test_no_two_runs_in_one_folder(tmp_path):
    solver = ParallelMCCFRSolver(MCCFRConfig(num_iterations=100), None, game=kuhn())
    (tmp_path / "checkpoints").mkdir()
    with (
        storage.hold(tmp_path / "checkpoints", "the run"),
        pytest.raises(StorageError, match="another process is at work on the run"),
    ):
        solver.train(tmp_path, use_tensorboard=False)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]

    solver.train(tmp_path, use_tensorboard=False)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_the_table_goes_with_the_run(tmp_path, num_workers):
    """Not at some later collection: it may be most of the memory."""
    engines = []

    class Solver(ParallelMCCFRSolver):
        def make_engine(self, *args):
            engine = super().make_engine(*args)
            engines.append(weakref.ref(engine))
            return engine

    gc.collect()
    gc.disable()
    try:
        config = MCCFRConfig(num_iterations=2_000, num_workers=num_workers)
        Solver(config, None, game=leduc()).train(tmp_path, use_tensorboard=False)
        assert [engine() for engine in engines] == [None]
    finally:
        gc.enable()


def test_the_slope_of_a_line():
    assert run_log.slope([(0.0, 1.0), (1.0, 0.5), (2.0, 0.0)]) == pytest.approx(-0.5)
    assert run_log.slope([(1.0, 2.0)]) == 0.0
