"""The image and the order of its samples: the Essential subpart of the header (3.2, 3.3, 5.2.2, 5.3.2.2)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from runtime.ccsds123.choices import CoderType, Fidelity, Order
from runtime.ccsds123.fields import FieldReader, FieldWriter
from runtime.ccsds123.ranges import check

SIZE_BITS = 16
MAX_SIZE = 1 << SIZE_BITS
MAX_TABLES = 15


@dataclass(frozen=True)
class Image:
    """What the Essential subpart says, apart from the choices that belong to other parts."""

    n_columns: int  # N_X, 1..65536
    n_lines: int  # N_Y, 1..65536
    n_bands: int  # N_Z, 1..65536
    depth: int  # D, bits per sample, 2..32
    is_signed: bool = False
    order: Order = Order.BAND_INTERLEAVED
    interleaving_depth: int = 1  # M, 1..N_Z: 1 is BIL, N_Z is BIP; 0 for BSQ
    word_bytes: int = 1  # B, bytes of an output word, 1..8
    user_data: int = 0  # 0..255, at the user's disposal

    def __post_init__(self) -> None:
        check("Nx", self.n_columns, 1, MAX_SIZE)
        check("Ny", self.n_lines, 1, MAX_SIZE)
        check("Nz", self.n_bands, 1, MAX_SIZE)
        check("D", self.depth, 2, 32)
        check("B", self.word_bytes, 1, 8)
        check("user", self.user_data, 0, 255)
        if self.is_sequential:
            check("M (order BSQ)", self.interleaving_depth, 0, 0)
        else:
            check("M", self.interleaving_depth, 1, self.n_bands)

    @property
    def is_sequential(self) -> bool:
        """Whether the order is BSQ."""
        return self.order is Order.BAND_SEQUENTIAL

    @property
    def n_samples(self) -> int:
        """N_X * N_Y * N_Z."""
        return self.n_columns * self.n_lines * self.n_bands

    @property
    def smallest(self) -> int:
        """s_min (equations 9 and 10)."""
        return -(1 << (self.depth - 1)) if self.is_signed else 0

    @property
    def largest(self) -> int:
        """s_max (equations 9 and 10)."""
        return self.smallest + (1 << self.depth) - 1

    @property
    def middle(self) -> int:
        """s_mid (equations 9 and 10)."""
        return 0 if self.is_signed else 1 << (self.depth - 1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The narrowest integer type that holds every sample: 8, 16 or 32 bits."""
        width = 8 if self.depth <= 8 else 16 if self.depth <= 16 else 32
        return np.dtype(f"{'int' if self.is_signed else 'uint'}{width}")

    def write(self, fields: FieldWriter, coder: CoderType, fidelity: Fidelity, n_tables: int) -> None:
        """Append the Essential subpart (table 5-3)."""
        fields.put_each(
            (self.user_data, 8), (self.n_columns, SIZE_BITS), (self.n_lines, SIZE_BITS), (self.n_bands, SIZE_BITS),
            (self.is_signed, 1), (0, 1), (self.depth > 16, 1), (self.depth, 4), (self.order.code, 1),
            (self.interleaving_depth, SIZE_BITS), (0, 2), (self.word_bytes, 3), (coder.code, 2), (0, 1),
            (fidelity.code, 2), (0, 2), (n_tables, 4),
        )  # fmt: skip

    @classmethod
    def read(cls, fields: FieldReader) -> tuple["Image", CoderType, Fidelity, int]:
        """The image, coder, fidelity and number of supplementary tables that `fields` begin with."""
        user_data = fields.take(8, "user-defined data")
        n_columns = fields.take_size(SIZE_BITS, "X size")
        n_lines = fields.take_size(SIZE_BITS, "Y size")
        n_bands = fields.take_size(SIZE_BITS, "Z size")
        is_signed = fields.take_flag("sample type")
        fields.reserved(1)
        is_large = fields.take_flag("large dynamic range flag")
        depth = 16 * is_large + fields.take_size(4, "dynamic range")
        order = Order.from_code(fields.take(1, "sample encoding order"))
        if order is Order.BAND_SEQUENTIAL:
            interleaving_depth = 0
            fields.reserved(SIZE_BITS, "sub-frame interleaving depth of BSQ order")
        else:
            interleaving_depth = fields.take_size(SIZE_BITS, "sub-frame interleaving depth")
        fields.reserved(2)
        word_bytes = fields.take_size(3, "output word size")
        coder = CoderType.from_code(fields.take(2, "entropy coder type"))
        fields.reserved(1)
        fidelity = Fidelity.from_code(fields.take(2, "quantizer fidelity control method"))
        fields.reserved(2)
        n_tables = fields.take(4, "supplementary information table count")
        image = cls(n_columns, n_lines, n_bands, depth, is_signed, order, interleaving_depth, word_bytes, user_data)
        return image, coder, fidelity, n_tables
