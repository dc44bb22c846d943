"""All ways to code a segment of one stream."""

from runtime.adaptive_predictor import AdaptivePredictor
from runtime.ccsds123_segment import Ccsds123Segments
from runtime.errors import BadArgument
from runtime.executor import Executor
from runtime.flight_package import FlightPackage
from runtime.golomb_segment import GolombSegments
from runtime.predictors import DpcmPredictor, NetworkPredictor
from runtime.prequantise import quantiser
from runtime.segment_codec import SegmentCodec
from runtime.stored import StoredSegments
from runtime.stream_format import AdaptiveStage, PredictorKind, StreamHeader

LARGEST_ADAPTIVE_BANDS = 1 << 12  # bounds what a hostile header can make a decoder allocate


def segment_codec(
    kind: PredictorKind,
    stream: StreamHeader,
    package: FlightPackage | None = None,
    executor: Executor | None = None,
    stage: AdaptiveStage = AdaptiveStage.NONE,
) -> SegmentCodec:
    """The codec of a predictor (NONE: stored).

    Raises BadArgument where it needs a package that is not there, or cannot be combined with the adaptive stage.
    """
    if (kind is PredictorKind.RLS) != (stage is not AdaptiveStage.NONE):
        raise BadArgument(f"predictor {kind.name.lower()} with adaptive stage {stage.name.lower()}")
    quantise = quantiser(stream.depth, is_signed=stream.is_signed, max_error=stream.max_error)
    shape = (stream.n_bands, stream.n_columns)
    if kind is PredictorKind.NONE:
        return StoredSegments(*shape, quantise)
    if kind is PredictorKind.CCSDS123:
        return Ccsds123Segments(stream)
    if kind is PredictorKind.DPCM:
        return GolombSegments(kind, stage, DpcmPredictor(*quantise.index_range), *shape, quantise)
    if kind is PredictorKind.RLS:
        if stream.n_bands > LARGEST_ADAPTIVE_BANDS:
            raise BadArgument(f"image has {stream.n_bands} bands, the adaptive stage allows {LARGEST_ADAPTIVE_BANDS}")
        return GolombSegments(kind, stage, AdaptivePredictor(stage, *quantise.index_range), *shape, quantise)
    if package is None or executor is None:
        raise BadArgument(f"a segment predicted by {kind.name.lower()} needs its flight package")
    predictor = NetworkPredictor(package, executor, *quantise.index_range)
    return GolombSegments(kind, stage, predictor, *shape, quantise)
