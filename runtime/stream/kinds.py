"""The numbers that stand for choices in a stream (docs/formats/stream.md)."""

from enum import IntEnum
from typing import TypeVar

from runtime.errors import Corrupt


class SampleType(IntEnum):
    """Data type of the original file: ENVI's numbers, and one more."""

    UINT8 = 1
    INT16 = 2
    INT32 = 3
    FLOAT32 = 4
    FLOAT64 = 5
    UINT16 = 12
    UINT32 = 13
    INT64 = 14
    UINT64 = 15
    INT8 = 129

    @property
    def is_float(self) -> bool:
        """Whether its values are integers times a scale."""
        return self in (SampleType.FLOAT32, SampleType.FLOAT64)


class SpecialKind(IntEnum):
    """What a special value says of its sample."""

    VOID = 1  # Nothing was measured
    LIMIT = 2  # What was measured reached an end of the range


class Quantisation(IntEnum):
    """Where DPCM, LineRWKV and RLS round to steps of 2M + 1."""

    PREQUANTISED = 0  # The samples, before everything else
    IN_LOOP = 1  # The residuals of predictions made from restored samples


class Arithmetic(IntEnum):
    """Which arithmetic a package's network computes in."""

    FLOAT32 = 1  # Decodable on the same machine only
    INT8_V2 = 3  # Decodable everywhere (docs/arithmetic.md)

    @classmethod
    def of(cls, name: str) -> "Arithmetic":
        """By the name that a package's manifest has."""
        return cls[name.upper().replace("-", "_")]


class PredictorKind(IntEnum):
    """What predicts the samples of a segment."""

    DPCM = 1
    LINERWKV = 2
    CCSDS123 = 3
    RLS = 4  # The adaptive stage alone


class AdaptiveStage(IntEnum):
    """What refines the prediction sample by sample."""

    NONE = 0
    FAST = 1
    BEST = 3  # 2 was one without the correction of columns; no release ever wrote it.


class Coder(IntEnum):
    """How a segment is written."""

    STORED = 0  # Plain samples
    SAMPLE_ADAPTIVE = 1  # Mapped residuals by section 5.4.3.2 of CCSDS 123.0-B-2
    CCSDS123 = 2  # The payload is a whole CCSDS 123.0-B-2 compressed image
    HYBRID = 3  # Mapped residuals by section 5.4.3.3 of that standard
    RANGE = 4  # Mapped residuals by a range coder with contexts: runtime/coders/range_residuals.py


Member = TypeVar("Member", bound=IntEnum)


def enum_of(kind: type[Member], value: int, where: str) -> Member:
    """The member with this value; a value of a later version is Corrupt here, because its CRC was right."""
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(f"{member.value} ({member.name.lower()})" for member in kind)
        raise Corrupt(f"{where}: {kind.__name__} is {value}, allowed {allowed}") from None
