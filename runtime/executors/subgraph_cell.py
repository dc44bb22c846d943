"""The cell as an accelerator runs it: dense INT8 sub-graphs on whatever runs them, integer glue on the host.

The sub-graphs are those of export/accelerator_graphs.py. They give the bits of the arithmetic for cells of which
`unmet_conditions` (runtime/cell/tie_free.py) has nothing to say; weights of 7 bits are enough, 6 bits for old x86.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.cell.flight_inputs import TAPS
from runtime.cell.flight_package import NEXT
from runtime.cell.integer_cell import LARGEST_ACTIVATION, IntegerCell
from runtime.errors import BadArgument
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import onnxruntime_provider, session_options
from runtime.executors.cell_glue import fill_channels, fill_features, fill_memory, fill_sum, fill_taps
from runtime.executors.provider import ON_CPU, provider_session

ZERO_POINTS = {"uint8": 128, "int8": 0}
Part = Callable[[Arrays], Arrays]
"""One sub-graph as a function: tensors (C, B, X) by name, in and out; the first one in has the size of the tile."""


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
    """A part that `make` makes for each size of tile (bands, columns) when it is first seen, where sizes are fixed."""
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
        missing = [name for name in subgraph_names(cell) if name not in parts]
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
        expected = {"line_features", "band_features", *(state.name for state in self.cell.shape.states())}
        if set(inputs) != expected:
            raise BadArgument(f"inputs {sorted(inputs)}, the cell has {sorted(expected)}")
        states = {name: inputs[name] for name in expected if not name.endswith("_features")}
        taps, after = self.step(inputs["line_features"], inputs["band_features"], states)
        return {"taps": taps, **{name + NEXT: values for name, values in after.items()}}

    def channels(self, *tensors: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """N tensors (B, X, C), side by side as a sub-graph takes them, (N C, B, X)."""
        n_bands, n_columns, n = tensors[0].shape
        out = np.empty((len(tensors) * n, n_bands, n_columns), self.dtype)
        for i, values in enumerate(tensors):
            fill_channels(values, self.zero_point, out[i * n : (i + 1) * n])
        return out

    def features(self, channels: npt.NDArray[Any], low: int) -> npt.NDArray[np.int8]:
        """(C, B, X) from a sub-graph as the host keeps it, (B, X, C), brought up to `low`."""
        out = np.empty((*channels.shape[1:], channels.shape[0]), np.int8)
        fill_features(channels, self.zero_point, low, out)
        return out

    def step(
        self, line_features: npt.NDArray[np.int8], band_features: npt.NDArray[np.int8], state: Arrays
    ) -> tuple[npt.NDArray[np.int16], Arrays]:
        """Taps (B, X, TAPS) of a tile of bands, and its states after it, as of the master cell."""
        shape = self.cell.shape
        bands = [f"bands_{i}" for i in range(shape.band_convolutions)]
        feed = {"line_features": self.channels(line_features), "band_features": self.channels(band_features)}
        entered = self.parts["enter"](feed | {name: self.channels(state[name]) for name in bands})
        after: Arrays = {name: self.features(entered[f"{name}_next"], 0) for name in bands}
        now = self.features(entered["spatial"], -LARGEST_ACTIVATION)
        for i in range(shape.line_blocks):
            now = self.block(i, now, state, after)
        spectral = self.features(entered["spectral"], 0)
        decoded = self.parts["decode"]({"both": self.channels(now, spectral)})["decoded"]
        layer = self.cell.layers["taps"]
        taps = np.empty((*now.shape[:2], TAPS), np.int16)
        bounds = (layer.spec.low, layer.spec.high)
        fill_taps(decoded, layer.weight, layer.bias, layer.shift, *bounds, self.zero_point, taps)
        return taps, after

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


def subgraph_names(cell: IntegerCell) -> list[str]:
    """The sub-graphs of a cell in the order of their calls; the host's glue is between them."""
    blocks = [f"{part}_{i}" for i in range(cell.shape.line_blocks) for part in ("project", "output", "mix")]
    return ["enter", *blocks, "decode"]
