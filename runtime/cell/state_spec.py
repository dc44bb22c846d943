"""What a cell remembers: the same for float and int8 packages."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

LARGEST_STATE = 1 << 10


@dataclass(frozen=True)
class StateSpec:
    """One named state of the cells; it goes in under its name and comes out under its name with `_next`."""

    name: Annotated[str, Meta(pattern=r"^\w{1,100}$", description="name of letters, digits and _")]
    is_per_band: bool
    """True: (bands, columns, features), memory of lines. False: (depth, columns, features), from band to band."""
    depth: Annotated[int, Meta(ge=0, le=LARGEST_STATE)]
    features: Annotated[int, Meta(ge=1, le=LARGEST_STATE)]
    dtype: Literal["int8", "int16", "float32"]
    initial: float
