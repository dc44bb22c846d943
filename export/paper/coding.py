"""One patch by one method: coded, decoded, compared, and only then counted."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from export.paper.methods import PREQUANTISED, Method, Samples
from runtime.checked_table import AtLeast0, AtLeast1, Text
from runtime.errors import LineRwkvError


@dataclass(frozen=True)
class Coding:
    """What became of one patch."""

    method: Text
    quantisation: Text
    max_error: AtLeast0
    n_bytes: AtLeast1
    shape: tuple[int, int, int]
    """(Y, Z, X)."""
    encode_s: float
    """Wall clock of one thread."""
    decode_s: float
    squared_error: AtLeast0
    """The sum over all samples."""
    peak: AtLeast0
    """Largest less smallest sample."""

    @property
    def n_samples(self) -> int:
        """Lines times bands times columns."""
        n_lines, n_bands, n_columns = self.shape
        return n_lines * n_bands * n_columns

    @property
    def psnr_db(self) -> float | None:
        """Over the patch's own range; None where nothing differs, or the patch has one value."""
        if not self.squared_error or not self.peak:
            return None
        return float(10 * np.log10(self.peak**2 * self.n_samples / self.squared_error))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return values


def quantisations(method: Method, max_error: int) -> Sequence[str]:
    """How a patch is coded with this error; without one there is nothing to quantise."""
    return method.quantisations if max_error else (PREQUANTISED,)


def coded(method: Method, samples: Samples, max_error: int, quantisation: str) -> Coding:
    """Code and decode a patch (Y, Z, X). Raises LineRwkvError where a sample is off by more than `max_error`."""
    start = time.perf_counter()
    data = method.encode(samples, max_error, quantisation)
    middle = time.perf_counter()
    restored = method.decode(data)
    end = time.perf_counter()
    if restored.shape != samples.shape:
        raise LineRwkvError(f"{method.name}: shape {restored.shape} came back, allowed {samples.shape}")
    error = restored.astype(np.int64) - samples
    if (largest := int(np.abs(error).max())) > max_error:
        raise LineRwkvError(f"{method.name}, {quantisation}: a sample is off by {largest}, allowed {max_error}")
    n_lines, n_bands, n_columns = samples.shape
    return Coding(
        method.name, quantisation, max_error, len(data), (n_lines, n_bands, n_columns), middle - start, end - middle,
        int((error**2).sum()), int(samples.max()) - int(samples.min()),
    )  # fmt: skip


def warm(method: Method) -> None:
    """Compile and open what the first patch would."""
    few = np.arange(2 * 3 * 8, dtype=np.int16).reshape(2, 3, 8)
    for max_error in (0, 1):
        for quantisation in quantisations(method, max_error):
            coded(method, few, max_error, quantisation)
