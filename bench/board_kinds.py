"""A bucket set that also tells kinds of boards apart: an experiment, see docs/results.md.

    holdem buckets --preset full
    python -m bench.board_kinds assets/abstraction/full OUT --kinds 30 40 60

Boards of a street are grouped by how strong the eight groups of hole cards (`HandFeatures`) are on
them on average, and how far equities spread; a bucket of the new set is a bucket of the old one on
boards of one kind. Those that hold no hand are left out.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from holdem._core import features as kernel
from holdem.abstraction.bucketing import HandBucketing, table_dtype
from holdem.abstraction.clustering import SQUARED, cluster
from holdem.abstraction.features import HandFeatures, all_hands, boards_of, hole_classes
from holdem.abstraction.workers import Workers
from holdem.types import CANONICAL_HANDS, STREETS

CHUNKS = (0, 4, 16, 64)
"""Boards at a time, by street."""


def board_points(street, features, workers):
    """Strengths of the groups on each board and the spread of all, 12 bits each."""
    boards = boards_of(street)
    groups = features.groups[hole_classes()]
    points = np.zeros((len(boards.cards), kernel.GROUPS + 2), np.int16)  # dims must be even

    def measure(start, stop):
        hands = all_hands(boards, start, stop)
        _, equities = features.measure(street, hands)
        equities, weights = equities.astype(np.float64), hands.weights.astype(np.float64)
        board = np.repeat(np.arange(stop - start), np.diff(hands.offsets))
        key, num = board * kernel.GROUPS + groups[hands.holes], (stop - start) * kernel.GROUPS
        strengths = np.bincount(key, weights * equities, num)
        strengths /= np.maximum(np.bincount(key, weights, num), 1e-9)
        total = np.bincount(board, weights, stop - start)
        mean = np.bincount(board, weights * equities, stop - start) / total
        variance = np.bincount(board, weights * equities**2, stop - start) / total - mean**2
        spread = np.sqrt(np.maximum(variance, 0)) / 4
        points[start:stop, :-2] = np.minimum(strengths.reshape(-1, kernel.GROUPS) / 8, 4095)
        points[start:stop, -2] = np.minimum(spread, 4095)

    for _ in workers.chunks(measure, len(points), CHUNKS[street]):
        pass
    return boards, points


def split(street, source, num_kinds, features, workers):
    """The new table of one street, and how many buckets it has."""
    boards, points = board_points(street, features, workers)
    kinds = cluster(
        points,
        boards.copies,
        num_kinds,
        SQUARED,
        seed=(1, street),
        restarts=4,
        iterations=50,
        workers=workers,
    ).labels
    buckets = source.num_buckets[street]
    table = np.zeros(CANONICAL_HANDS[street], np.uint32)

    def fill(start, stop):
        hands = all_hands(boards, start, stop)
        indices = kernel.hand_indices(hands.boards, hands.offsets, hands.holes)
        kind = np.repeat(kinds[start:stop], np.diff(hands.offsets)).astype(np.int64)
        table[indices] = kind * buckets + source.tables[street][indices]

    for _ in workers.chunks(fill, len(points), CHUNKS[street]):
        pass
    used = np.zeros(num_kinds * buckets, bool)
    used[table] = True
    count = int(used.sum())
    numbers = (np.cumsum(used) - 1).astype(table_dtype(count))
    return numbers[table], count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kinds", type=int, nargs=3, default=(30, 40, 60))
    options = parser.parse_args()
    source = HandBucketing.load(options.source)
    arrays = {"preflop_equities": source.preflop_equities}
    arrays |= {name: source._arrays[name] for name in ("groups", "table_preflop", "tally_preflop")}
    counts = []
    with Workers() as workers:
        features = HandFeatures(1, workers)
        for street, num_kinds in zip((1, 2, 3), options.kinds, strict=True):
            table, count = split(street, source, num_kinds, features, workers)
            arrays[f"table_{STREETS[street]}"] = table
            arrays[f"tally_{STREETS[street]}"] = np.zeros((count, 4), np.int64)
            counts.append(count)
            print(f"{STREETS[street]}: {count:,} buckets", flush=True)
    config = dataclasses.replace(
        source.config, k_flop=counts[0], k_turn=counts[1], k_river=counts[2]
    )
    made = HandBucketing(config, arrays)
    made.save(options.out)
    print(f"{options.out}: {made.fingerprint[:12]}")


if __name__ == "__main__":
    main()
