"""``python -m tests.instances_run LOGDIR``: two instances for test_instance_faults to break.

Resumes what LOGDIR holds.
"""

from __future__ import annotations

import sys
from pathlib import Path

from holdem.mccfr.instance_launcher import ProcessLauncher
from holdem.mccfr.instance_plan import is_run
from tests.instances import coordinator_of

NUM_INSTANCES = 2
VALUES = {"num_iterations": 1_500_000, "checkpoint_interval": 100_000, "discount_interval": 9_000}


def main() -> None:
    logdir = Path(sys.argv[1])
    coordinator = coordinator_of(NUM_INSTANCES, launcher=ProcessLauncher(), **VALUES)
    resume_from = logdir if is_run(logdir) else None
    result = coordinator.train(logdir, use_tensorboard=False, resume_from=resume_from)
    sys.exit(0 if result.completed else 1)


if __name__ == "__main__":
    main()
