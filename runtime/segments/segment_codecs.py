"""All ways to code a segment of an image."""

import importlib
from typing import cast

from runtime.cell.flight_package import FlightPackage, IntegerPackage
from runtime.coders.residual_coders import largest_coded
from runtime.errors import BadArgument
from runtime.executors.array_executor import ArrayExecutor
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.prediction.predictors import DpcmPredictor, Predictor
from runtime.segments.ccsds123_segment import Ccsds123Segments, largest_ccsds123
from runtime.segments.line_threads import NO_THREADS, LineThreads
from runtime.segments.plain_segment import PlainSegments
from runtime.segments.residual_segment import ResidualSegments, prequantiser, residual_depth
from runtime.segments.segment_codec import SegmentCodec
from runtime.segments.special_segments import SpecialSegments, largest_special
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, Coder, PredictorKind, Quantisation
from runtime.stream.segment_header import SegmentCoding, allowed_stages

LARGEST_ADAPTIVE_BANDS = 1 << 12  # bounds what a corrupt header can make a decoder allocate
LARGEST_STATE_SAMPLES = 3 << 19
"""Of a line, where a network or the adaptive stage holds some 370 bytes of state for each: a payload of a few hundred
bytes is a sound line of zeros, so nothing else bounds what it can make a decoder allocate."""
NETWORK_PREDICTORS = {
    "int8-v2": "runtime.prediction.flight_predictor:FlightPredictor",
    "float32": "runtime.float_network.predictor:NetworkPredictor",
}
"""By the arithmetic of a package: classes called with the package, its executor, the sample range, stage, max_error."""


def default_stage(kind: PredictorKind, package: FlightPackage | None) -> AdaptiveStage:
    """The best that there is."""
    is_best = kind is PredictorKind.RLS or (kind is PredictorKind.LINERWKV and isinstance(package, IntegerPackage))
    return AdaptiveStage.BEST if is_best else AdaptiveStage.NONE


def default_quantisation(kind: PredictorKind, package: FlightPackage | None) -> Quantisation:
    """In the loop where the predictor can: benchmarks/results/rate.md."""
    is_able = kind is not PredictorKind.LINERWKV or isinstance(package, IntegerPackage)
    return Quantisation.IN_LOOP if is_able else Quantisation.PREQUANTISED


def segment_codec(
    coding: SegmentCoding, image: ImageDescription, package: FlightPackage | None = None,
    executor: ArrayExecutor | None = None, coder: Coder | None = None, threads: LineThreads = NO_THREADS,
) -> SegmentCodec:  # fmt: skip
    """The codec of a way to code. Raises BadArgument: its package is missing, or cannot have the adaptive stage.

    coder: of residuals, that it writes; None: that of its stage; STORED with CCSDS 123: plain samples. threads: for
    parts of lines that it writes.
    """
    check_coding(coding, image)
    inside: SegmentCodec
    if coding.predictor is PredictorKind.CCSDS123:
        is_plain = coder is Coder.STORED
        inside = PlainSegments(image) if is_plain else Ccsds123Segments(image, coding.max_error, threads.coder)
    else:
        predictor = line_predictor(coding, image, package, executor, threads)
        inside = ResidualSegments(coding, image, predictor, coder, threads.coder)
    return SpecialSegments(inside, image) if coding.has_specials else inside


def check_coding(coding: SegmentCoding, image: ImageDescription) -> None:
    """Raise BadArgument for what an image cannot be coded by."""
    name, stage = coding.predictor.name.lower(), coding.stage
    if stage not in allowed_stages(coding.predictor):
        raise BadArgument(f"predictor {name} with adaptive stage {stage.name.lower()}")
    if stage is not AdaptiveStage.NONE and image.n_bands > LARGEST_ADAPTIVE_BANDS:
        raise BadArgument(f"image has {image.n_bands} bands, the adaptive stage allows {LARGEST_ADAPTIVE_BANDS}")
    n_samples = image.n_bands * image.n_columns
    has_state = coding.predictor in (PredictorKind.LINERWKV, PredictorKind.RLS)
    if has_state and n_samples > LARGEST_STATE_SAMPLES:
        allowed = f"{name} allows {LARGEST_STATE_SAMPLES}, dpcm and ccsds123 as many as an image may have"
        raise BadArgument(f"a line has {n_samples} samples, {allowed}")
    max_error, largest = coding.max_error, image.largest_error
    if not 0 <= max_error <= largest:
        step = image.values.step
        found = f"max_error is {max_error * step}, allowed 0..{largest * step}"
        raise BadArgument(f"{found} for {image.depth} bits per sample" + f" and step {step}" * (step > 1))


def line_predictor(
    coding: SegmentCoding, image: ImageDescription, package: FlightPackage | None, executor: ArrayExecutor | None,
    threads: LineThreads,
) -> Predictor:  # fmt: skip
    """The predictor of lines. Raises BadArgument."""
    limits = prequantiser(coding, image).index_range
    max_error = coding.max_error if coding.quantisation is Quantisation.IN_LOOP else 0
    if coding.predictor is PredictorKind.DPCM:
        return DpcmPredictor(*limits, max_error)
    if coding.predictor is PredictorKind.RLS:
        return AdaptivePredictor(coding.stage, *limits, max_error)
    if package is None or executor is None:
        raise BadArgument(f"a segment predicted by {coding.predictor.name.lower()} needs its flight package")
    module, _, name = NETWORK_PREDICTORS[package.arithmetic].partition(":")
    network = getattr(importlib.import_module(module), name)
    beside = {"thread": threads.network} if isinstance(package, IntegerPackage) else {}
    return cast(Predictor, network(package, executor, *limits, stage=coding.stage, max_error=max_error, **beside))


def largest_payload(coding: SegmentCoding, image: ImageDescription, n_lines: int) -> int:
    """Bytes that no valid payload of `n_lines` lines exceeds."""
    beside = largest_special(image, n_lines) if coding.has_specials else 0
    if coding.predictor is PredictorKind.CCSDS123:
        return beside + largest_ccsds123(image, n_lines)
    return beside + largest_coded(residual_depth(coding, image), image.n_bands, image.n_columns, n_lines)
