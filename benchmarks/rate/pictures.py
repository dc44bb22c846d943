"""Pictures of results/rate.json: python -m benchmarks.rate.pictures [--package FOLDER].

rate_speed.png: rate against encoding speed. rate_near_lossless.png: rate against the error allowed and against PSNR.
rate_where.png: bits of each band and line, and mean residuals, on enmap_potsdam_a; this one codes the scene again.
"""

from pathlib import Path

import click
import numpy as np
from matplotlib.figure import Figure

from benchmarks.harness.record import RESULTS
from benchmarks.rate import store as rate_store
from benchmarks.rate.codecs import Ccsds123Codec, StreamCodec
from benchmarks.rate.means import speed, table, whole_rows
from benchmarks.rate.measure import DEFAULT, ONE
from benchmarks.rate.residuals import coded_bits, magnitudes, of_ccsds123, of_stream
from benchmarks.rate.rows import HERE, MAX_ERRORS
from benchmarks.rate.scenes import VALIDATION, entries
from benchmarks.rate.store import Key, Results
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.whole_output import replacing

SCENE = VALIDATION[0]
UNSEEN = HERE / "cross_validation" / "unseen"
"""It never saw SCENE."""
TUNED = Ccsds123Codec("sample_adaptive", True)
CROWDED = [f"ccsds123-{kind}-{coder}" for kind in ("anchor", "tuned") for coder in ("hybrid", "block-adaptive")]
"""Rows that lie where others are."""
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
        figure.savefig(unfinished, format="png", dpi=80)


def rate_and_speed(results: Results) -> Figure:
    """Every row that has all scenes: mean rate against speed of encoding. A line joins those that none beats."""
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    axes = figure.subplots()
    cells = {name: cell for name, cell in whole_rows(table(results, DEFAULT)).items() if name not in CROWDED}
    timed = {name: speed(results, name) for name in cells}
    points = {name: (found.encode, cells[name].rate) for name, found in timed.items() if found is not None}
    unbeaten: list[tuple[float, float]] = []
    for rank, name in enumerate(sorted(points, key=lambda name: points[name], reverse=True)):
        if not unbeaten or points[name][1] < unbeaten[-1][1]:
            unbeaten.append(points[name])
        axes.plot(*points[name], "o", color=COLOURS[family(results, name)])
        label = f"{name} (seen scenes)" if cells[name].seen else name
        axes.annotate(label, points[name], (5, (3, -9)[rank % 2]), textcoords="offset points", fontsize=7)
    axes.plot(*np.transpose(unbeaten), "-", color="0.8", zorder=0)
    axes.set(xscale="log", xlabel="encoding, Msamples/s of one core", ylabel="bits per sample, mean of all scenes")
    axes.set_title("lossless, segments of 64 lines: smaller and further right is better")
    axes.margins(x=0.15)
    axes.grid(alpha=0.3)
    return figure


def rate_and_error(results: Results) -> Figure:
    """Both validation scenes: the rate against the largest error allowed, and against PSNR."""
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    for scene, (by_error, by_psnr) in zip(VALIDATION, figure.subplots(2, 2), strict=True):
        for row in sorted({key.row for key in results.measurements if key.scene == scene and key.max_error}):
            cells = [results.measurements.get(Key(row, scene, max_error)) for max_error in MAX_ERRORS]
            label = row + " (seen)" * any(m is not None and m.get("seen", False) for m in cells)
            points = [(m["max_error"], m["rate"][ONE], m.get("psnr_db")) for m in cells if m is not None]
            by_error.plot([p[0] for p in points], [p[1] for p in points], ".-", label=label)
            lossy = [p for p in points if p[2] is not None]
            by_psnr.plot([p[1] for p in lossy], [p[2] for p in lossy], ".-", label=label)
        by_error.set_xscale("symlog", linthresh=1)
        by_error.set_xticks(MAX_ERRORS, map(str, MAX_ERRORS), minor=False)
        by_error.minorticks_off()
        by_error.set(title=scene, xlabel="largest error allowed", ylabel="bits per sample", ylim=(0, None))
        by_psnr.set(title=scene, xlabel="bits per sample", ylabel="PSNR over the scene's range, dB", xlim=(0, None))
        by_error.legend(frameon=False, fontsize=8)
        by_error.grid(alpha=0.3)
        by_psnr.grid(alpha=0.3)
    return figure


def where_bits_lie(results: Results, package: Path) -> Figure:
    """Bits of each band and of each line, and the mean residual of each pixel, of the network and of CCSDS 123."""
    scene = next(entry for entry in entries() if entry.name == SCENE).open()
    network = StreamCodec("LineRWKV, best", PredictorKind.LINERWKV, AdaptiveStage.BEST, package)
    stage = StreamCodec("adaptive stage alone", PredictorKind.RLS, AdaptiveStage.BEST)
    settings = results.measurements[Key(TUNED.name, SCENE, 0)]["settings"]
    mapped = {codec.name: of_stream(codec, scene) for codec in (network, stage)}
    mapped["CCSDS 123, tuned"] = of_ccsds123(TUNED, scene, settings)
    depth = int(settings["D"])
    figure = Figure(figsize=(11, 6.5), layout="constrained")
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
    save(rate_and_speed(results), path.with_name("rate_speed.png"))
    save(rate_and_error(results), path.with_name("rate_near_lossless.png"))
    save(where_bits_lie(results, package), path.with_name("rate_where.png"))


if __name__ == "__main__":
    main()
