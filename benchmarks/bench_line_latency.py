"""How long a line waits for its coding, on one thread and with parts of lines on a second one.

Lines come one by one, each as soon as the one before is coded, from a real scene repeated as often as it takes: wall
time from passing a line in to its return. The segment of a line that closes it is in its time. Both ways by turns, in
blocks of whole segments, so that what else the machine does meets both.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_line_latency
"""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import click
import numpy as np

from benchmarks.harness.record import SCENES, save
from benchmarks.harness.reference_loop import loop_msteps_per_s
from runtime.codec.coding_options import coding_options
from runtime.codec.encoder import Encoder
from runtime.codec.opened_encoder import opened_encoder
from runtime.images.scene_reader import open_scene
from runtime.stream.image_description import ImageDescription

SCENE, N_BANDS, N_COLUMNS, BIT_DEPTH = "enmap_potsdam_a", 96, 96, 14
SEGMENT_LINES, N_BLOCKS = 64, 16
FORMS: dict[str, dict[str, str]] = {
    "flight, best": {},
    "flight, fast": {"stage": "fast"},
    "rls, best": {"predictor": "rls"},
    "rls, fast": {"predictor": "rls", "stage": "fast"},
    "ccsds123": {"predictor": "ccsds123"},
}


def lines() -> Iterator[Any]:
    """(Z, X), without an end."""
    scene = open_scene(SCENES / f"{SCENE}.hdr").samples
    cube = np.ascontiguousarray(scene[:, :N_BANDS, :N_COLUMNS]).clip(0, (1 << BIT_DEPTH) - 1)
    return itertools.cycle(cube)


def waited(encoder: Encoder, source: Iterator[Any]) -> list[float]:
    """Milliseconds of each line of a segment."""
    found = []
    for line in itertools.islice(source, SEGMENT_LINES):
        began = time.perf_counter()
        encoder.push(line)
        found.append((time.perf_counter() - began) * 1e3)
    return found


def form_rows(form: str, words: dict[str, str]) -> list[dict[str, Any]]:
    """One row for each number of threads; a form without parts has one."""
    options = coding_options(words | {"segment_lines": SEGMENT_LINES, "network": "always"})
    image = ImageDescription(N_BANDS, N_COLUMNS, BIT_DEPTH, False)
    with (
        opened_encoder(options, image, is_live=True) as one,
        opened_encoder(options, image, is_live=True, n_threads=2) as two,
    ):
        numbers = range(1, two.n_threads + 1)
        times: dict[int, list[float]] = {n: [] for n in numbers}
        sources = {n: lines() for n in numbers}
        for _ in range(N_BLOCKS):
            for n in numbers:
                times[n] += waited(one if n == 1 else two, sources[n])
    return [
        {
            "form": form, "threads": n, "lines": len(found), "median ms": round(float(np.median(found)), 2),
            "99.9 % ms": round(float(np.quantile(found, 0.999, method="higher")), 2),
            "largest ms": round(max(found), 2),
        }
        for n, found in times.items()
    ]  # fmt: skip


@click.command()
def main() -> None:
    """Measure and save."""
    before = loop_msteps_per_s()
    rows = [row for form, words in FORMS.items() for row in form_rows(form, words)]
    save(
        "line_latency", "OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_line_latency", rows,
        scene=f"{SCENE}, {N_BANDS} bands, {N_COLUMNS} columns, segments of {SEGMENT_LINES} lines",
        loop_msteps_per_s=[round(before, 1), round(loop_msteps_per_s(), 1)],
    )  # fmt: skip


if __name__ == "__main__":
    main()
