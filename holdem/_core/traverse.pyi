import numpy as np
import numpy.typing as npt

from holdem._core.sync import Counters

__all__ = ["Walker", "measure"]

class Walker:
    num_players: int
    batch_size: int
    segment_bytes: int
    visits: int
    def __init__(
        self,
        nodes: npt.NDArray[np.void],
        contributions: npt.NDArray[np.int32],
        folded: npt.NDArray[np.uint16],
        table: npt.NDArray[np.float32],
        *,
        log: npt.NDArray[np.uint8],
        used: npt.NDArray[np.int64],
        values: npt.NDArray[np.float32],
        num_owners: int = 1,
        descriptor: int = -1,
        room: npt.NDArray[np.int64] | None = None,
    ) -> None: ...
    def walk(
        self,
        seed: int,
        first_iteration: int,
        deals: npt.NDArray[np.void],
        *,
        begun: Counters | None = None,
        bounds: npt.NDArray[np.int64] | None = None,
        worker: int = 0,
        pruning_threshold: float = 0,
        pruning_probability: float = 0,
        epsilon: float | None = None,
    ) -> None: ...
    def utility(self, count: int) -> float: ...
    def merge(
        self,
        count: int,
        regret_weight: float,
        strategy_weight: float,
        floor: float,
        *,
        owner: int = 0,
        first: int = 0,
    ) -> None: ...

def measure(nodes: npt.NDArray[np.void], num_players: int) -> tuple[int, int]: ...
