"""The report of a quantization as JSON and as Markdown."""

import json
from pathlib import Path
from typing import Any

from runtime.codec.compression import atomic_file

TITLES = {
    "float": "float",
    "int8": "INT8",
    "float fine-tuned": "fine-tuned, not rounded",
    "int8 fine-tuned": "INT8 fine-tuned",
}


REPORTS = ("report.json", "report.md")


def write_report(folder: Path, report: dict[str, Any], text: str) -> None:
    """Write report.json, and report.md for reading."""
    for name, content in zip(REPORTS, (json.dumps(report, indent=1) + "\n", text), strict=True):
        with atomic_file(folder / name) as file:
            file.write(content.encode())


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def answer(report: dict[str, Any]) -> str:
    """The loss on the scene that loses most."""
    losses = report["loss"]
    worst = max(losses, key=lambda name: losses[name])
    return (
        f"{TITLES[report['written']]} loses at most {losses[worst]:.4f} bits per sample against the checkpoint in "
        f"float ({worst} of {len(losses)} scenes)."
    )


def markdown(report: dict[str, Any]) -> str:
    """The report for reading."""
    rates, written = report["bits_per_sample"], report["written"]
    kinds = list(rates)
    scenes = [
        [
            name,
            *(f"{rates[kind][name]:.4f}" for kind in kinds),
            f"{report['loss'][name]:+.4f}",
            f"{report['loss_by_rounding'][name]:+.4f}",
        ]
        for name in rates["float"]
    ]
    layers = [
        [
            row["layer"],
            "{}..{}".format(*row["shift"]),
            str(row["largest_weight"]),
            f"{row['channels_with_clipped_weights']} / {row['channels_at_zero']}",
            "{:.2f}..{:.2f}".format(*row["float_range"]),
            " / ".join(f"{100 * share:.2f}" for share in row["float_clipped"]),
            " / ".join(f"{100 * share:.2f}" for share in row["int8_saturated"]),
            f"{row['largest_sum']:,} ({100 * row['largest_sum_share']:.1f} %)",
        ]
        for row in report["layers"]
    ]
    memories = [
        [row["memory"], ", ".join(row["rates"]), f"{row['largest_sum']:,} ({100 * row['largest_sum_share']:.1f} %)"]
        for row in report["memories"]
    ]
    costs = sorted(report["cost_alone"].items(), key=lambda item: -item[1])
    bits = report["options"]["weight_bits"]
    return f"""# Quantization of {report["name"]}

{answer(report)}

Checkpoint `{report["checkpoint"]}`, weights of {bits} bits, arithmetic {report["arithmetic"]}. Written: {
        TITLES[written]
    }.

## Bits per sample

By the coder of the stream, every byte counted. `loss` is {TITLES[written]} less the checkpoint in float; `by rounding`,
less the same weights without rounding. They differ by what the fine-tuning trained further.

{table(["scene", *(TITLES[kind] for kind in kinds), "loss", "by rounding"], scenes)}
## Layers

Ranges and clipped shares (low / high, percent) of the float network's sums on training crops; saturated shares of the
INT8 outputs on the same crops; the largest sum that any input can make, and its share of 2^24. `clipping` counts the
channels whose largest weights are clipped for finer steps, `zero` those that never left the lower clip.

{
        table(
            [
                "layer",
                "shift",
                "largest weight",
                "clipping / zero",
                "float range",
                "float clipped",
                "INT8 saturated",
                "largest sum",
            ],
            layers,
        )
    }
{table(["memory", "rates", "largest sum"], memories)}
## What costs most

Bits per sample that a part costs when it alone is rounded, without fine-tuning, on crops of the validation scenes.
Negative: it gains, which is chance.

{table(["part", "bits per sample"], [[name, f"{cost:+.5f}"] for name, cost in costs])}"""
