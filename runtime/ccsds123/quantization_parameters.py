"""Error limits: the Quantization subpart (4.8, 5.3.3.4)."""

from dataclasses import dataclass, field

from runtime.ccsds123.choices import Fidelity
from runtime.ccsds123.fields import FieldReader, FieldWriter
from runtime.ccsds123.image import Image
from runtime.ccsds123.ranges import check, check_all
from runtime.errors import BadArgument

Limits = tuple[int, ...]  # One error limit for all bands, or one per band


@dataclass(frozen=True)
class ErrorLimit:
    """Absolute or relative error limits of an image; which of the two, the place says."""

    n_bits: int  # D_A or D_R, 1..min(D - 1, 16)
    is_band_dependent: bool
    values: Limits = ()  # a or r: one value, or one per band; empty where limits are updated periodically
    periods: tuple[Limits, ...] = field(default=(), compare=False)
    """The same for each period, needed to encode; the header does not hold them, so they do not make a difference."""

    def n_values(self, image: Image) -> int:
        """Values of a set of limits."""
        return image.n_bands if self.is_band_dependent else 1

    def check_image(self, name: str, image: Image, n_periods: int | None) -> None:
        """Refuse what does not fit the image; `n_periods` is None without periodic updating."""
        check(f"D{name.upper()}", self.n_bits, 1, min(image.depth - 1, 16))
        highest = (1 << self.n_bits) - 1
        if n_periods is None:
            if self.periods:
                raise BadArgument(f"{name}_periods are given without periodic_u")
            check_all(name, self.values, self.n_values(image), 0, highest)
            return
        if self.values:
            raise BadArgument(f"{name} is given together with periodic_u, {name}_periods must hold it")
        if self.periods and len(self.periods) < n_periods:
            raise BadArgument(f"{name}_periods has {len(self.periods)} periods, the image has {n_periods}")
        for index, values in enumerate(self.periods):
            check_all(f"{name}_periods[{index}]", values, self.n_values(image), 0, highest)

    def write(self, fields: FieldWriter) -> None:
        """Append an Absolute or Relative Error Limit block (tables 5-10 and 5-11)."""
        fields.put_each((0, 1), (self.is_band_dependent, 1), (0, 2), (self.n_bits, 4))
        fields.put_all(self.values, self.n_bits)

    @classmethod
    def read(cls, fields: FieldReader, image: Image, name: str, is_periodic: bool) -> "ErrorLimit":
        """The block that `fields` go on with."""
        fields.reserved(1)
        is_band_dependent = fields.take_flag(f"{name} error limit assignment method")
        fields.reserved(2)
        n_bits = fields.take_size(4, f"{name} error limit bit depth")
        n_values = 0 if is_periodic else image.n_bands if is_band_dependent else 1
        return cls(n_bits, is_band_dependent, fields.take_all(n_values, n_bits, f"{name} error limit values"))


@dataclass(frozen=True)
class Quantization:
    """What the Quantization subpart says; lossless where both limits are None."""

    absolute: ErrorLimit | None = None
    relative: ErrorLimit | None = None
    period_exponent: int | None = None  # u, 0..9: new limits every 2**u lines; None: the same for all lines

    @property
    def fidelity(self) -> Fidelity:
        """The quantizer fidelity control method."""
        return Fidelity.from_code((self.absolute is not None) + 2 * (self.relative is not None))

    @property
    def limits(self) -> tuple[ErrorLimit, ...]:
        """The limits in use, in the order of the stream."""
        return tuple(limit for limit in (self.absolute, self.relative) if limit is not None)

    def starts_period(self, y: int) -> bool:
        """Whether line y begins with new limits (5.4.2.2.2)."""
        return self.period_exponent is not None and y % (1 << self.period_exponent) == 0

    def check_image(self, image: Image) -> None:
        """Refuse what does not fit the image."""
        n_periods = None
        if self.period_exponent is not None:
            check("periodic_u", self.period_exponent, 0, 9)
            if image.is_sequential or self.fidelity is Fidelity.LOSSLESS:
                raise BadArgument("periodic_u is given with BSQ order or lossless fidelity, must be null")
            n_periods = -(-image.n_lines >> self.period_exponent)
        for name, limit in (("a", self.absolute), ("r", self.relative)):
            if limit is not None:
                limit.check_image(name, image, n_periods)

    def write(self, fields: FieldWriter, image: Image) -> None:
        """Append the Quantization subpart (table 5-8), nothing where lossless."""
        if not self.limits:
            return
        if not image.is_sequential:
            fields.put_each((0, 1), (self.period_exponent is not None, 1), (0, 2), (self.period_exponent or 0, 4))
        for limit in self.limits:
            limit.write(fields)

    @classmethod
    def read(cls, fields: FieldReader, image: Image, fidelity: Fidelity) -> "Quantization":
        """The subpart that `fields` go on with."""
        if fidelity is Fidelity.LOSSLESS:
            return cls()
        period_exponent = None
        if not image.is_sequential:
            fields.reserved(1)
            is_periodic = fields.take_flag("periodic updating flag")
            fields.reserved(2)
            exponent = fields.take(4, "update period exponent")
            if is_periodic:
                period_exponent = exponent
            elif exponent:
                raise BadArgument(f"update period exponent is {exponent} without periodic updating, must be 0")
        is_periodic = period_exponent is not None
        absolute = ErrorLimit.read(fields, image, "absolute", is_periodic) if fidelity.uses_absolute else None
        relative = ErrorLimit.read(fields, image, "relative", is_periodic) if fidelity.uses_relative else None
        return cls(absolute, relative, period_exponent)
