"""A hand of no-limit hold'em dealt by pokerkit, in the seats of `holdem`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pokerkit import Automation, Mode, NoLimitTexasHoldem

from holdem.types import GameConfig

CARD_NAMES = [rank + suit for rank in "23456789TJQKA" for suit in "cdhs"]

AUTOMATIONS = (
    Automation.ANTE_POSTING,
    Automation.BET_COLLECTION,
    Automation.BLIND_OR_STRADDLE_POSTING,
    Automation.RUNOUT_COUNT_SELECTION,
    Automation.HOLE_CARDS_SHOWING_OR_MUCKING,
    Automation.HAND_KILLING,
    Automation.CHIPS_PUSHING,
    Automation.CHIPS_PULLING,
)


class Choices(NamedTuple):
    """What pokerkit lets a seat do."""

    seat: int
    call: int
    min_raise_to: int | None
    max_raise_to: int | None


class PokerkitTable:
    """One hand in pokerkit. Its players begin left of the button, so heads-up seats swap."""

    def __init__(self, game: GameConfig, hole_cards: Sequence[Sequence[int]]) -> None:
        players = game.num_players
        self.order = (1, 0) if players == 2 else tuple(range(players))
        blinds = [*game.blinds, *[0] * (players - len(game.blinds))]
        # In this mode the antes are layers of the pot like any other chips.
        table = NoLimitTexasHoldem(
            AUTOMATIONS, True, game.ante, blinds, game.big_blind, mode=Mode.CASH_GAME
        )
        # pokerkit has one minimum bet for all streets; a straddle raises that of the first.
        first = replace(
            table.streets[0],
            min_completion_betting_or_raising_amount=max(*game.blinds, game.big_blind),
        )
        table.streets = (first, *table.streets[1:])
        self.state = table([game.stack_of(seat) for seat in self.order], players)
        for seat in self.order:
            self.state.deal_hole(_names(hole_cards[seat]), self.order[seat])

    def choices(self) -> Choices | None:
        """Return what the seat to act may do; None while cards come and at the end."""
        if self.state.actor_index is None:
            return None
        return Choices(
            self.order[self.state.actor_index],
            self.state.checking_or_calling_amount,
            self.state.min_completion_betting_or_raising_to_amount,
            self.state.max_completion_betting_or_raising_to_amount,
        )

    def fold(self) -> None:
        self.state.fold()

    def call(self) -> None:
        self.state.check_or_call()

    def raise_to(self, amount: int) -> None:
        self.state.complete_bet_or_raise_to(amount)

    def cards_to_deal(self) -> int:
        """Return how many board cards come next."""
        # An unknown card is burnt: pokerkit would burn one of those that we deal.
        if self.state.can_burn_card("??"):
            self.state.burn_card("??")
        return self.state.board_dealing_count or 0

    def deal_board(self, cards: Sequence[int]) -> None:
        self.state.deal_board(_names(cards))

    def payoffs(self) -> tuple[int, ...]:
        assert not self.state.status
        return tuple(self.state.payoffs[self.order[seat]] for seat in range(len(self.order)))


def _names(cards: Sequence[int]) -> str:
    return "".join(CARD_NAMES[card] for card in cards)
