"""The guides: every command runs, every file is well formed, and both languages say the same.

A fenced block ``sh`` holds commands; all of a guide run in one folder, from the first to the
last, so that later ones find what earlier ones left. Blocks with a name behind their language
(``python watch_run.py``) are saved under it first. Commands are made small by
`tests/guides.py`, which says how.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from holdem.config import load_config
from tests.guides import Terminal

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
GUIDES = ("multi_instance", "parallel_training")
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


def blocks(path):
    """The fenced blocks of a guide that have a language: (language, name or "", text)."""
    return [match.groups(default="") for match in FENCE.finditer(path.read_text())]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_runs(tmp_path, monkeypatch, guide):
    monkeypatch.chdir(tmp_path)
    commands = []
    for language, name, text in blocks(DOCS / f"{guide}.md"):
        if name:
            (tmp_path / name).write_text(text)
        elif language == "sh":
            commands += text.strip().splitlines()

    with Terminal(tmp_path) as terminal:
        for command in commands:
            terminal.run(command)

    assert len(commands) > 10


@pytest.mark.parametrize("guide", GUIDES)
def test_both_languages_show_the_same(guide):
    """The same blocks, but for comments and texts that are printed; the same tables and parts."""
    english, french = DOCS / f"{guide}.md", DOCS / "fr" / f"{guide}.md"

    def bare(path):
        printed = re.compile(r'#.*|""".*?"""')
        return [(language, name, printed.sub("", text)) for language, name, text in blocks(path)]

    def shape(path):
        text = FENCE.sub("", path.read_text())
        return re.findall(r"^#+(?= )|^\|-.*", text, re.M)

    def names(path):
        return set(
            re.findall(r"`(--[\w-]+|[\w/<>]+\.(?:json|yaml|log|py|md)|\w+_\w+)", path.read_text())
        )

    assert bare(english) == bare(french)
    assert shape(english) == shape(french)
    assert names(english) == names(french)


@pytest.mark.parametrize("guide", GUIDES)
def test_files_in_guides_are_well_formed(tmp_path, guide):
    found = 0
    for language, name, text in blocks(DOCS / f"{guide}.md"):
        if language == "bash":
            path = tmp_path / name
            path.write_text(text)
            subprocess.run(["bash", "-n", path], check=True)
        elif language == "yaml":
            assert list(yaml.safe_load_all(text))
        elif language == "python":
            compile(text, name, "exec")
        found += bool(name)
    assert found


@pytest.mark.parametrize("guide", GUIDES)
def test_options_in_guides_exist(guide):
    """Each option and each key of a config that a table names."""
    from holdem.cli import monitor, train_blueprint

    helped = train_blueprint._parser().format_help() + monitor._parser().format_help()
    text = (DOCS / f"{guide}.md").read_text()
    rows = re.findall(r"^\| `(--[\w-]+)[^|]*\| (?:`(\w+)`)?", text, re.M)

    assert len(rows) > 5
    for option, key in rows:
        assert option in helped
        if key:
            value = "[[0, 0.5]]" if key == "epsilon_schedule" else "2"
            path = ROOT / "configs" / "kuhn.yaml"
            load_config(path, {key: value})


def test_a_script_that_watches_tells_trouble(tmp_path):
    """The guide's own: a failed instance, a silent one, and a run that is well."""
    script = next(text for _, name, text in blocks(DOCS / "multi_instance.md")
                  if name == "watch_run.py")  # fmt: skip
    (tmp_path / "watch_run.py").write_text(script)
    (tmp_path / "progress").mkdir()
    file = tmp_path / "progress" / "instance_0_progress.json"

    def watch(status, last_update):
        file.write_text(
            f'{{"instance_id": 0, "progress_pct": 40.0, "status": "{status}", '
            f'"last_update": {last_update}}}'
        )
        done = subprocess.run(
            [sys.executable, tmp_path / "watch_run.py", tmp_path], capture_output=True, text=True
        )
        assert done.stdout.split() == ["0", "40.00", "%", status]
        return done.returncode

    assert watch("running", 1e11) == 0
    assert watch("running", 0) == 1
    assert watch("completed", 0) == 0
    assert watch("failed", 1e11) == 1
