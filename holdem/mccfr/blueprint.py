"""The trained average strategy as a `Policy`, and its two files.

``avg_policy/`` is a folder of arrays from which the policy is loaded;
``avg_policy.json`` beside it is for people: the game, the menu, where the policy
comes from, and the preflop strategy in plain.

A probability is a multiple of 1/65,535 in 16 bits, or of 1/255 in 8. A row's most likely
action takes up what the others round away, so each row sums to exactly 65,535 (255); the
other actions are off by at most 0.5/65,535 (8e-6; in 8 bits 0.002), the most likely one of k
by (k - 1) times that.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdem import __version__
from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import MismatchError, StorageError
from holdem.game import preflop
from holdem.game.cards import CLASS_GRID, CLASS_NAMES, RANKS
from holdem.game.policy import Policy
from holdem.game.tree import SLOT_BYTES, BettingTree, build_tree
from holdem.machine import available_memory
from holdem.mccfr.metrics import TableMetrics
from holdem.mccfr.rows import Words, read_rows, row_blocks
from holdem.storage import is_folder, read_folder, read_json, write_folder, write_text
from holdem.types import BetMenu, CardRules, GameConfig

JSON_NAME = "avg_policy.json"
FOLDER_NAME = "avg_policy"
KIND = "policy"
JSON_FORMAT = "holdem average policy"
JSON_VERSION = 1
MAX_PLAIN_NODES = 100
"""Nodes of the first street whose strategy is written in plain, fewest actions first."""

ONE = 65_535  # the 16-bit number that stands for probability 1
ONE_BY_BITS = {8: 255, 16: ONE}
"""The number that stands for probability 1, by the bits of a stored probability."""

Probabilities = NDArray[np.uint8] | NDArray[np.uint16]
_BLOCK_SLOTS = 1 << 16  # slots converted at a time, so that they stay in the cache
_REMEDY = "make a policy with: holdem train --logdir PATH"


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """Where a blueprint comes from."""

    iterations: int
    seed: int
    bucket_path: str | None = None
    """The bucket set it was trained with; None for games that need none."""
    bucket_fingerprint: str | None = None
    package_version: str = __version__


class Blueprint:
    """The average strategy of a training run, for every seat of its betting tree.

    Attributes:
        tree: the betting tree.
        probabilities: uint16 or uint8, (num_slots,), in units of 1/65,535 or 1/255.
        provenance: iterations, seed and buckets of the run.
        preflop_buckets: hold'em only, int64 (169,): the bucket of each preflop class.
        policy_entropy: by street name, see `StreetMetrics`.
    """

    def __init__(
        self,
        tree: BettingTree,
        probabilities: Probabilities,
        provenance: Provenance,
        *,
        preflop_buckets: NDArray[np.int64] | None = None,
        policy_entropy: Mapping[str, float] | None = None,
    ) -> None:
        self.tree = tree
        self.probabilities = probabilities
        self.provenance = provenance
        self.preflop_buckets = preflop_buckets
        self.policy_entropy = dict(policy_entropy or {})

    @classmethod
    def from_table(
        cls,
        tree: BettingTree,
        words: Words,
        provenance: Provenance,
        *,
        preflop_buckets: NDArray[np.integer] | None = None,
        bits: int = 16,
    ) -> Blueprint:
        """Return the average strategy that a regret table holds.

        Rows that training never reached are uniform. Besides the result, 1 or 2 bytes
        per slot, this needs next to no memory.

        Args:
            tree: the betting tree.
            words: float32, (2 * num_slots,): per row its regrets, then its strategy sums.
            provenance: iterations, seed and buckets of the run.
            preflop_buckets: hold'em only, (169,): the bucket set's preflop table; by
                default each class is its own bucket.
            bits: of a stored probability, 8 or 16.

        Raises:
            MismatchError: *words* or *preflop_buckets* do not fit the tree.
        """
        if words.shape != (2 * tree.num_slots,):
            raise MismatchError(
                f"a regret table of {words.size:,} words for a betting tree "
                f"of {tree.num_slots:,} slots, which needs {2 * tree.num_slots:,}",
                "use the table and the tree of one run",
            )
        classes = _preflop_buckets(tree, preflop_buckets)
        one = ONE_BY_BITS[bits]
        probabilities: Probabilities = np.empty(tree.num_slots, np.min_scalar_type(one))
        for num_actions, first_slots in row_blocks(tree, _BLOCK_SLOTS):
            _, sums = read_rows(words, first_slots, num_actions)
            units = _normalised_units(sums, one)
            for action in range(num_actions):
                probabilities[first_slots + action] = units[action]
        metrics = TableMetrics(tree).measure(words)
        return cls(
            tree,
            probabilities,
            provenance,
            preflop_buckets=classes,
            policy_entropy={street: m.policy_entropy for street, m in metrics.items()},
        )

    @property
    def bits(self) -> int:
        """Bits of a stored probability: 8 or 16."""
        return 8 * self.probabilities.itemsize

    @property
    def units(self) -> NDArray[np.uint16]:
        """The probabilities in units of 1/65,535 whatever they are stored in, for compiled code."""
        if self.bits == 16:
            return self.probabilities.view(np.uint16)
        return self.probabilities * np.uint16(ONE // ONE_BY_BITS[8])  # 257: exact

    def strategy(self, node: int) -> NDArray[np.float32]:
        """See `Policy.strategy`."""
        num_actions = int(self.tree.nodes["num_actions"][node])
        units = self.probabilities[self.tree.slots(node)].reshape(-1, num_actions)
        return units.astype(np.float32) / np.float32(ONE_BY_BITS[self.bits])

    def save(self, run_folder: Path) -> Path:
        """Write ``avg_policy/`` and ``avg_policy.json`` into *run_folder*; return the latter.

        Raises:
            StorageError: they cannot be written.
        """
        path = Path(run_folder) / JSON_NAME
        arrays: dict[str, NDArray[Any]] = {"probabilities": self.probabilities}
        if self.preflop_buckets is not None:
            arrays["preflop_buckets"] = self.preflop_buckets.astype(np.uint8)
        # The arrays go first: a JSON without its arrays would promise too much.
        write_folder(path.with_suffix(""), arrays, self._metadata(), kind=KIND)
        write_text(path, _readable_json(self._document()))
        return path

    @classmethod
    def load(cls, path: Path, *, tree: BettingTree | None = None) -> Blueprint:
        """Return the blueprint at *path*: the JSON file, its folder, or the run's folder.

        The arrays are mapped, not read, so that processes share them.

        Args:
            path: where to look.
            tree: the betting tree to play on; by default it is built from the saved game.

        Raises:
            StorageError: a file is missing, damaged, foreign or a pickle.
            MismatchError: the policy belongs to another betting tree.
        """
        location = _folder_of(Path(path))
        folder = read_folder(location, KIND)
        saved = folder.metadata
        if tree is None:
            # The table that build_tree leaves room for is not needed to play.
            table_bytes = SLOT_BYTES * int(saved["num_slots"])
            tree = build_tree(
                game_from(saved["game"]),
                saved["bucket_counts"],
                memory_bytes=available_memory() + table_bytes,
            )
        if tree.fingerprint != saved["tree_fingerprint"]:
            raise MismatchError(
                f"the policy {location} is for betting tree {saved['tree_fingerprint'][:12]}, "
                f"not {tree.fingerprint[:12]}",
                "use the policy with the game config and the buckets that it was trained with",
            )
        probabilities = folder.arrays["probabilities"]
        if probabilities.shape != (tree.num_slots,) or probabilities.dtype not in (
            np.uint8,
            np.uint16,
        ):
            raise StorageError(
                f"{location} holds {probabilities.dtype} probabilities of shape "
                f"{probabilities.shape}, not uint16 or uint8 of shape ({tree.num_slots},)",
                _REMEDY,
            )
        return cls(
            tree,
            np.asarray(probabilities),  # still the map; np.memmap is slow to slice
            Provenance(**saved["provenance"]),
            preflop_buckets=_preflop_buckets(tree, folder.arrays.get("preflop_buckets")),
            policy_entropy=saved["policy_entropy"],
        )

    def _metadata(self) -> dict[str, Any]:
        return {
            "game": dataclasses.asdict(self.tree.game),
            "bucket_counts": list(self.tree.bucket_counts),
            "num_slots": self.tree.num_slots,
            "tree_fingerprint": self.tree.fingerprint,
            "provenance": dataclasses.asdict(self.provenance),
            "policy_entropy": self.policy_entropy,
            "probability_unit": f"1/{ONE_BY_BITS[self.bits]}",
        }

    def _document(self) -> dict[str, Any]:
        metadata = self._metadata()
        nodes = _first_street_nodes(self.tree)
        return {
            "format": JSON_FORMAT,
            "format_version": JSON_VERSION,
            "arrays": f"{FOLDER_NAME}/",
            **metadata,
            "opening_street": {
                "note": "probabilities of each action, by private hand; rounded to 4 digits",
                "nodes_left_out": max(len(nodes) - MAX_PLAIN_NODES, 0),
                "nodes": [
                    plain_strategy(self, node, self.preflop_buckets)
                    for node in nodes[:MAX_PLAIN_NODES]
                ],
            },
        }


def checked_bucketing(bucketing: HandBucketing, fingerprint: str) -> HandBucketing:
    """Return *bucketing* if it is the set of that fingerprint.

    Raises:
        MismatchError: it is another.
    """
    if bucketing.fingerprint != fingerprint:
        raise MismatchError(
            f"{bucketing.path} is the bucket set {bucketing.fingerprint[:12]}, and the policy "
            f"was trained with {fingerprint[:12]}",
            "name the buckets it was trained with by --buckets",
        )
    return bucketing


def plain_strategy(
    policy: Policy, node: int, preflop_buckets: NDArray[np.integer] | None = None
) -> dict[str, Any]:
    """Return the strategy at first-street decision *node* as JSON shows it."""
    tree = policy.tree
    if tree.game.cards.kind == "holdem":
        # As the chart is read, row by row: AA, AKs, .. A2s, AKo, KK, .. 22.
        order = CLASS_GRID.ravel()
        names = tuple(CLASS_NAMES[index] for index in order)
        strategy = preflop.class_strategy(policy, node, preflop_buckets)[order]
    else:
        names = one_card_names(tree.game.cards.ranks)
        strategy = policy.strategy(node)
    rows = np.round(strategy.astype(np.float64), 4)
    return {
        "node": node,
        "history": tree.history(node),
        "situation": tree.describe(node),
        "seat": int(tree.nodes["actor"][node]),
        "pot": int(tree.nodes["pot"][node]),
        "actions": [tree.action_text(child) for child in tree.children(node)],
        "strategy": dict(zip(names, rows.tolist(), strict=True)),
    }


def one_card_names(ranks: int) -> tuple[str, ...]:
    """Names of the private cards of Kuhn, Leduc and their like: ``("J", "Q", "K")``."""
    start = max(len(RANKS) - 1 - ranks, 0)  # the king is on top, as Kuhn has it
    return tuple(RANKS[start : start + ranks])


def _first_street_nodes(tree: BettingTree) -> list[int]:
    """Decision nodes of the first street, those after the fewest actions first."""
    found: list[int] = []
    level = [0]
    while level:
        found += level
        level = [
            child
            for node in level
            for child in tree.children(node)
            if tree.nodes["num_actions"][child] and tree.nodes["street"][child] == 0
        ]
    return found


def normalised(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return strategy sums (num_actions, rows) as probabilities, uniform where all are 0."""
    num_actions = len(sums)
    totals = sums.sum(axis=0)
    reached = totals > 0
    shares = np.where(reached, sums, 1.0) / np.where(reached, totals, num_actions)
    return shares.astype(np.float32, copy=False)


