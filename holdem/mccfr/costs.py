"""What a training run will cost, from its config alone: memory, disk and time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from holdem import storage
from holdem.errors import ResourceError
from holdem.game.shapes import lanes_here
from holdem.game.tree import (
    SLOT_BYTES,
    ActionKind,
    BettingTree,
    TreeSize,
    build_tree,
    count_tree,
)
from holdem.machine import address_space, available_memory, usable_cores
from holdem.mccfr import blueprint, checkpoint
from holdem.mccfr.cells import Cells
from holdem.mccfr.lanes import LaneBetting, require_responder, visits_of_board, walk_bytes_of
from holdem.mccfr.parents import parent_counts
from holdem.mccfr.pool_memory import PoolControl
from holdem.mccfr.worker import log_bytes
from holdem.types import GameConfig, MCCFRConfig

NODES_PER_SECOND = 12e6
"""Decision nodes that one worker visits per second, about; see bench/."""

HANDS_PER_SECOND = {16: 450e6, 8: 310e6}
"""Hands that one thread takes through a decision per second against a responder, likewise, by
`lanes_here`: of a Xeon with AVX-512, and of an EPYC without (40,000 buckets, after an hour)."""

RARE_SHARE = 0.25
"""How often others fold or go all-in, next to any other action, for an estimate of visits.

The default game after a minute of training has 104 visits; so it is estimated at 104."""

_INTERPRETER_BYTES = 120_000_000
_POLICY_BYTES = 2  # per slot
# Of trees beyond this the visits are not counted: it would take longer than a moment.
_MOST_NODES_WALKED = 5_000_000
# These are not laid out in lanes, for the same reason: rows are a bit larger side by side.
_MOST_NODES_LAID_OUT = 100_000
_LANES_PER_TABLE = 1.1
_DECISIONS_OF_A_BEGINNING = 4
"""Of a street, about."""
_METADATA_BYTES = 10_000
_PAGE_BYTES = 4096

_SMALLER = {
    "table": "use fewer buckets, fewer bet sizes or shorter stacks",
    "log": "use a smaller --batch-size or fewer --num-workers",
    "buckets": "use a smaller bucket set",
    "processes": "use fewer --num-workers",
}
_SMALLER_ALONE = _SMALLER | {
    "log": "use a smaller --batch-size",
    "processes": "end other programs, or allow this one more memory",
}
"""What takes less memory, by what takes most of it; alone: with one process."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingCosts:
    """What a run takes; see `estimate`."""

    size: TreeSize
    num_slots: int
    table_bytes: int
    """Regrets and average strategy, if every row is visited."""
    log_bytes: int
    """Of the updates of a batch, and of what workers share besides: all that may be written.

    Without the updates if the tree is too large to walk for an estimate."""
    shared_bytes: int
    """Of the segments that a pool of workers begins with; a copy of the table comes later."""
    memory_bytes: int
    """At the highest point, bucket tables included."""
    address_bytes: int
    """Of it and of what is only mapped, in one process, besides what an interpreter takes."""
    smaller: str
    """What makes the run take less memory."""
    checkpoint_bytes: int
    disk_bytes: int
    """Of all checkpoints that are kept, the one being written, and the policy."""
    policy_bytes: int
    """On the disk, of one policy."""
    keep_checkpoints: int
    """How many numbered ones of each run are kept; 0 for all."""
    visits_per_iteration: float | None
    """Decision nodes, about; None if the tree is too large to walk for an estimate."""
    seconds: float | None
    """About; None if it cannot be told."""
    iterations: float | None
    """About; None if it cannot be told."""


