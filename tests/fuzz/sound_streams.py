"""Small streams by every predictor, stage, coder and way to quantise: what the fuzzer begins with."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from runtime.cell.flight_package import SHIPPED, FlightPackage, open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executors import make_executor
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind, Quantisation, SampleType, SpecialKind
from runtime.stream.special_values import Special
from tests.runtime.codec.coded_cube import Cube, encode

SHAPE = (9, 3, 8)
SEGMENT_LINES = 3
DEPTH = 10
SPECIALS = (Special(500), Special(-9), Special((1 << DEPTH) - 1, SpecialKind.LIMIT))
"""Of the streams that have some."""


class SoundStream(NamedTuple):
    """A stream, and the lines (Y, Z, X) that it restores by the samples CRC of their segment."""

    stream: bytes
    max_error: int
    cube: Cube


@cache
def shipped_package() -> FlightPackage:
    """The package that this repository ships."""
    return open_package(SHIPPED)


@cache
def shipped_executor() -> ArrayExecutor:
    """One that runs it, for all examples."""
    return make_executor(shipped_package())


def recorded(cube: Cube) -> bytes:
    """The stream of lines with records, equally long in the first segment, then not, then none."""
    image = ImageDescription(cube.shape[1], cube.shape[2], DEPTH, is_signed=False)
    encoder = Encoder(image, CodingOptions(PredictorKind.DPCM, segment_lines=SEGMENT_LINES))
    lengths = (20, 20, 20, 5, 0, 9, 0, 0, 0)
    pieces = [encoder.push(line, bytes(n)) for line, n in zip(cube, lengths, strict=True)]
    return b"".join([encoder.header, *pieces, encoder.finish()])


def special(cube: Cube, **options: Any) -> bytes:
    """The stream of lines of which some samples are special values."""
    sizes = (cube.shape[1], cube.shape[2], DEPTH, False, len(cube), SampleType.INT16)
    image = ImageDescription(*sizes, specials=SPECIALS)
    encoder = Encoder(image, CodingOptions(segment_lines=SEGMENT_LINES, **options))
    return b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])


def sound_specials(cube: Cube) -> tuple[SoundStream, ...]:
    """The cube with special values in its second segment, by some of the ways to code."""
    marked = cube.astype(np.int32)
    marked[3:6, :, 4:], marked[4, 1], marked[5, 2, :2] = -9, 500, (1 << DEPTH) - 1
    options: list[dict[str, Any]] = [
        {"predictor": PredictorKind.DPCM, "max_error": 2},
        {"predictor": PredictorKind.RLS},
        {"predictor": PredictorKind.CCSDS123, "max_error": 3},
    ]
    return tuple(SoundStream(special(marked, **chosen), chosen.get("max_error", 0), marked) for chosen in options)


@cache
def sound_streams() -> tuple[SoundStream, ...]:
    """Of smooth lines, of zeros and of noise, in segments of SEGMENT_LINES."""
    generator = np.random.default_rng(1)
    smooth = np.cumsum(generator.integers(-3, 4, SHAPE), axis=0) + 500
    cubes = [smooth, np.zeros(SHAPE), generator.integers(0, 1 << DEPTH, SHAPE)]
    network, best, none = PredictorKind.LINERWKV, AdaptiveStage.BEST, AdaptiveStage.NONE
    options: list[dict[str, Any]] = [
        {"predictor": PredictorKind.DPCM},
        {"predictor": PredictorKind.DPCM, "max_error": 3, "quantisation": Quantisation.PREQUANTISED},
        {"predictor": PredictorKind.RLS, "stage": AdaptiveStage.FAST},
        {"predictor": PredictorKind.RLS, "stage": best, "max_error": 2},
        {"predictor": PredictorKind.CCSDS123},
        {"predictor": PredictorKind.CCSDS123, "max_error": 3},
        {"predictor": network, "stage": none, "package": shipped_package()},
        {"predictor": network, "stage": best, "package": shipped_package(), "max_error": 1},
    ]
    with_records = tuple(SoundStream(recorded(cube.astype(np.int32)), 0, cube.astype(np.int32)) for cube in cubes)
    with_specials = tuple(found for cube in cubes for found in sound_specials(cube.astype(np.int32)))
    others = tuple(
        SoundStream(
            encode(cube.astype(np.int32), depth=DEPTH, segment_lines=SEGMENT_LINES, **chosen),
            chosen.get("max_error", 0), cube.astype(np.int32),
        )
        for chosen in options
        for cube in cubes
    )  # fmt: skip
    return (*with_records, *with_specials, *others)
