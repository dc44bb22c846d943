"""The lines that a fault's trial sends: a tiny scene, so that an emulated board codes it in seconds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.images.synthetic import BIT_DEPTH, synthetic_lines

SEED = 7


@dataclass(frozen=True)
class Camera:
    """A scene and how it is recorded. `dpcm` compiles in the shortest time; any predictor would do."""

    n_lines: int = 24
    n_bands: int = 8
    n_columns: int = 32
    segment_lines: int = 4
    predictor: str = "dpcm"

    def lines(self) -> npt.NDArray[np.uint16]:
        """(Y, Z, X) detector counts, always the same."""
        generator = np.random.default_rng(SEED)
        return np.array(list(synthetic_lines(self.n_lines, self.n_bands, self.n_columns, generator)))

    def raw(self, begin: float = 0.0, end: float | None = None) -> bytes:
        """The bytes of lines `begin` to `end` (fractions are parts of a line; None is the end of the scene), BIL."""
        data = self.lines().astype("<u2").tobytes()
        n_bytes = 2 * self.n_bands * self.n_columns
        last = self.n_lines if end is None else end
        return data[int(begin * n_bytes) : int(last * n_bytes)]

    def arguments(self, folder: str) -> list[str]:
        """Of runtime.target.recorder."""
        return [
            folder, "--bands", str(self.n_bands), "--columns", str(self.n_columns), "--bit-depth", str(BIT_DEPTH),
            "--predictor", self.predictor, "--segment-lines", str(self.segment_lines),
            "--network", "always",
        ]  # fmt: skip
