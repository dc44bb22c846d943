"""PyTorch as an executor of an int8 package: the same integers as the int64 reference, or a refusal."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantize.torch_executor import TorchExecutor, load_cuda, load_eager
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES
from runtime.cell.flight_package import NEXT, SHIPPED_FLOAT, IntegerPackage
from runtime.cell.integer_cell import CellShape, IntegerCell
from runtime.errors import BadArgument
from runtime.executors.array_executor import Arrays
from runtime.executors.executors import make_executor
from runtime.executors.self_test import first_difference
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell
from tests.runtime.prediction.test_flight_predictor import conformance

SHAPE = CellShape(6, 2, 1, 2)


def package_of(cell: IntegerCell) -> IntegerPackage:
    """A package in memory."""
    return IntegerPackage(Path("random"), bytes(32), {}, {}, cell, conformance(cell))


def tile(cell: IntegerCell, n_bands: int, n_columns: int, seed: int) -> Arrays:
    """Inputs of one step, states included, anywhere in their range."""
    generator = np.random.default_rng(seed)
    ranges = {"before": (-127, 127), "mix": (-127, 127), "numerator": (-(1 << 15) + 1, (1 << 15) - 1)}
    ranges |= {"denominator": (128, 1 << 14), "bands": (0, 127)}
    sizes = [("line_features", n_bands, LINE_FEATURES, "int8"), ("band_features", n_bands, BAND_FEATURES, "int8")]
    for spec in cell.shape.states():
        sizes.append((spec.name, n_bands if spec.is_per_band else 2, cell.shape.features, spec.dtype))
    found = {}
    for name, n, depth, dtype in sizes:
        low, high = ranges.get(name.split("_")[0], (-127, 127))
        found[name] = generator.integers(low, high + 1, (n, n_columns, depth)).astype(dtype)
    return found


@settings(max_examples=25, deadline=None)
@given(
    shape=st.builds(
        CellShape,
        features=st.integers(1, 33),
        line_convolutions=st.integers(1, 3),
        line_blocks=st.integers(1, 2),
        band_convolutions=st.integers(0, 3),
    ),
    n_bands=st.integers(1, 6),
    n_columns=st.integers(1, 9),
    seed=st.integers(0, 1 << 30),
)
def test_a_step_equals_the_reference(shape: CellShape, n_bands: int, n_columns: int, seed: int) -> None:
    cell = random_cell(shape, seed)
    inputs = tile(cell, n_bands, n_columns, seed)
    found = TorchExecutor(package_of(cell)).run(inputs)
    state = {spec.name: inputs[spec.name].astype(np.int64) for spec in shape.states()}
    taps, after = int8_cell.tile_step(cell, inputs["line_features"], inputs["band_features"], state)
    assert found["taps"].dtype == np.int16
    np.testing.assert_array_equal(found["taps"], taps)
    assert set(found) == {"taps", *(spec.name + NEXT for spec in shape.states())}
    for spec in shape.states():
        assert found[spec.name + NEXT].dtype == spec.dtype
        np.testing.assert_array_equal(found[spec.name + NEXT], after[spec.name], err_msg=spec.name)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_change_nothing(n_threads: int) -> None:
    package = package_of(random_cell(SHAPE, 1))
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        for n_bands in (1, 3, 5):
            assert first_difference(package, TorchExecutor(package), n_bands) is None
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own compiler
def test_compiled_it_is_equal() -> None:
    package = package_of(random_cell(SHAPE, 1))
    executor = TorchExecutor(package, is_compiled=True)
    assert executor.provider.endswith("cpu compiled")
    for n_bands in (5, 1):
        assert first_difference(package, executor, n_bands) is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_cuda_device_it_is_equal() -> None:
    package = package_of(random_cell(SHAPE, 1))
    for n_bands in (5, 1):
        assert first_difference(package, TorchExecutor(package, "cuda"), n_bands) is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_cuda_is_refused() -> None:
    with pytest.raises(BadArgument, match="finds no CUDA device"):
        TorchExecutor(package_of(random_cell(SHAPE, 1)), "cuda")


def test_products_of_less_precision_are_refused() -> None:
    cell = random_cell(SHAPE, 1)
    executor, before = TorchExecutor(package_of(cell)), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(BadArgument, match="set to 'medium', allowed 'highest'"):
            executor.run(tile(cell, 2, 3, 0))
    finally:
        torch.set_float32_matmul_precision(before)


def test_inputs_that_do_not_fit_are_refused() -> None:
    cell = random_cell(SHAPE, 1)
    executor, inputs = TorchExecutor(package_of(cell)), tile(cell, 2, 3, 0)
    with pytest.raises(BadArgument, match="the cell has"):
        executor.run({name: values for name, values in inputs.items() if name != "before_0"})
    with pytest.raises(BadArgument, match=r"numerator_0 is int32 .* the cell has int16"):
        executor.run({**inputs, "numerator_0": inputs["numerator_0"].astype(np.int32)})
    with pytest.raises(BadArgument, match=r"bands_1 .* of shape \(2, 3, 6\)"):
        executor.run({**inputs, "bands_1": inputs["bands_1"][:1]})


def test_a_float_package_is_refused() -> None:
    for load in (load_eager, load_cuda):
        with pytest.raises(BadArgument, match="of arithmetic float32, allowed int8-v1"):
            load(SHIPPED_FLOAT)


def test_a_package_that_is_not_on_disk_is_refused() -> None:
    with pytest.raises(BadArgument, match="not found"):
        make_executor(package_of(random_cell(SHAPE, 1)), "quantize.torch_executor:load_eager")
