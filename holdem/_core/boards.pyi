from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Runouts", "flop_boards"]

class Runouts:
    boards: npt.NDArray[np.void]
    buckets: npt.NDArray[np.uint16]
    parts: npt.NDArray[np.uint16]
    entries: npt.NDArray[np.void]
    renamed: npt.NDArray[np.uint16]
    def __init__(
        self,
        boards: npt.NDArray[np.void],
        buckets: npt.NDArray[np.uint16],
        parts: npt.NDArray[np.uint16],
        entries: npt.NDArray[np.void],
        renamed: npt.NDArray[np.uint16],
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
