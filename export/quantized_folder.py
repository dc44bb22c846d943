"""What `linerwkv quantize` leaves: the integers of a cell, and where they come from."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from runtime.errors import BadArgument, Corrupt
from runtime.integer_cell import CellShape, IntegerCell, cell_from_tensors, unpack_tensors

RECORD = "integers.json"
TENSORS = "integers.bin"


class QuantizedFolder(NamedTuple):
    """A cell with its record."""

    cell: IntegerCell
    training: dict[str, Any]
    """Of the float network: what the record's provenance holds under `training`."""
    quantization: dict[str, Any]
    """The rest of the provenance, and `weight_bits`."""
    name: str


def is_quantized_folder(path: Path) -> bool:
    """Whether `path` is a folder that `linerwkv quantize` wrote."""
    return (path / RECORD).is_file()


def read_quantized_folder(path: Path) -> QuantizedFolder:
    """The cell, checked. Raises BadArgument (a file is missing) or Corrupt."""
    for name in (RECORD, TENSORS):
        if not (path / name).is_file():
            raise BadArgument(f"{path} has no {name}: not the output of linerwkv quantize")
    try:
        record = json.loads((path / RECORD).read_text())
        tensors = unpack_tensors((path / TENSORS).read_bytes(), record["tensors"])
        cell = cell_from_tensors(CellShape.from_dict(record["architecture"]), tensors)
        provenance = dict(record["provenance"])
        quantization = {"weight_bits": int(record["weight_bits"])}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Corrupt(f"{path / RECORD} is not sound: {type(error).__name__} {error}") from None
    training = dict(provenance.pop("training", {}))
    name = str(provenance.get("name", training.get("name", path.name)))
    return QuantizedFolder(cell, training, quantization | provenance, name)
