"""The line part as an accelerator runs it: dense INT8 sub-graphs on whatever runs them, integer glue on the host.

The sub-graphs are those of export/accelerator_graphs.py. They give the bits of the arithmetic for cells of which
`unmet_conditions` (runtime/cell/tie_free.py) has nothing to say; weights of 7 bits are enough, 6 bits for old x86.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.cell.flight_package import NEXT
from runtime.cell.integer_cell import LARGEST_ACTIVATION, CellShape, IntegerCell
from runtime.errors import BadArgument
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import onnxruntime_provider, session_options
from runtime.executors.cell_glue import fill_channels, fill_features, fill_memory, fill_repeated, fill_sum
from runtime.executors.provider import ON_CPU, provider_session

ZERO_POINTS = {"uint8": 128, "int8": 0}
Part = Callable[[Arrays], Arrays]
"""One sub-graph as a function: tensors (C, N, X) by name, in and out; the first one in has the size of the tile."""


def onnxruntime_parts(graphs: dict[str, bytes], n_threads: int = 1) -> dict[str, Part]:
    """Sub-graphs of open sizes on ONNX Runtime's CPU. Raises Corrupt where one does not load."""
    made = {name: provider_session(model, session_options(n_threads), ON_CPU) for name, model in graphs.items()}
    return {name: session_part(session) for name, session in made.items()}


def session_part(session: Any) -> Part:
    """A sub-graph that is a session of ONNX Runtime, whose tensors have a batch of one."""
    names = [output.name for output in session.get_outputs()]

    def run(feed: Arrays) -> Arrays:
        found = session.run(names, {key: values[None] for key, values in feed.items()})
        return {key: values[0] for key, values in zip(names, found, strict=True)}

    return run


def part_by_size(make: Callable[[int, int], Part]) -> Part:
    """A part that `make` makes for each size of tile (groups, columns) when it is first seen, where sizes are fixed."""
    made: dict[tuple[int, ...], Part] = {}

    def run(feed: Arrays) -> Arrays:
        size = next(iter(feed.values())).shape[1:]
        if size not in made:
            made[size] = make(*size)
        return made[size](feed)

    return run


class SubgraphCell(ArrayExecutor):
    """An `ArrayExecutor` of one cell by its sub-graphs; keeps nothing between calls."""

    def __init__(
        self, cell: IntegerCell, parts: dict[str, Part], activation: str = "uint8", sha256: str = "",
        provider: str | None = None,
    ) -> None:  # fmt: skip
        """activation: `uint8` or `int8`. sha256: of the package. Raises BadArgument where a sub-graph is missing."""
        missing = [name for name in subgraph_layers(cell.shape) if name not in parts]
        if missing:
            raise BadArgument(f"accelerator layout: sub-graph {missing[0]} is missing")
        self.provider = f"{provider or onnxruntime_provider()}, {activation} sub-graphs"
        self.sha256 = sha256
        self.cell = cell
        self.dtype = np.dtype(activation)
        self.zero_point = np.int64(ZERO_POINTS[activation])
        self.parts = parts

    @override
    def run(self, inputs: Arrays) -> Arrays:
        """Raises BadArgument where the inputs do not fit."""
        states = [state.name for state in self.cell.shape.states()]
        expected = {"line_features", "levels", *states}
        if set(inputs) != expected:
            raise BadArgument(f"inputs {sorted(inputs)}, the cell has {sorted(expected)}")
        memory = {name: inputs[name] for name in states}
        contexts, after = self.step(inputs["line_features"], inputs["levels"], memory)
        return {"contexts": contexts, **{name + NEXT: values for name, values in after.items()}}

    def channels(self, *tensors: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """M tensors (N, X, C), side by side as a sub-graph takes them, (M C, N, X)."""
        n_groups, n_columns, n = tensors[0].shape
        out = np.empty((len(tensors) * n, n_groups, n_columns), self.dtype)
        for i, values in enumerate(tensors):
            fill_channels(values, self.zero_point, out[i * n : (i + 1) * n])
        return out

    def features(self, channels: npt.NDArray[Any], low: int) -> npt.NDArray[np.int8]:
        """(C, N, X) from a sub-graph as the host keeps it, (N, X, C), brought up to `low`."""
        out = np.empty((*channels.shape[1:], channels.shape[0]), np.int8)
        fill_features(channels, self.zero_point, low, out)
        return out

    def inputs(self, line_features: npt.NDArray[np.int8], levels: npt.NDArray[np.int8]) -> npt.NDArray[Any]:
        """Line features (N, X, G LINE_FEATURES), and behind them the levels (N, 1, G LEVELS) in every column."""
        n_groups, n_columns, n = line_features.shape
        out = np.empty((n + levels.shape[2], n_groups, n_columns), self.dtype)
        fill_channels(line_features, self.zero_point, out[:n])
        fill_repeated(levels, self.zero_point, out[n:])
        return out

    def step(
        self, line_features: npt.NDArray[np.int8], levels: npt.NDArray[np.int8], state: Arrays
    ) -> tuple[npt.NDArray[np.int8], Arrays]:
        """Contexts (N, X, G S) of a tile of groups, and its states after it, as of the master cell."""
        after: Arrays = {}
        entered = self.parts["enter"]({"inputs": self.inputs(line_features, levels)})["spatial"]
        now = self.features(entered, -LARGEST_ACTIVATION)
        for i in range(self.cell.shape.line_blocks):
            now = self.block(i, now, state, after)
        contexts = self.parts["context"]({"spatial": self.channels(now)})["contexts"]
        return self.features(contexts, -LARGEST_ACTIVATION), after

    def block(self, i: int, now: npt.NDArray[np.int8], state: Arrays, after: Arrays) -> npt.NDArray[np.int8]:
        """Time mix, then channel mix; states of this line go to `after`."""
        memory = self.cell.memories[i]
        projected = self.parts[f"project_{i}"]({"both": self.channels(state[f"before_{i}"], now)})["projected"]
        numerator, denominator = np.empty(now.shape, np.int16), np.empty(now.shape, np.int16)
        gated = np.empty((now.shape[2], *now.shape[:2]), self.dtype)
        sums = state[f"numerator_{i}"], state[f"denominator_{i}"]
        rates = memory.mantissa, memory.exponent
        fill_memory(projected, rates, sums, self.zero_point, (numerator, denominator), gated)
        middle, end = np.empty_like(now), np.empty_like(now)
        fill_sum(now, self.parts[f"output_{i}"]({"gated": gated})["change"], self.zero_point, middle)
        both = self.channels(state[f"mix_before_{i}"], middle)
        fill_sum(middle, self.parts[f"mix_{i}"]({"both": both})["change"], self.zero_point, end)
        after[f"before_{i}"], after[f"mix_before_{i}"] = now, middle
        after[f"numerator_{i}"], after[f"denominator_{i}"] = numerator, denominator
        return end


def subgraph_layers(shape: CellShape) -> dict[str, list[str]]:
    """The sub-graphs of a cell in the order of their calls, and their layers; the host's glue is between them."""
    found = {"enter": [f"line_convolutions.{i}" for i in range(shape.line_convolutions)]}
    for i in range(shape.line_blocks):
        found[f"project_{i}"] = [f"blocks.{i}.{part}" for part in ("key", "value", "gate")]
        found[f"output_{i}"] = [f"blocks.{i}.output"]
        found[f"mix_{i}"] = [f"blocks.{i}.{part}" for part in ("mix", "mixed")]
    return found | {"context": ["context"]}
