"""All ways to code a segment of one stream."""

from runtime.ccsds123_segment import Ccsds123Segments
from runtime.errors import BadArgument
from runtime.executor import Executor
from runtime.flight_package import FlightPackage
from runtime.golomb_segment import GolombSegments
from runtime.predictors import DpcmPredictor, NetworkPredictor
from runtime.prequantise import quantiser
from runtime.segment_codec import SegmentCodec
from runtime.stored import StoredSegments
from runtime.stream_format import PredictorKind, StreamHeader


def segment_codec(
    kind: PredictorKind, stream: StreamHeader, package: FlightPackage | None, executor: Executor | None
) -> SegmentCodec:
    """The codec of a predictor (NONE: stored). Raises BadArgument where it needs a package that is not there."""
    quantise = quantiser(stream.depth, is_signed=stream.is_signed, max_error=stream.max_error)
    shape = (stream.n_bands, stream.n_columns)
    if kind is PredictorKind.NONE:
        return StoredSegments(*shape, quantise)
    if kind is PredictorKind.CCSDS123:
        return Ccsds123Segments(stream)
    if kind is PredictorKind.DPCM:
        return GolombSegments(kind, DpcmPredictor(*quantise.index_range), *shape, quantise)
    if package is None or executor is None:
        raise BadArgument(f"a segment predicted by {kind.name.lower()} needs its flight package")
    predictor = NetworkPredictor(package, executor, *quantise.index_range)
    return GolombSegments(kind, predictor, *shape, quantise)
