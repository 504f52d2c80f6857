import numpy as np
import numpy.typing as npt

__all__ = ["current_strategy"]

def current_strategy(regrets: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...
