# Known hands against all 1,326 others, over every way to complete the board: read rollout.pyx.
