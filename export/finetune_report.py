"""The report of a fine-tuning for reading."""

from typing import Any

from quantize.report import table


def markdown(report: dict[str, Any]) -> str:
    """Rates before and after, and what was written."""
    rates, parent, options = report["bits_per_sample"], report["parent"], report["options"]
    stages = list(next(iter(rates.values())))
    head = ["held-out scene", *(f"{what}, stage {stage}" for what in rates for stage in stages)]
    scenes = list(rates["start"][stages[0]])
    rows = [[name, *(f"{rates[what][stage][name]:.4f}" for what in rates for stage in stages)] for name in scenes]
    return f"""# Fine-tuning of {parent["name"]}

Start: package {parent["sha256"]}. Training: {report["epochs_done"]} of {options["epochs"]} epochs.

Written: {report["written"]}, {report["gain"]:.4f} bits per sample less than the start with the adaptive stage.

Bits per sample on held-out lines by the flight runtime, every byte counted. The choice between the two was made on
these lines.

{table(head, rows)}"""
