"""Segments with special values: flags say which samples they are, the others are coded as they would be without them.

A payload is 16 bits of the code of voids that nothing came before, less the smallest code, 32 bits length of the flags,
32 bits length of the bits of `moved_codes`, both, and the payload of the segment inside (docs/formats/stream.md).
"""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.coders.special_flags import FlagReader, FlagWriter, largest_flags
from runtime.errors import Corrupt, Truncated
from runtime.kernels.marks import Marks
from runtime.segments.known_samples import KnownSamples, SpecialCodes
from runtime.segments.moved_codes import Mover, SideBits
from runtime.segments.segment_codec import Given, Samples, SegmentCodec, SegmentWriter
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Coder
from runtime.stream.segment_header import SegmentHeader
from runtime.stream.special_values import VOID

HEAD = struct.Struct(">HII")
RARE = 256
"""Where nothing else is lost, limits that fewer than one in so many samples of a line have are coded as any sample."""


def largest_special(image: ImageDescription, n_lines: int) -> int:
    """Bytes that no head, flags and bits exceed."""
    n_samples = n_lines * image.n_bands * image.n_columns
    n_bits = (n_samples + 7) // 8
    return HEAD.size + largest_flags(n_lines, image.n_bands, image.n_columns, len(image.specials)) + n_bits


class SpecialSegments(SegmentCodec):
    """A `SegmentCodec` around another one."""

    def __init__(self, inside: SegmentCodec, image: ImageDescription) -> None:
        self.inside = inside
        self.coding = inside.coding._replace(has_specials=True)
        self.coders, self.written_coders = inside.coders, inside.written_coders
        self.image = image
        self.shape = (image.n_bands, image.n_columns)
        self.specials = SpecialCodes(image)
        self.mover = Mover(self.specials.taken, image.range, self.coding.max_error)

    @override
    def writer(self) -> "SpecialWriter":
        return SpecialWriter(self)

    @override
    def lines(self, header: SegmentHeader, payload: bytes, given: Given | None = None) -> Iterator[Samples]:
        if len(payload) < HEAD.size:
            raise Truncated(f"segment of {len(payload)} bytes ends in its head")
        offset, n_flags, n_bits = HEAD.unpack_from(payload)
        flags_end = HEAD.size + n_flags
        end = flags_end + n_bits
        if len(payload) < end:
            raise Truncated(f"segment of {len(payload)} bytes, its flags alone have {end}")
        first = self.image.range[0] + offset
        if first > self.image.range[1]:
            raise Corrupt(f"voids have code {first}, allowed {self.image.range[0]}..{self.image.range[1]}")
        known = KnownSamples(self.specials, self.shape, first)
        flags = FlagReader(payload[HEAD.size : flags_end], *self.shape, self.specials.n)
        bits, found = SideBits(payload[flags_end:end]), LineMarks(flags, known)
        for restored in self.inside.lines(header, payload[end:], Given(found.fill, n_flags)):
            marks = found.marks
            codes = self.mover.moved_back(restored, marks, bits)
            if marks is not None:
                known.fill(marks, codes := codes.astype(np.int32))
                codes = self.specials.codes(codes, marks)
            known.remember(codes)
            yield codes
        bits.end()


def reading_codec(codec: SegmentCodec, header: SegmentHeader) -> SegmentCodec:
    """What reads a segment that `codec` wrote: its flags are there only where it needed them."""
    return codec.inside if isinstance(codec, SpecialSegments) and not header.coding.has_specials else codec


class LineMarks:
    """The marks of the line at hand, read when it begins."""

    def __init__(self, flags: FlagReader, known: KnownSamples) -> None:
        self.flags, self.known = flags, known
        self.marks: Marks | None = None

    def fill(self, out_codes: Any) -> Marks | None:
        """Read the marks of the next line, and fill its marked samples (Z, X)."""
        self.marks = self.flags.take()
        if self.marks is not None:
            self.known.fill(self.marks, out_codes)
        return self.marks


class SpecialWriter(SegmentWriter):
    """One segment being written."""

    def __init__(self, codec: SpecialSegments) -> None:
        self.codec = codec
        self.inside = codec.inside.writer()
        self.flags = FlagWriter(*codec.shape, codec.specials.n)
        self.known: KnownSamples | None = None
        self.first = sum(codec.image.range) // 2
        self.bits: list[npt.NDArray[np.bool_]] = []
        self.has_moved = False
        self.residual_sums = self.inside.residual_sums

    @property
    def state(self) -> Any:
        """What the next line is predicted from."""
        return [self.inside.state, None if self.known is None else self.known.last]

    @property
    def written(self) -> Any:
        """What is coded so far."""
        return [self.inside.written, self.flags, self.bits]

    @property
    @override
    def has_specials(self) -> bool:
        """Whether the segment needs its flags and bits."""
        return self.flags.has_marks or self.has_moved

    @override
    def push(self, line: Samples, marks: Marks | None = None) -> Samples:
        codec = self.codec
        marks = self.marks_of(line)
        if marks is not None and self.known is None:
            self.first = mean_code(line, self.first)
        known = self.known or KnownSamples(codec.specials, codec.shape, self.first)
        codes = line
        if marks is not None:
            known.fill(marks, codes := line.astype(np.int32))
        restored = self.inside.push(codes, marks)
        shown, bits = codec.mover.moved(restored, line, marks)
        self.has_moved |= shown is not restored
        self.bits.append(bits)
        self.flags.push(marks)
        if marks is not None:
            known.fill(marks, shown := shown.astype(np.int32))
            shown = codec.specials.codes(shown, marks)
        known.remember(shown)
        self.known = known
        return shown

    def marks_of(self, line: Samples) -> Marks | None:
        """The marks of a line of codes; where limits gain nothing they are not marked."""
        specials, is_lossless = self.codec.specials, self.codec.coding.max_error == 0
        has_limits = not is_lossless or Coder.RANGE in self.codec.written_coders
        marks = specials.marks(line, has_limits=has_limits)
        if marks is None or not (is_lossless and has_limits and specials.limits):
            return marks
        is_limit = np.isin(marks, [mark for mark, _ in specials.limits])
        if RARE * np.count_nonzero(is_limit) < marks.size:
            marks[is_limit] = 0
        return marks if marks.any() else None

    @override
    def coded(self) -> tuple[Coder, bytes | memoryview]:
        coder, payload = self.inside.coded()
        if not self.has_specials:
            return coder, payload
        flags, bits = self.flags.payload(), np.packbits(np.concatenate(self.bits)).tobytes()
        head = HEAD.pack(self.first - self.codec.image.range[0], len(flags), len(bits))
        return coder, b"".join([head, flags, bits, payload])


def mean_code(line: Samples, otherwise: int) -> int:
    """The mean of the samples of a line that are not void, rounded down."""
    there = line[line > VOID]
    return int(there.sum(dtype=np.int64)) // there.size if there.size else otherwise
