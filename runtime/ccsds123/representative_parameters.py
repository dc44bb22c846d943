"""Sample representatives: the Sample Representative subpart (4.9, 5.3.3.5)."""

from dataclasses import dataclass, replace

from runtime.ccsds123.fields import FieldReader, FieldWriter
from runtime.ccsds123.image import Image
from runtime.ccsds123.ranges import check, check_all
from runtime.errors import BadArgument


@dataclass(frozen=True)
class BandVarying:
    """phi or psi: one value for all bands, or a table of one per band that may be left out of the header."""

    fixed: int | None = 0  # 0..2**Theta - 1; None: varies from band to band
    table: tuple[int, ...] | None = None  # One per band, each 0..2**Theta - 1; None: fixed, or left out of the header
    is_table_in_header: bool = False

    def check_image(self, name: str, image: Image, highest: int) -> None:
        """Refuse what does not fit the image."""
        if self.fixed is not None:
            check(name, self.fixed, 0, highest)
            if self.table is not None or self.is_table_in_header:
                raise BadArgument(f"{name} is both fixed and a table")
        elif self.table is not None:
            check_all(name, self.table, image.n_bands, 0, highest)

    def per_band(self, n_bands: int) -> tuple[int, ...] | None:
        """The value of each band, None where a table is missing."""
        return (self.fixed,) * n_bands if self.fixed is not None else self.table

    def write(self, fields: FieldWriter) -> None:
        """Append the four fields of table 5-12 that concern it."""
        fields.put_each((0, 1), (self.fixed is None, 1), (self.is_table_in_header, 1), (0, 1), (self.fixed or 0, 4))

    @classmethod
    def read(cls, fields: FieldReader, name: str) -> "BandVarying":
        """The value that `fields` go on with, its table not read yet."""
        fields.reserved(1)
        is_varying = fields.take_flag(f"band-varying {name} flag")
        has_table = fields.take_flag(f"{name} table flag")
        fields.reserved(1)
        value = fields.take(4, f"fixed {name} value")
        if (is_varying and value) or (has_table and not is_varying):
            raise BadArgument(f"fixed {name} value is {value} with flags {int(is_varying)}{int(has_table)}")
        return cls(None if is_varying else value, None, has_table)


@dataclass(frozen=True)
class Representative:
    """What the Sample Representative subpart says; it is in the header where Theta > 0."""

    resolution: int = 0  # Theta, 0..4
    damping: BandVarying = BandVarying()  # phi
    offset: BandVarying = BandVarying()  # psi

    def check_image(self, image: Image, is_lossless: bool) -> None:
        """Refuse what does not fit the image."""
        check("theta", self.resolution, 0, 4)
        highest = (1 << self.resolution) - 1
        self.damping.check_image("phi", image, highest)
        self.offset.check_image("psi", image, highest)
        if is_lossless and any(self.offset.per_band(image.n_bands) or ()):
            raise BadArgument("psi is not 0 with lossless fidelity, must be 0 (4.9.1.2)")

    def write(self, fields: FieldWriter) -> None:
        """Append the subpart (table 5-12), nothing where Theta = 0."""
        if self.resolution == 0:
            return
        fields.put(0, 5)
        fields.put(self.resolution, 3)
        self.damping.write(fields)
        self.offset.write(fields)
        for parameter in (self.damping, self.offset):
            if parameter.is_table_in_header and parameter.table is not None:
                fields.put_all(parameter.table, self.resolution)

    @classmethod
    def read(cls, fields: FieldReader, image: Image) -> "Representative":
        """The subpart that `fields` go on with."""
        fields.reserved(5)
        resolution = fields.take(3, "sample representative resolution")
        if resolution == 0:
            raise BadArgument("sample representative resolution is 0 although the subpart is present, allowed 1..4")
        damping = BandVarying.read(fields, "damping")
        offset = BandVarying.read(fields, "offset")
        if damping.is_table_in_header:
            damping = replace(damping, table=fields.take_all(image.n_bands, resolution, "damping table"))
        if offset.is_table_in_header:
            offset = replace(offset, table=fields.take_all(image.n_bands, resolution, "offset table"))
        return cls(resolution, damping, offset)
