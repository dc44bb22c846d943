"""Lines per second of each form against imagers that fly, from the committed speeds of files on one and two threads.

Nothing is measured here. More threads than two are extrapolated by what the second one added, and say so. Where the
line rate of an imager was not found, the lines per second stand alone.

    python -m benchmarks.real_time
"""

import json
from typing import Any, NamedTuple

from benchmarks.harness.record import RESULTS, save

MEASURED, EXTRAPOLATED = (1, 2), (4, 8)


class LineRate(NamedTuple):
    """Of an imager, and where it is from."""

    name: str
    n_columns: int
    n_bands: int
    lines_per_s: float | None
    source: str


IMAGERS = (
    LineRate("EnMAP", 1000, 224, 230, "230 lines/s, as the board files of hil_tests"),
    LineRate("PRISMA", 1000, 239, 230, "4.34 ms a line (arXiv 2507.20765), 239 channels (eoPortal)"),
    LineRate("EMIT", 1242, 285, 117, "calculated: 7 km/s over the ground (NASA), lines 60 m apart"),
    LineRate("DESIS", 1024, 235, 233, "calculated: 7 km/s over the ground, lines 30 m apart"),
    LineRate("HYPSO-1", 684, 120, None, "684 columns, 120 bands: Bakken et al., Remote Sensing 15 (2023) 755"),
)


def cell(imager: LineRate, msamples_per_s: float) -> str:
    """Lines per second, and the share of real time."""
    found = 1e6 * msamples_per_s / (imager.n_columns * imager.n_bands)
    return f"{found:.1f}" if imager.lines_per_s is None else f"{found:.1f} ({found / imager.lines_per_s:.3f})"


def row(form: str, threads: str, msamples_per_s: float) -> dict[str, Any]:
    """Of a form, on so many threads."""
    cells = {imager.name: cell(imager, msamples_per_s) for imager in IMAGERS}
    return {"form": form, "threads": threads, "Msamples/s": round(msamples_per_s, 4)} | cells


def main() -> None:
    """Calculate and save."""
    measured = json.loads((RESULTS / "threads.json").read_text())["rows"]
    rows = []
    for found in measured:
        if found["way"] != "file, encoding":
            continue
        one, two = (found[f"Msamples/s, {n}"] for n in MEASURED)
        rows += [row(found["form"], str(n), speed) for n, speed in zip(MEASURED, (one, two), strict=True)]
        for n in EXTRAPOLATED:
            rows.append(row(found["form"], f"{n}, extrapolated", one + (n - 1) * (two - one)))
    board = json.loads((RESULTS / "hil_emulated_aarch64" / "report.json").read_text())
    speed = next(one for one in board["speeds"] if one["phase"] == "encode")
    rows.append(row("flight alone", "1, emulated aarch64", speed["samples"] / speed["seconds"] / 1e6))
    facts = {imager.name: imager.source for imager in IMAGERS}
    save("real_time", "python -m benchmarks.real_time", rows, **facts, cells="lines/s (share of real time)")


if __name__ == "__main__":
    main()
