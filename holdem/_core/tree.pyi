"""Enumerates the betting tree of a game: first to count it, then to fill its arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

class BettingRules:
    """The betting of one game, in the numbers that the enumeration needs."""

    def __init__(
        self,
        stacks: NDArray[np.int32],
        blinds: NDArray[np.int32],
        ante: int,
        big_blind: int,
        first_to_act: NDArray[np.int32],
        street_texts: NDArray[np.int32],
        text_sizes: NDArray[np.int32],
        keeps_call: NDArray[np.uint8],
        size_kinds: NDArray[np.uint8],
        size_amounts: NDArray[np.int64],
    ) -> None: ...
    def count(
        self, limit: int
    ) -> tuple[bool, tuple[int, ...], tuple[int, ...], int, int, int, int]:
        """Return (complete, decisions, actions, folds, showdowns, nodes, most_actions)."""

    def fill(
        self,
        nodes: NDArray[Any],
        parents: NDArray[np.int32],
        kinds: NDArray[np.uint8],
        amounts: NDArray[np.int32],
        contributions: NDArray[np.int32],
        folded: NDArray[np.uint16],
    ) -> None:
        """Write the tree into arrays of exactly the sizes that `count` gave."""

def node_layout() -> tuple[dict[str, int], int]:
    """Return the offset in bytes of every field of the C struct Node, and its size."""
