"""A seat that plays by itself: the blueprint, followed in its tree as the real hand goes on.

An `Agent` is asked with a `State` and answers with a `Decision`. Where the hand stands in the tree
is found by going through the hand again, so that it may be asked in any order, of any seat, and
after a connection was lost. Invariant: its action is always legal, and without search what it
answers depends on the policy, its seed, the hand's number and the hand, and on nothing else.

With search (`holdem.search.resolver`) decisions after the flop are thought again while they are
made. Then the answer depends on the time there was, and on what was answered before in the hand.
Where a decision cannot be thought again, the blueprint's is taken, with the reason.

Where the policy has no answer either (more chips are bet than its tree knows of, or a street that
it was not trained for) the agent never raises: it checks, or calls if its equity against random
hands pays for that.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from holdem._core.equity import hand_vs_random
from holdem._core.rng import words
from holdem._core.rollout import rollout_equities
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.translation import Follower, Translator
from holdem.errors import ConfigError, MismatchError, RulesError
from holdem.evaluation.contestants import Loader
from holdem.game.cards import CLASS_COMBOS, CLASS_OF_HOLE, HOLES, class_of
from holdem.game.policy import Policy
from holdem.game.rules import CALL, FOLD, Action, Hole, Played, State
from holdem.mccfr.blueprint import Blueprint
from holdem.search.continuations import ContinuationValues
from holdem.search.ranges import BucketsOfHoles
from holdem.search.resolver import NotSearched, Resolver, Thought
from holdem.types import GameConfig, SearchConfig

__all__ = ["Agent", "Decider", "Decision", "Option", "Tally", "load_policy"]

# Of the streams that are drawn from, by place; translations have lanes of their own.
_CHOICE_LANE = 1 << 32

_NO_DECISION = "the policy's tree has no decision here"


@dataclass(frozen=True, slots=True)
class Option:
    """A legal action and how likely the policy, or the search, takes it.

    Attributes:
        value: chips that it wins, more than by folding, as the search has it; None without.
    """

    action: Action
    probability: float
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why.

    Attributes:
        action: drawn from the options; legal.
        options: by rising amount, folding first; probabilities sum to 1. Actions of the policy that
            come to the same at this table are one.
        situation: where the hand stands in the policy's tree, in words.
        bucket: of the hand, on its street; None if the policy had no answer.
        fallback: why who should have answered did not: the search, or else the policy; empty if it
            did.
        seconds: that the answer took.
        searched: what was solved, and how well, in words; empty if nothing was.
        iterations: of the search.
        blueprint: what the policy alone would have done, if something was solved.
    """

    action: Action
    options: tuple[Option, ...]
    situation: str
    bucket: int | None
    fallback: str
    seconds: float
    searched: str = ""
    iterations: int = 0
    blueprint: tuple[Option, ...] = ()


@dataclass(slots=True)
class Tally:
    """How long decisions took, and how many were not answered by who should have.

    Attributes:
        decisions: how long each took, in seconds.
        fallbacks: how many fell back, see `Decision.fallback`.
    """

    decisions: list[float] = field(default_factory=list)
    fallbacks: int = 0

    def add(self, seconds: float, *, fallback: bool) -> None:
        """Count a decision."""
        self.decisions.append(seconds)
        self.fallbacks += fallback

    def percentile(self, share: float) -> float:
        """Return the seconds within which *share* of the decisions were made; 0 without any."""
        ordered = sorted(self.decisions)
        return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0.0

    @property
    def fallback_rate(self) -> float:
        """The share of decisions that fell back."""
        return self.fallbacks / len(self.decisions) if self.decisions else 0.0


class Decider(Protocol):
    """Whoever plays a seat."""

    def decide(self, state: State, hand: int) -> Decision:
        """Return what the player to act at *state* does in hand number *hand*."""


