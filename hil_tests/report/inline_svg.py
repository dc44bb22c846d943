"""Pictures for the page: SVG text that follows the page's colours, light or dark, and its font."""

import io
import re
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

COLOURS = {
    "#0a0b01": "--ink",
    "#0a0b02": "--quiet",
    "#0a0b03": "--hairline",
    "#0a0b11": "--series-1",
    "#0a0b12": "--series-2",
    "#0a0b13": "--series-3",
    "#0a0b14": "--series-4",
}
"""Stand-ins while drawing, and the variables of page.css that take their place."""
INK, QUIET, HAIRLINE, *SERIES = COLOURS
STYLE: dict[Any, Any] = {
    "figure.constrained_layout.h_pad": 0.09,
    "svg.fonttype": "none",
    "axes.edgecolor": HAIRLINE,
    "axes.facecolor": "none",
    "axes.labelcolor": QUIET,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.formatter.useoffset": False,
    "font.size": 9,
    "grid.color": HAIRLINE,
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 1.3,
    "text.parse_math": False,
}
LARGEST = 1e15
"""Values beyond it are not drawn."""
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def drawn(name: str, description: str, size: tuple[float, float], draw: Callable[[Figure], None]) -> Markup:
    """An <svg> element. name: its own on the page. description: its text alternative. size: in inches of 72 pixels."""
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)  # no window system, no global state of pyplot
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata=NO_METADATA)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # the same in every picture
    svg = re.sub(r"font: ([^;\"]*?)(\d[\d.]*px) [^;\"]*", r"font: \1\2 var(--font)", svg)
    for stand_in, variable in COLOURS.items():
        svg = svg.replace(stand_in, f"var({variable})")
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{escape(description)}" ', 1))


def plain(text: str, longest: int = 40) -> str:
    """The text in the letters that the drawing's font is sure to have."""
    ascii_only = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    return ascii_only if len(ascii_only) <= longest else ascii_only[: longest - 3] + "..."


def drawable(*columns: Iterable[float | None]) -> list[tuple[float, ...]]:
    """The rows of the columns that can be drawn whole."""
    return [
        tuple(float(value) for value in row if value is not None)
        for row in zip(*columns, strict=False)
        if all(value is not None and abs(value) < LARGEST for value in row)
    ]


def from_zero(axes: Axes) -> None:
    """Values that cannot be negative, with a little room above."""
    axes.margins(y=0.12)
    axes.set_ylim(bottom=0)
