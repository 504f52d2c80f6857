from typing import Final

import numpy as np
import numpy.typing as npt

BINS: Final[int]
GROUPS: Final[int]
UNIT: Final[int]
BLOCKED_VALUE: Final[int]
EQUITY_ONE: Final[int]
POINT_ONE: Final[int]

def canonical_holes(
    boards: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16], npt.NDArray[np.int64]]: ...
def hand_indices(
    boards: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    holes: npt.NDArray[np.uint16],
) -> npt.NDArray[np.int64]: ...
def river_values(
    boards: npt.NDArray[np.uint8], num_opponents: int, values: npt.NDArray[np.uint16]
) -> None: ...
def hole_histograms(
    values: npt.NDArray[np.uint16],
    copies: npt.NDArray[np.int64],
    histograms: npt.NDArray[np.int64],
    sums: npt.NDArray[np.int64],
) -> None: ...
def runout_histograms(
    boards: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    holes: npt.NDArray[np.uint16],
    river_boards: npt.NDArray[np.uint8],
    all_values: npt.NDArray[np.uint16],
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16]]: ...
def opponent_shares(
    boards: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    holes: npt.NDArray[np.uint16],
    groups: npt.NDArray[np.uint8],
    num_opponents: int,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16]]: ...
