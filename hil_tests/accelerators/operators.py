"""Operator by operator, how a provider's outputs of the uint8 sub-graphs differ from those of ONNX Runtime's CPU.

Run as `python -m hil_tests.accelerators.operators` in the provider's environment; what it found is written as JSON. The
outputs of all quantisers inside a sub-graph are opened, so that each operator is seen, in its place and on the values
that it meets there.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import onnx

from export.accelerator_executor import accelerator_executor
from export.accelerator_graphs import SubGraph
from runtime.cell.flight_package import IntegerPackage, open_integer_package
from runtime.cell.integer_cell import IntegerCell
from runtime.errors import Corrupt
from runtime.executors.array_executor import Arrays
from runtime.executors.cell_executor import session_options
from runtime.executors.provider import ON_CPU, Provider, provider_session
from runtime.executors.self_test import first_difference
from runtime.executors.subgraph_cell import Part, SubgraphCell, session_part, subgraph_layers

ACTIVATION = "uint8"
RANDOM_GROUPS, RANDOM_COLUMNS = 8, 1000
Array = npt.NDArray[np.int64]
Feeds = dict[str, list[Arrays]]
"""Inputs of each sub-graph, one after the other."""


def recorded_feeds(package: IntegerPackage) -> Feeds:
    """What each sub-graph is given on the recorded lines, all groups a step, with the CPU's right answers."""
    form = accelerator_executor(package.source, ACTIVATION)
    feeds: Feeds = {name: [] for name in form.parts}

    def recorded(name: str, part: Part) -> Part:
        def run(feed: Arrays) -> Arrays:
            feeds[name].append({key: values.copy() for key, values in feed.items()})
            return part(feed)

        return run

    parts = {name: recorded(name, part) for name, part in form.parts.items()}
    recording = SubgraphCell(package.cell, parts, ACTIVATION, form.sha256)
    difference = first_difference(package, recording, package.conformance.contexts.shape[1])
    if difference:
        raise Corrupt(f"the sub-graphs on the CPU are not the package's: {difference}")
    return feeds


def random_feeds(package: IntegerPackage) -> Feeds:
    """One tile of random numbers of the whole range for each sub-graph: rarer sums than a scene's."""
    generator = np.random.default_rng(0)
    feeds: Feeds = {}
    for name in subgraph_layers(package.cell.shape):
        model = SubGraph(package.cell, ACTIVATION, RANDOM_GROUPS, RANDOM_COLUMNS).built(name)
        shapes = {
            value.name: [size.dim_value for size in value.type.tensor_type.shape.dim][1:] for value in model.graph.input
        }
        feeds[name] = [{key: generator.integers(1, 256, shape).astype(ACTIVATION) for key, shape in shapes.items()}]
    return feeds


def opened_model(cell: IntegerCell, name: str, n_groups: int, n_columns: int) -> tuple[onnx.ModelProto, dict[str, str]]:
    """A sub-graph whose quantisers are all outputs, and what operator is behind each, by the output's name."""
    model = SubGraph(cell, ACTIVATION, n_groups, n_columns).built(name)
    nodes = {node.output[0]: node for node in model.graph.node}
    outputs = {output.name for output in model.graph.output}
    behind = {}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear":
            source = nodes[node.input[0]]
            kernel = next((list(item.ints) for item in source.attribute if item.name == "kernel_shape"), None)
            kind = "output" if source.op_type == "DequantizeLinear" else source.op_type
            behind[node.output[0]] = f"{kind} {kernel[0]} x {kernel[1]}" if kernel else kind
            if node.output[0] not in outputs:
                output = onnx.helper.make_tensor_value_info(node.output[0], onnx.TensorProto.UINT8, None)
                model.graph.output.append(output)
    return model, behind


def away_by_operator(behind: dict[str, str], fed: list[Arrays], theirs: Part, ours: Part) -> dict[str, Array]:
    """How far each output of two parts is apart, by the operator behind it; `behind`: as of `opened_model`."""
    found: defaultdict[str, list[Array]] = defaultdict(list)
    for feed in fed:
        expected = ours(feed)
        for key, values in theirs(feed).items():
            away = np.abs(values.astype(np.int64) - expected[key].astype(np.int64))
            found[behind[key]].append(away.reshape(-1))
    return {operator: np.concatenate(parts) for operator, parts in found.items()}


def difference_rows(cell: IntegerCell, feeds: Feeds, inputs: str, provider: Provider) -> list[dict[str, Any]]:
    """For each sub-graph and operator, how many outputs there are, how many differ, and by how much at most."""
    rows = []
    for name, fed in feeds.items():
        model, behind = opened_model(cell, name, *next(iter(fed[0].values())).shape[1:])
        data = model.SerializeToString()
        places = (provider, ON_CPU)
        theirs, ours = (session_part(provider_session(data, session_options(), place)) for place in places)
        for operator, away in away_by_operator(behind, fed, theirs, ours).items():
            rows.append(
                {
                    "inputs": inputs,
                    "sub-graph": name,
                    "operator": operator,
                    "outputs": away.size,
                    "that differ": int((away > 0).sum()),
                    "by at most": int(away.max()),
                }
            )
    return rows


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--provider", "wanted", required=True)
@click.option("--output", required=True, type=click.Path(path_type=Path))
def main(source: Path, wanted: str, output: Path) -> None:
    """Compare a provider with the CPU on the package SOURCE."""
    package, provider = open_integer_package(source), Provider.parse(wanted)
    rows = difference_rows(package.cell, recorded_feeds(package), "recorded lines", provider)
    rows += difference_rows(package.cell, random_feeds(package), "random", provider)
    output.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
