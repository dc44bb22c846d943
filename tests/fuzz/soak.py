"""python -m tests.fuzz.soak [recorder] [--examples N] [--first N]: many examples on all cores.

Of streams and packages, or of what is sent to the recorder; their counts go to benchmarks/results.
"""

import argparse
import json
import multiprocessing
import os
import platform
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import recorder_run
from tests.fuzz.run import run

CHUNK = 1000
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


class Soak(NamedTuple):
    """Of one kind of examples."""

    run: Callable[[int, int], Counter[str]]
    n_examples: int
    result: Path


SOAKS = {
    "streams": Soak(run, 100_000, RESULTS / "fuzz_soak.json"),
    "recorder": Soak(recorder_run.run, 50_000, RESULTS / "recorder_fuzz_soak.json"),
}


def chunk(what: tuple[str, int]) -> Counter[str]:
    """CHUNK examples of a kind from a number on."""
    name, first = what
    return SOAKS[name].run(first, CHUNK)


def main() -> None:
    """Hold the examples against the law; the first that breaks it ends the run with its number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=list(SOAKS), default="streams")
    parser.add_argument("--examples", type=int, help="as many as the kind has where it is left out")
    parser.add_argument("--first", type=int, default=100_000, help="number of the first, beyond those of the tests")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    soak, start, ends = SOAKS[asked.what], time.perf_counter(), Counter[str]()
    firsts = range(asked.first, asked.first + (asked.examples or soak.n_examples), CHUNK)
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
        for done, found in enumerate(pool.imap_unordered(chunk, [(asked.what, first) for first in firsts]), 1):
            ends += found
            print(f"{done * CHUNK} of {len(firsts) * CHUNK} examples, {time.perf_counter() - start:.0f} s", flush=True)
        pool.close()
        pool.join()
    report = {
        "examples": len(firsts) * CHUNK, "first": asked.first, "seconds": round(time.perf_counter() - start),
        "python": platform.python_version(), "ends": dict(sorted(ends.items())),
    }  # fmt: skip
    soak.result.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
