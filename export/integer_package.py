"""An integer cell as a flight package: the graph of its line part, the integers, recorded lines, a manifest."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from export.conformance import conformance_part
from export.graph_builder import OPSET
from export.integer_graph import integer_graph
from export.shared_weights import WEIGHTS, share_weights
from runtime.cell.integer_cell import ARITHMETIC, IntegerCell, pack_tensors
from runtime.cell.package_files import MANIFEST
from runtime.cell.package_manifest import FORMAT_VERSION
from runtime.cell.state_spec import StateSpec

INTEGERS, LINE_STEP = "integers.bin", "line_step.onnx"


def count_parameters(cell: IntegerCell) -> int:
    """Weights, biases and rates."""
    layers = sum(layer.weight.size + layer.bias.size for layer in cell.layers.values())
    return layers + sum(memory.mantissa.size for memory in cell.memories)


def state_record(state: StateSpec) -> dict[str, Any]:
    """What the manifest says of the memory of a group."""
    return {name: value for name, value in asdict(state).items() if name in ("name", "features", "dtype", "initial")}


def integer_package_parts(
    cell: IntegerCell,
    name: str,
    training: dict[str, Any],
    quantization: dict[str, Any],
    *,
    n_bands: int | None = None,
    n_columns: int | None = None,
) -> dict[str, bytes]:
    """The files of a package of arithmetic int8-v2 by name; equal arguments give equal bytes.

    training, quantization: where the integers come from, free JSON. n_bands, n_columns: fix the shapes of the step for
    compilers that want them, to as many groups as hold so many bands. Raises Corrupt where the cell's sums do not fit
    float32.
    """
    model = integer_graph(cell, n_groups=n_bands and cell.shape.groups(n_bands), n_columns=n_columns)
    integers, table = pack_tensors(cell.tensors())
    recorded, conformance = conformance_part(cell)
    weights = share_weights([model])
    parts = {
        WEIGHTS: weights,
        INTEGERS: integers,
        conformance["file"]: recorded,
        LINE_STEP: model.SerializeToString(deterministic=True),
    }
    manifest = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "arithmetic": ARITHMETIC,
        "architecture": asdict(cell.shape),
        "n_parameters": count_parameters(cell),
        "macs_per_sample": cell.shape.macs,
        "base": "line",
        "opset": OPSET,
        "n_bands": n_bands,
        "n_columns": n_columns,
        "cells": {"line_step": LINE_STEP},
        "weights": WEIGHTS,
        "states": [state_record(state) for state in cell.shape.states()],
        "integers": {"file": INTEGERS, "tensors": table},
        "largest_sums": cell.largest_sums(),
        "conformance": conformance,
        "training": training,
        "quantization": quantization,
        "parts": {part: hashlib.sha256(data).hexdigest() for part, data in sorted(parts.items())},
    }
    return {MANIFEST: json.dumps(manifest, indent=1).encode() + b"\n", **parts}
