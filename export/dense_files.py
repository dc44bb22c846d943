"""The dense part of an integer cell as files for compilers: QDQ sub-graphs with a description, or one QONNX graph."""

import json
from pathlib import Path
from typing import Any

import onnx

from export.accelerator_graphs import accelerator_graphs
from export.package_files import write_package
from export.qonnx_graph import qonnx_graph
from runtime.cell.integer_cell import IntegerCell
from runtime.cell.tie_free import unmet_conditions
from runtime.executors.subgraph_cell import ZERO_POINTS
from runtime.whole_output import replacing

DESCRIPTION = "accelerator.json"


def tensor_shapes(values: list[onnx.ValueInfoProto]) -> dict[str, list[int]]:
    """Fixed shapes by name."""
    return {value.name: [size.dim_value for size in value.type.tensor_type.shape.dim] for value in values}


def write_accelerator_graphs(cell: IntegerCell, folder: Path, tile: tuple[int, int], activation: str) -> None:
    """Write the sub-graphs for tiles of (groups, columns), and what runs between them, to a folder; all or nothing."""
    graphs = accelerator_graphs(cell, n_groups=tile[0], n_columns=tile[1], activation=activation)
    description: dict[str, Any] = {
        "activation": activation,
        "zero_point": ZERO_POINTS[activation],
        "n_groups": tile[0],
        "n_columns": tile[1],
        "unmet_conditions": unmet_conditions(cell),
        "subgraphs": [
            {
                "name": name,
                "file": f"{name}.onnx",
                "inputs": tensor_shapes(list(model.graph.input)),
                "outputs": tensor_shapes(list(model.graph.output)),
            }
            for name, model in graphs.items()
        ],
    }
    parts = {f"{name}.onnx": model.SerializeToString(deterministic=True) for name, model in graphs.items()}
    write_package({DESCRIPTION: json.dumps(description, indent=1).encode() + b"\n", **parts}, folder)


def write_qonnx(cell: IntegerCell, file: Path, tile: tuple[int, int]) -> None:
    """Write the dense part for tiles of (groups, columns) as one QONNX file."""
    model = qonnx_graph(cell, n_groups=tile[0], n_columns=tile[1])
    with replacing(file) as unfinished:
        unfinished.write_bytes(model.SerializeToString(deterministic=True))
