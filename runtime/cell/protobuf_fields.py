"""The fields of one message in protobuf's wire format, those alone that the reader names; anything else is refused.

https://protobuf.dev/programming-guides/encoding/. The caller names every field that a message may have, so that nothing
which another reader would act on passes unseen; a field that occurs twice is given twice.
"""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple

from runtime.errors import Corrupt


class Wire(IntEnum):
    """How a field lies in the bytes; the groups of old files are not read."""

    VARINT = 0
    FIXED64 = 1
    BYTES = 2
    FIXED32 = 5


FIXED_BYTES = {Wire.FIXED64: 8, Wire.FIXED32: 4}
LONGEST_VARINT = 10  # bytes


class Field(NamedTuple):
    """One occurrence of a field."""

    number: int
    data: bytes
    """Empty where it is a varint."""
    integer: int = 0
    """Of a varint, 0..2**64 - 1."""

    def text(self) -> str:
        """Of UTF-8. Raises Corrupt."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            raise Corrupt(f"field {self.number} is text that is not UTF-8") from None


def fields(message: bytes, allowed: Mapping[int, tuple[Wire, ...]], what: str) -> Iterator[Field]:
    """Each field in its order. allowed: wire types of each number; what: the message, for errors. Raises Corrupt."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at, what)
        number, kind = tag >> 3, tag & 7
        if kind not in allowed.get(number, ()):
            raise Corrupt(f"{what}: field {number} of wire type {kind}, allowed fields {', '.join(map(str, allowed))}")
        if kind == Wire.VARINT:
            value, at = varint(message, at, what)
            yield Field(number, b"", value)
            continue
        n_bytes = FIXED_BYTES.get(Wire(kind))
        if n_bytes is None:
            n_bytes, at = varint(message, at, what)
        if n_bytes > len(message) - at:
            raise Corrupt(f"{what}: field {number} of {n_bytes} bytes, {len(message) - at} are left")
        yield Field(number, message[at : at + n_bytes])
        at += n_bytes


def varint(message: bytes, at: int, what: str) -> tuple[int, int]:
    """An unsigned number of 64 bits that begins at `at`, and where the next byte lies. Raises Corrupt."""
    value = 0
    for index, byte in enumerate(message[at : at + LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if value >> 64:
                break
            return value, at + index + 1
    raise Corrupt(f"{what}: no number of 64 bits at byte {at}")
