"""Bits per sample at a maximum error M: where to quantise, and which coder (python -m benchmarks.bench_near_lossless).

Two scenes of sensors that the network never saw, each in one segment, every byte counted, every stream restored and
held against M. CCSDS 123 is tuned for each scene and M: its predictor over the grid of bench_ccsds123_rate, then its
sample representatives and gamma* at the best point; the smaller of its sample-adaptive and hybrid coders counts.
"""

import io
import itertools
from typing import Any

import numpy as np

from benchmarks import ccsds123_scenes
from benchmarks.bench_ccsds123_rate import GRID, rate
from benchmarks.ccsds123_scenes import IntArray
from benchmarks.record import SCENES, save
from runtime.decoder import Decoder, StreamReader
from runtime.encoder import Encoder
from runtime.executors import make_executor
from runtime.flight_package import SHIPPED, open_package
from runtime.scene_reader import Scene, describe, open_scene
from runtime.stream_format import LARGEST_SEGMENT_LINES, PredictorKind, Quantisation

NAMES = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438")
MAX_ERRORS = (0, 1, 2, 5, 10, 20, 50)
THETA = 3
REPRESENTATIVES = tuple(itertools.product((0, 2, 4, 6), (0, 2, 4, 6)))
"""phi and psi in eighths."""
GAMMAS = (6, 7, 8)


def best(image: IntArray, choices: list[dict[str, Any]]) -> dict[str, Any]:
    """The parameters that give the lowest rate."""
    return min(choices, key=lambda values: rate(image, values))


def ccsds123(image: IntArray, max_error: int) -> dict[str, float]:
    """Rates of both coders, each with the parameters that are best for it."""
    anchor = ccsds123_scenes.parameters(image)
    fidelity = {"fidelity": "absolute", "a": max_error} if max_error else {}
    rates = {}
    for coder in ("sample_adaptive", "hybrid"):
        start = anchor | fidelity | {"coder": coder}
        grid = [
            start | {"P": previous, "vmin": v[0], "vmax": v[1], "log2_tinc": interval, "D": anchor["D"] + extra}
            for previous, v, interval, extra in itertools.product(*GRID.values())
        ]
        tuned = best(image, grid)
        if max_error:
            tuned = best(image, [tuned | {"theta": THETA, "phi": phi, "psi": psi} for phi, psi in REPRESENTATIVES])
        tuned = best(image, [tuned | {"gamma_star": gamma} for gamma in GAMMAS])
        rates[coder] = rate(image, tuned)
    return rates


def stream_rate(scene: Scene, max_error: int, **way: Any) -> tuple[float, str]:
    """Bits per sample of a whole stream in one segment, and the coder of the segment; restored and checked."""
    encoder = Encoder(describe(scene, None), max_error=max_error, segment_lines=LARGEST_SEGMENT_LINES, **way)
    stream = b"".join([encoder.header, *(encoder.push(line) for line in scene.lines()), encoder.finish()])
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header, way.get("package"), way.get("executor"))
    coders = []
    for segment, payload in reader.segments():
        coders.append(segment.coder.name.lower())
        for line, original in zip(decoder.lines(segment, payload), scene.lines(), strict=True):
            assert np.abs(line.astype(np.int64) - original).max() <= max_error
    return 8 * len(stream) / scene.samples.size, coders[0]


def main() -> None:
    """One row a scene and maximum error."""
    package = open_package(SHIPPED)
    network = {"package": package, "executor": make_executor(package), "predictor": PredictorKind.LINERWKV}
    rows: list[dict[str, Any]] = []
    for name in NAMES:
        scene, image = open_scene(SCENES / f"{name}.hdr"), ccsds123_scenes.samples(name)
        for max_error in MAX_ERRORS:
            standard = ccsds123(image, max_error)
            row: dict[str, Any] = {"scene": name, "M": max_error}
            row |= {f"CCSDS 123 {coder.replace('_', '-')}": round(value, 4) for coder, value in standard.items()}
            for predictor, way in (("RLS", {"predictor": PredictorKind.RLS}), ("LineRWKV", network)):
                for quantisation in Quantisation:
                    found, coder = stream_rate(scene, max_error, quantisation=quantisation, **way)
                    label = quantisation.name.lower().replace("_", "-")
                    row[f"{predictor} {label}"] = round(found, 4)
            row["coder"] = coder
            row["saved %"] = round(100 * (1 - row["LineRWKV in-loop"] / min(standard.values())), 1)
            rows.append(row)
            print(row, flush=True)
    save("near_lossless", "python -m benchmarks.bench_near_lossless", rows)


if __name__ == "__main__":
    main()
