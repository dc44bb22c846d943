"""The choices that the header of CCSDS 123.0-B-2 encodes as small numbers: a member's place is its code."""

from enum import StrEnum
from typing import Self

from runtime.errors import BadArgument


class Choice(StrEnum):
    """A choice whose header code is its place among the members."""

    @property
    def code(self) -> int:
        """The number that stands in the header."""
        return list(type(self)).index(self)

    @classmethod
    def from_code(cls, code: int) -> Self:
        """The member with that header code; BadArgument where the standard reserves it."""
        members = list(cls)
        if code >= len(members):
            raise BadArgument(f"{cls.__name__} code is {code}, allowed 0..{len(members) - 1}")
        return members[code]


class Order(Choice):
    """Sample encoding order (5.4.2)."""

    BAND_INTERLEAVED = "BI"
    BAND_SEQUENTIAL = "BSQ"


class CoderType(Choice):
    """Entropy coder type (5.4.3)."""

    SAMPLE_ADAPTIVE = "sample_adaptive"
    HYBRID = "hybrid"
    BLOCK_ADAPTIVE = "block_adaptive"


class Fidelity(Choice):
    """Quantizer fidelity control method (4.8.2.1); bit 0 of the code is absolute, bit 1 is relative."""

    LOSSLESS = "lossless"
    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    ABSOLUTE_AND_RELATIVE = "absolute_and_relative"

    @property
    def uses_absolute(self) -> bool:
        """Whether absolute error limits a_z exist."""
        return bool(self.code & 1)

    @property
    def uses_relative(self) -> bool:
        """Whether relative error limits r_z exist."""
        return bool(self.code & 2)


class Mode(Choice):
    """Prediction mode (4.3)."""

    FULL = "full"
    REDUCED = "reduced"


class LocalSum(Choice):
    """Local sum type (4.4)."""

    WIDE_NEIGHBOR = "wide_neighbor"
    NARROW_NEIGHBOR = "narrow_neighbor"
    WIDE_COLUMN = "wide_column"
    NARROW_COLUMN = "narrow_column"


class TableType(Choice):
    """Type of a supplementary information table (3.5.2.3)."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    FLOAT = "float"


class TableStructure(Choice):
    """Structure of a supplementary information table (3.5.2.4)."""

    ZERO_DIMENSIONAL = "0d"
    ONE_DIMENSIONAL = "1d"
    TWO_DIMENSIONAL_ZX = "2d_zx"
    TWO_DIMENSIONAL_YX = "2d_yx"
