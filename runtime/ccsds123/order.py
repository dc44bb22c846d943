"""The order in which mapped quantizer indices enter the entropy coder (5.4.2), as pieces of the image.

A piece is a line of all bands in band-interleaved order, and a stretch of one band in band-sequential order.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.ccsds123.image import Image

Uint32Array = npt.NDArray[np.uint32]

MAX_STRETCH = 1 << 16  # Samples of a band that are coded in one go; bounds the memory of a band-sequential decoder


class Piece(NamedTuple):
    """A run of consecutive indices: of each band of `bands` the samples t of `times`."""

    bands: slice
    times: slice
    depth: int  # M: so many bands alternate

    @property
    def shape(self) -> tuple[int, int]:
        """(bands, samples per band)."""
        return self.bands.stop - self.bands.start, self.times.stop - self.times.start


def pieces(image: Image, step: int = 1) -> Iterator[Piece]:
    """The pieces of an image in the order of the stream; with `step` -1 from the last to the first."""
    if not image.is_sequential:
        yield from (line_piece(image, y) for y in range(image.n_lines)[::step])
        return
    n_times = image.n_lines * image.n_columns
    for z in range(image.n_bands)[::step]:
        for start in range(0, n_times, MAX_STRETCH)[::step]:
            yield Piece(slice(z, z + 1), slice(start, min(start + MAX_STRETCH, n_times)), 1)


def line_piece(image: Image, y: int) -> Piece:
    """Line y of a band-interleaved image."""
    start = y * image.n_columns
    return Piece(slice(0, image.n_bands), slice(start, start + image.n_columns), image.interleaving_depth)


def to_sequence(block: Uint32Array, depth: int) -> Uint32Array:
    """The indices of a piece in stream order. block: (bands, samples) uint32."""
    if depth == 1:
        return block.reshape(-1)
    groups = [block[z : z + depth].T.reshape(-1) for z in range(0, len(block), depth)]
    return np.concatenate(groups) if len(groups) > 1 else groups[0]


def from_sequence(sequence: Uint32Array, shape: tuple[int, int], depth: int) -> Uint32Array:
    """The (bands, samples) block whose `to_sequence` is `sequence`."""
    n_bands, n_times = shape
    if depth == 1:
        return sequence.reshape(shape)
    block = np.empty(shape, np.uint32)
    for z in range(0, n_bands, depth):
        rows = block[z : z + depth]
        rows.T[...] = sequence[z * n_times : z * n_times + rows.size].reshape(n_times, len(rows))
    return block
