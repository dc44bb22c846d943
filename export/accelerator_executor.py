"""The accelerator layout of a package as executors by name, `qdq-uint8` and `qdq-int8`.

A package whose weights cannot serve this form is refused with the reason before it runs; then the self-test decides.
"""

from functools import partial
from pathlib import Path

from export.accelerator_graphs import SubGraph, accelerator_graphs
from runtime.cell.flight_package import open_integer_package
from runtime.cell.integer_cell import IntegerCell
from runtime.cell.tie_free import unmet_conditions
from runtime.errors import BadArgument
from runtime.executors.cell_executor import onnxruntime_provider, session_options
from runtime.executors.provider import ON_CPU, Provider, provider_session
from runtime.executors.subgraph_cell import (
    Part,
    SubgraphCell,
    onnxruntime_parts,
    part_by_size,
    session_part,
    subgraph_layers,
)


def parts_on_provider(cell: IntegerCell, activation: str, provider: Provider) -> dict[str, Part]:
    """Sub-graphs in fixed sizes; a part raises BadArgument where the provider leaves operators to the CPU."""

    def made(name: str, n_groups: int, n_columns: int) -> Part:
        model = SubGraph(cell, activation, n_groups, n_columns).built(name)
        return session_part(provider_session(model.SerializeToString(), session_options(), provider))

    return {name: part_by_size(partial(made, name)) for name in subgraph_layers(cell.shape)}


def accelerator_executor(source: Path, activation: str, provider: Provider = ON_CPU) -> SubgraphCell:
    """The sub-graphs of an int8 package on ONNX Runtime, for tiles of any size. Raises LineRwkvError."""
    package = open_integer_package(source)
    if provider == ON_CPU:
        graphs = accelerator_graphs(package.cell, n_groups=None, n_columns=None, activation=activation)
        parts = onnxruntime_parts({name: model.SerializeToString() for name, model in graphs.items()})
    else:
        parts = parts_on_provider(package.cell, activation, provider)
    label = onnxruntime_provider(provider)
    return SubgraphCell(package.cell, parts, activation, sha256=package.sha256.hex(), provider=label)


def checked_executor(source: Path, activation: str, provider: str) -> SubgraphCell:
    """The same, with weights that serve the form on every processor. Raises BadArgument where they do not."""
    chosen = Provider.parse(provider)
    executor = accelerator_executor(source, activation, chosen)
    found = unmet_conditions(executor.cell, pairs_saturate=activation == "uint8" and chosen == ON_CPU)
    if found:
        raise BadArgument(f"package {source} cannot take the form of sub-graphs with {activation}: {found[0]}")
    return executor


def load_uint8(source: Path, provider: str = "CPU") -> SubgraphCell:
    """With uint8 activations."""
    return checked_executor(source, "uint8", provider)


def load_int8(source: Path, provider: str = "CPU") -> SubgraphCell:
    """With int8 activations."""
    return checked_executor(source, "int8", provider)
