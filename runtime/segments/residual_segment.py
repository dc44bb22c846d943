"""Segments of residuals: samples, perhaps prequantised, a predictor, the coder that makes them smallest."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from typing_extensions import override

from runtime.coders.residual_coders import RESIDUAL_CODERS, ResidualReader, ResidualWriter, default_coders
from runtime.kernels.in_loop import index_depth
from runtime.kernels.marks import Marks
from runtime.prediction.predictors import Predictor
from runtime.prediction.prequantise import Quantiser
from runtime.segments.line_threads import LineCoder
from runtime.segments.segment_codec import Given, Samples, SegmentCodec, SegmentWriter
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Coder, Quantisation
from runtime.stream.segment_header import SegmentCoding, SegmentHeader
from runtime.stream.telemetry import ResidualSums


class ResidualSegments(SegmentCodec):
    """A `SegmentCodec` for one predictor."""

    coders = RESIDUAL_CODERS

    def __init__(
        self, coding: SegmentCoding, image: ImageDescription, predictor: Predictor, coder: Coder | None = None,
        thread: ThreadPoolExecutor | None = None,
    ) -> None:  # fmt: skip
        """coder: that it writes; None: that of its stage. thread: where it codes; None: where lines are pushed."""
        self.coding = coding
        self.lines_predictor = predictor
        self.shape = (image.n_bands, image.n_columns)
        self.quantiser = prequantiser(coding, image)
        self.depth = residual_depth(coding, image)
        self.written_coders = default_coders(coding.stage) if coder is None else (coder,)
        self.thread = thread

    @override
    def writer(self) -> "ResidualSegmentWriter":
        return ResidualSegmentWriter(self)

    @override
    def lines(self, header: SegmentHeader, payload: bytes, given: Given | None = None) -> Iterator[Samples]:
        n_flag_bytes = given.n_flag_bytes if given else 0
        reader = ResidualReader(header.coder, payload, self.depth, *self.shape, header.n_lines, n_flag_bytes)
        state: Any = None
        for _ in range(header.n_lines):
            mapped, line = np.empty(self.shape, np.int32), np.empty(self.shape, np.int32)
            marks = None
            if given is not None and (marks := given.fill(filled := np.zeros(self.shape, np.int32))) is not None:
                line = self.quantiser.quantised(filled)
            reader.take(mapped, marks)
            if marks is not None:
                mapped[marks != 0] = 0
            state = self.lines_predictor.decode_line(mapped, state, line, marks)
            yield self.quantiser.reconstructed(line)


def prequantiser(coding: SegmentCoding, image: ImageDescription) -> Quantiser:
    """What happens to samples before the predictor: nothing where it quantises in the loop."""
    max_error = 0 if coding.quantisation is Quantisation.IN_LOOP else coding.max_error
    return Quantiser(max_error, *image.range)


def residual_depth(coding: SegmentCoding, image: ImageDescription) -> int:
    """D', bits of a mapped residual."""
    in_loop = coding.max_error if coding.quantisation is Quantisation.IN_LOOP else 0
    return index_depth(*prequantiser(coding, image).index_range, in_loop)


class ResidualSegmentWriter(SegmentWriter):
    """One segment being written; the last line may still be coded while the next is predicted."""

    def __init__(self, codec: ResidualSegments) -> None:
        self.codec = codec
        self.state: Any = None
        self.lines = ResidualWriter(codec.depth, *codec.shape, codec.written_coders)
        self.coder = LineCoder(codec.thread)
        self.residual_sums = ResidualSums()

    @property
    def written(self) -> ResidualWriter:
        """All lines."""
        self.coder.wait()
        return self.lines

    @override
    def push(self, line: Samples, marks: Marks | None = None) -> Samples:
        """Nothing is coded before the whole line is predicted."""
        codec = self.codec
        mapped, samples = np.empty(codec.shape, np.int32), codec.quantiser.quantised(line)
        self.state = codec.lines_predictor.encode_line(samples, self.state, mapped, marks)
        self.residual_sums.add(mapped if marks is None else mapped[marks == 0])
        self.coder.begin(self.lines.push, mapped, marks)
        return codec.quantiser.reconstructed(samples)

    @override
    def coded(self) -> tuple[Coder, bytes]:
        return self.written.coded()
