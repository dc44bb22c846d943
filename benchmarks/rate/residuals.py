"""Where the bits of a scene lie: mapped residuals of a row, and what the sample-adaptive coder makes of each."""

import numpy as np
import numpy.typing as npt

from benchmarks.rate.codecs import Ccsds123Codec, Samples, Settings, StreamCodec
from runtime.ccsds123 import Ccsds123Parameters, golomb
from runtime.ccsds123.line_predictor import LinePredictor
from runtime.coders.golomb_residuals import golomb_parameters
from runtime.images.scene_reader import Scene
from runtime.kernels.bits import initial_bits
from runtime.segments.residual_segment import ResidualSegments

Mapped = npt.NDArray[np.int32]
"""(Y, Z, X), non-negative."""


def of_stream(codec: StreamCodec, scene: Scene) -> Mapped:
    """Of a LineRWKV stream of one segment."""
    segments = codec.encoder(scene, 0, len(scene.samples)).segments.codec
    assert isinstance(segments, ResidualSegments)
    mapped = np.empty(scene.samples.shape, np.int32)
    state = None
    for line, residuals in zip(scene.lines(), mapped, strict=True):
        state = segments.lines_predictor.encode_line(segments.quantiser.quantised(line), state, residuals)
    return mapped


def of_ccsds123(codec: Ccsds123Codec, scene: Scene, settings: Settings) -> Mapped:
    """Of one image of CCSDS 123.0-B-2."""
    n_lines, n_bands, n_columns = scene.samples.shape
    shape = {"Nx": n_columns, "Ny": n_lines, "Nz": n_bands}
    predictor = LinePredictor(Ccsds123Parameters.from_dict({**settings, **shape}))
    return np.stack([predictor.encode(line) for line in scene.lines()]).astype(np.int32)


def coded_bits(mapped: Mapped, depth: int) -> npt.NDArray[np.int64]:
    """Bits of each line and band (Y, Z) by the sample-adaptive coder, which knows each band by itself."""
    n_lines, n_bands, _ = mapped.shape
    parameters = golomb_parameters(depth)
    state, bits = golomb.initial_state(parameters, n_bands), initial_bits()
    buffer = np.empty(golomb.worst_bytes(parameters, mapped.size), np.uint8)
    ends = np.zeros(n_lines * n_bands + 1, np.int64)
    for y in range(n_lines):
        for z in range(n_bands):
            golomb.encode_line(parameters, mapped[y, z : z + 1], state.of(slice(z, z + 1)), buffer, bits)
            ends[y * n_bands + z + 1] = 8 * int(bits[0]) + int(bits[2])
    return np.diff(ends).reshape(n_lines, n_bands)


def magnitudes(mapped: Mapped) -> Samples:
    """What each sample is off from its prediction, as far as the mapping shows: (m + 1) / 2, (Y, Z, X)."""
    return (mapped + 1) // 2
