"""Values of HDF5 attributes and of short datasets as text, with bounds."""

from typing import Any

import numpy as np

LONGEST_TEXT = 2000
"""Characters of one value that is carried."""
MOST_ITEMS = 32
"""Of a list that is not one item for each band."""
OF_THE_FORMAT = {
    "CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS", "_Netcdf4Dimid", "_Netcdf4Coordinates",
    "_NCProperties", "_nc3_strict", "_NoFill", "H5PATH", "MATLAB_class", "MATLAB_int_decode",
}  # fmt: skip
"""Attributes on how a dataset is stored."""


def attributes_of(thing: Any) -> dict[str, list[str] | None]:
    """Each attribute of a dataset or file as a list of texts; None for what is neither text nor number."""
    found: dict[str, list[str] | None] = {}
    for name in thing.attrs:
        if name not in OF_THE_FORMAT:
            try:
                found[name] = texts(thing.attrs[name])
            except (OSError, TypeError, ValueError, KeyError, RuntimeError):
                found[name] = None
    return found


def texts(value: Any) -> list[str] | None:
    """The items of a scalar or of a list with one axis; floats by the fewest digits that give them back."""
    if value is None or isinstance(value, (str, bytes)):
        items = [] if value is None else [value]
    else:
        array = np.asarray(value)
        if array.dtype.kind not in "biufSUO" or (array.ndim > 1 and array.size != 1):
            return None
        items = list(array.reshape(-1))
    if any(not isinstance(item, (str, bytes, np.generic, int, float)) for item in items):
        return None
    return [text_of(item) for item in items]


def text_of(item: Any) -> str:
    """One value."""
    if isinstance(item, bytes):
        return item.rstrip(b"\0").decode("utf-8", "replace").strip()
    if isinstance(item, (bool, np.bool_)):
        return str(int(item))
    return str(item).strip()


def is_short(values: list[str] | None, n_bands: int) -> bool:
    """Whether a value is one that is carried under its own name."""
    if not values:
        return False
    is_list = len(values) <= MOST_ITEMS or len(values) == n_bands
    return is_list and sum(map(len, values)) <= LONGEST_TEXT + 20 * len(values) * (len(values) == n_bands)


def are_numbers(values: list[str] | None) -> bool:
    """Whether every item is a number."""
    try:
        return bool(values) and all(float(value) == float(value) for value in values or ())
    except ValueError:
        return False


def whole(values: list[str]) -> list[str]:
    """Flags without decimal points: 1.0 is 1."""
    return [str(int(float(value))) if float(value).is_integer() else value for value in values]
