"""Who does which iterations in a run of many instances, and ``run.json``, which says so.

Invariant: the ranges of a plan are in order and do not overlap, and those of a resumed run
are the original's. So nothing is done twice, whatever is killed, resumed or added, and an
iteration that is missing is missing in a range that an instance still has.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from holdem import __version__, machine, storage
from holdem.errors import ConfigError, StorageError
from holdem.mccfr.checkpoint import holds_another_run, is_of, laws_of, require_match
from holdem.mccfr.pool_memory import share_of
from holdem.types import GameConfig, MCCFRConfig

RUN_NAME = "run.json"
MOST_INSTANCES = 4096

TIME_STREAM = 10**12
"""Iterations of the seed's stream that each instance has for itself in time mode.

More than any will do (a hundred thousand a second for four months), and an instance that
has done so many ends. All numbers stay below 2^53, where every reader of JSON is exact."""

Range = tuple[int, int | None]
"""First iteration and the one after the last; None where time ends the instance."""

_FORMAT = "holdem run of many instances"
_VERSION = 1


def ranges_of(num_iterations: int, num_instances: int, first: int = 0) -> list[Range]:
    """Return who does which of *num_iterations* from *first* on, remainder to the first instances.

    >>> ranges_of(1_000_000, 3)
    [(0, 333334), (333334, 666667), (666667, 1000000)]
    """
    return [
        (first + start, first + end)
        for start, end in (share_of(num_iterations, num_instances, i) for i in range(num_instances))
    ]


def time_ranges(num_instances: int) -> list[Range]:
    """Return where each instance's own stream begins when time ends the run."""
    return [(instance * TIME_STREAM, None) for instance in range(num_instances)]


