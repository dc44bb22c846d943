"""A small graph of integers carried by float32, as an ONNX file and as int64 NumPy: what every executor must agree on.

Tiles of bands (B, X, F) go in, with two bands of context and a state; all values are integers below 2**24, so float32
carries them exactly. It has the operators of an integer cell: Concat, Slice, MatMul, Add, Mul, Floor, Clip, Div with a
correction by its remainder.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from runtime.executors.array_executor import AnyArray

FEATURES = 16
SHIFT = 7
LIMIT = 127
OPSET = 18
WEIGHTS_FILE = "weights.bin"
IntArray = npt.NDArray[np.int64]


def weights() -> tuple[IntArray, IntArray]:
    """Matrix (3 F, F) and bias (F,), |w| <= 127: |sum| <= 48 * 127 * 127 + 2**15 < 2**20."""
    generator = np.random.default_rng(7)
    return generator.integers(-127, 128, (3 * FEATURES, FEATURES)), generator.integers(-(1 << 15), 1 << 15, FEATURES)


def random_inputs(n_bands: int, n_columns: int, seed: int) -> dict[str, AnyArray]:
    """Float32 arrays of integers in -127..127: `tile`, `context` (2, X, F) and `state`."""
    generator = np.random.default_rng(seed)
    rows = {"tile": n_bands, "context": 2, "state": n_bands}
    return {
        name: generator.integers(-LIMIT, LIMIT + 1, (n, n_columns, FEATURES)).astype(np.float32)
        for name, n in rows.items()
    }


def expected_outputs(inputs: dict[str, AnyArray]) -> dict[str, AnyArray]:
    """The outputs in int64, returned as the float32 that carry them."""
    tile, context, state = (inputs[name].astype(np.int64) for name in ("tile", "context", "state"))
    matrix, bias = weights()
    rows = np.concatenate([context, tile])  # (B + 2, X, F)
    taps = np.concatenate([rows[:-2], rows[1:-1], rows[2:]], axis=2)  # (B, X, 3 F)
    total = taps @ matrix + bias
    mixed = np.clip((total + (1 << (SHIFT - 1))) >> SHIFT, -LIMIT, LIMIT)
    after = np.clip((7 * state + mixed + 4) >> 3, -LIMIT, LIMIT)
    divisor = np.maximum(after + LIMIT + 2, 2)
    outputs = {"quotient": total // divisor, "state_next": after, "context_next": rows[-2:]}
    return {name: values.astype(np.float32) for name, values in outputs.items()}


def write_graph(folder: Path) -> Path:
    """Write `graph.onnx` with its weights beside it in `weights.bin`; the path of the graph."""
    matrix, bias = weights()
    numbers: dict[str, Any] = {
        "matrix": matrix.astype(np.float32), "bias": bias.astype(np.float32),
        "scale": np.float32(2.0**-SHIFT), "half": np.float32(0.5), "low": np.float32(-LIMIT), "high": np.float32(LIMIT),
        "seven": np.float32(7), "eighth": np.float32(0.125), "divisor_offset": np.float32(LIMIT + 2),
        "zero": np.float32(0), "axis0": np.array([0]), "end": np.array([np.iinfo(np.int64).max]),
        **{f"i{i}": np.array([i]) for i in (0, 1, 2, -1, -2)},
    }  # fmt: skip
    steps: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("Concat", "context tile", "rows", {"axis": 0}),
        ("Slice", "rows i0 i-2 axis0", "tap0", {}),
        ("Slice", "rows i1 i-1 axis0", "tap1", {}),
        ("Slice", "rows i2 end axis0", "tap2", {}),
        ("Slice", "rows i-2 end axis0", "context_next", {}),
        ("Concat", "tap0 tap1 tap2", "taps", {"axis": 2}),
        ("MatMul", "taps matrix", "product", {}),
        ("Add", "product bias", "total", {}),
        ("Mul", "total scale", "scaled", {}),
        ("Add", "scaled half", "scaled_half", {}),
        ("Floor", "scaled_half", "rounded", {}),
        ("Clip", "rounded low high", "mixed", {}),
        ("Mul", "state seven", "state7", {}),
        ("Add", "state7 mixed", "state_sum", {}),
        ("Mul", "state_sum eighth", "state_scaled", {}),
        ("Add", "state_scaled half", "state_half", {}),
        ("Floor", "state_half", "state_rounded", {}),
        ("Clip", "state_rounded low high", "state_next", {}),
        ("Add", "state_next divisor_offset", "divisor", {}),
        ("Div", "total divisor", "ratio", {}),  # may be one unit in the last place off: corrected by the remainder
        ("Floor", "ratio", "guess", {}),
        ("Mul", "guess divisor", "product_back", {}),
        ("Sub", "total product_back", "remainder", {}),
        ("GreaterOrEqual", "remainder divisor", "is_low", {}),
        ("Less", "remainder zero", "is_high", {}),
        ("Cast", "is_low", "up", {"to": TensorProto.FLOAT}),
        ("Cast", "is_high", "down", {"to": TensorProto.FLOAT}),
        ("Add", "guess up", "guess_up", {}),
        ("Sub", "guess_up down", "quotient", {}),
    )
    make: Any = helper.make_node  # its annotations know no attributes
    nodes = [make(kind, read.split(), [name], **options) for kind, read, name, options in steps]
    shapes: dict[str, list[str | int | None]] = {
        "tile": ["B", "X", FEATURES],
        "context": [2, "X", FEATURES],
        "state": ["B", "X", FEATURES],
    }
    outputs = {"quotient": "tile", "state_next": "state", "context_next": "context"}
    graph = helper.make_graph(
        nodes, "integers",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[like]) for name, like in outputs.items()],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in numbers.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    path = folder / "graph.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location=WEIGHTS_FILE, size_threshold=64)
    return path
