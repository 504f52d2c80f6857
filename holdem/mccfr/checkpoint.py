"""A checkpoint: the regret table as it stands after a merge, and what it belongs to.

It holds no time, no path and no machine, so that the same run gives the same bytes
wherever and however often it is done.

It says which iterations of the seed's stream its table holds, as ranges without their
ends: a plain run those from 0 on, an instance of many those from its own start on, a
merge of many several ranges. A run goes on where the last range ends.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from holdem import storage
from holdem.errors import MismatchError, StorageError
from holdem.game.tree import BettingTree
from holdem.types import MCCFRConfig

KIND = "checkpoint"
FINAL_NAME = "checkpoint_final"
_TABLE = "table"
RESPONDER = "responder"
"""The array that holds the regrets of the responder whom the table was trained against."""
PARENTS = "parents"
"""The array that holds the regrets of `Parents`, if the buckets have any."""

Range: TypeAlias = tuple[int, int]
"""Iterations of the seed's stream: the first, and the one after the last."""

_NUMBERED = re.compile(r"checkpoint_iter(\d+)")

# What the result of an iteration depends on. The others (budgets, intervals between
# files, workers) may differ between a run and the run that resumes it.
_LAWS = (
    "seed",
    "batch_size",
    "sampling",
    "opponent",
    "parent_boards",
    "discount_interval",
    "regret_discount_alpha",
    "strategy_discount_beta",
    "exploration_epsilon",
    "epsilon_schedule",
    "enable_pruning",
    "pruning_threshold",
    "pruning_probability",
    "regret_floor",
)
_OF_NO_USE = {
    ("sampling", "external"): ("exploration_epsilon", "epsilon_schedule"),
    ("opponent", "responder"): (
        "batch_size",
        "enable_pruning",
        "pruning_threshold",
        "pruning_probability",
        "regret_floor",
    ),
}
"""Laws that do nothing where another has such a value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A run at one iteration.

    Attributes:
        words: float32, shape (2 * num_slots,), see `RegretTable`; a read-only map.
        iteration: iterations done, whichever they were.
        ranges: which they were: (first, end) in the seed's stream, in order, not overlapping.
        table_state: weights of the table, see `RegretTable.state`.
        visits: decision nodes visited.
        utility_sum: seat 0's sampled utility, chips, summed over the iterations.
        laws: the config values that the course of the run depends on.
        earlier_laws: others that it had before it was resumed with these, each with the
            iterations done by then; empty if it never had others.
        others: further arrays of the engine, see `Engine.others`.
        cells_fingerprint: of `Cells`; None if the responder told apart what the table did, or
            there was none.
    """

    path: Path
    words: npt.NDArray[np.float32]
    iteration: int
    ranges: tuple[Range, ...]
    table_state: dict[str, float]
    visits: int
    utility_sum: float
    laws: dict[str, Any]
    earlier_laws: tuple[tuple[int, dict[str, Any]], ...]
    others: dict[str, npt.NDArray[np.float32]]
    cells_fingerprint: str | None

    def require_opponent(self, config: MCCFRConfig, cells_fingerprint: str | None) -> None:
        """Refuse to go on against another opponent: the table is of another kind then.

        Raises:
            MismatchError: the table had a responder and shall have none, or the reverse; its
                buckets had parents and shall have none, or the reverse; or the responder told
                other hands apart.
        """
        opponent = "responder" if RESPONDER in self.others else "itself"
        if opponent != config.opponent:
            raise MismatchError(
                f"{self.path} was trained against {opponent}, this run trains against "
                f"{config.opponent}",
                f"resume with --opponent {opponent}, or start fresh without --resume-from",
            )
        if (PARENTS in self.others) != bool(config.parent_boards):
            before, now = ("with", "none") if PARENTS in self.others else ("without", "some")
            raise MismatchError(
                f"{self.path} was trained {before} parents of its buckets, this run's have {now}",
                "resume with the --parent-boards that it was trained with, "
                "or start fresh without --resume-from",
            )
        if self.cells_fingerprint != cells_fingerprint:
            before, now = (
                f"buckets {one[:12]}" if one else "the table's own buckets"
                for one in (self.cells_fingerprint, cells_fingerprint)
            )
            raise MismatchError(
                f"{self.path} was trained against a responder with {before}, this run's has {now}",
                "name by --responder-buckets what it was trained with, "
                "or start fresh without --resume-from",
            )

    def changes(self, config: MCCFRConfig) -> list[str]:
        """Say which laws of the run differ in *config*: ``"seed 42 -> 43"``."""
        return changes(self.laws, config)


def changes(laws: Mapping[str, Any], config: MCCFRConfig) -> list[str]:
    """Say which of the *laws* of a run differ in *config*: ``"seed 42 -> 43"``."""
    before, now = used(laws), laws_of(config)
    return [
        f"{key} {before.get(key)} -> {now.get(key)}"
        for key in _LAWS
        if before.get(key) != now.get(key)
    ]


