"""A match between a policy, in this process, and a program that connects and speaks ACPC.

The dealer deals it by its own rules. What one wins is counted as in all other matches, by chips
alone: AIVAT needs to know how likely each player takes each action, and a program does not say it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from holdem.errors import ConfigError
from holdem.evaluation.estimates import Sums
from holdem.evaluation.match import MatchResult
from holdem.evaluation.played_hands import PlayedHands
from holdem.game.rules import State
from holdem.play.agent import Decider, Decision, Tally
from holdem.play.arena import Decisions
from holdem.play.dealer import FinishedHand, PlayerResult, deal_cards, play_match
from holdem.play.game_definition import Table
from holdem.play.program import Program
from holdem.types import DealerConfig

__all__ = ["ProgramMatch", "ProgramMatchResult", "require_two"]

_PROGRAM, _POLICY = 0, 1
"""The dealer's numbers of both: those that are in its process come last."""
_DEALER_NAMES = ("program", "policy")
_REMEDY = "it is given the dealer's host and port, must connect there, and stay till the end"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramMatchResult:
    """How a match went.

    Attributes:
        match: what was won.
        program: what the dealer counted of the program.
        hands_without: hands at whose end the program was out of the match.
        ending: how the program ended before the match did; empty if it did not, or if that is not
            known because it was not started here.
        decisions: of the policy after the flop.
    """

    match: MatchResult
    program: PlayerResult
    hands_without: int
    ending: str
    decisions: Decisions


class ProgramMatch:
    """A policy and a program at one table of two.

    Args:
        table: what is played.
        decider: plays the policy.
        names: of the first and of the second player, for results.
        config: how it is dealt; hands are as many more as complete the last deal.
        program: what to start; None waits for one that comes.
        program_first: whether the program is the first player, whose winnings are counted.

    Raises:
        ConfigError: not a game of two.
    """

    def __init__(
        self,
        table: Table,
        decider: Decider,
        names: tuple[str, str],
        config: DealerConfig,
        *,
        program: Program | None = None,
        program_first: bool = False,
    ) -> None:
        require_two(table)
        self.table, self.names = table, names
        self.hands_per_deal = 2 if config.duplicate else 1
        self.num_deals = -(-config.hands // self.hands_per_deal)
        self.config = replace(config, hands=self.num_deals * self.hands_per_deal)
        self._first = _PROGRAM if program_first else _POLICY
        self._program = program
        self._decider = _Noting(decider, _decisions(table))

    def play(
        self,
        say: Callable[[str], None],
        *,
        ready: Callable[[int], None] = lambda port: None,
        on_hands: Callable[[PlayedHands], None] = lambda hands: None,
    ) -> ProgramMatchResult:
        """Play all hands.

        Args:
            say: is told what the program does wrong, a line at a time.
            ready: is told the port when the program can come.
            on_hands: gets the hands as they were played, in order.

        Raises:
            ConfigError: the program did not come, or ended before it came.
            ResourceError: the port cannot be had.
        """
        sums = Sums(2, self.table.game.big_blind, duplicate=self.config.duplicate)
        told, ending, without = "", "", 0
        deal: list[PlayedHands] = []

        def note(text: str) -> None:
            nonlocal told
            told = text
            say(text)

        def on_port(ports: tuple[int, ...]) -> None:
            ready(ports[0])
            if self._program is not None:
                self._program.start(self.config.host, ports[0])

        def waiting() -> None:
            how = self._program.ending() if self._program else ""
            if how:
                raise ConfigError(f"the program {how}", _REMEDY)

        def on_hand(hand: FinishedHand) -> None:
            nonlocal ending, without
            without += _PROGRAM in hand.out
            if self._program is not None:
                ending = self._program.ending()
            deal.append(self._played(hand))
            if len(deal) == self.hands_per_deal:
                sums.add(deal)
                for hands in deal:
                    on_hands(hands)
                deal.clear()

        try:
            result = play_match(
                self.table,
                _DEALER_NAMES,
                self.config,
                say=note,
                deciders=(self._decider,),
                ready=on_port,
                waiting=waiting,
                on_hand=on_hand,
            )
        except ConfigError as error:
            raise ConfigError(f"{error} ({told})" if told else str(error), error.remedy) from None
        match = MatchResult(
            first=self.names[0],
            second=self.names[1],
            num_hands=result.hands,
            num_deals=self.num_deals,
            duplicate=self.config.duplicate,
            plain=sums.outcome(aivat=False),
            aivat=None,
        )
        return ProgramMatchResult(
            match=match,
            program=result.players[_PROGRAM],
            hands_without=without,
            ending=ending,
            decisions=self._decider.decisions,
        )

    def _played(self, hand: FinishedHand) -> PlayedHands:
        cards = deal_cards(self.config.seed, hand.deal, 9)
        return PlayedHands(
            hand.seats[self._first],
            np.array([hand.deal], np.int64),
            np.array([cards], np.uint8),
            np.array([-1], np.int32),
            np.array([hand.state.payoffs()], np.int32),
            None,
            (hand.state,),
        )


def require_two(table: Table) -> None:
    """Raise a `ConfigError` unless two play at *table*."""
    if table.game.num_players != 2:
        raise ConfigError(
            f"a match with a program at {table.game.name!r}: {table.game.num_players} players",
            "two can play here; `holdem dealer` deals to more",
        )


@dataclass(slots=True)
class _Noting:
    """Plays as *decider* does, and notes what it decides after the flop."""

    decider: Decider
    decisions: Decisions = field(default_factory=Decisions)

    def decide(self, state: State, hand: int) -> Decision:
        """See `Decider.decide`."""
        decision = self.decider.decide(state, hand)
        if state.board:
            self.decisions.add(state.street, decision.seconds, decision.fallback)
        return decision


def _decisions(table: Table) -> Decisions:
    return Decisions(by_street={street: Tally() for street in range(1, table.game.num_streets)})
