"""ONNX Runtime behind named arrays: the cells of a package, or any ONNX file."""

import hashlib
from pathlib import Path
from typing import Any

from typing_extensions import override

from runtime.cell.flight_package import FloatPackage, open_package
from runtime.checked_table import read_file
from runtime.errors import BadArgument, LineRwkvError
from runtime.executors.array_executor import AnyArray, ArrayExecutor
from runtime.executors.cell_executor import OnnxRuntimeCell, onnxruntime_provider, session_options
from runtime.executors.provider import ON_CPU, Provider, provider_session


class OnnxFile(ArrayExecutor):
    """Any ONNX file, its weights beside it, in ONNX Runtime, one thread."""

    def __init__(self, path: Path, provider: Provider = ON_CPU) -> None:
        model = read_file(path, str(path))
        options = session_options()
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
        try:
            self.session: Any = provider_session(model, options, provider)
        except LineRwkvError as error:
            raise type(error)(f"{path} {error}") from error
        self.sha256 = hashlib.sha256(model).hexdigest()
        self.provider = onnxruntime_provider(provider)
        self.outputs = [output.name for output in self.session.get_outputs()]

    @override
    def run(self, inputs: dict[str, AnyArray]) -> dict[str, AnyArray]:
        try:
            return dict(zip(self.outputs, self.session.run(self.outputs, inputs), strict=True))
        except Exception as error:  # ONNX Runtime raises its own types, straight from Exception
            raise BadArgument(f"ONNX Runtime refuses the step: {error}") from error


def onnxruntime_arrays(source: Path, provider: str = "CPU") -> ArrayExecutor:
    """ONNX Runtime on a flight package, or on one ONNX file, on a provider (`Provider.parse`). Raises LineRwkvError."""
    chosen = Provider.parse(provider)
    if source.suffix == ".onnx":
        return OnnxFile(source, chosen)
    package = open_package(source)
    if isinstance(package, FloatPackage) and chosen != ON_CPU:
        raise BadArgument(f"provider {chosen} of a float32 package, allowed {ON_CPU}")
    return OnnxRuntimeCell(package, provider=chosen)
