"""Segments of plain samples, where speed matters and bits do not: what a decoder knows as stored ones of CCSDS 123."""

import numpy as np
from typing_extensions import override

from runtime.coders.plain import PlainWriter
from runtime.kernels.marks import Marks
from runtime.segments.ccsds123_segment import Ccsds123Segments
from runtime.segments.segment_codec import Samples, SegmentWriter
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Coder
from runtime.stream.telemetry import ResidualSums


class PlainSegments(Ccsds123Segments):
    """Read as those of CCSDS 123; its writers predict nothing and are lossless."""

    written_coders = (Coder.STORED,)

    def __init__(self, image: ImageDescription) -> None:
        super().__init__(image, max_error=0)

    @override
    def writer(self) -> "PlainSegmentWriter":
        return PlainSegmentWriter(self.image)


class PlainSegmentWriter(SegmentWriter):
    """One segment being written: of each sample its offset from the smallest, in the bits of the depth."""

    def __init__(self, image: ImageDescription) -> None:
        self.smallest = image.range[0]
        self.plain = PlainWriter(image.depth)
        self.state, self.written = None, [self.plain]
        self.residual_sums = ResidualSums()

    @override
    def push(self, line: Samples, marks: Marks | None = None) -> Samples:
        self.plain.push(line.astype(np.int32, order="C") - self.smallest)
        return line

    @override
    def coded(self) -> tuple[Coder, bytes | memoryview]:
        return Coder.STORED, self.plain.payload()
