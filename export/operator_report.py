"""Which operators of a package run where: the master cell, and the dense sub-graphs of its accelerator layout."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import onnx

from export.accelerator_graphs import DEFAULT_TILE, accelerator_graphs
from export.accelerator_target import Target, read_targets
from runtime.cell.flight_package import IntegerPackage, open_package
from runtime.cell.integer_cell import IntegerCell
from runtime.cell.tie_free import unmet_conditions
from runtime.executors.subgraph_cell import subgraph_layers

QUANTISERS = {"QuantizeLinear", "DequantizeLinear"}


def operator_counts(model: onnx.ModelProto) -> dict[str, int]:
    """How often a graph has each operator, quantisers aside."""
    counts = Counter(node.op_type for node in model.graph.node if node.op_type not in QUANTISERS)
    return dict(sorted(counts.items()))


def border_bytes(model: onnx.ModelProto) -> int:
    """Bytes of all inputs and outputs of a graph with fixed shapes and one byte for each number."""
    values = [*model.graph.input, *model.graph.output]
    return sum(math.prod(size.dim_value for size in value.type.tensor_type.shape.dim) for value in values)


def subgraph_rows(cell: IntegerCell, n_groups: int, n_columns: int) -> dict[str, dict[str, Any]]:
    """For each sub-graph its operators, and for one sample of a tile its MAC and the bytes across its border.

    A group's are divided by its bands. Neighbours of no weight, which levels have there, count as none.
    """
    shape, rows = cell.shape, {}
    sizes = {spec.name: spec.n_in * spec.n_out for spec in shape.line_layers()}
    layers = subgraph_layers(shape)
    for name, model in accelerator_graphs(cell, n_groups=n_groups, n_columns=n_columns).items():
        rows[name] = {
            "operators": operator_counts(model),
            "macs_per_sample": sum(sizes[layer] for layer in layers[name]) / shape.group,
            "border_bytes_per_sample": border_bytes(model) / (n_groups * shape.group * n_columns),
        }
    return rows


def needs_channels(cell: IntegerCell) -> bool:
    """Whether a layer on the accelerator has more than one shift."""
    return any(len(set(cell.layers[spec.name].shift.tolist())) > 1 for spec in cell.shape.line_layers())


def target_row(
    target: Target, master: dict[str, int], subgraphs: dict[str, dict[str, Any]], cell: IntegerCell | None
) -> dict[str, Any]:
    """What of the package this target runs, and why not the rest."""
    missing = sorted(set(master) - set(target.float_operators))
    row: dict[str, Any] = {
        "target": target.name,
        "master_cell": not missing and target.is_float_exact,
        "missing_float_operators": missing,
        "is_float_exact": target.is_float_exact,
    }
    if cell is not None:
        refused = {
            name: sorted(set(found["operators"]) - set(target.quantised_operators)) for name, found in subgraphs.items()
        }
        runs = [name for name, operators in refused.items() if not operators]
        row |= {
            "subgraphs": runs,
            "refused_subgraphs": {name: operators for name, operators in refused.items() if operators},
            "mac_share": sum(subgraphs[name]["macs_per_sample"] for name in runs) / cell.shape.macs,
            "border_bytes_per_sample": sum(subgraphs[name]["border_bytes_per_sample"] for name in runs),
            "activations": list(target.activations),
            "needs_one_shift_for_each_layer": not target.has_per_channel_weights and needs_channels(cell),
        }
    return row | {"notes": list(target.notes), "source": target.source, "url": target.url, "checked": target.checked}


def operator_report(path: Path) -> dict[str, Any]:
    """Everything that `linerwkv operators` prints of a package. Raises BadArgument, Corrupt or TooNew."""
    package = open_package(path)
    manifest = package.manifest
    master = operator_counts(onnx.load_from_string(package.parts[package.graphs["line_step"]]))
    cell = package.cell if isinstance(package, IntegerPackage) else None
    report: dict[str, Any] = {
        "package": manifest["name"],
        "arithmetic": manifest["arithmetic"],
        "master_operators": master,
    }
    subgraphs: dict[str, dict[str, Any]] = {}
    if cell is not None:
        n_bands, n_columns = manifest["n_bands"], manifest["n_columns"] or DEFAULT_TILE[1]
        tile = cell.shape.groups(n_bands) if n_bands else DEFAULT_TILE[0], n_columns
        subgraphs = subgraph_rows(cell, *tile)
        report |= {
            "macs_per_sample": cell.shape.macs,
            "tile": {"n_groups": tile[0], "n_columns": tile[1]},
            "subgraphs": subgraphs,
            "weights": "per channel" if needs_channels(cell) else "per tensor",
            "unmet_conditions": unmet_conditions(cell),
        }
    return report | {"targets": [target_row(target, master, subgraphs, cell) for target in read_targets()]}


def report_text(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [f"{report['package']}, {report['arithmetic']}"]
    lines.append("master cell: " + ", ".join(f"{n} {name}" for name, n in report["master_operators"].items()))
    for name, row in report.get("subgraphs", {}).items():
        operators = ", ".join(f"{n} {operator}" for operator, n in row["operators"].items())
        lines.append(
            f"sub-graph {name}: {operators}; {row['macs_per_sample']:,.0f} MAC and "
            f"{row['border_bytes_per_sample']:.0f} bytes across its border for each sample"
        )
    for condition in report.get("unmet_conditions", []):
        lines.append(f"sub-graphs not exact: {condition}")
    for row in report["targets"]:
        text = "master cell" if row["master_cell"] else "not the master cell"
        if "mac_share" in row:
            n_runs, n_all = len(row["subgraphs"]), len(report["subgraphs"])
            text += (
                f"; {n_runs} of {n_all} sub-graphs with {row['mac_share']:.0%} of the MAC "
                f"({'/'.join(row['activations'])}), {row['border_bytes_per_sample']:.0f} bytes for each sample"
            )
            if row["needs_one_shift_for_each_layer"]:
                text += "; wants one shift for each layer, this cell has more"
        lines.append(f"{row['target']}: {text}")
        lines += [f"  {note}" for note in row["notes"]]
        lines.append(f"  source: {row['source']}, {row['url']} ({row['checked']})")
    return "\n".join(lines)
