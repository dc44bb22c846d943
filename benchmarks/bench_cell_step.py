"""How fast one step of the integer cell is in ONNX Runtime: tiles, widths, graphs, and plain products beside it.

    python -m benchmarks.bench_cell_step

A line of 224 bands and 1000 columns, in tiles, one thread, thread CPU time, the best of five interleaved rounds. The
yardstick, timed in the same rounds, is a float32 product with a 64 x 64 matrix of as many multiply-accumulates.
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
from export.integer_graph import TILE_BANDS, integer_graph
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES
from runtime.cell.integer_cell import CellShape, IntegerCell
from runtime.executors.subgraph_cell import ZERO_POINTS, SubgraphCell, onnxruntime_parts
from tests.reference.random_cell import random_cell

N_BANDS, N_COLUMNS = 224, 1000
TILES = (1, 2, 4, 8, 16, 224)
WIDTHS = (24, 32)
ROUNDS = 5


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


def tile_inputs(cell: IntegerCell, n_bands: int) -> dict[str, Any]:
    """Random features and initial states of a tile."""
    generator = np.random.default_rng(0)
    feed = {
        name: generator.integers(-127, 128, (n_bands, N_COLUMNS, n)).astype(np.int8)
        for name, n in (("line_features", LINE_FEATURES), ("band_features", BAND_FEATURES))
    }
    for state in cell.shape.states():
        size = (n_bands if state.is_per_band else 2, N_COLUMNS, cell.shape.features)
        feed[state.name] = np.full(size, state.initial, state.dtype)
    return feed


def line_work(cell: IntegerCell, tile: int) -> Callable[[], None]:
    """Steps over the tiles of one line."""
    session, feed = session_of(integer_graph(cell)), tile_inputs(cell, tile)

    def work() -> None:
        for _ in range(N_BANDS // tile):
            session.run(None, feed)

    return work


def form_work(cell: IntegerCell, activation: str) -> Callable[[], None]:
    """Steps of the accelerator layout over the tiles of one line."""
    graphs = accelerator_graphs(cell, n_bands=TILE_BANDS, n_columns=N_COLUMNS, activation=activation)
    parts = onnxruntime_parts({name: model.SerializeToString() for name, model in graphs.items()})
    form = SubgraphCell(cell, parts, activation)
    feed = tile_inputs(cell, TILE_BANDS)
    features = feed.pop("line_features"), feed.pop("band_features")
    form.step(*features, feed)  # compiles

    def work() -> None:
        for _ in range(N_BANDS // TILE_BANDS):
            form.step(*features, feed)

    return work


def product_work(macs: int) -> Callable[[], None]:
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


def profile(cell: IntegerCell, tile: int) -> dict[str, float]:
    """Wall time of each operator in ns per sample, by ONNX Runtime's own profile; medians of 40 steps."""
    with tempfile.TemporaryDirectory() as folder:
        session, feed = session_of(integer_graph(cell), Path(folder) / "profile"), tile_inputs(cell, tile)
        for _ in range(40):
            session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text())
    times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"], event["name"]].append(event["dur"])
    totals: defaultdict[str, float] = defaultdict(float)
    for (operator, _), durations in times.items():
        totals[operator] += median(durations) * 1000 / (tile * N_COLUMNS)
    return {operator: round(totals[operator], 1) for operator in sorted(totals, key=totals.__getitem__, reverse=True)}


def main() -> None:
    """Time all tiles of both widths, and profile the default tile."""
    rows = []
    facts = {}
    for width in WIDTHS:
        cell = random_cell(CellShape(width, 2, 1, 2), 1, 31)
        works = {("master", tile): line_work(cell, tile) for tile in TILES}
        works |= {(f"sub-graphs, {kind}", TILE_BANDS): form_work(cell, kind) for kind in ZERO_POINTS}
        *seconds, yardstick = best_of_rounds([*works.values(), product_work(cell.shape.macs)])
        for (form, tile), value in zip(works, seconds, strict=True):
            rows.append(
                {
                    "features": width,
                    "MAC/sample": cell.shape.macs,
                    "form": form,
                    "bands of a tile": tile,
                    "Msamples/s": N_BANDS * N_COLUMNS / value / 1e6,
                    "time by that of the product": value / yardstick,
                }
            )
        facts[f"profile of {width} features, ns/sample"] = profile(cell, TILE_BANDS)
    save("cell_step", "python -m benchmarks.bench_cell_step", rows, **facts)


if __name__ == "__main__":
    main()
