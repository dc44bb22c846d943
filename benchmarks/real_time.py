"""Lines per second of each form against imagers that fly: here on one and two threads, and on the emulated board.

Nothing is measured here: speeds are those of results/threads.json and of the run of every form on the emulated board
(`linerwkv hil energy --board hil_tests/boards/emulated_forms.toml`). More threads than two are extrapolated by what the
second one added, and say so.

    python -m benchmarks.real_time
"""

import json
from typing import Any

from benchmarks.harness.record import RESULTS, save
from hil_tests.findings.findings_file import read_findings
from hil_tests.findings.real_time import IMAGERS, real_times

MEASURED, EXTRAPOLATED = (1, 2), (4, 8)
EMULATED = "1, emulated aarch64"
FORMS = {
    "network best": "flight, best",
    "network none": "flight alone",
    "network best, flight-large": "flight-large, best",
    "rls best": "rls, best",
    "rls fast": "rls, fast",
    "ccsds123": "ccsds123",
}
"""The forms of a board file by the names of results/threads.json."""


def row(form: str, threads: str, msamples_per_s: float) -> dict[str, Any]:
    """Of a form, on so many threads."""
    cells = {found.imager.name: str(found) for found in real_times(msamples_per_s)}
    return {"form": form, "threads": threads, "Msamples/s": float(f"{msamples_per_s:.4g}")} | cells


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
    board = read_findings(RESULTS / "hil_emulated_forms" / "report.json")
    speeds = {one.form: one.msamples_per_s for one in board.forms}
    rows += [row(name, EMULATED, speeds[form]) for form, name in FORMS.items()]
    facts = {imager.name: imager.source for imager in IMAGERS}
    facts["emulated"] = f"{board.scene}, {board.started[:10]}, an aarch64 machine in software beside other work"
    save("real_time", "python -m benchmarks.real_time", rows, **facts, cells="lines/s (share of real time)")


if __name__ == "__main__":
    main()
