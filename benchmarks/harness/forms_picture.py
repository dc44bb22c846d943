"""The forms of the network as a picture: what each gains, against the multiply-accumulates that it costs."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

COLOURS = {"known": "tab:blue", "unknown": "tab:orange"}


def draw(rows: list[dict[str, Any]], scenes: dict[str, tuple[str, ...]], file: Path) -> None:
    """One point a network and kind of scene, trained by the recipe's optimiser; rows: of `bench_network_forms`."""
    none = next(row for row in rows if row["optimizer"] is None)
    shown = [row for row in rows if row["optimizer"] == "muon, 0.02"]
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    for kind, names in scenes.items():
        gains = [sum(none[name] - row[name] for name in names) / len(names) for row in shown]
        axes.plot([row["MAC a sample"] for row in shown], gains, "o", color=COLOURS[kind], label=f"sensor {kind}")
        if kind == "known":
            for i, (row, gain) in enumerate(
                sorted(zip(shown, gains, strict=True), key=lambda pair: pair[0]["MAC a sample"])
            ):
                place, away = (row["MAC a sample"], gain), (0, 10 if i % 2 else -16)
                label = row["network"].removeprefix("C: ").removeprefix("group of ")
                axes.annotate(label, place, fontsize=8, ha="center", xytext=away, textcoords="offset points")
    axes.set(
        xscale="log", xlabel="multiply-accumulates a sample", ylabel="loss of the stage alone less that with it, bits"
    )
    axes.margins(x=0.15, y=0.25)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(file, dpi=100)
    plt.close(figure)
