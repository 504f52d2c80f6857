# See best_response_8.pyx.
include "best_response.pxd"
