"""Segments of one stream, read and decoded when they are asked for, on any thread; the last ones are kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from runtime.codec.decoder import Decoder
from runtime.codec.segment_places import Place, SegmentPlaces, read_at
from runtime.codec.stream_reader import Segment, check_payload, check_records, check_segment
from runtime.errors import Corrupt
from runtime.exact_read import read_fully
from runtime.images.sample_file import DTYPES
from runtime.stream.line_records import LineRecords
from runtime.stream.records import HEAD, LINES_MARKER, MARKER_BYTES, body_size, record_body
from runtime.stream.segment_header import SEGMENT_BYTES, SegmentHeader
from runtime.stream.stream_header import CRC

LARGEST_READ = 1 << 26
"""Bytes that are asked for at once because the index says that a segment has them."""
Cube = npt.NDArray[Any]
"""(Y, Z, X), values of the file."""


class DecodedSegments:
    """Decodes by one decoder for each thread that decodes; memory is that of the segments kept and those in work."""

    def __init__(
        self, file: BinaryIO, found: SegmentPlaces, new_decoder: Callable[[], Decoder], most_kept: int
    ) -> None:
        """most_kept: bytes of decoded lines that are kept; a segment that has more is decoded each time."""
        self.file, self.found, self.new_decoder, self.most_kept = file, found, new_decoder, most_kept
        self.dtype = DTYPES[found.header.image.file_type]
        self.firsts = np.array([place.first_line for place in found.places], np.int64)
        self.nexts = np.array([place.next_line for place in found.places], np.int64)
        self.missing = found.missing()
        self.reading, self.keeping = threading.Lock(), threading.Lock()
        self.idle: list[Decoder] = []
        self.kept: OrderedDict[Place, Future[Cube]] = OrderedDict()

    def n_bytes(self, place: Place) -> int:
        """Of the decoded lines of a segment."""
        image = self.found.header.image
        return place.n_lines * image.n_bands * image.n_columns * self.dtype.itemsize

    def read(self, place: Place) -> tuple[Segment, LineRecords | None]:
        """A segment whose checksums are right, with the records of its lines. Raises Corrupt, Truncated or TooNew."""
        with self.reading:
            self.file.seek(place.offset)
            n_bytes = max(SEGMENT_BYTES, min(place.end - place.offset, LARGEST_READ))
            data = read_fully(self.file.read, n_bytes, n_bytes)
            header = SegmentHeader.from_bytes(data[:SEGMENT_BYTES])
            check_segment(self.found.header, self.found.stream_crc, header)
            if (header.first_line, header.n_lines) != (place.first_line, place.n_lines):
                stated = f"{place.n_lines} lines from {place.first_line} on"
                raise Corrupt(f"{header.where}: it has {header.n_lines} lines, the index says {stated}")
            end = SEGMENT_BYTES + header.n_payload_bytes
            if place.offset + end > place.end:
                raise Corrupt(f"{header.where}: it reaches beyond the place of the next one")
            if len(data) < end:
                data += read_at(self.file, place.offset + len(data), end - len(data), header.where)
            segment = Segment(header, data[SEGMENT_BYTES:end])
            check_payload(header, segment.payload)
            return segment, self.records(place, header, data, end)

    def records(self, place: Place, header: SegmentHeader, data: bytes, end: int) -> LineRecords | None:
        """What follows a segment's payload, if anything: the records of its lines; `data` may have it already."""
        size = place.end - place.offset
        if size == end:
            return None
        head = data[end : end + HEAD.size]
        head += read_at(self.file, place.offset + end + len(head), HEAD.size - len(head), "record")
        if head[:MARKER_BYTES] != LINES_MARKER:
            raise Corrupt(f"{header.where}: {head[:MARKER_BYTES]!r} follows it, which the index does not say")
        following = end + HEAD.size + body_size(head) + CRC.size
        if following != size:
            raise Corrupt(f"{header.where}: it and the records of its lines have {following} bytes, its place {size}")
        whole = data[end:following]
        whole += read_at(self.file, place.offset + end + len(whole), following - end - len(whole), "records of lines")
        found = LineRecords.from_body(record_body(whole, self.found.stream_crc))
        check_records(found, header)
        return found

    def lines(self, place: Place) -> Iterator[Cube]:
        """The lines (Z, X) of a segment, decoded while they are taken; the checksum of all is checked after the last.

        Raises as `Decoder.lines`.
        """
        return self.lines_of(self.read(place)[0])

    def lines_of(self, segment: Segment) -> Iterator[Cube]:
        """As `lines`, of a segment that was read."""
        with self.keeping:
            decoder = self.idle.pop() if self.idle else self.new_decoder()
        try:
            yield from decoder.lines(*segment)
        finally:
            with self.keeping:
                self.idle.append(decoder)

    def cube(self, place: Place) -> Cube:
        """All lines of a segment, kept or decoded now; threads that want the same one wait for one of them.

        Raises as `Decoder.lines`.
        """
        with self.keeping:
            future = self.kept.get(place)
            is_mine = future is None
            if future is None:
                future = self.kept[place] = Future()
            self.kept.move_to_end(place)
        if is_mine:
            try:
                future.set_result(self.decoded(place))
            except BaseException as error:
                with self.keeping:
                    del self.kept[place]
                future.set_exception(error)
            else:
                self.forget_oldest(place)
        return future.result()

    def decoded(self, place: Place) -> Cube:
        """All lines of a segment, of which nobody changes a sample."""
        image = self.found.header.image
        cube = np.empty((place.n_lines, image.n_bands, image.n_columns), self.dtype)
        for i, line in enumerate(self.lines(place)):
            cube[i] = line
        cube.flags.writeable = False
        return cube

    def forget_oldest(self, newest: Place) -> None:
        """Keep no more than is allowed; what is in work counts and stays."""
        with self.keeping:
            n_bytes = sum(map(self.n_bytes, self.kept))
            for place, future in list(self.kept.items()):
                if n_bytes <= self.most_kept:
                    break
                if place != newest and future.done():
                    del self.kept[place]
                    n_bytes -= self.n_bytes(place)
