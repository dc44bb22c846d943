"""Bits per sample of the predictor `rls` on every scene, whole scene in one segment, and in segments of 64 lines."""

import io
import json
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, SCENES, save
from runtime.decoder import Decoder, StreamReader
from runtime.encoder import Encoder
from runtime.scene_reader import Scene, describe, open_scene
from runtime.stream_format import LARGEST_SEGMENT_LINES, AdaptiveStage, PredictorKind

CHECKED = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438", "jasper_ridge", "samson")


def stream_of(scene: Scene, stage: AdaptiveStage, segment_lines: int, max_error: int = 0) -> bytes:
    """The whole stream of a scene."""
    encoder = Encoder(
        describe(scene, None),
        predictor=PredictorKind.RLS,
        stage=stage,
        segment_lines=segment_lines,
        max_error=max_error,
    )
    return b"".join([encoder.header, *(encoder.push(line) for line in scene.lines()), encoder.finish()])


def check(scene: Scene, stream: bytes, max_error: int) -> None:
    """Decode, and fail where a sample is off by more than `max_error`."""
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header)
    restored = np.array([line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)])
    assert np.abs(restored.astype(np.int64) - np.array(list(scene.lines()))).max() <= max_error


def measure(scene: Scene, name: str) -> dict[str, float | str]:
    """The rates of a scene; some are decoded too."""
    n_samples = scene.samples.size
    row: dict[str, float | str] = {}
    for stage in (AdaptiveStage.FAST, AdaptiveStage.BEST):
        stream = stream_of(scene, stage, LARGEST_SEGMENT_LINES)
        row[stage.name.lower()] = round(8 * len(stream) / n_samples, 4)
        if name in CHECKED:
            check(scene, stream, 0)
    row["best, segments of 64 lines"] = round(8 * len(stream_of(scene, AdaptiveStage.BEST, 64)) / n_samples, 4)
    row["best, error <= 3"] = ""
    if name in CHECKED:
        stream = stream_of(scene, AdaptiveStage.BEST, LARGEST_SEGMENT_LINES, max_error=3)
        check(scene, stream, 3)
        row["best, error <= 3"] = round(8 * len(stream) / n_samples, 4)
    return row


def main() -> None:
    """One row a scene beside the tuned CCSDS 123 codec; the small NEON plots as their mean."""
    ccsds123 = json.loads((RESULTS / "ccsds123_rate.json").read_text())["scenes"]
    rows: list[dict[str, Any]] = []
    plots: list[dict[str, Any]] = []
    for entry in json.loads((SCENES / "MANIFEST.json").read_text()):
        path = entry["path"].removesuffix(".hdr")
        tuned = ccsds123[path]["rates"]["0"]["tuned sample_adaptive"]
        scene = open_scene(SCENES / entry["path"])
        row = {
            "scene": entry["name"],
            "CCSDS 123 tuned": tuned,
            **measure(scene, entry["name"]),
            "samples": scene.samples.size,
        }
        (plots if path.startswith("neon_mlbs") else rows).append(row)
        print(row, flush=True)
    rates = [key for key, value in plots[0].items() if isinstance(value, float)]
    everything = [*rows, *plots]
    total = sum(row["samples"] for row in everything)
    mean = {key: sum(row[key] * row["samples"] for row in everything) / total for key in rates}
    neon = {key: float(np.mean([plot[key] for plot in plots])) for key in rates}
    n_neon = sum(plot["samples"] for plot in plots)
    rows.append({**plots[0], **neon, "samples": n_neon, "scene": f"neon_mlbs (mean of {len(plots)})"})
    rows.append({**rows[-1], **mean, "samples": total, "scene": "mean over samples"})
    save("adaptive_rate", "python -m benchmarks.bench_adaptive_rate", rows)


if __name__ == "__main__":
    main()
