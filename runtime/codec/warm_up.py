"""Everything that a stream can need, compiled before its first line, so that nothing is compiled while lines come.

Numba compiles a kernel when it first meets the types of its arguments, for seconds here and for minutes on a small
processor. A line that meets an uncompiled kernel waits for it: the first one, the first that the executor fails at,
the first that coding expands. The types depend on the shape of lines (an axis of 1 may change a layout), not on their
values, nor on the type of their samples, which every codec makes int32 first.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np

from runtime.codec.open_segment import OpenSegment
from runtime.codec.segment_encoder import SegmentEncoder
from runtime.coders.plain import PlainReader, PlainWriter
from runtime.coders.range_coder import take_carry_back
from runtime.coders.residual_coders import ChosenLines, ResidualReader
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import ExecutorFailed
from runtime.executors.executors import make_executor
from runtime.segments.residual_segment import ResidualSegments
from runtime.segments.segment_codec import Samples, SegmentCodec
from runtime.segments.special_segments import SpecialSegments, reading_codec
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import SpecialKind
from runtime.stream.special_values import VOID
from runtime.stream.telemetry import FaultKind


def warm_up(encoder: SegmentEncoder) -> None:
    """Compile all that coding and decoding lines of this encoder can need; an executor that fails is given up."""
    image = encoder.image
    compile_plain(image.depth, image.n_bands, image.n_columns)
    for codec in used_codecs(encoder):
        inside = codec.inside if isinstance(codec, SpecialSegments) else codec
        if isinstance(inside, ResidualSegments):
            compile_coders(inside)
        try:
            code_and_decode(encoder, codec)
        except ExecutorFailed as error:
            encoder.note(FaultKind.EXECUTOR, f"before the first line: {error}")
            encoder.give_up_executor()
    if encoder.supervised is not None and encoder.options.guard is GuardLevel.PROOF:
        make_executor(encoder.supervised.package)  # what proves a segment, which the process may not have loaded yet


def used_codecs(encoder: SegmentEncoder) -> Iterator[SegmentCodec]:
    """The codecs that a segment may be coded by."""
    yield encoder.codec
    if encoder.alone is not None:
        yield encoder.alone
    if encoder.options.has_network or encoder.options.guard is not GuardLevel.OFF:
        yield encoder.fallback


def code_and_decode(encoder: SegmentEncoder, codec: SegmentCodec) -> None:
    """Code a segment and decode it: an encoder with a guard reads its own to prove it."""
    image = encoder.image
    ramp = np.arange(image.n_bands * image.n_columns).reshape(image.n_bands, image.n_columns)
    segment = OpenSegment(codec, 0, None)
    line = ramp % (1 << (image.depth - 1))
    for special in (line, with_special(image, line) if image.specials else line):
        segment.push(special)
    closed = encoder.closing.finished(segment, codec, segment.writer, segment.samples_crc)
    deque(reading_codec(codec, closed.header).lines(closed.header, bytes(closed.payload)), maxlen=0)


def with_special(image: ImageDescription, line: Samples) -> Samples:
    """A line that begins with a special value."""
    code = image.code_of(image.specials[0])
    is_void = image.specials[0].kind is SpecialKind.VOID
    special = line.copy()
    special[0, :] = VOID if is_void or code is None else code
    return special


def compile_coders(codec: ResidualSegments) -> None:
    """Write and read a line by each coder: the residuals decide which a segment has."""
    mapped = np.zeros(codec.shape, np.int32)
    for coder in codec.written_coders:
        lines = ChosenLines(coder, codec.depth, *codec.shape)
        lines.push(mapped)
        ResidualReader(coder, lines.payload(), codec.depth, *codec.shape, 1).take(mapped)


def compile_plain(depth: int, n_bands: int, n_columns: int) -> None:
    """Write and read a plain line, and take a line of the range coder back."""
    values, plain = np.zeros((n_bands, n_columns), np.int32), PlainWriter(depth)
    plain.push(values)
    PlainReader(bytes(plain.payload()), depth, values.size).take(values)
    take_carry_back(1, np.ones(1, np.uint8))
