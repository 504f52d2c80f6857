"""A decision thought again in real time: the subgame from the street's beginning, solved anew.

What both players can hold is followed by the blueprint (`holdem.search.ranges`). The subgame
begins with the street, has the bets that were really made on it, and is solved for both players
with all their hands. On later decisions of the street it is solved again from the same beginning;
what this program did before with each of its hands is held fast.

A `Resolver` remembers one hand: what it found for each hole that whoever acted could have. All
else comes from the state that it is asked about. How far it gets depends on the machine; so its
answers, alone in this package, depend on the clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.translation import Translator
from holdem.errors import ConfigError, HoldemError, MismatchError, ResourceError, RulesError
from holdem.game.cards import HOLES
from holdem.game.menu import MILLION, SizeKind, parse_size
from holdem.game.policy import Policy
from holdem.game.rules import Action, Event, Hole, State
from holdem.machine import usable_cores
from holdem.search.alternatives import river_alternatives
from holdem.search.continuations import ContinuationValues
from holdem.search.gadget import Gadget
from holdem.search.horizon import action_to, street_leaves
from holdem.search.ranges import Beliefs, StreetStart, Weights
from holdem.search.solver import SubgameSolver
from holdem.search.spot import Menu, Spot
from holdem.search.strategies import HandStrategy
from holdem.search.subgame import Node, PublicTree, build_public_tree, child_after
from holdem.types import STREETS, SearchConfig

__all__ = ["NotSearched", "Resolver", "Thought"]

_MOST_ITERATIONS = 100_000
"""Of one decision: by then there is nothing left to better."""
_ITERATIONS_AT_ONCE = 1_000
_FEWEST_NODES = 3
"""Of a street that is bet on."""
_FIRST_GUESS = 2e-9
"""Seconds for a node and a hand, until some were measured."""


class NotSearched(HoldemError):
    """Why a decision was not thought again."""


@dataclass(frozen=True, slots=True)
class Thought:
    """What a search found for one decision.

    Attributes:
        actions: legal, in the order of the subgame.
        probabilities: of them, for the hand that is really held; they sum to 1.
        values: of them in chips, more than by folding, if both play on as the search says; NaN if
            the opponent should not be there with any hand.
        subgame: what was solved, in words.
        iterations: that were done.
        note: what should be known of it; empty if nothing.
    """

    actions: tuple[Action, ...]
    probabilities: tuple[float, ...]
    values: tuple[float, ...]
    subgame: str
    iterations: int
    note: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found for one decision, for whatever could be held.

    Attributes:
        names: of the subgame's actions.
        actions: the legal ones that they come to.
        table: how likely each hole takes them, float32 (1326, actions).
    """

    names: tuple[str, ...]
    actions: tuple[Action, ...]
    table: npt.NDArray[np.float32]

    def likelihood(self, action: Action) -> Weights | None:
        """How likely each hole takes a legal action, (1326,); None if it was not thought of."""
        columns = [column for column, one in enumerate(self.actions) if one == action]
        return np.asarray(self.table[:, columns].sum(axis=1), np.float32) if columns else None


@dataclass(slots=True)
class _Memory:
    """What was found in one hand from one seat, by the events before."""

    place: tuple[int, int] = (-1, -1)
    found: dict[tuple[Event, ...], _Found] = field(default_factory=dict)

    def begin(self, hand: int, seat: int) -> None:
        """Forget all hands but number *hand* as it is played at *seat*."""
        if (hand, seat) != self.place:
            self.place = (hand, seat)
            self.found.clear()

    def likelihood(self, before: tuple[Event, ...], action: Action) -> Weights | None:
        """How likely each hole took an action; None where that was not thought of."""
        return self.found[before].likelihood(action) if before in self.found else None


