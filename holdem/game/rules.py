"""The rules of no-limit hold'em: from the blinds to who wins which chips.

A `State` never changes: `State.apply` and `State.deal_board` return the next one.
Money is whole chips, seats are those of `holdem.types`. Invariants: chips are
neither made nor lost, a state with an actor has at least one choice to make, and
everything that can be played from a state is in its `LegalActions`.

Where houses differ, the rules are those of the Poker Tournament Directors
Association (TDA): who calls a short blind pays the whole blind; short all-ins
re-open the betting for a player who has acted once together they make a full
raise for that player (rule 47); odd chips go one at a time from the first seat left
of the button (rule 20). The TDA knows no straddle: here it is a blind like the
others, so the first raise must at least double it, and later streets are bet in
big blinds again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import lru_cache
from operator import index

import numpy as np

from holdem._core.evaluator import evaluate
from holdem.errors import CardError, RulesError
from holdem.types import STREETS, GameConfig

Hole = tuple[int, ...]
"""A seat's private cards, as card numbers."""


_HOLDEM_DEALS: tuple[int, ...] = (0, 3, 1, 1)
"""Board cards that come before each street."""


class ActionKind(IntEnum):
    """What a player does; checking is a call of nothing, betting a raise of nothing."""

    FOLD = 0
    CALL = 1
    RAISE = 2


@dataclass(frozen=True, slots=True)
class Action:
    """One decision of a player.

    Attributes:
        amount: of a raise, the chips that the player then has in on this street; else 0.
    """

    kind: ActionKind
    amount: int = 0

    def __str__(self) -> str:
        """Return the action in words: ``raise to 300``."""
        if self.kind is ActionKind.RAISE:
            return f"raise to {self.amount}"
        return "fold" if self.kind is ActionKind.FOLD else "check or call"


FOLD = Action(ActionKind.FOLD)
CALL = Action(ActionKind.CALL)


def raise_to(amount: int) -> Action:
    """Return the bet or raise after which the player has *amount* chips in on this street."""
    try:
        return Action(ActionKind.RAISE, index(amount))
    except TypeError:
        raise RulesError(
            f"a raise to {amount!r}: bets are whole chips", "count in the smallest chip"
        ) from None


@dataclass(frozen=True, slots=True)
class LegalActions:
    """What the player to act may do.

    Attributes:
        can_fold: true when facing a bet; nobody folds for free.
        call: chips that a check (0) or a call costs now.
        min_raise_to: smallest raise, as chips in on this street; None if raising is not allowed.
        max_raise_to: all-in, the same way. An all-in below the minimum raise is a legal raise:
            then both are the all-in.
    """

    can_fold: bool
    call: int
    min_raise_to: int | None
    max_raise_to: int | None

    def allows(self, action: Action) -> bool:
        """Whether *action* is one of these."""
        if action.kind is ActionKind.CALL:
            return True
        if action.kind is ActionKind.FOLD:
            return self.can_fold
        if self.min_raise_to is None or self.max_raise_to is None:
            return False
        return self.min_raise_to <= action.amount <= self.max_raise_to

    def __str__(self) -> str:
        """Return the choices in words: ``fold, call 100, raise to 200 .. 10000``."""
        words = ["fold"] if self.can_fold else []
        words.append(f"call {self.call}" if self.call else "check")
        if self.min_raise_to == self.max_raise_to is not None:
            words.append(f"raise to {self.max_raise_to} (all-in)")
        elif self.min_raise_to is not None:
            words.append(f"raise to {self.min_raise_to} .. {self.max_raise_to}")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Played:
    """An event: *seat* chose *action*."""

    seat: int
    action: Action


@dataclass(frozen=True, slots=True)
class Dealt:
    """An event: *cards* came to the board."""

    cards: tuple[int, ...]


Event = Played | Dealt


