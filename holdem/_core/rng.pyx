"""Random streams by counter, as Python sees them: for tests and for reproducing a deal."""

import numpy as np

__all__ = ["words"]


def words(uint64_t seed, uint64_t iteration, uint64_t lane, Py_ssize_t count):
    """Return the first *count* words of a stream: uint64, shape (count,)."""
    out = np.empty(count, dtype=np.uint64)
    cdef uint64_t[::1] view = out
    cdef Stream stream = stream_for(seed, iteration, lane)
    cdef Py_ssize_t i
    for i in range(count):
        view[i] = next_word(&stream)
    return out
