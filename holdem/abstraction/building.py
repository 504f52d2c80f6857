"""Builds a bucket set: every hand of the deck, stage by stage, resumable after a kill.

A finished stage is a folder in ``<out>.partial``, which remembers what it was made
for; a rerun with the same config takes it up, and the result is the same bytes as
that of a run that was never killed. River values, which all stages need, are not kept:
computing them again takes less time than reading them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from holdem import storage
from holdem._core import cluster as kernel
from holdem._core import features
from holdem._core.equity import preflop_equities
from holdem.abstraction.board_kinds import kinds_of_boards
from holdem.abstraction.bucketing import KIND, HandBucketing, config_from_metadata, table_dtype
from holdem.abstraction.clustering import cluster
from holdem.abstraction.features import (
    METRICS,
    Boards,
    HandFeatures,
    Hands,
    all_hands,
    boards_of,
    sample_hands,
)
from holdem.abstraction.workers import BOARDS_AT_A_TIME, Workers
from holdem.errors import ConfigError, StorageError
from holdem.game.cards import CLASS_COMBOS
from holdem.types import CANONICAL_HANDS, STREETS, BucketConfig, shell_word

PRESETS = {
    "full": BucketConfig(),
    "quick": BucketConfig(
        k_flop=64, k_turn=64, k_river=64, hands=100_000, restarts=2, fit_iterations=20
    ),
    "preflop": BucketConfig(num_streets=1),
}
"""Ready configs: ``full`` is 169/200/200/200, ``quick`` does for a first run, ``preflop``
for push/fold."""

ASSETS = Path("assets/abstraction")
"""Where sets are kept that several runs use."""

STAGE_KIND = "bucket stage"

# A change of what the stages compute has to change this, so that none is taken up.
_RECIPE = 1
_SAMPLE_CHUNKS = (0, 4, 64, 256)  # boards of drawn hands that a worker takes at a time, by street

Arrays = dict[str, npt.NDArray[Any]]


class BuildObserver(Protocol):
    """Who is told how far a build is."""

    def stage(self, name: str, total: int) -> None:
        """A stage of *total* steps begins; the one before is done."""

    def advance(self, steps: int) -> None:
        """So many more steps of the stage are done."""

    def say(self, text: str) -> None:
        """Something to tell the user, such as an objective or what was resumed."""


class Silent:
    """Tells nobody."""

    def stage(self, name: str, total: int) -> None:
        """Do nothing."""

    def advance(self, steps: int) -> None:
        """Do nothing."""

    def say(self, text: str) -> None:
        """Do nothing."""


def build_buckets(
    config: BucketConfig,
    path: Path | str,
    *,
    num_workers: int = 0,
    observer: BuildObserver | None = None,
    every: int = 1,
    class_equities: Callable[[int], npt.NDArray[np.float64]] = preflop_equities,
) -> HandBucketing:
    """Build the bucket set of *config*, save it at *path* and return it.

    The bytes written depend on *config* alone. If a set of the same config is there
    already, it is loaded; if a part of one is, the build continues from there.

    Args:
        config: how many buckets, and how they are fitted.
        path: the folder to be; finished stages go to ``<path>.partial`` until all are.
        num_workers: threads; 0 for one per core.
        observer: who is told of progress.
        every: take only every so many boards; for tests of the machinery, because the
            hands on other boards are left in bucket 0.
        class_equities: makes the (169, 169) table with so many threads; for tests.

    Raises:
        StorageError: *path* holds something else or cannot be written, the disk is full,
            or a stage is damaged.
    """
    out = Path(path)
    observer = observer or Silent()
    found = _existing(config, out)
    if found is not None:
        observer.say(f"{out} is already there, with the same config")
        return found
    with Workers(num_workers) as workers:
        build = _Build(config, out, workers, observer, every, class_equities)
        arrays: Arrays = {}
        for street in range(config.num_streets):
            arrays |= build.stage(street)
    observer.stage("writing", 1)
    bucketing = HandBucketing(config, arrays)
    bucketing.save(out)
    build.forget()
    observer.advance(1)
    return HandBucketing.load(out, verify=False)


def preset(name: str, num_players: int = 2) -> BucketConfig:
    """Return the config of the preset *name* for that many players.

    Raises:
        ConfigError: there is no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"no preset is called {name!r}", f"choose from {', '.join(PRESETS)}")
    return dataclasses.replace(PRESETS[name], num_players=num_players)


