"""Changes of a stream that has been taken apart: each leaves its structure sound and some of what it says hostile."""

import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import reduce

import numpy as np

from runtime.codec.decoder import Decoder
from runtime.errors import LineRwkvError
from runtime.stream.line_records import FIXED
from runtime.stream.records import ENTRY, GAP, GAP_MARKER, INDEX_MARKER, LINES_MARKER
from runtime.stream.samples_checksum import samples_crc
from runtime.stream.segment_header import SegmentHeader
from runtime.stream.stream_header import HAS_MAP, INTEGER_SPECIAL, MAP, StreamHeader
from tests.fuzz.sound_streams import shipped_executor, shipped_package, sound_streams
from tests.runtime.codec.stream_parts import RecordParts, SegmentParts, StreamParts, segment_header, stream_parts

EXTREMES = [0, 1, 2, 3, 7, 8, 15, 16, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 1 << 20, (1 << 22) - 1, 1 << 22,
            1 << 31, (1 << 32) - 2, (1 << 32) - 1]  # fmt: skip
WIDTHS = {"first_line": 32, "lines": 16, "max_error": 16, "samples_crc": 32, "payload_bytes": 32, "payload_crc": 32}
KEYS = [
    "sensor",
    "byte order",
    "Byte Order ",
    "samples\n",
    "x = 1\nlines",
    "description",
    "",
    "\ud800",
    "file type",
    "{",
]
VALUES = [None, 1, -2.5, True, "a\nbands = 1", "{a", "}", "\x00", "\ud800", ["a", None, ["b"]], {"k": "{"}, "", "1e999"]
LARGEST_MENDED = 4096
"""Samples of a line, lines of a segment."""
Random = np.random.Generator


