"""Speed of the CCSDS 123.0-B-2 codec on one core, and of several images at once (python -m benchmarks.NAME).

Thread CPU time, best of 5, on enmap_potsdam_a tiled to about 10 Msamples, full mode, P = 3, lossless; a fixed
integer loop timed in the same run gives ratios that carry over to other machines.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.harness.record import SCENES, best_of_5
from benchmarks.harness.reference_loop import loop_msteps_per_s
from hil_tests.findings.provenance import head
from hil_tests.places.place import REPOSITORY
from runtime.ccsds123 import Ccsds123Parameters, decode, encode
from runtime.commands.ccsds123_commands import depth_and_sign
from runtime.images.scene_reader import Scene, open_scene

RESULT = REPOSITORY / "benchmarks" / "results" / "ccsds123_speed.json"
SCENE = "enmap_potsdam_a"
TILES = (1, 4, 2)
ORDERS: dict[str, dict[str, Any]] = {"BIL": {"M": 1}, "BIP": {"M": 202}, "BSQ": {"order": "BSQ"}}
TARGETS = {"sample_adaptive": (18, 12), "hybrid": (9, 6), "block_adaptive": (9, 6)}
"""Msamples/s that issue 4 asks of encoding and decoding."""

FIRST_CALL = """
import time
import numpy as np
from runtime.ccsds123 import Ccsds123Parameters, decode, encode
parameters = Ccsds123Parameters.from_dict({"Nx": 8, "Ny": 4, "Nz": 3, "D": 13})
start = time.perf_counter()
decode(encode(np.zeros((3, 4, 8), np.uint16), parameters))
print(time.perf_counter() - start)
"""


def image_parameters(image: Any, **changes: Any) -> dict[str, Any]:
    """The standard's parameters of an image (Z, Y, X) with D its own depth, changed by `changes`."""
    n_bands, n_lines, n_columns = image.shape
    return (
        {"Nx": n_columns, "Ny": n_lines, "Nz": n_bands}
        | depth_and_sign(Scene(np.moveaxis(image, 0, 1)), None, None)
        | changes
    )


def one_core(image: Any, coder: str, order: str, **changes: Any) -> dict[str, Any]:
    """Speeds of one coder and order, in Msamples/s."""
    values = image_parameters(image, coder=coder, **ORDERS[order], **changes)
    parameters = Ccsds123Parameters.from_dict(values)
    stream = encode(image, parameters)
    return {
        "coder": coder,
        "order": order,
        "max_error": changes.get("a", 0),
        "rate_bits_per_sample": round(len(stream) * 8 / image.size, 3),
        "encode": round(image.size / best_of_5(lambda: encode(image, parameters)) / 1e6, 1),
        "decode": round(image.size / best_of_5(lambda: decode(stream)) / 1e6, 1),
    }


def several_images(image: Any, n_threads: int) -> dict[str, float]:
    """Msamples/s when `n_threads` images are encoded at once: of wall-clock time, and of each thread's CPU time.

    The first needs an idle machine; the second shows what the threads cost each other on any.
    """
    parameters = Ccsds123Parameters.from_dict(image_parameters(image))

    def cpu_s(_: int) -> float:
        start = time.thread_time()
        encode(image, parameters)
        return time.thread_time() - start

    wall: list[float] = []
    cpu: list[float] = []
    with ThreadPoolExecutor(n_threads) as pool:
        for _ in range(3):
            start = time.perf_counter()
            cpu += pool.map(cpu_s, range(n_threads))
            wall.append(time.perf_counter() - start)
    n_samples = n_threads * image.size
    return {"wall": round(n_samples / min(wall) / 1e6, 1), "per_thread_cpu": round(image.size / min(cpu) / 1e6, 1)}


def first_call_s() -> float:
    """Seconds of the first encode and decode in a new process whose kernels are cached."""
    run = [sys.executable, "-c", FIRST_CALL]
    outputs = [subprocess.run(run, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    return round(float(outputs[-1]), 2)


def main() -> None:
    """Measure, print a table, store the result."""
    image = np.tile(np.moveaxis(open_scene(SCENES / f"{SCENE}.hdr").samples, 1, 0), TILES)
    loop = loop_msteps_per_s()
    rows = [one_core(image, coder, order) for coder in TARGETS for order in ORDERS]
    near = {"fidelity": "absolute", "a": 2}
    rows += [one_core(image, coder, "BIL", **near) for coder in TARGETS]
    threads = {str(n): several_images(image, n) for n in (1, 2, 4) if n <= (os.cpu_count() or 1)}
    result = {
        "head": head(),
        "scene": SCENE,
        "samples": image.size,
        "integer_loop_msteps_per_s": round(loop, 1),
        "load_average": os.getloadavg()[0],
        "first_call_with_warm_cache_s": first_call_s(),
        "encode_threads_msamples_per_s": threads,
        "rows": rows,
    }
    print(json.dumps(result["head"]))
    print(f"integer loop {loop:.1f} Msteps/s; first call {result['first_call_with_warm_cache_s']} s; threads {threads}")
    print("| coder | order | m | bits/sample | encode | decode | asked | encode / loop | decode / loop |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        asked = "{} / {}".format(*TARGETS[row["coder"]])
        row |= {"encode_per_loop": round(row["encode"] / loop, 3), "decode_per_loop": round(row["decode"] / loop, 3)}
        cells = [row[key] for key in ("coder", "order", "max_error", "rate_bits_per_sample", "encode", "decode")]
        print("|", " | ".join(map(str, [*cells, asked, row["encode_per_loop"], row["decode_per_loop"]])), "|")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
