"""Checks of the installation: Python, packages, compiled modules, processor.

This module needs nothing compiled: that something is missing is what it must say.
"""

from __future__ import annotations

import importlib
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

import holdem._core
from holdem import __version__, machine
from holdem.cli.doctor_report import Finding, failed, ok, warning

LEAST_PYTHON = (3, 11)
PACKAGES = {
    "numpy": "1.26",
    "pyyaml": "6.0.1",
    "tensorboardX": "2.6.2",
    "psutil": "5.9",
    "rich": "13.7",
}
"""Packages that `holdem` needs, and the least version of each; as in pyproject.toml."""

BASELINE = ("cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3")
"""Of every x86-64-v2 processor, which all compiled modules are made for."""

CLONES = {
    "best_response": ("avx512bw", "avx2"),
    "cluster": ("avx512bw", "avx2", "sse4_1"),
    "continuations": ("avx512bw", "avx2"),
    "equity": ("avx512bw", "avx2"),
    "evaluator": ("avx512bw", "avx2"),
    "preflop": ("avx512bw", "avx2"),
    "range_walk": ("avx512bw", "avx2"),
    "responder_walk": ("avx512bw", "avx2"),
    "river": ("avx512bw", "avx2"),
    "rollout": ("avx512bw", "avx2"),
    "showdown": ("avx512bw", "avx2"),
    "subgame_walk": ("avx512bw", "avx2"),
}
"""Compiled modules with a faster version per instruction set, the best first.

The parts of AVX-512 that they ask for come together in every processor that has avx512bw.
"""

_NAMES = {"avx512bw": "AVX-512", "avx2": "AVX2", "sse4_1": "SSE4.1"}
_REINSTALL = "pip install --force-reinstall holdem, or in a checkout: pip install -e ."


def check_python() -> Finding:
    """Python is new enough, and of 64 bits: tables are larger than 32 can address."""
    bits = 64 if sys.maxsize > 2**32 else 32
    version = platform.python_version()
    found = f"{version}, {bits} bits, {platform.system()} {platform.machine()}"
    figures = {"version": version, "bits": bits, "holdem": __version__}
    wanted = ".".join(map(str, LEAST_PYTHON))
    if sys.version_info < LEAST_PYTHON or bits < 64:
        return failed(found, f"install a 64-bit Python {wanted} or newer", **figures)
    return ok(found, **figures)


def check_packages() -> Finding:
    """Every package is there and new enough."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    found = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
    bad = [
        f"{name}>={PACKAGES[name]}"
        for name, version in versions.items()
        if version is None or _numbers(version) < _numbers(PACKAGES[name])
    ]
    if bad:
        wanted = " ".join(f"'{one}'" for one in bad)
        return failed(found, f"pip install {wanted}", **versions)
    return ok(found, **versions)


def _numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: ``"2.6.2.2rc1"`` is (2, 6, 2, 2)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def check_processor() -> Finding:
    """The processor has what the compiled modules are made for."""
    processor = machine.processor()
    fast = [name for feature, name in _NAMES.items() if feature in processor.features]
    found = f"{processor.model}" + (f"; {', '.join(fast)}" if fast else "")
    figures = {"model": processor.model, "features": sorted(processor.features)}
    missing = [feature for feature in BASELINE if feature not in processor.features]
    if processor.features and platform.machine() == "x86_64" and missing:
        return failed(
            f"{found}; it lacks {', '.join(missing)}",
            "use a processor of 2009 or later (x86-64-v2), or a virtual machine that shows it",
            **figures,
        )
    if processor.features and "avx2" not in processor.features:
        return warning(
            f"{found}; no AVX2",
            "everything works, but judging hands is slower; let a virtual machine show AVX2",
            **figures,
        )
    return ok(found, **figures)


def check_compiled() -> Finding:
    """Every compiled module is there, fits this Python, and what it uses of the processor."""
    names = compiled_modules()
    faults = {}
    for name in names:
        try:
            importlib.import_module(f"holdem._core.{name}")
        except ModuleNotFoundError:
            faults[name] = "missing"
        except ImportError as error:
            faults[name] = str(error)
    if faults:
        found = "; ".join(f"{name}: {fault}" for name, fault in faults.items())
        if len(faults) == len(names) and set(faults.values()) == {"missing"}:
            found = f"all {len(names)} are missing"
        return failed(found, _REINSTALL, missing=list(faults))
    used = clones_used(machine.processor().features)
    parts = [f"{feature} in {', '.join(modules)}" for feature, modules in used.items()]
    return ok("; ".join([f"{len(names)} modules", *parts]), modules=names, clones=used)


def compiled_modules() -> list[str]:
    """Return the names of the modules that should be compiled: those that have a stub."""
    folder = Path(holdem._core.__path__[0])
    return sorted(path.stem for path in folder.glob("*.pyi"))


def clones_used(features: frozenset[str]) -> dict[str, list[str]]:
    """Return which modules use which instruction set on a processor with *features*."""
    used: dict[str, list[str]] = {}
    for module, sets in CLONES.items():
        best = next((name for name in sets if name in features), None)
        if best is not None:
            used.setdefault(_NAMES[best], []).append(module)
    return used