def number(random: Random, before: int, n_bits: int) -> int:
    """An extreme, a neighbour or anything of so many bits."""
    kind = random.integers(4)
    if kind == 0:
        return int.from_bytes(random.bytes(n_bits // 8), "big")
    value = before + int(random.integers(-2, 3)) if kind == 1 else EXTREMES[random.integers(len(EXTREMES))]
    return value & ((1 << n_bits) - 1)


def segments_of(parts: StreamParts) -> list[SegmentParts]:
    """Its segments."""
    return [piece for piece in parts.pieces if isinstance(piece, SegmentParts)]


def any_segment(parts: StreamParts, random: Random) -> SegmentParts:
    """One of its segments; an empty one where it has none."""
    found = segments_of(parts) or segments_of(stream_parts(sound_streams()[0].stream))
    return found[random.integers(len(found))]


def change_header(parts: StreamParts, random: Random) -> None:
    """A number of the header."""
    names = ["bands", "columns", "lines", "depth", "flags", "sample_type", "packages", "special_values"]
    name = names[random.integers(len(names))]
    parts.header[name] = number(random, parts.header[name], 32 if name in ("bands", "columns", "lines") else 8)


def make_line_large(parts: StreamParts, random: Random) -> None:
    """Bands and columns as many as a line may have, or nearly."""
    n_bands = 1 << int(random.integers(17))
    parts.header["bands"], parts.header["columns"] = n_bands, min(65536, (1 << int(random.integers(16, 23))) // n_bands)


def change_segment(parts: StreamParts, random: Random) -> None:
    """A number of a segment's header."""
    fields = any_segment(parts, random).fields
    names = [name for name in fields if name != "marker"] + ["payload_bytes", "payload_crc"]
    name = names[random.integers(len(names))]
    fields[name] = number(random, fields.get(name, 0), WIDTHS.get(name, 8))


def change_kinds(parts: StreamParts, random: Random) -> None:
    """Predictor, stage and coder of a segment to numbers that exist."""
    any_segment(parts, random).fields.update(
        predictor=int(random.integers(1, 5)), stage=int(random.choice([0, 1, 3])), coder=int(random.integers(5)),
        package=int(random.choice([0, 255])), flags=int(random.integers(4)),
    )  # fmt: skip


def change_payload(parts: StreamParts, random: Random) -> None:
    """Bits, a cut, zeros, random bytes, more bytes, or the payload of another stream."""
    segment = any_segment(parts, random)
    data, kind = bytearray(segment.payload), random.integers(7)
    if kind == 0 and data:
        for _ in range(random.integers(1, 4)):
            data[random.integers(len(data))] ^= 1 << int(random.integers(8))
    elif kind == 1:
        del data[random.integers(len(data) + 1) :]
    elif kind == 2:
        data[:] = bytes(int(random.integers(5000)))
    elif kind == 3:
        data[:] = bytes([int(random.integers(3))]) + random.bytes(int(random.integers(400)))
    elif kind == 4:
        data += random.bytes(int(random.integers(1, 64)))
    elif kind == 5 and data:  # the header of a CCSDS 123 image lies here
        data[random.integers(min(len(data), 24))] = int(random.integers(256))
    else:
        corpus = sound_streams()
        data[:] = any_segment(stream_parts(corpus[random.integers(len(corpus))].stream), random).payload
    segment.payload = bytes(data)


def change_order(parts: StreamParts, random: Random) -> None:
    """A structure is doubled, left out, exchanged with another, or comes from another stream."""
    pieces, kind = parts.pieces, random.integers(4)
    if not pieces:
        return
    i, j = int(random.integers(len(pieces))), int(random.integers(len(pieces)))
    if kind == 0:
        pieces.insert(j, pieces[i])
    elif kind == 1:
        del pieces[i]
    elif kind == 2:
        pieces[i], pieces[j] = pieces[j], pieces[i]
    else:
        corpus = sound_streams()
        pieces.insert(j, any_segment(stream_parts(corpus[random.integers(len(corpus))].stream), random))


def add_record(parts: StreamParts, random: Random) -> None:
    """A gap, an index or something else, anywhere."""
    kind, numbers = random.integers(4), [number(random, 3, 32) for _ in range(3)]
    body = random.bytes(int(random.integers(40)))
    marker = bytes(random.choice(np.frombuffer(b"\xc5LINGAPIDXENDSEGQ", np.uint8), 4))
    if kind == 0:
        marker, body = GAP_MARKER, GAP.pack(numbers[0], numbers[1])
    elif kind == 1:
        marker = INDEX_MARKER
        body = b"".join(ENTRY.pack(3 * i, 3, 100 * i + numbers[2] % 5) for i in range(int(random.integers(5))))
    elif kind == 2:
        marker, body = GAP_MARKER, GAP.pack(9, numbers[1])  # after the last line
        parts.pieces.append(RecordParts(marker, body))
        if parts.end is not None:
            parts.end[0] = (9 + numbers[1]) & 0xFFFFFFFF
        return
    parts.pieces.insert(int(random.integers(len(parts.pieces) + 1)), RecordParts(marker, body))


def change_records(parts: StreamParts, random: Random) -> None:
    """Lines, form, lengths or bytes of records of lines, or much of them from few bytes."""
    records = [piece for piece in parts.pieces if isinstance(piece, RecordParts) and piece.marker == LINES_MARKER]
    found = [piece for piece in records if len(piece.body) >= FIXED.size]
    if not found:
        parts.pieces.insert(int(random.integers(len(parts.pieces) + 1)), RecordParts(LINES_MARKER, FIXED.pack(0, 3, 0)))
        return
    piece, kind = found[random.integers(len(found))], random.integers(5)
    first_line, n_lines, form = FIXED.unpack_from(piece.body)
    form, content = 0, piece.body[FIXED.size :]
    with suppress(zlib.error):
        content = zlib.decompress(content)
    if kind == 0:
        first_line, n_lines = number(random, first_line, 32), number(random, n_lines, 16)
    elif kind == 1:
        form = number(random, form, 8)
    elif kind == 2:
        content = b"".join(number(random, 5, 32).to_bytes(4, "big") for _ in range(1 + n_lines)) + content
    elif kind == 3:
        each = int(random.choice([0, 100, 1 << 16, 1 << 20]))
        form, content = 1, zlib.compress(each.to_bytes(4, "big") + bytes(each * n_lines))
    else:
        content = content[: random.integers(len(content) + 1)] + random.bytes(int(random.integers(9)))
    piece.body = FIXED.pack(first_line, n_lines, form) + content


def change_end(parts: StreamParts, random: Random) -> None:
    """A number of the end record, or no end."""
    if parts.end is None or random.integers(4) == 0:
        parts.end = None
        return
    i = int(random.integers(3))
    parts.end[i] = number(random, parts.end[i], 64 if i == 2 and random.integers(2) else 32)


def change_metadata(parts: StreamParts, random: Random) -> None:
    """Keys and values that would be structure, no JSON, or much of it from few bytes."""
    kind = random.integers(6)
    if kind == 0:
        text = random.bytes(int(random.integers(60)))
    elif kind == 1:
        text = (
            b'{"a":' + b"[" * int(random.choice([100, 900, 5000])) + b"]" * int(random.choice([100, 900, 5000])) + b"}"
        )
    elif kind == 2:
        text = b'{"a":' + b"[]," * 10 + b" " * int(random.choice([100, 1 << 22])) + b"}"
    else:
        chosen = {KEYS[random.integers(len(KEYS))]: VALUES[random.integers(len(VALUES))] for _ in range(3)}
        text = json.dumps(chosen).encode()
    table = parts.tail[: 33 * parts.header["packages"]]
    parts.tail = (
        table + (text if random.integers(8) == 0 else zlib.compress(text)) + bytes(int(random.integers(8) == 0))
    )


def change_packages(parts: StreamParts, random: Random) -> None:
    """The table of packages: an arithmetic, a hash, more rows."""
    tail = bytearray(parts.tail)
    if len(tail) >= 33 and parts.header["packages"] and random.integers(2):
        tail[random.integers(33)] = int(random.integers(256))
    else:
        tail[:0] = bytes([int(random.integers(4))]) + random.bytes(32)
        parts.header["packages"] = (parts.header["packages"] + 1) & 255
    parts.tail = bytes(tail)


def change_values(parts: StreamParts, random: Random) -> None:
    """Special values, and a map from codes to values, whatever they were; of some an end is cut off."""
    n_specials, has_map = int(random.choice([0, 1, 2, 3, 17])), int(random.integers(2))
    parts.header["special_values"] = n_specials
    parts.header["flags"] = parts.header["flags"] & 1 | HAS_MAP * has_map
    pairs = [(int(random.integers(1, 4)), int(random.choice([500, -9, 0, -(1 << 63), 7]))) for _ in range(n_specials)]
    steps = (int(random.choice([0, 5, -(1 << 40)])), int(random.choice([0, 1, 16, 1 << 31])), int(random.integers(3)))
    parts.values = b"".join(INTEGER_SPECIAL.pack(*pair) for pair in pairs)
    parts.values += MAP.pack(*steps, float(random.choice([1.0, 0.0, -1.0, np.nan, np.inf, 1e-4]))) * has_map
    if random.integers(4) == 0:
        parts.header["sample_type"] = int(random.choice([1, 2, 3, 4, 5, 12, 13, 14, 15, 129]))
    if random.integers(8) == 0:
        parts.values = parts.values[:-1]


def mend_order(parts: StreamParts, random: Random) -> None:
    """First lines and the end's numbers as they must be for the segments that are there."""
    n_lines, last = 0, (0, 0)
    for piece in parts.pieces:
        if isinstance(piece, SegmentParts):
            piece.fields["first_line"] = n_lines & 0xFFFFFFFF
            last = piece.fields["first_line"], piece.fields["lines"]
            n_lines += piece.fields["lines"]
        elif piece.marker == LINES_MARKER and len(piece.body) >= FIXED.size:
            piece.body = FIXED.pack(*last, piece.body[FIXED.size - 1]) + piece.body[FIXED.size :]
    parts.end = [n_lines, len(segments_of(parts)), 0]
    if random.integers(2):
        parts.header["lines"] = n_lines


def mend_samples(parts: StreamParts) -> None:
    """The samples CRC of each small segment as that of what it decodes to: a hostile encoder knows it."""
    if parts.header["bands"] * parts.header["columns"] > LARGEST_MENDED:
        return
    with suppress(LineRwkvError):
        decoder = Decoder(
            StreamHeader.from_bytes(parts.header_bytes()), [shipped_package()], lambda _: shipped_executor()
        )
        for piece in segments_of(parts):
            if piece.fields["lines"] > LARGEST_MENDED:
                continue
            with suppress(LineRwkvError):
                header = SegmentHeader.from_bytes(segment_header(piece, 0))
                lines = decoder.codec(header.coding, "").lines(header, piece.payload)
                piece.fields["samples_crc"] = reduce(lambda crc, line: samples_crc(line, crc), lines, 0)


CHANGES: list[Callable[[StreamParts, Random], None]] = [
    change_header, make_line_large, change_segment, change_segment, change_kinds, change_payload, change_payload,
    change_order, add_record, change_records, change_end, change_metadata, change_packages, change_values,
]  # fmt: skip


def hostile_stream(random: Random) -> bytes:
    """A stream with one to three changes and right checksums; of some, bytes are damaged afterwards."""
    corpus = sound_streams()
    parts = stream_parts(corpus[random.integers(len(corpus))].stream)
    parts.has_index = random.integers(2) == 0
    for _ in range(1 + int(random.integers(4) == 0) + int(random.integers(4) == 0)):
        CHANGES[random.integers(len(CHANGES))](parts, random)
    if random.integers(3) == 0:
        mend_order(parts, random)
    if random.integers(3) == 0:
        mend_samples(parts)
    data = bytearray(parts.to_bytes())
    if random.integers(8) == 0:
        start = int(random.integers(len(data)))
        data[start : start + int(random.integers(9))] = random.bytes(int(random.integers(9)))
    return bytes(data)
