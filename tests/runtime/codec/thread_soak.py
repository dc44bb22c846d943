"""Images of every form on threads for a long time: `python -m tests.runtime.codec.thread_soak [--minutes 60]`.

Each image is coded on one thread, on two, and live with the network ahead, with equal bytes, and decoded on two.
The memory of the process, minute by minute, goes to benchmarks/results/thread_soak.json: it must not grow.
"""

import argparse
import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from runtime.cell.flight_package import SHIPPED, open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.opened_encoder import opened_encoder, opened_file_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.codec.threaded_decoder import decoded
from runtime.images.synthetic import synthetic_lines
from runtime.process_memory import memory_mib
from runtime.stream.image_description import ImageDescription
from tests.runtime.codec.test_threads import FORMS

RESULT = Path(__file__).parents[3] / "benchmarks" / "results" / "thread_soak.json"
ALLOWED_GROWTH_MIB = 16.0
"""From the first third to the last: what fragments of large arrays and the cache of code take at most."""


def one(generator: np.random.Generator, package: Any) -> int:
    """An image of any form and shape; how many samples it has."""
    words = FORMS[str(generator.choice(list(FORMS)))]
    n_lines, n_bands, n_columns = (int(generator.integers(1, largest)) for largest in (60, 60, 120))
    lines = np.stack(list(synthetic_lines(n_lines, n_bands, n_columns, generator)))
    image = ImageDescription(n_bands, n_columns, 13, is_signed=False)
    max_error = int(generator.choice([0, 0, 3]))
    options = CodingOptions(**words, max_error=max_error, segment_lines=int(generator.integers(1, 20)))
    streams = set()
    for opened, n_threads in ((opened_encoder, 1), (opened_encoder, 2), (opened_file_encoder, 2)):
        with opened(options, image, n_threads=n_threads) as encoder:
            streams.add(b"".join([encoder.header, *map(encoder.push, lines), encoder.finish()]))
    assert len(streams) == 1
    reader = StreamReader(io.BytesIO(streams.pop()))
    decoders = [Decoder(reader.header, [package]) for _ in range(2)]
    restored = [line for found in decoded(reader.pieces_with_records(), decoders) for line in found.lines]
    assert np.abs(np.stack(restored).astype(np.int64) - lines).max() <= max_error
    return int(lines.size)


def main() -> None:
    """Code images until the time is over; the first that differs ends the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    generator, package = np.random.default_rng(0), open_package(SHIPPED)
    start, n_images, n_samples = time.monotonic(), 0, 0
    memory: list[float] = []
    while (passed := (time.monotonic() - start) / 60) < minutes:
        n_samples += one(generator, package)
        n_images += 1
        if passed >= len(memory):
            memory.append(round(memory_mib() or 0.0, 1))
            print(f"{passed:.0f} of {minutes:g} minutes, {n_images} images, {memory[-1]} MiB", flush=True)
    third = max(1, len(memory) // 3)
    growth = float(np.median(memory[-third:]) - np.median(memory[:third]))
    report = {
        "minutes": minutes, "images": n_images, "samples": n_samples, "MiB each minute": memory,
        "growth MiB": round(growth, 1), "allowed MiB": ALLOWED_GROWTH_MIB,
    }  # fmt: skip
    RESULT.write_text(json.dumps(report) + "\n")
    assert growth <= ALLOWED_GROWTH_MIB, report


if __name__ == "__main__":
    main()
