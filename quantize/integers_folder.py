"""The integers of a cell on disk: integers.bin, and integers.json that says what lies in it and where it came from."""

import hashlib
import json
from pathlib import Path
from typing import Any

from model.network.flight_config import FlightConfig
from quantize.integers import cell_shape
from runtime.cell.integer_cell import ARITHMETIC, IntegerCell, cell_from_tensors, pack_tensors, unpack_tensors
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument, LineRwkvError

FORMAT = 1


def write_integers(folder: Path, cell: IntegerCell, config: FlightConfig, provenance: dict[str, Any]) -> None:
    """Write both files."""
    block, table = pack_tensors(cell.tensors())
    description = {
        "format": FORMAT,
        "arithmetic": ARITHMETIC,
        "architecture": config.to_dict(),
        "sha256": hashlib.sha256(block).hexdigest(),
        "largest_sum": max(cell.largest_sums().values()),
        "provenance": provenance,
        "tensors": table,
    }
    for name, data in (("integers.bin", block), ("integers.json", json.dumps(description, indent=1).encode() + b"\n")):
        with atomic_file(folder / name) as file:
            file.write(data)


def read_integers(folder: Path) -> tuple[IntegerCell, dict[str, Any]]:
    """The cell, checked, and the content of integers.json. Raises BadArgument."""
    try:
        description: dict[str, Any] = json.loads((folder / "integers.json").read_bytes())
        block = (folder / "integers.bin").read_bytes()
        if description["format"] != FORMAT or description["arithmetic"] != ARITHMETIC:
            raise BadArgument(
                f"{folder}: format {description['format']} and arithmetic {description['arithmetic']}, "
                f"allowed {FORMAT} and {ARITHMETIC}"
            )
        if hashlib.sha256(block).hexdigest() != description["sha256"]:
            raise BadArgument(f"{folder}: integers.bin is not what integers.json describes (sha256)")
        shape = cell_shape(FlightConfig.from_dict(description["architecture"], f"{folder}/integers.json"))
        return cell_from_tensors(shape, unpack_tensors(block, description["tensors"])), description
    except LineRwkvError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadArgument(f"{folder}: no integers of a quantized network: {error}") from error
