"""The shape of the flight network as one frozen dataclass."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from msgspec import Meta

from runtime.checked_table import checked_table


@dataclass(frozen=True)
class FlightConfig:
    """What rebuilds a flight network; stored in checkpoints and in the manifest of an int8 package."""

    group: Annotated[int, Meta(ge=1, le=16)] = 8
    """G, neighbouring bands that share the line part: its features, its columns and its memory of lines."""
    features: Annotated[int, Meta(ge=4, le=128)] = 64
    """F, the width of the line part."""
    line_convolutions: Annotated[int, Meta(ge=1, le=16)] = 2
    """Column convolutions on the features of the lines before."""
    line_blocks: Annotated[int, Meta(ge=1, le=16)] = 1
    """RWKV blocks over lines."""
    spectral_features: Annotated[int, Meta(ge=4, le=64)] = 24
    """S, the width of the spectral part, which each band has for itself."""
    band_convolutions: Annotated[int, Meta(ge=0, le=16)] = 1
    """Causal convolutions over bands, each seeing three bands."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"preset": "flight", **asdict(self)}

    @classmethod
    def from_dict(cls, values: Any, where: str = "network configuration") -> "FlightConfig":
        """Read `to_dict`; `where`: the file, for errors. Raises BadArgument."""
        if isinstance(values, dict):
            values = {key: value for key, value in values.items() if key != "preset"}
        return checked_table(cls, values, where, "network")
