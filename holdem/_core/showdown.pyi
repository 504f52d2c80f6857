from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["fold_values", "showdown_margins"]

def showdown_margins(
    board: Sequence[int] | npt.NDArray[np.uint8],
    own: npt.NDArray[np.uint8],
    theirs: npt.NDArray[np.uint8],
    reach: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]: ...
def fold_values(
    own: npt.NDArray[np.uint8],
    theirs: npt.NDArray[np.uint8],
    reach: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]: ...