def used(laws: Mapping[str, Any]) -> dict[str, Any]:
    """Return the *laws* of a run without those that its other ones make no use of."""
    unused = {
        key for (law, value), keys in _OF_NO_USE.items() if laws.get(law) == value for key in keys
    }
    return {key: value for key, value in laws.items() if key not in unused}


def laws_of(config: MCCFRConfig) -> dict[str, Any]:
    """Return the config values that the course of a run depends on, as JSON gives them back."""
    schedule = config.epsilon_schedule
    values = {key: getattr(config, key) for key in _LAWS}
    values["epsilon_schedule"] = [list(pair) for pair in schedule] if schedule else None
    values["discount_interval"] = config.period
    return used(values)


def save(
    path: Path,
    *,
    words: npt.NDArray[np.float32],
    iteration: int,
    ranges: Sequence[Range],
    table_state: dict[str, float],
    visits: int,
    utility_sum: float,
    config: MCCFRConfig,
    tree: BettingTree,
    buckets_fingerprint: str,
    others: Mapping[str, npt.NDArray[np.float32]],
    cells_fingerprint: str | None = None,
    earlier_laws: Sequence[tuple[int, Mapping[str, Any]]] = (),
) -> None:
    """Write a checkpoint folder: all of it or nothing.

    Raises:
        StorageError: it cannot be written; an older checkpoint there is left as it was.
    """
    plain = list(ranges) == [(0, iteration)]
    storage.write_folder(
        path,
        {_TABLE: words, **others},
        {
            "iteration": iteration,
            **({} if plain else {"ranges": ranges}),
            "num_players": tree.game.num_players,
            "table_state": table_state,
            "visits": visits,
            "utility_sum": utility_sum,
            "laws": laws_of(config),
            **({"earlier_laws": earlier_laws} if earlier_laws else {}),
            "game": asdict(tree.game),
            "bucket_counts": list(tree.bucket_counts),
            "tree_fingerprint": tree.fingerprint,
            "buckets_fingerprint": buckets_fingerprint,
            **({} if cells_fingerprint is None else {"cells_fingerprint": cells_fingerprint}),
        },
        kind=KIND,
    )


def load(path: Path, tree: BettingTree, buckets_fingerprint: str) -> Checkpoint:
    """Read the checkpoint *path* for a run on *tree* with the buckets of that fingerprint.

    Raises:
        StorageError: it is missing, damaged or no checkpoint.
        MismatchError: it belongs to other buckets, another tree or another number of players.
    """
    with _naming_another(path):
        # The cheap reasons to refuse come before reading gigabytes to verify them.
        found = storage.read_metadata(path, KIND)
        require_match(path, found, tree.game.num_players, tree.fingerprint, buckets_fingerprint)
        folder = storage.read_folder(path, KIND)
    return Checkpoint(
        path=path,
        words=folder.arrays[_TABLE],
        iteration=int(found["iteration"]),
        ranges=ranges_of(found),
        table_state=found["table_state"],
        visits=int(found["visits"]),
        utility_sum=float(found["utility_sum"]),
        laws=found["laws"],
        earlier_laws=tuple((int(done), laws) for done, laws in found.get("earlier_laws", ())),
        others={name: array for name, array in folder.arrays.items() if name != _TABLE},
        cells_fingerprint=found.get("cells_fingerprint"),
    )


def words_of(path: Path) -> npt.NDArray[np.float32]:
    """Return the table's words in the checkpoint *path*, which this process has just written.

    Raises:
        StorageError: it is not there any more.
    """
    return storage.read_folder(path, KIND, verify=False).arrays[_TABLE]


def ranges_of(found: Mapping[str, Any]) -> tuple[Range, ...]:
    """Return which iterations the checkpoint with the metadata *found* holds."""
    ranges = found.get("ranges", [[0, found["iteration"]]])
    return tuple((int(first), int(end)) for first, end in ranges)


def range_text(iterations: Range) -> str:
    """Return *iterations* as people count them: ``"iterations 333,334 to 666,666"``."""
    first, end = iterations
    return f"iterations {first + 1:,} to {end:,}" if end > first else "no iterations"


