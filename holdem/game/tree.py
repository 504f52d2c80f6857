"""The betting tree of a game as flat arrays: counted, built, read and named.

Node 0 is the root. The children of a node are contiguous, in the order fold, check or
call, raises ascending, all-in last; the subtree of the first child comes before those
of the others. A betting tree knows nothing of cards: a row of the regret table is
(node, bucket), a slot is (node, bucket, action).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdem._core.tree import BettingRules
from holdem.errors import ConfigError, MismatchError, ResourceError, RulesError
from holdem.game.games import position_names
from holdem.game.menu import parse_menu
from holdem.game.rules import default_first_to_act
from holdem.machine import available_memory
from holdem.types import STREETS, GameConfig

NODE_DTYPE = np.dtype(
    [
        ("first_slot", np.int64),  # bucket 0's first action in the regret table; -1 at an ending
        ("first_child", np.int32),  # first_child + action; -1 at an ending
        ("ending_index", np.int32),  # row of contributions and folded; -1 at a decision
        ("pot", np.int32),  # chips in the middle; at an ending the uncalled bet is returned
        ("num_actions", np.uint8),  # 0 at an ending
        ("actor", np.uint8),  # seat to act; 255 at an ending
        ("street", np.uint8),  # 0 preflop .. 3 river; at an ending the last with a decision
        ("ending", np.uint8),  # an Ending
    ]
)
"""One point of the tree; mirrors the struct Node of ``_core/types.pxd`` field for field."""

SLOT_BYTES = 8
"""A regret and an average-strategy sum, both float32."""

MAX_NODES = 50_000_000
"""A tree of more nodes than this is not counted to its end unless asked for."""


class Ending(IntEnum):
    """How the hand ends at a node; the compiled core has the same numbers."""

    NO_ENDING = 0
    FOLD = 1
    SHOWDOWN = 2


class ActionKind(IntEnum):
    """What led to a node; the compiled core has the same numbers."""

    NO_ACTION = 0
    """Of the root."""
    FOLD = 1
    CHECK = 2
    CALL = 3
    """All-in or not."""
    BET = 4
    """The first chips of a street."""
    RAISE = 5
    ALL_IN = 6
    """A bet or raise of the whole stack."""


_LETTERS = {
    ActionKind.FOLD: "f",
    ActionKind.CHECK: "x",
    ActionKind.CALL: "c",
    ActionKind.BET: "b",
    ActionKind.RAISE: "r",
    ActionKind.ALL_IN: "a",
}
_VERBS = {
    ActionKind.FOLD: ("fold", "folds"),
    ActionKind.CHECK: ("check", "checks"),
    ActionKind.CALL: ("call", "calls"),
    ActionKind.BET: ("bet", "bets"),
    ActionKind.RAISE: ("raise to", "raises to"),
    ActionKind.ALL_IN: ("all-in", "goes all-in for"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeSize:
    """How large the betting tree of a game is, without the tree."""

    complete: bool
    """False if counting stopped at the limit: every figure is then a lower bound."""
    num_players: int
    decisions: tuple[int, ...]
    """Decision nodes by street."""
    actions: tuple[int, ...]
    """Actions of all decision nodes, by street."""
    folds: int
    """Endings by fold."""
    showdowns: int
    num_nodes: int
    most_actions: int
    """At one decision."""

    @property
    def num_decisions(self) -> int:
        """Decision nodes of all streets."""
        return sum(self.decisions)

    @property
    def num_endings(self) -> int:
        """Endings by fold and by showdown."""
        return self.folds + self.showdowns

    @property
    def tree_bytes(self) -> int:
        """Memory of the built tree."""
        per_node = NODE_DTYPE.itemsize + 4 + 1 + 4
        return self.num_nodes * per_node + self.num_endings * (4 * self.num_players + 2)

    def num_slots(self, bucket_counts: Sequence[int]) -> int:
        """Slots of the regret table with so many buckets on each street."""
        return sum(
            actions * buckets for actions, buckets in zip(self.actions, bucket_counts, strict=False)
        )

    def table_bytes(self, bucket_counts: Sequence[int]) -> int:
        """Memory of the regret table with so many buckets on each street."""
        return SLOT_BYTES * self.num_slots(bucket_counts)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BettingTree:
    """All betting of one game; every array is read-only.

    A decision node's slots are ``first_slot + bucket * num_actions + action``, and nodes
    with higher numbers have higher slots. Money in chips.
    """

    game: GameConfig
    bucket_counts: tuple[int, ...]
    """By street."""
    nodes: NDArray[np.void]
    """`NODE_DTYPE`, shape (num_nodes,)."""
    parents: NDArray[np.int32]
    """Shape (num_nodes,); -1 at the root."""
    action_kinds: NDArray[np.uint8]
    """`ActionKind` that led to each node, shape (num_nodes,)."""
    action_amounts: NDArray[np.int32]
    """Chips of whoever acted, on this street after the action; shape (num_nodes,)."""
    contributions: NDArray[np.int32]
    """Chips of every seat in the pot, the uncalled bet returned; (num_endings, num_players)."""
    folded: NDArray[np.uint16]
    """Bit p is set if seat p folded; shape (num_endings,)."""
    num_slots: int
    fingerprint: str
    """SHA-256, in hexadecimal, of structure, payoffs, bucket counts and card rules."""

    @property
    def num_nodes(self) -> int:
        """Decisions and endings."""
        return len(self.nodes)

    def children(self, node: int) -> range:
        """Return the nodes that the actions of *node* lead to; none at an ending."""
        first, num = int(self.nodes["first_child"][node]), int(self.nodes["num_actions"][node])
        return range(first, first + num) if num else range(0)

    def slots(self, node: int) -> slice:
        """Return where the slots of a decision *node* are, buckets x actions in all."""
        record = self.nodes[node]
        first = int(record["first_slot"])
        buckets = self.bucket_counts[int(record["street"])]
        return slice(first, first + buckets * int(record["num_actions"]))

    def path(self, node: int) -> list[int]:
        """Return the nodes from the root's child to *node*; empty for the root."""
        result = []
        while node > 0:
            result.append(node)
            node = int(self.parents[node])
        return result[::-1]

    def find(self, path: str) -> int:
        """Return the node that *path* leads to from the root, as in ``"r250 c / x b300"``.

        Actions are ``f``, ``x`` (check), ``c``, ``b300`` or ``r250`` (chips on this street
        after it; either letter will do) and ``a`` (all-in), with spaces between them. A
        ``/`` where a new street begins may be left out.

        Raises:
            RulesError: an action is not on offer; the message lists those that are.
        """
        node = 0
        for token in path.split():
            if token == "/":
                if node == 0 or self.street_begins(node) is False:
                    raise RulesError(
                        f"no new street begins at '/' after {self.history(node)!r} in {path!r}",
                        "leave '/' out, or put it where a street begins",
                    )
                continue
            chosen = [child for child in self.children(node) if self._names(child, token)]
            if not chosen:
                offered = " ".join(self.action_token(child) for child in self.children(node))
                raise RulesError(
                    f"{token!r} is not on offer after {self.history(node)!r}",
                    f"choose one of: {offered}" if offered else "the hand is over there",
                )
            node = chosen[0]
        return node

    def _names(self, node: int, token: str) -> bool:
        """Whether *token* means the action that led to *node*."""
        if token == self.action_token(node):
            return True
        kind = self.action_kinds[node]
        return (
            kind >= ActionKind.BET
            and token[:1] in ("b", "r")
            and token[1:] == str(self.action_amounts[node])
        )

    def street_begins(self, node: int) -> bool:
        """Whether *node* is the first decision of a street."""
        if node == 0:
            return True
        return bool(self.nodes["street"][node] != self.nodes["street"][self.parents[node]])

    def action_token(self, node: int) -> str:
        """Return the action that led to *node* as `find` reads it: ``"r250"``, ``"x"``."""
        kind = ActionKind(self.action_kinds[node])
        if kind in (ActionKind.BET, ActionKind.RAISE):
            return f"{_LETTERS[kind]}{self.action_amounts[node]}"
        return _LETTERS.get(kind, "")

    def action_text(self, node: int) -> str:
        """Return the action that led to *node* in words: ``"raise to 250"``; ``""`` at the root."""
        return self._say(node, 0)

    def _say(self, node: int, form: int) -> str:
        kind = ActionKind(self.action_kinds[node])
        if kind == ActionKind.NO_ACTION:
            return ""
        verb = _VERBS[kind][form]
        return f"{verb} {self.action_amounts[node]}" if kind >= ActionKind.BET else verb

    def history(self, node: int) -> str:
        """Return the path to *node*, which `find` reads back: ``"r250 c / x"``."""
        words = []
        for step in self.path(node):
            words.append(self.action_token(step))
            if self.street_begins(step):
                words.append("/")
        return " ".join(words)

    def describe(self, node: int) -> str:
        """Return what happened before *node* in words.

        For example ``"SB raises to 250, BB calls; flop: BB checks"``.
        """
        names = position_names(self.game.num_players)
        streets: dict[int, list[str]] = {}
        for step in self.path(node):
            parent = self.nodes[self.parents[step]]
            said = f"{names[parent['actor']]} {self._say(step, 1)}"
            streets.setdefault(int(parent["street"]), []).append(said)
        streets.setdefault(int(self.nodes["street"][node]), [])
        return "; ".join(
            (f"{STREETS[street]}: " if street else "") + (", ".join(said) or "first to act")
            for street, said in streets.items()
        )


