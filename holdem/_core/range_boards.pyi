from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["RangeBoards"]

Dealing = tuple[
    npt.NDArray[np.int32], npt.NDArray[np.uint8], npt.NDArray[np.int32], npt.NDArray[np.uint8]
]

class RangeBoards:
    num_streets: int
    board: tuple[int, ...]
    dealings: list[Dealing]
    def __init__(
        self,
        board: Sequence[int],
        holes: Sequence[npt.NDArray[np.uint8]],
        dealings: Sequence[Dealing],
    ) -> None: ...
    def num_boards(self, street: int) -> int: ...
    def hands(self, street: int, board: int, seat: int) -> npt.NDArray[np.uint8]: ...
    def places(
        self, street: int, board: int, seat: int, which: int = 0
    ) -> npt.NDArray[np.uint16]: ...
    def children(self, street: int, board: int) -> range: ...
    def pad(self, street: int, board: int, seat: int) -> int: ...
