"""A scene through the flight runtime and back: what a package makes of it, every byte counted."""

import io

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import IntegerPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.errors import Corrupt
from runtime.executors.array_executor import ArrayExecutor
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene
from runtime.stream.kinds import AdaptiveStage, PredictorKind

Samples = npt.NDArray[np.int32]


def stream_of(package: IntegerPackage, executor: ArrayExecutor, samples: Samples, stage: AdaptiveStage) -> bytes:
    """The stream of a scene (Y, Z, X), without loss, in segments of the default length."""
    options = CodingOptions(stage=stage, network=NetworkUse.ALWAYS)
    return coded(options, samples, Loaded(package, executor))


def stage_stream(samples: Samples, stage: AdaptiveStage) -> bytes:
    """The stream of a scene (Y, Z, X) by an adaptive stage without a network."""
    return coded(CodingOptions(predictor=PredictorKind.RLS, stage=stage), samples)


def coded(options: CodingOptions, samples: Samples, loaded: Loaded | None = None) -> bytes:
    """The stream of a scene (Y, Z, X)."""
    with opened_encoder(options, describe(Scene(samples), None), loaded=loaded) as encoder:
        return b"".join([encoder.header, *(encoder.push(line) for line in samples), encoder.finish()])


def check_restored(package: IntegerPackage, stream: bytes, samples: Samples) -> None:
    """Raise Corrupt where the stream of `samples` (Y, Z, X) does not give them back."""
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header, [package])
    n_lines = 0
    for segment, payload in reader.segments():
        for line in decoder.lines(segment, payload):
            if not np.array_equal(line, samples[n_lines]):
                raise Corrupt(f"package {package.source}: line {n_lines} does not come back")
            n_lines += 1
    if n_lines != len(samples):
        raise Corrupt(f"package {package.source}: {n_lines} lines of {len(samples)} come back")
