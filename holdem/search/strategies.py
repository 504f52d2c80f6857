"""Reading strategies out of a walk's rows: which board stands for some cards, hand by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from holdem._core.range_boards import RangeBoards
from holdem._core.range_walk import RangeWalk
from holdem.game.cards import HOLES, Card
from holdem.search.runouts import Renaming
from holdem.search.subgame import Node, NodeKind

__all__ = ["HandStrategy", "StrategyReader", "rename_holes"]


@dataclass(frozen=True, slots=True)
class HandStrategy:
    """What a player does at a decision, hand by hand.

    Attributes:
        player: 0 out of position, 1 in position.
        actions: their names, as in ``"bet 100"``.
        holes: int64 (hands,), the numbers of the hands that the board leaves.
        weights: float32 (hands,), how often each hand gets here, the range's weight included.
        probabilities: float32 (hands, actions).
    """

    player: int
    actions: tuple[str, ...]
    holes: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    probabilities: npt.NDArray[np.float32]

    def frequencies(self) -> npt.NDArray[np.float64]:
        """Return how often each action is taken, by weight of the hands: (actions,)."""
        weights = self.weights.astype(np.float64)
        return (weights @ self.probabilities) / max(float(weights.sum()), 1e-300)


@dataclass(frozen=True, slots=True)
class StrategyReader:
    """The average strategies of a walk.

    Attributes:
        boards, walk: where they are.
        weights: of both ranges, in the order of the first board's lists before they are ranked.
    """

    boards: RangeBoards
    walk: RangeWalk
    weights: tuple[npt.NDArray[np.float32], ...]

    def strategy(self, node: Node, cards: Sequence[Card]) -> HandStrategy:
        """Return the average strategy at a decision, once *cards* have come."""
        board, renaming = self.board_of(cards)
        holes = self.holes_on(node.street, board, node.actor)
        probabilities = self._probabilities(node, board)[: len(holes)]
        weights = self.reach(node, board, node.actor)
        actual = rename_holes(holes, _inverse(renaming))
        names = tuple(child.action for child in node.children)
        return HandStrategy(node.actor, names, actual, weights, probabilities)

    def _probabilities(self, node: Node, board: int) -> npt.NDArray[np.float32]:
        """The average strategy, (pad, actions), in the order of the board's list."""
        rows = self.sums(node, board).astype(np.float32).T
        totals = rows.sum(axis=1, keepdims=True)
        uniform = np.full_like(rows, 1 / rows.shape[1])
        np.divide(rows, totals, out=uniform, where=totals > 0)
        return uniform

    def sums(self, node: Node, board: int) -> npt.NDArray[Any]:
        """The rows of strategy sums, (actions, pad); a view."""
        first, count, pad, _ = self.walk.rows_at(node.street, board, node.part, node.index)
        return self.walk.sums[first : first + count * pad].reshape(count, pad)

    def reach(
        self,
        node: Node,
        board: int,
        player: int,
        weights: npt.NDArray[np.float32] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Return how often a player's hands get to *node* by the player's own strategy.

        In the order of the board's list; the range's weights, or *weights*, are included.
        """
        steps: list[tuple[Node, int]] = []
        below, above = node, node.parent
        while above is not None:
            if above.kind == NodeKind.DECIDE and above.actor == player:
                steps.append((above, above.children.index(below)))
            below, above = above, above.parent
        boards = self._boards_to(node.street, board)
        if weights is None:
            weights = self.weights[player]
        for street, number in enumerate(boards):
            weights = np.append(weights, np.float32(0))[self.boards.places(street, number, player)]
            for step, action in steps:
                if step.street == street:
                    weights = weights * self._probabilities(step, number)[: len(weights), action]
        return np.asarray(weights, np.float32)

    def _boards_to(self, street: int, board: int) -> list[int]:
        """The boards from the first to *board*."""
        boards = [board]
        for before in range(street - 1, -1, -1):
            boards.insert(0, int(self.boards.dealings[before][0][boards[0]]))
        return boards

    def holes_on(self, street: int, board: int, player: int) -> npt.NDArray[np.int64]:
        """Return the numbers of a player's holes on a board, in the order of its list."""
        low, high = np.sort(self.boards.hands(street, board, player), axis=1).astype(np.int64).T
        return _hole_numbers(low, high)

    def board_of(self, cards: Sequence[Card]) -> tuple[int, Renaming]:
        """The board that stands for *cards*, and the renaming that leads to it."""
        board = 0
        to_ours: Renaming = (0, 1, 2, 3)
        for street, card in enumerate(cards):
            wanted = card - card % 4 + to_ours[card % 4]
            _, dealt, first_maps, renamings = self.boards.dealings[street]
            board, which = next(
                (child, renaming)
                for child in self.boards.children(street, board)
                for renaming in renamings[first_maps[child] : first_maps[child + 1]].tolist()
                if dealt[child] // 4 * 4 + renaming[dealt[child] % 4] == wanted
            )
            back = _inverse(tuple(which))
            to_ours = tuple(back[suit] for suit in to_ours)
        return board, to_ours


def _inverse(renaming: Renaming) -> Renaming:
    return tuple(renaming.index(suit) for suit in range(4))


def rename_holes(holes: npt.NDArray[np.int64], renaming: Renaming) -> npt.NDArray[np.int64]:
    """The numbers of holes after their suits are renamed."""
    cards = HOLES[holes].astype(np.int64)
    low, high = np.sort(cards - cards % 4 + np.array(renaming)[cards % 4], axis=1).T
    return _hole_numbers(low, high)


def _hole_numbers(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    numbers: npt.NDArray[np.int64] = high * (high - 1) // 2 + low
    return numbers
