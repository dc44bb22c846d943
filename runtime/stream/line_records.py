"""The records of a segment's lines: bytes that came beside each, such as its time and housekeeping, never read here."""

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from runtime.errors import Corrupt, TooNew, Truncated
from runtime.stream import records

LARGEST_RECORD_BYTES = 1 << 16
FIXED = struct.Struct(">IHB")  # first line, lines, form
LENGTH = struct.Struct(">I")  # of every record, or VARYING before a table of lengths
VARYING = (1 << 32) - 1
PLAIN, ZLIB = 0, 1
LARGEST_BODY_BYTES = records.LARGEST_BODY_BYTES[records.LINES_MARKER]
LARGEST_CONTENT_BYTES = LARGEST_BODY_BYTES - FIXED.size
FAST = 1  # zlib's level: a line that closes a segment waits for it


def largest_content(n_lines: int, n_bytes: int) -> int:
    """Bytes of the content of records that have `n_bytes` in all, at most."""
    return LENGTH.size * (1 + n_lines) + n_bytes


class LineRecords(NamedTuple):
    """Of one segment."""

    first_line: int
    records: tuple[bytes, ...]
    """Of each line of the segment, 0..2^16 bytes; empty: the line has none."""

    @property
    def n_lines(self) -> int:
        """Of the segment."""
        return len(self.records)

    def body(self) -> bytes:
        """Of its structure; the content, `largest_content` at most, must be within LARGEST_CONTENT_BYTES."""
        lengths = [len(record) for record in self.records]
        if len(set(lengths)) == 1:
            table = LENGTH.pack(lengths[0])
        else:
            table = LENGTH.pack(VARYING) + np.array(lengths, ">u4").tobytes()
        content = b"".join((table, *self.records))
        packed = zlib.compress(content, FAST)
        form, shorter = (ZLIB, packed) if len(packed) < len(content) else (PLAIN, content)
        return FIXED.pack(self.first_line, self.n_lines, form) + shorter

    @classmethod
    def from_body(cls, body: bytes) -> "LineRecords":
        """Raise Corrupt, Truncated or TooNew; memory is bounded whatever is announced."""
        first_line, n_lines = records_place(body)
        where, form, content = f"records at line {first_line}", body[FIXED.size - 1], body[FIXED.size :]
        if form not in (PLAIN, ZLIB):
            raise TooNew(f"{where}: form {form}, this release reads {PLAIN} and {ZLIB}")
        if form == ZLIB:
            content = inflated(content, where)
        lengths, data = lengths_of(content, n_lines, where)
        ends = np.cumsum(lengths, dtype=np.int64)
        if max(lengths) > LARGEST_RECORD_BYTES or ends[-1] != len(data):
            found = f"{ends[-1]} bytes in records of at most {max(lengths)}"
            raise Corrupt(f"{where}: {found}, allowed {len(data)} and {LARGEST_RECORD_BYTES}")
        ended = ends.tolist()
        return cls(first_line, tuple(data[end - n : end] for end, n in zip(ended, lengths, strict=True)))


def records_place(body: bytes) -> tuple[int, int]:
    """First line and number of lines that a body is of. Raises Corrupt or Truncated."""
    if len(body) < FIXED.size:
        raise Truncated(f"records of lines: {len(body)} bytes, needs at least {FIXED.size}")
    first_line, n_lines, _ = FIXED.unpack_from(body)
    if n_lines == 0:
        raise Corrupt(f"records at line {first_line}: no lines")
    return first_line, n_lines


def inflated(data: bytes, where: str) -> bytes:
    """The whole content of what zlib packed. Raises Corrupt."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, LARGEST_CONTENT_BYTES + 1)
    except zlib.error as error:
        raise Corrupt(f"{where}: {error}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise Corrupt(f"{where}: zlib's stream is not whole, is followed by bytes, or is above {LARGEST_CONTENT_BYTES}")
    return content


def lengths_of(content: bytes, n_lines: int, where: str) -> tuple[Sequence[int], bytes]:
    """The length of each record, and the bytes of all. Raises Truncated."""
    n_table = LENGTH.size
    if len(content) >= n_table and (length := LENGTH.unpack_from(content)[0]) != VARYING:
        return [length] * n_lines, content[n_table:]
    n_table += n_lines * LENGTH.size
    if len(content) < n_table:
        raise Truncated(f"{where}: {len(content)} bytes, the table of lengths needs {n_table}")
    return np.frombuffer(content, ">u4", n_lines, LENGTH.size).tolist(), content[n_table:]
