"""Settings of all tests."""

import os
import signal

from hypothesis import settings

# No test judges time, and a busy machine must not fail one. The same examples every
# time, so that a failure of CI is a failure at home.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# A program started by nohup hears no SIGHUP, nor do those that it starts; tests say themselves
# when that is so.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
