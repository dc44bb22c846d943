"""What a cell remembers: the same for float and int8 packages."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StateSpec:
    """One named state of the cells; it goes in under its name and comes out under its name with `_next`."""

    name: str
    is_per_band: bool  # (bands, columns, features), memory of lines; else (depth, ...), from band to band
    depth: int
    features: int
    dtype: str
    initial: float
