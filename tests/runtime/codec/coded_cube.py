"""Images of every kind as arrays, and their streams."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.executors.executors import make_executor
from runtime.stream.depth import bit_depth
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind

Cube = npt.NDArray[np.int32]

DPCM = CodingOptions(predictor=PredictorKind.DPCM)


def encode(cube: Cube, package: FlightPackage | None = None, depth: int | None = None, **options: Any) -> bytes:
    """The stream of lines (Y, Z, X): by the network of a package, always, else by DPCM, or by `predictor`."""
    depth = depth or bit_depth(int(cube.min()), int(cube.max()))
    image = ImageDescription(cube.shape[1], cube.shape[2], depth, is_signed=bool(cube.min() < 0))
    predictor = PredictorKind.DPCM if package is None else PredictorKind.LINERWKV
    asked = CodingOptions(**{"predictor": predictor, "network": NetworkUse.ALWAYS, **options})
    loaded = None if package is None or not asked.has_network else Loaded(package, make_executor(package))
    with opened_encoder(asked, image, loaded=loaded) as encoder:
        return b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])


def decode(data: bytes, package: FlightPackage | None = None) -> Cube:
    reader = StreamReader(io.BytesIO(data))
    decoder = Decoder(reader.header, [] if package is None else [package])
    return np.array([line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)])


def sources() -> dict[str, Cube]:
    generator = np.random.default_rng(7)
    ramp = np.add.outer(np.add.outer(np.arange(9) * 5, np.arange(6) * 30), np.arange(7) * 11)
    line, band, column = np.indices(ramp.shape)
    return {
        "one sample": np.full((1, 1, 1), 77),
        "one line": generator.integers(0, 4096, (1, 5, 9)),
        "one band": generator.integers(0, 256, (6, 1, 9)),
        "one column": generator.integers(-300, 300, (6, 5, 1)),
        "two columns": generator.integers(0, 1000, (5, 4, 2)),
        "zeros": np.zeros((4, 3, 8)),
        "all maximum, 16 bits": np.full((4, 3, 8), 65535),
        "all minimum, signed 16 bits": np.full((4, 3, 8), -32768),
        "alternating extremes": np.indices((5, 4, 8)).sum(axis=0) % 2 * 65535,
        "alternating signed extremes": np.indices((5, 4, 8)).sum(axis=0) % 2 * 65535 - 32768,
        "white noise, 16 bits": generator.integers(0, 65536, (6, 4, 8)),
        "smooth": ramp,
        "dead band and dead column": ramp * (band != 2) * (column != 3),
        "flat first line, then bright": np.where(line == 0, 3, ramp * 20),
    }


SOURCES = {name: cube.astype(np.int32) for name, cube in sources().items()}
