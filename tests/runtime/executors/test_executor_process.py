"""An executor in a child process: the same numbers as here, and a clear error for whatever the child does."""

import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from runtime.cell.flight_package import NEXT, SHIPPED, SHIPPED_FLOAT, FloatPackage, open_integer_package
from runtime.errors import BadArgument, Corrupt, ExecutorFailed
from runtime.executors.array_executor import Arrays
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.executors.executor_process import ExecutorProcess
from runtime.executors.executor_registry import load_executor
from runtime.executors.executors import isolated_executor, make_executor
from runtime.executors.onnxruntime_arrays import onnxruntime_arrays
from runtime.float_network.predictor import initial_states

SERVER = [sys.executable, "-m", "runtime.executors.executor_server"]
X = {"x": np.arange(4, dtype=np.int16)}
HELLO = """
import os, sys, time
from runtime.executors.executor_frames import Kind, Message, read_message
def send(kind, words={}, arrays={}):
    os.write(1, Message(kind, words, arrays).to_bytes())
send(Kind.HELLO, {"executor": "test", "provider": "script", "sha256": "00"})
"""


class Doubling:
    """An executor for tests: doubles; inputs by the name of a fault give that fault."""

    provider = "numpy"
    sha256 = "00" * 32

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        print("a library that prints to standard output")
        if "foreign" in inputs:
            raise ZeroDivisionError("first line\nsecond line")
        if "ours" in inputs:
            raise Corrupt("the cell is not sound")
        if "slow" in inputs:
            time.sleep(60)
        return {name: values * 2 for name, values in inputs.items()}


def doubling(source: Path) -> Doubling:
    return Doubling()


@pytest.fixture
def doubler() -> Iterator[ExecutorProcess]:
    command = [*SERVER, "--executor", f"{__name__}:doubling", "any"]
    with ExecutorProcess(command, step_deadline_s=20) as process:
        yield process


def script(text: str, *, hello: bool = True) -> list[str]:
    return [sys.executable, "-c", (HELLO if hello else "import os, sys, time\n") + textwrap.dedent(text)]


def tile(package: FloatPackage, n_bands: int, n_columns: int) -> Arrays:
    """Inputs of the second line of a segment."""
    generator = np.random.default_rng(0)
    line, band = generator.standard_normal((2, n_bands, n_columns)).astype(np.float32)
    is_first = np.zeros((n_bands, 1), np.float32)
    is_first[0] = 1
    memory, before_band_0 = (initial_states(package, n_bands, n_columns, is_per_band=each) for each in (True, False))
    return {"line_before": line, "band_before": band, "is_first_band": is_first, **memory, **before_band_0}


def next_tile(inputs: Arrays, outputs: Arrays) -> Arrays:
    """The same samples again, with the states after the step."""
    return {name: outputs.get(name + NEXT, values) for name, values in inputs.items()}


def assert_same(one: Arrays, two: Arrays) -> None:
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_a_child_of_the_same_interpreter_gives_the_same_bits(float_package: FloatPackage) -> None:
    local = OnnxRuntimeCell(float_package)
    states = {state.name + NEXT for state in float_package.states}
    with ExecutorProcess([*SERVER, str(SHIPPED_FLOAT)]) as process:
        assert process.executor == "onnxruntime"
        assert "CPUExecutionProvider" in process.provider
        assert process.sha256 == local.sha256 == float_package.sha256.hex()
        for n_bands in (1, 5):
            inputs = tile(float_package, n_bands, 7)
            for _ in range(3):
                outputs = local.run(inputs)
                assert outputs.keys() == {"correction", *states}
                assert_same(outputs, process.run(inputs))
                inputs = next_tile(inputs, outputs)


def test_by_its_name_it_gives_the_same_bits_here(float_package: FloatPackage) -> None:
    inputs = tile(float_package, 3, 4)
    expected = OnnxRuntimeCell(float_package).run(inputs)
    assert_same(expected, load_executor("onnxruntime", SHIPPED_FLOAT).run(inputs))
    assert_same(expected, make_executor(float_package).run(inputs))


def test_inputs_that_the_cell_does_not_have_are_refused_and_the_child_lives(float_package: FloatPackage) -> None:
    inputs = tile(float_package, 2, 3)
    with ExecutorProcess([*SERVER, str(SHIPPED_FLOAT)]) as process:
        with pytest.raises(BadArgument, match="the cell has"):
            process.run({"line_before": inputs["line_before"]})
        with pytest.raises(Corrupt, match=r"the step does not run: .*INVALID_ARGUMENT"):
            process.run({**inputs, "line_before": inputs["line_before"].astype(np.float64)})
        assert process.run(inputs)["correction"].shape == (2, 3)


def test_another_package_is_refused(float_package: FloatPackage) -> None:
    package, name = open_integer_package(SHIPPED), f"{__name__}:doubling"
    for make in (make_executor, isolated_executor):
        with pytest.raises(
            BadArgument, match=f"doubling runs package {'0' * 12}..., wanted {package.sha256.hex()[:12]}"
        ):
            make(package, name)
    with pytest.raises(BadArgument, match=f"executor '{name}' of a float32 package, allowed onnxruntime"):
        make_executor(float_package, name)


