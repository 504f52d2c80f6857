from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["BOARD_DTYPE", "ENTRY_DTYPE", "LANES", "POINT_DTYPE", "SLOT_HOLES", "Betting"]

BOARD_DTYPE: Final[np.dtype[np.void]]
ENTRY_DTYPE: Final[np.dtype[np.void]]
LANES: Final[int]
POINT_DTYPE: Final[np.dtype[np.void]]
SLOT_HOLES: Final[npt.NDArray[np.uint8]]

_Lanes = npt.NDArray[np.float32]
_Records = npt.NDArray[np.void]
_Street = tuple[_Records, npt.NDArray[np.int32], npt.NDArray[np.int32], _Lanes, _Lanes, int, int]

class _Runouts(Protocol):
    @property
    def boards(self) -> _Records: ...
    @property
    def buckets(self) -> npt.NDArray[np.uint16]: ...
    @property
    def parts(self) -> npt.NDArray[np.uint16]: ...
    @property
    def entries(self) -> _Records: ...
    @property
    def renamed(self) -> npt.NDArray[np.uint16]: ...

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
