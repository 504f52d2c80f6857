from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from holdem._core.range_boards import RangeBoards

__all__ = ["NODE_DTYPE", "RangeWalk"]

NODE_DTYPE: np.dtype[np.void]

class RangeWalk:
    boards: RangeBoards
    regrets: npt.NDArray[np.float32] | npt.NDArray[np.int16]
    sums: npt.NDArray[np.float32] | npt.NDArray[np.int16]
    regret_exponents: npt.NDArray[np.uint8]
    sum_exponents: npt.NDArray[np.uint8]
    gadget_regrets: npt.NDArray[np.float32]
    gadget_sums: npt.NDArray[np.float32]
    num_workers: int
    packed: bool
    def __init__(
        self,
        boards: RangeBoards,
        weights: Sequence[npt.NDArray[np.float32]],
        streets: Sequence[Sequence[tuple[npt.NDArray[np.void], int]]],
        *,
        packed: bool = False,
        num_workers: int = 1,
    ) -> None: ...
    def train(
        self, worker: int, fades: npt.NDArray[np.float32], deadline_ns: int, least: int
    ) -> int: ...
    def enter_safely(
        self,
        kind: int,
        player: int,
        alternatives: npt.NDArray[np.float32],
        shares: npt.NDArray[np.float32],
        pairs: float,
    ) -> None: ...
    def values(
        self,
        worker: int,
        player: int,
        answer: bool,
        reach: npt.NDArray[np.float32] | None = None,
    ) -> npt.NDArray[np.float32]: ...
    def stop(self) -> None: ...
    def start_again(self) -> None: ...
    def node_values(self, part: int, node: int, player: int) -> npt.NDArray[np.float32]: ...
    def lock(self, street: int, part: int, node: int) -> None: ...
    def set_leaves(
        self,
        groups: Sequence[Sequence[npt.NDArray[np.uint16]]],
        matrices: Mapping[tuple[int, int], npt.NDArray[np.float32]],
        all_in_groups: Sequence[Sequence[npt.NDArray[np.uint16]]] | None = None,
    ) -> None: ...
    def rows_at(
        self, street: int, board: int, part: int, node: int, seat: int = -1
    ) -> tuple[int, int, int, int]: ...
