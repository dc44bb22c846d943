"""The accelerator layout equals the arithmetic for cells made for it, and others are found out."""

from typing import Any

import numpy as np
import onnx
import pytest

from export.accelerator_graphs import accelerator_graphs
from export.integer_evaluation import evaluate_line_part, initial_state, requantised
from runtime.cell.integer_cell import CellShape, IntegerCell, IntegerLayer, LayerSpec
from runtime.cell.tie_free import may_tie, tie_free_layer, unmet_conditions
from runtime.errors import BadArgument
from runtime.executors.subgraph_cell import SubgraphCell, onnxruntime_parts
from tests.export.test_integer_graph import random_lines
from tests.reference.random_cell import random_cell

SHAPES = [CellShape(4, 24, 2, 1, 8, 1), CellShape(1, 8, 1, 2, 4, 0), CellShape(3, 5, 3, 1, 7, 1)]


def tie_free_cell(shape: CellShape, seed: int, is_per_tensor: bool = False) -> IntegerCell:
    """Even weights up to 62, odd biases."""
    cell = random_cell(shape, seed, largest_weight=31)
    layers = {
        name: IntegerLayer(
            layer.spec, layer.weight * np.int8(2), layer.bias | 1, layer.shift * 0 + 8 if is_per_tensor else layer.shift
        )
        for name, layer in cell.layers.items()
    }
    return IntegerCell(shape, layers, cell.memories)


def form_of(cell: IntegerCell, activation: str, n_groups: int | None = None, n_columns: int | None = None) -> Any:
    graphs = accelerator_graphs(cell, n_groups=n_groups, n_columns=n_columns, activation=activation)
    parts = onnxruntime_parts({name: model.SerializeToString() for name, model in graphs.items()})
    return SubgraphCell(cell, parts, activation)


def first_difference(cell: IntegerCell, form: SubgraphCell, n_lines: int, tile: int) -> str | None:
    """Where the form leaves the arithmetic, over recurrent lines of 11 columns and 7 groups, the last not full."""
    group, n_groups, n_columns = cell.shape.group, 7, 11
    state = initial_state(cell, n_groups, n_columns)
    dtypes = {spec.name: spec.dtype for spec in cell.shape.states()}
    for y, line in enumerate(random_lines(group, n_lines, 6 * group + 1, n_columns, 5)):
        for n in range(0, n_groups, tile):
            groups = slice(n, min(n + tile, n_groups))
            before = {name: values[groups] for name, values in state.items()}
            inputs = line["line_features"][groups], line["levels"][groups]
            contexts, after = evaluate_line_part(cell, *inputs, before)
            found, found_after = form.step(*inputs, {name: v.astype(dtypes[name]) for name, v in before.items()})
            if not np.array_equal(found, contexts):
                return f"contexts of line {y}, group {n}"
            for name, values in after.items():
                if not np.array_equal(found_after[name], values):
                    return f"{name} of line {y}, group {n}"
                state[name][groups] = values
    return None


@pytest.mark.parametrize("activation", ["uint8", "int8"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_form_equals_the_arithmetic(shape: CellShape, activation: str) -> None:
    for cell in (random_cell(shape, 1, 31), tie_free_cell(shape, 1), tie_free_cell(shape, 1, is_per_tensor=True)):
        assert unmet_conditions(cell) == []
        form = form_of(cell, activation)
        for tile in (1, 3, 7):
            assert first_difference(cell, form, 30, tile) is None


def test_seven_bits_of_weight_are_enough_for_int8_activations() -> None:
    cell = random_cell(SHAPES[0], 8, 63)
    assert unmet_conditions(cell, pairs_saturate=False) == []
    assert all("without VNNI" in text for text in unmet_conditions(cell)) and unmet_conditions(cell)
    assert first_difference(cell, form_of(cell, "int8"), 30, 7) is None


def test_static_shapes() -> None:
    cell = tie_free_cell(SHAPES[0], 2)
    for model in accelerator_graphs(cell, n_groups=7, n_columns=11).values():
        for value in (*model.graph.input, *model.graph.output):
            assert all(size.dim_value > 0 for size in value.type.tensor_type.shape.dim)
            assert value.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert first_difference(cell, form_of(cell, "uint8", 7, 11), 30, 7) is None


def test_a_cell_that_cannot_be_freed_of_ties_is_found_and_really_differs() -> None:
    cell = random_cell(SHAPES[0], 3)
    found = unmet_conditions(cell)
    assert len(found) == len(cell.shape.line_layers())
    assert all("halfway" in text and "cannot be doubled" in text for text in found)
    assert first_difference(cell, form_of(cell, "uint8"), 30, 7) is not None


def test_a_doubled_layer_is_the_same_layer() -> None:
    layer = random_cell(SHAPES[0], 4, 63).layers["context"]
    doubled = tie_free_layer(layer)
    assert doubled is not None and may_tie(layer) and not may_tie(doubled)
    values = np.random.default_rng(5).integers(-127, 128, (9, 50, layer.spec.n_in))
    np.testing.assert_array_equal(requantised(doubled, values), requantised(layer, values))


def test_ties_are_exactly_those_that_exist() -> None:
    """On layers small enough to try all inputs."""
    generator = np.random.default_rng(6)
    spec = LayerSpec("small", 2, 1, -127, 127)
    values = np.stack(np.meshgrid(np.arange(-127, 128), np.arange(-127, 128)), -1).reshape(-1, 2)
    n_tied = 0
    for _ in range(200):
        weight = (generator.integers(-7, 8, (1, 2)) * generator.choice([1, 2, 4])).astype(np.int8)
        bias, shift = generator.integers(-50, 50, 1).astype(np.int32), generator.integers(1, 6, 1).astype(np.int8)
        sums = values @ weight[0].astype(np.int64) + bias
        is_tied = bool((sums % (1 << int(shift[0])) == 1 << (int(shift[0]) - 1)).any())
        n_tied += is_tied
        assert may_tie(IntegerLayer(spec, weight, bias, shift)) == is_tied
    assert 20 < n_tied < 180


def test_wrong_arguments_are_refused() -> None:
    cell = tie_free_cell(SHAPES[1], 7)
    with pytest.raises(BadArgument, match="allowed uint8, int8"):
        accelerator_graphs(cell, n_groups=1, n_columns=1, activation="int4")
    with pytest.raises(BadArgument, match="sub-graph enter is missing"):
        SubgraphCell(cell, {})
