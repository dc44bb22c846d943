"""OpenVINO on the CPU, in its own environment and process, computes integers like everything else."""

from pathlib import Path

import numpy as np
import pytest

from hil_tests.executors.own_environment import OwnEnvironment
from hil_tests.executors.setup import prepare
from hil_tests.integer_graph import expected_outputs, random_inputs, write_graph
from hil_tests.tool import NotAvailable
from runtime.errors import BadArgument, Corrupt
from runtime.executor import OnnxRuntimeExecutor, initial_state
from runtime.executor_process import ExecutorProcess
from runtime.flight_package import SHIPPED_FLOAT, FloatPackage, open_package
from runtime.onnxruntime_arrays import StepByArrays

pytestmark = pytest.mark.slow
EXECUTOR = "hil_tests.executors.openvino_executor:load"


@pytest.fixture(scope="module")
def place() -> OwnEnvironment:
    try:
        prepare("openvino")
    except NotAvailable as error:
        pytest.skip(f"no OpenVINO here: {error}")
    return OwnEnvironment("openvino")


def start(place: OwnEnvironment, source: Path) -> ExecutorProcess:
    command = place.command("runtime.executor_server", "--executor", EXECUTOR, source)
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
    with start(place, SHIPPED_FLOAT) as process:
        remote, local = StepByArrays(package, process), OnnxRuntimeExecutor(package)
        for n_bands in (1, 6):
            state = initial_state(package, n_bands, 16)
            line, band = generator.standard_normal((2, n_bands, 16)).astype(np.float32)
            is_first = np.zeros((n_bands, 1), np.float32)
            ours, _ = local.step(line, band, is_first, state)
            theirs, _ = remote.step(line, band, is_first, state)
            assert np.abs(ours - theirs).max() < 1e-5  # float32 sums of another order, of values about 1


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
