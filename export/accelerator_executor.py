"""The accelerator form of a package as executors by name, `qdq-uint8` and `qdq-int8`; the self-test decides of them."""

from pathlib import Path

from export.accelerator_graphs import accelerator_graphs
from runtime.accelerator_form import AcceleratorForm
from runtime.errors import BadArgument
from runtime.flight_package import IntegerPackage, open_package


def accelerator_executor(source: Path, activation: str) -> AcceleratorForm:
    """The sub-graphs of an int8 package on ONNX Runtime, for tiles of any size. Raises LineRwkvError."""
    package = open_package(source)
    if not isinstance(package, IntegerPackage):
        raise BadArgument(f"package {source} is of arithmetic {package.arithmetic}: sub-graphs need int8-v1")
    graphs = accelerator_graphs(package.cell, n_bands=None, n_columns=None, activation=activation)
    named = {name: model.SerializeToString() for name, model in graphs.items()}
    return AcceleratorForm(package.cell, named, activation, sha256=package.sha256.hex())


def load_uint8(source: Path) -> AcceleratorForm:
    """With uint8 activations."""
    return accelerator_executor(source, "uint8")


def load_int8(source: Path) -> AcceleratorForm:
    """With int8 activations."""
    return accelerator_executor(source, "int8")