def count_tree(game: GameConfig, limit: int = MAX_NODES) -> TreeSize:
    """Return how large the betting tree of *game* is, without building it.

    Counting stops at *limit* nodes; the result is then not ``complete``.

    Raises:
        ConfigError: the game or its bet menu cannot be used.
    """
    complete, decisions, actions, folds, showdowns, num_nodes, most = _rules_of(game).count(limit)
    if num_nodes == 1:
        raise ConfigError(
            "the game has no decision: the blinds and antes put all players but one all-in",
            "raise game.stacks, or lower game.blinds and game.ante",
        )
    return TreeSize(
        complete=complete,
        num_players=game.num_players,
        decisions=decisions,
        actions=actions,
        folds=folds,
        showdowns=showdowns,
        num_nodes=num_nodes,
        most_actions=most,
    )


def build_tree(
    game: GameConfig, bucket_counts: Sequence[int], *, memory_bytes: int | None = None
) -> BettingTree:
    """Enumerate the betting of *game*.

    Args:
        game: What is played, and the bets on offer.
        bucket_counts: Buckets by street; numbers beyond the game's last street are ignored.
        memory_bytes: What the tree and its regret table may take; None for what is
            available now. Give the table's size or more where it is allocated already.

    Raises:
        ConfigError: the game or its bet menu cannot be used.
        MismatchError: there are fewer bucket counts than streets.
        ResourceError: the tree and its regret table do not fit; told before it is built.
    """
    counts = tuple(int(count) for count in bucket_counts)[: game.num_streets]
    if len(counts) < game.num_streets or min(counts, default=0) < 1:
        raise MismatchError(
            f"bucket counts {tuple(bucket_counts)} for a game of {game.num_streets} streets",
            "give the number of buckets, at least 1, of every street of the bet menu",
        )
    size = _fitting_size(game, counts, available_memory() if memory_bytes is None else memory_bytes)
    nodes = np.empty(size.num_nodes, NODE_DTYPE)
    parents = np.empty(size.num_nodes, np.int32)
    kinds = np.empty(size.num_nodes, np.uint8)
    amounts = np.empty(size.num_nodes, np.int32)
    contributions = np.empty((size.num_endings, game.num_players), np.int32)
    folded = np.empty(size.num_endings, np.uint16)
    _rules_of(game).fill(nodes, parents, kinds, amounts, contributions, folded)

    widths = nodes["num_actions"] * np.array(counts, np.int64)[nodes["street"]]
    after = np.cumsum(widths)
    nodes["first_slot"] = np.where(widths > 0, after - widths, -1)
    arrays: dict[str, NDArray[Any]] = {
        "nodes": nodes,
        "parents": parents,
        "action_kinds": kinds,
        "action_amounts": amounts,
        "contributions": contributions,
        "folded": folded,
    }
    for array in arrays.values():
        array.flags.writeable = False
    return BettingTree(
        game=game,
        bucket_counts=counts,
        num_slots=int(after[-1]),
        fingerprint=_fingerprint(game, counts, arrays),
        **arrays,
    )


