"""All ways to code a segment of one stream."""

from typing import cast

from runtime.array_executor import ArrayExecutor
from runtime.ccsds123_segment import Ccsds123Segments
from runtime.errors import BadArgument
from runtime.executor import Executor
from runtime.executors import AnyExecutor
from runtime.flight_package import FlightPackage, FloatPackage, IntegerPackage
from runtime.flight_predictor import FlightPredictor
from runtime.golomb_segment import GolombSegments
from runtime.predictors import DpcmPredictor, NetworkPredictor, Predictor
from runtime.prequantise import quantiser
from runtime.segment_codec import SegmentCodec
from runtime.stored import StoredSegments
from runtime.stream_format import PredictorKind, StreamHeader


def segment_codec(
    kind: PredictorKind, stream: StreamHeader, package: FlightPackage | None, executor: AnyExecutor | None
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
    return GolombSegments(kind, network_predictor(package, executor, *quantise.index_range), *shape, quantise)


def network_predictor(package: FlightPackage, executor: AnyExecutor, smallest: int, largest: int) -> Predictor:
    """The predictor of a package's arithmetic."""
    if isinstance(package, IntegerPackage):
        return FlightPredictor(package, cast(ArrayExecutor, executor), smallest, largest)
    return NetworkPredictor(cast(FloatPackage, package), cast(Executor, executor), smallest, largest)
