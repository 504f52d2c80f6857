"""Local best response against an agent, beside the same against its policy alone.

The rule is that of `holdem.evaluation.lbr`: at each of its turns the responder knows exactly how
likely the agent holds each hand, and takes the fold, call, pot or all-in that would win the most if
from then on everybody checked and called. What the agent does with every hand at once comes from
its search, decision by decision, so a spot belongs to one deal and one history.

Both meet the same deals with the same random numbers, so that the difference has an interval of
its own. A bet that the policy's tree does not have is translated with the draws of the agent's
hand, which the responder here knows: both figures are a little above those of ``holdem eval
--lbr``, whose responder does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count, takewhile

import numpy as np
from numpy.typing import NDArray

from holdem.errors import ConfigError
from holdem.evaluation.estimates import Estimate
from holdem.evaluation.lbr import ResponseTable
from holdem.evaluation.lbr_betting import (
    Answer,
    Bets,
    Branch,
    Ending,
    Spot,
    Step,
    Turn,
    contested,
    ending_of,
    money_of,
    pot_and_all_in,
)
from holdem.evaluation.lbr_cards import HoldemCards
from holdem.game.rules import CALL, FOLD, Action, Event, State
from holdem.machine import usable_cores
from holdem.play.agent import Agent
from holdem.play.crew import Crew
from holdem.types import GameConfig

__all__ = ["AgentLbr", "respond_to_agents"]

HANDS_PER_DEAL = 4
"""Of the responder. They part ways, and each way asks the agent anew."""

_MOST_DRAWS = 10_000  # of one deal; each is an action of the agent
_FEWEST_DEALS = 2  # for an interval

Agents = tuple[Agent, Agent]
"""With search and without."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentLbr:
    """What local best response wins, milli big blinds per hand; of both seats, by deal.

    Attributes:
        search: against the agent that searches.
        policy: against its policy alone.
        difference: the first less the second, deal by deal.
        decisions: that the agent thought again; *fallbacks* of them the policy answered.
        hands: that the responder played against each.
    """

    search: Estimate
    policy: Estimate
    difference: Estimate
    decisions: int
    fallbacks: int
    hands: int


def respond_to_agents(
    make: Callable[[], Agents],
    *,
    game: GameConfig,
    num_deals: int | None = None,
    seconds: float | None = None,
    seed: int = 1,
    num_workers: int = 1,
) -> AgentLbr:
    """Return what local best response wins against an agent with search and without.

    Args:
        make: returns the agents; called once in every process, so it must be importable by name,
            or a `functools.partial` of what is.
        game: what is played, by two.
        num_deals: boards, each with some hands of the responder from both seats.
        seconds: begin no more deals after this time.
        seed: of the deals.
        num_workers: processes; 0 for one per core.

    Raises:
        ConfigError: neither *num_deals* nor *seconds*, or a game of more than two.
    """
    if num_deals is None and seconds is None:
        raise ConfigError("no number of deals, and no time", "give one of them")
    if game.num_players != 2 or game.cards.kind != "holdem":
        raise ConfigError(
            f"local best response to an agent at {game.name!r}: {game.num_players} players",
            "it is for two players of hold'em",
        )
    wanted = max(num_deals, _FEWEST_DEALS) if num_deals is not None else None
    until = None if seconds is None else time.monotonic() + seconds
    numbers = takewhile(
        lambda number: (
            number < _FEWEST_DEALS
            or ((wanted is None or number < wanted) and (until is None or time.monotonic() < until))
        ),
        count(),
    )
    with Crew[int, _Played](partial(_player, make, game, seed), num_workers or usable_cores()) as c:
        played = list(c.map(numbers))
    unit = 1000 / game.big_blind
    values = np.array([one.values for one in played]).mean(axis=2) * unit  # (deals, 2 agents)
    return AgentLbr(
        search=_estimate(values[:, 0]),
        policy=_estimate(values[:, 1]),
        difference=_estimate(values[:, 0] - values[:, 1]),
        decisions=sum(one.decisions for one in played),
        fallbacks=sum(one.fallbacks for one in played),
        hands=2 * HANDS_PER_DEAL * len(played),
    )


def _estimate(figures: Floats) -> Estimate:
    return Estimate(mean=float(figures.mean()), sd=float(figures.std(ddof=1)), count=len(figures))


@dataclass(frozen=True, slots=True)
class _Played:
    """One deal: chips by agent and seat of the responder, and what the search did."""

    values: list[list[float]]
    decisions: int
    fallbacks: int


