"""How far a speed is from real time: lines per second of imagers that fly, and where each rate is from."""

from typing import NamedTuple


class FlownImager(NamedTuple):
    """What a pushbroom imager delivers."""

    name: str
    n_columns: int
    n_bands: int
    lines_per_s: float
    source: str

    @property
    def msamples_per_s(self) -> float:
        """What a coder in real time needs."""
        return self.lines_per_s * self.n_columns * self.n_bands / 1e6

    def reached(self, msamples_per_s: float) -> "RealTime":
        """With a speed of coding."""
        return RealTime(self, 1e6 * msamples_per_s / (self.n_columns * self.n_bands))


class RealTime(NamedTuple):
    """What a speed means for an imager."""

    imager: FlownImager
    lines_per_s: float
    """That are coded."""

    @property
    def share(self) -> float:
        """Of real time; 1 and more is enough."""
        return self.lines_per_s / self.imager.lines_per_s

    def __str__(self) -> str:
        """Lines per second, and in brackets the share of real time."""
        lines = f"{self.lines_per_s:.0f}" if self.lines_per_s >= 1000 else f"{self.lines_per_s:.3g}"
        return f"{lines} ({self.share:.2g})" if self.share < 100 else f"{lines} ({self.share:.0f})"


IMAGERS = (
    FlownImager("EnMAP", 1000, 224, 230, "230 lines/s, 1000 columns, 224 bands: its operator's documents"),
    FlownImager("PRISMA", 1000, 239, 230, "4.34 ms a line (arXiv 2507.20765), 239 channels (eoPortal)"),
    FlownImager("EMIT", 1242, 285, 117, "calculated: 7 km/s over the ground (NASA), lines 60 m apart"),
    FlownImager("DESIS", 1024, 235, 233, "calculated: 7 km/s over the ground, lines 30 m apart"),
    FlownImager(
        "HYPSO-1", 684, 120, 22,
        "684 columns, 120 bands: Bakken et al., Remote Sensing 15 (2023) 755; 20 to 22 frames/s: its simulated sensor, "
        "model/sensors/hypso1.toml",
    ),
)  # fmt: skip


def real_times(msamples_per_s: float) -> list[RealTime]:
    """For each of IMAGERS."""
    return [imager.reached(msamples_per_s) for imager in IMAGERS]


def real_time_sentence(msamples_per_s: float) -> str:
    """Which imagers a speed is enough for, and how far it is from the fastest one; names each that is met."""
    if not msamples_per_s > 0:
        return "no speed was measured: real time is not known"
    found = real_times(msamples_per_s)
    met = [one.imager.name for one in found if one.share >= 1]
    farthest = min(found, key=lambda one: one.share)
    enough = f"real time for {', '.join(met)}" if met else "real time for none of these imagers"
    missed = "" if farthest.share >= 1 else f"; {farthest.imager.name} needs {1 / farthest.share:.3g} times the speed"
    return f"{msamples_per_s:.3g} Msamples/s: {enough}{missed}"
