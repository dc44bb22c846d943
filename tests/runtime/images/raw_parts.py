"""Raw lines written bit by bit from docs/formats/raw.md, without the code that reads them."""

import numpy as np

from runtime.images.packed_samples import BitOrder
from runtime.images.raw_lines import RawLayout


def row_bits(row: np.ndarray, n_bits: int, order: BitOrder) -> list[int]:
    """The bits of packed samples in their order."""
    places = range(n_bits) if order is BitOrder.LSB else range(n_bits - 1, -1, -1)
    return [int(sample) >> place & 1 for sample in row for place in places]


def padded(bits: list[int], alignment: int, order: BitOrder, pad: int = 1) -> bytes:
    """Whole bytes of bits that are padded to a multiple."""
    whole = bits + [pad] * (-len(bits) % alignment)
    return np.packbits(np.array(whole, np.uint8), bitorder="little" if order is BitOrder.LSB else "big").tobytes()


def bits_of(row: np.ndarray, layout: RawLayout) -> list[int]:
    """Of one row, padded."""
    form = layout.form
    if form.packing is not None:
        bits = row_bits(row, form.packing, form.bit_order)
    else:
        little = form.bit_order is BitOrder.LSB
        stored = np.frombuffer(row.astype(layout.dtype).tobytes(), np.uint8)
        bits = np.unpackbits(stored, bitorder="little" if little else "big").tolist()
    return bits + [1] * (-len(bits) % form.row_alignment)


def line_bytes(line: np.ndarray, layout: RawLayout) -> bytes:
    """The samples of one line (Z, X), bil or bip, padded."""
    rows = line if layout.interleave == "bil" else line.T
    bits = [bit for row in rows for bit in bits_of(row, layout)]
    return padded(bits, layout.form.line_alignment, layout.form.bit_order)


def raw_bytes(cube: np.ndarray, layout: RawLayout) -> bytes:
    """A whole file of lines (Y, Z, X)."""
    before = b"\xa5" * layout.form.offset
    if layout.interleave == "bsq":
        rows = cube.transpose(1, 0, 2).reshape(-1, layout.n_columns)
        order = layout.form.bit_order
        return before + b"".join(padded(bits_of(row, layout), 8, order) for row in rows)
    return before + b"".join(line_bytes(line, layout) for line in cube)
