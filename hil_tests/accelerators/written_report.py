"""A report of an accelerator's tool as JSON and as Markdown: what it is, machine, versions, commit, tables."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil_tests.findings.provenance import head, table
from runtime.cell.flight_package import IntegerPackage
from runtime.whole_output import replacing

Row = dict[str, Any]


@dataclass
class Report:
    """What one tool says."""

    title: str
    label: str
    """What its figures may be called: `measured on this CPU`, `estimated by Vela`, `simulated, functional only`."""
    tool: str
    """Name and version."""
    notes: list[str] = field(default_factory=list)
    """How to read the tables, each a line."""
    tables: dict[str, list[Row]] = field(default_factory=dict)
    """By heading; all rows of a table have the same keys."""


def write_report(report: Report, package: IntegerPackage, command: str, output: Path) -> None:
    """Write `output` as JSON and the same name ending in .md for people."""
    facts = {
        "label": report.label,
        "tool": report.tool,
        "command": command,
        "package": f"{package.manifest['name']} {package.sha256.hex()[:12]}",
        **head(),
    }
    record = {"title": report.title, **facts, "notes": report.notes, "tables": report.tables}
    lines = [f"# {report.title}", "", *(f"- {key}: {value}" for key, value in facts.items()), "", *report.notes]
    for heading, rows in report.tables.items():
        lines += ["", f"## {heading}", "", table(rows)]
    for file, text in ((output, json.dumps(record, indent=1)), (output.with_suffix(".md"), "\n".join(lines))):
        with replacing(file) as unfinished:
            unfinished.write_text(text + "\n")
