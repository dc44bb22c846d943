"""A scene through the flight runtime and back: what a package makes of it, every byte counted."""

import io

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import IntegerPackage
from runtime.codec.decoder import Decoder, StreamReader
from runtime.codec.encoder import Encoder
from runtime.errors import Corrupt
from runtime.executors.executors import AnyExecutor, make_executor
from runtime.images.scene_reader import Scene, describe
from runtime.stream.stream_format import AdaptiveStage

Samples = npt.NDArray[np.int32]


def stream_of(package: IntegerPackage, executor: AnyExecutor, samples: Samples, stage: AdaptiveStage) -> bytes:
    """The stream of a scene (Y, Z, X), without loss, in segments of the default length."""
    encoder = Encoder(describe(Scene(samples), None), package, executor=executor, stage=stage)
    return b"".join([encoder.header, *(encoder.push(line) for line in samples), encoder.finish()])


def check_restored(package: IntegerPackage, stream: bytes, samples: Samples) -> None:
    """Raise Corrupt where the stream of `samples` (Y, Z, X) does not give them back."""
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header, package, make_executor(package))
    n_lines = 0
    for segment, payload in reader.segments():
        for line in decoder.lines(segment, payload):
            if not np.array_equal(line, samples[n_lines]):
                raise Corrupt(f"package {package.source}: line {n_lines} does not come back")
            n_lines += 1
    if n_lines != len(samples):
        raise Corrupt(f"package {package.source}: {n_lines} lines of {len(samples)} come back")
