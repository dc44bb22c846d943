"""The rate-distortion curves as SVG text for a page."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from export.paper.methods import IN_LOOP
from export.paper.printed import LABELS
from export.paper.results import Curve

COLOURS = ("#1f62b0", "#c2570c", "#2a7d4f", "#7b4bb0", "#4d5660")
"""Of methods in their order."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "rate-distortion", "font.size": 10, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": "#d5dae0", "grid.linewidth": 0.6,
    "legend.frameon": False, "axes.axisbelow": True,
}  # fmt: skip


def rate_distortion(curves: Sequence[Curve]) -> Markup | None:
    """PSNR over bits per sample, solid where prequantised, dashed in the loop; None without a near-lossless point."""
    drawable = [
        (curve, [(point.bits_per_sample, point.psnr_db) for point in curve.points if point.psnr_db is not None])
        for curve in curves
    ]
    drawable = [(curve, points) for curve, points in drawable if points]
    if not drawable:
        return None
    methods = list(dict.fromkeys(curve.method for curve in curves))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.5, 4.6), layout="constrained")
        FigureCanvasSVG(figure)  # no window system, no global state of pyplot
        axes = figure.subplots()
        for curve, points in drawable:
            rates, qualities = zip(*points, strict=True)
            colour = COLOURS[methods.index(curve.method) % len(COLOURS)]
            line = "--" if curve.quantisation == IN_LOOP else "-"
            label = f"{LABELS[curve.method]}, {curve.quantisation}"
            axes.plot(rates, qualities, line, color=colour, marker="o", markersize=3.5, linewidth=1.3, label=label)
        axes.set(xlabel="bits per sample", ylabel="PSNR, dB")
        figure.legend(loc="outside right upper", fontsize=9)
        file = io.StringIO()
        figure.savefig(
            file, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    text = file.getvalue()
    return Markup(
        text[text.index("<svg") :].replace("<svg ", '<svg role="img" aria-label="Rate-distortion curves" ', 1)
    )
