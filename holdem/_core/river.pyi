from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["board_strengths", "canonical_rivers", "river_equities"]

def canonical_rivers() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]: ...
def board_strengths(board: Sequence[int] | npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]: ...
def river_equities(board: Sequence[int] | npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]: ...
