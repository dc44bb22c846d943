"""ONNX Runtime behind named arrays: any ONNX file, and the step of a float package both ways."""

import hashlib
from pathlib import Path
from typing import Any

import onnxruntime

from runtime.array_executor import AnyArray, ArrayExecutor
from runtime.cell_executor import OnnxRuntimeCell, onnxruntime_provider
from runtime.errors import BadArgument, Corrupt
from runtime.executor import CellState, Executor, FloatArray, OnnxRuntimeExecutor
from runtime.flight_package import NEXT, FloatPackage, IntegerPackage, open_package

STEP_INPUTS = ("line_before", "band_before", "is_first_band")


class CellArrays:
    """The step of a float package by the names of its inputs and outputs."""

    def __init__(self, package: FloatPackage, executor: Executor, provider: str) -> None:
        self.line_names = [state.name for state in package.states if state.is_per_band]
        self.band_names = [state.name for state in package.states if not state.is_per_band]
        self.executor = executor
        self.provider = provider
        self.sha256 = package.sha256.hex()

    def run(self, inputs: dict[str, AnyArray]) -> dict[str, AnyArray]:
        """As in `ArrayExecutor`."""
        expected = {*STEP_INPUTS, *self.line_names, *self.band_names}
        if set(inputs) != expected:
            raise BadArgument(f"inputs {sorted(inputs)}, the cell has {sorted(expected)}")
        line = {name: inputs[name] for name in self.line_names}
        band = {name: inputs[name] for name in self.band_names}
        line_before, band_before, is_first_band = (inputs[name] for name in STEP_INPUTS)
        correction, after = self.executor.step(line_before, band_before, is_first_band, CellState(line, band))
        states = {name + NEXT: values for name, values in {**after.line, **after.band}.items()}
        return {"correction": correction, **states}


class StepByArrays:
    """The `Executor` of a float package whose cell runs behind named arrays, for example in another process."""

    def __init__(self, package: FloatPackage, arrays: ArrayExecutor) -> None:
        if arrays.sha256 != package.sha256.hex():
            raise BadArgument(f"the executor runs {arrays.sha256[:12]}..., not package {package.sha256.hex()[:12]}...")
        self.arrays = arrays

    def step(
        self, line_before: FloatArray, band_before: FloatArray, is_first_band: FloatArray, state: CellState
    ) -> tuple[FloatArray, CellState]:
        """As in `Executor`. Raises Corrupt where an output is missing."""
        feed = dict(zip(STEP_INPUTS, (line_before, band_before, is_first_band), strict=True))
        outputs = self.arrays.run({**feed, **state.line, **state.band})
        try:
            line = {name: outputs[name + NEXT] for name in state.line}
            band = {name: outputs[name + NEXT] for name in state.band}
            return outputs["correction"], CellState(line, band)
        except KeyError as error:
            raise Corrupt(f"the answer of {self.arrays.provider} has no output {error}") from None


class OnnxFile:
    """Any ONNX file, its weights beside it, in ONNX Runtime on the CPU, one thread."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            self.session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise BadArgument(f"{path}: {error.strerror}") from None
        except Exception as error:  # ONNX Runtime raises its own types, straight from Exception
            raise Corrupt(f"{path} does not load: {error}") from error
        self.provider = onnxruntime_provider()
        self.outputs = [output.name for output in self.session.get_outputs()]

    def run(self, inputs: dict[str, AnyArray]) -> dict[str, AnyArray]:
        """As in `ArrayExecutor`."""
        try:
            return dict(zip(self.outputs, self.session.run(self.outputs, inputs), strict=True))
        except Exception as error:  # as above
            raise BadArgument(f"ONNX Runtime refuses the step: {error}") from error


def onnxruntime_arrays(source: Path) -> ArrayExecutor:
    """ONNX Runtime on a flight package, or on one ONNX file. Raises LineRwkvError."""
    if source.suffix == ".onnx":
        return OnnxFile(source)
    package = open_package(source)
    if isinstance(package, IntegerPackage):
        return OnnxRuntimeCell(package)
    assert isinstance(package, FloatPackage)
    return CellArrays(package, OnnxRuntimeExecutor(package), onnxruntime_provider())
