"""The option of a command line that names values which are no measurements."""

from typing import Any

import click

from runtime.stream.special_values import number_of


class Number(click.ParamType[int | float]):
    """An integer of any size, or a float."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """Read a word."""
        found = number_of(str(value))
        return self.fail(f"{value!r} is no number", param, ctx) if found is None else found


special_option = click.option(
    "--special", "--nodata", "specials", type=Number(), multiple=True,
    help="A value that is no measurement; it costs next to nothing and comes back exactly.",
)  # fmt: skip
