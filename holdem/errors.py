"""What can go wrong through no fault of the code.

    HoldemError
    ├── CardError         cards, hands, boards or ranges that cannot be read
    ├── RulesError        an action that the rules do not allow
    ├── ConfigError       an option or a config file that cannot be used
    ├── StorageError      a file that is missing, damaged, foreign or cannot be written
    ├── ProtocolError     a message of another program that is not of the protocol
    ├── MismatchError     two good things that do not belong together
    └── ResourceError     more memory or disk wanted than there is

A message has two parts: what was found and what was wanted, then what to do.
The command line prints them in two lines, and so the `OSError` of what the system refuses
where nobody foresaw it; anything else is a bug and keeps its traceback.
"""

from __future__ import annotations


class HoldemError(Exception):
    """The base of all errors that a user can cause and mend.

    Attributes:
        remedy: what to do next, in one line; may be empty.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class CardError(HoldemError):
    """Cards, hands, boards or ranges that cannot be read."""


class RulesError(HoldemError):
    """An action that the rules of the game do not allow."""


class ConfigError(HoldemError, ValueError):
    """An option or a config file that cannot be used."""


class StorageError(HoldemError):
    """A file that is missing, damaged, foreign or cannot be written."""


class ProtocolError(HoldemError):
    """A message of another program, or of its log, that is not what the protocol allows."""


class MismatchError(HoldemError):
    """Two good things that do not belong together, such as a checkpoint and other buckets."""


class ResourceError(HoldemError):
    """More memory or disk wanted than there is."""


_STATUS_MESSAGES = {
    1: ("out of memory in the compiled core", "end other programs, or use a smaller bet menu"),
    2: ("the betting tree has more nodes than the limit", "offer fewer bet sizes or fewer raises"),
    3: ("a decision has more than the 16 actions that can be walked", "offer fewer bet sizes"),
    4: (
        "the shared memory is full: there is no room for the updates of a batch",
        "make /dev/shm larger (docker run --shm-size=...), or use a smaller batch_size",
    ),
}


def error_for(status: int) -> HoldemError:
    """Return the error to raise at the door for a kernel's *status* (see ``_core/types.pxd``)."""
    return ResourceError(*_STATUS_MESSAGES[status])
