"""Matches between players that decide while they play: with a search, every decision takes time.

Hands go by the rules, one decision after the other. Deals and their numbers are those of
`holdem.evaluation.match`, and so are the figures. Both seatings of a deal have one number, so that
players of one seed draw alike in both: where both would do the same, both hands go the same way,
and no luck is left between them. The players may be in several processes, but these only play:
what hands bring is worked out here, in the order of the deals. Where a search plays, what a deal
brings depends on the clock, and on nothing else that varies.

AIVAT takes both players for their policies. A decision that was drawn from other probabilities,
because it was thought again, adds sum over actions of (how likely it was - how likely the policy
takes it) * the action's value, and the estimate is unbiased again (Burch et al. 2018: the
correction of an action needs the probabilities that it was really drawn from, and any values).
So hands must stay in the tree of the policy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from holdem._core.aivat import Estimator
from holdem.errors import ConfigError, RulesError
from holdem.evaluation.aivat import make_estimator
from holdem.evaluation.contestants import Contestant, same_betting
from holdem.evaluation.estimates import Sums
from holdem.evaluation.match import FIRST_DEAL, MatchResult
from holdem.evaluation.played_hands import PlayedHands, deal_on
from holdem.evaluation.translated_table import require_same_game
from holdem.game.rules import Action, Played, State
from holdem.game.rules import ActionKind as RealKind
from holdem.game.tree import ActionKind, BettingTree
from holdem.machine import usable_cores
from holdem.play.agent import Decider, Tally
from holdem.play.crew import Crew
from holdem.types import GameConfig

__all__ = [
    "Arena",
    "ArenaResult",
    "Deciders",
    "Decisions",
    "Judged",
    "PlayedHand",
    "game_of",
    "play_hand",
]

Deciders = tuple[Decider, Decider]
"""The first and the second player."""

_NUMBER = re.compile(r"\d[\d,.]*")
_DEALS_AT_ONCE = 4
"""That a process is given: few, since each takes a second or so."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision that was thought again, or should have been.

    Attributes:
        who: 0 the first player, 1 the second.
        place: how many actions came before it in the hand.
        street: 0 preflop .. 3 river.
        seconds: that it took.
        iterations: of the search.
        fallback: why it was not thought again; empty if it was.
        chances: what was drawn from, if it was thought again.
    """

    who: int
    place: int
    street: int
    seconds: float
    iterations: int
    fallback: str
    chances: tuple[tuple[Action, float], ...]


@dataclass(frozen=True, slots=True)
class PlayedHand:
    """One hand as it was played.

    Attributes:
        seat: of the first player.
        actions: of both, in order.
        decisions: those after the flop of players that search.
    """

    seat: int
    actions: tuple[Action, ...]
    decisions: tuple[Judged, ...]


@dataclass(slots=True)
class Decisions:
    """The decisions of a match that were thought again, or should have been.

    Attributes:
        tally: of all.
        reasons: why those that were not were not, without the numbers in it, and how often.
        by_street: by street, flop to river.
    """

    tally: Tally = field(default_factory=Tally)
    reasons: dict[str, int] = field(default_factory=dict)
    by_street: dict[int, Tally] = field(default_factory=dict)

    def add(self, street: int, seconds: float, fallback: str) -> None:
        """Count one."""
        for group in (self.tally, self.by_street.setdefault(street, Tally())):
            group.add(seconds, fallback=bool(fallback))
        if fallback:
            reason = _NUMBER.sub("..", fallback)
            self.reasons[reason] = self.reasons.get(reason, 0) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ArenaResult:
    """How a match went: what was won, and what was decided."""

    match: MatchResult
    decisions: Decisions


def game_of(first: Contestant, second: Contestant) -> GameConfig:
    """Return the game that both play, on all streets that either has.

    Raises:
        MismatchError: the policies are of different games.
        ConfigError: not two players of hold'em.
    """
    require_same_game(first, second)
    game = max((one.tree.game for one in (first, second)), key=lambda game: game.num_streets)
    kind, players = game.cards.kind, game.num_players
    if kind != "holdem" or players != 2:
        what = f"has {players} players" if kind == "holdem" else f"is a {kind} game"
        raise ConfigError(
            f"a match with search at {game.name!r}, which {what}",
            "search is for two players of hold'em",
        )
    return game


class Arena:
    """Two players at one table of two.

    Args:
        first, second: their policies, by which AIVAT knows them.
        make: returns the players; called once in every process, so it must be importable by name,
            or a `functools.partial` of what is.
        searching: who thinks decisions after the flop again: 0, 1 or both.
        seed: of the cards, and of the deals that AIVAT learns from.
        duplicate: whether each deal is played with both seatings.
        aivat: whether to reduce luck; by default where both policies have one betting.
        num_workers: processes; 0 for one per core.

    Raises:
        MismatchError: the policies are of different games.
        ConfigError: not two players of hold'em, or AIVAT is wanted where it cannot be had.
    """

    def __init__(
        self,
        first: Contestant,
        second: Contestant,
        make: Callable[[], Deciders],
        *,
        searching: Sequence[int] = (0, 1),
        seed: int = 0,
        duplicate: bool = True,
        aivat: bool | None = None,
        num_workers: int = 1,
    ) -> None:
        self.first, self.second = first, second
        self.game = game_of(first, second)
        same = same_betting(first.tree, second.tree) and _even(self.game)
        if aivat and not same:
            raise ConfigError(
                "AIVAT is for even stacks and policies with one bet menu", "play without it"
            )
        self.duplicate = duplicate
        self._aivat = same if aivat is None else aivat
        self._make, self._searching, self._seed = make, tuple(searching), seed
        self._num_workers = num_workers or usable_cores()
        self._dealer = first.dealer()
        self._estimators: tuple[Estimator, ...] = ()
        if self._aivat:
            pairs = ((first, second), (second, first))
            made = [
                make_estimator(pair, seed=seed, num_workers=self._num_workers)
                for pair in (pairs[:1] if first.policy is second.policy else pairs)
            ]
            self._estimators = made[0], made[-1]

    def play(
        self, num_hands: int, on_hands: Callable[[PlayedHands], None] | None = None
    ) -> ArenaResult:
        """Play *num_hands*, or as few more as complete the last deal.

        Args:
            num_hands: how many.
            on_hands: gets the hands as they were played, in order.

        Raises:
            ConfigError: *num_hands* is below 1.
            RulesError: a hand left the policies' tree, and AIVAT is wanted.
        """
        if num_hands < 1:
            raise ConfigError(f"a match of {num_hands} hands", "play at least one")
        hands_per_deal = 2 if self.duplicate else 1
        num_deals = -(-num_hands // hands_per_deal)
        sums = Sums(2, self.game.big_blind, duplicate=self.duplicate)
        decisions = Decisions(by_street={s: Tally() for s in range(1, self.game.num_streets)})
        for played, judged in self._deals(num_deals):
            sums.add(played)
            for one in judged:
                decisions.add(one.street, one.seconds, one.fallback)
            for hands in played if on_hands else ():
                assert on_hands is not None
                on_hands(hands)
        match = MatchResult(
            first=self.first.name,
            second=self.second.name,
            num_hands=num_deals * hands_per_deal,
            num_deals=num_deals,
            duplicate=self.duplicate,
            plain=sums.outcome(aivat=False),
            aivat=sums.outcome(aivat=True) if self._aivat else None,
        )
        return ArenaResult(match=match, decisions=decisions)

    def _deals(self, num_deals: int) -> Iterator[tuple[list[PlayedHands], list[Judged]]]:
        """Yield deals with all their seatings, and the decisions of them, in order."""
        jobs = [
            _Job(number, self._cards(number), self._seats(number)) for number in range(num_deals)
        ]
        chunks = [jobs[i : i + _DEALS_AT_ONCE] for i in range(0, num_deals, _DEALS_AT_ONCE)]
        make = partial(_table, self._make, self.game, self._searching)
        with Crew[list[_Job], list[list[PlayedHand]]](make, self._num_workers) as crew:
            for chunk, results in zip(chunks, crew.map(chunks), strict=True):
                for job, hands in zip(chunk, results, strict=True):
                    decisions = [one for hand in hands for one in hand.decisions]
                    yield [self._judge(job, hand) for hand in hands], decisions

    def _seats(self, number: int) -> tuple[int, ...]:
        return (0, 1) if self.duplicate else (number % 2,)

    def _cards(self, number: int) -> list[int]:
        cards = np.empty((1, self._dealer.num_cards), np.uint8)
        self._dealer.cards(self._seed, FIRST_DEAL + number, cards)
        dealt: list[int] = cards[0].tolist()
        return dealt

    # ---- What a hand brought -----------------------------------------------------------------

    def _judge(self, job: _Job, hand: PlayedHand) -> PlayedHands:
        """Return one hand, with AIVAT's estimate if it is wanted."""
        state = _begin(self.game, job.cards)
        for action in hand.actions:
            state = deal_on(state.apply(action), job.cards[4:])
        chips = np.array([state.payoffs()], np.int32)
        cards = np.array([job.cards], np.uint8)
        ending, values = -1, None
        if self._aivat:
            tree = self.first.tree
            path = path_of(tree, state)
            ending = path[-1]
            values = np.empty(1)
            estimator = self._estimators[hand.seat]
            number = np.array([FIRST_DEAL + job.number], np.int64)
            estimator.estimate(self._seed, number, cards, np.array([ending], np.int32), values)
            for decision in hand.decisions:
                if decision.chances:
                    node = path[decision.place]
                    chances = chances_at(tree, node, decision.chances)
                    values += estimator.correction(cards[0], node, chances)
            if hand.seat == 1:  # estimates are seat 0's
                values = -values
        return PlayedHands(
            hand.seat,
            np.array([job.number], np.int64),
            cards,
            np.array([ending], np.int32),
            chips,
            values,
            (state,),
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """A deal to play: its number, its cards as dealers write them, the seats of the first."""

    number: int
    cards: list[int]
    seats: tuple[int, ...]


def _table(
    make: Callable[[], Deciders], game: GameConfig, searching: tuple[int, ...]
) -> Callable[[list[_Job]], list[list[PlayedHand]]]:
    """Return what plays deals, in the process that it is called in."""
    deciders = make()

    def play(jobs: list[_Job]) -> list[list[PlayedHand]]:
        return [
            [
                play_hand(game, deciders, seat, job.cards, job.number, searching)
                for seat in job.seats
            ]
            for job in jobs
        ]

    return play


def play_hand(
    game: GameConfig,
    deciders: Deciders,
    first_seat: int,
    cards: Sequence[int],
    hand: int,
    searching: Sequence[int] = (0, 1),
) -> PlayedHand:
    """Play one hand of two.

    Args:
        game: what is played.
        deciders: who plays.
        first_seat: of the first of them.
        cards: as dealers write them.
        hand: its number, for the players' draws.
        searching: those whose decisions after the flop are noted.
    """
    state = _begin(game, cards)
    noted: list[Judged] = []
    while state.actor is not None:
        seat = state.actor
        who = int(seat != first_seat)
        decision = deciders[who].decide(state.seen_by(seat), hand)
        if state.board and who in searching:
            noted.append(
                Judged(
                    who,
                    len(_actions(state)),
                    state.street,
                    decision.seconds,
                    decision.iterations,
                    decision.fallback,
                    tuple((option.action, option.probability) for option in decision.options)
                    if decision.searched
                    else (),
                )
            )
        state = deal_on(state.apply(decision.action), cards[4:])
    return PlayedHand(first_seat, _actions(state), tuple(noted))


def _begin(game: GameConfig, cards: Sequence[int]) -> State:
    return deal_on(State.new(game, [cards[0:2], cards[2:4]]), cards[4:])


def _actions(state: State) -> tuple[Action, ...]:
    return tuple(event.action for event in state.events if isinstance(event, Played))


def _even(game: GameConfig) -> bool:
    """Whether no bet can be more than the other has."""
    return game.stack_of(0) == game.stack_of(1)


# ---- A hand in the betting tree ---------------------------------------------------------------


def path_of(tree: BettingTree, state: State) -> list[int]:
    """Return the nodes that a hand went through, from the root to its ending.

    Raises:
        RulesError: an action is none of the tree's.
    """
    path = [0]
    for action in _actions(state):
        path.append(_child(tree, path[-1], action))
    return path


def chances_at(
    tree: BettingTree, node: int, chances: Sequence[tuple[Action, float]]
) -> NDArray[np.float64]:
    """Return how likely the actions of a decision were, in the order of the tree: (actions,).

    Raises:
        RulesError: an action is none of the tree's.
    """
    result = np.zeros(len(tree.children(node)), np.float64)
    for action, chance in chances:
        result[_child(tree, node, action) - tree.children(node)[0]] += chance
    result /= result.sum()
    return result


_KINDS = {
    RealKind.FOLD: (ActionKind.FOLD,),
    RealKind.CALL: (ActionKind.CHECK, ActionKind.CALL),
    RealKind.RAISE: (ActionKind.BET, ActionKind.RAISE, ActionKind.ALL_IN),
}


def _child(tree: BettingTree, node: int, action: Action) -> int:
    """The node that a real action leads to."""
    for child in tree.children(node):
        if ActionKind(int(tree.action_kinds[child])) in _KINDS[action.kind] and (
            action.kind is not RealKind.RAISE or int(tree.action_amounts[child]) == action.amount
        ):
            return child
    offered = ", ".join(tree.action_text(child) for child in tree.children(node))
    raise RulesError(
        f"'{action}' after '{tree.history(node)}' is not in the policy's betting tree ({offered})",
        "AIVAT needs hands that stay in it: search with the policy's menu, or play without AIVAT",
    )
