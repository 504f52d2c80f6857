import numpy as np
import numpy.typing as npt

__all__ = ["ContinuationWalk", "add_values"]

class ContinuationWalk:
    num_nodes: int
    def __init__(
        self,
        nodes: npt.NDArray[np.void],
        folded: npt.NDArray[np.uint16],
        kinds: npt.NDArray[np.uint8],
        units: npt.NDArray[np.uint16],
        factor: float,
    ) -> None: ...
    def values(
        self, deals: npt.NDArray[np.void], at: npt.NDArray[np.int32], out: npt.NDArray[np.float32]
    ) -> None: ...

def add_values(
    values: npt.NDArray[np.float32],
    cells: npt.NDArray[np.int32],
    root: int,
    sums: npt.NDArray[np.float32],
) -> None: ...
