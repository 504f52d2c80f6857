"""Means with error bars out of hands that were played."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem.evaluation.played_hands import PlayedHands

Z95 = 1.959963984540054
"""Half of a 95 % interval, in standard errors, of the mean of a great many figures."""

_MANY = 1_000  # of which the interval is a thousandth wider
_FEW = (12.706205, 4.302653, 3.182446, 2.776445, 2.570582)


def quantile95(count: int) -> float:
    """Return half of a 95 % interval of the mean of *count* figures, in estimated standard errors.

    It is Student's t. The expansion is that of Abramowitz & Stegun (1964), 26.7.5.
    """
    free = count - 1
    if free < 1:
        return math.inf
    if free <= len(_FEW):
        return _FEW[free - 1]
    if count > _MANY:
        return Z95
    z = Z95
    return (
        z
        + (z**3 + z) / (4 * free)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * free**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92_160 * free**4)
    )


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
        if self.count < 2:
            return math.inf
        return quantile95(self.count) * self.sd / math.sqrt(self.count)

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


class Sums:
    """Counts, means and squares of all figures of a match, added block by block in order."""

    def __init__(self, num_players: int, big_blind: int, *, duplicate: bool) -> None:
        self._unit = 1000 / big_blind
        self._duplicate = duplicate
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
            moments[0].add(np.mean(scaled, axis=0) if self._duplicate else every)
            for hands, figure in zip(played, scaled, strict=True):
                moments[1 + hands.seat].add(figure)
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
