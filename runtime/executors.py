"""Executors of int8 packages by name: the built-in one, and those that other packages bring."""

import importlib.metadata
from collections.abc import Callable

from runtime.cell_executor import CellExecutor, OnnxRuntimeCell
from runtime.errors import BadArgument
from runtime.executor import Executor, OnnxRuntimeExecutor
from runtime.flight_package import FlightPackage, FloatPackage, IntegerPackage
from runtime.self_test import check_executor

GROUP = "linerwkv.executors"
BUILT_IN = "onnxruntime"

AnyExecutor = Executor | CellExecutor
MakeExecutor = Callable[[IntegerPackage], CellExecutor]
"""What an entry point names: it raises LineRwkvError where it cannot run here."""


def executor_names() -> list[str]:
    """All names that can be asked for on this machine."""
    return [BUILT_IN, *sorted(point.name for point in importlib.metadata.entry_points(group=GROUP))]


def unchecked_executor(package: IntegerPackage, name: str = BUILT_IN) -> CellExecutor:
    """An executor that has not passed the self-test yet. Raises BadArgument or what the executor raises."""
    if name == BUILT_IN:
        return OnnxRuntimeCell(package)
    found = importlib.metadata.entry_points(group=GROUP, name=name)
    if not found:
        raise BadArgument(f"executor {name!r}, allowed {', '.join(executor_names())}")
    try:
        make: MakeExecutor = next(iter(found)).load()
    except ImportError as error:
        raise BadArgument(f"executor {name!r} needs {error.name}, which is not installed") from error
    return make(package)


def make_executor(package: FlightPackage, name: str = BUILT_IN) -> AnyExecutor:
    """An executor for the package; of an int8 package only after it passed the self-test. Raises LineRwkvError."""
    if isinstance(package, FloatPackage):
        if name != BUILT_IN:
            raise BadArgument(f"executor {name!r} of a float32 package, allowed {BUILT_IN}")
        return OnnxRuntimeExecutor(package)
    assert isinstance(package, IntegerPackage)
    executor = unchecked_executor(package, name)
    check_executor(package, executor)
    return executor