@dataclass(frozen=True, slots=True)
class Pot:
    """The main pot or a side pot: chips, and the seats that can win them."""

    amount: int
    seats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """What the rules need of a `GameConfig`, worked out once per game.

    Attributes:
        first_to_act: seat, by street.
        deals: board cards before each street, as far as the board goes.
        opening_bet: the largest blind, posted in full or not: what is to be called preflop.
        live_by_folded: the seats still in the hand, by the mask of those that have folded.
    """

    game: GameConfig
    antes: tuple[int, ...]
    blinds: tuple[int, ...]
    stacks: tuple[int, ...]
    first_to_act: tuple[int, ...]
    deals: tuple[int, ...]
    opening_bet: int
    num_hole_cards: int
    deck_size: int
    live_by_folded: tuple[tuple[int, ...], ...]


def default_first_to_act(game: GameConfig) -> tuple[int, ...]:
    """Return the seat that acts first on each street: after the blinds, then left of the button."""
    blinds = list(game.blinds)
    while blinds and not blinds[-1]:
        blinds.pop()
    later = 1 if game.num_players == 2 else 0
    return (len(blinds) % game.num_players, later, later, later)[: game.num_streets]


# A match plays one game many times over, and a long one only a few games.
@lru_cache(maxsize=256)
def _table(game: GameConfig) -> _Table:
    players = range(game.num_players)
    wanted = [game.blinds[seat] if seat < len(game.blinds) else 0 for seat in players]
    antes = tuple(min(game.ante, game.stack_of(seat)) for seat in players)
    blinds = tuple(min(wanted[seat], game.stack_of(seat) - antes[seat]) for seat in players)
    opening_bet = max(wanted)
    if game.cards.kind == "holdem":
        deals, num_hole_cards, deck_size = _HOLDEM_DEALS, 2, 52
    else:
        board_street = game.cards.board_street
        deals = tuple(int(street == board_street) for street in range(game.num_streets))
        num_hole_cards, deck_size = 1, game.cards.ranks * game.cards.suits
    return _Table(
        game=game,
        antes=antes,
        blinds=blinds,
        stacks=tuple(game.stack_of(seat) - antes[seat] - blinds[seat] for seat in players),
        first_to_act=game.first_to_act or default_first_to_act(game),
        deals=deals,
        opening_bet=opening_bet,
        num_hole_cards=num_hole_cards,
        deck_size=deck_size,
        live_by_folded=tuple(
            tuple(seat for seat in players if not folded >> seat & 1)
            for folded in range(1 << game.num_players)
        ),
    )


