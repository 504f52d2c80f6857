"""The examples in the documents and docstrings run, and their links lead somewhere."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "bench/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "holdem").rglob("*.py")
    if ">>> " in path.read_text()
)


def test_the_example_of_the_readme_runs():
    failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)

    assert tried > 5
    assert failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    failed, tried = doctest.testmod(importlib.import_module(name))

    assert tried > 0
    assert failed == 0


def anchors(document):
    """What a link to a heading of *document* says after the #."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_files_named_in_documents_exist(document):
    text = document.read_text()
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    configs = re.findall(r"configs/[\w./-]+\.yaml", text)

    for link in links:
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists()
        assert not anchor or anchor in anchors(target), link
    for config in configs:
        assert (ROOT / config).exists()


def test_the_architecture_names_what_there_is():
    """Each module of the package is in the map."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    tables = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    named = set(re.findall(r"`(\w+)/?`", tables))
    modules = {
        path.stem
        for path in [*(ROOT / "holdem").rglob("*.py"), *(ROOT / "holdem").rglob("*.pyx")]
        if path.stem != "__init__"
    }

    assert modules - named == set()


def test_the_benchmarks_are_told():
    """Each benchmark is in the table that says what it measures."""
    text = (ROOT / "bench" / "README.md").read_text()
    files = {path.name for path in (ROOT / "bench").glob("bench_*.py")}

    assert files == set(re.findall(r"^\| `(bench_\w+\.py)` \|", text, re.M))
