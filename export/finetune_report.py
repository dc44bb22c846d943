"""The report of a fine-tuning for reading: whole, and in the lines that a terminal gets."""

from collections.abc import Mapping
from typing import Any

from quantize.pipeline import mean
from quantize.report import table

KEPT = "nothing gained: the package is that of the start"


def outcome(report: dict[str, Any]) -> str:
    """What the package is."""
    if report["written"] == "start":
        return KEPT
    return f"fine-tuned, {report['gain']:.4f} bits/sample less than the start on held-out lines"


def worth_lines(report: dict[str, Any]) -> list[str]:
    """What start and fine-tuned package are worth, a line for each kind of scenes."""
    others = "other scenes" if report["others_are"] == "given" else f"others ({report['others_are']})"
    return [
        f"worth on {what}: "
        + ", ".join(f"{name} {mean(by_scene):+.4f}" for name, by_scene in report[key]["worth"].items())
        + " bits/sample less than the stage alone"
        for key, what in (("own", "held-out lines"), ("others", others))
    ]


def warning(lost: Mapping[str, float]) -> str | None:
    """One line where others get worse; the first is the worst."""
    if not lost:
        return None
    name, bits = next(iter(lost.items()))
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return f"other scenes get worse: {name} by {bits:.4f} bits/sample{more}; give scenes of all that will be flown over"


def markdown(report: dict[str, Any]) -> str:
    """What was written, rates and worth before and after."""
    parent, options = report["parent"], report["options"]
    said = warning(report["others_worse"])
    return f"""# Fine-tuning of {parent["name"]}

Start: package {parent["sha256"]}. Training: {report["epochs_done"]} of {options["epochs"]} epochs.

Written: {outcome(report)}.

Bits per sample by the flight runtime, lossless, every byte counted. A package is worth what the adaptive stage takes
alone, less what it takes after the package's network. The choice between start and fine-tuned was made on the held-out
lines.

{scene_table("held-out lines", report["own"])}

Others, which decide nothing ({report["others_are"]}):

{scene_table("other scene", report["others"])}
{f"{chr(10)}Warning: {said}.{chr(10)}" if said else ""}"""


def scene_table(what: str, found: dict[str, Any]) -> str:
    """A row for each scene, and one of their means."""
    alone, rates, worth = (found[key] for key in ("stage_alone", "bits_per_sample", "worth"))
    columns = {
        "stage alone": alone,
        **{f"{name}, stage {stage}": by for name, stages in rates.items() for stage, by in stages.items()},
        **{f"worth, {name}": by for name, by in worth.items()},
    }
    rows = [[scene, *(f"{values[scene]:.4f}" for values in columns.values())] for scene in alone]
    return table([what, *columns], [*rows, ["mean", *(f"{mean(values):.4f}" for values in columns.values())]])
