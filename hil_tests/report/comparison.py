"""This run beside earlier ones: a table, and speed, latency and energy along the runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from hil_tests.findings.findings import Findings
from hil_tests.findings.limits import speed
from hil_tests.findings.line_times import line_times
from hil_tests.report.inline_svg import SERIES, drawable, drawn, from_zero

SHOWN = 12
"""The last runs, this one included, are in the table; the pictures have all."""


@dataclass(frozen=True)
class RunFigures:
    """The figures of a run that are compared; None is not measured."""

    encode: float | None
    """Msamples/s, as decode."""
    decode: float | None
    median_ms: float | None
    p99_ms: float | None
    """None where there are fewer than 100 lines too."""
    largest_ms: float | None
    joules: float | None
    """J/Msample of the first rail, idle included."""
    peak_mib: float | None
    bits: float | None
    """Bits per sample."""


@dataclass(frozen=True)
class ComparedRun:
    """One row of the table."""

    findings: Findings
    figures: RunFigures
    differs: list[str]
    """In what this run was set up otherwise, so that figures do not compare."""
    is_this: bool


def figures_of(findings: Findings) -> RunFigures:
    """What is compared of a run."""
    lines = next((one.lines_ms for one in findings.latencies if one.phase == "encode" and one.lines_ms), None)
    times = line_times(lines) if lines else None
    return RunFigures(
        encode=speed("encode")(findings),
        decode=speed("decode")(findings),
        median_ms=times.median if times else None,
        p99_ms=times.p99 if times and times.has_p99 else None,
        largest_ms=times.largest if times else None,
        joules=findings.energy[0].joules_per_msample if findings.energy else None,
        peak_mib=findings.peak_memory_mib,
        bits=findings.bits_per_sample,
    )


def compared(findings: Findings, earlier: Sequence[Findings]) -> list[ComparedRun]:
    """Every run by its start, this one last."""
    runs = sorted((one for one in earlier if one != findings), key=lambda one: one.started)
    return [
        ComparedRun(one, figures_of(one), differences(one, findings), one is findings) for one in [*runs, findings]
    ]  # fmt: skip


def differences(run: Findings, this: Findings) -> list[str]:
    """What of the set-up is not that of this run."""
    pairs = {
        "board": (run.board, this.board),
        "label": (run.label, this.label),
        "scene": ((run.scene, run.scene_shape), (this.scene, this.scene_shape)),
        "package": (run.package_sha256, this.package_sha256),
        "machine": (run.machine, this.machine),
    }
    return [name for name, (of_run, of_this) in pairs.items() if of_run != of_this]


def comparison_picture(runs: Sequence[ComparedRun]) -> Markup | None:
    """Along the runs: speeds, times of lines, energy; runs of another set-up are hollow. None for one run alone."""
    panels: dict[str, list[str]] = {
        "speed, Msamples/s": ["encode", "decode"],
        "time of a line, ms": ["median_ms", "p99_ms"],
        "energy, J/Msample": ["joules"],
    }
    if len(runs) < 2:
        return None

    def draw(figure: Figure) -> None:
        for axes, (title, names) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
            axes.set(title=title, xlabel="run")
            for name, colour in zip(names, SERIES, strict=False):
                points = drawable(range(1, len(runs) + 1), [getattr(run.figures, name) for run in runs])
                if not points:
                    continue
                places, values = zip(*points, strict=True)
                fills = ["none" if runs[int(place) - 1].differs else colour for place in places]
                axes.plot(places, values, color=colour, linewidth=0.9, alpha=0.6, label=name.removesuffix("_ms"))
                sizes = [34 if int(place) == len(runs) else 14 for place in places]
                axes.scatter(places, values, s=sizes, c=fills, edgecolors=colour)
            if len(axes.collections) > 1:
                axes.legend(fontsize=8, loc="lower left", ncols=2)
            axes.set_xlim(0.5, len(runs) + 0.5)
            axes.locator_params(axis="x", integer=True)
            if axes.collections:
                from_zero(axes)
            else:
                axes.set_yticks([])
                axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center")

    description = f"Speed, time of a line and energy along {len(runs)} runs"
    return drawn("comparison", description, (12.5, 2.6), draw)