def _player(make: Callable[[], Agents], game: GameConfig, seed: int) -> Callable[[int], _Played]:
    """Return what plays a deal, in the process that it is called in."""
    agents = make()
    cards = HoldemCards(agents[0].bucketing, game.num_streets, HANDS_PER_DEAL)

    def play(number: int) -> _Played:
        board, own = cards.draw(seed, number)
        deal = cards.deal_of(board, own)
        values, asked = [], _Asked()
        for agent in agents:
            draws = iter(np.random.default_rng([seed, number]).random(_MOST_DRAWS).tolist())
            counted = asked if agent is agents[0] else _Asked()
            found = []
            for seat in range(2):
                betting = _Betting(agent, seat, game, board, 2 * number + seat, counted)
                found.append(
                    float(ResponseTable(betting.strategy, deal, draws).respond(betting.root).mean())
                )
            values.append(found)
        return _Played(values, asked.decisions, asked.fallbacks)

    return play


@dataclass(slots=True)
class _Asked:
    """How often the agent was asked after the flop, and how often its search did not answer."""

    decisions: int = 0
    fallbacks: int = 0


@dataclass(frozen=True, slots=True)
class _Answered:
    """What the agent does at a decision: its actions, and the number of their table."""

    number: int
    actions: list[Action]


class _Betting:
    """The spots of one deal in which the responder at *seat* meets the agent.

    There is one standing: what the agent makes of bets that its policy does not know is drawn.
    """

    def __init__(
        self, agent: Agent, seat: int, game: GameConfig, board: list[int], hand: int, asked: _Asked
    ) -> None:
        self._agent, self._seat, self._game = agent, seat, game
        self._board, self._hand, self._asked = board, hand, asked
        self._spots: dict[tuple[Event, ...], Spot] = {}
        self._answers: dict[tuple[Event, ...], _Answered] = {}
        self._tables: list[Floats] = []

    @property
    def root(self) -> Spot:
        """The first spot."""
        return self._spot(State.new(self._game))

    def strategy(self, decision: int, street: int) -> Floats:
        """The agent's probabilities at one of its decisions, (actions, hands)."""
        del street
        return self._tables[decision]

    def _spot(self, state: State) -> Spot:
        state = self._dealt(state)
        found = self._spots.get(state.events)
        if found is None:
            found = self._spots[state.events] = self._make(state)
        return found

    def _make(self, state: State) -> Spot:
        if state.actor is None:
            return ending_of(state, self._seat)
        return self._turn(state) if state.actor == self._seat else self._answer(state)

    def _dealt(self, state: State) -> State:
        """The state once the cards are out that bets wait for."""
        while state.cards_to_deal and not state.betting_is_over:
            out = len(state.board)
            state = state.deal_board(self._board[out : out + state.cards_to_deal])
        return state

    def _later(self, state: State, action: Action) -> Callable[[], Spot]:
        return lambda: self._spot(state.apply(action))

    # -- the agent's turn ----------------------------------------------------------------------

    def _ask(self, state: State) -> _Answered:
        """What the agent does at *state*, where it is to act."""
        answer = self._answers.get(state.events)
        if answer is None:
            actions, table, fallback = self._agent.strategies(state, self._hand)
            self._asked.decisions += bool(state.board)
            self._asked.fallbacks += bool(fallback)
            # Actions that come to the same at this table are one.
            answer = _Answered(len(self._tables), list(dict.fromkeys(actions)))
            self._answers[state.events] = answer
            sums = np.zeros((len(answer.actions), len(table)))
            for action, column in zip(actions, table.T, strict=True):
                sums[answer.actions.index(action)] += column
            self._tables.append(sums)
        return answer

    def _answer(self, state: State) -> Answer:
        answer = self._ask(state)
        branches = tuple(
            Branch(self._later(state, action), ((0, choice, 0),))
            for choice, action in enumerate(answer.actions)
        )
        return Answer((answer.number,), branches, state.street)

    # -- the responder's turn ------------------------------------------------------------------

    def _turn(self, state: State) -> Turn:
        legal = state.legal_actions()
        fold = Ending(0, -1, state.street)
        if legal.can_fold:
            fold = ending_of(state.apply(FOLD), self._seat)
        return Turn(
            can_fold=legal.can_fold,
            fold=fold,
            pot=contested(state, self._seat),
            cost_of_call=legal.call,
            call=Step(self._later(state, CALL), ((0, 0, 1.0),)),
            street=state.street,
            _make_bets=lambda: self._bets(state),
        )

    def _bets(self, state: State) -> Bets:
        raises = pot_and_all_in(state)
        folds: list[tuple[int, int, int]] = []
        shares = np.zeros((len(raises), len(raises)))
        for number, action in enumerate(raises):
            answer = self._ask(state.apply(action))
            if FOLD in answer.actions:
                shares[number, len(folds)] = 1.0
                folds.append((0, answer.number, answer.actions.index(FOLD)))
        return Bets(
            tuple(Step(self._later(state, action), ((0, 0, 1.0),)) for action in raises),
            tuple(folds),
            shares[:, : len(folds)],
            *money_of(state, self._seat, raises),
        )
