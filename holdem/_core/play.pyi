from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["HandPlayer"]

Seat = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16], npt.NDArray[np.void]]

class HandPlayer:
    def __init__(
        self,
        nodes: npt.NDArray[np.void],
        contributions: npt.NDArray[np.int32],
        folded: npt.NDArray[np.uint16],
    ) -> None: ...
    def play(
        self,
        seed: int,
        numbers: npt.NDArray[np.int64],
        lane: int,
        seats: Sequence[Seat],
        strengths: npt.NDArray[np.int32],
        endings: npt.NDArray[np.int32],
        chips: npt.NDArray[np.int32],
    ) -> None: ...
