from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["range_sums", "rollout_equities"]

def rollout_equities(
    hands: Sequence[Sequence[int]] | npt.NDArray[np.uint8],
    board: Sequence[int] | npt.NDArray[np.uint8],
) -> npt.NDArray[np.float32]: ...
def range_sums(
    ranges: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]: ...