def preset_path(name: str, num_players: int = 2, root: Path | str = ASSETS) -> Path:
    """Return where the set of the preset *name* is kept for later runs."""
    return Path(root) / (name if num_players == 2 else f"{name}-{num_players}-players")


def _existing(config: BucketConfig, out: Path) -> HandBucketing | None:
    """Return the set at *out* if it is that of *config*, None if nothing is there."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    metadata = storage.read_metadata(out, KIND)
    if config_from_metadata(metadata, out) != config:
        raise StorageError(
            f"{out} holds a bucket set of another config, {_describe_difference(config, metadata)}",
            f"choose another --out, remove it (rm -r {shell_word(out)}), or ask for its config",
        )
    return HandBucketing.load(out)


def _describe_difference(config: BucketConfig, metadata: dict[str, Any]) -> str:
    """Say in which fields the config in *metadata* is not *config*."""
    wanted = dataclasses.asdict(config)
    return ", ".join(
        f"{name} {value} instead of {wanted[name]}"
        for name, value in metadata["config"].items()
        if value != wanted[name]
    )


class _Build:
    """One build: its stages and what they share."""

    def __init__(
        self,
        config: BucketConfig,
        out: Path,
        workers: Workers,
        observer: BuildObserver,
        every: int,
        class_equities: Callable[[int], npt.NDArray[np.float64]],
    ) -> None:
        """Prove that *out* can be written, and that the stages can lie beside it.

        Raises:
            StorageError: they cannot, or something else lies there.
        """
        self.config = config
        self.workers = workers
        self.observer = observer
        self.every = every
        self.class_equities = class_equities
        self.partial = storage.beside(out, ".partial")
        self.purpose = _purpose(config, every)
        self._features: HandFeatures | None = None
        storage.make_folder(self.partial)
        for street in STREETS[: config.num_streets]:
            path = self.partial / street
            if path.exists() and not storage.is_folder(path, STAGE_KIND):
                raise StorageError(
                    f"{path} is there already, and no stage of a build", "move it away"
                )

    def stage(self, street: int) -> Arrays:
        """Return the arrays of one street, taking up what an earlier run left."""
        path = self.partial / STREETS[street]
        if storage.is_folder(path, STAGE_KIND):
            folder = storage.read_folder(path, STAGE_KIND)
            if folder.metadata.get("purpose") == self.purpose:
                self.observer.say(f"{STREETS[street]}: taken up from {self.partial}")
                return folder.arrays
            self.observer.say(f"{STREETS[street]}: {path} was made for another config; done anew")
        arrays = self._preflop() if street == 0 else self._street(street)
        metadata = {"purpose": self.purpose}
        storage.write_folder(path, arrays, metadata, kind=STAGE_KIND)
        return arrays

    def forget(self) -> None:
        """Remove the finished stages."""
        for street in STREETS:
            storage.remove_folder(self.partial / street)
        with contextlib.suppress(OSError):  # something of the user's may lie in it
            self.partial.rmdir()

    @property
    def features(self) -> HandFeatures:
        """The measures, made when the first stage needs them."""
        if self._features is None:
            self.observer.stage("river values", len(boards_of(3).cards))
            self._features = HandFeatures(
                self.config.num_players - 1, self.workers, self.observer.advance
            )
        return self._features

    def _preflop(self) -> Arrays:
        """The exact equities between classes, the opponents' groups and the classes' buckets."""
        measures = self.features
        self.observer.stage("class equities", 1)
        equities = self.class_equities(self.workers.num_workers)
        self.observer.advance(1)
        num_classes = CANONICAL_HANDS[0]
        k = self.config.k_preflop
        if k == num_classes:
            centres, labels = measures.class_points, np.arange(num_classes, dtype=np.uint16)
        else:
            hands = (measures.class_points, measures.class_equities, CLASS_COMBOS)
            self.observer.stage(f"{STREETS[0]}: centres", self.config.restarts)
            centres = self._fit(0, *hands, k, (self.config.seed, 0))
            labels = _labels(kernel.Nearest(centres, METRICS[0]), measures.class_points)
        table = np.zeros(num_classes, table_dtype(k))
        tally = np.zeros((k, 4), np.int64)
        kernel.record(
            labels, np.arange(num_classes), CLASS_COMBOS, measures.class_equities, table, tally
        )
        return {
            "preflop_equities": np.ascontiguousarray(equities, np.float64),
            "groups": measures.groups,
            "centres_preflop": centres,
            "table_preflop": table,
            "tally_preflop": tally,
        }

    def _street(self, street: int) -> Arrays:
        """The centres of a street, and the bucket of each of its hands."""
        name = STREETS[street]
        measures = self.features
        boards = self._boards(street)
        kinds = self._kinds(street, boards)
        firsts = self._first_buckets(street)
        centres = self._centres(street, boards, kinds, firsts)
        nearest = [
            kernel.Nearest(centres[first:last], METRICS[street]) for first, last in pairwise(firsts)
        ]
        k = self.config.bucket_counts[street]
        table = np.zeros(CANONICAL_HANDS[street], table_dtype(k))

        def assign(start: int, stop: int) -> npt.NDArray[np.int64]:
            hands = all_hands(boards, start, stop)
            points, equities = measures.measure(street, hands)
            indices = features.hand_indices(hands.boards, hands.offsets, hands.holes)
            tally = np.zeros((k, 4), np.int64)
            labels = np.empty(len(points), np.uint16)
            for first, last, kind in _runs(kinds[start:stop], hands.offsets):
                labels[first:last] = firsts[kind] + _labels(nearest[kind], points[first:last])
            kernel.record(labels, indices, hands.weights, equities, table, tally)
            return tally

        tally = np.zeros((k, 4), np.int64)
        num_boards = len(boards.cards)
        self.observer.stage(f"{name}: all hands", num_boards)
        for start, stop, part in self.workers.chunks(assign, num_boards, BOARDS_AT_A_TIME[street]):
            tally += part
            self.observer.advance(stop - start)
        return {f"centres_{name}": centres, f"table_{name}": table, f"tally_{name}": tally}

    def _kinds(self, street: int, boards: Boards) -> npt.NDArray[np.uint16]:
        """Tell the boards' kinds apart; all are 0 if the street has only one."""
        num_boards, num_kinds = len(boards.cards), self.config.kind_counts[street]
        if num_kinds == 1:
            return np.zeros(num_boards, np.uint16)
        self.observer.stage(f"{STREETS[street]}: kinds of boards", num_boards)
        return kinds_of_boards(
            boards,
            num_kinds,
            self.features,
            seed=self.config.seed,
            workers=self.workers,
            advance=self.observer.advance,
        )

    def _first_buckets(self, street: int) -> list[int]:
        """Return the first bucket of each kind of boards, and at last the number of buckets."""
        k, kinds = self.config.bucket_counts[street], self.config.kind_counts[street]
        return [kind * k // kinds for kind in range(kinds + 1)]

    def _centres(
        self, street: int, boards: Boards, kinds: npt.NDArray[np.uint16], firsts: list[int]
    ) -> npt.NDArray[np.int16]:
        """Fit the centres of a street, those of each kind of boards to hands of its own."""
        rng = np.random.default_rng([self.config.seed, street])
        num_kinds = len(firsts) - 1
        used = np.unique(kinds).tolist()  # where many boards look alike, some kinds have none
        drawn = [
            sample_hands(boards.part(kinds == kind), self.config.hands // num_kinds, rng)
            for kind in used
        ]
        self.observer.stage(f"{STREETS[street]}: sample", sum(len(one.boards) for one in drawn))
        samples = [self._measured(street, hands) for hands in drawn]
        self.observer.stage(f"{STREETS[street]}: centres", len(used) * self.config.restarts)
        centres = np.zeros((firsts[-1], samples[0][0].shape[1]), np.int16)
        for kind, sample in zip(used, samples, strict=True):
            seed = (self.config.seed, street, kind)[: 2 if num_kinds == 1 else 3]
            bucket, end = firsts[kind : kind + 2]
            centres[bucket:end] = self._fit(street, *sample, end - bucket, seed)
        return centres

    def _boards(self, street: int) -> Boards:
        """The boards that are built on: all of them, unless this is a test."""
        return boards_of(street).part(slice(None, None, self.every))

    def _measured(
        self, street: int, hands: Hands
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
        """Return what centres are fitted to: points, equities and weights of *hands*."""
        points: list[npt.NDArray[np.int16]] = []
        equities: list[npt.NDArray[np.uint16]] = []

        def measure(start: int, stop: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16]]:
            return self.features.measure(street, hands.part(start, stop))

        num_boards = len(hands.boards)
        for start, stop, found in self.workers.chunks(measure, num_boards, _SAMPLE_CHUNKS[street]):
            points.append(found[0])
            equities.append(found[1])
            self.observer.advance(stop - start)
        return np.concatenate(points), np.concatenate(equities), hands.weights

    def _fit(
        self,
        street: int,
        points: npt.NDArray[np.int16],
        equities: npt.NDArray[np.uint16],
        weights: npt.NDArray[np.int64],
        num_centres: int,
        seed: tuple[int, ...],
    ) -> npt.NDArray[np.int16]:
        """Fit centres to hands and order them, the weakest first."""
        restarts, iterations = self.config.restarts, self.config.fit_iterations
        last: dict[int, tuple[int, float]] = {}

        def report(restart: int, step: int, objective: float) -> None:
            if restart and restart not in last:
                self.observer.advance(1)
            last[restart] = step, objective

        found = cluster(
            points,
            weights,
            num_centres,
            METRICS[street],
            seed=seed,
            restarts=restarts,
            iterations=iterations,
            workers=self.workers,
            report=report,
        )
        self.observer.advance(1)
        if self.config.kind_counts[street] == 1:
            for restart, (step, objective) in last.items():
                self.observer.say(
                    f"{STREETS[street]}: restart {restart + 1} of {restarts}, "
                    f"mean distance {objective:.4g} after {step} steps"
                )
        return found.centres[found.order_by(equities, weights)]


def _labels(nearest: kernel.Nearest, points: npt.NDArray[np.int16]) -> npt.NDArray[np.uint16]:
    """Return the nearest centre of each point, the lowest among equals."""
    labels = np.empty(len(points), np.uint16)
    nearest.assign(points, labels, np.empty(len(points), np.int32))
    return labels


def _runs(
    kinds: npt.NDArray[np.uint16], offsets: npt.NDArray[np.int64]
) -> Iterator[tuple[int, int, int]]:
    """Yield the first hand, the end and the kind of neighbouring boards of one kind."""
    starts = np.flatnonzero(np.diff(kinds, prepend=np.int64(-1)))
    for start, stop in zip(starts, [*starts[1:], len(kinds)], strict=True):
        yield int(offsets[start]), int(offsets[stop]), int(kinds[start])


def _purpose(config: BucketConfig, every: int) -> str:
    """Return what stages must have been made for to be taken up."""
    made_for = {"recipe": _RECIPE, "every": every, **dataclasses.asdict(config)}
    return hashlib.sha256(json.dumps(made_for, sort_keys=True).encode()).hexdigest()
