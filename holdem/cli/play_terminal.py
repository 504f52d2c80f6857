"""A table at the terminal: one person, the other seats played by an agent.

Every hand begins with the game's stacks, and the person moves one seat at each. A hint shows what
the agent would do with the person's cards; after the hand, this is told for every decision.
"""

from __future__ import annotations

import re

from rich.console import Console

from holdem.cli.table_display import action_words, advice_text, print_advice, spaced_cards
from holdem.cli.terminal import read_answer
from holdem.game.games import position_names
from holdem.game.rules import (
    CALL,
    FOLD,
    Action,
    LegalActions,
    State,
    raise_to,
)
from holdem.play.agent import Agent
from holdem.play.dealer import deal_cards
from holdem.types import STREETS, GameConfig

__all__ = ["TerminalTable", "parse_typed"]

_HELP = (
    "f folds, c or x checks or calls, r 300 or 300 raises to 300 (2.5bb and 50% work too), "
    "a goes all-in, h is a hint, q leaves"
)

_AMOUNT = re.compile(
    r"(?:(?:r|b|raise|bet) ?(?:to )?)?"
    r"((?:[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.[0-9]{1,3})?) ?(bb|%)?",
    re.ASCII,
)


class _Left(Exception):
    """The person has left the table."""


class TerminalTable:
    """Plays hands between a person and an agent."""

    def __init__(self, console: Console, game: GameConfig, agent: Agent, seed: int) -> None:
        """Deal *game* under *seed*, on *console*."""
        self._console, self._game, self._agent, self._seed = console, game, agent, seed
        self._names = position_names(game.num_players)
        self._chips = 0
        self._hands = 0

    def play(self, hands: int | None = None) -> None:
        """Play so many hands, or until the person leaves."""
        self._console.print(f"seed {self._seed}; {_HELP}", style="dim", soft_wrap=True)
        try:
            while hands is None or self._hands < hands:
                self._play_hand(self._hands)
        except _Left:
            self._console.print()
        if self._hands:
            per_hand = 1000 * self._chips / self._game.big_blind / self._hands
            self._console.print(
                f"{self._hands:,} hands, {self._chips:+,} chips ({per_hand:+,.0f} mbb/h)",
                style="bold",
            )

    def _play_hand(self, hand: int) -> None:
        players = self._game.num_players
        cards = deal_cards(self._seed, hand, 2 * players + 5)
        board = cards[2 * players :]
        me = hand % players
        state = State.new(self._game, [cards[2 * s : 2 * s + 2] for s in range(players)])
        self._open(hand, me, state)
        chosen: list[tuple[State, Action]] = []
        while not state.is_terminal:
            if state.cards_to_deal:
                state = state.deal_board(board[len(state.board) :][: state.cards_to_deal])
                self._tell_street(state)
                continue
            seat = state.actor
            assert seat is not None  # no cards are to come, and the hand goes on
            if seat == me:
                action = self._ask(state, hand)
                chosen.append((state, action))
            else:
                action = self._agent.decide(state, hand).action
                name = self._names[seat]
                self._console.print(f"  {name}: {action_words(state, action)}")
            state = state.apply(action)
        self._close(state, me)
        self._hands += 1
        self._chips += state.payoffs()[me]
        self._review(chosen, hand)

    def _open(self, hand: int, me: int, state: State) -> None:
        button = "the button, " if me == self._game.num_players - 1 else ""
        if self._game.num_players == 2:
            button = "" if me else "the button, "
        stack = self._game.stack_of(me) / self._game.big_blind
        self._console.print()
        self._console.print(
            f"Hand {hand + 1}: you are {button}{self._names[me]}, {stack:g} big blinds deep",
            style="bold cyan",
        )
        self._console.print(f"  your cards: {spaced_cards(state.hole_cards[me] or ())}")

    def _tell_street(self, state: State) -> None:
        street = STREETS[min(state.street, len(STREETS) - 1)]
        self._console.print(
            f"  {street}: {spaced_cards(state.board)}, pot {sum(state.paid):,}", style="cyan"
        )

    def _ask(self, state: State, hand: int) -> Action:
        """Return what the person does."""
        legal = state.legal_actions()
        while True:
            self._console.print(f"  you ({_offered(state, legal)}): ", style="bold", end="")
            self._console.file.flush()
            try:
                typed = read_answer() or ""
            except EOFError:
                raise _Left from None
            if typed in ("q", "quit"):
                raise _Left
            if typed in ("h", "hint"):
                print_advice(self._console, state, self._agent.decide(state, hand))
                continue
            action = parse_typed(typed, state)
            if action is not None and legal.allows(action):
                return action
            self._console.print(f"  not possible here: {typed!r}; {_HELP}", style="yellow")

    def _close(self, state: State, me: int) -> None:
        """Show how the hand ended."""
        if len(state.live) > 1:
            for seat in state.live:
                if seat != me:
                    hole = spaced_cards(state.hole_cards[seat] or ())
                    self._console.print(f"  {self._names[seat]} shows {hole}")
        won = state.payoffs()[me]
        verb = "win" if won > 0 else "lose" if won < 0 else "neither win nor lose"
        amount = f" {abs(won):,}" if won else ""
        self._console.print(f"  you {verb}{amount}", style="bold green" if won > 0 else "bold")

    def _review(self, chosen: list[tuple[State, Action]], hand: int) -> None:
        """Say what the policy would have done at each of the person's decisions."""
        for state, action in chosen:
            advice = advice_text(state, self._agent.decide(state, hand))
            street, words = STREETS[state.street], action_words(state, action)
            self._console.print(
                f"  {street}, you: {words}; the policy: {advice}",
                style="dim",
                soft_wrap=True,
            )


def parse_typed(text: str, state: State) -> Action | None:
    """Return the action that a person means at *state*; None if it is none.

    Amounts are totals of the street in chips (``300`` or ``1,300``), in big blinds (``2.5bb``), or
    a share of the pot after calling (``50%``). A comma stands before three digits only.
    """
    typed = " ".join(text.lower().split())
    legal = state.legal_actions()
    if typed in ("f", "fold"):
        return FOLD
    if typed in ("c", "x", "k", "call", "check"):
        return CALL
    if typed in ("a", "all-in", "allin"):
        return CALL if legal.max_raise_to is None else raise_to(legal.max_raise_to)
    found = _AMOUNT.fullmatch(typed)
    if found is None:
        return None
    number = float(found[1].replace(",", ""))
    if found[2] == "bb":
        number *= state.game.big_blind
    elif found[2] == "%":
        number = state.to_match + number / 100 * (sum(state.paid) + legal.call)
    return raise_to(round(number))


def _offered(state: State, legal: LegalActions) -> str:
    """Return what the person may do, in a few words."""
    words = ["f"] if legal.can_fold else []
    words.append(f"c {legal.call:,}" if legal.call else "x")
    if legal.min_raise_to is not None and legal.max_raise_to is not None:
        verb = "r" if state.to_match else "b"
        words.append(f"{verb} {legal.min_raise_to:,} to {legal.max_raise_to:,}, a")
    return ", ".join([*words, "h"])
