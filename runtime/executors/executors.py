"""The executor of a flight package, here or in a worker process, checked before it is trusted."""

import sys

from runtime.cell.flight_package import FlightPackage, FloatPackage, IntegerPackage
from runtime.errors import BadArgument, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executor_process import ExecutorProcess
from runtime.executors.executor_registry import ONNXRUNTIME, load_executor
from runtime.executors.self_test import check_executor


def onnxruntime_cell(package: FlightPackage) -> ArrayExecutor:
    """ONNX Runtime, loaded only here: a coder without a network starts without it. Raises what it raises."""
    from runtime.executors.cell_executor import OnnxRuntimeCell

    return OnnxRuntimeCell(package)


def unchecked_executor(package: IntegerPackage, name: str = ONNXRUNTIME) -> ArrayExecutor:
    """An executor by name that has not passed the self-test yet. Raises BadArgument or what the executor raises."""
    if name == ONNXRUNTIME:
        return onnxruntime_cell(package)
    executor = load_executor(name, package.source)
    check_package(package, executor, name)
    return executor


def check_package(package: IntegerPackage, executor: ArrayExecutor, name: str) -> None:
    """Raise BadArgument where the executor runs another package."""
    found, wanted = executor.sha256, package.sha256.hex()
    if found != wanted:
        raise BadArgument(f"executor {name} runs package {found[:12]}..., wanted {wanted[:12]}...")


def make_executor(package: FlightPackage, name: str = ONNXRUNTIME) -> ArrayExecutor:
    """An executor for the package; of an int8 package only after it passed the self-test. Raises LineRwkvError."""
    if isinstance(package, FloatPackage):
        if name != ONNXRUNTIME:
            raise BadArgument(f"executor {name!r} of a float32 package, allowed {ONNXRUNTIME}")
        return onnxruntime_cell(package)
    assert isinstance(package, IntegerPackage)
    executor = unchecked_executor(package, name)
    check_executor(package, executor)
    return executor


def isolated_executor(package: IntegerPackage, name: str = ONNXRUNTIME) -> ExecutorProcess:
    """The same in a worker process of this interpreter, which can hang or die alone; whoever has it closes it.

    The worker loads the package from its place, and calls `load_executor` with the name.
    """
    source = str(package.source.absolute())
    worker = ExecutorProcess([sys.executable, "-m", "runtime.executors.executor_server", "--executor", name, source])
    try:
        check_package(package, worker, name)
        check_executor(package, worker)
    except LineRwkvError:
        worker.close()
        raise
    return worker
