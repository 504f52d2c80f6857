"""Safe re-solving: the choice put before a subgame, so that what was promised before is kept.

A search that believes its opponent's range plays well against that range only. A gadget
lets the opponent choose: what it would have had elsewhere, hand by hand, or the subgame.
The answer then gives no hand more than it had, if that can be done at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdem._core.range_walk import RangeWalk
from holdem.errors import ConfigError
from holdem.game.cards import HOLES, hole_name

__all__ = ["GADGETS", "Choice", "Gadget"]

GADGETS: Mapping[str, int] = {"resolve": 1, "max-margin": 2}
"""The kinds, by the numbers that the compiled core has for them."""


@dataclass(frozen=True, slots=True, eq=False)
class Gadget:
    """What the opponent of the searching player could have instead of the subgame.

    ``"resolve"`` gives each hand the choice between its alternative and the subgame (Burch,
    Johanson & Bowling 2014): no hand gets more than its alternative. ``"max-margin"`` lets
    the opponent choose the hand that gets most more than its alternative (Moravcik et al.
    2016): the least of what all hands lose is made as large as it can be. Both hold for
    hands whose weight in the range is above 0, however small.

    Attributes:
        player: the opponent, 0 out of position.
        alternatives: float32 (1326,), chips that each hole takes home elsewhere, in the
            unit of `SubgameSolver.hand_values`.
        kind: one of `GADGETS`.

    Raises:
        ConfigError: a value cannot be used.
    """

    player: int
    alternatives: npt.NDArray[np.float32]
    kind: str = "max-margin"

    def __post_init__(self) -> None:
        if self.kind not in GADGETS:
            raise ConfigError(f"no gadget {self.kind!r}", f"one of {', '.join(GADGETS)}")
        if self.player not in (0, 1):
            raise ConfigError(f"a gadget for player {self.player!r}", "0 out of position, or 1")
        if np.shape(self.alternatives) != (len(HOLES),):
            raise ConfigError(
                f"alternatives of shape {np.shape(self.alternatives)}",
                f"give a value to each of the {len(HOLES):,} holes",
            )


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A gadget that stands before a walk.

    Attributes:
        gadget: as given.
        walk: the walk.
        weights: float32 (hands,), of the player who chooses.
        alternatives: float64 (hands,), in the unit of `RangeWalk.values`.
        met: float64 (hands,), the other's reach that each hand can meet.
    """

    gadget: Gadget
    walk: RangeWalk
    weights: npt.NDArray[np.float64]
    alternatives: npt.NDArray[np.float64]
    met: npt.NDArray[np.float64]

    @classmethod
    def put_before(
        cls,
        walk: RangeWalk,
        gadget: Gadget,
        *,
        pot: int,
        holes: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float32],
        met: npt.NDArray[np.float32],
    ) -> Choice:
        """Make the walk learn the choice of *gadget*.

        Args:
            walk: that did nothing yet.
            gadget: what to choose between.
            pot: of the spot.
            holes: int64 (hands,), the range of the player who chooses.
            weights: float32 (hands,), of them.
            met: float32 (hands,), the other's reach that each can meet.

        Raises:
            ConfigError: a hand of the range has no finite alternative.
        """
        values = np.asarray(gadget.alternatives, np.float64)[holes]
        missing = holes[(met > 0) & ~np.isfinite(values)]
        if len(missing):
            raise ConfigError(
                f"no alternative for {hole_name(int(missing[0]))} and {len(missing) - 1} more",
                "give every hand of the range what it takes home elsewhere",
            )
        elsewhere = np.where(met > 0, values - pot / 2, 0) * met.astype(np.float64)
        choice = cls(gadget, walk, weights.astype(np.float64), elsewhere, met.astype(np.float64))
        walk.enter_safely(
            GADGETS[gadget.kind],
            gadget.player,
            elsewhere.astype(np.float32),
            choice.shares().astype(np.float32),
            choice.pairs(),
        )
        return choice

    def shares(self) -> npt.NDArray[np.float64]:
        """Return one over what each hand can meet, 0 where that is nothing: (hands,)."""
        shares = np.zeros_like(self.met)
        np.divide(1, self.met, out=shares, where=self.met > 0)
        return shares

    def pairs(self) -> float:
        """Return the weight of all pairs of hands that can meet."""
        return float(self.weights @ self.met)

    def entering(self) -> npt.NDArray[np.float64]:
        """Return how likely each hand is played, or is the one that is, on average: (hands,)."""
        sums = self.walk.gadget_sums.astype(np.float64).reshape(-1, len(self.met))
        if self.gadget.kind == "resolve":
            played: npt.NDArray[np.float64] = (sums[0] + 1e-9) / (sums.sum(axis=0) + 2e-9)
            return played
        able = (self.met > 0).astype(np.float64)
        chosen: npt.NDArray[np.float64] = sums[0] if sums.any() else able
        return chosen / float(chosen.sum())

    def reach(self) -> npt.NDArray[np.float64]:
        """Return the reach that enters on average, (hands,), its pairs as many as the range's."""
        if self.gadget.kind == "resolve":
            return self.weights * self.entering()
        return self.entering() * self.shares() * self.pairs()

    def best(self, values: npt.NDArray[np.float32]) -> float:
        """Return what the player gains by choosing best, all pairs together.

        Args:
            values: float32 (hands,), of its best response to the subgame.
        """
        better = values.astype(np.float64) - self.alternatives
        if self.gadget.kind == "resolve":
            return float(self.weights @ (self.alternatives + np.maximum(better, 0)))
        able = self.met > 0
        return float((better[able] / self.met[able]).max()) * self.pairs()

    def elsewhere(self) -> float:
        """Return what the player has on average besides what it wins in the subgame."""
        if self.gadget.kind == "resolve":
            return float((self.weights - self.reach()) @ self.alternatives)
        return -float(self.reach() @ self.alternatives)
