"""A worker of a pool: one process that walks its share of each batch and merges its rows.

It starts by spawn, imports little, and stays for the whole run. It waits for commands,
meets the other workers twice a batch, and tells the parent nothing but what the shared
page holds. It never outlives its parent.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from holdem._core.sync import BrokenBarrier
from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import HoldemError
from holdem.game.tree import build_tree
from holdem.mccfr.engine import batch_length, last_iteration, walk_epsilon
from holdem.mccfr.metrics import NUM_PARTS, TableMetrics
from holdem.mccfr.pool_memory import COPY, MEASURE, QUIT, RUN, PoolControl, PoolPaths, share_of
from holdem.mccfr.processes import follow_parent
from holdem.mccfr.segments import Segment
from holdem.mccfr.table import UNSCALED, RegretTable
from holdem.mccfr.worker import BatchLog, make_dealer, make_walker
from holdem.types import GameConfig, MCCFRConfig

_FOREVER = 1e9
_PIECE_ITERATIONS = 20_000
_PIECE_WORDS = 1 << 22
"""Work for a moment, also on a slow machine; after each piece a worker shows that it moves."""
_DEALS_AT_ONCE = 16
"""By one worker, or fewer in a small batch: a dealer looks so many buckets up at a time."""

BYSTANDER = 3
"""Exit status of a worker that ended because another one failed, which says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerSpec:
    """What a worker must know to begin: small, because starting a process pickles it."""

    worker: int
    num_workers: int
    stream_start: int
    paths: PoolPaths
    config: MCCFRConfig
    game: GameConfig
    bucket_counts: tuple[int, ...]
    buckets_path: Path | None


def main(spec: WorkerSpec) -> None:
    """Work until the parent says quit; leave a traceback if something goes wrong."""
    follow_parent()
    control = PoolControl(
        Segment.attach(spec.paths.control),
        spec.num_workers,
        spec.config.batch_size,
        spec.game.num_players,
    )
    try:
        _Worker(spec, control).serve()
    except BrokenBarrier:
        sys.exit(BYSTANDER)
    except HoldemError as error:
        _give_up(spec, control, f"{type(error).__name__}: {error}")
    except BaseException:
        _give_up(spec, control, "\n" + traceback.format_exc().rstrip())


def _give_up(spec: WorkerSpec, control: PoolControl, fault: str) -> None:
    control.report_fault(spec.worker, fault)
    control.barrier.abort()
    sys.exit(1)


class _Planned(NamedTuple):
    """The next batch: where its deals go, the place of the first, how many, how many at once."""

    turn: int
    place: int
    num_deals: int
    at_once: int


