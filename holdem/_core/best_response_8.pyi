from typing import Final

from holdem._core import best_response

__all__ = ["LANES", "Betting"]

LANES: Final[int]

# It has the same methods; when it runs it is a type of its own.
class Betting(best_response.Betting): ...
