from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["HANDS", "POINT_DTYPE", "WIDTHS", "ResponderWalk"]

HANDS: int
POINT_DTYPE: np.dtype[np.void]
WIDTHS: tuple[int, ...]

class ResponderWalk:
    utility: float
    def __init__(
        self,
        seat: int,
        streets: Sequence[tuple[Any, ...]],
        tables: Sequence[npt.NDArray[np.unsignedinteger]],
        responder_tables: Sequence[npt.NDArray[np.unsignedinteger]],
        rows: Sequence[npt.NDArray[np.float32]],
        responder_rows: Sequence[npt.NDArray[np.float32]],
        num_threads: int = 1,
        parents: Sequence[tuple[npt.NDArray[Any], ...]] | None = None,
    ) -> None: ...
    def walk(
        self,
        seed: int,
        first: int,
        count: int,
        regret_weight: float,
        strategy_weight: float,
        thread: int = 0,
        parent_boards: float = 0,
        done: int = 0,
    ) -> None: ...
    def stop(self) -> None: ...
