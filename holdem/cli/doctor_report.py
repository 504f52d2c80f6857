"""What the checks of ``holdem doctor`` find, and how it is shown: as lines or as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdem import __version__


class Status(Enum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    """Training can start, but something will be slow or go wrong later."""
    FAILED = "failed"
    """Training cannot start."""


_STYLES = {Status.OK: "green", Status.WARNING: "bold yellow", Status.FAILED: "bold red"}
_STATUS_WIDTH = max(len(status.value) for status in Status)
NAME_WIDTH = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        status: how it came out.
        found: the figure seen, in words.
        remedy: what to do, in one line; empty if all is well.
        figures: the same as plain values, for scripts.
        name: of the check; whoever runs it fills it in.
    """

    status: Status
    found: str
    remedy: str = ""
    figures: Mapping[str, object] = field(default_factory=dict)
    name: str = ""


def ok(found: str, **figures: object) -> Finding:
    """Return a finding that all is well."""
    return Finding(status=Status.OK, found=found, figures=figures)


def warning(found: str, remedy: str, **figures: object) -> Finding:
    """Return a finding that something is not as it should be."""
    return Finding(status=Status.WARNING, found=found, remedy=remedy, figures=figures)


def failed(found: str, remedy: str, **figures: object) -> Finding:
    """Return a finding that training cannot start."""
    return Finding(status=Status.FAILED, found=found, remedy=remedy, figures=figures)


def can_train(findings: Sequence[Finding]) -> bool:
    """Whether no check failed."""
    return all(finding.status is not Status.FAILED for finding in findings)


def print_finding(console: Console, finding: Finding) -> None:
    """Print a line, and the remedy under it; a terminal wraps them in their column."""
    text = Text(finding.found)
    if finding.remedy:
        text.append("\n").append("try: ", "bold").append(finding.remedy)
    status = Text(f"{finding.status.value:<{_STATUS_WIDTH}}", _STYLES[finding.status])
    name = Text(f"{finding.name:<{NAME_WIDTH}}", "bold")
    if console.is_terminal:
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_row("", status, name, text)
        console.print(row)
    else:
        indent = " " * (2 + _STATUS_WIDTH + 2 + NAME_WIDTH + 2)
        text = Text("\n" + indent).join(text.split("\n"))
        console.print(Text("  ").join([Text(), status, name, text]), soft_wrap=True)


def print_summary(console: Console, findings: Sequence[Finding]) -> None:
    """Print whether training can start."""
    counts = {
        status: sum(finding.status is status for finding in findings)
        for status in reversed(Status)
        if any(finding.status is status for finding in findings)
    }
    line = Text("Training can start" if can_train(findings) else "Training cannot start", "bold")
    line.append(": ")
    for place, (status, count) in enumerate(counts.items()):
        line.append(", " * (place > 0))
        plural = "s" * (status is Status.WARNING and count > 1)
        line.append(f"{count} {status.value}{plural}", _STYLES[status])
    console.print()
    console.print(line)


def as_json(findings: Sequence[Finding]) -> str:
    """Return all findings as JSON."""
    document = {
        "version": __version__,
        "can_train": can_train(findings),
        "findings": [
            {**dataclasses.asdict(finding), "status": finding.status.value} for finding in findings
        ],
    }
    return json.dumps(document, indent=2, default=str)
