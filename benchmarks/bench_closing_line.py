"""What the line that closes a segment costs beside the others, for what codes well and for noise that cannot be coded.

Thread CPU time of `push` by `opened_encoder`, segments of 64 lines, 60 bands x 400 columns of 13 bits, best of 5 of the
closing line and of the median of the lines before it, after a segment that compiles.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_closing_line
"""

import statistics
import time
from typing import Any

import numpy as np

from benchmarks.harness.record import save
from benchmarks.harness.reference_loop import loop_msteps_per_s
from runtime.codec.coding_options import CodingOptions, coding_options
from runtime.codec.opened_encoder import opened_encoder
from runtime.images.synthetic import synthetic_lines
from runtime.stream.image_description import ImageDescription

N_LINES, N_BANDS, N_COLUMNS, DEPTH = 64, 60, 400, 13
ROUNDS = 5
WAYS: dict[str, dict[str, Any]] = {
    "linerwkv, best": {},
    "rls, best": {"predictor": "rls"},
    "rls, fast": {"predictor": "rls", "stage": "fast"},
    "ccsds123": {"predictor": "ccsds123"},
    "rls, best, guard checks": {"predictor": "rls", "guard": "checks"},
}


def scenes() -> dict[str, Any]:
    """Lines (Y, Z, X) of 13 bits."""
    generator = np.random.default_rng(0)
    return {
        "synthetic": np.stack(list(synthetic_lines(N_LINES, N_BANDS, N_COLUMNS, generator))),
        "noise": generator.integers(0, 1 << DEPTH, (N_LINES, N_BANDS, N_COLUMNS)),
    }


def line_seconds(options: CodingOptions, cube: Any) -> list[list[float]]:
    """CPU seconds of each line of each round; the first segment, which compiles, is left out."""
    image = ImageDescription(N_BANDS, N_COLUMNS, DEPTH, is_signed=False)
    rounds = []
    with opened_encoder(options, image, is_live=True) as encoder:
        for _ in range(1 + ROUNDS):
            seconds = []
            for line in cube:
                start = time.thread_time()
                encoder.push(line)
                seconds.append(time.thread_time() - start)
            rounds.append(seconds)
    return rounds[1:]


def main() -> None:
    """Measure, print and write the table."""
    rows = []
    for name, words in WAYS.items():
        for kind, cube in scenes().items():
            rounds = line_seconds(coding_options({**words, "segment_lines": N_LINES}), cube)
            median = min(statistics.median(seconds[:-1]) for seconds in rounds)
            closing = min(seconds[-1] for seconds in rounds)
            rows.append(
                {
                    "way": name,
                    "scene": kind,
                    "median line, ms": round(1e3 * median, 2),
                    "closing line, ms": round(1e3 * closing, 2),
                    "closing by median": round(closing / median, 2),
                }
            )
    loop = round(loop_msteps_per_s(), 1)
    command = "OMP_NUM_THREADS=1 python -m benchmarks.bench_closing_line"
    save("closing_line", command, rows, integer_loop_msteps_per_s=loop)


if __name__ == "__main__":
    main()
