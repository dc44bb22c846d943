"""Processor time of the parts of coding: the network, its host side, the predictor or adaptive stage, the coder.

Lines are coded as one segment on one thread, with a clock around each part. The host side of the network (features,
spectral part, filter) is compiled into one kernel with the adaptive stage: what the same lines take without the stage,
less the network, is the host side.
"""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from typing_extensions import override

from runtime.codec.coding_options import CodingOptions
from runtime.codec.opened_encoder import Loaded
from runtime.coders.residual_coders import ResidualWriter
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.prediction.predictors import Predictor
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
        predictor, coder = ccsds123_times(codec, some) if isinstance(codec, Ccsds123Segments) else times(codec, some)
    return Spent(predictor, coder, network.cpu, max(0.0, network.wall - network.cpu))


def times(codec: SegmentCodec, lines: Iterable[Samples]) -> tuple[float, float]:
    """Processor seconds of predictor and coder."""
    assert isinstance(codec, ResidualSegments)
    predictor: Predictor = codec.lines_predictor
    written, state = ResidualWriter(codec.depth, *codec.shape, codec.written_coders), None
    spent = [0.0, 0.0]
    for line in lines:
        samples, mapped = codec.quantiser.quantised(line), np.empty(codec.shape, np.int32)
        began = time.thread_time()
        state = predictor.encode_line(samples, state, mapped)
        coding = time.thread_time()
        written.push(mapped)
        spent = [spent[0] + coding - began, spent[1] + time.thread_time() - coding]
    began = time.thread_time()
    written.coded()
    return spent[0], spent[1] + time.thread_time() - began


def ccsds123_times(codec: Ccsds123Segments, lines: Iterable[Samples]) -> tuple[float, float]:
    """The same of CCSDS 123."""
    writer = Ccsds123Writer(codec)
    spent = [0.0, 0.0]
    for line in lines:
        began = time.thread_time()
        predicted = writer.predicted(line)
        coding = time.thread_time()
        writer.code(*predicted)
        spent = [spent[0] + coding - began, spent[1] + time.thread_time() - coding]
    began = time.thread_time()
    writer.coded()
    return spent[0], spent[1] + time.thread_time() - began
