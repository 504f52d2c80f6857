from typing import Final

from holdem._core import best_response

__all__ = ["LANES", "Betting"]

LANES: Final[int]

class Betting(best_response.Betting): ...
