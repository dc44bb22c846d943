"""Processor time of the parts of coding: the network, its host side, the predictor or adaptive stage, the coder.

Lines are coded as one segment on one thread, with a clock around each part. The host side of the network (features,
spectral part, filter) is compiled into one kernel with the adaptive stage: what the same lines take without the stage,
less the network, is the host side.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from typing_extensions import override

from runtime.codec.coding_options import CodingOptions
from runtime.codec.opened_encoder import Loaded
from runtime.coders.residual_coders import ResidualWriter
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.segments.ccsds123_segment import Ccsds123Segments, Ccsds123Writer
from runtime.segments.residual_segment import ResidualSegments
from runtime.segments.segment_codec import Samples, SegmentCodec
from runtime.segments.segment_codecs import segment_codec
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.stream.segment_header import SegmentCoding

NETWORK, HOST, PREDICTOR, CODER, WAITING = "network", "host side", "predictor", "coder", "waiting"
PARTS = (NETWORK, HOST, PREDICTOR, CODER, WAITING)
"""`waiting`: wall time for the network in which this thread did nothing, as for an accelerator."""


class Spent(NamedTuple):
    """Seconds of one way to code the lines."""

    predictor: float
    coder: float
    network: float
    waiting: float


class Steps(NamedTuple):
    """What a predictor takes of each line, made outside its clock, what is done with that, and with the segment."""

    lines: Iterable[Any]
    predict: Callable[[Any], Any]
    code: Callable[[Any], Any]
    finish: Callable[[], Any]


class ClockedExecutor(ArrayExecutor):
    """Another executor, with its processor time and wall time."""

    def __init__(self, executor: ArrayExecutor) -> None:
        self.executor, self.provider, self.sha256 = executor, executor.provider, executor.sha256
        self.cpu = self.wall = 0.0

    @override
    def run(self, inputs: Arrays) -> Arrays:
        cpu, wall = time.thread_time(), time.perf_counter()
        outputs = self.executor.run(inputs)
        self.cpu += time.thread_time() - cpu
        self.wall += time.perf_counter() - wall
        return outputs


def part_times(
    loaded: Loaded, options: CodingOptions, image: ImageDescription, lines: Sequence[Samples]
) -> dict[str, float]:
    """Seconds of each of `PARTS` for all lines (Z, X), of those that the form has. Raises LineRwkvError.

    Marks of special samples are not looked at. What an accelerator's own processor does is in no part.
    """
    package = loaded.package if options.has_network else None
    coding = options.coding(package, image)._replace(has_specials=False)
    spent = spent_by(coding, options, loaded, image, lines)
    found = {PREDICTOR: spent.predictor - spent.network, CODER: spent.coder}
    if coding.predictor is not PredictorKind.LINERWKV:
        return found
    alone = spent
    if coding.stage is not AdaptiveStage.NONE:
        alone = spent_by(coding._replace(stage=AdaptiveStage.NONE), options, loaded, image, lines)
    host = alone.predictor - alone.network
    return {NETWORK: spent.network, HOST: host, PREDICTOR: max(0.0, found[PREDICTOR] - host), CODER: spent.coder,
            WAITING: spent.waiting}  # fmt: skip


def spent_by(
    coding: SegmentCoding, options: CodingOptions, loaded: Loaded, image: ImageDescription, lines: Sequence[Samples]
) -> Spent:
    """Seconds of one way to code the lines; what compiles is not timed."""
    for some in (lines[:2], lines):
        network = ClockedExecutor(loaded.executor)
        codec = segment_codec(coding, image, loaded.package, network, options.residual_coder)
        predictor, coder = times(codec, some)
    return Spent(predictor, coder, network.cpu, max(0.0, network.wall - network.cpu))


def times(codec: SegmentCodec, lines: Iterable[Samples]) -> tuple[float, float]:
    """Processor seconds of predictor and coder."""
    steps = ccsds123_steps(codec, lines) if isinstance(codec, Ccsds123Segments) else residual_steps(codec, lines)
    predictor = coder = 0.0
    for line in steps.lines:
        began = time.thread_time()
        predicted = steps.predict(line)
        coding = time.thread_time()
        steps.code(predicted)
        predictor, coder = predictor + coding - began, coder + time.thread_time() - coding
    began = time.thread_time()
    steps.finish()
    return predictor, coder + time.thread_time() - began


def residual_steps(codec: SegmentCodec, lines: Iterable[Samples]) -> Steps:
    """Of a segment of residuals."""
    assert isinstance(codec, ResidualSegments)
    predictor, state = codec.lines_predictor, None
    written = ResidualWriter(codec.depth, *codec.shape, codec.written_coders)
    taken = ((codec.quantiser.quantised(line), np.empty(codec.shape, np.int32)) for line in lines)

    def predict(line: Any) -> Any:
        nonlocal state
        samples, mapped = line
        state = predictor.encode_line(samples, state, mapped)
        return mapped

    return Steps(taken, predict, written.push, written.coded)


def ccsds123_steps(codec: Ccsds123Segments, lines: Iterable[Samples]) -> Steps:
    """Of a CCSDS 123 image."""
    writer = Ccsds123Writer(codec)
    return Steps(lines, writer.predicted, lambda found: writer.code(*found), writer.coded)