class Resolver:
    """Thinks decisions of two players after the flop again.

    Attributes:
        config: time, depth, menu and safety.
    """

    def __init__(
        self,
        policy: Policy,
        bucketing: HandBucketing,
        translator: Translator,
        config: SearchConfig,
        *,
        seed: int,
        continuations: ContinuationValues | None = None,
    ) -> None:
        """Make a resolver.

        Args:
            policy: the blueprint.
            bucketing: the buckets that it was trained with.
            translator: between its tree and the game that is really played.
            config: time, depth, menu and safety.
            seed: of the draws of the translation.
            continuations: of the blueprint; without them, flop and turn are only solved if there
                is time to solve them to the end of the hand.

        Raises:
            ConfigError: the menu cannot be used.
        """
        self.config = config
        self._policy, self._translator = policy, translator
        self._continuations = continuations
        self._beliefs = Beliefs(policy, bucketing, translator)
        self._seed = seed
        self._num_workers = config.num_workers or usable_cores()
        # Once for all decisions: starting threads takes time that a decision does not have.
        self._threads = ThreadPoolExecutor(self._num_workers - 1) if self._num_workers > 1 else None
        game = policy.tree.game
        self._blueprint_menus = _blueprint_menus(game.menu.streets, game.big_blind)
        self._menus = _menus(config.menu, game.menu.streets, translator.game.big_blind)
        self._memory = _Memory()
        self._seconds_per_item = _FIRST_GUESS
        self._reading_seconds = 0.002

    def think(self, state: State, hand: int, *, started: float | None = None) -> Thought:
        """Return what the player to act at *state* should do.

        Args:
            state: the hand; the cards of the player to act must be known.
            hand: its number.
            started: when the time began to run, on the clock of `time.monotonic`; by default now.

        Raises:
            NotSearched: it cannot be thought again, and why.
        """
        started = time.monotonic() if started is None else started
        seat = state.actor
        hole = None if seat is None else state.hole_cards[seat]
        if seat is None or hole is None:
            raise RulesError("nobody is to act whose cards are known", "ask at a player's decision")
        solver = self._subgame(state, hand, seat, hole)
        self._iterate(solver, started)
        ended = time.monotonic()
        thought = self._read(solver, state, hole)
        now = time.monotonic()
        self._reading_seconds = max(now - ended, 0.9 * self._reading_seconds)
        if now > started + self.config.time_budget_ms / 1000 and (
            solver.iterations <= self.config.min_iterations
        ):
            late = f"{1000 * (now - started):,.0f} ms for the least iterations asked for"
            thought = replace(thought, note=late)
        return thought

    def strategies(self, state: State, hand: int) -> tuple[tuple[Action, ...], Weights]:
        """Return what the player to act would do with each hole that it can have.

        Args:
            state: the hand; nobody's cards need be known.
            hand: its number.

        Returns:
            Legal actions, and how likely each hole takes them: float32 (1326, actions).

        Raises:
            NotSearched: it cannot be thought again, and why.
        """
        started = time.monotonic()
        if state.actor is None:
            raise RulesError("nobody is to act", "ask at a player's decision")
        solver = self._subgame(state, hand, state.actor, None)
        self._iterate(solver, started)
        self._remember(solver, state, solver.strategy(solver.tree.line_end))
        found = self._memory.found[state.events]
        return found.actions, found.table

    def _subgame(self, state: State, hand: int, seat: int, hole: Hole | None) -> SubgameSolver:
        """Return the solver of a decision, before its first iteration."""
        self._check(state)
        self._memory.begin(hand, seat)
        start = self._beliefs.at_street_start(
            state,
            self._seed,
            hand,
            lambda i, action: self._memory.likelihood(state.events[:i], action),
        )
        try:
            return self._solver(state, start, seat, hole)
        except (ConfigError, MismatchError, ResourceError, RulesError) as error:
            raise NotSearched(str(error), "the blueprint plays") from error

    def _check(self, state: State) -> None:
        if not state.board:
            raise NotSearched("before the flop the blueprint plays", "")
        if len(state.live) != 2:
            raise NotSearched(
                f"{len(state.live)} players are in, and search is for two", "the blueprint plays"
            )

    # ---- The subgame -------------------------------------------------------------------------

    def _solver(
        self, state: State, start: StreetStart, seat: int, hole: Hole | None
    ) -> SubgameSolver:
        """Return the solver of the street's subgame, with what was played before held fast."""
        begin = start.state
        first = begin.actor
        assert first is not None  # somebody acts on this street
        seats = (first, next(other for other in begin.live if other != first))
        ranges = []
        for player in seats:
            weights = start.weights[player]
            assert weights is not None  # who is in has not folded
            if player == seat and hole is not None:
                weights = _with_hole(weights, hole)
            ranges.append(weights)
        spot = Spot(
            board=state.board,
            pot=sum(begin.paid),
            stack=min(begin.stacks[player] for player in seats),
            ranges=(ranges[0], ranges[1]),
            menu=self._menus[begin.street],
            least_bet=state.game.big_blind,
        )
        leaves = None
        if not self._goes_to_the_end(spot, start):
            assert self._continuations is not None  # or it would have been refused
            leaves = street_leaves(
                self._continuations, self._translator, self._beliefs.buckets, start, seats
            )
        solver = SubgameSolver(
            spot,
            num_workers=self._num_workers,
            line=start.line,
            alike=not self._memory.found,
            gadget=self._gadget(spot, start, seats, opponent=1 - seats.index(seat)),
            leaves=leaves,
            threads=self._threads,
        )
        self._hold(solver, state, start)
        return solver

    def _goes_to_the_end(self, spot: Spot, start: StreetStart) -> bool:
        """Whether the subgame is solved to the end of the hand, and not of the street.

        Raises:
            NotSearched: neither can be done.
        """
        wanted = 6 - len(spot.board)
        if self.config.depth == "end" or wanted == 1:
            return True
        why = ""
        if self.config.depth == "auto":
            budget = self.config.time_budget_ms / 1000
            # Before the tree is built, by the least that it can have; that refuses most flops.
            seconds = self._seconds(spot, [_FEWEST_NODES] * wanted)
            if seconds <= budget:
                seconds = self._seconds(
                    spot,
                    _node_counts(
                        spot.pot, spot.stack, spot.menu, wanted, spot.least_bet, start.line
                    ),
                )
            if seconds <= budget:
                return True
            why = (
                f"{self.config.min_iterations} iterations from the {STREETS[start.state.street]} "
                f"on would take over {1000 * budget:,.0f} ms, and "
            )
        known = self._continuations
        if known is None or start.state.street >= len(known.num_groups):
            raise NotSearched(
                why + "the blueprint has no continuations",
                "make them with: holdem continuations POLICY",
            )
        return False

    def _seconds(self, spot: Spot, counts: Sequence[int]) -> float:
        """Return how long the least iterations take of a tree of so many nodes a street."""
        seconds = self._seconds_per_item * _items(counts, spot) * self.config.min_iterations
        return seconds / self._num_workers

    def _gadget(
        self, spot: Spot, start: StreetStart, seats: tuple[int, int], *, opponent: int
    ) -> Gadget | None:
        """Return what the opponent may have instead of the subgame; None without safety."""
        if self.config.safety == "unsafe":
            return None
        node = start.follower.decision(start.state)
        if node is None or len(spot.board) < 5:
            raise NotSearched(
                "what the blueprint gives the opponent here is not known",
                "search with --safety unsafe",
            )
        values = river_alternatives(
            self._policy,
            self._beliefs.buckets,
            self._translator,
            node=node,
            board=spot.board,
            seats=seats,
            ranges=spot.ranges,
            menu=self._blueprint_menus[3],
            player=opponent,
        )
        # A hand that cannot meet any of ours has no value, and none is asked of it.
        alternatives = np.nan_to_num(values, nan=0.0) * np.float32(spot.pot)
        return Gadget(opponent, alternatives, self.config.safety)

    def _hold(self, solver: SubgameSolver, state: State, start: StreetStart) -> None:
        """Lock the decisions of this street that were thought again before."""
        first = len(state.events) - len(start.line)
        node = solver.tree.root
        for place, action in enumerate(start.line):
            held = self._memory.found.get(state.events[: first + place])
            mine = node.actor == solver.tree.line_end.actor
            if mine and held is not None and held.names == _names(node):
                solver.lock(node, held.table)
            node = child_after(node, action, solver.spot.stack)

    # ---- Solving -----------------------------------------------------------------------------

    def _iterate(self, solver: SubgameSolver, started: float) -> None:
        """Iterate until the time is up."""
        config = self.config
        deadline = started + config.time_budget_ms / 1000
        begun = time.monotonic()
        items = _items(_nodes_of(solver.tree), solver.spot)
        spare = self._reading_seconds + 2 * self._seconds_per_item * items
        while solver.iterations < _MOST_ITERATIONS:
            least = max(config.min_iterations - solver.iterations, 0)
            done = solver.run(_ITERATIONS_AT_ONCE, deadline=deadline - spare, least=least)
            if done < _ITERATIONS_AT_ONCE:
                break
        seconds = time.monotonic() - begun
        per_item = seconds / solver.iterations / items * solver.num_workers
        self._seconds_per_item += (per_item - self._seconds_per_item) / 2

    def _read(self, solver: SubgameSolver, state: State, hole: Hole) -> Thought:
        """Return what the solved subgame says of one hand, and remember what it says of all."""
        node = solver.tree.line_end
        found = solver.strategy(node)
        number = hole_number(hole)
        place = int(np.flatnonzero(found.holes == number)[0])
        self._remember(solver, state, found)
        actions = self._memory.found[state.events].actions
        end = "street" if solver.leaves else "hand"
        chances: dict[Action, float] = dict.fromkeys(actions, 0.0)
        values: dict[Action, float] = dict.fromkeys(actions, math.nan)
        worth = solver.action_values(node, number).tolist()
        for action, chance, value in zip(actions, found.probabilities[place], worth, strict=True):
            chances[action] += float(chance)
            values[action] = max(value, values[action])  # of a number and NaN, the number
        return Thought(
            actions=tuple(chances),
            probabilities=tuple(chances.values()),
            values=tuple(values.values()),
            subgame=f"{STREETS[state.street]}, to the end of the {end}",
            iterations=solver.iterations,
            note="",
        )

    def _remember(self, solver: SubgameSolver, state: State, found: HandStrategy) -> None:
        """Keep what was found for all hands."""
        node = solver.tree.line_end
        table = np.full((len(HOLES), len(found.actions)), 1 / len(found.actions), np.float32)
        table[found.holes] = found.probabilities
        actions = tuple(action_to(state, child) for child in node.children)
        self._memory.found[state.events] = _Found(_names(node), actions, table)


