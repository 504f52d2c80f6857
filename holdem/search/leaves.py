"""What the leaves of a depth-limited subgame are worth.

A subgame can end before the river, where the betting of its last street does (Brown, Sandholm &
Amos 2018). At such a leaf, before the next card, each player chooses how a blueprint goes on to
the end of the hand, without seeing what the other chooses: see `holdem.search.continuations`. The
players may choose hand by hand, and mix; so a solution is one against which no change of a
player's own continuation helps, and that is what makes a value at the leaf safe to use.

A leaf is worth what its matrix says for the groups of both hands, times the reach that shares no
card with the own hand: within a choice of the opponent's the hands that can be met are taken to
be spread over groups as all of them are. That is exact where no two hands of the ranges share a
card, and otherwise lets both players' values differ by a little in sum; exploitability is
measured against the value of the player's own strategy for that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdem._core.range_boards import RangeBoards
from holdem._core.range_walk import RangeWalk
from holdem.errors import ConfigError, MismatchError
from holdem.game.cards import Card, cards_text
from holdem.search.subgame import Node, NodeKind, PublicTree
from holdem.search.turn_equities import TurnEquities

__all__ = ["LeafValues", "give_leaves"]

Groups = npt.NDArray[np.integer]


@dataclass(frozen=True, kw_only=True, slots=True)
class LeafValues:
    """Where a depth-limited subgame stops, and what it is worth there.

    Attributes:
        groups: of a board of the last street, the group of each of the 1,326 holes, (1326,),
            for player 0 and for player 1. Holes that share a card with the board have any.
        matrix: of a leaf, float32 (groups of player 0, groups of player 1, n, n) by the choices
            of player 0 and of player 1, `CHOICES`; n is 1 where both are all-in, as
            ``len(leaf.children)`` says. To player 0, in pots: chips over the pot at the leaf, half
            of it taken off. All leaves have the same numbers of groups, 512 at most.
        num_streets: how many are bet on before the leaves.
        all_in: of a turn, what all-in pots are worth, finer than by matrices.
    """

    groups: Callable[[tuple[Card, ...]], tuple[Groups, Groups]]
    matrix: Callable[[Node], npt.NDArray[np.floating]]
    num_streets: int = 1
    all_in: TurnEquities | None = None

    def check(self, board: Sequence[Card]) -> None:
        """Refuse a board from which on the leaves would lie behind the river.

        Raises:
            ConfigError: they would.
        """
        if not 1 <= self.num_streets < 6 - len(board):
            raise ConfigError(
                f"no leaves after {self.num_streets} streets from {cards_text(board)} on",
                "leaves lie before the river; leave them out to solve to the end",
            )
        if self.all_in is not None and len(board) != 4:
            raise ConfigError(
                f"equities of a turn for {cards_text(board)}", "leave out all_in before the turn"
            )


def give_leaves(walk: RangeWalk, boards: RangeBoards, tree: PublicTree, leaves: LeafValues) -> None:
    """Tell *walk* what the leaves of *tree* are worth; groups that no hand is in are left out.

    Raises:
        MismatchError: a matrix or a list of groups has another shape than it should.
    """
    street = leaves.num_streets - 1
    held = [
        _groups_on(boards, street, number, leaves) for number in range(boards.num_boards(street))
    ]
    used = _used(held)
    matrices = {}
    all_in = None if leaves.all_in is None else _AllIn.of(boards, leaves.all_in)
    for part in tree.streets[street]:
        for node in part.nodes:
            if node.kind == NodeKind.LEAF:
                here = (node.part, node.index)
                if all_in is not None and len(node.children) == 1:
                    matrices[here] = all_in.matrix
                else:
                    matrices[here] = _matrix(leaves, node, used)
    walk.set_leaves(
        [_renumbered(groups, used) for groups in held],
        matrices,
        None if all_in is None else [all_in.groups],
    )


@dataclass(frozen=True, slots=True)
class _AllIn:
    """What is the same for all leaves where both are all-in.

    Attributes:
        groups: of each player's hands, uint16 (hands,).
        matrix: float32 (groups of player 0, groups of player 1, 1, 1).
    """

    groups: list[npt.NDArray[np.uint16]]
    matrix: npt.NDArray[np.float32]

    @classmethod
    def of(cls, boards: RangeBoards, equities: TurnEquities) -> _AllIn:
        held = _hands_groups(boards, 0, 0, (equities.groups, equities.groups))
        used = _used([held])
        matrix = equities.shares.take(used[0], 0).take(used[1], 1) - np.float32(0.5)
        return cls(_renumbered(held, used), matrix[:, :, None, None])


def _matrix(
    leaves: LeafValues, node: Node, used: list[npt.NDArray[np.int64]]
) -> npt.NDArray[np.float32]:
    """The matrix of a leaf for the groups that hands are in."""
    matrix = np.asarray(leaves.matrix(node), np.float32)
    count = len(node.children)
    if (
        matrix.ndim != 4
        or matrix.shape[2:] != (count, count)
        or any(used[player][-1] >= matrix.shape[player] for player in (0, 1))
    ):
        raise MismatchError(
            f"the leaf after '{node.path()}' has values of shape {matrix.shape}, and "
            f"wants (over {used[0][-1]}, over {used[1][-1]}, {count}, {count})",
            "give a value for each pair of groups and of choices",
        )
    for player in (0, 1):
        if len(used[player]) < matrix.shape[player]:
            matrix = matrix.take(used[player], player)
    return matrix


def _used(held: Sequence[Sequence[npt.NDArray[np.int64]]]) -> list[npt.NDArray[np.int64]]:
    """The groups of either player that a hand is in on some board, ascending."""
    return [np.unique(np.concatenate([groups[player] for groups in held])) for player in (0, 1)]


def _renumbered(
    groups: Sequence[npt.NDArray[np.int64]], used: Sequence[npt.NDArray[np.int64]]
) -> list[npt.NDArray[np.uint16]]:
    """The groups of a board's hands by their places among those that are used."""
    return [np.searchsorted(used[player], groups[player]).astype(np.uint16) for player in (0, 1)]


def _groups_on(
    boards: RangeBoards, street: int, number: int, leaves: LeafValues
) -> list[npt.NDArray[np.int64]]:
    """The group of each hand of a board's lists, player by player."""
    cards: list[Card] = []
    board = number
    for before in range(street - 1, -1, -1):
        cards.insert(0, int(boards.dealings[before][1][board]))
        board = int(boards.dealings[before][0][board])
    return _hands_groups(boards, street, number, leaves.groups((*boards.board, *cards)))


def _hands_groups(
    boards: RangeBoards, street: int, number: int, tables: tuple[Groups, Groups]
) -> list[npt.NDArray[np.int64]]:
    """The group of each hand of a board's lists, by tables of all holes."""
    groups = []
    for player, table in enumerate(tables):
        low, high = np.sort(boards.hands(street, number, player), axis=1).astype(np.int64).T
        groups.append(np.asarray(table, np.int64)[high * (high - 1) // 2 + low])
    return groups
