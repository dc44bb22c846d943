"""Pictures of results/rate.json: python -m benchmarks.rate.pictures [--package FOLDER].

rate_speed.png: rate against encoding speed with the entropy coder, of files on one thread: by results/threads.json for
the rows that it has, else over all scenes. rate_near_lossless.png: rate against the error allowed and against PSNR.
rate_where.png: bits of each band and line, and mean residuals, on enmap_potsdam_a; this one codes the scene again.
"""

import json
from pathlib import Path

import click
import numpy as np
from matplotlib.figure import Figure

from benchmarks.harness.record import RESULTS
from benchmarks.rate import store as rate_store
from benchmarks.rate.codecs import Ccsds123Codec, StreamCodec
from benchmarks.rate.means import speed, table, whole_rows
from benchmarks.rate.measure import DEFAULT, ONE
from benchmarks.rate.residuals import Mapped, coded_bits, magnitudes, of_ccsds123, of_stream
from benchmarks.rate.rows import HERE, MAX_ERRORS
from benchmarks.rate.scenes import VALIDATION, entries
from benchmarks.rate.store import Key, Results
from runtime.commands.picture_labels import label_points
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.whole_output import replacing

SCENE = VALIDATION[0]
UNSEEN = HERE / "cross_validation" / "unseen"
"""It never saw SCENE."""
TUNED = Ccsds123Codec("sample_adaptive", True)
CROWDED = [f"ccsds123-{kind}-{coder}" for kind in ("anchor", "tuned") for coder in ("hybrid", "block-adaptive")]
"""Rows that lie where others are."""
FILES = {
    "flight-best": "flight, best", "flight-large-best": "flight-large, best", "rls-best": "rls, best",
    "rls-fast": "rls, fast", "ccsds123-anchor-sample-adaptive": "ccsds123",
}  # fmt: skip
"""Rows whose speed is that of the form of results/threads.json, as in its page and in real_time.md."""
DOTS_AN_INCH = 80
COLOURS = {"rls": "tab:green", "ccsds123": "tab:orange", "other": "0.45", "network": "tab:blue"}


def family(results: Results, row: str) -> str:
    """The key of a row's colour."""
    if row.split("-")[0] in COLOURS:
        return row.split("-")[0]
    has_network = any("seen" in m for key, m in results.measurements.items() if key.row == row)
    return "network" if has_network else "other"


def save(figure: Figure, path: Path) -> None:
    """A PNG under its name when it is whole."""
    with replacing(path) as unfinished:
        figure.savefig(unfinished, format="png")


def file_speeds() -> dict[str, float]:
    """Encoding of files on one thread, Msamples/s by the row's name, as results/threads.json has it."""
    rows = json.loads((RESULTS / "threads.json").read_text())["rows"]
    found = {row["form"]: float(row["Msamples/s, 1"]) for row in rows if row["way"] == "file, encoding"}
    return {name: found[form] for name, form in FILES.items() if form in found}


