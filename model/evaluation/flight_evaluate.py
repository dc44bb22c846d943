"""Bits per sample of the flight network in float on a scene, by the real entropy coder."""

import numpy as np
import numpy.typing as npt
import torch

from model.batches.flight_batches import segment_inputs
from model.evaluation.evaluate import CodedSize, coded_segments
from model.network.flight_network import INPUT_UNIT, FlightNetwork

BAND_CHUNK = 24  # bands predicted at once: bounds memory


def doubled_segment(
    network: FlightNetwork, samples: npt.NDArray[np.int32], smallest: int, largest: int
) -> npt.NDArray[np.int32]:
    """s-tilde (Y - 1, Z, X) of all lines but the first of a segment (Y, Z, X)."""
    n_lines, n_bands, n_columns = samples.shape
    doubled = np.empty((n_lines - 1, n_bands, n_columns), np.int32)
    inputs = segment_inputs(samples)
    device = next(network.parameters()).device
    reach = 2 * network.config.band_convolutions  # bands that a prediction sees before its own
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        for start in range(0, n_bands, BAND_CHUNK):
            first, stop = max(0, start - reach), min(n_bands, start + BAND_CHUNK)
            parts = (inputs.line_features, inputs.band_features)
            features = (torch.from_numpy(part[None, :, first:stop]).to(device).float() * INPUT_UNIT for part in parts)
            taps = network(*features)[0, :, start - first :].cpu().numpy().astype(np.float64)  # (Y - 1, z, X, TAPS)
            differences = inputs.differences[:, start:stop]
            prediction = samples[:-1, start:stop] + (taps * differences).sum(-1)
            doubled[:, start:stop] = np.clip(np.floor(2 * prediction) + 1, 2 * smallest, 2 * largest + 1)
    return doubled


def coded_size(network: FlightNetwork, samples: npt.NDArray[np.int32], segment_lines: int) -> CodedSize:
    """What a scene (Y, Z, X) takes, each segment coded by the coder of the stream. Raises BadArgument."""
    return coded_segments(lambda *segment: doubled_segment(network, *segment), samples, segment_lines)
