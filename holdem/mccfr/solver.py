"""Training a blueprint by Monte Carlo CFR: the class that users call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import ConfigError
from holdem.game.tree import BettingTree, build_tree
from holdem.mccfr.cells import Cells
from holdem.mccfr.engine import Engine, LocalEngine
from holdem.mccfr.lanes import require_responder
from holdem.mccfr.progress import Observer, RunResult, SilentObserver
from holdem.mccfr.responder_engine import ResponderEngine
from holdem.mccfr.run import Evaluate, Run
from holdem.mccfr.worker import bucket_counts_of
from holdem.types import GameConfig, MCCFRConfig


class MCCFRSolver:
    """Trains a blueprint by Monte Carlo CFR in this process.

    The walk of a batch sees the table as the last merge left it, so a result depends
    on seed, game, buckets, batch size and number of iterations, and on nothing else.

    Args:
        config: how to train.
        bucketing: the hand buckets; None for one-card games.
        num_players: of the default game; *game* overrides it.
        game: what to play; by default hold'em with 100 big blinds.
        cells: what a responder tells apart; by default what the table does.

    Raises:
        ConfigError: config and game cannot be used, or *cells* are for no responder.
        MismatchError: the buckets have too few streets.
        ResourceError: the betting tree or the table cannot fit in memory.
    """

    def __init__(
        self,
        config: MCCFRConfig,
        bucketing: HandBucketing | None,
        num_players: int = 2,
        *,
        game: GameConfig | None = None,
        cells: Cells | None = None,
    ) -> None:
        self._check_workers(config)
        if config.num_iterations is None and config.time_budget_seconds is None:
            raise ConfigError(
                "neither num_iterations nor time_budget_seconds is set: the run would never end",
                "set one of them, as --iters or --time-budget do",
            )
        self.config = config
        self.bucketing = bucketing
        self.game = game if game is not None else GameConfig(num_players=num_players)
        self.cells = cells
        if config.opponent == "responder":
            require_responder(self.game)
        elif cells is not None:
            raise ConfigError(
                "buckets for a responder, and the table trains against itself",
                "add --opponent responder, or leave --responder-buckets out",
            )
        self.tree: BettingTree = build_tree(self.game, bucket_counts_of(self.game, bucketing))
        self._stop_signal: int | None = None

    def _check_workers(self, config: MCCFRConfig) -> None:
        if config.num_workers != 1:
            raise ConfigError(
                f"num_workers is {config.num_workers}, and MCCFRSolver trains on one",
                "use ParallelMCCFRSolver, or leave num_workers out",
            )

    def make_engine(self, warn: Callable[[str], None], stream_start: int = 0) -> Engine:
        """Return what will do the iterations, the first of them *stream_start* of the seed's.

        It may *warn* about what it mended.
        """
        if self.config.opponent == "responder":
            return ResponderEngine(self.config, self.tree, self.bucketing, stream_start, self.cells)
        return LocalEngine(self.config, self.tree, self.bucketing, stream_start)

    def request_stop(self, signal_number: int) -> None:
        """Ask the run to save a checkpoint and end soon. Safe in a signal handler."""
        self._stop_signal = signal_number

    def train(
        self,
        logdir: Path,
        use_tensorboard: bool = True,
        *,
        resume_from: Path | None = None,
        observer: Observer | None = None,
        every_batch: bool = False,
        stream_start: int | None = None,
        log_name: str = "train.log",
        evaluate: Evaluate | None = None,
    ) -> RunResult:
        """Train to the end of the budget and leave the run's files in *logdir*.

        ``config.yaml``, ``train.log``, ``checkpoints/``, ``avg_policy.json`` with
        ``avg_policy/``, and ``tensorboard/`` unless turned off.

        Args:
            logdir: made if it is missing.
            use_tensorboard: write the figures of the run for TensorBoard.
            resume_from: a run folder (its newest checkpoint) or one checkpoint.
            observer: told what happens.
            every_batch: report progress after each batch, not a few times a second.
            stream_start: which iteration of the seed's stream is this run's first; by
                default 0, or what the resumed checkpoint says.
            log_name: what the log file is called.
            evaluate: judges the average strategy so far, at every ``eval_interval``
                iterations of the config, while training waits.

        Raises:
            ConfigError: the config has an ``eval_interval``, and there is no *evaluate*.
            StorageError: *logdir* cannot be written, or the checkpoint cannot be read.
            MismatchError: the checkpoint belongs to other buckets or another tree, or holds
                other iterations than those from *stream_start* on.
            ResourceError: the table does not fit in memory.
        """
        return Run(
            self.config,
            self.tree,
            self.bucketing,
            make_engine=self.make_engine,
            cells=self.cells,
            stop_signal=lambda: self._stop_signal,
            logdir=Path(logdir),
            use_tensorboard=use_tensorboard,
            resume_from=Path(resume_from) if resume_from is not None else None,
            observer=observer or SilentObserver(),
            every_batch=every_batch,
            stream_start=stream_start,
            log_name=log_name,
            evaluate=evaluate,
        ).complete()
