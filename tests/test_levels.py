"""Functions compiled for several instruction sets give the same bytes with each."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEVELS = {"sse4.2": 0, "avx2": 1, "avx512": 2}
CLONED = (
    "river",
    "equity",
    "showdown",
    "best_response",
    "best_response_8",
    "range_walk",
    "subgame_walk",
    "responder_walk",
)
"""Modules whose clones the digests go through."""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A copy of the package whose clones are chosen by an environment variable."""
    copy = tmp_path_factory.mktemp("levels")
    generated = [path.with_suffix(".c").name for path in ROOT.glob("holdem/_core/*.pyx")]
    for folder in ("holdem", "tests"):
        shutil.copytree(
            ROOT / folder,
            copy / folder,
            ignore=shutil.ignore_patterns("__pycache__", *generated),
        )
    for module in CLONED:
        for library in (copy / "holdem" / "_core").glob(f"{module}.*.so"):
            library.unlink()
    listed = re.compile(r"^MODULES = \(.*?^\)", re.MULTILINE | re.DOTALL)
    setup, count = listed.subn(f"MODULES = {CLONED}", (ROOT / "setup.py").read_text("utf-8"))
    assert count == 1
    (copy / "setup.py").write_text(setup)
    (copy / "pyproject.toml").write_text('[project]\nname = "holdem"\nversion = "0"\n')
    header = Path(__file__).with_name("levels.h")
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "-j1"],
        cwd=copy,
        env={**os.environ, "CFLAGS": f"-fwrapv -include {header}"},
        check=True,
    )
    return copy


def digests(folder, **variables):
    output = subprocess.run(
        [sys.executable, "-m", "tests.level_digests"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **variables},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(output)


@pytest.mark.slow
def test_every_instruction_set_gives_the_same_bytes(compiled):
    """Of solves in both widths, endings, equities, best responses, and all kinds of walks."""
    expected = digests(ROOT)

    assert len(expected) > 20
    for name, level in LEVELS.items():
        assert digests(compiled, HOLDEM_LEVEL=str(level)) == expected, name
