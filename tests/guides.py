"""A terminal for the commands of the guides, which makes them small.

The rules, so that a page of commands takes seconds:

- the configs of its folder play Leduc poker, for a moment (`small_config`);
- ``--iters N`` is a hundredth, and at most MOST_ITERATIONS; ``--time-budget`` is half a second;
- ``--buckets`` is left out: Leduc needs none; ``holdem buckets`` only says what it costs;
- ``holdem train`` without a config plays that of configs/leduc.yaml;
- ``holdem doctor`` is quick; an example gets ``--iters``;
- port 8786 is one that is free;
- programs that are not ours are checked: a Slurm script is run for its first and its last
  task, the documents of a Kubernetes file are read, TensorBoard must find figures, and what
  pip is asked for must be in pyproject.toml or be TensorBoard.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from holdem.cli import main as cli

ROOT = Path(__file__).parent.parent
MOST_ITERATIONS = 10_000


def small_config(text):
    """Return a config of the repository with Leduc poker, a small budget and two instances."""
    document = yaml.safe_load(text)
    document.pop("buckets", None)
    document.pop("num_players", None)
    document["game"] = "leduc"
    if document.get("num_iterations") is not None:
        document["num_iterations"] = MOST_ITERATIONS
    if document.get("time_budget_seconds") is not None:
        document["time_budget_seconds"] = 0.5
    if "num_instances" in document:
        document["num_instances"] = 2
    return yaml.safe_dump(document)


def small(args):
    """Return the arguments of a `holdem` command, made small."""
    command, *rest = args
    if command == "buckets":
        return [*args, "--dry-run"]
    if command == "doctor":
        return [*args, "--quick"]
    result = [command]
    words = iter(rest)
    for word in words:
        if word == "--buckets":
            next(words)
        elif word == "--iters":
            result += [word, str(min(int(float(next(words)) / 100), MOST_ITERATIONS))]
        elif word == "--time-budget":
            next(words)
            result += [word, "0.5"]
        else:
            result.append(word)
    if command == "train" and not {"--config", "--resume-from"} & set(rest):
        result += ["--config", "configs/leduc.yaml"]
    return result


class Terminal:
    """Runs commands in *folder*, which must be the current one; use it as a context manager."""

    def __init__(self, folder):
        self.folder = folder
        self.background = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        (folder / "configs").mkdir()
        for path in (ROOT / "configs").glob("*.yaml"):
            (folder / "configs" / path.name).write_text(small_config(path.read_text()))
        (folder / "examples").symlink_to(ROOT / "examples")
        # Scripts find a `holdem` that makes itself small, too.
        (folder / "bin").mkdir()
        shim = folder / "bin" / "holdem"
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.guides "$@"\n')
        shim.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }

    def __enter__(self):
        return self

    def __exit__(self, *about):
        for process in self.background:
            process.kill()
            process.wait()

    def run(self, line):
        """Run a command; a mistake is an AssertionError or a CalledProcessError."""
        command, *args = shlex.split(line.replace("8786", self.port))
        special = getattr(self, command, None)
        if special is not None:
            special(args)
        else:
            self._start(["bash", "-c", line])

    def _start(self, words, **values):
        subprocess.run(words, check=True, env={**self.environment, **values})

    def holdem(self, args):
        assert cli.main(small(args)) == 0

    def python(self, args):
        if args[0].startswith("examples/"):
            args = [*args, "--iters", str(MOST_ITERATIONS)]
        self._start([sys.executable, *args])

    def dask(self, args):
        """A scheduler or a worker, in the background."""
        assert args[-1] == "&"
        with open(self.folder / f"dask-{args[0]}.log", "w") as log:
            self.background.append(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", *args[:-1], "--no-dashboard"],
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                )
            )

    def kill(self, args):
        """All that is in the background."""
        assert args == [f"%{job + 1}" for job in range(len(self.background))]
        for process in self.background:
            process.terminate()

    def tensorboard(self, args):
        assert args[0] == "--logdir"
        assert list(Path(args[1]).rglob("events.out.tfevents.*"))

    def pip(self, args):
        assert args[0] == "install"
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extra = re.fullmatch(r"holdem\[(\w+)\]", args[1])
        assert args[1] == "tensorboard" or extra[1] in project["optional-dependencies"]

    def sbatch(self, args):
        text = Path(args[0]).read_text()
        for task in re.search(r"#SBATCH --array=(\d+)-(\d+)", text).groups():
            self._start(["bash", args[0]], SLURM_ARRAY_TASK_ID=task)

    def kubectl(self, args):
        if args[0] != "apply":
            return
        for document in yaml.safe_load_all(Path(args[args.index("-f") + 1]).read_text()):
            assert {"apiVersion", "kind", "metadata", "spec"} <= set(document)
            template = document["spec"].get("template", {"spec": {"containers": []}})
            for container in template["spec"]["containers"]:
                assert all(isinstance(word, str) for word in container["command"])
                if container["command"][0] == "holdem":
                    # What it would cost; whether a scheduler is there is another matter.
                    self.holdem([*container["command"][1:], "--dry-run"])


if __name__ == "__main__":
    sys.exit(cli.main(small(sys.argv[1:])))