def parse_instances(text: str, num_instances: int) -> tuple[int, ...]:
    """Return the instances that *text* names, in order: ``"0,2-5"``.

    Raises:
        ConfigError: it cannot be read, or names one that there is not.
    """
    wanted = f"one of the instances 0 to {num_instances - 1}, or several as in 0,2-3"
    named: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part)
        if match is None:
            raise ConfigError(f"--instances is {text!r}, which cannot be read", f"name {wanted}")
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last or last >= num_instances:
            what = f"{part.strip()} is no range" if first > last else f"there is no instance {last}"
            raise ConfigError(f"--instances is {text!r}: {what}", f"name {wanted}")
        named.update(range(first, last + 1))
    return tuple(sorted(named))


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPlan:
    """What a run of many instances does.

    Attributes:
        config: how to train; its budget is that of all instances together if iterations
            end the run, of each if time does.
        ranges: by instance.
        tree_fingerprint, buckets_fingerprint: what it is trained on.
    """

    config: MCCFRConfig
    ranges: tuple[Range, ...]
    tree_fingerprint: str
    buckets_fingerprint: str

    @classmethod
    def new(cls, config: MCCFRConfig, num_instances: int, **fingerprints: str) -> RunPlan:
        """Make the plan of a run that begins."""
        if config.num_iterations is None:
            ranges = time_ranges(num_instances)
        else:
            ranges = ranges_of(config.num_iterations, num_instances)
        return cls(config=config, ranges=tuple(ranges), **fingerprints)

    @property
    def num_instances(self) -> int:
        """How many there are, wherever they run."""
        return len(self.ranges)

    @property
    def by_time(self) -> bool:
        """Whether time ends the instances, and not iterations."""
        return self.config.num_iterations is None

    def config_of(self, instance: int) -> MCCFRConfig:
        """Return how one instance trains: its own number of iterations, the rest unchanged."""
        start, end = self.ranges[instance]
        return replace(self.config, num_iterations=TIME_STREAM if end is None else end - start)

    def size_of(self, instance: int) -> int | None:
        """Return how many iterations an instance has to do; None in time mode."""
        start, end = self.ranges[instance]
        return None if end is None else end - start

    def resumed(self, config: MCCFRConfig, num_instances: int, *, in_place: bool) -> RunPlan:
        """Return the plan of a run that goes on with this one, asked for by *config*.

        Instances that exist keep their ranges; new ones share what no range covers. Elsewhere
        the iterations of surplus instances are nobody's.

        Args:
            config: how to train now.
            num_instances: how many there are to be.
            in_place: whether surplus instances stay in this run's folder.

        Raises:
            ConfigError: the budget cannot be that of a run that goes on with this one.
        """
        surplus = self.ranges[num_instances:] if in_place else ()
        kept, new = self.ranges[:num_instances], num_instances - self.num_instances
        if self.by_time:
            if config.num_iterations is not None:
                raise ConfigError(
                    "the run that is resumed was a run by time, where no instance has a range",
                    "resume it with --time-budget",
                )
            ranges = kept + tuple(time_ranges(num_instances))[len(kept) :]
            return replace(self, config=config, ranges=ranges + surplus)
        covered = max(end or 0 for _, end in self.ranges)
        total = config.num_iterations or self.config.num_iterations or covered
        if total < covered or (total > covered and new <= 0):
            raise ConfigError(
                f"{total:,} iterations are asked for, and the run that is resumed divides "
                f"{covered:,} among its {self.num_instances} instances",
                "leave --iters out"
                + (
                    f", or have the others done by more: --num-instances {self.num_instances + 1}"
                    if total > covered
                    else ""
                ),
            )
        more = tuple(ranges_of(total - covered, new, covered)) if new > 0 else ()
        ranges = kept + more + surplus
        return replace(self, config=replace(config, num_iterations=ranges[-1][1]), ranges=ranges)

    def require_same_game(self, resumed: RunPlan, path: Path) -> None:
        """Refuse to go on with *resumed*, the plan in *path*, on another game.

        Raises:
            MismatchError: it is of other buckets, another tree or another number of players.
        """
        found = {
            "num_players": resumed.config.num_players,
            "tree_fingerprint": resumed.tree_fingerprint,
            "buckets_fingerprint": resumed.buckets_fingerprint,
        }
        require_match(
            path, found, self.config.num_players, self.tree_fingerprint, self.buckets_fingerprint
        )

    def same_run(self, other: RunPlan) -> bool:
        """Whether instances of both plans may lie in one folder."""
        return (
            self.ranges == other.ranges
            and self.tree_fingerprint == other.tree_fingerprint
            and self.buckets_fingerprint == other.buckets_fingerprint
            and laws_of(self.config) == laws_of(other.config)
        )

    def write(self, folder: Path, game: GameConfig, buckets_path: Path | None) -> None:
        """Write ``run.json`` into the run's folder, with what else a reader may want to know.

        Raises:
            StorageError: it cannot be written.
        """
        cores = machine.cores()
        document = {
            "format": _FORMAT,
            "format_version": _VERSION,
            "asked": {"num_instances": self.num_instances, **asdict(self.config)},
            "game": asdict(game),
            "tree_fingerprint": self.tree_fingerprint,
            "buckets_fingerprint": self.buckets_fingerprint,
            "buckets_path": buckets_path,
            "ranges": [list(one) for one in self.ranges],
            "host": {
                "name": platform.node(),
                "system": platform.platform(),
                "processor": machine.processor().model,
                "cores": cores.machine,
                "usable_cores": cores.usable,
                "memory": machine.memory().total,
            },
            "versions": {
                "holdem": __version__,
                "python": platform.python_version(),
                "numpy": np.__version__,
            },
        }
        storage.write_json(folder / RUN_NAME, document)

    @classmethod
    def read(cls, folder: Path) -> RunPlan:
        """Return the plan that `write` wrote into *folder*.

        Raises:
            StorageError: it is missing, damaged or no plan.
        """
        path = folder / RUN_NAME
        if not is_run(folder):
            raise StorageError(
                f"{folder} is not the folder of a run of many instances: no {RUN_NAME}",
                "name the --logdir of a run with --num-instances",
            )
        document = storage.read_json(path)
        remedy = "restore the file; the ranges of the run are in it"
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise StorageError(f"{path} was not written by holdem", remedy)
        if document.get("format_version") != _VERSION:
            raise StorageError(
                f"{path} has format version {document.get('format_version')}, and holdem "
                f"{__version__} reads version {_VERSION}",
                "use the version of holdem that wrote it",
            )
        try:
            asked = dict(document["asked"])
            del asked["num_instances"]
            plan = cls(
                config=MCCFRConfig(**asked),
                ranges=tuple((start, end) for start, end in document["ranges"]),
                tree_fingerprint=str(document["tree_fingerprint"]),
                buckets_fingerprint=str(document["buckets_fingerprint"]),
            )
            plan._require_ranges()
            return plan
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(f"{path} is damaged: {error!r}", remedy) from None

    def _require_ranges(self) -> None:
        """Refuse ranges that nobody planned.

        Raises:
            ValueError: there are none, they are no whole numbers, they overlap or are out of
                order, or they end where time should end them, or the reverse.
        """
        done = 0
        for start, end in self.ranges:
            ends = [] if end is None else [end]
            if not all(type(one) is int for one in (start, *ends)) or self.by_time != (end is None):
                raise ValueError(f"{[start, end]} is not a range")
            if not done <= start <= (start if end is None else end):
                raise ValueError(f"the range {[start, end]} is not after iteration {done:,}")
            done = start + TIME_STREAM if end is None else end
        if done == 0:
            raise ValueError("no range holds any iteration")


def is_run(folder: Path) -> bool:
    """Whether *folder* is that of a run of many instances."""
    return (folder / RUN_NAME).is_file()


def is_another_run(folder: Path, own: Path | None) -> bool:
    """Whether *folder* is that of a run, and *own*, a run's folder or a checkpoint, not of it.

    An instance of a run, or what was merged from it, is another run.
    """
    return holds_another_run(folder, own) or (is_run(folder) and not is_of(own, folder))


def folder_of(run: Path, instance: int) -> Path:
    """Return the folder of one instance of the run in *run*."""
    return run / f"instance_{instance}"


def instance_of(folder: Path) -> int | None:
    """Return which instance has its files in *folder*, by its name; None of none."""
    found = re.fullmatch(r"instance_(\d+)", folder.absolute().name)
    return int(found[1]) if found else None


def existing_instances(run: Path) -> Sequence[int]:
    """Return the instances that have a folder in *run*, in order."""
    found = map(instance_of, run.glob("instance_*"))
    return sorted(instance for instance in found if instance is not None)
