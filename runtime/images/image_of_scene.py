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
from runtime.stream.sample_map import LARGEST_STEP, PLAIN, SampleMap
from runtime.stream.special_values import IGNORED, LARGEST_SPECIAL, Special, number_of

OFTEN = 512
"""An end of the range that one in so many samples has is a limit; rarer ones are samples as any."""


def describe(
    scene: Scene, depth: int | None, beyond: OutOfRange = OutOfRange.STOP, specials: Sequence[int | float] = ()
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
    if kind.is_float and (depth is not None or beyond is OutOfRange.CLIP):
        raise BadArgument("a bit depth or clipping of float samples, whose depth is found; allowed of integers")
    values = float_scale(scene.lines, voids) if kind.is_float else PLAIN
    found = scan(scene.lines(), voids, values)
    values, code_depth, is_signed = code_map(found, values, depth, beyond)
    if values.is_plain and not kind.is_float:  # of a signed type, a depth may have no other reading
        is_signed |= (1 << code_depth) - 1 > TYPE_RANGES[kind][1]
    metadata = dict(scene.metadata)
    if IGNORED not in metadata and len(voids) == 1:
        metadata[IGNORED] = str(voids[0].value)
    sizes = (n_bands, n_columns, code_depth, is_signed, n_lines, kind, metadata, values)
    image = ImageDescription(*sizes, voids)
    return ImageDescription(*sizes, voids + limits(found, image)[: LARGEST_SPECIAL - len(voids)])


def declared(scene: Scene, kind: SampleType, specials: Sequence[int | float]) -> list[int | float]:
    """The values that are no measurements, each once; that of the metadata counts only where a sample can be it."""
    found: dict[str, int | float] = {}
    ignored = number_of(str(scene.metadata.get(IGNORED, "")))
    known = [] if ignored is None else [as_type(ignored, kind)]
    for value in [*known, *(as_type(given, kind) for given in specials)]:
        if value is not None:
            found.setdefault(repr(value), value)
    for given in specials:
        if as_type(given, kind) is None:
            raise BadArgument(f"special value {given}, which no sample of type {kind.name.lower()} can have")
    return list(found.values())


def as_type(value: int | float, kind: SampleType) -> int | float | None:
    """A value as samples of this type have it; None where none can."""
    if kind.is_float:
        return float(np.float32(value)) if kind is SampleType.FLOAT32 else float(value)
    lowest, highest = TYPE_RANGES[kind]
    is_whole = isinstance(value, int) or (math.isfinite(value) and value == int(value))
    return int(value) if is_whole and lowest <= value <= highest else None


def code_map(
    found: SampleScan, values: SampleMap, depth: int | None, beyond: OutOfRange
) -> tuple[SampleMap, int, bool]:
    """The map of codes that fit the format, their depth, whether they have a sign. Raises BadArgument."""
    lowest, highest = found.lowest, found.highest
    step = found.step if found.step <= LARGEST_STEP else 1
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
