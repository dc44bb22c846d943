"""Segments that are CCSDS 123.0-B-2 compressed images of their own: the predictor for when no network can run."""

from collections.abc import Iterator
from typing import Any

from runtime.ccsds123 import Ccsds123Parameters, decode_lines, read_header
from runtime.ccsds123.encoder import index_encoder, padded
from runtime.ccsds123.header import write_header
from runtime.ccsds123.line_predictor import LinePredictor
from runtime.ccsds123.order import line_piece
from runtime.errors import BadArgument, Corrupt
from runtime.segments.segment_codec import Samples
from runtime.stream.residual_sums import ResidualSums
from runtime.stream.stream_format import AdaptiveStage, Coder, PredictorKind, SegmentHeader, StreamHeader

SLACK_BYTES = 1 << 12  # more than the header and the tail of such an image take beside its samples


class Ccsds123Segments:
    """A `SegmentCodec`: band-interleaved by line, the maximum error by the standard's own quantizer in the loop."""

    predictor = PredictorKind.CCSDS123
    stage = AdaptiveStage.NONE
    coders: tuple[Coder, ...] = (Coder.CCSDS123,)

    def __init__(self, stream: StreamHeader) -> None:
        self.stream = stream
        self.may_be_stored = stream.max_error == 0

    def parameters(self, n_lines: int) -> Ccsds123Parameters:
        """Those of a segment; with a maximum error the hybrid coder, which goes below one bit per sample."""
        stream = self.stream
        values = {
            "Nx": stream.n_columns, "Ny": n_lines, "Nz": stream.n_bands, "D": stream.depth, "signed": stream.is_signed,
            "order": "BI", "M": 1,
        }  # fmt: skip
        if stream.max_error:
            values |= {"coder": "hybrid", "fidelity": "absolute", "a": stream.max_error}
        if stream.n_columns == 1:
            values |= {"mode": "reduced", "local_sum": "wide_column"}
        return Ccsds123Parameters.from_dict(values)

    def writer(self) -> "Ccsds123Writer":
        """As in `SegmentCodec`."""
        return Ccsds123Writer(self)

    def largest_payload(self, n_lines: int) -> int:
        """The longest codeword for every sample, U_max + D bits."""
        n_samples = n_lines * self.stream.n_bands * self.stream.n_columns
        return n_samples * (32 + self.stream.depth) // 8 + SLACK_BYTES + 8 * self.stream.n_bands

    def lines(self, header: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        """As in `SegmentCodec`."""
        try:
            image = read_header(payload).image
            found = (image.n_lines, image.n_bands, image.n_columns, image.depth, image.is_signed)
            stream = self.stream
            expected = (header.n_lines, stream.n_bands, stream.n_columns, stream.depth, stream.is_signed)
            if found != expected:
                raise Corrupt(f"segment at line {header.first_line}: a CCSDS 123 image {found}, allowed {expected}")
            yield from decode_lines(payload)
        except BadArgument as error:
            raise Corrupt(f"segment at line {header.first_line}: {error}") from error


class Ccsds123Writer:
    """One segment being written; how many lines it has is known only at its end, and stands in its header."""

    def __init__(self, codec: Ccsds123Segments) -> None:
        self.codec = codec
        self.parameters = codec.parameters(1)
        self.predictor = LinePredictor(self.parameters)
        self.indices = index_encoder(self.parameters)
        self.residual_sums = ResidualSums()

    @property
    def state(self) -> Any:
        """As in `SegmentWriter`."""
        return self.predictor.state

    @property
    def written(self) -> Any:
        """As in `SegmentWriter`."""
        return self.indices

    def push(self, line: Samples) -> None:
        """As in `SegmentWriter`."""
        y = self.predictor.next_line
        mapped = self.predictor.encode(line)
        self.indices.put(mapped, line_piece(self.parameters.image, y))
        self.residual_sums.add(mapped)

    def coded(self) -> tuple[Coder, bytes]:
        """As in `SegmentWriter`."""
        final = self.codec.parameters(self.predictor.next_line)
        self.indices.finish()
        return Coder.CCSDS123, padded(write_header(final) + self.indices.writer.finish(), final.image.word_bytes)
