"""The kernel of `best_response` with 8 lanes: setup.py sets NUM_LANES.

For processors whose registers hold 8 floats; 16 are two each there, and most of them
in memory.
"""

include "best_response.pyx"
