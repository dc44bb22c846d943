"""Names beside the points of a picture, none over another: for the demo and for pictures of results.

It needs matplotlib, so whoever draws imports it only then.
"""

import itertools
import math
from collections.abc import Mapping
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

DISTANCES = (7, 13, 22, 34, 48, 64, 82, 100)
"""Of a label from its point, in points of 1/72 inch, the nearest first."""
DIRECTIONS = tuple(math.radians(degrees) for degrees in (0, 180, 45, 315, 135, 225, 90, 270))
"""East first, counted against the clock."""
NEAR = 13
"""Up to here a label needs no line to its point."""
HALF_POINT = 4  # pixels around the middle of a point that no label covers
GAP = 2  # pixels between labels


def label_points(axes: Any, points: Mapping[str, tuple[float, float]], size: float = 8) -> None:
    """Write each name beside its point, at the nearest place within the axes that no label and no point has.

    No line runs through it either, where there is such a place. points: name to data coordinates; all else of the
    figure, limits and dots an inch too, is as it will be saved. Raises ValueError where there is no place.
    """
    figure = axes.figure.figure
    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]  # matplotlib's own
    inside = axes.get_window_extent(renderer)
    taken = [box_around(axes, point) for point in points.values()]
    legend = axes.get_legend()
    taken += [] if legend is None else [legend.get_window_extent(renderer)]
    lines = [line.get_path().transformed(line.get_transform()) for line in axes.lines]
    for name, point in points.items():
        for avoided, distance, angle in itertools.product((lines, []), DISTANCES, DIRECTIONS):
            label = annotated(axes, name, point, distance, angle, size)
            label.update_positions(renderer)
            box = Text.get_window_extent(label, renderer)
            is_free = is_within(box, inside) and not any(box.overlaps(other) for other in taken)
            if is_free and not any(line.intersects_bbox(box, filled=False) for line in avoided):
                taken.append(box.padded(GAP))
                break
            label.remove()
        else:
            raise ValueError(f"no place for the label {name!r}")


def annotated(
    axes: Any, name: str, point: tuple[float, float], distance: float, angle: float, size: float
) -> Annotation:
    """A label at a distance and direction of its point, with a thin line where it is far."""
    across, up = math.cos(angle), math.sin(angle)
    label: Annotation = axes.annotate(
        name, point, (distance * across, distance * up), textcoords="offset points", fontsize=size,
        ha="center" if abs(across) < 0.1 else "left" if across > 0 else "right",
        va="center" if abs(up) < 0.1 else "bottom" if up > 0 else "top",
        arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 0} if distance > NEAR else None,
    )  # fmt: skip
    label.set_in_layout(False)
    return label


def box_around(axes: Any, point: tuple[float, float]) -> Bbox:
    """What a point covers, in pixels."""
    x, y = axes.transData.transform(point)
    return Bbox.from_extents(x - HALF_POINT, y - HALF_POINT, x + HALF_POINT, y + HALF_POINT)


def is_within(inner: Bbox, outer: Bbox) -> bool:
    """Whether a box lies within another."""
    return bool(outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and inner.x1 <= outer.x1 and inner.y1 <= outer.y1)
