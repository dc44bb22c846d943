"""Bit depth and sample range of integer images."""

from enum import Enum

from runtime.errors import BadArgument

SMALLEST_DEPTH = 8
LARGEST_DEPTH = 16


class OutOfRange(Enum):
    """What becomes of a sample beyond the depth."""

    STOP = "stop"
    """An error; where the source cannot be read again, the lines before it are kept."""
    CLIP = "clip"
    """The nearest sample of the depth; counted."""


def fewest_bits(lowest: int, highest: int, *, is_signed: bool) -> int:
    """Bits of the narrowest samples that hold lowest..highest, in two's complement where signed."""
    return max((value if value >= 0 else ~value).bit_length() for value in (lowest, highest)) + is_signed


def bit_depth(lowest: int, highest: int) -> int:
    """The smallest depth 8..16 that holds lowest..highest, signed if lowest < 0. Raises BadArgument beyond 16 bits."""
    needed = fewest_bits(lowest, highest, is_signed=lowest < 0)
    if needed > LARGEST_DEPTH:
        raise BadArgument(f"samples reach {lowest}..{highest}, which needs {needed} bits; allowed at most 16")
    return max(SMALLEST_DEPTH, needed)


def sample_range(depth: int, *, is_signed: bool) -> tuple[int, int]:
    """Smallest and largest sample of a depth: s_min and s_max of CCSDS 123.0-B-2 section 3.3."""
    return (-(1 << (depth - 1)), (1 << (depth - 1)) - 1) if is_signed else (0, (1 << depth) - 1)
