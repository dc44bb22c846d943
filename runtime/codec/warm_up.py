"""Every road that a stream can take, walked before its first line, so that nothing is compiled while lines come.

Numba compiles a kernel when it first meets the types of its arguments, for seconds here and for minutes on a small
processor. A line that meets an uncompiled kernel waits for it: the first one, the first that the executor fails at,
the first of a segment that is stored. The types depend on the shape of lines (an axis of 1 may change a layout), not on
their values, nor on the type of their samples, which every codec makes int32 first.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from runtime.codec.encoder import Encoder
from runtime.codec.open_segment import OpenSegment
from runtime.coders.golomb_residuals import GolombWriter
from runtime.coders.hybrid_residuals import HybridWriter
from runtime.coders.range_residuals import RangeWriter
from runtime.coders.residual_coders import residual_reader
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import ExecutorFailed
from runtime.segments.residual_segment import ResidualSegments
from runtime.segments.segment_codec import SegmentCodec
from runtime.segments.stored import PlainWriter
from runtime.stream.stream_format import Coder, PredictorKind
from runtime.stream.telemetry import FaultKind

N_LINES = 2
"""Of a segment: the first is predicted without the lines before."""


def compile_roads(encoder: Encoder) -> None:
    """Compile whatever coding, closing and decoding the lines of this encoder can need; no line counts as pushed.

    An executor that fails here is given up, as one that fails at a line is.
    """
    for codec in roads(encoder):
        if isinstance(codec, ResidualSegments):
            walk_coders(codec)
        try:
            walk(encoder, codec)
        except ExecutorFailed as error:
            encoder.note(FaultKind.EXECUTOR, f"before the first line: {error}")
            encoder.give_up_executor()


def roads(encoder: Encoder) -> Iterator[SegmentCodec]:
    """The codecs that a segment may be coded by."""
    yield encoder.codec
    if encoder.predictor is PredictorKind.LINERWKV or encoder.guard is not GuardLevel.OFF:
        yield encoder.fallback
    yield encoder.forms.stored


def walk(encoder: Encoder, codec: SegmentCodec) -> None:
    """Code a segment and decode it: an encoder reads its own where coding expands it, or to prove it."""
    image = encoder.image
    ramp = np.arange(image.n_bands * image.n_columns).reshape(image.n_bands, image.n_columns)
    segment = OpenSegment(codec, 0, None)
    for _ in range(N_LINES):
        segment.push(ramp % (1 << (image.depth - 1)))
    coder, payload = segment.writer.coded()
    deque(codec.lines(encoder.forms.header(segment, codec, coder, payload), payload), maxlen=0)


def walk_coders(codec: ResidualSegments) -> None:
    """Write and read a line of residuals by each coder: the residuals decide which one a segment has."""
    n_bands, n_columns = codec.shape
    writers: dict[Coder, Callable[[], Any]] = {
        Coder.SAMPLE_ADAPTIVE: lambda: GolombWriter(codec.depth, n_bands),
        Coder.HYBRID: lambda: HybridWriter(codec.depth, n_bands),
        Coder.RANGE: lambda: RangeWriter(n_bands, n_columns),
        Coder.STORED: lambda: PlainWriter(codec.depth),
    }
    mapped = np.zeros(codec.shape, np.int32)
    for coder in codec.coders:
        writer = writers[coder]()
        writer.push(mapped)
        residual_reader(coder, writer.payload(), codec.depth, n_bands, n_columns, 1).take(mapped)