class Agent:
    """Plays any seat of a game as a blueprint does.

    Stacks, blinds and bets may be others than the blueprint's, see
    `holdem.abstraction.translation`.

    Attributes:
        policy: the blueprint.
        bucketing: the buckets that it was trained with.
        game: what is really played.
    """

    def __init__(
        self,
        policy: Policy,
        bucketing: HandBucketing,
        game: GameConfig,
        *,
        seed: int = 42,
        search: SearchConfig | None = None,
        continuations: ContinuationValues | None = None,
    ) -> None:
        """Make an agent for hands of *game*.

        Args:
            policy: the blueprint.
            bucketing: the buckets that it was trained with.
            game: what is really played.
            seed: of its random choices.
            search: how decisions are thought again; None for not at all.
            continuations: what search knows of the streets that it does not solve.

        Raises:
            MismatchError: the policy is for other cards, buckets or another number of players.
            ConfigError: the seed is not from 0 to 2^63 - 1, or the search's menu cannot be used.
        """
        if not 0 <= seed < 2**63:
            raise ConfigError(f"seed {seed} is not from 0 to 2^63 - 1", "choose another seed")
        counts = policy.tree.bucket_counts
        if bucketing.num_buckets[: len(counts)] != counts:
            raise MismatchError(
                f"a policy with buckets {counts}, a bucket set of {bucketing.num_buckets}",
                "name the set that it was trained with: --buckets PATH",
            )
        self.policy = policy
        self.bucketing = bucketing
        self.game = game
        self._seed = seed
        self._translator = Translator(policy.tree, game)
        self._buckets = BucketsOfHoles(bucketing)
        self._resolver = (
            None
            if search is None
            else Resolver(
                policy,
                bucketing,
                self._translator,
                search,
                seed=seed,
                continuations=continuations,
            )
        )

    def decide(self, state: State, hand: int) -> Decision:
        """Return what the player to act at *state* does.

        Args:
            state: the hand; the cards of the player to act must be known.
            hand: its number.

        Raises:
            RulesError: nobody is to act, or its cards are not known.
        """
        start = time.monotonic()
        seat = state.actor
        hole = None if seat is None else state.hole_cards[seat]
        if hole is None:
            raise RulesError(
                "nobody is to act" if seat is None else f"the cards of seat {seat} are not known",
                "ask at a player's decision, with its cards",
            )
        if self._resolver is None or not state.board:
            return self._by_policy(state, hand, hole, start)
        try:
            thought = self._resolver.think(state, hand, started=start)
        except NotSearched as reason:
            decision = self._by_policy(state, hand, hole, start)
            why = "; ".join(filter(None, (_why(reason), decision.fallback)))
            return replace(decision, fallback=why)
        action = thought.actions[self._draw(np.array(thought.probabilities), state, hand)]
        beside = self._by_policy(state, hand, hole, start)
        return _searched(action, thought, beside, time.monotonic() - start)

    def strategies(
        self, state: State, hand: int
    ) -> tuple[tuple[Action, ...], NDArray[np.float32], str]:
        """Return what the player to act at *state* would do with each hole.

        Args:
            state: the hand; nobody's cards need be known.
            hand: its number.

        Returns:
            Legal actions; how likely each hole takes them, float32 (1326, actions), anything for
            holes that share a card with the board; and the `Decision.fallback`.

        Raises:
            RulesError: nobody is to act.
        """
        why = ""
        if self._resolver is not None and state.board:
            try:
                return *self._resolver.strategies(state, hand), ""
            except NotSearched as reason:
                why = _why(reason)
        follower = self._translator.replay(state, self._seed, hand)
        node = follower.decision(state)
        if node is None:
            return *self._passive_strategies(state), "; ".join(filter(None, (why, _NO_DECISION)))
        rows = self.policy.strategy(node)
        actions = tuple(follower.action(state, choice) for choice in range(rows.shape[1]))
        return actions, rows[self._buckets.on(state.board)], why

    def _by_policy(self, state: State, hand: int, hole: Hole, start: float) -> Decision:
        """What the blueprint does; without an answer of its own, check or call by price."""
        follower = self._translator.replay(state, self._seed, hand)
        node = follower.decision(state)
        if node is None:
            action = self._passive(state, hole)
            return Decision(
                action,
                (Option(action, 1.0),),
                self.policy.tree.describe(follower.node),
                None,
                _NO_DECISION,
                time.monotonic() - start,
            )
        bucket = self.bucketing.bucket(hole, state.board)
        chances = self.policy.strategy(node)[bucket]
        action = follower.action(state, self._draw(chances, state, hand))
        return Decision(
            action,
            _options(follower, state, chances),
            self.policy.tree.describe(node),
            bucket,
            "",
            time.monotonic() - start,
        )

    def _passive(self, state: State, hole: Hole) -> Action:
        """Return a check, or a call where equity against random hands pays for it, else a fold."""
        if not state.legal_actions().can_fold:
            return CALL
        return CALL if self._equity(hole, state.board) >= _price(state) else FOLD

    def _passive_strategies(self, state: State) -> tuple[tuple[Action, ...], NDArray[np.float32]]:
        """Return the same for every hole, as `strategies` does."""
        if not state.legal_actions().can_fold:
            return (CALL,), np.ones((len(HOLES), 1), np.float32)
        if state.board:
            equities = _equities(state.board)
        else:
            rows = self.bucketing.preflop_equities[CLASS_OF_HOLE]
            equities = rows @ CLASS_COMBOS / CLASS_COMBOS.sum()
        calls = equities >= _price(state)
        return (FOLD, CALL), np.stack([~calls, calls], axis=1).astype(np.float32)

    def _equity(self, hole: Hole, board: tuple[int, ...]) -> float:
        """Return the share of the pot that *hole* wins from one random hand."""
        if board:
            return hand_vs_random(hole, board).equity
        row = self.bucketing.preflop_equities[class_of(*hole)]
        return float(row @ CLASS_COMBOS / CLASS_COMBOS.sum())

    def _draw(self, chances: NDArray[np.floating], state: State, hand: int) -> int:
        """Return one of the actions of a decision."""
        place = sum(isinstance(event, Played) for event in state.events)
        word = int(words(self._seed, hand, _CHOICE_LANE + place, 1)[0])
        up_to = np.cumsum(chances, dtype=np.float64)
        drawn = (word >> 11) * 2.0**-53 * up_to[-1]
        # The last action that is possible at all, should the sum round below the draw.
        return min(int(np.searchsorted(up_to, drawn, "right")), int(np.flatnonzero(chances)[-1]))


