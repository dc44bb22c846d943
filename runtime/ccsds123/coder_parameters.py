"""Parameters of the three entropy coders: the Entropy Coder Metadata (5.3.4)."""

from dataclasses import dataclass, field
from typing import ClassVar

from runtime.ccsds123.choices import CoderType
from runtime.ccsds123.fields import FieldReader, FieldWriter
from runtime.ccsds123.golomb import GolombParameters
from runtime.ccsds123.image import Image
from runtime.ccsds123.ranges import check, check_all
from runtime.errors import BadArgument

NO_CONSTANT = 15
BLOCK_SIZES = (8, 16, 32, 64)


@dataclass(frozen=True)
class SampleAdaptive:
    """Sample-adaptive coder (5.4.3.2, table 5-13)."""

    unary_limit: int = 18  # U_max, 8..32
    rescaling_exponent: int = 6  # gamma*, max(4, gamma0 + 1)..11
    initial_count_exponent: int = 1  # gamma0, 1..8
    accumulator_constant: int | None = 3  # K, 0..min(D - 2, 14); None: a table of k'' per band
    accumulator_table: tuple[int, ...] | None = None
    """k''_z, each 0..min(D - 2, 14); None: K, or left out of the header."""
    is_table_in_header: bool = False

    type: ClassVar[CoderType] = CoderType.SAMPLE_ADAPTIVE

    def golomb(self, depth: int) -> GolombParameters:
        """The same as parameters of runtime/ccsds123/golomb.py, which has no tables: K is 0 where there is one."""
        statistics = self.unary_limit, self.rescaling_exponent, self.initial_count_exponent
        return GolombParameters(depth, *statistics, self.accumulator_constant or 0)

    def check_image(self, image: Image) -> None:
        """Refuse what does not fit the image."""
        check_statistics(self.unary_limit, self.rescaling_exponent, self.initial_count_exponent)
        highest = min(image.depth - 2, 14)
        if self.accumulator_constant is not None:
            check("K", self.accumulator_constant, 0, highest)
            if self.accumulator_table is not None or self.is_table_in_header:
                raise BadArgument("both K and k_table are given")
        elif self.accumulator_table is not None:
            check_all("k_table", self.accumulator_table, image.n_bands, 0, highest)

    def write(self, fields: FieldWriter) -> None:
        """Append the metadata (table 5-13)."""
        fields.put_each(
            (self.unary_limit, 5), (self.rescaling_exponent - 4, 3), (self.initial_count_exponent, 3),
            (NO_CONSTANT if self.accumulator_constant is None else self.accumulator_constant, 4),
            (self.is_table_in_header, 1),
        )  # fmt: skip
        if self.is_table_in_header and self.accumulator_table is not None:
            fields.put_all(self.accumulator_table, 4)

    @classmethod
    def read(cls, fields: FieldReader, image: Image) -> "SampleAdaptive":
        """The metadata that `fields` go on with."""
        statistics = read_statistics(fields)
        constant = fields.take(4, "accumulator initialization constant")
        has_table = fields.take_flag("accumulator initialization table flag")
        table = fields.take_all(image.n_bands, 4, "accumulator initialization table") if has_table else None
        return cls(*statistics, None if constant == NO_CONSTANT else constant, table, has_table)


