"""What an encoder must know of an image file: its depth, special values and how its values follow from codes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from runtime.errors import BadArgument
from runtime.images.float_scale import NOT_SCALED, float_scale
from runtime.images.raw_lines import SAMPLE_TYPES
from runtime.images.sample_scan import SampleScan, scan
from runtime.images.scene_reader import Scene
from runtime.stream.depth import LARGEST_DEPTH, OutOfRange, bit_depth, fewest_bits
from runtime.stream.image_description import TYPE_RANGES, ImageDescription
from runtime.stream.kinds import SampleType, SpecialKind
from runtime.stream.sample_map import PLAIN, SampleMap
from runtime.stream.special_values import Special

IGNORED = "data ignore value"
"""The entry of the metadata that declares samples which are no measurements."""
OFTEN = 512
"""An end of the range that one in so many samples has is a limit; rarer ones are samples as any."""


def describe(
    scene: Scene, depth: int | None, beyond: OutOfRange = OutOfRange.STOP, specials: Sequence[float] = ()
) -> ImageDescription:
    """What the encoder must know, found by one scan of all samples; of floats by two.

    depth: bits per sample, at least what the scan finds. beyond: what becomes of samples beyond a depth that is given.
    specials: values that are no measurements, beside the one that the metadata declare. Raises BadArgument.
    """
    n_lines, n_bands, n_columns = scene.shape
    kind = SAMPLE_TYPES.get(scene.source.dtype.name)
    if kind is None:
        raise BadArgument(f"samples are {scene.source.dtype}, allowed {', '.join(SAMPLE_TYPES)}")
    voids = tuple(Special(value) for value in declared(scene, kind, specials))
    values = float_scale(scene.lines, voids) if kind.is_float else PLAIN
    found = scan(scene.lines(), voids, values)
    values, code_depth, is_signed = code_map(found, values, depth, beyond)
    is_signed |= kind is SampleType.INT8 and values.is_plain  # no depth has less than 8 bits
    sizes = (n_bands, n_columns, code_depth, is_signed, n_lines, kind, scene.metadata, values)
    image = ImageDescription(*sizes, voids)
    return ImageDescription(*sizes, voids + limits(found, image))


def declared(scene: Scene, kind: SampleType, specials: Sequence[float]) -> list[int | float]:
    """The values that are no measurements, each once; that of the metadata counts only where a sample can be it."""
    found: dict[str, int | float] = {}
    try:
        ignored = as_type(float(str(scene.metadata.get(IGNORED, "none"))), kind)
    except ValueError:
        ignored = None
    for value in [ignored, *(as_type(given, kind) for given in specials)]:
        if value is not None:
            found.setdefault(repr(value), value)
    for given in specials:
        if as_type(given, kind) is None:
            raise BadArgument(f"special value {given:g}, which no sample of type {kind.name.lower()} can have")
    return list(found.values())


def as_type(value: float, kind: SampleType) -> int | float | None:
    """A value as samples of this type have it; None where none can."""
    if kind.is_float:
        return float(np.float32(value)) if kind is SampleType.FLOAT32 else float(value)
    lowest, highest = TYPE_RANGES[kind]
    is_whole = math.isfinite(value) and value == int(value) and lowest <= value <= highest
    return int(value) if is_whole else None


def code_map(
    found: SampleScan, values: SampleMap, depth: int | None, beyond: OutOfRange
) -> tuple[SampleMap, int, bool]:
    """The map of codes that fit the format, their depth, whether they have a sign. Raises BadArgument."""
    lowest, highest, step = found.lowest, found.highest, found.step
    if depth is not None and values == PLAIN:
        needed = max(8, fewest_bits(lowest, highest, is_signed=lowest < 0))
        if beyond is OutOfRange.CLIP:
            return PLAIN, depth, lowest < 0
        if needed > depth:
            raise BadArgument(f"bit depth {depth} given, samples {lowest}..{highest} need {needed}")
        if step == 1:
            return PLAIN, depth, lowest < 0
    offset = lowest % step
    low, high = (lowest - offset) // step, (highest - offset) // step
    if fewest_bits(low, high, is_signed=low < 0) > LARGEST_DEPTH:
        offset, low, high = lowest, 0, (highest - lowest) // step
    if high >= 1 << LARGEST_DEPTH and values != PLAIN:
        raise BadArgument(f"samples are floats and {NOT_SCALED}")
    if high >= 1 << LARGEST_DEPTH:
        needed = fewest_bits(0, high, is_signed=False)
        raise BadArgument(
            f"samples reach {lowest}..{highest}, {needed} bits after the smallest is taken away; allowed at most 16. "
            "`linerwkv ccsds123 encode` takes integers of up to 32 bits"
        )
    return values._replace(offset=offset, step=step), bit_depth(low, high), low < 0


def limits(found: SampleScan, image: ImageDescription) -> tuple[Special, ...]:
    """The ends of the range that many samples have."""
    dtype: Any = {SampleType.FLOAT32: np.float32, SampleType.FLOAT64: np.float64}.get(image.file_type, np.int64)
    ends = {found.lowest: found.n_lowest, found.highest: found.n_highest}
    often = [end for end, n in ends.items() if n * OFTEN >= found.n_samples > 0]
    codes = (np.array(often, np.int64) - image.values.offset) // image.values.step
    codes = codes[(codes >= image.range[0]) & (codes <= image.range[1])]
    return tuple(Special(value.item(), SpecialKind.LIMIT) for value in image.values.values_of(codes, np.dtype(dtype)))
