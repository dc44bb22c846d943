"""OpenVINO on the CPU as an executor; runs in its own environment (hil_tests/places/executor_setup.py).

`python -m runtime.executors.executor_server --executor hil_tests.executors.openvino_executor:load PACKAGE`
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from typing_extensions import override

from runtime.cell.flight_package import FlightPackage, open_package
from runtime.errors import BadArgument, Corrupt
from runtime.executors.array_executor import AnyArray, ArrayExecutor

DEVICE = "CPU"
CONFIGURATION: dict[str, Any] = {
    "INFERENCE_PRECISION_HINT": "f32",  # the default is bf16 where the processor has it, which is not exact
    "EXECUTION_MODE_HINT": "ACCURACY",
    "PERFORMANCE_HINT": "LATENCY",
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "CPU_DENORMALS_OPTIMIZATION": False,
    "ENABLE_MMAP": False,  # so that the files of a model may go once it is compiled
}


class OpenVinoModel(ArrayExecutor):
    """One ONNX graph compiled for the CPU: by default float32, one thread; static or dynamic shapes."""

    def __init__(
        self, model: bytes, weights: dict[str, bytes] | None = None, configuration: dict[str, Any] = CONFIGURATION
    ) -> None:
        """`weights`: the files of external data that the graph names. Raises Corrupt where it does not compile."""
        core = openvino.Core()
        with tempfile.TemporaryDirectory() as folder:
            for name, data in {**(weights or {}), "model.onnx": model}.items():
                if Path(name).name != name:
                    raise BadArgument(f"weights {name!r} must be a file name without a folder")
                (Path(folder) / name).write_bytes(data)
            core.set_property(DEVICE, {"ENABLE_MMAP": False})
            try:
                self.model: Any = core.compile_model(f"{folder}/model.onnx", DEVICE, configuration)
            except RuntimeError as error:
                raise Corrupt(f"OpenVINO does not load the graph: {' '.join(str(error).split())[:500]}") from error
        self.request: Any = self.model.create_infer_request()
        self.inputs = {port.get_any_name(): port for port in self.model.inputs}
        self.outputs = [port.get_any_name() for port in self.model.outputs]
        self.sha256 = hashlib.sha256(model).hexdigest()
        device = core.get_property(DEVICE, "FULL_DEVICE_NAME")
        precision = self.model.get_property("INFERENCE_PRECISION_HINT").to_string()
        self.provider = f"OpenVINO {openvino.get_version()} {DEVICE} {precision} ({device})"

    def check(self, inputs: dict[str, AnyArray]) -> None:
        """Raise BadArgument where names, types or shapes differ: OpenVINO itself takes wrong shapes and computes on.

        Axes of open size that contradict each other (columns of two inputs) are not noticed, by it or here.
        """
        if set(inputs) != set(self.inputs):
            raise BadArgument(f"inputs {sorted(inputs)}, the graph has {sorted(self.inputs)}")
        for name, port in self.inputs.items():
            values, dtype = inputs[name], port.get_element_type().to_dtype()
            if values.dtype != dtype:
                raise BadArgument(f"input {name} is {values.dtype}, the graph has {dtype}")
            if not port.get_partial_shape().compatible(openvino.PartialShape(list(values.shape))):
                raise BadArgument(f"input {name} has shape {values.shape}, the graph has {port.get_partial_shape()}")

    @override
    def run(self, inputs: dict[str, AnyArray]) -> dict[str, AnyArray]:
        self.check(inputs)
        try:
            self.request.infer({name: np.ascontiguousarray(values) for name, values in inputs.items()})
        except RuntimeError as error:
            raise BadArgument(f"OpenVINO refuses the step: {' '.join(str(error).split())[:500]}") from error
        # copies: the request gives views of memory that the next step overwrites
        return {name: np.array(self.request.get_tensor(name).data) for name in self.outputs}


class OpenVinoCells(ArrayExecutor):
    """The graphs of a flight package; a float package has one for a single band."""

    def __init__(self, package: FlightPackage, configuration: dict[str, Any] = CONFIGURATION) -> None:
        weights = package.manifest["weights"]
        files = {weights: package.parts[weights]}
        steps = {
            name: OpenVinoModel(package.parts[part], files, configuration) for name, part in package.graphs.items()
        }
        self.line_step = steps["line_step"]
        self.band_step = steps.get("band_step", self.line_step)
        self.sha256 = package.sha256.hex()
        self.provider = self.line_step.provider

    @override
    def run(self, inputs: dict[str, AnyArray]) -> dict[str, AnyArray]:
        return (self.band_step if len(inputs.get("line_before", ())) == 1 else self.line_step).run(inputs)


def load(source: Path) -> OpenVinoModel | OpenVinoCells:
    """OpenVINO on a flight package, or on one ONNX file with its weights beside it."""
    if source.suffix != ".onnx":
        return OpenVinoCells(open_package(source))
    try:
        beside = {file.name: file.read_bytes() for file in source.parent.glob("*.bin")}
        return OpenVinoModel(source.read_bytes(), beside)
    except OSError as error:
        raise BadArgument(f"{source}: {error.strerror}") from None