def test_what_libraries_print_does_not_reach_the_pipe(doubler: ExecutorProcess) -> None:
    np.testing.assert_array_equal(doubler.run(X)["x"], [0, 2, 4, 6])
    large = {"large": np.arange(1 << 20)}  # more than a pipe holds
    np.testing.assert_array_equal(doubler.run(large)["large"], 2 * large["large"])
    doubler.run(X)
    doubler.close()


def test_errors_keep_their_class_and_the_child_lives(doubler: ExecutorProcess) -> None:
    with pytest.raises(Corrupt, match=r"^the cell is not sound$"):
        doubler.run({"ours": X["x"]})
    with pytest.raises(ExecutorFailed, match=r"^ZeroDivisionError: first line second line$"):
        doubler.run({"foreign": X["x"]})
    assert "Traceback" in doubler.stderr_text()
    np.testing.assert_array_equal(doubler.run(X)["x"], [0, 2, 4, 6])


def test_a_killed_child_is_a_clear_error_and_stays_one(doubler: ExecutorProcess) -> None:
    doubler.child.kill()
    for _ in range(2):
        with pytest.raises(ExecutorFailed, match=r"executor .*doubling ended \(exit code -9\)"):
            doubler.run(X)


def test_the_deadline_of_a_step_ends_the_child() -> None:
    command = [*SERVER, "--executor", f"{__name__}:doubling", "any"]
    with ExecutorProcess(command, step_deadline_s=0.3) as process:
        start = time.monotonic()
        with pytest.raises(ExecutorFailed, match=r"gave no answer within 0.3 s"):
            process.run({"slow": X["x"]})
        assert time.monotonic() - start < 5
        assert process.child.poll() is not None


def test_the_deadline_counts_while_the_child_does_not_read() -> None:
    with ExecutorProcess(script("time.sleep(60)"), step_deadline_s=0.3) as process:  # noqa: SIM117
        with pytest.raises(ExecutorFailed, match=r"gave no answer within 0.3 s"):
            process.run({"large": np.zeros(1 << 20)})


def test_a_child_that_never_greets() -> None:
    with pytest.raises(ExecutorFailed, match=r"gave no hello within 0.3 s"):
        ExecutorProcess(script("time.sleep(60)", hello=False), start_deadline_s=0.3)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("os.write(1, b'Loading plugins...')", "does not speak the protocol"),
        ("os.write(1, b'LRX')", "ends in its start"),
        ("print('disk full', file=sys.stderr); sys.exit(3)", r"ended \(exit code 3\); it said: disk full"),
    ],
)
def test_a_child_that_is_no_server(text: str, what: str) -> None:
    with pytest.raises(ExecutorFailed, match=what):
        ExecutorProcess(script(text, hello=False))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("read_message(sys.stdin.buffer.read); os.write(1, b'x' * 100)", "does not speak the protocol: .*begins with"),
        ("read_message(sys.stdin.buffer.read); os.write(1, b'LRXP\\x05')", "does not speak the protocol: .*ends in"),
        ("read_message(sys.stdin.buffer.read); send(Kind.STEP)", "sent step in place of answer"),
        ("read_message(sys.stdin.buffer.read)", r"ended \(exit code 0\)"),
        ("os._exit(9)", r"ended \(exit code 9\)"),
        ("send(Kind.ERROR, {'error': 'Popen', 'text': 'x'}); time.sleep(9)", "^x$"),
    ],
)
def test_garbage_on_the_pipe(text: str, what: str) -> None:
    with ExecutorProcess(script(text), step_deadline_s=20) as process:  # noqa: SIM117
        with pytest.raises(ExecutorFailed, match=what):
            process.run(X)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ExecutorFailed, match="does not start: No such file"):
        ExecutorProcess(["/nowhere/python"])


def test_a_closed_executor_is_refused(doubler: ExecutorProcess) -> None:
    doubler.close()
    with pytest.raises(ExecutorFailed, match="is closed"):
        doubler.run(X)


@pytest.mark.parametrize(
    ("arguments", "error", "what"),
    [
        (["/nowhere"], BadArgument, "package /nowhere not found"),
        (["/nowhere/graph.onnx"], BadArgument, "No such file"),
        (["--executor", "npu", "any"], BadArgument, "'npu' is not known; known: .*onnxruntime"),
        (["--executor", "runtime.nothing:load", "any"], BadArgument, "does not load: No module named"),
        (["--executor", "runtime.errors:load", "any"], BadArgument, "runtime.errors has no load"),
    ],
)
def test_a_server_that_cannot_start_says_why(arguments: list[str], error: type[Exception], what: str) -> None:
    with pytest.raises(error, match=what):
        ExecutorProcess([*SERVER, *arguments])


def test_the_server_answers_hostile_bytes_with_an_error_and_ends() -> None:
    with ExecutorProcess([*SERVER, str(SHIPPED_FLOAT)]) as process:
        assert process.child.stdin is not None
        process.child.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(Corrupt, match="begins with b'GET '"):
            process.run(X)
        assert process.child.wait(10) == 2


def test_the_built_in_executor_has_the_identity_of_its_package(float_package: FloatPackage) -> None:
    assert load_executor("onnxruntime", SHIPPED_FLOAT).sha256 == float_package.sha256.hex()


def test_a_file_that_is_no_graph_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "graph.onnx").write_bytes(b"no graph")
    with pytest.raises(Corrupt, match="does not load"):
        onnxruntime_arrays(tmp_path / "graph.onnx")
