"""The architecture: imports only go down, kernels keep to themselves, and names are public."""

import ast
import importlib
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "holdem"
LAYERS = [
    "errors",
    "types",
    "config",
    "storage",
    "machine",
    "_core",
    "game",
    "abstraction",
    "mccfr",
    "evaluation",
    "search",
    "play",
    "cli",
]  # lowest first

KERNELS = {
    "aivat",
    "allin",
    "best_response",
    "best_response_8",
    "boards",
    "cluster",
    "continuations",
    "equity",
    "features",
    "play",
    "preflop",
    "range_walk",
    "responder_walk",
    "rollout",
    "subgame_walk",
    "traverse",
}
"""Compiled modules that do a job; the others are primitives that they share."""


def layer_of(path):
    """The layer of a file of the package; None for the package itself, which is above all."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return None if parts == ("__init__",) else parts[0]


def height(layer):
    return LAYERS.index(layer)


def imported_layers(path):
    """The layers that a file imports, wherever in it."""
    layers = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            # `from holdem import storage` imports the module, `from holdem import
            # __version__` a name of the package, which imports nothing.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "holdem" and len(parts) > 1 and not parts[1].startswith("__"):
                layers.add(parts[1])
    return layers


SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if layer_of(path) is not None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_go_down(path):
    """No module imports from a layer above its own."""
    own = height(layer_of(path))

    assert [name for name in imported_layers(path) if height(name) > own] == []


def test_the_package_itself_imports_nothing():
    assert imported_layers(PACKAGE / "__init__.py") == set()


def cimports(path):
    """The compiled modules that a .pyx or .pxd cimports."""
    found = set()
    for line in path.read_text().splitlines():
        match = re.match(r"\s*from holdem\._core(?:\.(\w+))? cimport (.*)", line)
        if match:
            found |= {match[1]} if match[1] else set(re.findall(r"\w+", match[2]))
        match = re.match(r"\s*cimport holdem\._core\.(\w+)", line)
        if match:
            found.add(match[1])
    return found


COMPILED = sorted([*PACKAGE.glob("_core/*.pyx"), *PACKAGE.glob("_core/*.pxd")])


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_kernels_never_cimport_one_another(path):
    assert (cimports(path) & KERNELS) - {path.stem} == set()


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("_core/*.pyx")), ids=lambda path: path.name)
def test_the_compiled_core_imports_only_errors(path):
    """What a .pyx imports as Python does."""
    imported = set(re.findall(r"^(?:from|import) holdem\.(\w+)\S* import", path.read_text(), re.M))

    assert imported <= {"errors", "types", "_core"}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("_core/*.pyx")), ids=lambda path: path.name)
def test_each_compiled_module_has_a_stub(path):
    assert path.with_suffix(".pyi").is_file()


def test_only_storage_writes_files():
    """No other module opens a file for writing, or makes, moves or removes one.

    But segments.py, whose files are shared memory.
    """
    writing = re.compile(
        r"""open\([^)]*["'][wax]b?\+?["']|(?<!storage)\.write_(?:text|bytes)\(|np\.save|\.mkdir\(|makedirs"""
        r"""|\.unlink\(|rmtree|os\.rename|os\.replace|\.tofile\("""
    )
    guilty = [
        f"{path.relative_to(PACKAGE)}: {match[0]}"
        for path in SOURCES
        if path.name not in ("storage.py", "segments.py")
        for match in writing.finditer(path.read_text())
    ]

    assert guilty == []


def test_nothing_is_pickled():
    """Loading a pickle runs code, so no module may even import one."""
    modules = re.compile(r"^\s*(?:import|from) (?:pickle|shelve|dill|joblib|marshal)", re.M)
    assert [path for path in SOURCES if modules.search(path.read_text())] == []
    assert [path for path in SOURCES if "allow_pickle=True" in path.read_text()] == []


def test_only_commands_print():
    printing = re.compile(r"(?<![\w.])print\(")
    assert [
        path for path in SOURCES if layer_of(path) != "cli" and printing.search(path.read_text())
    ] == []


@pytest.mark.parametrize(
    "name",
    [
        "holdem.__version__",
        "holdem.errors.HoldemError",
        "holdem.types.MCCFRConfig",
        "holdem.types.GameConfig",
        "holdem.types.BetMenu",
        "holdem.types.BucketConfig",
        "holdem.abstraction.bucketing.HandBucketing.load",
        "holdem.abstraction.bucketing.HandBucketing.save",
        "holdem.mccfr.solver.MCCFRSolver.train",
        "holdem.mccfr.multi_instance_coordinator.MultiInstanceCoordinator.train",
        "holdem.mccfr.blueprint.Blueprint.load",
        "holdem.cli.main.entry",
        "holdem.cli.train_blueprint.main",
        "holdem.cli.build_buckets.main",
        "holdem.cli.run_dry_run.main",
        "holdem.cli.run_autoplay.main",
        "holdem.play.agent.Agent.decide",
    ],
)
def test_public_names_can_be_imported(name):
    """The names that the design promises, as far as they are there."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return
    pytest.fail(f"no module holds {name}")
