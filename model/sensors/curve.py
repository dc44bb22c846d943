"""A figure of a sensor that may change with wavelength: one number, or numbers at some wavelengths."""

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from runtime.checked_table import shown
from runtime.errors import BadArgument

FloatArray = npt.NDArray[np.float64]
Point = Annotated[tuple[float, float], Meta(description="[nm, number]")]
Curve = float | Annotated[list[Point], Meta(min_length=1)]
"""Between the points linear, beyond them as at the nearest one."""


def points_of(curve: Curve, centres: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Wavelengths (n,) in nm and the numbers there (n,); one number is one at every band."""
    if isinstance(curve, list):
        points = np.array(curve, np.float64)
        return points[:, 0], points[:, 1]
    return centres, np.full(len(centres), curve)


def curve_at(curve: Curve, wavelengths: FloatArray) -> FloatArray:
    """The numbers at wavelengths in nm."""
    if isinstance(curve, list):
        return np.interp(wavelengths, *points_of(curve, wavelengths))
    return np.full(wavelengths.shape, curve)


def check_curve(name: str, curve: Curve, above: float | None = None) -> None:
    """Raise BadArgument unless wavelengths ascend and every number is at least 0, or more than `above`."""
    points = curve if isinstance(curve, list) else [(1.0, curve)]
    wavelengths = [point[0] for point in points]
    if not all(math.isfinite(one) and one > 0 for one in wavelengths) or sorted(set(wavelengths)) != wavelengths:
        raise BadArgument(f"{name}: found wavelengths {shown(wavelengths)}, allowed ascending ones above 0")
    bound = "at least 0" if above is None else f"above {above:g}"
    for _, number in points:
        if not math.isfinite(number) or (number < 0 if above is None else number <= above):
            raise BadArgument(f"{name}: found {number}, allowed finite numbers {bound}")
