import numpy as np
import numpy.typing as npt

__all__ = ["words"]

def words(seed: int, iteration: int, lane: int, count: int) -> npt.NDArray[np.uint64]: ...
