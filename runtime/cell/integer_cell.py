"""The integers of an int8 flight package: layers, memories, and the proof that float32 carries every sum exactly.

Arithmetic `int8-v2` (docs/arithmetic.md). Every executor is built from these integers or from a graph made of them.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_inputs import BAND_FEATURES, LARGEST_TAP, LEVELS, LINE_FEATURES, TAPS
from runtime.cell.state_spec import StateSpec
from runtime.checked_table import shown
from runtime.errors import Corrupt, one_line

ARITHMETIC = "int8-v2"
LARGEST_SUM = 1 << 24  # float32 holds every integer below this
LARGEST_ACTIVATION = 127
SIZES = {
    "group": (1, 16), "features": (4, 128), "line_convolutions": (1, 16), "line_blocks": (1, 16),
    "spectral_features": (4, 64), "band_convolutions": (0, 16),
}  # fmt: skip
"""Smallest and largest of each; a layer has at most 416 inputs then (docs/arithmetic.md, section 1)."""
SIGNED, POSITIVE = (-LARGEST_ACTIVATION, LARGEST_ACTIVATION), (0, LARGEST_ACTIVATION)
NUMERATOR_BITS = 7  # The mean is 2**6 numerator / denominator; see docs/arithmetic.md, section 3.4
INITIAL_DENOMINATOR = 128


@dataclass(frozen=True)
class LayerSpec:
    """What a layer is by its place in the cell."""

    name: str
    n_in: int
    n_out: int
    low: int
    high: int


@dataclass(frozen=True)
class CellShape:
    """Sizes of the cell; model/network/flight_config.py has the same fields."""

    group: int
    features: int
    line_convolutions: int
    line_blocks: int
    spectral_features: int
    band_convolutions: int

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "CellShape":
        """Read the manifest's `architecture`. Raises Corrupt."""
        try:
            shape = cls(**{name: values[name] for name in cls.__dataclass_fields__})
        except KeyError as error:
            raise Corrupt(f"architecture: {error} is missing") from error
        for name, (smallest, largest) in SIZES.items():
            value = getattr(shape, name)
            if type(value) is not int or not smallest <= value <= largest:
                raise Corrupt(f"architecture: {name} is {repr(value)[:60]}, allowed {smallest}..{largest}")
        return shape

    def line_layers(self) -> list[LayerSpec]:
        """The layers of the line part, which a group of bands shares, in the order of their evaluation."""
        n = self.features
        found = []
        for i in range(self.line_convolutions):
            is_last = i == self.line_convolutions - 1
            n_in = 3 * n if i else self.group * (3 * LINE_FEATURES + LEVELS)
            found.append(LayerSpec(f"line_convolutions.{i}", n_in, n, *(SIGNED if is_last else POSITIVE)))
        for i in range(self.line_blocks):
            found += [
                LayerSpec(f"blocks.{i}.key", 2 * n, n, *POSITIVE),
                LayerSpec(f"blocks.{i}.value", 2 * n, n, *SIGNED),
                LayerSpec(f"blocks.{i}.gate", 2 * n, n, *POSITIVE),
                LayerSpec(f"blocks.{i}.output", n, n, *SIGNED),
                LayerSpec(f"blocks.{i}.mix", 2 * n, n, *POSITIVE),
                LayerSpec(f"blocks.{i}.mixed", n, n, *SIGNED),
            ]
        return [*found, LayerSpec("context", n, self.group * self.spectral_features, *SIGNED)]

    def spectral_layers(self) -> list[LayerSpec]:
        """The layers of the spectral part, which each band has for itself, in the order of their evaluation."""
        s = self.spectral_features
        convolutions = [LayerSpec(f"band_convolutions.{i}", 3 * s, s, *POSITIVE) for i in range(self.band_convolutions)]
        return [
            LayerSpec("band_columns", 3 * BAND_FEATURES, s, *POSITIVE),
            *convolutions,
            LayerSpec("decoder", 2 * s, s, *POSITIVE),
            LayerSpec("taps", s, TAPS, -LARGEST_TAP, LARGEST_TAP),
        ]

    def layers(self) -> list[LayerSpec]:
        """All layers."""
        return self.line_layers() + self.spectral_layers()

    def states(self) -> list[StateSpec]:
        """The memory of lines of the groups, in the order of the cell's inputs."""
        n = self.features
        found = []
        for i in range(self.line_blocks):
            found += [
                StateSpec(f"before_{i}", True, 0, n, "int8", 0),
                StateSpec(f"numerator_{i}", True, 0, n, "int16", 0),
                StateSpec(f"denominator_{i}", True, 0, n, "int16", INITIAL_DENOMINATOR),
                StateSpec(f"mix_before_{i}", True, 0, n, "int8", 0),
            ]
        return found

    def groups(self, n_bands: int) -> int:
        """Groups of so many bands; the last may be not full."""
        return -(-n_bands // self.group)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one sample, those of the line part shared by the bands of a group."""
        line, spectral = (
            sum(one.n_in * one.n_out for one in part) for part in (self.line_layers(), self.spectral_layers())
        )
        return spectral - (-line // self.group)


@dataclass(frozen=True)
class IntegerLayer:
    """clip((weight @ values + bias + 2**(shift - 1)) >> shift, low, high)."""

    spec: LayerSpec
    weight: npt.NDArray[np.int8]  # (n_out, n_in)
    bias: npt.NDArray[np.int32]  # (n_out,)
    shift: npt.NDArray[np.int8]  # (n_out,), 1..22

    @property
    def largest_sum(self) -> int:
        """No accumulator of this layer, its rounding included, is larger in magnitude."""
        reach = np.abs(self.weight.astype(np.int64)).sum(1) * LARGEST_ACTIVATION
        return int((reach + np.abs(self.bias.astype(np.int64)) + (1 << (self.shift.astype(np.int64) - 1))).max())


@dataclass(frozen=True)
class IntegerMemory:
    """How far numerator and denominator move to each line: mantissa / 2**exponent, 0 < rate <= 1."""

    mantissa: npt.NDArray[np.int8]  # (F,), 1..127
    exponent: npt.NDArray[np.int8]  # (F,), 7..14

    @property
    def largest_sum(self) -> int:
        """No product of a step is larger: |2 weight value - numerator| < 2**16."""
        return int(self.mantissa.max()) * ((1 << 16) - 1) + (1 << (int(self.exponent.max()) - 1))


@dataclass(frozen=True)
class IntegerCell:
    """The whole cell."""

    shape: CellShape
    layers: dict[str, IntegerLayer] = field(repr=False)
    memories: tuple[IntegerMemory, ...] = field(repr=False)

    def largest_sums(self) -> dict[str, int]:
        """The proof: the largest possible accumulator of each layer and memory."""
        sums = {name: layer.largest_sum for name, layer in self.layers.items()}
        return sums | {f"blocks.{i}.memory": memory.largest_sum for i, memory in enumerate(self.memories)}

    def check(self) -> None:
        """Raise Corrupt where a sum could leave what float32 carries, or an integer its range."""
        for name, layer in self.layers.items():
            check_tensor(f"layer {name}: weight", layer.weight, np.int8, layer.spec.n_out, layer.spec.n_in)
            check_tensor(f"layer {name}: bias", layer.bias, np.int32, layer.spec.n_out)
            check_tensor(f"layer {name}: shift", layer.shift, np.int8, layer.spec.n_out)
            if layer.shift.min() < 1 or layer.shift.max() > 22:
                raise Corrupt(f"layer {name}: shift {layer.shift.min()}..{layer.shift.max()}, allowed 1..22")
        for i, memory in enumerate(self.memories):
            check_tensor(f"memory {i}: mantissa", memory.mantissa, np.int8, self.shape.features)
            check_tensor(f"memory {i}: exponent", memory.exponent, np.int8, self.shape.features)
            if memory.mantissa.min() < 1 or memory.exponent.min() < 7 or memory.exponent.max() > 14:
                raise Corrupt(f"memory {i}: mantissa {memory.mantissa.min()}, exponent up to {memory.exponent.max()}")
        for name, largest in self.largest_sums().items():
            if largest >= LARGEST_SUM:
                raise Corrupt(f"layer {name}: a sum may reach {largest}, allowed below {LARGEST_SUM}")

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """All integers by name, in a fixed order."""
        found: dict[str, npt.NDArray[Any]] = {}
        for name, layer in self.layers.items():
            found |= {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias, f"{name}.shift": layer.shift}
        for i, memory in enumerate(self.memories):
            found |= {f"blocks.{i}.mantissa": memory.mantissa, f"blocks.{i}.exponent": memory.exponent}
        return found


def check_tensor(what: str, values: npt.NDArray[Any], dtype: type[np.generic], *shape: int) -> None:
    """Raise Corrupt where a tensor is of another shape or type."""
    if values.shape != shape or values.dtype != dtype:
        raise Corrupt(f"{what} of shape {values.shape} {values.dtype}, allowed {shape} {np.dtype(dtype)}")


def cell_from_tensors(shape: CellShape, tensors: dict[str, npt.NDArray[Any]]) -> IntegerCell:
    """The cell of `IntegerCell.tensors`, checked. Raises Corrupt."""
    try:
        layers = {
            spec.name: IntegerLayer(spec, *(tensors[f"{spec.name}.{part}"] for part in ("weight", "bias", "shift")))
            for spec in shape.layers()
        }
        memories = tuple(
            IntegerMemory(tensors[f"blocks.{i}.mantissa"], tensors[f"blocks.{i}.exponent"])
            for i in range(shape.line_blocks)
        )
    except KeyError as error:
        raise Corrupt(f"integers: tensor {error} is missing") from error
    cell = IntegerCell(shape, layers, memories)
    cell.check()
    return cell


LARGEST_RANK = 4
DTYPES = {"int8": "<i1", "int16": "<i2", "int32": "<i4"}


def pack_tensors(tensors: dict[str, npt.NDArray[Any]]) -> tuple[bytes, list[dict[str, Any]]]:
    """The integers one after another, little-endian, and the table that the manifest keeps of them."""
    block, table = bytearray(), []
    for name, tensor in tensors.items():
        dtype = tensor.dtype.name
        table.append({"name": name, "dtype": dtype, "shape": list(tensor.shape), "offset": len(block)})
        block += np.ascontiguousarray(tensor, DTYPES[dtype]).tobytes()
    return bytes(block), table


def unpack_tensors(block: bytes, table: list[dict[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    """The tensors that `pack_tensors` wrote, one right after another as it lays them. Raises Corrupt."""
    found: dict[str, npt.NDArray[Any]] = {}
    end = 0
    for entry in table:
        try:
            name, dtype, shape = entry["name"], np.dtype(DTYPES[entry["dtype"]]), tuple(entry["shape"])
            if type(name) is not str or name in found or entry["offset"] != end:
                raise ValueError(f"allowed a name of its own and offset {end}")
            if not 1 <= len(shape) <= LARGEST_RANK or not all(type(n) is int and 0 < n <= len(block) for n in shape):
                raise ValueError(f"allowed 1 to {LARGEST_RANK} sizes, no larger than {len(block)} bytes")
            count = math.prod(shape)
            found[name] = np.frombuffer(block, dtype, count, end).reshape(shape).astype(dtype.name)
            end += count * dtype.itemsize
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Corrupt(f"integers: entry {shown(entry)}: {one_line(error)}") from None
    if end != len(block):
        raise Corrupt(f"integers: tensors of {end} bytes in a part of {len(block)}")
    return found
