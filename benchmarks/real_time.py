"""Lines per second of each form against imagers that fly, from the committed speeds of files on one and two threads.

Nothing is measured here. More threads than two are extrapolated by what the second one added, and say so.

    python -m benchmarks.real_time
"""

import json
from typing import Any

from benchmarks.harness.record import RESULTS, save
from hil_tests.findings.real_time import IMAGERS, RealTime, real_times

MEASURED, EXTRAPOLATED = (1, 2), (4, 8)


def cell(found: RealTime) -> str:
    """Lines per second, and the share of real time."""
    return f"{found.lines_per_s:.1f} ({found.share:.3f})"


def row(form: str, threads: str, msamples_per_s: float) -> dict[str, Any]:
    """Of a form, on so many threads."""
    cells = {found.imager.name: cell(found) for found in real_times(msamples_per_s)}
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
