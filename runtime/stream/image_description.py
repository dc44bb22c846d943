"""What is known of an image before its first line."""

from dataclasses import dataclass, field
from typing import Any

from runtime.errors import BadArgument
from runtime.stream.depth import LARGEST_DEPTH, SMALLEST_DEPTH, sample_range
from runtime.stream.kinds import SampleType

LARGEST_BANDS = 1 << 16
LARGEST_COLUMNS = 1 << 16
LARGEST_LINES = (1 << 32) - 1
LARGEST_LINE_SAMPLES = 1 << 22  # bounds what a corrupt header can make a decoder allocate
TYPE_RANGES = {SampleType.UINT8: (0, 255), SampleType.INT16: (-32768, 32767), SampleType.UINT16: (0, 65535)}


@dataclass(frozen=True)
class ImageDescription:
    """What an encoder must know, and a decoder needs beside the bytes of one segment."""

    n_bands: int
    n_columns: int
    depth: int  # Bits per sample, 8..16
    is_signed: bool
    n_lines: int = 0  # 0: not known
    sample_type: SampleType | None = None  # Of the original file; None: the narrowest that holds the depth.
    metadata: dict[str, Any] = field(default_factory=dict)
    """Carried through as JSON: wavelengths and other entries of the ENVI header."""

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
        (smallest, largest), (lowest, highest) = TYPE_RANGES[self.file_type], self.range
        if not smallest <= lowest <= highest <= largest:
            held = f"type {self.file_type.name.lower()} holds {smallest}..{largest}"
            raise BadArgument(f"image: samples of {self.depth} bits reach {lowest}..{highest}, {held}")

    @property
    def file_type(self) -> SampleType:
        """The sample type, which is always set after construction."""
        assert self.sample_type is not None
        return self.sample_type

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest sample of the depth."""
        return sample_range(self.depth, is_signed=self.is_signed)

    @property
    def largest_error(self) -> int:
        """The largest maximum error that may be asked for."""
        return (1 << (self.depth - 1)) - 1
