"""Whether CCSDS 123 codes on two threads as fast as at an older commit, which could only code two images side by side.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_two_images OLD NEW

OLD and NEW are clean checkouts that the Python of this run can import from, OLD from before files had threads
(d07b0bc). Wall time of 57 million samples of 224 bands, each checkout in a process of its own, by turns, best of five.
"""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.harness.record import save
from benchmarks.harness.reference_loop import loop_msteps_per_s

ROUNDS = 5
SHARED = """
import json, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
{imports}
image = ImageDescription(224, 250, 13, is_signed=False, n_lines=1024)
lines = np.tile(np.stack(list(synthetic_lines(256, 224, 250, np.random.default_rng(0)))), (4, 1, 1))
{code}
def speed(work, n_images):
    start = time.perf_counter()
    work()
    return n_images * lines.size / (time.perf_counter() - start) / 1e6
with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as threads:
    paths = [Path(name) / str(n) for n in range(2)]
    code(paths[0], 1)
    found = {{
        "one image, 1 thread": speed(lambda: code(paths[0], 1), 1),
        "two images side by side, 2 threads": speed(lambda: list(threads.map(lambda path: code(path, 1), paths)), 2),
        {more}
    }}
print(json.dumps(found))
"""
OLD = {
    "imports": """
from runtime.encoder import Encoder, PredictorKind
from runtime.image_description import ImageDescription
from runtime.synthetic import synthetic_lines
""",
    "code": """
def code(path, n_threads):
    encoder = Encoder(image, predictor=PredictorKind.CCSDS123, segment_lines=32)
    with path.open("wb") as file:
        for line in lines:
            file.write(encoder.push(line))
        file.write(encoder.finish())
""",
    "more": "",
}
NEW = {
    "imports": """
from dataclasses import replace
from runtime.codec.coding_options import coding_options
from runtime.codec.compression import compress_lines
from runtime.images.synthetic import synthetic_lines
from runtime.stream.image_description import ImageDescription
""",
    "code": """
options = replace(coding_options({"predictor": "ccsds123"}), segment_lines=32)
def code(path, n_threads):
    compress_lines(lines, image, path, options, n_threads=n_threads)
""",
    "more": '"one image, 2 threads": speed(lambda: code(paths[0], 2), 1),',
}


def speeds(tree: Path, parts: dict[str, str]) -> dict[str, float]:
    """Msamples/s of a checkout."""
    words = [sys.executable, "-c", SHARED.format(**parts)]
    done = subprocess.run(words, cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{tree}: {done.stderr[-500:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure, print and write the table."""
    trees = dict(zip(("old", "new"), (Path(name).resolve() for name in sys.argv[1:]), strict=True))
    best: dict[str, dict[str, float]] = {"old": {}, "new": {}}
    for number in range(ROUNDS):
        for name in sorted(trees, reverse=number % 2 == 1):
            for way, found in speeds(trees[name], OLD if name == "old" else NEW).items():
                best[name][way] = max(found, best[name].get(way, 0.0))
    rows = [
        {"checkout": name, "way": way, "Msamples/s": round(speed, 1)}
        for name, ways in best.items()
        for way, speed in ways.items()
    ]
    commits = {
        f"{name}_commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=tree, capture_output=True, text=True, check=True
        ).stdout.strip()
        for name, tree in trees.items()
    }
    command = "OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_two_images OLD NEW"
    save("two_images", command, rows, **commits, **{"reference loop Msteps/s": round(loop_msteps_per_s(), 1)})


if __name__ == "__main__":
    main()
