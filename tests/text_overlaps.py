"""Which texts of a picture lie over each other, by the boxes that matplotlib draws them in."""

import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from runtime.commands.picture_labels import is_within


def overlaps(figure: Figure) -> list[str]:
    """Each pair of texts that touch, each text that leaves the figure, each legend over a point of a line.

    The figure is drawn for it, in the dots an inch that it has.
    """
    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]  # matplotlib's own
    hidden = {text for axes in figure.axes for text in ticks_out_of_view(axes)}
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text not in hidden]
    drawn = [text for text in texts if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), Text.get_window_extent(text, renderer)) for text in drawn]
    found = [f"{a!r} over {b!r}" for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]
    edge = Bbox.from_bounds(-0.5, -0.5, figure.bbox.width + 1, figure.bbox.height + 1)
    found += [f"{name!r} leaves the figure" for name, box in boxes if not is_within(box, edge)]
    for axes in figure.axes:
        legend = axes.get_legend()
        if legend is not None:
            box = legend.get_window_extent(renderer)
            found += [f"the legend over {line.get_label()!r}" for line in axes.lines if holds_point(box, line, axes)]
    return found


def ticks_out_of_view(axes: Axes) -> list[Text]:
    """Labels of ticks beyond the limits, which are not drawn."""
    found: list[Text] = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(float(value) for value in np.asarray(axis.get_view_interval()))
        margin = 1e-9 * (high - low)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low - margin <= float(tick.get_loc()) <= high + margin:
                found += [tick.label1, tick.label2]
    return found


def holds_point(box: Bbox, line: object, axes: Axes) -> bool:
    """Whether a drawn point of a line is in the box."""
    data = np.column_stack([np.asarray(values, float) for values in line.get_data()])  # type: ignore[attr-defined]
    places = line.get_transform().transform(data)  # type: ignore[attr-defined]
    return any(box.contains(x, y) for x, y in places)
