"""A scene laid on a map grid, turned against the flight direction as products of level 2 are.

Stripes run obliquely then, and pixels outside the scene have no value.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from model.sensors.sensor import Grid

NO_DATA = 0
"""Of pixels outside; samples of the scene are at least 1."""
ROUNDING = 1e-9  # of a size that is whole but for the last bits


def grid_sizes(grid: Grid, n_lines: int, n_columns: int) -> tuple[int, int]:
    """Lines and columns of the grid that holds the turned scene."""
    sine, cosine = abs(math.sin(math.radians(grid.angle))), math.cos(math.radians(grid.angle))
    lines = n_lines * cosine + n_columns * sine
    columns = n_columns * cosine + n_lines * sine
    return math.ceil(lines - ROUNDING), math.ceil(columns - ROUNDING)


def gridded_lines(raw: npt.NDArray[Any], grid: Grid) -> Iterator[npt.NDArray[np.uint16]]:
    """Lines (Z, X') of the grid, of raw samples (Y, Z, X), whose lines around one of the grid are in memory."""
    n_lines, n_bands, n_columns = raw.shape
    height, width = grid_sizes(grid, n_lines, n_columns)
    sine, cosine = math.sin(math.radians(grid.angle)), math.cos(math.radians(grid.angle))
    across = np.arange(width) - (width - 1) / 2
    for v in range(height):
        along = v - (height - 1) / 2
        y = cosine * along - sine * across + (n_lines - 1) / 2
        x = sine * along + cosine * across + (n_columns - 1) / 2
        is_inside = (y >= -0.5) & (y <= n_lines - 0.5) & (x >= -0.5) & (x <= n_columns - 0.5)
        line = np.full((n_bands, width), NO_DATA, np.uint16)
        if is_inside.any():
            found = resampled(raw, y[is_inside], x[is_inside], grid)
            line[:, is_inside] = np.maximum(found, NO_DATA + 1)
        yield line


def resampled(
    raw: npt.NDArray[Any], y: npt.NDArray[np.float64], x: npt.NDArray[np.float64], grid: Grid
) -> npt.NDArray[np.uint16]:
    """Samples (Z, N) at places (N,) between lines and columns."""
    y, x = np.clip(y, 0, raw.shape[0] - 1), np.clip(x, 0, raw.shape[2] - 1)
    if grid.resampling == "nearest":
        return np.asarray(raw[np.rint(y).astype(np.intp), :, np.rint(x).astype(np.intp)].T)
    above, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    down, right = (y - above)[:, None], (x - left)[:, None]
    below, beside = np.minimum(above + 1, raw.shape[0] - 1), np.minimum(left + 1, raw.shape[2] - 1)
    upper = raw[above, :, left] * (1 - right) + raw[above, :, beside] * right
    lower = raw[below, :, left] * (1 - right) + raw[below, :, beside] * right
    return np.rint(upper * (1 - down) + lower * down).astype(np.uint16).T
