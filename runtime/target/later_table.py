"""The configuration of streams that are recorded first and compressed afterwards (docs/recorder.md)."""

from dataclasses import dataclass, field
from typing import Any

from runtime.checked_table import AtLeast0
from runtime.codec.coding_options import CodingOptions, coding_options
from runtime.errors import BadArgument
from runtime.usable_cores import usable_cores

KEPT_FREE = 2
"""Times `rotate_bytes` of the quota that a recorder leaves free: for a compressed stream, or the packets of one."""


@dataclass(frozen=True)
class LaterTable:
    """How `record --compress-later` codes them."""

    form: dict[str, Any] = field(default_factory=dict)
    """The words of `linerwkv compress`, with `_` for `-`, its `max_error` among them."""
    threads: AtLeast0 = 0  # 0: as many as the process may use

    def __post_init__(self) -> None:
        """Raise BadArgument."""
        self.options()

    def options(self) -> CodingOptions:
        """As an encoder takes them. Raises BadArgument."""
        try:
            return coding_options(self.form)
        except BadArgument as error:
            raise BadArgument(f"form.{error}") from None

    @property
    def n_threads(self) -> int:
        """1 or more."""
        return self.threads or usable_cores()
