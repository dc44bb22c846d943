"""How much faster two threads are than one: files of every form, each way, and lines that come live with a network.

A scene of 224 bands, 250 columns and 512 lines, segments of 64 lines, both numbers of threads in turn, wall time, best
of five. The memory is of processes of their own that encode 256 lines of 1000 columns, of a file and from a pipe.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_threads [--only FORM]
"""

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
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
from runtime.codec.opened_encoder import opened_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.codec.threaded_decoder import decoded
from runtime.images.synthetic import synthetic_lines
from runtime.stream.image_description import ImageDescription

N_LINES, N_BANDS, N_COLUMNS = 512, 224, 250
MEMORY_LINES, MEMORY_COLUMNS = 256, 1000
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


def decode(stream: bytes, n_threads: int) -> int:
    """Decode all lines; how many."""
    reader = StreamReader(io.BytesIO(stream))
    packages = needed_packages(reader.header, [])
    decoders = [Decoder(reader.header, packages) for _ in range(n_threads)]
    return sum(1 for one in decoded(reader.pieces_with_records(), decoders) for _ in one.lines)


def push_live(options: CodingOptions, image: ImageDescription, lines: Any, n_threads: int) -> int:
    """Code lines one at a time, as a recorder does; how many bytes."""
    with opened_encoder(options, image, n_threads=n_threads) as encoder:
        return sum(len(encoder.push(line)) for line in lines) + len(encoder.finish())


def seconds(work: Callable[[], Any]) -> float:
    """Of wall time."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speeds(options: CodingOptions, image: ImageDescription, lines: Any, file: Path) -> dict[str, float]:
    """Msamples/s each way on each number of threads, and the ratios."""
    encode = [partial(compress_lines, lines, image, file, options, n_threads=n) for n in THREADS]
    encode[0]()
    ways: dict[str, list[Callable[[], Any]]] = {
        "encoding": [*encode],
        "decoding": [partial(decode, file.read_bytes(), n) for n in THREADS],
    }
    if options.has_network:
        ways["live"] = [partial(push_live, options, image, lines, n) for n in THREADS]
    row: dict[str, float] = {}
    for way, works in ways.items():
        best = [min(times) for times in zip(*([seconds(work) for work in works] for _ in range(ROUNDS)), strict=True)]
        for n, found in zip(THREADS, best, strict=True):
            row[f"{way}, {n}"] = round(lines.size / found / 1e6, 2)
        row[f"{way}, ratio"] = round(best[0] / best[1], 2)
    return row


def memory(form: dict[str, str]) -> dict[str, float]:
    """MiB of processes that encode, by threads."""
    found = {}
    options = [word for key, value in form.items() for word in (f"--{key}", value)]
    layout = ["--bands", str(N_BANDS), "--columns", str(MEMORY_COLUMNS), "--bit-depth", "13"]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "scene.bil"
        lines = synthetic_lines(MEMORY_LINES, N_BANDS, MEMORY_COLUMNS, np.random.default_rng(0))
        path.write_bytes(np.stack(list(lines)).astype("<i2").tobytes())
        for source in ("file", "pipe"):
            for n in THREADS:
                place = "-" if source == "pipe" else str(path)
                words = ["compress", place, f"{path}.lrwk", *layout, *options, "--threads", str(n), "--json"]
                command = [sys.executable, "-m", "runtime.commands.cli", *words]
                with path.open("rb") as stdin:
                    done = subprocess.run(command, check=True, capture_output=True, stdin=stdin)
                found[f"MiB, {source}, {n}"] = json.loads(done.stdout)["peak_memory_mib"]
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
            row = {"form": form, **speeds(coding_options(words), image, lines, Path(name) / "stream"), **memory(words)}
            rows = [*(old for old in rows if old["form"] != form), row]
    command = "OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_threads"
    save("threads", command, rows, **{"reference loop Msteps/s": round(loop_msteps_per_s(), 1)})


if __name__ == "__main__":
    main()
