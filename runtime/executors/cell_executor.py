"""The cells of an int8 package step by step: the state at rest, one tile, and ONNX Runtime on the CPU.

Whatever runs the cell is an `ArrayExecutor`. In: line_features (B, X, LINE_FEATURES), band_features (B, X,
BAND_FEATURES) int8, the tile's rows of the memory of lines (B, X, F) int8 or int16, the two bands before the tile
(2, X, F) int8. Out: taps (B, X, TAPS) int16, and each state after the tile under its name with `_next`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from typing_extensions import override

from runtime.cell.flight_inputs import TAPS
from runtime.cell.flight_package import NEXT, FlightPackage, IntegerPackage
from runtime.errors import BadArgument, Corrupt, ExecutorFailed, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.provider import ON_CPU, Provider, provider_session


def initial_memory(package: IntegerPackage, n_bands: int, n_columns: int) -> Arrays:
    """The memory of lines before the second line of a segment, each (Z, X, F), at rest in 8 or 16 bits."""
    states = (state for state in package.cell.shape.states() if state.is_per_band)
    return {one.name: np.full((n_bands, n_columns, one.features), one.initial, one.dtype) for one in states}


def initial_bands(package: IntegerPackage, n_columns: int) -> Arrays:
    """What stands before the first band of every line, each (2, X, F)."""
    states = (state for state in package.cell.shape.states() if not state.is_per_band)
    return {one.name: np.full((one.depth, n_columns, one.features), one.initial, one.dtype) for one in states}


def step_tile(
    executor: ArrayExecutor, rows: slice, line_features: npt.NDArray[np.int8], band_features: npt.NDArray[np.int8],
    memory: Arrays, bands: Arrays,
) -> tuple[npt.NDArray[np.int16], Arrays]:  # fmt: skip
    """Taps (B, X, TAPS) of the bands `rows`, and what stands before the tile after it; `memory` is updated in place.

    line_features, band_features: of the tile alone. memory: of all bands; `rows` is read here and nowhere later in a
    line, so writing in place keeps the large arrays single. Raises ExecutorFailed; `memory` is of no use then.
    """
    states = {**{name: values[rows] for name, values in memory.items()}, **bands}
    try:
        outputs = executor.run({"line_features": line_features, "band_features": band_features, **states})
    except LineRwkvError as error:
        raise ExecutorFailed(str(error)) from error
    for name, before in states.items():
        check_answer(executor, outputs, name + NEXT, before.shape, before.dtype)
    check_answer(executor, outputs, "taps", (*line_features.shape[:2], TAPS), np.dtype(np.int16))
    for name, values in memory.items():
        values[rows] = outputs[name + NEXT]
    return outputs["taps"], {name: outputs[name + NEXT] for name in bands}


def check_answer(
    executor: ArrayExecutor, outputs: Arrays, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> None:
    """Raise ExecutorFailed where an output is missing or of another shape or type, which NumPy would convert."""
    values = outputs.get(name)
    if values is None or values.shape != shape or values.dtype != dtype:
        found = "is missing" if values is None else f"is {values.dtype} of shape {values.shape}"
        raise ExecutorFailed(f"{executor.provider}: output {name} {found}, allowed {dtype} of shape {shape}")


OPTIMISATION = onnxruntime.GraphOptimizationLevel


def session_options(n_threads: int = 1, level: Any = OPTIMISATION.ORT_ENABLE_ALL) -> Any:
    """ONNX Runtime's options of every session here.

    Exactness needs nothing switched off in ONNX Runtime but what is off by default: no bfloat16 products, no flushing
    of denormals.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised
    options.graph_optimization_level = level
    options.add_session_config_entry("session.load_model_format", "ONNX")  # as checked, whatever its first bytes
    options.add_session_config_entry("session.set_denormal_as_zero", "0")
    options.add_session_config_entry("mlas.enable_gemm_fastmath_arm64_bfloat16", "0")
    return options


def session(
    package: FlightPackage, part: str, n_threads: int = 1, provider: Provider = ON_CPU,
    level: Any = OPTIMISATION.ORT_ENABLE_ALL,
) -> Any:  # fmt: skip
    """An ONNX Runtime session on one graph of a package, weights from memory alone. Raises BadArgument or Corrupt."""
    options = session_options(n_threads, level)
    weights = package.manifest["weights"]
    data = package.parts[weights]
    options.add_external_initializers_from_files_in_memory([weights], [data], [len(data)])
    try:
        return provider_session(package.parts[part], options, provider)
    except LineRwkvError as error:
        raise type(error)(f"package {package.source}: graph {part}: {error}") from error


def onnxruntime_provider(provider: Provider = ON_CPU) -> str:
    """Name and version of what runs here."""
    options = "".join(f" {key}={value}" for key, value in provider.options.items())
    return f"ONNX Runtime {onnxruntime.__version__} {provider.name}{options}"


class OnnxRuntimeCell(ArrayExecutor):
    """ONNX Runtime: the band-step cell for one band, the line-step cell for more."""

    def __init__(
        self, package: FlightPackage, n_threads: int = 1, level: Any = OPTIMISATION.ORT_ENABLE_ALL,
        provider: Provider = ON_CPU,
    ) -> None:  # fmt: skip
        self.provider = onnxruntime_provider(provider)
        self.sha256 = package.sha256.hex()
        cells = package.manifest["cells"]
        self.line_step = session(package, cells["line_step"], n_threads, provider, level)
        self.band_step = session(package, cells["band_step"], n_threads, provider, level)
        self.inputs = {value.name: value for value in self.line_step.get_inputs()}
        self.outputs = [output.name for output in self.line_step.get_outputs()]
        self.first = next(iter(self.inputs), "")

    @override
    def run(self, inputs: Arrays) -> Arrays:
        if set(inputs) != set(self.inputs):
            raise BadArgument(f"inputs {sorted(inputs)}, the cell has {sorted(self.inputs)}")
        chosen = self.band_step if len(inputs[self.first]) == 1 else self.line_step
        try:
            return dict(zip(self.outputs, chosen.run(self.outputs, inputs), strict=True))
        except Exception as error:  # as in session
            raise Corrupt(f"{self.provider}: the step does not run: {error}") from error
