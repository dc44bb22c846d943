"""Numbers as the page prints them."""

import math
from collections.abc import Sequence

NOT_MEASURED = "not measured"
THIN_SPACE = "\u202f"
LARGEST_PLAIN, SMALLEST_PLAIN = 1e9, 1e-4
"""Sizes between these are printed without a power of ten."""


def number(value: float | None, digits: int = 3) -> str:
    """The value with so many significant digits, a count with all; None is `not measured`."""
    if value is None:
        return NOT_MEASURED
    return grouped(f"{value:,}") if isinstance(value, int) else printed(value, decimals_of(value, digits))


def aligned(values: Sequence[float | None], digits: int = 3) -> list[str]:
    """A column: all with the decimals that give its largest value so many digits, and its smallest one or more."""
    sizes = [abs(value) for value in values if value is not None and math.isfinite(value) and value != 0]
    if not sizes or max(sizes) >= LARGEST_PLAIN or min(sizes) < SMALLEST_PLAIN:
        return [number(value, digits) for value in values]
    decimals = max(decimals_of(max(sizes), digits), decimals_of(min(sizes), 1))
    return [NOT_MEASURED if value is None else printed(value, decimals) for value in values]


def decimals_of(value: float, digits: int) -> int:
    """Places after the point for so many significant digits."""
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def printed(value: float, decimals: int) -> str:
    """The value with so many places, or a power of ten where it is very large or very small."""
    if not math.isfinite(value):
        return {math.inf: "infinite", -math.inf: "-infinite"}.get(value, "not a number")
    if value != 0 and not SMALLEST_PLAIN <= abs(value) < LARGEST_PLAIN:
        return f"{value:.2e}"
    return grouped(f"{value:,.{decimals}f}")


def grouped(text: str) -> str:
    """Digits with thin spaces for commas, and a true minus sign."""
    return text.replace(",", THIN_SPACE).replace("-", "\u2212")


def with_uncertainty(values: Sequence[float], uncertainty: float) -> list[str]:
    """The values to the two digits of the uncertainty that mean something."""
    if not 0 < uncertainty < math.inf:
        return aligned(values, 4)
    return [printed(value, min(decimals_of(uncertainty, 2), 9)) for value in values]


def moment(started: str) -> str:
    """A time of ISO 8601 to the minute, without its zone."""
    return started[:16].replace("T", " ")


def given(value: float) -> str:
    """A number that somebody chose, as it was written."""
    return f"{value:.10g}"


def fixed(value: float, decimals: int = 2) -> str:
    """The value with so many places whatever its size, for times of one scale."""
    return grouped(f"{value:,.{decimals}f}") if abs(value) < LARGEST_PLAIN else printed(value, 0)