def load_policy(path: Path, buckets: Path | None = None) -> tuple[Blueprint, HandBucketing]:
    """Return the policy at *path* and the bucket set that it was trained with.

    Args:
        path: ``avg_policy.json``, its folder, or the folder of a run.
        buckets: the bucket set; by default it is looked for as `Loader` does.

    Raises:
        StorageError: one of them is missing or damaged.
        MismatchError: they do not belong together, the bucket set is not found, or it is a policy
            of no hold'em.
    """
    loader = Loader(buckets)
    player = loader.policy(path)
    if player.bucketing is None:
        raise MismatchError(
            f"{path} is a policy for {player.tree.game.name!r}, which is played without buckets",
            "choose a policy of hold'em",
        )
    loader.require_used()
    assert isinstance(player.policy, Blueprint)
    return player.policy, player.bucketing


def _why(reason: NotSearched) -> str:
    """Return a reason, and what can be done about it."""
    return f"{reason} ({reason.remedy})" if reason.remedy else str(reason)


def _price(state: State) -> float:
    """Return the equity against one random hand from which on a call pays against them all."""
    assert state.actor is not None  # somebody faces a bet
    call = state.legal_actions().call
    mine = state.paid[state.actor] + call
    pot = sum(min(paid, mine) for paid in state.paid) + call
    price: float = (call / pot) ** (1 / (len(state.live) - 1))
    return price


@lru_cache(maxsize=8)
def _equities(board: tuple[int, ...]) -> NDArray[np.float64]:
    """Return each hole's share of the pot against one random hand, 0 if it is not possible."""
    alive = np.flatnonzero(~np.isin(HOLES, board).any(axis=1))
    met = np.ones((len(alive), len(alive)))
    for place in range(2):
        met *= ~(HOLES[alive, place][:, None, None] == HOLES[alive]).any(axis=2)
    equities = np.zeros(len(HOLES))
    shares = rollout_equities(HOLES[alive], board)[:, alive]
    equities[alive] = (shares * met).sum(axis=1) / met.sum(axis=1)
    return equities


def _searched(action: Action, thought: Thought, beside: Decision, seconds: float) -> Decision:
    """Return the decision for *action*, which a search found, with the policy's *beside* it."""
    found = zip(thought.actions, thought.probabilities, thought.values, strict=True)
    return Decision(
        action,
        tuple(Option(one, chance, None if math.isnan(v) else v) for one, chance, v in found),
        beside.situation,
        beside.bucket,
        "",
        seconds,
        searched=", ".join(filter(None, (thought.subgame, thought.note))),
        iterations=thought.iterations,
        blueprint=() if beside.fallback else beside.options,
    )


def _options(follower: Follower, state: State, chances: NDArray[np.float32]) -> tuple[Option, ...]:
    """Return the real actions that a decision's actions come to, and how likely each is."""
    found: dict[Action, float] = {}
    for choice, chance in enumerate(chances.tolist()):
        action = follower.action(state, choice)
        found[action] = found.get(action, 0.0) + chance
    order = sorted(found, key=lambda action: (action.kind, action.amount))
    total = sum(found.values())
    return tuple(Option(action, found[action] / total) for action in order)
