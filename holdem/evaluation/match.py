"""Matches: two policies play hands for real, and what comes out has an error bar.

The number of hands is fixed before the first is played, because stopping when the
figures look good biases them. In a duplicate match each deal is played once with every
seating, the first policy alone against copies of the second, and the unit that the
interval counts is the deal. Hands come from streams numbered by deal, so a result
depends on the seed and the number of hands, not on how many threads have played them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem._core.aivat import Estimator
from holdem._core.deal import DEAL_DTYPE
from holdem._core.evaluator import evaluate
from holdem._core.play import HandPlayer
from holdem.abstraction.workers import Workers
from holdem.errors import ConfigError
from holdem.evaluation.aivat import make_estimator
from holdem.evaluation.contestants import (
    Contestant,
    require_bucketing,
    require_same_betting,
)

FIRST_DEAL = 1 << 62
"""Deals of a match have numbers that no training run comes to: it would know their cards."""
FIRST_PILOT_DEAL = 3 << 61

Z95 = 1.959963984540054
"""Half of a 95 % interval, in standard errors."""

PILOT_DEALS = 2_000
_CHUNK = 2_048


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A mean of independent figures. Milli big blinds per hand.

    Attributes:
        mean: the mean.
        sd: standard deviation of one figure.
        count: how many figures: deals, each played with one or more seatings.
    """

    mean: float
    sd: float
    count: int

    @property
    def error(self) -> float:
        """Half the width of the 95 % interval; infinite for a single figure."""
        return Z95 * self.sd / math.sqrt(self.count) if self.count > 1 else math.inf

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        return self.mean - self.error, self.mean + self.error


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What the first policy won, one way of counting.

    Attributes:
        total: over all positions.
        positions: by seat of the first policy.
        hand_sd: standard deviation of a single hand, mbb.
    """

    total: Estimate
    positions: tuple[Estimate, ...]
    hand_sd: float


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchResult:
    """How a match went, as the first policy sees it.

    Attributes:
        first, second: names.
        num_hands: hands played.
        num_deals: different deals among them.
        duplicate: whether each deal was played with every seating.
        plain: by the chips that changed hands.
        aivat: by AIVAT's estimates; None without them.
    """

    first: str
    second: str
    num_hands: int
    num_deals: int
    duplicate: bool
    plain: Outcome
    aivat: Outcome | None

    @property
    def best(self) -> Outcome:
        """AIVAT's figures where there are some."""
        return self.aivat or self.plain

    @property
    def reduction(self) -> float | None:
        """Share of a hand's standard deviation that AIVAT takes away."""
        if self.aivat is None or self.plain.hand_sd == 0:
            return None
        return 1 - self.aivat.hand_sd / self.plain.hand_sd


@dataclass(frozen=True, kw_only=True, slots=True)
class Pilot:
    """What a few hands beforehand say.

    Attributes:
        estimate: of the total; its hands do not count.
        seconds_per_hand: on all threads together.
    """

    estimate: Estimate
    seconds_per_hand: float

    def hands_for(self, error: float, hands_per_deal: int) -> int:
        """Return how many hands a 95 % interval of +- *error* mbb/h takes."""
        deals = math.ceil((Z95 * self.estimate.sd / error) ** 2)
        return max(deals, 2) * hands_per_deal


@dataclass(frozen=True, slots=True)
class PlayedHands:
    """Some hands of a match, all with one seating.

    Attributes:
        seat: of the first policy.
        numbers: int64 (n,), of the deals, from 0.
        cards: uint8 (n, num_cards), as dealers write them.
        endings: int32 (n,), nodes of the tree.
        chips: int32 (n, num_players).
        values: float64 (n,), AIVAT's estimate for the first policy, chips; None without.
    """

    seat: int
    numbers: NDArray[np.int64]
    cards: NDArray[np.uint8]
    endings: NDArray[np.int32]
    chips: NDArray[np.int32]
    values: NDArray[np.float64] | None


