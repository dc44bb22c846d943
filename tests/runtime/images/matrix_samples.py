"""Rows of values that samples of any kind of file have; a .npy file has them here."""

from typing import Any

import numpy as np

from tests.runtime.images.matrix import OUTPUTS, Row, holds
from tests.runtime.images.matrix_npy import saved

Cube = np.ndarray[Any, np.dtype[Any]]
KIND = "samples"
CODES: Cube = np.random.default_rng(5).integers(0, 4096, (6, 3, 5))  # (Y, Z, X)
SMALL: Cube = CODES % 128
BYTES: Cube = (SMALL - 64).astype(np.int8)
SCALED: Cube = (CODES / 100).astype(np.float32)
SATURATED: Cube = np.clip(CODES, 1000, 3000)


def changed(cube: Cube, value: Any) -> Cube:
    """With another value in one column of one line."""
    cube = cube.copy()
    cube[2, :, 3] = value
    return cube


def row(name: str, cube: Cube, *words: str, note: str = "") -> Row:
    """Samples that come back bit for bit in every output, or, with a note, in none."""
    looks = {} if note else dict.fromkeys(OUTPUTS, holds(cube))
    return Row(KIND, name, saved(cube), looks, note, words=words, cube=None if note else cube)


def of_type(dtype: str, cube: Cube) -> Row:
    """Samples of an integer type."""
    return row(dtype, cube.astype(dtype))


ROWS = [
    of_type("uint8", SMALL),
    # ENVI has no number for it
    Row(KIND, "int8", saved(BYTES), {"GeoTIFF": holds(BYTES), "npy": holds(BYTES)}, "type int8 (written as int16)"),
    of_type("uint16", CODES),
    of_type("int16", CODES - 2048),
    of_type("int32", CODES - 1_000_000),
    of_type("uint32", CODES + (1 << 31)),
    of_type("int64", CODES - (1 << 60)),
    of_type("uint64", CODES + (1 << 62)),
    row(
        "a range of more than 16 bits",
        changed(CODES, 1 << 20).astype(np.int32),
        note="allowed at most 16. `linerwkv ccsds123 encode`",
    ),
    row("uint64 from 2^63 on", CODES.astype(np.uint64) + (1 << 63), note="allowed below 2^63"),
    row("multiples of a step (low bits 0)", (CODES << 4).astype(np.uint16)),
    row("multiples of a step, of more than 16 bits", CODES * 1_000_003),
    row("float32, integers times a scale", SCALED),
    row("float64, integers times a scale", CODES * 0.001),
    row("floats that are integers", CODES.astype(np.float64)),
    row(
        "floats of no scale", np.random.default_rng(6).normal(size=(6, 3, 5)), note="not integers of 16 bits times one"
    ),
    row("float16", SCALED.astype(np.float16), note="samples are float16, allowed"),
    row("complex numbers", CODES.astype(np.complex64), note="samples are complex64, allowed"),
    row("bool", CODES > 2000, note="samples are bool, allowed"),
    row("no-data value", changed((CODES << 4).astype(np.uint16), 65535), "--nodata", "65535"),
    row("no-data value far from the others", changed(CODES.astype("i4"), -1_000_000_000), "--nodata", "-1e9"),
    row("NaN, declared", changed(SCALED, np.nan), "--nodata", "nan"),
    row("NaN, not declared", changed(SCALED, np.nan), note="3 of them NaN; allowed with --nodata nan"),
    row("NaN of other bits", changed(SCALED, -np.float32(np.nan)), "--nodata", "nan", note="bits of 3 samples"),
    row("infinity, declared", changed(SCALED, np.inf), "--nodata", "inf"),
    row("-0.0", changed(SCALED, -0.0), note="not integers of 16 bits times one"),
    row("-0.0 where 0 is declared", changed(SCALED, -0.0), "--nodata", "0", note="bits of 3 samples"),
    row("saturated ends", SATURATED.astype(np.uint16)),
    row("saturated ends of the type", np.where(CODES > 3000, 65535, 0).astype(np.uint16)),
    row("one value alone", np.full((3, 2, 4), 65535, np.uint16)),
    row("one sample", np.array([[[7]]], np.int16)),
]
