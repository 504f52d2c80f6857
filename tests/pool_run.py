"""``python -m tests.pool_run LOGDIR WORKERS ITERATIONS``: a run for test_pool_faults to break.

Resumes what LOGDIR holds. The first SIGINT or SIGTERM asks for a stop, the second ends
at once, as in `holdem train`.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

from tests.pools import GAMES, Watcher, solver_of

GAME = GAMES["no-limit"]
LAWS = {"batch_size": 20, "num_iterations": 400_000, "checkpoint_interval": 50_000}


def main() -> None:
    logdir, num_workers, num_iterations = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    solver = solver_of(GAME, num_workers, **{**LAWS, "num_iterations": num_iterations})

    def stop(number: int, _: FrameType | None) -> None:
        solver.request_stop(number)
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    resume = (
        logdir
        if (logdir / "checkpoints").is_dir() and any((logdir / "checkpoints").glob("checkpoint_*"))
        else None
    )
    solver.train(logdir, use_tensorboard=False, resume_from=resume, observer=Watcher())


if __name__ == "__main__":
    main()
