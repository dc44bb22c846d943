"""How the samples of raw lines fill bytes: whole or packed, with padding after each row or line."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.images.packed_samples import PACKINGS, BitOrder, Bytes, packed_size, unpacked

LARGEST_ALIGNMENT = 4096
LARGEST_OFFSET = 1 << 30


@dataclass(frozen=True)
class LineForm:
    """Of samples that follow one another; what pads them is not read. Raises BadArgument for what no form has."""

    packing: int | None = None
    """Bits of a packed sample, unsigned; None: each has the whole bytes of its type."""
    bit_order: BitOrder = BitOrder.MSB
    """Of packed samples."""
    row_alignment: int = 1
    """Bits: each band's row of a line takes a multiple; 1: rows follow one another without padding."""
    line_alignment: int = 8
    """Bits: the samples of each line take a multiple."""
    offset: int = 0
    """Bytes before the first line."""

    def __post_init__(self) -> None:
        """Hold each number against what is allowed."""
        if self.packing is not None and self.packing not in PACKINGS:
            raise BadArgument(f"packing {self.packing}, allowed {', '.join(map(str, PACKINGS))} bits")
        for name, bits, also in (("row", self.row_alignment, (1,)), ("line", self.line_alignment, ())):
            if bits not in also and (bits % 8 or not 8 <= bits <= LARGEST_ALIGNMENT):
                allowed = f"{'1 and ' if also else ''}multiples of 8 up to {LARGEST_ALIGNMENT}"
                raise BadArgument(f"{name} alignment of {bits} bits, allowed {allowed}")
        if not 0 <= self.offset <= LARGEST_OFFSET:
            raise BadArgument(f"offset of {self.offset} bytes, allowed 0..{LARGEST_OFFSET}")

    def n_bytes(self, n_rows: int, n_samples: int, dtype: np.dtype[Any]) -> int:
        """Of one line of `n_rows` rows of `n_samples`, padding included."""
        row_bits = -(-n_samples * self.sample_bits(dtype) // self.row_alignment) * self.row_alignment
        return -(-n_rows * row_bits // self.line_alignment) * self.line_alignment // 8

    def sample_bits(self, dtype: np.dtype[Any]) -> int:
        """That a sample takes."""
        return self.packing or 8 * dtype.itemsize

    def samples(self, data: Bytes, n_rows: int, n_samples: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Samples (n, n_rows, n_samples) in native byte order of lines (n, `n_bytes`)."""
        if self.row_alignment == 1:
            run = self.run(data, n_rows * n_samples, dtype)
        else:
            row_bytes = -(-n_samples * self.sample_bits(dtype) // self.row_alignment) * self.row_alignment // 8
            rows = data[:, : n_rows * row_bytes].reshape(len(data) * n_rows, row_bytes)
            run = self.run(rows, n_samples, dtype)
        return run.reshape(len(data), n_rows, n_samples)

    def run(self, data: Bytes, n_samples: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Samples (n, n_samples) that begin each row of bytes (n, ...)."""
        whole = np.ascontiguousarray(data[:, : packed_size(n_samples, self.sample_bits(dtype))])
        if self.packing is not None:
            return unpacked(whole, n_samples, self.packing, self.bit_order)
        return whole.view(dtype).astype(dtype.newbyteorder("="), copy=False)
