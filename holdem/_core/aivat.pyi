from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from holdem._core.deal import Dealer

__all__ = ["Estimator", "Matchup"]

class Matchup:
    def __init__(
        self,
        nodes: npt.NDArray[np.void],
        folded: npt.NDArray[np.uint16],
        parents: npt.NDArray[np.int32],
        ends: npt.NDArray[np.int32],
        seats: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16]]],
    ) -> None: ...
    def expected(
        self, deals: npt.NDArray[np.void], at: npt.NDArray[np.int32], out: npt.NDArray[np.float32]
    ) -> None: ...

class Estimator:
    def __init__(
        self,
        matchup: Matchup,
        dealers: Sequence[Dealer],
        *,
        exact_street: int,
        root_numbers: npt.NDArray[np.int32],
        members: npt.NDArray[np.int32],
        first_members: npt.NDArray[np.int32],
        expectation: float,
        preflop_values: npt.NDArray[np.float32],
        street_values: Sequence[
            tuple[
                npt.NDArray[np.float32],
                npt.NDArray[np.float32],
                tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]],
            ]
        ],
        num_flops: int,
    ) -> None: ...
    def estimate(
        self,
        seed: int,
        numbers: npt.NDArray[np.int64],
        cards: npt.NDArray[np.uint8],
        endings: npt.NDArray[np.int32],
        values: npt.NDArray[np.float64],
    ) -> None: ...
    def correction(
        self, cards: npt.NDArray[np.uint8], at: int, chances: npt.NDArray[np.float64]
    ) -> float: ...
