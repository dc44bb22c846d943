"""Measurements combined: plots of one site to one column, models of the folds to one row, speeds over all scenes."""

from typing import NamedTuple

from benchmarks.rate.scenes import column, folds
from benchmarks.rate.store import Measurement, Results

FOLDS = "folds"
"""Row of the models of the four folds, each on the scenes that it has never seen: `folds-best` and so on."""


class Cell(NamedTuple):
    """What some scenes take."""

    bits: float
    samples: int
    seen: bool | None
    """Whether the network was trained on them; none without a network."""

    @property
    def rate(self) -> float:
        """Bits per sample."""
        return self.bits / self.samples


class Speed(NamedTuple):
    """Over all scenes of a row, lossless."""

    encode: float
    """Msamples/s."""
    decode: float
    encode_per_loop: float
    """Samples a step of the reference loop."""
    decode_per_loop: float


Table = dict[str, dict[str, Cell]]
"""Row -> column -> cell."""


def row_of(measurement: Measurement) -> str:
    """The row of a table: that of all folds for the model of one."""
    name: str = measurement["row"]
    for fold in folds():
        if name.startswith(f"{fold}-"):
            return FOLDS + name.removeprefix(fold)
    return name


def table(results: Results, length: str, max_error: int = 0) -> Table:
    """All cells of one segment length and maximum error."""
    found: Table = {}
    for key, measurement in results.measurements.items():
        if key.max_error == max_error:
            row = found.setdefault(row_of(measurement), {})
            old = row.get(column(key.scene), Cell(0.0, 0, measurement.get("seen")))
            samples = measurement["samples"]
            bits = measurement["rate"][length] * samples
            row[column(key.scene)] = Cell(old.bits + bits, old.samples + samples, old.seen)
    return found


def mean(row: dict[str, Cell]) -> Cell:
    """Over all samples of a row."""
    cells = row.values()
    seen = None if any(cell.seen is None for cell in cells) else any(cell.seen for cell in cells)
    return Cell(sum(cell.bits for cell in cells), sum(cell.samples for cell in cells), seen)


def whole_rows(found: Table) -> dict[str, Cell]:
    """The means of the rows that have every sample."""
    means = {name: mean(row) for name, row in found.items()}
    most = max((cell.samples for cell in means.values()), default=0)
    return {name: cell for name, cell in means.items() if cell.samples == most}


def ranked(found: Table) -> list[str]:
    """Rows with every scene, the smallest mean first, then the others, those with more scenes first."""
    means = {name: mean(row) for name, row in found.items()}
    return sorted(means, key=lambda name: (-means[name].samples, means[name].rate))


def speed(results: Results, row: str) -> Speed | None:
    """The speeds of a row; none where they were not timed."""
    lossless = [m for key, m in results.measurements.items() if key.max_error == 0 and "encode" in m]
    measured = [m for m in lossless if row_of(m) == row]
    if not measured:
        return None
    samples = sum(m["samples"] for m in measured)
    seconds = [sum(m["samples"] / m[way] for m in measured) for way in ("encode", "decode")]
    steps = [sum(m["samples"] / m[way] * m["loop_msteps_per_s"] for m in measured) for way in ("encode", "decode")]
    return Speed(samples / seconds[0], samples / seconds[1], samples / steps[0], samples / steps[1])
