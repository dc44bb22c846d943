"""Protobuf's wire format: what its own library writes is read, and no bytes at all do worse than Corrupt."""

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.cell.protobuf_fields import Wire, fields
from runtime.errors import Corrupt

ANY = tuple(Wire)
ATTRIBUTE = {1: (Wire.BYTES,), 2: (Wire.FIXED32,), 3: (Wire.VARINT,), 20: (Wire.VARINT,)}


@given(st.text(), st.integers(-(2**63), 2**63 - 1))
def test_what_protobuf_writes_is_read(name: str, number: int) -> None:
    message = onnx.AttributeProto(name=name, i=number, f=0.5, type=onnx.AttributeProto.INT).SerializeToString()
    found = {field.number: field for field in fields(message, ATTRIBUTE, "attribute")}
    assert found[1].text() == name
    assert found[2].data == b"\0\0\0?"
    assert found[3].integer == number % 2**64
    assert set(found) == {1, 2, 3, 20}


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_corrupt(message: bytes) -> None:
    try:
        found = list(fields(message, {1: ANY, 2: ANY}, "any"))
    except Corrupt as error:
        assert "\n" not in str(error)
    else:
        assert sum(len(field.data) + 1 for field in found) <= len(message)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (b"\x0a\x05abc", "field 1 of 5 bytes, 3 are left"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "bytes, 0 are left"),
        (b"\x0a", "no number of 64 bits at byte 1"),
        (b"\x08" + b"\xff" * 9 + b"\x02", "no number of 64 bits"),
        (b"\x08" + b"\x80" * 11, "no number of 64 bits"),
        (b"\x0b\x0c", "field 1 of wire type 3"),
        (b"\x22\x00", "field 4 of wire type 2"),
        (b"\x02\x00", "field 0 of wire type 2"),
        (b"\x0d\0\0", "field 1 of 4 bytes, 2 are left"),
    ],
)
def test_a_broken_message_says_where(message: bytes, told: str) -> None:
    with pytest.raises(Corrupt, match=told):
        list(fields(message, {1: ANY}, "message"))
