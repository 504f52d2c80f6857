"""One row of the regret table, as Python sees it: for tests and small tools."""

import numpy as np

__all__ = ["current_strategy"]


def current_strategy(const float[::1] regrets):
    """Return the strategy that regret matching plays: float32, shape (num_actions,)."""
    out = np.empty(regrets.shape[0], dtype=np.float32)
    cdef float[::1] view = out
    if regrets.shape[0]:
        match_regrets(&regrets[0], <int>regrets.shape[0], &view[0])
    return out
