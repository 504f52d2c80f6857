"""Build of the compiled core: the module names, lowest first, and one set of directives."""

import os
import platform
import re
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

# Primitives first, then kernels; a kernel may cimport primitives only.
MODULES = (
    "rng",
    "mapping",
    "sync",
    "evaluator",
    "indexer",
    "tree",
    "deal",
    "biased",
    "river",
    "showdown",
    "range_boards",
    "allin",
    "preflop",
    "equity",
    "rollout",
    "features",
    "cluster",
    "traverse",
    "play",
    "aivat",
    "continuations",
    "best_response",
    "best_response_8",
    "boards",
    "range_walk",
    "subgame_walk",
    "responder_walk",
)

CORE = Path("holdem/_core")
# How a source names what it is made of: a header, another source, or a module's interface.
NAMES_HEADER = re.compile(r'(?:#include|extern from) "(\w+\.h)"')
NAMES_SOURCE = re.compile(r'^include "(\w+\.\w+)"', re.MULTILINE)
NAMES_MODULE = re.compile(r"^from holdem\._core\.(\w+) cimport", re.MULTILINE)


def headers(name):
    """The headers that a module is compiled with: its own, and those of what it cimports."""
    sources = [Path(path).name for path in MODULE_SOURCES.get(name, [])]
    waiting, seen = [f"{name}.pyx", f"{name}.pxd", *sources], set()
    while waiting:
        file = waiting.pop()
        if file not in seen and (CORE / file).exists():
            seen.add(file)
            text = (CORE / file).read_text("utf-8")
            waiting += NAMES_HEADER.findall(text) + NAMES_SOURCE.findall(text)
            waiting += [f"{module}.pxd" for module in NAMES_MODULE.findall(text)]
    return sorted(str(CORE / file) for file in seen if file.endswith(".h"))


# HOLDEM_CHECKED=1 turns every bounds check on; the tests run that way in CI. HOLDEM_SANITIZED=1
# also watches what goes by pointer: `make sanitized`, which takes too long for CI.
CHECKED = os.environ.get("HOLDEM_CHECKED", "0") == "1"
SANITIZED = os.environ.get("HOLDEM_SANITIZED", "0") == "1"

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": CHECKED,
    "wraparound": False,
    "initializedcheck": CHECKED,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": False,
}

# No fast-math, and no fused multiply-add that the source does not ask for:
# another x86-64 processor must give the same bytes. Faster instruction sets are
# reached by function clones, never by -march=native.
COMPILE_ARGS = ["-O3", "-ffp-contract=off", "-fno-strict-aliasing", "-Wno-unused-function"]
if platform.machine() in ("x86_64", "AMD64"):
    COMPILE_ARGS += ["-msse4.2", "-mpopcnt"]  # x86-64-v2, in words that older compilers know
# The walk's loops run over two to five actions: vector code for them is all
# prologue. Measured: 43 against 48 ns a visit.
MODULE_ARGS = {"traverse": ["-fno-tree-vectorize"]}
# One source for each number of lanes.
MODULE_SOURCES = {
    "responder_walk": [str(CORE / f"responder_lanes_{width}.c") for width in (1, 8, 16)]
}
MODULE_MACROS = {"best_response_8": [("NUM_LANES", "8")]}
SANITIZERS = []
if SANITIZED:
    SANITIZERS = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-g1"]
if CHECKED or SANITIZED:
    COMPILE_ARGS += ["-O1", *SANITIZERS]

# Cython's processes may import this file again.
if __name__ == "__main__":
    setup(
        ext_modules=cythonize(
            [
                Extension(
                    f"holdem._core.{name}",
                    [f"holdem/_core/{name}.pyx", *MODULE_SOURCES.get(name, [])],
                    extra_compile_args=COMPILE_ARGS + MODULE_ARGS.get(name, []),
                    extra_link_args=SANITIZERS,
                    depends=headers(name),
                    define_macros=[
                        ("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"),
                        *MODULE_MACROS.get(name, []),
                    ],
                )
                # The slowest to compile are the last, and begun first: no core waits for one.
                for name in reversed(MODULES)
            ],
            compiler_directives=DIRECTIVES,
            nthreads=os.cpu_count() or 1,
        ),
        options={"build_ext": {"parallel": os.cpu_count()}},
    )
