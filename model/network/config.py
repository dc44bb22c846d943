"""The shape of a LineRWKV network as one frozen dataclass, and the named presets."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from runtime.errors import BadArgument

Base = Literal["mean", "line", "spectral"]


@dataclass(frozen=True)
class NetworkConfig:
    """What rebuilds a network; stored in checkpoints and in the manifest of a flight package."""

    features: int = 64
    """F, the width of every hidden vector."""
    encoder_layers: int = 2
    """Column convolutions of the spatial encoder."""
    line_blocks: int = 2
    """RWKV blocks over lines."""
    band_layers: int = 2
    """Causal convolutions over bands."""
    band_attention: bool = True
    """Whether the linear attention over bands follows the convolutions."""
    base: Base = "mean"
    """The exact integer that the network corrects, see runtime/cell/integer_base.py; with `mean` the network predicts
    the sample itself, as in the paper."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        for name, lowest in (("features", 2), ("encoder_layers", 1), ("line_blocks", 1), ("band_layers", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or not lowest <= value <= 1024:
                raise BadArgument(f"network: {name} is {value!r}, allowed {lowest}..1024")
        if self.base not in get_args(Base):
            raise BadArgument(f"network: base is {self.base!r}, allowed {', '.join(get_args(Base))}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "NetworkConfig":
        """Read `to_dict`, or a table of a TOML file with an optional `preset`; unknown keys are errors."""
        values = dict(values)
        preset = values.pop("preset", None)
        if preset is not None and preset not in PRESETS:
            raise BadArgument(f"network: preset is {preset!r}, allowed {', '.join(PRESETS)}")
        allowed = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - allowed)
        if unknown:
            raise BadArgument(f"network: unknown key {unknown[0]!r}, allowed {', '.join(sorted(allowed))}")
        start = asdict(PRESETS[preset]) if preset else {}
        return cls(**{**start, **values})


PRESETS = {
    # Valsesia, Bianchi, Magli, IGARSS 2024, section 4: 64 features, about 110 k parameters
    "paper": NetworkConfig(),
    # the same classes, a quarter of the operations, correcting an exact integer prediction: trains in minutes
    "small": NetworkConfig(features=32, band_attention=False, base="spectral"),
}
