"""The QONNX graph in qonnx's own executor equals the integers, for any weights."""

import warnings
from typing import Any

import numpy as np
import pytest

from export.integer_evaluation import column_neighbours, requantised
from export.qonnx_graph import qonnx_graph
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES
from runtime.cell.integer_cell import CellShape
from tests.reference.random_cell import random_cell

N_BANDS, N_COLUMNS = 3, 5


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


@pytest.mark.parametrize("shape", [CellShape(8, 2, 1, 2), CellShape(5, 1, 2, 0)], ids=str)
def test_qonnx_equals_the_integers(executor: Any, shape: CellShape) -> None:
    cell = random_cell(shape, 1)
    generator = np.random.default_rng(2)
    n = shape.features

    def values(n_features: int, n_bands: int = N_BANDS, low: int = -127) -> Any:
        return generator.integers(low, 128, (n_bands, N_COLUMNS, n_features))

    def channels(features: Any) -> Any:
        return features.transpose(2, 0, 1)[None].astype(np.float32)

    def layer(name: str, *parts: Any) -> Any:
        return requantised(cell.layers[name], *parts)

    line, band = values(LINE_FEATURES), values(BAND_FEATURES)
    contexts = [values(n, 2, 0) for _ in range(shape.band_convolutions)]
    feed = {"enter_line_features": channels(line), "enter_band_features": channels(band)}
    expected = {}
    for i in range(shape.line_convolutions):
        line = layer(f"line_convolutions.{i}", *column_neighbours(line))
    expected["enter_spatial"] = line
    band = layer("band_columns", *column_neighbours(band))
    for i, context in enumerate(contexts):
        feed[f"enter_bands_{i}"] = channels(context)
        rows = np.concatenate([context, band])
        expected[f"enter_bands_{i}_next"] = rows[-2:]
        band = layer(f"band_convolutions.{i}", rows[:-2], rows[1:-1], rows[2:])
    expected["enter_spectral"] = band
    lifted = {}  # the host brings key, gate and the decoder up to 0
    for i in range(shape.line_blocks):
        both, gated, mixed = values(2 * n), values(n), values(2 * n)
        feed |= {f"project_{i}_both": channels(both), f"output_{i}_gated": channels(gated)}
        feed |= {f"mix_{i}_both": channels(mixed)}
        layers = [layer(f"blocks.{i}.{part}", both) for part in ("key", "value", "gate")]
        lifted[f"project_{i}_projected"] = np.concatenate(layers, -1)
        expected[f"output_{i}_change"] = layer(f"blocks.{i}.output", gated)
        expected[f"mix_{i}_change"] = layer(f"blocks.{i}.mixed", layer(f"blocks.{i}.mix", mixed))
    both = values(2 * n)
    feed["decode_both"] = channels(both)
    lifted["decode_decoded"] = layer("decoder", both)

    found = executor(qonnx_graph(cell, n_bands=N_BANDS, n_columns=N_COLUMNS), feed)
    assert set(found) == set(expected) | set(lifted)
    for name, wanted in expected.items():
        np.testing.assert_array_equal(found[name], channels(wanted), err_msg=name)
    for name, wanted in lifted.items():
        low = np.concatenate([np.full((n, 1, 1), low) for low in ((0, -127, 0) if "project" in name else (0,))])
        np.testing.assert_array_equal(np.maximum(found[name], low), channels(wanted), err_msg=name)
