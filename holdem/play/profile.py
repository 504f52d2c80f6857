"""Table profiles: JSON files that say where a table is and how to sit at it.

docs/playing.md explains every key; `holdem.types.TableProfile` holds them.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from holdem.config import nearest, no_such_file
from holdem.errors import ConfigError, StorageError
from holdem.storage import read_json, write_json
from holdem.types import TableProfile, shown

__all__ = ["DEFAULT_PROFILE", "read_profile", "write_profile"]

DEFAULT_PROFILE = Path("assets/table_profiles/default_profile.json")


def read_profile(path: Path) -> TableProfile:
    """Return the profile in the file *path*.

    Raises:
        ConfigError: it is missing, or holds a key or a value that cannot be used.
        StorageError: it cannot be read, or is not JSON.
    """
    if not path.exists():
        raise no_such_file(path, "a table profile")
    document = read_json(path)
    if not isinstance(document, dict):
        raise ConfigError(f"{path} holds {shown(document)}, and must hold keys with values", _MAKE)
    known = [field.name for field in dataclasses.fields(TableProfile)]
    for key in document:
        if key not in known:
            near = nearest(key, known)
            raise ConfigError(
                f"{path}: unknown key {shown(key)}",
                f"did you mean {near}?" if near else f"the keys are {', '.join(known)}",
            )
    try:
        return TableProfile(**document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}", error.remedy) from None


def write_profile(path: Path, profile: TableProfile) -> None:
    """Write *profile* to *path*, which must not be there.

    Raises:
        StorageError: it is there, or cannot be written.
    """
    if path.exists():
        raise StorageError(f"{path} is there already", "choose another name, or move it away")
    write_json(path, profile)


_MAKE = "make one with: holdem profile"
