"""A trained network as a flight package: two cells that share one weights file, and a manifest of everything."""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import onnx
from onnx.external_data_helper import set_external_data

from export.onnx_cell import OPSET, export_cell
from export.step_cell import state_tensors
from model.network import LineRwkv, count_macs, count_parameters
from runtime.flight_package import FORMAT_VERSION, MANIFEST

WEIGHTS = "weights.bin"
INLINE_BYTES = 64  # smaller tensors stay in the graph: shape inference and optimisers want to see them
ALIGNMENT_BYTES = 64
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal input gives an equal file


def share_weights(cells: list[onnx.ModelProto]) -> bytes:
    """Move the tensors of all cells into one block of bytes, equal ones only once, and point the cells at it."""
    block = bytearray()
    offsets: dict[bytes, int] = {}
    for cell in cells:
        for tensor in cell.graph.initializer:
            data = onnx.numpy_helper.to_array(tensor).tobytes()
            if len(data) < INLINE_BYTES:
                continue
            if data not in offsets:
                block += bytes(-len(block) % ALIGNMENT_BYTES)
                offsets[data] = len(block)
                block += data
            tensor.ClearField("float_data")
            tensor.raw_data = data
            set_external_data(tensor, WEIGHTS, offsets[data], len(data))
            tensor.ClearField("raw_data")
    return bytes(block)


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
        "format_version": FORMAT_VERSION,
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


def write_package(parts: dict[str, bytes], target: Path) -> None:
    """Write a folder, or one zip where the name ends in .zip; all of it or nothing. Replaces a package of that name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".zip":
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), data)
        temporary.replace(target)
        return
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    folder.chmod(0o755)
    for name, data in parts.items():
        (folder / name).write_bytes(data)
    if target.exists():
        shutil.rmtree(target)
    folder.replace(target)
