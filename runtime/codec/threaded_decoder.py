"""The segments of a stream decoded on several threads, in their order: each segment decodes by itself."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from runtime.codec.decoder import Decoder
from runtime.codec.ordered_work import OrderedWork
from runtime.codec.stream_reader import Segment
from runtime.codec.threaded_encoder import may_wait
from runtime.errors import LineRwkvError
from runtime.images.sample_file import DTYPES
from runtime.segments.segment_codec import Samples
from runtime.stream.image_description import ImageDescription
from runtime.stream.line_records import LineRecords
from runtime.stream.records import Gap

LARGEST_RECORDS = 1 << 22
"""Bytes of the records of a segment's lines that may wait."""


class Decoded(NamedTuple):
    """A gap, or a segment with its lines (Z, X) and their records."""

    piece: Segment | Gap
    records: LineRecords | None
    lines: Iterator[Samples]  # Of a segment


Pieces = Iterator[tuple[Segment | Gap, LineRecords | None]]


def decoded(pieces: Pieces, decoders: Sequence[Decoder]) -> Iterator[Decoded]:
    """The pieces of a stream, in their order, by one thread for each of the decoders, which are of this stream.

    With one decoder, and where a segment is too large to wait, lines are decoded while they are taken. Else a segment
    is whole before its first line comes, and memory is two segments a thread. Raises what reader and decoders raise,
    after all pieces before.
    """
    image, n_threads = decoders[0].header.image, len(decoders)
    held: deque[tuple[Segment | Gap, LineRecords | None]] = deque()
    failures: list[LineRwkvError] = []
    with OrderedWork[Decoder, Iterator[Samples]](decoders) as work:
        for piece, records in until_failure(pieces, failures):
            waits = n_threads > 1 and may_wait_decoded(image, piece, records)
            while held and (work.is_full or not waits):
                yield Decoded(*held.popleft(), work.take())
            if waits:
                held.append((piece, records))
                work.give(partial(decode_piece, work.check_wanted, piece))
            else:  # no thread uses a decoder now
                yield Decoded(piece, records, lines_of(decoders[0], piece))
        while held:
            yield Decoded(*held.popleft(), work.take())
    if failures:
        raise failures[0]


def until_failure(pieces: Pieces, failures: list[LineRwkvError]) -> Pieces:
    """The pieces, and then why there is no further one."""
    try:
        yield from pieces
    except LineRwkvError as error:
        failures.append(error)


def may_wait_decoded(image: ImageDescription, piece: Segment | Gap, records: LineRecords | None) -> bool:
    """Whether a piece is small enough to wait, decoded, for its turn."""
    n_bytes = 0 if records is None else sum(map(len, records.records))
    return isinstance(piece, Gap) or (n_bytes <= LARGEST_RECORDS and may_wait(image, piece.header.n_lines))


def lines_of(decoder: Decoder, piece: Segment | Gap) -> Iterator[Samples]:
    """Of a piece; none of a gap."""
    return iter(()) if isinstance(piece, Gap) else decoder.lines(*piece)


def decode_piece(check_wanted: Callable[[], None], piece: Segment | Gap, decoder: Decoder) -> Iterator[Samples]:
    """The lines of a piece, all decoded, in a thread."""
    dtype = DTYPES[decoder.header.image.file_type]
    held = []
    for line in lines_of(decoder, piece):
        check_wanted()
        held.append(line.astype(dtype))
    return iter(held)
