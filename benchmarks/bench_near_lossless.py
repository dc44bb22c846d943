"""Bits per sample at a maximum error M: where to quantise, and which coder (python -m benchmarks.bench_near_lossless).

Two scenes of sensors that the network never saw, each in one segment, every byte counted, every stream restored and
held against M. CCSDS 123 is what bench_ccsds123_near_lossless found, the smaller of its coders.
"""

import io
import json
from typing import Any

import numpy as np

from benchmarks.bench_ccsds123_near_lossless import MAX_ERRORS, NAMES
from benchmarks.record import RESULTS, SCENES, save
from runtime.decoder import Decoder, StreamReader
from runtime.encoder import Encoder
from runtime.executors import make_executor
from runtime.flight_package import SHIPPED, open_package
from runtime.scene_reader import Scene, describe, open_scene
from runtime.stream_format import LARGEST_SEGMENT_LINES, PredictorKind, Quantisation


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
        scene = open_scene(SCENES / f"{name}.hdr")
        for max_error in MAX_ERRORS:
            row: dict[str, Any] = {"scene": name, "M": max_error}
            for predictor, way in (("RLS", {"predictor": PredictorKind.RLS}), ("LineRWKV", network)):
                for quantisation in Quantisation:
                    found, coder = stream_rate(scene, max_error, quantisation=quantisation, **way)
                    label = quantisation.name.lower().replace("_", "-")
                    row[f"{predictor} {label}"] = round(found, 4)
            row["coder in the loop"] = coder
            rows.append(row)
            print(row, flush=True)
    standard = json.loads((RESULTS / "ccsds123_near_lossless.json").read_text())["rows"]
    for row, other in zip(rows, standard, strict=True):
        assert (row["scene"], row["M"]) == (other["scene"], other["M"])
        row["CCSDS 123"] = min(other["sample_adaptive"], other["hybrid"])
        row["saved %"] = round(100 * (1 - row["LineRWKV in-loop"] / row["CCSDS 123"]), 1)
    save("near_lossless", "python -m benchmarks.bench_near_lossless", rows)


if __name__ == "__main__":
    main()
