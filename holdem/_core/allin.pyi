from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["AllIn", "equity"]

class AllIn(NamedTuple):
    wins: npt.NDArray[np.int64]
    ties: npt.NDArray[np.int64]
    equities: npt.NDArray[np.float64]
    num_boards: int

def equity(
    hands: Sequence[Sequence[int]] | npt.NDArray[np.uint8],
    board: Sequence[int] | npt.NDArray[np.uint8] = (),
) -> AllIn: ...
