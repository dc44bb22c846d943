"""Bits per sample of a network on a scene, by the real entropy coder."""

import numpy as np
import numpy.typing as npt
import torch

from model.network import LineRwkv
from runtime import dpcm, golomb
from runtime.bits import finish, initial_bits
from runtime.depth import bit_depth, sample_range
from runtime.golomb import GolombParameters
from runtime.integer_base import Base, base_samples, doubled_predictions
from runtime.mapping import map_samples
from runtime.normalise import Normalisation, from_first_line, normalised

COLUMN_CHUNK = 24  # columns predicted at once: bounds memory, columns are independent after the encoder


def corrections(network: LineRwkv, lines: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Corrections (Y - 1, Z, X) of normalised lines (Y, Z, X), all bands at once, some columns at a time."""
    n_columns = lines.shape[2]
    reach = network.config.encoder_layers
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
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
    base = Base(network.config.base)
    for y in range(correction.shape[0]):
        now, before = samples[y + 1], samples[y]
        nothing = np.zeros_like(now[:1])
        bands = base_samples(
            base,
            before,
            np.concatenate([nothing, now[:-1]]),
            np.concatenate([nothing, before[:-1]]),
            normalisation.mean[:, None],
        )
        doubled_predictions(correction[y], bands, normalisation.scale, smallest, largest, doubled[y])
    return doubled


def coded_bytes(network: LineRwkv, samples: npt.NDArray[np.int32], segment_lines: int) -> npt.NDArray[np.int64]:
    """Coded bytes of each segment of a scene (Y, Z, X); container headers are not in them."""
    depth = bit_depth(int(samples.min()), int(samples.max()))
    smallest, largest = sample_range(depth, is_signed=bool(samples.min() < 0))
    parameters = GolombParameters(depth)
    sizes = []
    for start in range(0, samples.shape[0], segment_lines):
        segment = samples[start : start + segment_lines]
        mapped = np.empty(segment.shape, np.int32)
        dpcm.map_line(segment[0], smallest, largest, mapped[0])
        if len(segment) > 1:
            doubled = doubled_scene(network, segment, from_first_line(segment[0]), smallest, largest)
            map_samples(segment[1:], doubled, smallest, largest, mapped[1:])
        state, bits = golomb.initial_state(parameters, samples.shape[1]), initial_bits()
        buffer = np.empty(golomb.worst_bytes(parameters, mapped.size), np.uint8)
        for line in mapped:
            golomb.encode_line(parameters, line, state, buffer, bits)
        sizes.append(finish(buffer, bits))
    return np.array(sizes, np.int64)


def bits_per_sample(network: LineRwkv, samples: npt.NDArray[np.int32], segment_lines: int = 64) -> float:
    """Rate of a scene (Y, Z, X) in bits per sample."""
    network.eval()
    return float(coded_bytes(network, samples, segment_lines).sum() * 8 / samples.size)
