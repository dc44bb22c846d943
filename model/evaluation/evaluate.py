"""Bits per sample of a network on a scene, by the real entropy coder."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from model.batches.batches import bases_of_lines
from model.network.network import LineRwkv
from runtime.ccsds123 import golomb
from runtime.ccsds123.golomb import GolombParameters
from runtime.cell.integer_base import Base, doubled_predictions
from runtime.coders.golomb_residuals import golomb_parameters
from runtime.coders.plain import plain_bytes
from runtime.float_network.normalise import Normalisation, from_first_line, normalised
from runtime.kernels.bits import finish, initial_bits
from runtime.kernels.mapping import map_samples
from runtime.kernels.marks import kernel_marks
from runtime.prediction import dpcm
from runtime.stream.depth import bit_depth
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Arithmetic
from runtime.stream.records import END_MARKER, ENTRY, INDEX_MARKER, EndRecord, record_bytes
from runtime.stream.segment_header import SEGMENT_BYTES
from runtime.stream.stream_header import PackageName, StreamHeader

COLUMN_CHUNK = 24  # columns predicted at once: bounds memory, columns are independent after the encoder


def corrections(network: LineRwkv, lines: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Corrections (Y - 1, Z, X) of normalised lines (Y, Z, X), all bands at once, some columns at a time."""
    n_columns = lines.shape[2]
    reach = network.config.encoder_layers
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        for start in range(0, n_columns, COLUMN_CHUNK):
            stop = min(n_columns, start + COLUMN_CHUNK)
            left, right = max(0, start - reach), min(n_columns, stop + reach)
            chunk = torch.from_numpy(lines[None, :, :, left:right]).to(device)
            keep = torch.arange(start - left, stop - left, device=device)
            parts.append(network(chunk, keep)[0].cpu().numpy())
    return np.concatenate(parts, axis=2)


def doubled_scene(
    network: LineRwkv, samples: npt.NDArray[np.int32], normalisation: Normalisation, smallest: int, largest: int
) -> npt.NDArray[np.int32]:
    """s-tilde (Y - 1, Z, X) of all lines but the first of a segment (Y, Z, X)."""
    correction = corrections(network, normalised(samples, normalisation))
    doubled = np.empty(correction.shape, np.int32)
    bases = bases_of_lines(Base(network.config.base), samples, normalisation.mean)
    for y in range(correction.shape[0]):
        doubled_predictions(correction[y], bases[y], normalisation.scale, smallest, largest, doubled[y])
    return doubled


@dataclass(frozen=True)
class CodedSize:
    """What a scene takes in a stream."""

    band_bits: npt.NDArray[np.int64]
    """(Z,), of the coded residuals of each band."""
    n_bytes: int
    """Of the whole stream: coded segments, and the container's headers."""
    n_samples: int

    @property
    def bits_per_sample(self) -> float:
        """Rate of the stream."""
        return 8 * self.n_bytes / self.n_samples

    @property
    def band_rates(self) -> npt.NDArray[np.float64]:
        """(Z,), bits per sample of each band, without headers."""
        return self.band_bits.astype(np.float64) * (len(self.band_bits) / self.n_samples)


def coded_size(network: LineRwkv, samples: npt.NDArray[np.int32], segment_lines: int) -> CodedSize:
    """What a scene (Y, Z, X) takes, each segment coded by the coder of the stream. Raises BadArgument."""

    def predict(segment: npt.NDArray[np.int32], smallest: int, largest: int) -> npt.NDArray[np.int32]:
        return doubled_scene(network, segment, from_first_line(segment[0]), smallest, largest)

    return coded_segments(predict, samples, segment_lines)


Predict = Callable[[npt.NDArray[np.int32], int, int], npt.NDArray[np.int32]]
"""s-tilde (Y - 1, Z, X) of all lines but the first of a segment (Y, Z, X), from its samples and their range."""


def coded_segments(predict: Predict, samples: npt.NDArray[np.int32], segment_lines: int) -> CodedSize:
    """What a scene (Y, Z, X) takes with these predictions, the first line of a segment by DPCM. Raises BadArgument."""
    lowest, highest = int(samples.min()), int(samples.max())
    n_lines, n_bands, n_columns = samples.shape
    image = ImageDescription(n_bands, n_columns, bit_depth(lowest, highest), lowest < 0, n_lines)
    smallest, largest = image.range
    parameters = golomb_parameters(image.depth)
    band_bits = np.zeros(image.n_bands, np.int64)
    header = StreamHeader(image, (PackageName(Arithmetic.FLOAT32, bytes(32)),)).to_bytes()
    n_segments = -(-image.n_lines // segment_lines)
    index = record_bytes(INDEX_MARKER, 0, bytes(n_segments * ENTRY.size))
    end = record_bytes(END_MARKER, 0, EndRecord(image.n_lines, n_segments, 1, header).body())
    n_bytes = len(header) + n_segments * SEGMENT_BYTES + len(index) + len(end)
    for start in range(0, image.n_lines, segment_lines):
        segment = samples[start : start + segment_lines]
        mapped = np.empty(segment.shape, np.int32)
        dpcm.map_line(segment[0].astype(np.int32), kernel_marks(None, n_bands), 0, smallest, largest, mapped[0])
        if len(segment) > 1:
            map_samples(segment[1:], predict(segment, smallest, largest), 0, smallest, largest, mapped[1:])
        n_bytes += 1 + min(add_coded(parameters, mapped, band_bits), plain_bytes(segment.size, image.depth))
    return CodedSize(band_bits, n_bytes, samples.size)


def add_coded(parameters: GolombParameters, mapped: npt.NDArray[np.int32], out_bits: npt.NDArray[np.int64]) -> int:
    """Bytes of a segment's mapped residuals (Y, Z, X); adds the bits of each band to `out_bits` (Z,)."""
    state, bits = golomb.initial_state(parameters, mapped.shape[1]), initial_bits()
    buffer = np.empty(golomb.worst_bytes(parameters, mapped.size), np.uint8)
    written = 0
    for line in mapped:
        for z in range(len(line)):  # band after band is the coder's own order: the bytes are those of whole lines
            golomb.encode_line(parameters, line[z : z + 1], state.of(slice(z, z + 1)), buffer, bits)
            now = 8 * int(bits[0]) + int(bits[2])
            out_bits[z] += now - written
            written = now
    return finish(buffer, bits)


def bits_per_sample(network: LineRwkv, samples: npt.NDArray[np.int32], segment_lines: int = 64) -> float:
    """Rate of a scene (Y, Z, X) in bits per sample, everything in the stream counted."""
    network.eval()
    return coded_size(network, samples, segment_lines).bits_per_sample
