"""What the workers of a pool share: the table, the log of a batch, and a page to meet on.

Invariants. The parent creates everything and removes it; workers only attach. During a
walk nobody writes to the table; during a merge each row has one owner; a barrier lies
between the two. The parent reads the table only while no command is under way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from holdem._core.deal import DEAL_DTYPE
from holdem._core.sync import BARRIER_WORDS, COUNTER_WORDS, TICKET_WORDS, Barrier, Counters, Ticket
from holdem.mccfr.metrics import NUM_PARTS, SUMS_DTYPE
from holdem.mccfr.segments import Segment
from holdem.types import STREETS

FAULT_BYTES = 8_192
"""Of a worker's traceback, its end."""

STATE_DTYPE = np.dtype(
    [
        ("command", np.int64),
        ("target", np.int64),
        ("iteration", np.int64),
        ("utility_sum", np.float64),
        ("period", np.int64),
        ("regret_weight", np.float64),
        ("strategy_weight", np.float64),
        ("total_weight", np.float64),
        ("copy", "S4096"),
    ]
)
"""What a command begins with and, changed by worker 0, ends with; *copy* is where COPY goes."""

_SUMS_SHAPE = (NUM_PARTS, len(STREETS))

RUN, COPY, MEASURE, QUIT = 1, 2, 3, 4


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolPaths:
    """Where a worker finds what is shared."""

    control: Path
    table: Path
    log: Path


class PoolControl:
    """The page to meet on: barrier, tickets, counters, and small results.

    Args:
        segment: at least `PoolControl.size` bytes, zeroed.
        num_workers: parties of the barrier.
        batch_size, num_players: shape of the batch's values.

    Attributes:
        barrier: of all workers.
        command: counts commands; workers wait for the next.
        done: counts answers, one per worker and command.
        batches: by worker, batches walked and batches merged since it started: where a
            worker is that no longer moves.
        moves: by worker, pieces done of its own share of long work: the rest of its heartbeat.
        visits: by worker, decision nodes visited since it started.
        begun: by worker, traversals of its share of the batch that somebody has begun.
        deals: DEAL_DTYPE, (2, batch_size), of the batch and of the next one, by turns.
        dealt: by turn, pieces of these deals that somebody has begun.
        state: STATE_DTYPE, shape ().
        used: int64, (batch_size * num_players * num_workers,), see `Walker`.
        room: int64, likewise: how much of the log is reserved.
        values: float32, (batch_size, num_players), see `Walker`.
        sums: SUMS_DTYPE, (NUM_PARTS, streets), see `TableMetrics`.
        faults: by worker, the end of its traceback; empty while all is well.
    """

    def __init__(
        self, segment: Segment, num_workers: int, batch_size: int, num_players: int
    ) -> None:
        offsets, _ = _layout(num_workers, batch_size, num_players)
        words = segment.array(np.uint32, BARRIER_WORDS, offsets["barrier"])
        self.barrier = Barrier(words, num_workers)
        self.command = Ticket(segment.array(np.uint32, TICKET_WORDS, offsets["command"]))
        self.done = Ticket(segment.array(np.uint32, TICKET_WORDS, offsets["done"]))
        shape = num_workers * COUNTER_WORDS
        self.batches = Counters(segment.array(np.int64, 2 * shape, offsets["batches"]))
        self.moves = Counters(segment.array(np.int64, shape, offsets["moves"]))
        self.visits = Counters(segment.array(np.int64, shape, offsets["visits"]))
        self.begun = Counters(segment.array(np.int64, shape, offsets["begun"]))
        self.dealt = Counters(segment.array(np.int64, 2 * COUNTER_WORDS, offsets["dealt"]))
        self.deals: npt.NDArray[Any] = segment.array(DEAL_DTYPE, (2, batch_size), offsets["deals"])
        self.state: npt.NDArray[Any] = segment.array(STATE_DTYPE, (1,), offsets["state"])
        self.used: npt.NDArray[np.int64] = segment.array(
            np.int64, batch_size * num_players * num_workers, offsets["used"]
        )
        self.room: npt.NDArray[np.int64] = segment.array(
            np.int64, batch_size * num_players * num_workers, offsets["room"]
        )
        self.values: npt.NDArray[np.float32] = segment.array(
            np.float32, (batch_size, num_players), offsets["values"]
        )
        self.sums: npt.NDArray[Any] = segment.array(SUMS_DTYPE, _SUMS_SHAPE, offsets["sums"])
        self._faults: npt.NDArray[np.bytes_] = segment.array(
            f"S{FAULT_BYTES}", num_workers, offsets["faults"]
        )

    @staticmethod
    def size(num_workers: int, batch_size: int, num_players: int) -> int:
        """Bytes that the segment must have."""
        return _layout(num_workers, batch_size, num_players)[1]

    def heartbeat(self) -> npt.NDArray[np.int64]:
        """Numbers that change while anybody works."""
        # Traversals are begun all the time in a batch, however long it takes, and so are deals.
        counters = (self.batches, self.begun, self.dealt, self.moves)
        return np.concatenate([each.snapshot() for each in counters])

    def report_fault(self, worker: int, text: str) -> None:
        """Leave a traceback for the parent."""
        self._faults[worker] = text.encode(errors="replace")[-FAULT_BYTES:]

    def fault_of(self, worker: int) -> str:
        """What `report_fault` left; empty for nothing."""
        return bytes(self._faults[worker]).decode(errors="replace")


def _layout(num_workers: int, batch_size: int, num_players: int) -> tuple[dict[str, int], int]:
    sizes = {
        "barrier": 4 * BARRIER_WORDS,
        "command": 4 * TICKET_WORDS,
        "done": 4 * TICKET_WORDS,
        "batches": 2 * 8 * COUNTER_WORDS * num_workers,
        "moves": 8 * COUNTER_WORDS * num_workers,
        "visits": 8 * COUNTER_WORDS * num_workers,
        "begun": 8 * COUNTER_WORDS * num_workers,
        "dealt": 2 * 8 * COUNTER_WORDS,
        "deals": 2 * DEAL_DTYPE.itemsize * batch_size,
        "state": STATE_DTYPE.itemsize,
        "used": 8 * batch_size * num_players * num_workers,
        "room": 8 * batch_size * num_players * num_workers,
        "values": 4 * batch_size * num_players,
        "sums": SUMS_DTYPE.itemsize * math.prod(_SUMS_SHAPE),
        "faults": FAULT_BYTES * num_workers,
    }
    offsets, at = {}, 0
    for name, size in sizes.items():
        offsets[name] = at
        at += -(-size // 128) * 128  # two cache lines, which the hardware fetches as a pair
    return offsets, at


def share_of(count: int, num_workers: int, worker: int) -> tuple[int, int]:
    """Return the range [first, end) of *count* things that is *worker*'s, remainder to the first.

    Contiguous, in the order of the workers, and nothing is left out or done twice.
    """
    size, rest = divmod(count, num_workers)
    first = worker * size + min(worker, rest)
    return first, first + size + (worker < rest)
