"""The QONNX graph in qonnx's own executor equals the integers, for any weights."""

import warnings
from typing import Any

import numpy as np
import pytest

from export.integer_evaluation import column_neighbours, requantised
from export.qonnx_graph import qonnx_graph
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.integer_cell import CellShape
from tests.reference.random_cell import random_cell

N_GROUPS, N_COLUMNS = 3, 5


@pytest.fixture(scope="module")
def executor() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("qonnx")
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.core.onnx_exec import execute_onnx
        from qonnx.transformation.infer_shapes import InferShapes

    def run(model: Any, feed: dict[str, Any]) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: dict[str, Any] = execute_onnx(ModelWrapper(model).transform(InferShapes()), feed)
        return found

    return run


@pytest.mark.parametrize("shape", [CellShape(3, 8, 2, 1, 5, 2), CellShape(1, 5, 1, 2, 4, 0)], ids=str)
def test_qonnx_equals_the_integers(executor: Any, shape: CellShape) -> None:
    cell = random_cell(shape, 1)
    generator = np.random.default_rng(2)
    n = shape.features

    def values(n_features: int, n_columns: int = N_COLUMNS) -> Any:
        return generator.integers(-127, 128, (N_GROUPS, n_columns, n_features))

    def channels(features: Any) -> Any:
        return features.transpose(2, 0, 1)[None].astype(np.float32)

    def layer(name: str, *parts: Any) -> Any:
        return requantised(cell.layers[name], *parts)

    line, levels = values(shape.group * LINE_FEATURES), values(shape.group * LEVELS, 1)
    everywhere = np.repeat(levels, N_COLUMNS, axis=1)
    feed = {"enter_inputs": channels(np.concatenate([line, everywhere], -1))}
    line = layer("line_convolutions.0", *column_neighbours(line), levels)
    for i in range(1, shape.line_convolutions):
        line = layer(f"line_convolutions.{i}", *column_neighbours(line))
    expected = {"enter_spatial": line}
    lifted = {}  # the host brings key and gate up to 0
    for i in range(shape.line_blocks):
        both, gated, mixed = values(2 * n), values(n), values(2 * n)
        feed |= {f"project_{i}_both": channels(both), f"output_{i}_gated": channels(gated)}
        feed |= {f"mix_{i}_both": channels(mixed)}
        layers = [layer(f"blocks.{i}.{part}", both) for part in ("key", "value", "gate")]
        lifted[f"project_{i}_projected"] = np.concatenate(layers, -1)
        expected[f"output_{i}_change"] = layer(f"blocks.{i}.output", gated)
        expected[f"mix_{i}_change"] = layer(f"blocks.{i}.mixed", layer(f"blocks.{i}.mix", mixed))
    spatial = values(n)
    feed["context_spatial"] = channels(spatial)
    expected["context_contexts"] = layer("context", spatial)

    found = executor(qonnx_graph(cell, n_groups=N_GROUPS, n_columns=N_COLUMNS), feed)
    assert set(found) == set(expected) | set(lifted)
    for name, wanted in expected.items():
        np.testing.assert_array_equal(found[name], channels(wanted), err_msg=name)
    for name, wanted in lifted.items():
        low = np.concatenate([np.full((n, 1, 1), low) for low in (0, -127, 0)])
        np.testing.assert_array_equal(np.maximum(found[name], low), channels(wanted), err_msg=name)
