"""All that a recorded stream holds, in order: lines with their records, and gaps; to be coded again and compared."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from runtime.cell.flight_package import FlightPackage
from runtime.cell.package_store import known_packages
from runtime.codec.decoder import Decoder
from runtime.codec.stream_reader import Segment, StreamReader, with_records
from runtime.codec.threaded_decoder import decoded
from runtime.errors import BadArgument, Corrupt, Truncated
from runtime.images.line_frame import RecordedLine, frame_of
from runtime.images.sample_file import DTYPES
from runtime.stream.image_description import ImageDescription
from runtime.stream.line_records import LineRecords
from runtime.stream.records import Gap

Content = Iterator[RecordedLine | Gap]


class StreamContents:
    """Of one stream, read once from its start."""

    def __init__(self, file: BinaryIO, packages: Sequence[FlightPackage], n_threads: int) -> None:
        """packages: beside those shipped or in a store. Raises Corrupt, Truncated or TooNew: there is no header."""
        self.reader = StreamReader(file)
        self.image: ImageDescription = self.reader.header.image
        missing = {name.sha256 for name in self.reader.header.packages} - {one.sha256 for one in packages}
        known = [*packages, *known_packages(missing)]
        self.decoders = [Decoder(self.reader.header, known) for _ in range(n_threads)]
        self.is_cut = False
        self.max_error = 0  # Of the segments so far

    def content(self) -> Content:
        """Lines and gaps. Of a stream without its end those of whole segments, and `is_cut` is set then.

        Raises LineRwkvError: it is damaged; BadArgument: the records of its last segment are cut off.
        """
        for piece, records, lines in decoded(with_records(self.whole_structures()), self.decoders):
            if isinstance(piece, Gap):
                yield piece
                continue
            self.max_error = max(self.max_error, piece.header.coding.max_error)
            found: Sequence[bytes] = [b""] * piece.header.n_lines if records is None else records.records
            for line, record in zip(lines, found, strict=True):
                yield RecordedLine(line.astype(DTYPES[self.image.file_type], copy=False), record)

    def whole_structures(self) -> Iterator[Segment | LineRecords | Gap]:
        """As `StreamReader.structures`, up to where the stream is cut."""
        last: Segment | LineRecords | Gap | None = None
        try:
            for last in self.reader.structures():
                yield last
        except Truncated:
            self.is_cut = True
            if isinstance(last, Segment) and frame_of(self.image.metadata) is not None:
                raise BadArgument("cut within the records of a segment: --salvage reads its lines") from None


def check_same(source: Path, copy: Path, packages: Sequence[FlightPackage], n_threads: int, max_error: int) -> None:
    """Decode both streams. Raises Corrupt where the copy is not the source within the error, and LineRwkvError."""
    with source.open("rb") as file, copy.open("rb") as other:
        old, new = (StreamContents(one, packages, n_threads) for one in (file, other))
        if old.image != new.image:
            raise Corrupt("the description of the new stream is not that of the old one")
        for number, (wanted, found) in enumerate(zip_longest(old.content(), new.content())):
            if not is_same(old.image, wanted, found, max_error):
                raise Corrupt(f"line or gap {number} of the new stream is not that of the old one")
        if new.is_cut:
            raise Corrupt("the new stream has no end")


def is_same(image: ImageDescription, wanted: Any, found: Any, max_error: int) -> bool:
    """Whether two lines or gaps are equal; samples within the error, special values exactly."""
    if isinstance(wanted, Gap) or isinstance(found, Gap) or wanted is None or found is None:
        return bool(wanted == found)
    if wanted.record != found.record:
        return False
    if max_error == 0:
        return np.array_equal(wanted.line, found.line, equal_nan=image.file_type.is_float)
    for special in image.specials:
        if not np.array_equal(special.found_in(wanted.line), special.found_in(found.line)):
            return False
    return int(np.abs(wanted.line.astype(np.int64) - found.line.astype(np.int64)).max()) <= max_error
