"""What is known of an image before its first line."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from runtime.errors import BadArgument
from runtime.stream.depth import LARGEST_DEPTH, SMALLEST_DEPTH, sample_range
from runtime.stream.kinds import SampleType, SpecialKind
from runtime.stream.sample_map import LARGEST_STEP, PLAIN, SampleMap, is_same
from runtime.stream.special_values import LARGEST_SPECIAL, Special

LARGEST_BANDS = 1 << 16
LARGEST_COLUMNS = 1 << 16
LARGEST_LINES = (1 << 32) - 1
LARGEST_LINE_SAMPLES = 1 << 22  # bounds what a corrupt header can make a decoder allocate
TYPE_RANGES = {
    SampleType.UINT8: (0, 255), SampleType.INT8: (-128, 127), SampleType.INT16: (-32768, 32767),
    SampleType.UINT16: (0, 65535), SampleType.INT32: (-(1 << 31), (1 << 31) - 1), SampleType.UINT32: (0, (1 << 32) - 1),
    SampleType.INT64: (-(1 << 63), (1 << 63) - 1), SampleType.UINT64: (0, (1 << 63) - 1),
}  # fmt: skip
"""Of integer types. Larger samples of uint64 are refused: numbers of a stream have 64 bits with a sign."""


@dataclass(frozen=True)
class ImageDescription:
    """What an encoder must know, and a decoder needs beside the bytes of one segment."""

    n_bands: int
    n_columns: int
    depth: int  # Bits per code, 8..16; where values are the codes, bits per sample.
    is_signed: bool
    n_lines: int = 0  # 0: not known
    sample_type: SampleType | None = None  # Of the original file; None: the narrowest that holds the depth.
    metadata: dict[str, Any] = field(default_factory=dict)
    """Carried through as JSON: wavelengths and other entries of the ENVI header."""
    values: SampleMap = PLAIN
    """How values follow from codes."""
    specials: tuple[Special, ...] = ()
    """Values that are no measurements."""

    def __post_init__(self) -> None:
        """Raise BadArgument for geometry and depths outside the format."""
        limits = {
            "n_bands": (1, LARGEST_BANDS),
            "n_columns": (1, LARGEST_COLUMNS),
            "n_lines": (0, LARGEST_LINES),
            "depth": (SMALLEST_DEPTH, LARGEST_DEPTH),
        }
        for name, (lowest, highest) in limits.items():
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise BadArgument(f"image: {name} is {value}, allowed {lowest}..{highest}")
        if self.n_bands * self.n_columns > LARGEST_LINE_SAMPLES:
            line = f"a line of {self.n_bands} bands x {self.n_columns} columns"
            raise BadArgument(f"image: {line}, allowed at most {LARGEST_LINE_SAMPLES} samples")
        if self.sample_type is None:
            unsigned = SampleType.UINT8 if self.depth <= 8 else SampleType.UINT16
            object.__setattr__(self, "sample_type", SampleType.INT16 if self.is_signed else unsigned)
        self.check_map()
        self.check_specials()

    def check_map(self) -> None:
        """Raise BadArgument where the sample type cannot hold the values."""
        (offset, step, scale, divides), name = self.values, self.file_type.name.lower()
        if not (1 <= step <= LARGEST_STEP and -(1 << 63) <= offset < 1 << 63 and 0 < scale < float("inf")):
            found = f"offset {offset}, step {step}, scale {scale}"
            raise BadArgument(f"image: {found}, allowed 64 bits, 1..{LARGEST_STEP}, a finite number above 0")
        if self.file_type.is_float:
            return
        if scale != 1.0 or divides:
            raise BadArgument(f"image: samples of type {name} with scale {scale}, allowed with floats only")
        smallest, largest = TYPE_RANGES[self.file_type]
        lowest, highest = sample_range(self.depth, is_signed=self.is_signed)
        if self.values.is_plain and not smallest <= lowest <= highest <= largest:
            held = f"type {name} holds {smallest}..{largest}"
            raise BadArgument(f"image: samples of {self.depth} bits reach {lowest}..{highest}, {held}")
        if self.range[0] > self.range[1]:
            raise BadArgument(f"image: offset {offset} and step {step} leave no value of type {name}")

    def check_specials(self) -> None:
        """Raise BadArgument where one cannot be, or is there twice."""
        if len(self.specials) > LARGEST_SPECIAL:
            raise BadArgument(f"image: {len(self.specials)} special values, allowed {LARGEST_SPECIAL}")
        if len({repr(special.value) for special in self.specials}) < len(self.specials):
            raise BadArgument(f"image: special values {', '.join(map(str, self.specials))}, allowed each once")
        for special in self.specials:
            if self.file_type.is_float:
                is_held = special.kind is SpecialKind.VOID or self.code_of(special) is not None
            else:
                lowest, highest = TYPE_RANGES[self.file_type]
                is_held = not isinstance(special.value, float) and lowest <= special.value <= highest
                is_held &= special.kind is SpecialKind.VOID or self.code_of(special) is not None
            if not is_held:
                raise BadArgument(f"image: special value {special}, which no sample can have")

    def code_of(self, special: Special) -> int | None:
        """The code whose value a special value has, where there is one."""
        if isinstance(special.value, float) and not math.isfinite(special.value):
            return None
        kinds = {SampleType.FLOAT32: np.float32, SampleType.FLOAT64: np.float64}
        value = np.array([special.value], kinds.get(self.file_type, np.int64))
        codes = self.values.codes(value)
        smallest, largest = self.range
        is_code = smallest <= codes[0] <= largest and is_same(self.values.values_of(codes, value.dtype), value)[0]
        return int(codes[0]) if is_code else None

    @property
    def voids(self) -> list[tuple[int, Special]]:
        """Special values of kind VOID, and their places among all."""
        return [(j, special) for j, special in enumerate(self.specials) if special.kind is SpecialKind.VOID]

    @property
    def is_as_it_is(self) -> bool:
        """Whether every value is its code."""
        return self.values.is_plain and not self.file_type.is_float and not self.voids

    @property
    def file_type(self) -> SampleType:
        """The sample type, which is always set after construction."""
        assert self.sample_type is not None
        return self.sample_type

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest code: those of the depth whose values the sample type holds."""
        lowest, highest = sample_range(self.depth, is_signed=self.is_signed)
        if self.values.is_plain or self.file_type.is_float:
            return lowest, highest
        (smallest, largest), (offset, step, _, _) = TYPE_RANGES[self.file_type], self.values
        return max(lowest, -((offset - smallest) // step)), min(highest, (largest - offset) // step)

    @property
    def allowed(self) -> str:
        """The values that samples may have, in words."""
        smallest, largest = self.range
        if self.values.is_plain:
            return f"the bit depth allows {smallest}..{largest}"
        (offset, step, scale, _), sign = self.values, "/" if self.values.divides else "*"
        scaled = f" {sign} {scale}" if scale != 1.0 else ""
        return f"allowed {offset} + {step} * {smallest}..{largest}{scaled}"

    @property
    def largest_error(self) -> int:
        """The largest maximum error that may be asked for."""
        return (1 << (self.depth - 1)) - 1
