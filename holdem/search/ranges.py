"""What both players can hold when a street begins, as the blueprint's play so far says it.

Each of the 1,326 holes begins with weight 1. Every action that was seen multiplies the weights of
whoever acted by how likely the blueprint takes it with each hand; a bet that the blueprint's tree
does not have counts as the mixture that it is translated to. Where a player is known to have
played otherwise, because it was this program and it had thought again, that counts instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from holdem._core import indexer
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.translation import Follower, Translator
from holdem.game.cards import CLASS_OF_HOLE, HOLES, Card
from holdem.game.policy import Policy
from holdem.game.rules import Action, Played, State

__all__ = ["Beliefs", "BucketsOfHoles", "StreetStart"]

Weights = npt.NDArray[np.float32]
"""By hole: (1326,)."""

_LEAST_SHARE = 1e-3
"""A hand less likely than this share of the likeliest one is left out."""


class BucketsOfHoles:
    """The buckets of all 1,326 holes on a board."""

    def __init__(self, bucketing: HandBucketing) -> None:
        self._tables = bucketing.tables
        self.on = lru_cache(maxsize=16)(self._on)

    def _on(self, board: tuple[Card, ...]) -> npt.NDArray[np.int64]:
        """Return the bucket of each hole on *board*, 0 where they share a card: (1326,)."""
        street = max(0, len(board) - 2)
        if not street:
            return np.asarray(self._tables[0][CLASS_OF_HOLE], np.int64)
        alive = np.flatnonzero(~np.isin(HOLES, board).any(axis=1))
        cards = np.empty((len(alive), 2 + len(board)), np.uint8)
        cards[:, :2], cards[:, 2:] = HOLES[alive], board
        buckets = np.zeros(len(HOLES), np.int64)
        buckets[alive] = self._tables[street][indexer.index(cards)]
        return buckets


@dataclass(frozen=True, slots=True)
class StreetStart:
    """A hand at the beginning of the street that it is on.

    Attributes:
        state: then.
        follower: where the blueprint's tree stood then.
        weights: by seat, of its holes; None of who has folded.
        line: what was done since.
    """

    state: State
    follower: Follower
    weights: tuple[Weights | None, ...]
    line: tuple[Action, ...]


class Beliefs:
    """What the players of a hand can hold, from what they did.

    Attributes:
        buckets: of the blueprint.
    """

    def __init__(self, policy: Policy, bucketing: HandBucketing, translator: Translator) -> None:
        """Follow hands by *policy*, in the betting tree of *translator*."""
        self._policy = policy
        self.buckets = BucketsOfHoles(bucketing)
        self._translator = translator

    def at_street_start(
        self, state: State, seed: int, hand: int, known: Callable[[int, Action], Weights | None]
    ) -> StreetStart:
        """Return how the street of *state* began.

        Args:
            state: the hand now.
            seed, hand: of the draws of its translation, see `Translator.replay`.
            known: how likely each hole took an action, event number *i* of the hand, if that is
                known better than from the blueprint; else None.
        """
        follower = self._translator.begin(seed, hand)
        now = State.new(state.game)
        weights: list[Weights | None] = [np.ones(len(HOLES), np.float32)] * len(state.stacks)
        start = StreetStart(now, follower, tuple(weights), ())
        line: list[Action] = []
        for place, event in enumerate(state.events):
            if isinstance(event, Played):
                before = weights[event.seat]
                assert before is not None  # who acts has not folded
                likelihood = known(place, event.action)
                if likelihood is None:
                    likelihood = self._likelihood(follower, now, event.action)
                weights[event.seat] = _times(before, likelihood)
                follower = follower.after(now, event.action)
                now = now.apply(event.action)
                line.append(event.action)
                if now.folded >> event.seat & 1:
                    weights[event.seat] = None
            else:
                now = now.deal_board(event.cards)
                weights = [w if w is None else _without(w, event.cards) for w in weights]
                start, line = StreetStart(now, follower, tuple(weights), ()), []
        return StreetStart(start.state, start.follower, start.weights, tuple(line))

    def _likelihood(self, follower: Follower, state: State, action: Action) -> Weights | None:
        """How likely the blueprint takes *action* with each hole; None where it does not say."""
        node = follower.decision(state)
        if node is None:
            return None
        rows = self._policy.strategy(node)
        options = self._translator.options(node, state, action)
        chances = sum(share * rows[:, choice] for choice, share in options)
        return np.asarray(chances, np.float32)[self.buckets.on(state.board)]


def _times(weights: Weights, likelihood: Weights | None) -> Weights:
    """Weights after an action, the largest of them 1; as before if no hand would take it."""
    if likelihood is None:
        return weights
    after: Weights = np.multiply(weights, likelihood, dtype=np.float32)
    most = float(after.max())
    if most <= 0:
        return weights
    return np.asarray(np.where(after < most * _LEAST_SHARE, 0, after / most), np.float32)


def _without(weights: Weights, cards: tuple[Card, ...]) -> Weights:
    """Weights once *cards* are on the board; those of all other hands if none is left."""
    alive = ~np.isin(HOLES, cards).any(axis=1)
    left: Weights = np.where(alive, weights, np.float32(0))
    return left if np.any(left) else np.asarray(alive, np.float32)