@dataclass(frozen=True, slots=True)
class State:
    """One moment of a hand. Make the first with `State.new`.

    Tuples are by seat; a mask has bit *s* set for seat *s*.

    Attributes:
        hole_cards: None where they are not known.
        board: the cards dealt so far.
        street: 0 preflop .. 3 river; during an all-in run-out it follows the board.
        stacks: chips that each seat still has.
        bets: chips that each seat has in on this street, without the ante.
        paid: chips that each seat has put in during the hand, ante included.
        to_match: chips on this street that stay in the hand.
        full_raise: the smallest amount by which a raise is a full one.
        folded: mask of the seats that have folded.
        acted: mask of the seats that have acted on this street.
        pending: mask of the seats that the betting still waits for.
        actor: the seat to act; None when cards are to come or the hand is over.
        events: what was played and dealt, in order.
    """

    _table: _Table = field(repr=False)
    hole_cards: tuple[Hole | None, ...]
    board: tuple[int, ...]
    street: int
    stacks: tuple[int, ...]
    bets: tuple[int, ...]
    paid: tuple[int, ...]
    to_match: int
    full_raise: int
    folded: int
    acted: int
    pending: int
    actor: int | None
    events: tuple[Event, ...]

    @classmethod
    def new(cls, game: GameConfig, hole_cards: Sequence[Sequence[int] | None] = ()) -> State:
        """Return the hand as dealt: antes and blinds are in.

        Args:
            game: the seats, stacks and forced bets; the bet menu bounds only how many streets
                are bet on, any amount that the rules allow may be bet.
            hole_cards: by seat, None for cards that are not known; empty if none are.

        Raises:
            CardError: a hand has the wrong size, or a card twice.
        """
        table = _table(game)
        seats = range(game.num_players)
        if len(hole_cards) not in (0, game.num_players):
            raise CardError(
                f"{len(hole_cards)} hands for {game.num_players} players",
                "give one hand per seat, None where it is not known",
            )
        holes = tuple(None if h is None else tuple(map(index, h)) for h in hole_cards)
        for seat, hole in enumerate(holes):
            if hole is not None and len(hole) != table.num_hole_cards:
                raise CardError(
                    f"seat {seat} holds {len(hole)} cards, not {table.num_hole_cards}",
                    "give None for a hand that is not known",
                )
        _check_distinct([card for hole in holes if hole for card in hole], table.deck_size)
        return cls(
            _table=table,
            hole_cards=holes or (None,) * game.num_players,
            board=(),
            street=0,
            stacks=table.stacks,
            bets=table.blinds,
            paid=tuple(table.antes[s] + table.blinds[s] for s in seats),
            to_match=table.opening_bet,
            full_raise=max(table.opening_bet, game.big_blind),
            folded=0,
            acted=0,
            pending=0,
            actor=None,
            events=(),
        )._begin_betting()

    def seen_by(self, seat: int) -> State:
        """Return the hand as *seat* sees it before a showdown: with no hole cards but its own."""
        holes = tuple(hole if own == seat else None for own, hole in enumerate(self.hole_cards))
        return replace(self, hole_cards=holes)

    @property
    def game(self) -> GameConfig:
        """The game being played."""
        return self._table.game

    @property
    def live(self) -> tuple[int, ...]:
        """The seats that have not folded."""
        return self._table.live_by_folded[self.folded]

    @property
    def cards_to_deal(self) -> int:
        """How many board cards come next; 0 while a player is to act and when the hand is over."""
        following = self.street + 1
        deals = self._table.deals
        if self.actor is not None or len(self.live) == 1 or following >= len(deals):
            return 0
        return deals[following]

    @property
    def betting_is_over(self) -> bool:
        """Whether nobody will act again, though cards may still come (an all-in run-out)."""
        if self.actor is not None:
            return False
        if len(self.live) == 1 or self.street + 1 >= self.game.num_streets:
            return True
        return sum(self.stacks[seat] > 0 for seat in self.live) <= 1

    @property
    def is_terminal(self) -> bool:
        """Whether the hand is over: all but one folded, or all cards and bets are in."""
        return self.actor is None and not self.cards_to_deal

    @property
    def contributions(self) -> tuple[int, ...]:
        """Chips that each seat has in the pots, uncalled bet returned."""
        called = sorted(self.paid)[-2]
        return tuple(min(paid, called) for paid in self.paid)

    @property
    def pots(self) -> tuple[Pot, ...]:
        """The main pot, then the side pots; the chips of folded players are in them.

        A pot goes as far as the shortest seat that can win it. Uncalled chips are in none.
        """
        contributions = self.contributions
        live = self.live
        pots: list[Pot] = []
        below = 0
        for level in sorted({contributions[seat] for seat in live}):
            # What the folded put in above the last live seat belongs to the last pot.
            top = level if level < max(contributions[s] for s in live) else max(contributions)
            amount = sum(min(c, top) - min(c, below) for c in contributions)
            if amount:
                pots.append(Pot(amount, tuple(s for s in live if contributions[s] >= level)))
            below = level
        return tuple(pots)

    def legal_actions(self) -> LegalActions:
        """Return what the player to act may do.

        Raises:
            RulesError: nobody is to act.
        """
        seat = self.actor
        if seat is None:
            coming = self.cards_to_deal
            why = f"{coming} board cards come first" if coming else "the hand is over"
            raise RulesError(
                f"nobody is to act: {why}",
                "look at is_terminal and cards_to_deal first",
            )
        bet, stack = self.bets[seat], self.stacks[seat]
        owed = self.to_match - bet
        all_in = bet + stack
        # A player who has acted may raise again only when facing a full raise, made of
        # one bet or of several short all-ins (TDA rule 47).
        reopened = not self.acted >> seat & 1 or owed >= self.full_raise
        if not reopened or all_in <= self.to_match or not self._could_answer_raise(seat):
            return LegalActions(owed > 0, min(owed, stack), None, None)
        least = min(self.to_match + self.full_raise, all_in)
        return LegalActions(owed > 0, min(owed, stack), least, all_in)

    def _could_answer_raise(self, seat: int) -> bool:
        """Whether any opponent has chips beyond the bet to match."""
        return any(
            self.stacks[s] and self.bets[s] + self.stacks[s] > self.to_match
            for s in self.live
            if s != seat
        )

    def apply(self, action: Action) -> State:
        """Return the state after the player to act takes *action*.

        Raises:
            RulesError: the action is not legal; the message says what is.
        """
        legal = self.legal_actions()
        if not legal.allows(action):
            raise RulesError(
                f"seat {self.actor} cannot {action} on the {STREETS[self.street]}",
                f"legal: {legal}",
            )
        seat = self.actor
        assert seat is not None  # legal_actions() has raised otherwise
        stacks, bets, paid = list(self.stacks), list(self.bets), list(self.paid)
        folded, pending = self.folded, self.pending & ~(1 << seat)
        to_match, full_raise = self.to_match, self.full_raise
        if action.kind is ActionKind.FOLD:
            folded |= 1 << seat
            cost = 0
        elif action.kind is ActionKind.CALL:
            cost = legal.call
        else:
            cost = action.amount - bets[seat]
            # A short all-in must be called, but leaves the size of a full raise as it was.
            full_raise = max(full_raise, action.amount - to_match)
            to_match = action.amount
            pending = sum(1 << s for s in self.live if stacks[s] and s != seat)
        stacks[seat] -= cost
        bets[seat] += cost
        paid[seat] += cost
        state = State(
            self._table,
            self.hole_cards,
            self.board,
            self.street,
            tuple(stacks),
            tuple(bets),
            tuple(paid),
            to_match,
            full_raise,
            folded,
            acted=self.acted | 1 << seat,
            pending=0,
            actor=None,
            events=(*self.events, Played(seat, action)),
        )
        return state._find_actor(pending, (seat + 1) % len(stacks))

    def deal_board(self, cards: Sequence[int]) -> State:
        """Return the state after the next board *cards*: three, then one, then one.

        Raises:
            RulesError: no board cards are to come, or another number of them.
            CardError: no card of the deck, or one that is already out.
        """
        dealt = tuple(map(index, cards))
        if not self.cards_to_deal or len(dealt) != self.cards_to_deal:
            wanted = self.cards_to_deal or "none"
            raise RulesError(
                f"{len(dealt)} board cards dealt, {wanted} wanted now",
                "look at cards_to_deal first",
            )
        known = [card for hole in self.hole_cards if hole for card in hole]
        _check_distinct([*known, *self.board, *dealt], self._table.deck_size)
        return self._next_street((*self.board, *dealt), (*self.events, Dealt(dealt)))

    def payoffs(self, strengths: Sequence[int] | None = None) -> tuple[int, ...]:
        """Return the chips that each seat wins or loses in the hand; they sum to 0.

        Args:
            strengths: by seat, higher wins and equal splits, read only for seats that have not
                folded. None: the strengths of the cards.

        Raises:
            RulesError: the hand is not over, or a showdown lacks cards. With *strengths* the
                betting must be over, but not the run-out.
        """
        if not (self.is_terminal or (strengths is not None and self.betting_is_over)):
            raise RulesError(
                f"the hand is not over: it is on the {STREETS[self.street]}",
                "play on until is_terminal",
            )
        contributions = self.contributions
        won = [-chips for chips in contributions]
        pots = self.pots
        if len(self.live) > 1 and strengths is None:
            strengths = self.strengths()
            if not all(strengths[seat] for seat in self.live):
                raise RulesError(
                    "a showdown of cards that are not known", "give payoffs() the strengths"
                )
        for pot in pots:
            winners = pot.seats
            if len(winners) > 1 and strengths is not None:
                best = max(strengths[seat] for seat in winners)
                winners = tuple(seat for seat in winners if strengths[seat] == best)
            # Seats count from the first left of the button, and so do odd chips. Heads-up the
            # button is seat 0, but there two equal bets leave no odd chip.
            share, odd = divmod(pot.amount, len(winners))
            for place, seat in enumerate(winners):
                won[seat] += share + (place < odd)
        return tuple(won)

    def strengths(self) -> list[int]:
        """Return the strengths of the hands by seat: 0 for a hand folded or not known.

        Raises:
            RulesError: the board is not complete, or it is a one-card game.
        """
        if self.game.cards.kind != "holdem" or len(self.board) < sum(_HOLDEM_DEALS):
            raise RulesError(
                "the strength of one-card hands is not known to the rules"
                if self.game.cards.kind != "holdem"
                else f"no strength of hands on a board of {len(self.board)} cards",
                "give payoffs() the strengths",
            )
        known = [(seat, hole) for seat in self.live if (hole := self.hole_cards[seat])]
        strengths = [0] * len(self.stacks)
        if known:
            hands = np.array([(*hole, *self.board) for _, hole in known], dtype=np.uint8)
            for (seat, _), strength in zip(known, evaluate(hands).tolist(), strict=True):
                strengths[seat] = strength
        return strengths

    def _begin_betting(self) -> State:
        """Return this state, whose street has just been dealt, with its first actor found."""
        with_chips = [seat for seat in self.live if self.stacks[seat]]
        if self.street >= self.game.num_streets or not with_chips:
            return self._after_betting()
        pending = sum(1 << seat for seat in with_chips)
        return self._find_actor(pending, self._table.first_to_act[self.street])

    def _find_actor(self, pending: int, start: int) -> State:
        """Return this state waiting for the first of *pending* from seat *start* on, if any."""
        if not pending or len(self.live) == 1:
            return self._after_betting()
        seat = start
        while not pending >> seat & 1:
            seat = (seat + 1) % len(self.stacks)
        # The only seat with chips has nothing to decide once it has matched every other: what
        # a short blind asks beyond that would come back.
        if self._alone_with_chips(seat) and self.bets[seat] >= max(
            self.bets[s] for s in self.live if s != seat
        ):
            return self._after_betting()
        return self._changed(pending=pending, actor=seat)

    def _alone_with_chips(self, seat: int) -> bool:
        return not any(self.stacks[s] for s in self.live if s != seat)

    def _after_betting(self) -> State:
        """Return this state with its street over, and streets that bring no card passed."""
        following = self.street + 1
        deals = self._table.deals
        if len(self.live) > 1 and following < len(deals) and not deals[following]:
            return self._next_street(self.board, self.events)
        return self._changed(pending=0, actor=None)

    def _next_street(self, board: tuple[int, ...], events: tuple[Event, ...]) -> State:
        return State(
            self._table,
            self.hole_cards,
            board,
            self.street + 1,
            self.stacks,
            bets=(0,) * len(self.stacks),
            paid=self.paid,
            to_match=0,
            full_raise=self._table.game.big_blind,
            folded=self.folded,
            acted=0,
            pending=0,
            actor=None,
            events=events,
        )._begin_betting()

    def _changed(self, *, pending: int, actor: int | None) -> State:
        # Several times as fast as dataclasses.replace().
        return State(
            self._table,
            self.hole_cards,
            self.board,
            self.street,
            self.stacks,
            self.bets,
            self.paid,
            self.to_match,
            self.full_raise,
            self.folded,
            self.acted,
            pending,
            actor,
            self.events,
        )


def _check_distinct(cards: Sequence[int], deck_size: int) -> None:
    """Raise `CardError` unless *cards* are different cards of the deck."""
    for place, card in enumerate(cards):
        if not 0 <= card < deck_size:
            raise CardError(
                f"{card} is not a card: cards are 0 .. {deck_size - 1}",
                "parse_card() in holdem.game.cards reads names such as 'As'",
            )
        if card in cards[:place]:
            raise CardError(f"card {card} is out twice", "deal every card once")
