"""The sub-graphs of a package on an array in Verilog (dense_array.v), simulated cycle by cycle by Verilator.

Verilator is that of the environment `rtl`; the simulation is compiled when the executor is made, and needs make and a
C++ compiler. All dense layers of the line part run one after another on one array that holds all their weights.
"""

import contextlib
import subprocess
import tempfile
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hil_tests.places.own_environment import OwnEnvironment
from hil_tests.places.tool import SetupFailed, run_tool
from runtime.cell.flight_inputs import LINE_FEATURES
from runtime.cell.flight_package import open_integer_package
from runtime.cell.integer_cell import IntegerCell, IntegerLayer
from runtime.errors import BadArgument, Corrupt
from runtime.executors.array_executor import Arrays
from runtime.executors.subgraph_cell import Part, SubgraphCell, subgraph_layers

ENVIRONMENT = "rtl"
VERILOG = Path(__file__).with_name("dense_array.v")
LANES, WORD_BITS, VALUE_BITS, OUTPUT_BITS = 64, 11, 9, 10
"""The parameters of the array."""
SECONDS_TO_END = 10.0
LOAD, RUN = 0, 1
Values = npt.NDArray[np.int8]


def simulation(place: OwnEnvironment, folder: Path) -> Path:
    """The compiled simulation in a folder. Raises SetupFailed."""
    words = ("--cc", "--exe", "--build", "-O3", "-CFLAGS", "-O2", "--Mdir", folder, "--top-module", VERILOG.stem)
    quiet = ("-Wno-WIDTH",)
    run_tool(place.command("verilator", *words, *quiet, VERILOG, VERILOG.with_suffix(".cpp")), env=place.environment())
    return folder / f"V{VERILOG.stem}"


class ArraySimulation:
    """One array with the weights of a cell's line part, in a process of its own that ends with it."""

    def __init__(self, program: Path, cell: IntegerCell) -> None:
        """Raises BadArgument where the cell does not fit into the array."""
        self.cycles = 0
        """Of all runs; activations are written one a cycle, weights were there before."""
        self.places: dict[str, tuple[int, int]] = {}
        """The first word and first output of each layer."""
        words, outputs = self.memories(cell)
        if len(words) > 1 << WORD_BITS or len(outputs) > 1 << OUTPUT_BITS:
            held = f"the array holds {1 << WORD_BITS} and {1 << OUTPUT_BITS}"
            raise BadArgument(f"{len(words)} words and {len(outputs)} outputs, {held}")
        self.child = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        weakref.finalize(self, end, self.child)
        self.ask(LOAD, len(words), len(outputs), data=words.tobytes() + outputs.tobytes())

    def memories(self, cell: IntegerCell) -> tuple[Values, npt.NDArray[np.int32]]:
        """Words (n, LANES) of weights; bias and shift (n, 2) of the outputs; layers one behind the other."""
        words, outputs = [], []
        n_words = n_outputs = 0
        for spec in cell.shape.line_layers():
            layer = cell.layers[spec.name]
            more = -spec.n_out % LANES
            weight = np.pad(layer.weight, ((0, more), (0, 0))).reshape(-1, LANES, spec.n_in)
            words.append(weight.transpose(0, 2, 1).reshape(-1, LANES))
            pairs = np.stack([layer.bias, layer.shift.astype(np.int32)], 1)
            outputs.append(np.pad(pairs, ((0, more), (0, 0)), constant_values=1))
            self.places[spec.name] = n_words, n_outputs
            n_words, n_outputs = n_words + len(words[-1]), n_outputs + len(outputs[-1])
        return np.concatenate(words), np.concatenate(outputs).astype("<i4")

    def ask(self, *numbers: int, data: bytes) -> None:
        """Send one command. Raises Corrupt where the simulation has ended."""
        assert self.child.stdin is not None
        try:
            self.child.stdin.write(np.array(numbers, "<i4").tobytes() + data)
            self.child.stdin.flush()
        except OSError:
            raise Corrupt("the simulation of the array has ended") from None

    def layer(self, layer: IntegerLayer, values: Values) -> Values:
        """Outputs (V, n_out) of one layer for vectors (V, n_in)."""
        assert self.child.stdout is not None
        spec, n_vectors = layer.spec, len(values)
        n_blocks = -(-spec.n_out // LANES)
        numbers = (*self.places[spec.name], spec.n_in, n_blocks, int(spec.low == 0), n_vectors)
        self.ask(RUN, *numbers, data=np.ascontiguousarray(values).tobytes())
        size = n_vectors * n_blocks * LANES
        answer = self.child.stdout.read(8 + size)
        if len(answer) != 8 + size:
            raise Corrupt("the simulation of the array has ended")
        self.cycles += int.from_bytes(answer[:8], "little")
        return np.frombuffer(answer[8:], np.int8).reshape(n_vectors, -1)[:, : spec.n_out]


def end(child: subprocess.Popen[bytes]) -> None:
    """Close the simulation's input, on which it ends."""
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):  # it is gone, and with it what was to be flushed
                stream.close()
    child.wait(SECONDS_TO_END)


