"""ONNX Runtime on the graphs of a package: what runs the line part where nothing else is asked for."""

from typing import Any

import onnxruntime
from typing_extensions import override

from runtime.cell.flight_package import FlightPackage
from runtime.errors import BadArgument, Corrupt, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.provider import ON_CPU, Provider, provider_session

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
    """ONNX Runtime on a package's graphs; a float package has one for a single band."""

    def __init__(
        self, package: FlightPackage, n_threads: int = 1, level: Any = OPTIMISATION.ORT_ENABLE_ALL,
        provider: Provider = ON_CPU,
    ) -> None:  # fmt: skip
        self.provider = onnxruntime_provider(provider)
        self.sha256 = package.sha256.hex()
        steps = {name: session(package, part, n_threads, provider, level) for name, part in package.graphs.items()}
        self.line_step = steps["line_step"]
        self.band_step = steps.get("band_step", self.line_step)
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