def require_match(
    path: Path,
    found: Mapping[str, Any],
    num_players: int,
    tree_fingerprint: str,
    buckets_fingerprint: str,
) -> None:
    """Refuse the checkpoint *path*, whose metadata is *found*, if it is of another game.

    Raises:
        MismatchError: it belongs to other buckets, another tree or another number of players.
    """
    if found["num_players"] != num_players:
        raise MismatchError(
            f"{path} was trained for {found['num_players']} players, this run is for {num_players}",
            f"resume with --num-players {found['num_players']}, "
            "or start fresh without --resume-from",
        )
    if found["buckets_fingerprint"] != buckets_fingerprint:
        raise MismatchError(
            "Cannot safely resume training with different bucket configuration: "
            f"{path} was trained with buckets {found['buckets_fingerprint'][:12]}, "
            f"but this run has {buckets_fingerprint[:12]}",
            "name the buckets it was trained with by --buckets, "
            "or start fresh without --resume-from",
        )
    if found["tree_fingerprint"] != tree_fingerprint:
        raise MismatchError(
            f"{path} was trained on the betting tree {found['tree_fingerprint'][:12]}, "
            f"but this run's game has {tree_fingerprint[:12]}",
            "resume with the game and bet menu it was trained with, "
            "or start fresh without --resume-from",
        )


def numbered(iteration: int) -> str:
    """Return the name of the checkpoint after *iteration* iterations."""
    return f"checkpoint_iter{iteration}"


def list_checkpoints(checkpoints: Path) -> list[tuple[int, Path]]:
    """Return (iteration, path) of the numbered checkpoints in a folder, oldest first."""
    if not checkpoints.is_dir():
        return []
    found = []
    for path in checkpoints.iterdir():
        match = _NUMBERED.fullmatch(path.name)
        if match and path.is_dir():
            found.append((int(match[1]), path))
    return sorted(found)


def newest_first(checkpoints: Path) -> list[tuple[float, Path]]:
    """Return (iteration, path) of all checkpoints in a folder, the final one too, newest first.

    A final one that is damaged is the newest, of infinitely many iterations: it was written last.
    """
    found: list[tuple[float, Path]] = [*list_checkpoints(checkpoints)]
    final = checkpoints / FINAL_NAME
    if final.exists():
        try:
            done = float(storage.read_metadata(final, KIND)["iteration"])
        except StorageError:
            done = math.inf
        found.append((done, final))
    return sorted(found, reverse=True)


def folder_in(path: Path) -> Path:
    """Return where the checkpoints of the run *path* are; that folder may be named itself."""
    return path / "checkpoints" if (path / "checkpoints").is_dir() else path


def run_of(path: Path) -> Path:
    """Return the folder of the run that *path* belongs to, a checkpoint or that folder itself."""
    whole = path.absolute()
    if "checkpoints" not in (whole.name, whole.parent.name):
        return path
    above = 1 if whole.name == "checkpoints" else 2
    # As it was given, unless that begins below the run.
    return (path if len(path.parts) >= above else whole).parents[above - 1]


def holds_another_run(folder: Path, own: Path | None) -> bool:
    """Whether *folder* has checkpoints of a run that *own*, see `run_of`, does not belong to."""
    return bool(newest_first(folder / "checkpoints")) and not is_of(own, folder)


def is_of(path: Path | None, run: Path) -> bool:
    """Whether *path* is the folder of *run*, or a checkpoint in it."""
    return path is not None and run_of(path).resolve() == run.resolve()


def find(path: Path) -> tuple[Path, dict[str, Any]]:
    """Return the checkpoint that *path* means, itself or the newest of a run folder; its metadata.

    Raises:
        StorageError: there is none, or it is damaged or something else.
    """
    found = [] if storage.is_folder(path) else newest_first(folder_in(path))
    traces = (path / name for name in (storage.METADATA_NAME, f"{_TABLE}.npy"))
    if not found and path.is_dir() and not any(trace.exists() for trace in traces):
        raise StorageError(
            f"{path} holds no checkpoint", "name a run folder or one checkpoint, or start fresh"
        )
    newest = found[0][1] if found else path
    with _naming_another(newest):
        return newest, storage.read_metadata(newest, KIND)


@contextlib.contextmanager
def _naming_another(path: Path) -> Iterator[None]:
    """Where the checkpoint *path* cannot be read, advise to take the newest other one beside it."""
    try:
        yield
    except StorageError as error:
        for _, other in newest_first(path.parent):
            if other != path and storage.is_folder(other, KIND):
                raise StorageError(str(error), f"name another one instead: {other}") from error
        raise


def set_later_aside(checkpoints: Path, iteration: int) -> list[Path]:
    """Rename what a run leaves behind that goes on from *iteration*; return the new names.

    Otherwise its own checkpoints would not be the newest of their folder, and a damaged final one
    would be in the way of its own at the end.

    Raises:
        StorageError: one cannot be renamed.
    """
    later = [path for done, path in newest_first(checkpoints) if done > iteration]
    return [storage.set_aside(path, "abandoned") for path in later]


def prune_old(checkpoints: Path, keep: int) -> None:
    """Remove all numbered checkpoints but the newest *keep*; 0 keeps all.

    Raises:
        StorageError: one cannot be removed; the others were.
    """
    refused = None
    for _, path in list_checkpoints(checkpoints)[:-keep] if keep > 0 else ():
        try:
            storage.remove_folder(path)
        except StorageError as error:
            refused = error
    if refused is not None:
        raise refused