def hole_number(hole: Iterable[int]) -> int:
    """Return the place of two cards among the 1,326 holes."""
    low, high = sorted(hole)
    return high * (high - 1) // 2 + low


def _with_hole(weights: Weights, hole: Hole) -> Weights:
    """Weights in which the hand that is really held has some part, whatever led here."""
    number = hole_number(hole)
    if weights[number] > 0:
        return weights
    result = weights.copy()
    result[number] = np.float32(0.01) * weights.max()
    return result


def _names(node: Node) -> tuple[str, ...]:
    return tuple(child.action for child in node.children)


def _items(counts: Sequence[int], spot: Spot) -> float:
    """Nodes times hands times boards: what an iteration goes through.

    Args:
        counts: of nodes, by street.
        spot: whose hands and boards they are.
    """
    hands = sum(int(np.count_nonzero(weights)) for weights in spot.ranges) / 2
    boards, items = 1, 0.0
    for street, count in enumerate(counts):
        items += boards * hands * count
        boards *= 52 - len(spot.board) - street
    return items


def _nodes_of(tree: PublicTree) -> list[int]:
    """The number of nodes of each street."""
    return [sum(len(part.nodes) for part in parts) for parts in tree.streets]


# In a match the same few pots come again and again.
@lru_cache(maxsize=4096)
def _node_counts(
    pot: int, stack: int, menu: Menu, num_streets: int, least_bet: int, line: tuple[Action, ...]
) -> list[int]:
    """The number of nodes of each street of a public tree."""
    return _nodes_of(
        build_public_tree(
            pot=pot,
            stack=stack,
            menu=menu,
            num_streets=num_streets,
            least_bet=least_bet,
            line=line,
        )
    )


