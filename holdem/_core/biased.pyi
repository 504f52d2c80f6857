from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BiasedBlueprint"]

class BiasedBlueprint:
    num_streets: int
    most_decisions: int
    most_actions: int
    bucket_counts: tuple[int, ...]
    def __init__(
        self,
        nodes: npt.NDArray[np.void],
        contributions: npt.NDArray[np.int32],
        folded: npt.NDArray[np.uint16],
        kinds: npt.NDArray[np.uint8],
        units: npt.NDArray[np.uint16],
        tables: Sequence[npt.NDArray[Any]],
        bucket_counts: Sequence[int],
        factor: float,
    ) -> None: ...
