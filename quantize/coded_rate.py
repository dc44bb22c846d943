"""Bits per sample of a network with taps in 1/1024, by the exact filter and the coder of the stream."""

import numpy as np
import numpy.typing as npt
import torch

from model.batches.flight_batches import SegmentInputs, segment_inputs
from model.evaluation.evaluate import CodedSize, coded_segments
from model.evaluation.flight_evaluate import BAND_CHUNK
from model.network.flight_network import INPUT_UNIT, FlightNetwork
from runtime.cell.flight_inputs import TAP_BITS, filtered


def integer_taps(network: FlightNetwork, inputs: SegmentInputs, start: int, stop: int) -> npt.NDArray[np.int32]:
    """Taps (Y, z, X, TAPS) in 1/1024 of the bands `start` to `stop`; those of a float network are rounded."""
    first = max(0, start - 2 * network.config.band_convolutions)
    parts = (inputs.line_features, inputs.band_features)
    with torch.inference_mode():
        features = (torch.from_numpy(part[None, :, first:stop]).float() * INPUT_UNIT for part in parts)
        taps = network(*features)[0, :, start - first :]
        rounded: npt.NDArray[np.int32] = torch.floor(taps * (1 << TAP_BITS) + 0.5).int().numpy()
    return rounded


def doubled_segment(
    network: FlightNetwork, samples: npt.NDArray[np.int32], smallest: int, largest: int
) -> npt.NDArray[np.int32]:
    """s-tilde (Y - 1, Z, X) of all lines but the first of a segment (Y, Z, X)."""
    n_lines, n_bands, n_columns = samples.shape
    inputs = segment_inputs(samples)
    doubled = np.empty((n_lines - 1, n_bands, n_columns), np.int32)
    for start in range(0, n_bands, BAND_CHUNK):
        taps = integer_taps(network, inputs, start, min(n_bands, start + BAND_CHUNK))
        for y in range(n_lines - 1):
            for z in range(start, start + taps.shape[1]):
                differences = inputs.differences[y, z]
                filtered(taps[y, z - start], differences, samples[y, z], smallest, largest, doubled[y, z])
    return doubled


def coded_size(network: FlightNetwork, samples: npt.NDArray[np.int32], segment_lines: int) -> CodedSize:
    """What a scene (Y, Z, X) takes, each segment coded by the coder of the stream. Raises BadArgument."""
    network.eval()
    return coded_segments(lambda *segment: doubled_segment(network, *segment), samples, segment_lines)
