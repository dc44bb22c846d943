"""What an executor or compiler can run, as its makers' documents say: small tables in export/targets."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TARGETS = Path(__file__).parent / "targets"


@dataclass(frozen=True)
class Target:
    """One executor. Only operators that our graphs use are listed."""

    name: str
    source: str
    """The document that says so."""
    url: str
    checked: str
    """How much of it was tried."""
    float_operators: tuple[str, ...]
    """Run in floating point."""
    is_float_exact: bool
    """Whether float32 sums and products are what IEEE 754 says."""
    quantised_operators: tuple[str, ...]
    """Run on integers between DequantizeLinear and QuantizeLinear."""
    activations: tuple[str, ...]
    """Types of quantised activations: uint8 with any zero point, int8 with zero point 0."""
    has_per_channel_weights: bool
    notes: tuple[str, ...]


def read_targets() -> list[Target]:
    """All targets in the order of their files."""
    found = []
    for file in sorted(TARGETS.glob("*.json")):
        values: dict[str, Any] = json.loads(file.read_text())
        frozen: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        found.append(Target(**frozen))
    return found
