"""What is measured: methods that make a stream of a patch and a patch of the stream, by the runtime alone.

It imports nothing of training, so that another process can measure the memory of a method by itself.
"""

import functools
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from runtime.ccsds123 import Ccsds123Parameters, decode, encode
from runtime.cell.flight_package import SHIPPED, SHIPPED_LARGE, open_package
from runtime.codec.coding_options import CodingOptions, ResidualCoder
from runtime.codec.decoder import Decoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.executors.executors import make_executor
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene
from runtime.stream.depth import fewest_bits
from runtime.stream.kinds import PredictorKind, Quantisation

Samples = npt.NDArray[np.integer[Any]]
"""(Y, Z, X)."""
IN_LOOP, PREQUANTISED = "in the loop", "prequantised"
CCSDS123 = {"mode": "full", "local_sum": "wide_neighbor", "P": 3, "coder": "sample_adaptive"}
"""The paper's: full mode, neighbour-oriented, three bands, Golomb; the rest are the defaults of `linerwkv ccsds123`."""


class Method(Protocol):
    """A value, so that another process can be handed it."""

    @property
    def name(self) -> str:
        """Of its rows."""

    @property
    def quantisations(self) -> tuple[str, ...]:
        """How it can be near-lossless."""

    @property
    def identity(self) -> str:
        """What its streams depend on beside the name."""

    @property
    def manifest(self) -> dict[str, Any]:
        """That of its package; empty without one."""

    def encode(self, samples: Samples, max_error: int, quantisation: str) -> bytes:
        """The stream of one patch, every byte that a file of it has. Raises LineRwkvError."""

    def decode(self, data: bytes) -> Samples:
        """The patch, from the bytes alone. Raises LineRwkvError."""


@dataclass(frozen=True)
class Ccsds123Method:
    """CCSDS 123.0-B-2 as the paper sets it."""

    name: str = "ccsds123"
    quantisations: tuple[str, ...] = (IN_LOOP,)

    @property
    def identity(self) -> str:
        """As in `Method`."""
        return " ".join(map(str, CCSDS123.values()))

    @property
    def manifest(self) -> dict[str, Any]:
        """As in `Method`."""
        return {}

    def encode(self, samples: Samples, max_error: int, quantisation: str) -> bytes:
        """As in `Method`."""
        lowest, highest = int(samples.min()), int(samples.max())
        n_lines, n_bands, n_columns = samples.shape
        fidelity = {"fidelity": "absolute", "a": max_error} if max_error else {}
        depth = max(2, fewest_bits(lowest, highest, is_signed=lowest < 0))
        sizes = {"Nx": n_columns, "Ny": n_lines, "Nz": n_bands, "D": depth, "signed": lowest < 0}
        parameters = Ccsds123Parameters.from_dict({**CCSDS123, **fidelity, **sizes})
        return encode(np.moveaxis(samples, 1, 0), parameters)

    def decode(self, data: bytes) -> Samples:
        """As in `Method`."""
        return np.moveaxis(decode(data), 0, 1)


@functools.cache
def opened(folder: Path) -> Loaded:
    """A package and its executor, which passed the self-test."""
    package = open_package(folder)
    return Loaded(package, make_executor(package))


@dataclass(frozen=True)
class StreamMethod:
    """A stream of `linerwkv compress`, the patch as one segment."""

    name: str
    predictor: PredictorKind
    package: Path | None = None
    coder: ResidualCoder | None = None
    quantisations: tuple[str, ...] = (PREQUANTISED, IN_LOOP)

    @property
    def identity(self) -> str:
        """As in `Method`."""
        return "" if self.package is None else opened(self.package).package.sha256.hex()

    @property
    def manifest(self) -> dict[str, Any]:
        """As in `Method`."""
        return {} if self.package is None else opened(self.package).package.manifest

    def encode(self, samples: Samples, max_error: int, quantisation: str) -> bytes:
        """As in `Method`."""
        options = CodingOptions(
            predictor=self.predictor, max_error=max_error, segment_lines=len(samples), coder=self.coder,
            quantisation=Quantisation.IN_LOOP if quantisation == IN_LOOP else Quantisation.PREQUANTISED,
            network=NetworkUse.ALWAYS,
        )  # fmt: skip
        loaded = None if self.package is None else opened(self.package)
        with opened_encoder(options, describe(Scene(samples), None), loaded=loaded) as encoder:
            return b"".join([encoder.header, *(encoder.push(line) for line in samples), encoder.finish()])

    def decode(self, data: bytes) -> Samples:
        """As in `Method`."""
        reader = StreamReader(io.BytesIO(data))
        loaded = None if self.package is None else opened(self.package)
        packages, make = ([], make_executor) if loaded is None else ([loaded.package], lambda _: loaded.executor)
        decoder = Decoder(reader.header, packages, make)
        lines = [line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)]
        return np.array(lines)


def all_methods(network: Path) -> list[Method]:
    """The paper's network, of a float32 package, and what stands beside it, in the order of the table."""
    golomb = ResidualCoder.GOLOMB  # as in the paper
    return [
        StreamMethod("network", PredictorKind.LINERWKV, network, golomb, (PREQUANTISED,)),
        Ccsds123Method(),
        StreamMethod("flight", PredictorKind.LINERWKV, SHIPPED),
        StreamMethod("flight-large", PredictorKind.LINERWKV, SHIPPED_LARGE),
        StreamMethod("rls", PredictorKind.RLS),
    ]
