"""Pictures of one run: power over time, latencies, throughput against temperature. None where nothing was measured."""

import re
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hil_tests.findings.findings import Energy, Latency, Phase, Reading
from hil_tests.findings.line_times import line_times
from hil_tests.report.inline_svg import HAIRLINE, INK, QUIET, SERIES, drawable, drawn, from_zero, plain
from hil_tests.report.numerals import number

WIDTH = 12.5
BINS = 40
MANY_LINES = 400
"""More than these are drawn as spans of several lines, and the histogram counts on a logarithmic scale."""
LETTER = 0.0075
"""Width of a letter as a share of the picture."""


def power_picture(energy: Sequence[Energy], phases: Sequence[Phase]) -> Markup | None:
    """Watts of each rail over the time of the run, with the phases marked above."""
    traces = [(one, drawable(one.seconds, one.watts)) for one in energy]
    traces = [(one, points) for one, points in traces if points]
    if not traces:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, (one, points) in enumerate(traces):
            seconds, watts = zip(*points, strict=True)
            colour = SERIES[index % len(SERIES)]
            axes.plot(seconds, watts, color=colour, label=plain(f"{one.meter} {one.rail}"), marker=dot(points))
        axes.set(xlabel="seconds since the start of the run", ylabel="W")
        axes.margins(x=0.01)
        from_zero(axes)
        mark_phases(axes, phases)
        if len(traces) > 1:
            figure.legend(loc="outside upper left", ncols=4)

    description = f"Power over time of {len(traces)} rails"
    return drawn("power", description, (WIDTH, 3.4), draw)


def mark_phases(axes: Axes, phases: Sequence[Phase]) -> None:
    """Shade every second group of phases, and name each group above where there is room."""
    began, ended = axes.get_xlim()
    spans = [phase for phase in phases if phase.began_s < ended and phase.ended_s > began]
    spans = [phase for phase in spans if drawable([phase.began_s], [phase.ended_s])]
    groups = [
        (name, list(members))
        for name, members in groupby(sorted(spans, key=lambda phase: phase.began_s), lambda phase: kind(phase.name))
    ]
    for index, (name, members) in enumerate(groups):
        left = max(members[0].began_s, began)
        right = min(max(member.ended_s for member in members), ended)
        axes.axvspan(left, right, color=HAIRLINE, alpha=0.55 if index % 2 == 0 else 0.2, linewidth=0)
        for member in members[1:]:
            axes.axvline(member.began_s, color=QUIET, linewidth=0.5, linestyle=":")
        text = plain(name if len(members) == 1 else f"{name} x {len(members)}", 24)
        if LETTER * len(text) <= (right - left) / (ended - began):
            middle = (left + right) / 2
            axes.text(
                middle, 1.02, text, transform=axes.get_xaxis_transform(), ha="center", color=QUIET, fontsize=8.5
            )  # fmt: skip
    axes.set_xlim(began, ended)


def kind(phase: str) -> str:
    """Its name without the number of a window."""
    return re.sub(r"( before window)? \d+$", "", phase)


def dot(points: Sequence[object]) -> str:
    """A marker where a line alone would not be seen."""
    return "o" if len(points) == 1 else ""


def latency_picture(latencies: Sequence[Latency]) -> Markup | None:
    """For each phase a histogram of the times of lines, and the times along the lines."""
    rows = [(one.phase, [value for (value,) in drawable(one.lines_ms)]) for one in latencies]
    rows = [(phase, values) for phase, values in rows if values]
    if not rows:
        return None

    def draw(figure: Figure) -> None:
        cells = figure.subplots(len(rows), 2, squeeze=False, width_ratios=[2, 3])
        for index, (phase, values) in enumerate(rows):
            histogram(cells[index, 0], phase, values, SERIES[index % len(SERIES)])
            along_lines(cells[index, 1], values, SERIES[index % len(SERIES)])
            cells[index, 1].set_title(plain(f"{phase}: time of each line, ms"))
        cells[-1, 0].set_xlabel("ms")
        cells[-1, 1].set_xlabel("line")

    description = "Histogram and course of the times of single lines: " + ", ".join(phase for phase, _ in rows)
    return drawn("latency", description, (WIDTH, 0.5 + 2.3 * len(rows)), draw)


def histogram(axes: Axes, phase: str, values: Sequence[float], colour: str) -> None:
    """How many lines took how long, with the median and the 99th percentile or, of few lines, the largest."""
    axes.hist(values, bins=min(BINS, max(10, len(values) // 3)), color=colour)
    times = line_times(values)
    high, name = (times.p99, "p99") if times.has_p99 else (times.largest, "largest")
    for value in (times.median, high):
        axes.axvline(value, color=INK, linewidth=0.8, linestyle="--")
    if len(values) > MANY_LINES:
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)
        axes.yaxis.set_major_formatter(lambda count, _: f"{count:g}")
        axes.minorticks_off()
    axes.set_ylabel("lines")
    axes.set_title(plain(f"{phase}: dashed at median {number(times.median)} and {name} {number(high)}", 60))


def along_lines(axes: Axes, values: Sequence[float], colour: str) -> None:
    """The time of each line in order; of many lines the median and the whole span of some at a time."""
    if len(values) <= MANY_LINES:
        axes.plot(range(len(values)), values, color=colour, marker=".", linewidth=0.7, markersize=4)
    else:
        spans = np.array_split(np.asarray(values), MANY_LINES)
        places = np.cumsum([0, *(len(span) for span in spans[:-1])])
        lowest, highest = [span.min() for span in spans], [span.max() for span in spans]
        axes.fill_between(places, lowest, highest, color=colour, alpha=0.35, linewidth=0)
        axes.plot(places, [np.median(span) for span in spans], color=colour, linewidth=0.9)
    axes.margins(x=0.01)
    from_zero(axes)


def temperature_picture(readings: Sequence[Reading]) -> Markup | None:
    """Throughput against temperature, and the temperature along the run."""
    points = drawable(
        [one.temperature_c for one in readings],
        [one.msamples_per_s for one in readings],
        [one.seconds for one in readings],
    )
    if not points:
        return None
    temperatures, rates, seconds = zip(*points, strict=True)

    def draw(figure: Figure) -> None:
        against, along = figure.subplots(1, 2, width_ratios=[2, 3])
        against.plot(temperatures, rates, "o", color=SERIES[0], markersize=3.5, alpha=0.7)
        against.set(xlabel="\u00b0C", title="throughput at temperature, Msamples/s")
        from_zero(against)
        along.plot(seconds, temperatures, ".", color=SERIES[1], markersize=4)
        along.set(xlabel="seconds since the start of the run", title="temperature, \u00b0C")
        along.margins(0.02, 0.15)

    return drawn("temperature", f"Throughput against temperature, {len(points)} readings", (WIDTH, 2.6), draw)