@dataclass(frozen=True)
class Hybrid:
    """Hybrid coder (5.4.3.3, table 5-14)."""

    unary_limit: int = 18  # U_max, 8..32
    rescaling_exponent: int = 6  # gamma*, max(4, gamma0 + 1)..11
    initial_count_exponent: int = 1  # gamma0, 1..8
    initial_accumulators: tuple[int, ...] | None = field(default=None, compare=False)
    """Sigma_z(0), each 0..2**(D + gamma0) - 1, of the encoder alone. None: a mean index of 1 where allowed."""

    type: ClassVar[CoderType] = CoderType.HYBRID

    def accumulators(self, image: Image) -> tuple[int, ...]:
        """Sigma_z(0) of each band."""
        if self.initial_accumulators is not None:
            return self.initial_accumulators
        largest = (1 << (image.depth + self.initial_count_exponent)) - 1
        return (min(4 << self.initial_count_exponent, largest),) * image.n_bands

    def check_image(self, image: Image) -> None:
        """Refuse what does not fit the image."""
        check_statistics(self.unary_limit, self.rescaling_exponent, self.initial_count_exponent)
        if self.initial_accumulators is not None:
            highest = (1 << (image.depth + self.initial_count_exponent)) - 1
            check_all("hybrid_acc_init", self.initial_accumulators, image.n_bands, 0, highest)

    def write(self, fields: FieldWriter) -> None:
        """Append the metadata (table 5-14)."""
        fields.put_each(
            (self.unary_limit, 5), (self.rescaling_exponent - 4, 3), (self.initial_count_exponent, 3), (0, 5)
        )

    @classmethod
    def read(cls, fields: FieldReader, image: Image) -> "Hybrid":
        """The metadata that `fields` go on with."""
        unary_limit, rescaling_exponent, initial_count_exponent = read_statistics(fields)
        fields.reserved(5)
        return cls(unary_limit, rescaling_exponent, initial_count_exponent)


@dataclass(frozen=True)
class BlockAdaptive:
    """Block-adaptive coder (5.4.3.4, table 5-15)."""

    block_size: int = 16  # J, 8, 16, 32 or 64
    reference_interval: int = 64  # r, blocks between segment restarts, 1..4096
    is_restricted: bool = False  # Restricted set of code options, only with D <= 4

    type: ClassVar[CoderType] = CoderType.BLOCK_ADAPTIVE

    def check_image(self, image: Image) -> None:
        """Refuse what does not fit the image."""
        if self.block_size not in BLOCK_SIZES:
            raise BadArgument(f"J is {self.block_size}, allowed 8, 16, 32, 64")
        check("ref_interval", self.reference_interval, 1, 4096)
        if self.is_restricted and image.depth > 4:
            raise BadArgument(f"restricted code options with D = {image.depth}, allowed D <= 4")

    def write(self, fields: FieldWriter) -> None:
        """Append the metadata (table 5-15)."""
        fields.put_each(
            (0, 1), (BLOCK_SIZES.index(self.block_size), 2), (self.is_restricted, 1), (self.reference_interval, 12)
        )

    @classmethod
    def read(cls, fields: FieldReader, image: Image) -> "BlockAdaptive":
        """The metadata that `fields` go on with."""
        fields.reserved(1)
        block_size = BLOCK_SIZES[fields.take(2, "block size")]
        is_restricted = fields.take_flag("restricted code options flag")
        return cls(block_size, fields.take_size(12, "reference sample interval"), is_restricted)


Coder = SampleAdaptive | Hybrid | BlockAdaptive
CODERS: dict[CoderType, type[Coder]] = {coder.type: coder for coder in (SampleAdaptive, Hybrid, BlockAdaptive)}


def check_statistics(unary_limit: int, rescaling_exponent: int, initial_count_exponent: int) -> None:
    """Refuse values outside the ranges that two coders share (5.4.3.2.2, 5.4.3.2.3)."""
    check("Umax", unary_limit, 8, 32)
    check("gamma0", initial_count_exponent, 1, 8)
    check("gamma_star", rescaling_exponent, max(4, initial_count_exponent + 1), 11)


def read_statistics(fields: FieldReader) -> tuple[int, int, int]:
    """U_max, gamma* and gamma0, with which two coders' metadata begin."""
    unary_limit = fields.take_size(5, "unary length limit")
    rescaling_exponent = fields.take(3, "rescaling counter size") + 4
    return unary_limit, rescaling_exponent, fields.take_size(3, "initial count exponent")
