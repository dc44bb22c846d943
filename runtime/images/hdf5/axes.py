"""Which axis of a dataset are lines (Y), bands (Z) and columns (X).

In this order: what the caller says; names of dimensions; the maker's documents; MATLAB, which turns axes around; an
axis with as many values as one list of wavelengths; else Z, Y, X, as GDAL has it.
"""

import re
from collections.abc import Sequence
from typing import Any

DEFAULT = "ZYX"
MATLAB = "ZXY"
NAMES = {
    "Z": ("band", "wavelength", "wl", "lambda", "spectral", "channel", "wave", "frequency", "z"),
    "Y": ("line", "row", "y", "downtrack", "alongtrack", "nalongpixel", "lat", "latitude", "northing", "frame", "scan",
          "scanline", "ydim"),
    "X": ("sample", "column", "col", "x", "crosstrack", "acrosstrack", "nacrosspixel", "lon", "longitude", "easting",
          "pixel", "xdim"),
}  # fmt: skip
AROUND = re.compile(r"^(number_?of_?|num_?|n_?)|(_?(dim|dimension|index|number|center|centre)s?)$")


def role(name: str) -> str | None:
    """Y, Z or X by the name of a dimension; None where it says nothing."""
    words = name.lower().rsplit("/", 1)[-1].replace("-", "_")
    for text in (words, AROUND.sub("", words), AROUND.sub("", AROUND.sub("", words))):
        plain = text.replace("_", "").replace(" ", "")
        for letter, names in NAMES.items():
            if plain in names or plain.removesuffix("s") in names:
                return letter
        if "wavelength" in text or text.startswith("spectral"):
            return "Z"
    return None


def dimension_names(dataset: Any) -> list[str]:
    """The name of each axis's dimension, empty where it has none."""
    return [dimension.label or (dimension[0].name if len(dimension) else "") or "" for dimension in dataset.dims]


def complete(letters: Sequence[str | None], all_letters: str) -> str | None:
    """The letters of all axes where those that are known leave no doubt, or none but which of Y and X is first."""
    known = [letter for letter in letters if letter is not None]
    if len(set(known)) == len(letters) - 1 == len(known):
        missing = (set(all_letters) - set(known)).pop()
        return "".join(letter or missing for letter in letters)
    if len(set(known)) == len(letters) == len(known):
        return "".join(known)
    if known.count("Z") == 1:
        rest = iter("YX")
        return "".join("Z" if letter == "Z" else next(rest) for letter in letters)
    return None


def axes_of(
    shape: tuple[int, ...], names: Sequence[str], given: str | None, product: tuple[str, str] | None,
    is_matlab: bool, n_wavelengths: set[int],
) -> tuple[str, str]:  # fmt: skip
    """The letters of the axes in the file's order, and by what they are known, in words; no words: by default.

    given: letters from the caller. product: maker and letters. n_wavelengths: lengths of lists of wavelengths.
    """
    is_cube = len(shape) == 3
    if given is not None:
        return (given if is_cube else given.replace("Z", "")), "--axes"
    if found := complete([role(name) for name in names], "YZX" if is_cube else "YX"):
        return found, "its dimensions"
    if product is not None:
        return product[1], product[0]
    if is_matlab:
        return (MATLAB if is_cube else "XY"), "MATLAB"
    of_bands = [axis for axis, n in enumerate(shape) if n in n_wavelengths]
    if is_cube and len(of_bands) == 1:
        rest = iter("YX")
        return "".join("Z" if axis in of_bands else next(rest) for axis in range(3)), "its wavelengths"
    return (DEFAULT, "") if is_cube else ("YX", "its two axes")
