"""The shape of a LineRWKV network as one frozen dataclass, and the named presets."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from runtime.checked_table import checked_table

Base = Literal["mean", "line", "spectral"]


@dataclass(frozen=True)
class NetworkConfig:
    """What rebuilds a network; stored in checkpoints and in the manifest of a flight package."""

    features: Annotated[int, Meta(ge=2, le=1024)] = 64
    """F, the width of every hidden vector."""
    encoder_layers: Annotated[int, Meta(ge=1, le=1024)] = 2
    """Column convolutions of the spatial encoder."""
    line_blocks: Annotated[int, Meta(ge=1, le=1024)] = 2
    """RWKV blocks over lines."""
    band_layers: Annotated[int, Meta(ge=0, le=1024)] = 2
    """Causal convolutions over bands."""
    band_attention: bool = True
    """Whether the linear attention over bands follows the convolutions."""
    base: Base = "mean"
    """The exact integer that the network corrects, see runtime/cell/integer_base.py; with `mean` the network predicts
    the sample itself, as in the paper."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Any, where: str = "network configuration") -> "NetworkConfig":
        """Read `to_dict`; `where`: the file, for errors. Raises BadArgument."""
        return checked_table(cls, values, where, "network")


PRESETS = {
    # Valsesia, Bianchi, Magli, IGARSS 2024, section 4: 64 features, about 110 k parameters
    "paper": NetworkConfig(),
    # the same classes, a quarter of the operations, correcting an exact integer prediction: trains in minutes
    "small": NetworkConfig(features=32, band_attention=False, base="spectral"),
}
