"""The lines that the imager sees, each known by its number, and their frames."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.images.synthetic import BIT_DEPTH, synthetic_lines

SYNC = bytes.fromhex("1acffc1d")
COUNTER_BYTES = 4
HEADER_BYTES = len(SYNC) + COUNTER_BYTES
LINES_ALIKE = 128
"""Lines that are made; the imager goes over them forth and back."""


class Scene(NamedTuple):
    """A synthetic one."""

    lines: npt.NDArray[np.uint16]
    """(Y, Z, X), unsigned, of BIT_DEPTH bits."""

    def line(self, y: int) -> npt.NDArray[np.uint16]:
        """Line y, 0 or more, of as many as are asked for (Z, X)."""
        last = len(self.lines) - 1
        place = y % (2 * last)
        found: npt.NDArray[np.uint16] = self.lines[min(place, 2 * last - place)]
        return found

    def frame(self, y: int) -> bytes:
        """Line y as it is sent: sync word, its number, samples."""
        samples: bytes = self.line(y).astype("<u2").tobytes()
        return SYNC + y.to_bytes(COUNTER_BYTES, "big") + samples

    @property
    def table(self) -> dict[str, Any]:
        """The recorder's table `lines`."""
        _, n_bands, n_columns = self.lines.shape
        return {
            "bands": n_bands, "columns": n_columns, "bit_depth": BIT_DEPTH, "line_header": HEADER_BYTES,
            "sync": SYNC.hex(), "counter_at": len(SYNC), "counter_bytes": COUNTER_BYTES,
        }  # fmt: skip


def number_of(record: bytes) -> int:
    """The number of a line by its record, which is the header of its frame."""
    return int.from_bytes(record[len(SYNC) : HEADER_BYTES], "big")


def made_scene(n_bands: int, n_columns: int, generator: np.random.Generator) -> Scene:
    """The lines of a flight."""
    return Scene(np.stack(list(synthetic_lines(LINES_ALIKE, n_bands, n_columns, generator))).astype(np.uint16))