def _fitting_size(game: GameConfig, bucket_counts: Sequence[int], available: int) -> TreeSize:
    """Count the tree of *game*, or refuse it as soon as it cannot fit."""
    # Every node but the root is an action: so many nodes and slots it takes at least.
    least_bytes = NODE_DTYPE.itemsize + SLOT_BYTES * min(bucket_counts)
    size = count_tree(game, min(MAX_NODES, available // least_bytes))
    wanted = size.tree_bytes + size.table_bytes(bucket_counts)
    if size.complete and wanted <= available:
        return size
    more = "" if size.complete else "more than "
    raise ResourceError(
        f"the betting tree has {more}{size.num_nodes:,} nodes and {more}"
        f"{size.num_slots(bucket_counts):,} slots, which take {more}{wanted / 2**30:.1f} GiB of "
        f"memory; {available / 2**30:.1f} GiB are available"
        + (f", and {MAX_NODES:,} nodes are the most" if size.num_nodes > MAX_NODES else ""),
        "offer fewer bet sizes, above all on the first streets, or use fewer buckets or "
        "shorter stacks",
    )


def _rules_of(game: GameConfig) -> BettingRules:
    """Turn it into the numbers of the compiled core."""
    menu = parse_menu(game.menu)
    return BettingRules(
        np.array([game.stack_of(seat) for seat in range(game.num_players)], np.int32),
        np.array(game.blinds, np.int32),
        game.ante,
        game.big_blind,
        np.array(game.first_to_act or default_first_to_act(game), np.int32),
        menu.street_texts,
        menu.text_sizes,
        menu.keeps_call,
        menu.size_kinds,
        menu.size_amounts,
    )


def _fingerprint(
    game: GameConfig, bucket_counts: Sequence[int], arrays: dict[str, NDArray[Any]]
) -> str:
    """Hash what makes two trees the same: not names, nor how a menu was written."""
    cards = game.cards
    digest = hashlib.sha256()
    digest.update(
        f"betting tree 1; players {game.num_players}; buckets {list(bucket_counts)}; cards "
        f"{cards.kind} {cards.ranks} {cards.suits} {cards.board_street}\n".encode()
    )
    fields = {f"nodes.{name}": arrays["nodes"][name] for name in NODE_DTYPE.names or ()}
    del fields["nodes.first_slot"]  # it follows from the rest
    rest = {name: array for name, array in arrays.items() if name != "nodes"}
    for name, array in (fields | rest).items():
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        digest.update(f"{name} {little.dtype.str} {little.shape}\n".encode())
        digest.update(little.data)
    return digest.hexdigest()
