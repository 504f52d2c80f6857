"""Solving a spot: iterations of vector CFR until the answer is good enough or time is up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdem._core.range_boards import RangeBoards
from holdem._core.range_walk import RangeWalk
from holdem.errors import ConfigError
from holdem.game.cards import HOLES
from holdem.search.runouts import runouts
from holdem.search.spot import Spot
from holdem.search.subgame import Node, build_public_tree

__all__ = ["METHODS", "Progress", "SubgameSolver"]

CHECK_EVERY = 10
"""Iterations between two looks at the exploitability, which cost about one."""

Fades = tuple[float, float, float]


def _discounted(iteration: int) -> Fades:
    """Discounted CFR (Brown & Sandholm 2019): alpha 1.5, beta 0, gamma 3.

    The average strategy begins anew at powers of four: what was played before is
    forgotten, which costs a quarter of the iterations and gains more.
    """
    past = (iteration - 1) ** 1.5
    since = iteration - 4 ** int(math.log(iteration, 4) + 1e-9)
    return past / (past + 1), 0.5, (since / (since + 1)) ** 3


def _linear(iteration: int) -> Fades:
    share = (iteration - 1) / iteration
    return share, share, share


def _plus(iteration: int) -> Fades:
    """CFR+ (Tammelin 2014): losses are forgotten, the average is linear."""
    return 1.0, 0.0, (iteration - 1) / iteration


METHODS: Mapping[str, Callable[[int], Fades]] = {
    "dcfr": _discounted,
    "linear": _linear,
    "cfr+": _plus,
}
"""What positive regrets, negative ones and strategy sums are multiplied by in an iteration."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a solve is.

    Attributes:
        iterations: done so far.
        seconds: since it began.
        exploitability: half of what both best responses win together, in percent of the pot.
    """

    iterations: int
    seconds: float
    exploitability: float


class SubgameSolver:
    """Regrets and average strategies of one spot.

    Attributes:
        spot: what is solved.
        tree: its public tree.
        boards: both players' hands on every board.
        iterations: done so far.
    """

    def __init__(
        self,
        spot: Spot,
        *,
        method: str = "dcfr",
        packed: bool | None = None,
        num_workers: int = 1,
        alike: bool = True,
        locks: Mapping[Node, npt.NDArray[np.float32]] | None = None,
    ) -> None:
        if method not in METHODS:
            raise ConfigError(f"no method {method!r}", f"one of {', '.join(METHODS)}")
        self.spot = spot
        self.iterations = 0
        self._fades = METHODS[method]
        num_streets = 6 - len(spot.board)
        self.tree = build_public_tree(
            pot=spot.pot, stack=spot.stack, menu=spot.menu, num_streets=num_streets
        )
        self.holes = tuple(_spread(np.flatnonzero(weights)) for weights in spot.ranges)
        hands = [np.ascontiguousarray(HOLES[holes]) for holes in self.holes]
        self.weights = tuple(
            weights[holes] for weights, holes in zip(spot.ranges, self.holes, strict=True)
        )
        self.boards = RangeBoards(
            spot.board, hands, runouts(spot.board, spot.ranges, alike=alike and not locks)
        )
        self.walk = RangeWalk(
            self.boards,
            self.weights,
            self.tree.arrays(),
            packed=num_streets == 3 if packed is None else packed,
            num_workers=num_workers,
        )
        self.num_workers = num_workers
        self._pool = ThreadPoolExecutor(num_workers - 1) if num_workers > 1 else None
        self.pairs = self._count_pairs()

    def _count_pairs(self) -> float:
        """Weight of all pairs of hands that share no card."""
        from holdem._core.showdown import fold_values

        reach = self.weights[1].astype(np.float32)[:, None]
        met = fold_values(HOLES[self.holes[0]], HOLES[self.holes[1]], reach)[:, 0]
        return float(self.weights[0].astype(np.float64) @ met.astype(np.float64))

    def _everywhere(self, function, *args):
        """Call a door of the walk in every thread; return what the first one gave."""
        futures = [
            self._pool.submit(function, worker, *args) for worker in range(1, self.num_workers)
        ] if self._pool else []
        result = function(0, *args)
        for future in futures:
            future.result()
        return result

    def run(self, iterations: int, *, deadline: float | None = None, least: int = 0) -> int:
        """Do iterations of CFR; return how many were done before *deadline*."""
        fades = np.array(
            [self._fades(self.iterations + 1 + i) for i in range(iterations)], np.float32
        ).reshape(-1, 3)
        until = 2**62 if deadline is None else int(deadline * 1e9)
        done = self._everywhere(self.walk.train, fades, until, least)
        self.iterations += done
        return done

    def best_response(self, player: int) -> float:
        """Chips that *player* wins on average by a best response to the average strategy.

        Of a zero-sum game: half of the starting pot is taken off.
        """
        values = self._everywhere(self.walk.values, player, True)
        return self._mean(player, values)

    def value(self, player: int) -> float:
        """Chips that *player* wins on average when both play the average strategy."""
        return self._mean(player, self._everywhere(self.walk.values, player, False))

    def _mean(self, player: int, values: npt.NDArray[np.float32]) -> float:
        return float(self.weights[player].astype(np.float64) @ values.astype(np.float64)) / self.pairs

    def exploitability(self) -> float:
        """Return half of what both best responses win together, in percent of the pot."""
        return (self.best_response(0) + self.best_response(1)) / 2 / self.spot.pot * 100

    def solve(
        self,
        *,
        target: float = 0.3,
        time_budget: float | None = None,
        most_iterations: int = 1_000_000,
        observer: Callable[[Progress], None] | None = None,
    ) -> Progress:
        """Iterate until the exploitability is at most *target* percent of the pot."""
        started = time.monotonic()
        deadline = None if time_budget is None else started + time_budget
        while True:
            done = self.run(min(CHECK_EVERY, most_iterations - self.iterations), deadline=deadline)
            progress = Progress(
                self.iterations, time.monotonic() - started, self.exploitability()
            )
            if observer:
                observer(progress)
            if (
                progress.exploitability <= target
                or done < CHECK_EVERY
                or self.iterations >= most_iterations
            ):
                return progress


def _spread(holes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Order holes so that neighbours of the same two ranks share no card.

    Sums by card then need not wait for one another.
    """
    low, high = HOLES[holes].astype(np.int64).T
    return holes[np.lexsort((low, low // 4, high // 4, (high - low) % 4))]
