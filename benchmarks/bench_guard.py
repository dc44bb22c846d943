"""What the defences of the encoder cost, and which flipped weights the self-test finds.

Speed: thread CPU time of the encoder, best of three rounds over one segment of 8 lines, 96 bands, 600 columns, the ways
by turns; wall time too, because a worker is another process. Weights: one bit of weights.bin flipped at random,
sessions made of it, the recorded lines run; where they do not show it, a synthetic scene is coded to see more.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_guard
"""

import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness.record import save
from runtime.cell.flight_package import SHIPPED, IntegerPackage, open_integer_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import Loaded, OnSegment, opened_encoder
from runtime.defences.checksum import checksum
from runtime.defences.encoding_executor import encoding_executor
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import LineRwkvError
from runtime.executors.executor_registry import ONNXRUNTIME
from runtime.executors.executors import unchecked_executor
from runtime.executors.self_test import check_executor
from runtime.images.synthetic import BIT_DEPTH, synthetic_lines
from runtime.stream.crc32c import crc32c
from runtime.stream.image_description import ImageDescription
from runtime.stream.samples_checksum import samples_crc

N_LINES, N_BANDS, N_COLUMNS = 8, 96, 600
ROUNDS = 3
FLIPS = 400
SMALL = (8, 24, 64)
WAYS = {
    "as it is": (False, GuardLevel.OFF),
    "telemetry": (False, GuardLevel.OFF),
    "--guard checks": (False, GuardLevel.CHECKS),
    "--guard proof": (False, GuardLevel.PROOF),
    "--isolate": (True, GuardLevel.OFF),
}


def scene(n_lines: int, n_bands: int, n_columns: int) -> Any:
    """Lines (Y, Z, X) of 13 bits."""
    return np.stack(list(synthetic_lines(n_lines, n_bands, n_columns, np.random.default_rng(0))))


def code(cube: Any, loaded: Loaded | None, tell: OnSegment | None = None, **options: Any) -> bytes:
    """The stream of a scene in one segment."""
    image = ImageDescription(cube.shape[1], cube.shape[2], BIT_DEPTH, is_signed=False)
    asked = CodingOptions(segment_lines=len(cube), network=NetworkUse.ALWAYS, **options)
    with opened_encoder(asked, image, loaded=loaded, on_segment=tell) as encoder:
        return b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])


def speeds(package: IntegerPackage) -> list[dict[str, Any]]:
    """One row a way."""
    cube = scene(N_LINES, N_BANDS, N_COLUMNS)
    best = {name: [float("inf"), float("inf")] for name in WAYS}
    for _ in range(ROUNDS):
        for name, (is_isolated, guard) in WAYS.items():
            on_segment = (lambda segment: segment.to_json()) if name == "telemetry" else None
            with encoding_executor(package, ONNXRUNTIME, 60.0 if is_isolated else None) as executor:
                assert executor is not None
                run = partial(code, cube, Loaded(package, executor), on_segment, guard=guard)
                wall, cpu = time.perf_counter(), time.thread_time()
                run()
                found = time.thread_time() - cpu, time.perf_counter() - wall
            best[name] = [min(pair) for pair in zip(best[name], found, strict=True)]
    base = best["as it is"]
    return [
        {
            "way": name,
            "Msamples/s": round(cube.size / wall / 1e6, 3),
            "CPU us/sample": round(cpu / cube.size * 1e6, 3),
            "CPU by as it is": round(cpu / base[0], 3),
            "wall by as it is": round(wall / base[1], 3),
        }
        for name, (cpu, wall) in best.items()
    ]


def flipped_weights(package: IntegerPackage) -> dict[str, int]:
    """How many of FLIPS single flipped bits of the weights the recorded lines show, and what the others change."""
    generator = np.random.default_rng(1)
    cube = scene(*SMALL)
    right = code(cube, Loaded(package, unchecked_executor(package)))
    part = package.manifest["weights"]
    found = {"flips": FLIPS, "found by the self-test": 0, "not found, streams equal": 0, "not found, streams differ": 0}
    for _ in range(FLIPS):
        weights = bytearray(package.parts[part])
        bit = int(generator.integers(8 * len(weights)))
        weights[bit // 8] ^= 1 << bit % 8
        damaged = replace(package, parts={**package.parts, part: bytes(weights)})
        try:
            executor = unchecked_executor(damaged)
            check_executor(damaged, executor)
        except LineRwkvError:
            found["found by the self-test"] += 1
            continue
        same = code(cube, Loaded(damaged, executor)) == right
        found["not found, streams equal" if same else "not found, streams differ"] += 1
    return found


def checks_ms(package: IntegerPackage) -> dict[str, float]:
    """Milliseconds of what a guard does once a segment, and GB/s of both checksums."""

    def best(work: Any) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return min(times)

    data = np.random.default_rng(0).integers(0, 256, 1 << 24, dtype=np.uint8)
    line = np.random.default_rng(0).integers(0, 1 << BIT_DEPTH, (224, 1000)).astype(np.int32)
    with encoding_executor(package, ONNXRUNTIME, None) as here, encoding_executor(package, ONNXRUNTIME, 60.0) as worker:
        assert here is not None and worker is not None
        supervised: Any = here
        isolated: Any = worker
        return {
            "package by sha256 and CRC, ms": round(1e3 * best(supervised.check_package), 2),
            "self-test here, ms": round(1e3 * best(supervised.check_executor), 1),
            "self-test in a worker, ms": round(1e3 * best(isolated.check_executor), 1),
            "CRC-32 of zlib, GB/s": round(data.size / best(lambda: checksum(data)) / 1e9, 2),
            "CRC-32C of streams, GB/s": round(data.size / best(lambda: crc32c(data)) / 1e9, 2),
            "checksum of restored samples, ns a sample": round(1e9 * best(lambda: samples_crc(line)) / line.size, 2),
        }


def main() -> None:
    """Measure, print and write the table."""
    package = open_integer_package(SHIPPED)
    code(scene(*SMALL), None)  # compiles
    rows = speeds(package)
    facts = {"once_a_segment": checks_ms(package), "flipped_weights": flipped_weights(package)}
    save("guard", "OMP_NUM_THREADS=1 python -m benchmarks.bench_guard", rows, **facts)


if __name__ == "__main__":
    main()
