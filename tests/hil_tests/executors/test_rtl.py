"""The array in Verilog, simulated: equal bits for the shipped package and for layers of random weights (slow)."""

from pathlib import Path

import numpy as np
import pytest

from export.integer_package import integer_package_parts
from export.package_files import write_package
from hil_tests.executors import rtl_executor
from hil_tests.executors.rtl_executor import ENVIRONMENT, LANES, ArraySimulation, load, simulation
from hil_tests.places import own_environment
from hil_tests.places.own_environment import OwnEnvironment
from hil_tests.places.tool import SetupFailed
from runtime.cell.flight_package import SHIPPED, open_integer_package
from runtime.cell.integer_cell import CellShape
from runtime.errors import BadArgument, Corrupt
from runtime.executors.self_test import check_executor
from tests.reference.random_cell import random_cell

SHAPE = CellShape(4, 24, 2, 1, 8, 1)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return simulation(OwnEnvironment(ENVIRONMENT), tmp_path_factory.mktemp("rtl"))
    except SetupFailed as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_the_array_passes_the_self_test(program: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rtl_executor, "simulation", lambda place, folder: program)
    package = open_integer_package(SHIPPED)
    executor = load(SHIPPED)
    check_executor(package, executor)
    assert sum(executor.cycles.values()) == executor.array.cycles
    n_runs = 2 * np.prod(package.conformance.contexts.shape[:3])
    macs = sum(spec.n_in * spec.n_out for spec in package.cell.shape.line_layers())
    assert executor.array.cycles >= n_runs * macs / LANES
    write_package(integer_package_parts(random_cell(SHAPE, 0), "test", {}, {}), tmp_path / "random")
    check_executor(open_integer_package(tmp_path / "random"), load(tmp_path / "random"))


@pytest.mark.slow
def test_every_layer_equals_its_definition_on_any_integers(program: Path) -> None:
    cell = random_cell(SHAPE, 1)
    array, generator = ArraySimulation(program, cell), np.random.default_rng(0)
    for spec in cell.shape.line_layers():
        layer = cell.layers[spec.name]
        values = generator.integers(-127, 128, (50, spec.n_in)).astype(np.int8)
        values[0], values[1] = 127, -127
        sums = values.astype(np.int64) @ layer.weight.T.astype(np.int64) + layer.bias
        shift = layer.shift.astype(np.int64)
        expected = np.clip((sums + (1 << (shift - 1))) >> shift, spec.low, spec.high)
        assert np.array_equal(array.layer(layer, values), expected)


@pytest.mark.slow
def test_a_cell_that_does_not_fit_is_refused(program: Path) -> None:
    with pytest.raises(BadArgument, match=r"\d+ words and \d+ outputs, the array holds 2048 and 1024"):
        ArraySimulation(program, random_cell(CellShape(8, 128, 2, 2, 24, 1), 0))


@pytest.mark.slow
def test_a_simulation_that_ended_is_an_error(program: Path) -> None:
    cell = random_cell(SHAPE, 1)
    array = ArraySimulation(program, cell)
    array.child.kill()
    array.child.wait()
    spec = cell.shape.line_layers()[0]
    with pytest.raises(Corrupt, match="the simulation of the array has ended"):
        array.layer(cell.layers[spec.name], np.zeros((1, spec.n_in), np.int8))


def test_without_its_environment_it_says_how_to_set_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_environment, "EXECUTORS", tmp_path)
    with pytest.raises(BadArgument, match="executor rtl is not set up: run python -m"):
        load(SHIPPED)
