"""The forms of the network as a picture: what each gains, against the multiply-accumulates that it costs."""

from typing import Any

from matplotlib.figure import Figure

from runtime.commands.picture_labels import label_points

KNOWN = ("abu_airport_3", "abu_urban_4")
"""Scenes of a sensor that the networks have seen."""
UNKNOWN = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438")
COLOURS = {"known": "tab:blue", "unknown": "tab:orange"}


def picture(rows: list[dict[str, Any]]) -> Figure:
    """One point a network and kind of scene, trained by the recipe's optimiser; rows: of `bench_network_forms`."""
    none = next(row for row in rows if row["optimizer"] is None)
    shown = [row for row in rows if row["optimizer"] == "muon, 0.02"]
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for kind, names in (("known", KNOWN), ("unknown", UNKNOWN)):
        gains = [sum(none[name] - row[name] for name in names) / len(names) for row in shown]
        axes.plot([row["MAC a sample"] for row in shown], gains, "o", color=COLOURS[kind], label=f"sensor {kind}")
        if kind == "known":
            labels = [row["network"].removeprefix("C: ").removeprefix("group of ") for row in shown]
            places = [(row["MAC a sample"], gain) for row, gain in zip(shown, gains, strict=True)]
    axes.set(
        xlabel="multiply-accumulates a sample", ylabel="loss of the stage alone less that with it, bits",
    )  # fmt: skip
    axes.margins(x=0.15, y=0.25)
    axes.grid(alpha=0.3)
    axes.legend(loc="center right")
    label_points(axes, dict(zip(labels, places, strict=True)))
    return figure
