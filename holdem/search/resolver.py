"""A decision thought again in real time: the subgame from the street's beginning, solved anew.

What both players can hold is followed by the blueprint (`holdem.search.ranges`). The subgame
begins with the street, has the bets that were really made on it, and is solved for all players
with all their hands: two whole ranges (`holdem.search.solver`), or three and more by drawing
(`holdem.search.sampled`), as also two where a blueprint for more plays on from the street's end. On
later decisions of the street it is solved again from the same beginning; what this program did
before with each of its hands is held fast.

A `Resolver` remembers one hand: what it found for each hole that whoever acted could have, seat by
seat, for no seat knows what was found for another. All else comes from the state that it is
asked about. How far it gets depends on the machine; so its
answers, alone in this package, depend on the clock.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.translation import Translator
from holdem.errors import ConfigError, HoldemError, MismatchError, ResourceError, RulesError
from holdem.game.cards import HOLES, hole_index
from holdem.game.menu import MILLION, SizeKind, parse_size
from holdem.game.policy import Policy
from holdem.game.rules import Action, Event, Hole, State
from holdem.machine import usable_cores
from holdem.search.alternatives import river_alternatives
from holdem.search.continuations import ContinuationValues
from holdem.search.gadget import Gadget
from holdem.search.horizon import action_to, street_leaves
from holdem.search.playing_on import PlayingOn
from holdem.search.ranges import Beliefs, StreetStart, Weights
from holdem.search.sampled import SampledSolver
from holdem.search.solver import SubgameSolver
from holdem.search.spot import Menu, Spot
from holdem.search.strategies import HandStrategy
from holdem.search.street_tree import fitting_menu
from holdem.search.subgame import MOST_NODES, Node, PublicTree, build_public_tree, child_after
from holdem.types import MOST_SEARCH_ITERATIONS, MOST_SEARCH_THREADS, STREETS, SearchConfig

__all__ = ["NotSearched", "Resolver", "Thought"]

_ITERATIONS_AT_ONCE = 1_000
_FEWEST_NODES = 3
"""Of a street that is bet on."""
_FIRST_GUESS = 2e-9
"""Seconds for a node and a hand, until some were measured."""
_BY_RANGES = "by ranges"
_LEAST_PART = 1e-3
"""A hand that is at a decision less often than this share of the likeliest one is not there."""


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


_Memory = dict[tuple[Event, ...], _Found]
"""What was found in one hand from one seat, by the events before."""


@dataclass(frozen=True, slots=True)
class _Search:
    """A decision's subgame, however it is solved.

    Attributes:
        kind: what it takes as long as, node by node.
        solver: whose iterations make it better.
        actions: legal ones that the subgame's actions come to at the decision.
        items: what an iteration goes through: nodes, hands and boards.
        words: what is solved.
        strategy: what is done with each hand.
        worth: what the actions win with a hole, by its number, in chips more than folding.
    """

    kind: str
    solver: SubgameSolver | SampledSolver
    actions: tuple[Action, ...]
    items: float
    words: str
    strategy: Callable[[], HandStrategy]
    worth: Callable[[int], npt.NDArray[np.floating]]


class Resolver:
    """Thinks decisions after the flop again.

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
            continuations: of a blueprint for two players; without them, flop and turn are only
                solved if there is time to solve them to the end of the hand.

        Raises:
            ConfigError: the menu cannot be used.
        """
        self.config = config
        self._policy, self._translator = policy, translator
        self._continuations = continuations
        self._beliefs = Beliefs(policy, bucketing, translator)
        self._seed = seed
        self._num_workers = config.num_workers or min(usable_cores(), MOST_SEARCH_THREADS)
        # Once for all decisions: starting threads takes time that a decision does not have.
        self._threads = ThreadPoolExecutor(self._num_workers - 1) if self._num_workers > 1 else None
        game = policy.tree.game
        self._blueprint_menus = _blueprint_menus(game.menu.streets, game.big_blind)
        self._menus = _menus(config.menu, game.menu.streets, translator.game.big_blind)
        self._playing_on = (
            PlayingOn(policy, bucketing, translator) if game.num_players > 2 else None
        )
        self._hand = -1
        self._memories: dict[int, _Memory] = {}
        self._seconds_per_item: dict[str, float] = defaultdict(lambda: _FIRST_GUESS)
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
        memory = self._memory(hand, seat)
        search = self._subgame(state, hand, seat, hole, memory)
        self._iterate(search, started)
        ended = time.monotonic()
        thought = self._read(search, state, hole, memory)
        now = time.monotonic()
        self._reading_seconds = max(now - ended, 0.9 * self._reading_seconds)
        if now > started + self.config.time_budget_ms / 1000 and (
            search.solver.iterations <= self.config.min_iterations
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
        memory = self._memory(hand, state.actor)
        search = self._subgame(state, hand, state.actor, None, memory)
        self._iterate(search, started)
        found = _found(search, search.strategy())
        memory[state.events] = found
        return found.actions, found.table

    def _memory(self, hand: int, seat: int) -> _Memory:
        """Return what was found in hand number *hand* from *seat*; other hands are forgotten."""
        if hand != self._hand:
            self._hand = hand
            self._memories.clear()
        return self._memories.setdefault(seat, {})

    def _subgame(
        self, state: State, hand: int, seat: int, hole: Hole | None, memory: _Memory
    ) -> _Search:
        """Return the subgame of a decision, before its first iteration."""
        if not state.board:
            raise NotSearched("before the flop the blueprint plays")
        start = self._beliefs.at_street_start(
            state,
            self._seed,
            hand,
            lambda i, action: _likelihood(memory, state.events[:i], action),
        )
        if hole is not None:
            start = _with_hole(start, seat, hole)
        try:
            if len(start.state.live) == 2:
                return self._by_ranges(state, start, seat, memory)
            return self._by_samples(state, start, memory)
        except (ConfigError, MismatchError, ResourceError, RulesError) as error:
            raise NotSearched(str(error), error.remedy) from error

    # ---- By drawing --------------------------------------------------------------------------

    def _by_samples(self, state: State, start: StreetStart, memory: _Memory) -> _Search:
        """Return the street's subgame of all who are in, with what was played before held fast."""
        begin = start.state
        if self.config.safety != "unsafe":
            raise NotSearched(
                f"{len(begin.live)} players are in, and safe search is for two",
                "search with --safety unsafe",
            )
        on_river = begin.street == len(STREETS) - 1
        wanted = self._menus[begin.street]
        menu = fitting_menu(wanted, begin)
        solver = SampledSolver(
            begin,
            start.weights,
            menu,
            start.line,
            seed=self._seed,
            playing_on=None if on_river else self._playing_on,
            node=start.follower.node,
        )
        for place, held in _held(memory, state, start):
            node = solver.tree.line[place]
            if held.names == node.names:
                solver.lock(node, held.table)
        end = solver.tree.line_end
        return _Search(
            f"sampled on the {STREETS[begin.street]}",
            solver,
            end.actions,
            solver.size,
            f"{STREETS[begin.street]}, {len(begin.live)} players, "
            f"to the end of the {'hand' if on_river else 'street'}"
            + ("" if menu is wanted else ", with fewer bets"),
            lambda: solver.strategy(end),
            solver.action_values,
        )

    # ---- Two players -------------------------------------------------------------------------

    def _by_ranges(self, state: State, start: StreetStart, seat: int, memory: _Memory) -> _Search:
        """Return the street's subgame of both ranges, with what was played before held fast.

        Of a blueprint for more players nobody learns continuations: it plays on itself where there
        is no time to go on to the end of the hand.
        """
        begin = start.state
        first = begin.actor
        assert first is not None  # somebody acts on this street
        seats = (first, next(other for other in begin.live if other != first))
        ranges = []
        for player in seats:
            weights = start.weights[player]
            assert weights is not None  # who is in has not folded
            ranges.append(weights)
        spot = Spot(
            board=state.board,
            pot=sum(begin.paid),
            stack=min(begin.stacks[player] for player in seats),
            ranges=(ranges[0], ranges[1]),
            menu=self._menus[begin.street],
            least_bet=state.game.big_blind,
        )
        gadget = self._gadget(spot, start, seats, opponent=1 - seats.index(seat))
        leaves = None
        if not self._goes_to_the_end(spot, start):
            if self._playing_on is not None:
                return self._by_samples(state, start, memory)
            assert self._continuations is not None  # or it would have been refused
            leaves = street_leaves(
                self._continuations, self._translator, self._beliefs.buckets, start, seats
            )
        solver = SubgameSolver(
            spot,
            num_workers=self._num_workers,
            line=start.line,
            alike=not memory,
            gadget=gadget,
            leaves=leaves,
            threads=self._threads,
        )
        node = solver.tree.root
        line = [node, *(node := child_after(node, action, spot.stack) for action in start.line)]
        for place, held in _held(memory, state, start):
            if held.names == _names(line[place]):
                solver.lock(line[place], held.table)
        end = solver.tree.line_end
        return _Search(
            _BY_RANGES,
            solver,
            tuple(action_to(state, child) for child in end.children),
            _items(_nodes_of(solver.tree), spot) / solver.num_workers,
            f"{STREETS[state.street]}, to the end of the {'street' if leaves else 'hand'}",
            lambda: solver.strategy(end),
            lambda number: solver.action_values(end, number),
        )

    def _goes_to_the_end(self, spot: Spot, start: StreetStart) -> bool:
        """Whether the subgame is solved to the end of the hand, and not of the street.

        Raises:
            NotSearched: neither can be done.
        """
        if self.config.depth == "end" or len(spot.board) == 5:
            return True
        why = ""
        if self.config.depth == "auto":
            if self._is_in_time(spot, start.line):
                return True
            why = (
                f"{self.config.min_iterations} iterations from the {STREETS[start.state.street]} "
                f"on would take over {self.config.time_budget_ms:,.0f} ms, and "
            )
        if self._playing_on is not None:
            return False
        known = self._continuations
        if known is None or start.state.street >= len(known.num_groups):
            raise NotSearched(
                why + "the blueprint has no continuations",
                "make them with: holdem continuations POLICY",
            )
        return False

    def _is_in_time(self, spot: Spot, line: tuple[Action, ...]) -> bool:
        """Whether the least iterations to the end of the hand fit into the budget."""
        budget, num_streets = self.config.time_budget_ms / 1000, 6 - len(spot.board)
        # Before the tree is built, by the least that it can have; that refuses most flops.
        if self._seconds(spot, [_FEWEST_NODES] * num_streets) > budget:
            return False
        # A tree of more nodes does not fit if each has a single board. A power of two, so that
        # what was counted is found again while the measured speed changes.
        most = min(1 << int(budget / self._seconds(spot, [1])).bit_length(), MOST_NODES)
        counts = _node_counts(
            spot.pot, spot.stack, spot.menu, num_streets, spot.least_bet, line, most
        )
        return counts is not None and self._seconds(spot, counts) <= budget

    def _seconds(self, spot: Spot, counts: Sequence[int]) -> float:
        """Return how long the least iterations take of a tree of so many nodes a street."""
        seconds = self._seconds_per_item[_BY_RANGES] * _items(counts, spot)
        return seconds * self.config.min_iterations / self._num_workers

    def _gadget(
        self, spot: Spot, start: StreetStart, seats: tuple[int, int], *, opponent: int
    ) -> Gadget | None:
        """Return what the opponent may have instead of the subgame; None without safety."""
        if self.config.safety == "unsafe":
            return None
        if len(spot.board) < 5:
            raise NotSearched(
                f"safe search is for rivers, and this is the {STREETS[start.state.street]}",
                "search with --safety unsafe",
            )
        node = start.follower.decision(start.state)
        if node is None:
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

    # ---- Solving -----------------------------------------------------------------------------

    def _iterate(self, search: _Search, started: float) -> None:
        """Iterate until the time is up."""
        config, solver = self.config, search.solver
        deadline = started + config.time_budget_ms / 1000
        begun = time.monotonic()
        pace = self._seconds_per_item
        spare = self._reading_seconds + 2 * pace[search.kind] * search.items
        while solver.iterations < MOST_SEARCH_ITERATIONS:
            least = max(config.min_iterations - solver.iterations, 0)
            done = solver.run(_ITERATIONS_AT_ONCE, deadline=deadline - spare, least=least)
            if done < _ITERATIONS_AT_ONCE:
                break
        seconds = time.monotonic() - begun
        pace[search.kind] += (seconds / solver.iterations / search.items - pace[search.kind]) / 2

    def _read(self, search: _Search, state: State, hole: Hole, memory: _Memory) -> Thought:
        """Return what the solved subgame says of one hand, and remember what it says of all."""
        strategy = search.strategy()
        number = hole_index(*hole)
        place = int(np.flatnonzero(strategy.holes == number)[0])
        worth = search.worth(number)
        found = _found(search, strategy)
        if strategy.weights[place] <= _LEAST_PART * strategy.weights.max():
            # By the solution this hand is not here, and what it would do was hardly learned.
            if np.isnan(worth).all():
                raise NotSearched(
                    "by the solution neither this hand nor any of the opponent's is here"
                )
            found.table[number] = 0
            found.table[number, np.nanargmax(worth)] = 1
        memory[state.events] = found
        chances: dict[Action, float] = dict.fromkeys(search.actions, 0.0)
        values: dict[Action, float] = dict.fromkeys(search.actions, math.nan)
        for action, chance, value in zip(
            search.actions, found.table[number].tolist(), worth.tolist(), strict=True
        ):
            chances[action] += chance
            values[action] = max(value, values[action])  # of a number and NaN, the number
        return Thought(
            actions=tuple(chances),
            probabilities=tuple(chances.values()),
            values=tuple(values.values()),
            subgame=search.words,
            iterations=search.solver.iterations,
            note="",
        )


