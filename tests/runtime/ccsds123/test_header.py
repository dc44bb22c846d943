import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.ccsds123 import Ccsds123Parameters, read_header
from runtime.ccsds123.choices import TableStructure, TableType
from runtime.ccsds123.header import split_header, write_header
from runtime.ccsds123.supplementary import FloatFormat, SupplementaryTable, n_elements
from runtime.errors import Corrupt, Truncated

PARAMETERS = Ccsds123Parameters.from_dict({"Nx": 3, "Ny": 4, "Nz": 2, "D": 12})
LARGEST: dict[str, Any] = {
    "Nx": 65536, "Ny": 65536, "Nz": 65536, "D": 32, "M": 65536, "B": 8, "user": 255, "signed": True, "R": 64,
    "Omega": 19, "log2_tinc": 11, "vmin": 9, "vmax": 9, "P": 15, "Umax": 32, "gamma0": 8, "gamma_star": 11, "K": 14,
    "fidelity": "absolute_and_relative", "a": 65535, "r": 65535, "theta": 4, "phi": 15, "psi": 15,
}  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> SupplementaryTable:
    structure = draw(st.sampled_from(TableStructure))
    kind = draw(st.sampled_from(TableType))
    n_bits, float_format = draw(st.integers(1, 32)), None
    if kind is TableType.FLOAT:
        exponent_bits = draw(st.integers(2, 8))
        bias = draw(st.integers(0, (1 << exponent_bits) - 1))
        float_format = FloatFormat(draw(st.integers(1, 23)), exponent_bits, bias)
        n_bits = 0
    width = n_bits if float_format is None else float_format.n_bits
    lowest = -(1 << (width - 1)) if kind is TableType.SIGNED else 0
    size = n_elements(structure, PARAMETERS.image)
    values = draw(st.lists(st.integers(lowest, lowest + (1 << width) - 1), min_size=size, max_size=size))
    purpose = draw(st.sampled_from([0, 1, 2, 3, 4, 10, 15]))
    return SupplementaryTable(kind, purpose, structure, tuple(values), n_bits, float_format, draw(st.integers(0, 15)))


@given(st.lists(tables(), max_size=15))
def test_supplementary_tables_survive_the_header_and_the_dictionary(drawn: list[SupplementaryTable]) -> None:
    parameters = replace(PARAMETERS, supplementary_tables=tuple(drawn))
    header = write_header(parameters)
    assert split_header(header + b"body") == (parameters, len(header))
    assert Ccsds123Parameters.from_dict(parameters.to_dict()) == parameters


def test_a_supplementary_table_is_laid_out_as_in_table_5_4() -> None:
    table = SupplementaryTable(TableType.SIGNED, 2, TableStructure.ONE_DIMENSIONAL, (-1, 3), 5, None, 9)
    header = write_header(replace(PARAMETERS, supplementary_tables=(table,)))
    assert header[11] & 15 == 1
    # type 01, 00, purpose 0010, 0, structure 01, 0, user 1001, depth 00101, elements 11111 00011, fill
    bits = "01_00_0010_0_01_0_1001_00101_11111_00011_0"
    assert header[12:16] == int(bits, 2).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("element", "number"),
    [(0x3F800000, 1.0), (0xC0490FDB, -3.1415927410125732), (0x00000001, 2.0**-149), (0x7F800000, math.inf)],
)
def test_float_tables_of_binary32_width_mean_what_ieee_754_means(element: int, number: float) -> None:
    assert FloatFormat(23, 8, 127).value(element) == number


def test_a_float_that_is_no_number() -> None:
    assert math.isnan(FloatFormat(23, 8, 127).value(0x7F800001))


def test_the_largest_values_are_stored_modulo_their_width() -> None:
    parameters = Ccsds123Parameters.from_dict(LARGEST)
    header = write_header(parameters)
    assert header[1:7] == bytes(6)
    assert read_header(header) == parameters


@pytest.mark.parametrize("n_bytes", range(19))
def test_a_header_that_ends_early_is_truncated(n_bytes: int) -> None:
    with pytest.raises(Truncated):
        read_header(write_header(PARAMETERS)[:n_bytes])


@pytest.mark.parametrize(
    ("byte", "mask"),
    [(7, 0x40), (10, 0x80), (10, 0x40), (10, 0x06), (10, 0x01), (11, 0x20), (12, 0x80), (16, 0x02), (16, 0x01)],
    ids=str,
)
def test_reserved_and_contradictory_fields_are_refused(byte: int, mask: int) -> None:
    header = bytearray(write_header(PARAMETERS))
    header[byte] |= mask
    with pytest.raises(Corrupt) as caught:
        read_header(bytes(header))
    assert "\n" not in str(caught.value)
