"""The master cell of arithmetic int8-v1: ONNX Runtime equals the int64 reference bit for bit."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.integer_graph import integer_graph
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES
from runtime.cell.integer_cell import CellShape, IntegerCell
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell

Arrays = dict[str, npt.NDArray[Any]]
OPERATORS = {"MatMul", "Add", "Sub", "Mul", "Div", "Floor", "Clip", "Concat", "Slice", "Pad", "Cast"}
LEVELS = [
    onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
]
SHAPES = [CellShape(24, 2, 1, 2), CellShape(32, 1, 2, 1), CellShape(5, 3, 1, 0), CellShape(16, 1, 1, 3)]


def session_of(model: onnx.ModelProto, level: Any = LEVELS[-1], n_threads: int = 1) -> Any:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = n_threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def random_lines(n_lines: int, n_bands: int, n_columns: int, seed: int) -> list[Arrays]:
    """Inputs of lines: anything, all largest, all smallest, random signs of the largest, in turn."""
    generator = np.random.default_rng(seed)
    lines = []
    for y in range(n_lines):
        line = {}
        for name, n in (("line_features", LINE_FEATURES), ("band_features", BAND_FEATURES)):
            shape = (n_bands, n_columns, n)
            anything = generator.integers(-127, 128, shape)
            signs = 127 * generator.choice([-1, 1], shape)
            values = [anything, np.full(shape, 127), signs, np.full(shape, -127), anything // 8, np.zeros(shape)]
            line[name] = values[y % len(values)].astype(np.int8)
        lines.append(line)
    return lines


def run_tiles(cell: IntegerCell, session: Any, lines: list[Arrays], tile: int) -> tuple[list[Any], Arrays]:
    """Taps of all lines and the last states, each line in tiles of `tile` bands."""
    n_bands, n_columns = lines[0]["line_features"].shape[:2]
    names = [output.name for output in session.get_outputs()]
    specs = cell.shape.states()
    state: Arrays = {
        s.name: np.full((n_bands if s.is_per_band else 2, n_columns, cell.shape.features), s.initial, s.dtype)
        for s in specs
    }
    first_bands = {s.name: state[s.name] for s in specs if not s.is_per_band}
    taps = []
    for line in lines:
        state |= first_bands
        found = []
        for z in range(0, n_bands, tile):
            rows = slice(z, min(z + tile, n_bands))
            feed = {name: values[rows] for name, values in line.items()}
            feed |= {s.name: state[s.name][rows] if s.is_per_band else state[s.name] for s in specs}
            out = dict(zip(names, session.run(names, feed), strict=True))
            for s in specs:
                assert out[s.name + "_next"].dtype == s.dtype
                if s.is_per_band:
                    state[s.name][rows] = out[s.name + "_next"]
                else:
                    state[s.name] = out[s.name + "_next"]
            found.append(out["taps"])
        taps.append(np.concatenate(found))
    return taps, state


def check(cell: IntegerCell, session: Any, lines: list[Arrays], tile: int) -> None:
    """Hold ONNX Runtime against the reference."""
    n_bands, n_columns = lines[0]["line_features"].shape[:2]
    taps, state = run_tiles(cell, session, lines, tile)
    expected = int8_cell.initial_state(cell, n_bands, n_columns)
    for y, line in enumerate(lines):
        wanted, expected = int8_cell.step(cell, line["line_features"], line["band_features"], expected)
        np.testing.assert_array_equal(taps[y], wanted, err_msg=f"taps of line {y}, tile {tile}")
    for name, values in expected.items():
        np.testing.assert_array_equal(state[name], values, err_msg=f"{name}, tile {tile}")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_onnx_runtime_equals_the_reference_in_any_tiling(shape: CellShape) -> None:
    cell = random_cell(shape, 1)
    session = session_of(integer_graph(cell))
    lines = random_lines(36, 11, 13, 2)
    for tile in (1, 3, 8, 11):
        check(cell, session, lines, tile)


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_optimisation_levels_and_threads_change_nothing(level: Any, n_threads: int) -> None:
    cell = random_cell(SHAPES[0], 3)
    check(cell, session_of(integer_graph(cell), level, n_threads), random_lines(30, 7, 40, 4), 4)


@pytest.mark.parametrize(("n_bands", "n_columns"), [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_degenerate_shapes(n_bands: int, n_columns: int) -> None:
    cell = random_cell(SHAPES[0], 5)
    lines = random_lines(32, n_bands, n_columns, 6)
    check(cell, session_of(integer_graph(cell)), lines, n_bands)
    check(cell, session_of(integer_graph(cell, n_bands=1, n_columns=n_columns)), lines, 1)


@settings(max_examples=15, deadline=None)
@given(
    shape=st.builds(
        CellShape,
        features=st.integers(1, 40),
        line_convolutions=st.integers(1, 3),
        line_blocks=st.integers(1, 2),
        band_convolutions=st.integers(0, 3),
    ),
    n_bands=st.integers(1, 6),
    n_columns=st.integers(1, 9),
    tile=st.integers(1, 6),
    seed=st.integers(0, 1 << 30),
)
def test_any_shape(shape: CellShape, n_bands: int, n_columns: int, tile: int, seed: int) -> None:
    cell = random_cell(shape, seed)
    check(cell, session_of(integer_graph(cell)), random_lines(8, n_bands, n_columns, seed), tile)


def test_the_graph_uses_nothing_but_portable_operators() -> None:
    model = integer_graph(random_cell(SHAPES[0], 7))
    assert {node.op_type for node in model.graph.node} <= OPERATORS
    assert {node.domain for node in model.graph.node} == {""}


def test_fixed_shapes() -> None:
    model = integer_graph(random_cell(SHAPES[0], 7), n_bands=4, n_columns=16)
    for value in (*model.graph.input, *model.graph.output):
        assert all(size.dim_value > 0 for size in value.type.tensor_type.shape.dim), value.name


def test_a_divider_that_is_off_does_no_harm() -> None:
    """The remainder's correction, in float32 as the graph has it, with quotients up to 3 ulp off."""
    generator = np.random.default_rng(8)
    denominator = np.concatenate([np.arange(128, 1 << 14), generator.integers(128, 1 << 15, 200_000)])
    whole = generator.integers(-200, 200, denominator.size)
    near = generator.integers(-2, 3, denominator.size)
    numerator = np.clip((whole * 2 * denominator + near - denominator) >> 7, -(1 << 15) + 1, (1 << 15) - 1)
    expected = (128 * numerator + denominator) // (2 * denominator)
    above = np.float32(128) * numerator.astype(np.float32) + denominator.astype(np.float32)
    below = (denominator + denominator).astype(np.float32)
    for ulps in range(-3, 4):
        divided = above / below
        quotient = np.floor(divided + ulps * np.spacing(divided))
        rest = above - quotient * below
        quotient += np.clip(rest, -1, 0) + np.clip(rest - below + 1, 0, 1)
        np.testing.assert_array_equal(quotient, expected)
