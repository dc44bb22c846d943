"""An integer cell as a flight package: graphs that share their weights, the integers, recorded lines, a manifest."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

import onnx

from export.conformance import conformance_part
from export.graph_builder import OPSET
from export.integer_graph import TILE_BANDS, integer_graph
from export.shared_weights import WEIGHTS, share_weights
from runtime.cell.integer_cell import ARITHMETIC, IntegerCell, pack_tensors
from runtime.cell.package_files import MANIFEST

INTEGER_FORMAT_VERSION = 2
INTEGERS = "integers.bin"


def count_parameters(cell: IntegerCell) -> int:
    """Weights, biases and rates."""
    layers = sum(layer.weight.size + layer.bias.size for layer in cell.layers.values())
    return layers + sum(memory.mantissa.size for memory in cell.memories)


def integer_package_parts(
    cell: IntegerCell,
    name: str,
    training: dict[str, Any],
    quantization: dict[str, Any],
    *,
    n_bands: int | None = None,
    n_columns: int | None = None,
) -> dict[str, bytes]:
    """The files of a package of arithmetic int8-v1 by name; equal arguments give equal bytes.

    training, quantization: where the integers come from, free JSON. n_bands, n_columns: fix the shapes of the cells for
    compilers that want them. Raises Corrupt where the cell's sums do not fit float32.
    """
    cells: dict[str, onnx.ModelProto] = {
        "line_step": integer_graph(cell, n_bands=n_bands, n_columns=n_columns),
        "band_step": integer_graph(cell, n_bands=1, n_columns=n_columns),
    }
    integers, table = pack_tensors(cell.tensors())
    recorded, conformance = conformance_part(cell)
    parts = {WEIGHTS: share_weights(list(cells.values())), INTEGERS: integers, conformance["file"]: recorded}
    for cell_name, model in cells.items():
        parts[f"{cell_name}.onnx"] = model.SerializeToString(deterministic=True)
    manifest = {
        "format_version": INTEGER_FORMAT_VERSION,
        "name": name,
        "arithmetic": ARITHMETIC,
        "architecture": asdict(cell.shape),
        "n_parameters": count_parameters(cell),
        "macs_per_sample": cell.shape.macs,
        "base": "line",
        "opset": OPSET,
        "n_bands": n_bands,
        "n_columns": n_columns,
        "tile_bands": n_bands or TILE_BANDS,
        "cells": {cell_name: f"{cell_name}.onnx" for cell_name in cells},
        "weights": WEIGHTS,
        "states": [asdict(state) for state in cell.shape.states()],
        "integers": {"file": INTEGERS, "tensors": table},
        "largest_sums": cell.largest_sums(),
        "conformance": conformance,
        "training": training,
        "quantization": quantization,
        "parts": {part: hashlib.sha256(data).hexdigest() for part, data in sorted(parts.items())},
    }
    return {MANIFEST: json.dumps(manifest, indent=1).encode() + b"\n", **parts}
