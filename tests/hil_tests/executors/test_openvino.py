"""OpenVINO on the CPU, in its own environment and process, computes integers like everything else."""

import gc
from pathlib import Path

import numpy as np
import pytest

from export.integer_package import integer_package_parts
from export.package_files import write_package
from hil_tests.places.executor_setup import prepare
from hil_tests.places.own_environment import OwnEnvironment
from hil_tests.places.tool import NotAvailable
from runtime.cell.flight_package import SHIPPED_FLOAT, FloatPackage, IntegerPackage, open_package
from runtime.cell.integer_cell import CellShape
from runtime.errors import BadArgument, Corrupt
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.executors.executor_process import ExecutorProcess
from runtime.executors.executors import make_executor
from runtime.executors.self_test import check_executor
from runtime.float_network.predictor import initial_states
from tests.hil_tests.executors.integer_graph import expected_outputs, random_inputs, write_graph
from tests.reference.random_cell import random_cell

pytestmark = pytest.mark.slow
EXECUTOR = "hil_tests.executors.openvino_executor:load"
BFLOAT16 = "hil_tests.executors.openvino_bfloat16:load"


@pytest.fixture(scope="module")
def place() -> OwnEnvironment:
    try:
        prepare("openvino")
    except NotAvailable as error:
        pytest.skip(f"no OpenVINO here: {error}")
    return OwnEnvironment("openvino")


@pytest.fixture(scope="module")
def int8_package(tmp_path_factory: pytest.TempPathFactory) -> IntegerPackage:
    folder = tmp_path_factory.mktemp("packages") / "package"
    write_package(integer_package_parts(random_cell(CellShape(4, 24, 2, 1, 8, 1), 1), "test", {}, {}), folder)
    package = open_package(folder)
    assert isinstance(package, IntegerPackage)
    return package


def start(place: OwnEnvironment, source: Path, executor: str = EXECUTOR) -> ExecutorProcess:
    command = place.command("runtime.executors.executor_server", "--executor", executor, source)
    return ExecutorProcess(command, environment=place.environment())


def test_an_integer_graph_is_exact(place: OwnEnvironment, tmp_path: Path) -> None:
    with start(place, write_graph(tmp_path)) as remote:
        assert remote.provider.startswith("OpenVINO ")
        assert " CPU f32 " in remote.provider
        for n_bands, n_columns in ((8, 33), (1, 33), (3, 5), (1, 1), (16, 128)):
            inputs = random_inputs(n_bands, n_columns, seed=n_bands)
            answers = remote.run(inputs)
            for name, values in expected_outputs(inputs).items():
                np.testing.assert_array_equal(answers[name], values, err_msg=name)


def test_the_float_package_steps_like_onnx_runtime(place: OwnEnvironment) -> None:
    package = open_package(SHIPPED_FLOAT)
    assert isinstance(package, FloatPackage)
    generator = np.random.default_rng(0)
    local = OnnxRuntimeCell(package)
    with start(place, SHIPPED_FLOAT) as remote:
        assert remote.sha256 == local.sha256
        for n_bands in (1, 6):
            line, band = generator.standard_normal((2, n_bands, 16)).astype(np.float32)
            inputs = {"line_before": line, "band_before": band, "is_first_band": np.zeros((n_bands, 1), np.float32)}
            for is_per_band in (True, False):
                inputs |= initial_states(package, n_bands, 16, is_per_band=is_per_band)
            ours, theirs = local.run(inputs), remote.run(inputs)
            assert ours.keys() == theirs.keys()
            difference = np.abs(ours["correction"] - theirs["correction"])
            assert difference.max() < 1e-5  # float32 sums of another order, of values about 1


def test_what_does_not_fit_is_refused(place: OwnEnvironment, tmp_path: Path) -> None:
    inputs = random_inputs(2, 5, seed=0)
    with start(place, write_graph(tmp_path)) as remote:
        with pytest.raises(BadArgument, match="the graph has"):
            remote.run({"tile": inputs["tile"]})
        with pytest.raises(BadArgument, match=r"shape \(2, 5, 3\), the graph has \[\?,\?,16\]"):
            remote.run({**inputs, "tile": inputs["tile"][..., :3]})
        with pytest.raises(BadArgument, match="is float64, the graph has float32"):
            remote.run({**inputs, "tile": inputs["tile"].astype(np.float64)})
        assert remote.run(inputs)["quotient"].shape == inputs["tile"].shape
    (tmp_path / "graph.onnx").write_bytes(b"no graph")
    with pytest.raises(Corrupt, match="OpenVINO does not load"):
        start(place, tmp_path / "graph.onnx")


def test_by_name_it_starts_its_own_process_and_passes_the_self_test(
    place: OwnEnvironment, int8_package: IntegerPackage
) -> None:
    executor = make_executor(int8_package, "hil_tests.executors.own_process:load_openvino")
    assert isinstance(executor, ExecutorProcess)
    assert " CPU f32 " in executor.provider
    child = executor.child
    assert child.poll() is None
    del executor
    gc.collect()
    assert child.poll() == 0  # it ended with its last user


def test_in_bfloat16_it_is_refused(place: OwnEnvironment, int8_package: IntegerPackage) -> None:
    """A processor without bfloat16 computes in float32 whatever is asked; then the integers are equal."""
    with start(place, int8_package.source, BFLOAT16) as remote:
        if " bf16 " in remote.provider:
            with pytest.raises(Corrupt, match="failed the self-test"):
                check_executor(int8_package, remote)
        else:
            assert " f32 " in remote.provider
            check_executor(int8_package, remote)
