from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["STREET_NODE_DTYPE", "Continuation", "SubgameWalk"]

STREET_NODE_DTYPE: np.dtype[np.void]

class Continuation:
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
        continuation: Continuation | None = None,
    ) -> None: ...
    def run(self, seed: int, iterations: int, deadline_ns: int, least: int) -> int: ...