def _normalised_units(sums: NDArray[np.float32], one: int) -> NDArray[np.int32]:
    """Strategy sums (num_actions, rows) as probabilities in units of 1/*one*."""
    exact = normalised(sums) * np.float32(one)
    units: NDArray[np.int32] = np.rint(exact).astype(np.int32)
    most_likely = units.max(axis=0)
    rest = one - units.sum(axis=0)
    # Of many actions that were all rounded up, the likeliest has less than what is over.
    short = np.flatnonzero(most_likely + rest < 0)
    units[:, short] = _rounded_down(exact[:, short], one)
    rest[short] = 0
    for row in units:  # argmax along the short axis costs more than all the rest
        given = np.where(row == most_likely, rest, 0)
        row += given
        rest -= given
    return units


def _rounded_down(exact: NDArray[np.float32], one: int) -> NDArray[np.int32]:
    """Whole units for each column, *one* in all: what is left goes to the largest fractions."""
    units = np.floor(exact).astype(np.int32)
    places = np.argsort(np.argsort(units - exact, axis=0, kind="stable"), axis=0)
    units += places < one - units.sum(axis=0)
    return units


def _preflop_buckets(
    tree: BettingTree, buckets: NDArray[np.integer] | None
) -> NDArray[np.int64] | None:
    """The bucket of each preflop class; None for games of one card."""
    return preflop.checked_buckets(tree, buckets) if tree.game.cards.kind == "holdem" else None


def _folder_of(path: Path) -> Path:
    """The folder of arrays that *path* means."""
    if path.is_dir():
        inner = path / FOLDER_NAME
        return inner if inner.is_dir() and not is_folder(path, KIND) else path
    if path.is_file():
        document = read_json(path, f"name the folder of a policy, or {_REMEDY}")
        if not isinstance(document, dict) or document.get("format") != JSON_FORMAT:
            raise StorageError(f"{path} is not an average policy of holdem", _REMEDY)
        return path.parent / str(document["arrays"])
    raise StorageError(f"{path} does not exist; wanted a policy or the folder of a run", _REMEDY)


def game_from(saved: Mapping[str, Any]) -> GameConfig:
    """Return the game config that `dataclasses.asdict` and JSON turned into *saved*."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()
    }
    fields["cards"] = CardRules(**saved["cards"])
    fields["menu"] = BetMenu(streets=tuple(tuple(street) for street in saved["menu"]["streets"]))
    return GameConfig(**fields)


def _readable_json(document: Mapping[str, Any]) -> str:
    """JSON with an indented outline, but each list of numbers on one line."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    return re.sub(r"\[\s+([-\d.e,\s]+?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"