class Match:
    """Two policies at one table.

    With more than two players, the first policy sits alone among copies of the second.

    Args:
        first, second: who plays.
        seed: of cards, actions and of the deals that AIVAT learns from.
        duplicate: whether each deal is played with every seating; else the first policy
            sits in another seat at each deal.
        aivat: whether to reduce luck by AIVAT; by default, with two players.
        num_workers: threads; 0 for one per core.

    Raises:
        MismatchError: the policies are not for the same betting, or not for their buckets.
        ConfigError: a bucket set is missing, or AIVAT is wanted with more than two players.
    """

    def __init__(
        self,
        first: Contestant,
        second: Contestant,
        *,
        seed: int = 0,
        duplicate: bool = True,
        aivat: bool | None = None,
        num_workers: int = 1,
    ) -> None:
        tree = first.tree
        require_same_betting(tree, second.tree)
        require_bucketing(first)
        require_bucketing(second)
        self.tree = tree
        self.first, self.second = first, second
        self.num_players = tree.game.num_players
        self.duplicate = duplicate
        if aivat and self.num_players > 2:
            raise ConfigError(
                f"AIVAT is for two players, not {self.num_players}", "play without it"
            )
        self._seed, self._num_workers = seed, num_workers
        self._dealers = (first.dealer(), second.dealer())
        self._same_buckets = first.bucketing is second.bucketing
        self._rows = (first.rows(), second.rows())
        self._player = HandPlayer(tree.nodes, tree.contributions, tree.folded)
        self._estimators: tuple[Estimator, ...] = ()
        if self.num_players == 2 if aivat is None else aivat:
            self._estimators = self._make_estimators()

    @property
    def hands_per_deal(self) -> int:
        """How often each deal is played."""
        return self.num_players if self.duplicate else 1

    def pilot(self, num_deals: int = PILOT_DEALS) -> Pilot:
        """Play some hands that do not count, to learn how much they vary and how long they take."""
        started = time.perf_counter()
        sums = self._play(FIRST_PILOT_DEAL, num_deals, None)
        seconds = time.perf_counter() - started
        outcome = sums.outcome(aivat=bool(self._estimators))
        return Pilot(
            estimate=outcome.total, seconds_per_hand=seconds / (num_deals * self.hands_per_deal)
        )

    def play(
        self, num_hands: int, on_hands: Callable[[PlayedHands], None] | None = None
    ) -> MatchResult:
        """Play *num_hands*, or as few more as complete the last deal.

        Args:
            num_hands: how many.
            on_hands: gets the hands as they were played, in order.

        Raises:
            ConfigError: *num_hands* is below 1.
        """
        if num_hands < 1:
            raise ConfigError(f"a match of {num_hands} hands", "play at least one")
        num_deals = -(-num_hands // self.hands_per_deal)
        sums = self._play(FIRST_DEAL, num_deals, on_hands)
        return MatchResult(
            first=self.first.name,
            second=self.second.name,
            num_hands=num_deals * self.hands_per_deal,
            num_deals=num_deals,
            duplicate=self.duplicate,
            plain=sums.outcome(aivat=False),
            aivat=sums.outcome(aivat=True) if self._estimators else None,
        )

    def _make_estimators(self) -> tuple[Estimator, ...]:
        """By seat of the first policy, what estimates the hands."""
        pairs = [(self.first, self.second), (self.second, self.first)]
        if self.first.policy is self.second.policy:
            pairs = pairs[:1]
        made = [
            make_estimator(pair, seed=self._seed, num_workers=self._num_workers) for pair in pairs
        ]
        return made[0], made[-1]

    def _play(
        self, first_deal: int, num_deals: int, on_hands: Callable[[PlayedHands], None] | None
    ) -> _Sums:
        sums = _Sums(self.num_players, self.tree.game.big_blind)
        with Workers(self._num_workers) as workers:
            for _, _, played in workers.chunks(
                lambda start, stop: self._play_chunk(first_deal, start, stop), num_deals, _CHUNK
            ):
                sums.add(played)
                for hands in played if on_hands else ():
                    assert on_hands is not None
                    on_hands(hands)
        return sums

    def _play_chunk(self, first_deal: int, start: int, stop: int) -> list[PlayedHands]:
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
        for seat in range(self.num_players):
            here = slice(None) if self.duplicate else numbers % self.num_players == seat
            seats = [
                (*self._rows[who], np.ascontiguousarray(deals[who][here]))
                for who in (int(other != seat) for other in range(self.num_players))
            ]
            count = len(numbers[here])
            endings = np.empty(count, np.int32)
            chips = np.empty((count, self.num_players), np.int32)
            streams = first_deal + numbers[here]
            self._player.play(self._seed, streams, seat, seats, strengths[here], endings, chips)
            values = None
            if self._estimators:
                values = np.empty(count)
                self._estimators[seat].estimate(
                    self._seed, streams, cards[here], endings, values
                )
                if seat == 1:  # estimates are seat 0's
                    values = -values
            played.append(PlayedHands(seat, numbers[here], cards[here], endings, chips, values))
        return played

    def _strengths(self, cards: NDArray[np.uint8], deals: NDArray[np.void]) -> NDArray[np.int32]:
        """Who wins a showdown, (deals, players): of all cards, whether or not they are bet on."""
        players = self.num_players
        if self.tree.game.cards.kind == "one-card":
            return np.ascontiguousarray(deals["strength"][:, :players])
        hands = np.empty((len(cards), players, 7), np.uint8)
        hands[:, :, :2] = cards[:, : 2 * players].reshape(-1, players, 2)
        hands[:, :, 2:] = cards[:, None, 2 * players :]
        return evaluate(hands.reshape(-1, 7)).reshape(-1, players).astype(np.int32)


def play_match(
    first: Contestant,
    second: Contestant,
    num_hands: int,
    *,
    seed: int = 0,
    duplicate: bool = True,
    aivat: bool | None = None,
    num_workers: int = 1,
) -> MatchResult:
    """Let two policies play *num_hands*; see `Match`."""
    match = Match(
        first, second, seed=seed, duplicate=duplicate, aivat=aivat, num_workers=num_workers
    )
    return match.play(num_hands)


class _Sums:
    """Counts, means and squares of all figures of a match, added block by block in order."""

    def __init__(self, num_players: int, big_blind: int) -> None:
        self._unit = 1000 / big_blind
        self._players = num_players
        # By way of counting (plain, AIVAT): the total, each position, and single hands.
        self._moments = [[_Moments() for _ in range(num_players + 2)] for _ in range(2)]

    def add(self, played: list[PlayedHands]) -> None:
        """Add some deals, played with all their seatings."""
        for way, moments in enumerate(self._moments):
            figures = [
                hands.chips[:, hands.seat].astype(np.float64) if way == 0 else hands.values
                for hands in played
            ]
            if any(figure is None for figure in figures):
                continue
            scaled = [figure * self._unit for figure in figures if figure is not None]
            every = np.concatenate(scaled)
            # Duplicate: the mean over all seatings of a deal. Else a deal has one seating.
            same = len({len(figure) for figure in scaled}) == 1 and all(
                np.array_equal(hands.numbers, played[0].numbers) for hands in played
            )
            moments[0].add(np.mean(scaled, axis=0) if same else every)
            for seat, figure in enumerate(scaled):
                moments[1 + seat].add(figure)
            moments[-1].add(every)

    def outcome(self, *, aivat: bool) -> Outcome:
        """Return what it comes to."""
        total, *positions, hands = self._moments[aivat]
        return Outcome(
            total=total.estimate(),
            positions=tuple(position.estimate() for position in positions),
            hand_sd=hands.estimate().sd,
        )


class _Moments:
    """Mean and spread of figures that come in blocks (Chan, Golub & LeVeque 1979)."""

    def __init__(self) -> None:
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, figures: NDArray[np.float64]) -> None:
        if not len(figures):
            return
        mean = float(figures.mean())
        squares = float(((figures - mean) ** 2).sum())
        count = self._count + len(figures)
        apart = mean - self._mean
        self._squares += squares + apart**2 * self._count * len(figures) / count
        self._mean += apart * len(figures) / count
        self._count = count

    def estimate(self) -> Estimate:
        spread = self._squares / (self._count - 1) if self._count > 1 else 0.0
        return Estimate(mean=self._mean, sd=math.sqrt(spread), count=self._count)
