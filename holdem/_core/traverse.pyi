import numpy as np
import numpy.typing as npt

__all__ = ["Walker", "measure"]

class Walker:
    num_players: int
    batch_size: int
    segment_bytes: int
    def __init__(
        self,
        nodes: npt.NDArray[np.void],
        contributions: npt.NDArray[np.int32],
        folded: npt.NDArray[np.uint16],
        table: npt.NDArray[np.float32],
        batch_size: int,
    ) -> None: ...
    @property
    def visits(self) -> int: ...
    @property
    def values(self) -> npt.NDArray[np.float32]: ...
    def walk(
        self,
        seed: int,
        first_iteration: int,
        deals: npt.NDArray[np.void],
        *,
        pruning_threshold: float = 0,
        pruning_probability: float = 0,
        epsilon: float | None = None,
    ) -> None: ...
    def merge(self, regret_weight: float, strategy_weight: float, floor: float) -> None: ...
    def share(self, streams: npt.NDArray[np.uint8], lengths: npt.NDArray[np.int64]) -> None: ...
    def merge_streams(
        self,
        streams: npt.NDArray[np.uint8],
        lengths: npt.NDArray[np.int64],
        owner: int,
        regret_weight: float,
        strategy_weight: float,
        floor: float,
    ) -> None: ...

def measure(nodes: npt.NDArray[np.void], num_players: int) -> tuple[int, int]: ...
