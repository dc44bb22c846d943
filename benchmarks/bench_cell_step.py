"""How fast one step of the line part is in ONNX Runtime: tiles, shapes, graphs, and plain products beside it.

    python -m benchmarks.bench_cell_step

The 14 to 28 groups of a line of 224 bands and 1000 columns, in tiles, one thread, thread CPU time, the best of twelve
interleaved rounds. The yardstick, timed in the same rounds, is a float32 product with a 64 x 64 matrix of as many
multiply-accumulates. The spectral part is no part of it: benchmarks/bench_int8_line.py.
"""

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
import onnxruntime

from benchmarks.harness.record import save
from export.accelerator_graphs import accelerator_graphs
from export.graph_builder import GraphBuilder
from export.integer_graph import integer_graph
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.integer_cell import CellShape, IntegerCell
from runtime.executors.subgraph_cell import ZERO_POINTS, SubgraphCell, onnxruntime_parts
from tests.reference.random_cell import random_cell

N_BANDS, N_COLUMNS = 224, 1000
TILES = (1, 2, 7, 14)
"""Groups of a step."""
SHAPES = (CellShape(8, 32, 2, 1, 16, 1), CellShape(16, 48, 2, 1, 16, 1), CellShape(16, 64, 2, 1, 16, 1))
ROUNDS = 12


def session_of(model: onnx.ModelProto, profile: Path | None = None) -> Any:
    """One thread of ONNX Runtime on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def tile_inputs(cell: IntegerCell, n_groups: int) -> dict[str, Any]:
    """Random inputs and initial states of a tile."""
    generator = np.random.default_rng(0)
    shape = cell.shape
    sizes = {"line_features": (N_COLUMNS, LINE_FEATURES), "levels": (1, LEVELS)}
    feed = {
        name: generator.integers(-127, 128, (n_groups, n_places, shape.group * n)).astype(np.int8)
        for name, (n_places, n) in sizes.items()
    }
    size = n_groups, N_COLUMNS, shape.features
    return feed | {state.name: np.full(size, state.initial, state.dtype) for state in shape.states()}


def line_work(cell: IntegerCell, tile: int) -> Callable[[], None]:
    """Steps over the tiles of one line."""
    session, feed = session_of(integer_graph(cell)), tile_inputs(cell, tile)

    def work() -> None:
        for _ in range(cell.shape.groups(N_BANDS) // tile):
            session.run(None, feed)

    return work


def form_work(cell: IntegerCell, activation: str) -> Callable[[], None]:
    """Steps of the accelerator layout over the groups of one line."""
    graphs = accelerator_graphs(cell, n_groups=1, n_columns=N_COLUMNS, activation=activation)
    parts = onnxruntime_parts({name: model.SerializeToString() for name, model in graphs.items()})
    form, feed = SubgraphCell(cell, parts, activation), tile_inputs(cell, 1)
    form.run(feed)  # compiles

    def work() -> None:
        for _ in range(cell.shape.groups(N_BANDS)):
            form.run(feed)

    return work


def product_work(macs: float) -> Callable[[], None]:
    """A float32 product (rows, 64) @ (64, 64) in tiles of 4000 rows, `macs` for each sample of one line."""
    generator = np.random.default_rng(0)
    graph = GraphBuilder()
    graph.add_input("values", "float32", ["rows", 64])
    graph.add_output("products", "float32", ["rows", 64])
    graph.node("MatMul", "values", generator.standard_normal((64, 64)).astype(np.float32), name="products")
    session = session_of(graph.model("products"))
    values = generator.standard_normal((4000, 64)).astype(np.float32)
    n_calls = round(N_BANDS * N_COLUMNS * macs / (4000 * 64 * 64))

    def work() -> None:
        for _ in range(n_calls):
            session.run(None, {"values": values})

    return work


def best_of_rounds(works: list[Callable[[], None]]) -> list[float]:
    """The smallest thread CPU time of each work in s; rounds are interleaved so that all see the same machine."""
    best = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for i, work in enumerate(works):
            start = time.thread_time()
            work()
            best[i] = min(best[i], time.thread_time() - start)
    return best


def profile(cell: IntegerCell) -> dict[str, float]:
    """Wall time of each operator in ns per sample in steps of one group, by ONNX Runtime's own profile; medians."""
    with tempfile.TemporaryDirectory() as folder:
        session, feed = session_of(integer_graph(cell), Path(folder) / "profile"), tile_inputs(cell, 1)
        for _ in range(40):
            session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text())
    times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"], event["name"]].append(event["dur"])
    totals: defaultdict[str, float] = defaultdict(float)
    for (operator, _), durations in times.items():
        totals[operator] += median(durations) * 1000 / (cell.shape.group * N_COLUMNS)
    return {operator: round(totals[operator], 1) for operator in sorted(totals, key=totals.__getitem__, reverse=True)}


def main() -> None:
    """Time all tiles of the shapes, and profile steps of one group."""
    rows = []
    facts = {}
    for shape in SHAPES:
        cell = random_cell(shape, 1, 31)
        macs = sum(spec.n_in * spec.n_out for spec in shape.line_layers()) / shape.group
        works = {("master", tile): line_work(cell, tile) for tile in TILES}
        works |= {(f"sub-graphs, {kind}", 1): form_work(cell, kind) for kind in ZERO_POINTS}
        *seconds, yardstick = best_of_rounds([*works.values(), product_work(macs)])
        for (form, tile), value in zip(works, seconds, strict=True):
            rows.append(
                {
                    "group": shape.group,
                    "features": shape.features,
                    "MAC/sample": round(macs),
                    "form": form,
                    "groups of a tile": tile,
                    "us/sample": value * 1e6 / (N_BANDS * N_COLUMNS),
                    "Msamples/s": N_BANDS * N_COLUMNS / value / 1e6,
                    "time by that of the product": value / yardstick,
                }
            )
        facts[f"profile of groups of {shape.group}, {shape.features} features, ns/sample"] = profile(cell)
    save("cell_step", "python -m benchmarks.bench_cell_step", rows, **facts)


if __name__ == "__main__":
    main()
