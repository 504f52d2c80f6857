"""A table at which each policy follows the hands in a betting tree of its own.

Hands are played by the rules, a thousand a second or less. What a policy does not know of the
other's bets goes through `holdem.abstraction.translation`. Cards and draws are those of
`SharedTable`, so that policies with one bet menu play the same hands here as there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdem._core.deal import DEAL_DTYPE
from holdem._core.rng import words
from holdem.abstraction.translation import Follower, Translator
from holdem.errors import MismatchError
from holdem.evaluation.contestants import Contestant
from holdem.evaluation.played_hands import PlayedHands, deal_on
from holdem.game.rules import State
from holdem.mccfr.blueprint import ONE
from holdem.types import GameConfig

_FIRST_LANE = 16  # as _core/play.pxd has it
_MOST_DRAWS = 512


def require_same_game(first: Contestant, second: Contestant) -> None:
    """Refuse policies of different games; bet menus and buckets may differ.

    Raises:
        MismatchError: they differ in players, cards, stacks or forced bets.
    """
    ours, theirs = (_stakes(contestant.tree.game) for contestant in (first, second))
    for what, mine in ours.items():
        if mine != theirs[what]:
            raise MismatchError(
                f"the policies are of different games: {what} {mine} for {first.name}, "
                f"{theirs[what]} for {second.name}",
                "let policies of one game play",
            )


def _stakes(game: GameConfig) -> dict[str, object]:
    """What must be the same for two policies to meet, money in big blinds."""
    unit = game.big_blind
    cards = game.cards
    return {
        "players": game.num_players,
        "cards": cards.kind if cards.kind == "holdem" else f"of {cards.ranks} x {cards.suits}",
        "stacks": tuple(game.stack_of(seat) / unit for seat in range(game.num_players)),
        "blinds": tuple(blind / unit for blind in game.blinds),
        "ante": game.ante / unit,
    }


def translators(first: Contestant, second: Contestant) -> tuple[Translator, Translator]:
    """Return what follows the hands of both, in the game of whoever bets on more streets.

    Raises:
        MismatchError: a tree cannot follow the game.
    """
    both = (first, second)
    game = max((one.tree.game for one in both), key=lambda game: game.num_streets)
    if game.cards.kind != "holdem":
        raise MismatchError(
            f"the policies have different betting trees of {game.name!r}",
            "let policies with one bet menu play; only hold'em bets are translated",
        )
    return Translator(first.tree, game), Translator(second.tree, game)


class TranslatedTable:
    """Plays the hands of a match between policies with different bet menus.

    The hands are those of the first policy's game, or of the other's if that goes on for more
    streets.

    Args:
        first, second: who plays; the second takes all seats that the first does not.
        seed: of cards, actions and translations.
        duplicate: whether each deal is played from every seat of the first policy.

    Attributes:
        game: what is played; chips are its chips.

    Raises:
        MismatchError: a tree cannot follow the game.
    """

    def __init__(
        self, first: Contestant, second: Contestant, *, seed: int, duplicate: bool
    ) -> None:
        both = (first, second)
        self._translators = translators(first, second)
        self.game = self._translators[0].game
        self._players = self.game.num_players
        self._seed, self._duplicate = seed, duplicate
        self._dealers = tuple(one.dealer() for one in both)
        self._trees = tuple(one.tree for one in both)
        self._rows = tuple(one.rows() for one in both)

    def play(self, first_deal: int, start: int, stop: int) -> list[PlayedHands]:
        """Play deals *start* to *stop* with all seatings that they are played with."""
        numbers = np.arange(start, stop)
        cards = np.empty((len(numbers), self._dealers[0].num_cards), np.uint8)
        self._dealers[0].cards(self._seed, first_deal + start, cards)
        buckets = []
        for dealer in self._dealers:
            deals = np.empty(len(numbers), DEAL_DTYPE)
            dealer.deal(self._seed, first_deal + start, deals)
            buckets.append(deals["bucket"])
        played = []
        for seat in range(self._players):
            here = np.flatnonzero(self._duplicate | (numbers % self._players == seat))
            states = tuple(
                self._play_hand(
                    first_deal + int(numbers[place]),
                    seat,
                    cards[place].tolist(),
                    (buckets[0][place], buckets[1][place]),
                )
                for place in here.tolist()
            )
            chips = np.array([state.payoffs() for state in states], np.int32)
            endings = np.full(len(here), -1, np.int32)
            played.append(
                PlayedHands(
                    seat,
                    numbers[here],
                    cards[here],
                    endings,
                    chips.reshape(-1, self._players),
                    None,
                    states,
                )
            )
        return played

    def _play_hand(
        self,
        number: int,
        first_seat: int,
        cards: list[int],
        buckets: tuple[NDArray[np.int32], NDArray[np.int32]],
    ) -> State:
        """Play one hand and return its last state."""
        holes = [cards[2 * seat : 2 * seat + 2] for seat in range(self._players)]
        board = cards[2 * self._players :]
        draws = iter(words(self._seed, number, _FIRST_LANE + first_seat, _MOST_DRAWS).tolist())
        followers = [one.begin(self._seed, number) for one in self._translators]
        state = State.new(self.game, holes)
        while not (state := deal_on(state, board)).is_terminal:
            seat = state.actor
            assert seat is not None  # no cards are to come, and the hand is not over
            who = int(seat != first_seat)
            choice = self._choice(who, followers[who], state, buckets[who], next(draws))
            action = followers[who].action(state, choice)
            followers = [
                follower.after(state, action, choice if mine else None)
                for mine, follower in ((index == who, one) for index, one in enumerate(followers))
            ]
            state = state.apply(action)
        return state

    def _choice(
        self, who: int, follower: Follower, state: State, buckets: NDArray[np.int32], draw: int
    ) -> int | None:
        """What the policy chooses in its tree; None where it has no answer."""
        node = follower.decision(state)
        if node is None:
            return None
        first_slots, units = self._rows[who]
        record = self._trees[who].nodes[node]
        k = int(record["num_actions"])
        bucket = int(buckets[int(record["street"])][int(record["actor"])])
        first = int(first_slots[node]) + bucket * k
        left = ((draw >> 32) * ONE) >> 32
        for choice, share in enumerate(units[first : first + k].tolist()):
            left -= share
            if left < 0:
                return choice
        return k - 1
