"""What a slice of a long stream costs: 64 lines of 3 bands out of 2,000 lines, against the segments that it touches.

A slice that begins within a segment touches two of 64 lines each. Compared are the slice, those two segments decoded by
the decoder alone, and the whole file decoded; times are of the thread's CPU, the smallest of five rounds. Memory is
what Python and NumPy allocated at most during the slice.

    python -m benchmarks.bench_random_access
"""

import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import click
import numpy as np

import linerwkv
from benchmarks.harness.record import best_of_5, save
from runtime.images.synthetic import synthetic_lines

N_LINES, N_BANDS, N_COLUMNS = 2000, 32, 100
LINES, BANDS = slice(1000, 1064), [5, 12, 20]
FORMS: dict[str, dict[str, Any]] = {
    "flight, best": {},
    "rls, best": {"predictor": "rls"},
    "rls, fast": {"predictor": "rls", "stage": "fast"},
}
LIMIT = 1.3


def slice_once(path: Path) -> Any:
    """The slice, of a stream that was just opened; the package is read and tested within it."""
    with linerwkv.open(path) as image:
        return image[LINES, BANDS]


def measured(path: Path, cube: Any, form: str) -> dict[str, Any]:
    """A row of the table."""
    with linerwkv.open(path) as image:
        places = list(image.found.touched(LINES.start, LINES.stop - 1))
        assert len(places) == 2
        decoder = image.new_decoder()
        pieces = [image.segments.read(place)[0] for place in places]
        alone = best_of_5(lambda: [list(decoder.lines(*piece)) for piece in pieces])
        image.segments.idle.append(decoder)

        def sliced() -> None:
            image.segments.kept.clear()
            assert np.array_equal(image[LINES, BANDS], cube[LINES, BANDS])

        seconds = best_of_5(sliced)
        again = best_of_5(lambda: image[LINES, BANDS])
        tracemalloc.start()
        sliced()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        start = time.thread_time()
        whole = sum(len(list(decoder.lines(*image.segments.read(place)[0]))) for place in image.found.places)
        whole_seconds = time.thread_time() - start
        assert whole == N_LINES
    start = time.thread_time()
    slice_once(path)
    opened = time.thread_time() - start
    return {
        "form": form, "two segments s": round(alone, 4), "slice s": round(seconds, 4),
        "ratio": round(seconds / alone, 3), "opened and sliced s": round(opened, 4), "slice again s": round(again, 5),
        "whole file s": round(whole_seconds, 3), "peak MiB": round(peak / 2**20, 1),
        "whole image MiB": round(cube.nbytes / 2**20, 1),
    }  # fmt: skip


@click.command()
def main() -> None:
    """Measure and save."""
    cube = np.stack(list(synthetic_lines(N_LINES, N_BANDS, N_COLUMNS, np.random.default_rng(0))))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for i, (form, options) in enumerate(FORMS.items()):
            path = Path(folder) / f"{i}.lrwk"
            linerwkv.compress(cube, path, **options)
            rows.append(measured(path, cube, form))
    save("random_access", "python -m benchmarks.bench_random_access", rows, limit_of_ratio=LIMIT,
         image=f"{N_LINES} lines x {N_BANDS} bands x {N_COLUMNS} columns, segments of 64 lines",
         slice=f"lines {LINES.start}:{LINES.stop}, bands {BANDS}")  # fmt: skip
    assert all(row["ratio"] <= LIMIT for row in rows)


if __name__ == "__main__":
    main()
