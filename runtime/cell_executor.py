"""The cells of an int8 package step by step: the state at rest, one tile, and ONNX Runtime on the CPU.

Whatever runs the cell is an `ArrayExecutor`. In: line_features (B, X, LINE_FEATURES), band_features (B, X,
BAND_FEATURES) int8, the tile's rows of the memory of lines (B, X, F) int8 or int16, the two bands before the tile
(2, X, F) int8. Out: taps (B, X, TAPS) int16, and each state after the tile under its name with `_next`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from runtime.array_executor import ArrayExecutor, Arrays
from runtime.errors import BadArgument, Corrupt, ExecutorFailed, LineRwkvError
from runtime.flight_inputs import TAPS
from runtime.flight_package import NEXT, FlightPackage, IntegerPackage


def initial_memory(package: IntegerPackage, n_bands: int, n_columns: int) -> Arrays:
    """The memory of lines before the second line of a segment, each (Z, X, F), at rest in 8 or 16 bits."""
    features = package.cell.shape.features
    return {
        state.name: np.full((n_bands, n_columns, features), state.initial, state.dtype)
        for state in package.cell.shape.states()
        if state.is_per_band
    }


def initial_bands(package: IntegerPackage, n_columns: int) -> Arrays:
    """What stands before the first band of every line, each (2, X, F)."""
    features = package.cell.shape.features
    return {
        state.name: np.full((2, n_columns, features), state.initial, state.dtype)
        for state in package.cell.shape.states()
        if not state.is_per_band
    }


def step_tile(
    executor: ArrayExecutor,
    rows: slice,
    line_features: npt.NDArray[np.int8],
    band_features: npt.NDArray[np.int8],
    memory: Arrays,
    bands: Arrays,
) -> tuple[npt.NDArray[np.int16], Arrays]:
    """Taps (B, X, TAPS) of the bands `rows`, and what stands before the tile after it; `memory` is moved in place.

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
    """Raise ExecutorFailed where an output is missing or has another form: NumPy would stretch or round it silently."""
    values = outputs.get(name)
    if values is None or values.shape != shape or values.dtype != dtype:
        found = "is missing" if values is None else f"is {values.dtype} of shape {values.shape}"
        raise ExecutorFailed(f"{executor.provider}: output {name} {found}, allowed {dtype} of shape {shape}")


OPTIMISATION = onnxruntime.GraphOptimizationLevel
CPU = "CPUExecutionProvider"


def session(
    package: FlightPackage,
    part: str,
    n_threads: int = 1,
    *,
    provider: str = CPU,
    level: Any = OPTIMISATION.ORT_ENABLE_ALL,
) -> Any:
    """An ONNX Runtime session on one graph of a package, its weights taken from the package in memory.

    Exactness needs nothing switched off in ONNX Runtime but what is off by default: no bfloat16 products, no flushing
    of denormals. A provider that is absent or steps aside for another is refused. Raises BadArgument or Corrupt.
    """
    if provider not in onnxruntime.get_available_providers():
        raise BadArgument(f"ONNX Runtime has no {provider}, it has {', '.join(onnxruntime.get_available_providers())}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = level
    options.add_session_config_entry("session.set_denormal_as_zero", "0")
    options.add_session_config_entry("mlas.enable_gemm_fastmath_arm64_bfloat16", "0")
    if provider != CPU:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    weights = package.manifest["weights"]
    if weights in package.parts:
        data = package.parts[weights]
        options.add_external_initializers_from_files_in_memory([weights], [data], [len(data)])
    try:
        made = onnxruntime.InferenceSession(package.parts[part], options, providers=[provider])
    except Exception as error:  # ONNX Runtime raises its own types, straight from Exception
        raise Corrupt(f"package {package.source}: graph {part} does not load on {provider}: {error}") from error
    if made.get_providers()[0] != provider:
        raise BadArgument(f"ONNX Runtime was asked for {provider} and fell back to {made.get_providers()[0]}")
    return made


def onnxruntime_provider() -> str:
    """Name and version of what runs here."""
    return f"ONNX Runtime {onnxruntime.__version__} {CPU}"


class OnnxRuntimeCell:
    """ONNX Runtime on the CPU: the band-step cell for one band, the line-step cell for more."""

    def __init__(self, package: IntegerPackage, n_threads: int = 1, level: Any = OPTIMISATION.ORT_ENABLE_ALL) -> None:
        self.provider = onnxruntime_provider()
        self.sha256 = package.sha256.hex()
        cells = package.manifest["cells"]
        self.line_step = session(package, cells["line_step"], n_threads, level=level)
        self.band_step = session(package, cells["band_step"], n_threads, level=level)
        self.outputs = ["taps", *(state.name + NEXT for state in package.cell.shape.states())]

    def run(self, inputs: Arrays) -> Arrays:
        """As in `ArrayExecutor`."""
        chosen = self.band_step if len(inputs["line_features"]) == 1 else self.line_step
        try:
            return dict(zip(self.outputs, chosen.run(self.outputs, inputs), strict=True))
        except Exception as error:  # as in session
            raise Corrupt(f"{self.provider}: the step does not run: {error}") from error