def estimate(
    config: MCCFRConfig,
    game: GameConfig,
    bucket_counts: Sequence[int],
    bucket_bytes: int = 0,
    cells: Cells | None = None,
    done: int = 0,
) -> TrainingCosts:
    """Return what training costs.

    Args:
        config: how to train.
        game: what to play.
        bucket_counts: buckets by street.
        bucket_bytes: size of the bucket tables, which are mapped.
        cells: what a responder tells apart; None for what the table does.
        done: iterations that a resumed run has behind it.

    Raises:
        ConfigError: the game or its bet menu cannot be used, or not against a responder.
        ResourceError: the tree has more nodes than can be counted.
    """
    size = count_tree(game)
    num_slots = size.num_slots(bucket_counts)
    if not size.complete:
        raise ResourceError(
            f"the betting tree has more than {size.num_nodes:,} nodes and {num_slots:,} slots "
            f"({storage.format_bytes(SLOT_BYTES * num_slots)} of memory)",
            "offer fewer bet sizes, above all on the first streets, or shorter stacks",
        )
    table = SLOT_BYTES * num_slots
    way = _way_of_training(config, game, size, bucket_counts, cells)
    checkpoint = table + way.checkpoint_bytes + _METADATA_BYTES
    # As many as are kept, the final one, and the one being written; all, if all are kept.
    checkpoints = config.keep_checkpoints + 2 if config.keep_checkpoints else 12
    visits = way.visits
    seconds, iterations = config.time_budget_seconds, config.num_iterations
    if iterations is not None:
        iterations = max(0, iterations - done)
    if visits is not None:
        rate = way.at_once * way.visits_per_second / visits
        by_count = iterations / rate if iterations is not None else None
        seconds = min((s for s in (seconds, by_count) if s is not None), default=None)
        iterations = None if seconds is None else round(seconds * rate)
    policy = _POLICY_BYTES * num_slots
    tree_bytes = 2 * size.tree_bytes
    memory = {
        "table": table * way.tables + way.lane_bytes + policy,
        "log": way.log_bytes + way.control_bytes,
        "buckets": bucket_bytes,
        "processes": way.processes * (_INTERPRETER_BYTES + tree_bytes),
    }
    memory_bytes = sum(memory.values())
    smaller = _SMALLER if way.processes > 1 else _SMALLER_ALONE
    return TrainingCosts(
        size=size,
        num_slots=num_slots,
        table_bytes=table,
        log_bytes=memory["log"],
        shared_bytes=sum(map(_pages, (table, way.log_bytes, way.control_bytes))),
        memory_bytes=memory_bytes,
        address_bytes=memory_bytes - memory["processes"] + tree_bytes,
        smaller=smaller[max(memory, key=lambda part: memory[part])],
        checkpoint_bytes=checkpoint,
        disk_bytes=checkpoints * checkpoint + policy,
        policy_bytes=policy,
        keep_checkpoints=config.keep_checkpoints,
        visits_per_iteration=visits,
        seconds=seconds,
        iterations=iterations,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _WayOfTraining:
    """What the kinds of training differ in; see `TrainingCosts`."""

    processes: int
    at_once: int
    """Workers that are of use on this machine."""
    tables: int
    """The table and, but for one worker, a copy: checkpoints are written from it."""
    visits: float | None = None
    visits_per_second: float = NODES_PER_SECOND
    log_bytes: int = 0
    control_bytes: int = 0
    lane_bytes: int = 0
    """The table again, side by side, the responder's and its copy, what it tells apart, and what
    walks keep of a board."""
    checkpoint_bytes: int = 0
    """Besides the table."""


def _way_of_training(
    config: MCCFRConfig,
    game: GameConfig,
    size: TreeSize,
    bucket_counts: Sequence[int],
    cells: Cells | None,
) -> _WayOfTraining:
    if config.opponent == "responder":
        return _against_responder(config, game, size, bucket_counts, cells)
    workers = config.num_workers or usable_cores()
    tables, at_once = 1 if workers == 1 else 2, min(workers, usable_cores())
    control_bytes = PoolControl.size(workers, config.batch_size, game.num_players)
    if size.num_nodes > _MOST_NODES_WALKED:
        return _WayOfTraining(
            processes=workers, at_once=at_once, tables=tables, control_bytes=control_bytes
        )
    # One bucket: the betting is the same, and so are the visits.
    tree = build_tree(game, (1,) * game.num_streets)
    return _WayOfTraining(
        processes=workers,
        at_once=at_once,
        tables=tables,
        visits=expected_visits(tree, config.sampling),
        # All of it: room is reserved by pages, for each traversal and owner of rows apart,
        # and comes to most of the log in a long run (three quarters with 3 players).
        log_bytes=log_bytes(tree, config.batch_size, workers),
        control_bytes=control_bytes,
    )


def _against_responder(
    config: MCCFRConfig,
    game: GameConfig,
    size: TreeSize,
    bucket_counts: Sequence[int],
    cells: Cells | None,
) -> _WayOfTraining:
    """Return what is different against a responder: threads of one process train.

    Checkpoints are written from a copy of all rows, the responder's and the parents' too.
    """
    require_responder(game)
    threads = min(config.num_workers or usable_cores(), usable_cores())
    cell_counts = bucket_counts[:-1] if cells is None else cells.counts
    parents = parent_counts(bucket_counts) if config.parent_boards else ()
    regrets = 4 * (size.num_slots(cell_counts) + size.num_slots(parents))
    if size.num_nodes > _MOST_NODES_LAID_OUT:
        lane_bytes = round(
            _LANES_PER_TABLE
            * (
                SLOT_BYTES * size.num_slots(bucket_counts)
                + regrets
                + walk_bytes_of(size.num_decisions // _DECISIONS_OF_A_BEGINNING)
            )
        )
    else:
        lanes = LaneBetting(build_tree(game, tuple(bucket_counts)))
        lane_bytes = (
            lanes.row_bytes(bucket_counts, 2)
            + lanes.row_bytes(cell_counts, 1)
            + lanes.row_bytes(parents, 1)
            + lanes.walk_bytes
        )
    return _WayOfTraining(
        processes=1,
        # Each seat has its own threads, and the slower one sets the pace.
        at_once=max(1, threads // 2 * 2),
        tables=2,
        visits=visits_of_board(size.num_decisions),
        visits_per_second=HANDS_PER_SECOND[lanes_here()],
        lane_bytes=lane_bytes + regrets + (0 if cells is None else cells.num_bytes),
        checkpoint_bytes=regrets,
    )


def _pages(num_bytes: int) -> int:
    """Return what so many bytes take of a file system in memory."""
    return -(-num_bytes // _PAGE_BYTES) * _PAGE_BYTES


def of_instances(
    one: TrainingCosts, num_instances: int, bucket_bytes: int, *, by_time: bool
) -> TrainingCosts:
    """Return what *num_instances* cost side by side on this machine, if *one* costs that.

    Buckets are in memory once. Instances share the cores.
    """
    slower = max(1.0, num_instances / usable_cores())
    seconds, iterations = one.seconds, one.iterations
    if seconds is not None and not by_time:
        seconds *= slower
    if iterations is not None:
        iterations *= num_instances / (slower if by_time else 1.0)
    return replace(
        one,
        memory_bytes=_INTERPRETER_BYTES
        + num_instances * (one.memory_bytes - bucket_bytes)
        + bucket_bytes,
        smaller="run fewer instances here" if num_instances > 1 else one.smaller,
        disk_bytes=num_instances * one.disk_bytes,
        seconds=seconds,
        iterations=iterations,
    )


def require(
    costs: TrainingCosts, logdir: Path, *, held_bytes: int = 0, memory: bool = True
) -> None:
    """Refuse a run that cannot fit in memory, or on the disk of *logdir*.

    Args:
        costs: of the run.
        logdir: where it goes.
        held_bytes: what the run that it resumes has there, see `held`.
        memory: without it only the disk counts: the run takes the memory of other machines.

    Raises:
        ResourceError: it cannot.
    """
    if memory:
        _require_memory(costs)
    storage.require_free_space(logdir, costs.disk_bytes - held_bytes, "the run")


def _require_memory(costs: TrainingCosts) -> None:
    available, addresses = available_memory(), address_space().left
    if costs.memory_bytes > available:
        raise ResourceError(
            f"the run needs {storage.format_bytes(costs.memory_bytes)} of memory for "
            f"{costs.num_slots:,} slots; {storage.format_bytes(available)} is available",
            costs.smaller,
        )
    if addresses is not None and costs.address_bytes > addresses:
        raise ResourceError(
            f"the run needs {storage.format_bytes(costs.address_bytes)} of address space; "
            f"{storage.format_bytes(addresses)} is left of what ulimit -v allows",
            f"raise that limit, or {costs.smaller}",
        )


def held(costs: TrainingCosts, folders: Iterable[Path], iteration: float = math.inf) -> int:
    """Return how much of ``costs.disk_bytes`` is in *folders* already, those of resumed runs.

    That is, of what they will prune or replace. They go on from *iteration* at the latest:
    what comes after it is set aside and stays.
    """
    held_bytes = 0
    for folder in folders:
        found = checkpoint.newest_first(folder / "checkpoints")
        names = [path.name for done, path in found if done <= iteration and math.isfinite(done)]
        final = names.count(checkpoint.FINAL_NAME)
        kept = final + min(len(names) - final, costs.keep_checkpoints)
        held_bytes += kept * costs.checkpoint_bytes
        if storage.is_folder(folder / blueprint.FOLDER_NAME, blueprint.KIND):
            held_bytes += costs.policy_bytes
    return held_bytes


def expected_visits(tree: BettingTree, sampling: str = "external") -> float:
    """Return about how many decision nodes an iteration visits.

    External sampling takes every action of the updating player and one of all others;
    outcome sampling takes one each. Those others are taken to play at random, but to
    fold and to go all-in rarely (`RARE_SHARE`), as strategies that are any good do.
    """
    num_actions = tree.nodes["num_actions"].astype(np.int64)
    actor = tree.nodes["actor"]
    first_child = tree.nodes["first_child"].astype(np.int64)
    rare = np.isin(tree.action_kinds, (ActionKind.FOLD, ActionKind.ALL_IN))
    weight = np.where(rare, RARE_SHARE, 1.0)
    visits = 0.0
    for player in range(tree.game.num_players):
        nodes, reach = np.array([0]), np.array([1.0])
        while len(nodes):
            visits += float(reach.sum())
            width = num_actions[nodes]
            parents = np.repeat(np.arange(len(nodes)), width)
            first = np.cumsum(width) - width
            children = first_child[nodes][parents] + np.arange(len(parents)) - first[parents]
            share = weight[children] / np.add.reduceat(weight[children], first)[parents]
            if sampling == "external":
                share[actor[nodes][parents] == player] = 1.0
            deciding = num_actions[children] > 0
            nodes, reach = children[deciding], (reach[parents] * share)[deciding]
    return visits
