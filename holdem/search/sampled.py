"""A street's subgame of any number of players, solved by sampled walks.

Three ranges and more cannot be walked whole as two can: which hands meet is no product of pairs.
So the others' hands are drawn (`holdem/_core/subgame_walk.pyx`), all hands of one player are
taken through the betting against them, and the noise of that is averaged out, Linear CFR (Brown &
Sandholm 2019) being as patient with it as with any. With three players or more no solution is
known to be unbeatable; in practice such play wins (Brown & Sandholm 2019, Pluribus).

One thread does it. What is found depends on the seed and the number of iterations only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from holdem._core.evaluator import evaluate
from holdem._core.subgame_walk import SubgameWalk
from holdem.errors import ConfigError, MismatchError
from holdem.game.cards import HOLES, cards_text
from holdem.game.ranges import without_cards
from holdem.game.rules import Action, State
from holdem.search.playing_on import Leaf, PlayingOn
from holdem.search.spot import Menu
from holdem.search.strategies import HandStrategy
from holdem.search.street_tree import StreetNode, build_street_tree
from holdem.search.subgame import CHOICES

__all__ = ["SampledSolver"]

Weights = npt.NDArray[np.float32]

_BLOCK = 16
"""Hands are padded to a multiple of this, with one that is none at least."""


class SampledSolver:
    """The strategies of a street's subgame, and the iterations that better them.

    Args:
        start: the beginning of the street.
        weights: by seat of its holes, (1326,); None of who has folded.
        menu: the bets on offer.
        line: what was done on the street since.
        seed: of what is drawn.
        playing_on: before the river, how the blueprint plays on from the street's end, where each
            player chooses among four ways of it; by default the cards decide there.
        node: where the blueprint's tree stands as the street begins.

    Attributes:
        tree: the public tree.
        iterations: done so far: each is a walk of every player.

    Raises:
        ConfigError: the menu makes too large a tree, or the ranges cannot meet.
        MismatchError: the blueprint's tree has no place where the street ends.
    """

    def __init__(
        self,
        start: State,
        weights: Sequence[Weights | None],
        menu: Menu,
        line: Sequence[Action] = (),
        *,
        seed: int = 0,
        playing_on: PlayingOn | None = None,
        node: int = 0,
    ) -> None:
        self.tree = build_street_tree(start, menu, line)
        self._playing_on = playing_on
        self._leaves = playing_on.leaves(self.tree, node) if playing_on else {}
        self._seed = seed
        self._holes = [_holes(held, start) for held in weights]
        counts = [len(holes) for holes in self._holes]
        for seat in start.live:
            if not counts[seat]:
                raise ConfigError(
                    f"seat {seat} has no hand left on {cards_text(start.board)}",
                    "give it hands that share no card with the board",
                )
        self._weights = [
            np.zeros(0, np.float32) if held is None else held[holes]
            for held, holes in zip(weights, self._holes, strict=True)
        ]
        self._locked: dict[StreetNode, Weights] = {}
        self._made: SubgameWalk | None = None

    @property
    def iterations(self) -> int:
        """How many were done."""
        return 0 if self._made is None else self._made.iterations

    @property
    def size(self) -> float:
        """Nodes times hands, of which an iteration takes its share."""
        hands = sum(map(len, self._holes)) / len(self.tree.line_end.state.live)
        return len(self.tree.nodes) * hands

    def lock(self, node: StreetNode, table: Weights) -> None:
        """Fix what the actor of *node* does: how likely each hole takes each action.

        Args:
            node: a decision; before the first iteration.
            table: (1326, actions).

        Raises:
            MismatchError: it is not for these actions, or iterations have been done.
        """
        if self._made is not None or table.shape != (len(HOLES), len(node.children)):
            raise MismatchError(
                f"a strategy of shape {table.shape} after {self.iterations} iterations",
                f"give one of (1326, {len(node.children)}) before the first",
            )
        self._locked[node] = table

    def run(self, iterations: int, *, deadline: float | None = None, least: int = 0) -> int:
        """Do iterations; return how many were done.

        Args:
            iterations: how many, if time allows.
            deadline: when to begin no more, on the clock of `time.monotonic`.
            least: iterations that are done even so.
        """
        until = 2**62 if deadline is None else int(deadline * 1e9)
        return self._walk.run(self._seed, iterations, until, least)

    def strategy(self, node: StreetNode) -> HandStrategy:
        """Return the average strategy at a decision."""
        seat = node.state.actor
        assert seat is not None  # it is a decision
        return HandStrategy(
            player=seat,
            actions=node.names,
            holes=self._holes[seat],
            weights=self._reach(node, seat),
            probabilities=self._chances(node),
        )

    def _chances(self, node: StreetNode) -> npt.NDArray[np.float32]:
        """The average strategy at a decision: (hands, actions)."""
        assert node.state.actor is not None  # it is a decision
        num_holes = len(self._holes[node.state.actor])
        sums = self._rows(self._walk.sums, self._walk.pads, node)[:, :num_holes]
        totals = sums.sum(axis=0)
        chances = np.full_like(sums, 1 / len(sums))
        np.divide(sums, totals, out=chances, where=totals > 0)
        return np.ascontiguousarray(chances.T)

    def _reach(self, node: StreetNode, seat: int) -> Weights:
        """How often a seat's holes get to a node by the seat's own strategy: (hands,)."""
        parents = {child: parent for parent in self.tree.nodes for child in parent.children}
        weights = self._weights[seat]
        while node in parents:
            below, node = node, parents[node]
            if node.state.actor == seat:
                weights = weights * self._chances(node)[:, node.children.index(below)]
        return weights

    def action_values(self, hole: int) -> npt.NDArray[np.float64]:
        """Return what the actions at the line's end win with a hole, in chips, more than folding.

        As the others played over all iterations, late ones more, which is what the average
        strategy learns from. NaN if nobody who can have acted so was met.

        Args:
            hole: its number.
        """
        state = self.tree.line_end.state
        assert state.actor is not None  # it is a decision
        place = int(np.flatnonzero(self._holes[state.actor] == hole)[0])
        met = float(self._walk.met[place])
        if met <= 0:
            return np.full(len(self.tree.line_end.children), math.nan)
        return self._walk.values[:, place] / met + state.paid[state.actor]

    # ---- The walk ------------------------------------------------------------------------

    @property
    def _walk(self) -> SubgameWalk:
        """What does the work; made late, when it is known what is locked."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> SubgameWalk:
        tree = self.tree
        pads = [(len(holes) // _BLOCK + 1) * _BLOCK if len(holes) else 0 for holes in self._holes]
        first_rows, leaf_rows = [], []
        end = 0
        for node in tree.nodes:
            first_rows.append(end)
            if node.state.actor is not None:
                end += len(node.children) * pads[node.state.actor]
                continue
            row = np.full(len(pads), -1, np.int64)
            for seat in node.state.live if node in self._leaves else ():
                if node.state.stacks[seat]:
                    row[seat] = end
                    end += len(CHOICES) * pads[seat]
            leaf_rows.append(row)
        self._first_rows, self._leaf_rows = first_rows, leaf_rows
        walk = SubgameWalk(
            tree.table(first_rows, self._locked, self._leaves),
            *tree.stakes(),
            [HOLES[holes] for holes in self._holes],
            self._weights,
            tree.nodes[0].state.board,
            end,
            tree.line_end.index,
            None if self._playing_on is None else self._leaf_arrays(leaf_rows),
            None if self._playing_on is None else self._playing_on.blueprint,
        )
        for node, table in self._locked.items():
            assert node.state.actor is not None  # it is a decision
            held = self._holes[node.state.actor]
            # A strategy is what regrets in its proportion play, if they stay as they are.
            self._rows(walk.regrets, walk.pads, node)[:, : len(held)] = table[held].T
        return walk

    def _leaf_arrays(self, leaf_rows: list[npt.NDArray[np.int64]]) -> tuple[npt.NDArray[Any], ...]:
        """What `SubgameWalk` wants to know of leaves, place by place."""
        over = self.tree.over()
        nowhere = Leaf(0, np.zeros(len(self._holes), np.int32), 0.0)
        leaves = [self._leaves.get(node, nowhere) for node in over]
        return (
            np.array(leaf_rows),
            np.array([node.state.stacks for node in over], np.int32),
            np.array([leaf.node for leaf in leaves], np.int32),
            np.array([leaf.stakes for leaf in leaves]),
            np.array([leaf.scale for leaf in leaves]),
        )

    def _rows(
        self, rows: npt.NDArray[np.float32], pads: tuple[int, ...], node: StreetNode
    ) -> npt.NDArray[np.float32]:
        """The rows of a decision, (actions, pad); a view."""
        assert node.state.actor is not None
        first, count, pad = self._first_rows[node.index], len(node.children), pads[node.state.actor]
        return rows[first : first + count * pad].reshape(count, pad)


def _holes(weights: Weights | None, start: State) -> npt.NDArray[np.int64]:
    """The numbers of the holes that a seat can have, the weakest on the board first."""
    if weights is None:
        return np.zeros(0, np.int64)
    holes = np.flatnonzero(without_cards(weights, start.board))
    board = np.broadcast_to(np.array(start.board, np.uint8), (len(holes), len(start.board)))
    strengths = evaluate(np.concatenate([HOLES[holes], board], axis=1))
    return holes[np.argsort(strengths, kind="stable")]