def _menus(text: str, blueprint: tuple[tuple[str, ...], ...], big_blind: int) -> tuple[Menu, ...]:
    """Return the menu of a subgame that begins on each street."""
    if text == "blueprint":
        menus = _blueprint_menus(blueprint, big_blind)
    else:
        menus = (Menu((tuple(part.strip() for part in text.split("/")),)),) * len(STREETS)
    menus[1].check()
    return menus


def _blueprint_menus(streets: tuple[tuple[str, ...], ...], big_blind: int) -> tuple[Menu, ...]:
    """Return the blueprint's menus from each street on, its calls always on offer."""
    texts = [
        tuple(_postflop(text, raises, big_blind) for raises, text in enumerate(street))
        for street in streets
    ]
    # A policy of fewer streets: what it bets on its last one.
    texts += texts[-1:] * (len(STREETS) - len(texts))
    return tuple(Menu(tuple(texts[street:])) for street in range(len(STREETS)))


def _postflop(text: str, raises: int, big_blind: int) -> str:
    """A text of the game's menu as a subgame's: without a bet, sizes in big blinds are chips."""
    tokens = []
    for token in filter(None, map(str.strip, text.split(","))):
        if token == "!call":
            continue
        kind, size = parse_size(token)
        if kind == SizeKind.TIMES_BET and not raises:
            token = f"{size * big_blind // MILLION}c"
        tokens.append(token)
    return ", ".join(tokens)
