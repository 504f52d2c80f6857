"""A table at which all policies share one betting tree: hands are played in compiled code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdem._core.aivat import Estimator
from holdem._core.deal import DEAL_DTYPE
from holdem._core.evaluator import evaluate
from holdem._core.play import HandPlayer
from holdem.errors import ConfigError
from holdem.evaluation.aivat import make_estimator
from holdem.evaluation.contestants import Contestant
from holdem.evaluation.played_hands import PlayedHands


class SharedTable:
    """Plays the hands of a match between policies whose betting is the same.

    Args:
        first, second: who plays; the second takes all seats that the first does not.
        seed: of cards, actions and of the deals that AIVAT learns from.
        duplicate: whether each deal is played from every seat of the first policy.
        aivat: whether to estimate hands by AIVAT.
        num_workers: threads that AIVAT learns on.

    Attributes:
        game: what is played; chips are its chips.

    Raises:
        ConfigError: AIVAT is wanted with more than two players.
    """

    def __init__(
        self,
        first: Contestant,
        second: Contestant,
        *,
        seed: int,
        duplicate: bool,
        aivat: bool,
        num_workers: int,
    ) -> None:
        tree = self._tree = first.tree
        self.game = tree.game
        self._players = tree.game.num_players
        if aivat and self._players > 2:
            raise ConfigError(f"AIVAT is for two players, not {self._players}", "play without it")
        self._seed, self._duplicate = seed, duplicate
        self._dealers = (first.dealer(), second.dealer())
        self._same_buckets = first.bucketing is second.bucketing
        self._rows = (first.rows(), second.rows())
        self._player = HandPlayer(tree.nodes, tree.contributions, tree.folded)
        self._estimators: tuple[Estimator, ...] = ()
        if aivat:
            pairs = [(first, second), (second, first)]
            made = [
                make_estimator(pair, seed=seed, num_workers=num_workers)
                for pair in (pairs[:1] if first.policy is second.policy else pairs)
            ]
            self._estimators = made[0], made[-1]

    def play(self, first_deal: int, start: int, stop: int) -> list[PlayedHands]:
        """Play deals *start* to *stop* with all seatings that they are played with."""
        numbers = np.arange(start, stop)
        dealer = self._dealers[0]
        cards = np.empty((len(numbers), dealer.num_cards), np.uint8)
        dealer.cards(self._seed, first_deal + start, cards)
        deals = [np.empty(len(numbers), DEAL_DTYPE) for _ in self._dealers]
        for made, into in zip(self._dealers, deals, strict=True):
            if into is deals[0] or not self._same_buckets:
                made.deal(self._seed, first_deal + start, into)
        if self._same_buckets:
            deals[1] = deals[0]
        strengths = self._strengths(cards, deals[0])
        played = []
        for seat in range(self._players):
            here = slice(None) if self._duplicate else numbers % self._players == seat
            seats = [
                (*self._rows[who], np.ascontiguousarray(deals[who][here]))
                for who in (int(other != seat) for other in range(self._players))
            ]
            count = len(numbers[here])
            endings = np.empty(count, np.int32)
            chips = np.empty((count, self._players), np.int32)
            streams = first_deal + numbers[here]
            self._player.play(self._seed, streams, seat, seats, strengths[here], endings, chips)
            values = None
            if self._estimators:
                values = np.empty(count)
                self._estimators[seat].estimate(self._seed, streams, cards[here], endings, values)
                if seat == 1:  # estimates are seat 0's
                    values = -values
            played.append(PlayedHands(seat, numbers[here], cards[here], endings, chips, values))
        return played

    def _strengths(self, cards: NDArray[np.uint8], deals: NDArray[np.void]) -> NDArray[np.int32]:
        """Who wins a showdown, (deals, players): of all cards, whether or not they are bet on."""
        players = self._players
        if self._tree.game.cards.kind == "one-card":
            return np.ascontiguousarray(deals["strength"][:, :players])
        hands = np.empty((len(cards), players, 7), np.uint8)
        hands[:, :, :2] = cards[:, : 2 * players].reshape(-1, players, 2)
        hands[:, :, 2:] = cards[:, None, 2 * players :]
        return evaluate(hands.reshape(-1, 7)).reshape(-1, players).astype(np.int32)
