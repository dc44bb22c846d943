"""The report of a fine-tuning as JSON and as Markdown."""

import json
from pathlib import Path
from typing import Any

from runtime.compression import atomic_file


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """Write report.json and report.md."""
    for name, text in (("report.json", json.dumps(report, indent=1) + "\n"), ("report.md", markdown(report))):
        with atomic_file(folder / name) as file:
            file.write(text.encode())


def markdown(report: dict[str, Any]) -> str:
    """The report for reading."""
    rates, parent, options = report["bits_per_sample"], report["parent"], report["options"]
    stages = list(next(iter(rates.values())))
    head = ["held-out scene", *(f"{what}, stage {stage}" for what in rates for stage in stages)]
    scenes = list(rates["start"][stages[0]])
    rows = [[name, *(f"{rates[what][stage][name]:.4f}" for what in rates for stage in stages)] for name in scenes]
    cells = [head, ["---"] * len(head), *rows]
    table = "\n".join("| " + " | ".join(row) + " |" for row in cells)
    return f"""# Fine-tuning of {parent["name"]}

Start: package {parent["sha256"]}. Training: {report["epochs_done"]} of {options["epochs"]} epochs.

Written: {report["written"]}, {report["gain"]:.4f} bits per sample less than the start with the adaptive stage.

Bits per sample on held-out lines by the flight runtime, every byte counted. The choice between the two was made on
these lines.

{table}
"""
