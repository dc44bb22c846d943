"""Which form when: bits on scenes that the network has not seen, speed and memory of each form, in one table.

Bits are those of benchmarks/results/rate.json, means over samples: scenes of fold-0, whose sensor the network knows
(cross-validation models `unseen` and `unseen-large`), and EnMAP and HySpecNet, whose sensor it never saw. Speeds are
those of benchmarks/results/threads.json: files, encoding, one thread. Memory is measured here: a process that codes
lines of 1000 columns and 224 bands as they come.

    python -m benchmarks.bench_forms
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness.record import RESULTS, save
from benchmarks.rate import store
from benchmarks.rate.means import Table, mean, table
from benchmarks.rate.measure import DEFAULT
from benchmarks.rate.scenes import column, folds
from runtime.images.synthetic import BIT_DEPTH, synthetic_lines

UNKNOWN = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438")
N_LINES, N_BANDS, N_COLUMNS = 66, 224, 1000


class Form(NamedTuple):
    """A way to compress, and under which name each result has it."""

    name: str
    words: tuple[str, ...]
    rate_row: str
    speed_row: str


FORMS = (
    Form("flight-large", ("--package", "flight-large"), "unseen-large-best", "flight-large, best"),
    Form("flight", (), "unseen-best", "flight, best"),
    Form("rls best", ("--predictor", "rls"), "rls-best", "rls, best"),
    Form("rls fast", ("--predictor", "rls", "--stage", "fast"), "rls-fast", "rls, fast"),
    Form("ccsds123", ("--predictor", "ccsds123"), "ccsds123-tuned-sample-adaptive", "ccsds123"),
)


def bits(found: Table, row: str, scenes: tuple[str, ...]) -> float:
    """A sample, over these scenes. Raises KeyError where one was not measured."""
    return mean({scene: found[row][scene] for scene in dict.fromkeys(map(column, scenes))}).rate


def memory_mib(form: Form, lines: bytes, folder: Path) -> float:
    """The largest memory of a process that codes these lines from a pipe on one thread."""
    sizes = ["--bands", N_BANDS, "--columns", N_COLUMNS, "--bit-depth", BIT_DEPTH, "--threads", 1]
    words = ["compress", "-", folder / "lines.lrwk", *sizes, "--json", *form.words]
    command = [sys.executable, "-m", "runtime.commands.cli", *map(str, words)]
    subprocess.run(command, input=lines, capture_output=True, check=True)  # compiles
    done = subprocess.run(command, input=lines, capture_output=True, check=True)
    return float(json.loads(done.stdout)["peak_memory_mib"])


def main() -> None:
    """Collect, measure the memory, save."""
    found = table(store.load(RESULTS / "rate.json"), DEFAULT)
    speeds = {
        row["form"]: row["Msamples/s, 1"]
        for row in json.loads((RESULTS / "threads.json").read_text())["rows"]
        if row["way"] == "file, encoding"
    }
    made = synthetic_lines(N_LINES, N_BANDS, N_COLUMNS, np.random.default_rng(0))
    lines = b"".join(np.ascontiguousarray(line).astype("<u2").tobytes() for line in made)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        for form in FORMS:
            row = {"form": form.name, "known sensor": round(bits(found, form.rate_row, folds()["fold-0"]), 3)}
            row["other sensors"] = round(bits(found, form.rate_row, UNKNOWN), 3)
            row["Msamples/s"] = float(f"{speeds[form.speed_row]:.2g}")
            rows.append(row | {"MiB": round(memory_mib(form, lines, Path(name)))})
    save("forms", "python -m benchmarks.bench_forms", rows, unit="bits a sample, segments of 64 lines, every byte")


if __name__ == "__main__":
    main()
