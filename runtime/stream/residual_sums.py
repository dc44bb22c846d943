"""What telemetry says of the residuals of a segment: sums in integers, a quotient only when it is shown."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass
class ResidualSums:
    """Sums over mapped residuals."""

    n_samples: int = 0
    total: int = 0
    largest: int = 0
    n_zero: int = 0

    def add(self, mapped: npt.NDArray[np.integer[Any]]) -> None:
        """Take in a line (Z, X)."""
        self.n_samples += mapped.size
        self.total += int(mapped.sum())
        self.largest = max(self.largest, int(mapped.max()))
        self.n_zero += mapped.size - int(np.count_nonzero(mapped))

    def to_dict(self) -> dict[str, Any] | None:
        """Mean, largest and share of zeros; None where nothing was predicted."""
        if self.n_samples == 0:
            return None
        mean, zeros = self.total / self.n_samples, self.n_zero / self.n_samples
        return {"mean": round(mean, 4), "largest": self.largest, "zeros": round(zeros, 4)}
