"""PyTorch as an executor of an int8 package: the same integers as the int64 reference, or a refusal."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantize.torch_executor import TorchExecutor, load_cuda, load_eager
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.flight_package import NEXT, SHIPPED_FLOAT
from runtime.cell.integer_cell import CellShape, IntegerCell
from runtime.errors import BadArgument
from runtime.executors.array_executor import Arrays
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell

SHAPE = CellShape(group=3, features=6, line_convolutions=2, line_blocks=1, spectral_features=4, band_convolutions=2)
SHA256 = "00" * 32


def tile(cell: IntegerCell, n_groups: int, n_columns: int, seed: int) -> Arrays:
    """Inputs of one step, states included, anywhere in their range."""
    generator = np.random.default_rng(seed)
    ranges = {"numerator": (-(1 << 15) + 1, (1 << 15) - 1), "denominator": (128, 1 << 14)}
    group = cell.shape.group
    sizes = [("line_features", n_columns, group * LINE_FEATURES, "int8"), ("levels", 1, group * LEVELS, "int8")]
    sizes += [(spec.name, n_columns, spec.features, spec.dtype) for spec in cell.shape.states()]
    found = {}
    for name, n_places, depth, dtype in sizes:
        low, high = ranges.get(name.split("_")[0], (-127, 127))
        found[name] = generator.integers(low, high + 1, (n_groups, n_places, depth)).astype(dtype)
    return found


def assert_equals_the_reference(cell: IntegerCell, executor: TorchExecutor, inputs: Arrays) -> None:
    """A step gives the bits of the int64 reference, in the types of the interface."""
    found = executor.run(inputs)
    state = {spec.name: inputs[spec.name].astype(np.int64) for spec in cell.shape.states()}
    contexts, after = int8_cell.line_part(cell, inputs["line_features"], inputs["levels"], state)
    assert found["contexts"].dtype == np.int8
    np.testing.assert_array_equal(found["contexts"], contexts)
    assert set(found) == {"contexts", *(spec.name + NEXT for spec in cell.shape.states())}
    for spec in cell.shape.states():
        assert found[spec.name + NEXT].dtype == spec.dtype
        np.testing.assert_array_equal(found[spec.name + NEXT], after[spec.name], err_msg=spec.name)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.builds(
        CellShape,
        group=st.integers(1, 16),
        features=st.integers(4, 33),
        line_convolutions=st.integers(1, 3),
        line_blocks=st.integers(1, 2),
        spectral_features=st.integers(4, 9),
        band_convolutions=st.integers(0, 1),
    ),
    n_groups=st.integers(1, 4),
    n_columns=st.integers(1, 9),
    seed=st.integers(0, 1 << 30),
)
def test_a_step_equals_the_reference(shape: CellShape, n_groups: int, n_columns: int, seed: int) -> None:
    cell = random_cell(shape, seed)
    assert_equals_the_reference(cell, TorchExecutor(cell, SHA256), tile(cell, n_groups, n_columns, seed))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_change_nothing(n_threads: int) -> None:
    cell = random_cell(SHAPE, 1)
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        for n_groups in (1, 3, 5):
            assert_equals_the_reference(cell, TorchExecutor(cell, SHA256), tile(cell, n_groups, 40, n_groups))
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own compiler
def test_compiled_it_is_equal() -> None:
    cell = random_cell(SHAPE, 1)
    executor = TorchExecutor(cell, SHA256, is_compiled=True)
    assert executor.provider.endswith("cpu compiled")
    for n_groups, n_columns in ((5, 4), (1, 9), (1, 1)):
        assert_equals_the_reference(cell, executor, tile(cell, n_groups, n_columns, 0))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_cuda_device_it_is_equal() -> None:
    cell = random_cell(SHAPE, 1)
    for n_groups in (5, 1):
        assert_equals_the_reference(cell, TorchExecutor(cell, SHA256, "cuda"), tile(cell, n_groups, 40, 0))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_cuda_is_refused() -> None:
    with pytest.raises(BadArgument, match="finds no CUDA device"):
        TorchExecutor(random_cell(SHAPE, 1), SHA256, "cuda")


def test_products_of_less_precision_are_refused() -> None:
    cell = random_cell(SHAPE, 1)
    executor, before = TorchExecutor(cell, SHA256), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(BadArgument, match="set to 'medium', allowed 'highest'"):
            executor.run(tile(cell, 2, 3, 0))
    finally:
        torch.set_float32_matmul_precision(before)


def test_inputs_that_do_not_fit_are_refused() -> None:
    cell = random_cell(SHAPE, 1)
    executor, inputs = TorchExecutor(cell, SHA256), tile(cell, 2, 3, 0)
    with pytest.raises(BadArgument, match="the cell has"):
        executor.run({name: values for name, values in inputs.items() if name != "before_0"})
    with pytest.raises(BadArgument, match=r"numerator_0 is int32 .* the cell has int16"):
        executor.run({**inputs, "numerator_0": inputs["numerator_0"].astype(np.int32)})
    with pytest.raises(BadArgument, match=r"mix_before_0 .* of shape \(2, 3, 6\)"):
        executor.run({**inputs, "mix_before_0": inputs["mix_before_0"][:1]})
    with pytest.raises(BadArgument, match=r"levels is int8 of shape \(2, 3, 24\), .* of shape \(2, 1, 24\)"):
        executor.run({**inputs, "levels": inputs["levels"].repeat(3, axis=1)})


def test_a_float_package_is_refused() -> None:
    for load in (load_eager, load_cuda):
        with pytest.raises(BadArgument, match="of arithmetic float32, allowed int8-v2"):
            load(SHIPPED_FLOAT)


def test_a_package_that_is_not_on_disk_is_refused() -> None:
    with pytest.raises(BadArgument, match="not found"):
        load_eager(Path("random"))
