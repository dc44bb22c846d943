"""A trained network as a flight package: two cells that share one weights file, and a manifest of everything."""

import hashlib
import json
from typing import Any

from export.onnx_cell import OPSET, export_cell
from export.shared_weights import WEIGHTS, share_weights
from export.step_cell import state_tensors
from model.network.network import LineRwkv, count_macs, count_parameters
from runtime.cell.package_files import MANIFEST
from runtime.cell.package_manifest import FLOAT_FORMAT_VERSION


def package_parts(
    network: LineRwkv,
    name: str,
    training: dict[str, Any],
    normalisation: dict[str, Any] | None = None,
    *,
    n_bands: int | None = None,
    n_columns: int | None = None,
) -> dict[str, bytes]:
    """The files of a package by name.

    training: where the weights come from, free JSON. normalisation: `{"kind": "constants", "mean": [...], "scale":
    [...]}` in sample units for one sensor, else from the first line of each segment. n_bands, n_columns: fix the shapes
    of the cells for compilers that want them.
    """
    network = network.eval()
    cells = {
        "line_step": export_cell(network, n_bands=n_bands, n_columns=n_columns),
        "band_step": export_cell(network, n_bands=1, n_columns=n_columns),
    }
    parts = {WEIGHTS: share_weights(list(cells.values()))}
    for cell, model in cells.items():
        parts[f"{cell}.onnx"] = model.SerializeToString(deterministic=True)
    manifest = {
        "format_version": FLOAT_FORMAT_VERSION,
        "name": name,
        "arithmetic": "float32",
        "architecture": network.config.to_dict(),
        "n_parameters": count_parameters(network),
        "macs_per_sample": count_macs(network),
        "base": network.config.base,
        "normalisation": normalisation or {"kind": "first-line"},
        "opset": OPSET,
        "n_bands": n_bands,
        "n_columns": n_columns,
        "cells": {cell: f"{cell}.onnx" for cell in cells},
        "weights": WEIGHTS,
        "states": [{**state._asdict(), "features": network.config.features} for state in state_tensors(network)],
        "training": training,
        "parts": {part: hashlib.sha256(data).hexdigest() for part, data in sorted(parts.items())},
    }
    return {MANIFEST: json.dumps(manifest, indent=1).encode() + b"\n", **parts}
