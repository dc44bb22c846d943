"""The sub-graphs as operators of TOSA are the arithmetic, for any weights."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from export.tosa_graph import tosa_plan
from runtime.cell.flight_inputs import LEVELS
from runtime.cell.flight_package import SHIPPED, open_integer_package
from runtime.cell.integer_cell import CellShape, IntegerCell
from runtime.executors.array_executor import Arrays
from runtime.executors.self_test import check_executor
from runtime.executors.subgraph_cell import Part, SubgraphCell, part_by_size, subgraph_layers
from tests.export.test_accelerator_graphs import SHAPES, first_difference
from tests.reference.random_cell import random_cell
from tests.reference.tosa_plan import evaluate_plan


def evaluated_part(cell: IntegerCell, name: str, n_groups: int, n_columns: int) -> Part:
    plan = tosa_plan(cell, name, n_groups=n_groups, n_columns=n_columns)

    def run(feed: Arrays) -> Arrays:
        outputs = evaluate_plan(plan, {key: feed[key].transpose(1, 2, 0)[None] for key in plan.inputs})
        return {key: values[0].transpose(2, 0, 1) for key, values in outputs.items()}

    return run


def evaluated_form(cell: IntegerCell) -> SubgraphCell:
    return SubgraphCell(
        cell, {name: part_by_size(partial(evaluated_part, cell, name)) for name in subgraph_layers(cell.shape)}, "int8"
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_plan_equals_the_arithmetic_for_weights_of_eight_bits(shape: CellShape) -> None:
    """Without doubled layers: RESCALE rounds halves as the arithmetic does."""
    cell = random_cell(shape, 1)
    for tile in (1, 3, 7):
        assert first_difference(cell, evaluated_form(cell), 8, tile) is None


def test_the_shipped_package_passes_its_self_test_as_a_plan() -> None:
    package = open_integer_package(SHIPPED)
    check_executor(package, evaluated_form(package.cell))


def test_a_wrong_shift_is_found() -> None:
    cell = random_cell(SHAPES[0], 2)
    form = evaluated_form(cell)
    context = cell.layers["context"]
    other = replace(context, shift=context.shift + np.int8(1))
    wrong = replace(cell, layers={**cell.layers, "context": other})
    assert first_difference(wrong, form, 2, 7) is not None


def test_multiply_accumulates_are_those_of_the_layers() -> None:
    cell = random_cell(SHAPES[0], 3)
    n_columns = 5
    plans = [tosa_plan(cell, name, n_groups=1, n_columns=n_columns) for name in subgraph_layers(cell.shape)]
    of_the_layers = sum(spec.n_in * spec.n_out for spec in cell.shape.line_layers())
    # levels are repeated over the columns, and have two neighbours of no weight
    of_no_weight = 2 * cell.shape.group * LEVELS * cell.shape.features
    assert sum(plan.macs for plan in plans) == (of_the_layers + of_no_weight) * n_columns
