"""The accelerator form of a package as executors by name, `qdq-uint8` and `qdq-int8`.

A package whose weights cannot serve this form is refused with the reason before it runs; then the self-test decides.
"""

from pathlib import Path

from export.accelerator_graphs import accelerator_graphs
from runtime.accelerator_form import AcceleratorForm
from runtime.errors import BadArgument
from runtime.flight_package import open_integer_package
from runtime.tie_free import unmet_conditions


def accelerator_executor(source: Path, activation: str) -> AcceleratorForm:
    """The sub-graphs of an int8 package on ONNX Runtime, for tiles of any size. Raises LineRwkvError."""
    package = open_integer_package(source)
    graphs = accelerator_graphs(package.cell, n_bands=None, n_columns=None, activation=activation)
    named = {name: model.SerializeToString() for name, model in graphs.items()}
    return AcceleratorForm(package.cell, named, activation, sha256=package.sha256.hex())


def checked_executor(source: Path, activation: str) -> AcceleratorForm:
    """The same, with weights that serve the form on every processor. Raises BadArgument where they do not."""
    executor = accelerator_executor(source, activation)
    found = unmet_conditions(executor.cell, pairs_saturate=activation == "uint8")
    if found:
        raise BadArgument(f"package {source} cannot take the form of sub-graphs with {activation}: {found[0]}")
    return executor


def load_uint8(source: Path) -> AcceleratorForm:
    """With uint8 activations."""
    return checked_executor(source, "uint8")


def load_int8(source: Path) -> AcceleratorForm:
    """With int8 activations."""
    return checked_executor(source, "int8")
