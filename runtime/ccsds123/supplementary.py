"""Supplementary information tables, carried in the header for the end user (3.5, 5.3.2.3)."""

from dataclasses import dataclass
from typing import Any

from runtime.ccsds123.choices import TableStructure, TableType
from runtime.ccsds123.fields import FieldReader, FieldWriter
from runtime.ccsds123.image import Image
from runtime.ccsds123.ranges import check, check_all

PURPOSES = {0: "scale", 1: "offset", 2: "wavelength", 3: "full width at half maximum", 4: "defect indicator"}
FIRST_USER_PURPOSE, LAST_PURPOSE = 10, 15


@dataclass(frozen=True)
class FloatFormat:
    """Widths and bias of a float table (3.5.2.3.3)."""

    significand_bits: int  # D_F, 1..23
    exponent_bits: int  # D_E, 2..8
    bias: int  # beta, 0..2**D_E - 1

    def __post_init__(self) -> None:
        check("supplementary table DF", self.significand_bits, 1, 23)
        check("supplementary table DE", self.exponent_bits, 2, 8)
        check("supplementary table beta", self.bias, 0, (1 << self.exponent_bits) - 1)

    @property
    def n_bits(self) -> int:
        """Bits of an element: sign, exponent, significand."""
        return 1 + self.exponent_bits + self.significand_bits

    def value(self, element: int) -> float:
        """The number that an element means (equations 16 and 17 and the special values)."""
        significand = element & ((1 << self.significand_bits) - 1)
        exponent = (element >> self.significand_bits) & ((1 << self.exponent_bits) - 1)
        sign = -1.0 if element >> (self.n_bits - 1) else 1.0
        if exponent == (1 << self.exponent_bits) - 1:
            return sign * float("inf") if significand == 0 else float("nan")
        if exponent == 0:
            return sign * significand * 2.0 ** (1 - self.bias - self.significand_bits)
        whole = (1 << self.significand_bits) + significand
        return sign * whole * 2.0 ** (exponent - self.bias - self.significand_bits)


@dataclass(frozen=True)
class SupplementaryTable:
    """One table; a float element is the unsigned number that its sign, exponent and significand bits spell."""

    type: TableType
    purpose: int  # 0..4 (see PURPOSES) or 10..15 (user-defined)
    structure: TableStructure
    values: tuple[int, ...]  # 1, N_Z, N_Z * N_X or N_Y * N_X elements, the last axis fastest
    n_bits: int = 0  # D_I, 1..32, of an integer table
    float_format: FloatFormat | None = None  # Of a float table
    user_data: int = 0  # 0..15, at the user's disposal

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES:
            check("supplementary table purpose", self.purpose, FIRST_USER_PURPOSE, LAST_PURPOSE)
        check("supplementary table user data", self.user_data, 0, 15)
        if self.float_format is None:
            check("supplementary table DI", self.n_bits, 1, 32)
        is_signed = self.type is TableType.SIGNED
        lowest = -(1 << (self.element_bits - 1)) if is_signed else 0
        check_all("supplementary table", self.values, len(self.values), lowest, lowest + (1 << self.element_bits) - 1)

    @property
    def element_bits(self) -> int:
        """Bits of an element."""
        return self.n_bits if self.float_format is None else self.float_format.n_bits

    @property
    def numbers(self) -> tuple[float, ...]:
        """The elements as numbers."""
        return self.values if self.float_format is None else tuple(map(self.float_format.value, self.values))

    def write(self, fields: FieldWriter) -> None:
        """Append the table (table 5-4)."""
        fields.put_each(
            (self.type.code, 2), (0, 2), (self.purpose, 4), (0, 1), (self.structure.code, 2), (0, 1),
            (self.user_data, 4),
        )  # fmt: skip
        if self.float_format is None:
            fields.put(self.n_bits, 5)
        else:
            fields.put_each(
                (self.float_format.significand_bits, 5), (self.float_format.exponent_bits, 3),
                (self.float_format.bias, self.float_format.exponent_bits),
            )  # fmt: skip
        fields.put_all(self.values, self.element_bits)

    @classmethod
    def read(cls, fields: FieldReader, image: Image) -> "SupplementaryTable":
        """The table that `fields` go on with."""
        kind = TableType.from_code(fields.take(2, "table type"))
        fields.reserved(2)
        purpose = fields.take(4, "table purpose")
        fields.reserved(1)
        structure = TableStructure.from_code(fields.take(2, "table structure"))
        fields.reserved(1)
        user_data = fields.take(4, "supplementary user-defined data")
        n_bits, float_format = 0, None
        if kind is TableType.FLOAT:
            significand_bits, exponent_bits = fields.take(5, "table DF"), fields.take_size(3, "table DE")
            float_format = FloatFormat(significand_bits, exponent_bits, fields.take(exponent_bits, "table beta"))
        else:
            n_bits = fields.take_size(5, "table DI")
        element_bits = n_bits if float_format is None else float_format.n_bits
        n_values = n_elements(structure, image)
        values = fields.take_all(n_values, element_bits, "table data", signed=kind is TableType.SIGNED)
        return cls(kind, purpose, structure, values, n_bits, float_format, user_data)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "SupplementaryTable":
        """The table whose `to_dict` is `values`."""
        fields = values | {"type": TableType(values["type"]), "structure": TableStructure(values["structure"])}
        fields["values"] = tuple(values["values"])
        if fields.get("float_format") is not None:
            fields["float_format"] = FloatFormat(**fields["float_format"])
        return cls(**fields)


def n_elements(structure: TableStructure, image: Image) -> int:
    """Elements of a table of that structure (3.5.2.4)."""
    return {
        TableStructure.ZERO_DIMENSIONAL: 1,
        TableStructure.ONE_DIMENSIONAL: image.n_bands,
        TableStructure.TWO_DIMENSIONAL_ZX: image.n_bands * image.n_columns,
        TableStructure.TWO_DIMENSIONAL_YX: image.n_lines * image.n_columns,
    }[structure]
