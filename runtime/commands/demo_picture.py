"""The picture of the demo: quick look, a spectrum near-lossless, bits per band, rate against speed.

It carries what it shows as text, but for speeds, which are the machine's: `shown`, by which tests/runtime/commands
tells whether docs/demo.png is what the demo draws now.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from runtime.commands.picture_labels import label_points
from runtime.images.synthetic import wavelengths
from runtime.segments.segment_codec import Samples
from runtime.whole_output import replacing

RED_GREEN_BLUE_NM = (650.0, 550.0, 470.0)
SHOWN = "Description"
"""Keyword of the PNG's text that says what is shown."""
COLOURS = ("tab:blue", "tab:cyan", "tab:green", "tab:olive", "tab:orange", "0.45")
"""Of the rows, in their order; a further one begins again."""


def write_picture(
    scene: Samples, restored: Samples, max_error: int, rows: list[dict[str, Any]], package: str, path: Path
) -> None:
    """Write the PNG of what `drawn` draws; package: sha256 of that of the networks among the rows."""
    figure = drawn(scene, restored, max_error, rows)
    with replacing(path) as part:
        figure.savefig(part, format="png", metadata={SHOWN: shown(scene, rows, package)})


def shown(scene: Samples, rows: list[dict[str, Any]], package: str) -> str:
    """JSON of all that decides the picture and is the same on every machine."""
    own = [row for row in rows if "bits_per_band" in row]
    sources = [Path(__file__), Path(__file__).with_name("picture_labels.py")]
    return json.dumps(
        {
            "scene": short_hash(np.ascontiguousarray(scene).tobytes()),
            "package": package[:12],
            "drawing": short_hash(b"".join(source.read_bytes() for source in sources)),
            "bytes": {row["name"]: row["bytes"] for row in own},
            "largest_error": {row["name"]: row["largest_error"] for row in own},
            "bits_per_band": {row["name"]: short_hash(json.dumps(row["bits_per_band"]).encode()) for row in own},
        }
    )


def short_hash(data: bytes) -> str:
    """The first digits of a sha256."""
    return hashlib.sha256(data).hexdigest()[:12]


def drawn(scene: Samples, restored: Samples, max_error: int, rows: list[dict[str, Any]]) -> Figure:
    """The four pictures; scene, restored: (Y, Z, X) before and after near-lossless coding."""
    figure = Figure(figsize=(12, 8), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.2))
    spectrum = grid[0, 1].subgridspec(2, 1, height_ratios=(2, 1))
    place = most_changed(scene, restored)
    draw_look(figure.add_subplot(grid[0, 0]), scene, place)
    both, difference = figure.add_subplot(spectrum[0]), figure.add_subplot(spectrum[1])
    draw_spectrum(both, difference, scene, restored, max_error, place)
    draw_bands(figure.add_subplot(grid[1, 1]), rows)
    draw_speed(figure.add_subplot(grid[1, 0]), rows)
    return figure


def most_changed(scene: Samples, restored: Samples) -> tuple[int, int]:
    """The pixel (line, column) whose spectrum near-lossless coding changes most, by the sum of squares."""
    squares = ((restored.astype(np.int64) - scene) ** 2).sum(axis=1)
    y, x = np.unravel_index(int(squares.argmax()), squares.shape)
    return int(y), int(x)


def stretched(band: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """A band between its 2nd and 98th percentile, 0..1."""
    low, high = np.percentile(band, (2, 98))
    return np.asarray(np.clip((band - low) / max(1e-9, high - low), 0, 1), np.float64)


def draw_look(axes: Any, scene: Samples, place: tuple[int, int]) -> None:
    """Three bands as colours, and where the spectrum is."""
    wavelength = wavelengths(scene.shape[1])
    colours = [int(np.argmin(np.abs(wavelength - nm))) for nm in RED_GREEN_BLUE_NM]
    axes.imshow(np.stack([stretched(scene[:, z]) for z in colours], axis=-1), interpolation="nearest")
    axes.plot(place[1], place[0], "o", markersize=9, markerfacecolor="none", markeredgecolor="tab:red")
    axes.set(title="quick look; circle: the pixel beside", xlabel="column", ylabel="line")


def draw_spectrum(
    both: Any, difference: Any, scene: Samples, restored: Samples, max_error: int, place: tuple[int, int]
) -> None:
    """A pixel before and after, and the difference within the band of the error that is allowed."""
    y, x = place
    wavelength, before = wavelengths(scene.shape[1]), scene[y, :, x].astype(np.int64)
    after = restored[y, :, x].astype(np.int64)
    both.plot(wavelength, before, color="0.6", linewidth=3, label="original")
    both.plot(wavelength, after, color="tab:red", linewidth=1, label=f"restored, --max-error {max_error}")
    both.set(title=f"spectrum of line {y}, column {x}, the most changed", ylabel="counts")
    both.legend(frameon=False)
    difference.axhspan(-max_error, max_error, color="tab:red", alpha=0.15)
    difference.axhline(0, color="0.6", linewidth=0.8)
    difference.plot(wavelength, after - before, ".", color="tab:red", markersize=4)
    limit = max_error + 1.5
    difference.set(xlabel="wavelength (nm)", ylabel="restored less\noriginal", ylim=(-limit, limit))


def draw_bands(axes: Any, rows: list[dict[str, Any]]) -> None:
    """Bits per sample of each band, a line a form."""
    for row, colour in coloured(rows):
        if "bits_per_band" in row:
            bits = row["bits_per_band"]
            style = "--" if row["largest_error"] else "-"
            axes.plot(wavelengths(len(bits)), bits, style, color=colour, linewidth=1.2, label=row["name"])
    axes.set(title="bits that each band takes", xlabel="wavelength (nm)", ylabel="bits per sample", ylim=(0, None))
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def draw_speed(axes: Any, rows: list[dict[str, Any]]) -> None:
    """Rate against encoding speed, a point a form."""
    points = {}
    for row, colour in coloured(rows):
        points[row["name"]] = (row["encode_msamples_per_s"], row["bits_per_sample"])
        axes.plot(*points[row["name"]], "o", color=colour)
    axes.set(
        title="rate against speed: low and right is better", xlabel="encoding, Msamples/s of CPU time of one core",
        ylabel="bits per sample", xscale="log",
    )  # fmt: skip
    axes.margins(x=0.3, y=0.15)
    axes.set_ylim(0, None)
    axes.grid(alpha=0.3)
    label_points(axes, points)


def coloured(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Rows with their colours."""
    return [(row, COLOURS[i % len(COLOURS)]) for i, row in enumerate(rows)]
