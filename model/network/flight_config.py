"""The shape of the flight network as one frozen dataclass."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from runtime.errors import BadArgument


@dataclass(frozen=True)
class FlightConfig:
    """What rebuilds a flight network; stored in checkpoints and in the manifest of an int8 package."""

    features: int = 24
    """F, the width of every hidden vector."""
    line_convolutions: int = 2
    """Column convolutions on the features of the lines before."""
    line_blocks: int = 1
    """RWKV blocks over lines."""
    band_convolutions: int = 2
    """Causal convolutions over bands, each seeing three bands."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        lowest = {"features": 4, "line_convolutions": 1, "line_blocks": 1, "band_convolutions": 0}
        for name, smallest in lowest.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not smallest <= value <= 128:
                raise BadArgument(f"network: {name} is {value!r}, allowed {smallest}..128")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"preset": "flight", **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "FlightConfig":
        """Read `to_dict`, or a table of a TOML file; unknown keys are errors."""
        values = {name: value for name, value in values.items() if name != "preset"}
        allowed = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - allowed)
        if unknown:
            raise BadArgument(f"network: unknown key {unknown[0]!r}, allowed {', '.join(sorted(allowed))}")
        return cls(**values)
