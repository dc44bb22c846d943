"""The sub-graphs of a package in Arm's TOSA reference model as an executor; runs in the environment `vela`.

`python -m runtime.executors.executor_server --executor hil_tests.executors.tosa_executor:load PACKAGE`
"""

import importlib.metadata
from functools import partial
from pathlib import Path

import numpy as np
import tosa_reference_model

from export.tosa_graph import tosa_plan
from hil_tests.executors.tosa_file import tosa_file
from runtime.cell.flight_package import open_integer_package
from runtime.cell.integer_cell import IntegerCell
from runtime.errors import Corrupt
from runtime.executors.array_executor import Arrays
from runtime.executors.subgraph_cell import Part, SubgraphCell, part_by_size, subgraph_layers

VALID = tosa_reference_model.GraphStatus.TOSA_VALID


def reference_part(cell: IntegerCell, name: str, n_groups: int, n_columns: int) -> Part:
    """One sub-graph for tiles of one size. A part raises Corrupt where the model finds the graph not valid."""
    plan = tosa_plan(cell, name, n_groups=n_groups, n_columns=n_columns)
    data = tosa_file(plan)

    def run(feed: Arrays) -> Arrays:
        inputs = [np.ascontiguousarray(feed[key].transpose(1, 2, 0)[None]) for key in plan.inputs]
        outputs, status = tosa_reference_model.run(data, inputs)
        if status != VALID:
            raise Corrupt(f"TOSA reference model: sub-graph {name} is {status}")
        named = zip(plan.outputs, outputs, strict=True)
        return {plan.renamed[key]: values[0].transpose(2, 0, 1) for key, values in named}

    return run


def load(source: Path) -> SubgraphCell:
    """The reference model on a flight package."""
    package = open_integer_package(source)
    cell = package.cell
    parts = {name: part_by_size(partial(reference_part, cell, name)) for name in subgraph_layers(cell.shape)}
    label = f"TOSA reference model {importlib.metadata.version('tosa-tools')}"
    return SubgraphCell(cell, parts, "int8", sha256=package.sha256.hex(), provider=label)
