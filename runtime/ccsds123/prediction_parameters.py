"""Parameters of prediction and weights: the Primary and Weight Tables subparts (4.2..4.7, 4.10, 5.3.3.2, 5.3.3.3)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from runtime.ccsds123.choices import LocalSum, Mode
from runtime.ccsds123.fields import FieldReader, FieldWriter
from runtime.ccsds123.image import Image
from runtime.ccsds123.ranges import check, check_all
from runtime.errors import BadArgument

BandTable = tuple[tuple[int, ...], ...]  # One row per band, each as long as that band needs

OFFSET_BITS = 4
N_DIRECTIONAL = 3


@dataclass(frozen=True)
class Prediction:
    """What the Primary subpart says, and its tables."""

    n_previous_bands: int = 3  # P, 0..15
    mode: Mode = Mode.FULL
    local_sum: LocalSum = LocalSum.WIDE_NEIGHBOR
    register_bits: int = 64  # R, max(32, D + Omega + 2)..64
    weight_resolution: int = 19  # Omega, 4..19
    interval_exponent: int = 6  # log2 of t_inc, 4..11
    first_exponent: int = -1  # v_min, -6..v_max
    last_exponent: int = 3  # v_max, v_min..9
    has_exponent_offsets: bool = False
    exponent_offsets: BandTable | None = None
    """Per band: sigma* of full mode, then sigma(1..P*z); each -6..5. None: all zero, or left out of the header."""
    is_offset_table_in_header: bool = False
    initial_weight_bits: int = 0  # Q, 3..Omega + 3; 0 where weights start at their defaults
    initial_weights: BandTable | None = None  # Lambda, C_z numbers of Q bits per band; None: defaults, or left out
    is_weight_table_in_header: bool = False

    def __post_init__(self) -> None:
        check("P", self.n_previous_bands, 0, 15)
        check("R", self.register_bits, 32, 64)
        check("Omega", self.weight_resolution, 4, 19)
        check("log2_tinc", self.interval_exponent, 4, 11)
        check("vmax", self.last_exponent, -6, 9)
        check("vmin", self.first_exponent, -6, self.last_exponent)
        if self.initial_weight_bits:
            check("Q", self.initial_weight_bits, 3, self.weight_resolution + 3)
        elif self.initial_weights is not None or self.is_weight_table_in_header:
            raise BadArgument("weight_init is given with Q = 0, Q must be 3..Omega + 3")
        if not self.has_exponent_offsets and (self.exponent_offsets is not None or self.is_offset_table_in_header):
            raise BadArgument("weight_exp_offsets are given although the weight exponent offset flag is 0")

    def check_image(self, image: Image) -> None:
        """Refuse what does not fit the image."""
        check("R", self.register_bits, max(32, image.depth + self.weight_resolution + 2), 64)
        is_column = self.local_sum in (LocalSum.WIDE_COLUMN, LocalSum.NARROW_COLUMN)
        if image.n_columns == 1 and (self.mode is Mode.FULL or not is_column):
            raise BadArgument("Nx is 1: the mode must be reduced and the local sum a column one (4.3.1, 4.4.1)")
        if self.exponent_offsets is not None:
            check_rows("weight_exp_offsets", self.exponent_offsets, self._n_offsets, image, -6, 5)
        if self.initial_weights is not None:
            largest = 1 << (self.initial_weight_bits - 1)
            check_rows("weight_init", self.initial_weights, self.n_differences, image, -largest, largest - 1)

    def n_previous(self, z: int) -> int:
        """P*z, bands that band z is predicted from (equation 18)."""
        return min(z, self.n_previous_bands)

    def n_differences(self, z: int) -> int:
        """C_z, local differences that band z is predicted from (equation 19)."""
        return self.n_previous(z) + (N_DIRECTIONAL if self.mode is Mode.FULL else 0)

    def _n_offsets(self, z: int) -> int:
        return self.n_previous(z) + (self.mode is Mode.FULL)

    def write(self, fields: FieldWriter, has_representative: bool) -> None:
        """Append the Primary and Weight Tables subparts (tables 5-6 and 5-7)."""
        fields.put_each(
            (0, 1), (has_representative, 1), (self.n_previous_bands, 4), (self.mode.code, 1),
            (self.has_exponent_offsets, 1), (self.local_sum.code, 2), (self.register_bits, 6),
            (self.weight_resolution - 4, 4), (self.interval_exponent - 4, 4), (self.first_exponent + 6, 4),
            (self.last_exponent + 6, 4), (self.is_offset_table_in_header, 1), (self.initial_weight_bits > 0, 1),
            (self.is_weight_table_in_header, 1), (self.initial_weight_bits, 5),
        )  # fmt: skip
        if self.is_weight_table_in_header and self.initial_weights is not None:
            fields.put_all((value for row in self.initial_weights for value in row), self.initial_weight_bits)
        if self.is_offset_table_in_header and self.exponent_offsets is not None:
            fields.put_all((value for row in self.exponent_offsets for value in row), OFFSET_BITS)

    @classmethod
    def read(cls, fields: FieldReader, image: Image) -> tuple["Prediction", bool]:
        """The parameters that `fields` go on with, and whether a Sample Representative subpart will follow."""
        fields.reserved(1)
        has_representative = fields.take_flag("sample representative flag")
        n_previous_bands = fields.take(4, "number of prediction bands")
        mode = Mode.from_code(fields.take(1, "prediction mode"))
        has_offsets = fields.take_flag("weight exponent offset flag")
        local_sum = LocalSum.from_code(fields.take(2, "local sum type"))
        register_bits = fields.take_size(6, "register size")
        resolution = fields.take(4, "weight component resolution") + 4
        interval_exponent = fields.take(4, "weight update scaling exponent change interval") + 4
        first_exponent = fields.take(4, "weight update scaling exponent initial parameter") - 6
        last_exponent = fields.take(4, "weight update scaling exponent final parameter") - 6
        has_offset_table = fields.take_flag("weight exponent offset table flag")
        is_custom = fields.take_flag("weight initialization method")
        has_weight_table = fields.take_flag("weight initialization table flag")
        weight_bits = fields.take(5, "weight initialization resolution")
        if is_custom != (weight_bits > 0):
            raise BadArgument(f"Q is {weight_bits} with weight initialization method {int(is_custom)}")
        plain = cls(
            n_previous_bands, mode, local_sum, register_bits, resolution, interval_exponent, first_exponent,
            last_exponent, has_offsets, None, has_offset_table, weight_bits, None, has_weight_table,
        )  # fmt: skip
        bands = range(image.n_bands)
        weights = offsets = None
        if has_weight_table:
            weights = take_rows(fields, list(map(plain.n_differences, bands)), weight_bits, "weight table")
        if has_offset_table:
            offsets = take_rows(fields, list(map(plain._n_offsets, bands)), OFFSET_BITS, "weight exponent offset table")
        return replace(plain, exponent_offsets=offsets, initial_weights=weights), has_representative


def check_rows(
    name: str, table: BandTable, row_length: Callable[[int], int], image: Image, lowest: int, highest: int
) -> None:
    """Raise BadArgument unless `table` has a row per band, of `row_length(z)` integers in lowest..highest."""
    if len(table) != image.n_bands:
        raise BadArgument(f"{name} has {len(table)} rows, must have one per band: {image.n_bands}")
    for z, row in enumerate(table):
        check_all(f"{name}[{z}]", row, row_length(z), lowest, highest)


def take_rows(fields: FieldReader, row_lengths: list[int], n_bits: int, name: str) -> BandTable:
    """A table of signed numbers with rows of those lengths."""
    values = iter(fields.take_all(sum(row_lengths), n_bits, name, signed=True))
    return tuple(tuple(next(values) for _ in range(length)) for length in row_lengths)