def _held(memory: _Memory, state: State, start: StreetStart) -> Iterator[tuple[int, _Found]]:
    """Yield what who is to act was found to do on this street before, with its place there."""
    first = len(state.events) - len(start.line)
    for place in range(len(start.line)):
        held = memory.get(state.events[: first + place])
        if held is not None:
            yield place, held


def _likelihood(memory: _Memory, before: tuple[Event, ...], action: Action) -> Weights | None:
    """How likely each hole took an action; None where that was not thought of."""
    return memory[before].likelihood(action) if before in memory else None


def _found(search: _Search, strategy: HandStrategy) -> _Found:
    """Return what a solved subgame says of all hands."""
    actions = strategy.actions
    table = np.full((len(HOLES), len(actions)), 1 / len(actions), np.float32)
    table[strategy.holes] = strategy.probabilities
    return _Found(actions, search.actions, table)


def _with_hole(start: StreetStart, seat: int, hole: Hole) -> StreetStart:
    """The hand that is really held has some part in the seat's weights, whatever led here."""
    number, weights = hole_index(*hole), start.weights[seat]
    assert weights is not None  # who acts has not folded
    if weights[number] > 0:
        return start
    weights = weights.copy()
    weights[number] = np.float32(0.01) * weights.max()
    return replace(start, weights=(*start.weights[:seat], weights, *start.weights[seat + 1 :]))


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
    pot: int,
    stack: int,
    menu: Menu,
    num_streets: int,
    least_bet: int,
    line: tuple[Action, ...],
    most: int,
) -> list[int] | None:
    """The number of nodes of each street of a public tree; None if there are more than *most*.

    None too if one of its decisions has more actions than can be walked.
    """
    try:
        tree = build_public_tree(
            pot=pot,
            stack=stack,
            menu=menu,
            num_streets=num_streets,
            least_bet=least_bet,
            line=line,
            most_nodes=most,
        )
    except ConfigError:
        return None
    return _nodes_of(tree)


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
