"""Cases of sample types, maps from codes to values, and special values."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from runtime.images.sample_file import DTYPES
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import SampleType, SpecialKind
from runtime.stream.sample_map import PLAIN, SampleMap
from runtime.stream.special_values import Special
from tests.golden.case import Case, Cube, Source, plain_source, scene
from tests.golden.coding_cases import NETWORK, way

LIMIT = SpecialKind.LIMIT


class Values(NamedTuple):
    """Codes of a depth as values of a type."""

    depth: int
    is_signed: bool
    map: SampleMap = PLAIN
    max_error: int = 2


TYPES: dict[str, tuple[SampleType, Values]] = {
    "uint8": (SampleType.UINT8, Values(8, False)),
    "int8": (SampleType.INT8, Values(8, True)),
    "uint16": (SampleType.UINT16, Values(13, False)),
    "uint16-step": (SampleType.UINT16, Values(12, False, SampleMap(5, 16), 40)),
    "int16": (SampleType.INT16, Values(14, True)),
    "int16-half": (SampleType.INT16, Values(12, False)),
    "int32": (SampleType.INT32, Values(10, True, SampleMap(-100_000, 1000), 2500)),
    "uint32": (SampleType.UINT32, Values(12, False, SampleMap(3_000_000_000, 3), 9)),
    "int64": (SampleType.INT64, Values(11, True, SampleMap(-(1 << 40), 1 << 20), 1 << 21)),
    "uint64": (SampleType.UINT64, Values(16, False, SampleMap(1 << 62, 7), 20)),
    "float32": (SampleType.FLOAT32, Values(12, False, SampleMap(0, 1, 0.01))),
    "float32-divided": (SampleType.FLOAT32, Values(12, True, SampleMap(5, 2, 100.0, divides=True), 4)),
    "float64": (SampleType.FLOAT64, Values(16, True, SampleMap(-3, 4, 1e-4), 12)),
    "float64-divided": (SampleType.FLOAT64, Values(12, False, SampleMap(1 << 30, 1, 3.0, divides=True))),
    "float64-whole": (SampleType.FLOAT64, Values(12, False)),
}


def typed_source(kind: SampleType, values: Values, specials: tuple[Special, ...] = ()) -> Source:
    """A scene whose codes, within the range of its type, stand for values."""
    n_lines, n_bands, n_columns = 5, 3, 8
    depth, is_signed, mapped, _ = values
    image = ImageDescription(n_bands, n_columns, depth, is_signed, n_lines, kind, values=mapped, specials=specials)
    codes = scene((n_lines, n_bands, n_columns), *image.range, seed=depth)
    codes[1, 0, :2] = image.range
    return Source(image, mapped.values_of(codes, DTYPES[kind]))


def types() -> Iterator[tuple[str, Case]]:
    """Every sample type, lossless and not."""
    predictors = ("dpcm", "rls", "ccsds123", NETWORK)
    for number, (name, (kind, values)) in enumerate(TYPES.items()):
        offset, step, scale, divides = values.map
        text = f"{kind.name.lower()}, offset {offset}, step {step}, scale {'1/' if divides else ''}{scale}"
        source, predictor = partial(typed_source, kind, values), predictors[number % len(predictors)]
        yield f"type-{name}", Case(text, source, **way(predictor))
        words = {"max_error": values.max_error}
        yield f"type-{name}-near", Case(f"{text}, near-lossless", source, **way(predictor, **words))


def marked(lines: Cube, void: Any, limit: Any, other: Any) -> Cube:
    """Lines with a border, a whole line and single samples without measurement, and with samples at a limit."""
    found = lines.copy()
    found[:, :, -3:] = found[1] = void
    found[2, 1, :4] = found[4, 0, 2] = limit
    found[3, 2, 1::3] = other
    return found


def special_source(*specials: Special) -> Source:
    """A scene of 11 bits as int16, with samples of -9999, 2047 and 500."""
    lines = marked(scene((5, 3, 11), 0, 2000, seed=5), -9999, 2047, 500)
    return Source(ImageDescription(3, 11, 11, False, 5, SampleType.INT16, specials=specials), lines)


SETS = {
    "void": (Special(-9999),), "void-of-two": (Special(500), Special(-9999)),
    "limits-and-void": (Special(-9999), Special(500, LIMIT), Special(501, LIMIT), Special(2047, LIMIT)),
}  # fmt: skip
"""Of `special_source`, where -9999 is always declared, because no code has it."""


def specials() -> Iterator[tuple[str, Case]]:
    """Voids, limits and several of both, by each predictor."""
    ways = [
        *(way(predictor) for predictor in ("dpcm", "ccsds123", "rls", NETWORK)), way("rls", stage="fast"),
        way(NETWORK, stage="none"), way(NETWORK, stage="fast"),
    ]  # fmt: skip
    errors: dict[str, dict[str, Any]] = {
        "lossless": {}, "near": {"max_error": 3}, "prequantised": {"max_error": 3, "quantisation": "prequantised"},
    }  # fmt: skip
    for name, values in SETS.items():
        for given in ways:
            for how, words in errors.items():
                predictor, stage = given["words"]["predictor"], given["words"].get("stage", "")
                if how == "prequantised" and (predictor == "ccsds123" or name == "void"):
                    continue
                text = f"special values {', '.join(map(str, values))} by {predictor} {stage}".strip()
                case = Case(f"{text}, {how}", partial(special_source, *values), **given)
                parts = ("special", name, predictor, stage, how)
                yield "-".join(filter(None, parts)), replace(case, words=case.words | words)


def only(void: int) -> Source:
    """No sample is measured."""
    image = ImageDescription(3, 9, 8, False, 5, SampleType.INT16, specials=(Special(void),))
    return Source(image, np.full((5, 3, 9), void, np.int16))


def float_specials(kind: SampleType, mapped: SampleMap) -> Source:
    """Of floats NaN and an infinity are voids, and an end of the range is a limit."""
    top = float(mapped.values_of(np.array([4095]), DTYPES[kind])[0])
    declared = Special(float("nan")), Special(float("inf")), Special(top, LIMIT)
    source = typed_source(kind, Values(12, False, mapped), declared)
    return source._replace(lines=marked(source.lines, np.nan, top, np.inf))


def wide_specials() -> Source:
    """Of int32 with a step: a void that is no multiple of it, a limit that is one."""
    mapped = SampleMap(-100_000, 1000)
    source = typed_source(SampleType.INT32, Values(10, True, mapped), (Special(-(1 << 31)), Special(411_000, LIMIT)))
    return source._replace(lines=marked(source.lines, -(1 << 31), 411_000, -(1 << 31)))


def other_specials() -> Iterator[tuple[str, Case]]:
    """Of images that are not as the others."""
    for predictor in ("dpcm", "rls", "ccsds123", NETWORK):
        text = f"no sample is measured, by {predictor}"
        yield f"special-nothing-{predictor}", Case(text, partial(only, -9999), **way(predictor))
    for how, words in (("lossless", {}), ("near", {"max_error": 3})):
        single = partial(float_specials, SampleType.FLOAT32, SampleMap(0, 1, 0.5))
        double = partial(float_specials, SampleType.FLOAT64, SampleMap(0, 1, 3.0, divides=True))
        yield f"special-float32-{how}", Case(f"float32 with NaN and infinity, {how}", single, **way("rls", **words))
        yield f"special-float64-{how}", Case(f"float64 with NaN and infinity, {how}", double, **way("dpcm", **words))
        words = {"max_error": 2000} if words else {}
        text = f"int32 with a step, a void beside it and a limit, {how}"
        yield f"special-int32-{how}", Case(text, wide_specials, **way(NETWORK, **words))
    clipped = way("dpcm", out_of_range="clip")
    text = "an encoder that may clip, which a decoder does not see"
    yield "clipped", Case(text, partial(plain_source, (4, 3, 8), 8), **clipped)


CASES = dict([*types(), *specials(), *other_specials()])
