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

from holdem.abstraction.workers import Workers
from holdem.errors import ConfigError
from holdem.evaluation.contestants import Contestant, same_betting
from holdem.evaluation.estimates import Z95, Estimate, Outcome, Sums
from holdem.evaluation.played_hands import PlayedHands
from holdem.evaluation.shared_table import SharedTable
from holdem.evaluation.translated_table import TranslatedTable, require_same_game, translators
from holdem.machine import usable_cores

FIRST_DEAL = 1 << 62
"""Deals of a match have numbers that no training run comes to: it would know their cards."""
FIRST_PILOT_DEAL = 3 << 61

PILOT_DEALS = 2_000
_CHUNK, _PILOT_CHUNK = 2_048, 500
_NEVER = 1e18
"""Deals that nobody plays: a larger number would be no whole one."""


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
        """Return how many hands a 95 % interval of +- *error* mbb/h takes, or what nobody plays."""
        wanted = Z95 * self.estimate.sd / error
        deals = math.ceil(min(wanted * wanted, _NEVER))
        return max(deals, 2) * hands_per_deal


def require_match(first: Contestant, second: Contestant) -> None:
    """Refuse, without making ready for it, a `Match` that cannot be.

    Raises:
        MismatchError: the policies are of different games, or not for their buckets.
        ConfigError: a bucket set is missing.
    """
    require_same_game(first, second)
    if not same_betting(first.tree, second.tree):
        translators(first, second)
    for one in (first, second):
        one.dealer()


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

    Attributes:
        game: what is played; chips are its chips.
        translated: whether the policies have different bet menus: each follows the hands in
            its own betting tree, and AIVAT cannot be had.
        num_threads: on which hands are played.

    Raises:
        MismatchError: the policies are of different games, or not for their buckets.
        ConfigError: a bucket set is missing, or AIVAT is wanted where it cannot be had.
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
        require_same_game(first, second)
        self.first, self.second = first, second
        self.num_players = first.tree.game.num_players
        self.duplicate = duplicate
        self.translated = not same_betting(first.tree, second.tree)
        # A hand that is followed is played in Python, one at a time.
        self.num_threads = 1 if self.translated else num_workers or usable_cores()
        self._aivat = self.num_players == 2 and not self.translated if aivat is None else aivat
        if self._aivat and self.translated:
            raise ConfigError(
                "AIVAT is for policies with one bet menu, and these have two", "play without it"
            )
        self._table: SharedTable | TranslatedTable
        if self.translated:
            self._table = TranslatedTable(first, second, seed=seed, duplicate=duplicate)
        else:
            self._table = SharedTable(
                first,
                second,
                seed=seed,
                duplicate=duplicate,
                aivat=self._aivat,
                num_workers=num_workers,
            )
        self.game = self._table.game

    @property
    def pilot_deals(self) -> int:
        """How many deals of a pilot keep all threads at work, to learn how long hands take."""
        return _PILOT_CHUNK * self.num_threads

    @property
    def hands_per_deal(self) -> int:
        """How often each deal is played."""
        return self.num_players if self.duplicate else 1

    def pilot(self, num_deals: int = PILOT_DEALS) -> Pilot:
        """Play some hands that do not count, to learn how much they vary and how long they take."""
        started = time.perf_counter()
        sums = self._play(FIRST_PILOT_DEAL, num_deals, _PILOT_CHUNK)
        seconds = time.perf_counter() - started
        outcome = sums.outcome(aivat=self._aivat)
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
        sums = self._play(FIRST_DEAL, num_deals, _CHUNK, on_hands)
        return MatchResult(
            first=self.first.name,
            second=self.second.name,
            num_hands=num_deals * self.hands_per_deal,
            num_deals=num_deals,
            duplicate=self.duplicate,
            plain=sums.outcome(aivat=False),
            aivat=sums.outcome(aivat=True) if self._aivat else None,
        )

    def _play(
        self,
        first_deal: int,
        num_deals: int,
        chunk: int,
        on_hands: Callable[[PlayedHands], None] | None = None,
    ) -> Sums:
        sums = Sums(self.num_players, self.game.big_blind, duplicate=self.duplicate)
        with Workers(self.num_threads) as workers:
            for _, _, played in workers.chunks(
                lambda start, stop: self._table.play(first_deal, start, stop), num_deals, chunk
            ):
                sums.add(played)
                for hands in played if on_hands else ():
                    assert on_hands is not None
                    on_hands(hands)
        return sums


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
