"""The curve of a run as a picture."""

from pathlib import Path

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from runtime.codec.compression import atomic_file

RATE = "bits_per_sample"


def write_picture(rows: list[dict[str, float]], path: Path) -> None:
    """An SVG of what `drawn` draws."""
    figure = drawn(rows)
    FigureCanvasSVG(figure)  # no window system, no global state of pyplot
    with atomic_file(path) as file:
        figure.savefig(file, format="svg", metadata={"Date": None})


def drawn(rows: list[dict[str, float]]) -> Figure:
    """The training loss and the rates of the validation scenes over epochs.

    rows: one for each epoch, with `epoch`, `loss` and, where it was validated, `bits_per_sample/NAME`.
    """
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    loss, rate = figure.subplots(1, 2)
    loss.plot([row["epoch"] for row in rows], [row["loss"] for row in rows])
    loss.set(title="training loss", xlabel="epoch")
    for name in dict.fromkeys(name for row in rows for name in row if name.startswith(f"{RATE}/")):
        points = [(row["epoch"], row[name]) for row in rows if name in row]
        rate.plot(*zip(*points, strict=True), marker=".", label=name.removeprefix(f"{RATE}/"))
    rate.set(title="validation, bits per sample", xlabel="epoch")
    if rate.lines:
        rate.legend(fontsize="small")
    return figure
