from typing import Any, Final

import numpy as np
import numpy.typing as npt

CITY_BLOCK: Final[int]
SQUARED: Final[int]
LANES: Final[int]
MAX_CENTRES: Final[int]
MAX_SQUARED: Final[int]
MAX_SQUARED_DIMS: Final[int]
MAX_CITY_BLOCK_DIMS: Final[int]
MAX_WEIGHT: Final[int]

class Nearest:
    def __init__(self, centres: npt.NDArray[np.int16], metric: int, lanes: int = 0) -> None: ...
    def assign(
        self,
        points: npt.NDArray[np.int16],
        labels: npt.NDArray[np.uint16],
        distances: npt.NDArray[np.int32],
    ) -> None: ...

class Seeding:
    @property
    def total(self) -> int: ...
    def __init__(
        self,
        points: npt.NDArray[np.int16],
        weights: npt.NDArray[np.int64],
        metric: int,
    ) -> None: ...
    def choose(self, mass: int) -> int: ...
    def add(self, index: int) -> None: ...

def update_centres(
    points: npt.NDArray[np.int16],
    weights: npt.NDArray[np.int64],
    labels: npt.NDArray[np.uint16],
    metric: int,
    centres: npt.NDArray[np.int16],
    masses: npt.NDArray[np.int64],
    start: int,
    stop: int,
) -> None: ...
def record(
    labels: npt.NDArray[np.uint16],
    indices: npt.NDArray[np.int64],
    weights: npt.NDArray[np.int64],
    values: npt.NDArray[np.uint16],
    table: npt.NDArray[Any],
    tally: npt.NDArray[np.int64],
) -> None: ...
