from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["NUM_ON_BOARD", "Runouts", "flop_boards"]

NUM_ON_BOARD: tuple[int, int, int, int]

class Runouts:
    boards: npt.NDArray[np.void]
    rows: npt.NDArray[np.void]
    runs: npt.NDArray[np.void]
    symmetries: npt.NDArray[np.uint16]
    def __init__(
        self,
        boards: npt.NDArray[np.void],
        rows: npt.NDArray[np.void],
        runs: npt.NDArray[np.void],
        symmetries: npt.NDArray[np.uint16],
    ) -> None: ...

def flop_boards(
    flop: Sequence[int] | npt.NDArray[np.integer],
    tables: Sequence[npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | None],
    *,
    turns: int = 0,
    rivers: int = 0,
    seed: int = 0,
    number: int = 0,
) -> Runouts: ...
