from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["rollout_equities"]

def rollout_equities(
    hands: Sequence[Sequence[int]] | npt.NDArray[np.uint8],
    board: Sequence[int] | npt.NDArray[np.uint8],
) -> npt.NDArray[np.float32]: ...
