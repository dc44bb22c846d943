"""Bits per sample of the flight network in float on a scene, by the real entropy coder."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.batches.flight_batches import SegmentInputs, segment_inputs
from model.evaluation.evaluate import CodedSize, coded_segments
from model.network.clipped_layers import INPUT_UNIT
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork

BAND_CHUNK = 32  # bands predicted at once, or the whole groups that they hold: bounds memory


def band_chunks(config: FlightConfig, n_bands: int) -> list[slice]:
    """All bands in parts that are predicted at once; each begins with the first band of a group."""
    size = BAND_CHUNK // config.group * config.group
    return [slice(start, min(n_bands, start + size)) for start in range(0, n_bands, size)]


def chunk_taps(network: FlightNetwork, inputs: SegmentInputs, bands: slice) -> Tensor:
    """Taps (Y, z, X, TAPS) of one of `band_chunks`, on the device of the network, without gradients."""
    device = next(network.parameters()).device
    first = max(0, bands.start - 2 * network.config.band_convolutions)  # bands that a prediction sees before its own
    parts = inputs.line_features[:, bands], inputs.band_features[:, first : bands.stop]
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        features = (torch.from_numpy(part[None]).to(device).float() * INPUT_UNIT for part in parts)
        taps: Tensor = network(*features)[0]
    return taps


def doubled_segment(
    network: FlightNetwork, samples: npt.NDArray[np.int32], smallest: int, largest: int
) -> npt.NDArray[np.int32]:
    """s-tilde (Y - 1, Z, X) of all lines but the first of a segment (Y, Z, X)."""
    n_lines, n_bands, n_columns = samples.shape
    doubled = np.empty((n_lines - 1, n_bands, n_columns), np.int32)
    inputs = segment_inputs(samples)
    for bands in band_chunks(network.config, n_bands):
        taps = chunk_taps(network, inputs, bands).cpu().numpy().astype(np.float64)
        prediction = samples[:-1, bands] + (taps * inputs.differences[:, bands]).sum(-1)
        doubled[:, bands] = np.clip(np.floor(2 * prediction) + 1, 2 * smallest, 2 * largest + 1)
    return doubled


def coded_size(network: FlightNetwork, samples: npt.NDArray[np.int32], segment_lines: int) -> CodedSize:
    """What a scene (Y, Z, X) takes, each segment coded by the coder of the stream. Raises BadArgument."""
    return coded_segments(lambda *segment: doubled_segment(network, *segment), samples, segment_lines)
