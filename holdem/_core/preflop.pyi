from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["ClassCounts", "preflop_counts", "preflop_equities"]

class ClassCounts(NamedTuple):
    wins: npt.NDArray[np.int64]
    ties: npt.NDArray[np.int64]
    totals: npt.NDArray[np.int64]

def preflop_counts(threads: int = 2) -> ClassCounts: ...
def preflop_equities(threads: int = 2) -> npt.NDArray[np.float64]: ...
