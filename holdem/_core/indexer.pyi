from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

__all__ = [
    "NUM_BOARDS",
    "NUM_HANDS",
    "board_index",
    "board_multiplicity",
    "index",
    "index_board",
    "index_boards",
    "multiplicity",
    "unindex",
    "unindex_board",
]

NUM_BOARDS: Mapping[int, int]
NUM_HANDS: Mapping[int, int]

def index(
    cards: npt.NDArray[np.uint8], out: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]: ...
def unindex(num_board: int, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]: ...
def multiplicity(num_board: int, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]: ...
def index_board(board: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]: ...
def index_boards(
    boards: npt.NDArray[np.uint8], out: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]: ...
def board_index(boards: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]: ...
def unindex_board(num_board: int, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]: ...
def board_multiplicity(num_board: int, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]: ...
