"""How much faster two threads are than one: files of every form, each way.

A scene of 224 bands, 250 columns and 256 lines, eight segments, four times over for ccsds123, which codes it in half a
second; both numbers of threads in turn, wall time, best of five. The memory is of processes of their own that encode
130 lines of 1000 columns. Lines that come live: benchmarks/bench_live_threads.py.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_threads [--only FORM]
"""

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.harness.record import RESULTS, save
from benchmarks.harness.reference_loop import loop_msteps_per_s
from runtime.codec.coding_options import CodingOptions, coding_options
from runtime.codec.compression import compress_lines, needed_packages
from runtime.codec.decoder import Decoder
from runtime.codec.stream_reader import StreamReader
from runtime.codec.threaded_decoder import decoded
from runtime.images.synthetic import synthetic_lines
from runtime.stream.image_description import ImageDescription

N_LINES, N_BANDS, N_COLUMNS = 256, 224, 250
SEGMENT_LINES = 32
COPIES = {"ccsds123": 4}
"""Of the scene one after the other, where it is coded too soon for a file's begin and end not to count."""
MEMORY_LINES, MEMORY_COLUMNS = 130, 1000
ROUNDS = 5
THREADS = (1, 2)
FORMS: dict[str, dict[str, str]] = {
    "flight, best": {},
    "flight, fast": {"stage": "fast"},
    "flight alone": {"stage": "none"},
    "flight-large, best": {"package": "flight-large"},
    "rls, best": {"predictor": "rls"},
    "rls, fast": {"predictor": "rls", "stage": "fast"},
    "ccsds123": {"predictor": "ccsds123"},
}
ENCODING = "file, encoding"
WEIGHED = ("flight, best", "rls, best", "ccsds123")
"""Forms whose memory is measured."""


def decode(stream: bytes, n_threads: int) -> int:
    """Decode all lines; how many."""
    reader = StreamReader(io.BytesIO(stream))
    packages = needed_packages(reader.header, [])
    decoders = [Decoder(reader.header, packages) for _ in range(n_threads)]
    return sum(1 for one in decoded(reader.pieces_with_records(), decoders) for _ in one.lines)


def seconds(work: Callable[[], Any]) -> float:
    """Of wall time."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speeds(form: str, options: CodingOptions, image: ImageDescription, lines: Any, file: Path) -> list[dict[str, Any]]:
    """Msamples/s each way on each number of threads, and the ratio."""
    encode = [partial(compress_lines, lines, image, file, options, n_threads=n) for n in THREADS]
    encode[0]()
    ways: dict[str, list[Callable[[], Any]]] = {
        ENCODING: [*encode],
        "file, decoding": [partial(decode, file.read_bytes(), n) for n in THREADS],
    }
    rows = []
    for way, works in ways.items():
        best = [min(times) for times in zip(*([seconds(work) for work in works] for _ in range(ROUNDS)), strict=True)]
        one, two = (lines.size / found / 1e6 for found in best)
        rows.append({
            "form": form, "way": way, "Msamples/s, 1": round(one, 2), "Msamples/s, 2": round(two, 2),
            "ratio": round(two / one, 2), "MiB, 1": "", "MiB, 2": "",
        })  # fmt: skip
    return rows


def memory(words: dict[str, str], n_threads: int, *, is_live: bool = False) -> float:
    """MiB of a process that encodes a file, or the same from a pipe."""
    options = [word for key, value in words.items() for word in (f"--{key}", value)]
    layout = ["--bands", str(N_BANDS), "--columns", str(MEMORY_COLUMNS), "--bit-depth", "13"]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "scene.bil"
        lines = synthetic_lines(MEMORY_LINES, N_BANDS, MEMORY_COLUMNS, np.random.default_rng(0))
        path.write_bytes(np.stack(list(lines)).astype("<i2").tobytes())
        source = "-" if is_live else str(path)
        words_of = ["compress", source, f"{path}.lrwk", *layout, *options, "--threads", str(n_threads), "--json"]
        command = [sys.executable, "-m", "runtime.commands.cli", *words_of]
        with path.open("rb") as stdin:
            done = subprocess.run(command, check=True, capture_output=True, stdin=stdin)
        found: float = json.loads(done.stdout)["peak_memory_mib"]
        return found


@click.command()
@click.option("--only", help="One form; the others stay as they are.")
def main(only: str | None) -> None:
    """Measure and save."""
    image = ImageDescription(N_BANDS, N_COLUMNS, 13, is_signed=False, n_lines=N_LINES)
    lines = np.stack(list(synthetic_lines(N_LINES, N_BANDS, N_COLUMNS, np.random.default_rng(0))))
    saved = RESULTS / "threads.json"
    rows = json.loads(saved.read_text())["rows"] if only and saved.is_file() else []
    with tempfile.TemporaryDirectory() as name:
        for form, words in FORMS.items():
            if only not in (None, form):
                continue
            options = replace(coding_options(words), segment_lines=SEGMENT_LINES)
            n_copies = COPIES.get(form, 1)
            longer, described = np.tile(lines, (n_copies, 1, 1)), replace(image, n_lines=n_copies * N_LINES)
            found = speeds(form, options, described, longer, Path(name) / "stream")
            for row in found:
                if form in WEIGHED and row["way"] == ENCODING:
                    row |= {f"MiB, {n}": memory(words, n) for n in THREADS}
            rows = [*(old for old in rows if old["form"] != form), *found]
    command = "OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_threads"
    save("threads", command, rows, **{"reference loop Msteps/s": round(loop_msteps_per_s(), 1)})


if __name__ == "__main__":
    main()
