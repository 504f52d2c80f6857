from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["BOARD_DTYPE", "LANES", "POINT_DTYPE", "ROW_DTYPE", "RUN_DTYPE", "Betting"]

BOARD_DTYPE: Final[np.dtype[np.void]]
LANES: Final[int]
POINT_DTYPE: Final[np.dtype[np.void]]
ROW_DTYPE: Final[np.dtype[np.void]]
RUN_DTYPE: Final[np.dtype[np.void]]

_Lanes = npt.NDArray[np.float32]
_Records = npt.NDArray[np.void]
_Street = tuple[_Records, npt.NDArray[np.int32], npt.NDArray[np.int32], _Lanes, _Lanes, int]

class _Runouts(Protocol):
    @property
    def boards(self) -> _Records: ...
    @property
    def rows(self) -> _Records: ...
    @property
    def runs(self) -> _Records: ...
    @property
    def symmetries(self) -> npt.NDArray[np.uint16]: ...

class Betting:
    num_groups: tuple[int, ...]
    def __init__(self, streets: Sequence[_Street]) -> None: ...
    def respond(
        self,
        seat: int,
        runouts: _Runouts,
        reach: _Lanes,
        *,
        own: bool,
        chooses: Sequence[bool],
    ) -> tuple[_Lanes, _Lanes | None]: ...
