from typing import Final, Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "CATEGORIES",
    "CATEGORY_SIZES",
    "category",
    "count_categories",
    "count_strengths",
    "evaluate",
    "instruction_sets",
]

CATEGORIES: Final[tuple[str, ...]]
CATEGORY_SIZES: Final[tuple[int, ...]]

def evaluate(
    cards: npt.NDArray[np.uint8],
    out: npt.NDArray[np.uint16] | None = None,
    *,
    instructions: Literal["scalar", "avx2", "avx512"] | None = None,
) -> npt.NDArray[np.uint16]: ...
def count_strengths(num_cards: int) -> npt.NDArray[np.int64]: ...
def count_categories(num_cards: int) -> dict[str, int]: ...
def category(strength: int) -> str: ...
def instruction_sets() -> tuple[str, ...]: ...
