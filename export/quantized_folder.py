"""What `linerwkv quantize` leaves, as an export needs it: the integers of a cell, and where they come from."""

from pathlib import Path
from typing import Any, NamedTuple

from quantize.integers_folder import read_integers
from runtime.cell.integer_cell import IntegerCell

RECORD = "integers.json"
TRAINING = ("data", "schedule")
"""Of the record's provenance, what describes the float network."""


class QuantizedFolder(NamedTuple):
    """A cell with its record."""

    cell: IntegerCell
    training: dict[str, Any]
    """Data and schedule of the float network."""
    quantization: dict[str, Any]
    """The rest of the provenance."""
    name: str


def is_quantized_folder(path: Path) -> bool:
    """Whether `path` is a folder that `linerwkv quantize` wrote."""
    return (path / RECORD).is_file()


def read_quantized_folder(path: Path) -> QuantizedFolder:
    """The cell, checked. Raises BadArgument or Corrupt."""
    cell, record = read_integers(path)
    provenance = dict(record["provenance"])
    training = {name: provenance.pop(name) for name in TRAINING if name in provenance}
    return QuantizedFolder(cell, training, provenance, str(provenance.get("name", path.name)))
