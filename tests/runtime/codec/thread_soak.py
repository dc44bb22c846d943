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
import tracemalloc
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
IMAGES_A_ROUND = 300
SETTLED_AFTER = 1 / 3
"""Of the notes: two rounds or more in an hour, beside the one before them, and heaps have their pieces."""
ALLOWED = {"traced_mib": 1.0, "rss_mib": 8.0}
"""MiB of growth by a straight line through the notes after that. Of what Python and NumPy hold: nothing stays of an
image. Of the process: heaps in pieces, which threads leave otherwise each time."""


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


def note(minutes: float, n_images: int) -> dict[str, float]:
    """Memory now."""
    traced = tracemalloc.get_traced_memory()[0] / (1 << 20)
    return {
        "minutes": round(minutes, 1), "images": n_images,
        "traced_mib": round(traced, 2), "rss_mib": round(memory_mib() or 0.0, 1),
    }  # fmt: skip


def growth(notes: list[dict[str, float]], name: str) -> float:
    """MiB more at the end than when it settled, by a straight line."""
    settled = notes[int(len(notes) * SETTLED_AFTER) :]
    minutes = [one["minutes"] for one in settled]
    slope = np.polyfit(minutes, [one[name] for one in settled], 1)[0]
    return round(float(slope) * (minutes[-1] - minutes[0]), 2)


def main() -> None:
    """Code images until the time is over; the first that differs ends the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    package, generator = open_package(SHIPPED), np.random.default_rng(0)
    for _ in range(IMAGES_A_ROUND):
        one(generator, package)
    tracemalloc.start()  # what is allocated from here on; kernels are compiled
    start, n_images, n_samples = time.monotonic(), 0, 0
    notes: list[dict[str, float]] = []
    while (passed := (time.monotonic() - start) / 60) < minutes:
        if n_images % IMAGES_A_ROUND == 0:
            generator = np.random.default_rng(0)
        n_samples += one(generator, package)
        n_images += 1
        if passed >= len(notes) * minutes / 60:
            gc.collect()
            notes.append(note(passed, n_images))
            print(f"{minutes:g} minutes: {notes[-1]}", flush=True)
    report = {
        "minutes": minutes, "images": n_images, "images_a_round": IMAGES_A_ROUND, "samples": n_samples,
        "growth_mib": {name: growth(notes, name) for name in ALLOWED}, "allowed_mib": ALLOWED, "notes": notes,
    }  # fmt: skip
    RESULT.write_text(json.dumps(report, indent=1) + "\n")
    assert all(growth(notes, name) <= allowed for name, allowed in ALLOWED.items()), report["growth_mib"]


if __name__ == "__main__":
    main()
