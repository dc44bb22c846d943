"""Segments that are CCSDS 123.0-B-2 compressed images of their own: the predictor for when no network can run."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from typing_extensions import override

from runtime.ccsds123 import Ccsds123Parameters, decode_lines, read_header
from runtime.ccsds123.announcement import DEFAULT_MAX_SAMPLES
from runtime.ccsds123.encoder import index_encoder, padded
from runtime.ccsds123.header import write_header
from runtime.ccsds123.line_predictor import Int32Array, LinePredictor
from runtime.ccsds123.order import Uint32Array, line_piece
from runtime.coders.plain import PlainReader, PlainWriter, plain_bytes
from runtime.errors import BadArgument, Corrupt
from runtime.kernels.marks import Marks
from runtime.segments.line_threads import LineCoder
from runtime.segments.segment_codec import Given, Samples, SegmentCodec, SegmentWriter
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Coder, PredictorKind
from runtime.stream.segment_header import SegmentCoding, SegmentHeader
from runtime.stream.telemetry import ResidualSums

SLACK_BYTES = 1 << 12  # more than the header and the tail of such an image take beside its samples
CLEARLY_SMALLER = 7 / 8  # Once a lossless segment codes to so much of plain samples, these are no longer kept beside it


class Ccsds123Segments(SegmentCodec):
    """Band-interleaved by line, the maximum error by the standard's own quantizer in the loop.

    A lossless segment is stored as plain samples, offsets from the smallest, where coding expands it as a whole: an
    image of the standard has no flag a line.
    """

    coders: tuple[Coder, ...] = (Coder.CCSDS123, Coder.STORED)
    written_coders = coders

    def __init__(self, image: ImageDescription, max_error: int, thread: ThreadPoolExecutor | None = None) -> None:
        """thread: where it codes what is predicted; None: where lines are pushed."""
        self.coding = SegmentCoding(PredictorKind.CCSDS123, max_error=max_error)
        self.image = image
        self.thread = thread

    def parameters(self, n_lines: int) -> Ccsds123Parameters:
        """Those of a segment; with a maximum error the hybrid coder, which codes below one bit per sample."""
        image = self.image
        values = {
            "Nx": image.n_columns, "Ny": n_lines, "Nz": image.n_bands, "D": image.depth, "signed": image.is_signed,
            "order": "BI", "M": 1,
        }  # fmt: skip
        if self.coding.max_error:
            values |= {"coder": "hybrid", "fidelity": "absolute", "a": self.coding.max_error}
        if image.n_columns == 1:
            values |= {"mode": "reduced", "local_sum": "wide_column"}
        return Ccsds123Parameters.from_dict(values)

    @override
    def writer(self) -> SegmentWriter:
        return Ccsds123Writer(self)

    @override
    def lines(self, header: SegmentHeader, payload: bytes, given: Given | None = None) -> Iterator[Samples]:
        is_stored = header.coder is Coder.STORED
        for line in self.stored_lines(header, payload) if is_stored else self.coded_lines(header, payload):
            if given is not None:  # the samples that it fills are in the payload, too
                given.fill(np.empty(line.shape, np.int32))
            yield self.clipped(line)

    def clipped(self, line: Samples) -> Samples:
        """A restored line within the codes of the image: not all of its depth may be values."""
        if self.coding.max_error == 0:
            return line
        inside: Samples = np.clip(line, *self.image.range)
        return inside

    def coded_lines(self, header: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        """Of an image of the standard. Raises Corrupt."""
        try:
            found, expected = read_header(payload), self.parameters(header.n_lines)
            for name in ("image", "quantization", "supplementary_tables"):
                if getattr(found, name) != getattr(expected, name):
                    words = f"{getattr(found, name)}, allowed {getattr(expected, name)}"
                    raise Corrupt(f"a CCSDS 123 image of {name} {words}")
            if found.coder.type != expected.coder.type:
                raise Corrupt(f"a CCSDS 123 image by {found.coder.type}, allowed {expected.coder.type}")
            # without an error limit its coder needs memory for one line, however many there are
            n_samples = max(DEFAULT_MAX_SAMPLES, (self.coding.max_error == 0) * expected.image.n_samples)
            yield from decode_lines(payload, max_samples=n_samples)
        except BadArgument as error:
            raise Corrupt(str(error)) from error

    def stored_lines(self, header: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        """Of a segment of plain samples. Raises Corrupt."""
        image = self.image
        if self.coding.max_error:
            raise Corrupt(f"stored with maximum error {self.coding.max_error}, allowed 0")
        reader = PlainReader(payload, image.depth, header.n_lines * image.n_bands * image.n_columns)
        for _ in range(header.n_lines):
            line = np.empty((image.n_bands, image.n_columns), np.int32)
            reader.take(line)
            yield line + image.range[0]


def largest_ccsds123(image: ImageDescription, n_lines: int) -> int:
    """Bytes that no payload exceeds: the longest codeword for every sample, U_max + D bits."""
    n_samples = n_lines * image.n_bands * image.n_columns
    return n_samples * (32 + image.depth) // 8 + SLACK_BYTES + 8 * image.n_bands


class Ccsds123Writer(SegmentWriter):
    """One segment being written; how many lines it has is known only at its end, and stands in its header."""

    def __init__(self, codec: Ccsds123Segments) -> None:
        self.codec = codec
        self.parameters = codec.parameters(1)
        self.predictor = LinePredictor(self.parameters)
        self.indices = index_encoder(self.parameters)
        self.plain = PlainWriter(codec.image.depth) if codec.coding.max_error == 0 else None
        self.state = self.predictor.state
        self.coder = LineCoder(codec.thread)
        self.residual_sums = ResidualSums()

    @property
    def written(self) -> list[Any]:
        """All lines."""
        self.coder.wait()
        return [self.indices, self.plain]

    @override
    def push(self, line: Samples, marks: Marks | None = None) -> Samples:
        y, mapped, offsets = self.predicted(line)
        self.residual_sums.add(mapped)
        self.coder.begin(self.code, y, mapped, offsets)
        if self.codec.coding.max_error == 0:
            return line
        # neither damping nor offset is set, so a representative is the restored sample (equations 45 and 48)
        restored: Samples = self.predictor.state.representatives + self.parameters.image.middle
        return self.codec.clipped(restored)

    def predicted(self, line: Samples) -> tuple[int, Uint32Array, Int32Array | None]:
        """What `code` takes of the next line."""
        y, mapped = self.predictor.next_line, self.predictor.encode(line)
        return y, mapped, None if self.plain is None else line.astype(np.int32, order="C") - self.codec.image.range[0]

    def code(self, y: int, mapped: Uint32Array, offsets: Int32Array | None) -> None:
        """Code line `y`. offsets: its samples (Z, X) less the smallest, while these are kept beside."""
        self.indices.put(mapped, line_piece(self.parameters.image, y))
        if self.plain is not None and offsets is not None:
            self.plain.push(offsets)
            n_plain_bytes = plain_bytes((y + 1) * mapped.size, self.codec.image.depth)
            if self.indices.writer.bits[0] < CLEARLY_SMALLER * n_plain_bytes:
                self.plain = None

    @override
    def coded(self) -> tuple[Coder, bytes | memoryview]:
        self.coder.wait()
        image, n_lines = self.codec.image, self.predictor.next_line
        n_plain_bytes = plain_bytes(n_lines * image.n_bands * image.n_columns, image.depth)
        if self.plain is not None and self.indices.writer.bits[0] > n_plain_bytes:
            return Coder.STORED, self.plain.payload()
        final = self.codec.parameters(n_lines)
        self.indices.finish()
        return Coder.CCSDS123, padded(write_header(final), self.indices.writer.finish(), final.image.word_bytes)