def beside(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """West, here and east (3 C, N, X) of channels (C, N, X), zeros beyond the ends of the line."""
    padded, n_columns = np.pad(values, ((0, 0), (0, 0), (1, 1))), values.shape[2]
    return np.concatenate([padded[:, :, i : i + n_columns] for i in range(3)])


def array_part(cell: IntegerCell, array: ArraySimulation, name: str) -> Part:
    """One sub-graph on the array; between the layers of one the host hands on what came out."""
    layers = [cell.layers[layer] for layer in subgraph_layers(cell.shape)[name]]
    n_features = cell.shape.group * LINE_FEATURES
    kind = name.partition("_")[0]

    def dense(layer: IntegerLayer, channels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        n, *size = channels.shape
        return array.layer(layer, channels.reshape(n, -1).T).T.reshape(-1, *size)

    def enter(feed: Arrays) -> Arrays:
        features, levels = np.split(feed["inputs"], [n_features])
        values = dense(layers[0], np.concatenate([beside(features), levels]))
        for layer in layers[1:]:
            values = dense(layer, beside(values))
        return {"spatial": values}

    def project(feed: Arrays) -> Arrays:
        return {"projected": np.concatenate([dense(layer, feed["both"]) for layer in layers])}

    def chain(source: str, result: str, feed: Arrays) -> Arrays:
        values = feed[source]
        for layer in layers:
            values = dense(layer, values)
        return {result: values}

    parts: dict[str, Callable[[Arrays], Arrays]] = {
        "enter": enter,
        "project": project,
        "output": partial(chain, "gated", "change"),
        "mix": partial(chain, "both", "change"),
        "context": partial(chain, "spatial", "contexts"),
    }
    return parts[kind]


class RtlCell(SubgraphCell):
    """The sub-graphs on one simulated array, the rest on the host."""

    def __init__(self, source: Path) -> None:
        package = open_integer_package(source)
        try:
            place = OwnEnvironment(ENVIRONMENT)
            with tempfile.TemporaryDirectory() as folder:  # a running program does not need its file
                self.array = ArraySimulation(simulation(place, Path(folder)), package.cell)
            label = f"array of {LANES} lanes in {place.version('verilator')}, simulated"
        except SetupFailed as error:
            raise BadArgument(str(error)) from None
        cell = package.cell
        self.cycles = dict.fromkeys(subgraph_layers(cell.shape), 0)
        """Spent in each sub-graph so far."""
        parts = {name: self.counted(name, array_part(cell, self.array, name)) for name in self.cycles}
        super().__init__(cell, parts, "int8", sha256=package.sha256.hex(), provider=label)

    def counted(self, name: str, part: Part) -> Part:
        """The same part, its cycles added to those of its name."""

        def run(feed: Arrays) -> Arrays:
            before = self.array.cycles
            found = part(feed)
            self.cycles[name] += self.array.cycles - before
            return found

        return run


def load(source: Path) -> RtlCell:
    """The array on a flight package. Raises BadArgument where the environment `rtl` is not set up."""
    return RtlCell(source)
