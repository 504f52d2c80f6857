from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from holdem._core.allin import AllIn, equity
from holdem._core.preflop import ClassCounts, preflop_counts, preflop_equities
from holdem._core.river import board_strengths, river_equities

__all__ = [
    "AllIn",
    "ClassCounts",
    "HandStrength",
    "RangeEquity",
    "Tally",
    "board_strengths",
    "equity",
    "hand_strength",
    "hand_vs_random",
    "hands_that_meet",
    "preflop_counts",
    "preflop_equities",
    "range_equity",
    "river_equities",
]

_Cards = Sequence[int] | npt.NDArray[np.uint8]

class Tally(NamedTuple):
    win: int
    tie: int
    total: int
    @property
    def equity(self) -> float: ...

class HandStrength(NamedTuple):
    hs: float
    ehs: float
    ehs2: float
    histogram: npt.NDArray[np.int64]
    num_runouts: int

class RangeEquity(NamedTuple):
    win: float
    tie: float
    total: float
    @property
    def equity(self) -> float: ...

def hand_vs_random(hole: _Cards, board: _Cards = (), threads: int = 1) -> Tally: ...
def hand_strength(hole: _Cards, board: _Cards) -> HandStrength: ...
def hands_that_meet(
    first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]
) -> npt.NDArray[np.bool_]: ...
def range_equity(
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    board: _Cards = (),
    threads: int = 1,
) -> RangeEquity: ...
