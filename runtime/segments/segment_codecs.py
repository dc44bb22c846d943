"""All ways to code a segment of one stream."""

from typing import cast

from runtime.cell.flight_package import FlightPackage, FloatPackage, IntegerPackage
from runtime.errors import BadArgument
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executor import Executor
from runtime.executors.executors import AnyExecutor
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.prediction.flight_predictor import FlightPredictor
from runtime.prediction.predictors import DpcmPredictor, NetworkPredictor, Predictor
from runtime.prediction.prequantise import quantiser
from runtime.segments.ccsds123_segment import Ccsds123Segments
from runtime.segments.residual_segment import ResidualSegments
from runtime.segments.segment_codec import SegmentCodec
from runtime.segments.stored import StoredSegments
from runtime.stream.stream_format import AdaptiveStage, PredictorKind, Quantisation, StreamHeader

LARGEST_ADAPTIVE_BANDS = 1 << 12  # bounds what a hostile header can make a decoder allocate


def allowed_stages(kind: PredictorKind) -> tuple[AdaptiveStage, ...]:
    """What may refine a predictor; the RLS is nothing else."""
    if kind is PredictorKind.RLS:
        return AdaptiveStage.FAST, AdaptiveStage.BEST
    if kind is PredictorKind.LINERWKV:
        return AdaptiveStage.NONE, AdaptiveStage.FAST, AdaptiveStage.BEST
    return (AdaptiveStage.NONE,)


def default_stage(kind: PredictorKind, package: FlightPackage | None) -> AdaptiveStage:
    """The best that there is."""
    is_best = kind is PredictorKind.RLS or (kind is PredictorKind.LINERWKV and isinstance(package, IntegerPackage))
    return AdaptiveStage.BEST if is_best else AdaptiveStage.NONE


def default_quantisation(kind: PredictorKind, package: FlightPackage | None) -> Quantisation:
    """In the loop where the predictor can: benchmarks/results/rate.md."""
    is_able = kind is not PredictorKind.LINERWKV or isinstance(package, IntegerPackage)
    return Quantisation.IN_LOOP if is_able else Quantisation.PREQUANTISED


def segment_codec(
    kind: PredictorKind,
    stream: StreamHeader,
    package: FlightPackage | None = None,
    executor: AnyExecutor | None = None,
    stage: AdaptiveStage = AdaptiveStage.NONE,
) -> SegmentCodec:
    """The codec of a predictor (NONE: stored).

    Raises BadArgument where it needs a package that is not there, or cannot be combined with the adaptive stage.
    """
    if stage not in allowed_stages(kind):
        raise BadArgument(f"predictor {kind.name.lower()} with adaptive stage {stage.name.lower()}")
    if stage is not AdaptiveStage.NONE and stream.n_bands > LARGEST_ADAPTIVE_BANDS:
        raise BadArgument(f"image has {stream.n_bands} bands, the adaptive stage allows {LARGEST_ADAPTIVE_BANDS}")
    quantise = quantiser(stream.depth, is_signed=stream.is_signed, max_error=stream.max_error)
    shape = (stream.n_bands, stream.n_columns)
    if kind is PredictorKind.NONE:
        return StoredSegments(*shape, quantise)
    if kind is PredictorKind.CCSDS123:
        return Ccsds123Segments(stream)
    max_error = 0
    if stream.quantisation is Quantisation.IN_LOOP:
        quantise, max_error = quantise._replace(max_error=0), stream.max_error
    predictor = line_predictor(kind, stage, quantise.index_range, max_error, package, executor)
    return ResidualSegments(kind, stage, predictor, *shape, quantise, max_error)


def line_predictor(
    kind: PredictorKind,
    stage: AdaptiveStage,
    limits: tuple[int, int],
    max_error: int,
    package: FlightPackage | None,
    executor: AnyExecutor | None,
) -> Predictor:
    """The predictor of a kind for samples within `limits`, to restore within `max_error`. Raises BadArgument."""
    if kind is PredictorKind.DPCM:
        return DpcmPredictor(*limits, max_error)
    if kind is PredictorKind.RLS:
        return AdaptivePredictor(stage, *limits, max_error)
    if package is None or executor is None:
        raise BadArgument(f"a segment predicted by {kind.name.lower()} needs its flight package")
    return network_predictor(package, executor, limits, stage, max_error)


def network_predictor(
    package: FlightPackage, executor: AnyExecutor, limits: tuple[int, int], stage: AdaptiveStage, max_error: int
) -> Predictor:
    """The predictor of a package's arithmetic. Raises BadArgument for what a float package does not do."""
    if isinstance(package, IntegerPackage):
        return FlightPredictor(package, cast(ArrayExecutor, executor), *limits, stage=stage, max_error=max_error)
    if stage is not AdaptiveStage.NONE:
        raise BadArgument(f"adaptive stage {stage.name.lower()} with a float32 package, allowed none")
    if max_error:
        raise BadArgument("quantisation in the loop with a float32 package, allowed prequantised")
    return NetworkPredictor(cast(FloatPackage, package), cast(Executor, executor), *limits)
