"""Images of every form on threads for a long time: `python -m tests.runtime.codec.thread_soak [--minutes 60]`.

Each image is coded on one thread, by segments on two, and live with the network ahead and the coder behind, with equal
bytes, and decoded on two. The same images come again in every round, so that a later round needs no more memory than
an earlier one. The memory of the process, minute by minute, goes to benchmarks/results/thread_soak.json: it must not
grow.
"""

import argparse
import gc
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
from runtime.stream.image_description import ImageDescription
from tests.runtime.codec.test_threads import FORMS
from tests.runtime.memory_growth import ALLOWED, growth, memory_now, renew_interned, use_one_heap

RESULT = Path(__file__).parents[3] / "benchmarks" / "results" / "thread_soak.json"
IMAGES_A_ROUND = 300
SETTLED_AFTER = 1 / 3
"""Of the time: two rounds or more in an hour, beside the one before them, and heaps have their pieces."""


def one(generator: np.random.Generator, package: Any) -> int:
    """An image of any form and shape; how many samples it has."""
    words = FORMS[str(generator.choice(list(FORMS)))]
    n_lines, n_bands, n_columns = (int(generator.integers(1, largest)) for largest in (60, 60, 120))
    lines = np.stack(list(synthetic_lines(n_lines, n_bands, n_columns, generator)))
    image = ImageDescription(n_bands, n_columns, 13, is_signed=False)
    max_error = int(generator.choice([0, 0, 3]))
    options = CodingOptions(**words, max_error=max_error, segment_lines=int(generator.integers(1, 20)))
    streams = set()
    for opened, n_threads in ((opened_encoder, 1), (opened_encoder, 2), (opened_encoder, 3), (opened_file_encoder, 2)):
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
    use_one_heap()
    package, generator = open_package(SHIPPED), np.random.default_rng(0)
    for _ in range(IMAGES_A_ROUND):
        one(generator, package)
    renew_interned()
    start, cpu_start, n_images, n_samples = time.monotonic(), time.process_time(), 0, 0
    notes: list[dict[str, float]] = []
    while (passed := (time.monotonic() - start) / 60) < minutes:
        if n_images % IMAGES_A_ROUND == 0:
            generator = np.random.default_rng(0)
        n_samples += one(generator, package)
        n_images += 1
        if passed >= len(notes) * minutes / 60:
            gc.collect()
            notes.append({"seconds": round(60 * passed, 1), "images": n_images, **memory_now()})
            print(f"{minutes:g} minutes: {notes[-1]}", flush=True)
    grown = {name: growth(notes, name, SETTLED_AFTER) for name in ALLOWED}
    report = {
        "minutes": minutes, "processor_minutes": round((time.process_time() - cpu_start) / 60, 1),
        "images": n_images, "images_a_round": IMAGES_A_ROUND, "samples": n_samples,
        "growth": grown, "allowed": ALLOWED, "notes": notes,
    }  # fmt: skip
    RESULT.write_text(json.dumps(report, indent=1) + "\n")
    assert all(grown[name] <= ALLOWED[name] for name in ALLOWED), grown


if __name__ == "__main__":
    main()
