"""Bits per sample of a network with taps in 1/1024, by the exact filter and the coder of the stream."""

import numpy as np
import numpy.typing as npt
import torch

from model.batches.flight_batches import SegmentInputs, segment_inputs
from model.evaluation.evaluate import CodedSize, coded_segments
from model.evaluation.flight_evaluate import band_chunks, chunk_taps
from model.network.flight_network import FlightNetwork
from runtime.cell.flight_inputs import TAP_BITS, filtered


def integer_taps(network: FlightNetwork, inputs: SegmentInputs, bands: slice) -> npt.NDArray[np.int32]:
    """Taps (Y, z, X, TAPS) in 1/1024 of one of `band_chunks`; those of a float network are rounded."""
    taps = chunk_taps(network, inputs, bands)
    rounded: npt.NDArray[np.int32] = torch.floor(taps * (1 << TAP_BITS) + 0.5).int().numpy()
    return rounded


def doubled_segment(
    network: FlightNetwork, samples: npt.NDArray[np.int32], smallest: int, largest: int
) -> npt.NDArray[np.int32]:
    """s-tilde (Y - 1, Z, X) of all lines but the first of a segment (Y, Z, X)."""
    n_lines, n_bands, n_columns = samples.shape
    inputs = segment_inputs(samples)
    doubled = np.empty((n_lines - 1, n_bands, n_columns), np.int32)
    for bands in band_chunks(network.config, n_bands):
        taps = integer_taps(network, inputs, bands)
        for y in range(n_lines - 1):
            for i, z in enumerate(range(bands.start, bands.stop)):
                differences = inputs.differences[y, z]
                filtered(taps[y, i].T, differences.T, samples[y, z], smallest, largest, doubled[y, z])
    return doubled


def coded_size(network: FlightNetwork, samples: npt.NDArray[np.int32], segment_lines: int) -> CodedSize:
    """What a scene (Y, Z, X) takes, each segment coded by the coder of the stream. Raises BadArgument."""
    network.eval()
    return coded_segments(lambda *segment: doubled_segment(network, *segment), samples, segment_lines)