def speed_points(results: Results, files: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Encoding speed in Msamples/s and mean rate of each row that has all scenes; files: of `file_speeds`."""
    points = {}
    for name, cell in whole_rows(table(results, DEFAULT)).items():
        measured = speed(results, name)
        found = files.get(name, None if measured is None else measured.encode)
        if name not in CROWDED and found is not None:
            points[name] = (found, cell.rate)
    return points


def rate_and_speed(results: Results, files: dict[str, float]) -> Figure:
    """Every row that has all scenes: mean rate against speed of encoding. A line joins those that none beats."""
    figure = Figure(figsize=(10, 6), dpi=DOTS_AN_INCH, layout="constrained")
    axes = figure.subplots()
    points = speed_points(results, files)
    cells = whole_rows(table(results, DEFAULT))
    unbeaten: list[tuple[float, float]] = []
    for name in sorted(points, key=lambda name: points[name], reverse=True):
        if not unbeaten or points[name][1] < unbeaten[-1][1]:
            unbeaten.append(points[name])
        axes.plot(*points[name], "o", color=COLOURS[family(results, name)])
    axes.plot(*np.transpose(unbeaten), "-", color="0.8", zorder=0)
    axes.set(
        xscale="log", ylabel="bits per sample, mean of all scenes",
        xlabel="encoding with the entropy coder, Msamples/s of one core\n"
        "(flight, rls, ccsds123-anchor: files of 250 columns, threads.md; others: over all scenes, rate.md)",
    )  # fmt: skip
    axes.set_title("lossless, segments of 64 lines: smaller and further right is better")
    axes.margins(x=0.15, y=0.1)
    axes.grid(alpha=0.3)
    label_points(axes, {f"{name} (seen)" if cells[name].seen else name: point for name, point in points.items()})
    return figure


def rate_and_error(results: Results) -> Figure:
    """Both validation scenes: the rate against the largest error allowed, and against PSNR."""
    figure = Figure(figsize=(11, 8.5), dpi=DOTS_AN_INCH, layout="constrained")
    rows = sorted({key.row for key in results.measurements if key.scene in VALIDATION and key.max_error})
    colours = {row: f"C{i}" if i < 10 else f"{(i - 9) / 4:.2f}" for i, row in enumerate(rows)}
    for scene, (by_error, by_psnr) in zip(VALIDATION, figure.subplots(2, 2), strict=True):
        for row in rows:
            cells = [results.measurements.get(Key(row, scene, max_error)) for max_error in MAX_ERRORS]
            label = row + " (seen)" * any(m is not None and m.get("seen", False) for m in cells)
            points = [(m["max_error"], m["rate"][ONE], m.get("psnr_db")) for m in cells if m is not None]
            by_error.plot([p[0] for p in points], [p[1] for p in points], ".-", color=colours[row], label=label)
            lossy = [p for p in points if p[2] is not None]
            by_psnr.plot([p[1] for p in lossy], [p[2] for p in lossy], ".-", color=colours[row])
        by_error.set_xscale("symlog", linthresh=1)
        by_error.set_xticks(MAX_ERRORS, map(str, MAX_ERRORS), minor=False)
        by_error.minorticks_off()
        by_error.set(title=scene, xlabel="largest error allowed", ylabel="bits per sample", ylim=(0, None))
        by_psnr.set(title=scene, xlabel="bits per sample", ylabel="PSNR over the scene's range, dB", xlim=(0, None))
        by_error.grid(alpha=0.3)
        by_psnr.grid(alpha=0.3)
    named, names = by_error.get_legend_handles_labels()
    figure.legend(named, names, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def where_bits_lie(results: Results, package: Path) -> Figure:
    """Bits of each band and of each line, and the mean residual of each pixel, of the network and of CCSDS 123."""
    scene = next(entry for entry in entries() if entry.name == SCENE).open()
    network = StreamCodec("LineRWKV, best", PredictorKind.LINERWKV, AdaptiveStage.BEST, package)
    stage = StreamCodec("adaptive stage alone", PredictorKind.RLS, AdaptiveStage.BEST)
    settings = results.measurements[Key(TUNED.name, SCENE, 0)]["settings"]
    mapped = {codec.name: of_stream(codec, scene) for codec in (network, stage)}
    mapped["CCSDS 123, tuned"] = of_ccsds123(TUNED, scene, settings)
    return where_picture(mapped, int(settings["D"]))


def where_picture(mapped: dict[str, Mapped], depth: int) -> Figure:
    """As `where_bits_lie`, of mapped residuals (Y, Z, X) of `depth` bits by name."""
    figure = Figure(figsize=(11, 6.5), dpi=DOTS_AN_INCH, layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(1.2, 1))
    above, below = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    bands, lines = above.subplots(1, 2)
    brightest = max(float(np.percentile(magnitudes(residuals).mean(axis=1), 99)) for residuals in mapped.values())
    look = {"cmap": "magma", "vmin": 0, "vmax": brightest, "interpolation": "nearest"}
    for picture, (name, residuals) in zip(below.subplots(1, len(mapped)), mapped.items(), strict=True):
        bits = coded_bits(residuals, depth) / residuals.shape[2]
        bands.plot(bits.mean(axis=0), label=name, linewidth=1)
        lines.plot(bits.mean(axis=1), label=name, linewidth=1)
        shown = picture.imshow(magnitudes(residuals).mean(axis=1), **look)
        picture.set(title=name, xlabel="column", ylabel="line")
    below.colorbar(shown, ax=below.axes, label="mean |residual| over bands", shrink=0.8)
    bands.set(title=f"bits per band, {SCENE}", xlabel="band", ylabel="bits per sample")
    lines.set(title=f"bits per line, {SCENE}", xlabel="line", ylabel="bits per sample")
    lines.legend(frameon=False, fontsize=8)
    return figure


@click.command(help=__doc__)
@click.option("--package", type=click.Path(path_type=Path), default=UNSEEN, show_default=True)
@click.option("--results", "path", type=click.Path(path_type=Path), default=RESULTS / "rate.json", show_default=True)
def main(package: Path, path: Path) -> None:
    """Draw all of them beside the results."""
    results = rate_store.load(path)
    save(rate_and_speed(results, file_speeds()), path.with_name("rate_speed.png"))
    save(rate_and_error(results), path.with_name("rate_near_lossless.png"))
    save(where_bits_lie(results, package), path.with_name("rate_where.png"))


if __name__ == "__main__":
    main()
