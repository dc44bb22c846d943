"""Speed of the predictor `rls` on one core, from samples to bytes and back (python -m benchmarks.bench_adaptive_speed).

Thread CPU time, best of 5, after one run that compiles; a fixed integer loop timed in the same run gives ratios that
carry over to other machines.
"""

import os
from typing import Any

import numpy as np

from benchmarks.harness.record import SCENES, best_of_5, save
from benchmarks.harness.reference_loop import loop_msteps_per_s
from runtime.coders.range_residuals import RangeReader, RangeWriter
from runtime.images.scene_reader import open_scene
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.segments.segment_codec import Samples, SegmentCodec
from runtime.segments.segment_codecs import segment_codec
from runtime.stream.depth import bit_depth, sample_range
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, Coder, PredictorKind
from runtime.stream.segment_header import SegmentCoding, SegmentHeader

NAMES = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438", "jasper_ridge")
WIDE = 8  # copies side by side: the width of a real imager


def encoded(codec: SegmentCodec, lines: list[Samples]) -> tuple[Coder, bytes]:
    """A segment."""
    writer = codec.writer()
    for line in lines:
        writer.push(line)
    coder, payload = writer.coded()
    return coder, bytes(payload)


def row(name: str, lines: list[Samples], what: str, encode_s: float, decode_s: float, loop: float) -> dict[str, Any]:
    """A row of the table, from seconds; `loop` is the speed of the reference loop."""
    n_samples = len(lines) * lines[0].size
    encode_rate, decode_rate = n_samples / encode_s / 1e6, n_samples / decode_s / 1e6
    return {
        "image": f"{name}, {lines[0].shape[1]} columns",
        "stage": what,
        "encode Ms/s": round(encode_rate, 2),
        "decode Ms/s": round(decode_rate, 2),
        "encode / loop": round(encode_rate / loop, 4),
        "decode / loop": round(decode_rate / loop, 4),
    }


def measure(name: str, lines: list[Samples], stage: AdaptiveStage, loop: float) -> dict[str, Any]:
    """Speeds of one option on one image."""
    lowest, highest = min(int(line.min()) for line in lines), max(int(line.max()) for line in lines)
    n_bands, n_columns = lines[0].shape
    image = ImageDescription(n_bands, n_columns, bit_depth(lowest, highest), is_signed=lowest < 0)
    coding = SegmentCoding(PredictorKind.RLS, stage)
    codec = segment_codec(coding, image)
    coder, payload = encoded(codec, lines)
    header = SegmentHeader(0, 0, len(lines), coding, coder, 0, len(payload), payload_crc=0)

    def decode() -> None:
        for _ in codec.lines(header, payload):
            pass

    return row(name, lines, stage.name.lower(), best_of_5(lambda: encoded(codec, lines)), best_of_5(decode), loop)


def measure_range_coder(name: str, lines: list[Samples], loop: float) -> dict[str, Any]:
    """Speeds of the coder alone, on the mapped residuals of `best`."""
    lowest, highest = min(int(line.min()) for line in lines), max(int(line.max()) for line in lines)
    depth = bit_depth(lowest, highest)
    predictor = AdaptivePredictor(AdaptiveStage.BEST, *sample_range(depth, is_signed=lowest < 0))
    state, residuals = None, [np.empty(line.shape, np.int32) for line in lines]
    for line, mapped in zip(lines, residuals, strict=True):
        state = predictor.encode_line(line.astype(np.int32), state, mapped)
    n_bands, n_columns = lines[0].shape

    def encode() -> bytes:
        writer = RangeWriter(n_bands, n_columns)
        for mapped in residuals:
            writer.push(mapped)
        return writer.payload()

    payload, restored = encode(), np.empty(lines[0].shape, np.int32)

    def decode() -> None:
        reader = RangeReader(payload, depth, n_bands, n_columns, len(lines))
        for _ in residuals:
            reader.take(restored)

    return row(name, lines, "range coder alone", best_of_5(encode), best_of_5(decode), loop)


def main() -> None:
    """Scenes as they are, and one of them as wide as a real imager."""
    loop = loop_msteps_per_s()
    rows = []
    for name in NAMES:
        lines: list[Samples] = [np.ascontiguousarray(line) for line in open_scene(SCENES / f"{name}.hdr").lines()][:64]
        wide = [np.tile(line, (1, WIDE)) for line in lines[:20]]
        for image in [lines, wide] if name == NAMES[0] else [lines]:
            rows += [measure(name, image, stage, loop) for stage in (AdaptiveStage.FAST, AdaptiveStage.BEST)]
            rows.append(measure_range_coder(name, image, loop))
    facts = {"integer_loop_msteps_per_s": round(loop, 1), "load_average": round(os.getloadavg()[0], 1)}
    save("adaptive_speed", "python -m benchmarks.bench_adaptive_speed", rows, **facts)


if __name__ == "__main__":
    main()
