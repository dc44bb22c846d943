"""The master cell of arithmetic int8-v2: ONNX Runtime equals the int64 reference bit for bit."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.integer_graph import integer_graph
from runtime.cell.cell_graph import INTEGER_OPERATORS
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.integer_cell import CellShape, IntegerCell
from runtime.errors import Corrupt
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell

Arrays = dict[str, npt.NDArray[Any]]
OPTIMISATIONS = [
    onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
]
SHAPES = [
    CellShape(4, 24, 2, 1, 8, 1),
    CellShape(16, 32, 1, 2, 4, 1),
    CellShape(1, 5, 3, 1, 7, 0),
    CellShape(3, 16, 1, 1, 5, 2),
]


def session_of(model: onnx.ModelProto, level: Any = OPTIMISATIONS[-1], n_threads: int = 1) -> Any:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = n_threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def random_values(shape: tuple[int, ...], y: int, generator: np.random.Generator) -> npt.NDArray[np.int8]:
    """Anything, all largest, random signs of the largest, all smallest, small numbers, zeros, in turn."""
    anything = generator.integers(-127, 128, shape)
    signs = 127 * generator.choice([-1, 1], shape)
    values = [anything, np.full(shape, 127), signs, np.full(shape, -127), anything // 8, np.zeros(shape)]
    return values[y % len(values)].astype(np.int8)


def random_lines(group: int, n_lines: int, n_bands: int, n_columns: int, seed: int) -> list[Arrays]:
    """Inputs of the line part for lines of so many bands; where there is no band in the last group, zeros."""
    generator = np.random.default_rng(seed)
    lines = []
    for y in range(n_lines):
        line = {}
        for name, n_places, n in (("line_features", n_columns, LINE_FEATURES), ("levels", 1, LEVELS)):
            values = random_values((n_bands, n_places, n), y, generator)
            line[name] = int8_cell.grouped(values.astype(np.int64), group).astype(np.int8)
        lines.append(line)
    return lines


def run_tiles(cell: IntegerCell, session: Any, lines: list[Arrays], tile: int) -> tuple[list[Any], Arrays]:
    """Contexts of all lines and the last states, each line in tiles of `tile` groups."""
    n_groups, n_columns = lines[0]["line_features"].shape[:2]
    names = [output.name for output in session.get_outputs()]
    size = n_groups, n_columns, cell.shape.features
    specs = cell.shape.states()
    state: Arrays = {spec.name: np.full(size, spec.initial, spec.dtype) for spec in specs}
    contexts = []
    for line in lines:
        found = []
        for n in range(0, n_groups, tile):
            groups = slice(n, min(n + tile, n_groups))
            feed = {name: values[groups] for name, values in (line | state).items()}
            out = dict(zip(names, session.run(names, feed), strict=True))
            for spec in specs:
                assert out[spec.name + "_next"].dtype == spec.dtype
                state[spec.name][groups] = out[spec.name + "_next"]
            assert out["contexts"].dtype == np.int8
            found.append(out["contexts"])
        contexts.append(np.concatenate(found))
    return contexts, state


def check(cell: IntegerCell, session: Any, lines: list[Arrays], tile: int) -> None:
    """Hold ONNX Runtime against the reference."""
    n_groups, n_columns = lines[0]["line_features"].shape[:2]
    contexts, state = run_tiles(cell, session, lines, tile)
    expected = int8_cell.initial_state(cell, n_groups * cell.shape.group, n_columns)
    for y, line in enumerate(lines):
        wanted, expected = int8_cell.line_part(cell, line["line_features"], line["levels"], expected)
        np.testing.assert_array_equal(contexts[y], wanted, err_msg=f"contexts of line {y}, tile {tile}")
    for name, values in expected.items():
        np.testing.assert_array_equal(state[name], values, err_msg=f"{name}, tile {tile}")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_onnx_runtime_equals_the_reference_in_any_tiling(shape: CellShape) -> None:
    cell = random_cell(shape, 1)
    session = session_of(integer_graph(cell))
    lines = random_lines(shape.group, 36, 4 * shape.group + 1, 13, 2)
    for tile in (1, 3, 5):
        check(cell, session, lines, tile)


@pytest.mark.parametrize("level", OPTIMISATIONS, ids=lambda level: level.name)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_optimisation_levels_and_threads_change_nothing(level: Any, n_threads: int) -> None:
    cell = random_cell(SHAPES[0], 3)
    check(cell, session_of(integer_graph(cell), level, n_threads), random_lines(4, 30, 19, 40, 4), 4)


@pytest.mark.parametrize(("n_bands", "n_columns"), [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_degenerate_shapes(n_bands: int, n_columns: int) -> None:
    cell = random_cell(SHAPES[0], 5)
    lines = random_lines(4, 32, n_bands, n_columns, 6)
    check(cell, session_of(integer_graph(cell)), lines, n_bands)
    check(cell, session_of(integer_graph(cell, n_groups=1, n_columns=n_columns)), lines, 1)


@settings(max_examples=15, deadline=None)
@given(
    shape=st.builds(
        CellShape,
        group=st.integers(1, 16),
        features=st.integers(4, 40),
        line_convolutions=st.integers(1, 3),
        line_blocks=st.integers(1, 2),
        spectral_features=st.integers(4, 9),
        band_convolutions=st.just(0),
    ),
    n_bands=st.integers(1, 20),
    n_columns=st.integers(1, 9),
    tile=st.integers(1, 6),
    seed=st.integers(0, 1 << 30),
)
def test_any_shape(shape: CellShape, n_bands: int, n_columns: int, tile: int, seed: int) -> None:
    cell = random_cell(shape, seed)
    check(cell, session_of(integer_graph(cell)), random_lines(shape.group, 8, n_bands, n_columns, seed), tile)


def test_the_graph_uses_nothing_but_the_operators_of_cells() -> None:
    model = integer_graph(random_cell(SHAPES[0], 7))
    assert {node.op_type for node in model.graph.node} == INTEGER_OPERATORS
    assert {node.domain for node in model.graph.node} == {""}


def test_fixed_shapes() -> None:
    model = integer_graph(random_cell(SHAPES[0], 7), n_groups=4, n_columns=16)
    for value in (*model.graph.input, *model.graph.output):
        assert all(size.dim_value > 0 for size in value.type.tensor_type.shape.dim), value.name


def test_sums_that_float32_carries_only_without_the_one_of_the_key_are_refused() -> None:
    """The graph takes the key one higher; a bias that leaves no room for it is beyond what the arithmetic allows."""
    cell = random_cell(SHAPES[0], 9)
    key = cell.layers["blocks.0.key"]
    shift = np.full_like(key.shift, 22)
    room = (1 << 24) - 1 - replace(key, shift=shift, bias=0 * key.bias).largest_sum
    for bias, is_taken in ((room - (1 << 22), True), (room - (1 << 22) + 1, False), (room, False)):
        large = replace(key, shift=shift, bias=np.full_like(key.bias, bias))
        other = replace(cell, layers={**cell.layers, large.spec.name: large})
        other.check()
        if is_taken:
            check(other, session_of(integer_graph(other)), random_lines(4, 8, 5, 9, 1), 2)
        else:
            with pytest.raises(Corrupt, match=r"layer blocks\.0\.key: a sum may reach"):
                integer_graph(other)


def test_the_mean_is_right_for_any_quotient_less_than_a_half_off() -> None:
    halves = 2 * np.arange(-128, 130, dtype=np.int64) - 1
    for denominator in (*range(128, 16384, 5), 16384):
        nearest = denominator * halves[:, None] // 128 + np.arange(-1, 3)  # 64 numerator / denominator next to a half
        numerator = np.clip(nearest, -32767, 32767)
        wanted = np.clip((128 * numerator + denominator) // (2 * denominator), -127, 127)
        above, below = (-64 * numerator).astype(np.float32), np.float32(denominator)
        for off in (0, -0.49, 0.49):
            floor = np.floor(above / below + np.float32(off))
            rest = above - (floor + np.float32(0.5)) * below
            negative = np.clip(floor + np.clip(2 * rest, 0, 1), -127, 127)
            np.testing.assert_array_equal(-negative, wanted, f"denominator {denominator}")