class _Worker:
    def __init__(self, spec: WorkerSpec, control: PoolControl) -> None:
        self.spec = spec
        self.control = control
        self.config = config = spec.config
        # The parent has made sure that the table fits, and holds it already.
        self.tree = tree = build_tree(spec.game, spec.bucket_counts, memory_bytes=sys.maxsize)
        self.metrics: TableMetrics | None = None
        self._move()
        bucketing = None
        if spec.buckets_path is not None:
            bucketing = HandBucketing.load(spec.buckets_path, verify=False)
        self._move()
        words = Segment.attach(spec.paths.table).array(np.float32, 2 * tree.num_slots)
        self.table = RegretTable.for_config(tree, config, words, scales=spec.worker == 0)
        self.dealer = make_dealer(spec.game, bucketing)
        log = Segment.attach(spec.paths.log)
        batch = BatchLog(
            log=log.array(np.uint8, log.num_bytes),
            used=control.used,
            values=control.values,
            num_owners=spec.num_workers,
            # The walk reserves what it writes to: a full /dev/shm is an error, not a SIGBUS.
            descriptor=os.open(spec.paths.log, os.O_RDWR),
            room=control.room,
        )
        self.walker = make_walker(tree, words, batch)
        self.bounds = _bounds(config.batch_size, spec.num_workers)
        self.planned = _Planned(0, 0, 0, 0)

    def serve(self) -> None:
        """Do one command after another."""
        control, number = self.control, 0
        actions = {RUN: self._run, COPY: self._copy, MEASURE: self._measure}
        control.done.add()  # ready
        while True:
            number += 1
            control.command.wait_for(number, _FOREVER)
            command = int(control.state[0]["command"])
            if command == QUIT:
                return
            actions[command]()
            control.done.add()

    def _run(self) -> None:
        """Walk and merge batches up to the target; all workers do the same ones."""
        control, config, table, walker = self.control, self.config, self.table, self.walker
        spec, state = self.spec, control.state[0]
        iteration, utility = int(state["iteration"]), float(state["utility_sum"])
        table.restore_state({name: state[name] for name in table.state()})
        target = last_iteration(int(state["target"]), config)
        turn = 0
        self._plan(iteration, target, turn)
        self._deal_all()
        self._move()
        # Worker 0 writes the state at the end; by then everybody must have read it.
        self._meet()
        while iteration < target:
            count = batch_length(iteration, config)
            if count != self.bounds[-1]:
                self.bounds = _bounds(count, spec.num_workers)
            if table.advance(iteration, count) != UNSCALED:
                self._meet()  # worker 0 has rescaled the table
            walker.walk(
                config.seed,
                spec.stream_start + iteration,
                control.deals[turn][:count],
                begun=control.begun,
                bounds=self.bounds,
                worker=spec.worker,
                pruning_threshold=config.pruning_threshold * table.regret_weight,
                pruning_probability=config.pruning_probability if config.enable_pruning else 0.0,
                epsilon=walk_epsilon(config, iteration),
            )
            control.batches.add(2 * spec.worker)
            if spec.worker == 0:
                control.dealt.store(turn, 0)  # nobody deals this turn before the next walk is over
            turn = 1 - turn
            self._plan(iteration + count, target, turn)
            self._meet(meanwhile=self._deal)
            for first in range(0, count, _PIECE_ITERATIONS):
                walker.merge(
                    min(first + _PIECE_ITERATIONS, count),
                    table.regret_weight,
                    table.strategy_weight,
                    config.regret_floor * table.regret_weight,
                    owner=spec.worker,
                    first=first,
                )
                self._move()
            if spec.worker == 0:
                utility += walker.utility(count)
            iteration += count
            control.begun.store(spec.worker, 0)
            self._deal_all()
            control.visits.store(spec.worker, walker.visits)
            control.batches.add(2 * spec.worker + 1)
            self._meet()
        if spec.worker == 0:
            for name, value in table.state().items():
                state[name] = value
            state["iteration"], state["utility_sum"] = iteration, utility

    def _plan(self, iteration: int, target: int, turn: int) -> None:
        """Let the batch that *iteration* begins be dealt at *turn*, unless that is the end."""
        count = batch_length(iteration, self.config) if iteration < target else 0
        at_once = min(_DEALS_AT_ONCE, -(-count // (2 * self.spec.num_workers)))
        self.planned = _Planned(turn, self.spec.stream_start + iteration, count, at_once)

    def _deal(self) -> bool:
        """Deal a piece of the next batch that nobody has begun; False when there is none."""
        turn, place, num_deals, at_once = self.planned
        if not num_deals:
            return False
        first = at_once * (self.control.dealt.add(turn) - 1)
        if first >= num_deals:
            return False
        deals = self.control.deals[turn][first : min(first + at_once, num_deals)]
        self.dealer.deal(self.config.seed, place + first, deals)
        return True

    def _deal_all(self) -> None:
        """Deal until every piece of the next batch is begun; at the next meeting all are dealt."""
        while self._deal():
            pass

    def _copy(self) -> None:
        """Copy this worker's part of the table."""
        words, path = self.table.words, os.fsdecode(self.control.state[0]["copy"])
        first, end = share_of(len(words), self.spec.num_workers, self.spec.worker)
        copy = Segment.attach(path).array(np.float32, len(words))
        for start in range(first, end, _PIECE_WORDS):
            piece = slice(start, min(start + _PIECE_WORDS, end))
            np.copyto(copy[piece], words[piece])
            self._move()

    def _measure(self) -> None:
        """Read this worker's parts of the table's figures."""
        if self.metrics is None:
            self.metrics = TableMetrics(self.tree)
        for part in range(self.spec.worker, NUM_PARTS, self.spec.num_workers):
            self.metrics.add_up(self.table.words, part, self.control.sums[part])
            self._move()

    def _move(self) -> None:
        """Show the parent that this worker does not hang."""
        self.control.moves.add(self.spec.worker)

    def _meet(self, meanwhile: Callable[[], bool] | None = None) -> None:
        self.control.barrier.wait(_FOREVER, meanwhile)


def _bounds(count: int, num_workers: int) -> npt.NDArray[np.int64]:
    """Where each worker's share of *count* iterations begins, and where the last one ends."""
    firsts = [share_of(count, num_workers, worker)[0] for worker in range(num_workers)]
    return np.array([*firsts, count], dtype=np.int64)
