from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DEAL_DTYPE", "HoldemDealer", "OneCardDealer"]

DEAL_DTYPE: np.dtype[np.void]

class Dealer:
    num_players: int
    num_cards: int
    def cards(self, seed: int, first_iteration: int, cards: npt.NDArray[np.uint8]) -> None: ...
    def deal(self, seed: int, first_iteration: int, deals: npt.NDArray[np.void]) -> None: ...

class HoldemDealer(Dealer):
    def __init__(
        self,
        num_players: int,
        tables: Sequence[npt.NDArray[Any]],
        preflop_equities: npt.NDArray[np.float64],
    ) -> None: ...

class OneCardDealer(Dealer):
    def __init__(
        self,
        num_players: int,
        ranks: int,
        suits: int,
        num_streets: int,
        board_street: int | None = None,
    ) -> None: ...
