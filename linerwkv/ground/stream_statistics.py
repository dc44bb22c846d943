"""Smallest, largest and mean sample of each band of a stream, and the lines that it lacks."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from linerwkv.stream_image import Packages, StreamImage
from runtime.codec.stream_selection import DAMAGE, Missing
from runtime.errors import LineRwkvError


class Statistics(NamedTuple):
    """Of the samples that were measured; of a band that has none, None."""

    minimum: list[float | int | None]
    """(Z,), as the other two."""
    maximum: list[float | int | None]
    mean: list[float | None]
    """Sums are float64: exact below 2^53."""
    missing_lines: list[tuple[int, int]]
    """Runs of lines, first and last, that never came, are cut off or damaged."""
    error: LineRwkvError | None
    """The first damage, if there is any."""
    n_lines: int
    """Of the image, those that are missing included."""
    wavelength: list[float] | None
    """(Z,), as in `linerwkv.image_attributes`; None: not known."""


def stream_statistics(path: Path, packages: Packages = ()) -> Statistics:
    """Of all lines that are there, in memory of one line and one segment. Raises LineRwkvError: nothing is readable."""
    with StreamImage(path, missing="fill", packages=packages) as image:
        missing, error = Missing(0, image.found.missing()), image.found.error
        sums = BandSums(image.shape[1], image.dtype, image.attrs.get("nodata"))
        for place in image.found.places:
            part = BandSums(image.shape[1], image.dtype, image.attrs.get("nodata"))
            try:
                for line in image.segments.lines(place):
                    part.add(line.astype(image.dtype, copy=False))
            except DAMAGE as found:
                error = error or found
                missing.note(place.first_line, place.next_line - 1, found)
            else:
                sums.join(part)
        return Statistics(*sums.values(), missing.lines(), error, image.shape[0], image.attrs.get("wavelength"))


class BandSums:
    """Of bands, (Z,) each."""

    def __init__(self, n_bands: int, dtype: np.dtype[Any], nodata: int | float | None) -> None:
        """nodata: of samples that are no measurements; None: there are none such."""
        kind: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
        self.largest, self.smallest, self.nodata = kind.max, kind.min, nodata
        self.low = np.full(n_bands, self.largest, dtype)
        self.high = np.full(n_bands, self.smallest, dtype)
        self.total, self.count = np.zeros(n_bands), np.zeros(n_bands, np.int64)

    def add(self, line: npt.NDArray[Any]) -> None:
        """A line (Z, X)."""
        there = np.isfinite(line)
        if self.nodata is not None:
            there &= line != self.nodata
        self.low = np.minimum(self.low, line.min(axis=1, where=there, initial=self.largest))
        self.high = np.maximum(self.high, line.max(axis=1, where=there, initial=self.smallest))
        self.total += line.sum(axis=1, where=there, dtype=np.float64)
        self.count += there.sum(axis=1)

    def join(self, other: "BandSums") -> None:
        """What other lines have."""
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        self.total += other.total
        self.count += other.count

    def values(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Smallest, largest, mean."""
        numbers = zip(self.low.tolist(), self.high.tolist(), self.total.tolist(), self.count.tolist(), strict=True)
        found = [(low, high, total / n) if n else (None, None, None) for low, high, total, n in numbers]
        low, high, mean = (list(one) for one in zip(*found, strict=True))
        return low, high, mean
