"""Training a blueprint on one worker: batches, and between them all that a run leaves behind.

The order of a run: refuse what cannot work, allocate, resume; then batch after
batch (deal, walk, merge), and between batches checkpoints and figures; at the end
the final checkpoint and the policy. Nothing that is written depends on the clock
except which batches are followed by a checkpoint.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import psutil

from holdem import storage
from holdem._core.deal import DEAL_DTYPE
from holdem.abstraction.bucketing import HandBucketing
from holdem.config import dump_config
from holdem.errors import ConfigError, ResourceError, StorageError
from holdem.game.tree import BettingTree, build_tree
from holdem.machine import available_memory
from holdem.mccfr import checkpoint
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.mccfr.progress import Observer, Progress, RunInfo, RunResult, SilentObserver
from holdem.mccfr.run_log import RunLog
from holdem.mccfr.table import BYTES_PER_SLOT, RegretTable
from holdem.mccfr.worker import bucket_counts_of, make_dealer, make_walker
from holdem.types import GameConfig, MCCFRConfig

_PROGRESS_SECONDS = 0.25
LOSSLESS = "lossless"
"""Stands for a bucket fingerprint in one-card games, whose buckets follow from the rules."""


class MCCFRSolver:
    """Trains a blueprint by Monte Carlo CFR in this process.

    The walk of a batch sees the table as the last merge left it, so a result depends
    on seed, game, buckets, batch size and number of iterations, and on nothing else.

    Args:
        config: how to train.
        bucketing: the hand buckets; None for one-card games.
        num_players: of the default game; *game* overrides it.
        game: what to play; by default hold'em with 100 big blinds.

    Raises:
        ConfigError: config and game cannot be used.
        MismatchError: the buckets have too few streets.
        ResourceError: the table cannot fit in memory.
    """

    def __init__(
        self,
        config: MCCFRConfig,
        bucketing: HandBucketing | None,
        num_players: int = 2,
        *,
        game: GameConfig | None = None,
    ) -> None:
        if config.num_workers != 1:
            raise ConfigError(
                f"num_workers must be 1, not {config.num_workers}: this version trains on one worker",
                "leave num_workers out",
            )
        if config.num_iterations is None and config.time_budget_seconds is None:
            raise ConfigError(
                "neither num_iterations nor time_budget_seconds is set: the run would never end",
                "set one of them, as --iters or --time-budget do",
            )
        self.config = config
        self.bucketing = bucketing
        self.game = game if game is not None else GameConfig(num_players=num_players)
        self.tree: BettingTree = build_tree(self.game, bucket_counts_of(self.game, bucketing))
        self._stop_signal: int | None = None

    @property
    def buckets_fingerprint(self) -> str:
        """What a checkpoint remembers of the buckets."""
        return self.bucketing.fingerprint if self.bucketing is not None else LOSSLESS

    def request_stop(self, signal_number: int) -> None:
        """Ask the run to save a checkpoint and end after this batch. Safe in a signal handler."""
        self._stop_signal = signal_number

    def train(
        self,
        logdir: Path,
        use_tensorboard: bool = True,
        *,
        resume_from: Path | None = None,
        observer: Observer | None = None,
    ) -> RunResult:
        """Train to the end of the budget and leave the run's files in *logdir*.

        ``config.yaml``, ``train.log``, ``checkpoints/``, ``avg_policy.json`` with
        ``avg_policy/``, and ``tensorboard/`` unless turned off.

        Args:
            logdir: made if it is missing.
            use_tensorboard: write the figures of the run for TensorBoard.
            resume_from: a run folder (its newest checkpoint) or one checkpoint.
            observer: told what happens.

        Raises:
            StorageError: *logdir* cannot be written, or the checkpoint cannot be read.
            MismatchError: the checkpoint belongs to other buckets or another tree.
            ResourceError: the table does not fit in memory.
        """
        run = _Run(self, Path(logdir), use_tensorboard, observer or SilentObserver())
        with run.log:
            run.begin(resume_from)
            run.loop()
            return run.finish()


class _Run:
    """One call of `MCCFRSolver.train`: the state that lasts as long as the run."""

    def __init__(
        self, solver: MCCFRSolver, logdir: Path, use_tensorboard: bool, observer: Observer
    ) -> None:
        self.solver = solver
        self.config = solver.config
        self.logdir = storage.make_folder(logdir)
        self.checkpoints = storage.make_folder(logdir / "checkpoints")
        self.observer = observer
        self.log = RunLog(logdir, solver.tree, use_tensorboard=use_tensorboard)
        self.iteration = 0
        self.first_iteration = 0
        self.utility_sum = 0.0
        self.visits_before = 0
        self.process = psutil.Process()

    # -- the beginning ------------------------------------------------------------------------

    def begin(self, resume_from: Path | None) -> None:
        """Resume, allocate, and say what will be done."""
        config, tree = self.config, self.solver.tree
        resumed = None
        if resume_from is not None:
            # Before anything is allocated or written: a wrong checkpoint costs nothing.
            resumed = checkpoint.load(
                checkpoint.find(Path(resume_from)), tree, self.solver.buckets_fingerprint
            )
        require_memory(tree)
        self.table = RegretTable(
            tree,
            discount_interval=config.discount_interval,
            alpha=config.regret_discount_alpha,
            beta=config.strategy_discount_beta,
        )
        self.walker = make_walker(tree, self.table.words, config.batch_size)
        self.dealer = make_dealer(self.solver.game, self.solver.bucketing)
        self.deals = np.zeros(config.batch_size, dtype=DEAL_DTYPE)
        if resumed is not None:
            self.table.restore(resumed.words, resumed.table_state)
            self.iteration = self.first_iteration = resumed.iteration
            self.utility_sum = resumed.utility_sum
            self.visits_before = resumed.visits
            self.log.info(f"resumed from {resumed.path} at iteration {resumed.iteration:,}")
            for change in resumed.changes(config):
                self._warn(f"the resumed run was trained otherwise: {change}")
        storage.write_text(
            self.logdir / "config.yaml",
            dump_config(config, self.solver.game, self.solver.bucketing and self.solver.bucketing.path),
        )
        self.started_at = self.mark_at = time.monotonic()
        self.mark_iteration, self.mark_visits = self.iteration, 0
        self.mark_utility = self.utility_sum
        self.rates = (0.0, 0.0)
        self.recent_utility = 0.0
        self.last_checkpoint_iteration = self.iteration
        self.last_checkpoint_at = self.started_at
        info = RunInfo(
            logdir=self.logdir,
            config=config,
            game=self.solver.game,
            num_slots=tree.num_slots,
            table_bytes=BYTES_PER_SLOT * tree.num_slots,
            bucket_counts=tuple(tree.bucket_counts),
            first_iteration=self.first_iteration,
            resumed_from=resumed.path if resumed is not None else None,
        )
        self.log.info(
            f"training {self.solver.game.name}: {tree.num_slots:,} slots, "
            f"from iteration {self.iteration:,}, seed {config.seed}"
        )
        self.observer.started(info)

    # -- the work -----------------------------------------------------------------------------

    def loop(self) -> None:
        """Batch after batch until the budget is spent or somebody asks to stop."""
        config = self.config
        next_figures = self._after(config.tensorboard_log_interval)
        next_checkpoint = self._after(config.checkpoint_interval)
        while not self._is_over():
            self._do_batch()
            now = time.monotonic()
            if now - self.mark_at >= _PROGRESS_SECONDS:
                self._report(now)
            if self.iteration >= next_figures:
                next_figures = self._after(config.tensorboard_log_interval)
                self._log_figures(now)
            if (
                self.iteration >= next_checkpoint
                or now - self.last_checkpoint_at >= config.snapshot_interval_seconds
            ) and not self._is_over():
                next_checkpoint = self._after(config.checkpoint_interval)
                self._periodic_checkpoint()

    def _after(self, interval: int) -> int:
        return (self.iteration // interval + 1) * interval

    def _is_over(self) -> bool:
        if self.solver._stop_signal is not None:
            return True
        config = self.config
        if config.num_iterations is not None and self.iteration >= config.num_iterations:
            return True
        budget = config.time_budget_seconds
        return budget is not None and time.monotonic() - self.started_at >= budget

    def _do_batch(self) -> None:
        """Deal, walk and merge up to the next multiple of the batch size."""
        config = self.config
        # Merges fall on multiples of the batch size, wherever the run began.
        count = config.batch_size - self.iteration % config.batch_size
        if config.num_iterations is not None:
            count = min(count, config.num_iterations - self.iteration)
        deals = self.deals[:count]
        self.dealer.deal(config.seed, self.iteration, deals)
        self.table.advance(self.iteration, count)
        self.walker.walk(
            config.seed,
            self.iteration,
            deals,
            pruning_threshold=config.pruning_threshold * self.table.regret_weight,
            pruning_probability=config.pruning_probability if config.enable_pruning else 0.0,
            epsilon=epsilon_at(config, self.iteration) if config.sampling == "outcome" else None,
        )
        self.walker.merge(
            self.table.regret_weight,
            self.table.strategy_weight,
            config.regret_floor * self.table.regret_weight,
        )
        self.utility_sum += float(self.walker.values[:, 0].sum(dtype=np.float64))
        self.iteration += count

    # -- figures ------------------------------------------------------------------------------

    def _report(self, now: float) -> None:
        seconds = now - self.mark_at
        done = self.iteration - self.mark_iteration
        visits = self.walker.visits
        self.rates = (done / seconds, (visits - self.mark_visits) / seconds)
        if done:
            utility = (self.utility_sum - self.mark_utility) / done / self.solver.game.big_blind
            self.recent_utility = utility
        self.mark_at, self.mark_iteration, self.mark_visits = now, self.iteration, visits
        self.mark_utility = self.utility_sum
        progress = Progress(
            iteration=self.iteration,
            num_iterations=self.config.num_iterations,
            elapsed_seconds=now - self.started_at,
            time_budget_seconds=self.config.time_budget_seconds,
            iterations_per_second=self.rates[0],
            nodes_per_second=self.rates[1],
            utility_bb=self.recent_utility,
            memory_bytes=self.process.memory_info().rss,
        )
        self.log.progress(progress)
        self.observer.progressed(progress)

    def _log_figures(self, now: float, *, last: bool = False) -> None:
        elapsed = max(now - self.started_at, 1e-9)
        regret_discount, _ = self.table.discounts()
        big_blind = self.solver.game.big_blind
        self.log.figures(
            self.iteration,
            {
                "Performance/IterationsPerSecond": self.rates[0]
                or (self.iteration - self.first_iteration) / elapsed,
                "Performance/NodesPerSecond": self.rates[1] or self.walker.visits / elapsed,
                "Training/Utility": float(self.walker.values[:, 0].mean()) / big_blind,
                "Training/UtilityMovingAvg": self.utility_sum / self.iteration / big_blind,
                "Training/Epsilon": epsilon_at(self.config, self.iteration),
                "Training/Discount": regret_discount,
                "Memory/RSS": self.process.memory_info().rss,
            },
        )
        self.log.convergence(self.iteration, self.table, now=last)

    # -- checkpoints --------------------------------------------------------------------------

    def _save(self, name: str) -> Path:
        started = time.monotonic()
        path = self.checkpoints / name
        checkpoint.save(
            path,
            words=self.table.words,
            iteration=self.iteration,
            table_state=self.table.state(),
            visits=self.visits_before + self.walker.visits,
            utility_sum=self.utility_sum,
            config=self.config,
            tree=self.solver.tree,
            buckets_fingerprint=self.solver.buckets_fingerprint,
        )
        seconds = time.monotonic() - started
        self.log.info(f"checkpoint {path} at iteration {self.iteration:,} in {seconds:.2f} s")
        self.observer.checkpointed(path, self.iteration, seconds)
        return path

    def _periodic_checkpoint(self) -> None:
        """Save, and drop what is older than wanted; a full disk must not end a long run."""
        self.last_checkpoint_at = time.monotonic()
        if self.iteration == self.last_checkpoint_iteration:
            return
        try:
            self._save(checkpoint.numbered(self.iteration))
            checkpoint.prune_old(self.checkpoints, self.config.keep_checkpoints)
        except StorageError as error:
            self._warn(f"no checkpoint at iteration {self.iteration:,}: {error}; training goes on")
            return
        self.last_checkpoint_iteration = self.iteration
        self.last_checkpoint_at = time.monotonic()

    def _warn(self, message: str) -> None:
        self.log.warn(message)
        self.observer.warned(message)

    # -- the end ------------------------------------------------------------------------------

    def finish(self) -> RunResult:
        """Write the final checkpoint and the policy."""
        now = time.monotonic()
        self._report(now)
        self._log_figures(now, last=True)
        stopped_by = self.solver._stop_signal
        if stopped_by is None:
            path = self._save(checkpoint.FINAL_NAME)
        else:
            path = self._save(checkpoint.numbered(self.iteration))
        bucketing = self.solver.bucketing
        policy = Blueprint.from_table(
            self.solver.tree,
            self.table.words,
            Provenance(
                iterations=self.iteration,
                seed=self.config.seed,
                bucket_path=str(bucketing.path) if bucketing is not None else None,
                bucket_fingerprint=bucketing.fingerprint if bucketing is not None else None,
            ),
            preflop_buckets=bucketing.tables[0] if bucketing is not None else None,
        ).save(self.logdir)
        result = RunResult(
            logdir=self.logdir,
            iteration=self.iteration,
            iterations_done=self.iteration - self.first_iteration,
            nodes_visited=self.walker.visits,
            elapsed_seconds=now - self.started_at,
            utility_bb=self.utility_sum / max(self.iteration, 1) / self.solver.game.big_blind,
            checkpoint=path,
            policy=policy,
            stopped_by=stopped_by,
        )
        self.log.info(
            f"done: {result.iterations_done:,} iterations in {result.elapsed_seconds:.1f} s, "
            f"{result.iterations_per_second:,.0f} a second, "
            f"{result.nodes_per_second:,.0f} decision nodes a second"
        )
        self.observer.finished(result)
        return result


def epsilon_at(config: MCCFRConfig, iteration: int) -> float:
    """Return the exploration of outcome sampling at *iteration*."""
    epsilon = config.exploration_epsilon
    for start, value in config.epsilon_schedule or ():
        if iteration >= start:
            epsilon = value
    return epsilon


def require_memory(tree: BettingTree) -> None:
    """Refuse a table that cannot fit, before it is allocated.

    Raises:
        ResourceError: more memory wanted than is available.
    """
    wanted = BYTES_PER_SLOT * tree.num_slots
    available = available_memory()
    if wanted > available:
        raise ResourceError(
            f"the regret table needs {storage.format_bytes(wanted)} for {tree.num_slots:,} slots, "
            f"{storage.format_bytes(available)} of memory is available",
            "use fewer buckets or a smaller bet menu",
        )
