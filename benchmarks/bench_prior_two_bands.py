"""What it costs that a band of the adaptive stage knows nothing of the band before but its samples.

Then two threads could code neighbouring bands (python -m benchmarks.bench_prior_two_bands).
"""

import io
from typing import Any

import numpy as np

from benchmarks.harness.record import SCENES, save
from benchmarks.harness.two_bands_old import NOTHING, PREDICTOR, PRIOR, TwoBandsOld, with_late_means
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.codec.stream_reader import StreamReader
from runtime.coders import range_residuals
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene, open_scene
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.segments.residual_segment import ResidualSegments
from runtime.stream.kinds import AdaptiveStage, PredictorKind

NAMES = (
    "enmap_potsdam_a",
    "hyspecnet_dt4950_x03110438",
    "jasper_ridge",
    "samson",
    "hyperion_paris",
    "neon_mlbs/neon_mlbs_05",
)
LARGEST_LINES = 128
LATE = with_late_means(range_residuals.encode_line), with_late_means(range_residuals.decode_line)


def codec_of(scene: Scene, stage: AdaptiveStage) -> tuple[Encoder, ResidualSegments, AdaptivePredictor]:
    """The product's, in segments of 64 lines."""
    encoder = Encoder(describe(scene, None), CodingOptions(predictor=PredictorKind.RLS, stage=stage))
    codec = encoder.segments.codec
    assert isinstance(codec, ResidualSegments)
    assert isinstance(codec.lines_predictor, AdaptivePredictor)
    return encoder, codec, codec.lines_predictor


def stream(scene: Scene, stage: AdaptiveStage, what: int | None) -> bytes:
    """A whole stream, decoded and compared; `what` None is the product's."""
    encoder, codec, predictor = codec_of(scene, stage)
    if what is not None:
        codec.lines_predictor = TwoBandsOld(stage, what, *predictor.limits)
    data = encoder.header + b"".join(encoder.push(line) for line in scene.lines()) + encoder.finish()
    segments = StreamReader(io.BytesIO(data)).segments()
    restored = [line for header, payload in segments for line in codec.lines(header, payload)]
    assert np.array_equal(restored, scene.samples)
    return data


def with_late_contexts(scene: Scene, stage: AdaptiveStage) -> bytes:
    """A stream whose range coder too knows the mean of the band before only from the lines before."""
    own = range_residuals.encode_line, range_residuals.decode_line
    range_residuals.encode_line, range_residuals.decode_line = LATE
    try:
        return stream(scene, stage, PREDICTOR)
    finally:
        range_residuals.encode_line, range_residuals.decode_line = own


def losses(name: str, scene: Scene, stage: AdaptiveStage) -> dict[str, Any]:
    """Bits per sample of the product, and what is added to them."""
    product = stream(scene, stage, None)
    assert stream(scene, stage, NOTHING) == product
    variants = [stream(scene, stage, what) for what in (PRIOR, PREDICTOR)] + [with_late_contexts(scene, stage)]
    added = [round(8 * (len(variant) - len(product)) / scene.samples.size, 4) for variant in variants]
    return {
        "scene": name,
        "stage": stage.name.lower(),
        "bits per sample": round(8 * len(product) / scene.samples.size, 3),
        **dict(zip(("prior alone", "and all ties of the predictor", "and contexts"), added, strict=True)),
    }


def main() -> None:
    """Losses of each scene."""
    rows = []
    for name in NAMES:
        scene = open_scene(SCENES / f"{name}.hdr")
        scene = Scene(np.array(scene.samples[:LARGEST_LINES]), scene.metadata)
        rows += [losses(name, scene, stage) for stage in (AdaptiveStage.FAST, AdaptiveStage.BEST)]
    save("prior_two_bands", "python -m benchmarks.bench_prior_two_bands", rows)


if __name__ == "__main__":
    main()
