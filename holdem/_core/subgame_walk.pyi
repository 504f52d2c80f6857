from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from holdem._core.biased import BiasedBlueprint

__all__ = ["STREET_NODE_DTYPE", "SubgameWalk"]

STREET_NODE_DTYPE: np.dtype[np.void]

class SubgameWalk:
    regrets: npt.NDArray[np.float32]
    sums: npt.NDArray[np.float32]
    pads: tuple[int, ...]
    values: npt.NDArray[np.float64]
    met: npt.NDArray[np.float64]
    iterations: int
    def __init__(
        self,
        nodes: npt.NDArray[np.void],
        stakes: npt.NDArray[np.int32],
        folded: npt.NDArray[np.uint16],
        holes: Sequence[npt.NDArray[np.uint8]],
        weights: Sequence[npt.NDArray[np.floating]],
        board: Sequence[int],
        num_floats: int,
        line_end: int,
        leaves: tuple[npt.NDArray[Any], ...] | None = None,
        blueprint: BiasedBlueprint | None = None,
    ) -> None: ...
    def run(self, seed: int, iterations: int, deadline_ns: int, least: int) -> int: ...
