"""The other structures between header and end of a stream: records of lines, lines that never came, an index, the end.

Each is a marker, the CRC of the stream's header, the bytes of its body, the body, a CRC of all of it.
"""

import itertools
import struct
from typing import NamedTuple

from runtime.errors import Corrupt, TooNew, Truncated
from runtime.stream.crc32c import crc32c
from runtime.stream.stream_header import CRC, LARGEST_HEADER_BYTES

MARKER_BYTES = 4
LINES_MARKER, GAP_MARKER, INDEX_MARKER, END_MARKER = b"\xc5LIN", b"\xc5GAP", b"\xc5IDX", b"\xc5END"
HEAD = struct.Struct(">4sII")  # marker, CRC of the stream's header, bytes of the body
GAP = struct.Struct(">II")
ENTRY = struct.Struct(">IHQ")
END = struct.Struct(">IIQ")  # before the copy of the header
LARGEST_BODY_BYTES = {
    LINES_MARKER: 1 << 26, GAP_MARKER: GAP.size, INDEX_MARKER: 1 << 26, END_MARKER: END.size + LARGEST_HEADER_BYTES + 4,
}  # fmt: skip
TAIL = struct.Struct(">II")  # The last bytes of a stream: bytes of the end record, its CRC


class Gap(NamedTuple):
    """Lines that were announced or counted, and never came."""

    first_line: int
    n_lines: int

    @property
    def run(self) -> tuple[int, int]:
        """First and last line."""
        return self.first_line, self.next_line - 1

    @property
    def next_line(self) -> int:
        """The first line after it."""
        return self.first_line + self.n_lines

    def body(self) -> bytes:
        """Of its record."""
        return GAP.pack(*self)

    @classmethod
    def from_body(cls, body: bytes) -> "Gap":
        """Raise Corrupt or Truncated."""
        if len(body) != GAP.size:
            raise Truncated(f"gap record: {len(body)} bytes, needs {GAP.size}")
        gap = cls(*GAP.unpack(body))
        if gap.n_lines == 0:
            raise Corrupt(f"gap at line {gap.first_line}: no lines")
        return gap


class IndexEntry(NamedTuple):
    """Where a segment lies."""

    first_line: int
    n_lines: int
    offset: int  # Of its marker, in bytes from the start of the stream


def index_body(entries: list[IndexEntry]) -> bytes:
    """Of an index record."""
    return b"".join(ENTRY.pack(*entry) for entry in entries)


def index_entries(body: bytes) -> list[IndexEntry]:
    """Of an index record's body. Raises Corrupt where their lines or places do not rise."""
    if len(body) % ENTRY.size:
        raise Truncated(f"index record: {len(body)} bytes, an entry has {ENTRY.size}")
    entries = [IndexEntry(*values) for values in ENTRY.iter_unpack(body)]
    for one, other in itertools.pairwise(entries):
        if other.first_line < one.first_line + one.n_lines or other.offset <= one.offset:
            raise Corrupt(f"index record: an entry at line {other.first_line} after one at line {one.first_line}")
    return entries


class EndRecord(NamedTuple):
    """The last structure of a complete stream; its copy of the header lets salvage do without the first one."""

    n_lines: int  # Of the image, gaps included
    n_segments: int
    index_offset: int  # Of the index record, in bytes from the start of the stream; 0: there is none.
    header: bytes

    def body(self) -> bytes:
        """Of its record, which says at its end how long the whole record is."""
        n_bytes = HEAD.size + END.size + len(self.header) + TAIL.size
        return END.pack(self.n_lines, self.n_segments, self.index_offset) + self.header + n_bytes.to_bytes(4, "big")

    @classmethod
    def from_body(cls, body: bytes) -> "EndRecord":
        """Raise Corrupt or Truncated."""
        if len(body) < END.size + 4:
            raise Truncated(f"end record: {len(body)} bytes, needs at least {END.size + 4}")
        if int.from_bytes(body[-4:], "big") != HEAD.size + len(body) + CRC.size:
            raise Corrupt("end record: it does not say its own length")
        n_lines, n_segments, index_offset = END.unpack_from(body)
        return cls(n_lines, n_segments, index_offset, body[END.size : -4])


def record_bytes(marker: bytes, stream_crc: int, body: bytes) -> bytes:
    """A whole record."""
    data = HEAD.pack(marker, stream_crc, len(body)) + body
    return data + CRC.pack(crc32c(data))


def body_size(head: bytes) -> int:
    """Bytes of the body of the record that begins with `head`, HEAD.size bytes. Raises Corrupt, Truncated, TooNew."""
    if len(head) < HEAD.size:
        raise Truncated(f"record: {len(head)} bytes found, at least {HEAD.size} needed")
    marker, _, n_bytes = HEAD.unpack_from(head)
    if marker not in LARGEST_BODY_BYTES:
        if marker[:1] == END_MARKER[:1] and marker[1:].isalpha():
            raise TooNew(f"record {marker!r}: this release reads {', '.join(map(repr, LARGEST_BODY_BYTES))}")
        raise Corrupt(f"record: marker {marker!r}")
    if n_bytes > LARGEST_BODY_BYTES[marker]:
        raise Corrupt(f"record {marker!r}: {n_bytes} bytes announced, allowed {LARGEST_BODY_BYTES[marker]}")
    return int(n_bytes)


def record_body(data: bytes, stream_crc: int) -> bytes:
    """The body of the record that `data` begins with. Raises Corrupt, Truncated or TooNew."""
    n_bytes = HEAD.size + body_size(data)
    if len(data) < n_bytes + CRC.size:
        raise Truncated(f"record {data[:4]!r}: {len(data)} bytes found, {n_bytes + CRC.size} announced")
    if crc32c(data[:n_bytes]) != CRC.unpack_from(data, n_bytes)[0]:
        raise Corrupt(f"record {data[:4]!r}: its CRC does not match")
    if HEAD.unpack_from(data)[1] != stream_crc:
        raise Corrupt(f"record {data[:4]!r}: it belongs to another stream")
    return data[HEAD.size : n_bytes]
