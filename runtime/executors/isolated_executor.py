"""An executor of an int8 package in a worker process of this interpreter, so that it can hang or die alone."""

import sys

from runtime.cell.flight_package import IntegerPackage
from runtime.errors import LineRwkvError
from runtime.executors.executor_process import ExecutorProcess
from runtime.executors.executor_registry import ONNXRUNTIME
from runtime.executors.executors import check_package
from runtime.executors.self_test import check_executor


def isolated_executor(package: IntegerPackage, name: str = ONNXRUNTIME) -> ExecutorProcess:
    """A worker that loaded the package from its place and passed the self-test; whoever has it closes it.

    name: as in `load_executor`, which the worker calls. Raises LineRwkvError.
    """
    source = str(package.source.absolute())
    command = [sys.executable, "-m", "runtime.executors.executor_server", "--executor", name, source]
    worker = ExecutorProcess(command)
    try:
        check_package(package, worker, name)
        check_executor(package, worker)
    except LineRwkvError:
        worker.close()
        raise
    return worker
