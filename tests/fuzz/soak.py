"""python -m tests.fuzz.soak [--examples N] [--first N]: many examples on all cores, counts to benchmarks/results."""

import argparse
import json
import multiprocessing
import os
import platform
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.run import run

CHUNK = 1000
RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "fuzz_soak.json"


def chunk(first: int) -> Counter[str]:
    """CHUNK examples."""
    return run(first, CHUNK)


def main() -> None:
    """Hold the examples against the law; the first that breaks it ends the run with its number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=100_000, help="number of the first, beyond those of the tests")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    start, ends = time.perf_counter(), Counter[str]()
    firsts = range(asked.first, asked.first + asked.examples, CHUNK)
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
        for done, found in enumerate(pool.imap_unordered(chunk, firsts), 1):
            ends += found
            print(f"{done * CHUNK} of {len(firsts) * CHUNK} examples, {time.perf_counter() - start:.0f} s", flush=True)
        pool.close()
        pool.join()
    report = {
        "examples": len(firsts) * CHUNK, "first": asked.first, "seconds": round(time.perf_counter() - start),
        "python": platform.python_version(), "ends": dict(sorted(ends.items())),
    }  # fmt: skip
    RESULT.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
