"""What each band of a demo's stream takes: the bits that it adds to those of the bands before it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runtime.ccsds123.line_predictor import LinePredictor
from runtime.codec.stream_reader import Segment, StreamReader
from runtime.coders.line_coder import Mapped
from runtime.coders.residual_coders import ChosenLines, ResidualReader
from runtime.segments.ccsds123_segment import Ccsds123Segments
from runtime.segments.residual_segment import residual_depth
from runtime.segments.segment_codec import Samples
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Coder


def bits_per_band(stream: Path, scene: Samples) -> npt.NDArray[np.float64]:
    """Bits per sample of each band (Z,), by the coder of each segment; `scene` (Y, Z, X) is what a stream is of.

    No coder looks at a later band, so the first k bands of all lines code as if there were no others, and a band takes
    what k bands take more than k - 1. Heads of streams and segments are not among them. Raises as `StreamReader`.
    """
    bits = np.zeros(scene.shape[1])
    with stream.open("rb") as file:
        reader = StreamReader(file)
        image = reader.header.image
        for segment in reader.segments():
            if segment.header.coder is Coder.CCSDS123:
                first = segment.header.first_line
                mapped = ccsds123_residuals(scene[first : first + segment.header.n_lines], image, segment)
                bits += added_bits(mapped, Coder.SAMPLE_ADAPTIVE, image.depth)
            else:
                mapped = np.stack(list(read_residuals(image, segment)))
                bits += added_bits(mapped, segment.header.coder, residual_depth(segment.header.coding, image))
    bits /= scene.shape[0] * scene.shape[2]
    return bits


def read_residuals(image: ImageDescription, segment: Segment) -> Iterator[Mapped]:
    """The mapped residuals (Z, X) of each line of a segment; reading them needs no package."""
    shape = (image.n_bands, image.n_columns)
    header = segment.header
    depth = residual_depth(header.coding, image)
    residuals = ResidualReader(header.coder, segment.payload, depth, *shape, header.n_lines)
    for _ in range(header.n_lines):
        mapped = np.empty(shape, np.int32)
        residuals.take(mapped)
        yield mapped


def ccsds123_residuals(lines: Samples, image: ImageDescription, segment: Segment) -> Mapped:
    """The mapped quantizer indices (Y, Z, X) of a lossless segment of CCSDS 123; lines: (Y, Z, X), what it is of."""
    codec = Ccsds123Segments(image, segment.header.coding.max_error)
    predictor = LinePredictor(codec.parameters(segment.header.n_lines))
    return np.stack([predictor.encode(line) for line in lines]).astype(np.int32)


def added_bits(mapped: Mapped, coder: Coder, depth: int) -> npt.NDArray[np.float64]:
    """Bits (Z,) that each band adds; mapped: (Y, Z, X) of a segment, `depth` its residuals' bits."""
    _, n_bands, n_columns = mapped.shape
    totals = [0]
    for n_first in range(1, n_bands + 1):
        lines = ChosenLines(coder, depth, n_first, n_columns)
        for line in mapped:
            lines.push(np.ascontiguousarray(line[:n_first]))
        totals.append(lines.n_bits)
    return np.diff(np.array(totals, np.float64))
