"""One way to refuse a parameter that lies outside the standard's range."""

from collections.abc import Sequence

from runtime.errors import BadArgument


def check(name: str, value: int, lowest: int, highest: int) -> None:
    """Raise BadArgument unless `value` is an integer in lowest..highest."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadArgument(f"{name} is {value!r}, must be an integer in {lowest}..{highest}")
    if not lowest <= value <= highest:
        raise BadArgument(f"{name} is {value}, allowed {lowest}..{highest}")


def check_all(name: str, values: Sequence[int], n_values: int, lowest: int, highest: int) -> None:
    """Raise BadArgument unless `values` holds `n_values` integers in lowest..highest."""
    if len(values) != n_values:
        raise BadArgument(f"{name} has {len(values)} values, must have {n_values}")
    for index, value in enumerate(values):
        if type(value) is not int or not lowest <= value <= highest:  # tables are long: word the error only if needed
            check(f"{name}[{index}]", value, lowest, highest)
