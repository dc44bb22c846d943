"""A report of an accelerator's tool as JSON and as Markdown: what it is, machine, versions, commit, tables."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil_tests.findings.provenance import head, tables
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
    answer: str
    """A sentence of what was found."""
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
    said = {"title": report.title, "answer": report.answer}
    record = {**said, **facts, "notes": report.notes, "tables": report.tables}
    texts = {output: json.dumps(record, indent=1) + "\n", output.with_suffix(".md"): markdown(record)}
    for file, text in texts.items():
        with replacing(file) as unfinished:
            unfinished.write_text(text)


def markdown(record: dict[str, Any]) -> str:
    """The page of a written record: answer, notes, tables, then what it is of."""
    shown = ("title", "answer", "notes", "tables")
    lines = [f"# {record['title']}", "", record["answer"], "", *record["notes"]]
    for heading, rows in record["tables"].items():
        lines += ["", f"## {heading}", "", tables(rows)]
    facts = [f"- {key}: {value}" for key, value in record.items() if key not in shown]
    return "\n".join([*lines, "", "## How it was found", "", *facts, ""])


def equality(rows: list[Row]) -> str:
    """Whether the recorded lines came out as they are recorded, in words; rows: of `equal_row`."""
    cells = [value for row in rows for name, value in row.items() if name.startswith("tiles")]
    n_equal = cells.count("equal")
    return (
        "the recorded lines are equal bit for bit"
        if n_equal == len(cells)
        else (f"the recorded lines are equal in {n_equal} of {len(cells)} trials only")
    )
