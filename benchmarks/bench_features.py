"""Which size of network pays: rate by the real coder, speed and operations of INT8 packages of several sizes.

    linerwkv train model/configs/flight.toml --cross-validation model/configs/cross_validation/ablation.toml \
        --set schedule.epochs=8
    linerwkv quantize runs/f16/last.ckpt -o runs/q_f16 --recipe quantize/configs/flight.toml \
        --manifest ../shared/scenes/MANIFEST.json --validation-lines 4
    linerwkv export runs/q_f16 -o runs/p_f16                        # and so on for f24, f32, f48, f64
    python -m benchmarks.bench_features f16=runs/p_f16 f24=runs/p_f24 ...

Both validation scenes, whose sensor none of the networks saw, in one segment each; each stream is decoded and compared.
"""

from pathlib import Path
from typing import Any

import click
from matplotlib.figure import Figure

from benchmarks.harness.record import RESULTS, save
from benchmarks.harness.reference_loop import loop_msteps_per_s
from benchmarks.rate.__main__ import pairs
from benchmarks.rate.codecs import StreamCodec
from benchmarks.rate.measure import ONE, measure
from benchmarks.rate.pictures import save as save_picture
from benchmarks.rate.scenes import VALIDATION, entries
from runtime.cell.flight_package import IntegerPackage, open_package
from runtime.commands.picture_labels import label_points
from runtime.stream.kinds import AdaptiveStage, PredictorKind

STAGES = (AdaptiveStage.NONE, AdaptiveStage.FAST, AdaptiveStage.BEST)


def rows_of(name: str, folder: Path | None) -> list[dict[str, Any]]:
    """One row for each stage; without a package, of the stage alone."""
    package = None if folder is None else open_package(folder)
    assert package is None or isinstance(package, IntegerPackage)
    macs = package.cell.shape.macs if isinstance(package, IntegerPackage) else 0
    rows = []
    for stage in STAGES if package else STAGES[1:]:
        predictor = PredictorKind.LINERWKV if package else PredictorKind.RLS
        codec = StreamCodec(name, predictor, stage, folder)
        measured = {entry.name: measure(codec, entry.open(), 0) for entry in entries() if entry.name in VALIDATION}
        rates = {scene: values["rate"][ONE] for scene, values in measured.items()}
        speeds = {way: min(values[way] for values in measured.values()) for way in ("encode", "decode")}
        found = {"network": name, "MAC": macs, "stage": stage.name.lower(), **rates}
        rows.append({**found, **{f"{way} Ms/s": round(speed, 3) for way, speed in speeds.items()}})
    return rows


def picture(rows: list[dict[str, Any]]) -> Figure:
    """Mean rate of both scenes against the speed of encoding, a line for each stage."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots()
    labels: dict[str, tuple[float, float]] = {}
    for stage in STAGES:
        own = [row for row in rows if row["stage"] == stage.name.lower()]
        points = [(row["encode Ms/s"], sum(row[scene] for scene in VALIDATION) / len(VALIDATION)) for row in own]
        axes.plot(*zip(*points, strict=True), "o-", label=f"stage {stage.name.lower()}")
        names = [f"{row['network']}, {row['stage']}" for row in own]
        labels |= dict(zip(names, points, strict=True))
    axes.set(xscale="log", xlabel="encoding, Msamples/s of thread CPU time", ylabel="bits per sample, mean of 2 scenes")
    axes.margins(x=0.1, y=0.15)
    axes.legend(loc="upper right")
    label_points(axes, labels, size=7)
    return figure


@click.command(help=__doc__)
@click.argument("given", nargs=-1, required=True, metavar="NAME=PACKAGE...")
def main(given: tuple[str, ...]) -> None:
    """Measure, store, draw."""
    rows = rows_of("none", None)
    for name, folder in pairs(given).items():
        rows += rows_of(name, folder)
    loop = round(loop_msteps_per_s(), 1)
    save("features", "python -m benchmarks.bench_features " + " ".join(given), rows, integer_loop_msteps_per_s=loop)
    save_picture(picture(rows), RESULTS / "features.png")


if __name__ == "__main__":
    main()
