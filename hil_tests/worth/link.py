"""A link file: the radio of a mission, and what is recorded in a day (docs/energy.md)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from runtime.checked_table import AtLeast1, Text, checked_table, read_toml
from runtime.errors import BadArgument

Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0, le=1)]
Half = Annotated[float, Meta(ge=0)]
"""Half of a 95 % interval."""


@dataclass(frozen=True)
class Link:
    """A whole link file. Uncertainties are halves of 95 % intervals."""

    name: Text
    source: Text
    """Where the figures are from, and which of them are assumed."""
    power_w: Positive
    """That the transmitter takes from the board's supply while it sends."""
    rate_mbit_per_s: Positive
    """While it sends, of what the modulator takes in."""
    efficiency: Share
    """Share of that rate that is image data: without framing, retransmission, idle and acquisition."""
    contact_minutes_per_day: Positive
    msamples_per_day: Positive
    """That are recorded."""
    raw_bits: AtLeast1
    """Of a sample as it is sent where nothing is coded."""
    power_uncertainty_w: Half = 0.0
    efficiency_uncertainty: Half = 0.0
    idle: Literal["included", "above"] = "included"
    """Of the coder's board: included where it is on for coding alone, above where it is on anyway."""

    def __post_init__(self) -> None:
        """Refuse an uncertainty of the efficiency as large as itself, which allows none."""
        if self.efficiency_uncertainty >= self.efficiency:
            raise BadArgument(
                f"efficiency_uncertainty: found {self.efficiency_uncertainty}, allowed less than efficiency, "
                f"{self.efficiency}"
            )

    @property
    def joules_per_bit_of_sample(self) -> float:
        """J/Msample that a bit of a sample costs on the radio: power / (rate * efficiency)."""
        return self.power_w / (self.rate_mbit_per_s * self.efficiency)

    @property
    def relative_uncertainty(self) -> float:
        """Of `joules_per_bit_of_sample`, power and efficiency taken to be independent."""
        return float(
            ((self.power_uncertainty_w / self.power_w) ** 2 + (self.efficiency_uncertainty / self.efficiency) ** 2)
            ** 0.5
        )


def load_link(path: Path) -> Link:
    """Read and check a link file. Raises BadArgument on one line."""
    where = f"link file {path}"
    return checked_table(Link, read_toml(path, where), where)
